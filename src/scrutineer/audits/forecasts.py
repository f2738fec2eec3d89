"""Forecasts: which values an audit is expected to draw, from what was reported and from expected rates of error."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import ScoreTally
from scrutineer.audits.designs.polling import polling_null
from scrutineer.audits.risk.betting import kelly_rate
from scrutineer.audits.risk.model import Null, Values
from scrutineer.errors import AuditError

MOST_VALUES: Final = 512
"""How many different values a forecast of pools keeps apart."""

ROUNDS: Final = 4
"""Draws of boxes with replacement, by number of boxes, that are called a full count: nearly all boxes are among them."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """Which values are expected to be drawn, in what shares, against which hypothesis.

    Raises AuditError for shares that do not add up to 1 and values out of range.
    """

    values: Values
    """Different values, in ascending order."""
    shares: Values
    null: Null
    cards: int
    """How many draws are a full count at the latest."""

    def __post_init__(self) -> None:
        if (
            self.values.shape != self.shares.shape
            or self.values.ndim != 1
            or not self.values.size
            or not bool(np.all(np.diff(self.values) > 0))
            or not (float(self.values[0]) >= 0 and float(self.values[-1]) <= self.null.upper)
            or float(self.shares.min()) < 0
            or abs(math.fsum(self.shares) - 1) > 1e-9
        ):
            raise AuditError(
                f"expected values have to be different, ascending and within 0 and {self.null.upper}; their shares add up to 1"
            )
        if self.cards < 1 or self.null.population not in (None, self.cards):
            raise AuditError(f"a forecast of {self.cards} cards has to be of a whole population of 1 or more")

    @property
    def mean(self) -> float:
        """The expected mean."""
        return math.fsum(self.values * self.shares)

    def counts(self, seen: int = 0) -> NDArray[np.int64]:
        """How many cards have each value, after so many were seen: whole numbers nearest to the shares (largest remainders)."""
        exact = self.shares * (self.cards - seen)
        counts = np.floor(exact).astype(np.int64)
        short = self.cards - seen - int(counts.sum())
        counts[np.argsort(counts - exact, kind="stable")[:short]] += 1
        return counts

    def kelly_bet(self) -> float:
        """The bet on the mean that grows fastest if draws are as forecast.

        Evidence is multiplied by 1 + bet (x - mean of the hypothesis). Source for audits: J. V. Spertus, COBRA, 2023 (arXiv
        2304.01010), section 3.
        """
        return kelly_rate(self.values.tolist(), self.shares.tolist(), self.null.mean)

    def typical_size(self, risk_limit: float) -> float | None:
        """About how many draws with replacement the fastest bet takes; None where nothing would ever be proved."""
        bet = self.kelly_bet()
        wealth = 1 + bet * (self.values - self.null.mean)
        happens = self.shares > 0
        growth = float(np.sum(self.shares[happens] * np.log(wealth[happens])))
        # A bet of nearly 0 grows by nothing but rounding.
        return -math.log(risk_limit) / growth if growth > 1e-15 else None

    def updated(self, seen: Values, weight: int) -> "Forecast":
        """The forecast of further draws after `seen`: the forecast's shares weigh as much as so many draws."""
        values, place = np.unique(np.concatenate([self.values, seen]), return_inverse=True)
        weights = np.concatenate([self.shares * weight, np.ones(len(seen))])
        shares = np.bincount(place, weights=weights, minlength=len(values))
        return Forecast(values, shares / shares.sum(), self.null, self.cards)


