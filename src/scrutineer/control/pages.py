"""Renders pages: the frame around them, and what every template may use. One `Face` for each language."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from scrutineer.control.web import Visit
from scrutineer.design import environment
from scrutineer.election import Election
from scrutineer.http.pages import Look
from scrutineer.language import LANGUAGES, HtmlSay, language, msg

ROOM: Final = "scrutineer.control"
LOOK: Final = Look(ROOM, "control.css", "control.js")
MENU: Final = (
    ("/", msg("Overview")),
    ("/arrivals", msg("Arrivals")),
    ("/late", msg("Late stations")),
    ("/quarantine", msg("Quarantine")),
    ("/incidents", msg("Incidents")),
    ("/transmission", msg("Transmission")),
    ("/bulletin", msg("Next bulletin")),
    ("/acts", msg("Drafts")),
)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the menu."""

    path: str
    label: str
    here: bool


class Face:
    """The control room in one language."""

    def __init__(self, election: Election, code: str) -> None:
        self.election = election
        self.language = language(code)
        self.say = HtmlSay(self.language, ZoneInfo(election.definition.timezone))

    def span(self, seconds: int) -> str:
        """A length of time as people say it, with no more than two units."""
        minutes = max(0, seconds) // 60
        if minutes < 1:
            return self.say("less than a minute")
        if minutes < 60:
            return self.say("{n} min", n=minutes)
        if minutes < 24 * 60:
            return self.say("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)
        return self.say.several("{n} day", "{n} days", minutes // (24 * 60))

    def words(self, text: str) -> str:
        """A text that was said in English elsewhere, in this language where there is a translation."""
        return escape(self.language.catalogue.gettext(text)) if text else Markup("")

    def unit(self, unit: int) -> str:
        """The name of a unit."""
        return self.say.name(self.election.units.names[unit])

    def above(self, unit: int) -> str:
        """Where a unit lies: the units above it but for the country, from the nearest up."""
        above = self.election.units.path(unit)[1:-1][::-1]
        return Markup(", ").join(self.unit(one) for one in above)

    def nearest(self, unit: int) -> str:
        """The unit right above a unit, by which people tell stations of one number apart."""
        parent = int(self.election.units.parent[unit])
        return self.unit(parent) if parent > 0 else Markup("")

    def officer(self, name: str) -> str:
        """An officer as people know them: the number, and the name in the register where it has one of their own."""
        return self.say.name(name.partition("/")[2] or name)


class Pages:
    """Renders the pages of one room."""

    def __init__(self, election: Election) -> None:
        self.election = election
        self.faces = {code: Face(election, code) for code in LANGUAGES}
        self._environment = environment(ROOM)

    def face(self, visit: Visit) -> Face:
        """The face that a visitor sees."""
        return self.faces[visit.language]

    def page(self, visit: Visit, template: str, title: str, *, status: int = 200, **values: object) -> Response:
        """A page."""
        face, room = self.face(visit), visit.room
        say, path, now = face.say, visit.request.url.path, room.clock()
        context: dict[str, object] = {
            "face": face,
            "language": face.language,
            "languages": [self.faces[code].language for code in LANGUAGES],
            "say": say,
            "several": say.several,
            "name": say.name,
            "number": say.number,
            "percent": say.percent,
            "time": say.time,
            "clock": say.clock,
            "span": face.span,
            "words": face.words,
            "unit": face.unit,
            "above": face.above,
            "nearest": face.nearest,
            "officer": face.officer,
            "asset": LOOK.path,
            "title": title,
            "live": False,
            "here": f"{path}?{query}" if (query := visit.request.url.query) else path,
            "election": self.election.definition.name,
            "contests": self.election.contests,
            "menu": [Link(to, say.later(label), _is_here(to, path)) for to, label in MENU] if visit.session else [],
            "session": visit.session,
            "now": now,
            "version": visit.version,
            "waiting": len(room.open_proposals()) if visit.session else 0,
            "night": room.night,
        }
        return HTMLResponse(self._environment.get_template(template).render(context | values), status)

    def refusal(self, visit: Visit, status: int, why: str) -> Response:
        """The page that says why something was refused."""
        say = self.face(visit).say
        return self.page(visit, "refused.html", say("This was not done"), status=status, why=why)


def _is_here(entry: str, path: str) -> bool:
    return path == entry or (entry != "/" and path.startswith(f"{entry}/"))
