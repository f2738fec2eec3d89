"""The service's side of the checker processes: hands out statements in batches, replaces workers that die.

Batches form by themselves: while all workers are busy, statements wait and go out together.
"""

import asyncio
import collections
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.errors import DefinitionError, ScrutineerError
from scrutineer.intake import checker
from scrutineer.intake.frames import APPLY, BY_REVOKED_KEY, CHECK, Verdict, statements_frame, take_verdicts

BATCH: Final = 32  # statements handed out together: about 2 ms of work
DEPTH: Final = 2  # batches that a worker has at a time: one in work, one waiting in its socket
MAX_ATTEMPTS: Final = 3  # workers that one statement may take down before it is given up

Done = Callable[[Verdict], object]
Noticed = Callable[[str], object]


class ElectionFiles(NamedTuple):
    """Where statement 0 and its tables are."""

    definition: Path
    units: Path
    register: Path
    baseline: Path | None = None
    """None where the definition names no baseline."""


class _Task:
    """One statement on its way through the checkers."""

    __slots__ = ("attempts", "data", "done", "noticed")

    def __init__(self, data: bytes, done: Done, noticed: Noticed | None) -> None:
        self.data = data
        self.done = done
        self.noticed = noticed
        self.attempts = 0

    def end(self, verdict: Verdict) -> None:
        if verdict == BY_REVOKED_KEY:
            if self.noticed is not None:
                self.noticed(BY_REVOKED_KEY[0])
            verdict = None
        self.done(verdict)


class _Worker(asyncio.Protocol):
    """The connection to one worker process."""

    def __init__(self, pool: "Checkers") -> None:
        self.pool = pool
        self.batches: collections.deque[list[_Task]] = collections.deque()
        self.transport: asyncio.WriteTransport | None = None
        self._arrived = bytearray()
        self._early: list[bytes] = []  # statements to apply that were logged before there was a connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        for statement in self._early:
            self.apply(statement)
        self._early.clear()
        self.pool.joined(self)

    def send(self, batch: list[_Task]) -> None:
        self.batches.append(batch)
        if self.transport is not None:
            self.transport.write(statements_frame(CHECK, [task.data for task in batch]))

    def apply(self, statement: bytes) -> None:
        if self.transport is not None:
            self.transport.write(statements_frame(APPLY, [statement]))
        else:
            self._early.append(statement)

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        while (verdicts := take_verdicts(self._arrived)) is not None:
            for task, verdict in zip(self.batches.popleft(), verdicts, strict=True):
                task.end(verdict)
        self.pool.hand_out()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.transport = None
        self.pool.lost(self)


class Checkers:
    """A pool of worker processes that check statements against the policy of one election."""

    def __init__(self, control: socket.socket, parent: "subprocess.Popen[bytes]", election_hash: bytes) -> None:
        self.election_hash = election_hash
        self.failed: Callable[[ScrutineerError], object] = lambda _error: None
        """Called when the checkers cannot go on."""
        self.restarts = 0
        self._control = control
        self._parent = parent
        self._workers: list[_Worker] = []
        self._joining: list[_Worker] = []  # forked, or about to be, and not connected yet
        self._waiting: collections.deque[_Task] = collections.deque()
        self._scheduled = False
        self._closing = False
        self._starting: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def start(cls, files: ElectionFiles, workers: int) -> "Checkers":
        """Load the election in the parent process and fork the workers. Raises DefinitionError where it cannot be loaded."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # -P: never import from the folder that the service happens to be started in.
        start = f"import sys; from {checker.__name__} import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-P", "-c", start, str(theirs.fileno())]
        command += [os.fspath(path) for path in files if path is not None]
        parent = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)  # noqa: S603
        theirs.close()
        answer = await asyncio.get_running_loop().run_in_executor(None, ours.recv, checker.CONTROL_SIZE)
        if answer[:1] != checker.READY:
            ours.close()
            parent.wait()
            raise DefinitionError(answer[1:].decode(errors="replace") or "the election could not be loaded by the checkers")
        pool = cls(ours, parent, answer[1:])
        for _ in range(workers):
            await pool._start_worker()
        return pool

    def check(self, data: bytes, done: Done, noticed: Noticed | None = None) -> None:
        """Check a statement; `done` gets the verdict later, from the event loop.

        Where a statement may be logged and is worth noting all the same, `noticed` hears why before that: 'revoked-key'.
        """
        self._waiting.append(_Task(data, done, noticed))
        # Everything that this turn of the event loop brings goes out together.
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.hand_out)

    def apply(self, statement: bytes) -> None:
        """Make a logged statement known to every checker, before anything that is checked later."""
        try:
            self._control.send(checker.APPLY_HERE + statement)
        except OSError as error:
            self._fail(error)
        # One that was just forked may have the parent's knowledge of a moment ago.
        for worker in (*self._workers, *self._joining):
            worker.apply(statement)

    def hand_out(self) -> None:
        """Give waiting statements to the workers that have room for them."""
        self._scheduled = False
        waiting = self._waiting
        while waiting and self._workers:
            worker = min(self._workers, key=_load)
            if _load(worker) >= DEPTH:
                return
            worker.send([waiting.popleft() for _ in range(min(BATCH, len(waiting)))])

    def joined(self, worker: _Worker) -> None:
        """A worker is connected."""
        self._joining.remove(worker)
        self._workers.append(worker)
        self.hand_out()

    def lost(self, worker: _Worker) -> None:
        """Take back what a dead worker had, and start another one."""
        self._workers.remove(worker)
        if self._closing:
            return
        self.restarts += 1
        for task in reversed([task for batch in worker.batches for task in batch]):
            task.attempts += 1
            if task.attempts >= MAX_ATTEMPTS:
                task.done(
                    ("check-failed", "the statement could not be checked: send it again, and tell the operator if it fails")
                )
            else:
                self._waiting.appendleft(task)
        starting = self._loop.create_task(self._start_worker())
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)

    async def close(self) -> None:
        """End all processes. What is not checked by now is dropped."""
        self._closing = True
        for worker in self._workers:
            if worker.transport is not None:
                worker.transport.close()
        self._control.close()
        await self._loop.run_in_executor(None, self._parent.wait)

    async def _start_worker(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [checker.FORK], [theirs.fileno()])
            except OSError as error:
                ours.close()
                self._fail(error)
                return
        worker = _Worker(self)
        self._joining.append(worker)
        await self._loop.create_connection(lambda: worker, sock=ours)

    def _fail(self, error: OSError) -> None:
        if not self._closing:
            with contextlib.suppress(OSError):
                self._control.close()
            self.failed(DefinitionError(f"the checkers have ended ({error}): start the service again"))


def _load(worker: _Worker) -> int:
    return len(worker.batches)