def forecast(weights: Mapping[float, float], null: Null, cards: int) -> Forecast:
    """A forecast of values by weight, which need not add up to anything. Raises AuditError as `Forecast` does."""
    values = sorted(value for value, weight in weights.items() if weight)
    total = math.fsum(weights[value] for value in values) or 1.0
    return Forecast(np.array(values, np.float64), np.array([weights[value] / total for value in values], np.float64), null, cards)


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of cards whose paper differs from its record, by what that does to the margin (see `Discrepancies`).

    Raises AuditError for shares below 0, and for more than all cards.
    """

    one_over: float = 0.0
    two_over: float = 0.0
    one_under: float = 0.0
    two_under: float = 0.0

    def __post_init__(self) -> None:
        each = (self.one_over, self.two_over, self.one_under, self.two_under)
        if min(each) < 0 or not sum(each) <= 1:
            raise AuditError(f"expected rates of discrepancies {each} have to be shares that add up to at most 1")

    def overstatements(self, spread: int) -> tuple[tuple[Fraction, float], ...]:
        """Overstatements and their shares; two votes overstate by the spread of the scores, one by half of it."""
        agree = 1.0 - self.one_over - self.two_over - self.one_under - self.two_under
        half = Fraction(spread, 2)
        shares = (agree, self.one_over, self.two_over, self.one_under, self.two_under)
        sizes = (Fraction(0), half, 2 * half, -half, -2 * half)
        return tuple((size, share) for size, share in zip(sizes, shares, strict=True) if share > 0)


NO_ERRORS: Final = Rates()


def comparison_forecast(reported: ReportedTotal, rates: Rates = NO_ERRORS, *, replacement: bool = False) -> Forecast:
    """Ballot comparison: agreeing cards, and discrepancies at the expected rates."""
    weights = {float(reported.value(over)): share for over, share in rates.overstatements(reported.spread)}
    return forecast(weights, reported.null(replacement=replacement), reported.cards)


def polling_forecast(assertion: Assertion, tally: Mapping[int, int], cards: int, *, replacement: bool = False) -> Forecast:
    """Ballot polling: papers as reported; `tally` is by score how many cards have it, and the rest of `cards` has 0.

    Raises AuditError for a tally of more cards than there are, and for scores out of range.
    """
    rest = cards - sum(tally.values())
    if rest < 0 or any(count < 0 or not assertion.lowest <= score <= assertion.highest for score, count in tally.items()):
        raise AuditError(f"contest {assertion.contest}: {cards} cards cannot have the scores that were reported")
    weights: dict[float, float] = {}
    for score, count in [*tally.items(), (0, rest)]:
        value = float(assertion.assort(score))
        weights[value] = weights.get(value, 0.0) + count
    return forecast(weights, polling_null(assertion, None if replacement else cards), cards)


def oneaudit_forecast(
    reported: ReportedTotal,
    cards: NDArray[np.int64],
    tally: ScoreTally,
    rates: Rates = NO_ERRORS,
    *,
    replacement: bool = False,
) -> Forecast:
    """ONEAudit: `cards` is by pool how many there are, and `tally` how many of them have which score; other cards have records.

    Papers of pools differ from what was reported of the pool at the same rates, as far as their score can go. Raises AuditError
    for pools that do not fit what was reported.
    """
    assertion, null = reported.assertion, reported.null(replacement=replacement)
    filled = cards > 0
    scores, counts = tally.with_rest(cards)
    cards, counts = cards[filled], counts[filled]
    ScoreTally(tally.scores, tally.counts[filled]).pools(cards).check(reported)
    expected = ((counts @ scores) / cards)[:, None]
    values, weights = [], []
    scale = reported.cards / (2.0 * (reported.cards * reported.spread - reported.total))
    alone = reported.cards - int(cards.sum())
    for over, share in rates.overstatements(reported.spread):
        papers = np.clip(scores - float(over), assertion.lowest, assertion.highest)
        values += [((reported.spread - expected + papers) * scale).ravel(), np.array([float(reported.value(over))])]
        weights += [(counts * share).ravel(), np.array([alone * share])]
    return _gathered(np.concatenate(values), np.concatenate(weights), null, reported.cards)


def two_stage_forecast(
    reported: ReportedTotal, cards: NDArray[np.int64], tally: ScoreTally, per_box: int | None, rates: Rates = NO_ERRORS
) -> Forecast:
    """Two stages, held against totals of boxes: `per_box` cards of each drawn box, or all where it is None.

    The mean of a box's drawn cards is taken to be one of two values, a standard deviation below and above the box's mean.
    Raises AuditError for boxes that do not fit what was reported.
    """
    null = reported.null(replacement=True)
    filled = cards > 0
    scores, counts = tally.with_rest(cards)
    cards, counts = cards[filled], counts[filled]
    ScoreTally(tally.scores, tally.counts[filled]).pools(cards).check(reported)
    errors = rates.overstatements(reported.spread)
    over = sum(float(size) * share for size, share in errors)
    means = (counts @ scores) / cards
    spread = np.maximum((counts @ (scores * scores)) / cards - means * means, 0.0)
    spread = spread + sum((float(size) - over) ** 2 * share for size, share in errors)
    taken = cards if per_box is None else np.minimum(per_box, cards)
    deviation = np.sqrt(spread / taken * (cards - taken) / np.maximum(cards - 1, 1))
    scale = reported.cards / (2.0 * (reported.cards * reported.spread - reported.total))
    middle = reported.spread - over
    values = np.concatenate([(middle - deviation) * scale, (middle + deviation) * scale])
    draws = max(1, reported.cards // max(1, per_box if per_box is not None else int(cards.mean())))
    return _gathered(values, np.tile(cards.astype(np.float64), 2), null, draws)


def batch_forecast(design: BatchDesign, rates: Rates = NO_ERRORS) -> Forecast:
    """Boxes drawn by error bound and counted: 1 - taint, tallies being off by what so many cards at these rates make on average.

    Raises AuditError where no sample is needed.
    """
    null = design.null()
    bounds = design.bounds.astype(np.float64)
    relative = np.full(len(bounds), -math.inf)
    for each in design.reported:
        spread = each.assertion.highest - each.assertion.lowest
        over = sum(float(size) * share for size, share in rates.overstatements(spread))
        np.maximum(relative, np.minimum(over * each.cards, each.bounds) / each.margin, out=relative)
    drawn = bounds > 0
    taints = np.clip(relative[drawn] * design.scale / bounds[drawn], -float(design.credit), 1.0)
    return _gathered(1.0 - taints, bounds[drawn], null, ROUNDS * len(bounds))


def _gathered(values: Values, weights: Values, null: Null, cards: int) -> Forecast:
    """A forecast of these values; where there are very many, neighbours are taken together at their mean."""
    values, weights = values[weights > 0], weights[weights > 0]
    values = np.clip(values, 0.0, null.upper)
    distinct, place = np.unique(values, return_inverse=True)
    if len(distinct) > MOST_VALUES:
        steps = np.floor(values * (MOST_VALUES / null.upper))
        _, place = np.unique(steps, return_inverse=True)
        distinct = np.bincount(place, weights * values) / np.bincount(place, weights)
    shares = np.bincount(place, weights)
    return Forecast(distinct, shares / shares.sum(), null, cards)
