"""What is kept out of the totals and why: stations in quarantine or excluded, sheets of no station, acts without effect."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Final

import numpy as np
from markupsafe import Markup

from scrutineer.count import EXCLUDED, QUARANTINED, STATUS_NAMES, rule
from scrutineer.portal import words
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.paging import paged
from scrutineer.portal.places import ROWS_PER_PAGE
from scrutineer.portal.view import View

PATH: Final = "quarantine.html"


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: a rule with its wording, or words alone."""

    wording: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """A sheet or act that is not in the totals. Texts are HTML."""

    name: str
    parts: str
    state: str
    label: str
    why: tuple[Why, ...]
    entry: int | None
    """None where there is no sheet."""
    link: str = ""


def quarantine_pages(pages: Pages) -> Iterator[SiteFile]:
    """`quarantine.html` and its further pages."""
    view, say = pages.view, pages.say
    total = len(view.count.strays) + len(view.count.notes) + sum(len(_stations(view, n)) for n in range(len(view.standings)))
    figures = [
        (say("In quarantine"), say.number(sum(now.result.quarantined for now in view.standings))),
        (say("Excluded by decision"), say.number(sum(now.result.excluded for now in view.standings))),
        (say("Of no station or contest of this election"), say.number(len(view.count.strays))),
        (say("Acts without effect"), say.number(len(view.count.notes))),
    ]
    rows = _rows(pages)
    for paging in paged(PATH, total):
        title = say("Quarantine") if paging.number == 1 else say("Quarantine, page {page}", page=paging.number)
        shown = list(islice(rows, ROWS_PER_PAGE))
        yield pages.render("quarantine.html", paging.own_path, title, figures=figures, rows=shown, paging=paging)


def _stations(view: View, contest: int) -> list[int]:
    status = view.count.contests[contest].status
    return np.flatnonzero((status == QUARANTINED) | (status == EXCLUDED)).tolist()


def _rows(pages: Pages) -> Iterator[_Row]:
    view, say = pages.view, pages.say
    links = pages.links(PATH)

    @cache
    def wordings(flags: int) -> tuple[Why, ...]:
        return tuple(Why(say.later(rule(own).wording), own) for own in view.count.book.names(flags))

    for contest, now in enumerate(view.standings):
        state = view.count.contests[contest]
        for station in _stations(view, contest):
            unit = int(view.units.station_units[station])
            parent = int(view.units.parent[unit])
            parts: list[str] = [Markup("<code>{}</code>").format(view.units.ids[unit])]
            if parent >= 0:
                parts.insert(0, pages.unit_name(parent))
            if len(view.standings) > 1:
                parts.append(say.name(now.contest.title))
            status, index = int(state.status[station]), int(state.sheet[station])
            page = view.page_of(unit)
            yield _Row(
                name=pages.unit_name(unit),
                parts=Markup(" · ").join(parts),
                state=STATUS_NAMES[status],
                label=say.later(words.STATUS_WORDS[status]),
                why=wordings(int(state.flags[station])),
                entry=index if index >= 0 else None,
                link=links.href(page) if page.endswith(".html") else links.file(page),
            )
    for stray in view.count.strays:
        label, why = say("Not of this election"), wordings(stray.flag)
        yield _Row(say.name(stray.station), say.name(stray.contest), "quarantined", label, why, stray.index)
    for index, reason in view.count.notes:
        yield _Row(say("Statement"), "", "excluded", say("Without effect"), (Why(say.name(reason)),), index)
