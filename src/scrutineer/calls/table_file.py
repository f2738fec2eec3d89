"""The rows of a CSV file that somebody wrote: decoded, cut into cells, its figures read as blocks of integers. Pure."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.election import UNKNOWN
from scrutineer.election.contests import MAX_NAME_LENGTH
from scrutineer.election.finding import MAX_FINDINGS, Finding, summary
from scrutineer.election.layout_model import FileFormat
from scrutineer.election.published_numbers import NumberError, Numbers
from scrutineer.errors import CallError

MAX_TABLE_SIZE: Final = 256 * 1024 * 1024  # bytes
MAX_COLUMNS: Final = 2_000

_BLOCK: Final = 20_000  # rows whose figures are held as Python integers at a time
_DELIMITERS: Final = ",;\t|"
_PERCENTAGE: Final = re.compile(r"\d+(?:[.,]\d+)?\s*%|\d{1,2}[.,]\d+|100[.,]0+")
_GROUPED: Final = re.compile(r"\d{1,3}(?:[.,' \u00a0\u2009\u202f]\d{3})+")


class TableFile:
    """A CSV file with a header line. Raises CallError where it cannot be read at all; collects what is wrong in its rows."""

    def __init__(self, data: bytes, name: str) -> None:
        if len(data) > MAX_TABLE_SIZE:
            raise CallError(f"{name}: is larger than {MAX_TABLE_SIZE // 1024 // 1024} MB, which is the most; split it by unit")
        self.name = name
        text = _decode(data, name)
        first = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=lambda sign: (_has_station(first, sign), first.count(sign)))
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._faults: list[Finding] = []
        self.header: tuple[str, ...] = ()
        for _, cells in self._cells():
            self.header = tuple(cell.strip() for cell in cells)
            break
        self._check_header()

    def fault(self, line: int, column: str, message: str) -> None:
        """Note what leaves no way of reading a row. Raises CallError once there are so many that they have one cause."""
        self._faults.append(Finding(self.name, line, f"column {column!r}" if column else "", message))
        if len(self._faults) >= MAX_FINDINGS:
            self.check()

    def check(self) -> None:
        """Raises CallError with the first of the faults noted, if there are any."""
        if self._faults:
            raise CallError(summary(sorted(self._faults)))

    def blocks(self, columns: Sequence[int]) -> Iterator[tuple[list[int], list[list[str]], NDArray[np.int64]]]:
        """Lines, cells and the figures of these columns, block by block; UNKNOWN where a figure's cell is empty.

        Rows at fault are noted and left out.
        """
        numbers = Numbers(FileFormat(), [(column,) for column in columns])
        width = len(self.header)
        source = self._cells()
        while chunk := list(islice(source, _BLOCK)):
            lines: list[int] = []
            rows: list[list[str]] = []
            figures: list[tuple[int | None, ...]] = []
            for line, cells in chunk:
                if len(cells) != width:
                    self.fault(
                        line, "", f"has {len(cells)} cells, the header has {width}: correct the line or its quotation marks"
                    )
                    continue
                try:
                    values = numbers.read(cells)
                except NumberError:
                    self._refuse_numbers(numbers, line, cells)
                    continue
                if None in values:
                    values = tuple(UNKNOWN if value is None else value for value in values)
                lines.append(line)
                rows.append(cells)
                figures.append(values)
            if rows:
                yield lines, rows, np.array(figures, dtype=np.int64).reshape(len(rows), len(columns))

    def _refuse_numbers(self, numbers: Numbers, line: int, cells: list[str]) -> None:
        for column, why in numbers.faults(cells):
            self.fault(line, self.header[column], f"{why}{_advice(cells[column].strip())}")

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        try:
            for cells in self._reader:
                if any(cells):
                    yield self._reader.line_num, cells
        except csv.Error as error:
            raise CallError(
                f"{self.name}, line {self._reader.line_num}: not readable as CSV ({error}); check its quotation marks"
            ) from error

    def _check_header(self) -> None:
        if not self.header:
            raise CallError(f"{self.name}: is empty; the first line must name the columns")
        if len(self.header) > MAX_COLUMNS:
            raise CallError(f"{self.name}: has {len(self.header)} columns, more than the {MAX_COLUMNS} that are read")
        seen: set[str] = set()
        for position, column in enumerate(self.header, 1):
            if not is_name(column):
                raise CallError(
                    f"{self.name}, line 1: column {position} has no usable name; write 1 to {MAX_NAME_LENGTH} letters"
                )
            if column in seen:
                raise CallError(f"{self.name}, line 1: two columns are called {column!r}; give each its own name")
            seen.add(column)


def is_name(text: str) -> bool:
    """Whether a cell can name a station, a region or an option."""
    return 0 < len(text) <= MAX_NAME_LENGTH and text.isprintable()


def _advice(cell: str) -> str:
    if cell.startswith(("-", "−")):
        return "; correct it, or leave the station's figures empty while they are unknown"
    if _GROUPED.fullmatch(cell):
        return "; write the digits alone, without signs for thousands"
    if _PERCENTAGE.fullmatch(cell):
        return ", it looks like a percentage; give the number of votes"
    if cell.replace(".", "", 1).replace(",", "", 1).isdigit():
        return "; give the number of votes"
    return "; give the number of votes, or take the column out if it is not an option"


def _has_station(header: str, delimiter: str) -> bool:
    return any(cell.strip().strip('"').lower() == "station" for cell in header.split(delimiter))


def _decode(data: bytes, name: str) -> str:
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CallError(f"{name}, line {line}: not {encoding.upper()}; save the file as CSV in UTF-8") from error
