"""The log as static files: C2SP tlog-tiles tiles and entry bundles, the head, and the checkpoint last."""

from collections.abc import Callable, Iterator

from scrutineer.log.tiles import bundles, encode_bundle, tile_bytes, tiles
from scrutineer.portal.formats import CHECKPOINT_FILE, HEAD_FILE, PENDING_FILE, SiteFile, write_head
from scrutineer.portal.record import Record

Entries = Callable[[int, int], Iterator[bytes]]
"""Yields log entries start … stop-1."""


def render_tiles(record: Record, entries: Entries) -> Iterator[SiteFile]:
    """Entry bundles and tiles, full ones and the partial ones of the head's size."""
    for bundle in bundles(record.head.size):
        yield SiteFile(f"log/{bundle.path}", (encode_bundle(list(entries(bundle.start, bundle.stop))),))
    for tile in tiles(record.head.size):
        yield SiteFile(f"log/{tile.path}", (tile_bytes(record.tree, tile.level, tile.index, tile.width),))


def render_head(record: Record) -> Iterator[SiteFile]:
    """The files that say how far the log goes; to be written once everything that they cover is there."""
    yield SiteFile(HEAD_FILE, (write_head(record.head),))
    if record.pending is not None:
        yield SiteFile(PENDING_FILE, (record.pending,))
    yield SiteFile(CHECKPOINT_FILE, (record.checkpoint,))


def render_pending(record: Record) -> Iterator[SiteFile]:
    """The same where the record's own head waits for its witnesses: its checkpoint is never called one."""
    yield SiteFile(HEAD_FILE, (write_head(record.head),))
    yield SiteFile(PENDING_FILE, (record.checkpoint,))
