"""Assertions of instant run-offs: the values of others, and every order of elimination of small contests by brute force."""

import random
from itertools import combinations, permutations

import pytest

from published_rankings import CONTESTS, SAN_FRANCISCO, Published
from published_rankings_us import MORE_CONTESTS
from scrutineer.audits import raire as module
from scrutineer.audits.raire import Comparison, comparison_difficulty, open_orders, polling_difficulty, raire
from scrutineer.count.outcome import InstantRunoff, RankedTally, decide
from scrutineer.errors import AuditError

# The examples of the authors' guide (raire-java, TestAGuideToRaireExamples and WebContent/example_input of raire-rs).
GUIDE = RankedTally(4, (((2, 1, 0), 5000), ((1, 2, 3), 1000), ((3, 0), 1500), ((0, 3), 4000), ((3,), 2000)))
DOMINATED = RankedTally(4, (((0,), 5000), ((1,), 1000), ((2,), 1000), ((3,), 1000)))
TWO_LEAD = RankedTally(4, (((0,), 5000), ((1,), 3000), ((2, 0), 3000), ((3, 1), 3000)))
MARGIN_OF_ONE = RankedTally(4, (((0,), 10_000), ((1, 0, 2), 5000), ((2, 0, 1), 4999), ((3, 2, 1, 0), 16_000)))


def prefers(ranking: tuple[int, ...], among: tuple[int, ...]) -> int | None:
    return next((option for option in ranking if option in among), None)


def votes(tally: RankedTally, comparison: Comparison) -> tuple[int, int]:
    """Winner's and loser's votes, ballot by ballot as the paper defines them."""
    winner, loser, among = comparison.winner, comparison.loser, comparison.continuing
    if among is None:
        own = sum(ballots for ranking, ballots in tally.rankings if ranking[0] == winner)
        return own, sum(ballots for ranking, ballots in tally.rankings if prefers(ranking, (winner, loser)) == loser)
    own = sum(ballots for ranking, ballots in tally.rankings if prefers(ranking, tuple(among)) == winner)
    return own, sum(ballots for ranking, ballots in tally.rankings if prefers(ranking, tuple(among)) == loser)


def contradicts(comparison: Comparison, order: tuple[int, ...]) -> bool:
    """Whether an order of elimination cannot be when the comparison is true."""
    place = {candidate: at for at, candidate in enumerate(order)}
    if comparison.continuing is None:
        return place[comparison.winner] < place[comparison.loser]
    left = order[len(order) - len(comparison.continuing) :]
    return frozenset(left) == comparison.continuing and left[0] == comparison.winner


def every_comparison(options: int) -> list[Comparison]:
    at_no_time = [Comparison(winner, loser) for winner, loser in permutations(range(options), 2)]
    sets = [frozenset(some) for size in range(2, options + 1) for some in combinations(range(options), size)]
    return at_no_time + [Comparison(winner, loser, some) for some in sets for winner, loser in permutations(sorted(some), 2)]


def least_greatest(tally: RankedTally, winner: int, difficulty: module.Difficulty) -> float:
    """The hardest order of elimination by its easiest comparison, out of all orders and all comparisons."""
    hard = {each: difficulty(*votes(tally, each), tally.cast) for each in every_comparison(tally.options)}
    orders = [order for order in permutations(range(tally.options)) if order[-1] != winner]
    return max(min(value for each, value in hard.items() if contradicts(each, order)) for order in orders)


def random_tally(draw: random.Random, options: int) -> RankedTally:
    made: dict[tuple[int, ...], int] = {}
    for _ in range(draw.randint(1, 14)):
        ranking = tuple(draw.sample(range(options), draw.randint(1, options)))
        made[ranking] = made.get(ranking, 0) + draw.randint(1, 30)
    return RankedTally(options, tuple(sorted(made.items())), draw.randint(0, 9))


def excluded(options: int, winner: int, comparisons: tuple[Comparison, ...]) -> bool:
    orders = (order for order in permutations(range(options)) if order[-1] != winner)
    return all(any(contradicts(each, order) for each in comparisons) for order in orders)


@pytest.mark.parametrize("name", CONTESTS | MORE_CONTESTS)
def test_difficulty_and_number_of_assertions_are_no_worse_than_those_of_others(name: str) -> None:
    published: Published = (CONTESTS | MORE_CONTESTS)[name]
    found = raire(published.tally(), published.winner)
    assert found is not None
    assert found.difficulty == pytest.approx(published.difficulty, rel=1e-12)
    assert min(found.margins) == published.margin
    assert len(found.comparisons) <= published.assertions


@pytest.mark.parametrize(
    ("tally", "winner", "difficulty", "most"),
    [(GUIDE, 2, 27.0, 5), (DOMINATED, 0, 2.0, 3), (TWO_LEAD, 0, 7.0, 4), (MARGIN_OF_ONE, 0, 35_999 / 3999, 6)],
    ids=["guide", "one dominates", "two lead", "a margin of one"],
)
def test_examples_of_the_guide(tally: RankedTally, winner: int, difficulty: float, most: int) -> None:
    found = raire(tally, winner)
    assert found is not None
    assert found.difficulty == pytest.approx(difficulty, rel=1e-12)
    assert len(found.comparisons) <= most
    assert excluded(tally.options, winner, found.comparisons)


