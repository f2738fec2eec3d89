"""Work shared among forked processes, in order: for the pages of a large country, which are many and independent of each other.

The processes share the memory of the one that forked them, as it was then. Each is given one piece of the work after the other,
so that none is idle while there is some, hands over what it made, and waits until that is taken. What asks the program to stop
asks the parent, which ends them; one that outlives its parent ends by itself.
"""

import contextlib
import gc
import os
import pickle
import signal
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from multiprocessing.connection import Connection, Pipe, wait
from typing import Final, NoReturn, TypeVar

from scrutineer.errors import PublicationError

T = TypeVar("T")

_PARENT_GONE: Final = 3  # exit status


def in_forks(work: Callable[[int], Iterable[T]], count: int, workers: int) -> Generator[list[T], None, None]:
    """What `work` gives for 0 … count-1, in this order, made by forked processes; with one worker by this process.

    `work` must use no connection, lock or thread that was there before, and what it gives must be picklable. An error of it is
    raised here. Raises PublicationError where a process ends without a word.
    """
    workers = min(workers, count)
    if workers < 2:
        for number in range(count):
            yield list(work(number))
        return
    children: list[_Child] = []
    at_work: dict[_Child, int] = {}
    made: dict[int, bytes] = {}
    waiting = iter(range(count))
    # What is here now stays: a collector that looked at it would copy its memory into every process.
    gc.freeze()
    try:
        for number in islice(waiting, workers):
            children.append(child := _Child(work, [other.connection for other in children]))
            child.give(number)
            at_work[child] = number
        for number in range(count):
            while number not in made:
                ready = wait([child.connection for child in at_work])
                for child in [child for child in at_work if child.connection in ready]:
                    made[at_work.pop(child)] = child.take()
                    if (following := next(waiting, None)) is not None:
                        child.give(following)
                        at_work[child] = following
            result: list[T] | BaseException = pickle.loads(made.pop(number))  # noqa: S301 - from a process of our own
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        for child in children:
            child.end()
        gc.unfreeze()


class _Child:
    """A process that does some of the work."""

    def __init__(self, work: Callable[[int], Iterable[object]], others: list[Connection]) -> None:
        self.connection, own = Pipe()
        parent = os.getpid()
        self._process = os.fork()
        if self._process == 0:
            for other in (self.connection, *others):
                other.close()
            _work(work, own, parent)
        own.close()

    def give(self, number: int) -> None:
        """Have it do one more piece of the work; `take` says where it has ended."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(b"%d" % number)

    def take(self) -> bytes:
        """The next result, packed. Raises PublicationError where the process has ended."""
        try:
            return self.connection.recv_bytes()
        except (EOFError, OSError):
            _, status = os.waitpid(self._process, 0)
            self._process = 0
        how = (
            f"killed by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"status {os.waitstatus_to_exitcode(status)}"
        )
        raise PublicationError(
            f"one of the processes that write pages ended before its time ({how}): perhaps memory ran out; publish again, "
            "and with --workers 1 where it happens again"
        )

    def end(self) -> None:
        """End the process, wherever it is, and wait until it has."""
        self.connection.close()
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


def _work(work: Callable[[int], Iterable[object]], connection: Connection, parent: int) -> NoReturn:
    """What a process does from its fork to its end. Nothing that the parent wanted done at its own end may be done here."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            number = int(connection.recv_bytes())
            try:
                made = []
                for one in work(number):
                    made.append(one)
                    if os.getppid() != parent:
                        os._exit(_PARENT_GONE)
                result = pickle.dumps(made, pickle.HIGHEST_PROTOCOL)
            except Exception as error:
                result = _packed(error)
            connection.send_bytes(result)
    finally:
        # The connection ends with the parent, at the latest.
        os._exit(_PARENT_GONE)


def _packed(error: Exception) -> bytes:
    """An error for the way through a pipe; one that cannot go says what it says."""
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # noqa: S301 - made above
    except Exception:
        return pickle.dumps(PublicationError(f"{type(error).__name__}: {error}"))
    return packed
