"""What a page shows of a tally sheet besides its figures: who signed it, its bytes, and its receipt."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from typing import NamedTuple

import cbor2

from scrutineer.count.columns import BLANK, CAST, NULL
from scrutineer.election import UNKNOWN, Contest
from scrutineer.errors import CountError
from scrutineer.log.receipt import HeadReceipts
from scrutineer.portal.record import Record
from scrutineer.portal.text import number, words

_BLOCK = 2048  # receipts made at a time: neighbours share the work of their paths


class SheetSource(NamedTuple):
    """What the statement of a sheet says of itself beside its figures."""

    issuer: str
    image: bytes | None
    source: str | None


def read_source(index: int, data: bytes) -> SheetSource:
    """Read signer, image and source of a tally sheet in the log.

    Raises CountError for bytes that no intake would have admitted.
    """
    try:
        parts = cbor2.loads(data).value
        payload = cbor2.loads(parts[2])
        return SheetSource(cbor2.loads(parts[0])[15][1], payload.get(11), payload.get(14))
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
    """The COSE receipts of entries relative to the record's head, in the order asked for."""
    writer = HeadReceipts(record.verifier, record.head.size, record.head.signature)
    block: list[int] = []
    for index in indexes:
        block.append(index)
        if len(block) == _BLOCK:
            yield from _receipts(record, writer, block)
            block = []
    yield from _receipts(record, writer, block)


def _receipts(record: Record, writer: HeadReceipts, block: list[int]) -> Iterator[tuple[int, bytes]]:
    paths = record.tree.inclusion_many(block, record.head.size)
    return zip(block, writer.encode_many(zip(block, paths, strict=True)), strict=True)


def proof_details(index: int, data: bytes, receipt: bytes, up: str, what: str = "sheet") -> str:
    """The statement and its receipt as base64, with the way to check them."""
    return (
        f"<details>\n<summary>Signed statement and receipt of log entry {number(index)}</summary>\n"
        f"<p>Save the first as <code>{what}.cose.b64</code> and the second as <code>{what}.receipt.b64</code>; "
        f'<a href="{up}check.html#one">how to check them</a>.</p>\n'
        f'<p class="b64">{b64encode(data).decode()}</p>\n<p class="b64">{b64encode(receipt).decode()}</p>\n</details>\n'
    )


def signer(issuer: str) -> str:
    """Who signed, as HTML."""
    return f"<code>{escape(issuer)}</code>"


def source_facts(source: SheetSource) -> list[tuple[str, str]]:
    """Rows for the image and the source of a sheet, where it names them."""
    rows = []
    if source.image is not None:
        rows.append(("SHA-256 of the image", f"<code>{source.image.hex()}</code>"))
    if source.source is not None:
        rows.append(("Published at", words(source.source)))
    return rows
