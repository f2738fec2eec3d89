"""What the count says of a contest: outcome by its rule, places, margin, and whether the rest could change it."""

from fractions import Fraction
from typing import Any

import pytest

from count_helpers import PRESIDENT, STATIONS, Ballots, make_election
from scrutineer.count import Count, contest_result, standing
from scrutineer.count import outcome as outcomes
from scrutineer.count.results import merged_rankings, rule_of
from scrutineer.election import Alternative, Candidate, Contest, Option

BIRDS = tuple(Option(bird.lower(), bird) for bird in ("Heron", "Wren", "Finch", "Plover"))


def contest(rule: str, **given: object) -> Contest:
    return Contest("board", "Board", rule, given.pop("options", BIRDS), **given)  # type: ignore[arg-type]


def counted(one: Contest, *rows: tuple[int, ...], **figures: Any) -> Count:
    """The given counts from stations a1, a2, … in turn."""
    ballots = Ballots(make_election([one]))
    return ballots.count(*(ballots.sheet(s, row, contest=one.id, **figures) for s, row in zip(STATIONS, rows, strict=False)))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (contest("plurality", seats=2, max_choices=2), outcomes.Plurality(2, 2)),
        (contest("approval", seats=2), outcomes.Approval(2)),
        (contest("yes-no", options=BIRDS[:2]), outcomes.YesNo(Fraction(1, 2))),
        (contest("yes-no", options=BIRDS[:2], threshold="2/3"), outcomes.YesNo(Fraction(2, 3))),
        (contest("majority", base="cast"), outcomes.Majority(Fraction(1, 2), None, "cast")),
        (
            contest("majority", threshold="45 %", alternative=Alternative("40 %", "10 %")),
            outcomes.Majority(Fraction(9, 20), (Fraction(2, 5), Fraction(1, 10)), "valid"),
        ),
        (contest("ranked"), outcomes.InstantRunoff()),
        (contest("dhondt", seats=9), outcomes.DHondt(9, None)),
        (contest("sainte-lague", seats=9, threshold="5 %"), outcomes.SainteLague(9, Fraction(1, 20))),
        (contest("hamilton", seats=9), outcomes.Hamilton(9, None)),
    ],
)
def test_every_rule_of_a_definition_has_its_deciding_rule(one: Contest, expected: outcomes.Rule) -> None:
    assert rule_of(one) == expected


def test_a_contest_without_any_sheet() -> None:
    ballots = Ballots(make_election())
    result = contest_result(ballots.count(), 0)
    assert (result.votes, result.ballots, result.blank, result.counted, result.outstanding) == ((0, 0, 0), 0, None, 0, 6)
    assert (result.elected, result.changeable, result.open_ballots) == ((), True, 600)


def test_changeable_ends_exactly_where_the_open_ballots_no_longer_reach() -> None:
    election = make_election(rolls={"b3": 60})
    ballots = Ballots(election)
    first = [ballots.sheet(station, (20, 8, 1)) for station in STATIONS[:5]]
    short = contest_result(ballots.count(*first), 0)
    assert (short.margin, short.open_ballots, short.changeable) == (60, 60, True)
    beyond = contest_result(ballots.count(*first[:4], ballots.sheet("b2", (21, 8, 1))), 0)
    assert (beyond.margin, beyond.open_ballots, beyond.changeable) == (61, 60, False)


def test_an_unknown_roll_leaves_the_outcome_open() -> None:
    ballots = Ballots(make_election(rolls={"b3": None}))
    result = contest_result(ballots.count(*(ballots.sheet(station, (90, 0, 0)) for station in STATIONS[:5])), 0)
    assert (result.open_ballots, result.changeable) == (None, True)
    every = contest_result(ballots.count(*(ballots.sheet(station, (90, 0, 0)) for station in STATIONS)), 0)
    assert (every.open_ballots, every.changeable) == (0, False)


def test_a_tie_is_reported() -> None:
    result = contest_result(counted(PRESIDENT, (30, 30, 1)), 0)
    assert (result.elected, result.tied, result.margin) == ((), ("heron", "wren"), 0)


