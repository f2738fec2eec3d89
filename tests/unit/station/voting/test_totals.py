"""Sealed totals: any two poll workers open them, one and anybody else does not, and no version stays behind."""

from itertools import combinations
from pathlib import Path

import pytest

from ballot_helpers import every_contest, seeded
from scrutineer.errors import BallotError, StoreError
from scrutineer.statements import SigningKey
from scrutineer.station.voting.totals import MAX_WORKERS, RunningTotals, TotalsFile, seal, sealed_to, unseal
from voting_helpers import PUBLIC, WORKERS

CONTEXT = b"c" * 32
ZERO = RunningTotals.zero(every_contest(), (1,))


def test_totals_add_up_and_are_read_back() -> None:
    totals = RunningTotals.zero(every_contest(), (2,))
    assert totals.contests == (1, 4)
    one = totals.plus(b"a" * 32, {1: (0, 1, 0, 0, 0), 4: (1, 0, 0, 0)})
    two = one.plus(b"b" * 32, {1: (0, 1, 0, 0, 0)})
    assert (two.of(1), two.of(4), two.cast, two.last) == ((0, 2, 0, 0, 0), (1, 0, 0, 0), 2, b"b" * 32)
    assert totals.decode(two.encode()) == two
    assert len(totals.encode()) == len(two.encode())


@pytest.mark.parametrize(("contest", "values"), [(2, (0,) * 9), (1, (0, 1)), (1, (0, -1, 0, 0, 0))])
def test_foreign_ballots_are_not_counted(contest: int, values: tuple[int, ...]) -> None:
    with pytest.raises(BallotError):
        RunningTotals.zero(every_contest(), (2,)).plus(b"a" * 32, {contest: values})
    with pytest.raises(BallotError, match="does not count"):
        RunningTotals.zero(every_contest(), (2,)).of(3)
    with pytest.raises(StoreError, match="other contests"):
        RunningTotals.zero(every_contest(), (2,)).decode(ZERO.encode())


def test_every_pair_opens_them() -> None:
    data = seal(b"totals", PUBLIC, CONTEXT, seeded("seal"))
    assert sealed_to(data, CONTEXT) == PUBLIC
    for first, second in combinations(WORKERS, 2):
        assert unseal(data, first, second, CONTEXT) == unseal(data, second, first, CONTEXT) == b"totals"


def test_nobody_else_does() -> None:
    data = seal(b"totals", PUBLIC, CONTEXT, seeded("seal"))
    with pytest.raises(BallotError, match="two different poll workers"):
        unseal(data, WORKERS[0], WORKERS[0], CONTEXT)
    with pytest.raises(BallotError, match="not one of those"):
        unseal(data, WORKERS[0], SigningKey(b"x" * 32), CONTEXT)
    with pytest.raises(StoreError, match="another machine"):
        unseal(data, WORKERS[0], WORKERS[1], b"d" * 32)


def test_every_changed_byte_is_noticed() -> None:
    data = seal(ZERO.encode(), PUBLIC, CONTEXT, seeded("seal"))
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(StoreError):
            unseal(bytes(changed), WORKERS[0], WORKERS[1], CONTEXT)
    for cut in (0, 10, 100, len(data) - 1):
        with pytest.raises(StoreError):
            unseal(data[:cut], WORKERS[0], WORKERS[1], CONTEXT)


def test_two_versions_have_nothing_in_common_but_the_names() -> None:
    first, second = (seal(ZERO.encode(), PUBLIC, CONTEXT, seeded(name)) for name in ("one", "two"))
    assert len(first) == len(second)
    common = {first[at : at + 16] for at in range(len(first) - 15)} & {second[at : at + 16] for at in range(len(second) - 15)}
    names = first[: 41 + 112 * len(PUBLIC)]
    assert all(piece in names for piece in common)


@pytest.mark.parametrize("workers", [PUBLIC[:1], PUBLIC[:1] * 2, PUBLIC * 20, (bytes(32), PUBLIC[0])])
def test_keys_that_cannot_be_sealed_to(workers: tuple[bytes, ...]) -> None:
    assert len(PUBLIC * 20) > MAX_WORKERS
    with pytest.raises(BallotError, match="poll worker"):
        seal(b"totals", workers, CONTEXT, seeded("seal"))


def test_the_file_is_replaced_whole_and_the_old_version_is_wiped(tmp_path: Path) -> None:
    file = TotalsFile(tmp_path / "totals")
    with pytest.raises(StoreError, match="the totals of the machine are lost"):
        file.read()
    file.stage(b"one")
    file.commit()
    # A second name for the old version shows what became of its bytes.
    (tmp_path / "old").hardlink_to(tmp_path / "totals")
    file.stage(b"two")
    assert file.read() == b"one"
    file.commit()
    assert file.read() == b"two"
    assert (tmp_path / "old").read_bytes() == bytes(3)
    assert (tmp_path / "totals").stat().st_mtime_ns == 0
    assert {path.name for path in tmp_path.iterdir()} == {"totals", "old"}
    file.stage(b"three")
    file.discard()
    assert file.read() == b"two"
    file.destroy()
    assert {path.name for path in tmp_path.iterdir()} == {"old"}


def test_what_cannot_be_staged_changes_nothing(tmp_path: Path) -> None:
    file = TotalsFile(tmp_path / "totals")
    file.stage(b"one")
    file.commit()
    (tmp_path / "totals.partial").mkdir()
    with pytest.raises(StoreError, match="make room on the disk"):
        file.stage(b"two")
    assert file.read() == b"one"
