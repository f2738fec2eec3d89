"""Joins the check of a record (record_check.py) to the engines that check ballots on many cores (engines.py)."""

from collections.abc import Callable, Iterable, Iterator

from scrutineer.ballots.bundle_check import BallotEngine, CheckedLines, HandedLine
from scrutineer.ballots.engines import BallotLine, Engine, check_lines
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.sidecar import SidecarReader

Sidecars = Callable[[int], Iterable[bytes] | None]
"""The side-car of a bundle in pieces, by the number of the bundle from 0; None where there is none."""


def spread(
    engine: Engine | None = None, sidecars: Sidecars | None = None, progress: Callable[[int], None] | None = None
) -> Callable[[ElectionKeys], BallotEngine]:
    """What `RecordCheck` takes as its engine: ballots checked by `engine`, a pool of processes unless another one is given.

    Ballots of bundles with a side-car are checked many at once, with an error of at most 2^-128; `progress` is told how many
    ballots are done. The check raises BallotError where the engine failed.
    """

    def make(keys: ElectionKeys) -> BallotEngine:
        def check(lines: Iterator[HandedLine]) -> Iterator[CheckedLines]:
            for bundle, summary in check_lines(keys, _with_commitments(lines, sidecars), engine, progress):
                failures = tuple((failure.line, failure.failure()) for failure in summary.failures)
                yield CheckedLines(bundle, summary.lines, summary.failed, failures)

        return check

    return make


def _with_commitments(lines: Iterator[HandedLine], sidecars: Sidecars | None) -> Iterator[BallotLine]:
    bundle, reader = -1, None
    for handed in lines:
        if handed.bundle != bundle:
            bundle = handed.bundle
            chunks = sidecars(bundle) if sidecars is not None else None
            reader = SidecarReader(chunks) if chunks is not None else None
        commitments = reader.commitments(handed.code) if reader is not None else None
        yield BallotLine(handed.bundle, handed.number, handed.line, commitments)
