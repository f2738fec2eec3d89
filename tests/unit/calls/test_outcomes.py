from collections.abc import Iterable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from scrutineer.calls.conditions import Condition
from scrutineer.calls.outcomes import MAX_FORM_ENTRIES, Question, leads, question, tally_of
from scrutineer.calls.partial import PartialCount, Rankings
from scrutineer.calls.ranked_conditions import RankedCondition
from scrutineer.count import outcome as outcomes
from scrutineer.count.outcome import (
    Approval,
    DHondt,
    Hamilton,
    InstantRunoff,
    Majority,
    Plurality,
    RankedTally,
    Rule,
    SainteLague,
    Tally,
    YesNo,
)
from scrutineer.election import Contest, Option
from scrutineer.errors import CallError

HALF = Fraction(1, 2)
FORTY_AND_TEN = Majority(HALF, (Fraction(2, 5), Fraction(1, 10)))


def codes(asked: Question) -> list[list[str]]:
    return [[condition.code for condition in clause] for clause in asked.clauses]


def slacks(asked: Question, tally: Tally | RankedTally) -> dict[str, int]:
    return {condition.code: condition.value(tally) - condition.need for condition in asked.conditions}


def form(condition: Condition) -> tuple[tuple[int, ...], int, int]:
    return condition.weights, condition.rest, condition.need


# Plurality, approval, leads.


def test_plurality_is_the_lead_over_each_other_candidate() -> None:
    asked = question(Plurality(), Tally((30, 50, 20), blank=9))
    assert codes(asked) == [["lead:1:0"], ["lead:1:2"]]
    assert form(asked.clauses[0][0]) == ((-1, 1, 0), 0, 1)
    assert (asked.clauses[0][0].favours, asked.clauses[0][0].against) == (1, 0)
    assert (asked.comparisons, asked.exact, asked.stated, asked.tied) == (2, True, True, False)


def test_several_places_are_everybody_in_before_everybody_out() -> None:
    asked = question(Plurality(2), Tally((30, 50, 20, 40)))
    assert sorted(codes(asked)) == [["lead:1:0"], ["lead:1:2"], ["lead:3:0"], ["lead:3:2"]]
    assert asked.comparisons == 4
    assert codes(question(Approval(2), Tally((30, 50, 20, 40), ballots=80))) == codes(asked)


def test_a_tie_has_no_conditions() -> None:
    asked = question(Plurality(), Tally((30, 30, 20)))
    assert (asked.clauses, asked.tied, asked.stated) == ((), True, True)
    assert not asked.holds(Tally((31, 30, 20)))


def test_a_sole_candidate_has_nobody_to_fear() -> None:
    asked = question(Plurality(), Tally((3,)))
    assert (asked.clauses, asked.tied, asked.stated, asked.comparisons) == ((), False, True, 1)


def test_leads_are_of_the_candidate_with_the_most_votes() -> None:
    assert [condition.code for condition in leads((4, 9, 2))] == ["lead:1:0", "lead:1:2"]
    assert leads((9, 9, 2)) == ()
    assert leads((0, 0)) == ()
    assert leads((7,)) == ()


# Yes/no.


@pytest.mark.parametrize(
    ("rule", "votes", "expected"),
    [
        (YesNo(), (6, 5), ("above:0", (1, -1), 1)),
        (YesNo(), (5, 5), ("below:0", (-1, 1), 0)),
        (YesNo(Fraction(2, 3)), (21, 10), ("above:0", (1, -2), 1)),
        (YesNo(Fraction(2, 3)), (20, 10), ("below:0", (-1, 2), 0)),
        (YesNo(Fraction(2, 3), strict=False), (20, 10), ("above:0", (1, -2), 0)),
        (YesNo(Fraction(2, 3), strict=False), (19, 10), ("below:0", (-1, 2), 1)),
    ],
)
def test_a_question_is_strict_where_its_rule_is(rule: YesNo, votes: tuple[int, int], expected: object) -> None:
    asked = question(rule, Tally(votes, blank=100))
    ((condition,),) = asked.clauses
    assert (condition.code, condition.weights, condition.need) == expected
    assert condition.rest == 0
    assert condition.favours == asked.outcome.elected[0]
    assert condition.against == 1 - condition.favours
    assert asked.comparisons == 1


