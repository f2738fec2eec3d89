"""The least total under any reweighting of the counted stations: exact, for any gamma, from one sorting by ratio.

In one stratum let x_i be the value of a counted station, r_i > 0 its size, R the size of what is open and p a constant. With
weights w_i in [1, g] the open stations are predicted to add

    p + R x sum(w_i x_i) / sum(w_i r_i).

A ratio of two linear functions with a positive denominator is monotone in each weight alone, so its least value is attained
where every weight is 1 or g (Charnes and Cooper 1962), with g on the stations of the smallest ratios x_i / r_i: if t is the
least value, then 0 is the least value of sum(w_i (x_i - t r_i)), so w_i = g where x_i / r_i < t and w_i = 1 where it is more.
Sort by ratio and write f(k) for the value with weight g on the first k. Then f(k + 1) lies between f(k) and the ratio of
station k + 1, so that `ratio of station k + 1 < f(k)` is true up to the least value and false from there on. The cut is
therefore found by halving, and each step of it is one comparison of integers, x D < N r with f(k) = N / D: the search that
finds the cut proves it. Where g grows the least value falls, hence the cut moves towards the front, and when g grows without
limit the least value tends to the smallest ratio. A station of size 0 has the ratio plus or minus infinity, and the same
comparisons hold for it.

Floating point takes part in the sorting alone. Two different fractions x / r and y / s differ by at least 1 / (r s), hence
relative to the larger by more than 2**-52 where |x| s < 2**52, and then IEEE 754 division can neither give the same number for
both nor swap them. Larger figures are sorted as fractions. Products that could leave 64 bits are computed with unbounded
integers.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ONE: Final = 100
"""A gamma of 1.00 in hundredths, the unit in which gammas are searched."""

_EXACT_DIVISION: Final = 1 << 52
_SAFE: Final = 1 << 62
_FRACTION_BITS: Final = 64
_GROWTH: Final = 4
_HALVE: Final = _GROWTH**8
"""After so many times growing by that factor, a search gives up on Newton's steps and halves."""

Integers = NDArray[Any]
"""int64, or Python integers where the products are larger."""


@dataclass(frozen=True, eq=False)
class SortedStations:
    """Stations sorted by stratum and, within it, by ratio (see `by_ratio`), with running sums that begin with 0."""

    values: NDArray[np.int64]
    sizes: NDArray[np.int64]
    value_sums: NDArray[np.int64]
    size_sums: NDArray[np.int64]
    largest: tuple[int, int]
    """No value is further from zero, and no size larger, than these: they say which products fit into 64 bits."""

    @classmethod
    def of(cls, values: NDArray[np.int64], sizes: NDArray[np.int64], largest: tuple[int, int] | None = None) -> "SortedStations":
        """Sum up stations that are sorted already; `largest` if it is known."""
        return cls(values, sizes, _running(values), _running(sizes), largest or (_largest(values), _largest(sizes)))

    def mirrored(self) -> "SortedStations":
        """The same stations with the values' opposite sign, hence in the opposite order."""
        return SortedStations(
            -self.values[::-1],
            self.sizes[::-1],
            self.value_sums[::-1] - self.value_sums[-1],
            self.size_sums[-1] - self.size_sums[::-1],
            self.largest,
        )


