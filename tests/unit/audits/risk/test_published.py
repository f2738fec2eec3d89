"""Figures that others have published or test for, met by the risk functions here. Each case names its source."""

from math import ceil, log

import numpy as np
import pytest

from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.betting import Agrapa, Betting, Fixed, Kelly, kelly_rate
from scrutineer.audits.risk.bravo import Bravo
from scrutineer.audits.risk.kaplan import KaplanKolmogorov, KaplanMarkov
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import Process
from scrutineer.audits.risk.suite import GAMMA

POLLING = Null(0.5, 1)
_NO_RESERVE = 2.0**-40


def _votes(winner: int, loser: int, other: int = 0) -> Values:
    return np.repeat([1.0, 0.0, 0.5], [winner, loser, other])


def _mean_size(function: Process, share: float, most: int, repetitions: int, blank: float = 0.0) -> tuple[float, float]:
    """The mean number of draws with replacement at a risk limit of 5 %, and its standard error."""
    rng = np.random.default_rng([4127, round(share * 1000), repetitions])
    values = (rng.random((repetitions, most)) < share).astype(np.float64)
    values[rng.random((repetitions, most)) < blank] = 0.5
    times = function.stopping_times(values, POLLING, 0.05)
    assert times.max() <= most
    return float(times.mean()), float(times.std() / repetitions**0.5)


# P. B. Stark, ALPHA, arXiv 2201.02707, table "Estimated sample sizes ... using sampling with replacement": theta, eta, d, mean of
# 1,000 repetitions. Their standard error is about that of ours, so three of the difference's are allowed.
ALPHA_TABLE = [
    (0.55, 0.55, 10, 822),
    (0.55, 0.55, 100, 702),
    (0.55, 0.55, 1000, 608),
    (0.55, 0.51, 100, 788),
    (0.6, 0.51, 100, 227),
    (0.6, 0.6, 10, 187),
    (0.6, 0.6, 100, 160),
    (0.6, 0.7, 500, 271),
    (0.65, 0.65, 100, 71),
    (0.65, 0.505, 1000, 264),
    (0.7, 0.505, 10, 54),
    (0.7, 0.52, 500, 113),
    (0.7, 0.7, 100, 40),
]


@pytest.mark.parametrize(("share", "eta", "weight", "published"), ALPHA_TABLE)
def test_alpha_needs_the_published_number_of_ballots(share: float, eta: float, weight: float, published: int) -> None:
    size, error = _mean_size(Alpha(eta, weight), share, 12_000 if share < 0.6 else 4_000, 1_000)
    assert abs(size - published) <= 3 * error * 2**0.5 + 0.5


# The same, table "... sampling without replacement from a population of size 20,000", columns for 10^5 audits up to a full count:
# ALPHA, Wald's test (ALPHA with a fixed alternative) and a priori Kelly.
@pytest.mark.parametrize(
    ("function", "share", "published"),
    [
        (Alpha(0.55, 10, reserve=_NO_RESERVE), 0.6, 192),
        (Alpha(0.55, 100, reserve=_NO_RESERVE), 0.6, 184),
        (Alpha(0.51, 100, reserve=_NO_RESERVE), 0.6, 227),
        (Alpha(0.55, 1000, reserve=_NO_RESERVE), 0.64, 123),
        (Alpha(0.7, 10, reserve=_NO_RESERVE), 0.7, 43),
        (Alpha(0.7, 100, reserve=_NO_RESERVE), 0.7, 38),
        (Alpha(0.55, reserve=_NO_RESERVE), 0.6, 199),
        (Alpha(0.55, reserve=_NO_RESERVE), 0.7, 85),
        (Betting(Kelly((1.0, 0.0), (0.55, 0.45))), 0.6, 200),
        (Betting(Kelly((1.0, 0.0), (0.55, 0.45))), 0.64, 131),
        (Betting(Kelly((1.0, 0.0), (0.7, 0.3))), 0.7, 38),
    ],
)
def test_draws_without_replacement_need_the_published_number(function: Process, share: float, published: int) -> None:
    population, repetitions, most = 20_000, 1_000, 2_500
    rng = np.random.default_rng([20_000, round(share * 100)])
    left = np.full(repetitions, round(population * share))
    values = np.empty((repetitions, most))
    for number in range(most):
        values[:, number] = rng.random(repetitions) * (population - number) < left
        left -= values[:, number].astype(np.int64)
    times = function.stopping_times(values, Null(0.5, 1, population), 0.05)
    assert times.max() <= most
    assert abs(times.mean() - published) <= 3 * times.std() / repetitions**0.5 + 1