def test_a_question_without_votes_is_rejected_until_somebody_says_yes() -> None:
    asked = question(YesNo(HALF, strict=False), Tally((0, 0)))
    assert asked.holds(Tally((0, 0)))
    assert asked.holds(Tally((1, 2)))
    assert not asked.holds(Tally((1, 1)))


# Majority, the alternative rule, the run-off.


def test_an_absolute_majority_is_one_condition() -> None:
    asked = question(Majority(), Tally((51, 30, 19)))
    assert codes(asked) == [["above:0"]]
    assert form(asked.clauses[0][0]) == ((1, -1, -1), 0, 1)
    cast = question(Majority(base="cast"), Tally((52, 30, 19), blank=1, null=1))
    assert form(cast.clauses[0][0]) == ((1, -1, -1), -1, 1)


def test_a_low_threshold_needs_the_leads_too() -> None:
    assert codes(question(Majority(Fraction(2, 5)), Tally((45, 42, 13)))) == [["lead:0:1"], ["lead:0:2"], ["above:0"]]


def test_the_alternative_rule_where_it_elects() -> None:
    tally = Tally((4708, 3651, 1641))
    asked = question(FORTY_AND_TEN, tally)
    assert asked.outcome.elected == (0,)
    assert codes(asked) == [["above:0"], ["above:0", "ahead:0:1"], ["above:0", "ahead:0:2"]]
    share, over, by = asked.clauses[0][0], asked.clauses[1][0], asked.clauses[1][1]
    assert form(share) == ((3, -2, -2), 0, 0)
    assert form(over) == ((1, -1, -1), 0, 1)
    assert form(by) == ((9, -11, -1), 0, 0)
    assert by.value(tally) == 9 * 4708 - 11 * 3651 - 1641 == 10 * (4708 - 3651) - 10_000
    # 57 votes of lead beyond ten points, and one more vote for the second takes 1.1 of them.
    assert asked.holds(Tally((4708, 3651 + 51, 1641)))
    assert not asked.holds(Tally((4708, 3651 + 52, 1641)))
    # More than half of the votes makes the lead of ten points needless.
    assert asked.holds(Tally((9000, 8500, 10)))
    assert asked.comparisons == 9


def test_the_alternative_rule_where_it_does_not() -> None:
    tally = Tally((4580, 3790, 1630))
    asked = question(FORTY_AND_TEN, tally)
    assert asked.outcome.runoff == (0, 1)
    assert codes(asked) == [
        ["lead:0:2"],
        ["lead:1:2"],
        ["below:0"],
        ["below:0", "short:0:1"],
        ["below:1"],
        ["below:1", "short:1:0"],
    ]
    half, share, short = asked.clauses[2][0], asked.clauses[3][0], asked.clauses[3][1]
    assert form(half) == ((-1, 1, 1), 0, 0)
    assert form(share) == ((-3, 2, 2), 0, 1)
    assert form(short) == ((-9, 11, 1), 0, 1)
    assert (short.favours, short.against) == (1, 0)
    assert short.value(tally) == 10_000 - 10 * (4580 - 3790)
    # 0.9 of each vote for the leader closes the gap of 210 to ten points: with 233 the lead is 1,023 of 10,233, one vote short.
    assert asked.holds(Tally((4580 + 233, 3790, 1630)))
    assert not asked.holds(Tally((4580 + 234, 3790, 1630)))
    # A lead of ten points does not elect below forty per cent, which 0.6 of each vote for the leader approaches.
    lower = question(FORTY_AND_TEN, Tally((3990, 2990, 2980, 40)))
    assert lower.outcome.runoff == (0, 1)
    assert lower.holds(Tally((3990 + 16, 2990, 2980, 40)))
    assert not lower.holds(Tally((3990 + 17, 2990, 2980, 40)))


