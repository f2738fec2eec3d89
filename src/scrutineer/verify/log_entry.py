"""One entry of a published log, proved to stand in the tree of a root that was checked before."""

from collections.abc import Callable

from scrutineer.errors import LogError
from scrutineer.log.merkle import HASH_SIZE, leaf_hash
from scrutineer.log.tiles import MAX_ENTRY_SIZE, TILE_WIDTH, Bundle, decode_bundle
from scrutineer.verify.mirror.nodes import cover, node_in, root_of, tile_of

Read = Callable[[str, int], bytes]
"""Reads a file of a site by its path, of at most so many bytes."""


def read_entry(read: Read, index: int, root: bytes, size: int) -> bytes:
    """The entry at `index` of the log whose tree of `size` entries has this root.

    Raises LogError unless the published tiles prove it, and what `read` raises.
    """
    if not 0 <= index < size:
        raise LogError(f"log entry {index} is named, and the log has {size}")
    bundle = Bundle(index // TILE_WIDTH, min(TILE_WIDTH, size - index // TILE_WIDTH * TILE_WIDTH))
    data = read(f"log/{bundle.path}", TILE_WIDTH * (MAX_ENTRY_SIZE + 2))
    entry = decode_bundle(data)[index - bundle.start]
    _check_included(read, leaf_hash(entry), index, root, size)
    return entry


def _check_included(read: Read, leaf: bytes, index: int, root: bytes, size: int) -> None:
    """RFC 9162 section 2.1.3, from the tiles. Raises LogError unless the entry is in the tree of that root."""
    beside = set(cover(index, index)) | (set(cover(index + 1, size)) - set(cover(index + 1, index + 1)))
    hashes = {(0, index): leaf}
    tiles: dict[str, bytes] = {}
    for node in beside:
        tile = tile_of(node, size)
        if tile.path not in tiles:
            tiles[tile.path] = read(f"log/{tile.path}", TILE_WIDTH * HASH_SIZE)
        hashes[node] = node_in(tile, tiles[tile.path], node)
    if root_of(hashes, size) != root:
        raise LogError(f"the published hashes do not lead from log entry {index} to the signed head")
