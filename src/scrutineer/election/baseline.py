"""The baseline of a definition: the votes of an earlier election at the same stations, as a table in CSV (RFC 4180).

Calls judge what is still out by how it may differ from the baseline, so the baseline must be fixed before the first result: it
is a table of the definition, which names it by its hash. The table is in long form, one row for each station and option:

    station,contest,option,votes

A contest that it covers is complete: every option at every station that votes in the contest. As written, contests stand in the
order of the definition, stations in that of the units table, options in that of the ballot. A table in that order is read by
numpy, without making a string of any cell; in any other order each row is looked at, and every fault is found by its line.
"""

import codecs
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.election.contests import Contest
from scrutineer.election.finding import MAX_FINDINGS, Finding, did_you_mean, summary
from scrutineer.election.table_findings import table_fault
from scrutineer.election.tables import UNITS_TABLE, collector_paused, table_rows
from scrutineer.election.units import Units
from scrutineer.errors import DefinitionError

BASELINE_TABLE: Final = "baseline.csv"
BASELINE_HEADER: Final = ("station", "contest", "option", "votes")
MAX_VOTES: Final = 100_000_000
"""Votes for one option at one station; more than any station or any whole constituency has."""
MAX_CONTEST_VOTES: Final = 10_000_000_000
"""Votes for all options at all stations; more than there are people."""
MAX_FIGURES: Final = 1 << 26
"""Stations times options of one contest."""

_HEADER_LINE: Final = (",".join(BASELINE_HEADER) + "\n").encode()
_STRETCH: Final = 1 << 22  # bytes of the table that are looked at together; many times the rows of one station
_MAX_DIGITS: Final = len(str(MAX_VOTES))
_COMMA, _LINE_END, _ZERO = b",\n0"

Baseline = tuple[NDArray[np.int32] | None, ...]
"""For each contest of the definition: votes at the earlier election, shape (stations that vote in it, options), in station and
ballot order; None where there is no baseline for it."""


def read_baseline(data: bytes, contests: Sequence[Contest], units: Units) -> Baseline:
    """Read a baseline of these contests and units. Raises DefinitionError with the first findings."""
    baseline, findings = _read(data, contests, units)
    if findings:
        raise DefinitionError(summary(findings))
    return baseline


def baseline_findings(data: bytes, contests: Sequence[Contest], units: Units) -> list[Finding]:
    """What is wrong in a baseline, in the order of its lines; at most MAX_FINDINGS, and empty where it can be read."""
    return _read(data, contests, units)[1]


