"""Puts cards together while records are read: each way of marking gets a number when first seen, cards are packed in blocks.

What a reader hands over is in the words of its file (names of options, numbers of candidates). Only at the end, when all options
are known, do ways of marking become tuples of option numbers, in an order that does not depend on the order of the records.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scrutineer.audits.assertions import Marks
from scrutineer.audits.cards.model import ABSENT, UNKNOWN, Cards, ContestColumn, PatternNumbers, number_type
from scrutineer.audits.manifest import name_bytes
from scrutineer.errors import AuditError

BLOCK: Final = 1 << 16
"""Cards that are kept as Python objects before they are packed."""
MOST_CONTESTS: Final = 20_000
MOST_PATTERNS: Final = 50_000_000
LONGEST_ID: Final = 500
"""Bytes of a card's id."""
REDACTED: Final = "redacted"
"""What a reader gives instead of marks where the record was blacked out."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a contest is, once all is read."""

    key: Hashable
    """By which the reader knows it."""
    id: str
    options: tuple[tuple[Hashable, str], ...]
    """By option: how the reader knows it, and its id."""
    most: int = 1
    ranked: bool = False
    title: str = ""
    titles: tuple[str, ...] = ()
    rule: Callable[[Any], tuple[Hashable, ...]] | None = None
    """What the reader's marks come to in this contest, where that is known only at the end."""


class Column:
    """One contest while it is read."""

    __slots__ = ("blocks", "known", "numbers", "rows")

    def __init__(self) -> None:
        self.known: dict[Hashable, int] = {}
        self.rows: list[int] = []
        self.numbers: list[int] = []
        self.blocks: dict[int, PatternNumbers] = {}

    def number(self, marks: Hashable) -> int:
        """The number of a way of marking: a tuple of the reader's options, or REDACTED."""
        number = self.known.get(marks)
        if number is None:
            number = self.known[marks] = len(self.known)
        return number

    def add(self, row: int, marks: Hashable) -> None:
        """Notes how a card is marked, by its row in the block."""
        self.rows.append(row)
        self.numbers.append(self.number(marks))


