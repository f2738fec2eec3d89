"""Server-sent events (WHATWG HTML, section 9.2): tells pages that something changed. What changed they fetch themselves.

A stream sends `changed` with the room's version as its id. A page names the version that it shows when it opens one, and a
browser that lost the connection the last one that it was told: both hear at once where they missed something. Streams are few,
and each looks at the version once a second.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from scrutineer.control.room import Room
from scrutineer.control.sessions import Session

MAX_STREAMS: Final = 64
MAX_OF_ONE: Final = 8
"""Streams of one session: as many pages as one officer may have open."""
EVERY: Final = 1.0  # seconds
HEARTBEAT: Final = 15
"""Looks without a change after which a comment is sent, so that neither end takes the line for dead."""


class Events:
    """The streams of one room."""

    def __init__(self, room: Room, session_of: Callable[[Request], Session | None]) -> None:
        self._room = room
        self._session_of = session_of
        self._open = 0

    async def open(self, request: Request) -> Response:
        """Open a stream."""
        session = self._session_of(request)
        if request.headers.get("host", "").lower() != self._room.origin.netloc or session is None:
            return Response(status_code=401)
        if self._open >= MAX_STREAMS or session.streams >= MAX_OF_ONE:
            return Response(status_code=503, headers={"retry-after": "30"})
        headers = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
        return StreamingResponse(self._stream(request, session), media_type="text/event-stream", headers=headers)

    async def _stream(self, request: Request, session: Session) -> AsyncIterator[str]:
        self._open += 1
        session.streams += 1
        try:
            # A page names the version that it shows, and a browser that comes back the last one that it was told.
            seen, quiet = request.headers.get("last-event-id") or request.query_params.get("seen", ""), 0
            yield "retry: 2000\n\n"
            while self._session_of(request) is session:
                if self._room.version != seen:
                    seen, quiet = self._room.version, 0
                    yield f"event: changed\nid: {seen}\ndata: {seen}\n\n"
                elif quiet >= HEARTBEAT:
                    quiet = 0
                    yield ": still here\n\n"
                quiet += 1
                await asyncio.sleep(EVERY)
            yield "event: over\ndata: over\n\n"
        finally:
            self._open -= 1
            session.streams -= 1
