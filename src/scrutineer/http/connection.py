"""HTTP/1.1 on one connection: parsing by httptools (llhttp), answers in the order of the requests, limits on everything.

A small protocol of its own instead of an ASGI server: see docs/decisions/intake-http.md for the measurements.
"""

import asyncio
import collections
from typing import Final

import httptools

from scrutineer.http.connections import MAX_BODY_SIZE as MAX_BODY_SIZE
from scrutineer.http.connections import OVERFLOW
from scrutineer.http.connections import Connections as Connections
from scrutineer.http.forwarded import client_of
from scrutineer.http.messages import Done as Done
from scrutineer.http.messages import Handler as Handler
from scrutineer.http.messages import Note as Note
from scrutineer.http.messages import Request as Request
from scrutineer.http.messages import Response as Response
from scrutineer.http.messages import problem_response as problem_response
from scrutineer.http.problems import Problem

MAX_HEADER_SIZE: Final = 16 * 1024  # bytes; request target and header fields
MAX_FIELDS: Final = 100  # header fields of a request, trailers among them
MAX_FRAMING_SIZE: Final = 48 * 1024  # bytes of a request beside its body: what the parser keeps or drops unseen counts here
PIECE: Final = 1024  # bytes given to the parser at a time, so that what it keeps can be counted, and others get their turn
MAX_PIPELINED: Final = 32  # unanswered requests on one connection, or answered in one turn; more wait
REQUEST_TIMEOUT: Final = 20.0  # seconds for a request to arrive whole, or for an answer to be taken
IDLE_TIMEOUT: Final = 120.0  # seconds that a connection may stay open without a request
CROWDED_TIMEOUT: Final = 5.0  # seconds, instead of either, while most places for connections are taken
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


class _Exchange:
    """A request that waits for its answer, or for its turn to be answered."""

    __slots__ = ("connection", "head_only", "last", "peer", "response", "size")

    def __init__(self, connection: "Connection", head_only: bool, last: bool, peer: str, size: int) -> None:
        self.connection = connection
        self.head_only = head_only
        self.last = last
        self.peer = peer
        self.size = size  # of the body, in bytes
        self.response: Response | None = None

    def done(self, response: Response) -> None:
        self.response = response
        self.connection.answered(self.size, response.reason, self.peer)


