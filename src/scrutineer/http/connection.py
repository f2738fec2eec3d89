"""HTTP/1.1 on one connection: parsing by httptools (llhttp), answers in the order of the requests, limits on everything.

A small protocol of its own instead of an ASGI server: see docs/decisions/intake-http.md for the measurements.
"""

import asyncio
import collections
from collections.abc import Callable
from typing import Final, NamedTuple

import httptools

from scrutineer.http.problems import MEDIA_TYPE, Problem

MAX_BODY_SIZE: Final = 64 * 1024  # bytes
MAX_HEADER_SIZE: Final = 16 * 1024  # bytes; request target and header fields
MAX_PIPELINED: Final = 32  # unanswered requests on one connection; more wait in the socket
REQUEST_TIMEOUT: Final = 20.0  # seconds for a request to arrive whole, or for an answer to be taken
IDLE_TIMEOUT: Final = 120.0  # seconds that a connection may stay open without a request
LINGER_TIMEOUT: Final = 5.0  # seconds to let a client read its refusal before the connection is cut

_PHRASES: Final = {
    200: b"OK",
    201: b"Created",
    202: b"Accepted",
    400: b"Bad Request",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    409: b"Conflict",
    413: b"Content Too Large",
    415: b"Unsupported Media Type",
    422: b"Unprocessable Content",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


class Request(NamedTuple):
    """A whole request: method, path (still percent-encoded, without the query), media type in lower case, body, and from where.

    `peer` is the address at the other end of the connection, without its port.
    """

    method: bytes
    path: bytes
    media_type: bytes
    body: bytes
    peer: str = ""


class Response(NamedTuple):
    """Status, header fields as they go out (each ended by CRLF; length and date are added), body.

    `reason` is the code of a refusal, or another word for what is worth noting about the request; empty for everything usual.
    """

    status: int
    fields: bytes
    body: bytes
    reason: str = ""


Done = Callable[[Response], object]
Handler = Callable[[Request, Done], object]
Refuse = Callable[[Problem], Response]
Note = Callable[[str, str], object]  # the reason of an answer, the client's address


def problem_response(problem: Problem, fields: bytes = b"") -> Response:
    """A refusal as a response."""
    if problem.retry_after is not None:
        fields += b"retry-after: %d\r\n" % problem.retry_after
    return Response(problem.status, fields + b"content-type: " + MEDIA_TYPE.encode() + b"\r\n", problem.encode(), problem.code)


class Connections:
    """What all connections of a server share: who answers, who is connected, and the current Date header field."""

    def __init__(
        self,
        handler: Handler,
        clock: Callable[[], float],
        limit: int = 10_000,
        *,
        refuse: Refuse = problem_response,
        max_body: int = MAX_BODY_SIZE,
        note: Note | None = None,
    ) -> None:
        """`clock` tells the time for timeouts, in seconds; `limit` is how many clients may be connected at a time.

        `refuse` words the answer to what never reaches the handler; `max_body` is how many bytes a body may have; `note` hears
        of every answer that has a reason, whether or not the client still takes it.
        """
        self.handler = handler
        self.limit = limit
        self.refuse = refuse
        self.max_body = max_body
        self.note = note
        self.clock = clock
        self.now = clock()
        self.open: set[Connection] = set()
        self.date_field = b""
        self.closing = False

    def sweep(self, date_field: bytes) -> None:
        """Once a second: renew the date, cut connections that are too slow or idle."""
        self.date_field = date_field
        self.now = self.clock()
        for connection in list(self.open):
            connection.sweep()

    def close(self) -> None:
        """Close every connection once it has its answers."""
        self.closing = True
        for connection in list(self.open):
            connection.close_when_answered()

    def abort(self) -> None:
        """Cut every connection."""
        for connection in list(self.open):
            connection.abort()


class _Exchange:
    """A request that waits for its answer, or for its turn to be answered."""

    __slots__ = ("connection", "head_only", "last", "response")

    def __init__(self, connection: "Connection", head_only: bool, last: bool) -> None:
        self.connection = connection
        self.head_only = head_only
        self.last = last
        self.response: Response | None = None

    def done(self, response: Response) -> None:
        self.response = response
        if response.reason:
            self.connection.note(response.reason)
        self.connection.flush()


class Connection(asyncio.Protocol):
    """One client's connection."""

    __slots__ = (
        "_answered",
        "_body",
        "_deadline",
        "_ended",
        "_exchanges",
        "_header_size",
        "_hosts",
        "_media_type",
        "_parser",
        "_paused",
        "_peer",
        "_receiving",
        "_refusal",
        "_shared",
        "_size",
        "_stopped",
        "_target",
        "_transport",
        "_writable",
    )

    def __init__(self, shared: Connections) -> None:
        self._shared = shared
        self._parser = httptools.HttpRequestParser(self)
        self._exchanges: collections.deque[_Exchange] = collections.deque()
        self._deadline = shared.now + IDLE_TIMEOUT
        self._answered = float("-inf")  # When the last answer was written.
        self._peer = ""
        self._stopped = False  # No further request is read.
        self._receiving = False  # A request has begun to arrive and is not whole.
        self._ended = False  # The client has closed its side.
        self._writable = True
        self._paused = False
        self.on_message_begin()
        self._receiving = False

    # The connection's life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._peer = _host_of(transport.get_extra_info("peername"))
        self._shared.open.add(self)
        if len(self._shared.open) > self._shared.limit:
            self._reject(Problem("queue-full", f"{self._shared.limit} clients are connected: try again a little later"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Part of asyncio.Protocol. What this client was to be told stays in the log; it may ask again."""
        self._stopped = True
        self._shared.open.discard(self)
        self._exchanges.clear()

    def eof_received(self) -> bool:
        """Part of asyncio.Protocol: the client sends no more; what it asked is still answered."""
        self._stopped = self._ended = True
        if self._exchanges:
            self._exchanges[-1].last = True
            return True
        return False

    def pause_writing(self) -> None:
        """Part of asyncio.Protocol: the client does not take its answers, so it may not ask either."""
        self._writable = False
        self._deadline = self._shared.now + REQUEST_TIMEOUT
        self._regulate()

    def resume_writing(self) -> None:
        """Part of asyncio.Protocol."""
        self._writable = True
        self._regulate()

    def sweep(self) -> None:
        """Cut the connection where it is too slow."""
        waiting = self._exchanges and self._writable
        if waiting or self._shared.now < self._deadline:
            return
        if self._receiving and not self._stopped and self._writable:
            self._reject(Problem("too-slow", f"the request did not arrive whole within {REQUEST_TIMEOUT:.0f} seconds"))
        else:
            self._transport.abort()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def note(self, reason: str) -> None:
        """Pass on why a request of this client was answered as it was."""
        if self._shared.note is not None:
            self._shared.note(reason, self._peer)

    def close_when_answered(self) -> None:
        """Read no more requests; close after the last answer."""
        if self._exchanges:
            self._stopped = True
            self._exchanges[-1].last = True
        elif not self._stopped:
            # An answer may still be on its way, and the client's next request unread: see `_linger`.
            if self._shared.now - self._answered < LINGER_TIMEOUT:
                self._linger()
            else:
                self._transport.close()

    # Reading

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        if self._stopped:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._reject(Problem("malformed-request", "this service does not switch protocols: send plain HTTP/1.1"))
        except httptools.HttpParserError as error:
            if not self._stopped:
                self._reject(Problem("malformed-request", f"not HTTP/1.1 ({error}): check the client"))

    def on_message_begin(self) -> None:
        """Part of httptools: a request begins."""
        self._target = b""
        self._media_type = b""
        self._body: list[bytes] = []
        self._size = 0
        self._header_size = 0
        self._hosts = 0
        self._refusal: Problem | None = None
        self._receiving = True
        self._deadline = self._shared.now + REQUEST_TIMEOUT

    def on_url(self, url: bytes) -> None:
        """Part of httptools: some of the request target."""
        self._target += url
        self._check_header_size(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Part of httptools: a header field."""
        self._check_header_size(len(name) + len(value))
        name = name.lower()
        if name == b"content-type":
            self._media_type = value.partition(b";")[0].strip().lower()
        elif name == b"host":
            self._hosts += 1
        elif name == b"content-length" and len(value) < 20 and value.isdigit() and int(value) > self._shared.max_body:
            self._refusal = _too_large(self._shared.max_body)
        elif name == b"expect" and value.lower() == b"100-continue" and self._refusal is None and not self._exchanges:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Part of httptools: some of the body."""
        self._size += len(body)
        if self._size > self._shared.max_body:
            # The rest is not kept. A little is read to its end, so that the client sees the refusal and may go on.
            self._refusal = _too_large(self._shared.max_body)
            self._body.clear()
            if self._size > 16 * self._shared.max_body:
                self._reject(self._refusal)
        elif not self._stopped:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Part of httptools: the request is whole."""
        self._receiving = False
        self._deadline = self._shared.now + IDLE_TIMEOUT
        if self._stopped:
            return
        parser = self._parser
        method = parser.get_method()
        last = not parser.should_keep_alive() or self._shared.closing
        if self._hosts != 1 and parser.get_http_version() == "1.1":
            self._refusal = Problem("malformed-request", f"the request has {self._hosts} Host header fields: send one")
            last = True
        exchange = _Exchange(self, method == b"HEAD", last)
        self._exchanges.append(exchange)
        if last:
            self._stopped = True
        if self._refusal is not None:
            exchange.done(self._shared.refuse(self._refusal))
            return
        path = self._target.partition(b"?")[0]
        body = self._body
        request = Request(method, path, self._media_type, body[0] if len(body) == 1 else b"".join(body), self._peer)
        self._shared.handler(request, exchange.done)
        if len(self._exchanges) >= MAX_PIPELINED:
            self._regulate()

    def _check_header_size(self, size: int) -> None:
        self._header_size += size
        if self._header_size > MAX_HEADER_SIZE and not self._stopped:
            self._reject(Problem("headers-too-large", f"target and header fields are longer than {MAX_HEADER_SIZE} bytes"))

    # Writing

    def flush(self) -> None:
        """Write the answers that are there, in the order of the requests."""
        exchanges = self._exchanges
        shared = self._shared
        while exchanges and (response := exchanges[0].response) is not None:
            exchange = exchanges.popleft()
            status, fields, body, _ = response
            last = exchange.last
            self._answered = shared.now
            self._transport.write(
                b"HTTP/1.1 %d %b\r\n%b%b%bcontent-length: %d\r\n\r\n%b"
                % (
                    status,
                    _PHRASES[status],
                    shared.date_field,
                    b"connection: close\r\n" if last else b"",
                    fields,
                    len(body),
                    b"" if exchange.head_only else body,
                )
            )
            if last:
                self._linger()
                return
        if self._paused:
            self._regulate()

    def _reject(self, problem: Problem) -> None:
        """Answer something that is not a request in good order, after what came before it, and read no further."""
        self._stopped = True
        self._receiving = False
        exchange = _Exchange(self, head_only=False, last=True)
        self._exchanges.append(exchange)
        exchange.done(self._shared.refuse(problem))

    def _linger(self) -> None:
        """Close, but let the client read: closing at once, with input unread, would reset the connection under the answer."""
        self._stopped = True
        self._exchanges.clear()
        self._deadline = self._shared.now + LINGER_TIMEOUT
        if self._ended or not self._transport.can_write_eof():
            # TLS says goodbye by itself when it is closed, and reads what is still on its way meanwhile.
            self._transport.close()
        else:
            self._transport.write_eof()

    def _regulate(self) -> None:
        """Stop reading from a client that has too much unanswered or untaken; go on when it has less."""
        pause = not self._writable or len(self._exchanges) >= MAX_PIPELINED
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"the body is longer than {limit} bytes: nothing that this service takes is so long")


def _host_of(peer: object) -> str:
    """The host of a peer name as sockets give it; empty for those of other kinds."""
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""
