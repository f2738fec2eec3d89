"""Risk functions for any values: the same bits however they are computed, nothing that overflows, dies or looks ahead."""

from fractions import Fraction
from math import frexp, inf, ldexp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk_nulls import FUNCTIONS
from scrutineer.audits.risk.betting import Adaptive, Betting, Diversified, Fixed, Kelly, kelly_rate
from scrutineer.audits.risk.bravo import Bravo
from scrutineer.audits.risk.evidence import average, mixed_product, running_product
from scrutineer.audits.risk.kaplan import KaplanKolmogorov
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import Draws, Process
from scrutineer.errors import AuditError

SOME = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.5263, 0.7, 1.0]) | st.floats(0, 1), min_size=1, max_size=60)
NAMES = st.sampled_from(sorted(FUNCTIONS))


def _null(function: Process, population: int | None) -> Null:
    needs = isinstance(function, KaplanKolmogorov) and population is None
    return Null(0.5, 1.0, 80 if needs else population)


def _plain(factors: list[float]) -> list[tuple[float, int]]:
    """The running product as a loop over Python's own floats."""
    fraction, exponent, found = 0.5, 1, []
    for factor in factors:
        fraction, power = frexp(fraction * factor) if 1e-150 < factor < 1e150 else _apart(fraction, factor)
        exponent += power
        found.append((fraction, exponent))
    return found


def _apart(fraction: float, factor: float) -> tuple[float, int]:
    mantissa, power = frexp(factor)
    product, more = frexp(fraction * mantissa)
    return product, more + power


@given(st.lists(st.floats(1e-3, 1e3) | st.floats(1e-300, 1e300), min_size=1, max_size=400))
def test_running_products_have_the_bits_of_the_plain_loop(factors: list[float]) -> None:
    found = running_product(np.array([factors, factors[::-1]]))
    for row, order in enumerate((factors, factors[::-1])):
        expected = _plain(order)
        assert [(float(a), int(b)) for a, b in zip(found.fraction[row], found.exponent[row], strict=True)] == expected


@given(st.lists(st.floats(0.01, 3), min_size=3, max_size=50), st.lists(st.floats(0.1, 5), min_size=2, max_size=4))
def test_averages_are_the_weighted_sums(factors: list[float], weights: list[float]) -> None:
    parts = [running_product(np.array([np.roll(factors, place)])) for place in range(len(weights))]
    found = average(zip(weights, parts, strict=True))
    for draw in range(len(factors)):
        exact = sum(
            Fraction(weight) * Fraction(float(part.fraction[0, draw])) * Fraction(2) ** int(part.exponent[0, draw])
            for weight, part in zip(weights, parts, strict=True)
        )
        value = Fraction(float(found.fraction[0, draw])) * Fraction(2) ** int(found.exponent[0, draw])
        assert abs(value - exact) <= exact * Fraction(1, 2**48)


@given(NAMES, SOME, st.sampled_from([None, 60, 80, 10_000]))
def test_p_values_never_rise_and_are_one_over_the_greatest_evidence(
    name: str, values: list[float], population: int | None
) -> None:
    function = FUNCTIONS[name]
    null = _null(function, population)
    p_values, logs = function.p_values(np.array(values), null), function.log2_evidence(np.array(values), null)
    assert (np.diff(p_values) <= 0).all()
    assert ((p_values >= 0) & (p_values <= 1)).all()
    greatest = np.maximum.accumulate(np.maximum(logs, 0))
    np.testing.assert_allclose(p_values, 2.0**-greatest, rtol=1e-9)


@given(NAMES, SOME, st.sampled_from([None, 60, 80]), st.data())
def test_what_is_known_of_a_draw_does_not_depend_on_later_ones(
    name: str, values: list[float], population: int | None, data: st.DataObject
) -> None:
    function = FUNCTIONS[name]
    null = _null(function, population)
    shown = data.draw(st.integers(1, len(values)))
    whole, part = (function.p_values(np.array(some), null) for some in (values, values[:shown]))
    assert whole[:shown].tolist() == part.tolist()


