"""Checking the ballots of many bundles on all cores of a machine, or of several machines.

The work is done by one function, `LineCheck`: an Arrow record batch of lines goes in, a record batch of summaries comes out, and
it knows of no engine. An engine is whatever carries batches to where that function runs: this process, a pool of processes
(the default), or a cluster (daft_engine.py). Summaries merge to the same bytes whichever it is, and the digest of what was
checked is compared with that of what was handed out, so that no engine can lose or change a line unseen.

Memory is bounded by the size of a batch and does not grow with the number of ballots: an engine holds a few batches, each process
one, with tables and buckets of some 80 MB.
"""

import contextlib
import itertools
import multiprocessing
import os
import secrets
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, NamedTuple, Protocol

import pyarrow as pa
from gmpy2 import mpz

from scrutineer.ballots.ballot_check import BallotClaims, check_ballot, read_claims
from scrutineer.ballots.batch import check_ballots
from scrutineer.ballots.bundle import read_line
from scrutineer.ballots.exact import TABLE_WINDOW, CheckTables
from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.group import Group, RandomBytes
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import read_manifest
from scrutineer.ballots.pre_encrypted_check import check_pre_encrypted
from scrutineer.ballots.pre_encrypted_record import PreEncryptedBallot
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.summary import InputDigest, Summary, SummaryMaker, read_summary
from scrutineer.errors import BallotError

INPUT: Final = pa.schema([("bundle", pa.int64()), ("number", pa.int64()), ("line", pa.binary()), ("commitments", pa.binary())])
"""Lines of ballots without their line feeds: the number of their bundle, their own in it, and what a side-car has of them."""
OUTPUT: Final = pa.schema([("bundle", pa.int64()), ("summary", pa.binary())])
"""One summary for each bundle of a batch, in ascending order."""

EXACT_ROWS: Final = 16
BATCH_ROWS: Final = 256
"""Ballots with commitments in one record batch: the more, the faster each is checked, and the more memory a process takes."""
BATCH_BYTES: Final = 11 * 1024 * 1024
"""A record batch is closed with the line that reaches it, so that memory is the same for ballots of many contests."""
FEW_LINES: Final = 40
"""So many ballots are checked in the process itself before others are started, which takes as long."""

_LOST: Final = "a process that checks ballots was lost: start again, with fewer processes if memory is short"
_OTHER_LINES: Final = "the engine answered for other lines than it was given: check again, with the engine `pool`"


class BallotLine(NamedTuple):
    """One ballot as it is handed to an engine."""

    bundle: int
    """The number of its bundle, from 0, in ascending order."""
    number: int
    """The number of its line in the bundle."""
    line: bytes
    """Its JSON without the line feed."""
    commitments: bytes | None = None
    """What a side-car has of it."""


class LineCheck:
    """The check of a record batch of ballots: `INPUT` goes in, `OUTPUT` comes out. Nothing raises on hostile lines.

    It travels to other processes as the election's keys alone; tables are made where they are first needed.
    """

    output: Final = OUTPUT

    def __init__(self, keys: ElectionKeys, window: int = TABLE_WINDOW, random: RandomBytes = secrets.token_bytes) -> None:
        """`window` is that of the tables; `random` gives the coefficients of batches, which nobody may know beforehand."""
        self.keys: Final = keys
        self._window, self._random = window, random
        self._tables: CheckTables | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Randomness does not travel: every process draws from its own system.
        return _line_check, (*packed_keys(self.keys), self._window)

    def __call__(self, lines: pa.RecordBatch) -> pa.RecordBatch:
        """Check the lines, with their commitments where there are some."""
        tables = self._tables = self._tables or CheckTables(self.keys, self._window)
        makers: dict[int, SummaryMaker] = {}
        waiting: list[tuple[SummaryMaker, int]] = []
        readers: list[Callable[[], tuple[BallotClaims, bytes | None]]] = []
        for place in range(lines.num_rows):
            line = row_of(lines, place)
            maker = makers.setdefault(line.bundle, SummaryMaker(self.keys))
            maker.add_line(line.number, line.line)
            try:
                ballot = read_line(line.line + b"\n")
            except BallotError as error:
                maker.add_failures(line.number, [CheckFailure("R.2", f"line {line.number}", str(error))])
                continue
            if not isinstance(ballot, Ballot | PreEncryptedBallot):
                maker.add_failures(line.number, [CheckFailure("R.3", f"line {line.number}", "the line is no ballot")])
                continue
            maker.add_status(ballot.status)
            if ballot.status == "cast":
                for contest in ballot.contests:
                    maker.add_cast(contest.contest, contest.selections)
            if isinstance(ballot, PreEncryptedBallot):
                maker.add_failures(line.number, check_pre_encrypted(self.keys, ballot, tables))
            elif line.commitments:
                waiting.append((maker, line.number))
                readers.append(partial(self._read_again, lines, place))
            else:
                maker.add_failures(line.number, check_ballot(self.keys, ballot, tables))
        for (maker, number), failures in zip(waiting, check_ballots(self.keys, readers, tables, self._random), strict=True):
            maker.add_failures(number, failures)
        bundles = sorted(makers)
        summaries = [makers[bundle].summary().encode() for bundle in bundles]
        return pa.RecordBatch.from_arrays([pa.array(bundles, pa.int64()), pa.array(summaries, pa.binary())], schema=OUTPUT)

    def _read_again(self, lines: pa.RecordBatch, place: int) -> tuple[BallotClaims, bytes | None]:
        """A ballot of the batch: reading it again costs a hundredth of its check, and holding all of them much memory."""
        line = row_of(lines, place)
        ballot = read_line(line.line + b"\n")
        if not isinstance(ballot, Ballot):
            raise TypeError(ballot)
        return read_claims(self.keys, ballot), line.commitments