def test_an_alternative_above_the_threshold_adds_nothing() -> None:
    rule = Majority(Fraction(2, 5), (Fraction(3, 5), Fraction(1, 10)))
    assert codes(question(rule, Tally((30, 26, 25)))) == [["lead:0:2"], ["lead:1:2"], ["below:0"], ["below:1"]]
    assert codes(question(rule, Tally((60, 26, 14))))[-1:] == [["above:0"]]


def test_a_runoff_of_nobody_yet_stands_only_while_nobody_leads() -> None:
    asked = question(FORTY_AND_TEN, Tally((0, 0)))
    assert asked.holds(Tally((0, 0)))
    assert asked.holds(Tally((3, 3)))
    assert not asked.holds(Tally((4, 3)))


def test_a_sole_candidate_must_still_pass() -> None:
    rule = Majority(HALF, (Fraction(2, 5), Fraction(1, 10)), "cast")
    asked = question(rule, Tally((45,), blank=55))
    assert codes(asked) == [["above:0"], ["above:0", "ahead:0:0"]]
    assert asked.holds(Tally((45,), blank=67))
    assert not asked.holds(Tally((45,), blank=68))
    assert question(rule, Tally((30,), blank=70)).outcome.runoff == (0,)


# Lists.


def test_the_last_seat_of_dhondt() -> None:
    tally = Tally((100, 80, 30, 20))
    asked = question(DHondt(8), tally)
    assert asked.outcome.seats == (4, 3, 1, 0)
    pairs = {condition.code: condition for condition in asked.conditions}
    assert len(pairs) == 9
    # The third list's only seat against the first list's fifth, and the first list's fourth against the fourth list's first.
    assert form(pairs["seat:2:0"]) == ((-1, 0, 5, 0), 0, 1)
    assert form(pairs["seat:0:3"]) == ((1, 0, 0, -4), 0, 1)
    assert pairs["seat:0:3"].value(tally) == 20
    assert (pairs["seat:0:3"].favours, pairs["seat:0:3"].against) == (0, 3)
    # The second list's next quotient is 20 and level with nothing; the weakest last quotient is 25, of the first list.
    assert asked.holds(Tally((100, 80, 30, 24)))
    assert not asked.holds(Tally((100, 80, 30, 25)))
    assert asked.comparisons == 2 * 64 + 8


def test_the_modified_first_divisor_is_scaled() -> None:
    asked = question(SainteLague(3, None, Fraction(7, 5)), Tally((60, 30, 10)))
    assert asked.outcome.seats == (2, 1, 0)
    pairs = {condition.code: condition.weights for condition in asked.conditions}
    assert pairs == {
        "seat:0:1": (1, -1, 0),
        "seat:0:2": (7, 0, -15),
        "seat:1:0": (-7, 25, 0),
        "seat:1:2": (0, 1, -1),
    }


def test_a_threshold_binds_in_both_directions() -> None:
    tally = Tally((500, 400, 60, 40))
    asked = question(DHondt(15, Fraction(1, 20)), tally)
    assert asked.outcome.seats == (8, 6, 1, 0)
    assert codes(asked)[:3] == [["above:0"], ["above:1"], ["above:2"]]
    assert codes(asked)[-1] == ["seat:2:3", "below:3"]
    small, entering = asked.clauses[2][0], asked.clauses[-1][1]
    assert form(small) == ((-1, -1, 19, -1), 0, 0)
    assert form(entering) == ((1, 1, 1, -19), 0, 1)
    assert slacks(asked, tally)["below:3"] == 20 * (50 - 40) - 1
    # At 1,200 valid votes the third list has exactly 5 % and stays; at 1,201 it falls.
    assert small.value(Tally((620, 480, 60, 40))) == small.need
    assert small.value(Tally((621, 480, 60, 40))) < small.need
    assert not asked.holds(Tally((621, 480, 60, 40)))
    # With 53 votes of 1,013 the fourth list qualifies and gets no seat, as the weakest quotient is 60; with 60 it draws level.
    assert entering.value(Tally((500, 400, 60, 53))) < entering.need
    assert asked.holds(Tally((500, 400, 60, 53)))
    assert not asked.holds(Tally((500, 400, 60, 60)))


