"""The strata of a partial count: what is counted in each of them and how much is open, worked out once for all conditions."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.partial import MAX_VOTES, PartialCount
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

MIN_COUNTED: Final = 30
"""Counted stations that a stratum needs before anything is concluded from them about its open ones."""

_SHORT: Final = 1 << 16


@dataclass(frozen=True, eq=False)
class Strata:
    """A partial count by stratum. Arrays have one entry for each stratum, or for each counted station where that is said.

    The size of a station is its capacity. In a stratum where the capacity of a counted or an open station is unknown, every
    station has the size 1. A stratum is open where its open stations can hold ballots (or nobody knows how many). It is
    covered where it is open, at least MIN_COUNTED of its stations are counted, and these have a size.
    """

    partial: PartialCount
    rows: NDArray[np.intp]
    """Rows of the counted stations, stratum by stratum."""
    stratum: NDArray[np.integer]
    """Of each counted station, in the order of `rows`."""
    sizes: NDArray[np.int64]
    """Of each counted station, in the order of `rows`."""
    arrival: NDArray[np.int64]
    """Of each counted station, in the order of `rows`."""
    open_sizes: NDArray[np.int64]
    """Total size of the open stations."""
    open_ballots: NDArray[np.int64]
    """The most ballots that the open stations can hold; UNKNOWN where one of their capacities is."""
    covered: NDArray[np.bool_]
    uncovered: NDArray[np.bool_]
    """Open, and not covered."""

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """How many stations are counted."""
        return np.bincount(self.stratum, minlength=len(self.covered)).astype(np.int64)

    @property
    def uncovered_names(self) -> tuple[str, ...]:
        """The strata that take the arithmetic bound, because too little is counted in them."""
        return tuple(self.partial.strata[s] for s in np.flatnonzero(self.uncovered).tolist())

    @property
    def bounded(self) -> bool:
        """Whether it is known, for every stratum that is not covered, how many ballots can still come from it."""
        return not bool((self.open_ballots[self.uncovered] == UNKNOWN).any())

    @classmethod
    def of(cls, partial: PartialCount) -> "Strata":
        """Work out the strata of a partial count. Raises CallError where its capacities are more than any election has."""
        if float(partial.capacity.sum(dtype=np.float64)) > MAX_VOTES:
            raise CallError(f"partial count: the capacities add up to more than {MAX_VOTES} ballots, which no election has")
        number = len(partial.strata)
        # NumPy sorts numbers of 16 bits in linear time.
        of_station: NDArray[np.integer] = partial.stratum.astype(np.uint16) if number <= _SHORT else partial.stratum
        rows = np.flatnonzero(partial.counted)
        rows = rows[np.argsort(of_station[rows], kind="stable")]
        stratum = of_station[rows]
        waiting = np.flatnonzero(partial.open)

        unknown = np.zeros(number, dtype=np.bool_)
        unknown[of_station[(partial.capacity == UNKNOWN) & (partial.counted | partial.open)]] = True
        sizes = np.where(unknown[stratum], 1, partial.capacity[rows])
        capacity = partial.capacity[waiting]
        open_ballots = sums(of_station[waiting], capacity, number)
        open_ballots[of_station[waiting[capacity == UNKNOWN]]] = UNKNOWN
        stations = np.bincount(of_station[waiting], minlength=number).astype(np.int64)
        open_sizes = np.where(open_ballots == 0, 0, np.where(unknown, stations, open_ballots))

        enough = (np.bincount(stratum, minlength=number) >= MIN_COUNTED) & (sums(stratum, sizes, number) > 0)
        is_open = open_sizes > 0
        arrival = partial.arrival[rows]
        return cls(
            partial,
            rows,
            stratum,
            sizes,
            arrival,
            open_sizes,
            open_ballots,
            covered=is_open & enough,
            uncovered=is_open & ~enough,
        )


def sums(groups: NDArray[np.integer], figures: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Exact sums of integers by group, for groups 0 … number - 1."""
    totals = np.zeros(number, dtype=np.int64)
    np.add.at(totals, groups, figures)
    return totals
