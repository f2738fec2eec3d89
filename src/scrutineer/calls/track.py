"""How a lead moved while a count came in, with what could be said of its end at each look: the figures of the picture. Pure."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.conditions import measure
from scrutineer.calls.estimate import LEVEL, estimate_form
from scrutineer.calls.forms import lead
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sensitivity import Reweighting
from scrutineer.calls.strata import Strata
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError
from scrutineer.language import ENGLISH, Say

LOOKS: Final = 24
MAX_LOOKS: Final = 1_000
GAMMAS: Final = (100, 200, 300)
"""The sensitivities whose bounds are shown, in hundredths."""

WHOLE: Final = 10_000
"""Shares counted are in hundredths of a percent, leads in hundredths of a percentage point: this is all, or every vote."""

_WORK: Final = 6_000_000  # stations times looks; beyond it there are fewer looks, but never fewer than the next
_FEWEST: Final = 6
_INTERVALS: Final = 720_000  # stations times intervals, which take longer than all bounds of a look together
_FEWEST_INTERVALS: Final = 4
_ONE_INTERVAL: Final = 250_000  # stations; beyond it the latest look alone has an interval
_NO_INTERVAL: Final = 500_000  # stations; an interval takes 250 bytes of memory for each, which whoever verifies may lack


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at a count.

    Shares are in hundredths of a percent, leads in hundredths of a percentage point of the valid votes. Bounds are bounds of the
    final lead, and one above zero says that under it the lead cannot be lost. None: unbounded, or not known at that look.
    """

    stations: int
    """Counted stations."""
    counted: int
    """Share counted: of the roll where every roll is known, else of the stations."""
    votes: int
    """The lead in votes."""
    lead: int
    low: int | None
    """The interval of the final lead; where there are very many stations, not every look has one."""
    high: int | None
    arithmetic: int | None
    """The least final lead whatever the open ballots are."""
    bounds: tuple[int | None, ...]
    """For each of the track's gammas the least final lead when the outstanding stations are such a reweighting."""


@dataclass(frozen=True, slots=True)
class Track:
    """The lead of one candidate over another from look to look. Raises CallError where the looks do not follow each other."""

    title: str
    leader: str
    rival: str
    of_roll: bool
    """Whether shares counted are of the roll; else of the stations."""
    gammas: tuple[int, ...]
    """In hundredths."""
    moments: tuple[Moment, ...]
    level: Fraction = LEVEL
    """Of the interval."""

    def __post_init__(self) -> None:
        if not self.moments:
            raise CallError("the picture: there is no look at the count to show; give at least one")
        if any(later.stations <= earlier.stations for earlier, later in zip(self.moments, self.moments[1:], strict=False)):
            raise CallError("the picture: looks must follow each other with more stations counted each time")
        for moment in self.moments:
            if len(moment.bounds) != len(self.gammas):
                raise CallError("the picture: each look needs one bound for each gamma")
            leads = (moment.lead, moment.low, moment.high, moment.arithmetic, *moment.bounds)
            if not 0 <= moment.counted <= WHOLE or any(abs(value) > WHOLE for value in leads if value is not None):
                raise CallError("the picture: shares lie between 0 and 100 %, leads between -100 and 100 points")
            if moment.low is not None and moment.high is not None and moment.low > moment.high:
                raise CallError("the picture: an interval ends before it begins")

    @property
    def last(self) -> Moment:
        """The latest look."""
        return self.moments[-1]

    def since(self, gamma: int | None) -> int | None:
        """The share counted from which on the bound of a gamma (by position; None: the arithmetic one) stayed above zero.

        None where it is not above zero now, or where there is one look alone, which tells of no time before it.
        """
        first = None
        if len(self.moments) == 1:
            return None
        for moment in self.moments:
            bound = moment.arithmetic if gamma is None else moment.bounds[gamma]
            if bound is None or bound <= 0:
                first = None
            elif first is None:
                first = moment.counted
        return first


@dataclass(frozen=True, eq=False)
class LeadingPair:
    """A partial count with everybody but the first two taken together, so that its size does not grow with the candidates."""

    partial: PartialCount
    """Columns: the candidate with the most votes, the closest rival, and everybody else."""
    leader: int
    rival: int
    candidates: tuple[str, ...]
    """All candidates of the count, of whom `leader` and `rival` are positions."""


def leading_pair(partial: PartialCount) -> LeadingPair:
    """The candidate with the most votes and the closest rival. Raises CallError where nothing is counted, or one stands alone."""
    if not partial.counted_stations or len(partial.candidates) < 2:
        missing = "there is only one candidate" if partial.counted_stations else "no station is counted"
        raise CallError(f"the picture: there is no lead to show, because {missing}")
    totals = partial.totals
    leader, rival = sorted(range(len(totals)), key=lambda candidate: (-totals[candidate], candidate))[:2]
    return LeadingPair(_pair(partial, leader, rival), leader, rival, partial.candidates)


