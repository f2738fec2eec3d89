"""Tables that were published as CSV: bounded in size, strict in form, errors with the file and the line."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scrutineer.errors import AuditError

MOST_BYTES: Final = 256 << 20
"""Bytes of one table."""
MOST_ROWS: Final = 5_000_000
MOST_CELLS: Final = 4_096
"""Cells of one row."""
MOST_CELL: Final = 100_000
"""Characters of one cell: fewer than Python's own reader takes."""
MOST_NUMBER: Final = 10**12
"""Votes, ballots and positions lie below it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table."""

    number: int
    """The line of the file on which the row ends, from 1."""
    cells: tuple[str, ...]


def read_lines(name: str, data: bytes, *, legacy: bool = False) -> tuple[Line, ...]:
    """The rows of a CSV file that are not empty, each cell without white space around it.

    With `legacy`, a file that is not UTF-8 is read as Windows-1252, in which offices' spreadsheets save. Raises AuditError for a
    file that is too large or not CSV, for letters that are neither, and for a spreadsheet.
    """
    if len(data) > MOST_BYTES:
        raise AuditError(f"{name}: {len(data)} bytes are too many for a table of an audit; check what the file is")
    if data.startswith(b"PK"):
        raise AuditError(f"{name}: a spreadsheet or an archive; save the table as CSV in UTF-8, and unpack archives in archives")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = AuditError(f"{name}: byte {error.start} is not UTF-8; save the file as CSV in UTF-8")
        if not legacy:
            raise wrong from error
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            raise wrong from error
    if "\0" in text:
        raise AuditError(f"{name}: holds a zero byte, so it is no table; save it as CSV anew")
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[Line] = []
    try:
        for cells in table:
            if len(cells) > MOST_CELLS or any(len(cell) > MOST_CELL for cell in cells):
                raise AuditError(f"{name}, line {table.line_num}: a row or cell that is too long; check what the file is")
            if any(cell.strip() for cell in cells):
                lines.append(Line(table.line_num, tuple(cell.strip() for cell in cells)))
            if len(lines) > MOST_ROWS:
                raise AuditError(f"{name}: more than {MOST_ROWS} rows; check what the file is")
    except csv.Error as error:
        raise AuditError(f"{name}, line {table.line_num}: not a row of a CSV file ({error}); save it as CSV anew") from error
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a row of column names, which are compared without regard to case."""

    name: str
    """Of the file, and of the section where it has some, as messages name it."""
    columns: tuple[str, ...]
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, name: str, lines: Sequence[Line]) -> "Table":
        """The first line names the columns. Raises AuditError for no line, names that stand twice, and rows that are longer."""
        if not lines:
            raise AuditError(f"{name}: holds no row; give the whole table")
        columns = _without_empty_end(lines[0].cells)
        known: set[str] = set()
        for column in columns:
            if column and column.lower() in known:
                raise AuditError(f"{name}, line {lines[0].number}: two columns are called {column[:90]!r}; rename one of them")
            known.add(column.lower())
        rows = []
        for line in lines[1:]:
            cells = _without_empty_end(line.cells)
            if len(cells) > len(columns):
                raise AuditError(
                    f"{name}, line {line.number}: {len(cells)} cells, and there are {len(columns)} columns; correct the line"
                )
            rows.append(Line(line.number, cells + ("",) * (len(columns) - len(cells))))
        return cls(name, columns, tuple(rows))

    def place(self, *names: str) -> int | None:
        """The place of the first column with one of these names."""
        lowered = [column.lower() for column in self.columns]
        return next((lowered.index(name.lower()) for name in names if name.lower() in lowered), None)

    def needed(self, *names: str) -> int:
        """The place of such a column. Raises AuditError where there is none."""
        if (place := self.place(*names)) is None:
            raise AuditError(f"{self.name}: no column is called {names[0]!r}; add it, or give the file that has it")
        return place

    def where(self, line: Line) -> str:
        """How messages name a line."""
        return f"{self.name}, line {line.number}"


def whole_number(where: str, what: str, cell: str) -> int:
    """A number of 0 or more, in digits, with commas between groups of three allowed. Raises AuditError for anything else."""
    digits = cell.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", cell) else cell
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        raise AuditError(f"{where}: {cell[:40]!r} is no number of {what}; write digits alone")
    return int(digits)


def votes_in(where: str, text: str) -> dict[str, int]:
    """Votes as Arlo writes them: `name: number; name: number`, an empty text being none. Raises AuditError for anything else."""
    votes: dict[str, int] = {}
    rest = text
    while rest:
        found = re.match(r"(.+?): (-?[0-9]{1,12})(?:; |$)", rest, re.DOTALL)
        if found is None or (found[0].endswith("; ") and found.end() == len(rest)):
            raise AuditError(f"{where}: {text[:90]!r} is not written as `name: votes; name: votes`")
        name, number = found[1], int(found[2])
        if name in votes or number < 0:
            raise AuditError(f"{where}: {name[:90]!r} stands there twice, or has votes below zero")
        votes[name] = number
        rest = rest[found.end() :]
    return votes


def by_choice(where: str, votes: Mapping[str, int], choices: Sequence[str]) -> tuple[int, ...]:
    """The votes in the order of the choices; 0 where one is not named. Raises AuditError for an unknown name."""
    unknown = [name for name in votes if name not in choices]
    if unknown:
        raise AuditError(f"{where}: the contest has no choice {unknown[0][:90]!r}")
    return tuple(votes.get(choice, 0) for choice in choices)


def _without_empty_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def names_in(text: str, known: Sequence[str], separator: str = ", ") -> tuple[str, ...] | None:
    """The known names that a text lists, although a name may hold the separator; None where it lists anything else."""
    parts = text.split(separator) if text else []
    wanted = set(known)
    longest = max((name.count(separator) + 1 for name in wanted), default=0)
    ways: list[tuple[str, ...] | None] = [()] + [None] * len(parts)
    for end in range(1, len(parts) + 1):
        for start in range(max(0, end - longest), end):
            before, name = ways[start], separator.join(parts[start:end])
            if before is not None and name in wanted:
                ways[end] = (*before, name)
                break
    return ways[-1]
