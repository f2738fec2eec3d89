"""What a watch keeps of strata and conditions from sheet to sheet: sorted columns with room for the stations to come.

Everything here is changed in place and belongs to one `Watch`; what it hands out (`Strata`, `Reweighting`) are views of it that
hold until the next station is added. Sums are integers, so that adding one station gives exactly what sorting and summing all
stations again would give; of stations with equal ratios, whose order no figure depends on, the later one comes last.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.extremes import SortedStations
from scrutineer.calls.martingale import Draws, RunningTest
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sensitivity import PARTS, Reweighting
from scrutineer.calls.strata import MIN_COUNTED, Strata
from scrutineer.election import UNKNOWN

_AGE: Final = 1.1
_SAFE: Final = 1 << 62


class KeptStrata:
    """The strata of a partial count; see `Strata`. Raises CallError where capacities are more than any election has."""

    def __init__(self, partial: PartialCount) -> None:
        made = Strata.of(partial)
        room, taking_part = len(partial.counted), partial.counted | partial.open
        number = len(partial.strata)
        self._stratum_of, self._capacity = partial.stratum, partial.capacity
        unknown = taking_part & (partial.capacity == UNKNOWN)
        self._plain: NDArray[np.bool_] = np.bincount(partial.stratum[unknown], minlength=number) > 0
        self._number = len(made.rows)
        self._rows, self._stratum = _roomy(made.rows, room), _roomy(made.stratum, room)
        self._sizes, self._arrival = _roomy(made.sizes, room), _roomy(made.arrival, room)
        self._ends = np.cumsum(made.numbers)
        self._size_sums = np.zeros(number, dtype=np.int64)
        np.add.at(self._size_sums, made.stratum, made.sizes)
        self._open = np.bincount(partial.stratum[partial.open], minlength=number)
        self._open_unknown = np.bincount(partial.stratum[partial.open & unknown], minlength=number)
        self._open_known = np.zeros(number, dtype=np.int64)
        known = np.flatnonzero(partial.open & ~unknown)
        np.add.at(self._open_known, partial.stratum[known], partial.capacity[known])

    def size(self, row: int) -> int:
        """The size of a station: its capacity, or 1 where one of its stratum is not known."""
        return 1 if self._plain[self._stratum_of[row]] else int(self._capacity[row])

    def add(self, row: int) -> None:
        """A station that was open is counted, as the last so far."""
        stratum, capacity, size = int(self._stratum_of[row]), int(self._capacity[row]), self.size(row)
        at = int(self._ends[stratum])
        for column, figure in (
            (self._rows, row),
            (self._stratum, stratum),
            (self._sizes, size),
            (self._arrival, self._number),
        ):
            _insert(column, at, self._number, figure)
        self._number += 1
        self._ends[stratum:] += 1
        self._size_sums[stratum] += size
        self._open[stratum] -= 1
        if capacity == UNKNOWN:
            self._open_unknown[stratum] -= 1
        else:
            self._open_known[stratum] -= capacity

    def strata(self, partial: PartialCount) -> Strata:
        """The strata now, for the partial count of now."""
        open_ballots = np.where(self._open_unknown > 0, UNKNOWN, self._open_known)
        open_sizes = np.where(open_ballots == 0, 0, np.where(self._plain, self._open, open_ballots))
        enough = (np.diff(self._ends, prepend=0) >= MIN_COUNTED) & (self._size_sums > 0)
        is_open, number = open_sizes > 0, self._number
        return Strata(
            partial,
            self._rows[:number],
            self._stratum[:number],
            self._sizes[:number],
            self._arrival[:number],
            open_sizes,
            open_ballots,
            covered=is_open & enough,
            uncovered=is_open & ~enough,
        )


class KeptCondition:
    """One condition: its value at every station, its counted stations sorted by ratio, and its sequential test."""

    def __init__(self, condition: Condition, partial: PartialCount, strata: Strata, draws: Draws) -> None:
        self._measure = measure(condition, partial)
        made = Reweighting.of(strata, self._measure)
        room = len(partial.counted)
        self._number = len(made.arrival)
        self._values, self._sizes = _roomy(made.stations.values, room), _roomy(made.stations.sizes, room)
        self._value_sums, self._size_sums = _roomy(made.stations.value_sums, room + 1), _roomy(made.stations.size_sums, room + 1)
        self._arrival = _roomy(made.arrival, room)
        self._starts, self._ends = made.starts.copy(), made.ends.copy()
        self._largest, self._hints = made.stations.largest, made.hints
        self._cells, self._summed = made.summed(), self._number
        self.test = RunningTest(draws, self._measure)

    def move(self, row: int, stratum: int, size: int, parts: tuple[int, int]) -> None:
        """A counted station goes over from one part of the order of arrival to another, because there are more stations."""
        value = self._value(row)
        if value or size:
            for part, times in zip(parts, (-1, 1), strict=True):
                self._cells.add(value, size, stratum, part, times=times)

    def _value(self, row: int) -> int:
        # What is reweighted: the value, or its difference from the baseline's.
        expected = self._measure.expected
        return int(self._measure.values[row]) - (0 if expected is None else int(expected[row]))

    def add(self, row: int, value: int, stratum: int, size: int, place: int) -> None:
        """A station is counted, as number `place` in the order of arrival, of which it is in the last part."""
        self._measure.values[row] = value
        self.test.draw(row, value)
        value = self._value(row)
        if not value and not size:
            return  # It has no ratio and says nothing.
        self._cells.add(value, size, stratum, PARTS - 1)
        self._largest = max(self._largest[0], abs(value)), max(self._largest[1], size)
        at, number = self._place(value, size, int(self._starts[stratum]), int(self._ends[stratum])), self._number
        _insert(self._values, at, number, value)
        _insert(self._sizes, at, number, size)
        _insert(self._arrival, at, number, place)
        for sums, figure in ((self._value_sums, value), (self._size_sums, size)):
            sums[at + 1 : number + 2] = sums[at : number + 1] + figure
        self._number += 1
        self._ends[stratum:] += 1
        self._starts[stratum + 1 :] += 1

    def reweighting(self, strata: Strata) -> Reweighting:
        """The sorted stations now, for the strata of now."""
        number = self._number
        stations = SortedStations(
            self._values[:number],
            self._sizes[:number],
            self._value_sums[: number + 1],
            self._size_sums[: number + 1],
            self._largest,
        )
        made = Reweighting(
            strata, self._measure, stations, self._arrival[:number], self._starts, self._ends, self._hints, self._cells
        )
        if number > _AGE * self._summed:
            # The means are those of when the stations were summed up; old ones prove less.
            self._cells, self._summed = made.summed(), number
            return self.reweighting(strata)
        return made

    def _place(self, value: int, size: int, start: int, end: int) -> int:
        # Behind all stations of the stratum whose ratio is smaller or the same; one of size 0 is first or last.
        if not size:
            return start if value < 0 else end
        values, sizes = self._values[start:end], self._sizes[start:end]
        if self._largest[0] * self._largest[1] >= _SAFE:
            values, sizes = values.astype(object), sizes.astype(object)
        return start + int(np.count_nonzero(values * size <= value * sizes))


def _roomy(figures: NDArray[Any], room: int) -> NDArray[Any]:
    column = np.zeros(max(room, len(figures)), dtype=figures.dtype)
    column[: len(figures)] = figures
    return column


def _insert(column: NDArray[np.integer], at: int, number: int, figure: int) -> None:
    column[at + 1 : number + 1] = column[at:number]
    column[at] = figure
