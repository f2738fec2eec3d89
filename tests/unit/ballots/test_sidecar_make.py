"""Side-cars that are made on all cores are those that one process makes, in the order of the ballots."""

from collections.abc import Iterator

import pytest

from ballot_equations import honest_ballots
from ballot_helpers import every_contest, one_hand, seeded
from scrutineer.ballots.engines import BallotLine, InProcess, ProcessPool, check_lines
from scrutineer.ballots.record import encode_line
from scrutineer.ballots.sidecar import MAGIC, SidecarReader, make_sidecar
from scrutineer.ballots.sidecar_make import LineCommitments, sidecar_entries
from scrutineer.errors import BallotError

KEYS = one_hand(every_contest()).keys
BALLOTS = honest_ballots(KEYS, 20, seeded("made"), style=2)
WORK = LineCommitments(KEYS, window=6)


def lines(count: int) -> Iterator[BallotLine]:
    for number in range(count):
        yield BallotLine(number // 50, number % 50, encode_line(BALLOTS[number % 20]))


@pytest.mark.parametrize("engine", [InProcess(), ProcessPool(2)])
def test_they_are_in_order_and_what_one_process_makes(engine: InProcess | ProcessPool) -> None:
    told: list[int] = []
    found = list(sidecar_entries(KEYS, lines(120), engine, told.append, WORK))
    assert [(one.bundle, one.number) for one in found] == [(number // 50, number % 50) for number in range(120)]
    assert told[-1] == 120
    first = MAGIC + b"".join(one.entry for one in found[:20])
    assert first == b"".join(make_sidecar(KEYS, BALLOTS))


def test_a_batch_takes_what_was_made() -> None:
    reader = SidecarReader([MAGIC, *(one.entry for one in sidecar_entries(KEYS, lines(20), InProcess(), work=WORK))])
    given = [line._replace(commitments=reader.commitments(BALLOTS[line.number].code)) for line in lines(20)]
    assert all(line.commitments for line in given)
    ((_, found),) = check_lines(KEYS, given, InProcess())
    assert (found.lines, found.failed) == (20, 0)


def test_lines_that_are_no_ballot_have_no_entry() -> None:
    given = [BallotLine(0, 1, b"{}"), BallotLine(0, 2, encode_line(BALLOTS[0])), BallotLine(0, 3, b"\xff")]
    assert [bool(one.entry) for one in sidecar_entries(KEYS, given, InProcess(), work=WORK)] == [False, True, False]


def test_lines_that_are_lost_are_noticed() -> None:
    class Lossy(InProcess):
        def run(self, work, batches):
            return (answer for number, answer in enumerate(super().run(work, batches)) if number != 1)

    with pytest.raises(BallotError, match="other lines"):
        list(sidecar_entries(KEYS, lines(40), Lossy(), work=WORK))
