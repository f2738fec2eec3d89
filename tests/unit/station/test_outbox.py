"""The outbox: what it returned for is on the disk, receipts are final, and every failure says what to do."""

import shutil
import threading
from pathlib import Path

import pytest

from intake_helpers import opened_log, republic
from scrutineer.errors import StoreError
from scrutineer.http.problems import Problem
from scrutineer.log import LogVerifier, verify_receipt
from scrutineer.log.receipt import encode_receipt
from scrutineer.log.signer import LogSigner
from scrutineer.statements import statement_hash
from scrutineer.station.outbox import Held, Outbox, Received, Refusal, Tally, Waiting
from station_helpers import VERIFIER, outbox_of

LAND = republic()
SHEETS = [LAND.sheet(time=number) for number in range(5)]
LEAVES = [statement_hash(sheet) for sheet in SHEETS]
REFUSED = Problem("unknown-key", "nobody knows this key")


def receipts(folder: Path) -> list[bytes]:
    """The receipts of SHEETS in a log that holds them."""
    with opened_log(folder, LAND.definition) as (log, _):
        return [done.receipt for done in log.append(SHEETS)]


def received(position: int, receipt: bytes) -> Received:
    return Received(LEAVES[position], receipt, verify_receipt(receipt, LEAVES[position], VERIFIER))


def numbers(outbox: Outbox) -> list[int]:
    return [waiting.number for waiting in outbox.waiting()]


def test_queues_each_statement_once_and_in_order(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, SHEETS[:3])
    assert outbox.add(SHEETS[1:] + SHEETS[3:]) == 2
    assert outbox.waiting() == [Waiting(number, *pair) for number, pair in enumerate(zip(LEAVES, SHEETS, strict=True), 1)]
    assert [waiting.number for waiting in outbox.waiting(after=2, limit=2)] == [3, 4]
    outbox.close()
    again = Outbox.open(tmp_path / "outbox.sqlite")
    assert again.tally() == Tally(0, 5, 0, 0)
    assert again.find(b"\0" * 32) is None


def test_a_receipt_is_final(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "outbox.sqlite", create=True, clock=lambda: 1_000.7)
    outbox.add(SHEETS)
    given = receipts(tmp_path)
    outbox.record(refused=[Refusal(LEAVES[0], "http://a", REFUSED), Refusal(LEAVES[1], "http://a", REFUSED)])
    outbox.record(held=[Held(LEAVES[2], "http://r"), Held(LEAVES[0], "http://r")])
    assert outbox.tally() == Tally(0, 3, 2, 1)
    assert numbers(outbox) == [3, 4, 5]
    refused = outbox.entries("refused")[0]
    assert (refused.refused_by, refused.problem, refused.refused) == ("http://a", REFUSED, 1_000)
    # A receipt takes a refusal back; a refusal or a relay's word takes no receipt back.
    outbox.record([received(0, given[0]), received(2, given[2])])
    outbox.record(refused=[Refusal(LEAVES[0], "http://a", REFUSED)], held=[Held(LEAVES[0], "http://r")])
    entry = outbox.find(LEAVES[0])
    assert entry is not None
    assert (entry.state, entry.receipt, entry.position, entry.received) == ("receipted", given[0], 1, 1_000)
    assert (entry.problem, entry.held_by) == (None, None)
    assert outbox.tally() == Tally(2, 2, 1, 0)
    assert outbox.send_again() == 1
    assert numbers(outbox) == [2, 4, 5]
    # What is not here is passed over.
    outbox.record(refused=[Refusal(b"\1" * 32, "http://a", REFUSED)], held=[Held(b"\1" * 32, "http://r")])
    assert outbox.tally() == Tally(2, 3, 0, 0)


def test_what_waits_no_longer(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, SHEETS[:4])
    outbox.record([received(0, receipts(tmp_path)[0])], [Refusal(LEAVES[1], "http://a", REFUSED)], [Held(LEAVES[2], "http://r")])
    assert outbox.settled(LEAVES) == set(LEAVES[:2])
    outbox.send_again()
    assert outbox.settled(LEAVES) == {LEAVES[0]}


