"""Tables of marks: CSV files with a column for each option of each contest, read in blocks without an object for any cell.

The cells of a contest are 1 (marked), 0 (not marked) or empty. A card on whose row all cells of a contest are empty does not hold
it; where only some are empty, the card does not offer those options. As numbers to base 3 the cells of one row are the number of
its way of marking, so each way is looked at once.
"""

import csv
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from numpy.typing import NDArray

from scrutineer.audits.cards.assembly import Assembly, Column
from scrutineer.audits.cards.model import ABSENT, PatternNumbers
from scrutineer.audits.cards.sources import Counted
from scrutineer.errors import AuditError

BLOCK: Final = 8 << 20
LONGEST_HEADER: Final = 16 << 20
MOST_COLUMNS: Final = 100_000
_CELLS: Final = 30  # of base 3 that a 64-bit number surely holds


@dataclass(frozen=True, slots=True)
class Choices:
    """The columns of one contest in a table, and what a mark in each of them is."""

    contest: Hashable
    columns: tuple[int, ...]
    """Places in the row."""
    keys: tuple[Hashable, ...]
    """By column: the option, or for a ranked contest (option, rank)."""
    ranked: bool = False

    def marks(self, cells: Sequence[int]) -> tuple[Hashable, ...]:
        """The marks of a row: options in the order of columns, or of a ranked contest in order of preference.

        An option that is ranked again counts at its first place, ranks left out are passed over, and two options at one rank end
        the ranking there.
        """
        marked = [key for key, cell in zip(self.keys, cells, strict=True) if cell == 1]
        if not self.ranked:
            return tuple(marked)
        by_rank: dict[int, list[Hashable]] = {}
        for key in marked:
            if isinstance(key, tuple):
                by_rank.setdefault(int(key[1]), []).append(key[0])
        ranking: dict[Hashable, None] = {}
        for rank in sorted(by_rank):
            if len(by_rank[rank]) > 1:
                break
            ranking[by_rank[rank][0]] = None
        return tuple(ranking)


class Head:
    """The first rows of a CSV file, read so that the rest of the stream is left for the table."""

    def __init__(self, name: str, stream: Counted) -> None:
        self.name = name
        self.lines = 0
        """Lines that were read."""
        self._stream = stream
        self._rows = csv.reader(self._texts(), strict=True)

    def _texts(self) -> Iterator[str]:
        while line := self._stream.readline(LONGEST_HEADER):
            self.lines += 1
            if len(line) == LONGEST_HEADER:
                raise AuditError(f"{self.name}, line {self.lines}: the line is too long; check what the file is")
            try:
                yield line.decode("utf-8-sig" if self.lines == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise AuditError(f"{self.name}, line {self.lines}: not text in UTF-8; save the file so") from error

    def rest(self) -> Iterator[list[str]]:
        """All further rows. Raises AuditError, naming the line, for one that is none."""
        try:
            yield from self._rows
        except csv.Error as error:
            raise AuditError(f"{self.name}, line {self.lines}: not a row of a CSV file ({error}); save it as CSV anew") from error

    def row(self) -> list[str]:
        """The next row. Raises AuditError at the end of the file."""
        try:
            row = next(self._rows, None)
        except csv.Error as error:
            raise AuditError(f"{self.name}, line {self.lines}: not a row of a CSV file ({error}); save it as CSV anew") from error
        if row is None:
            raise AuditError(f"{self.name}: ends after line {self.lines}, before the first card; ask for a whole file")
        if len(row) > MOST_COLUMNS:
            raise AuditError(f"{self.name}, line {self.lines}: more than {MOST_COLUMNS} columns; check what the file is")
        return row


def place_of(name: str, header: Sequence[str], wanted: str) -> int:
    """The place of a column. Raises AuditError where it is missing or stands there twice."""
    places = [place for place, cell in enumerate(header) if cell.strip() == wanted]
    if len(places) != 1:
        raise AuditError(
            f"{name}: the header has {'no' if not places else 'more than one'} column {wanted}; export the file anew"
        )
    return places[0]


def blocks(head: Head, stream: Counted, width: int, kinds: dict[int, pa.DataType]) -> Iterator[tuple[pa.RecordBatch, int]]:
    """The rows after the head, some at a time, with the number of the first row's line; only the columns that have a kind.

    Columns are named by their places. Raises AuditError, naming the line, for rows of another width and cells of another kind.
    """
    try:
        table = pcsv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=pcsv.ReadOptions(use_threads=False, column_names=[str(n) for n in range(width)], block_size=BLOCK),
            parse_options=pcsv.ParseOptions(newlines_in_values=True),
            convert_options=pcsv.ConvertOptions(
                column_types={str(place): kind for place, kind in kinds.items()},
                include_columns=[str(place) for place in kinds],
                null_values=[""],
                strings_can_be_null=False,
            ),
        )
        line = head.lines + 1
        for batch in table:
            yield batch, line
            line += len(batch)
    except pa.ArrowInvalid as error:
        row = re.search(r"[Rr]ow #(\d+)", str(error))
        if "Empty CSV" in str(error):
            raise AuditError(f"{head.name}: ends after line {head.lines}, before the first card; ask for a whole file") from error
        where = f", line {head.lines + int(row[1])}" if row else f", after line {head.lines}"
        what = str(error).split("\n", 1)[0][:200]
        raise AuditError(f"{head.name}{where}: the row cannot be read ({what}); export the file anew") from error


