"""The least total under reweighting, against every extreme choice of weights, and its search over gammas."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from scrutineer.calls.extremes import ONE, Extremes, SortedStations, by_ratio

Stratum = list[tuple[int, int]]
"""Value and size of each station."""


def extremes(
    strata: list[Stratum],
    open_sizes: list[int],
    shift: list[int] | None = None,
    limits: list[tuple[int, int] | None] | None = None,
    base: int = 0,
) -> Extremes:
    values = np.array([value for stations in strata for value, _ in stations], dtype=np.int64)
    sizes = np.array([size for stations in strata for _, size in stations], dtype=np.int64)
    counts = np.array([len(stations) for stations in strata], dtype=np.int64)
    order = by_ratio(values, sizes, np.repeat(np.arange(len(strata)), counts))
    ends = np.cumsum(counts)
    given = limits or [None] * len(strata)
    return Extremes(
        SortedStations.of(values[order], sizes[order]),
        ends - counts,
        ends,
        np.array(open_sizes, dtype=np.int64),
        shift=np.array(shift or [0] * len(strata), dtype=np.int64),
        limits=(
            np.array([limit[0] if limit else 0 for limit in given], dtype=np.int64),
            np.array([limit[1] if limit else 0 for limit in given], dtype=np.int64),
            np.array([limit is not None for limit in given]),
        ),
        base=base,
    )


def ratio(stations: Stratum, weights: tuple[Fraction, ...]) -> Fraction:
    above = sum((weight * value for weight, (value, _) in zip(weights, stations, strict=True)), Fraction(0))
    below = sum((weight * size for weight, (_, size) in zip(weights, stations, strict=True)), Fraction(0))
    return above / below


def draw(rng: np.random.Generator, most: int = 6) -> Stratum:
    while True:
        stations = [
            (int(value), int(size))
            for value, size in zip(rng.integers(-6, 7, most), rng.integers(0, 6, most), strict=True)
            if value or size
        ][: int(rng.integers(1, most + 1))]
        if any(size for _, size in stations):
            return stations


def test_no_choice_of_weights_goes_lower_and_one_attains_it() -> None:
    rng = np.random.default_rng(11)
    for _ in range(600):
        strata = [draw(rng) for _ in range(int(rng.integers(1, 4)))]
        sizes = rng.integers(0, 50, len(strata)).tolist()
        shift = rng.integers(-9, 10, len(strata)).tolist()
        base = int(rng.integers(-20, 21))
        gamma = 1 + Fraction(int(rng.integers(0, 40)), int(rng.integers(1, 12)))
        expected = Fraction(base)
        for stations, size, constant in zip(strata, sizes, shift, strict=True):
            choices = product((Fraction(1), gamma), repeat=len(stations))
            expected += constant + size * min(ratio(stations, weights) for weights in choices)
            between = tuple(1 + (gamma - 1) * Fraction(int(part), 7) for part in rng.integers(0, 8, len(stations)))
            alone = extremes([stations], [1]).least(gamma)
            assert ratio(stations, between) >= alone
        built = extremes(strata, sizes, shift, base=base)
        assert built.least(gamma) == expected
        for target in (expected.__floor__(), expected.__ceil__(), expected.__floor__() - 1, expected.__ceil__() + 1):
            assert built.compare(gamma, target) == (expected > target) - (expected < target)


def test_mirrored_gives_minus_the_greatest() -> None:
    rng = np.random.default_rng(12)
    for _ in range(300):
        stations, size, constant = draw(rng), int(rng.integers(0, 30)), int(rng.integers(-5, 6))
        gamma = Fraction(int(rng.integers(100, 900)), 100)
        choices = product((Fraction(1), gamma), repeat=len(stations))
        greatest = constant + size * max(ratio(stations, weights) for weights in choices)
        built = extremes([stations], [size], [constant])
        assert -built.mirrored().least(gamma) == greatest
        assert built.mirrored().mirrored().least(gamma) == built.least(gamma)


def test_predictions_stay_within_the_limits() -> None:
    stations = [(-5, 10), (0, 10), (9, 10)]
    assert extremes([stations], [100]).least(Fraction(10**9)) < -49
    assert extremes([stations], [100], limits=[(-30, 30)]).least(Fraction(10**9)) == -30
    assert extremes([stations], [100], [200], limits=[(-30, 30)]).least(Fraction(1)) == 30
    assert extremes([stations], [100], limits=[(-30, 30)], base=7).mirrored().least(Fraction(10**9)) == -37
    # A station of size 0 can outweigh all the others: only the limit stops it.
    assert extremes([[(-1, 0), (5, 10)]], [10]).least(Fraction(1000)) == -995
    assert extremes([[(-1, 0), (5, 10)]], [10], limits=[(-10, 10)]).compare_limit(-10) == 0
    assert extremes([[(-1, 0), (5, 10)]], [10]).compare_limit(-(10**15)) == -1


def test_first_is_the_smallest_gamma_in_hundredths() -> None:
    rng = np.random.default_rng(13)
    found = 0
    for _ in range(1500):
        strata = [draw(rng) for _ in range(int(rng.integers(1, 4)))]
        built = extremes(strata, rng.integers(1, 50, len(strata)).tolist())
        target, ties = int(rng.integers(-60, 40)), bool(rng.integers(0, 2))
        first = built.first(target, ties=ties)
        if first is None:
            assert built.compare(Fraction(10**7), target) > (0 if ties else -1)
            assert built.compare_limit(target) >= 0
            continue
        most = 0 if ties else -1
        assert built.compare(Fraction(first, 100), target) <= most
        if first > ONE:
            found += 1
            assert built.compare(Fraction(first - 1, 100), target) > most
            assert built.first(target, ties=ties, start=first) == first
            assert built.first(target, ties=ties, start=first + 5) == first + 5
    assert found > 200


def test_first_beyond_any_gamma_in_use() -> None:
    built = extremes([[(-1, 1), (10**6, 1)]], [1])
    # (g x -1 + 10^6) / (g + 1) < 0 from g = 10^6 on, strictly one hundredth later.
    assert built.first(0, ties=True) == 10**8
    assert built.first(0, ties=False) == 10**8 + 1
    assert built.first(-1, ties=True) is None


def test_least_falls_with_gamma_and_tends_to_the_smallest_ratio() -> None:
    rng = np.random.default_rng(14)
    for _ in range(200):
        stations = [(int(value), int(size)) for value, size in zip(rng.integers(-99, 99, 9), rng.integers(1, 50, 9), strict=True)]
        built = extremes([stations], [1])
        bounds = [built.least(Fraction(hundredths, 100)) for hundredths in (100, 101, 150, 300, 1000, 10**12)]
        assert bounds == sorted(bounds, reverse=True)
        smallest = min(Fraction(value, size) for value, size in stations)
        assert smallest <= bounds[-1] < smallest + Fraction(1, 1000)


@pytest.mark.parametrize("scale", [1, 1 << 20, 1 << 30])
def test_figures_of_any_size_are_exact(scale: int) -> None:
    rng = np.random.default_rng(15)
    for _ in range(60):
        stations = [
            (int(value) * scale + int(rest), int(size) * min(scale, 1 << 30) + 1)
            for value, rest, size in zip(rng.integers(-99, 99, 6), rng.integers(0, 3, 6), rng.integers(0, 99, 6), strict=True)
        ]
        gamma = Fraction(int(rng.integers(10**9, 10**10)), 10**9)
        choices = product((Fraction(1), gamma), repeat=len(stations))
        expected = 10**6 * min(ratio(stations, weights) for weights in choices)
        built = extremes([stations], [10**6])
        assert built.least(gamma) == expected
        assert built.compare(gamma, expected.__floor__()) == (1 if expected.denominator > 1 else 0)


def test_ratios_that_differ_by_less_than_floating_point_shows_are_told_apart() -> None:
    size = (1 << 31) + 11
    values = np.array([size + 1, size + 2, 3], dtype=np.int64)
    sizes = np.array([size, size + 1, 3], dtype=np.int64)
    assert values[0] / sizes[0] == values[1] / sizes[1]
    assert by_ratio(values, sizes, np.zeros(3, dtype=np.int64)).tolist() == [2, 1, 0]


def test_comparisons_that_only_fractions_decide() -> None:
    # Thirds add up to a whole number, which no number of binary places shows.
    thirds = extremes([[(1, 3)]] * 3, [1, 1, 1])
    assert thirds.compare(Fraction(2), 1) == 0
    assert thirds.first(1, ties=True) == ONE
    assert thirds.first(1, ties=False) is None
    close = extremes([[(1, 3)], [(1, 3)], [((1 << 38) // 3 + 1, 1 << 38)]], [1, 1, 1])
    assert close.compare(Fraction(1), 1) == 1
    assert close.compare(Fraction(1), 2) == -1
