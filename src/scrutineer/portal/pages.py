"""The pages of one site in one language: links between them, the frame around them, and what every template is given.

A page is named by its path without the language, such as `units/north.html`. The first language of a site lies at its root, every
other in a folder of its own (`es/units/north.html`). All links are relative, so that a site can lie anywhere, also on a disk; but
those of the page that servers show where there is none (missing_page.py), which are for a site at the root of its host.

Every template is given: `language`, the functions `say`, `several`, `name`, `number`, `percent`, `time`, `date` (room language),
`href(path)` to another page, `file(path)` to a file that is no page, `asset(name)` to a style sheet, script or picture, and the
values of the frame (design/templates/base.html).
"""

import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Final

from jinja2 import Template
from markupsafe import Markup, escape

from scrutineer.design import asset, environment
from scrutineer.language import HtmlSay, Language, language, msg
from scrutineer.portal.formats import MISSING_PAGE, SiteFile
from scrutineer.portal.view import View

ROOM: Final = "scrutineer.portal"
DESIGN: Final = "scrutineer.design"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'"
)
MENU: Final = (
    ("index.html", msg("Result")),
    ("places.html", msg("Places")),
    ("search.html", msg("Find a station")),
    ("night.html", msg("The night")),
    ("data.html", msg("Data")),
    ("check.html", msg("Check it")),
)
"""The way to what most people look for; stands at the top of every page."""
EVERYTHING: Final = (
    *MENU,
    ("bulletins/index.html", msg("Bulletins")),
    ("quarantine.html", msg("Quarantine")),
    ("decisions.html", msg("Decisions")),
    ("observers.html", msg("Observers")),
    ("incidents.html", msg("Incidents")),
    ("claims.html", msg("Announcements")),
    ("audits.html", msg("Audits")),
    ("rules.html", msg("Rules")),
    ("checklist.html", msg("Checklist")),
)
"""All that is neither of one place nor of one contest; stands at the bottom of every page."""

TRACK: Final = ("track.html", msg("Find your ballot"))
"""Where voters find their encrypted ballots; in elections that have some."""
CURRENT: Final = ' aria-current="page"'

Crumb = tuple[str, str]
"""A page above this one: its path and its name (HTML)."""


@dataclass(frozen=True, slots=True)
class Alternate:
    """A page in another language; where that language has no such page, the nearest that it has."""

    language: Language
    path: str
    here: bool


class Pages:
    """Renders the pages of a site in one language. `number` counts the site's languages from 0."""

    def __init__(self, view: View, number: int = 0) -> None:
        self.view = view
        self.number = number
        self.language = language(view.record.options.languages[number])
        self.prefix = "" if number == 0 else f"{self.language.code}/"
        definition = view.election.definition
        self.say = HtmlSay(self.language, election_zone(definition.timezone))
        self._environment = environment(ROOM)
        self._assets: dict[str, str] = {}
        self._menus: dict[tuple[int, str, str], Markup] = {}

    # --- where things are -------------------------------------------------------------------------------------------

    def has_place(self, unit: int) -> bool:
        """Whether a unit or station has a page in this language."""
        return self.view.places.has_page(unit, translated=self.number > 0)

    def path(self, page: str) -> str:
        """Where a page of this language lies."""
        return f"{self.prefix}{page}"

    def links(self, page: str) -> "Links":
        """The links of a page."""
        return Links(self, page)

    def crumbs(self, unit: int) -> list[Crumb]:
        """The units above a unit, from the country down."""
        places = self.view.places
        return [(places.unit(above), self.unit_name(above)) for above in self.view.units.path(unit)[:-1]]

    def unit_name(self, unit: int) -> str:
        """The name of a unit, as HTML."""
        return self.say.name(self.view.units.names[unit])

    def asset(self, name: str) -> str:
        """The path of a style sheet, script or picture of the design or, where it has none of this name, of the portal."""
        path = self._assets.get(name)
        if path is None:
            room = DESIGN if files(DESIGN).joinpath("assets", *name.split("/")).is_file() else ROOM
            path = self._assets[name] = asset(room, name).path
        return path

    # --- rendering --------------------------------------------------------------------------------------------------

    def template(self, name: str) -> Template:
        """A template by its name."""
        return self._environment.get_template(name)

    def render(
        self,
        name: str,
        page: str,
        title: str,
        *,
        place: int | None = None,
        crumbs: Sequence[Crumb] = (),
        scripts: Iterable[str] = (),
        policy: str = POLICY,
        **values: object,
    ) -> SiteFile:
        """A page from a template. `title` is plain text; `place` is the unit that the page is about, where it is about one."""
        context = self.context(page, title, place=place, crumbs=crumbs, scripts=scripts, policy=policy)
        return SiteFile(self.path(page), (self.template(name).render(context | values).encode(),))

    def plain(self, page: str, title: str, content: str, crumbs: Sequence[Crumb] = (), place: int | None = None) -> SiteFile:
        """A page whose content was put together elsewhere, as HTML."""
        return self.render("plain.html", page, title, place=place, crumbs=crumbs, content=Markup(content))  # noqa: S704

    def context(
        self,
        page: str,
        title: str,
        *,
        place: int | None = None,
        crumbs: Sequence[Crumb] = (),
        scripts: Iterable[str] = (),
        policy: str = POLICY,
    ) -> dict[str, object]:
        """What the frame of a page needs, and what every template may use."""
        links = self.links(page)
        return self._shared | {
            "page": page,
            "title": title,
            "crumbs": crumbs,
            "scripts": tuple(scripts),
            "policy": policy,
            "href": links.href,
            "file": links.file,
            "asset": links.asset,
            "menu": self._menu(links, page, MENU),
            "everything": self._menu(links, page, self._everything),
            "alternates": links.alternates(place),
        }

    @cached_property
    def _shared(self) -> dict[str, object]:
        say, definition = self.say, self.view.election.definition
        return {
            "language": self.language,
            "say": say,
            "several": say.several,
            "name": say.name,
            "number": say.number,
            "percent": say.percent,
            "time": say.time,
            "date": say.date,
            "election": definition.name,
            "provenance": {"kind": definition.provenance, "sentence": provenance_sentence(say, self.view)},
        }

    @cached_property
    def _everything(self) -> Sequence[tuple[str, str]]:
        """All pages of the menu at the bottom, with that of voters where ballots are encrypted."""
        return (*EVERYTHING, TRACK) if self.view.record.ballots_table is not None else EVERYTHING

    def _menu(self, links: "Links", page: str, entries: Sequence[tuple[str, str]]) -> Markup:
        """The entries of a menu as the items of a list. Most pages of a folder share one."""
        here = page if any(path == page for path, _ in entries) else ""
        key = (len(entries), links.href(""), here)
        menu = self._menus.get(key)
        if menu is None:
            items = (
                f'<li><a href="{escape(links.href(path))}"{CURRENT if path == here else ""}>{self.say.later(label)}</a></li>'
                for path, label in entries
            )
            menu = self._menus[key] = Markup("\n".join(items))  # noqa: S704 - links and labels are HTML
        return menu


