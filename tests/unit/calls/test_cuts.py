"""Proofs about cuts of the order of arrival: never one that exact comparison refutes, and seldom one that is missed."""

from fractions import Fraction

import numpy as np

from scrutineer.calls.cuts import Cells, CutSums
from scrutineer.calls.extremes import Extremes, SortedStations, by_ratio

PARTS, STRATA = 4, 3


def drawn(seed: int) -> tuple[SortedStations, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Stations by stratum and ratio, where each stratum starts and ends, and the stratum and part of each station."""
    rng = np.random.default_rng(seed)
    number = int(rng.integers(30, 300))
    stratum = np.sort(rng.integers(0, STRATA, number))
    part = rng.integers(0, PARTS, number)
    sizes = rng.integers(0, 400, number)
    values = np.rint(sizes * (0.1 + 0.02 * part + rng.normal(0, 0.2, number))).astype(np.int64)
    kept = (sizes != 0) | (values != 0)
    stratum, part, sizes, values = stratum[kept], part[kept], sizes[kept], values[kept]
    order = by_ratio(values, sizes, stratum)
    counts = np.bincount(stratum, minlength=STRATA)
    ends = np.cumsum(counts)
    return SortedStations.of(values[order], sizes[order]), ends - counts, ends, stratum[order], part[order]


def holds(stations: SortedStations, stratum: np.ndarray, part: np.ndarray, cut: int, least: int, gamma: int) -> bool:
    """Whether some weights in [1, gamma] on the earlier stations give what the later ones added, exactly."""
    early = part <= cut
    rows = [np.flatnonzero(early & (stratum == number)) for number in range(STRATA)]
    later = [np.flatnonzero(~early & (stratum == number)) for number in range(STRATA)]
    sizes = [int(stations.sizes[each].sum()) for each in later]
    chosen = [n for n in range(STRATA) if len(rows[n]) >= least and stations.sizes[rows[n]].sum() and sizes[n]]
    if not chosen:
        return True
    added = sum(int(stations.values[later[n]].sum()) for n in chosen)
    taken = np.concatenate([rows[n] for n in chosen])
    ends = np.cumsum([len(rows[n]) for n in chosen])
    starts = np.concatenate(([0], ends[:-1]))
    open_sizes = np.array([sizes[n] for n in chosen])
    bound = Extremes(SortedStations.of(stations.values[taken], stations.sizes[taken]), starts, ends, open_sizes)
    at = Fraction(gamma, 100)
    return bound.least(at) <= added <= -bound.mirrored().least(at)


def test_what_is_proved_is_true_and_most_that_is_true_is_proved() -> None:
    proved = true = 0
    for seed in range(60):
        stations, starts, ends, stratum, part = drawn(seed)
        sums = CutSums.of(Cells.of(stations, starts, ends, part, parts=PARTS), least=10)
        assert sorted(sums.order()) == list(range(PARTS - 1))
        for gamma in (100, 103, 130, 250, 2000):
            explained = sums.explained(gamma)
            for cut in range(PARTS - 1):
                exactly = holds(stations, stratum, part, cut, 10, gamma)
                assert exactly or not explained[cut], (seed, gamma, cut)
                proved, true = proved + int(explained[cut]), true + exactly
    assert 0.9 * true < proved < true


def test_cells_changed_station_by_station_are_those_summed_at_once() -> None:
    stations, starts, ends, stratum, part = drawn(7)
    once = Cells.of(stations, starts, ends, part, parts=PARTS)
    moved = Cells(once.sums.copy(), once.means)
    after = np.random.default_rng(8).integers(0, PARTS, len(part))
    for row in range(len(part)):
        figures = int(stations.values[row]), int(stations.sizes[row]), int(stratum[row])
        moved.add(*figures, int(part[row]), times=-1)
        moved.add(*figures, int(after[row]))
    assert np.array_equal(moved.sums, Cells.of(stations, starts, ends, after, parts=PARTS).sums)
    assert not np.array_equal(moved.sums, once.sums)
    assert once.sums[0].sum() == len(part)


def test_figures_too_large_for_the_proof_prove_nothing() -> None:
    sizes = np.full(40, 1 << 33)
    stations = SortedStations.of(np.arange(40) << 33, sizes)
    cells = Cells.of(stations, np.array([0]), np.array([40]), np.arange(40) % 2, parts=2)
    assert not CutSums.of(cells, least=10).explained(10_000).any()
