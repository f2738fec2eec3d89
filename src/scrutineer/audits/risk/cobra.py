"""Bets for the comparison of cards, from what is thought of the rates of errors (J. V. Spertus, COBRA, arXiv 2304.01010).

Here 1-vote and 2-vote overstatements happen at rates p_1 and p_2; a card without error has the overstatement assorter's value
`clean`, and the others half of that and 0. Kelly's bet is the best one for given rates; nobody knows them before the audit.
"""

from dataclasses import dataclass
from itertools import product
from math import exp
from typing import Final

from scrutineer.audits.risk.betting import Adaptive, Diversified, Kelly, kelly_rate
from scrutineer.errors import AuditError

_STEPS: Final = 10


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """What is thought of the rates of errors before the audit. Raises AuditError for what is no rate."""

    one_vote: float = 0.001
    two_vote: float = 0.0001
    one_vote_spread: float = 0.005
    """Standard deviation of what is thought (0.005 in the paper's simulations, section 4)."""
    two_vote_spread: float = 0.005
    """The paper has 0.0025, with which audits that meet far more errors than expected need twice the cards that would do."""
    correlation: float = 0.25

    def __post_init__(self) -> None:
        if min(self.one_vote, self.two_vote) < 0 or self.one_vote + self.two_vote >= 1:
            raise AuditError("rates of errors are between 0 and 1, and together below 1")
        if min(self.one_vote_spread, self.two_vote_spread) <= 0 or not -1 < self.correlation < 1:
            raise AuditError("spreads are above 0, and a correlation between -1 and 1")

    @property
    def probabilities(self) -> tuple[float, float, float]:
        """Of a card without error, with one vote too many for the winner, and with two."""
        return 1.0 - self.one_vote - self.two_vote, self.one_vote, self.two_vote

    def density(self, one_vote: float, two_vote: float) -> float:
        """How likely these rates are thought to be, up to a factor (a normal distribution of both)."""
        first = (one_vote - self.one_vote) / self.one_vote_spread
        second = (two_vote - self.two_vote) / self.two_vote_spread
        squares = first * first - 2 * self.correlation * first * second + second * second
        return exp(-squares / (2 * (1 - self.correlation * self.correlation)))


def values_of(clean: float) -> tuple[float, float, float]:
    """The overstatement assorter's values of a card without error, and with one and two votes too many for the winner."""
    if not 0.5 < clean <= 1:
        raise AuditError(f"a card without error has a value above 1/2 and at most 1, not {clean}")
    return clean, clean / 2, 0.0


def fixed(clean: float, rates: ErrorRates) -> Kelly:
    """The best bet if the expected rates were the true ones."""
    return Kelly(values_of(clean), rates.probabilities)


def adaptive(clean: float, rates: ErrorRates, one_vote_weight: float = 100, two_vote_weight: float = 1000) -> Adaptive:
    """The best bet for the rates seen so far, shrunk to the expected ones (section 3.3; the paper's weights)."""
    return Adaptive(values_of(clean), rates.probabilities, (one_vote_weight, two_vote_weight))


def diversified(clean: float, rates: ErrorRates) -> Diversified:
    """Evidence divided among the best bets for a grid of rates that leave the outcome right, as likely as they are (section 3.4).

    Bets and weights are rounded, to 3 and 6 digits, and equal bets are put together: a plan commits to these figures, and
    nobody has to make them again from logarithms.
    """
    values = values_of(clean)
    weights: dict[float, float] = {}
    for first, second in product(range(_STEPS), repeat=2):
        # Equal steps from almost nothing to the rate at which errors of that kind alone make the outcome wrong.
        one_vote = 1e-6 + (2 - 1 / clean - 1e-6) * first / (_STEPS - 1)
        two_vote = 1e-6 + (1 - 1 / (2 * clean) - 1e-6) * second / (_STEPS - 1)
        if clean * two_vote + clean / 2 * one_vote < clean - 0.5:
            rate = round(kelly_rate(values, (1.0 - one_vote - two_vote, one_vote, two_vote), 0.5), 3)
            weights[rate] = weights.get(rate, 0.0) + rates.density(one_vote, two_vote)
    total = sum(weights.values())
    kept = {rate: weight for rate in sorted(weights) if (weight := round(weights[rate] / total, 6)) > 0}
    return Diversified(tuple(kept), tuple(kept.values()))
