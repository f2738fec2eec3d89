"""The RFC 9162 section 2.1 Merkle tree over SHA-256: hashes, roots, proofs and their checks. Pure; no input or output."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from scrutineer.errors import LogError, ProofError

HASH_SIZE = 32  # bytes
MAX_SIZE = 2**63 - 1  # leaves; sizes travel as signed 64-bit integers in stores and cosignatures
EMPTY_ROOT = sha256(b"").digest()

Path = tuple[bytes, ...]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one log entry: SHA-256(0x00 ‖ data) (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 9162 section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> Path:
    """Return the inclusion path of `leaves[index]` among these leaf hashes (RFC 9162 section 2.1.3.1)."""
    tree = MerkleTree()
    tree.extend(leaves)
    return tree.inclusion(index)


def consistency_proof(leaves: Sequence[bytes], first: int) -> Path:
    """Return the proof that the tree of these leaf hashes extends the tree of the first `first` of them."""
    tree = MerkleTree()
    tree.extend(leaves)
    return tree.consistency(first)


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion path leads to (RFC 9162 section 2.1.3.2).

    Raises ProofError when the index is outside the tree, or the path has another length than index and size demand.
    """
    _require_hashes("inclusion path", path)
    _require_hashes("leaf hash", (leaf,))
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"inclusion proof: index {index} is outside a tree of {size} entries")
    # RFC 9162 section 2.1.3.2, steps 2 to 4: `node` and `last` climb the tree together; where the node is a right
    # child, or the last of its level, the next hash of the path stands on its left.
    node, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError(f"inclusion proof: {len(path)} hashes are too many for index {index} of {size} entries")
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1:
                node >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        node >>= 1
        last >>= 1
    if last != 0:
        raise ProofError(f"inclusion proof: {len(path)} hashes are too few for index {index} of {size} entries")
    return current


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless the leaf hash is at `index` of the tree with `size` leaves and `root`."""
    if root_from_inclusion(leaf, index, size, path) != root:
        raise ProofError(f"inclusion proof: index {index} of {size} entries does not lead to the expected root")


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise ProofError unless the tree of `second` leaves extends the tree of `first` leaves (RFC 9162 2.1.4.2).

    A proof from size 0 is an error: the empty tree is consistent with everything, so such a proof proves nothing.
    """
    _require_hashes("consistency proof", proof)
    if not 0 < first <= second <= MAX_SIZE:
        raise ProofError(f"consistency proof: sizes {first} and {second} are not an earlier size ≥ 1 and a later one")
    if first == second:
        if proof:
            raise ProofError(f"consistency proof: nothing is to be proved between two trees of {first} entries")
        if first_root != second_root:
            raise ProofError(f"consistency proof: two different roots for the same size {first}")
        return
    _require_hashes("root", (first_root, second_root))
    # Step 2: where the first tree is one complete subtree, its root is the first hash of the path.
    hashes = list(proof) if first & (first - 1) else [first_root, *proof]
    if not hashes:
        raise ProofError(f"consistency proof: no hashes between sizes {first} and {second}")
    # Steps 3 and 4: start at the last leaf of the first tree and skip the levels where it is a right child.
    node, last = first - 1, second - 1
    while node & 1:
        node >>= 1
        last >>= 1
    # Steps 5 and 6: rebuild both roots from the same hashes.
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError(f"consistency proof: too many hashes between sizes {first} and {second}")
        if node & 1 or node == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    if last != 0:
        raise ProofError(f"consistency proof: too few hashes between sizes {first} and {second}")
    if old != first_root:
        raise ProofError(f"consistency proof: does not lead to the root of size {first}")
    if new != second_root:
        raise ProofError(f"consistency proof: does not lead to the root of size {second}")


