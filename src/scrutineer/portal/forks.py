"""Work shared among forked processes, in order: for the pages of a large country, which are many and independent of each other.

The processes share the memory of the one that forked them, as it was then. They hand over what they made through pipes, each
its own, and wait where nobody takes it. What asks the program to stop asks the parent, which ends them; one
that outlives its parent ends by itself.
"""

import gc
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from multiprocessing.connection import Connection, wait
from typing import Final, Generic, NoReturn, TypeVar

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
    children: list[_Child[T]] = []
    # What is here now stays: a collector that looked at it would copy its memory into every process.
    gc.freeze()
    try:
        for first in range(workers):
            children.append(_Child(work, range(first, count, workers), [child.results for child in children]))
        for number in range(count):
            child = children[number % workers]
            # Whoever is ready is listened to, so that none waits for another with a pipe that is full.
            while not child.has_result():
                ready = wait([other.results for other in children if other.is_open])
                for other in children:
                    if other.results in ready:
                        other.receive()
            yield child.take()
    finally:
        for child in children:
            child.end()
        gc.unfreeze()


class _Child(Generic[T]):
    """A process that does some of the work."""

    def __init__(self, work: Callable[[int], Iterable[T]], numbers: range, others: list[Connection]) -> None:
        reading, writing = os.pipe()
        self.results = Connection(reading, writable=False)
        parent = os.getpid()
        self._process = os.fork()
        if self._process == 0:
            self.results.close()
            for other in others:
                other.close()
            _work(work, numbers, Connection(writing, readable=False), parent)
        os.close(writing)
        self._received: deque[bytes] = deque()
        self.is_open = True

    def has_result(self) -> bool:
        """Whether `take` answers at once: with a result, or because none will come any more."""
        return bool(self._received) or not self.is_open

    def receive(self) -> None:
        """Keep what has come through the pipe until it is asked for."""
        try:
            self._received.append(self.results.recv_bytes())
        except (EOFError, OSError):
            self.is_open = False

    def take(self) -> list[T]:
        """The next result. Raises what the work raised, and PublicationError where the process has ended."""
        try:
            result: list[T] | BaseException = pickle.loads(self._received.popleft())  # noqa: S301 - from a process of our own
        except (IndexError, EOFError, pickle.UnpicklingError):
            _, status = os.waitpid(self._process, 0)
            self._process = 0
            how = (
                f"killed by signal {os.WTERMSIG(status)}"
                if os.WIFSIGNALED(status)
                else f"status {os.waitstatus_to_exitcode(status)}"
            )
            raise PublicationError(
                f"one of the processes that write pages ended before its time ({how}): perhaps memory ran out; publish again, "
                "and with --workers 1 where it happens again"
            ) from None
        if isinstance(result, BaseException):
            raise result
        return result

    def end(self) -> None:
        """End the process, wherever it is, and wait until it has."""
        self.results.close()
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


def _work(work: Callable[[int], Iterable[T]], numbers: range, results: Connection, parent: int) -> NoReturn:
    """What a process does from its fork to its end. Nothing that the parent wanted done at its own end may be done here."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            for number in numbers:
                made = []
                for one in work(number):
                    made.append(one)
                    if os.getppid() != parent:
                        os._exit(_PARENT_GONE)
                results.send_bytes(pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
            status = 0
        except Exception as error:
            results.send_bytes(_packed(error))
    finally:
        os._exit(status)


def _packed(error: Exception) -> bytes:
    """An error for the way through a pipe; one that cannot go says what it says."""
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # noqa: S301 - made above
    except Exception:
        return pickle.dumps(PublicationError(f"{type(error).__name__}: {error}"))
    return packed