def test_the_margin_of_san_francisco_2019() -> None:
    # 0.028923647570604505 is the smallest assorter margin that SHANGRLA gives for the best assertions on these records.
    found = raire(SAN_FRANCISCO, 0)
    assert found is not None
    assert SAN_FRANCISCO.cast == 146_662
    assert found.margins[0] == min(found.margins) == 4242
    assert found.margins[0] / SAN_FRANCISCO.cast == pytest.approx(0.028923647570604505, rel=1e-14)


@pytest.mark.parametrize("difficulty", [comparison_difficulty, polling_difficulty])
def test_small_contests_by_brute_force(difficulty: module.Difficulty) -> None:
    draw, tried = random.Random(11), 0
    for _ in range(150):
        tally = random_tally(draw, draw.randint(2, 5))
        outcome = decide(InstantRunoff(), tally)
        if outcome.tied:
            continue
        tried += 1
        winner = outcome.elected[0]
        found = raire(tally, winner, difficulty=difficulty)
        assert found is not None
        assert found.difficulty == pytest.approx(least_greatest(tally, winner, difficulty), rel=1e-12)
        assert excluded(tally.options, winner, found.comparisons)
        hard = [difficulty(*votes(tally, each), tally.cast) for each in found.comparisons]
        assert max(hard) <= found.difficulty
        assert hard == sorted(hard, reverse=True)
        assert found.margins == tuple(own - other for own, other in (votes(tally, each) for each in found.comparisons))
    assert tried > 100


def test_no_assertion_is_unneeded() -> None:
    draw = random.Random(12)
    for _ in range(60):
        tally = random_tally(draw, 5)
        outcome = decide(InstantRunoff(), tally)
        if outcome.tied:
            continue
        found = raire(tally, outcome.elected[0])
        assert found is not None
        for each in found.comparisons:
            rest = tuple(other for other in found.comparisons if other != each)
            assert not excluded(5, outcome.elected[0], rest)


def test_open_orders_are_those_that_brute_force_finds() -> None:
    draw, found_open = random.Random(13), 0
    for _ in range(400):
        options = draw.randint(2, 5)
        some = tuple(draw.sample(every_comparison(options), draw.randint(0, 4 * options - 4)))
        orders = [order for order in permutations(range(options)) if not any(contradicts(each, order) for each in some)]
        winner = draw.randrange(options)
        found = open_orders(options, winner, some)
        assert found is not None
        assert {order[-1] for order in found} == {order[-1] for order in orders} - {winner}
        assert set(found) <= set(orders)
        found_open += len(found)
    assert found_open > 100


def test_what_is_not_the_only_winner_is_refused() -> None:
    tally = RankedTally(2, (((0,), 5), ((1,), 5)))
    with pytest.raises(AuditError, match="the only winner"):
        raire(tally, 0)
    with pytest.raises(AuditError, match="the only winner"):
        raire(GUIDE, 3)


def test_a_single_candidate_needs_nothing() -> None:
    found = raire(RankedTally(1, (((0,), 5),)), 0)
    assert found is not None
    assert (found.comparisons, found.difficulty) == ((), 0.0)


def test_more_ballots_than_can_be_added_up_are_refused() -> None:
    with pytest.raises(AuditError, match="more than can be added up"):
        raire(RankedTally(2, (((0,), 1 << 53), ((1,), 1))), 0)


def test_where_the_best_set_is_out_of_reach_another_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    draw, compromises = random.Random(14), 0
    for _ in range(120):
        tally = random_tally(draw, 5)
        outcome = decide(InstantRunoff(), tally)
        best = None if outcome.tied else raire(tally, outcome.elected[0])
        if best is None:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(module, "MAX_STEPS", 12)
            found = raire(tally, outcome.elected[0])
        if found is not None and not found.best:
            compromises += 1
            assert best.difficulty <= found.difficulty < float("inf")
            assert excluded(5, outcome.elected[0], found.comparisons)
    assert compromises > 5


def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STEPS", 1)
    assert raire(GUIDE, 2) is None
    monkeypatch.setattr(module, "MAX_SETS", 1)
    nobody_leaves_first = [Comparison(winner, (winner + 1) % 3, frozenset(range(3))) for winner in range(3)]
    assert open_orders(3, 0, nobody_leaves_first) is None


def test_many_candidates_few_of_whom_matter() -> None:
    draw = random.Random(15)
    weights = [1 / (1 + at) ** 2 for at in range(20)]
    made: dict[tuple[int, ...], int] = {}
    for _ in range(5000):
        ranking = tuple(dict.fromkeys(draw.choices(range(20), weights, k=4)))[:3]
        made[ranking] = made.get(ranking, 0) + 1
    tally = RankedTally(20, tuple(sorted(made.items())))
    winner = decide(InstantRunoff(), tally).elected[0]
    found = raire(tally, winner)
    assert found is not None
    assert found.best
    assert open_orders(20, winner, found.comparisons) == ()
