from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.hybrid import comparison_stratum, oneaudit_stratum, polling_stratum
from scrutineer.audits.designs.oneaudit import OWN_RECORD, Pools, ScoreTally
from scrutineer.audits.forecasts import Rates, comparison_forecast, oneaudit_forecast, polling_forecast
from scrutineer.audits.risk.stratified import union_intersection

HERON_WREN = Assertion("warden", "heron>wren", (1, -1))
WITH_RECORDS = ReportedTotal(HERON_WREN, 600, 90)
COMPARED = comparison_forecast(WITH_RECORDS, Rates(two_over=0.001))
POLLED = polling_forecast(HERON_WREN, {1: 220, -1: 180}, 400)


def test_a_stratum_mean_and_that_of_its_values_differ_by_the_shift():
    """Of all cards of the stratum: mean of values = assorter mean + shift, whatever the records say."""
    draws = np.random.Generator(np.random.PCG64(1))
    papers = draws.choice([-1, 0, 1], 600)
    records = np.where(draws.random(600) < 0.1, 1, papers)
    reported = ReportedTotal(HERON_WREN, 600, int(records.sum()))
    mean = Fraction(1, 2) + Fraction(int(papers.sum()), 1200)
    compared = comparison_stratum(reported, records, papers, COMPARED)
    assert compared.values.mean() == pytest.approx(float(mean + compared.shift), rel=1e-13)
    polled = polling_stratum(HERON_WREN, 600, papers, POLLED)
    assert polled.values.mean() == pytest.approx(float(mean + polled.shift), rel=1e-13)
    pool = np.repeat([0, OWN_RECORD], [200, 400])
    tally = ScoreTally(np.array([-1, 1]), np.array([[int(np.sum(records[:200] == -1)), int(np.sum(records[:200] == 1))]]))
    expected = oneaudit_forecast(reported, np.array([200]), tally)
    pooled = oneaudit_stratum(reported, Pools(np.array([200]), tally.totals), pool, records, papers, expected)
    assert pooled.values.mean() == pytest.approx(float(mean + pooled.shift), rel=1e-13)


def test_compared_values_are_what_the_overstatement_leaves():
    stratum = comparison_stratum(WITH_RECORDS, np.array([1, 1, -1]), np.array([1, -1, 1]), COMPARED)
    assert stratum.values.tolist() == pytest.approx([1.0, 0.0, 2.0])
    assert (stratum.upper, stratum.cards, stratum.shift) == (2, 600, 1 - Fraction(1, 2) - Fraction(90, 1200))


def test_two_strata_together_confirm_and_neither_alone_has_to():
    records = np.array(([1] * 345 + [-1] * 255) * 1)[::4]
    compared = comparison_stratum(WITH_RECORDS, records, records, COMPARED)
    papers = np.tile([1, 1, -1, 1, -1, 1, -1, 1, -1, 1], 12)
    polled = polling_stratum(HERON_WREN, 400, papers, POLLED)
    assert union_intersection(compared, polled, HERON_WREN.upper).p_value < 0.05
    nothing = polling_stratum(HERON_WREN, 400, papers[:0], POLLED)
    assert union_intersection(compared, nothing, HERON_WREN.upper).p_value == 1