def test_where_no_list_qualifies_none_may() -> None:
    asked = question(DHondt(3, Fraction(1, 2)), Tally((40, 35, 25)))
    assert codes(asked) == [["below:0"], ["below:1"], ["below:2"]]
    assert asked.exact
    assert codes(question(Hamilton(3, Fraction(1, 2)), Tally((40, 35, 25)))) == codes(asked)


def test_hamilton_is_linear_times_all_votes() -> None:
    tally = Tally((47, 16, 37))
    asked = question(Hamilton(4), tally)
    assert asked.outcome.seats == (2, 1, 1)
    pairs = {condition.code: condition for condition in asked.conditions}
    # Quotas 1.88, 0.64 and 1.48: of the second list's remainder and the third's, which get one seat, 0.16 of 100 votes is left.
    assert pairs["seat:1:2"].value(tally) == 16
    assert form(pairs["seat:1:2"]) == ((1, 5, -3), 0, 1)
    assert asked.exact
    assert not question(Hamilton(4, Fraction(1, 10)), tally).exact


# Instant run-off.


def test_three_candidates_in_an_instant_runoff() -> None:
    tally = RankedTally(3, (((0,), 40), ((1, 2), 35), ((2, 1), 25)), blank=3)
    asked = question(InstantRunoff(), tally)
    assert asked.outcome.elected == (1,)
    assert codes(asked) == [["elimination:0:2"], ["elimination:1:2"], ["elimination:1:0"]]
    first, second, last = asked.conditions
    assert isinstance(last, RankedCondition)
    assert (first.value(tally), second.value(tally), last.value(tally)) == (15, 10, 20)
    assert (last.weights, last.continuing) == ((-1, 1, 0), frozenset({0, 1}))
    assert (last.worst, last.best, last.need, last.favours, last.against) == (-1, 1, 1, 1, 0)
    assert (asked.comparisons, asked.exact) == (5, False)
    # Ten more who rank only the third make it level with the second: then another order is possible.
    assert asked.holds(RankedTally(3, (*tally.rankings, ((2,), 9))))
    assert not asked.holds(RankedTally(3, (*tally.rankings, ((2,), 10))))


def test_a_majority_of_first_preferences_is_one_step() -> None:
    tally = RankedTally(4, (((0, 1), 70), ((1, 0), 12), ((2,), 10), ((3,), 8)))
    asked = question(InstantRunoff(), tally)
    assert codes(asked) == [["elimination:0:1"]]
    assert asked.conditions[0].value(tally) == 40


def test_a_tie_on_the_way_leaves_no_conditions() -> None:
    # Whoever of the two in the middle leaves first, the leader wins; but together they pass it.
    tally = RankedTally(4, (((0,), 10), ((1, 0), 6), ((2, 0), 6), ((3, 0), 9)))
    asked = question(InstantRunoff(), tally)
    assert asked.outcome.elected == (0,)
    assert (asked.clauses, asked.stated, asked.tied) == ((), False, False)


