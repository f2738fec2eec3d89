"""The one writer: gathers checked statements into batches and appends them to the log, one durable commit per batch.

Batches form by themselves: what queued during the last commit is the next batch. There is no timer, so an idle service
answers after one commit and a busy one fills its batches.
"""

import asyncio
import concurrent.futures
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from scrutineer.errors import ScrutineerError, StoreError
from scrutineer.log import Integrated

MAX_BATCH: Final = 1024  # statements in one commit

Done = Callable[[Integrated | ScrutineerError], object]
Append = Callable[[Sequence[bytes]], list[Integrated]]
Queue = list[tuple[bytes, Done]]

LEADS: Final = "leads"
FOLLOWS: Final = "follows"
WAITS: Final = "waits for the store"


class Recorder(Protocol):
    """Gets checked statements into the log, by itself or through another process, and tells each submitter what came of it."""

    @property
    def batches(self) -> int:
        """Commits of this process so far, that is, flushes."""
        ...

    @property
    def role(self) -> str:
        """What this process does: `LEADS`, `FOLLOWS` or `WAITS`."""
        ...

    @property
    def trouble(self) -> str | None:
        """In one sentence for the operator, why nothing can be recorded at the moment; None where it can."""
        ...

    def put(self, data: bytes, done: Done) -> None:
        """Take a checked statement; `done` gets the result, now or later, from the event loop."""
        ...

    async def close(self) -> None:
        """Bring what was taken to its end as far as possible, and stop."""
        ...


class Sequencer:
    """Appends to the log from one thread and tells each submitter what came of it.

    After a failure nothing more is appended: what had been queued and what comes later is told the failure. Nothing is
    reported as recorded unless `append` returned it.
    """

    def __init__(
        self,
        append: Append,
        *,
        recorded: Callable[[bytes], object],
        failed: Callable[[ScrutineerError], object],
        unrecorded: Callable[[Queue, StoreError], object] | None = None,
    ) -> None:
        """Take `recorded`, called in log order for each new entry before its submitter hears of it, and `failed`.

        With `unrecorded`, a failure of the store is nobody's end: it gets what was not recorded back, and who waits for it.
        """
        self._append = append
        self._recorded = recorded
        self._failed = failed
        self._unrecorded = unrecorded
        self._loop = asyncio.get_running_loop()
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "sequencer")
        self._queue: Queue = []
        self._busy = False
        self._error: ScrutineerError | None = None
        self._scheduled = False
        self.batches = 0
        """Commits so far, that is, flushes."""
        self.role = LEADS
        self.trouble: str | None = None

    def put(self, data: bytes, done: Done) -> None:
        """Queue a checked statement; `done` gets the result later, from the event loop."""
        if self._error is not None:
            done(self._error)
            return
        self._queue.append((data, done))
        if not self._busy and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._commit)

    def stop(self, error: StoreError) -> Queue:
        """Begin no further commit, and give back what is queued; a commit that runs is still told. What comes later fails."""
        self._error = self._error or error
        waiting, self._queue = self._queue, []
        return waiting

    async def close(self) -> None:
        """Commit what is queued, then stop the thread."""
        while self._busy or self._scheduled:
            await asyncio.sleep(0.005)
        self._thread.shutdown()

    def _commit(self) -> None:
        self._scheduled = False
        if self._busy or not self._queue or self._error is not None:
            return
        batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
        self._busy = True
        work = self._thread.submit(self._append, [data for data, _ in batch])
        work.add_done_callback(lambda work: self._loop.call_soon_threadsafe(self._finish, batch, work))

    def _finish(self, batch: Queue, work: "concurrent.futures.Future[list[Integrated]]") -> None:
        self._busy = False
        try:
            results = work.result()
        except Exception as error:  # Whatever stopped the log, going on could record something twice or not at all.
            self._stop(batch, error)
            return
        self.batches += 1
        # The next commit starts before these answers are written, so that the disk and the network work side by side.
        self._commit()
        for (data, _), result in zip(batch, results, strict=True):
            if result.fresh:
                self._recorded(data)
        for (_, done), result in zip(batch, results, strict=True):
            done(result)

    def _stop(self, batch: Queue, error: Exception) -> None:
        known = error if isinstance(error, ScrutineerError) else StoreError(f"the log failed unexpectedly: {error!r}")
        self._error = known
        waiting, self._queue = batch + self._queue, []
        if self._unrecorded is not None and error is known and isinstance(known, StoreError):
            self._unrecorded(waiting, known)
            return
        for _, done in waiting:
            done(known)
        self._failed(known)
