"""Nights: final counts out of every source, partial counts that agree with them, and orders that are what they say."""

from collections.abc import Callable

import numpy as np
import pytest

from scrutineer.election import UNKNOWN
from scrutineer.election.layout import load_layout
from scrutineer.election.layout_reader import read_published
from scrutineer.errors import UsageError
from scrutineer.simulate import simulate_republic
from scrutineer.simulate.nights import (
    FinalCount,
    Night,
    final_of_arrays,
    final_of_published,
    final_of_simulation,
    group_order,
    noisy_stations_first,
    random_order,
    recorded_order,
    region_blocks,
    regions_first,
    size_biased_order,
    stations_first,
)
from shared_data import shared

Order = Callable[[FinalCount, np.random.Generator], np.ndarray]

ORDERS: dict[str, Order] = {
    "random": random_order,
    "small first": lambda final, rng: size_biased_order(final, rng),
    "large first": lambda final, rng: size_biased_order(final, rng, first="large", noise=0.0),
    "region blocks": region_blocks,
    "regions first": lambda final, rng: regions_first(final, 1, rng),
    "stations first": lambda final, rng: stations_first(final, 1),
    "mostly stations first": lambda final, rng: noisy_stations_first(final, 1, 0.7, rng),
}


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def final() -> FinalCount:
    return final_of_simulation(simulate_republic(600, 4))


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_is_a_night_and_follows_from_its_seed(final: FinalCount, name: str) -> None:
    order = ORDERS[name](final, rng(3))
    assert np.array_equal(order, ORDERS[name](final, rng(3)))
    partial = Night(final, order).partial(len(order))
    assert partial.totals == final.totals
    assert partial.open_stations == 0


def test_a_partial_count_knows_what_was_reported_and_no_more(final: FinalCount) -> None:
    order = random_order(final, rng())
    partial = Night(final, order).partial(100)
    assert np.array_equal(partial.in_order(), order[:100])
    assert partial.totals == tuple(final.votes[order[:100]].sum(axis=0).tolist())
    assert int(partial.others.sum()) == int(final.others[order[:100]].sum())
    assert partial.open_stations == 500
    assert partial.open_ballots == int(final.capacity[order[100:]].sum())


def test_looks_are_at_percentages_rounded_up(final: FinalCount) -> None:
    night = Night(final, random_order(final, rng()))
    assert [partial.counted_stations for partial in night.looks([0, 1, 50, 100])] == [0, 6, 300, 600]
    small = Night(final_of_arrays(np.ones((7, 2), dtype=np.int64)), np.arange(7))
    assert [partial.counted_stations for partial in small.looks([1, 50, 99])] == [1, 4, 7]


def test_size_decides_the_order_by_size(final: FinalCount) -> None:
    exact = final.ballots[size_biased_order(final, rng(), noise=0.0)]
    assert bool((np.diff(exact) >= 0).all())
    assert bool((np.diff(final.ballots[size_biased_order(final, rng(), first="large", noise=0.0)]) <= 0).all())
    noisy = final.ballots[size_biased_order(final, rng(), noise=0.5)]
    assert float(noisy[:300].mean()) < float(noisy[300:].mean())
    assert not bool((np.diff(noisy) >= 0).all())


def test_blocks_report_one_stratum_after_the_other(final: FinalCount) -> None:
    for order in (region_blocks(final, rng()), regions_first(final, 0, rng())):
        changes = int((np.diff(final.stratum[order]) != 0).sum())
        assert changes == len(final.strata) - 1
    starts = {int(final.stratum[region_blocks(final, rng(seed))[0]]) for seed in range(40)}
    assert len(starts) > 3


def test_the_best_region_of_a_candidate_comes_first(final: FinalCount) -> None:
    order = regions_first(final, 2, rng())
    in_order = list(dict.fromkeys(final.stratum[order].tolist()))
    shares = [final.votes[final.stratum == s, 2].sum() / final.votes[final.stratum == s].sum() for s in in_order]
    assert shares == sorted(shares, reverse=True)


def test_the_best_stations_of_a_candidate_come_first_strictly_or_mostly(final: FinalCount) -> None:
    share = final.votes[:, 1] / final.votes.sum(axis=1)
    assert bool((np.diff(share[stations_first(final, 1)]) <= 0).all())
    assert np.array_equal(share[noisy_stations_first(final, 1, 1.0, rng())], share[stations_first(final, 1)])
    ranks = np.arange(600)
    correlations = [
        -float(np.corrcoef(ranks, share[noisy_stations_first(final, 1, strength, rng())])[0, 1]) for strength in (0.0, 0.5, 0.9)
    ]
    assert abs(correlations[0]) < 0.15
    assert correlations[0] < correlations[1] < correlations[2] < 1
    with pytest.raises(UsageError, match="from 0 to 1"):
        noisy_stations_first(final, 1, 1.5, rng())


def test_random_order_puts_every_station_everywhere() -> None:
    final = final_of_arrays(np.ones((4, 1), dtype=np.int64))
    generator = rng()
    places = np.array([np.argsort(random_order(final, generator)) for _ in range(4_000)])
    frequency = np.array([np.bincount(places[:, station], minlength=4) for station in range(4)]) / 4_000
    assert bool((abs(frequency - 0.25) < 0.04).all())


def test_recorded_times_and_groups() -> None:
    assert recorded_order(np.array([30, UNKNOWN, 10, 30, 20])).tolist() == [2, 4, 0, 3, 1]
    group = np.array([2, 1, 1, 3, 1])
    order = group_order(group, rng())
    assert group[order].tolist() == [1, 1, 1, 2, 3]
    assert len({tuple(group_order(group, rng(seed)).tolist()) for seed in range(50)}) == 6


