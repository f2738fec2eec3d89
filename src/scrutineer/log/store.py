"""What a log asks of its store: append a batch with its head in one durable step, and read back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head: number of entries, Merkle root, receipt signature over the root, and time in Unix milliseconds."""

    size: int
    root: bytes
    signature: bytes
    time_ms: int


class Store(Protocol):
    """A durable, append-only home for entries and heads. Every method raises StoreError and nothing else."""

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
