"""A bare CSV of station results as a partial count: read exactly, or refused with the line, the column and what to do. Pure.

One row for each station, also for those without a result yet; the first line names the columns, in any order:

- `station` (required): what tells the station apart from all others.
- `roll`: registered voters. Where it is missing, what can still come from the station is unbounded.
- `region` or `stratum`: the stratum of the station; without the column there is one stratum.
- `time`: when the result arrived, ISO 8601 (UTC where it names no offset) or seconds. Among equal times the order of the rows
  is the order of arrival; where no counted station has a time the order is not known, because files are sorted by place.
- `status`: `counted`, `outstanding`, `quarantined` or `excluded`; where it is empty a station with figures is counted and one
  without is outstanding.
- `valid`: checked against the sum of the options. `blank`, `null`: ballots that are for none of them.
- every other column: the votes of one option, whole numbers.

What leaves no way of reading the file raises CallError. What can be read but cannot be true (a station listed twice, more
ballots than the roll, a sum that differs from `valid`) is returned in `incoherent`, so that no call is made on it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.partial import PartialCount, unrelated_order
from scrutineer.calls.table_file import MAX_TABLE_SIZE, TableFile, is_name
from scrutineer.election import UNKNOWN
from scrutineer.election.contests import MAX_OPTIONS
from scrutineer.election.finding import did_you_mean
from scrutineer.errors import CallError
from scrutineer.language import ENGLISH

MAX_STATIONS: Final = 2_000_000
MAX_FIGURES: Final = 1 << 27  # stations times options
MAX_SHOWN: Final = 20  # findings of one kind that are listed one by one

STATION: Final = "station"
STATUSES: Final = {"": 0, "counted": 1, "outstanding": 2, "quarantined": 3, "excluded": 4}
FIGURES: Final = ("roll", "valid", "blank", "null")
KNOWN_COLUMNS: Final = frozenset({STATION, "region", "stratum", "time", "status", *FIGURES})
ONE_STRATUM: Final = "all stations"
NO_STRATUM: Final = "(no region given)"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECONDS: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,6})\d{0,12})?", re.ASCII)
_LATER: Final = np.iinfo(np.int64).max  # in place of a time that is not stated
_NAMED: Final = 5  # stations named in an error about many

__all__ = ["KNOWN_COLUMNS", "MAX_FIGURES", "MAX_STATIONS", "MAX_TABLE_SIZE", "TableInput", "read_table"]


@dataclass(frozen=True, eq=False)
class TableInput:
    """A partial count out of a table, and what was found while reading it."""

    partial: PartialCount
    stations: tuple[str, ...]
    """Names of the stations, in the order of the partial count's rows."""
    incoherent: tuple[str, ...]
    """What cannot be true, in words with lines; not empty makes the verdict `not-coherent`."""
    notes: tuple[str, ...]
    """What limits the answer, in words: missing rolls, figures left out."""


def read_table(
    data: bytes,
    baseline: bytes | None = None,
    *,
    extra_ballots: int = 0,
    name: str = "the table",
    baseline_name: str = "the baseline",
) -> TableInput:
    """Read a table of station results and, where given, the baseline: the same stations' votes at an earlier election.

    The baseline is a CSV with the column `station` and one column for each option of the table; further columns are ignored.
    `extra_ballots` are those that a station may lawfully take beyond its roll. Raises CallError.
    """
    if extra_ballots < 0:
        raise CallError(f"extra_ballots = {extra_ballots}: a station cannot take fewer ballots than its roll; give 0 or more")
    table = _Table(TableFile(data, name))
    table.read()
    previous = None if baseline is None else _baseline(TableFile(baseline, baseline_name), table.stations, table.options)
    return table.result(extra_ballots, previous)