@given(NAMES, SOME, SOME, st.sampled_from([None, 60, 10_000]), st.sampled_from([0.01, 0.05, 0.5]))
def test_many_audits_at_once_are_each_for_itself(
    name: str, one: list[float], other: list[float], population: int | None, limit: float
) -> None:
    function = FUNCTIONS[name]
    null = _null(function, population)
    size = min(len(one), len(other))
    table = np.array([one[:size], other[:size], one[:size][::-1]])
    together = function.p_values(table, null)
    for row, alone in zip(table, together, strict=True):
        assert function.p_values(row, null).tolist() == alone.tolist()
    first = [int((row <= limit).argmax()) + 1 if (row <= limit).any() else size + 1 for row in together]
    assert function.stopping_times(table, null, limit).tolist() == first


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_stopping_times_of_long_audits_are_those_of_their_p_values(name: str) -> None:
    function = FUNCTIONS[name]
    rng = np.random.default_rng(99)
    table = rng.choice([0.0, 0.5, 1.0], size=(12, 1500), p=[0.42, 0.1, 0.48])
    null = _null(function, 3000)
    p_values = function.p_values(table, null)
    expected = [int((row <= 0.05).argmax()) + 1 if (row <= 0.05).any() else 1501 for row in p_values]
    assert function.stopping_times(table, null, 0.05).tolist() == expected


@given(NAMES, st.integers(1, 60), st.integers(0, 59))
@settings(deadline=None)
def test_one_bad_draw_never_ends_an_audit(name: str, before: int, gap: int) -> None:
    """After the worst value, enough good ones confirm."""
    function = FUNCTIONS[name]
    values = np.array([1.0] * (before % 4) + [0.0] + [0.5] * gap + [1.0] * 4000)
    null = Null(0.5, 1.0, 100_000)
    assert function.p_values(values, null)[-1] <= 0.05


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=40), st.integers(0, 3))
def test_the_end_of_a_population_decides_exactly(values: list[float], rest: int) -> None:
    """Evidence is infinite from the first draw at which the winner has more than half of all that there is, and not before."""
    population = len(values) + rest
    logs = Betting(Fixed(1.0)).log2_evidence(np.array(values), Null(0.5, 1.0, population))
    totals = np.cumsum(values)
    assert ((logs == inf) == (totals > population / 2)).all()


@given(st.lists(st.floats(0, 2), min_size=1, max_size=40), st.integers(1, 10**9))
def test_conditional_means_err_upward_alone(values: list[float], more: int) -> None:
    population = len(values) + more
    draws = Draws(np.array([values]), Null(0.5, 2.0, population))
    total = Fraction(population, 2)
    for place, value in enumerate(values):
        exact = max(total / (population - place), Fraction(0))
        found = Fraction(float(draws.means[0, place]))
        assert found * (1 + Fraction(1, 2**52)) >= exact
        assert found <= exact + Fraction(3 * len(values), 2**28 * more) + exact / 2**50
        total -= Fraction(value)


@given(
    st.lists(st.floats(0, 2), min_size=1, max_size=30).flatmap(
        lambda values: st.tuples(st.just(values), st.lists(st.integers(1, 50), min_size=len(values), max_size=len(values)))
    ),
    st.sampled_from([0.3, 0.5, 0.9]),
)
def test_kellys_bet_is_the_best_of_the_allowed_ones(case: tuple[list[float], list[int]], mean: float) -> None:
    values, counts = case
    shares = [count / sum(counts) for count in counts]
    rate = kelly_rate(values, shares, mean)

    def growth(bet: float) -> float:
        return float(np.dot(shares, np.log1p(bet * (np.array(values) - mean))))

    most = (1 - 1 / 128) / mean
    assert 0 <= rate <= most
    assert growth(rate) >= max(growth(bet) for bet in np.linspace(0, most, 50)) - 1e-9


def test_few_and_many_values_give_the_same_bits() -> None:
    rng = np.random.default_rng(8)
    values, shares = rng.random(16), np.full(16, 1 / 16)
    padded = np.concatenate([values, np.zeros(8)]), np.concatenate([shares, np.zeros(8)])
    assert kelly_rate(values.tolist(), shares.tolist(), 0.45) == kelly_rate(padded[0].tolist(), padded[1].tolist(), 0.45)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize("value", [-0.001, 1.001, np.nan, np.inf])
def test_values_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(AuditError, match="a value lies outside"):
        FUNCTIONS[name].p_values(np.array([0.5, value]), Null(0.5, 1.0, 10))


