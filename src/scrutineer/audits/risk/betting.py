"""Betting martingales (I. Waudby-Smith and A. Ramdas, J. R. Stat. Soc. B 86 (2024)), and where their bets come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np

from scrutineer.audits.risk.evidence import Evidence, mixed_product
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import RESERVE, Draws, Process, before, check_reserve, factors_of_bets, product_of_bets
from scrutineer.errors import AuditError

_HALVINGS: Final = 50  # of the range of bets: what is left of it is less than a float64 tells apart
_ROUGH: Final = 24  # where the distribution itself is an estimate

_FEW: Final = 16
_AT_ONCE: Final = 2**17  # numbers that fit a processor's cache


class Bets(Protocol):
    """Where bets come from."""

    @property
    def kind(self) -> str:
        """One word for a plan."""

    def evidence(self, draws: Draws, reserve: float) -> Evidence:
        """The evidence of these bets after each draw."""


@dataclass(frozen=True)
class Betting(Process):
    """Evidence that grows by 1 + b (x - m) with every draw, b being what `bets` stakes, cut to (1 - reserve) / m."""

    bets: Bets
    reserve: float = RESERVE

    def __post_init__(self) -> None:
        check_reserve(self.reserve)

    @property
    def name(self) -> str:
        """'betting-' and the kind of bets."""
        return f"betting-{self.bets.kind}"

    def evidence(self, draws: Draws) -> Evidence:
        """See `Process.evidence`."""
        return self.bets.evidence(draws, self.reserve)


@dataclass(frozen=True)
class Fixed:
    """The same bet at every draw. Raises AuditError for one below 0."""

    rate: float
    """What a value of 1 above its hypothetical mean adds to evidence, as a share of it."""

    def __post_init__(self) -> None:
        if not 0 <= self.rate < np.inf:
            raise AuditError(f"a bet of {self.rate} is not a number from 0 up")

    @property
    def kind(self) -> str:
        """See `Bets.kind`."""
        return "fixed"

    def evidence(self, draws: Draws, reserve: float) -> Evidence:
        """See `Bets.evidence`."""
        return product_of_bets(draws, self.rate, reserve)


@dataclass(frozen=True)
class Kelly:
    """The bet of greatest expected growth if values had a given distribution (Kelly's), found before the first draw and kept.

    It is found by halving, so it is the same number everywhere. Raises AuditError for what is not a distribution.
    """

    values: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_distribution(self.values, self.probabilities)

    @property
    def kind(self) -> str:
        """See `Bets.kind`."""
        return "kelly"

    def rate(self, null: Null, reserve: float = RESERVE) -> float:
        """The bet that is kept for this hypothesis."""
        return kelly_rate(self.values, self.probabilities, null.mean, reserve)

    def evidence(self, draws: Draws, reserve: float) -> Evidence:
        """See `Bets.evidence`."""
        return product_of_bets(draws, self.rate(draws.null, reserve), reserve)


@dataclass(frozen=True)
class Diversified:
    """Evidence is divided among several fixed bets at the start and added up at every draw (COBRA's diversified betting).

    Within log2(1 / weight) bits of the best of them, whatever comes. `cobra_bets` gives those of the paper.
    Raises AuditError unless there is one positive weight for every bet; weights are divided by their sum.
    """

    rates: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.rates or len(self.rates) != len(self.weights):
            raise AuditError(f"{len(self.rates)} bets with {len(self.weights)} weights: there must be one weight for every bet")
        if not all(0 <= rate < np.inf for rate in self.rates) or not all(0 < weight < np.inf for weight in self.weights):
            raise AuditError("bets are numbers from 0 up, weights are above 0")

    @property
    def kind(self) -> str:
        """See `Bets.kind`."""
        return "diversified"

    def evidence(self, draws: Draws, reserve: float) -> Evidence:
        """See `Bets.evidence`."""
        total = _sum(self.weights)
        shares = [weight / total for weight in self.weights]
        rates = np.asarray(self.rates, dtype=np.float64).reshape(-1, 1, 1)
        rows, number = draws.shape
        at_once = max(_AT_ONCE // max(len(shares) * number, 1), 1)
        found = [
            mixed_product(factors_of_bets(draws, rates, reserve, slice(row, row + at_once)), shares)
            for row in range(0, max(rows, 1), at_once)
        ]
        if len(found) == 1:
            return found[0].settled(draws.impossible, draws.certain)
        fractions, exponents = (
            np.concatenate([each.fraction for each in found]),
            np.concatenate([each.exponent for each in found]),
        )
        return Evidence(fractions, exponents).settled(draws.impossible, draws.certain)


@dataclass(frozen=True)
class Adaptive:
    """Kelly's bet for a distribution that is learned (COBRA's adaptive betting): shares of values seen, shrunk to expected ones.

    The first value stands for every draw that is nearest to none of the others, and has the rest of the probability. Every
    other share is max(least, (weight x expected share + times seen) / (weight + draws so far)).
    Raises AuditError for what is not a distribution, and for weights that are not above 0.
    """

    values: tuple[float, ...]
    probabilities: tuple[float, ...]
    weights: tuple[float, ...]
    """How many draws the expectation of each value but the first is worth."""
    least: float = 0.00001

    def __post_init__(self) -> None:
        _check_distribution(self.values, self.probabilities)
        if len(self.weights) != len(self.values) - 1 or not all(0 < weight < np.inf for weight in self.weights):
            raise AuditError("there must be one weight above 0 for every value but the first")
        if not 0 < self.least < 1 / len(self.values):
            raise AuditError(f"a least share of {self.least} is not between 0 and one over the number of values")

    @property
    def kind(self) -> str:
        """See `Bets.kind`."""
        return "adaptive"

    def evidence(self, draws: Draws, reserve: float) -> Evidence:
        """See `Bets.evidence`."""
        return product_of_bets(draws, self._rates(draws, reserve), reserve)

    def _rates(self, draws: Draws, reserve: float) -> Values:
        """By draw; a bet depends on the number of draws and the counts so far alone, so each that occurs is found once."""
        counts = [before(np.add.accumulate(self._nearest(draws.values, value), axis=1)) for value in self.values[1:]]
        earlier = np.broadcast_to(draws.earlier, draws.shape)
        state, states = np.broadcast_to(np.arange(draws.shape[1]), draws.shape), draws.shape[1]
        for count in counts:
            most = int(count.max(initial=0)) + 1
            state, states = state * most + count.astype(np.int64), states * most
        if states > state.size:
            return self._rates_for([count.ravel() for count in counts], earlier.ravel(), draws, reserve).reshape(draws.shape)
        first = np.full(states, -1)
        first[state.ravel()] = np.arange(state.size)
        known = first[first >= 0]
        rates = np.empty(states)
        rates[first >= 0] = self._rates_for([count.ravel()[known] for count in counts], earlier.ravel()[known], draws, reserve)
        return rates[state]

    def _rates_for(self, counts: Sequence[Values], earlier: Values, draws: Draws, reserve: float) -> Values:
        shares = [
            np.maximum((weight * expected + count) / (weight + earlier), self.least)
            for count, expected, weight in zip(counts, self.probabilities[1:], self.weights, strict=True)
        ]
        rest = np.ones_like(earlier)
        for share in shares:
            rest = rest - share
        return _best_rates(self.values, [np.maximum(rest, 0.0), *shares], np.full(1, draws.null.mean), reserve)

    def _nearest(self, seen: Values, value: float) -> Values:
        apart = np.abs(seen - value)
        others = [np.abs(seen - other) for other in self.values if other != value]
        nearer = apart < others[0]
        for other in others[1:]:
            nearer &= apart < other
        return nearer.astype(np.float64)


@dataclass(frozen=True)
class Agrapa:
    """The bet (a - m) / (v + (a - m)^2) for the average a and the variance v so far: Kelly's, approximately (aGRAPA).

    `start` is the first bet. Raises AuditError for one below 0.
    """

    start: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.start < np.inf:
            raise AuditError(f"a first bet of {self.start} is not a number from 0 up")

    @property
    def kind(self) -> str:
        """See `Bets.kind`."""
        return "agrapa"

    def evidence(self, draws: Draws, reserve: float) -> Evidence:
        """See `Bets.evidence`."""
        seen = np.maximum(draws.earlier, 1.0)
        averages = draws.sums / seen
        squares = before(np.add.accumulate(draws.values * draws.values, axis=1))
        variances = np.maximum(squares / seen - averages * averages, 0.0)
        gains = averages - draws.means
        spread = variances + gains * gains
        rates = np.where(spread > 0, gains / np.where(spread > 0, spread, 1.0), 0.0)
        rates[:, :1] = self.start
        return product_of_bets(draws, rates, reserve)


def kelly_rate(values: Sequence[float], probabilities: Sequence[float], mean: float, reserve: float = RESERVE) -> float:
    """The b in 0 … (1 - reserve) / mean that maximises the expectation of log(1 + b (x - mean)) for x of this distribution.

    By halving a fixed number of times where the derivative, which falls, changes sign: bit for bit the same everywhere.
    0 where the distribution's mean is not above `mean`. Raises AuditError for what is not a distribution.
    """
    _check_distribution(values, probabilities)
    check_reserve(reserve)
    shares = np.asarray(probabilities, dtype=np.float64)
    gains = np.asarray(values, dtype=np.float64) - mean
    if len(gains) <= _FEW:
        few = gains.tolist(), shares.tolist()
        slope = partial(_slope_of_few, *few)
    else:
        slope = partial(_slope_of_many, gains, shares)
    low, high = 0.0, (1.0 - reserve) / mean
    if slope(high) >= 0:
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return low


def _slope_of_many(gains: Values, shares: Values, rate: float) -> float:
    return float(np.add.accumulate(shares * gains / (1.0 + rate * gains))[-1])


def _slope_of_few(gains: Sequence[float], shares: Sequence[float], rate: float) -> float:
    """The same operations in the same order, so the same bits, without the cost of calling numpy."""
    total = 0.0
    for gain, share in zip(gains, shares, strict=True):
        total += share * gain / (1.0 + rate * gain)
    return total


def _best_rates(values: Sequence[float], shares: Sequence[Values], means: Values, reserve: float) -> Values:
    """`kelly_rate` for a table of distributions at once, to within 2^-24 of the range."""
    low = np.zeros(np.broadcast_shapes(shares[0].shape, means.shape))
    high = np.broadcast_to((1.0 - reserve) / means, low.shape)
    gains = [value - means for value in values]

    def rising(rate: Values) -> Values:
        slope = np.zeros_like(rate)
        for share, gain in zip(shares, gains, strict=True):
            slope += share * gain / (1.0 + rate * gain)
        return slope

    most, full = high, rising(high) >= 0
    for _ in range(_ROUGH):
        middle = (low + high) / 2
        up = rising(middle) > 0
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return np.where(full, most, low)


def _sum(numbers: Sequence[float]) -> float:
    """From left to right, in single additions."""
    return float(np.add.accumulate(np.asarray(numbers, dtype=np.float64))[-1])


def _check_distribution(values: Sequence[float], probabilities: Sequence[float]) -> None:
    if not values or len(values) != len(probabilities):
        raise AuditError(f"{len(values)} values with {len(probabilities)} probabilities: there must be one for every value")
    if not all(0 <= value < np.inf for value in values) or not all(0 <= share <= 1 for share in probabilities):
        raise AuditError("assumed values are numbers from 0 up, and their probabilities between 0 and 1")
    if abs(_sum(probabilities) - 1) > 1e-6:
        raise AuditError(f"assumed probabilities sum to {_sum(probabilities)}, not to 1")
