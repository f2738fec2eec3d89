"""How much the order of reporting would have to matter: bounds, the gamma that flips, the difference seen, and margins."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from partial_samples import lead, partial_count
from scrutineer.calls.call import NEVER
from scrutineer.calls.conditions import Condition, Measure
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sensitivity import Reweighting, greatest, holds, least, margin_bounds, sensitivity
from scrutineer.calls.strata import MIN_COUNTED, Strata
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

GAMMAS = [Fraction(1), Fraction(3, 2), Fraction(3), Fraction(1234, 100)]


def night(seed: int, regions: int = 3, stations: int = 60, open_share: float = 0.3, edge: float = 0.03) -> PartialCount:
    """A close race of three candidates whose regions differ, in a random order."""
    rng = np.random.default_rng(seed)
    number = regions * stations
    stratum = rng.integers(0, regions, number)
    roll = rng.integers(50, 400, number)
    first = np.clip(0.42 + edge + 0.1 * rng.normal(size=regions)[stratum] + 0.05 * rng.normal(size=number), 0.02, 0.7)
    second = np.clip(0.85 - first, 0, 1)
    turnout = roll * rng.uniform(0.4, 0.9, number)
    votes = np.stack([turnout * first, turnout * second, turnout * 0.1], axis=1).astype(np.int64)
    counted = rng.random(number) >= open_share
    arrival = rng.permutation(int(counted.sum()))
    return partial_count(votes.tolist(), roll.tolist(), stratum.tolist(), counted.tolist(), arrival=arrival.tolist())


def reference(partial: PartialCount, measure: Measure, gamma: Fraction) -> Fraction:
    """The least value by trying every cut of every stratum with fractions."""
    total = Fraction(measure.total)
    for number in range(len(partial.strata)):
        here = partial.stratum == number
        waiting = partial.open & here
        capacity = int(partial.capacity[waiting].sum())
        arithmetic = Fraction(measure.condition.worst * capacity)
        rows = np.flatnonzero(partial.counted & here).tolist()
        if len(rows) < MIN_COUNTED or not capacity:
            total += arithmetic
            continue
        expected = np.zeros(len(partial.counted), dtype=np.int64) if measure.expected is None else measure.expected
        parts = sorted(
            ((int(measure.values[row] - expected[row]), int(partial.capacity[row])) for row in rows),
            key=lambda part: Fraction(*part),
        )
        values, sizes = sum(value for value, _ in parts), sum(size for _, size in parts)
        lowest = Fraction(values, sizes)
        for value, size in parts:
            values, sizes = values + (gamma - 1) * value, sizes + (gamma - 1) * size
            lowest = min(lowest, Fraction(values) / Fraction(sizes))
        predicted = int(expected[waiting].sum()) + capacity * lowest
        total += min(max(arithmetic, predicted), measure.condition.best * capacity)
    return total


@pytest.mark.parametrize("seed", range(12))
def test_bounds_are_those_of_trying_every_cut(seed: int) -> None:
    partial = night(seed, regions=4, stations=45)
    measured = lead(partial)
    opposite = lead(partial, 1, 0)
    for gamma in GAMMAS:
        assert least(partial, measured, gamma) == reference(partial, measured, gamma)
        assert greatest(partial, measured, gamma) == -reference(partial, opposite, gamma)
        assert holds(partial, measured, gamma) == (reference(partial, measured, gamma) >= 1)


def test_bounds_with_a_baseline_are_those_of_trying_every_cut() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        partial = night(seed)
        partial = replace(partial, previous=rng.integers(0, 120, partial.votes.shape))
        for gamma in GAMMAS:
            assert least(partial, lead(partial), gamma) == reference(partial, lead(partial), gamma)


def test_the_truth_is_never_outside_where_the_open_stations_are_within_gamma() -> None:
    # Open stations are copies of counted ones, each of these one to three times: a reweighting within gamma = 3.
    rng = np.random.default_rng(21)
    attained = 0
    for _ in range(1500):
        counted = 2 * MIN_COUNTED
        roll = rng.integers(20, 200, counted)
        votes = np.stack([rng.binomial(roll, 0.3), rng.binomial(roll, 0.3)], axis=1)
        stratum = np.repeat([0, 1], MIN_COUNTED)
        ratios = (votes[:, 0] - votes[:, 1]) / roll
        # In a third of the draws the copies are those that are worst for the leader.
        middle = rng.normal(scale=0.1)
        worst = np.where(ratios < middle, 3, 1)
        copies = np.repeat(np.arange(counted), rng.integers(1, 4, counted) if rng.random() < 2 / 3 else worst)
        every = np.concatenate([np.arange(counted), copies])
        partial = partial_count(
            votes[every].tolist(), roll[every].tolist(), stratum[every].tolist(), (np.arange(len(every)) < counted).tolist()
        )
        truth = int((votes[every, 0] - votes[every, 1]).sum())
        given = Reweighting.of(Strata.of(partial), lead(partial))
        lowest, highest = given.least(Fraction(3)), given.greatest(Fraction(3))
        assert lowest is not None
        assert highest is not None
        assert lowest <= truth <= highest
        flips_at = given.flips_at()
        assert truth >= 1 or (flips_at is not NEVER and flips_at <= 300)
        attained += truth < lowest + (highest - lowest) / 50
    assert attained > 20


@pytest.mark.parametrize("seed", range(20))
def test_flips_at_is_the_first_hundredth_at_which_the_bound_falls_short(seed: int) -> None:
    partial = night(seed, edge=0.06)
    measured = lead(partial)
    flips_at = sensitivity(partial, measured).flips_at
    if flips_at is NEVER:
        assert holds(partial, measured, Fraction(10**9))
        return
    assert not holds(partial, measured, Fraction(flips_at, 100))
    assert flips_at == 100 or holds(partial, measured, Fraction(flips_at - 1, 100))


def test_bounds_widen_with_gamma_and_stay_within_the_arithmetic() -> None:
    for seed in range(20):
        partial = night(seed, stations=90)
        given = Reweighting.of(Strata.of(partial), lead(partial))
        assert given.strata.uncovered_names == ()
        lower = [given.least(gamma) for gamma in (*GAMMAS, Fraction(10**6))]
        upper = [given.greatest(gamma) for gamma in (*GAMMAS, Fraction(10**6))]
        assert lower == sorted(lower, key=lambda bound: -(bound or 0))
        assert upper == sorted(upper, key=lambda bound: bound or 0)
        total, capacity = given.measure.total, partial.open_ballots
        assert capacity is not None
        assert total - capacity <= (lower[-1] or 0) <= (lower[0] or 0) == (upper[0] or 0) <= (upper[-1] or 0) <= total + capacity


def test_the_order_of_the_rows_does_not_matter() -> None:
    for seed in range(20):
        partial = night(seed)
        rows = np.random.default_rng(seed).permutation(len(partial.counted))
        shuffled = replace(
            partial,
            **{
                name: getattr(partial, name)[rows]
                for name in ("votes", "others", "counted", "open", "arrival", "capacity", "stratum")
            },
        )
        assert sensitivity(partial, lead(partial)) == sensitivity(shuffled, lead(shuffled))
        assert least(partial, lead(partial), Fraction(3)) == least(shuffled, lead(shuffled), Fraction(3))


def test_a_baseline_of_zeros_is_no_baseline() -> None:
    for seed in range(10):
        partial = night(seed)
        zeros = replace(partial, previous=np.zeros_like(partial.votes))
        assert lead(zeros).expected is not None
        assert sensitivity(partial, lead(partial)) == sensitivity(zeros, lead(zeros))
        for gamma in GAMMAS:
            assert least(partial, lead(partial), gamma) == least(zeros, lead(zeros), gamma)


def test_a_baseline_that_was_right_leaves_nothing_to_reweight() -> None:
    rng = np.random.default_rng(3)
    votes = rng.integers(0, 40, (90, 2))
    counted = (np.arange(90) % 2 == 0).tolist()
    partial = partial_count(votes.tolist(), [100] * 90, [0] * 90, counted, previous=votes.tolist())
    truth = int((votes[:, 0] - votes[:, 1]).sum())
    assert least(partial, lead(partial), Fraction(100)) == greatest(partial, lead(partial), Fraction(100)) == truth
    assert sensitivity(partial, lead(partial)).flips_at == (NEVER if truth >= 1 else 100)
    assert sensitivity(partial, lead(partial)).seen == 100


def test_a_baseline_promises_no_more_ballots_than_there_is_room_for() -> None:
    previous = [[900, 0]] * 60
    partial = partial_count([[9, 1]] * 60, [10] * 60, [0] * 60, [True] * 40 + [False] * 20, previous=previous)
    assert greatest(partial, lead(partial), Fraction(5)) == 40 * 8 + 20 * 8
    # The residuals are -892 everywhere; with one station far better, what is predicted exceeds the capacity.
    better = partial_count(
        [[9, 1]] * 60, [10] * 60, [0] * 60, [True] * 40 + [False] * 20, previous=[[0, 0]] * 40 + [[90, 0]] * 20
    )
    assert least(better, lead(better), Fraction(1)) == greatest(better, lead(better), Fraction(1)) == 40 * 8 + 200


def test_a_stratum_with_too_little_counted_takes_the_arithmetic_bound() -> None:
    few = MIN_COUNTED - 1
    partial = partial_count([[5, 1]] * (few + 4), [10] * (few + 4), [0] * (few + 4), [True] * few + [False] * 4)
    assert least(partial, lead(partial), Fraction(1)) == 4 * few - 40
    assert greatest(partial, lead(partial), Fraction(1)) == 4 * few + 40
    assert sensitivity(partial, lead(partial)).uncovered == ("region 0",)
    assert sensitivity(partial, lead(partial)).flips_at is NEVER
    enough = partial_count([[5, 1]] * (few + 5), [10] * (few + 5), [0] * (few + 5), [True] * (few + 1) + [False] * 4)
    assert least(enough, lead(enough), Fraction(1)) == 4 * (few + 5)


def test_unknown_capacity_where_too_little_is_counted_is_unbounded() -> None:
    partial = partial_count([[5, 1]] * 6, [10] * 5 + [UNKNOWN], [0] * 6, [True] * 5 + [False])
    measured = lead(partial)
    assert least(partial, measured, Fraction(1)) is None
    assert greatest(partial, measured, Fraction(1)) is None
    assert not holds(partial, measured, Fraction(1))
    assert sensitivity(partial, measured).flips_at == 100
    assert margin_bounds(partial, 0, 1, Fraction(1)) is None
    # A form that no ballot can lower has a bound all the same.
    never_lowered = Measure(replace(measured.condition, weights=(1, 0)), measured.values, None)
    assert least(partial, never_lowered, Fraction(1)) == 20
    assert greatest(partial, never_lowered, Fraction(1)) is None


def test_unknown_capacity_where_enough_is_counted_reweights_stations_alike() -> None:
    votes = [[5, 1]] * 39 + [[0, 3]] + [[0, 0]] * 4
    partial = partial_count(votes, [10] * 43 + [UNKNOWN], [0] * 44, [True] * 40 + [False] * 4)
    total = 39 * 4 - 3
    assert least(partial, lead(partial), Fraction(1)) == total + Fraction(4 * total, 40)
    assert least(partial, lead(partial), Fraction(3)) == total + Fraction(4 * (39 * 4 - 9), 42)
    assert greatest(partial, lead(partial), Fraction(3)) == total + Fraction(4 * (3 * 39 * 4 - 3), 118)


def test_stations_without_a_roll_divide_nothing_by_zero() -> None:
    votes = [[5, 1]] * 40 + [[0, 2], [0, 0], [2, 0]] + [[0, 0]] * 2
    partial = partial_count(votes, [10] * 40 + [0, 0, 0] + [10, 0], [0] * 45, [True] * 43 + [False] * 2)
    assert least(partial, lead(partial), Fraction(1)) == 160 + Fraction(160 * 10, 400)
    assert least(partial, lead(partial), Fraction(3)) == 160 + Fraction((162 - 6) * 10, 400)
    assert least(partial, lead(partial), Fraction(10**9)) == 160 - 10
    assert greatest(partial, lead(partial), Fraction(10**9)) == 160 + 10
    assert sensitivity(partial, lead(partial)).flips_at is NEVER
    nobody = partial_count([[1, 0]] * 44, [0] * 44, [0] * 44, [True] * 40 + [False] * 4)
    assert least(nobody, lead(nobody), Fraction(3)) == 40
    assert sensitivity(nobody, lead(nobody)).seen == 100


def test_stations_out_of_the_count_take_no_part() -> None:
    counted, out = [True] * 40 + [False] * 10, [45, 46, 47, 48, 49]
    votes = [[5, 1]] * 50
    known = partial_count(votes, [10] * 50, [0] * 50, counted, out=out)
    unknown = partial_count(votes, [10] * 45 + [UNKNOWN] * 5, [0] * 50, counted, out=out)
    assert least(known, lead(known), Fraction(2)) == least(unknown, lead(unknown), Fraction(2)) == 180
    assert sensitivity(known, lead(known)) == sensitivity(unknown, lead(unknown))


def test_nothing_open_and_nothing_counted() -> None:
    done = partial_count([[5, 1]] * 3, [10] * 3, [0] * 3, [True] * 3)
    assert sensitivity(done, lead(done)).flips_at is NEVER
    assert sensitivity(done, lead(done, 1, 0)).flips_at == 100
    assert least(done, lead(done), Fraction(9)) == greatest(done, lead(done), Fraction(9)) == 12
    start = partial_count([[5, 1]] * 3, [10] * 3, [0] * 3, [False] * 3)
    assert sensitivity(start, lead(start)).seen == 100
    assert least(start, lead(start), Fraction(1)) == -30
    none = PartialCount(
        ("avocet", "bittern"),
        *(np.zeros(shape, dtype=np.int64) for shape in ((0, 2), (0,))),
        *(np.zeros(0, dtype=np.bool_) for _ in range(2)),
        *(np.zeros(0, dtype=kind) for kind in (np.int64, np.int64, np.int32)),
        strata=(),
    )
    assert sensitivity(none, lead(none)).flips_at == 100
    assert margin_bounds(none, 0, 1, Fraction(1)) is None
    assert margin_bounds(start, 0, 1, Fraction(1)) == (-100, 100)


@pytest.mark.parametrize("gamma", [Fraction(0), Fraction(99, 100), Fraction(-3)])
def test_a_gamma_below_one_means_nothing(gamma: Fraction) -> None:
    partial = night(1)
    for ask in (least, greatest, holds):
        with pytest.raises(CallError, match="at least 1"):
            ask(partial, lead(partial), gamma)


def test_a_baseline_with_more_votes_than_any_election() -> None:
    partial = night(1)
    previous = np.full_like(partial.votes, 1 << 55)
    previous[:, 1] = 0
    partial = replace(partial, previous=previous)
    with pytest.raises(CallError, match="more votes than any election"):
        sensitivity(partial, lead(partial))


def sized(values: list[int], counted: int) -> PartialCount:
    """One region, in which the first candidate leads by these values, station by station in order of arrival."""
    votes = [[max(value, 0), max(-value, 0)] for value in values]
    return partial_count(votes, [1000] * len(values), [0] * len(values), [row < counted for row in range(len(values))])


def test_an_order_by_the_result_itself_is_beyond_every_reweighting() -> None:
    rising = sized(list(range(400)), 400)
    falling = sized(list(range(400, 0, -1)), 400)
    assert sensitivity(rising, lead(rising)).seen is NEVER
    assert sensitivity(falling, lead(falling)).seen is NEVER


def test_the_difference_seen_is_the_same_in_either_direction() -> None:
    # Earlier stations are half +10 and half -10; later ones three quarters +10: three times as common.
    first, second = [10, -10] * 40, [10, 10, 10, -10] * 20
    up = sized(first + second, 160)
    down = sized([-value for value in first + second], 160)
    at_half = {Reweighting.of(Strata.of(each), lead(each))._split(80)[1] for each in (up, down)}  # type: ignore[index]
    assert at_half == {400, -400}
    assert sensitivity(up, lead(up)).seen == sensitivity(down, lead(down)).seen == 300


def reached(partial: PartialCount, measure: Measure, first: int, gamma: Fraction) -> bool:
    """Whether some reweighting of the stations that arrived first gives what the later ones of the same regions added."""
    lowest, highest, added = Fraction(0), Fraction(0), 0
    for number in range(len(partial.strata)):
        here = partial.counted & (partial.stratum == number)
        early, later = here & (partial.arrival < first), here & (partial.arrival >= first)
        size = int(partial.capacity[later].sum())
        if early.sum() < MIN_COUNTED or not size:
            continue
        added += int(measure.values[later].sum())
        rows = np.flatnonzero(early).tolist()
        parts = sorted(((int(measure.values[row]), int(partial.capacity[row])) for row in rows), key=lambda part: Fraction(*part))
        for sign, ordered in ((1, parts), (-1, parts[::-1])):
            values, sizes = sum(value for value, _ in parts), sum(size for _, size in parts)
            extreme = Fraction(values, sizes)
            for value, own in ordered:
                values, sizes = values + (gamma - 1) * value, sizes + (gamma - 1) * own
                extreme = sign * min(sign * extreme, sign * Fraction(values) / Fraction(sizes))
            if sign == 1:
                lowest += size * extreme
            else:
                highest += size * extreme
    return lowest <= added <= highest


def test_the_difference_seen_is_the_first_hundredth_that_explains_every_cut() -> None:
    above = 0
    for seed in range(25):
        partial = night(seed, stations=120)
        seen = sensitivity(partial, lead(partial)).seen
        assert seen is not NEVER
        cuts = [partial.counted_stations * part // 8 for part in range(1, 8)]
        assert all(reached(partial, lead(partial), cut, Fraction(seen, 100)) for cut in cuts)
        if seen > 100:
            above += 1
            assert not all(reached(partial, lead(partial), cut, Fraction(seen - 1, 100)) for cut in cuts)
    assert above > 20


def test_any_figures_give_bounds_that_fit_together() -> None:
    rng = np.random.default_rng(31)
    for _ in range(400):
        number, options = int(rng.integers(1, 150)), int(rng.integers(1, 4))
        counted = rng.random(number) < 0.8
        capacity = rng.integers(-1 if rng.random() < 0.3 else 0, [3, 1000, 1 << 32][rng.integers(0, 3)], number)
        votes = rng.integers(0, [2, 500, 1 << 30][rng.integers(0, 3)], (number, options))
        previous = rng.integers(0, 1 << 20, (number, options)).tolist() if rng.random() < 0.4 else None
        stratum = rng.integers(0, int(rng.integers(1, 4)), number)
        arrival = rng.permutation(int(counted.sum()))
        partial = partial_count(
            votes.tolist(), capacity.tolist(), stratum.tolist(), counted.tolist(), arrival=arrival.tolist(), previous=previous
        )
        weights = rng.integers(-(1 << int(rng.integers(1, 21))), 1 << int(rng.integers(1, 21)), options)
        form = Condition("any", 0, None, tuple(weights.tolist()), rest=0, need=int(rng.integers(-9, 10)))
        given = Reweighting.of(Strata.of(partial), Measure(form, form.values(partial), form.expected(partial)))
        gamma = Fraction(int(rng.integers(100, 100_00)), 100)
        lowest, highest, found = given.least(gamma), given.greatest(gamma), given.sensitivity()
        assert given.holds(gamma) == (lowest is not None and lowest >= form.need)
        if lowest is None:
            assert found.flips_at == 100
            continue
        assert (found.flips_at is not NEVER and found.flips_at <= 100 * gamma) == (lowest < form.need)
        assert highest is None or lowest <= highest
        if not bool(((capacity == UNKNOWN) | (capacity == 0)).any()):
            assert lowest == reference(partial, given.measure, gamma)


def test_too_little_to_compare_shows_no_difference() -> None:
    partial = sized([10] * MIN_COUNTED + [-10], MIN_COUNTED + 1)
    assert sensitivity(partial, lead(partial)).seen == 100


def test_a_random_order_shows_little_difference() -> None:
    seen = []
    for seed in range(40):
        partial = night(seed, regions=5, stations=2000)
        seen.append(sensitivity(partial, lead(partial)).seen or 10**6)
    assert max(seen) < 160
    assert sum(seen) / len(seen) < 125
    small = [sensitivity(partial, lead(partial)).seen or 10**6 for partial in (night(seed, stations=100) for seed in range(40))]
    assert sum(small) > sum(seen)


def test_margins_hold_what_every_reweighting_gives() -> None:
    for seed in range(6):
        partial = night(seed)
        bounds = margin_bounds(partial, 0, 1, Fraction(1))
        assert bounds is not None
        low, high = bounds
        a, b, c = (Fraction(0),) * 3
        totals = np.array(partial.totals, dtype=object) + Fraction(0)
        for number in range(3):
            here = (partial.stratum == number) & partial.counted
            size = int(partial.capacity[(partial.stratum == number) & partial.open].sum())
            totals = totals + partial.votes[here].sum(axis=0).astype(object) * Fraction(size, int(partial.capacity[here].sum()))
        a, b, c = totals
        margin = 100 * (a - b) / (a + b + c)
        assert low <= margin <= high <= low + Fraction(3, 1000)
        wider = margin_bounds(partial, 0, 1, Fraction(2))
        assert wider is not None
        assert wider[0] < low
        assert wider[1] > high
        other = margin_bounds(partial, 1, 0, Fraction(2))
        assert other == (-wider[1], -wider[0])
