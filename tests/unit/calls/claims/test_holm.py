"""Holm's step-down against worked values."""

from fractions import Fraction

import pytest

from scrutineer.calls.claims.holm import MAX_TESTS, holm
from scrutineer.errors import CallError


def adjusted(*chances):
    return [test.adjusted for test in holm([(str(index), Fraction(chance)) for index, chance in enumerate(chances)])]


def test_step_down():
    # Sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04, and the last is lifted to .06.
    assert adjusted("0.01", "0.04", "0.03", "0.005") == [Fraction(n, 100) for n in (3, 6, 6, 2)]


def test_at_most_one_and_equal_chances_alike():
    assert adjusted("0.5", "0.6") == [1, 1]
    assert adjusted("0.01", "0.01") == [Fraction(2, 100)] * 2
    assert adjusted() == []


def test_below_a_level():
    rows = holm([("a", Fraction(1, 100)), ("b", Fraction(1, 10))])
    assert [row.below(Fraction(1, 50)) for row in rows] == [True, False]


def test_what_is_no_chance_is_refused():
    with pytest.raises(CallError, match="outside 0 to 1"):
        holm([("a", Fraction(3, 2))])
    with pytest.raises(CallError, match="at most"):
        holm([("a", Fraction(1))] * (MAX_TESTS + 1))
