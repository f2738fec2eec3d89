"""Which sheets have arrived, by region and against expectation, and which stations are late. Pure views of the night.

Nobody knows how fast the stations of a country report. What can be expected of a region is therefore what the country does: the
share of stations whose sheet has arrived, and the sheets of the last five minutes. A region is called *behind* where clearly
fewer of its sheets are in than at the country's share, and *silent* where it has sent nothing for a while though others have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from scrutineer.control.night import Night
from scrutineer.count import OUTSTANDING, QUARANTINED
from scrutineer.election import UNKNOWN, Units

LATELY: Final = 300  # seconds
SILENCE: Final = 900  # seconds
BINS: Final = 24
"""Stretches of LATELY seconds in the picture of arrivals: the last two hours."""
CLEARLY: Final = 3
"""A region is behind where it lacks more sheets than this many times the square root of those expected, and than a tenth."""

State = Literal["complete", "behind", "silent", "steady"]


@dataclass(frozen=True, slots=True)
class Region:
    """Arrivals in one unit."""

    unit: int
    stations: int
    arrived: int
    quarantined: int
    lately: int
    """Sheets of the last LATELY seconds."""
    last: int
    """When the last one arrived, in seconds since 1970; 0 where none has."""
    expected: int
    """Sheets that would be in at the country's share."""
    expected_lately: int
    """Sheets of the last LATELY seconds that its open stations would have sent at the country's pace."""
    state: State

    @property
    def outstanding(self) -> int:
        """Stations that have not sent a sheet, and were not decided about."""
        return self.stations - self.arrived


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrivals of a contest: the whole of it, and its regions in their order."""

    whole: Region
    regions: tuple[Region, ...]
    bins: tuple[int, ...]
    """Sheets in each stretch of LATELY seconds, the latest last."""

    def most_wanting(self) -> list[Region]:
        """The regions that need a look first: silent, behind, then those furthest below what is expected."""
        rank = {"silent": 0, "behind": 0, "steady": 1, "complete": 2}
        return sorted(self.regions, key=lambda region: (rank[region.state], region.arrived - region.expected))


@dataclass(frozen=True, slots=True)
class Late:
    """A station whose sheet has not arrived."""

    station: int
    unit: int
    opened: int
    """When it declared itself open; UNKNOWN where it has not."""
    roll: int


def regions_of(units: Units, unit: int) -> list[int]:
    """The units that a contest's arrivals are shown by: those below its unit, or below the first one that branches."""
    below = units.children(unit)
    while len(below) == 1 and not units.is_station(below[0]):
        below = units.children(below[0])
    return [unit] if all(units.is_station(child) for child in below) else below


def arrivals(night: Night, contest: int, now: int) -> Arrivals:
    """How arrivals stand in a contest. The night has to be held meanwhile."""
    state, units, arrived = night.count.contests[contest], night.election.units, night.arrived[contest]
    inside = units.stations_below(state.unit)
    # A station that was excluded without a sheet is not waited for.
    done = state.status != OUTSTANDING
    lately = arrived > now - LATELY
    columns = [_running(column) for column in (done, state.status == QUARANTINED, lately)]
    whole = _region(state.unit, inside, columns, arrived, None, now)
    regions = tuple(
        _region(unit, units.stations_below(unit), columns, arrived, whole, now) for unit in regions_of(units, state.unit)
    )
    times = arrived[inside.start : inside.stop]
    ago = (now - times[times >= 0]) // LATELY
    bins = np.bincount(ago[(ago >= 0) & (ago < BINS)], minlength=BINS)[::-1]
    return Arrivals(whole, regions, tuple(bins.tolist()))


def _running(column: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(column, dtype=np.int64)))


def _region(
    unit: int,
    stations: range,
    columns: list[NDArray[np.int64]],
    arrived: NDArray[np.int64],
    whole: Region | None,
    now: int,
) -> Region:
    done, quarantined, lately = (int(column[stations.stop] - column[stations.start]) for column in columns)
    last = max(0, int(arrived[stations.start : stations.stop].max(initial=UNKNOWN)))
    everywhere = whole or Region(unit, len(stations), done, quarantined, lately, last, done, lately, "steady")
    expected = _share(len(stations), everywhere.arrived, everywhere.stations)
    # Those open at the beginning of the stretch could have sent a sheet within it.
    open_then, open_everywhere = len(stations) - done + lately, everywhere.stations - everywhere.arrived + everywhere.lately
    pace = _share(open_then, everywhere.lately, open_everywhere)
    lacking = expected - done
    state: State = "steady"
    if done == len(stations):
        state = "complete"
    elif now - last > SILENCE and everywhere.lately and pace > 1:
        state = "silent"
    elif lacking * lacking > CLEARLY * CLEARLY * expected and 10 * lacking > expected:
        state = "behind"
    return Region(unit, len(stations), done, quarantined, lately, last, expected, pace, state)


def _share(part: int, of: int, whole: int) -> int:
    """A part times a share, to the nearest whole number."""
    return (2 * part * of + whole) // (2 * whole) if whole else 0


def late_stations(night: Night, contest: int, unit: int | None = None) -> list[Late]:
    """Stations without a sheet, those longest open first, and those that have not declared themselves open last."""
    state, units = night.count.contests[contest], night.election.units
    inside = units.stations_below(state.unit if unit is None else unit)
    own = units.stations_below(state.unit)
    start, stop = max(inside.start, own.start), min(inside.stop, own.stop)
    numbers = np.flatnonzero(state.status[start:stop] == OUTSTANDING) + start if start < stop else np.array([], dtype=np.int64)
    opened = night.count.opened[numbers]
    order = np.lexsort((numbers, opened, opened == UNKNOWN))
    return list(_late(units, numbers[order], opened[order]))


def _late(units: Units, numbers: NDArray[np.int64], opened: NDArray[np.int64]) -> Iterator[Late]:
    for number, time in zip(numbers.tolist(), opened.tolist(), strict=True):
        yield Late(number, int(units.station_units[number]), time, int(units.rolls[number]))
