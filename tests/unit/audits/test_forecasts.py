from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import ScoreTally
from scrutineer.audits.designs.two_stage import box_values
from scrutineer.audits.forecasts import (
    MOST_VALUES,
    Forecast,
    Rates,
    batch_forecast,
    comparison_forecast,
    forecast,
    oneaudit_forecast,
    polling_forecast,
    two_stage_forecast,
)
from scrutineer.audits.risk.model import Null
from scrutineer.errors import AuditError

HERON_WREN = Assertion("warden", "heron>wren", (1, -1))
REPORTED = ReportedTotal(HERON_WREN, 1000, 100)


def boxes(*rows):
    """Boxes of votes for the wren and for the heron."""
    return ScoreTally(np.array([-1, 1]), np.array(rows))


def test_comparison_expects_agreement_and_errors_at_their_rates():
    expected = comparison_forecast(REPORTED, Rates(one_over=0.01, two_over=0.001, one_under=0.02, two_under=0.003))
    clean = 10 / 19
    assert expected.values.tolist() == pytest.approx([0, clean / 2, clean, 1.5 * clean, 2 * clean])
    assert expected.shares.tolist() == pytest.approx([0.001, 0.01, 0.966, 0.02, 0.003])
    assert expected.null.population == 1000


def test_polling_expects_papers_as_reported():
    expected = polling_forecast(HERON_WREN, {1: 500, -1: 400}, 1000)
    assert expected.values.tolist() == [0, 0.5, 1]
    assert expected.shares.tolist() == pytest.approx([0.4, 0.1, 0.5])
    with pytest.raises(AuditError, match="cannot have the scores"):
        polling_forecast(HERON_WREN, {1: 700, -1: 400}, 1000)


def test_pools_expect_their_cards_around_their_mean():
    """Whatever the pools, the expected mean is that of comparison without errors: 1 / (2 - v)."""
    tally = boxes([100, 250], [250, 200])
    expected = oneaudit_forecast(REPORTED, np.array([400, 500]), tally)
    assert expected.mean == pytest.approx(10 / 19)
    clean = float(REPORTED.clean)
    assert clean in expected.values.tolist()
    share = dict(zip(expected.values.tolist(), expected.shares.tolist(), strict=True))
    assert share[clean] == pytest.approx(0.1)
    value = float(REPORTED.value(Fraction(150, 400) + 1))
    assert any(each == pytest.approx(value) and share[each] == pytest.approx(0.1) for each in share)


def test_errors_in_pools_lower_the_mean():
    tally = boxes([100, 250], [250, 200])
    without = oneaudit_forecast(REPORTED, np.array([400, 500]), tally)
    with_errors = oneaudit_forecast(REPORTED, np.array([400, 500]), tally, Rates(two_over=0.01))
    assert with_errors.mean < without.mean


def test_many_different_values_are_taken_together_at_the_same_mean():
    draws = np.random.Generator(np.random.PCG64(1))
    heron = draws.integers(20, 90, 3000)
    tally, cards = ScoreTally(np.array([-1, 1]), np.stack([98 - heron, heron], axis=1)), np.full(3000, 100)
    reported = ReportedTotal(HERON_WREN, 300_000, int(tally.totals.sum()))
    expected = oneaudit_forecast(reported, cards, tally)
    assert len(expected.values) <= MOST_VALUES + 1
    assert expected.mean == pytest.approx(float(reported.clean), rel=1e-12)


def test_empty_boxes_are_no_pools():
    reported = ReportedTotal(HERON_WREN, 350, 150)
    assert oneaudit_forecast(reported, np.array([350, 0]), boxes([100, 250], [0, 0])).mean == pytest.approx(float(reported.clean))


