"""The page of each unit above the stations: its totals, its maps, and the places in it with their progress."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from scrutineer.count import UnitResult
from scrutineer.count.contest import OUTSTANDING, STATUS_NAMES, ContestCount
from scrutineer.language import msg
from scrutineer.portal import words
from scrutineer.portal.comparison import Comparison, Earlier, Fetched, compared, earlier
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.frame import Frame
from scrutineer.portal.map_figures import MapFigures, hatchings, map_figures
from scrutineer.portal.page import progress_bar
from scrutineer.portal.pages import Pages
from scrutineer.portal.paging import paged
from scrutineer.portal.places import ROWS_PER_PAGE
from scrutineer.portal.sheets import ballots_of
from scrutineer.portal.votes import VotesTable, in_front, stated, unit_figures, votes_table

KINDS: Final = {
    "country": msg("Country"),
    "region": msg("Region"),
    "state": msg("State"),
    "province": msg("Province"),
    "department": msg("Department"),
    "county": msg("County"),
    "district": msg("District"),
    "municipality": msg("Municipality"),
    "parish": msg("Parish"),
    "ward": msg("Ward"),
    "zone": msg("Zone"),
    "centre": msg("Centre"),
    "station": msg("Station"),
}
"""Kinds of units that many countries have; another one stands on the pages as its definition writes it."""
_ROWS_OF_ALL: Final = 80
"""Rows of all contests together on one page, so that it stays light."""
_FEWEST_ROWS: Final = 8
_FRAMES: Final = 16
"""Frames that are kept while the units of the levels between are written."""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One place in the table of a unit. Texts are HTML; of a station `state` is its status, of a unit it is empty."""

    name: str
    path: str | None
    state: str
    counted: str
    bar: Markup
    ballots: str
    turnout: str
    front: str
    entry: str


@dataclass(frozen=True, slots=True)
class ContestPart:
    """One contest on the page of a unit. Everything but `rows` is there on the first page alone."""

    id: str
    title: str
    rows: list[PlaceRow]
    totals: "Totals | None" = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a contest gives in a unit."""

    bar: Markup
    counted: str
    progress: str
    table: VotesTable
    maps: MapFigures | None
    whole: Comparison | None
    fetched: Fetched | None
    earlier: Earlier | None


def unit_pages(pages: Pages, units: Iterable[int] | None = None) -> Iterator[SiteFile]:
    """The pages of these inner units (positions), or of all in the order of the units table; one with many places has several.

    Only units that have a page in the language of `pages` get one.
    """
    writer = _Writer(pages)
    for unit in pages.view.units.index.values() if units is None else units:
        if pages.has_place(unit):
            yield from writer.pages_of(unit)


def kind_word(pages: Pages, kind: str) -> str:
    """What a kind of unit is called, as HTML."""
    known = KINDS.get(kind.lower())
    return pages.say.name(kind) if known is None else pages.say.later(known)


def place_rows(pages: Pages, contest: int, places: Iterable[int]) -> list[PlaceRow]:
    """Rows for those of some places that vote in a contest; stations and units may stand side by side."""
    view = pages.view
    units, state = view.units, view.count.contests[contest]
    within = units.stations_below(state.unit)
    rows = []
    for place in places:
        first, last = int(units.first_station[place]), int(units.last_station[place])
        if last > within.start and first < within.stop:
            inner = place in view.inner
            rows.append(_unit_row(pages, contest, place) if inner else _station_row(pages, contest, place, first, state))
    return rows


class _Writer:
    """Writes the pages of units. Those of one parent lie in the same frame, apart from their first pages with maps or scripts."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._template = pages.template("unit.html")
        self._frames: dict[tuple[int, bool, bool], Frame] = {}

    def pages_of(self, unit: int) -> Iterator[SiteFile]:
        pages, view, say = self._pages, self._pages.view, self._pages.say
        units = view.units
        below, contests = view.children[unit], view.contests_in(unit)
        rows = ROWS_PER_PAGE if len(contests) < 2 else max(_FEWEST_ROWS, _ROWS_OF_ALL // len(contests))
        name = units.names[unit]
        drawing = view.drawings.of(unit)
        for paging in paged(view.places.unit(unit), len(below), rows):
            first = paging.number == 1
            some = below[(paging.number - 1) * rows : paging.number * rows]
            parts = [
                ContestPart(
                    id=view.election.contests[contest].id,
                    title=say.name(view.election.contests[contest].title),
                    rows=place_rows(pages, contest, some),
                    totals=_totals(pages, contest, unit) if first else None,
                )
                for contest in contests
            ]
            frame = self._around(unit, maps=first and drawing is not None, script=first and unit not in view.upper)
            content = self._template.render(
                frame.values,
                unit_name=say.name(name),
                unit_id=units.ids[unit],
                kind=kind_word(pages, units.kinds[unit]),
                stations=words.stations(say, len(units.stations_below(unit))),
                drawing=drawing if first else None,
                hatchings=hatchings(part.totals.maps for part in parts if part.totals is not None),
                symbols=say.language.symbols,
                has_entry=view.record.options.pages == "units",
                contests=parts,
                paging=paging,
            )
            title = name if first else say("{place}, page {page}", place=name, page=paging.number)
            yield frame.around(paging.own_path.removeprefix("units/").removesuffix(".html"), title, content)

    def _around(self, unit: int, *, maps: bool, script: bool) -> Frame:
        key = (int(self._pages.view.units.parent[unit]), maps, script)
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) == _FRAMES:
                self._frames.clear()
            styles = ("maps.css",) if maps else ()
            scripts = ("compare.js",) if script else ()
            frame = self._frames[key] = Frame(self._pages, "units", unit, self._pages.crumbs(unit), scripts, styles)
        return frame


