"""What is certain, and what is missing for certainty: exact integers and fractions, no assumption on how people vote."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.conditions import Condition, Measure
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.ranked_conditions import RankedCondition
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

MAX_SUM: Final = 1 << 61
"""Capacities times a weight add up to less than this, so that they fit into 64 bits together with the values."""

_EXACT: Final = 1 << 53
"""Sums of whole numbers up to this are exact in floating point."""

LEAST_BAND: Final = Fraction(1, 1000)
"""Recounts have moved statewide leads by 0.03 % on average, and none above 0.06 % was ever reversed by one; a lead within
0.1 % of the votes is never called by statistics, whatever the law says."""


@dataclass(frozen=True, slots=True)
class Since:
    """When, in the order of arrival, a condition became certain by arithmetic and stayed so."""

    stations: int
    """It was certain once so many stations were counted."""
    capacity: int | None
    """The capacity of these stations (voters on their rolls and what the law allows beyond); None where one is not known."""
    slack: int
    """What was left then after the worst case of everything still open."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """When a condition becomes certain by arithmetic if its value stays as it is."""

    open_limit: int | None
    """It is certain once no more than this capacity is open; None where any is harmless."""
    to_count: int | None
    """How much capacity must be counted until then; 0 where it is certain now, None where open capacity is not known."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is left in one stratum, or everywhere, and what of it would make the condition fail.

    `votes_if` and all that follows illustrate ("if turnout there is as in its counted stations") and are never part of a
    verdict. The rival is the candidate whom the condition names as profiting from its failure.
    """

    stratum: str
    """Empty for the row of everything."""
    counted_stations: int
    open_stations: int
    open_capacity: int | None
    """None where it is not known."""
    value: int
    """The condition's value over the counted stations."""
    value_per_capacity: Fraction | None
    """That value by capacity of these stations; None where nothing is counted or a capacity is not known."""
    votes_if: int | None
    """Candidates' votes to come if they are to capacity as in the counted stations of the stratum (of all strata where it has
    none), rounded down; None where that cannot be told."""
    value_needed: Fraction | None
    """Everywhere: the value per vote to come at which the condition fails. In a stratum: its counted value per vote, less what
    is needed everywhere alike."""
    share_counted: Fraction | None
    """The rival's share of the counted votes; None where nothing is counted, or the condition is no lead over a rival."""
    share_needed: Fraction | None
    """The rival's share of the votes to come at which the condition fails, all third candidates keeping their counted shares.
    In a stratum: its counted share and as many points more as everywhere alike. Outside 0 to 1 it cannot happen."""
    odds_ratio: Fraction | None
    """How many times as high the odds rival : favoured must be among the votes to come as among the counted ones; None where
    no odds would do."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the trailing side needs of what is left."""

    gap: int
    """By how much the value must fall for the condition to fail; at most 0 where it does not hold now."""
    overall: Need
    strata: tuple[Need, ...]
    """The strata with open stations, in the order of the partial count."""


