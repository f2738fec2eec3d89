"""Reading somebody's published results by a layout: units, contests and one sheet for each row, figures exactly as published.

Nothing is corrected, completed or dropped on the way. What cannot be read is a problem with its line; what can be read and
does not fit together is a note; a row that repeats a station becomes a second sheet of that station.
"""

import datetime
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import Contest
from scrutineer.election.election_file import MAX_SOURCE_LENGTH
from scrutineer.election.finding import Finding, did_you_mean
from scrutineer.election.folder import Draft
from scrutineer.election.layout_model import FIGURES, ContestColumns, Layout
from scrutineer.election.published_file import PublishedFile, open_published
from scrutineer.election.published_sheets import ROLL, Place, PublishedSheet, RowError, SheetFromRows, SheetPerRow
from scrutineer.election.published_units import PublishedUnits, template
from scrutineer.election.register import Register
from scrutineer.election.tables import collector_paused
from scrutineer.election.units import Units
from scrutineer.errors import DefinitionError, LayoutError

Progress = Callable[[int, int], None]  # lines read, lines in all

AUTHORITY_OF_REPLAYS: Final = "Nobody (replayed from published data)"
MAX_SHEET_SOURCE: Final = 256  # characters, as in a tally sheet
_PROGRESS_EVERY: Final = 5_000  # rows
_LAST_SECOND: Final = 2**40  # seconds since 1970, as in a tally sheet


class Sums(NamedTuple):
    """Control sums of the sheets of one contest, to be held against what the publisher announced."""

    contest: str
    sheets: int
    options: tuple[int, ...]
    """Votes per option, over the sheets that state them."""
    figures: Mapping[str, int]
    """Sums of blank, null, cast, voters, roll and valid over the sheets that state them; left out where none does."""
    stated: Mapping[str, int]
    """How many sheets state each of these figures."""


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """A file as read by its layout."""

    layout: Layout
    file: str
    sha256: bytes
    contests: tuple[Contest, ...]
    units: Units
    sheets: tuple[PublishedSheet, ...]
    """In the order of the file. A station that the file lists twice has two sheets: that is evidence, not an error."""
    outstanding: tuple[str, ...]
    """Stations without a sheet in at least one contest."""
    problems: tuple[Finding, ...]
    """Rows and cells that could not be read; their stations are outstanding."""
    notes: tuple[Finding, ...]
    """What was read and does not fit together, such as options that do not add up to the valid votes stated."""
    rows: int
    unreadable_rows: int
    left_out: int
    """Totals rows, repeated headers and rows of other contests."""
    sums: tuple[Sums, ...]

    def draft(self) -> Draft:
        """The draft of the election that replays this file."""
        return Draft(
            id=self.layout.name,
            name=self.layout.title,
            date=self.layout.date,
            timezone=self.layout.timezone,
            authority=AUTHORITY_OF_REPLAYS,
            contests=self.contests,
            units=self.units,
            register=Register(self.units.station_index, bytes(32 * self.units.station_count), ()),
            thresholds={},
            rules={},
            provenance="replayed",
            source=f"{self.layout.publisher}; file {self.file}, SHA-256 {self.sha256.hex()}"[:MAX_SOURCE_LENGTH],
            calls=CallSettings(strata=self.layout.strata),
        )


def read_published(
    path: Path, layout: Layout, *, where: Mapping[str, str] | None = None, progress: Progress | None = None
) -> Published:
    """Read a results file. `where` chooses another contest of a file that has one row for each option.

    Raises LayoutError where the file cannot be read by this layout at all.
    """
    file = open_published(path, layout.file)
    with collector_paused():
        reader = _Reader(file, layout, where)
        reader.read(progress)
        return reader.finish()