# The same table, column BRAVO.
@pytest.mark.parametrize(
    ("share", "reported", "published"),
    [(0.55, 0.55, 598), (0.6, 0.6, 149), (0.65, 0.65, 69), (0.7, 0.7, 40), (0.7, 0.6, 51), (0.6, 0.55, 199)],
)
def test_bravo_needs_the_published_number_of_ballots(share: float, reported: float, published: int) -> None:
    size, error = _mean_size(Bravo(reported), share, 8_000 if share < 0.6 else 3_000, 1_000)
    assert abs(size - published) <= 3 * error * 2**0.5 + 0.5


# The exact expectations of BRAVO's sizes, 611 at 55 % and 152.2 at 60 %: Wald's identity with the overshoot counted.
@pytest.mark.parametrize(("share", "exact", "slack"), [(0.55, 611.0, 3.5), (0.6, 152.2, 0.5)])
def test_bravo_needs_its_exact_expectation(share: float, exact: float, slack: float) -> None:
    size, error = _mean_size(Bravo(share), share, 9_000 if share < 0.6 else 2_500, 4_000)
    assert abs(size - exact) <= slack + 3 * error


# Arlo (votingworks/arlo, server/tests/audit_math/test_bravo.py, expected_Ts): votes for winner and loser drawn, reported votes.
@pytest.mark.parametrize(
    ("drawn", "reported", "p_value", "slack"),
    [
        ((72, 47), (600, 400), 0.07, 0.005),
        ((72, 48), (300, 200), 0.08, 0.01),
        ((25, 10), (200, 100), 0.04, 0.005),
        ((30, 10), (300, 100), 0.01, 0.005),
        ((1200, 1000), (10000, 9000), 0.000561, 0.000001),
        ((2471971, 2457924), (2471981, 2457924), 2.035688053599178e-09, 1e-14),
    ],
)
def test_bravo_gives_the_p_values_of_arlo(
    drawn: tuple[int, int], reported: tuple[int, int], p_value: float, slack: float
) -> None:
    function = Bravo(reported[0] / sum(reported))
    evidence = function.log2_evidence(_votes(*drawn), POLLING)[-1]
    assert abs(2.0**-evidence - p_value) <= slack


# P. B. Stark, Super-simple simultaneous single-ballot risk-limiting audits, EVT/WOTE 2010, as in Arlo's test_supersimple.py (from
# Stark's tool): ballots, margin, size without errors, its p-value, with one 1-vote and with one 2-vote overstatement; 10 %.
SUPER_SIMPLE = [
    (100000, 20000, 27, 0.06507, 0.12534, 1.0),
    (60000, 6000, 54, 0.06973, 0.13441, 1.0),
    (36000, 5400, 36, 0.06740, 0.12992, 1.0),
    (15000, 2000, 40, 0.07048, 0.13585, 1.0),
    (10000, 10000, 6, 0.01950, 0.03758, 0.51877),
]


@pytest.mark.parametrize(("ballots", "margin", "size", "clean", "one_over", "two_over"), SUPER_SIMPLE)
def test_kaplan_markov_gives_the_p_values_of_super_simple(
    ballots: int, margin: int, size: int, clean: float, one_over: float, two_over: float
) -> None:
    diluted = margin / ballots
    function, best = KaplanMarkov.of_gamma(GAMMA, diluted), 1 / (2 - diluted)
    values = np.full(size, best)
    null = Null(0.5, 2 * best)

    def p_value(first: float) -> float:
        return float(min(2.0 ** -function.log2_evidence(np.concatenate([[first], values[1:]]), null)[-1], 1.0))

    assert abs(p_value(best) - clean) <= 0.000006
    assert abs(p_value(best / 2) - one_over) <= 0.0001
    assert abs(p_value(0.0) - two_over) <= 0.000006


