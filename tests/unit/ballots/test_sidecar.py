"""Side-cars are read beside their bundle, and nothing in them is trusted or an error."""

from msgspec.structs import replace

from ballot_equations import honest_ballots
from ballot_helpers import every_contest, one_hand, seeded
from scrutineer.ballots.ballot_check import read_claims
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.sidecar import (
    MAGIC,
    MAX_COMMITMENTS,
    SidecarReader,
    commitments_size,
    make_commitments,
    make_sidecar,
    sidecar_entry,
)

KEYS = one_hand(every_contest()).keys
TABLES = CheckTables(KEYS, 4)
BALLOTS = honest_ballots(KEYS, 3, seeded("side-car"))
PIECES = list(make_sidecar(KEYS, BALLOTS, TABLES))
FILE = b"".join(PIECES)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def found(data: bytes, size: int = 1000) -> list[bytes | None]:
    reader = SidecarReader(cut(data, size))
    return [reader.commitments(ballot.code) for ballot in BALLOTS]


EXPECTED = [make_commitments(KEYS, ballot, TABLES) for ballot in BALLOTS]


def test_the_commitments_of_every_ballot_in_pieces_of_any_size() -> None:
    for size in (1, 7, 64, 4096, len(FILE)):
        assert found(FILE, size) == EXPECTED


def test_sizes() -> None:
    for ballot, commitments in zip(BALLOTS, EXPECTED, strict=True):
        assert len(commitments) == commitments_size(KEYS, read_claims(KEYS, ballot))
    broken = replace(BALLOTS[0], contests=BALLOTS[0].contests[1:])
    assert len(make_commitments(KEYS, broken, TABLES)) == commitments_size(KEYS, read_claims(KEYS, broken))


def test_a_missing_ballot_costs_only_itself() -> None:
    assert found(PIECES[0] + PIECES[1] + PIECES[3]) == [EXPECTED[0], None, EXPECTED[2]]


def test_what_is_no_side_car_has_no_commitments() -> None:
    for data in (b"", MAGIC[:-1], b"x" * 10_000, FILE[1:], MAGIC):
        assert found(data) == [None] * 3


def test_what_ends_early_has_no_more_commitments() -> None:
    for end in (len(PIECES[0]) + 10, len(PIECES[0]) + 34, len(PIECES[0] + PIECES[1]) - 1):
        assert found(FILE[:end]) == [None] * 3
    assert found(FILE[:-1]) == [EXPECTED[0], EXPECTED[1], None]


def test_a_size_that_no_ballot_has_is_not_read() -> None:
    huge = MAGIC + BALLOTS[0].code + (MAX_COMMITMENTS + 1).to_bytes(4, "big")
    endless = (bytes(1 << 20) for _ in range(10**9))

    def chunks():
        yield huge
        yield from endless

    assert SidecarReader(chunks()).commitments(BALLOTS[0].code) is None


def test_an_entry_may_be_empty() -> None:
    assert found(MAGIC + sidecar_entry(BALLOTS[0].code, b"")) == [b"", None, None]
