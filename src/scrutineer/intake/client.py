"""Sends statements to an intake service over many connections, checks every receipt, and resumes after an interruption."""

import asyncio
import collections
import functools
import random
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import httptools
import uvloop

from scrutineer.errors import PolicyError, ReceiptError, TransportError, UsageError
from scrutineer.http.problems import Problem, read_problem
from scrutineer.intake.journal import Journal
from scrutineer.log import LogVerifier, Receipt, verify_receipt
from scrutineer.statements.statement import statement_hash

CONNECTIONS: Final = 16
PIPELINED: Final = 8  # requests on one connection at a time; sending a statement twice is harmless, so they need not wait
PATIENCE: Final = 60.0  # seconds without any answer after which the service counts as unreachable
FIRST_PATIENCE: Final = 10.0  # seconds of patience with a service that has not answered at all yet
ANSWER_TIMEOUT: Final = 30.0  # seconds for one answer
FIRST_PAUSE: Final = 0.1  # seconds before the first new attempt; doubled each time
LONGEST_PAUSE: Final = 10.0  # seconds
MAX_ANSWER_SIZE: Final = 64 * 1024  # bytes

Progress = Callable[[int, int], object]  # statements done, statements in all (0 where that is not known)


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
    url: str,
    verifier: LogVerifier,
    *,
    connections: int = CONNECTIONS,
    journal: Path | None = None,
    progress: Progress | None = None,
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
    url: str,
    verifier: LogVerifier,
    *,
    registered: Callable[[Registered], object],
    refused: Callable[[Refused], object],
    connections: int = CONNECTIONS,
    journal: Path | None = None,
    progress: Progress | None = None,
    jitter: Callable[[], float] = random.random,
    patience: float = PATIENCE,
) -> None:
    """Register statements; report each exactly once, in any order, when its receipt has been verified or it was refused.

    `journal` names a file that remembers receipts, so that the same call after an interruption sends only what is left.
    Pauses that the service asks for are kept, and lengthened by `jitter` (0 to 1), so that many clients do not return at
    once. Raises UsageError for an address that is none, and TransportError as `submit_statements` does.
    """
    run = _Run(statements, _Target.parse(url), verifier, registered, refused, progress, jitter, patience)
    run.journal = Journal.open(journal) if journal is not None else None
    try:
        uvloop.run(run.all(max(1, connections)))
    finally:
        if run.journal is not None:
            run.journal.close()


class _Target(NamedTuple):
    host: str
    port: int
    head: bytes

    @classmethod
    def parse(cls, url: str) -> "_Target":
        try:
            parts = urllib.parse.urlsplit(url)
            host, port = parts.hostname, parts.port or 80
        except ValueError:
            host, port, parts = None, 0, urllib.parse.urlsplit("")
        if parts.scheme != "http" or not host:
            raise UsageError(f"{url!r} is not the address of an intake service: write it as http://host:port")
        path = parts.path.rstrip("/") + "/entries"
        head = f"POST {path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/cose\r\naccept: application/cose\r\n"
        return cls(host, port, head.encode())


class _Work(NamedTuple):
    position: int
    data: bytes
    leaf: bytes


class _Answer(NamedTuple):
    status: int
    retry_after: float | None
    body: bytes


