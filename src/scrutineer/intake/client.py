"""Sends statements to an intake service over many connections, checks every receipt, and resumes after an interruption."""

import asyncio
import collections
import random
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Final, NamedTuple

import uvloop

from scrutineer.errors import PolicyError, ReceiptError, TransportError, UsageError
from scrutineer.http.problems import MAX_DETAIL_LENGTH, Problem, read_problem
from scrutineer.intake.journal import Journal
from scrutineer.intake.lanes import Answer, Connection, Lane, Target, Trust
from scrutineer.log import LogVerifier, Receipt, verify_receipt
from scrutineer.statements.statement import statement_hash

CONNECTIONS: Final = 16
PIPELINED: Final = 8  # requests on one connection at a time; sending a statement twice is harmless, so they need not wait
PATIENCE: Final = 60.0  # seconds without any answer after which the service counts as unreachable
FIRST_PATIENCE: Final = 10.0  # seconds of patience with a service that has not answered at all yet
FIRST_PAUSE: Final = 0.1  # seconds before the first new attempt; doubled each time
LONGEST_PAUSE: Final = 10.0  # seconds between attempts, unless the service asks for more
LONGEST_ASKED: Final = 600.0  # seconds; no service is left alone for longer, whatever it asks for
TOLD_PAUSE: Final = 2.0  # seconds; who waits for longer is told why

Progress = Callable[[int, int], object]  # statements done, statements in all (0 where that is not known)
Waiting = Callable[[str, float], object]
"""Hears why the service asks to come again later, in words fit to be shown, and for how many seconds it is left alone."""


class Registered(NamedTuple):
    """A statement that the log holds: which of those given, its receipt as sent, and what that says."""

    position: int
    receipt: bytes
    content: Receipt


class Refused(NamedTuple):
    """A statement that the service refused for good: which of those given, and why."""

    position: int
    problem: Problem


def submit_statements(
    statements: Iterable[bytes],
    url: str | Sequence[str],
    verifier: LogVerifier,
    *,
    connections: int = CONNECTIONS,
    journal: Path | None = None,
    progress: Progress | None = None,
    waiting: Waiting | None = None,
    trust: Trust | None = None,
) -> list[Receipt]:
    """Register statements and return what their receipts say, in the order given; every receipt is verified.

    Raises PolicyError when the service refused any of them, after all others are done; TransportError when it cannot be
    reached or answers with receipts that do not verify.
    """
    receipts: dict[int, Receipt] = {}
    refusals: list[Refused] = []

    def registered(result: Registered) -> None:
        receipts[result.position] = result.content

    submit(
        statements,
        url,
        verifier,
        registered=registered,
        refused=refusals.append,
        connections=connections,
        journal=journal,
        progress=progress,
        waiting=waiting,
        trust=trust,
    )
    if refusals:
        position, problem = min(refusals)
        raise PolicyError(
            f"{len(refusals)} of {len(receipts) + len(refusals)} statements were refused; the first is number {position + 1}: "
            f"{problem.detail} ({problem.code})",
            code=problem.code,
        )
    return [receipts[position] for position in range(len(receipts))]


def submit(
    statements: Iterable[bytes],
    url: str | Sequence[str],
    verifier: LogVerifier,
    *,
    registered: Callable[[Registered], object],
    refused: Callable[[Refused], object],
    connections: int = CONNECTIONS,
    journal: Path | None = None,
    progress: Progress | None = None,
    waiting: Waiting | None = None,
    jitter: Callable[[], float] = random.random,
    patience: float = PATIENCE,
    trust: Trust | None = None,
) -> None:
    """Register statements; report each exactly once, in any order, when its receipt has been verified or it was refused.

    `url` is the address of the service, or several of services of one log: when one does not answer, the next is tried.
    `trust` says whom to believe at https addresses. `journal` names a file that remembers receipts, so that the same call
    after an interruption sends only what is left.

    A statement that the service is too busy for is sent again, without end: break the call off to end it. Pauses that the
    service asks for are kept, up to LONGEST_ASKED, and lengthened by `jitter` (0 to 1), so that many clients do not return at
    once. `waiting` is told once for each reason, when a pause for it exceeds TOLD_PAUSE. Raises UsageError for an address that
    is none, and TransportError as `submit_statements` does.
    """
    urls = (url,) if isinstance(url, str) else tuple(url)
    if not urls:
        raise UsageError("there is no address of an intake service: give at least one")
    targets = [Target.parse(one, trust) for one in urls]
    run = _Run(statements, targets, verifier, registered, refused, progress, waiting, jitter, patience)
    run.journal = Journal.open(journal) if journal is not None else None
    try:
        uvloop.run(run.all(max(1, connections)))
    finally:
        if run.journal is not None:
            run.journal.close()


class _Work(NamedTuple):
    position: int
    data: bytes
    leaf: bytes


class _Later(NamedTuple):
    """An answer after which a statement has to be sent again."""

    seconds: float
    reason: str
    """A short name: the code of the problem, or the status."""
    detail: str


