"""What a log asks of its store: append a batch with its head in one durable step, and read back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from scrutineer.errors import StoreError

HASH_SIZE = 32  # bytes
SIGNATURE_SIZE = 64  # bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head: number of entries, Merkle root, receipt signature over both, and time in Unix milliseconds."""

    size: int
    root: bytes
    signature: bytes
    time_ms: int

    def __post_init__(self) -> None:
        if self.size < 1 or len(self.root) != HASH_SIZE or len(self.signature) != SIGNATURE_SIZE or self.time_ms < 0:
            raise StoreError(f"head {self.size}: size, root, signature or time is not one that a head can have")


class Store(Protocol):
    """A durable, append-only home for entries and heads. Every method raises StoreError and nothing else.

    When `append` raises, the batch may or may not have been stored; `last_head` then tells, or raises as well.
    """

    def append(self, entries: Sequence[bytes], head: Head) -> None:
        """Store entries and head durably in one step, if the last head's size is head.size - len(entries)."""
        ...

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries start … stop-1; raise StoreError when one is missing."""
        ...

    def entry(self, index: int) -> bytes:
        """Return one entry."""
        ...

    def head_covering(self, index: int) -> Head:
        """Return the head of the batch that first covered this index: the smallest size > index."""
        ...

    def last_head(self) -> Head | None:
        """Return the newest head, or None for an empty store."""
        ...

    def meta(self, key: str) -> bytes | None:
        """Return a small named value, such as the log's origin."""
        ...

    def set_meta(self, key: str, value: bytes) -> None:
        """Store a small named value durably."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...


class SharedStore(Store, Protocol):
    """A store that several processes use at a time, one of them for writing."""

    def heads(self, after: int, upto: int) -> Iterator[Head]:
        """Yield the heads whose sizes are above `after` and at most `upto`, in order."""
        ...
