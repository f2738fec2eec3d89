"""C2SP tlog-tiles: which static files a log of a given size has, their paths and their bytes."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scrutineer.errors import LogError
from scrutineer.log.merkle import MAX_SIZE, MerkleTree

TILE_HEIGHT = 8  # levels of the Merkle tree in one tile
TILE_WIDTH = 1 << TILE_HEIGHT  # hashes in a full tile, entries in a full bundle
MAX_ENTRY_SIZE = 65_535  # bytes; a bundle writes the length of an entry as uint16
MAX_LEVEL = 63


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile by level (0 … 63), index and width (1 … 256); a width below 256 makes it partial."""

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.level <= MAX_LEVEL and 0 <= self.index <= MAX_SIZE and 1 <= self.width <= TILE_WIDTH):
            raise LogError(f"no tile has level {self.level}, index {self.index} and width {self.width}")

    @property
    def path(self) -> str:
        """The path below the log's address: `tile/<L>/<N>[.p/<W>]`."""
        return f"tile/{self.level}/{_numbered(self.index, self.width)}"

    @property
    def stop(self) -> int:
        """One more than the log index of the last entry that the tile's hashes cover."""
        return (self.index * TILE_WIDTH + self.width) << (self.level * TILE_HEIGHT)


@dataclass(frozen=True, slots=True)
class Bundle:
    """One entry bundle by index and width (1 … 256); a width below 256 makes it partial."""

    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.index <= MAX_SIZE and 1 <= self.width <= TILE_WIDTH):
            raise LogError(f"no entry bundle has index {self.index} and width {self.width}")

    @property
    def path(self) -> str:
        """The path below the log's address: `tile/entries/<N>[.p/<W>]`."""
        return f"tile/entries/{_numbered(self.index, self.width)}"

    @property
    def start(self) -> int:
        """The log index of the bundle's first entry."""
        return self.index * TILE_WIDTH

    @property
    def stop(self) -> int:
        """One more than the log index of the bundle's last entry."""
        return self.start + self.width


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return `tile/<L>/<N>[.p/<W>]`; raise LogError for a tile that cannot be."""
    return Tile(level, index, width).path


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return `tile/entries/<N>[.p/<W>]`; raise LogError for a bundle that cannot be."""
    return Bundle(index, width).path


def tiles(size: int, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles, full and partial, that a log of `size` has and a log of `since` had not.

    Lower levels come first, and every full tile before the partial one of its level.
    """
    _require_sizes(size, since)
    for level in range(MAX_LEVEL + 1):
        if size >> (level * TILE_HEIGHT) == 0:
            return
        for index, width in _new_files(size >> (level * TILE_HEIGHT), since >> (level * TILE_HEIGHT)):
            yield Tile(level, index, width)


def bundles(size: int, since: int = 0) -> Iterator[Bundle]:
    """Yield the entry bundles, full and partial, that a log of `size` has and a log of `since` had not."""
    _require_sizes(size, since)
    for index, width in _new_files(size, since):
        yield Bundle(index, width)


def tile_bytes(tree: MerkleTree, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
    """Return the bytes of a tile, `width` hashes; raise LogError where the tree does not have it."""
    tile = Tile(level, index, width)
    start = tile.index * TILE_WIDTH
    return tree.nodes(level * TILE_HEIGHT, start, start + width)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries with uint16 lengths in front.

    Raises LogError for no entries, more than 256, or one of more than 65,535 bytes.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise LogError(f"an entry bundle holds 1 to {TILE_WIDTH} entries, not {len(entries)}")
    parts = []
    for position, entry in enumerate(entries):
        if len(entry) > MAX_ENTRY_SIZE:
            raise LogError(f"entry {position} of the bundle has {len(entry)} bytes; {MAX_ENTRY_SIZE} are the most")
        parts.append(struct.pack(">H", len(entry)))
        parts.append(entry)
    return b"".join(parts)


def decode_bundle(data: bytes) -> list[bytes]:
    """Return the 1 to 256 entries of a bundle; raise LogError when it is empty, truncated or holds more."""
    entries: list[bytes] = []
    position, size = 0, len(data)
    while position < size:
        if len(entries) == TILE_WIDTH:
            raise LogError(f"entry bundle: {len(data) - position} bytes follow after {TILE_WIDTH} entries")
        start = position + 2
        if start > size:
            raise LogError(f"entry bundle: ends within the length of entry {len(entries)}")
        position = start + (data[position] << 8 | data[position + 1])
        if position > size:
            raise LogError(f"entry bundle: ends within entry {len(entries)}, {position - size} bytes too early")
        entries.append(data[start:position])
    if not entries:
        raise LogError("entry bundle: empty")
    return entries


def _numbered(index: int, width: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def _new_files(count: int, since: int) -> Iterator[tuple[int, int]]:
    """Yield index and width of the files for `count` items of a level that were not there for `since` items."""
    if count == since:
        return
    for index in range(since // TILE_WIDTH, count // TILE_WIDTH):
        yield index, TILE_WIDTH
    if count % TILE_WIDTH:
        yield count // TILE_WIDTH, count % TILE_WIDTH


def _require_sizes(size: int, since: int) -> None:
    if not 0 <= since <= size <= MAX_SIZE:
        raise LogError(f"a log cannot have grown from {since} to {size} entries")