def test_ranked_forms_refuse_totals_of_another_kind() -> None:
    ranked = question(InstantRunoff(), RankedTally(2, (((0,), 2), ((1,), 1)))).conditions[0]
    with pytest.raises(CallError, match="rankings of 2 candidates"):
        ranked.value(Tally((2, 1)))
    plain = leads((2, 1))[0]
    with pytest.raises(CallError, match="votes of 2 candidates"):
        plain.value(RankedTally(2, ()))
    with pytest.raises(CallError, match="votes of 2 candidates"):
        plain.value(Tally((2, 1, 0)))


# What cannot be asked.


def test_absurd_denominators_are_refused() -> None:
    with pytest.raises(CallError, match="fewer digits"):
        question(YesNo(Fraction(500_000_001, 1_000_000_000)), Tally((6, 5)))
    with pytest.raises(CallError, match="fewer digits"):
        question(SainteLague(3, None, Fraction(10**8 + 1, 10**8)), Tally((60, 30, 10)))


def test_a_tally_of_another_rule_is_refused() -> None:
    with pytest.raises(CallError, match="cannot be decided"):
        question(YesNo(), Tally((1, 2, 3)))
    with pytest.raises(CallError, match="cannot be decided"):
        question(InstantRunoff(), Tally((1, 2)))


def test_an_outcome_of_too_many_conditions_is_not_stated() -> None:
    candidates = 512
    assert 256 * 256 * candidates > MAX_FORM_ENTRIES
    asked = question(Plurality(256), Tally(tuple(range(candidates))))
    assert (asked.clauses, asked.stated, asked.exact) == ((), False, False)
    assert not asked.holds(Tally(tuple(range(candidates))))


# Comparisons: every false call asserts one of so few false conditions.


def _form(condition: Condition) -> object:
    return condition.weights, condition.rest, condition.need, getattr(condition, "continuing", None)


def _false_clauses(asked: Question, final: Tally | RankedTally) -> list[frozenset[object]]:
    return [
        frozenset(map(_form, clause))
        for clause in asked.clauses
        if all(condition.value(final) < condition.need for condition in clause)
    ]


def _cover(calls: Iterable[list[frozenset[object]]]) -> int:
    """The size of a set of forms that holds a false clause of every call, chosen greedily: never smaller than needed."""
    left, chosen = list(calls), frozenset[object]()
    while left:
        gain: dict[frozenset[object], int] = {}
        for call in left:
            for clause in call:
                gain[clause] = gain.get(clause, 0) + 1
        best = max(gain, key=lambda clause: gain[clause] / len(clause - chosen))
        chosen |= best
        left = [call for call in left if not any(clause <= chosen for clause in call)]
    return len(chosen)


def _check_comparisons(rule: Rule, tallies: list[Tally] | list[RankedTally], every: int) -> None:
    asked = {clauses.clauses: clauses for clauses in (question(rule, tally) for tally in tallies) if clauses.clauses}
    for final in tallies[::every]:
        truth = question(rule, final)
        if truth.tied:
            continue
        calls = [_false_clauses(other, final) for other in asked.values() if other.outcome.decision != truth.outcome.decision]
        assert all(calls), "a false outcome has a false clause"
        assert _cover(calls) <= truth.comparisons


@pytest.mark.parametrize(
    "rule",
    [
        Plurality(),
        Plurality(2),
        Majority(),
        Majority(Fraction(2, 5)),
        FORTY_AND_TEN,
        Majority(Fraction(2, 5), (Fraction(1, 3), Fraction(1, 5))),
        DHondt(1),
        DHondt(4),
        SainteLague(3),
        DHondt(3, Fraction(1, 4)),
        Hamilton(4),
        Hamilton(3, Fraction(1, 4)),
    ],
)
def test_the_comparisons_cover_every_false_call(rule: Rule) -> None:
    two = [Tally(votes) for votes in product(range(16), repeat=2) if any(votes)]
    _check_comparisons(rule, two, 3)
    three = [Tally(votes) for votes in product(range(7), repeat=3) if any(votes)]
    _check_comparisons(rule, three, 11)
    four = [Tally(votes) for votes in product((0, 1, 3, 4, 6), repeat=4) if any(votes)]
    _check_comparisons(rule, four, 47)


