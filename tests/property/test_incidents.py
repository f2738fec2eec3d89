"""Whatever is sent, in whatever order: totals are exact, the chain verifies, memory is bounded, and summaries agree."""

import json
import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_helpers import ELECTION, TIME, Kept, records, totals, windows
from scrutineer.errors import StoreError
from scrutineer.http.networks import is_network, network_of
from scrutineer.http.problems import REASONS
from scrutineer.intake.incidents import IncidentRecord, Logged, check_summaries, kind_of, read_journal
from scrutineer.intake.incidents.chain import Chain, Place, Window, chained, read_record
from scrutineer.intake.incidents.journal import Journal, journal_files
from scrutineer.intake.incidents.summary import MAX_RECORDS, summarise
from scrutineer.intake.incidents.tally import LIMIT, Tally
from scrutineer.statements import codec
from scrutineer.statements.incident import REQUEST_KINDS, Incident

addresses = (
    st.ip_addresses().map(str) | st.sampled_from(["", "x", "192.0.2.7", "2001:db8::1", "fe80::1%eth0"]) | st.text(max_size=20)
)
reasons = st.sampled_from([*REASONS, "duplicate", "rained-out"])
notes = st.tuples(reasons, addresses)
acts = st.lists(notes | st.integers(-10_000, 10_000) | st.sampled_from(["reopen", "full", "room"]), max_size=60)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts)
def test_totals_are_exact_and_the_chain_verifies(acts: list[tuple[str, str] | int | str]) -> None:
    """Numbers are windows at whose end the clock jumps by so much; while the disk is full nothing is written."""
    sent: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        kept = Kept(Path(folder) / "incidents")
        for act in acts:
            match act:
                case (reason, address):
                    kept.record.note(str(reason), str(address))
                    sent[kind_of(str(reason))] += 1
                case int():
                    kept.end_window()
                    kept.wall.now += act
                case "full":
                    patch.setattr("os.fsync", _full)
                case _:
                    patch.undo()
                    if act == "reopen":
                        kept.end_window()
                        kept.reopen()
        patch.undo()
        kept.record.close()
        assert totals(kept.folder) == dict(sent)
        checked = read_journal(kept.folder)
        assert checked.findings == []
        assert all(is_network(name) for window in windows(kept.folder) for _, names in window.counts.values() for name in names)
        assert sum(sum(sums.totals.values()) for sums in checked.hours.values()) == sent.total()


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 50)), max_size=300), st.integers(2, 12))
def test_a_tally_is_exact_in_all_and_close_in_each(sent: list[tuple[int, int]], limit: int) -> None:
    tally = Tally()
    true: Counter[bytes] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scrutineer.intake.incidents.tally.LIMIT", limit)
        for number, count in sent:
            tally.add(bytes([number]), count)
            true[bytes([number])] += count
            assert len(tally.counts) <= limit
    assert tally.total == true.total()
    for name, count in true.items():
        assert count - 2 * true.total() / limit <= tally.counts.get(name, 0) <= count


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_a_network_holds_no_more_of_an_address_than_it_may(address: object) -> None:
    network = network_of(str(address))
    assert is_network(network)
    assert not is_network(str(address))
    assert not is_network(f"{address}/{'32' if '.' in str(address) else '128'}")


def _journal(folder: Path, count: int) -> list[bytes]:
    kept = Kept(folder)
    for number in range(count):
        for _ in range(number + 1):
            kept.record.note("not-found", "192.0.2.7")
        kept.end_window()
    kept.record.close()
    (path,) = journal_files(folder)
    return path.read_bytes().splitlines()


