"""How many draws an audit will need, estimated by simulating it draw by draw up to the point where it stops.

Estimates alone: nothing here decides who is drawn or what is proved. A `Forecast` says which values one expects, in what shares;
simulated draws come from it with or without replacement, and the risk function stops where the plan's would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import Reported
from scrutineer.audits.designs.oneaudit import Pools
from scrutineer.audits.risk.model import Null, RiskFunction, Values


@dataclass(frozen=True, eq=False)
class Forecast:
    """Which values are expected to be drawn, in what shares, against which hypothesis.

    Raises AuditError for shares that do not add up to 1 and values out of range.
    """

    values: Values
    shares: Values
    null: Null
    cards: int
    """How many draws are a full count at the latest."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many draws are enough in half of all cases, and in nine of ten (or at the quantiles that were asked for)."""

    p50: int
    p90: int
    full_count: bool
    """Whether `p90` is a count of everything."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of cards whose paper differs from its record, by what that does to the margin (see `Discrepancies`)."""

    one_over: float = 0.0
    two_over: float = 0.0
    one_under: float = 0.0
    two_under: float = 0.0


NO_ERRORS: Final = Rates()


def comparison_forecast(reported: Reported, rates: Rates = NO_ERRORS, *, replacement: bool = False) -> Forecast:
    """Ballot comparison: agreeing cards, and discrepancies at the expected rates."""
    raise NotImplementedError


def polling_forecast(assertion: Assertion, tally: Mapping[int, int], cards: int, *, replacement: bool = False) -> Forecast:
    """Ballot polling: papers as reported; `tally` is by score how many cards have it, and the rest of `cards` has 0."""
    raise NotImplementedError


def oneaudit_forecast(
    reported: Reported,
    pools: Pools,
    scores: Sequence[Mapping[int, int]],
    rates: Rates = NO_ERRORS,
    *,
    replacement: bool = False,
) -> Forecast:
    """ONEAudit: `scores` is by pool, by score, how many of its cards are reported to have it; cards in no pool have records."""
    raise NotImplementedError


def error_free_size(margin: Fraction, upper: Fraction, risk_limit: Fraction, bet: Fraction = Fraction(2)) -> int:
    """Draws with replacement for ballot comparison without a discrepancy: ceil(ln(1/limit) / ln(1 + bet (B - 1/2))).

    `bet` = 2 is the greatest that a fair bet can be. Raises AuditError for a margin of 0 or less.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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

    The evidence so far stays, and the rest is expected to be as the forecast, which weighs as much as `weight` draws, and the seen
    values together say.
    """
    raise NotImplementedError
