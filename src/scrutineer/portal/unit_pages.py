"""The page of each unit above the stations: its totals, and the places in it with their progress."""

from collections.abc import Iterable, Iterator
from typing import Final

from scrutineer.count import UnitResult
from scrutineer.count.contest import COUNTED, OUTSTANDING, STATUS_NAMES, ContestCount
from scrutineer.portal import words as say
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.page import mark, pages_nav, progress_bar
from scrutineer.portal.pages import Pages
from scrutineer.portal.places import ROWS_PER_PAGE
from scrutineer.portal.sheets import ballots_of
from scrutineer.portal.text import count_of, number, percent, stated, words
from scrutineer.portal.votes import in_front, unit_figures, votes_table

_ROWS_OF_ALL: Final = 80
"""Rows of all contests together on one page, so that it stays light."""
_FEWEST_ROWS: Final = 8


def unit_pages(pages: Pages, units: Iterable[int] | None = None) -> Iterator[SiteFile]:
    """The pages of these inner units (positions), or of all in the order of the units table; one with many places has several.

    Only units that have a page in the language of `pages` get one.
    """
    for unit in pages.view.units.index.values() if units is None else units:
        if pages.has_place(unit):
            yield from _pages_of(pages, unit)


def _pages_of(pages: Pages, unit: int) -> Iterator[SiteFile]:
    view = pages.view
    units = view.units
    below = view.children[unit]
    contests = view.contests_in(unit)
    rows = ROWS_PER_PAGE if len(contests) < 2 else max(_FEWEST_ROWS, _ROWS_OF_ALL // len(contests))
    parts = [below[start : start + rows] for start in range(0, len(below), rows)]
    paths = [view.places.unit(unit, page) for page in range(1, len(parts) + 1)]
    names = [path.rpartition("/")[2] for path in paths]
    crumbs = pages.crumbs(unit)
    stations = len(units.stations_below(unit))
    head = (
        f"<h1>{words(units.names[unit])}</h1>\n"
        f'<p class="meta">{words(units.kinds[unit])} <code>{units.ids[unit]}</code> · '
        f"{count_of(stations, 'station', 'stations')}</p>\n"
    )
    for page, part in enumerate(parts, start=1):
        content = [head]
        for contest in contests:
            title = words(view.election.contests[contest].title)
            content.append(f'<section class="contest">\n<h2>{title}</h2>\n')
            if page == 1:
                result = unit_figures(view, contest, unit)
                share = percent(result.counted, result.stations)
                content.append(
                    f'{progress_bar(result)}\n<p class="progress"><strong>{share} counted.</strong> '
                    f"{' · '.join(say.progress_parts(pages.say, result))}.</p>\n{pages.template('votes_table.html').render(pages.context(paths[0], '') | {'table': votes_table(pages, contest, result)})}"
                )
            content.append(_places_table(pages, contest, part))
            content.append(pages_nav(names, page))
            content.append("</section>\n")
        title = units.names[unit] if page == 1 else f"{units.names[unit]}, page {page}"
        yield pages.plain(paths[page - 1], title, "".join(content), crumbs, unit)


def _votes(pages: Pages, path: str, contest: int, result: UnitResult) -> str:
    values = pages.context(path, "") | {"table": votes_table(pages, contest, result)}
    return pages.template("votes_table.html").render(values)


def _places_table(pages: Pages, contest: int, places: list[int]) -> str:
    """Rows for the places of one page; stations and units may stand side by side."""
    view = pages.view
    units, state = view.units, view.count.contests[contest]
    within = units.stations_below(state.unit)
    rows = []
    has_entry = view.record.options.pages == "units"
    for place in places:
        first, last = int(units.first_station[place]), int(units.last_station[place])
        if last <= within.start or first >= within.stop:
            continue
        if place in view.inner:
            rows.append(_unit_row(pages, contest, place, has_entry=has_entry))
        else:
            rows.append(_station_row(pages, contest, place, first, state, has_entry=has_entry))
    entry = '<th scope="col">Log entry</th>' if has_entry else ""
    return (
        '<table class="places">\n<caption>Places</caption>\n<thead><tr><th scope="col">Place</th>'
        '<th scope="col" class="state">Counted</th>'
        f'<th scope="col">Ballots</th><th scope="col" class="front">In front</th>{entry}</tr></thead>\n<tbody>\n'
        f"{''.join(rows)}</tbody>\n</table>\n"
    )


def _unit_row(pages: Pages, contest: int, unit: int, *, has_entry: bool) -> str:
    view = pages.view
    result = unit_figures(view, contest, unit)
    path = view.places.unit(unit).removeprefix("units/")
    return (
        f'<tr><th scope="row"><a href="{path}">{words(view.units.names[unit])}</a></th>'
        f'<td class="state">{progress_bar(result, small=True)}{number(result.counted)} of '
        f"{number(result.stations)}</td><td>{number(result.ballots)}</td>"
        f'<td class="front">{in_front(pages, contest, result.votes)}</td>{"<td></td>" if has_entry else ""}</tr>\n'
    )


def _station_row(pages: Pages, contest: int, unit: int, station: int, state: ContestCount, *, has_entry: bool) -> str:
    view = pages.view
    status = int(state.status[station])
    name = words(view.units.names[unit])
    path = view.places.station(unit)
    link = name if path is None else f'<a href="../{path}">{name}</a>'
    ballots, front, entry = "", "", ""
    if status != OUTSTANDING:
        figures = state.figures[station].tolist()
        ballots = stated(ballots_of(state.contest, figures))
        front = in_front(pages, contest, [max(0, votes) for votes in figures[: state.options]])
        entry = number(int(state.sheet[station])) if has_entry else ""
    aside = "" if status == COUNTED else ' class="aside"'
    return (
        f'<tr{aside}><th scope="row">{link}</th><td class="state">{mark(STATUS_NAMES[status], say.STATUS_WORDS[status])}</td>'
        f'<td>{ballots}</td><td class="front">{front}</td>{f"<td>{entry}</td>" if has_entry else ""}</tr>\n'
    )
