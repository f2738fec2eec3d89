"""A page for every head that was published: the totals as they stood, and what was new since the one before.

The page of a snapshot never changes: it depends on that snapshot, the one before it and the definition, and on nothing that comes
later. It is made when somebody asks for its bytes, because whoever has published it need not make it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from scrutineer.count import UnitResult
from scrutineer.election import Contest
from scrutineer.election.contests import LIST_RULES
from scrutineer.language import Say, has_date
from scrutineer.portal.check_page import code
from scrutineer.portal.formats import Once, SiteFile
from scrutineer.portal.history import ContestTotals, Snapshot
from scrutineer.portal.history_files import snapshot_path
from scrutineer.portal.pages import Pages
from scrutineer.portal.places import snapshot_page
from scrutineer.portal.record import MOST_TRANSLATED_SNAPSHOTS
from scrutineer.portal.view import View, base_of
from scrutineer.statements import ContestResult

NIGHT: Final = "night.html"
MOST_CONTESTS: Final = 16
"""Contests that the page of a snapshot tells of at length; its data file holds all of them."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A candidate or a region. Texts are HTML."""

    name: str
    value: str
    change: str
    share: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    """One contest as it stood."""

    title: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[_Row, ...]
    base: str
    regions: tuple[_Row, ...]


def snapshot_pages(pages: Pages) -> Iterator[SiteFile]:
    """The page of every snapshot, oldest first."""
    previous = None
    for number, snapshot in enumerate(pages.view.record.snapshots):
        if number < MOST_TRANSLATED_SNAPSHOTS or not pages.number:
            path = pages.path(snapshot_page(snapshot.head.size))
            yield SiteFile(path, Once(partial(_bytes, pages, snapshot, previous)), once=True)
        previous = snapshot


def _bytes(pages: Pages, snapshot: Snapshot, previous: Snapshot | None) -> bytes:
    return b"".join(_page(pages, snapshot, previous).chunks)


def _page(pages: Pages, snapshot: Snapshot, previous: Snapshot | None) -> SiteFile:
    say, view, head = pages.say, pages.view, snapshot.head
    changed = [
        number
        for number, totals in enumerate(snapshot.totals)
        if previous is None or totals.result != previous.totals[number].result
    ]
    rest = [number for number in range(len(snapshot.totals)) if number not in changed]
    told = sorted((changed + rest)[:MOST_CONTESTS])
    facts = [
        (say("Log entries"), say.number(head.size)),
        (say("Signed by the log"), say.time(snapshot.time)),
        (say("Root"), code(head.root.hex())),
    ]
    return pages.render(
        "snapshot.html",
        snapshot_page(head.size),
        say("As published on {time}", time=moment(say, snapshot.time)),
        crumbs=[(NIGHT, say("The night"))],
        facts=facts,
        data=snapshot_path(head.size),
        before=None if previous is None else snapshot_page(previous.head.size),
        before_time="" if previous is None else say.time(previous.time),
        more=head.size - (0 if previous is None else previous.head.size),
        sections=[
            _section(pages, number, snapshot.totals[number], None if previous is None else previous.totals[number])
            for number in told
        ],
        left_out=len(view.standings) - len(told),
    )


def _section(pages: Pages, number: int, now: ContestTotals, before: ContestTotals | None) -> _Section:
    say, view = pages.say, pages.view
    contest, result = view.election.contests[number], now.result
    earlier = None if before is None else before.result
    votes = view.by_candidate(number, result.votes)
    votes_before = None if earlier is None else view.by_candidate(number, earlier.votes)
    base = base_of(contest, _unit_result(result))
    rows = tuple(
        _Row(
            say.name(candidate.name),
            say.number(votes[place]),
            "" if votes_before is None else signed(say, votes[place] - votes_before[place]),
            say.percent(votes[place], base.ballots),
        )
        for place, candidate in enumerate(contest.standing())
    )
    regions = tuple(
        _Row(
            pages.unit_name(unit),
            say.number(own.arrived),
            "" if before is None else signed(say, own.arrived - before.regions[place].arrived),
            say.percent(own.arrived, stations_in(view, number, unit)),
            view.places.unit(unit) if pages.has_place(unit) else "",
        )
        for place, (unit, own) in enumerate(zip(view.regions[number], now.regions, strict=True))
    )
    return _Section(say.name(contest.title), tuple(_facts(say, contest, result, earlier)), rows, say.later(base.label), regions)


def stations_in(view: View, contest: int, unit: int) -> int:
    """Stations of a unit that vote in a contest; one of the contest's regions lies in it as a whole."""
    below, of = view.units.stations_below(unit), view.units.stations_below(view.election.contest_units[contest])
    return max(0, min(below.stop, of.stop) - max(below.start, of.start))


def signed(say: Say, change: int) -> str:
    """A change with its sign; 0 has none."""
    # A mark of direction keeps the sign before its number where text runs from right to left.
    plus = "\u200e+" if say.language.direction == "rtl" else "+"
    return f"{plus}{say.number(change)}" if change > 0 else say.number(change)


def moment(say: Say, seconds: int) -> str:
    """Day and time of day, short; the page says in which time zone. A time without a date stands as `Say.time` tells it."""
    if not has_date(seconds):
        return say.time(seconds)
    return say("{day}, {clock}", day=say.day(seconds), clock=say.clock(seconds))


def _facts(say: Say, contest: Contest, result: ContestResult, before: ContestResult | None) -> Iterator[tuple[str, str]]:
    names = {candidate.id: say.name(candidate.name) for candidate in contest.standing()}
    held = list(dict.fromkeys(result.elected))
    if held and contest.rule in LIST_RULES:
        seats = [say("{list}: {seats}", list=names[own], seats=result.elected.count(own)) for own in held]
        yield say("Seats"), say.listed(seats)
    elif held:
        yield say("In front"), say.listed([names[own] for own in held])
    if result.tied:
        yield say("Level"), say.listed([names[own] for own in result.tied])
    if result.runoff:
        yield say("Run-off"), say.listed([names[own] for own in result.runoff])
    if result.margin is not None:
        margin = say.several("{n} vote", "{n} votes", result.margin)
        if before is not None and before.margin is not None and before.margin != result.margin:
            margin = say("{figure} ({change})", figure=margin, change=signed(say, result.margin - before.margin))
        yield say("Margin"), margin
    yield say("Could it still change then?"), say("yes") if result.changeable else say("no")
    for label, field in (
        (say("Stations counted"), "counted"),
        (say("In quarantine"), "quarantined"),
        (say("Excluded"), "excluded"),
        (say("Outstanding"), "outstanding"),
    ):
        own = getattr(result, field)
        change = 0 if before is None else own - getattr(before, field)
        figure = say.number(own)
        if field == "counted":
            figure = say("{counted} of {stations}", counted=own, stations=result.stations)
        yield label, say("{figure} ({change})", figure=figure, change=signed(say, change)) if change else figure


def _unit_result(result: ContestResult) -> UnitResult:
    """The totals that shares are taken of."""
    return UnitResult(
        votes=result.votes,
        blank=result.blank,
        null=result.null,
        ballots=result.ballots,
        voters=None,
        stations=result.stations,
        counted=result.counted,
        quarantined=result.quarantined,
        excluded=result.excluded,
        roll=None,
        roll_counted=None,
        open_ballots=result.open_ballots,
        open_without_roll=0,
    )