def test_two_stage_forecasts_have_the_mean_and_the_spread_of_drawn_boxes():
    """Against 20,000 draws of boxes by size and of ten cards of each: mean and standard deviation within 2 %."""
    draws = np.random.Generator(np.random.PCG64(8))
    cards, wren, heron = np.array([40, 60, 200]), np.array([10, 20, 90]), np.array([25, 35, 105])
    tally = ScoreTally(np.array([-1, 1]), np.stack([wren, heron], axis=1))
    reported = ReportedTotal(HERON_WREN, 300, 45)
    expected = two_stage_forecast(reported, cards, tally, 10)
    drawn = []
    for box in draws.choice(3, 20_000, p=cards / 300).tolist():
        counts = draws.multivariate_hypergeometric([wren[box], heron[box], cards[box] - wren[box] - heron[box]], 10)
        score, mean = (int(counts[1]) - int(counts[0])) / 10, (heron[box] - wren[box]) / cards[box]
        drawn.append(float(reported.value(Fraction(0))) * (2 - mean + score) / 2)
    spread = np.sqrt(np.sum(expected.shares * (expected.values - expected.mean) ** 2))
    assert expected.mean == pytest.approx(np.mean(drawn), rel=0.01)
    assert spread == pytest.approx(np.std(drawn), rel=0.02)
    assert box_values(np.array([0.5] * 10), [10]).tolist() == [0.5]


def test_whole_boxes_in_two_stages_have_no_spread_without_errors():
    expected = two_stage_forecast(ReportedTotal(HERON_WREN, 300, 45), np.array([300]), boxes([120, 165]), None)
    assert expected.values.tolist() == pytest.approx([float(ReportedTotal(HERON_WREN, 300, 45).clean)])


def test_boxes_by_error_bound_are_expected_to_agree():
    reported = Reported(HERON_WREN, np.array([30, -10, 20]), np.array([100, 50, 40]))
    design = BatchDesign(("a", "b", "c"), (reported,))
    assert batch_forecast(design).values.tolist() == [1.0]
    with_errors = batch_forecast(design, Rates(two_over=0.01))
    # Two votes on one card of a hundred: box a by 2 of 130, box b by 1 of 40, box c by 0.8 of 60.
    assert with_errors.values.tolist() == pytest.approx([1 - 1 / 40, 1 - 2 / 130, 1 - 0.8 / 60])
    assert with_errors.shares.tolist() == pytest.approx([40 / 230, 130 / 230, 60 / 230])


@pytest.mark.parametrize(("seen", "expected"), [(0, [333, 667]), (1, [333, 666]), (999, [0, 1])])
def test_counts_are_whole_and_add_up(seen, expected):
    one = forecast({0.25: 1, 0.75: 2}, Null(0.5, 1.0, 1000), 1000)
    assert one.counts(seen).tolist() == expected


def test_seen_values_change_what_is_expected_by_their_weight():
    one = forecast({0.5: 9, 0.75: 1}, Null(0.5, 1.0), 1000)
    updated = one.updated(np.array([0.0, 0.75] * 50), 100)
    assert updated.values.tolist() == [0, 0.5, 0.75]
    assert updated.shares.tolist() == pytest.approx([0.25, 0.45, 0.3])


def test_kelly_bets_and_typical_sizes():
    """A coin of 0.6 is bet on with 2 (2 p - 1) (Kelly 1956); size = ln 20 over the growth p ln 1.2 + q ln 0.8."""
    coin = forecast({0.0: 4, 1.0: 6}, Null(0.5, 1.0), 10**6)
    assert coin.kelly_bet() == pytest.approx(0.4)
    assert coin.typical_size(0.05) == pytest.approx(np.log(20) / (0.6 * np.log(1.2) + 0.4 * np.log(0.8)))
    assert forecast({0.0: 1, 1.0: 1}, Null(0.5, 1.0), 100).typical_size(0.05) is None


def test_forecasts_that_cannot_be_are_refused():
    null = Null(0.5, 1.0)
    for values, shares in (
        ([0.5, 0.4], [0.5, 0.5]),
        ([0.5, 1.1], [0.5, 0.5]),
        ([0.5], [0.9]),
        ([], []),
        ([0.1, 0.2], [1.2, -0.2]),
    ):
        with pytest.raises(AuditError, match="ascending"):
            Forecast(np.array(values), np.array(shares), null, 10)
    with pytest.raises(AuditError, match="population"):
        Forecast(np.array([0.5]), np.array([1.0]), Null(0.5, 1.0, 10), 9)
    with pytest.raises(AuditError, match="at most 1"):
        Rates(one_over=0.6, two_over=0.6)
    with pytest.raises(AuditError, match="at most 1"):
        Rates(one_over=-0.1)