PackedKeys = tuple[tuple[int, ...], bytes, int, int]


def packed_keys(keys: ElectionKeys) -> PackedKeys:
    """What other processes are told of the keys of an election: plain values that can be pickled and hashed."""
    numbers = tuple(int(value) for value in (keys.group.p, keys.group.q, keys.group.g, keys.vote_key, keys.data_key))
    return numbers, keys.manifest.encode(), keys.guardians, keys.quorum


def unpacked_keys(numbers: tuple[int, ...], manifest: bytes, guardians: int, quorum: int) -> ElectionKeys:
    """The keys of `packed_keys`."""
    p, q, g, vote_key, data_key = map(mpz, numbers)
    return ElectionKeys(Group(p, q, g), read_manifest(manifest), guardians, quorum, vote_key, data_key)


@lru_cache(maxsize=2)
def _line_check(numbers: tuple[int, ...], manifest: bytes, guardians: int, quorum: int, window: int) -> LineCheck:
    # Kept, so that a process of a cluster makes its tables once and not for every batch.
    return LineCheck(unpacked_keys(numbers, manifest, guardians, quorum), window)


def row_of(lines: pa.RecordBatch, place: int) -> BallotLine:
    """One line of a batch of the form `INPUT`."""
    return BallotLine(*(lines.column(name)[place].as_py() for name in INPUT.names))


class LineWork(Protocol):
    """What engines carry batches to: `LineCheck`, or other work on every ballot. It can be pickled."""

    @property
    def output(self) -> pa.Schema:
        """The form of the answers."""

    def __call__(self, lines: pa.RecordBatch) -> pa.RecordBatch:
        """The answer to a batch of the form `INPUT`."""


