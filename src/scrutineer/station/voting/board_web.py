"""The board as an application: which path leads where, and who gets in.

Only browsers of this machine that know the board's code get in, which is shown when the program starts: the voter's browser does
not know it. Requests that other pages make are told apart by their origin.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from scrutineer.ballots.confirmation import spoken
from scrutineer.errors import ScrutineerError
from scrutineer.http.pages import page_headers
from scrutineer.language import HtmlSay
from scrutineer.station.voting.board import LOOK, Ask, Board
from scrutineer.station.voting.board_forms import MAX_BODY, Fields, read_form
from scrutineer.station.voting.day import PollDay

COOKIE: Final = "board"
CODE: Final = "x-board-code"
"""Header in which a command of this machine gives the board's code."""
BODY_TIME: Final = 20.0  # seconds in which a form has to be here
_HEADERS: Final = page_headers(images="'self' data:")


def board_code(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A code for a board, which is shown to poll workers when the program starts."""
    return spoken(random(8))


def board_app(day: PollDay, origin: str, code: str) -> Starlette:
    """The board as an application. `origin` is its only address (http://127.0.0.1:8481), `code` what opens it."""
    board = Board(day)
    host = origin.partition("://")[2]
    cookie = secrets.token_urlsafe(24)
    # Cookies do not know ports: the name keeps two boards of one machine apart.
    name = f"{COOKIE}-{host.rpartition(':')[2]}"

    def gate(handler: Callable[[Ask], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            body = await _body(request)
            answer = await run_in_threadpool(reply, handler, request, body)
            for header, value in _HEADERS.items():
                answer.headers.setdefault(header, value)
            return answer

        return endpoint

    def reply(handler: Callable[[Ask], Response], request: Request, body: bytes | None) -> Response:
        say = board.language(request)
        if request.headers.get("host", "").lower() != host:
            return board.refusal(say, 421, f"the board is at {origin}")
        if request.method == "POST":
            site = request.headers.get("sec-fetch-site", "same-origin")
            if request.headers.get("origin", origin) != origin or site != "same-origin":
                return board.refusal(say, 403, "this did not come from a page of the board: open the board again")
            if body is None:
                return board.refusal(say, 413, "the form is too large or came too slowly: choose the key files again")
        try:
            if not known(request):
                return enter(request, say, body or b"")
            form = read_form(request.headers.get("content-type", ""), body) if body else Fields({})
            return handler(Ask(request, form, say))
        except ScrutineerError as error:
            return board.refusal(say, 409, str(error))
        except OSError as error:
            return board.refusal(say, 500, f"the machine could not read or write what it had to ({error.strerror or error})")

    def known(request: Request) -> bool:
        given, shown = request.cookies.get(name, ""), request.headers.get(CODE, "")
        return secrets.compare_digest(given.encode(), cookie.encode()) or secrets.compare_digest(shown.encode(), code.encode())

    def enter(request: Request, say: HtmlSay, body: bytes) -> Response:
        given = request.query_params.get("code", "")
        if request.url.path == "/enter" and body:
            given = read_form(request.headers.get("content-type", ""), body).text("code").strip().lower()
        if not secrets.compare_digest(given.encode(), code.encode()):
            return board.door(say, wrong=bool(given))
        answer = RedirectResponse("/", 303)
        answer.set_cookie(name, cookie, httponly=True, samesite="strict")
        return answer

    def inside(_: Ask) -> Response:
        return RedirectResponse("/", 303)

    def not_found(ask: Ask) -> Response:
        return board.refusal(ask.say, 404, "there is no such page")

    async def missing(request: Request, _: Exception) -> Response:
        answer: Response = await gate(not_found)(request)
        return answer

    post = ["POST"]
    return Starlette(
        routes=[
            Route("/", gate(board.overview)),
            Route("/state", gate(board.state)),
            Route("/enter", gate(inside), methods=["GET", "POST"]),
            Route("/language", gate(board.tongue), methods=post),
            Route("/paper/{name}", gate(board.paper)),
            LOOK.route(),
            Route("/{act}", gate(board.step)),
            Route("/{act}", gate(board.deed), methods=post),
        ],
        exception_handlers={404: missing},
    )


async def _body(request: Request) -> bytes | None:
    """The body of a form; None where it is too large or does not come."""
    if request.method != "POST":
        return b""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIME):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    return None
                parts.append(part)
    except (ClientDisconnect, TimeoutError):
        return None
    return b"".join(parts)
