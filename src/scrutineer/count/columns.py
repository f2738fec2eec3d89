"""From statements to columns: reads the tally sheets of a stretch of the log into arrays, fast.

The log holds only statements that intake admitted, and `verify` checks every one again with its signature; this reader
therefore takes the payloads apart without repeating those checks.
"""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import cbor2
import numpy as np
from numpy.typing import NDArray

from scrutineer.election import UNKNOWN, Election
from scrutineer.errors import CountError
from scrutineer.statements.policy import SheetReading
from scrutineer.statements.sheet_batch import RECORDS_SIZE, BatchReader, SheetBatch
from scrutineer.statements.tally_sheet import MAX_COUNT

BLANK, NULL, CAST, VOTERS, ROLL = range(5)
"""Positions of the figures behind the options' counts in a row of figures."""
FIGURES: Final = 5

Rankings = tuple[tuple[tuple[int, ...], int], ...]


@dataclass(frozen=True, slots=True)
class ContestColumns:
    """Sheets of one contest in log order, one row each."""

    station: NDArray[np.int64]
    """Station numbers."""
    index: NDArray[np.int64]
    """Log indexes."""
    hashes: NDArray[np.uint8]
    """Statement hashes, shape (sheets, 32)."""
    figures: NDArray[np.int32]
    """The options' counts, then blank, null, cast, voters, roll; UNKNOWN where a sheet does not state them."""
    time: NDArray[np.int64]
    records: NDArray[np.uint8]
    """The bundle of ballots that each names, shape (sheets, 33): 1 and its SHA-256, or zeros where it names none."""
    rankings: list[Rankings]
    """For ranked contests alone, one for each sheet."""

    def joined(self, other: "ContestColumns") -> "ContestColumns":
        """These sheets and others of the same contest, in log order."""
        if not len(other.index):
            return self
        if not len(self.index):
            return other
        index = np.concatenate((self.index, other.index))
        order = np.argsort(index)
        rankings = [*self.rankings, *other.rankings]
        return ContestColumns(
            np.concatenate((self.station, other.station))[order],
            index[order],
            np.concatenate((self.hashes, other.hashes))[order],
            np.concatenate((self.figures, other.figures))[order],
            np.concatenate((self.time, other.time))[order],
            np.concatenate((self.records, other.records))[order],
            [rankings[row] for row in order.tolist()] if rankings else [],
        )


@dataclass(slots=True)
class _Rows:
    """Sheets of one contest as they are read, before they become columns."""

    station: list[int] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    figures: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    rankings: list[Rankings] = field(default_factory=list)

    def columns(self, width: int) -> ContestColumns:
        """The columns. Raises CountError where a figure is none."""
        try:
            # Through `array`, which takes integers of the right size and nothing else, faster than NumPy takes a list.
            figures = np.frombuffer(array("i", self.figures), dtype=np.int32).reshape(len(self.station), width)
            time = np.array(self.time, dtype=np.int64)
        except (OverflowError, TypeError, ValueError) as error:
            raise CountError(
                f"a tally sheet within the entries {self.index[0]} to {self.index[-1]} of the log holds no counts: "
                "check the log with `verify`"
            ) from error
        return ContestColumns(
            np.array(self.station, dtype=np.int64),
            np.array(self.index, dtype=np.int64),
            np.frombuffer(b"".join(self.hashes), dtype=np.uint8).reshape(len(self.hashes), 32),
            figures,
            time,
            np.frombuffer(b"".join(self.records), dtype=np.uint8).reshape(len(self.records), RECORDS_SIZE),
            self.rankings,
        )


