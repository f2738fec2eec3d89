"""Ties and limits of the three rounding rules."""

import pytest

from scrutineer.calls.claims.announcement import MAX_TOTAL
from scrutineer.calls.claims.percent import Percent
from scrutineer.calls.claims.rounding import (
    Span,
    inferred_rule,
    printed,
    prints,
    totals_leaving,
    totals_printing,
    votes_printing,
)
from scrutineer.errors import CallError


@pytest.mark.parametrize(
    ("votes", "total", "half_up", "half_even", "truncation"),
    [
        (1, 8, "13", "12", "12"),  # 12.5
        (3, 8, "38", "38", "37"),  # 37.5
        (1, 200, "1", "0", "0"),  # 0.5
        (199, 200, "100", "100", "99"),  # 99.5
        (2, 3, "67", "67", "66"),
        (0, 7, "0", "0", "0"),
        (7, 7, "100", "100", "100"),
    ],
)
def test_ties(votes, total, half_up, half_even, truncation):
    for rule, text in (("half-up", half_up), ("half-even", half_even), ("truncation", truncation)):
        assert printed(votes, total, 0, rule) == Percent(text)
        assert prints(votes, total, Percent(text), rule)
        assert total in totals_printing(votes, Percent(text), rule)
        assert total in totals_leaving(total - votes, Percent(text), rule)


def test_a_total_too_small_for_the_digits_has_no_count():
    assert not votes_printing(Percent("51.2"), 10, "half-up")
    assert votes_printing(Percent("51.2"), 10, "half-up").count == 0


def test_nothing_prints_as_zero_of_any_total():
    assert totals_printing(0, Percent("0.00"), "half-up") == Span(1, MAX_TOTAL)
    assert totals_printing(1, Percent("0.00"), "half-up") == Span(20_001, MAX_TOTAL)
    assert totals_printing(1, Percent("0.00"), "half-even") == Span(20_000, MAX_TOTAL)
    assert totals_printing(1, Percent("0.00"), "truncation") == Span(10_001, MAX_TOTAL)
    assert not totals_printing(0, Percent("0.01"), "half-up")


def test_everything_prints_as_one_hundred():
    assert totals_printing(7, Percent("100"), "truncation") == Span(7, 7)
    assert totals_printing(1_000, Percent("100"), "half-up") == Span(1_000, 1_005)


def test_a_rule_is_inferred_only_where_it_is_the_only_one():
    assert inferred_rule([(2, 3, Percent("66"))]) == "truncation"
    assert inferred_rule([(1, 3, Percent("33"))]) is None
    assert inferred_rule([(1, 8, Percent("13"))]) == "half-up"
    assert inferred_rule([(1, 8, Percent("12")), (3, 8, Percent("38"))]) == "half-even"
    assert inferred_rule([(1, 8, Percent("14"))]) is None


@pytest.mark.parametrize("total", [0, -1, MAX_TOTAL + 1, pytest.param(10**5000, id="huge")])
def test_totals_that_cannot_be_are_refused(total):
    with pytest.raises(CallError, match="check its digits"):
        votes_printing(Percent("50"), total, "half-up")


@pytest.mark.parametrize("votes", [-1, MAX_TOTAL + 1, pytest.param(10**5000, id="huge")])
def test_votes_that_cannot_be_are_refused(votes):
    for call in (totals_printing, totals_leaving):
        with pytest.raises(CallError, match="check its digits"):
            call(votes, Percent("50"), "half-up")


def test_a_part_above_the_whole_and_unknown_rules_are_refused():
    with pytest.raises(CallError):
        printed(3, 2, 1, "half-up")
    with pytest.raises(CallError):
        printed(1, 2, 7, "half-up")
    with pytest.raises(CallError, match="none of"):
        votes_printing(Percent("50"), 10, "up")


def test_spans_say_what_they_hold():
    assert str(Span(1_000, 2_000)) == "1,000 to 2,000"
    assert str(Span(1_000, 1_000)) == "1,000"
    assert str(Span(2, 1)) == "none"
    assert not Span(2, 1)
    assert Span(1, 5) & Span(4, 9) == Span(4, 5)
