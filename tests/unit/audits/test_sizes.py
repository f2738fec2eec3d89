import math
from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits import sizes as sizes_module
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.forecasts import Rates, comparison_forecast, forecast, polling_forecast
from scrutineer.audits.risk.betting import Betting, Diversified, Fixed
from scrutineer.audits.risk.model import Null
from scrutineer.audits.sizes import Sizes, error_free_size, largest, next_round, sample_size
from scrutineer.errors import AuditError

PAIR = Assertion("warden", "heron>wren", (1, -1))
NO_RESERVE = 2.0**-40
SAN_FRANCISCO = {
    0.045792366120740224: 130,
    0.019902906001554532: 369,
    0.028923647570604505: 206,
    0.0830003681935334: 71,
    0.058079120699294995: 102,
    0.08064120222007065: 73,
    0.10951712099930444: 54,
    0.14875018750596603: 39,
    0.13548158350492967: 43,
    0.1365247985163165: 43,
    0.16666893946625572: 35,
    0.15626406294745743: 37,
    0.2956457705472446: 19,
}
"""Assorter margins of SHANGRLA's example (District Attorney, San Francisco 2019: 146,662 records) and its sizes."""


@pytest.mark.parametrize(("margin", "size"), [("0.05", 119), ("0.10", 59), ("0.20", 29)])
def test_sizes_without_errors(margin, size):
    """COBRA (arXiv 2304.01010), table 1: 119, 59 and 29 cards at diluted margins of 5, 10 and 20 %, risk limit 5 %."""
    assert error_free_size(Fraction(margin), Fraction(1), Fraction(1, 20)) == size


def test_simulated_sizes_without_errors_are_those_of_the_closed_form():
    expected = comparison_forecast(ReportedTotal(PAIR, 20_000, 2000), replacement=True)
    sizes = sample_size(expected, Betting(Fixed(2), NO_RESERVE), 0.05, repetitions=5)
    assert sizes == Sizes(59, 59, False)


@pytest.mark.parametrize(("margin", "size"), SAN_FRANCISCO.items())
def test_sizes_are_those_of_shangrla(margin, size):
    """Its settings: ALPHA with optimal_comparison (2-vote rate 1e-5), 1-vote rate 0.001, 80th percentile, limit 5 %."""
    reported = ReportedTotal(PAIR, 146_662, round(margin * 146_662))
    upper = float(reported.upper)
    eta = (1 - upper * (1 - 1e-5)) / (2 - 2 * upper) + upper * (1 - 1e-5) - 1 / 2
    risk = Betting(Fixed((eta / 0.5 - 1) / (upper - 0.5)), NO_RESERVE)
    sizes = sample_size(comparison_forecast(reported, Rates(one_over=0.001)), risk, 0.05, quantiles=(0.5, 0.8), repetitions=1000)
    assert sizes.p90 == size


@pytest.mark.parametrize("population", [None, 400])
def test_quantiles_are_those_of_draws_one_by_one(population):
    """Half and nine tenths of 3,000 audits simulated plainly stop by the sizes, within 3 standard errors."""
    null = Null(0.5, 1.0, population)
    expected = forecast({0.0: 40, 0.5: 10, 1.0: 50}, null, 400)
    risk = Betting(Diversified((0.2, 0.6), (1, 1)))
    sizes = sample_size(expected, risk, 0.1, repetitions=2000, seed=4)
    draws = np.random.Generator(np.random.PCG64(12))
    cards = np.repeat([0.0, 0.5, 1.0], [160, 40, 200])
    rows = draws.choice(cards, (3000, 400)) if population is None else draws.permuted(np.tile(cards, (3000, 1)), axis=1)
    stops = risk.stopping_times(rows, null, 0.1)
    assert np.mean(stops <= sizes.p50) == pytest.approx(0.5, abs=0.045)
    if not sizes.full_count:
        assert np.mean(stops <= sizes.p90) == pytest.approx(0.9, abs=0.03)


def test_the_same_arguments_give_the_same_sizes():
    expected = polling_forecast(PAIR, {1: 600, -1: 400}, 1000)
    risk = Betting(Fixed(0.4))
    one, other = (sample_size(expected, risk, 0.05, repetitions=50, seed=3) for _ in range(2))
    assert one == other
    assert sample_size(expected, risk, 0.05, repetitions=50, seed=4) != one


@pytest.mark.parametrize(("votes", "size"), [(600, 119), (700, 30)])
def test_typical_polling_sizes_are_those_of_bravo(votes, size):
    """With half of the last draw's gain, which the limit is passed by, it is BRAVO's average sample number.

    The formula is that of P. B. Stark, Tools for Ballot-Polling Risk-Limiting Election Audits (for BRAVO), initial size; 119
    cards at 60 % and a limit of 10 % is also what Arlo's own tests expect.
    """
    expected = polling_forecast(PAIR, {1: votes, -1: 1000 - votes}, 1000, replacement=True)
    share, limit = votes / 1000, 0.1
    formula = (-math.log(limit) + math.log(2 * share) / 2) / (share * math.log(2 * share) + (1 - share) * math.log(2 - 2 * share))
    assert round(formula) == size
    passed = 1 + math.log(2 * share) / 2 / -math.log(limit)
    assert expected.typical_size(limit) * passed == pytest.approx(formula, rel=1e-6)


