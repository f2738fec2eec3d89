"""Any number of strata by evidence: the least over all splits, alike however computed, and ends that decide."""

from fractions import Fraction
from itertools import product
from math import ceil, ldexp, prod

import numpy as np
import pytest

from scrutineer.audits.risk.model import Values
from scrutineer.audits.risk.strata import Sampled, strata_p_values
from scrutineer.audits.risk.stratified import Stratum, union_intersection
from scrutineer.errors import AuditError

HALF, ONE = Fraction(1, 2), Fraction(1)
EXPECTED = ((1.0, 0.5, 0.0), (0.5, 0.2, 0.3))


def _polled(values: Values, cards: int, *, replacement: bool = False) -> Sampled:
    return Sampled(np.atleast_2d(values), cards, Fraction(0), ONE, *EXPECTED, replacement)


def _compared(values: Values, cards: int, mean: Fraction) -> Sampled:
    """Values are 1 less the overstatement, between 0 and 2."""
    return Sampled(np.atleast_2d(values), cards, 1 - mean, Fraction(2), (1.0, 0.5, 0.0), (0.99, 0.009, 0.001))


def _drawn(seed: int, share: float, number: int) -> Values:
    return np.random.default_rng(seed).choice([0.0, 0.5, 1.0], number, p=[(1 - share) / 2, 0.5, share / 2])


@pytest.mark.parametrize("cards", [200, 1000])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_two_strata_of_one_size_are_those_of_bands_to_the_last_bit(cards: int, share: float) -> None:
    """Steps of votes are then bands of the first stratum's mean."""
    values = _drawn(cards, share, 140), _drawn(cards + 1, share, 90)
    one, other = (Stratum(each, cards, Fraction(0), ONE, *EXPECTED) for each in values)
    bands = union_intersection(one, other, ONE)
    assert strata_p_values([_polled(each, cards) for each in values], ONE).tolist() == [bands.p_value]


def _evidence(stratum: Sampled, mean: Fraction, worst: Fraction, *, held: bool = False) -> float:
    """Of `stratified.Stratum` with the bets for a band's end: infinite where the mean has become impossible.

    `held`: a mean below what is possible counts as the least possible one, unless the whole band is impossible.
    """
    plain = Stratum(
        stratum.values[0],
        stratum.cards,
        stratum.shift,
        stratum.upper,
        stratum.expected_values,
        stratum.probabilities,
        stratum.replacement,
    )
    if held and worst >= plain.least_possible:
        mean = max(mean, plain.least_possible)
    return ldexp(*plain.evidence(mean, plain.bets(worst)))


@pytest.mark.parametrize("drawn", [(30, 20, 25), (55, 35, 30)])
def test_three_strata_find_the_least_of_every_split_with_the_bets_of_its_box(drawn: tuple[int, int, int]) -> None:
    strata = [
        _compared(np.array([1.0] * (drawn[0] - 1) + [0.5]), 90, Fraction(4, 7)),
        _polled(_drawn(5, 0.8, drawn[1]), 60),
        _polled(_drawn(6, 0.9, drawn[2]), 40),
    ]
    steps, votes = 6, HALF * 190
    step = votes / steps
    possible, held = [], []
    for first, second in product(range(steps), repeat=2):
        for third in (steps - 2 - first - second, steps - 1 - first - second):
            ends = [step * (box + 1) for box in (first, second, third)]
            for inner in product(range(5), repeat=2):
                given = [step * (first + Fraction(inner[0], 4)), step * (second + Fraction(inner[1], 4))]
                given.append(votes - sum(given))
                if third < 0 or not ends[2] - step <= given[2] <= ends[2]:
                    continue
                parts = [
                    (stratum, each / stratum.cards, end / stratum.cards)
                    for stratum, each, end in zip(strata, given, ends, strict=True)
                    if end <= step * ceil(stratum.cards / step)
                ]
                if len(parts) == 3:
                    possible.append(prod(_evidence(*part) for part in parts))
                    held.append(prod(_evidence(*part, held=True) for part in parts))
    assert len(held) > 200
    found = float(strata_p_values(strata, ONE, steps=steps)[0])
    assert found == pytest.approx(min(1, 1 / min(held)), rel=1e-6)
    assert found >= min(1, 1 / min(possible)) * (1 - 1e-9)


def test_finer_steps_show_more() -> None:
    strata = [_polled(_drawn(7, 0.85, 80), 900), _polled(_drawn(8, 0.8, 80), 700), _polled(_drawn(9, 0.75, 60), 500)]
    found = [float(strata_p_values(strata, ONE, steps=steps)[0]) for steps in (4, 16, 128)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.05


def test_one_stratum_is_a_plain_audit() -> None:
    values = _drawn(10, 0.85, 120)
    alone = _polled(values, 900)
    assert float(strata_p_values([alone], ONE)[0]) == pytest.approx(1 / _evidence(alone, HALF, HALF), rel=1e-12)


def test_many_audits_at_once_are_each_for_itself() -> None:
    tables = [np.stack([_drawn(seed + each, 0.8, 50) for each in range(7)]) for seed in (20, 40, 60)]
    cards = (70, 300, 90)
    together = strata_p_values([_polled(table, size) for table, size in zip(tables, cards, strict=True)], ONE, steps=16)
    alone = [
        float(strata_p_values([_polled(table[row], size) for table, size in zip(tables, cards, strict=True)], ONE, steps=16)[0])
        for row in range(7)
    ]
    assert together.tolist() == alone


def test_a_stratum_that_was_not_drawn_from_leaves_everything_open() -> None:
    nothing = _polled(np.empty((1, 0)), 400)
    assert strata_p_values([_polled(np.ones(100), 300), nothing], ONE).tolist() == [1.0]


def test_strata_read_to_their_end_decide() -> None:
    def look(won: int, lost: int) -> float:
        first, second = np.repeat([1.0, 0.0], [won, lost]), np.repeat([0.0, 1.0], [30, 30])
        return float(strata_p_values([_polled(first, 100), _polled(second, 60), _polled(np.full(20, 0.5), 20)], ONE)[0])

    assert look(51, 49) == 0
    assert look(50, 50) > 0.05


def test_draws_with_replacement_leave_every_mean_possible() -> None:
    strata = [_polled(np.ones(number), 100, replacement=True) for number in (90, 60, 40)]
    assert 0 < float(strata_p_values(strata, ONE)[0]) < 1e-4


@pytest.mark.parametrize(
    "values", [np.array([[1.5]]), np.array([[-0.1]]), np.array([[np.nan]]), np.ones((1, 101)), np.ones((1, 1, 1))], ids=str
)
def test_values_that_a_stratum_cannot_hold_are_refused(values: Values) -> None:
    with pytest.raises(AuditError):
        Sampled(values, 100, Fraction(0), ONE, *EXPECTED)


def test_strata_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(AuditError, match="one stratum or more"):
        strata_p_values([], ONE)
    with pytest.raises(AuditError, match="a row for each audit"):
        strata_p_values([_polled(np.ones((2, 3)), 9), _polled(np.ones((3, 3)), 9)], ONE)
    with pytest.raises(AuditError, match="hypothetical mean"):
        strata_p_values([_polled(np.ones(1), 10)], ONE, ONE)
