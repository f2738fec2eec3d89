r"""Our own file of cards, and the digest of cards that does not depend on the order of records, files or ways of marking.

The file holds cards in canonical form, one way for the same records:

1. the line `scrutineer cards 1`, ended by LF;
2. a line of JSON in UTF-8, keys in ascending order, no spaces, nothing escaped that need not be, ended by LF: `batches` (names in
   ascending order of their bytes, only those in which a card lies), `cards` (how many), `contests` in ascending order of the
   bytes of their ids, each with `id`, `most`, `options`, `patterns`, `ranked`, `title`, `titles`, and `letters` (the bytes of all
   ids). `patterns` are arrays of option numbers, only those that a card bears, ascending as arrays are compared;
3. columns, each a number of fixed width for every card, little-endian, two's complement: the number of the batch (4 bytes), the
   place in it (4), the length of the id in bytes (4); then the ids one after the other; then for each contest the number of the
   pattern, -1 for absent and -2 for unknown, in 1 byte with at most 127 patterns, in 2 with at most 32,767, else in 4.

Cards are in ascending order of batch, place, and the bytes of the id. The digest of cards is SHA-256 of this file.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scrutineer.audits.cards.assembly import check_ids, parts, repeated, small
from scrutineer.audits.cards.model import ABSENT, UNKNOWN, Cards, ContestColumn, number_type
from scrutineer.audits.cards.sources import Counted, Progress, Source, silent
from scrutineer.audits.manifest import name_bytes
from scrutineer.errors import AuditError

MAGIC: Final = b"scrutineer cards 1\n"
LONGEST_HEADER: Final = 1 << 30
MOST_CARDS: Final = 1 << 31
_PIECE: Final = 1 << 22


class _Contest(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    most: int
    options: list[str]
    patterns: list[list[int]]
    ranked: bool
    title: str
    titles: list[str]


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    batches: list[str]
    cards: int
    contests: list[_Contest]
    letters: int


def canonical(cards: Cards) -> Cards:
    """The same cards in the order that the module describes; the same object's columns where they are so already."""
    used = np.flatnonzero(np.bincount(cards.batch, minlength=len(cards.batches)))
    names = sorted((cards.batches[place] for place in used.tolist()), key=str.encode)
    numbers = {name: number for number, name in enumerate(names)}
    moved = np.array([numbers.get(name, -1) for name in cards.batches], np.int32)
    cards = replace(cards, batches=tuple(names), batch=moved[cards.batch])
    order = _order(cards)
    if order is not None:
        cards = cards.select(order)
    return replace(cards, contests=tuple(_column(each) for each in sorted(cards.contests, key=lambda each: each.id.encode())))


def _order(cards: Cards) -> NDArray[np.int64] | None:
    """The rows in canonical order; None where they are."""
    key = (cards.batch.astype(np.int64) << 31) + cards.position
    order: NDArray[np.int64] | None = None
    if (key[1:] < key[:-1]).any():
        order = np.argsort(key, kind="stable")
        key = key[order]
    # Where batch and place are the same the ids decide; mostly that is nowhere, or everywhere.
    tied = np.zeros(len(key), np.bool_)
    same = key[1:] == key[:-1]
    tied[1:] |= same
    tied[:-1] |= same
    if tied.any():
        if order is None:
            order = np.arange(len(key))
        rows = order[tied]
        table = pa.table({"key": key[tied], "id": cards.ids.take(pa.array(rows))})
        places = pc.sort_indices(table, [("key", "ascending"), ("id", "ascending")]).to_numpy().astype(np.int64)
        order[tied] = rows[places]
        if (order[1:] > order[:-1]).all():
            return None
    return order


def _column(column: ContestColumn) -> ContestColumn:
    counts = column.tally()
    borne = [(marks, number) for number, marks in enumerate(column.patterns) if counts[number]]
    borne.sort()
    numbers = small(np.zeros(len(column.patterns) + 2, np.int32), len(borne))
    for place, (_, number) in enumerate(borne):
        numbers[number] = place
    numbers[ABSENT], numbers[UNKNOWN] = ABSENT, UNKNOWN
    return replace(column, patterns=tuple(marks for marks, _ in borne), pattern=numbers[column.pattern])


def digest(cards: Cards) -> bytes:
    """SHA-256 of the file of these cards, the same for the same records in any order."""
    found = hashlib.sha256()
    for piece in _pieces(canonical(cards)):
        found.update(piece)
    return found.digest()


def write_cards(cards: Cards, write: Callable[[bytes | memoryview], object]) -> bytes:
    """Gives the file of these cards to `write`, piece by piece, and answers its SHA-256."""
    found = hashlib.sha256()
    for piece in _pieces(canonical(cards)):
        found.update(piece)
        write(piece)
    return found.digest()


