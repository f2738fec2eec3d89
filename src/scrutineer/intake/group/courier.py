"""The courier: carries parcels to the inbox where this process follows, and out of it where it leads."""

import asyncio
import concurrent.futures
import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from scrutineer.errors import StoreError
from scrutineer.intake.checkers import Checkers
from scrutineer.intake.frames import Verdict
from scrutineer.intake.group.inbox import Inbox, Refusal, unpack
from scrutineer.intake.group.waiting import Waiting
from scrutineer.intake.sequencer import Sequencer
from scrutineer.log import SharedLog
from scrutineer.statements.statement import statement_hash

CARRIED: Final = 4096  # statements of other processes that the one that leads has under way

T = TypeVar("T")


class Courier:
    """Runs one errand at a time in a thread of its own; what queued meanwhile goes with the next one. For the event loop.

    An errand that fails is not repeated by itself: the parcels are due again after a while, and whether the server is there
    others find out.
    """

    def __init__(
        self,
        inbox: Inbox,
        waiting: Waiting,
        log: SharedLog,
        checkers: Checkers,
        *,
        say: Callable[[str], object],
        failed: Callable[[BaseException], object],
    ) -> None:
        """`say` gets a line for the operator; `failed` what ended an errand and is no failure of the store."""
        self.resting = False
        """Whether nothing is to be carried, as the store is out of reach."""
        self._inbox = inbox
        self._waiting = waiting
        self._log = log
        self._checkers = checkers
        self._say = say
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "courier")
        self._sequencer: Sequencer | None = None
        self._fence = 0
        self._carried: set[bytes] = set()
        self._refusals: list[Refusal] = []
        self._look = False  # there may be parcels in the inbox
        self._busy = False
        self._scheduled = False
        self._closed = False

    def lead(self, sequencer: Sequencer, fence: int) -> None:
        """From now on take out what others put in, check it, and give it to the sequencer."""
        self._sequencer, self._fence = sequencer, fence
        self.look()

    def follow(self) -> None:
        """From now on put in what waits."""
        self._sequencer = None
        self._refusals.clear()

    def look(self) -> None:
        """Go, and where this process leads look into the inbox."""
        self._look = True
        self._run()

    def soon(self) -> None:
        """Go at the end of this turn of the event loop, so that all that it brings goes together."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._run)

    def stop(self) -> None:
        """Begin no further errand, and end the one that waits for the server."""
        self._closed = True
        self._inbox.hang_up()

    async def close(self) -> None:
        """Wait for the last errand, after `stop`."""
        await self._loop.run_in_executor(None, self._thread.shutdown)
        self._inbox.close()

    def _run(self) -> None:
        self._scheduled = False
        if self._busy or self._closed or self.resting:
            return
        if self._sequencer is None:
            parcels = self._waiting.parcels(time.monotonic())
            if parcels:
                self._send(partial(self._inbox.put, parcels), lambda _none: None)
        elif self._refusals:
            refusals, self._refusals = self._refusals, []
            self._send(partial(self._inbox.refuse, refusals), lambda _none: None)
        elif self._look and len(self._carried) < CARRIED:
            self._look = False
            self._send(partial(self._inbox.take, self._fence), self._arrived)

    def _send(self, errand: Callable[[], T], then: Callable[[T], object]) -> None:
        self._busy = True

        def back(work: "concurrent.futures.Future[T]") -> None:
            self._busy = False
            error = work.exception()
            if error is None:
                then(work.result())
                self._run()
            elif not isinstance(error, StoreError):
                self._failed(error)

        work = self._thread.submit(errand)
        work.add_done_callback(lambda work: self._loop.call_soon_threadsafe(back, work))

    def _arrived(self, parcels: list[bytes]) -> None:
        """Check the statements of other processes and queue them, as if they had come here."""
        self._look = self._look or bool(parcels)
        for parcel in parcels:
            try:
                statements = unpack(parcel)
            except StoreError as error:
                self._say(f"{error}: it is left out, and who put it in sends it again")
                continue
            for data in statements:
                leaf = statement_hash(data)
                if leaf not in self._carried and self._log.find(leaf) is None:
                    self._carried.add(leaf)
                    self._checkers.check(data, partial(self._checked, leaf, data))

    def _checked(self, leaf: bytes, data: bytes, verdict: Verdict) -> None:
        if self._sequencer is None:
            # Not recorded here any more: who waits for it puts it in again.
            self._carried.discard(leaf)
        elif verdict is None:
            self._sequencer.put(data, lambda _result: self._carried.discard(leaf))
        else:
            self._carried.discard(leaf)
            self._refusals.append(Refusal(leaf, *verdict))
            self.soon()
