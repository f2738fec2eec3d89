"""One attempt with one way: everything that waits is offered to it over many connections, and every answer is judged.

What an answer may do: a receipt counts after it has been verified; "held" (202) is noted and is no receipt; a refusal of the
statement is reported with its reason. Anything else ends the attempt. The first statement goes alone, so that an address that
does not answer, or lies, is found out at the price of one request.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from scrutineer.errors import ReceiptError
from scrutineer.http.problems import Problem, read_problem
from scrutineer.intake.lanes import Answer, Lane, Target
from scrutineer.log import LogVerifier, verify_receipt
from scrutineer.station.outbox import Held, Received, Refusal, Waiting
from scrutineer.station.ways import Outcome

CONNECTIONS: Final = 16
PIPELINED: Final = 8  # requests on one connection at a time; sending a statement twice is harmless, so they need not wait
LONGEST_SLOW: Final = 60.0  # seconds that a slow way is borne with at a time; others are tried in between
SLOW: Final = 10.0  # answers in a second; what gives fewer is slow
LAST_ANSWERS: Final = 2.0  # seconds in which answers that are on their way may still come when an attempt ends

NOT_OF_THE_STATEMENT: Final = frozenset(
    {
        "malformed-request",
        "not-found",
        "no-such-key",
        "method-not-allowed",
        "too-slow",
        "media-type",
        "content-encoding",
        "headers-too-large",
    }
)
"""Reasons that say something of the request or the address, and nothing of the statement."""

PASSED_OVER: Final = frozenset({"key-busy", "check-failed"})
"""Reasons for which one statement has to wait and others need not: it must not stand in the way of what is behind it."""

Result = Received | Refusal | Held


class FalseReceipt(NamedTuple):
    """What was answered in place of a receipt: evidence."""

    leaf: bytes
    answer: Answer
    reason: str


@dataclass(frozen=True, slots=True)
class Visit:
    """How an attempt ended."""

    outcome: Outcome
    said: str = ""
    asked: float | None = None
    """Seconds that the service asks to wait."""
    evidence: FalseReceipt | None = None
    answered: int = 0
    """Statements that were answered for: with a receipt, a refusal, or "held"."""


async def visit(
    target: Target,
    supply: Callable[[], Waiting | None],
    verifier: LogVerifier,
    report: Callable[[Result], object],
    *,
    connections: int = CONNECTIONS,
    patience: float,
    longest_slow: float = LONGEST_SLOW,
) -> Visit:
    """Offer what `supply` gives until there is no more (None) or the way fails; `report` hears each result once.

    `patience` is how many seconds each answer may take; after `longest_slow` seconds of few answers the attempt ends.
    """
    return await _Attempt(target, supply, verifier, report, patience, longest_slow).run(max(1, connections))


class _Attempt:
    def __init__(
        self,
        target: Target,
        supply: Callable[[], Waiting | None],
        verifier: LogVerifier,
        report: Callable[[Result], object],
        patience: float,
        longest_slow: float,
    ) -> None:
        self._target = target
        self._supply = supply
        self._verifier = verifier
        self._report = report
        self._patience = patience
        self._longest_slow = longest_slow
        self._again: list[Waiting] = []
        self._answered = 0
        self._held = 0
        self._later = ""
        self._asked: float | None = None
        self._end: Visit | None = None
        self._ended = asyncio.Event()

    async def run(self, connections: int) -> Visit:
        lanes = [Lane(lambda: self._target, self._patience)]
        senders: set[asyncio.Task[None]] = set()
        watching = asyncio.create_task(self._watch())
        try:
            await self._send(lanes[0], 1)
            if self._end is None:
                lanes += [Lane(lambda: self._target, self._patience) for _ in range(connections - 1)]
                senders = {asyncio.create_task(self._send(lane)) for _ in range(PIPELINED) for lane in lanes}
                await self._all(senders)
        finally:
            for task in (watching, *senders):
                task.cancel()
            await asyncio.gather(watching, *senders, return_exceptions=True)
            for lane in lanes:
                lane.close()
        end = self._end or self._nothing_left()
        return Visit(end.outcome, end.said, end.asked, end.evidence, self._answered)

    async def _watch(self) -> None:
        """End the attempt where answers come, and so few that they would keep everything from better ways for hours."""
        while True:
            before = self._answered
            await asyncio.sleep(self._longest_slow)
            if self._answered - before < SLOW * self._longest_slow:
                self._stop(Visit("busy", "answers slowly, and other ways are tried in between"))
                return

    def _nothing_left(self) -> Visit:
        if self._later:
            return Visit("busy", self._later, self._asked)
        if self._held:
            return Visit("held", f"keeps {self._held:,} for forwarding, which is no receipt", self._asked)
        return Visit("done")

    async def _all(self, senders: set[asyncio.Task[None]]) -> None:
        """Wait until nothing is left or the attempt has ended; what a sender raises is raised."""
        ended = asyncio.create_task(self._ended.wait())
        try:
            pending = set(senders)
            while pending and not ended.done():
                done, rest = await asyncio.wait({*pending, ended}, return_when=asyncio.FIRST_COMPLETED)
                pending = {task for task in rest if task is not ended}  # type: ignore[misc]
                for task in done:
                    task.result()
            if pending and self._end is not None and self._end.outcome != "false":
                done, _ = await asyncio.wait(pending, timeout=LAST_ANSWERS)
                for task in done:
                    task.result()
        finally:
            ended.cancel()

    async def _send(self, lane: Lane, most: int | None = None) -> None:
        """Send one statement after the other, at most so many."""
        answered_before = -1
        while self._end is None and most != 0 and (work := self._again.pop() if self._again else self._supply()) is not None:
            try:
                connection = lane.connection or await lane.connect()
                answer = await connection.post(work.statement)
            except OSError as error:
                # A connection may break while the service is well; but one that brought nothing since is no reason to go on.
                if self._answered > max(answered_before, 0):
                    answered_before = self._answered
                    self._again.append(work)
                else:
                    self._stop(Visit("unreachable", _plain(error)))
                continue
            self._judge(work, answer)
            most = most - 1 if most is not None else None

    def _stop(self, end: Visit) -> None:
        # A lie that comes to light while the attempt ends for another reason is not to be lost.
        if self._end is None or (end.outcome == "false" and self._end.outcome != "false"):
            self._end = end
            self._ended.set()

    def _judge(self, work: Waiting, answer: Answer) -> None:
        if answer.status in (200, 201):
            self._receipt(work, answer)
        elif answer.status == 202:
            self._held += 1
            self._asked = max(self._asked or 0.0, answer.retry_after or 0.0)
            self._count(Held(work.leaf, self._target.url))
        elif answer.status == 429 or answer.status >= 500:
            problem = read_problem(answer.body)
            said = f"asks to come again later: {problem.detail if problem is not None else f'status {answer.status}'}"
            if problem is not None and problem.code in PASSED_OVER:
                self._later = said
                self._asked = max(self._asked or 0.0, answer.retry_after or 0.0)
            else:
                self._stop(Visit("busy", said, answer.retry_after))
        elif 300 <= answer.status < 400:
            self._stop(Visit("nonsense", f"points to another address (status {answer.status}), which is not followed"))
        else:
            self._refusal(work, answer, read_problem(answer.body))

    def _receipt(self, work: Waiting, answer: Answer) -> None:
        if answer.media_type != b"application/cose":
            # Pages of wireless networks that want to be signed in to answer so; nobody claims that it is a receipt.
            kind = answer.media_type.decode("ascii", "replace") or "something without a type"
            self._stop(
                Visit("nonsense", f"answered with {kind[:60]} instead of a receipt; is it a network that wants a sign-in?")
            )
            return
        try:
            content = verify_receipt(answer.body, work.leaf, self._verifier)
        except ReceiptError as error:
            evidence = FalseReceipt(work.leaf, answer, str(error))
            self._stop(Visit("false", f"gave a receipt that proves nothing ({error})", evidence=evidence))
            return
        self._count(Received(work.leaf, answer.body, content))

    def _refusal(self, work: Waiting, answer: Answer, problem: Problem | None) -> None:
        if problem is None:
            self._stop(Visit("nonsense", f"answered with status {answer.status} and no reason; is it an intake service?"))
        elif problem.code == "too-slow":
            self._stop(Visit("unreachable", "the line is too slow for it: it gave up waiting for the statement"))
        elif problem.code in NOT_OF_THE_STATEMENT:
            self._stop(Visit("nonsense", f"does not take statements at this address: {problem.detail} ({problem.code})"))
        else:
            self._count(Refusal(work.leaf, self._target.url, problem))

    def _count(self, result: Result) -> None:
        self._answered += 1
        self._report(result)


def _plain(error: OSError) -> str:
    """Why there was no answer, in a few words."""
    return f"does not answer ({error.strerror or str(error) or 'no answer in time'})"
