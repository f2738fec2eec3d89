"""The voter's screens as an ASGI application, for the one browser of this machine.

| path | what |
|---|---|
| `GET /vote` | the screen of now |
| `POST /vote` | a button; leads to `GET /vote`, or where a script asks for JSON (`keep`), answers with a sentence |
| `GET /vote/state` | which screen it is, for a script that looks whether it has changed |
| `POST /vote/here` | the voter is still there |
| `GET /vote/assets/{name}` | style sheet and script |
"""

import contextlib
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from scrutineer.ballots.manifest import ManifestContest
from scrutineer.design import environment
from scrutineer.errors import BallotError
from scrutineer.http.pages import Look, page_headers
from scrutineer.language import HtmlSay, language
from scrutineer.station.voting.choices import Marks, chosen, contest_kind, no_marks, notices, party_marks
from scrutineer.station.voting.contest_data import candidates, lines, longest_name
from scrutineer.station.voting.kiosk import Kiosk, Shown
from scrutineer.station.voting.paper import Slip, code_lines, papers, qr_svg
from scrutineer.station.voting.readable import name_of, opened_in_words, parties_of, title_of
from scrutineer.station.voting.screens import COLOURS, SCANS, SIZES, Sitting, current, longest_order, told

PATH: Final = "/vote"
MAX_BODY: Final = 64 * 1024  # bytes
MAX_FIELDS: Final = 1_100
HEADERS: Final = page_headers()
_ROOM: Final = "scrutineer.station.voting"
_LOOK: Final = Look(_ROOM, "voting.css", "voting.js", below=PATH)
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})
_TEMPLATES: Final = (
    *("away.html", "still.html", "language.html", "party.html", "contest.html", "notice.html", "review.html", "prepared.html"),
    *("confirm.html", "opened.html", "receipt.html"),
)
_MOST_POINTS: Final = 10
"""With more points for one option, a number is typed instead of pressed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of a contest."""

    number: int
    name: str
    value: int
    """0 or 1, points, or the place in a ranking."""
    closed: bool
    """It cannot be pressed: the ranking is full."""


def kiosk_routes(kiosk: Kiosk) -> list[BaseRoute]:
    """The routes of the voter's screens, to stand in one application beside the poll workers' page."""
    screens = _Screens(kiosk)
    return [
        Route(PATH, screens.show),
        Route(PATH, screens.answer, methods=["POST"]),
        Route(f"{PATH}/state", screens.state),
        Route(f"{PATH}/here", screens.here, methods=["POST"]),
        _LOOK.route(),
    ]


def kiosk_app(kiosk: Kiosk) -> Starlette:
    """The voter's screens alone."""

    async def front(_: Request) -> Response:
        return RedirectResponse(PATH, 303, HEADERS)

    return Starlette(routes=[Route("/", front), *kiosk_routes(kiosk)])


