from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import Discrepancies, ReportedTotal, comparison_values, discrepancies
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.errors import AuditError

HERON_WREN = Assertion("warden", "heron>wren", (1, -1))
TWO_THIRDS = Assertion("bridge", "yes>=2/3", (1, -2))


def assorter(assertion, score):
    return assertion.assort(int(score))


@pytest.mark.parametrize("assertion", [HERON_WREN, TWO_THIRDS])
def test_values_are_those_of_the_definition(assertion):
    """(1 - overstatement/u) / (2 - v/u) of SHANGRLA (arXiv 1911.10035), section 3.2, from assorter values."""
    reported = ReportedTotal(assertion, 1000, 100)
    scores = range(assertion.lowest, assertion.highest + 1)
    pairs = [(record, paper) for record in scores for paper in scores]
    upper, margin = assertion.upper, 2 * (assorter(assertion, 0) + Fraction(100, 1000) / (-2 * assertion.lowest)) - 1
    expected = [
        float((1 - (assorter(assertion, record) - assorter(assertion, paper)) / upper) / (2 - margin / upper))
        for record, paper in pairs
    ]
    values = comparison_values(reported, np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs]))
    assert values.tolist() == expected
    assert margin == reported.margin
    assert values.max() <= reported.null(replacement=True).upper


def test_one_vote_and_two_votes():
    """With no discrepancy 1/(2-v); half of it for one vote overstated, 0 for two, twice as much for two understated."""
    reported = ReportedTotal(HERON_WREN, 1000, 100)
    values = comparison_values(reported, np.array([1, 1, 0, 1, -1]), np.array([1, 0, -1, -1, 1]))
    assert (values * float(2 - reported.margin)).tolist() == pytest.approx([1, 0.5, 0.5, 0, 2])
    assert reported.clean == Fraction(10, 19)
    assert reported.upper == Fraction(20, 19)


@pytest.mark.parametrize("total", [-1, 0])
def test_the_mean_is_above_one_half_exactly_if_the_assertion_is_true(total):
    """Whatever the records say, the values of all cards have a mean above 1/2 if and only if the papers' total is above 0."""
    draws = np.random.Generator(np.random.PCG64(5))
    for extra in range(2):
        papers = draws.choice([-1, 0, 1], 400)
        papers[np.flatnonzero(papers == 1)[: max(0, int(papers.sum()) - total)]] = 0
        while papers.sum() < total + extra:
            papers[np.flatnonzero(papers < 1)[0]] += 1
        records = draws.permutation(papers)
        reported = ReportedTotal(HERON_WREN, 400, int(records.sum()))
        exact = sum(reported.value(int(record - paper)) for record, paper in zip(records, papers, strict=True))
        assert (exact / 400 > Fraction(1, 2)) == (papers.sum() > 0)


def test_discrepancies_are_counted_by_kind():
    records, papers = np.array([1, 1, 1, 0, 0, -1, -1, 0]), np.array([1, 0, -1, -1, 1, 1, 0, 0])
    assert discrepancies(HERON_WREN, records, papers) == Discrepancies(2, 2, 1, 2, 1)


def test_a_vote_for_the_other_side_of_a_two_thirds_question_is_two_votes():
    counts = discrepancies(TWO_THIRDS, np.array([1, 0, 1]), np.array([-2, -2, 0]))
    assert counts == Discrepancies(0, 2, 1, 0, 0)


def test_totals_that_no_cards_add_up_to_are_refused():
    for cards, total in ((10, 11), (10, -11), (0, 0)):
        with pytest.raises(AuditError, match="total score"):
            ReportedTotal(HERON_WREN, cards, total)


def test_as_many_records_as_papers_within_range():
    reported = ReportedTotal(HERON_WREN, 10, 2)
    with pytest.raises(AuditError, match="1 papers are held against 2 records"):
        comparison_values(reported, np.array([1, 1]), np.array([1]))
    with pytest.raises(AuditError, match="outside"):
        comparison_values(reported, np.array([2]), np.array([1]))


@pytest.mark.parametrize("replacement", [True, False])
def test_the_risk_limit_holds_where_the_records_hide_a_tie(replacement):
    """20,000 audits of 2,000 cards whose papers tie and whose records say 52 % to 48 %: at most 5 % confirm."""
    repetitions, cards, length = 20_000, 2000, 200
    reported = ReportedTotal(HERON_WREN, cards, 80)
    draws = np.random.Generator(np.random.PCG64(11))
    # 40 papers for the wren have records for the heron: overstated by two votes each.
    wrong = draws.random((repetitions, length)) < 0.02 if replacement else None
    if wrong is None:
        wrong = np.zeros((repetitions, length), np.bool_)
        among = draws.hypergeometric(40, cards - 40, length, repetitions)
        wrong[np.arange(length) < among[:, None]] = True
        wrong = draws.permuted(wrong, axis=1)
    clean, over = comparison_values(reported, np.array([1, 1]), np.array([1, -1]))
    null = reported.null(replacement=replacement)
    stops = Betting(Fixed(1.9)).stopping_times(np.where(wrong, over, clean), null, 0.05)
    confirmed = np.mean(stops <= length)
    assert 0.005 < confirmed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repetitions)
