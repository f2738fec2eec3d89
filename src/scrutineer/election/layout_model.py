"""Layouts: which column of somebody's results file is what, so that a new country costs ten lines of TOML and no code.

A layout names the columns of a CSV file, or of one inside a zip or gzip file, and says how its numbers are written. It is
data: `layout_reader.read_published` does the reading. The keys are explained in docs/layouts.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from scrutineer.election.contests import Contest

FIGURES: Final = ("blank", "null", "cast", "voters", "valid")
"""What a contest's columns may say besides the votes of its options; the roll belongs to the station."""

Columns = tuple[str, ...]
"""Columns whose numbers are added; one in most files, none where the file does not say."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How the file is written."""

    encodings: tuple[str, ...] = ("utf-8",)
    """Tried in this order; a byte-order mark is skipped."""
    delimiter: str = ","
    quote: str = '"'
    skip_lines: int = 0
    row_count_line: bool = False
    """Whether the first line (behind those skipped) holds the number of rows."""
    member: str = ""
    """Which file of a zip archive; may be left empty where there is only one."""
    missing: tuple[str, ...] = ("",)
    """Cells that say that a number is not known."""
    thousands: str = ""
    decimal: str = ""
    optional: tuple[str, ...] = ()
    """Columns that some files of this kind do not have; their cells are then empty."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A column that is cut out of another: the first group of a pattern."""

    column: str
    origin: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of units between the root and the stations."""

    kind: str
    id: Columns
    """Columns that are joined to the unit's id."""
    name: str
    """Template of the unit's name, such as '{EDO}'."""
    within: bool
    """Whether the id is unique only within the unit above, so that it needs the id above in front."""
    empty: str
    """Name of the unit that takes rows whose id cells are empty; where it is empty, such rows skip the level."""


@dataclass(frozen=True, slots=True)
class StationColumns:
    """The columns that say which station a row is about."""

    kind: str
    id: Columns
    name: str
    within: bool
    roll: Columns = ()
    no_roll: tuple[str, ...] = ()
    """Cells that say that a station has no roll of its own, such as '0' at stations for people on their way."""
    source: str = ""
    """Template of where the figures were published; the file and line where it is left out."""
    time: Columns = ()
    time_format: str = ""
    """'epoch' (seconds since 1970), 'epoch-ms', or a format of strptime for the cells joined by spaces."""


@dataclass(frozen=True, slots=True)
class RowPerOption:
    """For files with one row for each option: where the row says which, and its votes."""

    option: str
    votes: Columns
    absent_is_zero: bool
    """Whether the publisher leaves out rows without votes."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """Rows that are no option: what stands in the option column, and the figure that its votes are."""


@dataclass(frozen=True, slots=True)
class ContestColumns:
    """A contest and the columns of its figures."""

    contest: Contest
    options: tuple[Columns, ...]
    """For each option its columns (one row for each station)."""
    values: tuple[str, ...]
    """For each option what stands in the option column (one row for each option)."""
    figures: Mapping[str, Columns]
    rows: RowPerOption | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout as read from its TOML file."""

    name: str
    title: str
    """Name of the election."""
    publisher: str
    """Who published the file; becomes the source of the definition."""
    date: str
    timezone: str
    file: FileFormat
    aliases: Mapping[str, Columns]
    """Other headers under which a column is found, by the name that the layout uses."""
    derived: tuple[Derived, ...]
    where: Mapping[str, str]
    """Columns and the cell that a row must have there; other rows belong to other contests."""
    leave_out: tuple[tuple[str, tuple[str, ...]], ...]
    """Columns and cells that mark totals rows."""
    root: tuple[str, str, str]
    """Id, name and kind of the unit that holds all others."""
    levels: tuple[Level, ...]
    station: StationColumns
    contests: tuple[ContestColumns, ...]
    strata: int = 1
    """Depth of the units that are the strata of the replay's calls."""
