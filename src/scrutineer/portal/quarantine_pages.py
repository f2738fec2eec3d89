"""What is kept out of the totals and why: stations in quarantine or excluded, sheets of no station, acts without effect."""

from collections.abc import Iterator
from html import escape
from itertools import islice

import numpy as np

from scrutineer.count import EXCLUDED, QUARANTINED, STATUS_NAMES, rule
from scrutineer.portal import words as say
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.page import mark, pages_nav
from scrutineer.portal.pages import Pages
from scrutineer.portal.places import ROWS_PER_PAGE, numbered
from scrutineer.portal.text import count_of, number, words
from scrutineer.portal.view import View

PATH = "quarantine.html"


def quarantine_pages(pages: Pages) -> Iterator[SiteFile]:
    """`quarantine.html` and its further pages."""
    view = pages.view
    total = len(view.count.strays) + len(view.count.notes) + sum(len(_stations(view, n)) for n in range(len(view.standings)))
    paths = [numbered(PATH, page) for page in range(1, max(1, -(-total // ROWS_PER_PAGE)) + 1)]
    rows = _rows(view)
    quarantined = sum(now.result.quarantined for now in view.standings)
    excluded = sum(now.result.excluded for now in view.standings)
    intro = (
        "<h1>Quarantine</h1>\n<p>A sheet that fails a rule is recorded and shown, and stays out of the totals until a signed "
        "decision clears it. That a rule failed is a reason to look, and says nothing about how it came about.</p>\n"
        f"<p>{count_of(quarantined, 'sheet', 'sheets')} in quarantine, {number(excluded)} excluded by decision, "
        f"{number(len(view.count.strays))} of no station or contest of this election.</p>\n"
    )
    for page, path in enumerate(paths, start=1):
        table = (
            '<table class="list stack">\n<caption>In station order</caption>\n<thead><tr><th scope="col">Station</th>'
            '<th scope="col" class="state">Status</th><th scope="col" class="front">Rules</th>'
            '<th scope="col">Log entry</th></tr></thead>\n'
            f"<tbody>\n{''.join(islice(rows, ROWS_PER_PAGE))}</tbody>\n</table>\n"
        )
        content = intro + (table if total else "<p>There is nothing in quarantine.</p>\n") + pages_nav(paths, page)
        yield pages.plain(path, "Quarantine" if page == 1 else f"Quarantine, page {page}", content)


def _stations(view: View, contest: int) -> list[int]:
    status = view.count.contests[contest].status
    return np.flatnonzero((status == QUARANTINED) | (status == EXCLUDED)).tolist()


def _rows(view: View) -> Iterator[str]:
    several = len(view.standings) > 1
    for contest, now in enumerate(view.standings):
        state = view.count.contests[contest]
        title = f"<br>{words(now.contest.title)}" if several else ""
        for station in _stations(view, contest):
            unit = int(view.units.station_units[station])
            parent = int(view.units.parent[unit])
            lies = f"{words(view.units.names[parent])} " if parent >= 0 else ""
            status, index = int(state.status[station]), int(state.sheet[station])
            failed = view.count.book.names(int(state.flags[station]))
            yield (
                f'<tr><th scope="row"><a href="{view.page_of(unit)}">{words(view.units.names[unit])}</a>'
                f'<span class="parts">{lies}<code>{view.units.ids[unit]}</code>{title}</span></th>'
                f'<td class="state">{mark(STATUS_NAMES[status], say.STATUS_WORDS[status])}</td>'
                f'<td class="front">{_wordings(failed)}</td><td class="entry">{number(index) if index >= 0 else "–"}</td></tr>\n'
            )
    for stray in view.count.strays:
        yield (
            f'<tr><th scope="row">{words(stray.station)}<span class="parts">{words(stray.contest)}</span></th>'
            f'<td class="state">{mark("quarantined", "Not of this election")}</td>'
            f'<td class="front">{_wordings(view.count.book.names(stray.flag))}</td>'
            f'<td class="entry">{number(stray.index)}</td></tr>\n'
        )
    for index, reason in view.count.notes:
        yield (
            f'<tr><th scope="row">Statement</th><td class="state">{mark("excluded", "Without effect")}</td>'
            f'<td class="front">{words(reason)}</td><td class="entry">{number(index)}</td></tr>\n'
        )


def _wordings(rule_ids: tuple[str, ...]) -> str:
    return "<br>".join(f'<a href="rules.html#{rule_id}">{escape(rule(rule_id).wording)}</a>' for rule_id in rule_ids) or "–"
