from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal, comparison_values
from scrutineer.audits.designs.oneaudit import OWN_RECORD, Pools, ScoreTally, oneaudit_values
from scrutineer.audits.designs.polling import polling_values
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.audits.risk.model import Null
from scrutineer.errors import AuditError

HERON_WREN = Assertion("warden", "heron>wren", (1, -1))


def pools(*pairs):
    return Pools(np.array([pair[0] for pair in pairs], np.int64), np.array([pair[1] for pair in pairs], np.int64))


def test_cards_with_records_have_the_values_of_comparison():
    reported = ReportedTotal(HERON_WREN, 1000, 100)
    records, papers = np.array([1, 1, 0, -1]), np.array([1, -1, 0, 1])
    own = np.full(4, OWN_RECORD)
    values = oneaudit_values(reported, pools(), own, records, papers)
    assert values.tolist() == comparison_values(reported, records, papers).tolist()


def test_cards_of_a_pool_are_held_against_its_mean():
    """(u - mean of the pool + assorter) / (2u - v) of ONEAudit (arXiv 2303.03335), section 2.3, with u = 1."""
    reported = ReportedTotal(HERON_WREN, 1000, 100)
    values = oneaudit_values(
        reported, pools((50, 10), (30, -6)), np.array([0, 0, 1]), np.zeros(3, np.int64), np.array([1, -1, 0])
    )
    means = [Fraction(1, 2) + Fraction(10, 100), Fraction(1, 2) + Fraction(10, 100), Fraction(1, 2) - Fraction(6, 60)]
    assorted = [1, 0, Fraction(1, 2)]
    assert values.tolist() == [
        float((1 - mean + each) / (2 - Fraction(1, 10))) for mean, each in zip(means, assorted, strict=True)
    ]


def test_one_pool_of_everything_is_polling():
    """Values are an increasing linear function of the assorter: evidence is that of polling (arXiv 2303.03335, section 2.1)."""
    reported = ReportedTotal(HERON_WREN, 400, 60)
    papers = np.array([1, 0, -1])
    values = oneaudit_values(reported, pools((400, 60)), np.zeros(3, np.int64), np.zeros(3, np.int64), papers)
    slopes = np.diff(values) / np.diff(polling_values(HERON_WREN, papers))
    assert slopes[0] == pytest.approx(slopes[1])


def test_all_cards_together_have_the_mean_of_comparison_whatever_the_pools():
    """Overstatement-net-equivalence: pooling changes no mean over all cards (arXiv 2303.03335, section 2)."""
    draws = np.random.Generator(np.random.PCG64(3))
    papers, records = draws.choice([-1, 0, 1], 300), draws.choice([-1, 0, 1], 300)
    reported = ReportedTotal(HERON_WREN, 300, int(records.sum()))
    pool = np.repeat([0, 1, 2, OWN_RECORD], [50, 80, 70, 100])
    totals = [(int(np.count_nonzero(pool == each)), int(records[pool == each].sum())) for each in range(3)]
    values = oneaudit_values(reported, pools(*totals), pool, records, papers)
    assert values.sum() == pytest.approx(comparison_values(reported, records, papers).sum(), rel=1e-14)


def test_pools_that_cannot_be_are_refused():
    reported = ReportedTotal(HERON_WREN, 100, 10)
    with pytest.raises(AuditError, match="pool 2 has 10 cards"):
        pools((10, 10), (10, 11)).check(reported)
    with pytest.raises(AuditError, match="the pools hold 101 cards"):
        pools((101, 0)).check(reported)
    with pytest.raises(AuditError, match="at least one card"):
        pools((0, 0))
    with pytest.raises(AuditError, match="not among the 1 known"):
        oneaudit_values(reported, pools((10, 1)), np.array([1]), np.array([0]), np.array([0]))
    with pytest.raises(AuditError, match="outside"):
        oneaudit_values(reported, pools((10, 1)), np.array([0]), np.array([0]), np.array([2]))


def test_a_tally_by_box_and_score():
    tally = ScoreTally(np.array([-1, 1]), np.array([[3, 5], [4, 1]]))
    assert tally.totals.tolist() == [2, -3]
    scores, counts = tally.with_rest(np.array([10, 5]))
    assert (scores.tolist(), counts.tolist()) == ([-1, 1, 0], [[3, 5, 2], [4, 1, 0]])
    with pytest.raises(AuditError, match="box 2: more cards"):
        tally.with_rest(np.array([10, 4]))
    with pytest.raises(AuditError, match="ascending"):
        ScoreTally(np.array([1, -1]), np.array([[3, 5]]))


def test_votes_by_box_become_scores():
    two_thirds = Assertion("bridge", "yes>=2/3", (1, -2, -2))
    tally = ScoreTally.of_votes(two_thirds, np.array([[70, 20, 5], [10, 0, 3]]), np.array([100, 20]))
    assert (tally.scores.tolist(), tally.counts.tolist()) == ([-2, 1], [[25, 70], [3, 10]])
    of_all_cards = Assertion("bridge", "yes>=half of all", (1, -1), rest=-1)
    tally = ScoreTally.of_votes(of_all_cards, np.array([[60, 30]]), np.array([100]), np.array([10]))
    assert (tally.scores.tolist(), tally.counts.tolist()) == ([-1, 1], [[40, 60]])