class Connection(asyncio.BufferedProtocol):
    """One client's connection."""

    __slots__ = (
        "_answered",
        "_body",
        "_deadline",
        "_ended",
        "_exchanges",
        "_fields",
        "_forwarded",
        "_framing",
        "_header_size",
        "_hosts",
        "_media_type",
        "_parser",
        "_partial",
        "_paused",
        "_peer",
        "_receiving",
        "_refusal",
        "_rest",
        "_scheduled",
        "_shared",
        "_size",
        "_stopped",
        "_target",
        "_transport",
        "_trusted",
        "_turn",
        "_writable",
    )

    _body: bytes | bytearray
    _framing: int

    def __init__(self, shared: Connections) -> None:
        self._shared = shared
        self._parser = httptools.HttpRequestParser(self)
        self._exchanges: collections.deque[_Exchange] = collections.deque()
        self._deadline = shared.now + IDLE_TIMEOUT
        self._answered = float("-inf")  # When the last answer was written.
        self._peer = ""
        self._trusted = False  # The peer is a proxy that is believed who its clients are.
        self._partial = 0  # Bytes of a request that has not arrived whole, and of those that have not been parsed.
        self._stopped = False  # No further request is read.
        self._receiving = False  # A request has begun to arrive and is not whole.
        self._ended = False  # The client has closed its side.
        self._writable = True
        self._paused = False
        self._rest = b""  # What was read and not parsed, for others have their turn or the answers are not taken.
        self._scheduled = False  # The rest has its turn soon.
        self._turn = 0  # Requests that were whole in this turn of the event loop.
        self.on_message_begin()
        self._receiving = False

    # The connection's life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        shared = self._shared
        self._peer = host_of_name(transport.get_extra_info("peername"))
        self._trusted = shared.trusts(self._peer)
        problem = shared.join(self, self._peer, self._trusted)
        if len(shared.open) > shared.limit + OVERFLOW:
            self.note("queue-full", self._peer)
            self.abort()
        elif problem is not None:
            self._reject(problem)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Part of asyncio.Protocol. What this client was to be told stays in the log; it may ask again."""
        self._stopped = True
        self._keep_partial(0)
        self._body = self._rest = b""
        self._shared.part(self, self._peer)
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
        if waiting:
            return
        deadline = self._deadline
        if self._shared.crowded and not self._stopped:
            deadline -= (REQUEST_TIMEOUT if self._receiving or not self._writable else IDLE_TIMEOUT) - CROWDED_TIMEOUT
        if self._shared.now < deadline:
            return
        if self._receiving and not self._stopped and self._writable:
            self._reject(Problem("too-slow", f"the request did not arrive whole within {REQUEST_TIMEOUT:.0f} seconds"))
        else:
            self.abort()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    @property
    def unfinished(self) -> tuple[int, float]:
        """How much has arrived and waits, in bytes, and for how long, as seconds that grow."""
        return self._partial, -self._deadline

    def shed(self) -> None:
        """Give up a request that is not whole, so that there is room for others."""
        if (self._receiving or self._rest) and not self._stopped:
            self._reject(Problem("queue-full", "too many requests are on their way: send this one again a little later"))

    def note(self, reason: str, peer: str) -> None:
        """Pass on why a request of a client was answered as it was."""
        if self._shared.note is not None:
            self._shared.note(reason, peer)

    def answered(self, size: int, reason: str, peer: str) -> None:
        """A request with a body of some size has its answer."""
        self._shared.held -= size
        if reason:
            self.note(reason, peer)
        self.flush()

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

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Part of asyncio.BufferedProtocol. It is emptied at once, so that one is enough for all connections."""
        return self._shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Part of asyncio.BufferedProtocol."""
        data = bytes(self._shared.buffer[:nbytes])
        if self._rest:
            self._rest += data
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Parse what has arrived, as much of it as one turn is for."""
        self._turn = 0
        if len(data) <= PIECE and not self._blocked:
            self._feed(data)
        else:
            self._feed_some(data)
        if not self._stopped and (self._receiving or self._rest or self._partial):
            # It counts only while it keeps the service waiting: requests that arrive whole are never turned away for others.
            self._keep_partial(len(self._rest) + (max(self._framing, len(self._body)) if self._receiving else 0))
            if self._shared.partial > self._shared.max_partial:
                self._shared.shed_partial()
        if self._rest or self._paused:
            self._regulate()

    def _feed_some(self, data: bytes) -> None:
        for at in range(0, len(data), PIECE):
            if self._stopped:
                break
            if self._turn >= MAX_PIPELINED or self._blocked:
                self._rest = data[at:]
                break
            self._feed(data[at : at + PIECE])

    def _go_on(self) -> None:
        """Parse what was left for another turn."""
        self._scheduled = False
        rest, self._rest = self._rest, b""
        self._take(rest)

    def _feed(self, data: bytes) -> None:
        if self._stopped:
            return
        self._framing += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # The request has been refused when it was whole, and was the last one.
        except httptools.HttpParserError as error:
            if not self._stopped:
                self._reject(Problem("malformed-request", f"not HTTP/1.1 ({error}): check the client"))
        if self._receiving and not self._stopped:
            self._framing = self._framing or len(data)  # It began in this piece, nobody knows where.
            if self._framing - self._size > MAX_FRAMING_SIZE:
                self._reject(Problem("headers-too-large", f"the request has more than {MAX_FRAMING_SIZE} bytes beside its body"))

    def on_message_begin(self) -> None:
        """Part of httptools: a request begins."""
        self._target = b""
        self._media_type = b""
        self._body = b""
        self._size = 0
        self._header_size = 0
        self._framing = 0
        self._fields = 0
        self._hosts = 0
        self._forwarded = b""
        self._refusal: Problem | None = None
        self._receiving = True
        self._deadline = self._shared.now + REQUEST_TIMEOUT

    def on_url(self, url: bytes) -> None:
        """Part of httptools: some of the request target."""
        self._target += url
        self._header_size += len(url)
        if self._header_size > MAX_HEADER_SIZE:
            self._refuse_header()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Part of httptools: a header field."""
        self._fields += 1
        self._header_size += len(name) + len(value) + 4
        if self._fields > MAX_FIELDS or self._header_size > MAX_HEADER_SIZE:
            self._refuse_header()
        take = _TAKE.get(name.lower())
        if take is not None and not self._stopped:
            take(self, value)

    def take_type(self, value: bytes) -> None:
        """Content-Type."""
        self._media_type = value.partition(b";")[0].strip().lower()

    def take_host(self, value: bytes) -> None:  # noqa: ARG002
        """Host."""
        self._hosts += 1

    def take_length(self, value: bytes) -> None:
        """Content-Length."""
        if len(value) < 20 and value.isdigit() and int(value) > self._shared.max_body:
            self._refusal = _too_large(self._shared.max_body)

    def take_content_encoding(self, value: bytes) -> None:
        """Content-Encoding: nothing is unpacked here, so nothing can grow."""
        if value.strip().lower() != b"identity":
            self._refusal = Problem("content-encoding", "bodies are taken as they are: send this one without a content encoding")

    def take_transfer_encoding(self, value: bytes) -> None:
        """Transfer-Encoding."""
        if value.strip().lower() != b"chunked":
            self._reject(Problem("malformed-request", "no transfer encoding but 'chunked' is taken"))

    def take_forwarded(self, value: bytes) -> None:
        """X-Forwarded-For."""
        if self._trusted:
            self._forwarded = self._forwarded + b"," + value if self._forwarded else value

    def take_expect(self, value: bytes) -> None:
        """Expect."""
        welcome = self._refusal is None and not self._exchanges
        if welcome and value.lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Part of httptools: some of the body."""
        self._size += len(body)
        if self._size > self._shared.max_body:
            # The rest is not kept. A little is read to its end, so that the client sees the refusal and may go on.
            self._refusal = _too_large(self._shared.max_body)
            self._body = b""
            self._keep_partial(0)
            if self._size > 16 * self._shared.max_body:
                self._reject(self._refusal)
        elif not self._stopped and self._refusal is None:
            if not self._body:
                self._body = body
                return
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += body

    def on_message_complete(self) -> None:
        """Part of httptools: the request is whole."""
        self._receiving = False
        self._turn += 1
        self._keep_partial(0)
        shared = self._shared
        self._deadline = shared.now + IDLE_TIMEOUT
        if self._stopped:
            return
        parser = self._parser
        method = parser.get_method()
        last = not parser.should_keep_alive() or shared.closing
        if self._hosts != 1 and parser.get_http_version() == "1.1":
            self._refusal = Problem("malformed-request", f"the request has {self._hosts} Host header fields: send one")
            last = True
        if parser.should_upgrade():
            self._refusal = Problem("malformed-request", "this service does not switch protocols: send plain HTTP/1.1")
            last = True
        size = self._size if self._refusal is None else 0
        if shared.held + size > shared.max_held:
            self._refusal = Problem("queue-full", "too many bodies wait for their answers: send this one again a little later")
            size = 0
        peer = client_of(self._peer, self._forwarded, shared.proxies) if self._forwarded else self._peer
        exchange = _Exchange(self, method == b"HEAD", last, peer, size)
        self._exchanges.append(exchange)
        if last:
            self._stopped = True
        body, self._body = self._body, b""
        if self._refusal is not None:
            exchange.done(shared.refuse(self._refusal))
            return
        shared.held += size
        path = self._target.partition(b"?")[0]
        request = Request(method, path, self._media_type, bytes(body), peer)
        try:
            shared.handler(request, exchange.done)
        except Exception as error:  # A fault of ours, which httptools would take for one of the client's.
            asyncio.get_running_loop().call_exception_handler({"message": "a request was not answered", "exception": error})
            if exchange.response is None:
                exchange.done(shared.refuse(Problem("check-failed", "this request could not be answered: tell the operator")))
        if len(self._exchanges) >= MAX_PIPELINED:
            self._regulate()

    def _refuse_header(self) -> None:
        if not self._stopped:
            limits = f"{MAX_HEADER_SIZE} bytes, {MAX_FIELDS} fields"
            self._reject(Problem("headers-too-large", f"target and header fields are more than is taken ({limits})"))

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
        self._keep_partial(0)
        self._body = self._rest = b""
        exchange = _Exchange(self, False, True, self._peer, 0)
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

    def _keep_partial(self, size: int) -> None:
        """Say how many bytes are here that wait."""
        self._shared.partial += size - self._partial
        self._partial = size

    @property
    def _blocked(self) -> bool:
        """Whether the client has too much unanswered or untaken."""
        return not self._writable or len(self._exchanges) >= MAX_PIPELINED

    def _regulate(self) -> None:
        """Stop reading from a client that has too much unanswered or untaken; go on when it has less."""
        blocked = self._blocked
        if self._rest and not blocked and not self._scheduled:
            self._scheduled = True
            self._shared.soon(self._go_on)
        pause = blocked or bool(self._rest)
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()


_TAKE: Final = {
    b"content-type": Connection.take_type,
    b"host": Connection.take_host,
    b"content-length": Connection.take_length,
    b"content-encoding": Connection.take_content_encoding,
    b"transfer-encoding": Connection.take_transfer_encoding,
    b"x-forwarded-for": Connection.take_forwarded,
    b"expect": Connection.take_expect,
}
"""What is done with the header fields that mean something here."""


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"the body is longer than {limit} bytes: nothing that this service takes is so long")


def host_of_name(peer: object) -> str:
    """The address in a peer's name as sockets give it; empty for sockets of other kinds."""
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""