# M. Lindeman and P. B. Stark, A gentle introduction to risk-limiting audits, IEEE Security & Privacy 2012: 4.8 ballots over the
# diluted margin where there are no errors, at a risk limit of 10 % (gamma 1.03905).
@pytest.mark.parametrize("diluted", [0.005, 0.01, 0.02, 0.05, 0.1])
def test_kaplan_markov_needs_4_8_ballots_over_the_margin(diluted: float) -> None:
    best, most = 1 / (2 - diluted), ceil(4.8 / diluted)
    function = KaplanMarkov.of_gamma(GAMMA, diluted)
    size = int(function.stopping_times(np.full((1, most), best), Null(0.5, 2 * best), 0.1)[0])
    assert size == ceil(log(10) / -log(1 - diluted / (2 * GAMMA)))
    assert 4.7 / diluted - 2 <= size <= most


# Colorado's rule 25 (gamma 1.03905): risk limit 5 %, diluted margin 5 % (and 2 %, 10 %): ceil(-2 gamma log(0.05) / margin) is
# what its software draws at first; the test itself needs a little less.
@pytest.mark.parametrize(("diluted", "drawn"), [(0.02, 312), (0.05, 125), (0.1, 63)])
def test_kaplan_markov_finishes_within_what_colorado_draws_at_first(diluted: float, drawn: int) -> None:
    assert drawn == ceil(-2 * GAMMA * log(0.05) / diluted)
    best = 1 / (2 - diluted)
    times = KaplanMarkov.of_gamma(GAMMA, diluted).stopping_times(np.full((1, drawn), best), Null(0.5, 2 * best), 0.05)
    assert drawn - 3 <= times[0] <= drawn


