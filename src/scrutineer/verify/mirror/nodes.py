"""Which hashes of a tree show at once its root and its root at an earlier size, and which tiles hold them. Pure.

`cover(n, m)` names the complete subtrees that make up the leaves [0, n), and then those that make up [n, m). Their hashes give
both the root at n and the root at m, and by the collision resistance of SHA-256 only one root at n goes with a root at m. So
where they give the signed root at m, and another root at n than the signed one, the log has signed two trees of which neither
extends the other: the hashes and the two checkpoints prove that to anyone. Where they do not give the root at m, they prove
nothing but that whoever sent them sent something else than the tree.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from scrutineer.errors import LogError
from scrutineer.log.merkle import EMPTY_ROOT, HASH_SIZE, node_hash
from scrutineer.log.tiles import TILE_HEIGHT, TILE_WIDTH, Tile

Node = tuple[int, int]
"""Level and index of a complete subtree: leaves [index << level, (index + 1) << level)."""

_MOST_LEVELS: Final = 63


def cover(first: int, second: int) -> tuple[Node, ...]:
    """The fewest complete subtrees that make up [0, first) and [first, second); at most 126. Needs 0 ≤ first ≤ second."""
    return (*_subtrees(0, first), *_subtrees(first, second))


def root_of(hashes: Mapping[Node, bytes], size: int) -> bytes:
    """The root at a size (RFC 9162 section 2.1.1) from the hashes of a cover. Raises LogError where one is missing."""

    def root(start: int, stop: int) -> bytes:
        level = (stop - start).bit_length() - 1
        if stop - start == 1 << level:
            known = hashes.get((level, start >> level))
            if known is not None:
                return known
            if level == 0:
                raise LogError(f"the hash of leaf {start} is missing, or that of a subtree above it")
            level -= 1
        middle = start + (1 << level)
        return node_hash(root(start, middle), root(middle, stop))

    return root(0, size) if size else EMPTY_ROOT


def tile_of(node: Node, size: int) -> Tile:
    """The tile that holds a subtree's hash, or the hashes below it, in a log of `size` entries."""
    level, index = node
    height, rest = divmod(level, TILE_HEIGHT)
    number = (index << rest) // TILE_WIDTH
    return Tile(height, number, min(TILE_WIDTH, (size >> (height * TILE_HEIGHT)) - number * TILE_WIDTH))


def node_in(tile: Tile, data: bytes, node: Node) -> bytes:
    """The hash of a subtree from the bytes of the tile that `tile_of` names. Raises LogError where they are not a tile's."""
    if len(data) != tile.width * HASH_SIZE:
        raise LogError(f"{tile.path} has {len(data)} bytes, and a tile of {tile.width} hashes has {tile.width * HASH_SIZE}")
    level, index = node
    rest = level % TILE_HEIGHT
    start = (index << rest) % TILE_WIDTH
    hashes = [data[at * HASH_SIZE : (at + 1) * HASH_SIZE] for at in range(start, start + (1 << rest))]
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def _subtrees(start: int, stop: int) -> Iterator[Node]:
    while start < stop:
        level = min((start & -start).bit_length() - 1 if start else _MOST_LEVELS, (stop - start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level