def slacks(partial: PartialCount, measure: Measure, capacity: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """What was left after the worst case of everything not yet counted, after 0, 1, 2 … stations: shape (counted + 1,).

    At 0 or above the condition was certain. The capacities, by station, must be known or stand for those that are not; the
    order is that of `partial.in_order()`.
    Raises CallError where they are too large to be true, or the measure belongs to another partial count.
    """
    check_sums(partial, measure, float(capacity.sum(dtype=np.float64)))
    worst = measure.condition.worst
    left = np.empty(len(order) + 1, dtype=np.int64)
    # Every station that is counted moves its capacity's worst case out and its value in.
    left[0] = worst * int((capacity * (partial.counted | partial.open)).sum()) - measure.condition.need
    np.cumsum((measure.values - worst * capacity)[order], out=left[1:])
    left[1:] += left[0]
    return left


def check_sums(partial: PartialCount, measure: Measure, capacity: float) -> None:
    """Refuse what would not fit into 64 bits, and a measure of another partial count. Raises CallError."""
    if len(measure.values) != len(partial.counted):
        raise CallError(
            f"condition {measure.condition.code}: measured at {len(measure.values)} stations, the partial count has "
            f"{len(partial.counted)}: measure it on this partial count"
        )
    weight = max(1, -measure.condition.worst, measure.condition.best)
    if abs(measure.condition.need) > MAX_SUM or capacity * weight > MAX_SUM:
        raise CallError("partial count: the capacities of the stations, or what is needed, are too large to be true")


def since(partial: PartialCount, measure: Measure) -> Since | None:
    """The first moment from which on the condition was certain; None where it is not certain now or capacities are not known.

    After s stations the condition is certain where value_s + worst x (capacity of all that was not counted then) >= need:
    everything open is cast, all of it in the way that hurts most. Raises CallError for capacities too large to be true.
    """
    known = partial.capacity != UNKNOWN
    harmless = measure.condition.worst == 0
    if not harmless and bool((partial.open & ~known).any()):
        return None
    left = slacks(partial, measure, np.where(known, partial.capacity, 0), partial.in_order())
    certain = left >= 0
    arrivals = partial.arrival[partial.counted & ~known]
    if not harmless and len(arrivals):
        # Before a station of unknown capacity was counted, what was open had no bound.
        certain[: int(arrivals.max()) + 1] = False
    if not certain[-1]:
        return None
    doubtful = np.flatnonzero(~certain)
    stations = int(doubtful[-1]) + 1 if len(doubtful) else 0
    counted_then = partial.counted & (partial.arrival < stations)
    capacity = int(partial.capacity[counted_then].sum()) if bool(known[counted_then].all()) else None
    return Since(stations, capacity, int(left[stations]))


def would_become(partial: PartialCount, measure: Measure) -> Prospect | None:
    """How far the condition is from certainty if its value stays as it is; None where it does not hold now."""
    if measure.slack < 0:
        return None
    worst = measure.condition.worst
    if worst == 0:
        return Prospect(None, 0)
    limit = measure.slack // -worst
    still_open = partial.open_ballots
    return Prospect(limit, None if still_open is None else max(0, still_open - limit))


def band(partial: PartialCount, condition: Condition, legal: Fraction | None) -> int:
    """The recount band of a condition: values up to it are left to a recount, whatever the statistics say.

    It is max(legal, 1/1000) of the votes in the condition's base, times what moving one vote changes by half ((best - worst)
    / 2: 1 for a lead), rounded down. Blank and null ballots are in the base of conditions that weigh them.
    Raises CallError for a legal share outside 0 to 1.
    """
    share = band_share(legal)
    base = sum(partial.totals) + (int(partial.others.sum()) if condition.rest else 0)
    return math.floor(share * base * (condition.best - condition.worst) / 2)


def band_share(legal: Fraction | None) -> Fraction:
    """The share of the votes within which nothing is called: max(legal, 1/1000). Raises CallError outside 0 to 1."""
    if legal is not None and not 0 <= legal <= 1:
        raise CallError(f"recount threshold {legal}: give a share of the votes, from 0 to 1, such as 1/200 for 0.5 %")
    return LEAST_BAND if legal is None else max(legal, LEAST_BAND)


def share_needed(gap: int, votes: int, others: Fraction) -> Fraction:
    """The rival's share of the votes to come that closes a gap, where the share `others` goes to neither of the two.

    rival + favoured = 1 - others and (rival - favoured) votes = gap give rival = (1 - others) / 2 + gap / (2 votes).
    Raises CallError where no votes are to come or `others` is no share.
    """
    if votes <= 0 or not 0 <= others <= 1:
        raise CallError(f"{votes} votes to come, {others} of them for others: give at least one vote and a share from 0 to 1")
    return (1 - others) / 2 + Fraction(gap, 2 * votes)


def odds_ratio(rival_needed: Fraction, others: Fraction, rival: Fraction | int, favoured: Fraction | int) -> Fraction | None:
    """How many times as high the odds rival : favoured are at the share needed as in the counted votes or shares given.

    None where no odds would do: nothing would be left for the favoured candidate, or the rival has none of the counted votes.
    """
    favoured_left = 1 - others - rival_needed
    if favoured_left <= 0 or rival <= 0:
        return None
    return max(rival_needed, Fraction(0)) / favoured_left * Fraction(favoured) / Fraction(rival)


@dataclass(frozen=True, slots=True)
class _Votes:
    """How votes are divided: counted ones, or those to come at the counted shares."""

    votes: int
    value: int
    rival: int
    favoured: int

    def scaled(self, votes: int) -> "_Votes":
        """So many votes divided in the same way, rounded down."""
        parts = (part * votes // self.votes for part in (self.value, self.rival, self.favoured))
        return _Votes(votes, *parts)


@dataclass(frozen=True, slots=True)
class _Row:
    """Exact sums over the counted and the open stations of one stratum, or of all."""

    name: str
    counted: _Votes
    counted_stations: int
    counted_capacity: int | None
    measured_votes: int
    measured_capacity: int
    """Votes and capacity of the counted stations whose capacity is known."""
    open_stations: int
    open_capacity: int | None


def needs(partial: PartialCount, measure: Measure) -> Needs:
    """What the trailing side needs of what is left, in total and by stratum; shares for a lead over a rival alone.

    Every stratum is taken to add votes, divided as in its counted stations; whatever of the gap that leaves must come from
    the same change per vote everywhere. Raises CallError for capacities too large to be true, and for a condition on ranked
    ballots, whose value the votes per candidate do not give.
    """
    condition = measure.condition
    if isinstance(condition, RankedCondition):
        raise CallError(f"condition {condition.code}: it is about rankings, and votes per candidate say nothing of them")
    rows, everything = _rows(partial, condition)
    pair = _is_lead(condition)
    gap = measure.slack + 1
    left = [row for row in rows if row.open_stations]
    # A stratum with nothing counted is taken to be like all the others together.
    like = [row if row.counted.votes and row.measured_capacity else everything for row in left]
    votes = [_votes_to_come(row, same) for row, same in zip(left, like, strict=True)]
    known = [number for number in votes if number is not None]
    to_come = sum(known) if len(known) == len(votes) else None
    mix: _Votes | None = None
    if to_come:
        # Whole votes, so that the fractions stay small however many strata there are.
        parts = [same.counted.scaled(number) for number, same in zip(known, like, strict=True)]
        rival, favoured = sum(part.rival for part in parts), sum(part.favoured for part in parts)
        value = favoured - rival if pair else sum(part.value for part in parts)
        mix = _Votes(to_come, value, rival, favoured)
    change = Fraction(gap + mix.value, mix.votes) if mix else None

    def need(row: _Row, same: _Votes | None, number: int | None) -> Need:
        wanted = odds = value = None
        if number and same and change is not None:
            value = Fraction(same.value, same.votes) - change
            if pair:
                # A vote that goes to the rival in place of the favoured candidate changes the lead by two.
                wanted = Fraction(same.rival, same.votes) + change / 2
                others = 1 - Fraction(same.rival + same.favoured, same.votes)
                odds = odds_ratio(wanted, others, same.rival, same.favoured)
        return Need(
            stratum=row.name,
            counted_stations=row.counted_stations,
            open_stations=row.open_stations,
            open_capacity=row.open_capacity,
            value=row.counted.value,
            value_per_capacity=Fraction(row.counted.value, row.counted_capacity) if row.counted_capacity else None,
            votes_if=number,
            value_needed=value,
            share_counted=Fraction(row.counted.rival, row.counted.votes) if pair and row.counted.votes else None,
            share_needed=wanted,
            odds_ratio=odds,
        )

    strata = tuple(need(row, same.counted, number) for row, same, number in zip(left, like, votes, strict=True))
    return Needs(gap, need(everything, mix, to_come), strata)


def _is_lead(condition: Condition) -> bool:
    """Whether the condition compares the votes of two candidates, and nothing else."""
    if condition.against is None or condition.rest:
        return False
    lead = [0] * len(condition.weights)
    lead[condition.favours], lead[condition.against] = 1, -1
    return list(condition.weights) == lead


def _votes_to_come(row: _Row, same: _Row) -> int | None:
    if row.open_capacity is None or not same.measured_capacity:
        return 0 if row.open_capacity == 0 else None
    return same.measured_votes * row.open_capacity // same.measured_capacity


def _rows(partial: PartialCount, condition: Condition) -> tuple[list[_Row], _Row]:
    """The sums of every stratum, and of all of them."""
    known = partial.capacity != UNKNOWN
    if float(partial.capacity[known].sum(dtype=np.float64)) > _EXACT:
        raise CallError("partial count: the capacities of the stations are too large to be true: check the rolls")
    size = len(partial.strata)

    stratum = partial.stratum.astype(np.intp)

    def by_stratum(amounts: NDArray[Any]) -> list[int]:
        # Sums of floats are exact here: no sum of votes or capacities exceeds 2**53.
        return [int(each) for each in np.bincount(stratum, weights=amounts, minlength=size).tolist()]

    candidates = [by_stratum(column) for column in partial.votes.T]
    others = by_stratum(partial.others)
    measured = partial.counted & known
    columns = {
        "counted": by_stratum(partial.counted),
        "unmeasured": by_stratum(partial.counted & ~known),
        "votes": by_stratum(partial.votes.sum(axis=1) * measured),
        "capacity": by_stratum(partial.capacity * measured),
        "open": by_stratum(partial.open),
        "unbounded": by_stratum(partial.open & ~known),
        "open_capacity": by_stratum(partial.capacity * (partial.open & known)),
    }

    def row(name: str, strata: range) -> _Row:
        def total(column: list[int]) -> int:
            return sum(column[at] for at in strata)

        sums = {key: total(column) for key, column in columns.items()}
        votes = [total(column) for column in candidates]
        value = sum(weight * number for weight, number in zip(condition.weights, votes, strict=True))
        rival = 0 if condition.against is None else votes[condition.against]
        # What blank and null ballots weigh is no part of how candidates' votes are divided, but moves the value.
        value += condition.rest * total(others)
        return _Row(
            name=name,
            counted=_Votes(sum(votes), value, rival, votes[condition.favours]),
            counted_stations=sums["counted"],
            counted_capacity=None if sums["unmeasured"] else sums["capacity"],
            measured_votes=sums["votes"],
            measured_capacity=sums["capacity"],
            open_stations=sums["open"],
            open_capacity=None if sums["unbounded"] else sums["open_capacity"],
        )

    rows = [row(name, range(at, at + 1)) for at, name in enumerate(partial.strata)]
    return rows, row("", range(size))
