"""Majority, its alternative rule, the run-off, and questions."""

from fractions import Fraction

import pytest

from scrutineer.count.outcome import Bound, Majority, Outcome, Tally, YesNo, can_change, decide

FORTY_AND_TEN = Majority(alternative=(Fraction(2, 5), Fraction(1, 10)))
"""A majority, or 40 % and a 10-point lead: Constitution of Bolivia of 2009, article 166; Ecuador has it likewise."""


def test_more_than_half_wins() -> None:
    assert decide(Majority(), Tally((51, 30, 19))) == Outcome(elected=(0,), margin=21)


def test_exactly_half_does_not_win() -> None:
    assert decide(Majority(), Tally((50, 30, 20))) == Outcome(runoff=(0, 1), margin=10)


def test_blank_ballots_count_where_the_base_is_all_cast() -> None:
    tally = Tally((51, 30, 19), blank=2)
    assert decide(Majority(), tally).elected == (0,)
    assert decide(Majority(base="cast"), tally).runoff == (0, 1)


# Totals published for the Bolivian election of October 2019: the preliminary count when it stopped on the evening,
# and the final count. The two states fall on the two sides of the rule; "others" takes all further lists together.
def test_forty_percent_and_a_ten_point_lead_on_published_totals() -> None:
    evening = Tally((1_950_000, 2_355_644, 5_152_979 - 1_950_000 - 2_355_644))
    final = Tally((2_240_920, 2_889_359, 6_137_671 - 2_240_920 - 2_889_359))
    assert decide(FORTY_AND_TEN, evening) == Outcome(runoff=(1, 0), margin=1_950_000 - 847_335)
    assert decide(FORTY_AND_TEN, final) == Outcome(elected=(1,), margin=648_439)
    # 10 % of 6,137,671 are 613,767.1: the lead is 34,671.9 above, and each vote for the second takes 1.1 of that.
    assert can_change(FORTY_AND_TEN, final, 31_519) == Bound(False, True, 31_520, 1, "lead:1:0")
    assert can_change(FORTY_AND_TEN, final, 31_520).changeable
    moved = Tally((final.votes[0] + 31_520, *final.votes[1:]))
    assert decide(FORTY_AND_TEN, moved).runoff == (1, 0)
    # What was open on the evening, by the roll of the stations not yet in, could change it both ways.
    assert can_change(FORTY_AND_TEN, evening, 7_315_364 - 6_137_228).changeable


@pytest.mark.parametrize(
    ("votes", "wins"),
    [((40, 30, 30), True), ((40, 31, 29), False), ((39, 29, 32), False), ((45, 34, 21), True), ((45, 36, 19), False)],
)
def test_the_alternative_rule_at_its_edges(votes: tuple[int, ...], wins: bool) -> None:
    assert bool(decide(FORTY_AND_TEN, Tally(votes)).elected) == wins


def test_votes_for_others_can_take_the_majority_away() -> None:
    # 560 of 1,000: with 120 further votes for anyone else it is 560 of 1,120, which is not more than half.
    assert can_change(Majority(), Tally((560, 220, 220)), 120) == Bound(True, True, 120, 0, "threshold:0")
    assert not can_change(Majority(), Tally((560, 220, 220)), 119).changeable


def test_blank_ballots_can_take_the_majority_away_where_they_count() -> None:
    tally = Tally((560, 440))
    nobody_else = (None, 0)
    assert not can_change(Majority(), tally, None, per_option_max=nobody_else).changeable
    assert can_change(Majority(base="cast"), tally, 120, per_option_max=nobody_else).changeable


def test_blank_ballots_can_take_the_required_lead_away() -> None:
    # The lead of 105 falls to 103 with the two votes that the second can get, and that is 10 % of 1,030 ballots.
    rule = Majority(alternative=(Fraction(2, 5), Fraction(1, 10)), base="cast")
    bound = can_change(rule, Tally((490, 385, 125)), 31, per_option_max=(None, 2, 0))
    assert bound == Bound(True, True, 31, 0, "lead:0:1")
    assert decide(rule, Tally((490, 387, 125), blank=28)).elected == (0,)
    assert decide(rule, Tally((490, 387, 125), blank=29)).runoff == (0, 1)


def test_a_tie_for_the_run_off_is_reported() -> None:
    assert decide(Majority(), Tally((45, 20, 20, 15))) == Outcome(runoff=(0,), tied=(1, 2), open_seats=1, margin=0)
    assert decide(Majority(), Tally((25, 25, 25, 15))) == Outcome(tied=(0, 1, 2), open_seats=2, margin=0)


def test_two_level_leaders_both_go_on() -> None:
    assert decide(Majority(), Tally((40, 40, 20))) == Outcome(runoff=(0, 1), margin=20)
    assert decide(Majority(), Tally((50, 50))) == Outcome(runoff=(0, 1), margin=None)


def test_level_leaders_above_a_low_threshold_are_tied_for_the_place() -> None:
    rule = Majority(Fraction(2, 5))
    assert decide(rule, Tally((45, 45, 10))) == Outcome(tied=(0, 1), open_seats=1, margin=0)
    assert can_change(rule, Tally((45, 45, 10)), 1) == Bound(True, True, 1, 0, "tie:0:1")
    # Where neither can get a vote, 13 for the third put both at 45 of 113, below two fifths.
    assert can_change(rule, Tally((45, 45, 10)), 13, per_option_max=(0, 0, None)) == Bound(True, True, 13, 0, "threshold:0")


def test_the_run_off_pair_changes_at_the_third_or_with_a_winner() -> None:
    assert can_change(Majority(), Tally((400, 300, 250, 50)), 49) == Bound(False, True, 50, 1, "pair:1:2")
    # 490 of 1,000 and 21 more are 511 of 1,021.
    assert can_change(Majority(), Tally((490, 300, 210)), 21) == Bound(True, True, 21, 0, "threshold:0")


def test_a_sole_option_needs_a_vote() -> None:
    assert decide(Majority(), Tally((1,))) == Outcome(elected=(0,))
    assert decide(Majority(), Tally((0,))) == Outcome(runoff=(0,))


def test_a_question_is_adopted_by_more_than_half() -> None:
    assert decide(YesNo(), Tally((60, 40))) == Outcome(elected=(0,), margin=20)
    assert decide(YesNo(), Tally((50, 50))) == Outcome(elected=(1,), margin=0)
    assert decide(YesNo(), Tally((0, 0))) == Outcome(elected=(1,), margin=0)


def test_at_least_two_thirds_or_more_than_two_thirds() -> None:
    assert decide(YesNo(Fraction(2, 3), strict=False), Tally((60, 30))).elected == (0,)
    assert decide(YesNo(Fraction(2, 3)), Tally((60, 30))).elected == (1,)
    assert decide(YesNo(Fraction(2, 3)), Tally((60, 40))) == Outcome(elected=(1,), margin=20)


def test_blank_ballots_do_not_change_a_question() -> None:
    tally = Tally((60, 40), blank=900)
    assert can_change(YesNo(), tally, 19) == Bound(False, True, 20, 1, "threshold:0")
    assert can_change(YesNo(), tally, None, per_option_max=(None, 19)) == Bound(False, True, None, None, "none")
    assert can_change(YesNo(), Tally((40, 60)), 20).slack == 1