# J. V. Spertus, COBRA, arXiv 2304.01010, section 3: without errors the best bet is 2, and with a share p of 2-vote overstatements
# alone (2 - 4 a (1 - p)) / (1 - 2 a) for the value a of a clean card.
@pytest.mark.parametrize("diluted", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("errors", [0.0, 0.0001, 0.001, 0.01])
def test_kelly_finds_cobras_optimal_bet(diluted: float, errors: float) -> None:
    best = 1 / (2 - diluted)
    closed = min(max((2 - 4 * best * (1 - errors)) / (1 - 2 * best), 0.0), 2.0)
    found = kelly_rate((best, 0.0), (1 - errors, errors), 0.5, _NO_RESERVE)
    assert found == pytest.approx(closed, abs=2e-9)


# The same, section 3.1: sizes without errors at the best bet, log 20 / log(1 + 2 (a - 1/2)) rounded up.
@pytest.mark.parametrize(("diluted", "size"), [(0.05, 119), (0.1, 59), (0.2, 29)])
def test_betting_needs_the_least_possible_number_of_cards_without_errors(diluted: float, size: int) -> None:
    best = 1 / (2 - diluted)
    function = Betting(Kelly((best, 0.0), (1.0, 0.0)), _NO_RESERVE)
    clean = ceil(log(20) / log(1 + 2 * (best - 0.5)))
    assert function.stopping_times(np.full((1, 400), best), Null(0.5, 2 * best), 0.05)[0] == clean
    assert abs(clean - size) <= 1


# Lab figures of pbstark/SHANGRLA, tests/core/test_NonnegMean.py: names of the tests there.
class TestShangrla:
    def test_kaplan_markov(self) -> None:
        function = KaplanMarkov(_NO_RESERVE)
        assert function.p_values(np.ones(5), POLLING)[-1] == pytest.approx(2.0**-5)
        last = KaplanMarkov(0.1).log2_evidence(np.array([1.0, 1, 1, 1, 1, 0]), POLLING)[-1]
        assert KaplanMarkov(0.1).p_values(np.array([1.0, 1, 1, 1, 1, 0]), POLLING)[-1] == pytest.approx(
            (1.1 / 0.6) ** -5, rel=1e-9
        )
        assert 2.0**-last == pytest.approx((1.1 / 0.6) ** -5 * 0.6 / 0.1, rel=1e-9)

    def test_kaplan_wald(self) -> None:
        function = Betting(Fixed(0.9 / 0.5))
        values = np.array([1.0, 1, 1, 1, 1, 0])
        assert function.p_values(values, POLLING)[-1] == pytest.approx(1.9**-5, rel=1e-9)
        assert 2.0 ** -function.log2_evidence(values, POLLING)[-1] == pytest.approx(1.9**-5 * 10, rel=1e-9)

    @pytest.mark.parametrize(("value", "size"), [(1.0, 8), (0.75, 14)])
    def test_sample_size(self, value: float, size: int) -> None:
        times = Alpha(0.75).stopping_times(np.full((1, 20), value), Null(0.5, 1), 0.05)
        assert times[0] == size

    def test_alpha_mart_at_the_end_of_a_population(self) -> None:
        null = Null(3 / 7, 1, 7)
        one = Alpha(1.0, reserve=_NO_RESERVE).p_values(np.array([1.0, 0, 1, 1, 0, 0, 1]), null)
        other = Alpha(1.0, reserve=_NO_RESERVE).p_values(np.array([1.0, 0, 1, 1, 0, 0, 0]), null)
        assert one[-1] == 0
        assert other[-1] > 0.05
        assert list(one[:-1]) == list(other[:-1])

    @pytest.mark.parametrize("value", [0.75, 0.9])
    @pytest.mark.parametrize("rate", [0.25, 0.5])
    def test_betting_mart(self, value: float, rate: float) -> None:
        found = Betting(Fixed(rate)).p_values(np.full(20, value), POLLING)[-1]
        assert found == pytest.approx(1 / (1 + rate * (value - 0.5)) ** 20, rel=1e-9)

    def test_kelly_optimal(self) -> None:
        assert 0 < kelly_rate((1.0, 0.1), (0.5, 0.5), 0.5, _NO_RESERVE) < 2
        assert kelly_rate((1.0,), (1.0,), 0.5, _NO_RESERVE) == pytest.approx(2)
        assert kelly_rate((0.3,), (1.0,), 0.5, _NO_RESERVE) == 0

    @pytest.mark.parametrize("value", [0.6, 0.7])
    @pytest.mark.parametrize("start", [0.2, 0.5])
    def test_agrapa(self, value: float, start: float) -> None:
        """Constant values: every bet after the first is cut, here to half of what 1/2 allows."""
        evidence = Betting(Agrapa(start), 0.5).log2_evidence(np.full(10, value), POLLING)
        cut = min(0.5 / 0.5, 1 / (value - 0.5))
        assert 2.0 ** evidence[0] == pytest.approx(1 + start * (value - 0.5))
        assert 2.0 ** evidence[-1] == pytest.approx((1 + start * (value - 0.5)) * (1 + cut * (value - 0.5)) ** 9)


# The formula of the paper, written out: shrink and truncate (ALPHA, section 2.5.2), with and without replacement.
@pytest.mark.parametrize("eta", [0.51, 0.55, 0.6])
@pytest.mark.parametrize("population", [None, 40])
def test_alpha_is_the_formula_of_the_paper(eta: float, population: int | None) -> None:
    rng = np.random.default_rng([17, round(eta * 100)])
    values = rng.choice([0.0, 0.5, 1.0], 20, p=[0.3, 0.3, 0.4])
    weight, spread, product, total = 10.0, (eta - 0.5) / 2, 1.0, 0.0
    logs = Alpha(eta, weight, spread, _NO_RESERVE).log2_evidence(values, Null(0.5, 1, population))
    for number, value in enumerate(values.tolist(), start=1):
        mean = 0.5 if population is None else (population * 0.5 - total) / (population - number + 1)
        margin = spread / (weight + number - 1) ** 0.5
        estimate = min(max((weight * eta + total) / (weight + number - 1), mean + margin), 1 - margin)
        product *= value / mean * (estimate - 0) + (1 - value) * (1 - estimate) / (1 - mean)
        total += value
        assert logs[number - 1] == pytest.approx(log(product) / log(2), abs=1e-9)


def test_kaplan_kolmogorov_is_the_formula_of_the_paper() -> None:
    rng = np.random.default_rng(23)
    values, padding, population = rng.random(30), 0.1, 50
    logs = KaplanKolmogorov(padding).log2_evidence(values, Null(0.5, 1, population))
    product = 1.0
    for number in range(30):
        mean = (population * 0.5 - values[:number].sum()) / (population - number)
        product *= (values[number] + padding) / (mean + padding)
        assert logs[number] == pytest.approx(log(product) / log(2), abs=1e-9)
