"""Evidence of two strata as the description of formats has it, in plain loops: the same bits."""

from fractions import Fraction
from math import ceil, inf

import numpy as np
import pytest

from scrutineer.audits.risk.union_intersection import PARAMETERS, StratumValues, UnionIntersection
from scrutineer.errors import AuditError

RESERVE = 1 / 128
GIVEN = ("1,0.5,0", "0.99,0.009,0.001", "0,0.5,1", "0.25,0.125,0.625")
FUNCTION = UnionIntersection.of(dict(zip(PARAMETERS, GIVEN, strict=True)))


def kelly(values: list[float], shares: list[float], mean: float) -> float:
    def slope(rate: float) -> float:
        total = 0.0
        for value, share in zip(values, shares, strict=True):
            total += share * (value - mean) / (1.0 + rate * (value - mean))
        return total

    low, high = 0.0, (1.0 - RESERVE) / mean
    if slope(high) >= 0:
        return high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return low


def hypothesis(stratum: StratumValues, votes: Fraction) -> float:
    exact = votes / stratum.cards + stratum.shift
    return float(min(max(exact, stratum.upper / 2**40), stratum.upper * (1 - Fraction(1, 2**40))))


def sums(stratum: StratumValues, mean: float) -> tuple[int, int, list[int]]:
    digits = min(61 - ceil(stratum.cards * Fraction(float(stratum.upper))).bit_length(), 40)
    running = [0]
    for value in stratum.values.tolist():
        running.append(running[-1] + max(int(value * 2**digits) - 1, 0))
    return digits, ceil(stratum.cards * Fraction(mean) * 2**digits), running


def products(stratum: StratumValues, expected: tuple[list[float], list[float]], step: Fraction, mark: int) -> tuple[float, float]:
    """D of a mark and U of the next."""
    worst, least = hypothesis(stratum, step * (mark + 1)), hypothesis(stratum, step * mark)
    digits, most, running = sums(stratum, worst)
    rate = kelly(*expected, worst)
    hopeless = step * (mark + 1) / stratum.cards + stratum.shift >= stratum.upper
    room = max(sums(stratum, least)[1], running[-1])
    if running[-1] > most:
        return inf, inf
    lower, upper = 1.0, 1.0
    for number, value in enumerate(stratum.values.tolist()):
        left = stratum.cards - number
        mean = max(most - running[number], 1) / 2**digits / left
        bet = 0.0 if hopeless or mean >= float(stratum.upper) else min(rate, (1.0 - RESERVE) / mean)
        upper *= bet * (value - mean) + 1.0
        lower *= bet * (value - max(room - running[number], 1) / 2**digits / left) + 1.0
    return lower, upper


def plain(records: StratumValues, totals: StratumValues, upper: Fraction) -> float:
    cards = records.cards + totals.cards
    step = Fraction(cards, 256)
    tables = []
    for stratum, own in ((records, GIVEN[:2]), (totals, GIVEN[2:])):
        expected = tuple([float(each) for each in text.split(",")] for text in own)
        marks = min(128, ceil(upper * stratum.cards / step))
        pairs = [products(stratum, expected, step, mark) for mark in range(marks)]  # type: ignore[arg-type]
        tables.append(([one for one, _ in pairs] + [inf], [inf] + [other for _, other in pairs]))
    (first_d, first_u), (second_d, second_u) = tables
    evidence = min(
        min(first_d[at] * second_u[128 - at], first_u[at] * second_d[128 - at])
        for at in range(len(first_d))
        if 128 - at < len(second_d)
    )
    found = 0
    for stratum in (records, totals):
        whole = sum(max(int(value * 2**40) - 1, 0) for value in stratum.values.tolist())
        found += max(0, whole - ceil(stratum.shift * stratum.cards * 2**40))
    return 0.0 if found > cards * 2**39 else min(1.0, 1 / evidence)


@pytest.mark.parametrize("seed", range(12))
def test_plain_loops_give_the_same_bits(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    one, two = int(rng.integers(8, 60)), int(rng.integers(8, 60))
    whole = seed % 4 == 3
    drawn = (one, two) if whole else (int(rng.integers(0, one)), int(rng.integers(0, two)))
    lead = int(rng.integers(0, one // 2))
    records = StratumValues(
        rng.choice([1.0, 0.5, 0.0, 1.5], drawn[0], p=[0.9, 0.04, 0.03, 0.03]),
        one,
        Fraction(1, 2) - Fraction(lead, 2 * one),
        Fraction(2),
    )
    totals = StratumValues(rng.choice([0.0, 0.5, 1.0], drawn[1], p=[0.2, 0.1, 0.7]), two, Fraction(0), Fraction(1))
    found = FUNCTION.p_value(records, totals, Fraction(1))
    assert found == plain(records, totals, Fraction(1))
    assert 0 <= found <= 1


def test_loops_reach_all_kinds_of_answers() -> None:
    """Most of the cases above would prove little if they were all 0 or 1."""
    records = StratumValues(np.ones(20), 40, Fraction(1, 4), Fraction(2))
    totals = StratumValues(np.array([1.0, 0.0, 1.0, 1.0, 0.5]), 30, Fraction(0), Fraction(1))
    assert 0 < FUNCTION.p_value(records, totals, Fraction(1)) < 0.9
    none = StratumValues(np.empty(0), 40, Fraction(1, 4), Fraction(2))
    assert FUNCTION.p_value(none, totals, Fraction(1)) == 1.0


def test_parameters_that_are_no_expectation() -> None:
    given = dict(zip(PARAMETERS, GIVEN, strict=True))
    for wrong in ({"record_values": "1,0.5"}, {"total_probabilities": "0.25,0.125,0.5"}, {"total_values": "-1,0.5,1"}):
        with pytest.raises(AuditError):
            UnionIntersection.of(given | wrong)
    with pytest.raises(AuditError, match="all of them and no others"):
        UnionIntersection.of(given | {"reserve": "0.5"})
