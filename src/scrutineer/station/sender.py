"""The sender: takes what waits in an outbox to the log by whichever way is open, and stops when every receipt is there.

Every round tries the ways that may be tried now, in their order (ways.py), until nothing waits. Between rounds it sleeps until
the first pause is over. What each way said is kept in the outbox, so that another program can show it and a later one goes on
with the same pauses.

A refusal is not signed by anybody, and may therefore come from whoever stands between. Where there are other intake services,
a refused statement is offered to each of them that can be reached as well, once, and once more by every later sender; a receipt
then takes the refusal back. What a relay refuses goes on waiting for as long as an intake service may still take it, or a relay
that has not refused it.
"""

import asyncio
import collections
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from scrutineer.errors import StoreError
from scrutineer.intake.lanes import ANSWER_TIMEOUT, Target, Trust
from scrutineer.log import LogVerifier
from scrutineer.station.evidence import keep_evidence
from scrutineer.station.outbox import PAGE, Held, Outbox, Received, Refusal, Waiting
from scrutineer.station.visit import CONNECTIONS, LONGEST_SLOW, FalseReceipt, Result, Visit, visit
from scrutineer.station.ways import MAX_SAID, Attempt, Attempts, Moment, Way, pause_after, steady_now

ATTEMPTS_NOTE: Final = "attempts"
RECORD_EVERY: Final = 0.1  # seconds between flushes of what was answered
MAX_UNRECORDED: Final = 1_000  # answers
FEW: Final = 64  # statements that are read to see whether there are any
LEAST_SLEEP: Final = 0.05  # seconds between rounds
LOOK_EVERY: Final = 1.0  # seconds; a machine that slept wakes up to a pause that is over
MAX_REFUSED: Final = 10_000  # refused statements of which is remembered who refused them

Heard = Callable[[Way, Visit, float], object]
"""Hears of each attempt: the way, how it ended, and the pause in seconds that follows."""


