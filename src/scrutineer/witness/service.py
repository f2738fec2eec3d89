"""The HTTP interface of a witness (C2SP tlog-witness 1.0.0): `POST /add-checkpoint`, and one line at `GET /health`."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Final

import uvloop

from scrutineer.http.connection import Connections, Done, Request, Response
from scrutineer.http.port import Port, date_field, drain, stop_on_signals
from scrutineer.http.problems import Problem
from scrutineer.witness.rules import MAX_REQUEST_SIZE
from scrutineer.witness.witness import Answer, Witness

MAX_CONNECTIONS: Final = 256
CLOSING_GRACE: Final = 2.0  # seconds that clients have to read their last answer when the service stops

_PATH: Final = b"/add-checkpoint"
_HEALTH: Final = b"/health"
_PLAIN: Final = b"content-type: text/plain; charset=utf-8\r\n"


class WitnessService:
    """Runs a witness on a port. `run` blocks; `stop` may be called from another thread."""

    def __init__(
        self,
        witness: Witness,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ready: Callable[[str], object] | None = None,
        report: Callable[[Answer], object] | None = None,
        tick: Callable[[], object] | None = None,
    ) -> None:
        """`ready` hears the URL once it is listened to, `report` every answer to a checkpoint, `tick` is called each second."""
        self._witness = witness
        self._host = host
        self._port = port
        self._ready = ready
        self._report = report
        self._tick = tick
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stop_early = threading.Event()

    def run(self) -> None:
        """Serve until `stop` is called or SIGTERM or SIGINT arrives (in the main thread).

        Raises UsageError when the address cannot be had, and StoreError when the memory failed while running.
        """
        uvloop.run(self._serve())

    def stop(self) -> None:
        """Ask the service to stop; returns at once."""
        self._stop_early.set()
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    def handle(self, request: Request, done: Done) -> None:
        """Answer one request."""
        if request.path == _PATH:
            if request.method != b"POST":
                done(_plain(405, "method-not-allowed: checkpoints are sent with POST", b"allow: POST\r\n"))
                return
            # The event loop answers one request after the other, so that checking and remembering is one step.
            answer = self._witness.add_checkpoint(request.body)
            done(Response(answer.status, b"content-type: " + answer.media_type.encode() + b"\r\n", answer.body))
            if self._report is not None:
                self._report(answer)
            self._end_if_failed()
        elif request.path == _HEALTH:
            if request.method not in (b"GET", b"HEAD"):
                done(_plain(405, "method-not-allowed: this line is only read, with GET", b"allow: GET, HEAD\r\n"))
            elif self._witness.failure is not None:
                done(_plain(503, "failed: this witness cannot cosign now"))
            else:
                done(_plain(200, "cosigning"))
        else:
            done(_plain(404, "not-found: a witness answers at /add-checkpoint and /health"))

    def _end_if_failed(self) -> None:
        if self._witness.failure is not None and self._stop is not None:
            self._stop.set()

    async def _serve(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        stop = self._stop = asyncio.Event()
        if self._stop_early.is_set():
            return
        connections = Connections(self.handle, time.monotonic, MAX_CONNECTIONS, refuse=_refusal, max_body=MAX_REQUEST_SIZE)
        connections.sweep(date_field())
        port = await Port.open(connections, self._host, self._port)
        stop_on_signals(stop)
        keeping = loop.create_task(self._keep(connections))
        try:
            if self._ready is not None:
                self._ready(port.address.url)
            await stop.wait()
        finally:
            keeping.cancel()
            port.close()
            await drain(connections, CLOSING_GRACE)
        if self._witness.failure is not None:
            raise self._witness.failure

    async def _keep(self, connections: Connections) -> None:
        """Once a second: the date, slow connections, the memory's file, and what the caller does."""
        while True:
            await asyncio.sleep(1)
            connections.sweep(date_field())
            self._witness.settle()
            self._end_if_failed()
            if self._tick is not None:
                self._tick()


def _plain(status: int, line: str, fields: bytes = b"") -> Response:
    return Response(status, fields + _PLAIN, f"{line}\n".encode())


def _refusal(problem: Problem) -> Response:
    """Problems below the level of a request, in the plain words that the other answers have."""
    fields = b"" if problem.retry_after is None else b"retry-after: %d\r\n" % problem.retry_after
    return _plain(problem.status, f"{problem.code}: {problem.detail}", fields)
