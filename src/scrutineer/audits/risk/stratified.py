"""Two strata, each with its own kind of evidence, multiplied: valid however often one looks.

**Hypothesis.** The assorter's mean over all cards is at most `mean`. Then there are t_1 and t_2, no less than the means of the
strata, with (N_1 / N) t_1 + (N_2 / N) t_2 = mean. For each such pair the product of the evidence against 'stratum 1 has at most
t_1' and 'stratum 2 has at most t_2' is evidence against both, whatever the order in which cards were drawn; the least product
over all pairs is evidence against the hypothesis (a union of intersections: P. B. Stark, ALPHA, arXiv 2201.02707, section 4;
J. V. Spertus and P. B. Stark, Sweeter than SUITE, E-Vote-ID 2022, arXiv 2207.03379).

**Bands.** The range of t_1 is cut into bands before anything is drawn. All pairs of a band share their bets: Kelly's against the
band's end that is worst for the stratum, cut to what that end allows. With the same bets the logarithm of the product is concave
in t_1, so within a band it is least at an end of what is possible there: two products per band give the exact least.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import inf, ldexp
from typing import Final

import numpy as np

from scrutineer.audits.risk.betting import kelly_rate
from scrutineer.audits.risk.evidence import Evidence, running_product
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import RESERVE, Draws, check_reserve, rows_of
from scrutineer.errors import AuditError

BANDS: Final = 128
_SMALLEST: Final = Fraction(1, 2**40)


@dataclass(frozen=True, eq=False)
class Stratum:
    """The values drawn in one stratum, in order, and what was expected of them. Raises AuditError for values out of range."""

    values: Values
    cards: int
    """How many cards the stratum has."""
    shift: Fraction
    """What is added to a hypothetical assorter mean to get the mean of the values."""
    upper: Fraction
    """The greatest value."""
    expected_values: tuple[float, ...]
    """Values expected before the first draw, with their probabilities; bets are made for these."""
    probabilities: tuple[float, ...]
    replacement: bool = False
    reserve: float = RESERVE

    def __post_init__(self) -> None:
        check_reserve(self.reserve)
        if self.values.ndim != 1 or self.cards < 1 or self.upper <= 0:
            raise AuditError("a stratum has cards, a row of values, and a greatest value above 0")
        rows_of(self.values, self._null(self.upper / 2 - self.shift))
        kelly_rate(self.expected_values, self.probabilities, float(self.upper) / 2, self.reserve)

    @property
    def least_possible(self) -> Fraction:
        """The least assorter mean that the cards drawn so far leave possible."""
        if self.replacement:
            return Fraction(0)
        return max(_total(self.values) / self.cards - self.shift, Fraction(0))

    def _null(self, assorter_mean: Fraction) -> Null:
        mean = min(max(assorter_mean + self.shift, self.upper * _SMALLEST), self.upper * (1 - _SMALLEST))
        return Null(float(mean), float(self.upper), None if self.replacement else self.cards)

    def bets(self, worst: Fraction) -> Values:
        """The bet on every draw against means of at most `worst`; 0 throughout where nothing could speak against them."""
        if worst + self.shift >= self.upper:
            return np.zeros((1, 1))
        null = self._null(worst)
        means = Draws(self.values[None, :], null).means
        rate = kelly_rate(self.expected_values, self.probabilities, null.mean, self.reserve)
        return np.where(means < null.upper, np.minimum(rate, (1.0 - self.reserve) / means), 0.0)

    def evidence(self, assorter_mean: Fraction, bets: Values) -> tuple[float, int]:
        """Against a mean of at most `assorter_mean`, with bets that a mean at least as great allows: fraction and exponent."""
        if not len(self.values):
            return 0.5, 1
        draws = Draws(self.values[None, :], self._null(assorter_mean))
        factors = np.broadcast_to(1.0 + bets * (draws.values - draws.means), draws.shape)
        if draws.impossible is not None:
            factors = np.where(draws.impossible, 1.0, factors)
        evidence: Evidence = running_product(factors).settled(draws.impossible, None)
        return float(evidence.fraction[0, -1]), int(evidence.exponent[0, -1])


@dataclass(frozen=True, slots=True)
class Combined:
    """What two strata show together, at one look; looks may be as many and as late as one likes."""

    p_value: float
    """min(1, 1 / evidence)."""
    fraction: float
    exponent: int
    """The evidence is fraction x 2^exponent; the fraction is inf where the hypothesis has become impossible."""
    first_mean: float
    """The hypothetical mean of the first stratum that is hardest to exclude."""


def union_intersection(first: Stratum, second: Stratum, upper: Fraction, mean: Fraction = Fraction(1, 2)) -> Combined:
    """The evidence of both strata against an assorter mean (of values up to `upper`) of at most `mean` over all their cards."""
    if not 0 < mean < upper:
        raise AuditError(f"a hypothetical mean of {mean} does not lie between 0 and the greatest assorter value {upper}")
    cards = first.cards + second.cards

    def other(first_mean: Fraction) -> Fraction:
        return (mean * cards - first.cards * first_mean) / second.cards

    def first_for(second_mean: Fraction) -> Fraction:
        return (mean * cards - second.cards * second_mean) / first.cards

    lowest, highest = max(Fraction(0), first_for(upper)), min(upper, first_for(Fraction(0)))
    low, high = first.least_possible, first_for(second.least_possible)
    least, where = (inf, 0), lowest
    for start, end in _bands(lowest, highest):
        if end < low or start > high:
            continue
        bets = first.bets(end), second.bets(other(start))
        for at in (max(start, low), min(end, high)):
            product = _times(first.evidence(at, bets[0]), second.evidence(other(at), bets[1]))
            if _less(product, least):
                least, where = product, at
    if least[0] == inf:
        return Combined(0.0, inf, 0, float(where))
    inverse = ldexp(1.0 / least[0], min(max(-least[1], -1100), 1000))
    return Combined(min(inverse, 1.0), *least, float(where))


def _bands(lowest: Fraction, highest: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    for band in range(BANDS):
        yield lowest + (highest - lowest) * band / BANDS, lowest + (highest - lowest) * (band + 1) / BANDS


def _times(one: tuple[float, int], other: tuple[float, int]) -> tuple[float, int]:
    fraction, power = np.frexp(one[0] * other[0])
    return float(fraction), one[1] + other[1] + int(power)


def _less(one: tuple[float, int], other: tuple[float, int]) -> bool:
    if inf in (one[0], other[0]):
        return one[0] < other[0]
    return (one[1], one[0]) < (other[1], other[0])


def _total(values: Values) -> Fraction:
    """A little less than the exact sum: every value counts as a whole number of 2^-40 below it, as in `process`."""
    return Fraction(int(np.add.reduce(np.maximum(np.ldexp(values, 40).astype(np.int64) - 1, 0))), 2**40)
