"""Two strata by evidence: the least over all splits, and ends that decide (the promise: tests/property)."""

from fractions import Fraction
from math import ldexp

import numpy as np
import pytest

from scrutineer.audits.risk import stratified
from scrutineer.audits.risk.model import Values
from scrutineer.audits.risk.stratified import Stratum, union_intersection
from scrutineer.errors import AuditError

HALF, ONE = Fraction(1, 2), Fraction(1)


def _polled(values: Values, cards: int, *, replacement: bool = False) -> Stratum:
    return Stratum(values, cards, Fraction(0), ONE, (1.0, 0.5, 0.0), (0.5, 0.2, 0.3), replacement)


def _compared(values: Values, cards: int, mean: Fraction) -> Stratum:
    """Values are 1 less the overstatement, between 0 and 2."""
    return Stratum(values, cards, 1 - mean, Fraction(2), (1.0, 0.5, 0.0), (0.99, 0.009, 0.001))


def _drawn(seed: int, winner: int, loser: int, other: int, number: int) -> Values:
    votes = np.repeat([1.0, 0.0, 0.5], [winner, loser, other])
    return np.random.default_rng(seed).permutation(votes)[:number]


def test_the_result_is_the_least_of_every_split_with_the_bets_of_its_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stratified, "BANDS", 8)
    first = _compared(np.array([1.0] * 60 + [0.5] + [1.0] * 20), 700, Fraction(4, 7))
    second = _polled(_drawn(5, 200, 80, 20, 60), 300)
    found = union_intersection(first, second, ONE)
    evidence = ldexp(found.fraction, found.exponent)
    lowest, width = Fraction(200, 700), Fraction(300, 700) / 8
    least = []
    for band in range(8):
        start, end = lowest + width * band, lowest + width * (band + 1)
        bets = first.bets(end), second.bets((HALF * 1000 - 700 * start) / 300)
        for step in range(41):
            mean = start + width * step / 40
            other = (HALF * 1000 - 700 * mean) / 300
            if mean >= first.least_possible and other >= second.least_possible:
                parts = first.evidence(mean, bets[0]), second.evidence(other, bets[1])
                least.append(ldexp(parts[0][0] * parts[1][0], parts[0][1] + parts[1][1]))
    assert len(least) > 100
    assert evidence == pytest.approx(min(least))
    assert found.p_value == pytest.approx(min(1 / evidence, 1))


def test_clear_outcomes_are_confirmed_and_more_cards_show_more() -> None:
    def look(number: int) -> float:
        polled = _polled(_drawn(11, 3000, 1700, 300, 4 * number), 5000)
        return union_intersection(_compared(np.ones(number), 20_000, Fraction(3, 5)), polled, ONE).p_value

    found = [look(number) for number in (0, 10, 40, 100)]
    assert found[0] == 1
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.01


def test_the_order_of_the_strata_does_not_matter_much() -> None:
    one, other = _compared(np.ones(80), 20_000, Fraction(3, 5)), _polled(_drawn(12, 3000, 1700, 300, 300), 5000)
    found = union_intersection(one, other, ONE).p_value, union_intersection(other, one, ONE).p_value
    assert found[0] == pytest.approx(found[1], rel=0.3)


def test_a_hypothesis_that_both_strata_exclude_is_impossible() -> None:
    found = union_intersection(_polled(np.ones(90), 100), _polled(np.ones(40), 60), ONE)
    assert found.p_value == 0
    assert found.fraction == np.inf


def test_strata_read_to_their_end_decide() -> None:
    won = union_intersection(_polled(np.repeat([1.0, 0.0], [51, 49]), 100), _polled(np.repeat([0.0, 1.0], [30, 30]), 60), ONE)
    tied = union_intersection(_polled(np.repeat([1.0, 0.0], [50, 50]), 100), _polled(np.repeat([0.0, 1.0], [30, 30]), 60), ONE)
    assert won.p_value == 0
    assert tied.p_value > 0.05


def test_draws_with_replacement_leave_every_mean_possible() -> None:
    stratum = _polled(np.ones(90), 100, replacement=True)
    assert stratum.least_possible == 0
    assert 0 < union_intersection(stratum, _polled(np.ones(40), 60, replacement=True), ONE).p_value < 1e-6


@pytest.mark.parametrize(
    "values", [np.array([[1.0]]), np.array([1.5]), np.array([-0.1]), np.array([np.nan]), np.ones(101)], ids=str
)
def test_values_that_a_stratum_cannot_hold_are_refused(values: Values) -> None:
    with pytest.raises(AuditError):
        _polled(values, 100)


def test_a_mean_that_the_assorter_cannot_have_is_refused() -> None:
    with pytest.raises(AuditError, match="hypothetical mean"):
        union_intersection(_polled(np.ones(1), 10), _polled(np.ones(1), 10), ONE, Fraction(1))
