"""The board: the poll workers' page of a voting machine, on a port of its own of the same machine.

It says in words where the machine stands and what to do next. Everything that changes something has a page of its own between the
first press and the deed, so that nobody does it by accident; opening, enabling again and closing ask two people for their key
files. Key files are read in memory and kept nowhere. The pages work without scripts; the script only renews what is shown.

Only browsers of this machine that know the board's code get in: the voter's browser does not.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from scrutineer.ballots.confirmation import spoken
from scrutineer.design import Asset, asset, environment
from scrutineer.errors import PolicyError, ScrutineerError, UsageError
from scrutineer.language import LANGUAGES, HtmlSay, language, msg
from scrutineer.station.voting.board_forms import MAX_BODY, Fields, read_form
from scrutineer.station.voting.closing import MAX_REASON
from scrutineer.station.voting.day import MAX_COPIES, SHEETS, ZERO_TAPE, PollDay, Stage
from scrutineer.station.voting.people import SIGNERS, Pair, of_station, read_private_key
from scrutineer.station.voting.tally_paper import closing_words

ROOM: Final = "scrutineer.station.voting"
DESIGN: Final = "scrutineer.design"
ASSETS: Final = ((DESIGN, "style.css"), (DESIGN, "icon.svg"), (ROOM, "board.css"), (ROOM, "board.js"))
COOKIE: Final = "board"
CODE: Final = "x-board-code"
"""Header in which a command of this machine gives the board's code."""
TONGUE: Final = "board-language"
BODY_TIME: Final = 20.0  # seconds in which a form has to be here
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}

STAGES: Final[dict[Stage, str]] = {
    "new": msg("Not open yet"),
    "suspended": msg("Suspended"),
    "ready": msg("Ready for the next voter"),
    "active": msg("A voter is filling in a ballot"),
    "prepared": msg("The voter’s papers are printed"),
    "closing": msg("Closed, but the tally sheets are not signed yet"),
    "closed": msg("Closed"),
    "halted": msg("Stopped: the disk could not be written"),
}
DONE: Final = {
    "opened": msg("The machine is open, and every count is zero. The zero tape has been made."),
    "resumed": msg("The machine is enabled again."),
    "suspended": msg("The machine is suspended. Two poll workers enable it again."),
    "activated": msg("A ballot is ready on the voter’s screen."),
    "provisional": msg("A provisional ballot is ready on the voter’s screen."),
    "cancelled": msg("The ballot was taken back. No vote was kept of it."),
    "closed": msg("The machine is closed. The tally sheets are signed and wait in the outbox."),
    "signed": msg("The tally sheets were signed with this key."),
    "refused": msg("The refusal was signed with this key, and its reason will be published."),
    "noted": msg("It was noted on the sheets. Print them again."),
    "printed": msg("The sheets were made."),
}
# Which page may be used in which stages.
_OPEN_IN: Final[dict[str, tuple[Stage, ...]]] = {
    "open": ("new",),
    "resume": ("suspended",),
    "suspend": ("ready",),
    "activate": ("ready",),
    "provisional": ("ready",),
    "cancel": ("active", "prepared"),
    "close": ("ready", "closing"),
    "sign": ("closed",),
    "note": ("closed",),
    "print": ("closed",),
}


@dataclass(frozen=True)
class _Ask:
    """One request of somebody who is in."""

    request: Request
    form: Fields
    say: HtmlSay

    @property
    def by_program(self) -> bool:
        """Whether a command asks, which takes its answer as JSON."""
        return self.request.headers.get("accept", "") == "application/json"