class _Screens:
    def __init__(self, kiosk: Kiosk) -> None:
        self._kiosk = kiosk
        self._templates = environment(_ROOM)
        self._says = {code: HtmlSay(language(code)) for code in kiosk.settings.languages}
        # Templates, catalogues and fonts are read before the first voter would have to wait for them.
        threading.Thread(target=self._warm, daemon=True, name="kiosk-warm").start()

    def _warm(self) -> None:
        for name in _TEMPLATES:
            self._templates.get_template(name)
        for code, say in self._says.items():
            say("Next")
            # Where no paper can be made, the first voter's screen says so.
            with contextlib.suppress(BallotError):
                papers([Slip(code, self._kiosk.manifest.name, "babad-bamag")])

    async def show(self, request: Request) -> Response:
        refused = _refused(request)
        if refused is not None:
            return refused
        return await run_in_threadpool(self._shown)

    async def state(self, request: Request) -> Response:
        refused = _refused(request)
        if refused is not None:
            return refused
        shown = await run_in_threadpool(self._kiosk.look)
        return JSONResponse({"revision": shown.revision, "wait": math.ceil(shown.wait)}, headers=HEADERS)

    async def here(self, request: Request) -> Response:
        form = await _form(request)
        if isinstance(form, Response):
            return form
        await run_in_threadpool(self._kiosk.here, form.get("step", [""])[0])
        return Response(status_code=204, headers=HEADERS)

    async def answer(self, request: Request) -> Response:
        form = await _form(request)
        if isinstance(form, Response):
            return form
        await run_in_threadpool(self._kiosk.answer, form)
        if request.headers.get("accept", "").startswith("application/json"):
            return JSONResponse(await run_in_threadpool(self._sentence), headers=HEADERS)
        return RedirectResponse(PATH, 303, HEADERS)

    def _sentence(self) -> dict[str, object]:
        shown = self._kiosk.look()
        if shown.sitting is None or shown.sitting.screen != "contest":
            return {"status": "", "over": False}
        contest = self._kiosk.manifest.contest(shown.sitting.contest)
        marks = current(shown.sitting, self._kiosk.manifest)
        said = status_sentence(self._says[shown.comfort.language], contest, marks)
        return {"status": said.unescape(), "over": any(notice.spoils for notice in notices(contest, marks))}

    def _shown(self) -> Response:
        shown = self._kiosk.look()
        say = self._says[shown.comfort.language]
        template, values = self._screen(shown, say)
        kiosk = self._kiosk
        context: dict[str, object] = {
            "say": say,
            "several": say.several,
            "name": say.name,
            "number": say.number,
            "language": say.language,
            "comfort": shown.comfort,
            "sizes": SIZES,
            "colours": COLOURS,
            "scans": SCANS,
            "asset": _LOOK.path,
            "path": PATH,
            "shown": shown,
            "sitting": shown.sitting,
            "screen": template.removesuffix(".html"),
            "wait": math.ceil(shown.wait),
            "election": kiosk.manifest.name,
            "station": kiosk.settings.station,
            "focus": shown.sitting.focus if shown.sitting else "",
            "problem": shown.failed,
        }
        page = self._templates.get_template(template).render(context | values)
        return Response(page, media_type="text/html; charset=utf-8", headers=HEADERS)

    def _screen(self, shown: Shown, say: HtmlSay) -> tuple[str, dict[str, object]]:
        sitting, kiosk = shown.sitting, self._kiosk
        if sitting is None or shown.hidden:
            return "away.html", {}
        if shown.asking:
            return "still.html", {}
        match sitting.screen:
            case "language":
                return "language.html", {"languages": [self._says[code] for code in kiosk.settings.languages]}
            case "party":
                return "party.html", {"parties": parties_of(kiosk.manifest, sitting.style), "chosen": sitting.choices.party}
            case "contest":
                return "contest.html", self._contest(sitting, say)
            case "notice":
                return "notice.html", self._contest(sitting, say) | {"notices": told(sitting, kiosk.manifest)}
            case "receipt":
                return "receipt.html", self._code(shown)
            case "opened":
                opened = opened_in_words(kiosk.manifest, shown.opened, kiosk.settings.names) if shown.opened else ()
                return "opened.html", self._code(shown) | {"ballot": opened}
            case "review":
                return "review.html", self._ballot(shown)
            case "prepared":
                return "prepared.html", self._ballot(shown) | self._code(shown)
            case "confirm-test" | "confirm-return":
                return "confirm.html", {"test": sitting.screen == "confirm-test"}

    def _ballot(self, shown: Shown) -> dict[str, object]:
        party = shown.sitting.choices.party if shown.sitting else 0
        return {
            "ballot": shown.contests,
            "party": self._kiosk.manifest.parties[party - 1].name if party else "",
            "has_parties": bool(shown.sitting and parties_of(self._kiosk.manifest, shown.sitting.style)),
        }

    def _code(self, shown: Shown) -> dict[str, object]:
        words = shown.prepared.words if shown.prepared else ""
        return {
            "words": words,
            "code_lines": code_lines(words),
            "serial_lines": code_lines(shown.prepared.serial) if shown.prepared else [],
            "qr": Markup(qr_svg(words)) if words else Markup(""),  # noqa: S704 - made here from letters and hyphens
            "site": self._kiosk.settings.site,
        }

    def _contest(self, sitting: Sitting, say: HtmlSay) -> dict[str, object]:
        manifest, names = self._kiosk.manifest, self._kiosk.settings.names
        contest, marks = manifest.contest(sitting.contest), current(sitting, manifest)
        numbers = manifest.style(sitting.style).contests
        full = bool(contest.orders) and max(marks.values) >= longest_order(contest)
        party = sitting.choices.party
        return {
            "title": title_of(names, contest),
            "contest": contest,
            "kind": contest_kind(contest),
            "limit": contest.selection_limit,
            "most": contest.option_limit,
            "pressed_points": contest.option_limit <= _MOST_POINTS,
            "candidates": [
                Candidate(number, name_of(names, contest, label), value, full and not value)
                for number, (label, value) in enumerate(zip(candidates(contest), marks.values, strict=True), 1)
            ],
            "marks": marks,
            "lines": [(line, marks.names[line - 1] if line <= len(marks.names) else "") for line in range(1, lines(contest) + 1)],
            "longest": longest_name(contest),
            "place": numbers.index(sitting.contest) + 1,
            "count": len(numbers),
            "status": status_sentence(say, contest, marks),
            "over": any(notice.spoils for notice in told(sitting, manifest)),
            "party": manifest.parties[party - 1].name if party else "",
            "by_party": party and sitting.contest not in sitting.choices.by_hand and marks != no_marks(contest),
            "can_follow_party": party
            and sitting.contest in sitting.choices.by_hand
            and party_marks(manifest, party, sitting.contest) != no_marks(contest),
        }


def status_sentence(say: HtmlSay, contest: ManifestContest, marks: Marks) -> Markup:
    """What is marked in a contest until now, in one sentence."""
    count, limit = chosen(contest, marks), contest.selection_limit
    kind = contest_kind(contest)
    if not count:
        return say("Nothing is marked yet.")
    if kind == "ranked":
        return say.several("You have ranked {n}.", "You have ranked {n}.", max(marks.values))
    if kind == "points":
        if count > limit:
            return say.several("You gave {n} point too many.", "You gave {n} points too many.", count - limit)
        return say("You gave {count} of {limit} points.", count=count, limit=limit)
    if count > limit:
        return say.several("You have marked {n} too many.", "You have marked {n} too many.", count - limit)
    if limit == 1:
        return say("You have marked one.")
    return say("You have marked {count} of {limit}.", count=count, limit=limit)


def _refused(request: Request) -> Response | None:
    """Other machines' pages, and names that were made to lead here, get nothing."""
    host = request.headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in _LOCAL:
        return Response("The voting machine answers on this machine alone.", 421, HEADERS)
    if request.method == "POST":
        origin = request.headers.get("origin")
        other = origin is not None and origin.partition("://")[2] != host
        if other or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Response("This did not come from the voting machine's own page.", 403, HEADERS)
    return None


async def _form(request: Request) -> dict[str, list[str]] | Response:
    refused = _refused(request)
    if refused is not None:
        return refused
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            return Response("The form is too large.", 413, HEADERS)
        parts.append(part)
    try:
        return _fields(b"".join(parts))
    except ValueError:
        return Response("The form cannot be read.", 400, HEADERS)


def _fields(body: bytes) -> dict[str, list[str]]:
    return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")


__all__: Sequence[str] = ["HEADERS", "PATH", "kiosk_app", "kiosk_routes", "status_sentence"]