def test_receipts_from_elsewhere_are_checked(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, SHEETS[:4])
    given = receipts(tmp_path)
    other = LogSigner("log.example/wetland", b"5" * 32, b"6" * 32)
    forged = encode_receipt(other.verifier, other.sign(b"x"), 1, 0, [])
    taken = outbox.take_receipts(
        [(LEAVES[0], given[0]), (LEAVES[1], given[2]), (LEAVES[2], forged), (LEAVES[3], b""), (LEAVES[4], given[4])], VERIFIER
    )
    assert (taken.accepted, taken.known, taken.strange) == (1, 0, 1)
    assert [leaf for leaf, _ in taken.false] == LEAVES[1:4]
    assert all("receipt" in reason for _, reason in taken.false)
    assert outbox.take_receipts([(LEAVES[0], forged)], VERIFIER).known == 1
    assert outbox.take_receipts([(LEAVES[1], given[1])], LogVerifier.from_vkeys(*other.verifier.vkeys)).accepted == 0
    assert outbox.tally() == Tally(1, 3, 0, 0)


def test_many_programs_at_once(tmp_path: Path) -> None:
    many = [LAND.sheet(time=number) for number in range(400)]

    def queue(part: list[bytes]) -> None:
        outbox = Outbox.open(tmp_path / "outbox.sqlite", create=True)
        for sheet in part:
            outbox.add([sheet])
        outbox.close()

    threads = [threading.Thread(target=queue, args=(many[start::3] + many[:50],)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    assert {waiting.statement for waiting in outbox.waiting()} == set(many)
    assert outbox.tally().all == 400


def test_a_torn_end_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, [])
    sizes = []
    for sheet in SHEETS:
        outbox.add([sheet])
        sizes.append((tmp_path / "outbox.sqlite-wal").stat().st_size)
    # As it would be after a power cut: the files as they are, and the log of writes cut off anywhere.
    copy = tmp_path / "copy"
    for length in {*range(0, sizes[-1], 1_031), *sizes, *(size - 1 for size in sizes), *(size + 1 for size in sizes[:-1])}:
        copy.mkdir()
        for file in tmp_path.glob("outbox.sqlite*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, copy)
        with (copy / "outbox.sqlite-wal").open("r+b") as file:
            file.truncate(length)
        whole = sum(size <= length for size in sizes)
        if length >= sizes[0]:
            torn = Outbox.open(copy / "outbox.sqlite")
            assert [waiting.statement for waiting in torn.waiting()] == SHEETS[:whole]
            assert torn.add(SHEETS) == len(SHEETS) - whole
            torn.close()
        shutil.rmtree(copy)


def test_a_full_disk_is_said_plainly_and_loses_nothing(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, SHEETS)
    (pages,) = outbox._connection.execute("PRAGMA page_count").fetchone()
    outbox._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match=r"the disk is full; nothing that was queued is lost: make room"):
        outbox.add([LAND.sheet(time=number) for number in range(100, 200)])
    assert outbox.tally() == Tally(0, 5, 0, 0)
    outbox._connection.execute("PRAGMA max_page_count = 100000")
    assert outbox.add([LAND.sheet(time=number) for number in range(100, 200)]) == 100


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with pytest.raises(StoreError, match="no such file"):
        Outbox.open(path)
    with pytest.raises(StoreError, match="check path"):
        Outbox.open(tmp_path / "missing" / "outbox.sqlite", create=True)
    path.write_bytes(b"a heron stood in the water" * 100)
    with pytest.raises(StoreError, match="not an outbox"):
        Outbox.open(path)
    with opened_log(tmp_path, LAND.definition):
        pass
    with pytest.raises(StoreError, match="not an outbox"):
        Outbox.open(tmp_path / "log.sqlite")
    outbox = Outbox.open(tmp_path / "other.sqlite", create=True)
    for statement in (b"", b"x" * 65_536):
        with pytest.raises(StoreError, match="1 to 65535 bytes"):
            outbox.add([SHEETS[0], statement])
    assert outbox.tally().all == 0


def test_notes(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, [])
    assert outbox.note("a") is None
    outbox.set_note("a", b"1")
    outbox.set_note("a", b"2")
    assert outbox.note("a") == b"2"
