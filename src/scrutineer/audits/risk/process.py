"""What every risk function here shares: evidence as the product of 1 + b_t (x_t - m_t), with a bet b_t made before draw t.

**Means.** m_t is the greatest mean that the hypothesis leaves for draw t: `Null.mean` with replacement, and without it
(N mean - sum of the earlier values) / (N - t + 1). The sums are whole multiples of a power of two (each value is rounded down
and counts for one unit less, which covers the rounding of whoever computed it), so they are exact and m_t errs upward alone:
the hypothesis that is tested contains the one that was meant. A unit is 2^-40, or more where a population is so great that
its sum would not fit 61 bits; in all that is less than a tenth of a vote for 300 million cards.

**Ends.** Once the sum exceeds N mean no population fits the hypothesis: evidence is infinite from then on. Once m_t reaches
`Null.upper` every rest fits it: evidence is 0 from then on.

**Bets.** 0 <= b_t <= (1 - reserve) / m_t. Values are at least 0, so a factor is never below `reserve`: one draw, however bad,
costs at most log2(1 / reserve) bits of evidence (7 for the usual 1/128, where a risk limit of 5 % asks for 4.3 in all), and
what comes after it earns them back. Bets are never negative: the hypothesis bounds the mean from above alone.

Sources: I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting, J. R. Stat. Soc. B 86 (2024),
sections 4 and 5; P. B. Stark, ALPHA, Ann. Appl. Stat. 17 (2023), arXiv 2201.02707, section 2, whose terms are the same
products with b_t = (eta_t / m_t - 1) / (upper - m_t).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.risk.evidence import Evidence, running_product
from scrutineer.audits.risk.model import Null, Values
from scrutineer.errors import AuditError

RESERVE: Final = 1 / 128
_LEAST_RESERVE: Final = 2.0**-40
_Number = TypeVar("_Number", np.float64, np.int64)
_DIGITS: Final = 40
_FIRST_LOOK: Final = 128  # draws looked at first by stopping_times; each further look is at four times as many


def check_reserve(reserve: float) -> None:
    """Raise AuditError unless a reserve lies between 2^-40 and 1."""
    if not _LEAST_RESERVE <= reserve < 1:
        raise AuditError(f"a reserve of {reserve} is not between 2^-40 and 1: a bet must leave something, and stake something")


@dataclass(frozen=True)
class Draws:
    """Values in the order of their draws, repetitions x draws, with what the hypothesis says before each."""

    values: Values
    null: Null

    @property
    def shape(self) -> tuple[int, int]:
        """Repetitions, draws."""
        return self.values.shape[0], self.values.shape[1]

    @cached_property
    def earlier(self) -> Values:
        """How many draws came before each: none before the first."""
        return np.arange(self.shape[1], dtype=np.float64)

    @cached_property
    def sums(self) -> Values:
        """The sum of the values before each draw, added up from left to right."""
        return before(np.add.accumulate(self.values, axis=1))

    @cached_property
    def _units(self) -> tuple[int, int, NDArray[np.int64]]:
        """Binary digits after the point of a unit, the greatest total under the hypothesis, and the running totals."""
        size = self.null.population or 0
        digits = min(61 - ceil(size * Fraction(self.null.upper)).bit_length(), _DIGITS)
        total = ceil(size * Fraction(self.null.mean) * Fraction(2) ** digits)
        units = np.ldexp(self.values, digits).astype(np.int64)
        return digits, total, np.add.accumulate(np.maximum(units - 1, 0), axis=1)

    @cached_property
    def means(self) -> Values:
        """m_t for each draw, always positive; one number for all where draws are with replacement."""
        if self.null.population is None:
            return np.full((1, 1), self.null.mean)
        digits, total, sums = self._units
        room = np.maximum(total - before(sums), 1)
        left: Values = self.null.population - self.earlier
        return np.asarray(np.ldexp(room.astype(np.float64), -digits) / left, dtype=np.float64)

    @cached_property
    def least_means(self) -> Values:
        """As `means`, for the least total that all draws of a row leave possible where that is more than the hypothesis has."""
        if self.null.population is None or not self.shape[1]:
            return self.means
        digits, total, sums = self._units
        room = np.maximum(np.maximum(total, sums[:, -1:]) - before(sums), 1)
        left: Values = self.null.population - self.earlier
        return np.asarray(np.ldexp(room.astype(np.float64), -digits) / left, dtype=np.float64)

    @cached_property
    def impossible(self) -> NDArray[np.bool_] | None:
        """Whether no population fits the hypothesis any more, after each draw."""
        if self.null.population is None:
            return None
        _, total, sums = self._units
        return sums > total

    @cached_property
    def ended(self) -> NDArray[np.bool_] | None:
        """Whether the population has decided; None where it has for no draw."""
        impossible, certain = self.impossible, self.certain
        if impossible is None or certain is None:
            return None
        ended: NDArray[np.bool_] = impossible | certain
        return ended if ended.any() else None

    @cached_property
    def certain(self) -> NDArray[np.bool_] | None:
        """Whether every rest fits the hypothesis, before each draw."""
        return None if self.null.population is None else self.means >= self.null.upper


def before(after: NDArray[_Number]) -> NDArray[_Number]:
    """What held before each draw, from what holds after it: 0 at first."""
    shifted = np.zeros_like(after)
    shifted[:, 1:] = after[:, :-1]
    return shifted


def rows_of(values: Values, null: Null) -> Values:
    """Values as repetitions x draws. Raises AuditError for values that the hypothesis has no room for."""
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if rows.ndim != 2:
        raise AuditError("values are one row of draws, or repetitions x draws")
    if rows.size and not (rows.min() >= 0 and rows.max() <= null.upper):
        raise AuditError(
            f"a value lies outside 0 … {null.upper}: check the bound that the hypothesis states, or how the value was computed"
        )
    if null.population is not None and rows.shape[1] > null.population:
        raise AuditError(f"{rows.shape[1]} draws without replacement from a population of {null.population}")
    return rows


class Process(ABC):
    """A risk function by its evidence alone: p-values and stopping times follow."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name by which a plan commits to it."""

    @abstractmethod
    def evidence(self, draws: Draws) -> Evidence:
        """The evidence after each draw."""

    def log2_evidence(self, values: Values, null: Null) -> Values:
        """See `RiskFunction.log2_evidence`."""
        return self.evidence(Draws(rows_of(values, null), null)).log2().reshape(np.shape(values))

    def p_values(self, values: Values, null: Null) -> Values:
        """See `RiskFunction.p_values`."""
        return self.evidence(Draws(rows_of(values, null), null)).p_values().reshape(np.shape(values))

    def stopping_times(self, values: Values, null: Null, risk_limit: float) -> NDArray[np.int64]:
        """See `RiskFunction.stopping_times`."""
        rows = rows_of(values, null)
        draws = rows.shape[1]
        times = np.full(rows.shape[0], draws + 1, np.int64)
        going, seen = np.arange(rows.shape[0]), min(_FIRST_LOOK, draws)
        while seen and len(going):
            reached = self.evidence(Draws(rows[going, :seen], null)).p_values() <= risk_limit
            stopped = reached[:, -1]
            times[going[stopped]] = reached[stopped].argmax(axis=1) + 1
            going = going[~stopped]
            if seen == draws:
                break
            seen = min(4 * seen, draws)
        return times


def product_of_bets(draws: Draws, bets: Values | float, reserve: float) -> Evidence:
    """The evidence of bets, cut to what the reserve allows. The bet on a draw may depend on what came before it alone."""
    factors = factors_of_bets(draws, bets, reserve, slice(None))
    return running_product(factors).settled(draws.impossible, draws.certain)


def factors_of_bets(draws: Draws, bets: Values | float, reserve: float, rows: slice) -> Values:
    """What each draw multiplies evidence by, for some rows: 1 + bet (x - m), and 1 where nothing is left to bet on."""
    means = draws.means
    ended = draws.ended
    if len(means) > 1:
        means = means[rows]
    factors: Values = np.minimum(np.maximum(bets, 0.0), (1.0 - reserve) / means)
    factors = factors * (draws.values[rows] - means)
    factors += 1.0
    if ended is not None:
        factors[..., ended[rows]] = 1.0
    return factors
