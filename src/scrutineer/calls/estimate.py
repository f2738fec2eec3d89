"""Estimates with intervals of the final totals, shares and leads, shown beside a verdict. They decide nothing."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.conditions import Measure
from scrutineer.calls.partial import PartialCount
from scrutineer.errors import CallError

Base = Literal["valid", "cast"]
"""What shares are of: the votes for candidates, or these with the blank and null ballots."""

LEVEL: Final = Fraction(9, 10)


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate and the range around it. Raises CallError unless low <= point <= high and all three are finite."""

    low: float
    point: float
    high: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.low, self.point, self.high)):
            raise CallError(f"interval {self.low} … {self.point} … {self.high}: a bound is not a number")
        if not self.low <= self.point <= self.high:
            raise CallError(f"interval {self.low} … {self.point} … {self.high}: the bounds must lie on either side of the point")

    @property
    def width(self) -> float:
        """The distance between the bounds; never below zero."""
        return self.high - self.low

    def covers(self, value: float) -> bool:
        """Whether a value lies within the bounds."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """The final votes and shares of every candidate, as far as the counted stations tell."""

    level: Fraction
    simultaneous: int
    base: Base
    votes: tuple[Interval, ...]
    """Final votes by candidate."""
    shares: tuple[Interval, ...]
    """Final share of the base by candidate, between 0 and 1."""
    total: Interval
    """The final base: valid votes, or ballots cast."""
    by_stations: bool
    """Rolls are missing, so that stations stand in for voters: a partial answer, without an arithmetic upper bound."""
    baseline: bool
    """Whether an earlier election helped to predict the open stations."""


@dataclass(frozen=True, slots=True)
class FormEstimate:
    """The final value of a linear form of the totals, such as a lead."""

    level: Fraction
    simultaneous: int
    value: Interval
    """In the units of the form: votes, for a lead."""
    share: Interval
    """As a share of the final base."""
    by_stations: bool
    baseline: bool


@dataclass(frozen=True, eq=False)
class Population:
    """The country of which the stations of a partial count are a sample, drawn at random within each stratum.

    Raises CallError for sizes below zero.
    """

    sizes: NDArray[np.int64]
    """By stratum: the roll of all its stations, drawn or not; their number, where rolls are unknown."""

    def __post_init__(self) -> None:
        if self.sizes.ndim != 1 or bool((self.sizes < 0).any()):
            raise CallError("population: give one size of at least 0 for each stratum")


def estimate(
    partial: PartialCount,
    level: Fraction = LEVEL,
    *,
    simultaneous: int = 1,
    base: Base = "valid",
    population: Population | None = None,
) -> Estimate | None:
    """Estimate the final votes and shares of every candidate; None while nothing is counted.

    Each interval is meant to cover at least `level` of the time under any order of reporting; with `simultaneous` = m, any m
    of them together are (Bonferroni). Raises CallError for a level outside (0, 1), or a population of other strata.
    """
    raise NotImplementedError


def estimate_form(
    partial: PartialCount,
    measure: Measure,
    level: Fraction = LEVEL,
    *,
    simultaneous: int = 1,
    base: Base = "valid",
    population: Population | None = None,
) -> FormEstimate | None:
    """Estimate the final value of one linear form, such as A's lead over B, and its share of the base. See `estimate`."""
    raise NotImplementedError