class Sender:
    """Sends what waits in one outbox. Only one may run for an outbox at a time; the caller sees to that."""

    def __init__(
        self,
        outbox: Outbox,
        ways: Sequence[Way],
        verifier: LogVerifier,
        evidence: Path,
        *,
        trust: Trust | None = None,
        heard: Heard | None = None,
        connections: int = CONNECTIONS,
        patience: float = ANSWER_TIMEOUT,
        longest_slow: float = LONGEST_SLOW,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], Moment] = steady_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Prepare. `evidence` is the folder for false receipts; `clock` gives times that are shown, `steady` measures pauses.

        Raises UsageError for an address that is none and for TLS files that cannot be used.
        """
        self._outbox = outbox
        self._ways = list(ways)
        self._targets = {way: Target.parse(way.url, trust) for way in ways}
        self._verifier = verifier
        self._evidence = evidence
        self._heard = heard
        self._connections = connections
        self._patience = patience
        self._longest_slow = longest_slow
        self._clock = clock
        self._steady = steady
        self._chance = chance
        self._attempts = Attempts.decode(outbox.note(ATTEMPTS_NOTE)).only(ways)
        self._refused_by: collections.OrderedDict[bytes, set[Way]] = collections.OrderedDict()
        self._unrecorded: list[Result] = []
        self._remember_refused()

    @property
    def attempts(self) -> Attempts:
        """What is remembered of the ways."""
        return self._attempts

    def hurry(self) -> None:
        """Try at once what waits only because earlier attempts failed; pauses that a service asked for are kept."""
        self._attempts = self._attempts.impatient()

    async def run(self, *, once: bool = False, stay: bool = False, wake: asyncio.Event | None = None) -> None:
        """Send until nothing waits. `once`: one round, whatever comes of it. `stay`: go on for ever and send what comes in.

        `wake` cuts a sleep short in which new statements are waited for. Raises StoreError where the outbox cannot be used.
        """
        while True:
            await self.round()
            if once:
                return
            waits = bool(self._outbox.waiting(limit=1))
            if not waits and not stay:
                return
            await self._sleep(wake if not waits else None)

    async def round(self) -> None:
        """Try once each way that may be tried now, until nothing waits."""
        for way in self._attempts.order(self._ways):
            if self._attempts.remaining(way, self._steady()) > 0 or not self._has_something_for(way):
                continue
            await self._try(way)

    def pause(self) -> float:
        """Seconds until the first way may be tried again that there is something for."""
        now = self._steady()
        pauses = (self._attempts.remaining(way, now) for way in self._ways if self._has_something_for(way))
        return min(pauses, default=LOOK_EVERY)

    async def _sleep(self, wake: asyncio.Event | None) -> None:
        """Sleep until a way may be tried, or, where nothing waits, for a while that `wake` ends."""
        if wake is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await wake.wait()
            wake.clear()
            return
        # Some sleep there is always: whatever ways answer must not make this loop spin.
        await asyncio.sleep(LEAST_SLEEP)
        while (pause := self.pause()) > 0:
            await asyncio.sleep(min(LOOK_EVERY, pause))

    async def _try(self, way: Way) -> None:
        offered = 0
        received = False
        refused: list[Refusal] = []
        supply = self._supply(way)

        def next_one() -> Waiting | None:
            nonlocal offered
            waiting = next(supply, None)
            offered = waiting.number if waiting is not None else offered
            return waiting

        def report(result: Result) -> None:
            nonlocal received
            received = received or isinstance(result, Received)
            if isinstance(result, Refusal):
                refused[:] = [result]
            self._take(way, result)

        flusher = asyncio.create_task(self._flush_now_and_then())
        try:
            ended = await visit(
                self._targets[way],
                next_one,
                self._verifier,
                report,
                connections=self._connections,
                patience=self._patience,
                longest_slow=self._longest_slow,
            )
        finally:
            flusher.cancel()
            await asyncio.gather(flusher, return_exceptions=True)
            self._flush()
        now = int(self._clock())
        said = ended.said
        if ended.evidence is not None:
            said = f"{said}; {self._keep(way, ended.evidence, now)}"
        elif refused and ended.outcome == "done":
            said = f"refused some: {refused[0].problem.detail} ({refused[0].problem.code})"
        number = offered if ended.outcome not in ("done", "held") else 0
        self._remember(way, replace(ended, said=said[:MAX_SAID]), received, now, number)

    def _keep(self, way: Way, false: FalseReceipt, now: int) -> str:
        """Keep a false receipt; what became of it, in words. That it cannot be kept must not keep statements from other ways."""
        try:
            kept = keep_evidence(self._evidence, way, false, now)
        except StoreError as error:
            return str(error)
        return f"kept as {kept.name}" if kept is not None else "not kept, for there are many already"

    def _remember(self, way: Way, ended: Visit, received: bool, now: int, number: int) -> None:
        """Keep how an attempt ended, and the pause that follows: a short one again where it brought receipts."""
        last = self._attempts.last.get(way.url)
        failures = 0 if ended.outcome == "done" else 1 if received or last is None else last.failures + 1
        pause = pause_after(ended.outcome, failures, ended.asked, self._chance())
        moment = self._steady()
        attempt = Attempt(ended.outcome, ended.said, now, failures, pause, moment.boot, moment.seconds, number)
        self._attempts = self._attempts.after(way, attempt, worked=received)
        self._outbox.set_note(ATTEMPTS_NOTE, self._attempts.encode())
        if self._heard is not None:
            self._heard(way, ended, pause)

    def _has_something_for(self, way: Way) -> bool:
        return next(self._supply(way, FEW), None) is not None

    def _supply(self, way: Way, page: int = PAGE) -> Iterator[Waiting]:
        """What is to be offered to a way: what waits, and what other intake services refused.

        It begins behind the statement with which the last attempt ended: one that always makes a service fail must not keep
        out those behind it.
        """
        last = self._attempts.last.get(way.url)
        start = last.number if last is not None else 0
        for waiting in itertools.chain(self._waiting(start, None, page), self._waiting(0, start, page)):
            refused_by = self._refused_by.get(waiting.leaf, set())
            if self._is_final(refused_by):
                # It was recorded as refused and waits nevertheless: somebody wants it to be offered to everyone again.
                del self._refused_by[waiting.leaf]
                refused_by = set()
            if way not in refused_by:
                yield waiting
        if way.kind == "intake":
            for leaf in [leaf for leaf, ways in self._refused_by.items() if way not in ways]:
                entry = self._outbox.find(leaf)
                if entry is not None and entry.state == "refused":
                    yield Waiting(entry.number, leaf, entry.statement)

    def _waiting(self, after: int, last: int | None, page: int) -> Iterator[Waiting]:
        """What waits behind one number and up to another (None: to the end)."""
        while found := self._outbox.waiting(after, page):
            for waiting in found:
                if last is not None and waiting.number > last:
                    return
                yield waiting
            after = found[-1].number

    def _take(self, way: Way, result: Result) -> None:
        """Take in what a way answered for one statement."""
        if isinstance(result, Refusal):
            refused_by = self._refused_by.setdefault(result.leaf, set())
            refused_by.add(way)
            if len(self._refused_by) > MAX_REFUSED:
                self._refused_by.popitem(last=False)
            if not self._is_final(refused_by):
                return
        self._unrecorded.append(result)
        if len(self._unrecorded) >= MAX_UNRECORDED:
            self._flush()

    def _is_final(self, refused_by: set[Way]) -> bool:
        """Whether a statement that these ways refused counts as refused: an intake service did, or all the relays there are."""
        intakes = any(way.kind == "intake" for way in self._ways)
        return any(way.kind == "intake" for way in refused_by) or (
            bool(refused_by) and not intakes and refused_by.issuperset(self._ways)
        )

    def _remember_refused(self) -> None:
        """Learn who refused what before this sender, which may have ended before it could ask the others."""
        after = 0
        while len(self._refused_by) < MAX_REFUSED and (page := self._outbox.entries("refused", after)):
            for entry in page:
                self._refused_by[entry.leaf] = {way for way in self._ways if way.url == entry.refused_by}
            after = page[-1].number

    async def _flush_now_and_then(self) -> None:
        # Where the disk refuses, what was answered stays in memory, and the attempt ends with the error at its next flush.
        with suppress(StoreError):
            while True:
                await asyncio.sleep(RECORD_EVERY)
                self._flush()

    def _flush(self) -> None:
        results = self._unrecorded
        self._outbox.record(
            [result for result in results if isinstance(result, Received)],
            [result for result in results if isinstance(result, Refusal)],
            [result for result in results if isinstance(result, Held)],
        )
        self._unrecorded = []
