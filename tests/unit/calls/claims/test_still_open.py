"""Each way in which a lead is beyond reach, or is not, or cannot be said to be."""

from dataclasses import replace
from fractions import Fraction

import pytest

from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.percent import Percent
from scrutineer.calls.claims.still_open import need_from_percentages, still_open
from scrutineer.errors import CallError

LEAD = Announcement(
    "council", "tonight", "radio", "president",
    (Figure("Heron", 6_000), Figure("Egret", 3_000), Figure("all others", 1_000, others=True)),
)  # fmt: skip


def verdict(**changes):
    found = still_open(replace(LEAD, **changes))
    return found.verdict, found.given, found.reasons


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stations": 50, "stations_counted": 50}, ("arithmetic", "nothing-open", ())),
        ({"counted_percent": Percent("100")}, ("arithmetic", "nothing-open", ())),
        ({"roll": 12_999}, ("arithmetic", "whole-roll", ())),
        ({"roll": 13_000}, ("not-decided", None, ("outstanding-exceeds-lead",))),
        ({"roll": 13_000, "cast": 10_001}, ("arithmetic", "whole-roll", ())),
        ({"roll": 20_000, "counted_percent": Percent("90")}, ("arithmetic", "equal-roll", ())),
        # 85 may be 84.5, which leaves 3,100 of the roll; 85.0 at least 84.95, which leaves 3,010.
        ({"roll": 20_000, "counted_percent": Percent("85")}, ("not-decided", None, ("outstanding-exceeds-lead",))),
        ({"roll": 20_000, "counted_percent": Percent("85.0")}, ("not-decided", None, ("outstanding-exceeds-lead",))),
        ({"roll": 20_000, "counted_percent": Percent("85.1")}, ("arithmetic", "equal-roll", ())),
        ({"roll": 20_000, "stations": 20, "stations_counted": 17}, ("not-decided", None, ("outstanding-exceeds-lead",))),
        ({"counted_percent": Percent("90")}, ("not-decided", None, ("inputs",))),
        ({"counted_percent": Percent("50")}, ("not-decided", None, ("outstanding-exceeds-lead",))),
        ({}, ("not-decided", None, ("inputs",))),
    ],
)
def test_verdicts(changes, expected):
    assert verdict(**changes) == expected


def test_a_total_found_by_coincidence_decides_nothing():
    # At the computed total of 10,058,774 the whole roll leaves 704,113; but the figures allow totals down to the votes listed.
    first = Announcement(
        "council", "", "", "president",
        (Figure("A", 5_150_092, Percent("51.2")), Figure("B", 4_445_978, Percent("44.2")),
         Figure("others", percent=Percent("4.6"), others=True)),
        roll=10_058_774 + 704_113,
    )  # fmt: skip
    found = still_open(first)
    assert (found.total, found.uncounted_roll, found.lead) == (10_058_774, 704_113, 704_114)
    assert found.verdict == "not-decided"


def test_recount_bands():
    near = replace(LEAD, figures=(Figure("Heron", 5_005), Figure("Egret", 4_995)), counted_percent=Percent("100"), valid=10_000)
    assert still_open(near).reasons == ("recount-band",)
    clear = replace(near, figures=(Figure("Heron", 5_006), Figure("Egret", 4_994)))
    assert still_open(clear).verdict == "arithmetic"
    assert still_open(clear, band=Fraction(1, 200)).reasons == ("recount-band",)
    both = replace(near, roll=11_000, counted_percent=Percent("95"))
    assert still_open(both).reasons == ("outstanding-exceeds-lead", "recount-band")


def test_level_options_have_no_lead():
    level = replace(LEAD, figures=(Figure("Heron", 10), Figure("Egret", 10)), counted_percent=Percent("100"))
    assert (still_open(level).lead, still_open(level).verdict) == (0, "not-decided")


def test_needs():
    found = still_open(replace(LEAD, roll=40_000, stations=40, stations_counted=20))
    assert found.outstanding_equal == 10_000
    assert found.equal_need.alone == Fraction(13, 20)
    assert found.equal_need.with_others == Fraction(12, 20)
    assert found.equal_need.odds_ratio == Fraction(12, 20) / Fraction(6, 20) * 2
    assert [need.turnout for need in found.needs] == [Fraction(n, 10) for n in range(4, 11)]
    assert found.turnout_to_reverse == Fraction(3_001, 20_000)
    assert found.mean_to_hold == 150


def test_more_than_everything_is_no_odds_ratio():
    found = still_open(replace(LEAD, roll=20_000, counted_percent=Percent("95.0")))
    assert not found.equal_need.possible
    assert found.equal_need.alone > 1
    assert found.equal_need.odds_ratio is None


def test_too_few_votes_to_judge():
    assert still_open(replace(LEAD, figures=(Figure("Heron", 6_000), Figure("Egret", percent=Percent("30"))))) is None
    assert still_open(replace(LEAD, figures=(Figure("Heron", 6_000), Figure("all others", 3_000, others=True)))) is None


def test_percentages_alone_say_what_is_needed():
    shares = (Figure("Heron", percent=Percent("51.2")), Figure("Egret", percent=Percent("44.2")))
    need = need_from_percentages(replace(LEAD, figures=shares, counted_percent=Percent("80")))
    assert need.outstanding == Fraction(1, 4)
    assert (need.alone, need.with_others) == (Fraction(64, 100), Fraction(617, 1000))
    assert need.possible
    assert need_from_percentages(replace(LEAD, figures=shares)) is None
    assert need_from_percentages(replace(LEAD, figures=shares[:1], counted_percent=Percent("80"))) is None


@pytest.mark.parametrize(
    "more", [{"band": Fraction(-1)}, {"band": Fraction(2)}, {"turnouts": (Fraction(0),)}, {"turnouts": (Fraction(2),)}]
)
def test_shares_that_cannot_be_are_refused(more):
    with pytest.raises(CallError, match="shares"):
        still_open(LEAD, **more)
