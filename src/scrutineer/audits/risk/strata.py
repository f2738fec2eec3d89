"""Any number of strata by evidence, and many audits at once: valid however often one looks, whichever stratum is drawn from next.

As in `stratified`: the hypothesis is a union of splits (t_1, …, t_K) of the assorter mean, and what counts is the least product
of the strata's evidence over all of them (P. B. Stark, ALPHA, arXiv 2201.02707, section 4; J. V. Spertus and P. B. Stark, Sweeter
than SUITE, arXiv 2207.03379).

**A lattice of votes.** All that the hypothesis leaves to the strata together is `mean` times the number of cards; it is cut into
equal steps before anything is drawn. Stratum k with N_k cards has the marks t = j · step / N_k. Between two marks its bets are
Kelly's against the upper one, cut to what that allows; with the same bets the logarithm of its evidence is concave in t and never
rises. Splits between the same marks are a box cut by a plane; as the steps are equal and add up to the whole, the corners of that
cut are marks in every stratum, and a sum of concave functions is least at a corner. So the least product over all splits is that
over the ways in which the steps can be shared out, each mark with the bets above or below it; not all above nor all below, as
these boxes touch the plane in a point that others have too.
Where the cards drawn exclude the lower mark of two, the least t that they leave possible stands for it: evidence never rises.
Sharing out is done stratum by stratum, so that K strata take K times as long as one, and not the K-th power.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.risk.betting import kelly_rate
from scrutineer.audits.risk.evidence import running_product
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import RESERVE, Draws, check_reserve, rows_of
from scrutineer.errors import AuditError

STEPS: Final = 128
_SMALLEST: Final = Fraction(1, 2**40)
_INFINITE: Final = 2**40
"""An exponent that no evidence has."""
_DIGITS: Final = 40
_FITS: Final = 2**62
_AT_ONCE: Final = 2**17  # numbers that fit a processor's cache


@dataclass(frozen=True, eq=False)
class Sampled:
    """What was drawn in one stratum by many audits, and what was expected of it. Raises AuditError for values out of range.

    As `stratified.Stratum`, whose fields these are, but for `values`.
    """

    values: Values
    """Repetitions x draws, in order; one row is one audit. Every stratum has as many rows; draws may differ."""
    cards: int
    shift: Fraction
    upper: Fraction
    expected_values: tuple[float, ...]
    probabilities: tuple[float, ...]
    replacement: bool = False
    reserve: float = RESERVE

    def __post_init__(self) -> None:
        check_reserve(self.reserve)
        if self.values.ndim != 2 or self.cards < 1 or self.upper <= 0:
            raise AuditError("a stratum has cards, a table of audits by draws, and a greatest value above 0")
        rows_of(self.values, self._null(self.upper / 2 - self.shift))
        kelly_rate(self.expected_values, self.probabilities, float(self.upper) / 2, self.reserve)

    def _null(self, assorter_mean: Fraction) -> Null:
        mean = min(max(assorter_mean + self.shift, self.upper * _SMALLEST), self.upper * (1 - _SMALLEST))
        return Null(float(mean), float(self.upper), None if self.replacement else self.cards)

    def least_votes(self) -> NDArray[np.int64]:
        """By audit: the least that all assorter values of the stratum can add up to, after what was drawn, in 2^-40."""
        rows = len(self.values)
        floor_of = ceil(self.shift * self.cards * 2**_DIGITS)
        if self.replacement or floor_of >= _FITS:
            return np.zeros(rows, np.int64)
        # Every value counts for one unit less than it is, as in `process`: that covers the rounding of whoever computed it.
        units = np.maximum(np.ldexp(self.values, _DIGITS).astype(np.int64) - 1, 0)
        least: NDArray[np.int64] = np.maximum(np.add.reduce(units, axis=1) - floor_of, 0)
        return least

    def tables(self, step: Fraction, steps: int, greatest: Fraction) -> "_Sides":
        """The evidence at every mark of the lattice up to the greatest assorter mean, for each audit."""
        marks = min(steps, ceil(greatest * self.cards / step))
        rows, draws = self.values.shape
        sides = _Sides(_Table.infinite(rows, marks + 1), _Table.infinite(rows, marks + 1))
        at_once = max(_AT_ONCE // max(draws, 1), 1)
        for start in range(0, rows, at_once):
            some = slice(start, start + at_once)
            lower = Draws(self.values[some], self._null(Fraction(0)))
            for mark in range(marks):
                worst = step * (mark + 1) / self.cards
                upper = Draws(self.values[some], self._null(worst))
                bets = self._bets(upper, worst)
                at_upper = self._evidence(upper, bets, upper)
                sides.below.put(some, mark + 1, at_upper)
                sides.above.put(some, mark, self._evidence(lower, bets, upper))
                lower = upper
        return sides

    def _bets(self, draws: Draws, worst: Fraction) -> Values:
        """Against means of at most `worst`; 0 throughout where nothing could speak against them."""
        if worst + self.shift >= self.upper:
            return np.zeros((1, 1))
        means = draws.means
        rate = kelly_rate(self.expected_values, self.probabilities, draws.null.mean, self.reserve)
        return np.where(means < draws.null.upper, np.minimum(rate, (1.0 - self.reserve) / means), 0.0)

    @staticmethod
    def _evidence(draws: Draws, bets: Values, upper: Draws) -> "_Table":
        """At one mark of two, or the least that is possible above it; infinite where the upper mark has become impossible."""
        rows, number = draws.shape
        if not number:
            return _Table.of(np.full(rows, 0.5), np.ones(rows, np.int64))
        factors = np.broadcast_to(1.0 + bets * (draws.values - draws.least_means), draws.shape)
        if upper.impossible is None:
            found = running_product(factors)
        else:
            # Factors after a hypothesis has become impossible may be below 0, and count for nothing.
            found = running_product(np.where(upper.impossible, 1.0, factors)).settled(upper.impossible, None)
        return _Table.of(found.fraction[:, -1], found.exponent[:, -1])


@dataclass(frozen=True, eq=False)
class _Table:
    """Evidence as fraction x 2^exponent, in any shape; infinite evidence has the exponent `_INFINITE`."""

    fraction: Values
    exponent: NDArray[np.int64]

    @classmethod
    def of(cls, fraction: Values, exponent: NDArray[np.int64]) -> "_Table":
        return cls(fraction, np.where(np.isinf(fraction), _INFINITE, exponent))

    @classmethod
    def infinite(cls, rows: int, columns: int) -> "_Table":
        return cls.of(np.full((rows, columns), np.inf), np.zeros((rows, columns), np.int64))

    def put(self, some: slice, mark: int, other: "_Table") -> None:
        """Into some rows of a column."""
        self.fraction[some, mark], self.exponent[some, mark] = other.fraction, other.exponent

    def least(self, other: "_Table") -> "_Table":
        """The lesser of both, place by place."""
        less = (other.exponent < self.exponent) | ((other.exponent == self.exponent) & (other.fraction < self.fraction))
        return _Table(np.where(less, other.fraction, self.fraction), np.where(less, other.exponent, self.exponent))

    def times(self, other: "_Table") -> "_Table":
        fraction, power = np.frexp(self.fraction * other.fraction)
        return _Table.of(fraction, self.exponent + other.exponent + power)

    def columns(self, part: slice) -> "_Table":
        return _Table(self.fraction[:, part], self.exponent[:, part])


@dataclass(frozen=True, eq=False)
class _Sides:
    """Evidence by audit and mark, with the bets above a mark and with those below it."""

    above: _Table
    below: _Table


def strata_p_values(strata: Sequence[Sampled], upper: Fraction, mean: Fraction = Fraction(1, 2), steps: int = STEPS) -> Values:
    """By audit: the p-value at one look for an assorter mean (of values up to `upper`) of at most `mean` over all cards.

    Looks may be as many and as late as one likes: keep the least. The strata's expectations, their order and `steps` are fixed
    before the first draw. Raises AuditError without strata, and for strata that do not belong to the same audits.
    """
    if not strata or len({len(stratum.values) for stratum in strata}) != 1 or steps < 1:
        raise AuditError("one stratum or more are needed, with a row for each audit, and a step or more")
    if not 0 < mean < upper:
        raise AuditError(f"a hypothetical mean of {mean} does not lie between 0 and the greatest assorter value {upper}")
    votes = mean * sum(stratum.cards for stratum in strata)
    step = votes / steps
    first, *others = (stratum.tables(step, steps, upper) for stratum in strata)
    alike, mixed = first, _Table.infinite(*first.above.fraction.shape)
    for sides in others:
        both = sides.above.least(sides.below)
        crossed = _share_out(alike.above, sides.below, steps).least(_share_out(alike.below, sides.above, steps))
        mixed = _share_out(mixed, both, steps).least(crossed)
        alike = _Sides(_share_out(alike.above, sides.above, steps), _share_out(alike.below, sides.below, steps))
    whole = mixed if others else alike.below
    fraction, exponent = whole.fraction[:, steps], whole.exponent[:, steps]
    ended = exponent >= _INFINITE
    if (most := floor(votes * 2**_DIGITS)) < _FITS:
        least = np.zeros(len(ended), np.int64)
        for stratum in strata:
            least += stratum.least_votes()
        ended = ended | (least > most)
    inverse = np.ldexp(1.0 / np.where(ended, 1.0, fraction), -np.clip(exponent, -1000, 1100))
    found: Values = np.where(ended, 0.0, np.minimum(inverse, 1.0))
    return found


def _share_out(one: _Table, other: _Table, steps: int) -> _Table:
    """For every number of steps up to `steps`, the least product over the ways of sharing them out between two."""
    rows, first = one.fraction.shape
    second = other.fraction.shape[1]
    width = min(first + second - 1, steps + 1)
    best = _Table.infinite(rows, width)
    for given in range(min(second, width)):
        taken = min(first, width - given)
        part = slice(given, given + taken)
        least = best.columns(part).least(one.columns(slice(taken)).times(other.columns(slice(given, given + 1))))
        best.fraction[:, part], best.exponent[:, part] = least.fraction, least.exponent
    return best