class Links:
    """Links from one page to others, relative to where it lies."""

    def __init__(self, pages: Pages, page: str) -> None:
        self._pages = pages
        self._page = page
        # What a server shows in place of any page cannot know in which folder that would lie.
        self._up = "/" if page == MISSING_PAGE else "../" * pages.path(page).count("/")
        self._home = "/" if page == MISSING_PAGE else "../" * page.count("/")

    def href(self, page: str) -> str:
        """Another page of the same language; `#fragment` may follow. A place without one in this language leads to the first."""
        bare = page.partition("#")[0]
        if self._pages.number and not self._pages.view.places.is_translated(bare):
            return f"{self._up}{page}"
        return f"{self._home}{page}"

    def file(self, path: str) -> str:
        """A file that is no page: data, the log, the definition."""
        return f"{self._up}{path}"

    def asset(self, name: str) -> str:
        """A style sheet, script or picture."""
        return f"{self._up}{self._pages.asset(name)}"

    def alternates(self, place: int | None) -> list[Alternate]:
        """This page in every language of the site."""
        view = self._pages.view
        found = []
        for number, code in enumerate(view.record.options.languages):
            page = self._page
            if number and not (
                view.places.is_translated(page) if place is None else view.places.has_page(place, translated=True)
            ):
                # The nearest place above that has a page in that language.
                above = [] if place is None else view.units.path(place)[:-1]
                near = next((unit for unit in reversed(above) if view.places.has_page(unit, translated=True)), None)
                page = "index.html" if near is None else view.places.unit(near)
            prefix = "" if number == 0 else f"{code}/"
            found.append(Alternate(language(code), f"{self._up}{prefix}{page}", number == self._pages.number))
        return found


def election_zone(name: str) -> zoneinfo.ZoneInfo:
    """A time zone as the package `tzdata` has it, so that every machine tells the same time."""
    folder, _, own = f"tzdata.zoneinfo.{name.replace('/', '.')}".rpartition(".")
    try:
        with files(folder).joinpath(own).open("rb") as data:
            return zoneinfo.ZoneInfo.from_file(data, key=name)
    except (OSError, ModuleNotFoundError, ValueError):
        # The definition was checked: what the package lacks is a zone that this machine knows.
        return zoneinfo.ZoneInfo(name)


def provenance_sentence(say: HtmlSay, view: View) -> str:
    """Where the sheets come from, in one sentence for every page."""
    definition = view.election.definition
    if definition.provenance == "replayed":
        return say(
            "Replayed from published data ({source}); the keys were made for the replay.", source=say.name(definition.source)
        )
    if definition.provenance == "simulated":
        return say("Simulated: this election, its places and its candidates are invented.")
    return say("Signed by the stations of this election; defined by {authority}.", authority=say.name(definition.authority))


Render = Callable[[Pages], Iterable[SiteFile]]
"""What a module of pages offers: all its pages in one language."""
