"""From values to a risk ("Evidence"): floats of IEEE 754, operation by operation, so that every digit can be compared."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, frexp, inf, ldexp, nextafter, sqrt

from second_look.outcome.plan import NotComputedError
from second_look.report import FormatError

Bet = Callable[["Draw"], float]
"""What is staked on a draw, from what was known before it."""


@dataclass(frozen=True)
class Null:
    """The hypothesis: a mean of at most `mean` of values up to `upper`; without replacement of a population."""

    mean: float
    upper: float
    population: int | None = None


@dataclass
class Draw:
    """What is known before a draw."""

    null: Null
    earlier: int = 0
    total: float = 0.0
    units: int = 0
    digits: int = field(init=False, default=0)
    most: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        size = self.null.population or 0
        self.digits = min(61 - ceil(size * Fraction(self.null.upper)).bit_length(), 40)
        self.most = ceil(size * Fraction(self.null.mean) * Fraction(2) ** self.digits)

    def mean(self) -> float:
        """m: the greatest mean that the hypothesis leaves."""
        if self.null.population is None:
            return self.null.mean
        return ldexp(float(max(self.most - self.units, 1)), -self.digits) / (self.null.population - self.earlier)

    def follow(self, value: float) -> None:
        """Take note of a value."""
        self.earlier += 1
        self.total += value
        self.units += max(int(ldexp(value, self.digits)) - 1, 0)


def below(number: Fraction) -> float:
    """The greatest float that is not above a number."""
    near = float(number)
    return near if Fraction(near) <= number else nextafter(near, -inf)


def above(number: Fraction) -> float:
    """The least float that is not below a number."""
    return -below(-number)


def rounded_up(risk: Fraction) -> str:
    """A risk as text, rounded up to 12 decimals."""
    whole, part = divmod(ceil(risk * 10**12), 10**12)
    return f"{whole}.{part:012}".rstrip("0").rstrip(".")


def risk_of(name: str, parameters: dict[str, str], values: list[float], null: Null) -> float:
    """The risk after all draws. Raises NotComputedError for functions that are unknown here, FormatError for wrong parameters."""
    bets, reserve = _bets(name, dict(parameters), null)
    evidence = [(1.0, 0)] * len(bets)
    least, draw = 1.0, Draw(null)
    for value in values:
        if not 0 <= value <= null.upper or draw.earlier == null.population:
            raise FormatError(f"a value of {value} is beyond {null.upper}, or there are more draws than cards")
        mean = draw.mean()
        certain = null.population is not None and mean >= null.upper
        stakes = [] if certain else [min(max(bet(draw), 0.0), (1.0 - reserve) / mean) for _, bet in bets]
        draw.follow(value)
        if null.population is not None and draw.units > draw.most:
            return 0.0
        if certain:
            continue
        for at, stake in enumerate(stakes):
            fraction, power = frexp(evidence[at][0] * (stake * (value - mean) + 1.0))
            evidence[at] = fraction, evidence[at][1] + power
        top = max(power for _, power in evidence)
        # A part that is smaller by 2^1100 touches no digit of the sum.
        total = 0.0
        for (share, _), (fraction, power) in zip(bets, evidence, strict=True):
            total += ldexp(share * fraction if len(bets) > 1 else fraction, max(power - top, -1100))
        if total and top > -1000:
            least = min(least, ldexp(1.0 / total, -top))
    return least


def _bets(name: str, given: dict[str, str], null: Null) -> tuple[list[tuple[float, Bet]], float]:
    """The bets, each with its share of the evidence, and the reserve."""

    def take(parameter: str, default: str | None = None) -> list[float]:
        words = given.pop(parameter, default)
        if words is None:
            raise FormatError(f"{name} has no parameter {parameter}")
        if words and not all(re.fullmatch(r"(0|[1-9][0-9]{0,17})(\.[0-9]{0,39}[1-9])?", word) for word in words.split(",")):
            raise FormatError(f"parameter {parameter} of {name} is not in plain decimals")
        return [float(word) for word in words.split(",")] if words else []

    def one(parameter: str, default: str | None = None) -> float:
        numbers = take(parameter, default)
        if len(numbers) != 1:
            raise FormatError(f"parameter {parameter} of {name} is not one number")
        return numbers[0]

    reserve = 0.0
    shares = [1.0]
    if name == "betting-fixed":
        bets = [_constant(one("rate"))]
    elif name == "betting-kelly":
        reserve = one("reserve", "0.0078125")
        bets = [_constant(_kelly(take("values"), take("probabilities"), null.mean, reserve))]
    elif name == "betting-diversified":
        weights, total = take("weights"), 0.0
        for weight in weights:
            total += weight
        bets = [_constant(rate) for rate in take("rates")]
        shares = [weight / total for weight in weights if weight > 0]
    elif name == "alpha":
        bets = [_alpha(one("eta"), take("weight", ""), take("spread", ""), null)]
    elif name == "bravo":
        share = one("share")
        bets, reserve = [_constant(4.0 * share - 2.0)], 1.0 - share
        if (null.mean, null.upper) != (0.5, 1.0) or not 0.5 < share < 1:
            raise FormatError("bravo is for shares above 1/2 and values of 0, 1/2 and 1")
    elif name in ("kaplan-markov", "kaplan-kolmogorov"):
        bets = [_kaplan(one("padding"))]
        if name == "kaplan-kolmogorov" and null.population is None:
            raise FormatError("kaplan-kolmogorov is for draws without replacement")
    else:
        raise NotComputedError(f"risk function {name!r:.60}")
    if name in ("betting-fixed", "betting-diversified", "alpha"):
        reserve = one("reserve", "0.0078125")
    if given or not bets or len(bets) != len(shares) or (not name.startswith("kaplan") and not 2.0**-40 <= reserve < 1):
        raise FormatError(f"{name} has parameters that do not belong together")
    return list(zip(shares, bets, strict=True)), reserve


def _constant(rate: float) -> Bet:
    return lambda _: rate


def _kaplan(padding: float) -> Bet:
    if not 2.0**-40 <= padding < 2.0**40:
        raise FormatError(f"a padding of {padding}")
    return lambda draw: 1.0 / (draw.mean() + padding)


def _alpha(eta: float, weight: list[float], spread: list[float], null: Null) -> Bet:
    if not eta > 0 or len(weight) > 1 or len(spread) > 1 or weight == [0.0]:
        raise FormatError("alpha has other parameters than it needs")

    def estimate(draw: Draw, mean: float) -> float:
        if not weight:
            left = eta
            if null.population is not None:
                left = (null.population * eta - draw.total) / (null.population - draw.earlier)
            return min(max(left, 0.0), null.upper)
        worth = weight[0] + draw.earlier
        room = (spread[0] if spread else max(eta - null.mean, 0.0) / 2) / sqrt(worth)
        return min(max((weight[0] * eta + draw.total) / worth, mean + room), null.upper - room)

    def bet(draw: Draw) -> float:
        mean = draw.mean()
        return (estimate(draw, mean) / mean - 1.0) / (null.upper - mean)

    return bet


def _kelly(values: list[float], probabilities: list[float], mean: float, reserve: float) -> float:
    if not values or len(values) != len(probabilities):
        raise FormatError("betting-kelly has not one probability for each value")
    pairs = [(value - mean, probability) for value, probability in zip(values, probabilities, strict=True)]

    def slope(rate: float) -> float:
        total = 0.0
        for gain, probability in pairs:
            total += probability * gain / (1.0 + rate * gain)
        return total

    low, high = 0.0, (1.0 - reserve) / mean
    if slope(high) >= 0:
        return high
    for _ in range(50):
        middle = (low + high) / 2
        if slope(middle) > 0:
            low = middle
        else:
            high = middle
    return low