class _Run:
    """One call of `submit`."""

    def __init__(
        self,
        statements: Iterable[bytes],
        targets: Sequence[Target],
        verifier: LogVerifier,
        registered: Callable[[Registered], object],
        refused: Callable[[Refused], object],
        progress: Progress | None,
        waiting: Waiting | None,
        jitter: Callable[[], float],
        patience: float,
    ) -> None:
        self.journal: Journal | None = None
        self._source: Iterator[tuple[int, bytes]] = enumerate(statements)
        self._total = len(statements) if isinstance(statements, Sized) else 0
        self._again: collections.deque[_Work] = collections.deque()
        self._targets = targets
        self._current = 0
        self._verifier = verifier
        self._registered = registered
        self._refused = refused
        self._progress = progress
        self._waiting = waiting
        self._told: set[str] = set()  # reasons to wait that were told
        self._jitter = jitter
        self._patience = patience
        self._done = 0
        self._heard = 0.0
        self._answered = False

    async def all(self, connections: int) -> None:
        """Work with so many connections until nothing is left; the first error ends everything."""
        self._heard = asyncio.get_running_loop().time()
        lanes = [Lane(lambda: self._targets[self._current]) for _ in range(connections)]
        senders = {asyncio.create_task(self._send(lane)) for _ in range(PIPELINED) for lane in lanes}
        reporter = asyncio.create_task(self._report())
        try:
            finished, _ = await asyncio.wait(senders, return_when=asyncio.FIRST_EXCEPTION)
            for sender in finished:
                sender.result()
        finally:
            for task in (*senders, reporter):
                task.cancel()
            await asyncio.gather(*senders, reporter, return_exceptions=True)
            for lane in lanes:
                lane.close()
        if self._progress is not None:
            self._progress(self._done, self._total or self._done)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            if self._progress is not None:
                self._progress(self._done, self._total)
            if self.journal is not None:
                self.journal.flush()

    def _next(self) -> _Work | None:
        """The next statement that still has to be sent."""
        if self._again:
            return self._again.popleft()
        for position, data in self._source:
            leaf = statement_hash(data)
            receipt = self.journal.find(leaf) if self.journal is not None else None
            if receipt is None:
                return _Work(position, data, leaf)
            try:
                content = verify_receipt(receipt, leaf, self._verifier)
            except ReceiptError:  # The journal is damaged or belongs to another log; the service knows.
                return _Work(position, data, leaf)
            self._count(Registered(position, receipt, content))
        return None

    async def _send(self, lane: Lane) -> None:
        """Send one statement after the other."""
        attempt = 0
        loop = asyncio.get_running_loop()
        while (work := self._next()) is not None:
            later: _Later | None = None
            target = self._targets[self._current]
            try:
                connection = lane.connection or await lane.connect()
                target = connection.target
                later = self._judge(work, await connection.post(work.data), connection)
                if later is None:
                    attempt = 0
                    continue
            except OSError as error:
                if target is self._targets[self._current]:
                    self._current = (self._current + 1) % len(self._targets)
                patience = self._patience if self._answered else min(self._patience, FIRST_PATIENCE)
                if loop.time() - self._heard > patience:
                    raise TransportError(
                        f"the intake service at {' or '.join(map(str, self._targets))} does not answer "
                        f"({error or 'no answer in time'}): check the address and whether it runs"
                    ) from error
            backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 10))
            attempt += 1
            pause = max(later.seconds if later is not None else 0.0, backoff) * (1 + self._jitter())
            if later is not None:
                self._tell(later, pause)
            await asyncio.sleep(pause)
            if later is not None:
                # A service that was left alone as it asked was not silent meanwhile.
                self._heard = loop.time()
            # Only now: another sender would not know of the pause.
            self._again.append(work)

    def _tell(self, later: _Later, pause: float) -> None:
        if pause > TOLD_PAUSE and later.reason not in self._told and self._waiting is not None:
            self._told.add(later.reason)
            self._waiting(later.detail, pause)

    def _judge(self, work: _Work, answer: Answer, connection: Connection) -> _Later | None:
        """Take an answer in; return why and for how long to wait where the statement has to be sent again."""
        self._answered = True
        self._heard = asyncio.get_running_loop().time()
        if answer.status in (200, 201):
            try:
                content = verify_receipt(answer.body, work.leaf, self._verifier)
            except ReceiptError as error:
                raise TransportError(
                    f"the service answered with a receipt that proves nothing ({error}): this is not the log of the election, "
                    "or something changes its answers; do not rely on it"
                ) from error
            if self.journal is not None:
                self.journal.add(work.leaf, answer.body)
            self._count(Registered(work.position, answer.body, content))
            return None
        if answer.status == 429 or answer.status >= 500:
            return _later(answer, connection.target)
        problem = read_problem(answer.body)
        if problem is None:
            raise TransportError(
                f"{connection.target} answered with status {answer.status} and no reason: is this an intake service?"
            )
        self._done += 1
        self._refused(Refused(work.position, problem))
        return None

    def _count(self, result: Registered) -> None:
        self._done += 1
        self._registered(result)


def _later(answer: Answer, target: Target) -> _Later:
    """What a service that is too busy, or fails, says of it. Its words are foreign: they are bounded, and only text."""
    problem = read_problem(answer.body)
    if problem is None:
        reason, detail = str(answer.status), f"it answered with status {answer.status} and no reason"
    else:
        reason, detail = problem.code, f"{problem.detail[:MAX_DETAIL_LENGTH]} ({problem.code})"
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in detail)
    return _Later(min(LONGEST_ASKED, answer.retry_after or 0.0), reason, f"{target}: {shown}")