def _totals(pages: Pages, contest: int, unit: int) -> Totals:
    view, say = pages.view, pages.say
    result = unit_figures(view, contest, unit)
    whole = compared(pages, contest, unit, result)
    return Totals(
        bar=progress_bar(result),
        counted=say.percent(result.counted, result.stations),
        progress=say.joined(words.progress_parts(say, result), " · "),
        table=votes_table(pages, contest, result),
        maps=map_figures(pages, contest, unit),
        whole=whole if isinstance(whole, Comparison) else None,
        fetched=whole if isinstance(whole, Fetched) else None,
        earlier=earlier(pages, contest, unit, result),
    )


def _unit_row(pages: Pages, contest: int, unit: int) -> PlaceRow:
    say = pages.say
    result = unit_figures(pages.view, contest, unit)
    return PlaceRow(
        name=pages.unit_name(unit),
        path=pages.view.places.unit(unit),
        state="",
        counted=say("{counted} of {stations}", counted=result.counted, stations=result.stations),
        bar=progress_bar(result, small=True),
        ballots=say.number(result.ballots),
        turnout=turnout(pages, result),
        front=in_front(pages, contest, result.votes),
        entry="",
    )


def turnout(pages: Pages, result: UnitResult) -> str:
    """Ballots for each registered voter of the counted stations, as a share; empty where it is not known."""
    if not result.counted or result.roll_counted is None:
        return ""
    return pages.say.percent(result.ballots, result.roll_counted)


def _station_row(pages: Pages, contest: int, unit: int, station: int, state: ContestCount) -> PlaceRow:
    view, say = pages.view, pages.say
    status = int(state.status[station])
    ballots = voted = front = entry = ""
    if status != OUTSTANDING:
        figures = state.figures[station].tolist()
        cast, roll = ballots_of(state.contest, figures), int(view.units.rolls[station])
        ballots = stated(say, cast)
        voted = say.percent(cast, roll) if cast >= 0 and roll > 0 else ""
        votes = figures[: state.options]
        # Where an option's votes are not stated, nobody knows who is in front.
        front = in_front(pages, contest, votes) if min(votes, default=0) >= 0 else ""
        entry = say.number(int(state.sheet[station]))
    return PlaceRow(
        name=pages.unit_name(unit),
        path=view.places.station(unit),
        state=STATUS_NAMES[status],
        counted=say.later(words.STATUS_WORDS[status]),
        bar=Markup(),
        ballots=ballots,
        turnout=voted,
        front=front,
        entry=entry,
    )