class Board:
    """The pages over one day."""

    def __init__(self, day: PollDay, code: str) -> None:
        self.day = day
        self.code = code
        zone = ZoneInfo(day.place.election.definition.timezone)
        self._says = {tongue: HtmlSay(language(tongue), zone) for tongue in LANGUAGES}
        self._environment = environment(ROOM)

    def overview(self, ask: _Ask) -> Response:
        """Where the machine stands, and what to do next."""
        day, machine = self.day, self.day.machine
        counters = machine.counters
        units = day.place.election.units
        numbers = [
            (ask.say("Ballots activated"), counters.activated),
            (ask.say("In the box"), counters.cast),
            (ask.say("Provisional"), counters.provisional),
            (ask.say("Tested"), counters.challenged),
            (ask.say("Spoiled"), counters.spoiled),
            (ask.say("Voters who left"), counters.cancelled),
        ]
        done = DONE.get(ask.request.query_params.get("done", ""))
        return self._page(
            ask,
            "board.html",
            ask.say.later(STAGES[day.stage]),
            live=True,
            done=ask.say.later(done) if done else "",
            numbers=numbers,
            notices=day.notices(),
            interrupted=machine.interrupted,
            activation=machine.activation,
            opening=day.opening if day.stage != "new" else None,
            closing=day.closing,
            words=closing_words(day.closing.closing) if day.closing is not None else "",
            station_name=units.names[units.position(day.place.name)],
        )

    def step(self, ask: _Ask) -> Response:
        """The page between the first press and the deed."""
        act = ask.request.path_params["act"]
        if act not in _OPEN_IN:
            return self.refusal(ask.say, 404, "there is no such page")
        if self.day.stage not in _OPEN_IN[act]:
            return RedirectResponse("/", 303)
        return self._step(ask, act)

    def deed(self, ask: _Ask) -> Response:
        """Do what a step page confirmed."""
        act = ask.request.path_params["act"]
        deeds: dict[str, Callable[[Fields], str]] = {
            "open": self._open,
            "resume": self._resume,
            "suspend": self._suspend,
            "activate": lambda form: self._activate(form, provisional=False),
            "provisional": lambda form: self._activate(form, provisional=True),
            "cancel": self._cancel,
            "close": self._close,
            "sign": self._sign,
            "note": self._note,
            "print": self._print,
        }
        if act not in deeds:
            return self.refusal(ask.say, 404, "there is no such page")
        try:
            done = deeds[act](ask.form)
        except ScrutineerError as error:
            if ask.by_program:
                return JSONResponse({"error": str(error)}, 409)
            if self.day.stage in _OPEN_IN[act]:
                return self._step(ask, act, str(error))
            return self.refusal(ask.say, 409, str(error))
        return JSONResponse({"done": done}) if ask.by_program else RedirectResponse(f"/?done={done}", 303)

    def paper(self, ask: _Ask) -> Response:
        """Zero tape or tally sheets as a PDF."""
        name = ask.request.path_params["name"]
        if name == ZERO_TAPE:
            data = self.day.zero_tape()
        elif name == SHEETS:
            data = self.day.sheets(1)
        else:
            return self.refusal(ask.say, 404, "there is no such page")
        return Response(data, media_type="application/pdf", headers={"content-disposition": f'inline; filename="{name}"'})

    def state(self, _: _Ask) -> Response:
        """What the script asks for to see whether the page is out of date."""
        return JSONResponse({"version": f"{self.day.machine.version}-{self.day.stage}-{len(self.day.notices())}"})

    def tongue(self, ask: _Ask) -> Response:
        """Use another language."""
        answer = RedirectResponse("/", 303)
        chosen = ask.form.text("language")
        if chosen in LANGUAGES:
            answer.set_cookie(TONGUE, chosen, httponly=True, samesite="strict")
        return answer

    def refusal(self, say: HtmlSay, status: int, why: str) -> Response:
        """The page that says why something was not done."""
        return self._render(say, "board_refused.html", say("This was not done"), status, why=why, inside=True)

    def door(self, say: HtmlSay, *, wrong: bool) -> Response:
        """The page for those who have not given the code."""
        return self._render(say, "board_door.html", say("Poll workers’ board"), 403, wrong=wrong, inside=False)

    def say(self, request: Request) -> HtmlSay:
        """The language that was chosen, or else the first that the browser asks for and that there is."""
        chosen = request.cookies.get(TONGUE, "")
        wanted = [part.strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
        found = next((code for code in (chosen, *wanted) if code in LANGUAGES), LANGUAGES[0])
        return self._says[found]

    # --- deeds ----------------------------------------------------------------------------------------------------------

    def _open(self, form: Fields) -> str:
        self.day.open(self._pair(form))
        return "opened"

    def _resume(self, form: Fields) -> str:
        self.day.resume(self._pair(form))
        return "resumed"

    def _suspend(self, _: Fields) -> str:
        self.day.suspend()
        return "suspended"

    def _activate(self, form: Fields, *, provisional: bool) -> str:
        styles = self.day.place.machine.styles
        style = form.number("style", 1, 2**31 - 1) if len(styles) > 1 else styles[0]
        self.day.machine.activate(style, provisional)
        return "provisional" if provisional else "activated"

    def _cancel(self, _: Fields) -> str:
        self.day.machine.cancel()
        return "cancelled"

    def _close(self, form: Fields) -> str:
        if form.text("station").strip() != self.day.place.name:
            raise UsageError("type the number of the station exactly as it is shown, to confirm that voting has ended")
        self.day.close(self._pair(form))
        return "closed"

    def _sign(self, form: Fields) -> str:
        key = read_private_key(form.file("key"), form.text("passphrase"))
        refuse = form.text("reason").strip() if form.text("verdict") == "refuse" else ""
        if form.text("verdict") == "refuse" and not refuse:
            raise UsageError("write the reason for refusing to sign")
        self.day.countersign(self.day.place.person(key, signers=True), refuse)
        return "refused" if refuse else "signed"

    def _note(self, form: Fields) -> str:
        refused = form.text("verdict") == "refuse"
        self.day.note(form.text("name"), "refused" if refused else "by-hand", form.text("reason") if refused else "")
        return "noted"

    def _print(self, form: Fields) -> str:
        self.day.print(SHEETS, self.day.sheets(form.number("copies", 1, MAX_COPIES)))
        return "printed"

    def _pair(self, form: Fields) -> Pair:
        people = []
        for number in ("1", "2"):
            try:
                key = read_private_key(form.file(f"key-{number}"), form.text(f"passphrase-{number}"))
                people.append(self.day.place.person(key))
            except (UsageError, PolicyError) as error:
                which = "first" if number == "1" else "second"
                raise type(error)(f"{which} poll worker: {error}") from None
        return Pair(*people)

    # --- pages ----------------------------------------------------------------------------------------------------------

    def _step(self, ask: _Ask, act: str, wrong: str = "") -> Response:
        titles = {
            "open": ask.say("Open the machine"),
            "resume": ask.say("Enable the machine again"),
            "suspend": ask.say("Suspend the machine"),
            "activate": ask.say("Next voter"),
            "provisional": ask.say("Provisional ballot"),
            "cancel": ask.say("Take back the ballot"),
            "close": ask.say("Close the machine"),
            "sign": ask.say("Sign the tally sheets with a key"),
            "note": ask.say("Signed by hand, or refused without a key"),
            "print": ask.say("Print the tally sheets"),
        }
        place, manifest = self.day.place, self.day.place.record.manifest
        signed = {signature.who for signature in self.day.closing.signatures} if self.day.closing is not None else set()
        return self._page(
            ask,
            "board_step.html",
            titles[act],
            status=422 if wrong else 200,
            act=act,
            wrong=wrong,
            entered={name: ask.form.text(name) for name in ("name", "reason", "verdict", "copies") if name in ask.form.values},
            workers=[issuer.name or issuer.id for issuer in of_station(place.election, place.name)],
            missing=[one.name or one.id for one in of_station(place.election, place.name, SIGNERS) if one.id not in signed],
            styles=[(style, manifest.style(style).label) for style in place.machine.styles],
            most_copies=MAX_COPIES,
            longest=MAX_REASON,
        )

    def _page(self, ask: _Ask, template: str, title: str, *, status: int = 200, **values: object) -> Response:
        return self._render(ask.say, template, title, status, inside=True, **values)

    def _render(self, say: HtmlSay, template: str, title: str, status: int, **values: object) -> Response:
        place = self.day.place

        def words(text: str) -> str:
            """What was said in English elsewhere, in this language where there is a translation."""
            said = str(escape(say.language.catalogue.gettext(text))) if text else ""
            return Markup(said[:1].upper() + said[1:])  # noqa: S704 - escaped above

        context: dict[str, Any] = {
            "say": say,
            "language": say.language,
            "languages": [self._says[code].language for code in LANGUAGES],
            "several": say.several,
            "number": say.number,
            "name": say.name,
            "time": say.time,
            "clock": say.clock,
            "words_of": words,
            "asset": asset_path,
            "title": title,
            "election": place.election.definition.name,
            "provenance": place.election.definition,
            "station": place.name,
            "device": place.machine.device,
            "stage": self.day.stage,
            "version": f"{self.day.machine.version}-{self.day.stage}-{len(self.day.notices())}",
            "live": False,
            "folder": str(place.station.folder),
        }
        return HTMLResponse(self._environment.get_template(template).render(context | values), status)


def board_code(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A code for a board, which is shown to poll workers when the program starts."""
    return spoken(random(8))


def board_app(day: PollDay, origin: str, code: str) -> Starlette:
    """The board as an application. `origin` is its only address (http://127.0.0.1:8477), `code` what opens it."""
    board = Board(day, code)
    host = origin.partition("://")[2]
    cookie = secrets.token_urlsafe(24)
    # Cookies do not know ports: the name keeps two boards of one machine apart.
    name = f"{COOKIE}-{host.rpartition(':')[2]}"

    def gate(handler: Callable[[_Ask], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            body = await _body(request)
            answer = await run_in_threadpool(reply, handler, request, body)
            for header, value in _HEADERS.items():
                answer.headers.setdefault(header, value)
            return answer

        return endpoint

    def reply(handler: Callable[[_Ask], Response], request: Request, body: bytes | None) -> Response:
        say = board.say(request)
        if request.headers.get("host", "").lower() != host:
            return board.refusal(say, 421, f"the board is at {origin}")
        if request.method == "POST":
            site = request.headers.get("sec-fetch-site", "same-origin")
            if request.headers.get("origin", origin) != origin or site != "same-origin":
                return board.refusal(say, 403, "this did not come from a page of the board: open the board again")
            if body is None:
                return board.refusal(say, 413, "the form is too large or came too slowly: choose the key files again")
        try:
            if not secrets.compare_digest(
                request.cookies.get(f"{COOKIE}-{host.rpartition(':')[2]}", "").encode(), cookie.encode()
            ):
                return enter(request, say, body or b"")
            form = read_form(request.headers.get("content-type", ""), body) if body else Fields({})
            return handler(_Ask(request, form, say))
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

    def inside(_: _Ask) -> Response:
        return RedirectResponse("/", 303)

    def not_found(ask: _Ask) -> Response:
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
            Route("/assets/{name}", _asset),
            Route("/{act}", gate(board.step)),
            Route("/{act}", gate(board.deed), methods=post),
        ],
        exception_handlers={404: missing},
    )


@cache
def served_assets() -> dict[str, Asset]:
    """Style sheets, script and picture by their path."""
    found = [asset(room, name) for room, name in ASSETS]
    return {f"/{one.path}": one for one in found}


@cache
def asset_path(name: str) -> str:
    """Where a style sheet, script or picture lies."""
    return next(path for path, one in served_assets().items() if one.name == name)


async def _asset(request: Request) -> Response:
    found = served_assets().get(request.url.path)
    if found is None:
        return Response(status_code=404)
    kind = _TYPES[found.path.rpartition(".")[2]]
    return Response(found.data, media_type=kind, headers={"cache-control": _FOR_EVER, "x-content-type-options": "nosniff"})


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
