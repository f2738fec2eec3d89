"""Results that somebody announced, quoted in the log with their source, and held against themselves and against the record.

It is arithmetic on announced figures: it takes no side, and says of nobody what they did or meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from scrutineer.calls.claims.answers import Answer, Question, Status
from scrutineer.count import unit_result
from scrutineer.language import Say, msg
from scrutineer.portal.claimed import Claimed
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.night import Night
from scrutineer.portal.pages import Pages
from scrutineer.portal.paging import paged
from scrutineer.portal.places import snapshot_page
from scrutineer.portal.reported import find_place, place, reporter
from scrutineer.portal.snapshot_pages import signed
from scrutineer.statements import Claim, ClaimedFigure

PATH: Final = "claims.html"
CLAIMS_PER_PAGE: Final = 20

QUESTIONS: Final[dict[Question, str]] = {
    "agreement": msg("Do the numbers agree with themselves?"),
    "computed": msg("Do the votes look computed from the percentages?"),
    "reach": msg("Can it be reached from the announcement before it?"),
    "still-open": msg("Can the lead still change, on the announced figures?"),
    "record": msg("Does it fit the record?"),
}
ANSWERS: Final[dict[Status, str]] = {
    "fits": msg("Nothing contradicts"),
    "contradiction": msg("Cannot all be right as announced"),
    "stands-out": msg("Asks for an explanation"),
    "decided": msg("Decided, if these figures are right"),
    "not-decided": msg("Not decided, even if these figures are right"),
    "unknown": msg("Too little was announced to say"),
}
_MARKS: Final[dict[Status, str]] = {
    "fits": "counted",
    "contradiction": "error",
    "stands-out": "warning",
    "decided": "counted",
    "not-decided": "open",
    "unknown": "off",
}


@dataclass(frozen=True, slots=True)
class _Figure:
    """An announced figure beside those of the record. Texts are HTML."""

    name: str
    votes: str
    percent: str
    then: str
    now: str
    difference: str


@dataclass(frozen=True, slots=True)
class _Announced:
    """One announcement. Texts are HTML; what the answers say are phrases."""

    index: int
    by: str
    when: str
    source: str
    contest: str
    place: str
    quoted: str
    figures: tuple[_Figure, ...]
    then_path: str
    then_time: str
    answers: tuple["_Answer", ...]
    problem: str


@dataclass(frozen=True, slots=True)
class _Answer:
    question: str
    mark: str
    label: str
    answer: Answer


def claim_pages(pages: Pages) -> Iterator[SiteFile]:
    """`claims.html` and its further pages, in the order of the log."""
    say, view = pages.say, pages.view
    night = Night(view)
    rows = (_announced(pages, night, one) for one in view.claimed)
    for paging in paged(PATH, len(view.claimed), CLAIMS_PER_PAGE):
        yield pages.render(
            "claims.html",
            paging.own_path,
            say("Announcements") if paging.number == 1 else say("Announcements, page {page}", page=paging.number),
            claims=list(islice(rows, CLAIMS_PER_PAGE)),
            announced=len(view.claimed),
            paging=paging,
        )


def _announced(pages: Pages, night: Night, one: Claimed) -> _Announced:
    say, view, claim = pages.say, pages.view, one.claim
    snapshot = night.snapshots[night.first_showing(one.recorded.index)]
    return _Announced(
        index=one.recorded.index,
        by=say.name(claim.announced_by),
        when=say.name(claim.announced_at),
        source=say.name(claim.source),
        contest=say.name(claim.contest if one.contest is None else view.election.contests[one.contest].title),
        place=place(pages, claim.unit) if claim.unit else "",
        quoted=reporter(pages, one.recorded),
        figures=tuple(_figures(pages, night, one)),
        then_path=snapshot_page(snapshot.head.size),
        then_time=say.time(snapshot.time),
        answers=tuple(
            _Answer(say.later(QUESTIONS[answer.question]), _MARKS[answer.status], say.later(ANSWERS[answer.status]), answer)
            for answer in one.answers
        ),
        problem=say.name(one.problem) if one.problem else "",
    )


def _figures(pages: Pages, night: Night, one: Claimed) -> Iterator[_Figure]:
    say, claim = pages.say, one.claim
    now, then = _votes_now(pages, one), _votes_then(pages, night, one)
    for figure in claim.figures:
        at = _candidate(pages, one, figure)
        counted = None if now is None or at is None else now[at]
        before = None if then is None or at is None else then[at]
        yield _Figure(
            say.name(figure.name),
            _known(say, figure.votes),
            _percent(say, figure.percent),
            _known(say, before),
            _known(say, counted),
            "–" if counted is None or figure.votes is None else signed(say, figure.votes - counted),
        )
    yield from _totals(say, claim)


def _totals(say: Say, claim: Claim) -> Iterator[_Figure]:
    for label, votes, percent in (
        (say("Valid votes"), claim.valid, claim.valid_percent),
        (say("Blank"), claim.blank, claim.blank_percent),
        (say("Null"), claim.null, claim.null_percent),
        (say("Ballots"), claim.cast, claim.turnout),
        (say("Registered voters"), claim.roll, ""),
        (say("Stations counted"), claim.stations_counted, claim.counted),
    ):
        if votes is not None or percent:
            yield _Figure(label, _known(say, votes), _percent(say, percent), "–", "–", "–")


def _candidate(pages: Pages, one: Claimed, figure: ClaimedFigure) -> int | None:
    """The candidate (by position) whom a figure names by id; None where it names none."""
    if one.contest is None or not figure.option:
        return None
    contest = pages.view.election.contests[one.contest]
    ids = [candidate.id for candidate in contest.standing()]
    if figure.option in ids:
        return ids.index(figure.option)
    options = [option.id for option in contest.options]
    return contest.candidate_of_option()[options.index(figure.option)] if figure.option in options else None


def _votes_now(pages: Pages, one: Claimed) -> list[int] | None:
    view = pages.view
    if one.contest is None:
        return None
    unit = find_place(pages, one.claim.unit) if one.claim.unit else view.election.contest_units[one.contest]
    return None if unit is None else view.by_candidate(one.contest, unit_result(view.count, one.contest, unit).votes)


def _votes_then(pages: Pages, night: Night, one: Claimed) -> list[int] | None:
    """The votes in the first published version that shows the announcement; known for whole contests alone."""
    if one.contest is None or one.claim.unit:
        return None
    snapshot = night.snapshots[night.first_showing(one.recorded.index)]
    return pages.view.by_candidate(one.contest, snapshot.totals[one.contest].result.votes)


def _known(say: Say, number: int | None) -> str:
    return "–" if number is None else say.number(number)


def _percent(say: Say, text: str) -> str:
    """A percentage with the digits that were announced, which need not be one that can be."""
    before, after = say.language.symbols.percent
    return f"{before}{text.replace('.', say.language.symbols.decimal)}{after}" if text else "–"
