"""Every decision of the authority about a sheet: what it does, why, who signed, and what it changes in the totals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from markupsafe import Markup

from scrutineer.count.columns import FIGURES
from scrutineer.portal.decision_effects import Decided, all_decisions, effect
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.paging import paged
from scrutineer.portal.people import officer
from scrutineer.portal.station_parts import Parts, figures_of
from scrutineer.portal.words import ACTION_WORDS

PATH: Final = "decisions.html"
_MOST_PER_PAGE: Final = 20
_FIGURES_PER_PAGE: Final = 300
"""Each decision shows the figures of a whole sheet: with many options fewer decisions stand on a page, which stays light."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure of the sheet: as sent, as decided, and what that changes in the totals. Texts are HTML."""

    label: str
    before: str
    after: str
    effect: str
    is_option: bool


@dataclass(frozen=True, slots=True)
class _Decision:
    """One decision. Texts are HTML."""

    index: int
    station: str
    link: str
    parts: str
    action: str
    state: str
    in_effect: bool
    reason: str
    signed: str
    refused: str
    figures: tuple[_Figure, ...]
    has_after: bool
    """Whether the decision puts other figures in place of the sheet's."""
    has_effect: bool


@dataclass(frozen=True, slots=True)
class _Together:
    """What all decisions in effect change in a contest."""

    title: str
    rows: tuple[tuple[str, str, str], ...]
    """Option, change, total."""


def decision_pages(pages: Pages) -> Iterator[SiteFile]:
    """`decisions.html` and its further pages."""
    view, say = pages.view, pages.say
    decided = list(all_decisions(view))
    figures = [
        (say("Decisions"), say.number(len(decided))),
        (say("In effect"), say.number(sum(one.in_effect for one in decided))),
        (
            say("Waiting for signatures"),
            say.number(sum(one.act.effective is None for one in decided)),
        ),
    ]
    together, parts = _together(pages, decided), Parts(pages)
    rows = iter(decided)
    options = max(len(contest.options) for contest in view.election.contests)
    per_page = max(1, min(_MOST_PER_PAGE, _FIGURES_PER_PAGE // (options + FIGURES)))
    for paging in paged(PATH, len(decided), per_page):
        title = say("Decisions") if paging.number == 1 else say("Decisions, page {page}", page=paging.number)
        shown = [_decision(pages, parts, one) for one in islice(rows, per_page)]
        yield pages.render(
            "decisions.html",
            paging.own_path,
            title,
            figures=figures,
            decisions=shown,
            paging=paging,
            together=together if paging.number == 1 else (),
        )


def _together(pages: Pages, decided: list[Decided]) -> tuple[_Together, ...]:
    view, say = pages.view, pages.say
    sums: dict[int, list[int]] = {}
    for one in decided:
        change = effect(view, one)
        if change is not None and one.contest is not None:
            before = sums.get(one.contest, [0] * len(change))
            sums[one.contest] = [own + more for own, more in zip(before, change, strict=True)]
    found = []
    for contest, changes in sorted(sums.items()):
        now = view.standings[contest]
        rows = tuple(
            (say.name(option.name), signed(pages, change), say.number(votes))
            for option, change, votes in zip(now.contest.options, changes, now.result.votes, strict=True)
        )
        found.append(_Together(say.name(now.contest.title), rows))
    return tuple(found)


def signed(pages: Pages, value: int) -> str:
    """A change in votes with its sign."""
    return f"+{pages.say.number(value)}" if value > 0 else pages.say.number(value)


def _decision(pages: Pages, parts: Parts, one: Decided) -> _Decision:
    view, say = pages.view, pages.say
    act, decision = one.act, one.decision
    link: str = ""
    name: str = say.name(decision.station)
    about: list[str] = [_code(decision.station)]
    if one.station is not None:
        unit = int(view.units.station_units[one.station])
        page, links = view.page_of(unit), pages.links(PATH)
        link = links.href(page) if page.endswith(".html") else links.file(page)
        name = pages.unit_name(unit)
        parent = int(view.units.parent[unit])
        if parent >= 0:
            about.insert(0, pages.unit_name(parent))
    if one.contest is not None and len(view.standings) > 1:
        about.append(say.name(view.election.contests[one.contest].title))
    figures = _figures(pages, parts, one)
    return _Decision(
        index=one.index,
        station=name,
        link=link,
        parts=Markup(" · ").join(about),
        action=say.later(ACTION_WORDS[decision.action]),
        state=_state(pages, one),
        in_effect=one.in_effect,
        reason=say.name(decision.reason),
        signed=_officers(pages, act.signed),
        refused=_officers(pages, act.refused),
        figures=figures,
        has_after=decision.after is not None,
        has_effect=one.in_effect,
    )


def _state(pages: Pages, one: Decided) -> str:
    say, act = pages.say, one.act
    if one.in_effect:
        return say("In effect")
    if act.effective is None:
        return say.several(
            "Signed by {signed} of {n} officer, not in effect",
            "Signed by {signed} of {n} officers, not in effect",
            act.needed,
            signed=len(act.signed),
        )
    if any(index == one.index for index, _ in pages.view.count.notes):
        return say("Without effect")
    return say("No longer in effect")


def _officers(pages: Pages, entries: Mapping[str, int]) -> str:
    say, count = pages.say, pages.view.count
    return say.listed(
        [
            say("{officer} (log entry {entry})", officer=officer(say, count, issuer), entry=entry)
            for issuer, entry in entries.items()
        ]
    )


def _figures(pages: Pages, parts: Parts, one: Decided) -> tuple[_Figure, ...]:
    """The figures of the sheet, side by side with those that the decision puts in their place and with its effect."""
    if one.contest is None or one.station is None:
        return ()
    state = pages.view.count.contests[one.contest]
    sheets = state.sheets_of(one.station)
    named = next((sheet for sheet in sheets if sheet.hash == one.decision.sheet), None)
    if named is None and one.decision.action == "exclude" and sheets:
        named = sheets[0]
    if named is None:
        return ()
    before: list[int] = named.figures.tolist()
    after = list(before) if one.decision.after is None else list(figures_of(state.contest, one.decision.after))
    if len(after) != len(before):
        return ()
    changes: list[int | None] = [*(effect(pages.view, one) or [])]
    changes += [None] * (len(before) - len(changes))
    return tuple(
        _Figure(
            label=label,
            before=parts.stated(own),
            after=parts.stated(new),
            effect="" if change is None else signed(pages, change),
            is_option=row < state.options,
        )
        for row, (label, own, new, change) in enumerate(zip(parts.labels(one.contest), before, after, changes, strict=True))
    )


def _code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)