class _Table:
    """The columns of a table while they are being read."""

    def __init__(self, file: TableFile) -> None:
        self.file = file
        place = {column.lower() if column.lower() in KNOWN_COLUMNS else column: at for at, column in enumerate(file.header)}
        if len(place) < len(file.header):
            raise CallError(f"{file.name}, line 1: a column is there twice, in upper and in lower case; take one of them out")
        if STATION not in place:
            advice = (
                f"columns found: {', '.join(file.header[:_NAMED])}; name one of them {STATION!r}, or give a layout of the file"
            )
            raise CallError(f"{file.name}, line 1: there is no column {STATION!r}; {advice}")
        if "region" in place and "stratum" in place:
            raise CallError(f"{file.name}, line 1: there are columns 'region' and 'stratum'; give one of them, it is the stratum")
        self._place = place
        self.options = tuple(column for column in file.header if column.lower() not in KNOWN_COLUMNS)
        if not self.options:
            raise CallError(f"{file.name}, line 1: there is no option; give one column with votes for each of them")
        if len(self.options) > MAX_OPTIONS:
            raise CallError(f"{file.name}, line 1: {len(self.options)} columns are taken as options, more than {MAX_OPTIONS}")
        self.stations: tuple[str, ...] = ()
        self._lines: list[int] = []
        self._strata: dict[str, int] = {}
        self._stratum: list[int] = []
        self._status: list[int] = []
        self._time: list[int] = []
        self._clock = ""
        self._twice: list[str] = []
        self._figures = np.empty((0, 0), dtype=np.int64)

    def read(self) -> None:
        """Read all rows. Raises CallError."""
        stated = [figure for figure in FIGURES if figure in self._place]
        columns = [self._place[column] for column in (*self.options, *stated)]
        blocks, seen = [], dict[str, int]()
        for lines, rows, figures in self.file.blocks(columns):
            keep = [self._take(line, cells, seen) for line, cells in zip(lines, rows, strict=True)]
            blocks.append(figures[np.array(keep, dtype=np.bool_)])
            if len(seen) > MAX_STATIONS or len(seen) * len(self.options) > MAX_FIGURES:
                raise CallError(
                    f"{self.file.name}: there are too many stations; {ENGLISH.number(MAX_STATIONS)} are the most: split by unit"
                )
        self.file.check()
        self.stations = tuple(seen)
        self._figures = np.concatenate(blocks) if blocks else np.empty((0, len(columns)), dtype=np.int64)

    def _take(self, line: int, cells: list[str], seen: dict[str, int]) -> bool:
        """Enter what a row says besides its figures; whether the row counts."""
        station = cells[self._place[STATION]].strip()
        if not is_name(station):
            self.file.fault(line, STATION, "names no station; write its number or name")
            return False
        if station in seen:
            self._twice.append(f"line {line}: station {station!r} is already in line {seen[station]}; only that line is read")
            return False
        seen[station] = line
        self._lines.append(line)
        self._stratum.append(self._strata.setdefault(self._stratum_of(line, cells), len(self._strata)))
        self._status.append(self._status_of(line, cells))
        self._time.append(self._time_of(line, cells))
        return True

    def _stratum_of(self, line: int, cells: list[str]) -> str:
        column = "region" if "region" in self._place else "stratum"
        if column not in self._place:
            return ONE_STRATUM
        stratum = cells[self._place[column]].strip() or NO_STRATUM
        if not is_name(stratum):
            self.file.fault(line, column, "cannot be used as a name; write printable characters")
        return stratum

    def _status_of(self, line: int, cells: list[str]) -> int:
        if "status" not in self._place:
            return 0
        word = cells[self._place["status"]].strip().lower()
        if word not in STATUSES:
            self.file.fault(line, "status", f"{word[:40]!r} is not known; {did_you_mean(word[:40], [w for w in STATUSES if w])}")
        return STATUSES.get(word, 0)

    def _time_of(self, line: int, cells: list[str]) -> int:
        if "time" not in self._place:
            return 0
        cell = cells[self._place["time"]].strip()
        if not cell:
            return _LATER
        seconds = _SECONDS.fullmatch(cell)
        clock = "seconds" if seconds else "dates"
        if self._clock not in ("", clock):
            self.file.fault(line, "time", f"{cell[:40]!r} is in {clock}, earlier lines are in {self._clock}; use one of them")
        self._clock = self._clock or clock
        if seconds:
            return int(seconds[1]) * 1_000_000 + int((seconds[2] or "0").ljust(6, "0"))
        try:
            moment = datetime.fromisoformat(cell)
            return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
        except (ValueError, OverflowError):
            self.file.fault(line, "time", f"{cell[:40]!r} is no time; write it as 2024-05-01T19:30:00Z or in seconds")
            return _LATER

    def _column(self, figure: str) -> NDArray[np.int64]:
        """A figure besides the options, by station; UNKNOWN where it is not stated."""
        stated = [name for name in FIGURES if name in self._place]
        if figure not in stated:
            return np.full(len(self.stations), UNKNOWN, dtype=np.int64)
        return self._figures[:, len(self.options) + stated.index(figure)]

    def result(self, extra_ballots: int, previous: NDArray[np.int64] | None) -> TableInput:
        """The partial count. Raises CallError."""
        given = self._figures[:, : len(self.options)]
        missing = given == UNKNOWN
        empty = missing.all(axis=1)
        status = np.array(self._status, dtype=np.int8)
        counted = (status == STATUSES["counted"]) | ((status == 0) & ~empty)
        for row in np.flatnonzero(counted & missing.any(axis=1)).tolist():
            column = self.options[int(missing[row].argmax())]
            advice = "write 0 where nobody voted for it, or leave all options empty and the station is outstanding"
            self.file.fault(self._lines[row], column, f"is empty at a counted station; {advice}")
        self.file.check()
        votes = np.where(counted[:, np.newaxis], given, 0)
        roll = self._column("roll")
        others = sum((np.where(counted, np.maximum(self._column(what), 0), 0) for what in ("blank", "null")), np.zeros_like(roll))
        open_ = ~counted & (status != STATUSES["excluded"])
        capacity = np.where(roll == UNKNOWN, UNKNOWN, roll + extra_ballots)
        ordered = self._ordered(counted)
        partial = PartialCount(
            candidates=self.options,
            votes=votes,
            others=others,
            counted=counted,
            open=open_,
            arrival=self._arrival(counted) if ordered else unrelated_order(counted),
            capacity=capacity,
            stratum=np.array(self._stratum, dtype=np.int32),
            strata=tuple(self._strata),
            previous=previous,
            ordered=ordered,
        )
        incoherent = (*_shown(self._twice), *self._unfit_sums(partial), *self._beyond_roll(partial, extra_ballots))
        notes = self._notes(partial, np.flatnonzero(~counted & ~empty).size)
        return TableInput(partial, self.stations, tuple(f"{self.file.name}, {what}" for what in incoherent), notes)

    def _ordered(self, counted: NDArray[np.bool_]) -> bool:
        """Whether the order of arrival is known: some counted station has a time, or there are too few to be in any order."""
        timed = "time" in self._place and bool((np.array(self._time, dtype=np.int64)[counted] != _LATER).any())
        return timed or int(counted.sum()) < 2

    def _arrival(self, counted: NDArray[np.bool_]) -> NDArray[np.int64]:
        rows = np.flatnonzero(counted)
        arrival = np.full(len(counted), -1, dtype=np.int64)
        arrival[rows[np.argsort(np.array(self._time, dtype=np.int64)[rows], kind="stable")]] = np.arange(len(rows))
        return arrival

    def _unfit_sums(self, partial: PartialCount) -> list[str]:
        stated, sums = self._column("valid"), partial.votes.sum(axis=1)
        rows = np.flatnonzero(partial.counted & (stated != UNKNOWN) & (stated != sums)).tolist()
        return _shown(
            [
                f"line {self._lines[row]}: station {self.stations[row]!r} states {ENGLISH.number(int(stated[row]))} valid votes, "
                f"its options add up to {ENGLISH.number(int(sums[row]))}"
                for row in rows
            ]
        )

    def _beyond_roll(self, partial: PartialCount, extra_ballots: int) -> list[str]:
        ballots = partial.votes.sum(axis=1) + partial.others
        rows = np.flatnonzero(partial.counted & (partial.capacity != UNKNOWN) & (ballots > partial.capacity)).tolist()
        extra = f" and {_count(extra_ballots, 'ballot', 'ballots')} beyond it" if extra_ballots else ""
        return _shown(
            [
                f"line {self._lines[row]}: station {self.stations[row]!r} has {ENGLISH.number(int(ballots[row]))} ballots, "
                f"more than its roll of {ENGLISH.number(int(partial.capacity[row]) - extra_ballots)}{extra}"
                for row in rows
            ]
        )

    def _notes(self, partial: PartialCount, left_out: int) -> tuple[str, ...]:
        notes = []
        without = np.flatnonzero(partial.open & (partial.capacity == UNKNOWN)).tolist()
        if without:
            named = _named([self.stations[row] for row in without])
            notes.append(
                f"The answer is partial: {_count(len(without), 'open station has', 'open stations have')} no roll ({named}), "
                "so that nothing bounds what can still come; give their rolls for a verdict by arithmetic."
            )
        unchecked = int((partial.counted & (partial.capacity == UNKNOWN)).sum())
        if unchecked:
            notes.append(
                f"{_count(unchecked, 'counted station', 'counted stations')} without a roll could not be checked against it."
            )
        if left_out:
            notes.append(f"The figures of {_count(left_out, 'station that is', 'stations that are')} not counted are left out.")
        untimed = int((np.array(self._time, dtype=np.int64)[partial.counted] == _LATER).sum())
        if not partial.ordered:
            notes.append("No times are given: the order in which the stations reported is not known.")
        elif untimed:
            notes.append(
                f"{_count(untimed, 'counted station', 'counted stations')} without a time stand last in the order of arrival."
            )
        if NO_STRATUM in self._strata:
            notes.append(f"Stations without a region form one stratum, {NO_STRATUM}.")
        sums = partial.votes.sum(axis=1)[partial.counted]
        if len(sums) >= _NAMED and bool((sums == 100).all()):
            notes.append("The options add up to 100 at every station: if these are percentages, the answer means nothing.")
        return tuple(notes)