class _Header(dict[str, int]):
    """Position of each column by the layout's name for it. Asking for one that the file does not have raises LayoutError."""

    def __init__(self, file: PublishedFile, cells: list[str], layout: Layout) -> None:
        super().__init__()
        self._file = file
        names = [" ".join(cell.split()) for cell in cells]
        self._twice = {name for name in names if names.count(name) > 1}
        self.update({name: position for position, name in reversed(list(enumerate(names)))})
        self.width = len(cells)
        self._aliases = layout.aliases
        self.derived = []
        self.absent = 0
        for derived in layout.derived:
            self.derived.append((self[derived.origin], derived.pattern))
            self[derived.column] = self.width + len(self.derived) - 1
        for column in layout.file.optional:
            if not any(name in self for name in (column, *self._aliases.get(column, ()))):
                self[column] = self.width + len(self.derived) + self.absent
                self.absent += 1

    def __missing__(self, column: str) -> int:
        for alias in self._aliases.get(column, ()):
            if alias in self:
                self[column] = self[alias]
                return self[column]
        near = did_you_mean(column, self)
        raise LayoutError(f"{self._file.name}, line {self._file.first_line}: has no column {column!r}; {near} in the layout")

    def __getitem__(self, column: str) -> int:
        plain = " ".join(column.split())
        if plain in self._twice:
            raise LayoutError(
                f"{self._file.name}, line {self._file.first_line}: has two columns {column!r}; the layout cannot use either"
            )
        return super().__getitem__(plain)

    def extend(self, row: list[str]) -> None:
        """Add the derived columns and the absent ones to a row. Raises RowError where a cell has nothing to derive from."""
        for origin, pattern in self.derived:
            found = pattern.search(row[origin])
            if found is None and row[origin].strip():
                raise RowError([(origin, f"{row[origin][:60]!r} does not follow the layout's pattern {pattern.pattern!r}")])
            row.append((found[1] or "") if found else "")
        row.extend([""] * self.absent)


class _Reader:
    def __init__(self, file: PublishedFile, layout: Layout, where: Mapping[str, str] | None) -> None:
        self._file = file
        self._layout = layout
        self._lines = file.rows()
        first = next(self._lines, None)
        if first is None:
            raise LayoutError(f"{file.name}: the file is empty; fetch it again")
        self._header_row = first[1]
        header = self._header = _Header(file, first[1], layout)
        chosen = layout.where if where is None else where
        self._where = [(header[column], cell.strip()) for column, cell in chosen.items()]
        self._leave_out = [(header[column], frozenset(cells)) for column, cells in layout.leave_out]
        self._units = PublishedUnits(layout, header)
        self._roll_columns = [header[column] for column in layout.station.roll]
        self._source = template(layout.station.source, header) if layout.station.source else None
        self._clock = _Clock(layout, header)
        self._contests = [self._collector(columns, where) for columns in layout.contests]
        self._problems: list[Finding] = []
        self._notes: list[Finding] = []
        self._rows = self._unreadable = self._left_out = 0

    def _collector(self, columns: ContestColumns, where: Mapping[str, str] | None) -> SheetPerRow | SheetFromRows:
        roll = self._layout.station.roll
        if columns.rows is not None:
            return SheetFromRows(columns, columns.rows, self._header, self._layout.file, roll, where)
        if where is not None:
            raise LayoutError(f"{self._layout.name}: has a column for each option, so that no other contest can be chosen")
        return SheetPerRow(columns, self._header, self._layout.file, roll)

    def read(self, progress: Progress | None) -> None:
        """Take in every row."""
        lines = self._file.line_count() if progress else 0
        for line, row in self._lines:
            self._rows += 1
            self._read_row(line, row)
            if progress and self._rows % _PROGRESS_EVERY == 0:
                progress(line - self._file.first_line, lines)
        if progress:
            progress(lines, lines)

    def _read_row(self, line: int, row: list[str]) -> None:
        if len(row) != self._header.width:
            self._fault(line, [(-1, f"{len(row)} cells where the header has {self._header.width}; correct the line")])
            return
        if row == self._header_row:
            self._left_out += 1
            return
        try:
            self._header.extend(row)
        except RowError as fault:
            self._fault(line, fault.faults)
            return
        if any(row[column].strip() != cell for column, cell in self._where) or any(
            row[column].strip() in cells for column, cells in self._leave_out
        ):
            self._left_out += 1
            return
        try:
            station, parent = self._units.station(row)
        except ValueError:
            self._fault(line, [(-1, "names no station; fill in its id")])
            return
        if parent != self._units.parent_of(station):
            self._note(line, "", f"puts station {station!r} in {parent!r}, an earlier row in {self._units.parent_of(station)!r}")
        place = Place(station, line, self._time(line, row), self._published_at(line, row), self._has_roll(row))
        for collector in self._contests:
            try:
                roll = collector.take(row, place)
            except RowError as fault:
                self._fault(line, fault.faults)
                return
            other = self._units.roll(station, roll)
            if other is not None:
                self._note(line, "roll", f"station {station!r} has a roll of {roll} here and of {other} in an earlier row")

    def _has_roll(self, row: list[str]) -> bool:
        none = self._layout.station.no_roll
        return not none or any(row[column].strip() not in none for column in self._roll_columns)

    def _published_at(self, line: int, row: list[str]) -> str:
        text = " ".join(self._source(row).split()) if self._source else ""
        # An address cut short leads nowhere, so one that is too long gives way to the row.
        return (
            text
            if 0 < len(text) <= MAX_SHEET_SOURCE and text.isprintable()
            else f"{self._file.name}, line {line}"[-MAX_SHEET_SOURCE:]
        )

    def _time(self, line: int, row: list[str]) -> int | None:
        try:
            return self._clock.read(row)
        except ValueError as error:
            self._note(line, self._layout.station.time[0], f"the time is left out: {error}")
            return None

    def _fault(self, line: int, faults: Iterable[tuple[int, str]]) -> None:
        self._unreadable += 1
        for column, message in faults:
            name = self._header_row[column].strip() if 0 <= column < self._header.width else ""
            self._problems.append(Finding(self._file.name, line, name, message))

    def _note(self, line: int, field: str, message: str) -> None:
        self._notes.append(Finding(self._file.name, line, field, message))

    def finish(self) -> Published:
        """What was read, with its control sums. Raises LayoutError where that is nothing."""
        if not self._units.stations():
            first = f"; the first problem: {self._problems[0]}" if self._problems else ""
            raise LayoutError(f"{self._file.name}: no row names a station by this layout ({self._rows} rows){first}")
        stated = self._file.rows_stated
        if stated is not None and stated != self._rows:
            self._note(self._file.first_line - 1, "", f"states {stated} rows, and {self._rows} follow")
        sheets: list[PublishedSheet] = []
        missing: set[str] = set()
        for collector in self._contests:
            collector.finish()
            sheets += collector.sheets
            missing |= set(self._units.stations()) - {sheet.station for sheet in collector.sheets}
            self._cross_check(collector)
        if len(self._contests) > 1:
            sheets.sort(key=lambda sheet: sheet.line)
        return Published(
            layout=self._layout,
            file=self._file.name,
            sha256=self._file.sha256,
            contests=tuple(collector.contest for collector in self._contests),
            units=self._tree(),
            sheets=tuple(sheets),
            outstanding=tuple(station for station in self._units.stations() if station in missing),
            problems=tuple(self._problems),
            notes=tuple(sorted(self._notes)),
            rows=self._rows,
            unreadable_rows=self._unreadable,
            left_out=self._left_out,
            sums=tuple(_sums(collector.contest, collector.sheets) for collector in self._contests),
        )

    def _tree(self) -> Units:
        try:
            return self._units.units()
        except DefinitionError as error:
            raise LayoutError(
                f"{self._file.name}: the units do not make a tree ({error}); correct the layout's levels"
            ) from error

    def _cross_check(self, collector: SheetPerRow | SheetFromRows) -> None:
        """Hold the sum of the options against the valid votes stated."""
        if not collector.contest.single_choice():
            return
        for sheet in collector.sheets:
            if sheet.valid is not None and None not in sheet.counts:
                total = sum(votes or 0 for votes in sheet.counts)
                if total != sheet.valid:
                    self._note(sheet.line, "valid", f"states {sheet.valid} valid votes, and the options add up to {total}")


