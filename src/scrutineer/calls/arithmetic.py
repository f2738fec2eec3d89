"""What is certain, and what is missing for certainty: exact integers and fractions, no assumption on how people vote."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.conditions import Condition, Measure
from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

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

    `votes_if` and all that follows are an illustration ("if turnout is as in the counted stations"), never part of a verdict.
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
    """That value by voter on the roll of the stations counted; None where nothing is counted or a capacity is not known."""
    votes_if: int | None
    """Votes to come if turnout is as in the counted stations of the stratum (of all strata where it has none), rounded down."""
    share_counted: Fraction | None
    """The rival's share of the counted votes; None where nothing is counted, or the condition compares no two candidates."""
    share_needed: Fraction | None
    """The rival's share of `votes_if` from which on the condition fails, the other candidates keeping their counted shares.
    In a stratum: its counted share and as many points more as it needs everywhere alike. Beyond 0 to 1 it cannot happen."""
    odds_ratio: Fraction | None
    """How many times as high the odds rival : favoured must be among the votes to come as in the counted ones of the same
    strata; None where no odds would do."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the trailing side needs of what is left."""

    gap: int
    """By how much the value must fall for the condition to fail; at most 0 where it does not hold now."""
    overall: Need
    strata: tuple[Need, ...]
    """The strata with open stations, in the order of the partial count."""


def slacks(partial: PartialCount, measure: Measure) -> NDArray[np.int64]:
    """What was left after the worst case of everything not yet counted, after 0, 1, 2 … stations: shape (counted + 1,).

    At 0 or above the condition was certain. All capacities of counted and open stations must be known, unless the
    condition's worst is 0. Raises CallError where they are not, or are too large to be true.
    """
    raise NotImplementedError


def since(partial: PartialCount, measure: Measure) -> Since | None:
    """The first moment from which on the condition was certain; None where it is not certain now or capacities are not known.

    After s stations the condition is certain where value_s + worst x (capacity of all that was not counted then) >= need:
    everything open is cast, all of it in the way that hurts most. Raises CallError for capacities too large to be true.
    """
    raise NotImplementedError


def would_become(partial: PartialCount, measure: Measure) -> Prospect | None:
    """How far the condition is from certainty if its value stays as it is; None where it does not hold now."""
    raise NotImplementedError


def needs(partial: PartialCount, measure: Measure) -> Needs:
    """What the trailing side needs of what is left, in total and by stratum; shares for comparisons of two candidates alone."""
    raise NotImplementedError


def share_needed(gap: int, votes: int, others: Fraction) -> Fraction:
    """The rival's share of the votes to come that closes a gap, where `others` of them go to neither of the two.

    a + b = 1 - others and (b - a) votes = gap give b = (1 - others) / 2 + gap / (2 votes). Raises CallError unless there are
    votes and `others` is a share.
    """
    raise NotImplementedError


def odds_ratio(share_needed: Fraction, others: Fraction, counted_rival: int, counted_favoured: int) -> Fraction | None:
    """How many times as high the odds rival : favoured must be as in the counted votes; None where no odds would do."""
    raise NotImplementedError


def band(partial: PartialCount, condition: Condition, legal: Fraction | None) -> int:
    """The recount band of a condition: values up to it are left to a recount, whatever the statistics say.

    It is max(legal, 1/1000) of the votes in the condition's base, times what moving one vote changes by half ((best - worst)
    / 2: 1 for a lead), rounded down. Blank and null ballots are in the base of conditions that weigh them.
    Raises CallError for a legal share outside 0 to 1.
    """
    raise NotImplementedError
