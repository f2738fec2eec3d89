"""Which risk function to plan with: bets made for what is expected, and some evidence kept for what is not.

Bets are Kelly's for the forecast and parts of it. The whole loses little where the forecast is right, as the greatest part of
the evidence goes to that bet; smaller bets take over where there are more errors, because none of them loses as much with one.
Source: J. V. Spertus, COBRA: Comparison-Optimal Betting for Risk-Limiting Audits, 2023 (arXiv 2304.01010), section 4.3
(diversified betting).
"""

from dataclasses import dataclass
from typing import Final

from scrutineer.audits.forecasts import Forecast
from scrutineer.audits.risk.model import RiskFunction
from scrutineer.audits.risk.named import risk_function
from scrutineer.errors import AuditError

PARTS: Final = (1.0, 0.875, 0.625, 0.375)
"""Bets, as parts of the one that is best for the forecast."""
UNSURE: Final = (3, 2, 1, 1)
"""Weights where rates of error are guesses: comparison of cards and of boxes."""
SURE: Final = (27, 1, 1, 1)
"""Weights where spread comes from what was reported, and errors hardly add to it: pools, polling."""


@dataclass(frozen=True, slots=True)
class RiskChoice:
    """A risk function as a plan names it."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    """Names and decimal texts, as `risk.named.risk_function` takes them."""

    def function(self) -> RiskFunction:
        """The risk function itself."""
        return risk_function(self.name, dict(self.parameters))


def suggested(forecast: Forecast, *, sure: bool) -> RiskChoice:
    """The risk function to plan with for what is expected; `sure`: see SURE and UNSURE.

    Raises AuditError for a forecast under which nothing could be proved.
    """
    bet = forecast.kelly_bet()
    rates = [_decimal(bet * part) for part in PARTS]
    if "0" in rates:
        raise AuditError("if draws are as expected no sample proves the assertion: count all cards by hand")
    weights = [str(weight) for weight in (SURE if sure else UNSURE)]
    return RiskChoice("betting-diversified", (("rates", ",".join(rates)), ("weights", ",".join(weights))))


def _decimal(number: float) -> str:
    text = f"{number:.9f}".rstrip("0").rstrip(".")
    return text or "0"
