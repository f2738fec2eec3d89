"""The page of each station: what its sheets say, what the rules found, and the proof that they are in the log.

There are tens of thousands of these, so everything that stations share is put together once: the frame for each parent, the
labels of a contest's rows, the wording of a set of failed rules.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from typing import Final, NamedTuple

from scrutineer.count import COUNTED, RULE_IDS, STATUS_NAMES, Act, rule
from scrutineer.count.contest import ContestCount, SheetRecord
from scrutineer.portal import words as say
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.page import facts, mark
from scrutineer.portal.pages import Pages
from scrutineer.portal.sheets import proof_details, read_source, receipts, signer, source_facts
from scrutineer.portal.text import NOT_STATED, number, stated, time, words
from scrutineer.statements import Decision

_BLOCK: Final = 1024  # stations rendered at a time
_TITLE: Final = "~title~"
_CONTENT: Final = "~content~"
_SMALL: Final = tuple(number(value) for value in range(10_000))
_FIGURES: Final = ("Blank", "Null", "Ballots cast", "Voters checked in", "Registered voters")


class _Sheets(NamedTuple):
    """The stations of one block in one contest, as lists by place in the block."""

    contest: int
    state: ContestCount
    first: int
    """Station number of the first."""
    status: list[int]
    entry: list[int]
    figures: list[list[int]]
    hashes: bytes
    time: list[int]
    flags: list[int]


def station_pages(pages: Pages, stations: Iterable[int] | None = None) -> Iterator[SiteFile]:
    """The pages of these stations (by number; None: of all), in station order.

    A page depends on the definition, the options, and of its own station on: the arrays of each `ContestCount` (status, sheet,
    figures, hashes, time, flags), `several` and `decided`; `Count.opened` and `openings`; `View.decisions` with the signatures
    under them so far; `Observations.of_station`, whose values print alike where they are equal; and `Record.covering` of its
    sheets' log entries. It depends on nothing else of the log.
    """
    view, made = pages.view, _StationPages(pages)
    chosen = None if stations is None else set(stations)
    for start in range(0, view.units.station_count, _BLOCK):
        stop = min(start + _BLOCK, view.units.station_count)
        if chosen is None:
            yield from made.render(start, stop)
        else:
            for station in sorted(chosen.intersection(range(start, stop))):
                yield from made.render(station, station + 1)


class _StationPages:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._view = view = pages.view
        self._parent = -2
        self._until_title = self._after_title = self._close = ""
        self._folder = ""
        self._ranges = [
            (number_, view.units.stations_below(state.unit), state) for number_, state in enumerate(view.count.contests)
        ]
        self._heads = [f'<section class="contest">\n<h2>{words(c.title)}</h2>\n' for c in view.election.contests]
        self._labels = [
            [*(f'<tr><th scope="row">{words(option.name)}</th>' for option in contest.options)]
            + [f'<tr class="{"first" if n == 0 else "figure"}"><th scope="row">{name}</th>' for n, name in enumerate(_FIGURES)]
            for contest in view.election.contests
        ]
        self._rules = cache(self._rules_list)

    def render(self, start: int, stop: int) -> Iterator[SiteFile]:
        """The pages of the stations from `start` to before `stop`."""
        blocks = [self._block(contest, state, max(start, of.start), min(stop, of.stop)) for contest, of, state in self._ranges]
        proofs = dict(receipts(self._view.record, sorted({index for block in blocks for index in _indexes(block)})))
        units = self._view.units
        rolls = units.rolls[start:stop].tolist()
        for station, unit in enumerate(units.station_units[start:stop].tolist(), start):
            yield self._page(station, unit, rolls[station - start], blocks, proofs)

    def _block(self, contest: int, state: ContestCount, start: int, stop: int) -> _Sheets:
        stop = max(start, stop)
        return _Sheets(
            contest,
            state,
            start,
            state.status[start:stop].tolist(),
            state.sheet[start:stop].tolist(),
            state.figures[start:stop].tolist(),
            state.hashes[start:stop].tobytes(),
            state.time[start:stop].tolist(),
            state.flags[start:stop].tolist(),
        )

    def _page(self, station: int, unit: int, roll: int, blocks: list[_Sheets], proofs: dict[int, bytes]) -> SiteFile:
        view, units = self._view, self._view.units
        parent = int(units.parent[unit])
        if parent != self._parent:
            self._parent = parent
            self._folder = view.places.station_folder(unit)
            page = f"{self._folder}/{view.places.station_file(unit)}"
            frame = self._pages.plain(page, _TITLE, _CONTENT, self._pages.crumbs(unit), unit)
            self._until_title, rest = b"".join(frame.chunks).decode().split(_TITLE, 1)
            self._after_title, self._close = rest.split(_CONTENT, 1)
        name, station_id = units.names[unit], units.ids[unit]
        sections = [
            self._section(block, station - block.first, station_id, proofs)
            for block in blocks
            if 0 <= station - block.first < len(block.status)
        ]
        content = (
            f"{self._until_title}{escape(name)}{self._after_title}<h1>{words(name)}</h1>\n"
            f'<p class="meta">{units.kinds[unit]} <code>{station_id}</code> · '
            f"{number(roll) if roll >= 0 else 'unknown number of'} registered voters{self._opening(station)}</p>\n"
            f"{''.join(sections) or '<p>This station votes in none of the contests.</p>'}"
        )
        path = self._pages.path(f"{self._folder}/{view.places.station_file(unit)}")
        return SiteFile(path, ((content + self._close).encode(),))

    def _opening(self, station: int) -> str:
        index = self._view.count.openings.get(station)
        if index is None:
            return ""
        return f" · declared open {time(int(self._view.count.opened[station]))} (log entry {number(index)})"

    def _section(self, block: _Sheets, at: int, station_id: str, proofs: dict[int, bytes]) -> str:
        status, contest = block.status[at], block.contest
        acts = self._view.decisions.get((station_id, self._view.election.contests[contest].id), ())
        several = block.state.several.get(block.first + at)
        head = f"{self._heads[contest]}<p>{mark(STATUS_NAMES[status], say.STATUS_WORDS[status])}"
        if block.entry[at] < 0:
            return f"{head} {say.STATUS_SENTENCES[status]}</p>\n{self._decisions(block, at, acts)}</section>\n"
        head += f" {say.STATUS_SENTENCES[status]}</p>\n{self._rules(block.flags[at])}{self._decisions(block, at, acts)}"
        if several is None:
            return (
                f"{head}{self._figures(block, at)}"
                f"{self._proof(block.entry[at], block.hashes[32 * at : 32 * at + 32], block.time[at], proofs)}</section>\n"
            )
        proof = "".join(self._proof(sheet.index, sheet.hash, sheet.time, proofs) for sheet in several)
        return f"{head}{self._all_figures(block, at, several)}{proof}</section>\n"

    def _figures(self, block: _Sheets, at: int) -> str:
        """The figures of the only sheet."""
        rows = "".join(
            [
                f"{label}<td>{_SMALL[value] if 0 <= value < 10_000 else stated(value)}</td></tr>\n"
                for label, value in zip(self._labels[block.contest], block.figures[at], strict=True)
            ]
        )
        return f'<table class="figures">\n<caption>Figures of the sheet</caption>\n<tbody>\n{rows}</tbody>\n</table>\n'

    def _all_figures(self, block: _Sheets, at: int, sheets: list[SheetRecord]) -> str:
        """The figures of every sheet side by side, and those that a decision put in their place."""
        columns = [(f"Log entry {number(sheet.index)}", sheet.figures.tolist()) for sheet in sheets]
        in_effect = block.figures[at]
        corrected = block.status[at] == COUNTED and in_effect not in [figures for _, figures in columns]
        if corrected:
            columns.append(("In effect", in_effect))
        elif block.status[at] == COUNTED:
            shown = [sheet.index for sheet in sheets].index(block.entry[at])
            columns[shown] = (f"{columns[shown][0]}, counted", columns[shown][1])
        head = "".join(f'<th scope="col">{label}</th>' for label, _ in columns)
        rows = "".join(
            f"{label}{''.join(f'<td>{stated(figures[row])}</td>' for _, figures in columns)}</tr>\n"
            for row, label in enumerate(self._labels[block.contest])
        )
        caption = "Figures of every sheet of this station" if len(sheets) > 1 else "Figures of the sheet, and those in effect"
        return (
            f'<div class="wide"><table class="figures several">\n<caption>{caption}</caption>\n'
            f'<thead><tr><th scope="col">Figure</th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n'
        )

    def _rules_list(self, flags: int) -> str:
        book = self._view.count.book
        rows = []
        for rule_id in book.names(flags):
            severity = book.severities[RULE_IDS.index(rule_id)]
            rows.append(
                f'<li class="{severity}"><strong>{say.FINDING_WORDS[severity]}:</strong> {escape(rule(rule_id).wording)} '
                f'<a href="../../rules.html#{rule_id}"><code>{rule_id}</code></a></li>\n'
            )
        return f'<ul class="failed">\n{"".join(rows)}</ul>\n' if rows else ""

    def _decisions(self, block: _Sheets, at: int, acts: "list[Act] | tuple[()]") -> str:
        """Every decision on the station's sheet in this contest, with its reason and whether it is in effect."""
        in_effect = block.state.decided.get(block.first + at)
        rows = []
        for act in acts:
            decision = act.recorded.statement.payload
            if not isinstance(decision, Decision):
                continue
            index = act.recorded.index
            state = (
                "in effect"
                if index == in_effect
                else f"signed by {number(len(act.signed))} of {number(act.needed)} officers, not in effect"
                if act.effective is None
                else "no longer in effect"
            )
            officers = ", ".join(signer(issuer) for issuer in act.signed)
            rows.append(
                f"<li>{say.ACTION_WORDS[decision.action]} <em>{state}</em>, log entry {number(index)}, signed by {officers}."
                f"<blockquote>{words(decision.reason)}</blockquote></li>\n"
            )
        return f'<h3>Decisions</h3>\n<ul class="decisions">\n{"".join(rows)}</ul>\n' if rows else ""

    def _proof(self, index: int, digest: bytes, closed: int, proofs: dict[int, bytes]) -> str:
        data = self._view.record.entry(index)
        source = read_source(index, data)
        rows = [
            ("Log entry", number(index)),
            ("Statement", f"<code>{digest.hex()}</code>"),
            ("Signed by", signer(source.issuer)),
            ("Sheet closed", time(closed) if closed >= 0 else NOT_STATED),
            *source_facts(source),
        ]
        return facts(rows) + proof_details(index, data, proofs[index], "../../")


def _indexes(block: _Sheets) -> Iterator[int]:
    """The log indexes of all sheets of a block."""
    yield from (index for index in block.entry if index >= 0)
    for at in range(len(block.status)):
        for sheet in block.state.several.get(block.first + at, ()):
            yield sheet.index
