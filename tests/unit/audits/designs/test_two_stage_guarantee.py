"""The guarantee of two stages: a wrong outcome is confirmed no more often than the risk limit says, over 20,000 seeded nulls."""

from fractions import Fraction
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import Pools, ScoreTally, oneaudit_values
from scrutineer.audits.designs.two_stage import two_stage_values
from scrutineer.audits.forecasts import two_stage_forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.risk.betting import Betting, Diversified, Fixed
from scrutineer.audits.risk.model import RiskFunction, Values
from scrutineer.audits.sampling.canonical import draw_in_stages

PAIR = Assertion("c", "heron>wren", (1, -1))
SIZES = np.array([4, 9, 12, 6, 20, 3, 15, 7, 10, 14])
FOR = np.array([3, 6, 7, 4, 12, 2, 9, 4, 7, 8])
AGAINST = np.array([1, 2, 4, 1, 6, 1, 5, 2, 3, 5])
"""Reported, by box; the other cards are blank."""
LIMIT = 0.05
NULLS = 20_000
ALLOWED = LIMIT + 3 * (LIMIT * (1 - LIMIT) / NULLS) ** 0.5
DRAWS = 60
TRUTHS = ("one-sided", "even", "few boxes")
REPORTED = ReportedTotal(PAIR, int(SIZES.sum()), int((FOR - AGAINST).sum()))
POOLS = Pools(SIZES, FOR - AGAINST)