def test_options_of_one_candidate_are_added_up() -> None:
    alliance = contest(
        "plurality",
        options=(Option("h1", "Heron, reeds", "heron"), Option("wren", "Wren"), Option("h2", "Heron, meadows", "heron")),
        candidates=(Candidate("heron", "Heron"),),
    )
    count = counted(alliance, (20, 30, 20))
    assert standing(count, 0).candidate_votes == (40, 30)
    result = contest_result(count, 0)
    assert (result.votes, result.elected, result.margin) == ((20, 30, 20), ("heron",), 10)


def test_elected_are_given_in_the_order_of_the_definition() -> None:
    result = contest_result(counted(contest("plurality", seats=2), (1, 10, 2, 30)), 0)
    assert result.elected == ("wren", "plover")


def test_lists_are_given_once_for_each_seat() -> None:
    result = contest_result(counted(contest("dhondt", seats=5), (50, 20, 10, 0)), 0)
    assert result.elected == ("heron",) * 4 + ("wren",)


def test_a_majority_and_the_run_off_without_one() -> None:
    assert contest_result(counted(contest("majority"), (50, 20, 10, 0)), 0).elected == ("heron",)
    result = contest_result(counted(contest("majority"), (40, 30, 10, 0)), 0)
    assert (result.elected, set(result.runoff)) == ((), {"heron", "wren"})
    cast = contest_result(counted(contest("majority", base="cast"), (42, 30, 10, 0)), 0)
    assert cast.elected == ()
    assert contest_result(counted(contest("majority"), (42, 30, 10, 0)), 0).elected == ("heron",)


def test_yes_needs_more_than_half() -> None:
    question = contest("yes-no", options=(Option("yes", "Yes"), Option("no", "No")))
    assert contest_result(counted(question, (31, 30)), 0).elected == ("yes",)
    assert contest_result(counted(question, (30, 31)), 0).elected != ("yes",)


def test_approvals_may_be_more_than_ballots() -> None:
    result = contest_result(counted(contest("approval", seats=2), (70, 60, 50, 40), cast=80, voters=80), 0)
    assert (result.ballots, result.elected) == (80, ("heron", "wren"))


@pytest.mark.parametrize("rule", ["plurality", "approval"])
def test_several_marks_on_ballots_whose_number_is_unknown(rule: str) -> None:
    several = contest(rule, seats=2, max_choices=2)
    result = contest_result(counted(several, (50, 40, 30, 20), (10, 10, 0, 0), cast=None, voters=None, blank=None), 0)
    assert result.elected == ("heron", "wren")
    assert result.ballots == 0


def test_rankings_are_merged_over_counted_stations() -> None:
    warden = Contest("warden", "Warden", "ranked", BIRDS)
    ballots = Ballots(make_election([warden]))
    count = ballots.count(
        ballots.ranked("a1", {(0, 1): 5, (2,): 3}),
        ballots.ranked("a2", {(0, 1): 2, (1, 2): 6}),
        ballots.ranked("a3", {(3,): 50}, cast=60),
    )
    assert merged_rankings(count.contests[0]) == (((0, 1), 7), ((1, 2), 6), ((2,), 3))
    result = contest_result(count, 0)
    assert (result.votes, result.elected, result.quarantined) == ((7, 6, 3, 0), ("heron",), 1)


def test_a_ranked_candidate_with_two_options_is_ranked_once() -> None:
    warden = Contest(
        "warden",
        "Warden",
        "ranked",
        (Option("w1", "Wren, reeds", "wren"), Option("heron", "Heron"), Option("w2", "Wren, meadows", "wren")),
        candidates=(Candidate("wren", "Wren"),),
    )
    ballots = Ballots(make_election([warden]))
    count = ballots.count(ballots.ranked("a1", {(0, 2, 1): 4, (1,): 6, (2,): 3}))
    now = standing(count, 0)
    assert merged_rankings(count.contests[0]) == (((0,), 3), ((0, 1), 4), ((1,), 6))
    assert now.candidate_votes == (7, 6)
    assert now.result.votes == (4, 6, 3)
    assert contest_result(count, 0).elected == ("wren",)