def test_a_night_needs_every_station_once(final: FinalCount) -> None:
    for order in (np.arange(599), np.zeros(600, dtype=np.int64), np.arange(1, 601)):
        with pytest.raises(UsageError, match="every one of its 600 stations once"):
            Night(final, order)
    for stations in (-1, 601):
        with pytest.raises(UsageError, match="cannot have"):
            Night(final, np.arange(600)).partial(stations)


def test_arrays_without_more_are_one_stratum_of_unknown_capacity() -> None:
    final = final_of_arrays(np.array([[3, 4], [5, 6]]))
    assert final.strata == ("s0",)
    assert final.capacity.tolist() == [UNKNOWN, UNKNOWN]
    assert final.totals == (8, 10)
    assert final.ranking == (1, 0)
    assert Night(final, np.array([1, 0])).partial(1).open_ballots is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"votes": np.array([1, 2])}, "one row for each station"),
        ({"votes": np.zeros((0, 2), dtype=np.int64)}, "no station"),
        ({"votes": np.array([[1, -2]])}, "below zero"),
        ({"votes": np.array([[1, 2]]), "others": np.array([1, 2])}, "others has the shape"),
        ({"votes": np.array([[1, 2]]), "previous": np.array([[1]])}, "previous has the shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arguments: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        final_of_arrays(**arguments)


def test_a_simulated_count_is_what_was_cast() -> None:
    simulation = simulate_republic(300, 2, contests="all", alliances=True)
    final = final_of_simulation(simulation)
    assert sum(final.totals) == sum(simulation.truth.contests[0].votes)
    assert int(final.others.sum()) == simulation.truth.contests[0].blank + simulation.truth.contests[0].null
    assert bool((final.capacity >= final.ballots).all())
    units = simulation.units
    assert final.strata == tuple(units.names[units.position(region)] for region in simulation.places.region_ids)
    assert np.array_equal(final.stratum, simulation.places.region)
    assert len(final_of_simulation(simulation, 0).strata) == 1
    deepest = final_of_simulation(simulation, 9)
    assert len(deepest.strata) == simulation.units.kinds.count("centre")
    ranked = [number for number, contest in enumerate(simulation.contests) if contest.rule == "ranked"]
    with pytest.raises(UsageError, match="is ranked"):
        final_of_simulation(simulation, contest=ranked[0])
    with pytest.raises(UsageError, match="strata at depth -1"):
        final_of_simulation(simulation, -1)


def test_a_baseline_is_near_the_result_and_as_far_as_asked() -> None:
    final = final_of_simulation(simulate_republic(600, 4))
    same = final.with_baseline(rng(), swing=0.0, noise=0.0, turnout=0.0)
    assert same.previous is not None
    large = final.votes >= 5
    assert bool((abs(same.previous - final.votes)[large] <= 5).all())
    distances = []
    for size in (0.05, 0.2, 0.5):
        other = final.with_baseline(rng(), swing=size, noise=size)
        assert other.previous is not None
        assert bool((other.previous >= 0).all())
        share = other.previous / other.previous.sum(axis=1, keepdims=True)
        distances.append(float(abs(share - final.votes / final.votes.sum(axis=1, keepdims=True)).mean()))
    assert distances == sorted(distances)
    partial = Night(other, np.arange(600)).partial(10)
    assert partial.previous is other.previous


def test_a_thinned_count_is_a_sample_of_its_stations(final: FinalCount) -> None:
    thin = final.with_baseline(rng()).thinned(100, rng())
    assert len(thin.votes) == len(thin.capacity) == len(thin.stratum) == 100
    assert thin.previous is not None
    assert len(thin.previous) == 100
    rows = {tuple(row) for row in final.votes.tolist()}
    assert all(tuple(row) in rows for row in thin.votes.tolist())
    assert final.thinned(600, rng()) is final


@pytest.mark.data
def test_a_published_set_keeps_its_sums_rolls_strata_and_times() -> None:
    bolivia = read_published(shared("bolivia-2019/computo_final.csv"), load_layout("bolivia-2019-computo"))
    final = final_of_published(bolivia, 2)
    totals = dict(zip(final.candidates, final.totals, strict=True))
    assert (totals["CC"], totals["MAS-IPSP"], sum(final.totals)) == (2_240_920, 2_889_359, 6_137_671)
    assert len(final.votes) == len(final.stations) == 34_555
    assert final.left_out == 0
    assert final.times is None
    assert int(final.capacity.sum()) == 7_315_364
    departments = {"Beni", "Chuquisaca", "Cochabamba", "La Paz", "Oruro", "Pando", "Potosí", "Santa Cruz", "Tarija"}
    assert departments < set(final.strata)
    assert bool((np.bincount(final.stratum) > 0).all())

    mexico = read_published(shared("mexico-2018-quickcount/REMESAS0100020000.txt"), load_layout("mexico-2018-quickcount"))
    final = final_of_published(mexico, 1)
    assert final.times is not None
    night = Night(final, recorded_order(final.times))
    assert bool((np.diff(final.times[night.order]) >= 0).all())
    unknown = final.capacity == UNKNOWN
    assert 0 < int(unknown.sum()) < 100
    votes_based = final_of_published(mexico, 1, capacity="votes", factor=1.5)
    assert votes_based.capacity_source == "votes"
    assert np.array_equal(votes_based.capacity[unknown], np.ceil(1.5 * final.ballots[unknown]))
    assert np.array_equal(votes_based.capacity[~unknown], final.capacity[~unknown])