def noted(
    assembly: Assembly, name: str, batch: pa.RecordBatch, line: int, contests: Sequence[Choices]
) -> dict[Hashable, PatternNumbers]:
    """By contest the numbers of the ways in which the rows of a block are marked. Raises AuditError for any other cell."""
    found: dict[Hashable, PatternNumbers] = {}
    for choices in contests:
        words = _words(name, batch, line, choices)
        code = words[0]
        for word in words[1:]:
            inner = np.unique(word, return_inverse=True)[1]
            code = np.unique(code, return_inverse=True)[1] * (int(inner.max(initial=0)) + 1) + inner
        several = len(words) > 1
        encoded = pa.array(code).dictionary_encode()
        places = encoded.indices.to_numpy()
        kept = encoded.dictionary.to_numpy()
        if several:
            first = np.full(len(kept), len(batch), np.int64)
            np.minimum.at(first, places, np.arange(len(places)))
            kept_words = [tuple(int(word[row]) for word in words) for row in first.tolist()]
        else:
            kept_words = [(int(word),) for word in kept.tolist()]
        column = assembly.column(choices.contest)
        numbers = np.array([_number(column, choices, each) for each in kept_words], np.int32)
        if (numbers != ABSENT).any():
            found[choices.contest] = numbers[places]
    return found


def _words(name: str, batch: pa.RecordBatch, line: int, choices: Choices) -> list[NDArray[np.int64]]:
    """The cells of each row, empty 0, not marked 1, marked 2, as numbers to base 3; several where one number cannot hold all."""
    words: list[NDArray[np.int64]] = []
    for start in range(0, len(choices.columns), _CELLS):
        word = np.zeros(len(batch), np.int64)
        for place in choices.columns[start : start + _CELLS]:
            cells = batch.column(str(place))
            values = (cells.fill_null(-1) if cells.null_count else cells).to_numpy()
            wrong = (values < -1) | (values > 1) | ((values < 0) & cells.is_valid().to_numpy(False))
            if wrong.any():
                row = int(np.argmax(wrong))
                raise AuditError(
                    f"{name}, line {line + row}: {values[row]} in column {place + 1}; a mark is 0, 1 or an empty cell, "
                    "export the file so"
                )
            word *= 3
            word += values
            word += 1
        words.append(word)
    return words


def _number(column: Column, choices: Choices, words: tuple[int, ...]) -> int:
    cells: list[int] = []
    for place, word in enumerate(words):
        own = min(_CELLS, len(choices.columns) - place * _CELLS)
        digits: list[int] = []
        for _ in range(own):
            word, digit = divmod(word, 3)
            digits.append(digit - 1)
        cells += reversed(digits)
    return ABSENT if all(cell < 0 for cell in cells) else column.number(choices.marks(cells))


def bare(cells: pa.Array) -> pa.Array:
    """Texts without the `="…"` that keeps spreadsheet programs from changing numbers."""
    if not pc.any(pc.starts_with(cells, '="')).as_py():
        return cells
    return pc.replace_substring_regex(cells, r'^="(.*)"$', r"\1")


def numbers_of(name: str, line: int, cells: pa.Array, column: str) -> NDArray[np.int32]:
    """Places in a batch. Raises AuditError, naming the line, for a cell that is not a number from 0 to 2^31 - 1."""
    fits = pc.and_(pc.ascii_is_decimal(cells), pc.less(pc.binary_length(cells), 10))
    if not pc.all(fits).as_py():
        row = pc.index(fits, False).as_py()
        raise AuditError(
            f"{name}, line {line + row}: {cells[row].as_py()!r} in column {column} is not a number; export the file anew"
        )
    return np.asarray(pc.cast(cells, pa.int32()).to_numpy(), np.int32)


def batch_numbers(assembly: Assembly, parts: Sequence[pa.Array]) -> NDArray[np.int32]:
    """By row the number of its batch, whose name is the parts joined by `-`."""
    names = (parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "-")).dictionary_encode()
    numbers = np.array([assembly.batch(name) for name in names.dictionary.to_pylist()], np.int32)
    found: NDArray[np.int32] = numbers[names.indices.to_numpy()]
    return found
