"""Which cuts of the order of arrival need no closer look: exact proofs from sums alone, for all cuts at once.

Cut the order of arrival after a number of stations. In stratum s the earlier stations have the total value A and size B, the
later ones the size R; together the later ones added L. The cut is *explained* at gamma where some weights w_i in [1, gamma] give
sum over s of R x sum(w_i x_i) / sum(w_i r_i) on the other side of L, or on it, compared with equal weights (see sensitivity.py).

Any weights prove that. Those that are best for gamma near 1 put gamma on the stations whose ratio lies below the stratum's mean
(above it, where more is needed), the same stations for every gamma. With A', B' the sums of these, a stratum then gives
R (A + (gamma - 1) A') / (B + (gamma - 1) B'): sums of eight parts of the order are enough to try every cut. What is tried is
compared in whole numbers, with each stratum rounded against the proof, so that a cut is passed over only where it is explained.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.extremes import ONE, SortedStations

_SAFE: Final = 1 << 62
_STEPS: Final = 2
_FARTHEST: Final = 100.0


@dataclass(frozen=True, eq=False)
class Cells:
    """Sums over the stations of each stratum in each part of the order, those of high and of low ratios apart."""

    sums: NDArray[np.int64]
    """Shape (3, 2, parts, strata): numbers, sizes and values; high, low."""
    means: NDArray[np.float64]
    """By stratum: below which ratio of value to size a station's is low. Any will do; the mean proves most."""

    @classmethod
    def of(
        cls,
        stations: SortedStations,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        part: NDArray[np.int64],
        *,
        parts: int,
    ) -> "Cells":
        """Sum up stations by stratum, from the part of each."""
        values, sizes = stations.values, stations.sizes
        strata, numbers = len(starts), ends - starts
        all_sizes = stations.size_sums[ends] - stations.size_sums[starts]
        means = (stations.value_sums[ends] - stations.value_sums[starts]) / np.maximum(all_sizes, 1)
        # The place of a station's part and stratum, in the second half where its ratio is low.
        cell = part * strata
        cell += np.repeat(np.arange(strata), numbers)
        cell += parts * strata * (values < np.repeat(means, numbers) * sizes)
        sums = np.zeros((3, 2 * parts * strata), dtype=np.int64)
        sums[0] = np.bincount(cell, minlength=sums.shape[1])
        np.add.at(sums[1], cell, sizes)
        np.add.at(sums[2], cell, values)
        return cls(sums.reshape(3, 2, parts, strata), means)

    def add(self, value: int, size: int, stratum: int, part: int, *, times: int = 1) -> None:
        """Add a station in place, or take it away (-1 times)."""
        low = int(float(value) < float(self.means[stratum]) * size)
        self.sums[:, low, part, stratum] += (times, times * size, times * value)


@dataclass(frozen=True, eq=False)
class CutSums:
    """Every cut of the order of arrival, in one direction each: arrays of the shape (cuts, strata), or (cuts,)."""

    sizes: NDArray[np.int64]
    """Of the earlier stations (B above), with the sums of those whose weight grows (A', B')."""
    values: NDArray[np.int64]
    heavy_sizes: NDArray[np.int64]
    heavy_values: NDArray[np.int64]
    later_sizes: NDArray[np.int64]
    """0 where a stratum takes no part in a cut."""
    later: NDArray[np.int64]
    """What the later stations of the strata that take part added (L above), by cut."""

    @classmethod
    def of(cls, cells: "Cells", *, least: int) -> "CutSums":
        """The cuts between the parts of the order.

        Strata take part in a cut where at least `least` of their stations are earlier ones, and some are later ones.
        """
        (high, low), (high_sizes, low_sizes), (high_values, low_values) = np.cumsum(cells.sums, axis=2)
        all_sizes, all_values = high_sizes + low_sizes, high_values + low_values
        early_sizes, early_values = all_sizes[:-1], all_values[:-1]
        later_sizes = all_sizes[-1] - early_sizes
        chosen = ((high + low)[:-1] >= least) & (early_sizes > 0) & (later_sizes > 0)
        later_sizes *= chosen
        later = ((all_values[-1] - early_values) * chosen).sum(axis=1)
        # Where a stratum takes no part, what it says is 0 of 1.
        early_sizes = np.where(chosen, early_sizes, 1)
        early_values *= chosen
        gap = (later_sizes * (early_values / early_sizes)).sum(axis=1) - later
        falls = (gap > 0)[:, np.newaxis]
        return cls(
            early_sizes,
            early_values,
            np.where(falls, low_sizes[:-1], high_sizes[:-1]) * chosen,
            np.where(falls, low_values[:-1], high_values[:-1]) * chosen,
            later_sizes,
            later,
        )

    def order(self) -> list[int]:
        """The cuts, those first that seem to need the largest gamma."""
        order: list[int] = np.argsort(-self._step(np.s_[:], np.zeros(len(self.later))), kind="stable").tolist()
        return order

    def guess(self, cut: int) -> int:
        """About which gamma a cut needs, in hundredths."""
        rows, more = np.s_[cut : cut + 1], np.zeros(1)
        for _ in range(_STEPS):
            more = self._step(rows, more)
        return ONE + math.ceil(ONE * min(float(more[0]), _FARTHEST))

    def _step(self, rows: slice, more: NDArray[np.float64]) -> NDArray[np.float64]:
        # One of Newton's steps for gamma - 1, in some of the rows.
        heavier, later_sizes = more[:, np.newaxis], self.later_sizes[rows]
        below = self.sizes[rows] + heavier * self.heavy_sizes[rows]
        ratios = (self.values[rows] + heavier * self.heavy_values[rows]) / below
        gap = (later_sizes * ratios).sum(axis=1) - self.later[rows]
        slope = (later_sizes * (self.heavy_values[rows] - ratios * self.heavy_sizes[rows]) / below).sum(axis=1)
        step = np.divide(-gap, slope, out=np.zeros(len(gap)), where=slope != 0)
        return np.asarray(np.maximum(more + step, 0.0))

    @property
    def idle(self) -> NDArray[np.bool_]:
        """The cuts in which no stratum takes part."""
        return np.asarray(self.later_sizes.max(axis=1, initial=0) == 0)

    def explained(self, gamma: int) -> NDArray[np.bool_]:
        """The cuts that are certainly explained at a gamma in hundredths, or have no stratum that takes part."""
        more = gamma - ONE
        nothing = self.idle
        largest = 2.0 * gamma * float(np.abs(self.values).max(initial=0) + np.abs(self.heavy_values).max(initial=0))
        largest = max(largest, 2.0 * gamma * float(self.sizes.max(initial=0)), float(np.abs(self.values).sum()))
        if largest * float(self.later_sizes.max(initial=1)) >= _SAFE:
            return nothing
        equal_low = (self.later_sizes * self.values // self.sizes).sum(axis=1)
        equal_high = equal_low + np.count_nonzero(self.later_sizes, axis=1)
        above = self.later_sizes * (ONE * self.values + more * self.heavy_values)
        tried_low = (above // (ONE * self.sizes + more * self.heavy_sizes)).sum(axis=1)
        tried_high = tried_low + np.count_nonzero(self.later_sizes, axis=1)
        falls = (equal_low >= self.later) & (tried_high <= self.later)
        rises = (equal_high <= self.later) & (tried_low >= self.later)
        return np.asarray(falls | rises | nothing)