def test_shapes_that_are_no_draws_are_refused() -> None:
    function = Betting(Kelly((1.0, 0.0), (0.6, 0.4)))
    for wrong in (np.zeros((2, 2, 2)),):
        with pytest.raises(AuditError, match="one row"):
            function.p_values(wrong, Null(0.5, 1.0))
    with pytest.raises(AuditError, match="draws without replacement from a population"):
        function.p_values(np.zeros(11), Null(0.5, 1.0, 10))
    assert function.p_values(np.zeros(0), Null(0.5, 1.0)).shape == (0,)
    assert function.stopping_times(np.zeros((3, 0)), Null(0.5, 1.0), 0.05).tolist() == [1, 1, 1]


def test_functions_refuse_hypotheses_that_are_not_theirs() -> None:
    with pytest.raises(AuditError, match="without replacement"):
        KaplanKolmogorov(0.1).p_values(np.ones(3), Null(0.5, 1.0))
    with pytest.raises(AuditError, match="BRAVO is for"):
        Bravo(0.6).p_values(np.ones(3), Null(0.5, 1.2))


def test_adaptive_bets_learn() -> None:
    """With errors ten times as frequent as expected the learned bet falls below the one that was assumed."""
    expected, weights = ((0.5263, 0.26315, 0.0), (0.998, 0.001, 0.001)), (50.0, 50.0)
    rng = np.random.default_rng(4)
    values: Values = rng.choice([0.5263, 0.26315, 0.0], size=(60, 3000), p=[0.985, 0.005, 0.01])
    null = Null(0.5, 1.0526)
    learned = np.median(Betting(Adaptive(*expected, weights)).log2_evidence(values, null)[:, -1])
    kept = np.median(Betting(Kelly(*expected)).log2_evidence(values, null)[:, -1])
    spread = np.median(Betting(Diversified((0.2, 0.8, 1.4, 1.9), (1.0,) * 4)).log2_evidence(values, null)[:, -1])
    assert learned > kept
    assert spread > kept


def test_evidence_beyond_any_float_is_kept() -> None:
    logs = Betting(Fixed(1.9)).log2_evidence(np.ones(5000), Null(0.5, 1.0))
    assert logs[-1] == pytest.approx(5000 * np.log2(1.95))
    lost = Betting(Fixed(1.9)).log2_evidence(np.concatenate([np.zeros(2000), np.ones(12_000)]), Null(0.5, 1.0))
    assert lost[1999] == pytest.approx(2000 * np.log2(0.05))
    assert lost[-1] > 10
    assert ldexp(1.0, -1074) > 0


@given(
    st.lists(st.lists(st.floats(0.0078125, 40) | st.floats(1e-12, 1e12), min_size=70, max_size=70), min_size=1, max_size=5),
    st.lists(st.floats(0.001, 1), min_size=5, max_size=5),
)
@settings(max_examples=60)
def test_mixed_products_have_the_bits_of_averages(parts: list[list[float]], weights: list[float]) -> None:
    factors = np.array(parts)[:, None, :] ** np.arange(1, 4)[None, :, None] ** 0.5
    factors = np.tile(factors, 6)
    mixed = mixed_product(factors, weights[: len(parts)])
    plain = average(zip(weights, map(running_product, factors), strict=False))
    assert mixed.fraction.tolist() == plain.fraction.tolist()
    assert mixed.exponent.tolist() == plain.exponent.tolist()


def test_parts_of_very_different_size_are_mixed_bit_for_bit() -> None:
    factors = np.stack([np.full((2, 4000), 1.7), np.full((2, 4000), 0.3), np.ones((2, 4000))])
    factors[0, :, 2000:], factors[1, :, 2000:] = 0.3, 4.0
    mixed = mixed_product(factors, (0.2, 0.3, 0.5))
    plain = average(zip((0.2, 0.3, 0.5), map(running_product, factors), strict=True))
    assert mixed.fraction.tolist() == plain.fraction.tolist()
    assert mixed.exponent.tolist() == plain.exponent.tolist()


def test_great_tables_are_worked_on_in_parts_with_the_same_bits() -> None:
    function = Betting(Diversified((0.2, 0.8, 1.4, 1.9), (1.0,) * 4))
    values = np.random.default_rng(6).choice([0.0, 0.5, 1.0], size=(300, 400))
    for population in (None, 900):
        null = Null(0.5, 1.0, population)
        together = function.p_values(values, null)
        for row in (0, 81, 82, 299):
            assert together[row].tolist() == function.p_values(values[row], null).tolist()
