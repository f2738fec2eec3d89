"""Estimates with intervals of the final totals, shares and leads, shown beside a verdict. They decide nothing."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.conditions import Measure
from scrutineer.calls.extrapolation import BASELINE_TRUST, Extrapolation
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.station_frame import Floats, station_frame
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

Base = Literal["valid", "cast"]
"""What shares are of: the votes for candidates, or these with the blank and null ballots."""

LEVEL: Final = Fraction(9, 10)
MAX_SIMULTANEOUS: Final = 1_000_000

_NO_BOUND: Final = 1e18  # ballots


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

    Each interval is meant to cover at least `level` of the time whatever the order of reporting; with `simultaneous` = m any m
    of them do so together (Bonferroni). Raises CallError for a level outside (0, 1) or a population of other strata.
    """
    each = _level_of_each(level, simultaneous)
    if not partial.counted_stations:
        return None
    night = _Night(partial, base, population)
    candidates = len(partial.candidates)
    weights = np.eye(candidates + 1)[:candidates]
    votes, shares, total = night.intervals(weights, each)
    return Estimate(level, simultaneous, base, votes, shares, total, night.frame.by_stations, night.frame.baseline)


def estimate_form(
    partial: PartialCount,
    measure: Measure,
    level: Fraction = LEVEL,
    *,
    simultaneous: int = 1,
    base: Base = "valid",
    population: Population | None = None,
) -> FormEstimate | None:
    """Estimate the final value of one linear form, such as A's lead over B, and its share of the base. See `estimate`.

    Raises CallError also for a measure of a contest with another number of candidates.
    """
    each = _level_of_each(level, simultaneous)
    condition = measure.condition
    if len(condition.weights) != len(partial.candidates):
        raise CallError(
            f"estimate: condition {condition.code} weighs {len(condition.weights)} candidates, "
            f"the contest has {len(partial.candidates)}: evaluate it on the same contest"
        )
    if not partial.counted_stations:
        return None
    night = _Night(partial, base, population)
    weights = np.array([[*condition.weights, condition.rest]], dtype=np.float64)
    values, shares, _ = night.intervals(weights, each)
    return FormEstimate(level, simultaneous, values[0], shares[0], night.frame.by_stations, night.frame.baseline)


class _Night:
    """A partial count with at least one counted station, ready for estimates."""

    def __init__(self, partial: PartialCount, base: Base, population: Population | None) -> None:
        if population is not None and len(population.sizes) != len(partial.strata):
            raise CallError(
                f"population: there are {len(population.sizes)} sizes for {len(partial.strata)} strata: give one for each"
            )
        self.frame = station_frame(partial, None if population is None else population.sizes, BASELINE_TRUST)
        self._extrapolation = Extrapolation(self.frame)
        self._base = np.append(np.ones(len(partial.candidates)), 1.0 if base == "cast" else 0.0)
        # What can still come is bounded by the rolls, where all of them are known.
        open_capacity = partial.capacity[partial.open]
        known = not bool((open_capacity == UNKNOWN).any())
        self._room = float(open_capacity.sum() + self.frame.undrawn.sum()) if known else math.inf

    def intervals(self, weights: Floats, level: float) -> tuple[tuple[Interval, ...], tuple[Interval, ...], Interval]:
        """Values of forms, their shares of the base, and the base."""
        forms = np.vstack([weights, self._base])
        points, halves = self._extrapolation.forms(forms, level)
        counted = forms @ self.frame.counted
        least = counted + _room(np.minimum(forms.min(axis=1), 0.0), self._room)
        most = counted + _room(np.maximum(forms.max(axis=1), 0.0), self._room)
        values = _bounded(points, halves, least, most)
        total = values[-1]
        if total.point <= 0:
            return values[:-1], tuple(Interval(min(0.0, low), 0.0, max(0.0, high)) for low, high in _ranges(weights)), total
        shares = np.array([value.point for value in values[:-1]]) / total.point
        # The share of a form is off by the form less its share of the base, divided by the base.
        _, share_halves = self._extrapolation.forms(weights - np.outer(shares, self._base), level)
        low, high = self._share_range(weights, counted)
        return values[:-1], _bounded(shares, share_halves / total.point, low, high), total

    def _share_range(self, weights: Floats, counted: Floats) -> tuple[Floats, Floats]:
        """The shares that are possible: at the ends of what can still come, since a ratio of linear functions is monotone."""
        own, base = counted[:-1], float(counted[-1])
        ranges = np.array(_ranges(weights[:, self._base > 0])).reshape(-1, 2).T
        # Ballots outside the base move a form that weighs them without moving the base.
        free = (weights[:, self._base == 0] != 0).any(axis=1)
        ranges[:, free] = [[-_NO_BOUND], [_NO_BOUND]]
        if self._room == math.inf or not base:
            return ranges[0], ranges[1]
        ends = [(own + ranges[side] * self._room) / (base + self._room) for side in (0, 1)]
        return np.minimum(own / base, ends[0]), np.maximum(own / base, ends[1])


def _ranges(weights: Floats) -> list[tuple[float, float]]:
    """The least and the most that one further ballot of the base can weigh, by form."""
    return list(zip(weights.min(axis=1).tolist(), weights.max(axis=1).tolist(), strict=True))


def _room(weight: Floats, ballots: float) -> Floats:
    """Weights times a number of ballots that may be infinite; nothing of it is nothing."""
    own: Floats = np.where(weight == 0, 0.0, weight * (ballots if ballots < math.inf else _NO_BOUND))
    return own


def _bounded(points: Floats, halves: Floats, least: Floats, most: Floats) -> tuple[Interval, ...]:
    """Intervals within what is possible."""
    middle = np.clip(points, least, most)
    low, high = np.clip(middle - halves, least, middle), np.clip(middle + halves, middle, most)
    return tuple(map(Interval, low.tolist(), middle.tolist(), high.tolist()))


def _level_of_each(level: Fraction, simultaneous: int) -> float:
    if not 0 < level < 1:
        raise CallError(f"level {level} of an estimate: give a number between 0 and 1, such as 9/10")
    if not 1 <= simultaneous <= MAX_SIMULTANEOUS:
        raise CallError(f"simultaneous = {simultaneous} intervals: give a number from 1 to {MAX_SIMULTANEOUS}")
    return float(1 - (1 - level) / simultaneous)
