"""The HTTP interface of a relay. A station speaks to it as to an intake service; one more answer is possible, "held".

    POST /entries            one statement (application/cose): 200 with the log's receipt where the relay has it already; 202
                             once it is on the relay's disk; or a refusal
    POST /statements         the same, and also a bundle (application/vnd.scrutineer.bundle) of up to 256 statements, taken whole
                             or not at all. The answer is a bundle of the receipts that are there: 202 while any statement
                             waits, 200 once none does. Where there is no receipt, 202 as for one statement, or the reason
                             where the log refused all of them. The field `scrutineer-bundle` says for how many what is the case
    GET  /receipts/{hash}    200 with the receipt; 404 with `not-recorded-yet` and Retry-After while the statement waits, with
                             `not-found` where the relay does not have it; or the reason for which the log refused it
    GET  /health             one line

202 is no receipt. Its body says so in plain words, and `Retry-After` when it is worth asking again.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import uvloop

from scrutineer.errors import ScrutineerError, StatementError
from scrutineer.http import Address, Connections, Done, Port, Problem, Request, Response, Tls, drain, problem_response
from scrutineer.http.port import date_field, stop_on_signals
from scrutineer.http.problems import RETRY_AFTER, problem_of
from scrutineer.station.bundle import Bundle, decode_bundle, encode_bundle
from scrutineer.station.relay import Answer, Kept, Relay

MAX_CONNECTIONS: Final = 512
MAX_BODY: Final = 256 * 1024  # bytes; what 512 connections send at a time then stays below 128 MiB
MAX_POSTED: Final = 256  # statements of one posted bundle; each is checked before anybody else is answered
CLOSING_GRACE: Final = 2.0  # seconds that clients have to read their last answer when the relay stops

STATEMENT_TYPE: Final = b"application/cose"
BUNDLE_TYPE: Final = b"application/vnd.scrutineer.bundle"
HELD: Final = b"held, not recorded: this relay keeps the statement and forwards it; ask again for the log's receipt\n"

_ENTRIES: Final = b"/entries"
_STATEMENTS: Final = b"/statements"
_RECEIPTS: Final = (b"/receipts/", b"/entries/")
_HEALTH: Final = b"/health"
_PLAIN: Final = b"content-type: text/plain; charset=utf-8\r\n"
_BUNDLE: Final = b"content-type: " + BUNDLE_TYPE + b"\r\n"
_RETRY: Final = b"retry-after: %d\r\n" % RETRY_AFTER["not-recorded-yet"]
_NO_STORE: Final = b"cache-control: no-store\r\n"
_FOR_EVER: Final = b"cache-control: public, max-age=31536000, immutable\r\n"

Forward = Callable[[asyncio.Event], Awaitable[None]]
"""Sends what the relay holds until it is cancelled; the event says that something new was taken."""


class RelayService:
    """Runs a relay on a port, and beside it whatever forwards. `run` blocks; `stop` may be called from another thread."""

    def __init__(
        self,
        relay: Relay,
        *,
        forward: Forward | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Tls | None = None,
        ready: Callable[[Address], object] | None = None,
        tick: Callable[[], object] | None = None,
    ) -> None:
        """`ready` hears the address once it is listened to; `tick` is called each second."""
        self._relay = relay
        self._forward = forward
        self._host = host
        self._port = port
        self._tls = tls
        self._ready = ready
        self._tick = tick
        self._new = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stop_early = threading.Event()

    def run(self) -> None:
        """Serve until `stop` is called or SIGTERM or SIGINT arrives (in the main thread).

        What was taken is written before it ends. Raises UsageError when the address cannot be had, and StoreError when the store
        failed: what was answered with "held" is on the disk, and the next start goes on with it.
        """
        uvloop.run(self._serve())

    def stop(self) -> None:
        """Ask the service to stop; returns at once."""
        self._stop_early.set()
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and not loop.is_closed():
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)

    def handle(self, request: Request, done: Done) -> None:
        """Answer one request; `done` gets the response now or later."""
        method, path, media_type, body, peer = request
        if path in (_ENTRIES, _STATEMENTS):
            if method != b"POST":
                done(_refuse("method-not-allowed", "statements are sent with POST", b"allow: POST\r\n"))
            elif media_type == STATEMENT_TYPE:
                self._relay.take(body, peer, lambda answer: self._answer(answer, done))
            elif media_type == BUNDLE_TYPE and path == _STATEMENTS:
                self._take_bundle(body, peer, done)
            else:
                done(_refuse("media-type", "send a statement as application/cose, or a bundle to /statements"))
        elif path == _HEALTH or path.startswith(_RECEIPTS):
            if method not in (b"GET", b"HEAD"):
                done(_refuse("method-not-allowed", "this resource is only read, with GET", b"allow: GET, HEAD\r\n"))
            elif path == _HEALTH:
                done(self._health())
            else:
                done(self._receipt(path.rpartition(b"/")[2]))
        else:
            done(_refuse("not-found", "there is no such resource: statements are sent to /entries or /statements"))

    def _answer(self, answer: Answer, done: Done) -> None:
        if isinstance(answer, Kept) and answer.receipt is None and answer.problem is None:
            self._new.set()
            done(Response(202, _PLAIN + _RETRY + b"location: /receipts/%b\r\n" % answer.leaf.hex().encode(), HELD, "held"))
        else:
            done(_told(answer))
        self._end_if_failed()

    def _take_bundle(self, body: bytes, peer: str, done: Done) -> None:
        try:
            bundle = decode_bundle(body)
            if bundle.contents != "statements" or len(bundle.entries) > MAX_POSTED:
                raise StatementError(f"a relay takes bundles of up to {MAX_POSTED} statements: send several")
            kept = [self._relay.find(name) for name in bundle.names]
        except ScrutineerError as error:
            done(problem_response(problem_of(error)))
            return
        new = [data for data, one in zip(bundle.entries, kept, strict=True) if one is None]
        if not new:
            done(_bundle_told(bundle, kept))
            return

        def taken(problem: Problem | None) -> None:
            if problem is None:
                self._new.set()
                done(_bundle_told(bundle, kept))
            else:
                done(problem_response(problem))
            self._end_if_failed()

        self._relay.take_all(new, peer, taken)

    def _receipt(self, name: bytes) -> Response:
        if len(name) != 64 or name.strip(b"0123456789abcdef"):
            return _refuse("not-found", "a receipt is asked for by the statement's hash: 64 hexadecimal digits", _NO_STORE)
        try:
            kept = self._relay.find(bytes.fromhex(name.decode()))
        except ScrutineerError as error:
            return _refuse("store-failed", f"the receipt cannot be read: {error}", _NO_STORE)
        if kept is None:
            return _refuse("not-found", "this relay does not have a statement with this hash", _NO_STORE)
        if kept.receipt is None and kept.problem is None:
            return _refuse("not-recorded-yet", "held, not recorded: the log has not given a receipt yet", _NO_STORE)
        return _told(kept)

    def _health(self) -> Response:
        if self._relay.failure is not None:
            return _refuse("store-failed", f"nothing can be kept: {self._relay.failure}", _NO_STORE)
        return Response(200, _PLAIN + _NO_STORE, b"relay: takes statements, records none\n")

    def _end_if_failed(self) -> None:
        if self._relay.failure is not None and self._stop is not None:
            self._stop.set()

    async def _serve(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        stop = self._stop = asyncio.Event()
        if self._stop_early.is_set():
            return
        connections = Connections(self.handle, time.monotonic, MAX_CONNECTIONS, max_body=MAX_BODY)
        connections.sweep(date_field())
        port = await Port.open(connections, self._host, self._port, self._tls)
        stop_on_signals(stop)
        writing = loop.create_task(self._relay.run())
        beside = [loop.create_task(self._keep(connections))]
        if self._forward is not None:
            beside.append(loop.create_task(self._forward_on(self._forward)))
        for task in (writing, *beside):
            task.add_done_callback(lambda _: stop.set())
        try:
            if self._ready is not None:
                self._ready(port.address)
            await stop.wait()
        finally:
            port.close()
            self._relay.stop()
            await asyncio.wait([writing])
            for task in beside:
                task.cancel()
            ended = await asyncio.gather(*beside, return_exceptions=True)
            await drain(connections, CLOSING_GRACE)
        if self._relay.failure is not None:
            raise self._relay.failure
        writing.result()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _forward_on(self, forward: Forward) -> None:
        await forward(self._new)

    async def _keep(self, connections: Connections) -> None:
        """Once a second: the date, slow connections, and what the caller does."""
        while True:
            await asyncio.sleep(1)
            connections.sweep(date_field())
            self._end_if_failed()
            if self._tick is not None:
                self._tick()


def _told(answer: Answer) -> Response:
    """What the log said of a statement, or why the relay does not take it."""
    if isinstance(answer, Kept):
        if answer.receipt is not None:
            return Response(200, b"content-type: application/cose\r\n" + _FOR_EVER, answer.receipt)
        answer = answer.problem or Problem("not-recorded-yet", "held, not recorded")
    return problem_response(answer)


def _bundle_told(bundle: Bundle, kept: Sequence[Kept | None]) -> Response:
    """What the log said of a bundle's statements; those of which nothing is known (None) wait."""
    receipts = [(one.leaf, one.receipt) for one in kept if one is not None and one.receipt is not None]
    refused = [one.problem for one in kept if one is not None and one.receipt is None and one.problem is not None]
    waiting = len(kept) - len(receipts) - len(refused)
    reasons = ", ".join(f"{count} {code}" for code, count in sorted(Counter(problem.code for problem in refused).items()))
    words = f"{len(receipts)} recorded, {waiting} waiting, {len(refused)} refused" + (f" ({reasons})" if refused else "")
    field = b"scrutineer-bundle: %b\r\n" % words.encode()
    if not receipts and not waiting:
        first = refused[0]
        detail = f"the log refused all {len(refused)} statements ({reasons}); the first: {first.detail}"
        return problem_response(Problem(first.code, detail), field)
    status, fields, reason = (202, _RETRY + field, "held") if waiting else (200, field, "")
    if receipts:
        return Response(status, _BUNDLE + fields, encode_bundle(Bundle.of_receipts(bundle.election, receipts)), reason)
    return Response(status, _PLAIN + fields, HELD + f"{words}\n".encode(), reason)


def _refuse(code: str, detail: str, fields: bytes = b"") -> Response:
    return problem_response(Problem(code, detail), fields)
