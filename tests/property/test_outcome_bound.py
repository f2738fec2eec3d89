"""`can_change` against every possible way of casting a few more ballots."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.count.outcome import (
    Approval,
    Caps,
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

UNTIMED = settings(deadline=None)
SHARES = st.sampled_from([Fraction(1, 20), Fraction(1, 10), Fraction(1, 5), Fraction(1, 3), Fraction(2, 5)])
MAJORITIES = st.sampled_from([Fraction(1, 2), Fraction(2, 5), Fraction(2, 3), Fraction(1, 3)])


def compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way of splitting at most `total` among `parts`."""
    if parts == 0:
        yield ()
        return
    for first in range(total + 1):
        for rest in compositions(total - first, parts - 1):
            yield (first, *rest)


def allowed(added: tuple[int, ...], caps: Caps | None) -> bool:
    return caps is None or all(cap is None or votes <= cap for votes, cap in zip(added, caps, strict=True))


def further_single(tally: Tally, ballots: int, caps: Caps | None) -> Iterator[Tally]:
    """Every tally with at most so many further ballots, each with one vote or blank."""
    for blank, *added in compositions(ballots, len(tally.votes) + 1):
        if allowed(tuple(added), caps):
            votes = tuple(own + more for own, more in zip(tally.votes, added, strict=True))
            yield replace(tally, votes=votes, blank=tally.blank + blank)


def further_multiple(tally: Tally, ballots: int, choices: int, caps: Caps | None) -> Iterator[Tally]:
    """Every tally with at most so many further ballots, each with up to `choices` votes for different options."""
    options = range(len(tally.votes))
    papers = [paper for size in range(min(choices, len(options)) + 1) for paper in combinations(options, size)]
    reached = {(0,) * len(tally.votes)}
    for _ in range(ballots):
        reached = {
            tuple(votes + (option in paper) for option, votes in enumerate(added)) for added in reached for paper in papers
        }
    for added in reached:
        if allowed(added, caps):
            yield replace(tally, votes=tuple(own + more for own, more in zip(tally.votes, added, strict=True)))


def changes(rule: Rule, tally: Tally | RankedTally, further: Iterator[Tally | RankedTally]) -> bool:
    decision = decide(rule, tally).decision
    return any(decide(rule, other).decision != decision for other in further)


def check_against_all(rule: Rule, tally: Tally, ballots: int, caps: Caps | None, choices: int = 1) -> None:
    bound = can_change(rule, tally, ballots, per_option_max=caps)
    further = further_single(tally, ballots, caps) if choices == 1 else further_multiple(tally, ballots, choices, caps)
    possible = changes(rule, tally, further)
    if bound.exact:
        assert bound.changeable == possible, bound
    else:
        assert bound.changeable or not possible, bound


@st.composite
def cases(draw: st.DrawFn, options: tuple[int, int], most: int = 14) -> tuple[Tally, int, Caps | None]:
    count = draw(st.integers(*options))
    votes = draw(st.tuples(*[st.integers(0, most)] * count))
    tally = Tally(votes, draw(st.integers(0, 6)), draw(st.integers(0, 3)))
    ballots = draw(st.integers(0, {1: 8, 2: 8, 3: 6}.get(count, 4)))
    cap = st.none() | st.integers(0, 4)
    return tally, ballots, draw(st.none() | st.tuples(*[cap] * count))


@UNTIMED
@given(cases((1, 5)), st.integers(1, 4))
def test_plurality_is_exact(case: tuple[Tally, int, Caps | None], seats: int) -> None:
    tally, ballots, caps = case
    assert can_change(Plurality(seats), tally, ballots, per_option_max=caps).exact
    check_against_all(Plurality(seats), tally, ballots, caps)


@given(cases((2, 4), most=6), st.integers(1, 3), st.integers(2, 3), st.booleans())
@settings(UNTIMED, max_examples=60)
def test_several_choices_are_exact(case: tuple[Tally, int, Caps | None], seats: int, choices: int, approval: bool) -> None:
    tally, ballots, caps = case
    rule = Approval(seats) if approval else Plurality(seats, choices)
    assert can_change(rule, tally, ballots, per_option_max=caps).exact
    check_against_all(rule, tally, min(ballots, 4), caps, choices=len(tally.votes) if approval else choices)


@UNTIMED
@given(cases((2, 2)), MAJORITIES, st.booleans())
def test_yes_no_is_exact(case: tuple[Tally, int, Caps | None], threshold: Fraction, strict: bool) -> None:
    tally, ballots, caps = case
    assert can_change(YesNo(threshold, strict), tally, ballots, per_option_max=caps).exact
    check_against_all(YesNo(threshold, strict), tally, ballots, caps)


