"""Which risk function to plan with: bets made for what is expected, and some evidence kept for what is not.

Bets are Kelly's for the forecast and parts or multiples of it. Where rates of error are guesses, smaller bets take over if there
are more errors, because none of them loses as much with one. Where spread is known from what was reported, nearly all evidence
goes to Kelly's bet. Where a great part of all cards will be drawn without replacement, the mean that the hypothesis leaves for
the rest falls as the sample grows, so that larger bets are best in the end, and they get their share from the start.
Sources: J. V. Spertus, COBRA: Comparison-Optimal Betting for Risk-Limiting Audits, 2023 (arXiv 2304.01010), section 4.3
(diversified betting); measured in docs/decisions/audit-designs.md.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from scrutineer.audits.forecasts import Forecast
from scrutineer.audits.risk.model import RiskFunction
from scrutineer.audits.risk.named import risk_function
from scrutineer.errors import AuditError

Ladder: TypeAlias = tuple[tuple[float, ...], tuple[int, ...]]
"""Bets as parts of the one that is best for the forecast, and their weights."""

UNSURE: Final[Ladder] = (1, 0.875, 0.625, 0.375), (3, 2, 1, 1)
"""Rates of error are guesses: comparison of cards and of boxes."""
SURE: Final[Ladder] = (1, 0.875, 0.625, 0.375), (27, 1, 1, 1)
"""Spread comes from what was reported, and errors hardly add to it: pools, polling."""
DEEP: Final[Ladder] = (1, 2), (1, 1)
"""The same, where more than DEEP_FROM of all cards will be drawn."""
DEEPEST: Final[Ladder] = (1, 2, 4, 8), (1, 1, 1, 1)
"""The same, where more than DEEPEST_FROM of them will be."""
DEEP_FROM: Final = 0.25
DEEPEST_FROM: Final = 0.65


@dataclass(frozen=True, slots=True)
class RiskChoice:
    """A risk function as a plan names it."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    """Names and decimal texts, as `risk.named.risk_function` takes them."""

    def function(self) -> RiskFunction:
        """The risk function itself."""
        return risk_function(self.name, dict(self.parameters))


def suggested(forecast: Forecast, risk_limit: float, *, sure: bool) -> RiskChoice:
    """The risk function to plan with for what is expected; `sure`: whether spread is known from what was reported.

    Raises AuditError for a forecast under which nothing could be proved.
    """
    bet, size = forecast.kelly_bet(), forecast.typical_size(risk_limit)
    parts, weights = SURE if sure else UNSURE
    if sure and size is not None and forecast.null.population is not None:
        # n draws with replacement are worth about n / (1 + n/N) without it.
        share = size / (size + forecast.cards)
        parts, weights = DEEPEST if share > DEEPEST_FROM else DEEP if share > DEEP_FROM else (parts, weights)
    rates = [_decimal(bet * part) for part in parts]
    if size is None or "0" in rates:
        raise AuditError("if draws are as expected no sample proves the assertion: count all cards by hand")
    texts = (",".join(rates), ",".join(str(weight) for weight in weights))
    return RiskChoice("betting-diversified", (("rates", texts[0]), ("weights", texts[1])))


def _decimal(number: float) -> str:
    text = f"{number:.9f}".rstrip("0").rstrip(".")
    return text or "0"