class Extremes:
    """The least sum of the strata's predictions, as a function of gamma.

    Everything but the stations has one entry for each stratum: where its stations start and end, the size of what is open,
    the constant `shift`, and the limits `low` and `high` within which its prediction is kept where `limited` says so.
    A stratum's sizes may not all be zero. `base` is added to the sum.
    """

    def __init__(
        self,
        stations: SortedStations,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        open_sizes: NDArray[np.int64],
        *,
        shift: Integers | None = None,
        limits: tuple[Integers, Integers, NDArray[np.bool_]] | None = None,
        base: int = 0,
    ) -> None:
        self._stations, self._starts, self._ends, self._open_sizes, self._base = stations, starts, ends, open_sizes, base
        none: Integers = np.zeros(len(starts), dtype=np.int64)
        self._shift = none if shift is None else shift
        unlimited: NDArray[np.bool_] = np.zeros(len(starts), dtype=np.bool_)
        self._low, self._high, self._limited = (none, none, unlimited) if limits is None else limits
        self._first_values, self._first_sizes = stations.value_sums[starts], stations.size_sums[starts]
        self._all_values = stations.value_sums[ends] - self._first_values
        self._all_sizes = stations.size_sums[ends] - self._first_sizes
        # What a comparison multiplies and adds, at most, where gamma is 1.
        largest, size_sum = stations.largest[0], _largest(self._all_sizes)
        value_sum, size = largest * _largest(ends - starts), max(stations.largest[1], _largest(open_sizes))
        limit = max(_largest(self._low), _largest(self._high), largest) + _largest(self._shift)
        self._product = size * value_sum + limit * size_sum

    def mirrored(self) -> "Extremes":
        """The same for the values with the opposite sign: its least sum is minus the greatest one of these."""
        number = len(self._stations.values)
        return Extremes(
            self._stations.mirrored(),
            number - self._ends,
            number - self._starts,
            self._open_sizes,
            shift=-self._shift,
            limits=(-self._high, -self._low, self._limited),
            base=-self._base,
        )

    def least(self, gamma: Fraction) -> Fraction:
        """The least sum, exactly, for weights from 1 to gamma (at least 1)."""
        cuts = self._cuts(gamma.numerator, gamma.denominator, self._starts, self._ends)
        above, below = self._predictions(*self._ratios(gamma.numerator, gamma.denominator, cuts))
        return self._base + _sum(map(Fraction, above.tolist(), below.tolist()))

    def compare(self, gamma: Fraction, target: int) -> int:
        """The sign of the least sum minus the target, exactly: -1, 0 or 1."""
        cuts = self._cuts(gamma.numerator, gamma.denominator, self._starts, self._ends)
        return self._compare(*self._ratios(gamma.numerator, gamma.denominator, cuts), target)

    def compare_limit(self, target: int) -> int:
        """The sign of what the least sum tends to as gamma grows without limit, minus the target."""
        above, below = self._stations.values[self._starts], self._stations.sizes[self._starts]
        endless = below == 0  # The first in order has size 0, so its value is below zero and its weight decides alone.
        if bool((endless & ~self._limited).any()):
            return -1
        above, below = np.where(endless, self._low, above), np.where(endless, 1, below)
        if self._product >= _SAFE:
            above, below = above.astype(object), below.astype(object)
        return self._compare(above, below, target, fixed=endless)

    def first(self, target: int, *, ties: bool, start: int = ONE, guess: int | None = None) -> int | None:
        """The smallest gamma in hundredths, from `start` on, at which the least sum is below the target; None where none is.

        With `ties` it may also equal the target. A good `guess` saves time and changes nothing.
        """
        most = 0 if ties else -1
        cuts = self._cuts(start, ONE, self._starts, self._ends)
        ratios = self._ratios(start, ONE, cuts)
        if self._compare(*ratios, target) <= most:
            return start
        short, short_cuts, enough, enough_cuts, step, limited = start, cuts, 0, self._starts, 1, False
        tried = guess if guess is not None and guess > start else start + 1
        while not enough or enough - short > 1:
            if not enough and not limited and (guess is None or short > start):
                if self.compare_limit(target) >= 0:
                    return None
                # From here on a gamma that is enough is found, as the least sum comes as close to its limit as one likes.
                limited = True
            cuts = self._cuts(tried, ONE, enough_cuts, short_cuts)
            ratios = self._ratios(tried, ONE, cuts)
            if self._compare(*ratios, target) <= most:
                enough, enough_cuts = tried, cuts
            else:
                short, short_cuts = tried, cuts
            # Newton's step from what was just tried, in floating point: it chooses where to look next and decides nothing.
            tried = self._newton(tried, *ratios, cuts, target)
            if enough:
                tried = min(max(tried, short + 1), enough - 1) if step < _HALVE else (short + enough) // 2
            else:
                tried = max(tried, short + 1) if step < _HALVE else short + step
                tried = min(tried, _GROWTH * _GROWTH * short)
            step *= _GROWTH
        return enough

    def _newton(self, gamma: int, numerator: Integers, denominator: Integers, cuts: NDArray[np.int64], target: int) -> int:
        # Where the tangent at gamma meets the target: only strata that are within their limits move with gamma.
        below = denominator.astype(np.float64)
        ratios = numerator.astype(np.float64) / below
        predicted = self._open_sizes * ratios + self._shift.astype(np.float64)
        inside = np.ones(len(ratios), dtype=np.bool_)
        if bool(self._limited.any()):
            low, high = self._low.astype(np.float64), self._high.astype(np.float64)
            inside = ~self._limited | ((predicted > low) & (predicted < high))
            predicted = np.where(self._limited, np.clip(predicted, low, high), predicted)
        values = self._stations.value_sums[cuts] - self._first_values
        sizes = self._stations.size_sums[cuts] - self._first_sizes
        slope = float((inside * self._open_sizes * (values - ratios * sizes) / below).sum())
        gap = self._base + float(predicted.sum()) - target
        if not slope < 0:
            return gamma + 1
        return gamma + math.ceil(min(max(-gap / slope, -gamma), _GROWTH * _GROWTH * gamma))

    def _cuts(self, above: int, below: int, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
        # The first station of each stratum that does not get the weight gamma = above / below; it lies in [low, high].
        if above == below:
            return high  # Every cut gives the same.
        stations, more = self._stations, above - below
        last = len(stations.values) - 1
        wide = above * self._product >= _SAFE
        # The parts of `_ratios` that are the same at every cut; sums beyond 64 bits wrap, and back again with the rest.
        value_part, size_part = self._rest(below, more, wide=wide)
        while bool((waiting := low < high).any()):
            middle = (low + high) >> 1
            numerator, denominator = stations.value_sums[middle], stations.size_sums[middle]
            if wide:
                numerator, denominator = numerator.astype(object), denominator.astype(object)
            numerator, denominator = more * numerator + value_part, more * denominator + size_part
            station = np.minimum(middle, last)
            smaller = stations.values[station] * denominator < numerator * stations.sizes[station]
            smaller &= waiting
            low, high = np.where(smaller, middle + 1, low), np.where(smaller, high, middle)
        return low

    def _rest(self, below: int, more: int, *, wide: bool) -> tuple[Integers, Integers]:
        # What `_ratios` adds to `more` times the running sums at the cuts.
        parts: tuple[Integers, ...] = (self._all_values, self._first_values, self._all_sizes, self._first_sizes)
        if wide:
            parts = tuple(part.astype(object) for part in parts)
        return below * parts[0] - more * parts[1], below * parts[2] - more * parts[3]

    def _ratios(self, above: int, below: int, cuts: NDArray[np.int64]) -> tuple[Integers, Integers]:
        # The strata's weighted mean ratios with gamma = above / below on what lies before the cuts, as numerators, denominators.
        values: Integers = self._stations.value_sums[cuts]
        sizes: Integers = self._stations.size_sums[cuts]
        wide, more = above * self._product >= _SAFE, above - below
        if wide:
            values, sizes = values.astype(object), sizes.astype(object)
        value_part, size_part = self._rest(below, more, wide=wide)
        return more * values + value_part, more * sizes + size_part

    def _predictions(
        self, numerator: Integers, denominator: Integers, fixed: NDArray[np.bool_] | None = None
    ) -> tuple[Integers, Integers]:
        # Numerators and denominators of what the strata are predicted to add; those of `fixed` strata are given already.
        above = self._open_sizes * numerator + self._shift * denominator
        if fixed is not None:
            above = np.where(fixed, numerator, above)
        for limit, outside in (
            (self._low, above < self._low * denominator),
            (self._high, above > self._high * denominator),
        ):
            outside &= self._limited
            above, denominator = np.where(outside, limit, above), np.where(outside, 1, denominator)
        return above, denominator

    def _compare(self, numerator: Integers, denominator: Integers, target: int, fixed: NDArray[np.bool_] | None = None) -> int:
        # First with what whole numbers say, then with 64 binary places, and only where that leaves it open with fractions.
        above, below = self._predictions(numerator, denominator, fixed)
        whole = above // below
        rest = above - whole * below
        gap = target - self._base - sum(whole.tolist())
        broken = np.flatnonzero(rest)
        if gap <= 0:
            return 1 if gap < 0 or len(broken) else 0
        if len(broken) <= gap:
            return -1  # Each of the proper fractions is less than 1.
        parts = list(zip(rest[broken].tolist(), below[broken].tolist(), strict=True))
        fine = sum((part << _FRACTION_BITS) // of for part, of in parts) - (gap << _FRACTION_BITS)
        if fine > 0 or fine + len(parts) <= 0:
            return 1 if fine > 0 else -1
        exact = _sum(Fraction(part, of) for part, of in parts)
        return _sign(exact.numerator - gap * exact.denominator)


def by_ratio(values: NDArray[np.int64], sizes: NDArray[np.int64], stratum: NDArray[np.integer]) -> NDArray[np.intp]:
    """Sort stations by stratum and, within it, by ratio of value to size, exactly. None may have both of them zero."""
    if _largest(values) * _largest(sizes) < _EXACT_DIVISION:
        if int(sizes.min(initial=1)) > 0:
            ratios = values / sizes
        else:
            ratios = np.copysign(np.inf, values, dtype=np.float64)
            np.divide(values, sizes, out=ratios, where=sizes > 0)
        order = np.argsort(ratios)
        return order[np.argsort(stratum[order], kind="stable")]

    def key(row: int) -> tuple[int, Fraction | float]:
        value, size = int(values[row]), int(sizes[row])
        return int(stratum[row]), Fraction(value, size) if size else float("inf" if value > 0 else "-inf")

    return np.array(sorted(range(len(values)), key=key), dtype=np.intp)


def _running(figures: NDArray[np.int64]) -> NDArray[np.int64]:
    sums = np.zeros(len(figures) + 1, dtype=np.int64)
    np.cumsum(figures, out=sums[1:])
    return sums


def _largest(figures: Integers) -> int:
    return max(int(figures.max()), -int(figures.min())) if len(figures) else 0


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _sum(fractions: Iterable[Fraction]) -> Fraction:
    # Pair by pair, because a running sum would carry the product of all denominators through every step.
    terms = list(fractions)
    while len(terms) > 1:
        terms = [sum(terms[at : at + 2], Fraction(0)) for at in range(0, len(terms), 2)]
    return terms[0] if terms else Fraction(0)