class _Clock:
    """Reads when a sheet was closed or published, each text once."""

    def __init__(self, layout: Layout, header: Mapping[str, int]) -> None:
        self._columns = [header[column] for column in layout.station.time]
        self._format = layout.station.time_format
        self._zone = zoneinfo.ZoneInfo(layout.timezone)
        self._missing = frozenset(layout.file.missing)
        self._known: dict[str, int | None] = {}

    def read(self, row: list[str]) -> int | None:
        """Seconds since 1970; None where the file does not say. Raises ValueError for a text that is no time."""
        if not self._columns:
            return None
        text = " ".join([row[column].strip() for column in self._columns])
        if text not in self._known:
            self._known[text] = None if text in self._missing else self._seconds(text)
        return self._known[text]

    def _seconds(self, text: str) -> int:
        try:
            if self._format in ("epoch", "epoch-ms"):
                seconds = int(text) // (1000 if self._format == "epoch-ms" else 1)
            else:
                moment = datetime.datetime.strptime(text, self._format)
                seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp())
        except (ValueError, OverflowError, re.error) as error:
            raise ValueError(f"{text[:40]!r} is not a time written as {self._format!r}") from error
        if not 0 <= seconds < _LAST_SECOND:
            raise ValueError(f"{text[:40]!r} is out of range")
        return seconds


def _sums(contest: Contest, sheets: list[PublishedSheet]) -> Sums:
    options = tuple(sum(filter(None, column)) for column in zip(*(sheet.counts for sheet in sheets), strict=True))
    figures: dict[str, int] = {}
    stated: dict[str, int] = {}
    for figure in (*FIGURES, ROLL):
        values = [value for sheet in sheets if (value := getattr(sheet, figure)) is not None]
        if values:
            figures[figure], stated[figure] = sum(values), len(values)
    return Sums(contest.id, len(sheets), options or (0,) * len(contest.options), figures, stated)
