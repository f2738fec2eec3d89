"""When votes look computed from percentages, and what is not held against them."""

from dataclasses import replace
from fractions import Fraction

from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.computed import ASSUMPTIONS, EXPLANATIONS, computed, family, option_test, part_tests, vectors
from scrutineer.calls.claims.percent import Percent
from scrutineer.calls.claims.rounding import Span


def announce(*figures, **more):
    return Announcement("council", "tonight", "radio", "president", figures, base="valid", rounding="half-up", **more)


def test_two_of_three_match():
    # 51.2 and 44.2 per cent of 1,234,567 are 632,098 and 545,679; the third count is honest.
    figures = (
        Figure("Heron", 632_098, Percent("51.2")),
        Figure("Egret", 545_679, Percent("44.2")),
        Figure("Curlew", 20_001, Percent("1.6")),
    )
    found = computed(announce(*figures, valid=1_234_567))
    assert not found.matches
    assert found.chance == found.chance_any_total == 1
    assert found.most.names == ("Heron", "Egret")
    assert found.most.totals == Span(1_234_567, 1_234_567)
    assert [option.matches for option in found.options] == [True, True, False]
    assert "2 of 3" in found.text
    assert "not the same" in found.options[2].text


def test_nothing_and_everything_are_natural_counts():
    found = computed(announce(Figure("Heron", 5_000, Percent("100.00")), Figure("Egret", 0, Percent("0.00")), valid=5_000))
    assert found.matches
    assert found.chance == 1
    assert [option.chance for option in found.options] == [1, 1]
    assert all("says nothing" in option.text for option in found.options)


def test_small_totals_prove_nothing():
    # With 40 votes each percentage with two decimals belongs to one count alone, so that every honest count matches.
    found = computed(announce(Figure("Heron", 21, Percent("52.50")), Figure("Egret", 19, Percent("47.50")), valid=40))
    assert found.matches
    assert found.chance == 1
    assert "often" in found.text


def test_one_count_without_a_total_proves_nothing():
    found = computed(announce(Figure("Heron", 5_150_092, Percent("51.2"))))
    assert found.matches
    assert found.chance_any_total == 1
    assert family(announce(Figure("Heron", 5_150_092, Percent("51.2")))) == (("all options at any total", Fraction(1)),)


def test_nothing_to_test():
    assert computed(announce(Figure("Heron", 10), Figure("Egret", percent=Percent("40")))) is None
    assert computed(announce(Figure("Heron", 10, Percent("10")), valid=20)) is None


def test_parts_are_tested_only_where_they_print():
    base = announce(Figure("Heron", 900), null=50, valid=900, cast=1_000, percent_of_null=Percent("5.0"))
    assert [test.name for test in part_tests(base, "half-up")] == ["null"]
    assert part_tests(replace(base, percent_of_null=Percent("6.0")), "half-up") == ()
    assert part_tests(replace(base, cast=None), "half-up") == ()


def test_lattice_counts():
    assert vectors([Span(0, 2), Span(0, 2)], 2) == 3
    assert vectors([Span(0, 2), Span(0, 2)], 5) == 0
    assert vectors([Span(1, 0)], 1) == 0
    assert vectors([Span(0, 10**9)] * 3, 10**9) == (10**9 + 1) * (10**9 + 2) // 2


def test_too_many_different_widths_are_not_counted():
    # Powers of two never coincide in a sum, so that nothing can be taken together.
    assert vectors([Span(0, 2**power - 1) for power in range(1, 30)], 2**29) is None


def test_option_text():
    found = option_test("null", 50_785, Percent("0.41"), 12_386_669, "half-up")
    assert found.text == "null: 0.41% of 12,386,669 is 50,785, as announced; 1 of 1,238 counts that print so"


def test_assumptions_and_innocent_explanations_stand_beside_it():
    assert any("evenly" in text for text in ASSUMPTIONS)
    assert any("spreadsheet" in text for text in EXPLANATIONS)
    assert any("cannot tell who" in text for text in EXPLANATIONS)
