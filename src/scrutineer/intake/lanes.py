"""Connections to services that take statements over HTTP/1.1, with or without TLS: many requests at a time, bounded answers.

What comes back is never trusted here: an answer has a bounded size and has to come within a bounded time, headers included,
and whatever breaks these rules ends the connection with an OSError that says why.
"""

import asyncio
import collections
import functools
import ssl
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import httptools

from scrutineer.errors import UsageError

ANSWER_TIMEOUT: Final = 30.0  # seconds for one answer
MAX_ANSWER_SIZE: Final = 64 * 1024  # bytes, header and body
_MAX_SECONDS_DIGITS: Final = 9  # of a Retry-After; more are no number that anybody means


class Trust(NamedTuple):
    """Whom a client believes, and who it is, where TLS is spoken. All in PEM."""

    authority: Path | None = None
    """Certificates of the authorities that issue the services' certificates; None: those that the system trusts."""
    certificate: Path | None = None
    """The client's own certificate chain, for services that ask for one (mutual TLS)."""
    key: Path | None = None
    """Private key of `certificate`; None where it is in the same file."""

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer; host names are checked. Raises UsageError for files that cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.authority)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate is not None:
                # A key with a password would ask for it on the terminal, where perhaps nobody sits.
                context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError.
            files = ", ".join(str(path) for path in self if path is not None)
            raise UsageError(f"TLS cannot be set up with {files} ({error}): give PEM files that belong together") from error
        return context


class Target(NamedTuple):
    """A service's address as it is needed for every request."""

    url: str
    host: str
    port: int
    head: bytes
    """The request of a statement up to its length."""
    tls: ssl.SSLContext | None

    @classmethod
    def parse(cls, url: str, trust: Trust | None = None) -> "Target":
        """Read an address. Raises UsageError where it is none, or where what `trust` names cannot be used."""
        try:
            parts = urllib.parse.urlsplit(url)
            host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            host, port, parts = None, 0, urllib.parse.urlsplit("")
        plain = url.isascii() and url.isprintable() and not set(url) & set(" @?#")
        if parts.scheme not in ("http", "https") or not host or not plain:
            raise UsageError(
                f"{url!r} is not the address of an intake service: write it as http://host:port or https://host:port"
            )
        path = parts.path.rstrip("/") + "/entries"
        head = f"POST {path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/cose\r\naccept: application/cose\r\n"
        return cls(url, host, port, head.encode(), (trust or Trust()).context() if parts.scheme == "https" else None)

    def __str__(self) -> str:
        return f"{self.host}, port {self.port}"


class Answer(NamedTuple):
    """What a service answered."""

    status: int
    retry_after: float | None
    """Seconds that it asks to wait; None where it says nothing of it, or nothing that can be read."""
    media_type: bytes
    body: bytes


def read_retry_after(value: bytes) -> float | None:
    """Seconds of a Retry-After field (RFC 9110 section 10.2.3); None for anything but a plain number of them.

    The other form, a date, is passed over: it can be read only by a clock that is right.
    """
    value = value.strip()
    return float(value) if value.isdigit() and len(value) <= _MAX_SECONDS_DIGITS else None


class Lane:
    """One connection at a time, opened again where it broke, shared by several senders."""

    def __init__(self, target: Callable[[], Target], patience: float = ANSWER_TIMEOUT) -> None:
        """`target` says where to when a connection is opened; `patience` is how many seconds each answer may take."""
        self.connection: Connection | None = None
        self._target = target
        self._patience = patience
        self._opening = asyncio.Lock()

    async def connect(self) -> "Connection":
        """The open connection. Raises OSError when there can be none."""
        async with self._opening:
            if self.connection is None:
                loop = asyncio.get_running_loop()
                target = self._target()
                make = functools.partial(Connection, self, target, self._patience)
                try:
                    async with asyncio.timeout(self._patience):
                        _, self.connection = await loop.create_connection(make, target.host, target.port, ssl=target.tls)
                except TimeoutError:
                    raise TimeoutError("no connection in time") from None
                except ssl.SSLCertVerificationError as error:
                    reason = error.verify_message or error.reason
                    raise OSError(
                        f"its certificate is not trusted here: {reason}; where it is by an authority of your own, give that with "
                        "--authority"
                    ) from error
                except UnicodeError as error:
                    raise OSError(f"{target.host!r} cannot be the name of a machine") from error
            return self.connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.end(ConnectionResetError("the connection was closed"))


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; answers come in the order of the requests."""

    def __init__(self, lane: Lane, target: Target, patience: float) -> None:
        self.target = target
        self._lane = lane
        self._patience = patience
        self._transport: asyncio.Transport | None = None
        self._waiting: collections.deque[asyncio.Future[Answer]] = collections.deque()
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(patience, self._check)
        self._parser = httptools.HttpResponseParser(self)
        self._retry_after: float | None = None
        self._media_type = b""
        self._body: list[bytes] = []
        self._body_size = 0
        self._size = 0

    def post(self, body: bytes) -> "asyncio.Future[Answer]":
        """Send a request; the answer comes later, or OSError when the connection breaks or nothing comes in time."""
        answer = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(ConnectionResetError("the connection was closed"))
            return answer
        if not self._waiting:
            self._heard = self._loop.time()
        self._waiting.append(answer)
        self._transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (self.target.head, len(body), body))
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
        if self._transport is None:
            return  # No connection came about, and nobody waits for one any longer.
        late = self._loop.time() - self._heard
        if self._waiting and late >= self._patience:
            self.end(TimeoutError("no answer in time"))
        else:
            self._timer = self._loop.call_later(self._patience - late if self._waiting else self._patience, self._check)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.end(ConnectionResetError(f"the answer is not HTTP/1.1: {error}"))
        if self._size > MAX_ANSWER_SIZE:  # Of one answer: `on_message_complete` begins to count anew.
            self.end(ConnectionResetError("the answer is too long"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of asyncio.Protocol."""
        self.end(exc if isinstance(exc, OSError) else ConnectionResetError("the connection was closed"))

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._retry_after = None
        self._media_type = b""
        self._body.clear()
        self._body_size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        name = name.lower()
        if name == b"retry-after":
            self._retry_after = read_retry_after(value)
        elif name == b"content-type":
            self._media_type = value.partition(b";")[0].strip().lower()

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body.append(body)
        self._body_size += len(body)
        if self._body_size > MAX_ANSWER_SIZE:  # Also when all of it came at once.
            self.end(ConnectionResetError("the answer is too long"))

    def on_message_complete(self) -> None:
        """Called by the parser."""
        answer = Answer(self._parser.get_status_code(), self._retry_after, self._media_type, b"".join(self._body))
        if answer.status < 200:
            return
        self._size = 0
        if not self._waiting:
            self.end(ConnectionResetError("there came an answer that nobody had asked for"))
            return
        self._heard = self._loop.time()
        waiting = self._waiting.popleft()
        if not waiting.done():
            waiting.set_result(answer)
        if not self._parser.should_keep_alive():
            self.end(ConnectionResetError("the connection was closed"))