def _pieces(cards: Cards) -> Iterator[bytes | memoryview]:
    """The file of cards in canonical form."""
    offsets, letters = parts(cards.ids)
    header = _Header(
        list(cards.batches),
        len(cards),
        [
            _Contest(
                each.id,
                each.most,
                list(each.options),
                [list(marks) for marks in each.patterns],
                each.ranked,
                each.title,
                list(each.titles),
            )
            for each in cards.contests
        ],
        int(offsets[-1] - offsets[0]),
    )
    yield MAGIC
    yield msgspec.json.encode(header, order="deterministic") + b"\n"
    lengths = np.diff(offsets).astype("<i4")
    for numbers in (cards.batch.astype("<i4", copy=False), cards.position.astype("<i4", copy=False), lengths):
        yield from _bytes(numbers)
    yield from _bytes(letters[offsets[0] : offsets[-1]])
    for column in cards.contests:
        yield from _bytes(column.pattern.astype(column.pattern.dtype.newbyteorder("<"), copy=False))


def _bytes(numbers: NDArray[Any]) -> Iterator[memoryview]:
    view = np.ascontiguousarray(numbers).data.cast("B") if len(numbers) else memoryview(b"")
    for start in range(0, len(view), _PIECE):
        yield view[start : start + _PIECE]


def recognises(first: bytes) -> bool:
    """Whether a file starts as these do."""
    return first.startswith(MAGIC)


def read_compact(source: Source, progress: Progress = silent) -> Cards:
    """The cards of a file in canonical form. Raises AuditError for any other bytes."""

    def wrong(what: str) -> AuditError:
        return AuditError(f"{source.name}: {what}; write it anew from the records")

    with source.open() as raw:
        stream = Counted(source, raw, progress, 0, source.size)
        if stream.readline(len(MAGIC)) != MAGIC:
            raise wrong("not a file of cards")
        line = stream.readline(LONGEST_HEADER)
        try:
            header = msgspec.json.decode(line, type=_Header)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise wrong(f"line 2 does not describe cards ({error})") from error
        if msgspec.json.encode(header, order="deterministic") + b"\n" != line:
            raise wrong("line 2 is not in canonical form")
        count = header.cards
        widths = [12, *(np.dtype(number_type(len(each.patterns))).itemsize for each in header.contests)]
        # What the header promises is held against the size before anything is set aside for it.
        if not 0 < count < MOST_CARDS or header.letters < 0:
            raise wrong("no number of cards that there could be")
        if source.size != len(MAGIC) + len(line) + count * sum(widths) + header.letters:
            raise wrong("its size is not what line 2 says")
        batch, position, lengths = (_numbers(source, stream, count, np.dtype("<i4")) for _ in range(3))
        letters = _numbers(source, stream, header.letters, np.dtype(np.uint8))
        patterns = [
            _numbers(source, stream, count, np.dtype(number_type(len(each.patterns))).newbyteorder("<"))
            for each in header.contests
        ]
    if (lengths < 0).any() or int(lengths.sum(dtype=np.int64)) != header.letters:
        raise wrong("lengths of ids do not add up")
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    large = header.letters >= 1 << 31
    buffers = [None, pa.py_buffer(offsets if large else offsets.astype(np.int32)), pa.py_buffer(letters)]
    ids = (pa.LargeStringArray if large else pa.StringArray).from_buffers(count, buffers[1], buffers[2])
    try:
        ids.validate(full=True)
        for name in header.batches:
            name_bytes(name)
        check_ids(source.name, ids)
        columns = tuple(
            ContestColumn(
                each.id,
                tuple(each.options),
                tuple(tuple(marks) for marks in each.patterns),
                pattern,
                each.most,
                each.ranked,
                each.title,
                tuple(each.titles),
            )
            for each, pattern in zip(header.contests, patterns, strict=True)
        )
        cards = Cards(columns, tuple(header.batches), batch, position, ids)
    except pa.ArrowInvalid as error:
        raise wrong("ids are not text in UTF-8") from error
    except AuditError as error:
        raise wrong(str(error)) from error
    _check_canonical(cards, wrong)
    twice = repeated(ids)
    if twice is not None:
        raise wrong(f"card {twice!r} stands there twice")
    return cards


def _check_canonical(cards: Cards, wrong: Callable[[str], AuditError]) -> None:
    """Raises what `wrong` makes where another order of cards, contests, batches or patterns would have been written."""
    names = [name.encode() for name in cards.batches]
    contests = [each.id.encode() for each in cards.contests]
    if names != sorted(names) or contests != sorted(contests):
        raise wrong("batches or contests are not in order")
    if not np.bincount(cards.batch, minlength=len(names)).all():
        raise wrong("a batch is listed in which no card lies")
    if _order(cards) is not None:
        raise wrong("cards are not in order")
    for each in cards.contests:
        if list(each.patterns) != sorted(each.patterns) or not each.tally().all():
            raise wrong(f"ways of marking contest {each.id!r} are not in order, or one is borne by no card")


def _numbers(source: Source, stream: Counted, count: int, kind: np.dtype[Any]) -> Any:
    """The next column."""
    numbers = np.empty(count, kind)
    view = numbers.data.cast("B") if count else memoryview(bytearray())
    done = 0
    while done < len(view):
        data = stream.read(min(_PIECE, len(view) - done))
        if not data:
            raise AuditError(f"{source.name}: ends too early; write it anew from the records")
        view[done : done + len(data)] = data
        done += len(data)
    return numbers.astype(kind.newbyteorder("="), copy=False)