class Assembly:
    """All cards while they are read; one for each file, folder or zip."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.columns: dict[Hashable, Column] = {}
        self.row = 0
        """The row in the block of the card that is being read."""
        self._ids: list[str] = []
        self._batches: list[int] = []
        self._positions: list[int] = []
        self._known: dict[str, int] = {}
        self._id_blocks: list[pa.Array] = []
        self._batch_blocks: list[NDArray[np.int32]] = []
        self._position_blocks: list[NDArray[np.int32]] = []
        self._lengths: list[int] = []

    def column(self, contest: Hashable) -> Column:
        """One contest, new if need be. Raises AuditError for too many."""
        column = self.columns.get(contest)
        if column is None:
            if len(self.columns) >= MOST_CONTESTS:
                raise AuditError(f"{self.name}: more than {MOST_CONTESTS} contests; check what the file is")
            column = self.columns[contest] = Column()
        return column

    def batch(self, name: str) -> int:
        """The number of a batch, new if need be. Raises AuditError for a name that no box can have."""
        number = self._known.get(name)
        if number is None:
            try:
                name_bytes(name)
            except AuditError as error:
                raise AuditError(f"{self.name}: {error}") from error
            number = self._known[name] = len(self._known)
        return number

    def card(self, batch: str, position: int, card: str) -> None:
        """Ends one card, whose contests were added under `row`."""
        self._ids.append(card)
        self._batches.append(self.batch(batch))
        self._positions.append(position)
        self.row += 1
        if self.row == BLOCK:
            self.pack()

    def pack(self) -> None:
        """Packs the cards that were ended one by one."""
        if not self.row:
            return
        numbers: dict[Hashable, PatternNumbers] = {}
        for key, column in self.columns.items():
            if column.rows:
                packed: PatternNumbers = np.full(self.row, ABSENT, np.int32)
                rows = np.array(column.rows, np.int64)
                # Rows only grow while cards are read one after the other.
                for twice in np.flatnonzero(rows[1:] == rows[:-1])[:1]:
                    card = self._ids[int(rows[twice])]
                    raise AuditError(f"{self.name}: card {card!r} holds contest {key!r} twice; ask for the file anew")
                packed[rows] = column.numbers
                numbers[key] = packed
                column.rows.clear()
                column.numbers.clear()
        try:
            ids, positions = pa.array(self._ids, pa.string()), np.array(self._positions, np.int32)
        except (pa.ArrowInvalid, UnicodeEncodeError, OverflowError) as error:
            raise AuditError(f"{self.name}: an id is not Unicode text, or a place in a batch not a small number") from error
        self.block(ids, np.array(self._batches, np.int32), positions, numbers)
        self._ids, self._batches, self._positions, self.row = [], [], [], 0

    def block(
        self,
        ids: pa.Array,
        batches: NDArray[np.int32],
        positions: NDArray[np.int32],
        numbers: dict[Hashable, PatternNumbers],
    ) -> None:
        """Adds many cards at once: by contest the numbers of their ways of marking, ABSENT where a card does not hold it."""
        place = len(self._lengths)
        for key, packed in numbers.items():
            column = self.column(key)
            column.blocks[place] = small(packed, len(column.known))
            if len(column.known) > MOST_PATTERNS:
                raise AuditError(f"{self.name}: more than {MOST_PATTERNS} ways of marking one contest; check what the file is")
        self._lengths.append(len(ids))
        self._id_blocks.append(ids)
        self._batch_blocks.append(batches)
        self._position_blocks.append(positions)

    def finish(self, shapes: Iterable[Shape], *, distinct: bool = True) -> Cards:
        """The cards. `distinct`: no two may have the same id.

        Raises AuditError for no card at all, a card without an id, one that stands there twice, and a mark for no known option.
        """
        self.pack()
        if not self._lengths:
            raise AuditError(f"{self.name}: holds no record of a card; check what the file is")
        columns = tuple(self._column(shape) for shape in sorted(shapes, key=lambda shape: shape.id))
        ids = joined(self._id_blocks)
        self._id_blocks.clear()
        check_ids(self.name, ids)
        if distinct:
            twice = repeated(ids)
            if twice is not None:
                raise AuditError(f"{self.name}: card {twice!r} stands there twice; ask for a file in which each card stands once")
        names = sorted(self._known)
        order = np.empty(len(names), np.int32)
        order[[self._known[name] for name in names]] = np.arange(len(names), dtype=np.int32)
        batch = np.concatenate(self._batch_blocks)
        self._batch_blocks.clear()
        position = np.concatenate(self._position_blocks)
        self._position_blocks.clear()
        return Cards(columns, tuple(names), order[batch], position, ids)

    def _column(self, shape: Shape) -> ContestColumn:
        column = self.columns[shape.key] if shape.key in self.columns else Column()
        place = {key: number for number, (key, _) in enumerate(shape.options)}
        found: list[Marks | None] = []
        for marks in column.known:
            if marks == REDACTED:
                found.append(None)
                continue
            options: list[int] = []
            for key in shape.rule(marks) if shape.rule else marks:  # type: ignore[attr-defined]
                option = place.get(key)
                if option is None:
                    raise AuditError(f"{self.name}: contest {shape.id!r} has no option {key!r}, and a card marks it")
                options.append(option)
            found.append(tuple(options) if shape.ranked else tuple(sorted(options)))
        patterns = tuple(sorted({marks for marks in found if marks is not None}))
        numbers = {marks: number for number, marks in enumerate(patterns)}
        final = small(np.zeros(len(found) + 2, np.int32), len(patterns))
        final[: len(found)] = [UNKNOWN if marks is None else numbers[marks] for marks in found]
        # Negative numbers count from the end of an array, so ABSENT and UNKNOWN stay what they are.
        final[ABSENT], final[UNKNOWN] = ABSENT, UNKNOWN
        pattern: Any = np.full(sum(self._lengths), ABSENT, final.dtype)
        start = 0
        for place_of_block, length in enumerate(self._lengths):
            packed = column.blocks.pop(place_of_block, None)
            if packed is not None:
                pattern[start : start + length] = final[packed]
            start += length
        return ContestColumn(
            shape.id,
            tuple(name for _, name in shape.options),
            patterns,
            pattern,
            max(1, shape.most),
            shape.ranked,
            shape.title,
            shape.titles,
        )


def small(numbers: PatternNumbers, patterns: int) -> PatternNumbers:
    """The same numbers in the smallest type that holds those of so many patterns."""
    kept: Any = numbers.astype(number_type(patterns), copy=False)
    return cast("PatternNumbers", kept)


def joined(blocks: Sequence[pa.Array]) -> pa.StringArray | pa.LargeStringArray:
    """All ids in one array; with long offsets only where there are more than 2 GB of them."""
    large = sum(block.nbytes for block in blocks) >= 1 << 31
    return pa.concat_arrays([block.cast(pa.large_string()) if large else block.cast(pa.string()) for block in blocks])


def distinct_names(names: Sequence[str]) -> list[str]:
    """The same names, where the second of its kind has ` #2` added and so on: write-in places of one contest share a name."""
    seen: dict[str, int] = {}
    result: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return result


def check_ids(name: str, ids: pa.StringArray | pa.LargeStringArray) -> None:
    """Raises AuditError for an id that is missing, too long or holds control characters."""
    lengths = pc.min_max(pc.binary_length(ids)).as_py()
    if ids.null_count or lengths["min"] == 0:
        raise AuditError(f"{name}: a card has no id; ask for a file in which each card has one")
    if lengths["max"] > LONGEST_ID:
        raise AuditError(f"{name}: the id of a card has more than {LONGEST_ID} bytes; check what the file is")
    offsets, data = parts(ids)
    for start in range(int(offsets[0]), int(offsets[-1]), 1 << 24):
        if (data[start : min(start + (1 << 24), int(offsets[-1]))] < ord(" ")).any():
            raise AuditError(f"{name}: the id of a card holds control characters; ask for a file without them")


_FACTOR: Final = 0x9E3779B97F4A7C15
_POWERS: Final = np.cumprod(np.full(LONGEST_ID + 1, _FACTOR, np.uint64))


def repeated(ids: pa.StringArray | pa.LargeStringArray) -> str | None:
    """An id that two cards have; None where all differ.

    Ids are told apart by a polynomial in their bytes, modulo 2^64; where two agree in it, by themselves. So a file made to
    collide costs time and proves nothing.
    """
    offsets, data = parts(ids)
    sums = np.empty(len(ids), np.uint64)
    step = 1 << 14
    for start in range(0, len(ids), step):
        own = offsets[start : min(start + step, len(ids)) + 1]
        begins = own[:-1] - own[0]
        letters = data[own[0] : own[-1]]
        places = np.arange(len(letters)) - np.repeat(begins, np.diff(own))
        sums[start : start + step] = np.add.reduceat(letters * _POWERS[places], begins)
    in_order = np.sort(sums)
    same = in_order[1:][in_order[1:] == in_order[:-1]]
    if not same.size:
        return None
    suspects = ids.take(pa.array(np.flatnonzero(np.isin(sums, same))))
    counts = pc.value_counts(suspects)
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    return min(twice.to_pylist()) if len(twice) else None


def parts(ids: pa.StringArray | pa.LargeStringArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where each id starts and ends, and the bytes of all."""
    kind = np.int64 if pa.types.is_large_string(ids.type) else np.int32
    offsets = np.frombuffer(ids.buffers()[1], kind)[ids.offset : ids.offset + len(ids) + 1].astype(np.int64)
    data = ids.buffers()[2]
    return offsets, np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