def _baseline(file: TableFile, stations: tuple[str, ...], options: tuple[str, ...]) -> NDArray[np.int64]:
    """The baseline's votes in the order of the table's stations and options. Raises CallError."""
    place = {STATION if column.lower() == STATION else column: at for at, column in enumerate(file.header)}
    absent = [column for column in (STATION, *options) if column not in place]
    if absent:
        advice = "give it, with 0 where it did not stand" if STATION not in absent else "name the column of the stations so"
        raise CallError(
            f"{file.name}, line 1: there is no column {ENGLISH.listed([repr(column) for column in absent[:_NAMED]])}; {advice}"
        )
    rank = {station: row for row, station in enumerate(stations)}
    previous = np.full((len(stations), len(options)), UNKNOWN, dtype=np.int64)
    others: list[str] = []
    met: set[str] = set()
    for lines, rows, figures in file.blocks([place[option] for option in options]):
        for row in np.flatnonzero((figures == UNKNOWN).any(axis=1)).tolist():
            file.fault(lines[row], "", "has no figure for an option; write 0 where nobody voted for it")
        for line, cells, own in zip(lines, rows, figures, strict=True):
            station = cells[place[STATION]].strip()
            if station in met:
                file.fault(line, STATION, f"station {station[:40]!r} is listed twice; take one of the lines out")
            elif station in rank:
                previous[rank[station]] = own
            else:
                others.append(station)
            met.add(station)
    file.check()
    missing = [station for station in stations if station not in met]
    if missing or others:
        faults = [f"it lacks {_count(len(missing), 'station', 'stations')} ({_named(missing)})"] if missing else []
        faults += [f"it has {_count(len(others), 'other', 'others')} ({_named(others)})"] if others else []
        raise CallError(
            f"{file.name}: its stations are not those of the table: {ENGLISH.listed(faults)}; give the same stations in both"
        )
    return previous


def _shown(findings: list[str]) -> list[str]:
    more = len(findings) - MAX_SHOWN
    return [*findings[:MAX_SHOWN], f"and {ENGLISH.number(more)} more lines of this kind"] if more > 0 else findings


def _named(stations: list[str]) -> str:
    more = len(stations) - _NAMED
    return f"{', '.join(stations[:_NAMED])} and {ENGLISH.number(more)} more" if more > 0 else ENGLISH.listed(stations)


def _count(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{ENGLISH.number(number)} {one if number == 1 else many}"
