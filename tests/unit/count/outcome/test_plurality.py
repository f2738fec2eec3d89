"""Plurality and approval."""

from scrutineer.count.outcome import Approval, Bound, Outcome, Plurality, Tally, can_change, decide


def test_the_most_votes_win() -> None:
    assert decide(Plurality(), Tally((30, 50, 20))) == Outcome(elected=(1,), margin=20)


def test_several_seats_in_order_of_votes() -> None:
    assert decide(Plurality(2, 2), Tally((30, 50, 20), ballots=70)) == Outcome(elected=(1, 0), margin=10)


def test_a_tie_for_the_last_seats_is_reported() -> None:
    outcome = decide(Plurality(3), Tally((40, 25, 25, 60, 25)))
    assert outcome == Outcome(elected=(3, 0), tied=(1, 2, 4), open_seats=1, margin=0)


def test_a_tie_that_decides_nothing_is_none() -> None:
    assert decide(Plurality(2), Tally((40, 40, 25))) == Outcome(elected=(0, 1), margin=15)


def test_nobody_is_out_where_seats_suffice() -> None:
    assert decide(Plurality(3), Tally((4, 0))) == Outcome(elected=(0, 1), margin=None)
    assert can_change(Plurality(3), Tally((4, 0)), None) == Bound(False, True, None, None, "none")


def test_without_votes_all_are_tied() -> None:
    assert decide(Plurality(), Tally((0, 0))) == Outcome(tied=(0, 1), open_seats=1, margin=0)


def test_approval_may_exceed_the_ballots() -> None:
    assert decide(Approval(), Tally((60, 70, 10), ballots=80)) == Outcome(elected=(1,), margin=10)


def test_slack_is_the_lead_less_the_open_ballots() -> None:
    tally = Tally((300, 200, 10))
    assert can_change(Plurality(), tally, 99) == Bound(False, True, 100, 1, "pair:0:1")
    assert can_change(Plurality(), tally, 100) == Bound(True, True, 100, 0, "pair:0:1")
    assert can_change(Plurality(), tally, 150) == Bound(True, True, 100, -50, "pair:0:1")


def test_an_unknown_roll_leaves_it_open_and_nothing_open_settles_it() -> None:
    tally = Tally((300, 200, 10))
    assert can_change(Plurality(), tally, None) == Bound(True, True, 100, None, "pair:0:1")
    assert can_change(Plurality(), tally, 0) == Bound(False, True, 100, 100, "pair:0:1")


def test_caps_exclude_the_options_that_are_not_on_the_open_ballots() -> None:
    tally = Tally((300, 200, 10))
    assert can_change(Plurality(), tally, 500, per_option_max=(None, 99, 290)).binding == "pair:0:2"
    assert not can_change(Plurality(), tally, 500, per_option_max=(None, 99, 289)).changeable


def test_one_ballot_breaks_a_tie() -> None:
    assert can_change(Plurality(), Tally((5, 5, 1)), 1) == Bound(True, True, 1, 0, "tie:0:1")
    assert not can_change(Plurality(), Tally((5, 5, 1)), 0).changeable
    assert can_change(Plurality(), Tally((5, 5, 1)), 9, per_option_max=(0, 0, 4)).binding == "pair:1:2"


def test_the_last_of_several_seats_binds() -> None:
    assert can_change(Plurality(2), Tally((900, 310, 300)), 10) == Bound(True, True, 10, 0, "pair:1:2")
