"""Records of single cards (cards.bin), kept as the columns that the file holds: a card takes few bytes, and no Python object."""

import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from operator import lt
from typing import Any, TypeAlias

from second_look.report import FormatError
from second_look.shapes import listed, load_json, number, one_of, record, text

Numbers: TypeAlias = "array[int]"
_MAGIC = b"scrutineer cards 1\n"
_name, _names = text(r"(?s).{1,20000}", 20_000), listed(text(r"(?s).{1,20000}", 20_000))
_CONTEST = record(
    {"id": _name, "most": number(1, 2**31), "options": _names, "patterns": listed(listed(number(0, 511), 0, 512), 0, 2**31)}
    | {"ranked": one_of(True, False), "title": text(r"(?s).{0,20000}", 20_000), "titles": _names}
)
_HEADER = record(
    {"batches": listed(_name, 0, 2**24), "cards": number(0, 2**31), "contests": listed(_CONTEST), "letters": number(0, 2**40)}
)


@dataclass
class Column:
    """One contest: the pattern of every card, -1 where the card does not hold it, -2 where nobody knows."""

    contest: dict[str, Any]
    pattern: Numbers


@dataclass
class Cards:
    """All records, in the order of boxes and positions."""

    columns: dict[str, Column]
    starts: dict[str, tuple[int, int]]
    """By box: the first of its records, and the one behind its last."""
    position: Numbers

    def total(self, contest: str, score: Callable[[list[int]], int]) -> int:
        """The scores of all records together."""
        column = self._column(contest)
        patterns = column.contest["patterns"]
        return sum(score(patterns[at]) * times for at, times in Counter(column.pattern).items() if at >= 0)

    def marks(self, contest: str, box: str, position: int) -> list[int] | None:
        """How a card is marked by its record; None where it has none, or the record does not hold the contest."""
        column = self._column(contest)
        start, end = self.starts.get(box, (0, 0))
        at = bisect_left(self.position, position, start, end)
        if at == end or self.position[at] != position or column.pattern[at] < 0:
            return None
        marks: list[int] = column.contest["patterns"][column.pattern[at]]
        return marks

    def without(self, contest: str) -> int:
        """How many records say that their card does not hold a contest."""
        return self._column(contest).pattern.count(-1)

    def holding(self, contest: str) -> set[str]:
        """The boxes with a record that holds a contest."""
        pattern = self._column(contest).pattern
        return {box for box, (start, end) in self.starts.items() if max(pattern[start:end]) >= 0}

    def _column(self, contest: str) -> Column:
        if contest not in self.columns:
            raise FormatError(f"cards.bin has no contest {contest}")
        return self.columns[contest]


def read_cards(data: bytes, manifest: dict[str, int]) -> Cards:
    """The records of a file, each in a place of its own in the manifest. Ids are looked at as letters alone."""
    end = data.find(b"\n", len(_MAGIC))
    if not data.startswith(_MAGIC) or end < 0:
        raise FormatError("cards.bin is no file of cards")
    header = _HEADER(load_json(data[len(_MAGIC) : end], canonical=True))
    count, place = header["cards"], end + 1

    def take(kind: str, length: int) -> Numbers:
        nonlocal place
        column = array(kind, data[place : place + length * array(kind).itemsize])
        place += length * column.itemsize
        if len(column) != length:
            raise FormatError("cards.bin ends too early")
        if sys.byteorder == "big":
            column.byteswap()
        return column

    batch, position, lengths = take("i", count), take("i", count), take("i", count)
    if min(lengths, default=0) < 0 or sum(lengths) != header["letters"]:
        raise FormatError("cards.bin: lengths of ids do not add up")
    data[place : place + header["letters"]].decode()
    place += header["letters"]
    columns = {}
    for contest in header["contests"]:
        size = len(contest["patterns"])
        columns[contest["id"]] = Column(contest, take("b" if size <= 127 else "h" if size <= 32_767 else "i", count))
        _check_contest(contest, columns[contest["id"]].pattern)
    ids = [contest["id"].encode() for contest in header["contests"]]
    if place != len(data) or ids != sorted({*ids}):
        raise FormatError("cards.bin: something stands behind the columns, or contests are not in order")
    return Cards(columns, _places(header["batches"], batch, position, manifest), position)


def _check_contest(contest: dict[str, Any], pattern: Numbers) -> None:
    patterns, options = contest["patterns"], contest["options"]
    if any(left >= right for left, right in pairwise(patterns)) or len({*options}) != len(options):
        raise FormatError(f"cards.bin, {contest['id']}: patterns are not in order, or an option stands twice")
    for marks in patterns:
        if len({*marks}) != len(marks) or max(marks, default=0) >= len(options):
            raise FormatError(f"cards.bin, {contest['id']}: marks {marks} are none of this contest")
        if not contest["ranked"] and marks != sorted(marks):
            raise FormatError(f"cards.bin, {contest['id']}: marks {marks} are not in order")
    if {*pattern} - {-1, -2} != {*range(len(patterns))}:
        raise FormatError(f"cards.bin, {contest['id']}: a card has a pattern that there is not, or no card has one of them")


def _places(batches: list[str], batch: Numbers, position: Numbers, manifest: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Where the records of each box stand: they are in the order of boxes and of positions, which differ."""
    names = [name.encode() for name in batches]
    if names != sorted({*names}):
        raise FormatError("cards.bin: boxes are not in order")
    held, starts, start = Counter(batch), {}, 0
    for number_, box in enumerate(batches):
        end = start + held.pop(number_, 0)
        own = position[start:end]
        if start == end or batch[start:end] != array("i", [number_]) * (end - start):
            raise FormatError(f"cards.bin: records are not in the order of their boxes, or box {box!r} has none")
        if own[0] < 1 or own[-1] > manifest.get(box, 0) or not all(map(lt, own, own[1:])):
            raise FormatError(f"cards.bin: box {box!r} has not these positions, or one of them twice")
        starts[box] = (start, end)
        start = end
    if held:
        raise FormatError("cards.bin: a record is of no box")
    return starts
