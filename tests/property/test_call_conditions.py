"""The conditions of an outcome against the rules themselves, with further ballots of every kind."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from scrutineer.calls.conditions import Condition
from scrutineer.calls.outcomes import Question, leads, question
from scrutineer.calls.partial import PartialCount, Rankings
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
    can_change,
    decide,
)

UNTIMED = settings(deadline=None, max_examples=300)
OPTIONS = st.integers(1, 5)
SEATS = st.integers(1, 7)
THRESHOLDS = st.sampled_from([Fraction(1, 20), Fraction(1, 10), Fraction(1, 5), Fraction(1, 3)])
MAJORITIES = st.sampled_from([Fraction(1, 2), Fraction(2, 5), Fraction(2, 3), Fraction(1, 3)])
ALTERNATIVES = st.tuples(st.sampled_from([Fraction(2, 5), Fraction(1, 2), Fraction(3, 5)]), THRESHOLDS)
FIRST_DIVISORS = st.sampled_from([Fraction(1), Fraction(7, 5), Fraction(6, 5)])

PLURALITIES = st.builds(Plurality, SEATS, st.integers(1, 3)) | st.builds(Approval, SEATS)
QUESTIONS = st.builds(YesNo, MAJORITIES, st.booleans())
MAJORITY_RULES = st.builds(Majority, MAJORITIES, st.none() | ALTERNATIVES, st.sampled_from(["valid", "cast"]))
DIVISORS = st.builds(DHondt, SEATS, st.none() | THRESHOLDS) | st.builds(
    SainteLague, SEATS, st.none() | THRESHOLDS, FIRST_DIVISORS
)
HAMILTON = st.builds(Hamilton, SEATS, st.none() | THRESHOLDS)
RULES = PLURALITIES | QUESTIONS | MAJORITY_RULES | DIVISORS | HAMILTON


@st.composite
def cases(draw: st.DrawFn, rules: st.SearchStrategy[Rule] = RULES) -> tuple[Rule, Tally]:
    rule = draw(rules)
    options = 2 if isinstance(rule, YesNo) else draw(OPTIONS)
    votes = st.integers(0, 30) | st.integers(0, 1000)
    own = tuple(draw(votes) for _ in range(options))
    return rule, Tally(own, draw(st.integers(0, 20)), draw(st.integers(0, 20)))


@st.composite
def enlarged(draw: st.DrawFn, rules: st.SearchStrategy[Rule] = RULES) -> tuple[Rule, Tally, Tally]:
    rule, tally = draw(cases(rules))
    more = st.just(0) | st.integers(0, 15) | st.integers(0, 1500)
    votes = tuple(own + draw(more) for own in tally.votes)
    return rule, tally, replace(tally, votes=votes, blank=tally.blank + draw(more))


def orders(options: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.permutations(range(options)).flatmap(lambda order: st.integers(1, len(order)).map(lambda size: tuple(order[:size])))


def rankings(options: int, size: int = 9) -> st.SearchStrategy[Rankings]:
    return st.lists(st.tuples(orders(options), st.integers(0, 12)), max_size=size).map(tuple)


@st.composite
def ranked(draw: st.DrawFn) -> tuple[RankedTally, RankedTally]:
    options = draw(st.integers(1, 5))
    tally = RankedTally(options, draw(rankings(options)), draw(st.integers(0, 5)))
    return tally, replace(tally, rankings=(*tally.rankings, *draw(rankings(options, 4))))


def failing(asked: Question, tally: Tally | RankedTally) -> bool:
    return not all(any(condition.value(tally) >= condition.need for condition in clause) for clause in asked.clauses)


def survives(asked: Question, tally: Tally | RankedTally, ballots: int) -> bool:
    """Whether in every clause one condition stands whatever so many further ballots are."""
    return all(
        any(condition.value(tally) + condition.worst * ballots >= condition.need for condition in clause)
        for clause in asked.clauses
    )


@UNTIMED
@given(cases())
def test_the_conditions_hold_where_they_come_from(case: tuple[Rule, Tally]) -> None:
    rule, tally = case
    asked = question(rule, tally)
    assert asked.outcome == decide(rule, tally)
    assert asked.stated
    assert asked.comparisons >= max(1, len(tally.votes) - 1)
    if asked.tied:
        assert asked.clauses == ()
    else:
        assert all(asked.clauses)
        assert not failing(asked, tally)
        assert asked.holds(tally) == bool(asked.clauses)


@UNTIMED
@given(enlarged())
def test_the_outcome_stands_while_they_hold(case: tuple[Rule, Tally, Tally]) -> None:
    rule, tally, later = case
    asked = question(rule, tally)
    assume(not asked.tied)
    same = decide(rule, later).decision == asked.outcome.decision
    event(f"{type(rule).__name__} {'stands' if same else 'changed'}")
    if not failing(asked, later):
        assert same
    elif asked.exact:
        assert not same


@UNTIMED
@given(cases(), st.integers(0, 40))
def test_open_ballots_agree_with_the_exact_bound(case: tuple[Rule, Tally], ballots: int) -> None:
    rule, tally = case
    asked = question(rule, tally)
    assume(not asked.tied)
    bound = can_change(rule, tally, ballots)
    if survives(asked, tally, ballots):
        assert not bound.changeable
    elif not isinstance(rule, Hamilton) or rule.threshold is None:
        # Ballots for one candidate are the worst for all conditions of a clause at once, so that they fail together.
        assert bound.changeable


@UNTIMED
@given(cases(PLURALITIES | MAJORITY_RULES | QUESTIONS | st.builds(DHondt, SEATS)))
def test_the_fewest_ballots_that_fail_a_clause_are_the_fewest_that_change_the_outcome(case: tuple[Rule, Tally]) -> None:
    rule, tally = case
    asked = question(rule, tally)
    assume(not asked.tied)
    fewest = can_change(rule, tally, 0).margin
    if fewest is None:
        assert survives(asked, tally, 10**6)
    else:
        assert not survives(asked, tally, fewest)
        assert survives(asked, tally, fewest - 1)


@UNTIMED
@given(ranked())
def test_a_winner_of_ranked_ballots_stands_while_the_chain_holds(case: tuple[RankedTally, RankedTally]) -> None:
    tally, later = case
    asked = question(InstantRunoff(), tally)
    assume(not asked.tied)
    if not asked.stated:
        assert asked.clauses == ()
        return
    assert not failing(asked, tally)
    same = decide(InstantRunoff(), later).decision == asked.outcome.decision
    event("stands" if same else "changed")
    if not failing(asked, later):
        assert same


@UNTIMED
@given(ranked(), st.integers(0, 15))
def test_open_ranked_ballots_are_no_bolder_than_the_bound(case: tuple[RankedTally, RankedTally], ballots: int) -> None:
    tally = case[0]
    asked = question(InstantRunoff(), tally)
    assume(not asked.tied and asked.stated)
    assert survives(asked, tally, ballots) == (not can_change(InstantRunoff(), tally, ballots).changeable)


def stations(votes: np.ndarray, others: np.ndarray, ranked: dict[int, Rankings] | None = None) -> PartialCount:
    n, k = votes.shape
    counted = np.ones(n, dtype=np.bool_)
    counted[0] = False
    return PartialCount(
        candidates=tuple(f"c{index}" for index in range(k)),
        votes=votes,
        others=others,
        counted=counted,
        open=~counted,
        arrival=np.arange(-1, n - 1),
        capacity=np.full(n, 2000),
        stratum=np.zeros(n, dtype=np.int32),
        strata=("all",),
        rankings=ranked or {},
    )


def check_sums(conditions: tuple[Condition, ...], partial: PartialCount, tally: Tally | RankedTally) -> None:
    for condition in conditions:
        values = condition.values(partial)
        assert values.shape == partial.counted.shape
        assert values[0] == 0
        assert int(values.sum()) == condition.value(tally)


@UNTIMED
@given(cases(), st.integers(2, 6), st.randoms(use_true_random=False))
def test_values_by_station_sum_to_the_form_on_the_totals(case: tuple[Rule, Tally], n: int, random) -> None:  # type: ignore[no-untyped-def]
    rule, tally = case
    votes, others = np.zeros((n, len(tally.votes)), dtype=np.int64), np.zeros(n, dtype=np.int64)
    columns = [(votes[:, option], own) for option, own in enumerate(tally.votes)]
    for column, left in [*columns, (others, tally.blank + tally.null)]:
        for row in range(1, n):
            column[row] = left if row == n - 1 else random.randint(0, left)
            left -= int(column[row])
    check_sums((*question(rule, tally).conditions, *leads(tally.votes)), stations(votes, others), tally)


@UNTIMED
@given(st.integers(1, 4).flatmap(lambda k: st.tuples(st.just(k), st.lists(rankings(k), min_size=1, max_size=5))))
def test_ranked_values_by_station_sum_to_the_form_on_the_totals(case: tuple[int, list[Rankings]]) -> None:
    options, sheets = case
    votes = np.zeros((len(sheets) + 1, options), dtype=np.int64)
    for row, sheet in enumerate(sheets, 1):
        for order, ballots in sheet:
            votes[row, order[0]] += ballots
    partial = stations(votes, np.zeros(len(votes), dtype=np.int64), dict(enumerate(sheets, 1)))
    tally = RankedTally(options, tuple(ranking for sheet in sheets for ranking in sheet))
    check_sums(question(InstantRunoff(), tally).conditions, partial, tally)


@UNTIMED
@given(cases())
def test_one_further_ballot_adds_between_worst_and_best(case: tuple[Rule, Tally]) -> None:
    rule, tally = case
    singles = [replace(tally, blank=tally.blank + 1)] + [
        replace(tally, votes=tuple(own + (index == option) for index, own in enumerate(tally.votes)))
        for option in range(len(tally.votes))
    ]
    for condition in question(rule, tally).conditions:
        now = condition.value(tally)
        added = [condition.value(later) - now for later in singles]
        assert condition.worst == min(0, *added)
        assert condition.best == max(0, *added)
