"""The guarantee on chosen values: a wrong outcome is confirmed no more often than the risk limit says, however often one looks.

Every risk function x design by comparison or by batches x way of drawing is run on 20,000 seeded draws from populations
that lie exactly at the hypothesis, looked at after every draw. Adversaries choose the values so that they hide what is missing.
"""

import pytest

from risk_nulls import ALLOWED, FUNCTIONS, cells, confirmed


@pytest.mark.parametrize(("function", "population", "replacement"), list(cells("comparison", "batches", "adversary")))
def test_a_wrong_outcome_is_confirmed_no_more_often_than_the_risk_limit_says(
    function: str, population: str, replacement: bool
) -> None:
    assert confirmed(FUNCTIONS[function], population, replacement) <= ALLOWED
