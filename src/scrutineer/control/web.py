"""What stands between the network and the room: hosts, origins, cookies, sessions, tokens, sizes, and the headers of answers.

A handler is a plain function from a `Visit` to a response. Every one of them is reached through `gate`, which lets nothing
through that is not meant for it.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from scrutineer.control.room import Room
from scrutineer.control.sessions import LONGEST, Session, is_token
from scrutineer.errors import ControlError, ScrutineerError
from scrutineer.http.pages import page_headers
from scrutineer.language import LANGUAGES

MAX_BODY: Final = 64 << 10  # bytes
MAX_FIELDS: Final = 1_024
BODY_TIME: Final = 20.0  # seconds in which the body of a request has to be here: strangers may hold no connection for longer
LIVE: Final = "x-live"
"""Header of a request that a page makes by itself to renew what it shows: it does not keep a session alive."""
TOKEN: Final = "x-token"  # noqa: S105 - the name of a header
_HEADERS: Final = page_headers(images="'self' data:") | {
    "permissions-policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}
_CODE: Final = re.compile(r"[a-zA-Z]{2}")


@dataclass(frozen=True)
class Visit:
    """One request, with who makes it."""

    request: Request
    room: Room
    body: bytes
    session: Session | None
    cookie: str
    version: str
    """Of the room, read before anything else: what is shown is at least as new."""

    @property
    def officer(self) -> str:
        """Who is asking. Raises ControlError where nobody has entered."""
        if self.session is None:
            raise ControlError("nobody has entered")
        return self.session.officer

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else ""

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The fields of a form. Raises ControlError for a body that is none."""
        try:
            fields = parse_qsl(self.body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
        except ValueError as error:
            raise ControlError("the form cannot be read") from error
        return dict(fields)

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises ControlError."""
        try:
            decoded = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ControlError("the request cannot be read") from error
        if not isinstance(decoded, dict):
            raise ControlError("the request cannot be read")
        return decoded

    def text(self, name: str) -> str:
        """A text of the JSON body; empty where there is none."""
        value = self.json.get(name)
        if not isinstance(value, str):
            return ""
        if any("\ud800" <= mark <= "\udfff" for mark in value):  # JSON can name halves of characters; nothing else can.
            raise ControlError("the request cannot be read")
        return value

    @cached_property
    def language(self) -> str:
        """The language of the officer, or else the first that the browser asks for and that there is."""
        if self.session is not None:
            # Where the file cannot be read, the page that says so needs a language too.
            with contextlib.suppress(ControlError):
                known = self.room.officers.all().get(self.session.officer)
                if known is not None and known.language in LANGUAGES:
                    return known.language
        wanted = _CODE.findall(" ".join(part.strip()[:2] for part in self.request.headers.get("accept-language", "").split(",")))
        return next((code.lower() for code in wanted if code.lower() in LANGUAGES), LANGUAGES[0])


Handler = Callable[[Visit], Response]
Refusal = Callable[[Visit, int, str], Response]
"""Makes the page that says why something was refused."""


class Gate:
    """Wraps handlers. `refusal` makes the pages of what is refused."""

    def __init__(self, room: Room, refusal: Refusal) -> None:
        self._room = room
        self._refusal = refusal
        # With this prefix a browser takes the cookie from this host alone, over https, and for the whole host.
        self.cookie = "__Host-control" if room.origin.secure else "control"

    def __call__(self, handler: Handler, *, closed: bool = True) -> Callable[[Request], Any]:
        """An endpoint. `closed`: only for officers who have entered."""

        async def endpoint(request: Request) -> Response:
            try:
                async with asyncio.timeout(BODY_TIME):
                    body = await _body(request)
            except (ControlError, ClientDisconnect, TimeoutError):
                body = None
            response = await run_in_threadpool(self._answer, handler, request, body, closed=closed)
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            if self._room.origin.secure:
                response.headers.setdefault("strict-transport-security", "max-age=31536000")
            return response

        return endpoint

    def session(self, request: Request, *, touch: bool) -> tuple[str, Session | None]:
        """The cookie and session of a request."""
        cookie = request.cookies.get(self.cookie, "")[:128]
        return cookie, self._room.sessions.find(cookie, touch=touch)

    def enter(self, response: Response, cookie: str) -> Response:
        """Give the cookie of a session."""
        response.set_cookie(
            self.cookie, cookie, max_age=LONGEST, path="/", secure=self._room.origin.secure, httponly=True, samesite="strict"
        )
        return response

    def leave(self, response: Response) -> Response:
        """Take the cookie away."""
        response.delete_cookie(self.cookie, path="/", secure=self._room.origin.secure, httponly=True, samesite="strict")
        return response

    def _answer(self, handler: Handler, request: Request, body: bytes | None, *, closed: bool) -> Response:
        by_script = request.headers.get("accept", "").startswith("application/json")
        cookie, session = self.session(request, touch=LIVE not in request.headers)
        visit = Visit(request, self._room, body or b"", session, cookie, self._room.version)
        wrong = self._wrong(visit, body)
        if wrong is not None:
            return _told(*wrong) if by_script else self._refusal(visit, *wrong)
        if closed and session is None:
            return _told(401, "enter first") if by_script else RedirectResponse("/enter", 303)
        try:
            if closed and session is not None and request.method == "POST":
                given = request.headers.get(TOKEN) or visit.form.get("token", "")
                if not is_token(session, given):
                    raise ControlError("this page is too old: load it again")
            return handler(visit)
        except ScrutineerError as error:
            return _told(409, str(error)) if by_script else self._refusal(visit, 409, str(error))
        except OSError as error:
            why = f"this machine could not read or write what it had to ({error.strerror or error}): tell whoever runs it"
            return _told(500, why) if by_script else self._refusal(visit, 500, why)

    def _wrong(self, visit: Visit, body: bytes | None) -> tuple[int, str] | None:
        """What is wrong with a request before anybody looks at what it asks for."""
        headers, origin = visit.request.headers, self._room.origin
        if headers.get("host", "").lower() != origin.netloc:
            return 421, f"the control room is at {origin.url}"
        if visit.request.method != "POST":
            return None
        if headers.get("origin") != origin.url or headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return 403, f"this request did not come from a page of the control room: open it at {origin.url}"
        if body is None:
            return 413, f"a request holds at most {MAX_BODY} bytes, and is here within {BODY_TIME:.0f} seconds: try again"
        return None


async def _body(request: Request) -> bytes:
    if request.method != "POST":
        return b""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise ControlError("too large")
        parts.append(part)
    return b"".join(parts)


def _told(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status)
