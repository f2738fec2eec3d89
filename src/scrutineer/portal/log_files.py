"""The log as static files: C2SP tlog-tiles tiles and entry bundles, the head, and the checkpoint last."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from scrutineer.errors import LogError, PublicationError
from scrutineer.log.tiles import TILE_WIDTH, Bundle, bundles, decode_bundle, encode_bundle, tile_bytes, tiles
from scrutineer.portal.formats import CHECKPOINT_FILE, HEAD_FILE, PENDING_FILE, SiteFile, write_head
from scrutineer.portal.record import Record

Entries = Callable[[int, int], Iterator[bytes]]
"""Yields log entries start … stop-1."""

_BUNDLES: Final = 256
"""Bundles kept in memory, some 100 KB each: the sheets of neighbouring stations often lie in the same ones."""


class PublishedEntries:
    """The entries of a log as they lie in a site's folder, whose files were just written."""

    def __init__(self, site: Path, size: int) -> None:
        self._site = site
        self._size = size
        self._bundle = lru_cache(_BUNDLES)(self._read)

    def entry(self, index: int) -> bytes:
        """An entry below the size. Raises PublicationError where its bundle cannot be read."""
        if not 0 <= index < self._size:
            raise LogError(f"there is no entry {index} in a log of {self._size} entries")
        number, place = divmod(index, TILE_WIDTH)
        return self._bundle(number)[place]

    def _read(self, number: int) -> list[bytes]:
        path = self._site / "log" / Bundle(number, min(TILE_WIDTH, self._size - number * TILE_WIDTH)).path
        try:
            return decode_bundle(path.read_bytes())
        except (OSError, LogError) as error:
            raise PublicationError(f"{path} cannot be read ({error}): publish again") from error


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