@pytest.mark.parametrize("rule", [Plurality(), DHondt(1), SainteLague(1), Hamilton(1), Approval()])
def test_one_place_is_split_over_the_false_leaders(rule: Rule) -> None:
    assert [question(rule, Tally(tuple(range(k)))).comparisons for k in (1, 2, 3, 8)] == [1, 1, 2, 7]


@pytest.mark.parametrize("rule", [DHondt(5), SainteLague(5), Hamilton(5)])
def test_two_lists_are_split_over_the_false_numbers_of_seats(rule: Rule) -> None:
    assert question(rule, Tally((30, 24))).comparisons == 5


def test_the_comparisons_cover_every_false_call_of_a_question() -> None:
    _check_comparisons(YesNo(), [Tally(votes) for votes in product(range(6), repeat=2)], 1)


def test_the_comparisons_cover_every_false_call_of_an_instant_runoff() -> None:
    orders: list[tuple[int, ...]] = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    tallies = [
        RankedTally(3, tuple(zip(orders, ballots, strict=True))) for ballots in product((0, 2, 5), repeat=6) if any(ballots)
    ]
    _check_comparisons(InstantRunoff(), tallies, 9)


# Totals of a partial count.


def contest(rule: str, options: int = 3, **more: object) -> Contest:
    return Contest("seat", "A seat", rule, tuple(Option(f"o{index}", f"Option {index}") for index in range(options)), **more)  # type: ignore[arg-type]


def partial(votes: list[list[int]], others: list[int], rankings: dict[int, Rankings] | None = None) -> PartialCount:
    n = len(votes)
    counted = np.array([any(own) for own in votes])
    return PartialCount(
        candidates=tuple(f"o{index}" for index in range(len(votes[0]))),
        votes=np.array(votes, dtype=np.int64),
        others=np.array(others, dtype=np.int64),
        counted=counted,
        open=~counted,
        arrival=np.where(counted, np.cumsum(counted) - 1, -1),
        capacity=np.full(n, 100),
        stratum=np.zeros(n, dtype=np.int32),
        strata=("all",),
        rankings=rankings or {},
    )


def test_totals_are_of_the_kind_that_the_rule_decides() -> None:
    counts = partial([[5, 3, 1], [0, 0, 0], [2, 2, 2]], [1, 0, 2])
    assert tally_of(contest("plurality"), counts) == Tally((7, 5, 3), 3)
    assert tally_of(contest("approval", max_choices=3), counts) == Tally((7, 5, 3), 3, 0, 15)
    several = tally_of(contest("plurality", seats=2, max_choices=2), counts)
    assert outcomes.decide(Plurality(2, 2), several).elected == (0, 1)


def test_totals_of_rankings_are_merged() -> None:
    sheets: dict[int, Rankings] = {0: (((0, 1), 4), ((2,), 1)), 2: (((0, 1), 2), ((1,), 3))}
    tally = tally_of(contest("ranked"), partial([[4, 0, 1], [0, 0, 0], [2, 3, 0]], [1, 0, 0], sheets))
    assert tally == RankedTally(3, (((0, 1), 6), ((1,), 3), ((2,), 1)), 1)


def test_totals_that_do_not_fit_the_contest_are_refused() -> None:
    with pytest.raises(CallError, match="2 candidates stand, the partial count has 3"):
        tally_of(contest("plurality", 2), partial([[5, 3, 1]], [0]))
    with pytest.raises(CallError, match="1 counted stations have votes and no rankings"):
        tally_of(contest("ranked"), partial([[5, 3, 1]], [0]))
    with pytest.raises(CallError, match="names an option that is not one of"):
        tally_of(contest("ranked"), partial([[5, 3, 1]], [0], {0: (((0, 7), 5),)}))