def test_what_cannot_be_proved_is_a_full_count():
    tie = polling_forecast(PAIR, {1: 500, -1: 500}, 1000)
    assert sample_size(tie, Betting(Fixed(0.4)), 0.05) == Sizes(1000, 1000, True)
    close = polling_forecast(PAIR, {1: 501, -1: 499}, 1000)
    assert sample_size(close, Betting(Fixed(0.01)), 0.05).full_count


@pytest.mark.parametrize("replacement", [True, False])
def test_long_samples_are_estimated_without_simulation(monkeypatch, replacement):
    """Samples of about 6,000 draws of 40,000 are simulated and foretold: both sizes agree within 15 %."""
    expected = polling_forecast(PAIR, {1: 20_630, -1: 19_370}, 40_000, replacement=replacement)
    risk = Betting(Fixed(expected.kelly_bet()))
    simulated = sample_size(expected, risk, 0.05, repetitions=1000)
    monkeypatch.setattr(sizes_module, "LARGE", 1000)
    foretold = sample_size(expected, risk, 0.05, repetitions=1000)
    assert [foretold.p50, foretold.p90] == pytest.approx([simulated.p50, simulated.p90], rel=0.15)


def test_a_long_next_round_keeps_the_evidence(monkeypatch):
    expected = polling_forecast(PAIR, {1: 20_630, -1: 19_370}, 40_000)
    risk = Betting(Fixed(expected.kelly_bet()))
    monkeypatch.setattr(sizes_module, "LARGE", 1000)
    good, bad = (np.tile([*[1.0] * ups, *[0.0] * (20 - ups)], 25) for ups in (11, 9))
    after_good, after_bad = (next_round(expected, seen, risk, 0.05, weight=10**6) for seen in (good, bad))
    assert 500 < after_good.p90 < sample_size(expected, risk, 0.05).p90 < after_bad.p90


def test_a_next_round_keeps_the_evidence():
    expected = comparison_forecast(ReportedTotal(PAIR, 20_000, 2000))
    risk = Betting(Fixed(1.9))
    clean = float(ReportedTotal(PAIR, 20_000, 2000).clean)
    first = sample_size(expected, risk, 0.05)
    assert next_round(expected, np.full(40, clean), risk, 0.05).p90 == first.p90
    assert next_round(expected, np.full(first.p90, clean), risk, 0.05) == first


def test_one_bad_card_is_no_full_count():
    """After one card of two votes in 40 the next round is longer, and finite; evidence is never lost for good."""
    reported = ReportedTotal(PAIR, 20_000, 2000)
    seen = np.full(40, float(reported.clean))
    seen[7] = 0.0
    risk = Betting(Diversified((1.9, 1.6, 1.2, 0.7), (3, 2, 1, 1)))
    sizes = next_round(comparison_forecast(reported), seen, risk, 0.05)
    assert 80 < sizes.p50 <= sizes.p90 < 600
    assert not sizes.full_count


def test_what_was_seen_tells_more_the_more_of_it_there_is():
    reported = ReportedTotal(PAIR, 20_000, 2000)
    risk = Betting(Diversified((1.9, 1.6, 1.2, 0.7), (3, 2, 1, 1)))
    seen = np.full(50, float(reported.clean))
    seen[::10] = 0.0
    trusting = next_round(comparison_forecast(reported), seen, risk, 0.05, weight=10_000)
    learning = next_round(comparison_forecast(reported), seen, risk, 0.05, weight=10)
    assert learning.p90 > trusting.p90


def test_a_stopped_audit_stays_stopped():
    reported = ReportedTotal(PAIR, 20_000, 2000)
    seen = np.concatenate([np.full(100, float(reported.clean)), np.zeros(50)])
    sizes = next_round(comparison_forecast(reported), seen, Betting(Fixed(1.9)), 0.05)
    assert sizes == Sizes(62, 62, False)


def test_several_assertions_take_the_largest():
    assert largest([Sizes(10, 50, False), Sizes(20, 30, False), Sizes(5, 5, True)]) == Sizes(20, 50, True)
    with pytest.raises(AuditError, match="no assertion"):
        largest([])


def test_arguments_out_of_range_are_refused():
    expected = polling_forecast(PAIR, {1: 600, -1: 400}, 1000)
    risk = Betting(Fixed(0.4))
    for limit, quantiles, repetitions in (
        (0, (0.5, 0.9), 1),
        (0.05, (0.9, 0.5), 1),
        (0.05, (0.5, 1.0), 1),
        (0.05, (0.5, 0.9), 0),
    ):
        with pytest.raises(AuditError, match="risk limit"):
            sample_size(expected, risk, limit, quantiles=quantiles, repetitions=repetitions)
    with pytest.raises(AuditError, match="next round"):
        next_round(expected, np.zeros(1001), risk, 0.05)
    with pytest.raises(AuditError, match="positive"):
        error_free_size(Fraction(0), Fraction(1), Fraction(1, 20))
