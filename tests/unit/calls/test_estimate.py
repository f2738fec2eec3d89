"""Estimates with intervals: their guarantee over seeded nights in every order of reporting, and their edges."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.estimate import Interval, Population, estimate, estimate_form
from scrutineer.calls.extrapolation import normal_quantile, student
from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError
from scrutineer.simulate import simulate_republic
from scrutineer.simulate.nights import (
    FinalCount,
    Night,
    final_of_arrays,
    final_of_simulation,
    noisy_stations_first,
    random_order,
    region_blocks,
    regions_first,
    size_biased_order,
    stations_first,
)

SHARES = (10, 25, 50, 80)
NIGHTS = 60
ORDERS: dict[str, Callable[[FinalCount, np.random.Generator], np.ndarray]] = {
    "random": random_order,
    "small first": lambda final, rng: size_biased_order(final, rng, first="small"),
    "large first": lambda final, rng: size_biased_order(final, rng, first="large"),
    "region blocks": region_blocks,
    "rival's regions first": lambda final, rng: regions_first(final, final.ranking[1], rng),
    "rival's stations first": lambda final, _: stations_first(final, final.ranking[1]),
    "rival's stations first, noisy": lambda final, rng: noisy_stations_first(final, final.ranking[1], 0.5, rng),
    "leader's stations first": lambda final, _: stations_first(final, final.ranking[0]),
}
LEAD = Condition("lead:A:B", 0, 1, (1, -1, 0, 0), 0, 1)


def country(rng: np.random.Generator, stations: int = 800, regions: int = 12) -> FinalCount:
    """Regions lean; small stations lean to the second candidate and vote more; neighbours differ."""
    region = np.sort(rng.integers(0, regions, stations))
    remote = rng.random(stations)
    roll = (150 + 700 * (1 - remote) * rng.random(stations) + 100 * rng.random(stations)).astype(np.int64)
    lean = np.array([0.1, 0.0, -1.0, -1.8]) + rng.normal(0, 0.3, (regions, 4))[region] + rng.normal(0, 0.25, (stations, 4))
    lean[:, 1] += 0.4 * remote
    shares = np.exp(lean)
    turnout = np.clip(0.6 + 0.08 * remote + rng.normal(0, 0.03, regions)[region] + rng.normal(0, 0.05, stations), 0.3, 0.95)
    ballots = rng.binomial(roll, turnout)
    others = rng.binomial(ballots, 0.02)
    votes = rng.multinomial(ballots - others, shares / shares.sum(axis=1, keepdims=True))
    return final_of_arrays(votes, others=others, capacity=roll, stratum=region)


def even(stations: int, counted: int, strata: int = 2) -> PartialCount:
    """Strata whose stations are all alike: 60 and 20 votes in the first, 20 and 60 in the others, of 100 on the roll."""
    stratum = np.arange(stations) % strata
    votes = np.where((stratum == 0)[:, np.newaxis], [60, 20], [20, 60])
    final = final_of_arrays(votes, capacity=np.full(stations, 100), stratum=stratum)
    return Night(final, np.arange(stations)).partial(counted)


@pytest.mark.parametrize("baseline", [False, True], ids=["alone", "with a baseline"])
def test_intervals_cover_in_every_order_at_every_share(baseline: bool) -> None:
    nights = NIGHTS // 2 if baseline else NIGHTS
    covered = {(name, share): np.zeros(5) for name in ORDERS for share in SHARES}
    for seed in range(nights):
        rng = np.random.default_rng([seed, 90])
        final = country(rng)
        final = final.with_baseline(rng) if baseline else final
        totals = final.totals
        valid = sum(totals)
        for name, order in ORDERS.items():
            for share, partial in zip(SHARES, Night(final, order(final, rng)).looks(SHARES), strict=True):
                found, lead = estimate(partial), estimate_form(partial, measure(LEAD, partial))
                assert found is not None
                assert lead is not None
                covered[name, share] += [
                    found.votes[0].covers(totals[0]),
                    found.votes[1].covers(totals[1]),
                    found.shares[0].covers(totals[0] / valid),
                    lead.value.covers(totals[0] - totals[1]),
                    lead.share.covers((totals[0] - totals[1]) / valid),
                ]
    # What a true coverage of 0.88 would fall below in one of a thousand cells.
    least = 0.88 * nights - 3.1 * math.sqrt(0.88 * 0.12 * nights)
    assert {cell: many.tolist() for cell, many in covered.items() if many.min() < least} == {}


def test_intervals_are_narrow_at_80_percent_in_random_order() -> None:
    final = final_of_simulation(simulate_republic(3_000, 7))
    first, second = final.ranking[:2]
    widths = []
    for seed in range(20):
        found = estimate(next(Night(final, random_order(final, np.random.default_rng(seed))).looks((80,))))
        assert found is not None
        widths.append([100 * found.votes[place].width / final.totals[place] for place in (first, second)])
    assert np.mean(widths, axis=0).max() <= 2.0


def test_a_baseline_narrows_the_intervals() -> None:
    rng = np.random.default_rng(3)
    final = country(rng).with_baseline(rng)
    alone = final_of_arrays(final.votes, others=final.others, capacity=final.capacity, stratum=final.stratum)
    order = random_order(final, rng)
    for share in (25, 50, 80):
        with_baseline, without = (estimate(next(Night(of, order).looks((share,)))) for of in (final, alone))
        assert with_baseline is not None
        assert without is not None
        assert (with_baseline.baseline, without.baseline) == (True, False)
        assert with_baseline.votes[0].width < without.votes[0].width


def test_stations_that_are_alike_are_extrapolated_exactly() -> None:
    found = estimate(even(200, 100))
    assert found is not None
    assert [votes.point for votes in found.votes] == pytest.approx([8_000, 8_000])
    assert [share.point for share in found.shares] == pytest.approx([0.5, 0.5])
    assert found.total.point == pytest.approx(16_000)


def test_nothing_counted_gives_no_estimate() -> None:
    partial = even(10, 0)
    assert estimate(partial) is None
    assert estimate_form(partial, measure(Condition("lead:A:B", 0, 1, (1, -1), 0, 1), partial)) is None


def test_everything_counted_gives_the_totals() -> None:
    final = country(np.random.default_rng(5))
    partial = Night(final, random_order(final, np.random.default_rng(6))).partial(len(final.votes))
    found, lead = estimate(partial), estimate_form(partial, measure(LEAD, partial))
    assert found is not None
    assert lead is not None
    assert [(votes.low, votes.point, votes.high) for votes in found.votes] == [(votes,) * 3 for votes in final.totals]
    assert all(share.width == 0 for share in found.shares)
    assert lead.value == Interval(*(float(final.totals[0] - final.totals[1]),) * 3)


def test_one_counted_station_says_little() -> None:
    found = estimate(even(50, 1, strata=1))
    assert found is not None
    assert found.votes[0].low <= 1_000
    assert found.votes[0].high >= 4_000


def test_one_stratum_and_one_station_in_each() -> None:
    for partial in (even(40, 20, strata=1), even(40, 20, strata=40)):
        found = estimate(partial)
        assert found is not None
        assert all(votes.width > 0 for votes in found.votes)


def test_stations_stand_in_for_unknown_rolls() -> None:
    votes = np.tile([[30, 20]], (40, 1))
    for capacity in (np.full(40, UNKNOWN), np.where(np.arange(40) < 5, UNKNOWN, 100)):
        found = estimate(Night(final_of_arrays(votes, capacity=capacity), np.arange(40)).partial(30))
        assert found is not None
        assert found.by_stations
        assert [interval.point for interval in found.votes] == pytest.approx([1_200, 800])


def test_a_higher_level_and_more_intervals_at_once_are_wider() -> None:
    final = country(np.random.default_rng(8))
    partial = Night(final, random_order(final, np.random.default_rng(9))).partial(400)
    settings = [(Fraction(1, 2), 1), (Fraction(7, 10), 1), (Fraction(9, 10), 1), (Fraction(9, 10), 4), (Fraction(99, 100), 4)]
    found = [estimate(partial, level, simultaneous=many) for level, many in settings]
    widths = [one.votes[0].width for one in found if one is not None]
    assert widths == sorted(widths)
    assert len(set(widths)) == len(settings)


def test_the_same_count_gives_the_same_estimate() -> None:
    final = country(np.random.default_rng(10))
    partial = Night(final, random_order(final, np.random.default_rng(11))).partial(300)
    assert estimate(partial) == estimate(partial)


def test_a_sample_stands_for_its_country() -> None:
    # The first stratum has nine times as many voters as the second, although as many of its stations were drawn.
    partial = even(80, 80)
    found = estimate(partial, population=Population(np.array([360_000, 40_000])))
    assert found is not None
    assert found.shares[0].point == pytest.approx((0.9 * 60 + 0.1 * 20) / 80)
    assert found.shares[0].width > 0
    assert found.total.point == pytest.approx(320_000)


def test_shares_of_ballots_cast() -> None:
    votes, others = np.tile([[30, 20]], (40, 1)), np.full(40, 10)
    partial = Night(final_of_arrays(votes, others=others, capacity=np.full(40, 100)), np.arange(40)).partial(20)
    found = estimate(partial, base="cast")
    assert found is not None
    assert found.shares[0].point == pytest.approx(0.5)
    assert found.total.point == pytest.approx(2_400)


def test_a_form_may_weigh_blank_ballots() -> None:
    votes, others = np.tile([[30, 20]], (40, 1)), np.full(40, 10)
    partial = Night(final_of_arrays(votes, others=others, capacity=np.full(40, 100)), np.arange(40)).partial(20)
    found = estimate_form(partial, measure(Condition("above:A", 0, None, (1, -1), -1, 1), partial))
    assert found is not None
    assert found.value.point == pytest.approx(0, abs=1e-6)
    assert found.value.low < 0 < found.value.high


@pytest.mark.parametrize(("low", "point", "high"), [(2, 1, 3), (0, 2, 1), (0, math.nan, 1), (-math.inf, 0, 1), (0, 0, math.inf)])
def test_an_interval_refuses_what_it_cannot_be(low: float, point: float, high: float) -> None:
    with pytest.raises(CallError, match="interval"):
        Interval(low, point, high)


def test_what_cannot_be_estimated_is_refused() -> None:
    partial = even(10, 5)
    for level in (Fraction(0), Fraction(1), Fraction(-1, 2), Fraction(3, 2)):
        with pytest.raises(CallError, match="between 0 and 1"):
            estimate(partial, level)
    with pytest.raises(CallError, match="simultaneous"):
        estimate(partial, simultaneous=0)
    with pytest.raises(CallError, match="give one for each"):
        estimate(partial, population=Population(np.array([1_000])))
    with pytest.raises(CallError, match="at least 0"):
        Population(np.array([-1, 5]))
    with pytest.raises(CallError, match="same contest"):
        estimate_form(partial, measure(LEAD, even_of_four()))


def even_of_four() -> PartialCount:
    final = final_of_arrays(np.tile([[1, 2, 3, 4]], (4, 1)), capacity=np.full(4, 20))
    return Night(final, np.arange(4)).partial(2)


def test_quantiles() -> None:
    # Tables of Student's t (95 % and 99.5 %), and of the normal distribution.
    known = {(0.95, 2): 2.920, (0.95, 3): 2.353, (0.95, 5): 2.015, (0.95, 30): 1.697, (0.995, 5): 4.032, (0.995, 30): 2.750}
    for (p, df), quantile in known.items():
        assert student(p, df) == pytest.approx(quantile, rel=0.02)
    p = np.array([0.001, 0.025, 0.5, 0.9, 0.975])
    assert normal_quantile(p) == pytest.approx([-3.090, -1.960, 0, 1.2816, 1.960], abs=0.01)
