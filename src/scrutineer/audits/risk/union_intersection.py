"""Evidence of two strata, as a plan names it: one with records of cards, and one of which only totals were reported.

The mathematics is that of `strata`; what a plan fixes are the values that were expected in each stratum, for which bets are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scrutineer.audits.risk.betting import Betting, Kelly
from scrutineer.audits.risk.model import Values
from scrutineer.audits.risk.named import risk_function
from scrutineer.audits.risk.strata import Sampled, strata_p_values
from scrutineer.errors import AuditError

UNION_INTERSECTION: Final = "union-intersection"
PARAMETERS: Final = ("record_values", "record_probabilities", "total_values", "total_probabilities")
"""What is expected of cards with records, and of the others; each several decimal texts with commas between them."""


@dataclass(frozen=True, eq=False)
class StratumValues:
    """The values drawn in one stratum, in the order of its draws; `shift` and `upper` as in `stratified.Stratum`."""

    values: Values
    cards: int
    shift: Fraction
    upper: Fraction


@dataclass(frozen=True, slots=True)
class UnionIntersection:
    """What was expected of each stratum."""

    records: Kelly
    totals: Kelly

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "UnionIntersection":
        """By the parameters of a plan. Raises AuditError for others, and for what is no distribution."""
        if set(parameters) != set(PARAMETERS):
            raise AuditError(f"{UNION_INTERSECTION} has the parameters {', '.join(PARAMETERS)}, all of them and no others")
        return cls(*(_expected(parameters[values], parameters[shares]) for values, shares in (PARAMETERS[:2], PARAMETERS[2:])))

    def p_value(self, records: StratumValues, totals: StratumValues, upper: Fraction) -> float:
        """After all draws, for an assorter of values up to `upper`. Valid however often and whenever one looks."""
        strata = [
            Sampled(own.values[None, :], own.cards, own.shift, own.upper, tuple(expected.values), tuple(expected.probabilities))
            for own, expected in ((records, self.records), (totals, self.totals))
        ]
        return float(strata_p_values(strata, upper)[0])


def _expected(values: str, probabilities: str) -> Kelly:
    function = risk_function("betting-kelly", {"values": values, "probabilities": probabilities})
    if not isinstance(function, Betting) or not isinstance(function.bets, Kelly):
        raise AuditError("expected values make no bets")
    return function.bets