def truth(kind: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many cards of each box are for and against: a tie in all, so that the assertion is false by the least that can be."""
    for_, against = FOR.copy(), AGAINST.copy()
    if kind == "one-sided":
        wins = np.isin(np.arange(len(SIZES)), (1, 4, 7, 9))
        for_, against = np.where(wins, SIZES, 0), np.where(wins, 0, SIZES)
    elif kind == "even":
        for_, against = SIZES // 2, SIZES // 2
    else:
        for_[[4, 8]], against[[4, 8]] = (0, 4), (20, 6)
    assert int((for_ - against).sum()) == 0
    return for_, against


def risk(per_box: int) -> RiskFunction:
    """The bet that a plan would fix from the reported figures."""
    tally = ScoreTally(np.array([-1, 1]), np.column_stack([AGAINST, FOR]))
    return Betting(Fixed(two_stage_forecast(REPORTED, SIZES, tally, per_box).kelly_bet()))


def audits(kind: str, per_box: int, seed: int) -> Values:
    """Audits by draws."""
    rng = np.random.Generator(np.random.PCG64(seed))
    for_, against = truth(kind)
    boxes = rng.choice(len(SIZES), (NULLS, DRAWS), p=SIZES / SIZES.sum())
    values = np.empty(boxes.shape)
    for box, cards in enumerate(SIZES.tolist()):
        taken = min(per_box, cards)
        lies = [int(against[box]), cards - int(for_[box] + against[box]), int(for_[box])]
        own = boxes == box
        counts = rng.multivariate_hypergeometric(lies, taken, size=int(own.sum()), method="marginals")
        by_sum = np.array([value_of(box, taken, score) for score in range(-taken, taken + 1)])
        values[own] = by_sum[counts[:, 2] - counts[:, 0] + taken]
    return values


@cache
def value_of(box: int, taken: int, score: int) -> float:
    papers = np.array([int(np.sign(score))] * abs(score) + [0] * (taken - abs(score)), np.int64)
    return float(two_stage_values(REPORTED, POOLS, np.array([box]), [taken], papers)[0])


@pytest.mark.parametrize("per_box", [1, 3, 8, 20])
@pytest.mark.parametrize("kind", TRUTHS)
def test_a_tie_is_confirmed_no_more_often_than_promised(kind: str, per_box: int) -> None:
    values, null = audits(kind, per_box, 10 * per_box), REPORTED.null(replacement=True)
    for function in (risk(per_box), Betting(Diversified((0.3, 0.8, 1.6), (1.0, 1.0, 1.0)))):
        confirmed = float(np.mean(function.stopping_times(values, null, LIMIT) <= DRAWS))
        assert confirmed <= ALLOWED


def test_the_guarantee_is_not_kept_by_confirming_nothing() -> None:
    """Where boxes are all for one or all for the other, a tie comes near the limit."""
    values = audits("one-sided", 3, 30)
    times = risk(3).stopping_times(values, REPORTED.null(replacement=True), LIMIT)
    assert 0.02 < float(np.mean(times <= DRAWS)) <= ALLOWED


def test_cards_of_one_draw_are_not_draws_of_their_own() -> None:
    """What the guarantee would lose: eight cards of a one-sided box, each taken for a draw, say eight times what one says."""
    rng = np.random.Generator(np.random.PCG64(5))
    for_, against = truth("one-sided")
    boxes = rng.choice(len(SIZES), (2_000, DRAWS), p=SIZES / SIZES.sum())
    scores = np.where(for_ > against, 1, -1)[boxes]
    single = oneaudit_values(REPORTED, POOLS, boxes.ravel(), np.zeros(boxes.size, np.int64), scores.ravel()).reshape(boxes.shape)
    values = np.repeat(single, 8, axis=1)
    times = Betting(Fixed(0.6)).stopping_times(values, REPORTED.null(replacement=True), LIMIT)
    assert float(np.mean(times <= values.shape[1])) > 2 * ALLOWED


@pytest.mark.parametrize("per_box", [1, 2, 3, 5])
def test_the_mean_of_a_draw_is_that_of_all_cards(per_box: int) -> None:
    """Over every box and every set of its cards, exactly."""
    sizes, totals = np.array([2, 5, 4]), np.array([1, 2, -1])
    scores = ((1, -1), (1, 1, 0, -1, 1), (-1, 0, 0, 1))
    reported, pools = ReportedTotal(PAIR, 11, 2), Pools(sizes, totals)
    mean = Fraction(0)
    for box, cards in enumerate(scores):
        sets = list(combinations(cards, min(per_box, len(cards))))
        papers = np.array(sets, np.int64)
        values = two_stage_values(reported, pools, np.full(len(sets), box), [papers.shape[1]] * len(sets), papers.ravel())
        exact = [reported.value(Fraction(int(totals[box]), len(cards)) - Fraction(sum(some), len(some))) for some in sets]
        assert values.tolist() == [float(value) for value in exact]
        mean += Fraction(len(cards), 11) * sum(exact) / len(exact)
    single = [
        reported.value(Fraction(int(totals[box]), len(cards)) - score) for box, cards in enumerate(scores) for score in cards
    ]
    assert mean == sum(single) / 11
    # The assertion is as false as the papers are, however wrong the totals of single boxes were.
    assert mean == Fraction(1, 2) + Fraction(sum(map(sum, scores)), 2 * (2 * 11 - 2))


def test_the_canonical_draw_keeps_the_limit() -> None:
    """20,000 seeds, drawn as a plan draws: three cards of each of 12 boxes, in a tie that nobody reported."""
    manifest, draws = Manifest.of((f"box-{box:02}", int(cards)) for box, cards in enumerate(SIZES)), 12
    for_, against = truth("one-sided")
    cards = [[1] * int(one) + [-1] * int(other) for one, other in zip(for_, against, strict=True)]
    values = np.empty((NULLS, draws))
    for audit in range(NULLS):
        for number, ticket in enumerate(draw_in_stages(f"{audit:020}", manifest, 3, draws).tickets):
            box = manifest.index[ticket.box]
            score = sum(cards[box][place - 1] for place in ticket.positions)
            values[audit, number] = value_of(box, len(ticket.positions), score)
    null = REPORTED.null(replacement=True)
    assert abs(float(values.mean()) - 0.5) < 4 * float(values.std()) / values.size**0.5
    confirmed = float(np.mean(Betting(Fixed(1.5)).stopping_times(values, null, LIMIT) <= draws))
    assert 0.001 < confirmed <= ALLOWED