class MerkleTree:
    """An append-only tree in memory that keeps every complete subtree, so that any earlier size can be proved.

    Level k holds, one after another, the 32-byte roots of the complete subtrees of 2^k leaves: 64 bytes per leaf in
    all. Complete subtrees never change, so proofs at earlier sizes may be made while the tree grows.
    """

    __slots__ = ("_levels", "_size")

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self._size = 0

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash and return its index; raise LogError unless it has 32 bytes."""
        self.extend((leaf,))
        return self._size - 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes in order; raise LogError, and add none, unless each has 32 bytes."""
        joined = b"".join(leaves)
        if len(joined) != HASH_SIZE * len(leaves) or any(len(leaf) != HASH_SIZE for leaf in leaves):
            raise LogError("a leaf hash must have 32 bytes; pass leaf_hash(entry), not the entry")
        self._levels[0] += joined
        self._size += len(leaves)
        level, count = 0, self._size
        while count > 1:
            count >>= 1
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            parents = self._levels[level]
            start = len(parents) // HASH_SIZE
            if start == count:
                return  # No pair was completed here, so none is above.
            children = bytes(self._levels[level - 1][start * 64 : count * 64])
            parents += b"".join([sha256(b"\x01" + children[i : i + 64]).digest() for i in range(0, len(children), 64)])

    def truncate(self, size: int) -> None:
        """Forget every leaf from `size` on: takes back an extension that could not be stored."""
        self._require_size(size)
        for level, nodes in enumerate(self._levels):
            del nodes[(size >> level) * HASH_SIZE :]
        self._size = size

    def node(self, level: int, index: int) -> bytes:
        """Return the root of the complete subtree over leaves [index << level, (index + 1) << level)."""
        return self.nodes(level, index, index + 1)

    def nodes(self, level: int, start: int, stop: int) -> bytes:
        """Return nodes start … stop-1 of a level, concatenated; raise LogError where one is not complete."""
        if not (0 <= level < 64 and 0 <= start <= stop <= self._size >> level):
            raise LogError(f"nodes {start} to {stop} of level {level} are not in a tree of {self._size} entries")
        if start == stop:
            return b""
        return bytes(self._levels[level][start * HASH_SIZE : stop * HASH_SIZE])

    def root(self, size: int | None = None) -> bytes:
        """Return the root at this or any earlier size; raise LogError for a later one."""
        size = self._size if size is None else size
        self._require_size(size)
        if size == 0:
            return EMPTY_ROOT
        return self._range_root(0, size)

    def inclusion(self, index: int, size: int | None = None) -> Path:
        """Return the inclusion path of a leaf in the tree of the first `size` leaves, sibling of the leaf first."""
        return self.inclusion_many((index,), size)[0]

    def inclusion_many(self, indices: Iterable[int], size: int | None = None) -> list[Path]:
        """Return the inclusion paths of many leaves of one tree size; neighbours share the work.

        Raises LogError for an index outside the tree or a size that the tree has not reached.
        """
        size = self._size if size is None else size
        self._require_size(size)
        ragged = self._ragged_nodes(size)
        known: list[dict[int, Path]] = [{} for _ in range(len(ragged))]
        paths = []
        for index in indices:
            if not 0 <= index < size:
                raise LogError(f"index {index} is outside a tree of {size} entries")
            paths.append(self._path(0, index, size, ragged, known))
        return paths

    def consistency(self, first: int, second: int | None = None) -> Path:
        """Return the proof that the tree of `second` leaves extends the tree of `first` leaves (RFC 9162 2.1.4.1)."""
        second = self._size if second is None else second
        self._require_size(second)
        if not 0 < first <= second:
            raise LogError(f"no consistency proof from size {first} to {second}; the earlier size must be at least 1")
        proof: list[bytes] = []
        start, stop, whole = 0, second, True
        # SUBPROOF, from the root down: `whole` says that the range so far is the whole first tree, whose root the
        # verifier holds already.
        while first != stop:
            middle = start + _split(stop - start)
            if first <= middle:
                proof.append(self._range_root(middle, stop))
                stop = middle
            else:
                proof.append(self._range_root(start, middle))
                start, whole = middle, False
        if not whole:
            proof.append(self._range_root(start, stop))
        return tuple(reversed(proof))

    def _require_size(self, size: int) -> None:
        if not 0 <= size <= self._size:
            raise LogError(f"size {size} is not one that a log of {self._size} entries has had")

    def _range_root(self, start: int, stop: int) -> bytes:
        """Return the root over leaves [start, stop), where start is a multiple of the least power of two ≥ the rest."""
        root = b""
        while stop > start:
            # The lowest set bit of the length is the last complete subtree of the range.
            length = stop - start
            level = (length & -length).bit_length() - 1
            stop -= 1 << level
            index = stop >> level
            last = bytes(self._levels[level][index * HASH_SIZE : (index + 1) * HASH_SIZE])
            root = node_hash(last, root) if root else last
        return root

    def _ragged_nodes(self, size: int) -> list[bytes]:
        """Return, for every level, the root over the leaves right of the last complete subtree (empty: none)."""
        ragged = [b""]
        for level in range(1, max(1, (size - 1).bit_length()) + 1):
            below = ragged[-1]
            if size >> (level - 1) & 1:
                index = (size >> (level - 1)) - 1
                left = bytes(self._levels[level - 1][index * HASH_SIZE : (index + 1) * HASH_SIZE])
                below = node_hash(left, below) if below else left
            ragged.append(below)
        return ragged

    def _path(self, level: int, index: int, size: int, ragged: list[bytes], known: list[dict[int, Path]]) -> Path:
        """Return the path from one node to the root; ancestors' paths are remembered, as neighbours share them."""
        if (size - 1) >> level == 0:
            return ()
        path = known[level].get(index)
        if path is not None:
            return path
        rest = self._path(level + 1, index >> 1, size, ragged, known)
        sibling = index ^ 1
        if sibling < size >> level:
            path = (bytes(self._levels[level][sibling * HASH_SIZE : (sibling + 1) * HASH_SIZE]), *rest)
        elif sibling == size >> level and ragged[level]:
            path = (ragged[level], *rest)
        else:
            path = rest  # The node is the last of its level and has no sibling: it moves up unchanged.
        known[level][index] = path
        return path


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size` (RFC 9162 section 2.1.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _require_hashes(what: str, hashes: Iterable[bytes]) -> None:
    for value in hashes:
        if len(value) != HASH_SIZE:
            raise ProofError(f"{what}: a hash has {len(value)} bytes instead of {HASH_SIZE}")
