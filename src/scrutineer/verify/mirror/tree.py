"""Holds the log's files of a copy against the tree: the entries give the leaves, the leaves the root, the tree the tiles."""

from collections.abc import Callable, Collection

from scrutineer.errors import LogError, PublicationError
from scrutineer.log import Checkpoint, MerkleTree, leaf_hash
from scrutineer.log.merkle import HASH_SIZE
from scrutineer.log.tiles import TILE_WIDTH, Bundle, Tile, bundles, decode_bundle, tile_bytes, tiles
from scrutineer.verify.mirror.offers import LOG, size_limit

Read = Callable[[str, int], bytes]
"""Reads a file of a copy, by path and size limit."""


def held_tree(checkpoint: Checkpoint, whole: Collection[str], read: Read) -> MerkleTree:
    """The tree of a copy that was checked when it was made, from its tiles of leaf hashes.

    `whole` are the files that are undamaged; where a tile is not, its entries are read. Raises PublicationError where
    neither is there, or they do not give the root.
    """
    tree = MerkleTree()
    for bundle in bundles(checkpoint.size):
        tile = Tile(0, bundle.index, bundle.width)
        if f"{LOG}{tile.path}" in whole:
            data = read(f"{LOG}{tile.path}", size_limit(f"{LOG}{tile.path}"))
            tree.extend([data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)])
        elif f"{LOG}{bundle.path}" in whole:
            tree.extend(_leaves(bundle, read))
        else:
            raise PublicationError(
                f"{LOG}{bundle.path} and the tile of its hashes are damaged both: mirror into a new folder, and keep this one"
            )
    if (tree.size, tree.root()) != (checkpoint.size, checkpoint.root):
        raise PublicationError(
            "the log's tiles do not give the root of their checkpoint: mirror into a new folder, and keep this one"
        )
    return tree


def extend_tree(tree: MerkleTree, checkpoint: Checkpoint, fetched: Collection[str], read: Read) -> None:
    """Add the entries of fetched bundles to the tree; those that it knows must be the same, and the root the signed one.

    Raises LogError where not; the tree may have grown then.
    """
    for bundle in bundles(checkpoint.size):
        if f"{LOG}{bundle.path}" not in fetched:
            continue
        leaves = _leaves(bundle, read)
        known = max(0, min(tree.size - bundle.start, bundle.width))
        if tree.nodes(0, bundle.start, bundle.start + known) != b"".join(leaves[:known]):
            raise LogError(f"{LOG}{bundle.path} holds other entries than the log has there")
        tree.extend(leaves[known:])
    if tree.size != checkpoint.size or tree.root() != checkpoint.root:
        raise LogError(f"its entries do not give the root that its checkpoint signs for {checkpoint.size:,} entries")


def check_tiles(tree: MerkleTree, size: int, fetched: Collection[str], read: Read) -> None:
    """Hold fetched tiles against the tree. Raises LogError."""
    for tile in tiles(size):
        path = f"{LOG}{tile.path}"
        if path in fetched and read(path, TILE_WIDTH * HASH_SIZE) != tile_bytes(tree, tile.level, tile.index, tile.width):
            raise LogError(f"{path} is not the tile that the entries give")


def _leaves(bundle: Bundle, read: Read) -> list[bytes]:
    path = f"{LOG}{bundle.path}"
    entries = decode_bundle(read(path, size_limit(path)))
    if len(entries) != bundle.width:
        raise LogError(f"{path} holds {len(entries)} entries where {bundle.width} belong")
    return list(map(leaf_hash, entries))
