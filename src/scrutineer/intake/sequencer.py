"""The one writer: gathers checked statements into batches and appends them to the log, one durable commit per batch.

Batches form by themselves: what queued during the last commit is the next batch. There is no timer, so an idle service
answers after one commit and a busy one fills its batches.
"""

import asyncio
import concurrent.futures
from collections.abc import Callable, Sequence
from typing import Final

from scrutineer.errors import ScrutineerError, StoreError
from scrutineer.log import Integrated

MAX_BATCH: Final = 1024  # statements in one commit

Done = Callable[[Integrated | ScrutineerError], object]
Append = Callable[[Sequence[bytes]], list[Integrated]]


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
    ) -> None:
        """Take `recorded`, called in log order for each new entry before its submitter hears of it, and `failed`."""
        self._append = append
        self._recorded = recorded
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "sequencer")
        self._queue: list[tuple[bytes, Done]] = []
        self._busy = False
        self._error: ScrutineerError | None = None
        self._scheduled = False
        self.batches = 0
        """Commits so far, that is, flushes."""

    def put(self, data: bytes, done: Done) -> None:
        """Queue a checked statement; `done` gets the result later, from the event loop."""
        if self._error is not None:
            done(self._error)
            return
        self._queue.append((data, done))
        if not self._busy and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._commit)

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

    def _finish(self, batch: list[tuple[bytes, Done]], work: "concurrent.futures.Future[list[Integrated]]") -> None:
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

    def _stop(self, batch: list[tuple[bytes, Done]], error: Exception) -> None:
        known = error if isinstance(error, ScrutineerError) else StoreError(f"the log failed unexpectedly: {error!r}")
        self._error = known
        waiting, self._queue = batch + self._queue, []
        for _, done in waiting:
            done(known)
        self._failed(known)