_NO_ROWS: Final = _Rows()
_FEW: Final = 64  # sheets; reading fewer together takes longer than reading each


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
        self._plain = BatchReader(election)
        self._stations = election.units.station_index
        self._contests = election.contest_index
        self._widths = [len(contest.options) for contest in election.contests]
        self._ranked = [contest.rule == "ranked" for contest in election.contests]
        units = election.units
        self._first = [int(units.first_station[unit]) for unit in election.contest_units]
        self._last = [int(units.last_station[unit]) for unit in election.contest_units]

    def read(
        self, sheets: Sequence[tuple[int, bytes]], unknown_flag: int, wrong_flag: int
    ) -> tuple[list[ContestColumns], list[Stray]]:
        """Read tally sheets given as (log index, bytes). Raises CountError for bytes that no intake would have admitted."""
        if len(sheets) < _FEW:
            return self._read_singly(sheets, unknown_flag, wrong_flag)
        plain = self._plain.read([data for _, data in sheets])
        sha256 = hashlib.sha256
        names = b"".join([sha256(b"\x00" + sheets[row][1]).digest() for row in plain.rows.tolist()])
        index = np.fromiter((index for index, _ in sheets), np.int64, len(sheets))[plain.rows]
        columns = self.sort_batch(plain, index, np.frombuffer(names, dtype=np.uint8).reshape(-1, 32))
        if len(plain.rows) == len(sheets):
            return columns, []
        others = np.ones(len(sheets), dtype=np.bool_)
        others[plain.rows] = False
        singly, stray = self._read_singly([sheets[row] for row in np.flatnonzero(others).tolist()], unknown_flag, wrong_flag)
        return [own.joined(other) for own, other in zip(columns, singly, strict=True)], stray

    def _read_singly(
        self, sheets: Iterable[tuple[int, bytes]], unknown_flag: int, wrong_flag: int
    ) -> tuple[list[ContestColumns], list[Stray]]:
        rows = [_Rows() for _ in self._widths]
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
                row = rows[contest]
                row.station.append(station)
                row.index.append(index)
                row.hashes.append(sha256(b"\x00" + data).digest())
                row.figures += counts
                row.time.append(get(10, UNKNOWN))
                row.records.append(_named(get(12)))
                if ranked:
                    row.rankings.append(tuple((tuple(order), ballots) for order, ballots in get(13) or ()))
        except (cbor2.CBORError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise CountError(
                f"entry {index} of the log is not a readable tally sheet ({error}): check the log with `verify`"
            ) from error
        return self._columns(rows), stray

    def sort(self, readings: Iterable[tuple[int, bytes, SheetReading]]) -> list[ContestColumns]:
        """Sort sheets that the policy has read already, given as (log index, statement hash, reading)."""
        rows = [_Rows() for _ in self._widths]
        for index, statement_hash, reading in readings:
            sheet, contest = reading.sheet, reading.contest
            row = rows[contest]
            if self._ranked[contest]:
                rankings = sheet.rankings or ()
                counts = first_preferences(rankings, self._widths[contest])
                row.rankings.append(rankings)
            else:
                counts = [UNKNOWN if count is None else count for count in sheet.counts]
            figures = (sheet.blank, sheet.null, sheet.cast, sheet.voters, sheet.roll)
            counts += [UNKNOWN if figure is None else figure for figure in figures]
            row.station.append(reading.station)
            row.index.append(index)
            row.hashes.append(statement_hash)
            row.figures += counts
            row.time.append(UNKNOWN if sheet.time is None else sheet.time)
            row.records.append(_named(sheet.records))
        return self._columns(rows)

    def sort_batch(self, sheets: SheetBatch, index: NDArray[np.int64], hashes: NDArray[np.uint8]) -> list[ContestColumns]:
        """Sort sheets that were read together, given with their log indexes and statement hashes."""
        columns = self._columns([_NO_ROWS] * len(self._widths))
        for contest in np.unique(sheets.contest).tolist():
            chosen = np.flatnonzero(sheets.contest == contest)
            figures = np.concatenate((sheets.counts[chosen, : self._widths[contest]], sheets.figures[chosen]), axis=1)
            columns[contest] = ContestColumns(
                sheets.station[chosen], index[chosen], hashes[chosen], figures, sheets.time[chosen], sheets.records[chosen], []
            )
        return columns

    def _columns(self, rows: list[_Rows]) -> list[ContestColumns]:
        return [own.columns(width + FIGURES) for own, width in zip(rows, self._widths, strict=True)]


def _named(records: bytes | None) -> bytes:
    return bytes(RECORDS_SIZE) if records is None else b"\x01" + records


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