def write_baseline(baseline: Baseline, contests: Sequence[Contest], units: Units) -> bytes:
    """The table of a baseline, in its one order. Raises DefinitionError where it does not fit the contests and units."""
    check_baseline(baseline, contests, units)
    pieces = [_HEADER_LINE]
    for contest, votes in zip(contests, baseline, strict=True):
        if votes is None:
            continue
        tails = [f",{contest.id},{option.id}," for option in contest.options]
        stations = iter(_stations(units, contest))
        # A stretch at a time, because every row is a text of its own until it is joined to the others.
        for stretch in np.array_split(votes, max(1, len(votes) // 20_000)):
            rows = zip(islice(stations, len(stretch)), stretch.tolist(), strict=True)
            pieces.append(
                "".join(
                    f"{station}{tail}{number}\n" for station, row in rows for tail, number in zip(tails, row, strict=True)
                ).encode()
            )
    return b"".join(pieces)


def check_baseline(baseline: Baseline, contests: Sequence[Contest], units: Units) -> None:
    """Refuse a baseline that does not fit its contests and units, or has votes that cannot be. Raises DefinitionError."""
    if len(baseline) != len(contests):
        raise DefinitionError(f"the baseline is of {len(baseline)} contests, and the election has {len(contests)}")
    for contest, votes in zip(contests, baseline, strict=True):
        if votes is None:
            continue
        shape = (len(_numbers(units, contest)), len(contest.options))
        if votes.shape != shape:
            raise DefinitionError(
                f"the baseline of contest {contest.id!r} has the shape {votes.shape}: its stations and options need {shape}"
            )
        if votes.size and not 0 <= int(votes.min()) <= int(votes.max()) <= MAX_VOTES:
            raise DefinitionError(f"the baseline of contest {contest.id!r}: votes at a station are 0 to {MAX_VOTES}")
        if fault := _total_fault(contest, votes):
            raise DefinitionError(fault)


def _total_fault(contest: Contest, votes: NDArray[np.int32]) -> str:
    total = int(votes.sum(dtype=np.int64))
    if total <= MAX_CONTEST_VOTES:
        return ""
    return (
        f"contest {contest.id!r} has {total} votes, more than the {MAX_CONTEST_VOTES} that any election has; correct its figures"
    )


def _numbers(units: Units, contest: Contest) -> range:
    """Numbers of the stations that vote in a contest. Raises DefinitionError where its unit does not exist."""
    return units.stations_below(units.position(contest.unit) if contest.unit else 0)


def _stations(units: Units, contest: Contest) -> list[str]:
    """Ids of the stations that vote in a contest."""
    numbers = _numbers(units, contest)
    return list(islice(units.station_index, numbers.start, numbers.stop))


def _read(data: bytes, contests: Sequence[Contest], units: Units) -> tuple[Baseline, list[Finding]]:
    try:
        baseline = _in_order(data, contests, units)
    except _OtherOrderError:
        reader = _Rows(contests, units)
        reader.read(data)
        baseline = reader.baseline()
        findings = sorted(reader.findings)[:MAX_FINDINGS]
    else:
        findings = []
    for contest, votes in zip(contests, baseline, strict=True):
        if votes is not None:
            votes.setflags(write=False)
            if not findings and (fault := _total_fault(contest, votes)):
                findings.append(Finding(BASELINE_TABLE, 0, "votes", fault))
    return baseline, findings


# --- a table as it is written -------------------------------------------------------------------------------------------


class _OtherOrderError(Exception):
    """A table that is not as `write_baseline` writes it; it may have faults, which the way for all tables will name."""


def _in_order(data: bytes, contests: Sequence[Contest], units: Units) -> Baseline:
    """A table whose rows are as written, whatever ends them. Raises _OtherOrderError for any other."""
    if data.startswith(codecs.BOM_UTF8) or b"\r" in data:
        data = data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    start = len(_HEADER_LINE)
    if data[:start] != _HEADER_LINE or start == len(data):
        raise _OtherOrderError
    baseline: list[NDArray[np.int32] | None] = [None] * len(contests)
    left = {contest.id.encode(): number for number, contest in enumerate(contests)}
    after = 0
    while start < len(data):
        # The longest row has three ids and a figure, which are far fewer bytes.
        cells = data[start : start + 256].split(b",", 2)
        number = left.get(cells[1], -1) if len(cells) == 3 else -1
        if number < after:
            raise _OtherOrderError
        stations = _stations(units, contests[number])
        if len(stations) * len(contests[number].options) > MAX_FIGURES:
            raise _OtherOrderError
        baseline[number], start = _contest_in_order(data, start, contests[number], stations)
        after = number + 1
    return tuple(baseline)


def _contest_in_order(data: bytes, start: int, contest: Contest, stations: list[str]) -> tuple[NDArray[np.int32], int]:
    """The rows of one contest, which begin at a byte, and the byte behind them. Raises _OtherOrderError."""
    width = len(contest.options)
    # A station's own rows without their figures are its id put between these.
    between = ["", *(f",{contest.id},{option.id},\n" for option in contest.options)]
    stretches: list[NDArray[np.int32]] = []
    done = 0
    while done < len(stations):
        piece = np.frombuffer(data, np.uint8, min(_STRETCH, len(data) - start), start)
        ends = np.flatnonzero(piece == _LINE_END)
        count = min(len(ends) // width, len(stations) - done)
        if not count:
            raise _OtherOrderError
        ends = ends[: count * width]
        piece = piece[: int(ends[-1]) + 1]
        keys = "".join([station.join(between) for station in stations[done : done + count]]).encode()
        stretches.append(_figures(piece, ends, keys).reshape(count, width))
        start += len(piece)
        done += count
    return np.concatenate(stretches), start


def _figures(piece: NDArray[np.uint8], ends: NDArray[np.int64], keys: bytes) -> NDArray[np.int32]:
    """The last cells of rows whose line ends stand at `ends`, where without these cells the rows are `keys`."""
    commas = np.flatnonzero(piece == _COMMA)
    if len(commas) != 3 * len(ends):
        raise _OtherOrderError
    begins = commas[2::3] + 1
    digits = ends - begins
    longest = int(digits.max())
    if int(digits.min()) < 1 or longest > _MAX_DIGITS or bool(((piece[begins] == _ZERO) & (digits > 1)).any()):
        raise _OtherOrderError
    figures = np.zeros(len(ends), np.int32)
    of_keys = np.ones(len(piece), np.bool_)
    for place in range(longest):
        rows = np.flatnonzero(digits > place) if place else slice(None)
        at = ends[rows] - 1 - place
        values = piece[at] - _ZERO  # Unsigned: what is not a digit becomes more than 9.
        if int(values.max()) > 9:
            raise _OtherOrderError
        figures[rows] += values.astype(np.int32) * np.int32(10**place)
        of_keys[at] = False
    if int(figures.max()) > MAX_VOTES or piece[of_keys].tobytes() != keys:
        raise _OtherOrderError
    return figures


# --- any table ----------------------------------------------------------------------------------------------------------


class _Place:
    """The figures of one contest while its rows are being read, and the line of each; 0 where there was none yet."""

    __slots__ = ("columns", "contest", "figures", "lines", "numbers")

    def __init__(self, contest: Contest, numbers: range) -> None:
        self.contest = contest
        self.numbers = numbers
        self.columns = {option.id: column for column, option in enumerate(contest.options)}
        size = len(numbers) * len(contest.options)
        self.figures = array("i", bytes(4 * size))
        self.lines = array("i", bytes(4 * size))


class _Rows:
    """Reads rows in any order, and notes what is wrong in them."""

    def __init__(self, contests: Sequence[Contest], units: Units) -> None:
        self.findings: list[Finding] = []
        self._contests = {contest.id: contest for contest in contests}
        self._units = units
        self._places: dict[str, _Place | None] = {}

    def baseline(self) -> Baseline:
        """What was read; means something only where nothing was found."""
        found: list[NDArray[np.int32] | None] = []
        for contest in self._contests.values():
            place = self._places.get(contest.id)
            figures = None if place is None else np.array(place.figures, dtype=np.int32)
            found.append(None if figures is None else figures.reshape(-1, len(contest.options)))
        return tuple(found)

    @collector_paused()
    def read(self, data: bytes) -> None:
        """Read the whole table."""
        stations, places = self._units.station_index, self._places
        try:
            for line, cells in table_rows(data, BASELINE_TABLE, BASELINE_HEADER):
                if len(cells) != 4:
                    self._find(line, "", f"{len(cells)} cells where the header has 4; fill in or remove cells")
                    continue
                station, contest, option, votes = cells
                place = places[contest] if contest in places else self._begin(line, contest)
                if place is None:
                    continue
                number, column = stations.get(station), place.columns.get(option)
                if number is None or number not in place.numbers:
                    self._find(line, "station", self._station_fault(station, place))
                elif column is None:
                    self._find(line, "option", f"contest {contest!r} has no option {option[:64]!r}; {_nearest(option, place)}")
                elif fault := _votes_fault(votes):
                    self._find(line, "votes", fault)
                else:
                    at = (number - place.numbers.start) * len(place.columns) + column
                    if place.lines[at]:
                        self._find(line, "station", _repeated(station, option, place.lines[at]))
                    else:
                        place.lines[at], place.figures[at] = line, int(votes)
                if len(self.findings) >= MAX_FINDINGS:
                    return
        except DefinitionError as error:
            self.findings.append(table_fault(BASELINE_TABLE, error))
        if not self.findings:
            self.findings += islice(self._missing(), MAX_FINDINGS)

    def _find(self, line: int, field: str, message: str) -> None:
        self.findings.append(Finding(BASELINE_TABLE, line, field, message))

    def _begin(self, line: int, contest_id: str) -> _Place | None:
        """The place of a contest whose first row is met; None where there can be none."""
        contest = self._contests.get(contest_id)
        if contest is None:
            self._find(line, "contest", f"there is no contest {contest_id[:64]!r}; {did_you_mean(contest_id, self._contests)}")
            return None
        numbers = _numbers(self._units, contest)
        if len(numbers) * len(contest.options) > MAX_FIGURES:
            self._find(line, "contest", f"{contest_id!r} has more than {MAX_FIGURES} figures, which is the most; leave it out")
            self._places[contest_id] = None
            return None
        place = self._places[contest_id] = _Place(contest, numbers)
        return place

    def _station_fault(self, station: str, place: _Place) -> str:
        if station in self._units.station_index:
            contest, unit = place.contest.id, place.contest.unit
            return f"{station!r} does not vote in contest {contest!r}, which is that of unit {unit!r} alone; remove the row"
        if station in self._units.index:
            return f"{station!r} has units below it; write the votes of each of its stations"
        return f"there is no station {station[:64]!r} in {UNITS_TABLE}; write the id of one that is listed"

    def _missing(self) -> Iterator[Finding]:
        """What a table whose rows are all right lacks."""
        places = [place for place in self._places.values() if place is not None]
        if not places:
            message = "there are no rows; list the votes of an earlier election, or remove the file"
            yield Finding(BASELINE_TABLE, 1, "", message)
        for place in places:
            lines = np.array(place.lines, dtype=np.int32).reshape(-1, len(place.columns))
            yield from _missing_rows(place.contest, _stations(self._units, place.contest), lines)


def _missing_rows(contest: Contest, stations: list[str], lines: NDArray[np.int32]) -> Iterator[Finding]:
    where = f"of contest {contest.id!r}"
    absent = ~lines.any(axis=0)
    for column in np.flatnonzero(absent).tolist():
        message = f"no station has a row for option {contest.options[column].id!r} {where}; add one at each"
        yield Finding(BASELINE_TABLE, 0, "option", f"{message}, with 0 where it did not stand, or leave the contest out")
    for row in np.flatnonzero(((lines == 0) & ~absent).any(axis=1)).tolist():
        own, station = lines[row], stations[row]
        if not own.any():
            message = f"station {station!r} {where} is missing; add its rows, or leave the contest out"
            yield Finding(BASELINE_TABLE, 0, "station", message)
            continue
        for column in np.flatnonzero((own == 0) & ~absent).tolist():
            message = f"station {station!r} has no row for option {contest.options[column].id!r} {where}; add one"
            yield Finding(BASELINE_TABLE, int(own.max()), "option", f"{message}, with 0 where it had no votes")


def _nearest(option: str, place: _Place) -> str:
    return did_you_mean(option[:64], place.columns)


def _repeated(station: str, option: str, line: int) -> str:
    return f"{station!r} has votes for option {option!r} already on line {line}; remove one of the rows"


def _votes_fault(cell: str) -> str:
    """What is wrong in a cell of votes; empty where it is a number in its only spelling."""
    if cell.isascii() and cell.isdigit() and len(cell) <= _MAX_DIGITS and (cell[0] != "0" or len(cell) == 1):
        return "" if int(cell) <= MAX_VOTES else f"{cell} cannot be the votes of a station; write 0 to {MAX_VOTES}"
    if not cell:
        return "empty; write 0 where there was no vote, or leave the whole contest out where votes are not known"
    if not (cell.isascii() and cell.isdigit()):
        return f"{cell[:40]!r} is not a whole number; write digits only"
    if cell.startswith("0"):
        return f"{cell[:40]!r} begins with a zero; write {cell.lstrip('0')[:20] or '0'}"
    return f"{cell[:20]} cannot be the votes of a station; write 0 to {MAX_VOTES}"
