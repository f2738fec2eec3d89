"""Figures of contests made up for tests of result reports."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scrutineer.election import UNKNOWN, Election


@dataclass
class Columns:
    """What `ContestFigures` asks for, as plain columns."""

    votes: NDArray[np.int64]
    blank: NDArray[np.int64]
    null: NDArray[np.int64]
    cast: NDArray[np.int64]
    stations: NDArray[np.int64]
    counted: NDArray[np.int64]
    sheets: dict[int, bytes]

    def sheet(self, station: int) -> bytes | None:
        return self.sheets.get(station)


def made_up(election: Election, contest: int, seed: int, part: float = 1.0) -> Columns:
    """Figures for which every unit is the sum of its stations; `part` of them are counted."""
    units, random = election.units, np.random.default_rng(seed)
    options, stations = len(election.contests[contest].options), units.station_count
    below = units.stations_below(election.contest_units[contest])
    voting = np.zeros(stations, dtype=np.int64)
    voting[below.start : below.stop] = 1
    counted = voting * (random.random(stations) < part)
    figures = random.integers(0, 300, size=(stations, options + 2)) * counted[:, None]
    columns = np.column_stack([figures, figures.sum(axis=1), voting, counted])
    running = np.concatenate([np.zeros((1, columns.shape[1]), dtype=np.int64), np.cumsum(columns, axis=0)])
    totals = running[units.last_station] - running[units.first_station]
    totals[totals[:, -1] == 0, : options + 3] = UNKNOWN
    sheets = {int(station): bytes([seed % 256]) * 32 for station in np.flatnonzero(counted)}
    return Columns(
        totals[:, :options],
        totals[:, options],
        totals[:, options + 1],
        totals[:, options + 2],
        totals[:, -2],
        totals[:, -1],
        sheets,
    )