class Engine(Protocol):
    """Carries record batches to where they are worked on."""

    def run(self, work: LineWork, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The answers of `work` to all batches, in any order; batches are taken only as fast as they are worked on."""


def own_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class InProcess:
    """Checks ballots in this process."""

    def run(self, work: LineWork, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """One answer after the other."""
        return map(work, batches)


class ProcessPool:
    """Checks ballots in processes of their own on this machine; a few ballots are checked without them."""

    def __init__(self, workers: int | None = None) -> None:
        """As many processes as there are cores for this one, unless a number is given."""
        self._workers: Final = workers or own_cores()

    def run(self, work: LineWork, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Answers as they come. Closing the iterator, or an exception such as KeyboardInterrupt, ends the processes."""
        first: list[pa.RecordBatch] = []
        for batch in batches:
            first.append(batch)
            if sum(one.num_rows for one in first) > FEW_LINES:
                break
        batches = itertools.chain(first, batches)
        if self._workers == 1 or sum(one.num_rows for one in first) <= FEW_LINES:
            return map(work, batches)
        return self._spread(work, batches)

    def _spread(self, work: LineWork, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # Spawned, not forked: this process may have threads, and a fork of it would share their locks.
        context = multiprocessing.get_context("spawn")
        processes: dict[Connection, BaseProcess] = {}
        try:
            for _ in range(self._workers):
                ours, theirs = context.Pipe()
                processes[ours] = context.Process(target=_work, args=(theirs, work), daemon=True)
                with _without_interruption():
                    processes[ours].start()
                theirs.close()
            idle, busy = list(processes), set[Connection]()
            # The next batch is made while the processes work, and sent to one that waits for it: then neither side can block.
            batch = next(batches, None)
            while batch is not None or busy:
                while idle and batch is not None:
                    connection = idle.pop()
                    _send(connection, batch)
                    busy.add(connection)
                    batch = None  # let go of it before the next one is made
                    batch = next(batches, None)
                for ready in wait(list(busy)):
                    if isinstance(ready, Connection):
                        yield _receive(ready, work.output)
                        busy.remove(ready)
                        idle.append(ready)
        finally:
            for process in processes.values():
                process.terminate()
            for connection, process in processes.items():
                process.join()
                connection.close()


@contextlib.contextmanager
def _without_interruption() -> Iterator[None]:
    """An interruption from the keyboard waits; processes that are started meanwhile never see one, however early it comes."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _send(connection: Connection, batch: pa.RecordBatch) -> None:
    try:
        connection.send_bytes(memoryview(batch.serialize()))
    except OSError as error:
        raise BallotError(_LOST) from error


def _receive(connection: Connection, output: pa.Schema) -> pa.RecordBatch:
    try:
        return pa.ipc.read_record_batch(pa.py_buffer(connection.recv_bytes()), output)
    except (EOFError, OSError, pa.ArrowInvalid) as error:
        raise BallotError(_LOST) from error


def _work(connection: Connection, work: LineWork) -> None:
    """A process of the pool, until the other end is closed."""
    # An interruption from the keyboard reaches all processes of a terminal; the one that started these ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            data = connection.recv_bytes()
        except EOFError:
            return
        answer = work(pa.ipc.read_record_batch(pa.py_buffer(data), INPUT))
        del data  # before the next one comes
        connection.send_bytes(memoryview(answer.serialize()))


def check_lines(
    keys: ElectionKeys,
    lines: Iterable[BallotLine],
    engine: Engine | None = None,
    progress: Callable[[int], None] | None = None,
    check: LineCheck | None = None,
) -> Iterator[tuple[int, Summary]]:
    """Check the ballots of any number of bundles; each bundle that has a line gives its number and summary, in order.

    A bundle is answered as soon as it is done. `progress` is told how many ballots are done in all. Where the lines come with
    commitments they are checked in batches. The iterator may be closed at any time, which ends all work.

    Raises BallotError where the engine failed: a process was lost, or an answer is not about the lines that were handed out.
    """
    handed = _HandedOut(keys)
    run = (engine or ProcessPool()).run(check or LineCheck(keys), handed.batches(lines))
    done = 0
    try:
        for answer in run:
            for bundle, data in zip(answer.column("bundle").to_pylist(), answer.column("summary").to_pylist(), strict=True):
                done += handed.merge(bundle, read_summary(data))
            if progress is not None:
                progress(done)
            yield from handed.finished()
    finally:
        if isinstance(run, Generator):
            run.close()
    yield from handed.finished()
    if handed.open:
        raise BallotError(_OTHER_LINES)


class _HandedOut:
    """What was handed out, and what has come back of it."""

    def __init__(self, keys: ElectionKeys) -> None:
        self._keys = keys
        self.open: Final[dict[int, tuple[InputDigest, SummaryMaker]]] = {}
        """Bundles that are not answered yet, in ascending order."""
        self._handing_out = -1

    def batches(self, lines: Iterable[BallotLine]) -> Iterator[pa.RecordBatch]:
        rows: list[BallotLine] = []
        size = 0
        for line in lines:
            if line.bundle < self._handing_out:
                raise BallotError("lines of bundles are handed out in the order of the bundles")
            if line.bundle not in self.open:
                self.open[line.bundle] = InputDigest(self._keys.group), SummaryMaker(self._keys)
            self._handing_out = line.bundle
            self.open[line.bundle][0].add(line.number, line.line)
            rows.append(line)
            size += len(line.line) + len(line.commitments or b"")
            if len(rows) >= (BATCH_ROWS if line.commitments else EXACT_ROWS) or size >= BATCH_BYTES:
                # Let go of the lines before waiting: the batch has them.
                batch = record_batch(rows)
                rows, size = [], 0
                yield batch
                del batch
        self._handing_out += 1
        if rows:
            yield record_batch(rows)

    def merge(self, bundle: int, summary: Summary) -> int:
        if bundle not in self.open:
            raise BallotError(_OTHER_LINES)
        self.open[bundle][1].merge(summary)
        return summary.lines

    def finished(self) -> Iterator[tuple[int, Summary]]:
        """The bundles that are done, up to the first that is not."""
        for bundle, (handed_out, maker) in list(self.open.items()):
            if bundle >= self._handing_out or maker.lines < handed_out.lines:
                return
            summary = maker.summary()
            if (summary.lines, summary.product) != (handed_out.lines, handed_out.product):
                raise BallotError(_OTHER_LINES)
            del self.open[bundle]
            yield bundle, summary


def record_batch(rows: Sequence[BallotLine]) -> pa.RecordBatch:
    """Lines in the form of `INPUT`; there is at least one."""
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), INPUT, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=INPUT)
