"""From statements to columns: reads the tally sheets of a stretch of the log into arrays, fast.

The log holds only statements that intake admitted, and `verify` checks every one again with its signature; this reader
therefore takes the payloads apart without repeating those checks.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import cbor2
import numpy as np
from numpy.typing import NDArray

from scrutineer.election import UNKNOWN, Election
from scrutineer.errors import CountError
from scrutineer.statements.policy import SheetReading
from scrutineer.statements.tally_sheet import MAX_COUNT

BLANK, NULL, CAST, VOTERS, ROLL = range(5)
"""Positions of the figures behind the options' counts in a row of figures."""
FIGURES: Final = 5

Rankings = tuple[tuple[tuple[int, ...], int], ...]


@dataclass(slots=True)
class ContestColumns:
    """Sheets of one contest in log order. `figures` rows: the options' counts, then blank, null, cast, voters, roll."""

    station: list[int] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    figures: list[list[int]] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    rankings: list[Rankings] = field(default_factory=list)
    """For ranked contests alone, one for each sheet."""

    def stations(self) -> NDArray[np.int64]:
        """Station number of each sheet."""
        return np.array(self.station, dtype=np.int64)

    def hash_rows(self) -> NDArray[np.uint8]:
        """Statement hash of each sheet, shape (sheets, 32)."""
        return np.frombuffer(b"".join(self.hashes), dtype=np.uint8).reshape(len(self.hashes), 32)

    def rows(self, width: int) -> NDArray[np.int32]:
        """Figures of each sheet, shape (sheets, width)."""
        try:
            return np.array(self.figures, dtype=np.int32).reshape(len(self.figures), width)
        except (OverflowError, TypeError, ValueError) as error:
            first, last = self.index[0], self.index[-1]
            raise CountError(
                f"a tally sheet within the entries {first} to {last} of the log holds no counts: check the log with `verify`"
            ) from error


@dataclass(frozen=True, slots=True)
class Stray:
    """A sheet that belongs to no station or contest of this election."""

    index: int
    station: str
    contest: str
    flag: int


class SheetReader:
    """Sorts sheets into columns by contest. Reuse one for a whole replay."""

    def __init__(self, election: Election) -> None:
        self._stations = election.units.station_index
        self._contests = election.contest_index
        self._widths = [len(contest.options) for contest in election.contests]
        self._ranked = [contest.rule == "ranked" for contest in election.contests]
        units = election.units
        self._first = [int(units.first_station[unit]) for unit in election.contest_units]
        self._last = [int(units.last_station[unit]) for unit in election.contest_units]

    def read(
        self, sheets: Iterable[tuple[int, bytes]], unknown_flag: int, wrong_flag: int
    ) -> tuple[list[ContestColumns], list[Stray]]:
        """Read tally sheets given as (log index, bytes). Raises CountError for bytes that no intake would have admitted."""
        columns = [ContestColumns() for _ in self._widths]
        stray: list[Stray] = []
        stations, contests, widths = self._stations, self._contests, self._widths
        loads, sha256 = cbor2.loads, hashlib.sha256
        index = -1
        try:
            for index, data in sheets:
                value = loads(loads(data).value[2])
                get = value.get
                station, contest = stations.get(value[2]), contests.get(value[3])
                if station is None or contest is None:
                    stray.append(Stray(index, value[2], value[3], unknown_flag if station is None else wrong_flag))
                    continue
                counts: list[int] = list(value[4])
                ranked = self._ranked[contest]
                if ranked:
                    counts = first_preferences(get(13) or (), widths[contest])
                if len(counts) != widths[contest] or not self._first[contest] <= station < self._last[contest]:
                    stray.append(Stray(index, value[2], value[3], wrong_flag))
                    continue
                if None in counts:
                    counts = [UNKNOWN if count is None else count for count in counts]
                counts += (get(5, UNKNOWN), get(6, UNKNOWN), get(7, UNKNOWN), get(8, UNKNOWN), get(9, UNKNOWN))
                column = columns[contest]
                column.station.append(station)
                column.index.append(index)
                column.hashes.append(sha256(b"\x00" + data).digest())
                column.figures.append(counts)
                column.time.append(get(10, UNKNOWN))
                if ranked:
                    column.rankings.append(tuple((tuple(order), ballots) for order, ballots in get(13) or ()))
        except (cbor2.CBORError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise CountError(
                f"entry {index} of the log is not a readable tally sheet ({error}): check the log with `verify`"
            ) from error
        return columns, stray

    def sort(self, readings: Iterable[tuple[int, bytes, SheetReading]]) -> list[ContestColumns]:
        """Sort sheets that the policy has read already, given as (log index, statement hash, reading)."""
        columns = [ContestColumns() for _ in self._widths]
        for index, statement_hash, reading in readings:
            sheet, contest = reading.sheet, reading.contest
            column = columns[contest]
            if self._ranked[contest]:
                rankings = sheet.rankings or ()
                counts = first_preferences(rankings, self._widths[contest])
                column.rankings.append(rankings)
            else:
                counts = [UNKNOWN if count is None else count for count in sheet.counts]
            figures = (sheet.blank, sheet.null, sheet.cast, sheet.voters, sheet.roll)
            counts += [UNKNOWN if figure is None else figure for figure in figures]
            column.station.append(reading.station)
            column.index.append(index)
            column.hashes.append(statement_hash)
            column.figures.append(counts)
            column.time.append(UNKNOWN if sheet.time is None else sheet.time)
        return columns


def first_preferences(rankings: Iterable[tuple[Iterable[int], int]], options: int) -> list[int]:
    """How many ballots put each option first; a list that is too long where a ranking names an option beyond them."""
    counts = [0] * options
    for order, ballots in rankings:
        for option in order:
            if option >= options:
                return [*counts, UNKNOWN]
        for option in order:
            counts[option] += ballots
            break
    # The sum of many rankings can pass what a count can hold. No station has so many ballots: the figure is not known.
    return [count if count <= MAX_COUNT else UNKNOWN for count in counts]