@given(
    cases((1, 4)),
    MAJORITIES,
    st.none() | st.tuples(MAJORITIES, st.sampled_from([Fraction(1, 10), Fraction(1, 20), Fraction(1, 4)])),
    st.sampled_from(["valid", "cast"]),
)
@settings(UNTIMED, max_examples=400)
def test_majority_is_exact(case, threshold, alternative, base) -> None:  # type: ignore[no-untyped-def]
    tally, ballots, caps = case
    rule = Majority(threshold, alternative, base)
    assert can_change(rule, tally, ballots, per_option_max=caps).exact
    check_against_all(rule, tally, ballots, caps)


@given(
    cases((1, 4)),
    st.integers(1, 8),
    st.none() | SHARES,
    st.sampled_from([None, Fraction(1), Fraction(7, 5), Fraction(6, 5)]),
)
@settings(UNTIMED, max_examples=300)
def test_divisor_methods_are_exact(case, seats, threshold, first) -> None:  # type: ignore[no-untyped-def]
    tally, ballots, caps = case
    rule = DHondt(seats, threshold) if first is None else SainteLague(seats, threshold, first)
    assert can_change(rule, tally, ballots, per_option_max=caps).exact
    check_against_all(rule, tally, ballots, caps)


@given(cases((1, 4)), st.integers(1, 8), st.none() | SHARES)
@settings(UNTIMED, max_examples=300)
def test_hamilton_is_safe_and_exact_without_threshold(case, seats, threshold) -> None:  # type: ignore[no-untyped-def]
    tally, ballots, caps = case
    if threshold is None and caps is None:
        assert can_change(Hamilton(seats), tally, ballots).exact
    check_against_all(Hamilton(seats, threshold), tally, ballots, caps)


RANKINGS = {n: [order for size in range(1, n + 1) for order in permutations(range(n), size)] for n in range(1, 5)}


@st.composite
def ranked_cases(draw: st.DrawFn) -> tuple[RankedTally, int]:
    options = draw(st.integers(1, 4))
    papers = draw(st.lists(st.tuples(st.sampled_from(RANKINGS[options]), st.integers(0, 8)), max_size=7))
    return RankedTally(options, tuple(papers)), draw(st.integers(0, 3 if options < 4 else 1))


@given(ranked_cases())
@settings(UNTIMED, max_examples=150)
def test_instant_runoff_is_safe(case: tuple[RankedTally, int]) -> None:
    tally, ballots = case
    bound = can_change(InstantRunoff(), tally, ballots)
    piles = RANKINGS[tally.options]
    further = (
        replace(tally, rankings=tally.rankings + tuple(zip(piles, added, strict=True)))
        for added in compositions(ballots, len(piles))
    )
    possible = changes(InstantRunoff(), tally, further)
    assert bound.changeable or not possible, bound
    if bound.exact:
        assert bound.changeable == possible, bound


@pytest.mark.parametrize("rule", [Plurality(), Majority(), DHondt(3), Hamilton(3, Fraction(1, 10)), SainteLague(2)])
def test_unlimited_open_ballots_can_change_what_any_number_can(rule: Rule) -> None:
    bound = can_change(rule, Tally((500, 300, 20)), None)
    assert bound.changeable
    assert bound.slack is None
    assert bound.margin is not None
    assert can_change(rule, Tally((500, 300, 20)), bound.margin).changeable
    assert not can_change(rule, Tally((500, 300, 20)), bound.margin - 1).changeable


# Lists without seats near the threshold: one that enters or leaves moves the quota of all the others at once.
@pytest.mark.parametrize(
    ("seats", "share", "votes"),
    [
        (8, Fraction(1, 10), (13, 26, 4, 3)),
        (6, Fraction(1, 10), (23, 26, 3, 3)),
        (7, Fraction(1, 10), (52, 19, 5, 7)),
        (2, Fraction(1, 12), (47, 15, 6, 4)),
        (2, Fraction(1, 12), (15, 50, 9, 7)),
        (4, Fraction(1, 12), (24, 33, 6, 9)),
        (2, Fraction(1, 8), (28, 6, 9, 5)),
        (6, Fraction(1, 10), (23, 26, 5, 5)),
        (9, Fraction(1, 12), (29, 59, 8, 5)),
    ],
)
def test_hamilton_limit_is_reached_where_lists_cross_the_threshold(seats: int, share: Fraction, votes: tuple[int, ...]) -> None:
    rule, tally = Hamilton(seats, share), Tally(votes)
    bound = can_change(rule, tally, 0)
    assert not bound.exact
    assert bound.margin is not None
    assert changes(rule, tally, further_single(tally, bound.margin, None))
    assert not changes(rule, tally, further_single(tally, bound.margin - 1, None))
