"""Makes side-cars (sidecar.py) of bundles on all cores, with the engines that check them."""

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import pyarrow as pa

from scrutineer.ballots.bundle import read_line
from scrutineer.ballots.engines import (
    EXACT_ROWS,
    BallotLine,
    Engine,
    ProcessPool,
    packed_keys,
    record_batch,
    row_of,
    unpacked_keys,
)
from scrutineer.ballots.exact import TABLE_WINDOW, CheckTables
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.sidecar import make_commitments, sidecar_entry
from scrutineer.errors import BallotError

_OUTPUT: Final = pa.schema([("bundle", pa.int64()), ("number", pa.int64()), ("entry", pa.binary())])


class MadeEntry(NamedTuple):
    """One ballot's part of a side-car."""

    bundle: int
    number: int
    """The number of its line in the bundle."""
    entry: bytes
    """What the side-car of its bundle holds of it; nothing for a line that is no ballot with a side-car."""


class LineCommitments:
    """The commitments of a record batch of ballots, one row for each line, by recomputation."""

    output: Final = _OUTPUT

    def __init__(self, keys: ElectionKeys, window: int = TABLE_WINDOW) -> None:
        """`window` is that of the tables."""
        self._keys, self._window = keys, window
        self._tables: CheckTables | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _line_commitments, (*packed_keys(self._keys), self._window)

    def __call__(self, lines: pa.RecordBatch) -> pa.RecordBatch:
        """Nothing raises on hostile lines: they have no entry."""
        tables = self._tables = self._tables or CheckTables(self._keys, self._window)
        entries: list[bytes] = []
        for place in range(lines.num_rows):
            entry = b""
            with contextlib.suppress(BallotError):
                ballot = read_line(row_of(lines, place).line + b"\n")
                if isinstance(ballot, Ballot):
                    entry = sidecar_entry(ballot.code, make_commitments(self._keys, ballot, tables))
            entries.append(entry)
        columns = [lines.column("bundle"), lines.column("number"), pa.array(entries, pa.binary())]
        return pa.RecordBatch.from_arrays(columns, schema=_OUTPUT)


@lru_cache(maxsize=2)
def _line_commitments(numbers: tuple[int, ...], manifest: bytes, guardians: int, quorum: int, window: int) -> LineCommitments:
    return LineCommitments(unpacked_keys(numbers, manifest, guardians, quorum), window)


def sidecar_entries(
    keys: ElectionKeys,
    lines: Iterable[BallotLine],
    engine: Engine | None = None,
    progress: Callable[[int], None] | None = None,
    work: LineCommitments | None = None,
) -> Iterator[MadeEntry]:
    """The parts of side-cars of any number of bundles, in the order of their lines; a side-car is `MAGIC` and its entries.

    As much work as to check the ballots exactly. `progress` is told how many ballots are done. The iterator may be closed at any
    time, which ends all work. Raises BallotError where the engine failed.
    """
    expected: deque[tuple[int, int]] = deque()
    early: dict[tuple[int, int], bytes] = {}
    run = (engine or ProcessPool()).run(work or LineCommitments(keys), _batches(lines, expected))
    done = 0
    try:
        for answer in run:
            rows = zip(*(answer.column(name).to_pylist() for name in _OUTPUT.names), strict=True)
            early.update({(bundle, number): entry for bundle, number, entry in rows})
            done += answer.num_rows
            if progress is not None:
                progress(done)
            while expected and expected[0] in early:
                place = expected.popleft()
                yield MadeEntry(*place, early.pop(place))
    finally:
        if isinstance(run, Generator):
            run.close()
    if expected or early:
        raise BallotError("the engine answered for other lines than it was given: start again, with the engine `pool`")


def _batches(lines: Iterable[BallotLine], expected: deque[tuple[int, int]]) -> Iterator[pa.RecordBatch]:
    rows: list[BallotLine] = []
    for line in lines:
        rows.append(line)
        expected.append((line.bundle, line.number))
        if len(rows) == EXACT_ROWS:
            yield record_batch(rows)
            rows = []
    if rows:
        yield record_batch(rows)
