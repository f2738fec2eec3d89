"""How many draws an audit will need, estimated by simulating it draw by draw up to the point where it stops.

Estimates alone: nothing here decides what is drawn or what is proved. A `Forecast` (see `forecasts`) says which values one
expects and in what shares. Simulated draws come from it with or without replacement, as the hypothesis says, in columns that are
added as long as repetitions go on, and the plan's own risk function says where each stops.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.forecasts import Forecast
from scrutineer.audits.risk.model import RiskFunction, Values
from scrutineer.errors import AuditError

CELLS: Final = 1 << 22
"""About how many draws are simulated for one size; where they are many, the first repetitions stand for all (at least FEWEST)."""
FEWEST: Final = 20
BLOCK: Final = 1 << 20
"""How many draws the risk function is given at once."""
HOPELESS: Final = 8
"""A size that would be this many times all cards, were there no end of them, is called a full count without a simulation."""
LARGE: Final = 150_000
"""Typical sizes beyond this are not simulated (see `_diffusion`)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many draws are enough in half of all cases, and in nine of ten (or at the quantiles that were asked for)."""

    p50: int
    p90: int
    full_count: bool
    """Whether `p90` is a count of everything."""


def error_free_size(margin: Fraction, upper: Fraction, risk_limit: Fraction, bet: Fraction = Fraction(2)) -> int:
    """Draws with replacement for ballot comparison without a discrepancy: ceil(ln(1/limit) / ln(1 + bet (B - 1/2))).

    B = 1 / (2 - margin/upper); `bet` = 2 is the greatest that a fair bet can be. Raises AuditError for a margin of 0 or less,
    and for another argument out of range.
    """
    if not (0 < margin < 2 * upper and 0 < risk_limit < 1 and 0 < bet <= 2):
        raise AuditError(
            f"no size for a margin of {margin}, a greatest value of {upper}, a risk limit of {risk_limit} and a bet of {bet}: "
            "the margin has to be positive, the limit between 0 and 1, and the bet at most 2"
        )
    factor = bet * (1 / (2 - margin / upper) - Fraction(1, 2))
    return math.ceil(-math.log(risk_limit) / math.log1p(factor))


def sample_size(
    forecast: Forecast,
    risk: RiskFunction,
    risk_limit: float,
    *,
    quantiles: tuple[float, float] = (0.5, 0.9),
    repetitions: int = 100,
    seed: int = 0,
) -> Sizes:
    """Simulated sample sizes for one assertion, the same for the same arguments. Raises AuditError for arguments out of range."""
    nothing = np.empty(0, np.float64)
    return _sizes(forecast, nothing, risk, risk_limit, quantiles, repetitions, seed)


def next_round(
    forecast: Forecast,
    seen: Values,
    risk: RiskFunction,
    risk_limit: float,
    *,
    weight: int = 100,
    quantiles: tuple[float, float] = (0.5, 0.9),
    repetitions: int = 100,
    seed: int = 0,
) -> Sizes:
    """How many draws in all, given those `seen`.

    The evidence so far stays. The rest is expected to be as the seen values and the forecast together say, where the forecast
    weighs as much as `weight` draws: one bad card does not make all others bad, and many do. Raises AuditError for arguments out
    of range.
    """
    if weight < 1 or seen.ndim != 1 or len(seen) > forecast.cards:
        raise AuditError("a next round needs the values drawn so far, no more than there are cards, and a weight of 1 or more")
    return _sizes(forecast.updated(seen, weight), seen, risk, risk_limit, quantiles, repetitions, seed)


def largest(sizes: Sequence[Sizes]) -> Sizes:
    """What is enough for every one of several assertions of one sample. Raises AuditError without any."""
    if not sizes:
        raise AuditError("there is no assertion to be audited")
    return Sizes(max(each.p50 for each in sizes), max(each.p90 for each in sizes), any(each.full_count for each in sizes))


def _sizes(
    forecast: Forecast,
    seen: Values,
    risk: RiskFunction,
    risk_limit: float,
    quantiles: tuple[float, float],
    repetitions: int,
    seed: int,
) -> Sizes:
    if not (0 < risk_limit < 1 and 0 < quantiles[0] <= quantiles[1] < 1 and repetitions >= 1):
        raise AuditError(
            f"a risk limit of {risk_limit}, quantiles of {quantiles} or {repetitions} repetitions: the limit and the quantiles "
            "lie between 0 and 1, the lower quantile first, and there is at least one repetition"
        )
    if len(seen) and (reached := int(risk.stopping_times(seen[None, :], forecast.null, risk_limit)[0])) <= len(seen):
        return Sizes(reached, reached, reached >= forecast.cards)
    guess = forecast.typical_size(risk_limit)
    if guess is None or guess >= HOPELESS * forecast.cards:
        return Sizes(forecast.cards, forecast.cards, True)
    if guess > LARGE:
        shown = float(risk.log2_evidence(seen, forecast.null)[-1]) if len(seen) else 0.0
        return _diffusion(forecast, len(seen), guess, shown, risk_limit, quantiles)
    stops = np.sort(_stops(forecast, guess, seen, risk, risk_limit, quantiles[1], repetitions, seed))
    low, high = (int(stops[math.ceil(quantile * len(stops)) - 1]) for quantile in quantiles)
    cards = forecast.cards
    return Sizes(min(low, cards), min(high, cards), high >= cards)


def _stops(
    forecast: Forecast,
    guess: float,
    seen: Values,
    risk: RiskFunction,
    risk_limit: float,
    quantile: float,
    repetitions: int,
    seed: int,
) -> NDArray[np.int64]:
    """By repetition: the draw at which it stops. Those that go on when that share of all has stopped are said never to stop."""
    stops = np.full(repetitions, forecast.cards + 1, np.int64)
    draws = np.random.Generator(np.random.PCG64(seed))
    left = np.tile(forecast.counts(len(seen)), (repetitions, 1)) if forecast.null.population is not None else None
    going = np.arange(repetitions)
    values = np.tile(seen, (repetitions, 1))
    columns = min(max(16, 2 * math.ceil(guess)), forecast.cards - len(seen))
    while True:
        if len(going) * (values.shape[1] + columns) > CELLS and repetitions > FEWEST:
            # Which repetitions go on is no matter of how they went: the first ones stand for all.
            repetitions = max(FEWEST, repetitions // 2)
            stops, kept = stops[:repetitions], going < repetitions
            going, values, left = going[kept], values[kept], None if left is None else left[kept]
            continue
        if columns:
            more, left = _draw(forecast, left, len(going), columns, draws)
            values = np.concatenate([values, more], axis=1)
        rows = max(1, BLOCK // max(1, values.shape[1]))
        blocks = (values[start : start + rows] for start in range(0, len(values), rows))
        times = np.concatenate([risk.stopping_times(block, forecast.null, risk_limit) for block in blocks])
        stopped = times <= values.shape[1]
        stops[going[stopped]] = times[stopped]
        going, values, left = going[~stopped], values[~stopped], None if left is None else left[~stopped]
        if len(stops) - len(going) >= math.ceil(quantile * repetitions) or values.shape[1] >= forecast.cards:
            return stops
        columns = min(values.shape[1], forecast.cards - values.shape[1])


def _draw(
    forecast: Forecast, left: NDArray[np.int64] | None, rows: int, columns: int, draws: np.random.Generator
) -> tuple[Values, NDArray[np.int64] | None]:
    """Rows of values in random order; from what is `left` of each row, or with replacement where that is None."""
    if left is None:
        counts = draws.multinomial(columns, forecast.shares, size=rows)
    elif (left == left[0]).all():
        counts = draws.multivariate_hypergeometric(left[0], columns, size=rows, method="marginals")
    else:
        counts = np.stack([draws.multivariate_hypergeometric(row, columns, method="marginals") for row in left])
    rest = None if left is None else left - counts
    values = np.repeat(np.tile(forecast.values, rows), counts.ravel()).reshape(rows, columns)
    return draws.permuted(values, axis=1), rest


def _diffusion(
    forecast: Forecast, seen: int, typical: float, shown: float, risk_limit: float, quantiles: tuple[float, float]
) -> Sizes:
    """Sizes of very long samples, without a simulation: after `seen` draws that left `shown` bits of evidence.

    The logarithm of evidence with Kelly's bet is then nearly a Brownian motion with a drift of half its variance, and the draws
    until it has risen by b have an inverse Gaussian distribution with a shape of b/2 times its mean. Without replacement, n draws
    with it are worth n / (1 + n/N). Source: R. S. Chhikara and J. L. Folks, The Inverse Gaussian Distribution, 1989, chapter 3.
    """
    whole = -math.log(risk_limit)
    rise = whole - shown * math.log(2)
    if not rise < math.inf:
        return Sizes(forecast.cards, forecast.cards, True)
    rest = forecast.cards - seen
    sizes = [typical * rise / whole * _inverse_gaussian(quantile, rise / 2) for quantile in quantiles]
    if forecast.null.population is not None:
        sizes = [size / (1 + size / max(1, rest)) for size in sizes]
    low, high = (seen + min(math.ceil(size), rest) for size in sizes)
    return Sizes(low, high, high >= forecast.cards)


def _inverse_gaussian(quantile: float, shape: float) -> float:
    """The quantile of an inverse Gaussian distribution with mean 1."""

    def below(x: float) -> float:
        root = math.sqrt(shape / x / 2)
        return (math.erfc(-root * (x - 1)) + math.exp(2 * shape) * math.erfc(root * (x + 1))) / 2

    low, high = 0.0, 1.0
    while below(high) < quantile:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < quantile else (low, middle)
    return high