class _Run:
    """One call of `submit`."""

    def __init__(
        self,
        statements: Iterable[bytes],
        target: _Target,
        verifier: LogVerifier,
        registered: Callable[[Registered], object],
        refused: Callable[[Refused], object],
        progress: Progress | None,
        jitter: Callable[[], float],
        patience: float,
    ) -> None:
        self.journal: Journal | None = None
        self._source: Iterator[tuple[int, bytes]] = enumerate(statements)
        self._total = len(statements) if isinstance(statements, Sized) else 0
        self._again: collections.deque[_Work] = collections.deque()
        self._target = target
        self._verifier = verifier
        self._registered = registered
        self._refused = refused
        self._progress = progress
        self._jitter = jitter
        self._patience = patience
        self._done = 0
        self._heard = 0.0
        self._answered = False

    async def all(self, connections: int) -> None:
        """Work with so many connections until nothing is left; the first error ends everything."""
        self._heard = asyncio.get_running_loop().time()
        lanes = [_Lane(self._target) for _ in range(connections)]
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

    async def _send(self, lane: "_Lane") -> None:
        """Send one statement after the other."""
        attempt = 0
        loop = asyncio.get_running_loop()
        while (work := self._next()) is not None:
            pause: float | None = 0.0
            try:
                connection = lane.connection or await lane.connect()
                pause = self._judge(work, await connection.post(work.data))
            except OSError as error:
                patience = self._patience if self._answered else min(self._patience, FIRST_PATIENCE)
                if loop.time() - self._heard > patience:
                    raise TransportError(
                        f"the intake service at {self._target.host}, port {self._target.port} does not answer "
                        f"({error or 'no answer in time'}): check the address and whether it runs"
                    ) from error
            if pause is None:
                attempt = 0
                continue
            self._again.append(work)
            backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 10))
            attempt += 1
            await asyncio.sleep(max(pause, backoff) * (1 + self._jitter()))

    def _judge(self, work: _Work, answer: _Answer) -> float | None:
        """Take an answer in; return how long to wait where the statement has to be sent again."""
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
            return min(LONGEST_PAUSE, answer.retry_after or 0.0)
        problem = read_problem(answer.body)
        if problem is None:
            raise TransportError(
                f"{self._target.host}, port {self._target.port} answered with status {answer.status} and no reason: "
                "is this an intake service?"
            )
        self._done += 1
        self._refused(Refused(work.position, problem))
        return None

    def _count(self, result: Registered) -> None:
        self._done += 1
        self._registered(result)


class _Lane:
    """One connection at a time, opened again where it broke, shared by several senders."""

    def __init__(self, target: _Target) -> None:
        self.connection: _Connection | None = None
        self._target = target
        self._opening = asyncio.Lock()

    async def connect(self) -> "_Connection":
        """The open connection. Raises OSError when there can be none."""
        async with self._opening:
            if self.connection is None:
                loop = asyncio.get_running_loop()
                make = functools.partial(_Connection, self, self._target.head)
                async with asyncio.timeout(ANSWER_TIMEOUT):
                    _, self.connection = await loop.create_connection(make, self._target.host, self._target.port)
            return self.connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.end(ConnectionResetError("the connection was closed"))


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; answers come in the order of the requests."""

    def __init__(self, lane: _Lane, head: bytes) -> None:
        self._lane = lane
        self._head = head
        self._transport: asyncio.Transport | None = None
        self._waiting: collections.deque[asyncio.Future[_Answer]] = collections.deque()
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(ANSWER_TIMEOUT, self._check)
        self._parser = httptools.HttpResponseParser(self)
        self._retry_after: float | None = None
        self._body: list[bytes] = []
        self._size = 0

    def post(self, body: bytes) -> "asyncio.Future[_Answer]":
        """Send a request; the answer comes later, or OSError when the connection breaks or nothing comes in time."""
        answer = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(ConnectionResetError("the connection was closed"))
            return answer
        if not self._waiting:
            self._heard = self._loop.time()
        self._waiting.append(answer)
        self._transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (self._head, len(body), body))
        return answer

    def end(self, error: OSError) -> None:
        """Close, and tell everyone who waits."""
        self._timer.cancel()
        if self._lane.connection is self:
            self._lane.connection = None
        if self._transport is not None:
            self._transport.abort()
        while self._waiting:
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error)

    def _check(self) -> None:
        """End the connection when an answer is overdue."""
        late = self._loop.time() - self._heard
        if self._waiting and late >= ANSWER_TIMEOUT:
            self.end(TimeoutError("no answer in time"))
        else:
            self._timer = self._loop.call_later(ANSWER_TIMEOUT - late if self._waiting else ANSWER_TIMEOUT, self._check)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.end(ConnectionResetError(f"the answer is not HTTP/1.1: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(exc if isinstance(exc, OSError) else ConnectionResetError("the connection was closed"))

    def on_message_begin(self) -> None:
        self._retry_after = None
        self._body.clear()
        self._size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            with suppress(ValueError):
                self._retry_after = float(max(0, int(value)))

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_ANSWER_SIZE:
            self.end(ConnectionResetError("the answer is too long"))
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        answer = _Answer(self._parser.get_status_code(), self._retry_after, b"".join(self._body))
        if answer.status < 200:
            return
        if self._waiting:
            self._heard = self._loop.time()
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(answer)
        if not self._parser.should_keep_alive():
            self.end(ConnectionResetError("the connection was closed"))
