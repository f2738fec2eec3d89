import hashlib
import json
from base64 import b64decode
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from scrutineer.errors import LogError, ProofError
from scrutineer.log.merkle import (
    EMPTY_ROOT,
    MerkleTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    verify_consistency,
    verify_inclusion,
)
from shared_data import shared

# RFC 6962 test data as published with Certificate Transparency: eight entries and the root after each of them.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def grown(size: int) -> MerkleTree:
    tree = MerkleTree()
    tree.extend([leaf_hash(b"%d" % number) for number in range(size)])
    return tree


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162 section 2.1.1 writes it."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert MerkleTree().root() == EMPTY_ROOT == hashlib.sha256().digest()


def test_known_roots() -> None:
    tree = MerkleTree()
    for position, entry in enumerate(ENTRIES):
        assert tree.append(leaf_hash(bytes.fromhex(entry))) == position
        assert tree.root().hex() == ROOTS[position]
    assert [tree.root(size).hex() for size in range(1, 9)] == ROOTS


def test_leaf_and_node_hashes_are_told_apart() -> None:
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 9, 64, 65, 100, 255, 256, 257])
def test_roots_at_every_earlier_size_follow_the_definition(size: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    tree = grown(size)
    assert all(tree.root(earlier) == by_definition(leaves[:earlier]) for earlier in range(1, size + 1))


def test_batches_and_single_leaves_give_the_same_tree() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(300)]
    for cuts in ([0, 300], [0, 1, 300], [0, 7, 8, 9, 127, 128, 300], list(range(301))):
        tree = MerkleTree()
        for start, stop in pairwise(cuts):
            tree.extend(leaves[start:stop])
        assert [tree.root(size) for size in range(1, 301)] == [grown(300).root(size) for size in range(1, 301)]


def test_every_proof_of_small_trees_verifies() -> None:
    tree = grown(40)
    leaves = [tree.node(0, index) for index in range(40)]
    for size in range(1, 41):
        root = tree.root(size)
        for index, path in enumerate(tree.inclusion_many(range(size), size)):
            verify_inclusion(leaves[index], index, size, path, root)
            assert path == tree.inclusion(index, size)
        for first in range(1, size + 1):
            verify_consistency(first, size, tree.root(first), root, tree.consistency(first, size))


def test_functions_over_lists_agree_with_the_tree() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(11)]
    assert inclusion_proof(leaves, 6) == grown(11).inclusion(6)
    assert consistency_proof(leaves, 6) == grown(11).consistency(6)


def test_truncate_takes_leaves_back() -> None:
    tree = grown(300)
    for size in (299, 256, 255, 17, 1, 0):
        tree.truncate(size)
        assert tree.size == size
        assert tree.root() == grown(size).root()
    tree.extend([leaf_hash(b"%d" % number) for number in range(77)])
    assert tree.root() == grown(77).root()


def test_nodes_are_complete_subtrees() -> None:
    tree = grown(11)
    assert tree.node(3, 0) == tree.root(8)
    assert tree.nodes(1, 4, 5) == node_hash(tree.node(0, 8), tree.node(0, 9))
    assert tree.nodes(2, 2, 2) == b""


@pytest.mark.parametrize(
    "call",
    [
        lambda tree: tree.root(12),
        lambda tree: tree.root(-1),
        lambda tree: tree.node(0, 11),
        lambda tree: tree.node(3, 1),
        lambda tree: tree.node(64, 0),
        lambda tree: tree.nodes(0, 3, 2),
        lambda tree: tree.inclusion(11),
        lambda tree: tree.inclusion(5, 5),
        lambda tree: tree.inclusion(-1),
        lambda tree: tree.inclusion(0, 12),
        lambda tree: tree.consistency(0),
        lambda tree: tree.consistency(6, 5),
        lambda tree: tree.consistency(5, 12),
        lambda tree: tree.truncate(12),
        lambda tree: tree.append(b"short"),
        lambda tree: tree.extend([b"x" * 31, b"x" * 33]),
    ],
)
def test_what_a_tree_does_not_have_is_an_error(call: Callable[[MerkleTree], object]) -> None:
    tree = grown(11)
    with pytest.raises(LogError):
        call(tree)
    assert tree.root() == grown(11).root()


def test_inclusion_refuses_what_does_not_fit() -> None:
    tree = grown(7)
    leaf, path, root = tree.node(0, 3), tree.inclusion(3), tree.root()
    verify_inclusion(leaf, 3, 7, path, root)
    for bad in (
        (leaf, 2, 7, path, root),
        (leaf, 3, 3, path, root),
        (leaf, -1, 7, path, root),
        (leaf, 3, 2**63, path, root),
        (leaf, 3, 7, path[:-1], root),
        (leaf, 3, 7, (*path, root), root),
        (leaf, 3, 7, (path[0][:31], *path[1:]), root),
        (leaf[:31], 3, 7, path, root),
        (leaf, 3, 7, path, leaf),
    ):
        with pytest.raises(ProofError):
            verify_inclusion(*bad)


def test_a_path_alone_does_not_fix_index_and_size() -> None:
    """The reason why receipts sign the size of their head."""
    tree = grown(5)
    path = tree.inclusion(4)
    assert root_from_inclusion(tree.node(0, 4), 4, 5, path) == root_from_inclusion(tree.node(0, 4), 1, 2, path)


def test_consistency_from_nothing_is_an_error() -> None:
    with pytest.raises(ProofError):
        verify_consistency(0, 5, EMPTY_ROOT, grown(5).root(), ())


def _vectors(kind: str) -> list[Path]:
    return sorted(shared(f"log/merkle-rfc6962/{kind}").rglob("*.json"))


def _hashes(values: list[str] | None) -> list[bytes]:
    return [b64decode(value) for value in values or []]


def _accepts(check: Callable[..., None], *arguments: object) -> bool:
    try:
        check(*arguments)
    except ProofError:
        return False
    return True


@pytest.mark.data
def test_published_inclusion_vectors() -> None:
    vectors = _vectors("inclusion")
    assert len(vectors) == 98
    for path in vectors:
        case = json.loads(path.read_text())
        proof, root, leaf = _hashes(case["proof"]), b64decode(case["root"]), b64decode(case["leafHash"])
        accepted = _accepts(verify_inclusion, leaf, case["leafIdx"], case["treeSize"], proof, root)
        assert accepted is not case["wantErr"], path


@pytest.mark.data
def test_published_consistency_vectors() -> None:
    vectors = _vectors("consistency")
    assert len(vectors) == 98
    for path in vectors:
        case = json.loads(path.read_text())
        roots = b64decode(case["root1"]), b64decode(case["root2"])
        accepted = _accepts(verify_consistency, case["size1"], case["size2"], *roots, _hashes(case["proof"]))
        assert accepted is not case["wantErr"], path
