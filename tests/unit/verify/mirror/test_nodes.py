"""The hashes that show two roots at once are those of the tree, and nothing else gives both roots."""

import random

import pytest

from scrutineer.errors import LogError
from scrutineer.log import MerkleTree, leaf_hash
from scrutineer.log.tiles import tile_bytes, tiles
from scrutineer.verify.mirror.nodes import cover, node_in, root_of, tile_of

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 511, 513, 700]


@pytest.fixture(scope="module")
def tree() -> MerkleTree:
    tree = MerkleTree()
    tree.extend([leaf_hash(b"%d" % number) for number in range(70_000)])
    return tree


@pytest.mark.parametrize("second", [*SIZES, 65_535, 65_536, 65_537, 70_000])
def test_a_cover_from_tiles_gives_both_roots(tree: MerkleTree, second: int) -> None:
    paths = {tile.path: tile for tile in tiles(second)}
    for first in {0, *(size for size in SIZES if size <= second), second - 1, second}:
        nodes = cover(first, second)
        assert len(nodes) <= 126
        hashes = {}
        for node in nodes:
            tile = tile_of(node, second)
            assert paths[tile.path] == tile
            hashes[node] = node_in(tile, tile_bytes(tree, tile.level, tile.index, tile.width), node)
            assert hashes[node] == tree.node(*node)
        assert root_of(hashes, first) == tree.root(first)
        assert root_of(hashes, second) == tree.root(second)


def test_a_cover_is_each_leaf_once() -> None:
    dice = random.Random(7)
    for _ in range(300):
        second = dice.randint(0, 5000)
        first = dice.randint(0, second)
        leaves = [leaf for level, index in cover(first, second) for leaf in range(index << level, (index + 1) << level)]
        assert leaves == list(range(second))


def test_another_history_gives_another_earlier_root(tree: MerkleTree) -> None:
    other = MerkleTree()
    other.extend([leaf_hash(b"%d" % (number if number != 13 else -1)) for number in range(700)])
    hashes = {node: other.node(*node) for node in cover(300, 700)}
    assert root_of(hashes, 700) == other.root()
    assert root_of(hashes, 300) != tree.root(300)


def test_what_is_missing_or_no_tile_is_refused(tree: MerkleTree) -> None:
    hashes = {node: tree.node(*node) for node in cover(5, 9)}
    del hashes[(0, 8)]
    with pytest.raises(LogError, match="leaf 8"):
        root_of(hashes, 9)
    for data in (b"", bytes(31), bytes(10_000)):
        with pytest.raises(LogError, match="hashes has"):
            node_in(tile_of((0, 3), 9), data, (0, 3))
