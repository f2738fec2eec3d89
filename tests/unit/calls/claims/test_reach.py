"""Two announcements that cannot follow each other, and those that only seem not to."""

from dataclasses import replace
from fractions import Fraction

import pytest

from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.percent import Percent
from scrutineer.calls.claims.reach import fewest_added, largest_shift, reach, smallest_total
from scrutineer.calls.claims.rounding import Span
from scrutineer.errors import CallError


def announce(heron, egret, rest=None, **more):
    figures = [Figure("Heron", heron), Figure("Egret", egret)]
    if rest is not None:
        figures.append(Figure("the rest", rest, others=True))
    return Announcement("council", "tonight", "radio", "president", tuple(figures), **more)


EARLY = announce(500, 400, 100, roll=3_000, counted_percent=Percent("50.0"))
LATE = announce(900, 900, 200, roll=3_000, counted_percent=Percent("100.0"))


def codes(found):
    return [finding.code for finding in found.findings if finding.fits is False]


def test_an_ordinary_pair():
    found = reach(EARLY, LATE)
    assert found.reachable
    assert found.reachable_at_equal_sheets
    assert [option.votes.low for option in found.options] == [400, 500, 100]
    assert [found.share(option) for option in found.options] == [Fraction(2, 5), Fraction(1, 2), Fraction(1, 10)]
    assert found.ratio == 1


def test_votes_taken_away():
    found = reach(EARLY, replace(LATE, figures=(Figure("Heron", 499), *LATE.figures[1:])))
    assert codes(found) == ["added-votes"]
    assert "−1 vote" in found.findings[0].text
    assert any("recounted" in text for text in found.findings[0].explanations)
    assert not found.reachable


def test_fewer_votes_in_total_and_fewer_sheets():
    assert codes(reach(LATE, EARLY)) == ["added-votes", "added-votes", "added-votes", "added-total", "added-sheets"]


def test_more_than_the_roll_has_left():
    found = reach(EARLY, replace(LATE, figures=(Figure("Heron", 2_000), *LATE.figures[1:])))
    assert codes(found) == ["added-above-outstanding"]
    assert "2,100 votes were added, and at most 2,000" in found.findings[-1].text


def test_more_than_equal_rolls_hold_stays_undecided():
    found = reach(EARLY, replace(LATE, counted_percent=Percent("60.0")))
    assert found.reachable
    assert [finding.fits for finding in found.findings if finding.code == "added-above-outstanding"] == [None]


def test_percentages_alone_leave_it_open():
    later = Announcement(
        "council", "", "", "president", (Figure("Heron", percent=Percent("45.0")), Figure("Egret", percent=Percent("45.0")))
    )
    found = reach(EARLY, later)
    assert found.reachable
    assert found.ratio is None
    assert all(found.share(option) is None for option in found.options)
    assert found.smallest_total == 1_110
    # 500 of 1,110 is 45.045 per cent; of 1,109 it is 45.086 and prints as 45.1.


def test_options_that_one_list_takes_together():
    named = Announcement(
        "council", "", "", "president", (Figure("Heron", 900), Figure("Egret", 900), Figure("Dunlin", 150), Figure("Gannet", 50)),
        valid=2_000,
    )  # fmt: skip
    found = reach(EARLY, named)
    assert found.options[-1].name == "all others"
    assert found.options[-1].votes == Span(100, 100)


def test_two_contests_are_not_compared():
    with pytest.raises(CallError, match="two contests"):
        reach(EARLY, replace(LATE, contest="senate"))


def test_smallest_total():
    percents = [Percent("50"), Percent("50")]
    assert smallest_total([10, 20], percents, 30, "half-up", complete=True) == 40
    assert smallest_total([0, 0], percents, 0, "half-up", complete=True) == 2
    assert smallest_total([10, 20], [Percent("60"), Percent("60")], 30, "half-up", complete=True) is None
    assert smallest_total([1], [Percent("0")], 1, "half-up", complete=False) == 201
    assert smallest_total([10**10], [Percent("50")], 1, "half-up", complete=False) is None
    with pytest.raises(CallError, match="one percentage for each"):
        smallest_total([1], percents, 1, "half-up", complete=True)


def test_fewest_added():
    assert fewest_added(60, 100, Percent("60"), "half-up") == 0
    assert fewest_added(60, 100, Percent("50"), "truncation") == 19  # 41 of 81 is 50.6
    assert fewest_added(40, 100, Percent("50"), "truncation") == 20  # 40 of 80
    assert fewest_added(0, 100, Percent("50"), "half-up") is None
    with pytest.raises(CallError, match="exceeds the whole"):
        fewest_added(101, 100, Percent("50"), "half-up")


def test_largest_shift():
    assert largest_shift(60, 100, 20) == Fraction(60, 100) - Fraction(40, 80)
    assert largest_shift(60, 100, 20, rose=False) == Fraction(60, 80) - Fraction(60, 100)
    with pytest.raises(CallError, match="fewer than the total"):
        largest_shift(60, 100, 100)