def track(
    partial: PartialCount | LeadingPair,
    title: str,
    names: tuple[str, ...] | None = None,
    *,
    looks: int = LOOKS,
    gammas: tuple[int, ...] = GAMMAS,
    level: Fraction = LEVEL,
) -> Track:
    """The lead of the candidate with the most votes over the closest rival, at evenly spaced looks at the order of arrival.

    The arithmetic bound is exact: with o open ballots, all of them for the rival, (lead - o) / (valid votes + o). The bounds of
    the gammas are exact in votes; their share is of the valid votes to be expected if turnout is as in what is counted, and never
    below the arithmetic bound. Of very many stations there are fewer looks than asked for, and one alone where nobody
    recorded the order of arrival. `names` are those of the candidates, where the count knows only their ids. Who has no other use
    for a large count may give its leading pair and let the count go.

    Raises CallError where no station is counted, there is one candidate only, or a gamma is below 1.
    """
    if not 1 <= looks <= MAX_LOOKS:
        raise CallError(f"the picture: {looks} looks cannot be shown; give 1 to {MAX_LOOKS}")
    leading = leading_pair(partial) if isinstance(partial, PartialCount) else partial
    pair, called = leading.partial, names or leading.candidates
    if len(called) != len(leading.candidates):
        raise CallError(f"the picture: {len(called)} names are given for {len(leading.candidates)} candidates; give one for each")
    counted = pair.counted_stations
    looks = min(looks, max(_FEWEST, _WORK // len(pair.counted))) if pair.ordered else 1
    sizes = _sizes(pair)
    stops = sorted({-(-counted * look // looks) for look in range(1, looks + 1)})
    spread = _with_interval(len(stops), len(pair.counted))
    moments = tuple(
        _moment(pair if stop == counted else pair.first(stop), sizes, gammas, level if look in spread else None)
        for look, stop in enumerate(stops)
    )
    of_roll = bool(_known(pair).all())
    return Track(title, called[leading.leader], called[leading.rival], of_roll, gammas, moments, level)


def rows(track: Track, *, say: Say = ENGLISH) -> tuple[tuple[str, ...], ...]:
    """The track as a table, the first row its heading: the equal of the picture."""
    level = say.share(track.level)
    head = (
        say("Stations"),
        say("Roll counted") if track.of_roll else say("Stations counted"),
        say("Lead in votes"),
        say("Lead"),
        say("Low, {level}", level=level),
        say("High, {level}", level=level),
        say("Arithmetic"),
        *(say("Γ = {gamma}", gamma=say.decimal(Fraction(gamma, 100))) for gamma in track.gammas),
    )
    body = (
        (
            say.number(moment.stations),
            say.percent(moment.counted, WHOLE),
            say.number(moment.votes),
            *(
                "–" if value is None else say.points(value)
                for value in (moment.lead, moment.low, moment.high, moment.arithmetic, *moment.bounds)
            ),
        )
        for moment in track.moments
    )
    return (head, *body)


def _pair(partial: PartialCount, leader: int, rival: int) -> PartialCount:
    """The same count with everybody else taken together."""

    def merged(votes: NDArray[np.int64]) -> NDArray[np.int64]:
        own = votes[:, [leader, rival]]
        return np.column_stack((own, votes.sum(axis=1) - own.sum(axis=1)))

    previous = None if partial.previous is None else merged(partial.previous)
    names = (partial.candidates[leader], partial.candidates[rival], "")
    return replace(partial, candidates=names, votes=merged(partial.votes), previous=previous, rankings={})


def _known(partial: PartialCount) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = (partial.capacity != UNKNOWN) | ~(partial.counted | partial.open)
    return known


def _sizes(partial: PartialCount) -> NDArray[np.int64]:
    """What the share counted is measured in: capacities where all are known, else stations."""
    part = partial.counted | partial.open
    known = bool(_known(partial).all()) and int(partial.capacity[part].sum()) > 0
    return np.where(part, partial.capacity if known else 1, 0)


def _with_interval(looks: int, stations: int) -> frozenset[int]:
    """The looks that have an interval: evenly spaced, the latest one among them."""
    if stations > _NO_INTERVAL:
        return frozenset()
    most = 1 if stations > _ONE_INTERVAL else max(_FEWEST_INTERVALS, _INTERVALS // stations)
    number = min(looks, most)
    return frozenset(looks - 1 - place * looks // number for place in range(number))


def _moment(partial: PartialCount, sizes: NDArray[np.int64], gammas: tuple[int, ...], level: Fraction | None) -> Moment:
    measured = measure(lead(0, 1, 3), partial)
    valid = int(partial.votes.sum())
    whole, counted = int(sizes.sum()), int(sizes[partial.counted].sum())
    reweighting = Reweighting.of(Strata.of(partial), measured)
    expected = Fraction(valid * whole, counted) if counted else Fraction(0)
    bounds = (reweighting.least(Fraction(gamma, 100)) for gamma in gammas)
    found = None if level is None else estimate_form(partial, measured, level)
    ballots = partial.open_ballots
    arithmetic = None if ballots is None else _share(Fraction(measured.total - ballots), Fraction(valid + ballots))
    return Moment(
        stations=partial.counted_stations,
        counted=counted * WHOLE // whole,
        votes=measured.total,
        lead=_share(Fraction(measured.total), Fraction(valid)) or 0,
        low=None if found is None else _limited(found.share.low),
        high=None if found is None else _limited(found.share.high),
        arithmetic=arithmetic,
        bounds=tuple(None if bound is None else _at_least(_share(bound, expected), arithmetic) for bound in bounds),
    )


def _share(votes: Fraction, of: Fraction) -> int | None:
    """A lead in hundredths of a point, rounded towards zero only where it is zero, so that its sign is the sign of the votes."""
    if of <= 0:
        return None
    exact = votes * WHOLE / of
    nearest = round(exact) or (1 if exact > 0 else -1 if exact < 0 else 0)
    return max(-WHOLE, min(WHOLE, nearest))


def _at_least(bound: int | None, arithmetic: int | None) -> int | None:
    """The higher of two bounds, either of which holds: next to few expected votes, a lead far below zero is beyond all votes."""
    return arithmetic if bound is None else bound if arithmetic is None else max(bound, arithmetic)


def _limited(value: float) -> int:
    return max(-WHOLE, min(WHOLE, round(value * WHOLE)))
