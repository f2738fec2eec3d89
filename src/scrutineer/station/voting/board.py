"""The board: the poll workers' page of a voting machine, on a port of its own of the same machine.

It says in words where the machine stands and what to do next. Everything that changes something has a page of its own between the
first press and the deed, so that nobody does it by accident; opening, enabling again and closing ask two people for their key
files. Key files are read in memory and kept nowhere. The pages work without scripts; the script only renews what is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from scrutineer.design import environment
from scrutineer.errors import PolicyError, ScrutineerError, UsageError
from scrutineer.http.pages import Look
from scrutineer.language import LANGUAGES, HtmlSay, language, msg
from scrutineer.station.voting.board_forms import Fields
from scrutineer.station.voting.closing import MAX_REASON
from scrutineer.station.voting.day import MAX_COPIES, SHEETS, ZERO_TAPE, PollDay, Stage
from scrutineer.station.voting.people import SIGNERS, Pair, read_private_key
from scrutineer.station.voting.tally_paper import closing_words

ROOM: Final = "scrutineer.station.voting"
LOOK: Final = Look(ROOM, "board.css", "board.js")
TONGUE: Final = "board-language"
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
class Ask:
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

    def __init__(self, day: PollDay) -> None:
        self.day = day
        zone = ZoneInfo(day.place.election.definition.timezone)
        self._says = {tongue: HtmlSay(language(tongue), zone) for tongue in LANGUAGES}
        self._environment = environment(ROOM)

    def overview(self, ask: Ask) -> Response:
        """Where the machine stands, and what to do next."""
        day, machine = self.day, self.day.machine
        counters = machine.counters
        units = day.place.election.units
        numbers = [
            (ask.say("Activated"), counters.activated),
            (ask.say("In the box"), counters.cast),
            (ask.say("Provisional"), counters.provisional),
            (ask.say("Tested"), counters.challenged),
            (ask.say("Spoiled"), counters.spoiled),
            (ask.say("Taken back"), counters.cancelled),
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

    def step(self, ask: Ask) -> Response:
        """The page between the first press and the deed."""
        act = ask.request.path_params["act"]
        if act not in _OPEN_IN:
            return self.refusal(ask.say, 404, "there is no such page")
        if self.day.stage not in _OPEN_IN[act]:
            return RedirectResponse("/", 303)
        return self._step(ask, act)

    def deed(self, ask: Ask) -> Response:
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

    def paper(self, ask: Ask) -> Response:
        """Zero tape or tally sheets as a PDF."""
        name = ask.request.path_params["name"]
        if name == ZERO_TAPE:
            data = self.day.zero_tape()
        elif name == SHEETS:
            data = self.day.sheets(1)
        else:
            return self.refusal(ask.say, 404, "there is no such page")
        return Response(data, media_type="application/pdf", headers={"content-disposition": f'inline; filename="{name}"'})

    def state(self, _: Ask) -> Response:
        """What the script asks for to see whether the page is out of date."""
        return JSONResponse({"version": f"{self.day.machine.version}-{self.day.stage}-{len(self.day.notices())}"})

    def tongue(self, ask: Ask) -> Response:
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

    def language(self, request: Request) -> HtmlSay:
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

    def _step(self, ask: Ask, act: str, wrong: str = "") -> Response:
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
        people = place.people()
        signed = {signature.who for signature in self.day.closing.signatures} if self.day.closing is not None else set()
        return self._page(
            ask,
            "board_step.html",
            titles[act],
            status=422 if wrong else 200,
            act=act,
            wrong=wrong,
            entered={name: ask.form.text(name) for name in ("name", "reason", "verdict", "copies") if name in ask.form.values},
            workers=[issuer.name or issuer.id for issuer in people.at(place.name)],
            missing=[one.name or one.id for one in people.at(place.name, SIGNERS) if one.id not in signed],
            styles=[(style, manifest.style(style).label) for style in place.machine.styles],
            most_copies=MAX_COPIES,
            usual_copies=min(1 + place.watchers(), MAX_COPIES),
            longest=MAX_REASON,
        )

    def _page(self, ask: Ask, template: str, title: str, *, status: int = 200, **values: object) -> Response:
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
            "asset": LOOK.path,
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
