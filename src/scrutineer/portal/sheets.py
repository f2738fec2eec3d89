"""What a page shows of a tally sheet besides its figures: who signed it, its bytes, and its receipt."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cbor2

from scrutineer.count.columns import BLANK, CAST, NULL
from scrutineer.election import UNKNOWN, Contest
from scrutineer.errors import CountError
from scrutineer.log.receipt import HeadReceipts
from scrutineer.portal.record import Record

_BLOCK = 2048  # receipts made at a time: neighbours share the work of their paths


class SheetSource(NamedTuple):
    """What the statement of a sheet says of itself beside its figures."""

    issuer: str
    kid: bytes
    """Thumbprint of the key that signed it."""
    image: bytes | None
    source: str | None
    records: bytes | None = None
    """SHA-256 of the bundle of encrypted ballots."""


def read_source(index: int, data: bytes) -> SheetSource:
    """Read signer, key, image and source of a tally sheet in the log.

    Raises CountError for bytes that no intake would have admitted.
    """
    try:
        parts = cbor2.loads(data).value
        header, payload = cbor2.loads(parts[0]), cbor2.loads(parts[2])
        return SheetSource(header[15][1], header[4], payload.get(11), payload.get(14), payload.get(12))
    except (cbor2.CBORError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise CountError(
            f"entry {index} of the log is not a readable tally sheet ({error}): check the log with `verify`"
        ) from error


def ballots_of(contest: Contest, figures: list[int]) -> int:
    """Ballots of a sheet from its figures: as stated, else what its options, blank and null votes add up to; else UNKNOWN."""
    options = len(contest.options)
    cast = figures[options + CAST]
    if cast >= 0:
        return cast
    if not (contest.single_choice() or contest.rule == "ranked") or min(figures[:options]) < 0:
        return UNKNOWN
    return sum(figures[:options]) + max(0, figures[options + BLANK]) + max(0, figures[options + NULL])


def receipts(record: Record, indexes: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """The COSE receipts of entries, in the order asked for, each relative to the first published head that covers it.

    Such a receipt stays the same however the log grows, so a page with one need not be written again.
    """
    writers: dict[int, HeadReceipts] = {}
    block: list[int] = []
    for index in indexes:
        block.append(index)
        if len(block) == _BLOCK:
            yield from _receipts(record, writers, block)
            block = []
    yield from _receipts(record, writers, block)


def _receipts(record: Record, writers: dict[int, HeadReceipts], block: list[int]) -> Iterator[tuple[int, bytes]]:
    covered: dict[int, list[int]] = {}
    for index in block:
        head = record.covering(index)
        covered.setdefault(head.size, []).append(index)
        if head.size not in writers:
            writers[head.size] = HeadReceipts(record.verifier, head.size, head.signature)
    made: dict[int, bytes] = {}
    for size, indexes in covered.items():
        paths = record.tree.inclusion_many(indexes, size)
        made.update(zip(indexes, writers[size].encode_many(zip(indexes, paths, strict=True)), strict=True))
    return ((index, made[index]) for index in block)
