"""The promise of a risk function: a wrong outcome is confirmed no more often than the risk limit says, however often one looks.

Every risk function x share of blank ballots in a polling audit x way of drawing is run on 20,000 seeded draws from populations
that lie exactly at the hypothesis, looked at after every draw.
Three functions that are wrong show that the check can fail.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from risk_nulls import ALLOWED, FUNCTIONS, RISK_LIMIT, cells, confirmed
from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.evidence import Evidence, running_product
from scrutineer.audits.risk.process import Draws, Process, product_of_bets


@pytest.mark.parametrize(("function", "population", "replacement"), list(cells("polling")))
def test_a_wrong_outcome_is_confirmed_no_more_often_than_the_risk_limit_says(
    function: str, population: str, replacement: bool
) -> None:
    assert confirmed(FUNCTIONS[function], population, replacement) <= ALLOWED


class _Broken(Process):
    @property
    def name(self) -> str:
        return "broken"


@dataclass(frozen=True)
class _TermsTwice(_Broken):
    """Multiplies the products once more, as if they were the terms."""

    def evidence(self, draws: Draws) -> Evidence:
        once = product_of_bets(draws, 0.4, 0.01)
        return running_product(np.ldexp(once.fraction, once.exponent))


@dataclass(frozen=True)
class _Peeking(_Broken):
    """Learns from a draw before it bets on it."""

    def evidence(self, draws: Draws) -> Evidence:
        averages = np.add.accumulate(draws.values, axis=1) / (draws.earlier + 1.0)
        return product_of_bets(draws, 4.0 * (averages - 0.5), 0.01)


@dataclass(frozen=True)
class _FixedTime(_Broken):
    """Is a p-value for one look, and is looked at after every draw: one less the normal distribution, by a bound from below."""

    def evidence(self, draws: Draws) -> Evidence:
        counts = draws.earlier + 1.0
        scores = (np.add.accumulate(draws.values, axis=1) - counts / 2) / np.sqrt(counts / 4)
        return Evidence(*np.frexp(np.where((scores > 1.645) & (counts >= 20), 20.1, 1.0)))


@pytest.mark.parametrize("broken", [_TermsTwice(), _Peeking(), _FixedTime()], ids=lambda broken: type(broken).__name__)
@pytest.mark.parametrize("replacement", [True, False])
def test_the_check_finds_functions_that_break_the_promise(broken: Process, replacement: bool) -> None:
    assert confirmed(broken, "polling, 0% blank", replacement) > 1.5 * ALLOWED


@pytest.mark.parametrize("replacement", [True, False])
def test_the_check_is_near_what_the_functions_use(replacement: bool) -> None:
    """Where hardly any of the limit were used, a function that exceeds its share would pass unseen."""
    used = confirmed(Alpha(0.6), "polling, 0% blank", replacement)
    assert used > RISK_LIMIT / 2
