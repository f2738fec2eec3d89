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
    """Empty, like `there`, where a script fills it in, or where there is nothing to compare with."""
    candidate: str
    """Id of the candidate; empty for the turnout."""
    part: int
    """What `here` is a share of: for the script."""
    whole: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A unit beside the whole of its contest.

    On the page of a deeper place a script fetches the figures of the whole, so that the page depends on nothing elsewhere.
    """

    contest: str
    base: str
    """What the script is to take shares of: `valid`, `cast` or `ballots` without blank and null ones."""
    whole: str
    """Name of the unit of the contest."""
    rows: tuple[ComparedRow, ...]
    fetched: bool
    """Whether the script is to fetch the figures of the whole."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The counted stations of a unit, now and at an earlier election."""

    rows: tuple[ComparedRow, ...]
    stations: int


def compared(pages: Pages, contest: int, unit: int, result: UnitResult) -> Comparison | None:
    """A unit beside the whole of a contest; None for the whole itself, and where nothing is counted in the unit."""
    view, say = pages.view, pages.say
    all_of_it = view.election.contest_units[contest]
    whole = view.standings[contest].result
    if not result.counted or result.stations >= whole.stations:
        return None
    fetched = unit not in view.upper
    terms = view.election.contests[contest]
    here, here_base = view.by_candidate(contest, result.votes), base_of(terms, result).ballots
    there = [0] * len(here) if fetched else view.by_candidate(contest, whole.votes)
    there_base = 0 if fetched else base_of(terms, whole).ballots
    ids = [candidate.id for candidate in terms.standing()]
    names = view.candidate_names[contest]
    rows = [
        _row(pages, names[index], (here[index], here_base), (there[index], there_base), ids[index]) for index in _by_votes(here)
    ]
    if result.roll_counted and (fetched or whole.roll_counted):
        there_turnout = (0, 0) if fetched else (whole.ballots, whole.roll_counted or 0)
        rows.append(_row(pages, say("Turnout"), (result.ballots, result.roll_counted), there_turnout))
    plain = terms.single_choice() or terms.rule == "ranked"
    return Comparison(
        contest=terms.id,
        base=terms.base if plain else "ballots",
        whole=pages.unit_name(all_of_it),
        rows=tuple(rows),
        fetched=fetched,
    )


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


def _row(pages: Pages, name: str, here: tuple[int, int], there: tuple[int, int], candidate: str = "") -> ComparedRow:
    say = pages.say
    (part, whole), (other, of_other) = here, there
    both = whole > 0 and of_other > 0
    return ComparedRow(
        name=name,
        here=say.percent(part, whole),
        there=say.percent(other, of_other) if of_other else "–",
        difference=say.points(_hundredths(part, whole) - _hundredths(other, of_other)) if both else "–",
        candidate=candidate,
        part=part,
        whole=whole,
    )


def _hundredths(part: int, whole: int) -> int:
    """A share in hundredths of a per cent, rounded as the pages write it, so that differences are those of what stands there."""
    return (part * 20_000 + whole) // (2 * whole)