@settings(deadline=None)
@given(st.data())
def test_any_change_of_the_journal_is_found(data: st.DataObject) -> None:
    """Summaries bind its end; without them everything but the removal of the last records is found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "incidents"
        lines = _journal(folder, 6)
        (path,) = journal_files(folder)
        logged = [_logged(folder, 1, 5), _logged(folder, 6, 7)]
        assert read_journal(folder, logged).findings == []
        what = data.draw(st.sampled_from(["byte", "drop", "swap", "double", "cut"]))
        at = data.draw(st.integers(0, len(lines) - 1))
        if what == "byte":
            place = data.draw(st.integers(0, len(lines[at]) - 1))
            flipped = lines[at][place] ^ data.draw(st.integers(1, 255))
            lines[at] = lines[at][:place] + bytes([flipped]) + lines[at][place + 1 :]
        elif what == "drop":
            del lines[at]
        elif what == "cut":
            del lines[at:]
        elif what == "swap":
            other = data.draw(st.integers(0, len(lines) - 1).filter(lambda other: other != at))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines.insert(at, lines[at])
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        found = read_journal(folder, logged).findings
        # A journal of which nothing is left cannot be told from one that never was: then no record names it.
        assert found or not lines


def _logged(folder: Path, first: int, last: int) -> Logged:
    incident = summarise([record for record in records(folder) if first <= record.n <= last], ELECTION)
    assert incident is not None
    return Logged(first, "operator/intake", incident)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 5))
def test_summaries_in_any_stretches_follow_each_other(stretches: list[int], wrong: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "incidents"
        _journal(folder, sum(stretches))
        logged, first = [], 1
        for length in stretches:
            last = first + length - (first > 1)
            logged.append(_logged(folder, first, last))
            first = last + 1
        assert check_summaries(logged) == []
        checked = read_journal(folder, logged)
        assert checked.findings == []
        # Another number in one of them is found.
        at = wrong % len(logged)
        value = codec.from_struct(logged[at].incident)
        value["requests"]["counts"][0]["count"] += 1
        logged[at] = logged[at]._replace(incident=codec.to_struct(value, Incident, "incident"))
        (found,) = read_journal(folder, logged).findings
        assert f"log entry {logged[at].entry} has other numbers" in found


def test_a_summary_covers_no_more_records_than_it_may() -> None:
    place, made = Place("0a" * 16, 1, "1" * 64), []
    for _ in range(MAX_RECORDS + 5):
        line, place = chained(Window(since=TIME, until=TIME, lasted=1, counts={"scan": (1, {})}), place)
        made.append(read_record(line.strip()))
    incident = summarise(made, ELECTION)
    assert incident is not None
    assert incident.requests is not None
    assert incident.requests.last == MAX_RECORDS + 1
    assert incident.requests.counts[0].count == MAX_RECORDS


def test_a_flood_from_a_million_networks_fills_neither_memory_nor_disk(tmp_path: Path) -> None:
    """A million of one kind; then every kind at once, which is the most that can be kept, with its memory measured."""
    record = IncidentRecord.open(tmp_path, ELECTION)
    for number in range(1_000_000):
        record.note("bad-signature", f"{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.7")
    record.flush()
    assert totals(tmp_path) == {"forged-signature": 1_000_000}
    reasons = {kind: reason for reason in [*REASONS, "duplicate", "rained-out"] if (kind := kind_of(reason))}
    each = 2 * LIMIT
    tracemalloc.start()
    try:
        for part in range(2):
            for reason in reasons.values():
                for number in range(each):
                    record.note(reason, f"{11 + part}.{number >> 8 & 255}.{number & 255}.7")
            record.flush()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    record.close()
    assert peak < len(REQUEST_KINDS) * LIMIT * 400  # bytes for each network that is held
    assert all(len(line) < 6 * 1024 for path in journal_files(tmp_path) for line in path.read_bytes().splitlines())
    assert totals(tmp_path) == {kind: 2 * each + 1_000_000 * (kind == "forged-signature") for kind in reasons}


@settings(max_examples=300)
@given(
    st.binary(max_size=300) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_no_bytes_break_the_reader(line: bytes) -> None:
    chain = Chain()
    with pytest.raises(StoreError):
        chain.follow(read_record(line))


def test_reading_is_bounded(tmp_path: Path) -> None:
    Journal.open(tmp_path, ELECTION).close()
    (path,) = journal_files(tmp_path)
    with path.open("r+b") as file:
        file.truncate(1 << 34)
    (found,) = read_journal(tmp_path).findings
    assert "this is no file of a journal" in found
