"""C2SP tlog-tiles: which static files a log of a given size has, their paths and their bytes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scrutineer.log.merkle import MerkleTree

TILE_WIDTH = 256
MAX_ENTRY_SIZE = 65_535  # bytes; a bundle writes the length of an entry as uint16


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile (level ≥ 0) by level, index and width (1 … 256)."""

    level: int
    index: int
    width: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """One entry bundle by index and width (1 … 256)."""

    index: int
    width: int


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return `tile/<L>/<N>[.p/<W>]`."""
    raise NotImplementedError


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return `tile/entries/<N>[.p/<W>]`."""
    raise NotImplementedError


def tiles(size: int, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles, full and partial, that a log of `size` has and a log of `since` had not."""
    raise NotImplementedError


def bundles(size: int, since: int = 0) -> Iterator[Bundle]:
    """Yield the entry bundles, full and partial, that a log of `size` has and a log of `since` had not."""
    raise NotImplementedError


def tile_bytes(tree: MerkleTree, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
    """Return the bytes of a tile: `width` hashes."""
    raise NotImplementedError


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries with uint16 lengths in front; raise LogError for more than 256 or an entry that is too long."""
    raise NotImplementedError


def decode_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle; raise LogError for a truncated or over-full one."""
    raise NotImplementedError