def test_several_marks_on_a_card_are_taken_apart_as_far_as_they_go():
    two_seats = Assertion("council", "heron>wren", (1, -1, 0), most=2)
    tally = ScoreTally.of_votes(two_seats, np.array([[60, 30, 40], [90, 30, 40]]), np.array([100, 100]))
    assert tally.counts.tolist() == [[30, 60], [10, 70]]
    assert tally.totals.tolist() == [30, 60]
    assert (np.array([100, 100]) - tally.counts.sum(axis=1)).tolist() == [10, 20]


def test_votes_that_do_not_say_the_scores_are_refused():
    cards, votes = np.array([10]), np.array([[5, 3]])
    with pytest.raises(AuditError, match="for each box"):
        ScoreTally.of_votes(Assertion("c", "irv", (1, -1), continuing=frozenset({0, 1})), votes, cards)
    with pytest.raises(AuditError, match="compare single cards"):
        ScoreTally.of_votes(Assertion("c", "share", (2, -1), most=2), votes, cards)
    with pytest.raises(AuditError, match="more votes for an option than cards"):
        ScoreTally.of_votes(Assertion("c", "pair", (1, -1), most=2), np.array([[11, 3]]), cards)


@pytest.mark.parametrize("replacement", [True, False])
def test_the_risk_limit_holds_where_totals_of_boxes_hide_a_tie(replacement):
    """8,000 audits of papers that tie: two one-sided boxes whose totals add 60 votes, and records that are right."""
    repetitions, length = 8000, 300
    reported = ReportedTotal(HERON_WREN, 1000, 60)
    pooled = pools((300, 230), (300, -170))
    papers = np.repeat([1, -1, 1, -1, 1, -1], [250, 50, 50, 250, 200, 200])
    pool = np.repeat([0, 1, OWN_RECORD], [300, 300, 400])
    values = oneaudit_values(reported, pooled, pool, np.where(pool < 0, papers, 0), papers)
    assert values.mean() == pytest.approx(0.5, abs=1e-12)
    draws = np.random.Generator(np.random.PCG64(13))
    rows = (
        draws.choice(values, (repetitions, length)) if replacement else draws.permuted(np.tile(values, (repetitions, 1)), axis=1)
    )
    stops = Betting(Fixed(1.2)).stopping_times(rows[:, :length], reported.null(replacement=replacement), 0.05)
    confirmed = np.mean(stops <= length)
    assert 0.005 < confirmed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repetitions)


def kalamazoo(margin, pool_mean):
    """Values of the 40 cards of the pilot in Kalamazoo, 2018, in terms of margin and pool mean: 8 with records, 32 without."""
    scale = 1 / (2 - margin)
    drawn = [(1, 8), (1.5 - pool_mean, 1), (1 - pool_mean, 8), (2 - pool_mean, 23)]
    return np.concatenate([np.full(count, value * scale) for value, count in drawn])


def mean_p(values, upper):
    """The mean p-value over 5,000 orders, with the test of that notebook: Wald's, for a mean of 0.99 times the greatest value."""
    rows = np.random.Generator(np.random.PCG64(1)).permuted(np.tile(values, (5000, 1)), axis=1)
    risk = Betting(Fixed((0.99 * upper / 0.5 - 1) / (upper - 0.5)), reserve=2.0**-40)
    return float(risk.p_values(rows, Null(0.5, upper, 27_666))[:, -1].mean())


def test_the_pilot_in_kalamazoo():
    """A risk of 2 % by ONEAudit (arXiv 2303.03335, abstract; notebook oa-polling of the repository pbstark/ONEAudit).

    The notebook puts the difference of two shares where its formulas need assorter means: 0.547 for 0.773 of all cards, and 0.568
    for 0.784 of the pool. Its 2 % is confirmed with its own numbers; with assorter means the same cards show a risk of 0.45 %.
    """
    reported = ReportedTotal(Assertion("governor", "whitmer>schuette", (1, -1)), 27_666, 20_699 - 5569)
    share, pool_share = reported.total / 27_666, (16_934 - 4220) / 22_372
    assert mean_p(kalamazoo(2 * share - 1, pool_share), 2 / (3 - 2 * share)) == pytest.approx(0.02, abs=0.0005)
    papers, pool = np.repeat([1, 0, -1, 1], [8, 1, 8, 23]), np.repeat([OWN_RECORD, 0], [8, 32])
    values = oneaudit_values(reported, pools((22_372, 12_714)), pool, np.where(pool < 0, papers, 0), papers)
    assert values.tolist() == pytest.approx(kalamazoo(share, (1 + pool_share) / 2).tolist())
    assert mean_p(values, float(reported.upper)) == pytest.approx(0.0045, abs=0.0003)
