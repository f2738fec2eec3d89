"""What the tests of the log share: a log's keys, a store in memory, and a store that fails on command."""

from collections.abc import Iterator, Sequence

from scrutineer.errors import StoreError
from scrutineer.log import Head, Log, LogSigner, Store, leaf_hash, verify_consistency, verify_entry_receipt
from scrutineer.log.merkle import MerkleTree

ORIGIN = "log.example/heron"


def signer(origin: str = ORIGIN, seed: int = 1) -> LogSigner:
    return LogSigner(origin, bytes([seed]) * 32, bytes([seed + 1]) * 32)


class MemoryStore:
    """A store without a disk; it survives the `Log` object that used it, as a file would."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.heads: list[Head] = []
        self.values: dict[str, bytes] = {}

    def append(self, entries: Sequence[bytes], head: Head) -> None:
        if head.size - len(entries) != len(self.bodies):
            raise StoreError("memory store: another writer has moved the log")
        self.bodies += entries
        self.heads.append(head)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        yield from self.bodies[start:stop]

    def entry(self, index: int) -> bytes:
        return self.bodies[index]

    def head_covering(self, index: int) -> Head:
        return next(head for head in self.heads if head.size > index)

    def last_head(self) -> Head | None:
        return self.heads[-1] if self.heads else None

    def meta(self, key: str) -> bytes | None:
        return self.values.get(key)

    def set_meta(self, key: str, value: bytes) -> None:
        self.values[key] = value

    def close(self) -> None:
        pass


def check_log(log: Log, expected: Sequence[bytes]) -> None:
    """Check the whole log from outside: bytes, tree, every receipt, every earlier head, checkpoint and lookup."""
    assert list(log.entries()) == list(expected)
    assert log.size == len(expected)
    tree = MerkleTree()
    tree.extend([leaf_hash(entry) for entry in expected])
    assert log.root() == tree.root()
    for index, entry in enumerate(expected):
        receipt = verify_entry_receipt(log.receipt(index), entry, log.verifier)
        assert receipt.index == index
        assert receipt.root == tree.root(receipt.size)
        assert log.find(leaf_hash(entry)) == index


class Acknowledged:
    """What the writer said before it ended: the place of every entry, and every head."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.heads: dict[int, bytes] = {}

    def take(self, line: str) -> None:
        _, size, root, *pairs = line.split()
        assert self.heads.setdefault(int(size), bytes.fromhex(root)) == bytes.fromhex(root)
        for pair in pairs:
            number, index = map(int, pair.split(":"))
            assert self.places.setdefault(number, index) == index

    def check(self, store: Store) -> int:
        """Check the reopened store against it, and the whole log for itself; close it and return the log's size."""
        log = Log.open(store, signer())
        stored = list(log.entries())
        assert len(set(stored)) == len(stored)
        for number, index in self.places.items():
            assert stored[index].startswith(b"entry %d " % number)
        for size, root in self.heads.items():
            assert log.root(size) == root
            verify_consistency(size, log.size, root, log.root(), log.consistency(size))
        size = log.size
        log.close()
        return size
