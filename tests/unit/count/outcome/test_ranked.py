"""The instant run-off."""

import random

import pytest

from scrutineer.count.outcome import Bound, InstantRunoff, Outcome, RankedTally, Round, can_change, decide, elimination
from scrutineer.count.outcome.ranked import MAX_BRANCHES

# The example of many introductions: a capital for Tennessee, 100 voters who prefer what is near.
MEMPHIS, NASHVILLE, CHATTANOOGA, KNOXVILLE = range(4)
TENNESSEE = RankedTally(
    4,
    (
        ((MEMPHIS, NASHVILLE, CHATTANOOGA, KNOXVILLE), 42),
        ((NASHVILLE, CHATTANOOGA, KNOXVILLE, MEMPHIS), 26),
        ((CHATTANOOGA, KNOXVILLE, NASHVILLE, MEMPHIS), 15),
        ((KNOXVILLE, CHATTANOOGA, NASHVILLE, MEMPHIS), 17),
    ),
)


def test_the_capital_of_tennessee() -> None:
    assert decide(InstantRunoff(), TENNESSEE) == Outcome(
        elected=(KNOXVILLE,),
        margin=16,
        rounds=(
            Round((42, 26, 15, 17), 0, eliminated=(CHATTANOOGA,)),
            Round((42, 26, None, 32), 0, eliminated=(NASHVILLE,)),
            Round((42, None, None, 58), 0),
        ),
    )


def test_the_closest_elimination_binds() -> None:
    # Chattanooga is eliminated 2 behind Knoxville; with 2 more it would be level.
    bound = can_change(InstantRunoff(), TENNESSEE, 1)
    assert bound == Bound(False, False, 2, 1, f"elimination:{CHATTANOOGA}:{KNOXVILLE}")


def test_a_majority_of_first_preferences_ends_it() -> None:
    tally = RankedTally(3, (((0,), 60), ((1, 2), 30), ((2, 1), 10)))
    assert decide(InstantRunoff(), tally) == Outcome(elected=(0,), margin=30, rounds=(Round((60, 30, 10), 0),))
    # Whatever becomes of the others, together they have 40: 20 more ballots are needed, and 20 for 1 suffice.
    assert can_change(InstantRunoff(), tally, 19) == Bound(False, True, 20, 1, "pair:0:1")


def test_exhausted_ballots_are_shown_and_lower_the_majority() -> None:
    tally = RankedTally(3, (((0,), 45), ((1,), 40), ((2,), 15)), blank=3, null=2)
    assert decide(InstantRunoff(), tally) == Outcome(
        elected=(0,), margin=5, rounds=(Round((45, 40, 15), 0, eliminated=(2,)), Round((45, 40, None), 15))
    )
    assert can_change(InstantRunoff(), tally, 4) == Bound(False, True, 5, 1, "pair:0:1")


def test_a_tie_for_elimination_that_decides_is_reported() -> None:
    tally = RankedTally(3, (((0,), 4), ((1, 2), 3), ((2, 1), 3)))
    assert decide(InstantRunoff(), tally) == Outcome(
        tied=(1, 2), open_seats=1, margin=0, rounds=(Round((4, 3, 3), 0, tied=(1, 2)),)
    )
    assert can_change(InstantRunoff(), tally, 1) == Bound(True, False, 1, 0, "tie:1:2")
    assert not can_change(InstantRunoff(), tally, 0).changeable


def test_a_tie_for_elimination_that_decides_nothing_is_only_shown() -> None:
    tally = RankedTally(4, (((0,), 10), ((1, 0), 8), ((2, 0), 5), ((3, 0), 5)))
    outcome = decide(InstantRunoff(), tally)
    assert outcome.elected == (0,)
    assert outcome.rounds[0] == Round((10, 8, 5, 5), 0, eliminated=(2,), tied=(2, 3))


def test_level_last_options_leave_together_where_nobody_can_come_between() -> None:
    tally = RankedTally(4, (((0,), 10), ((1,), 9), ((2, 1), 2), ((3, 1), 2)))
    outcome = decide(InstantRunoff(), tally)
    assert outcome.rounds[0].eliminated == (2, 3)
    assert outcome.elected == (1,)


def test_level_last_options_leave_one_by_one_where_one_can_catch_up() -> None:
    # If 3 leaves first, 2 is level with 1 and may win; if 2 leaves first, 0 wins.
    tally = RankedTally(4, (((0,), 5), ((1, 2), 4), ((2,), 2), ((3, 2), 2)))
    outcome = decide(InstantRunoff(), tally)
    assert outcome == Outcome(tied=(0, 2), open_seats=1, margin=0, rounds=(Round((5, 4, 2, 2), 0, tied=(2, 3)),))


def test_a_tie_of_the_last_two() -> None:
    assert decide(InstantRunoff(), RankedTally(2, (((0,), 5), ((1, 0), 5)))).tied == (0, 1)


def test_without_ballots_all_are_tied() -> None:
    assert decide(InstantRunoff(), RankedTally(200, ())).tied == tuple(range(200))


def test_a_sole_option_is_elected() -> None:
    assert decide(InstantRunoff(), RankedTally(1, ())) == Outcome(elected=(0,), rounds=(Round((0,), 0),))
    assert can_change(InstantRunoff(), RankedTally(1, ()), None) == Bound(False, True, None, None, "none")


def test_too_many_orders_leave_all_who_are_in_tied() -> None:
    # Thirty level options have more than a thousand million sets of options that may be left.
    assert MAX_BRANCHES < 2**30
    outcome = decide(InstantRunoff(), RankedTally(30, tuple(((option,), 7) for option in range(30))))
    assert outcome.tied == tuple(range(30))
    assert outcome.open_seats == 1


def test_caps_keep_the_limit_but_not_its_exactness() -> None:
    tally = RankedTally(2, (((0,), 9), ((1,), 5)))
    assert can_change(InstantRunoff(), tally, 4) == Bound(True, True, 4, 0, "pair:0:1")
    assert not can_change(InstantRunoff(), tally, 4, per_option_max=(None, 2)).exact
    assert not can_change(InstantRunoff(), tally, None, per_option_max=(0, 0)).changeable


@pytest.mark.parametrize("most", [9, 1 << 70])
def test_every_step_counts_each_ballot_for_its_highest_option_that_is_in(most: int) -> None:
    rng = random.Random(7)
    for options in (1, 2, 5, 9):
        rankings = tuple(
            (tuple(rng.sample(range(options), rng.randint(1, options))), rng.randint(0, most)) for _ in range(rng.randint(0, 60))
        )
        order, steps = elimination(RankedTally(options, rankings))
        assert sorted(order) == list(range(options))
        for start, votes in enumerate(steps):
            left = order[start:]
            expected = dict.fromkeys(sorted(left), 0)
            for ranking, ballots in rankings:
                if inside := [option for option in ranking if option in left]:
                    expected[inside[0]] += ballots
            assert votes == expected
            assert votes[order[start]] == min(votes.values())
