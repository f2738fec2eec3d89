import numpy as np
import pytest

from scrutineer.audits.designs.styles import Styles
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.audits.risk.model import Null
from scrutineer.errors import AuditError

CITY = np.array([1, 1, 1, 1, 1, 1, 1, 1], np.bool_)
HARBOUR = np.array([0, 1, 0, 0, 1, 0, 1, 1], np.bool_)
HILL = np.array([1, 0, 1, 0, 0, 1, 0, 0], np.bool_)
STYLES = Styles({"city": CITY, "harbour": HARBOUR, "hill": HILL})


def test_each_contest_takes_its_cards_with_the_smallest_tickets():
    assert STYLES.fetched({"city": 3}).tolist() == [0, 1, 2]
    assert STYLES.fetched({"harbour": 3}).tolist() == [1, 4, 6]
    assert STYLES.fetched({"city": 2, "harbour": 2, "hill": 1}).tolist() == [0, 1, 4]
    assert STYLES.fetched({}).tolist() == []


def test_a_larger_sample_begins_with_the_smaller_one():
    small, large = STYLES.fetched({"city": 2, "harbour": 1}), STYLES.fetched({"city": 3, "harbour": 4})
    assert set(small.tolist()) <= set(large.tolist())


def test_a_contest_may_use_the_cards_before_the_first_that_was_not_fetched():
    fetched = STYLES.fetched({"city": 2, "harbour": 3})
    assert fetched.tolist() == [0, 1, 4, 6]
    assert STYLES.usable("city", fetched).tolist() == [0, 1]
    assert STYLES.usable("harbour", fetched).tolist() == [1, 4, 6]
    assert STYLES.usable("hill", fetched).tolist() == [0]
    everything = np.arange(8)
    assert STYLES.usable("hill", everything).tolist() == [0, 2, 5]


def test_expected_numbers_of_cards_count_each_card_once():
    """The sum over cards of the greatest sampling share of a contest on them (arXiv 2012.03371, section 4)."""
    assert STYLES.expected({"city": 2}) == pytest.approx(2)
    assert STYLES.expected({"harbour": 2, "hill": 1}) == pytest.approx(3)
    assert STYLES.expected({"city": 2, "harbour": 2}) == pytest.approx(4 * 0.5 + 4 * 0.25)


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(AuditError, match="of the 4 that hold it"):
        STYLES.fetched({"harbour": 5})
    with pytest.raises(AuditError, match="not known"):
        STYLES.population("mayor")
    with pytest.raises(AuditError, match="in the order of their tickets"):
        STYLES.usable("city", np.array([2, 1]))
    with pytest.raises(AuditError, match="same cards"):
        Styles({"city": CITY, "hill": HILL[:4]})


def test_measured_risk_of_a_contest_that_was_not_targeted():
    """A contest that ties over all cards, and whose cards in the targeted district are all for the heron.

    Over the cards before the first one that was not fetched, at most 5 % of 4,000 audits confirm. Over all of its fetched cards,
    nearly all would: those are a sample of the district.
    """
    cards, district, repetitions = 400, 200, 4000
    draws = np.random.Generator(np.random.PCG64(2))
    null, risk = Null(0.5, 1.0, cards), Betting(Fixed(0.9))
    wrong_prefix = wrong_all = 0
    for _ in range(repetitions):
        holds = draws.permutation(np.arange(cards)) < district
        styles = Styles({"city": np.ones(cards, np.bool_), "district": holds})
        fetched = styles.fetched({"district": 20})
        values = holds.astype(np.float64)
        usable = styles.usable("city", fetched)
        wrong_prefix += bool(len(usable)) and risk.p_values(values[usable], null)[-1] <= 0.05
        if _ < 40:
            wrong_all += risk.p_values(values[fetched], null)[-1] <= 0.05
    assert 0 < wrong_prefix / repetitions <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repetitions)
    assert wrong_all == 40
