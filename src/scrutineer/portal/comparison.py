"""A unit held against the whole of its contest, and against an earlier election at the same stations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scrutineer.count import UnitResult
from scrutineer.count.contest import COUNTED
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import base_of


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One candidate, or the turnout: a share on either side, and the difference in points. Texts are HTML."""

    name: str
    here: str
    there: str
    difference: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A unit beside the whole of its contest."""

    whole: str
    """Name of the unit of the contest, as HTML."""
    rows: tuple[ComparedRow, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a script needs to put a deeper place beside the whole of a contest (compare.js).

    It fetches the figures of the whole, so that the page of a place depends on nothing that lies elsewhere.
    """

    contest: str
    whole: str
    base: str
    """What shares are taken of: `valid` votes, ballots `cast`, or `ballots` without blank and null ones."""
    of: int
    """So many of them there are here."""
    candidates: str
    """Ids, in the order of the table of votes, and their votes here."""
    votes: str
    ballots: int
    roll: int
    """Registered voters of the counted stations; 0 where it is not known."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The counted stations of a unit, now and at an earlier election."""

    rows: tuple[ComparedRow, ...]
    stations: int


def compared(pages: Pages, contest: int, unit: int, result: UnitResult) -> Comparison | Fetched | None:
    """A unit beside the whole of a contest; None for the whole itself, and where nothing is counted in the unit."""
    view, say = pages.view, pages.say
    all_of_it = view.election.contest_units[contest]
    whole = view.standings[contest].result
    if not result.counted or result.stations >= whole.stations:
        return None
    terms = view.election.contests[contest]
    here, here_base = view.by_candidate(contest, result.votes), base_of(terms, result).ballots
    order = _by_votes(here)
    if unit not in view.upper:
        ids = [candidate.id for candidate in terms.standing()]
        return Fetched(
            contest=terms.id,
            whole=view.units.names[all_of_it],
            base=terms.base if terms.single_choice() or terms.rule == "ranked" else "ballots",
            of=here_base,
            candidates=" ".join([ids[index] for index in order]),
            votes=" ".join([str(here[index]) for index in order]),
            ballots=result.ballots,
            roll=result.roll_counted or 0,
        )
    there, there_base = view.by_candidate(contest, whole.votes), base_of(terms, whole).ballots
    names = view.candidate_names[contest]
    rows = [_row(pages, names[index], (here[index], here_base), (there[index], there_base)) for index in order]
    if result.roll_counted and whole.roll_counted:
        rows.append(_row(pages, say("Turnout"), (result.ballots, result.roll_counted), (whole.ballots, whole.roll_counted)))
    return Comparison(pages.unit_name(all_of_it), tuple(rows))


def earlier(pages: Pages, contest: int, unit: int, result: UnitResult) -> Earlier | None:
    """The counted stations of a unit beside the same stations at an earlier election; None where there is no baseline.

    Shares are those of all votes for candidates, on both sides, because a baseline has no other figures.
    """
    view = pages.view
    before = view.election.baseline[contest]
    if before is None or not result.counted:
        return None
    state = view.count.contests[contest]
    of_contest, below = view.units.stations_below(state.unit), view.units.stations_below(unit)
    start, stop = max(of_contest.start, below.start), min(of_contest.stop, below.stop)
    counted = state.status[start:stop] == COUNTED
    votes = before[start - of_contest.start : stop - of_contest.start][counted].sum(axis=0, dtype=np.int64).tolist()
    then, now = view.by_candidate(contest, votes), view.by_candidate(contest, result.votes)
    if not sum(then):
        return None
    names = view.candidate_names[contest]
    rows = [
        # Who had no vote at any of these stations did not stand there, as far as a baseline can tell.
        _row(pages, names[index], (now[index], sum(now)), (then[index], sum(then) if then[index] else 0))
        for index in _by_votes(now)
    ]
    return Earlier(tuple(rows), int(counted.sum()))


def _by_votes(votes: Sequence[int]) -> list[int]:
    return sorted(range(len(votes)), key=lambda index: (-votes[index], index))


def _row(pages: Pages, name: str, here: tuple[int, int], there: tuple[int, int]) -> ComparedRow:
    say = pages.say
    (part, whole), (other, of_other) = here, there
    both = whole > 0 and of_other > 0
    return ComparedRow(
        name=name,
        here=say.percent(part, whole),
        there=say.percent(other, of_other) if of_other else "–",
        difference=say.points(_hundredths(part, whole) - _hundredths(other, of_other)) if both else "–",
    )


def _hundredths(part: int, whole: int) -> int:
    """A share in hundredths of a per cent, rounded as the pages write it, so that differences are those of what stands there."""
    return (part * 20_000 + whole) // (2 * whole)
