"""The RFC 9162 section 2.1 Merkle tree over SHA-256: hashes, roots, proofs and their checks. Pure; no input or output."""

from collections.abc import Iterable, Sequence

HASH_SIZE = 32  # bytes
EMPTY_ROOT: bytes = b""

Path = tuple[bytes, ...]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one log entry: SHA-256(0x00 ‖ data) (RFC 9162 section 2.1.1)."""
    raise NotImplementedError


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 9162 section 2.1.1)."""
    raise NotImplementedError


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion path leads to; raise ProofError when its length or the index does not fit."""
    raise NotImplementedError


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless the leaf hash is at `index` of the tree with `size` leaves and `root`."""
    raise NotImplementedError


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise ProofError unless the tree of `second` leaves extends the tree of `first` leaves (size 0 is an error)."""
    raise NotImplementedError


class MerkleTree:
    """An append-only tree in memory that keeps every complete subtree, so that any earlier size can be proved."""

    @property
    def size(self) -> int:
        """The number of leaves."""
        raise NotImplementedError

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash and return its index."""
        raise NotImplementedError

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes in order."""
        raise NotImplementedError

    def truncate(self, size: int) -> None:
        """Forget every leaf from `size` on: takes back an extension that could not be stored."""
        raise NotImplementedError

    def node(self, level: int, index: int) -> bytes:
        """Return the root of the complete subtree over leaves [index << level, (index + 1) << level)."""
        raise NotImplementedError

    def nodes(self, level: int, start: int, stop: int) -> bytes:
        """Return nodes start … stop-1 of a level, concatenated."""
        raise NotImplementedError

    def root(self, size: int | None = None) -> bytes:
        """Return the root at this or any earlier size."""
        raise NotImplementedError

    def inclusion(self, index: int, size: int | None = None) -> Path:
        """Return the inclusion path of a leaf in the tree of the first `size` leaves, sibling of the leaf first."""
        raise NotImplementedError

    def inclusion_many(self, indices: Iterable[int], size: int | None = None) -> list[Path]:
        """Return the inclusion paths of many leaves of one tree size; neighbours share the work."""
        raise NotImplementedError

    def consistency(self, first: int, second: int | None = None) -> Path:
        """Return the proof that the tree of `second` leaves extends the tree of `first` leaves (first ≥ 1)."""
        raise NotImplementedError
