from collections.abc import Callable

import pytest

from scrutineer.errors import LogError
from scrutineer.log.merkle import MerkleTree, leaf_hash
from scrutineer.log.tiles import (
    MAX_ENTRY_SIZE,
    Bundle,
    Tile,
    bundles,
    decode_bundle,
    encode_bundle,
    entries_path,
    tile_bytes,
    tile_path,
    tiles,
)


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 0, 1, "tile/0/000.p/1"),
        (1, 999, 256, "tile/1/999"),
        (2, 1000, 256, "tile/2/x001/000"),
        (63, 1_234_067, 255, "tile/63/x001/x234/067.p/255"),
    ],
)
def test_tile_paths(level: int, index: int, width: int, path: str) -> None:
    assert tile_path(level, index, width) == path


def test_entries_paths() -> None:
    assert entries_path(1_234_067) == "tile/entries/x001/x234/067"
    assert entries_path(4, 17) == "tile/entries/004.p/17"
    assert (Bundle(4, 17).start, Bundle(4, 17).stop) == (1024, 1041)


def test_the_example_of_the_specification() -> None:
    have = list(tiles(70_000))
    assert have[:273] == [Tile(0, index) for index in range(273)]
    assert have[273:] == [Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles(0)) == list(bundles(0)) == []


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600, 65_536, 65_537, 70_000])
def test_new_files_are_those_that_were_not_there(size: int) -> None:
    for since in (0, 1, 254, 255, 256, 257, 511, 512, 600, 65_535, 65_536, size - 1, size):
        if since <= size:
            assert set(tiles(size, since)) >= set(tiles(size)) - set(tiles(since))
            assert not set(tiles(size, since)) & set(tiles(since))
            assert set(bundles(size, since)) == set(bundles(size)) - set(bundles(since))


def test_tile_bytes_are_the_hashes_of_full_subtrees() -> None:
    tree = MerkleTree()
    tree.extend([leaf_hash(b"%d" % number) for number in range(600)])
    assert tile_bytes(tree, 0, 0) == b"".join(tree.node(0, index) for index in range(256))
    assert tile_bytes(tree, 0, 2, 88) == b"".join(tree.node(0, index) for index in range(512, 600))
    rebuilt = MerkleTree()
    rebuilt.extend([tile_bytes(tree, 0, 1)[i : i + 32] for i in range(0, 8192, 32)])
    assert tile_bytes(tree, 1, 0, 2) == tree.root(256) + rebuilt.root()
    for level, index, width in ((0, 2, 89), (0, 3, 1), (1, 0, 3), (2, 0, 1)):
        with pytest.raises(LogError):
            tile_bytes(tree, level, index, width)


def test_bundles() -> None:
    entries = [b"", b"a", b"x" * MAX_ENTRY_SIZE]
    data = encode_bundle(entries)
    assert data[:5] == b"\x00\x00\x00\x01a"
    assert decode_bundle(data) == entries
    for cut in (1, 3, 4, len(data) - 1):
        with pytest.raises(LogError):
            decode_bundle(data[:cut])


@pytest.mark.parametrize(
    "call",
    [
        lambda: encode_bundle([]),
        lambda: encode_bundle([b"x"] * 257),
        lambda: encode_bundle([b"x" * (MAX_ENTRY_SIZE + 1)]),
        lambda: decode_bundle(b""),
        lambda: decode_bundle(b"\0\0" * 257),
        lambda: decode_bundle(encode_bundle([b"x"] * 256) + b"\0"),
        lambda: tile_path(64, 0),
        lambda: tile_path(-1, 0),
        lambda: tile_path(0, -1),
        lambda: tile_path(0, 0, 0),
        lambda: tile_path(0, 0, 257),
        lambda: entries_path(-1),
        lambda: entries_path(0, 0),
        lambda: list(tiles(3, 4)),
        lambda: list(bundles(-1)),
    ],
)
def test_what_cannot_be(call: Callable[[], object]) -> None:
    with pytest.raises(LogError):
        call()
