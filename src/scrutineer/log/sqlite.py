"""The embedded store: one SQLite file in WAL mode, flushed at every batch, one writer."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from scrutineer.log.store import Head


class SqliteStore:
    """A `Store` in one SQLite file. One process writes (exclusive); any number read.

    Safe to call from several threads: appends are serialised, and readers see committed batches only.
    """

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> "SqliteStore":
        """Open for writing; `create` makes a missing file. Raise StoreError (second writer, read-only, corrupt …)."""
        raise NotImplementedError

    @classmethod
    def open_reader(cls, path: Path) -> "SqliteStore":
        """Open for reading only; takes no lock and may run beside the writer in another process."""
        raise NotImplementedError

    def append(self, entries: Sequence[bytes], head: Head) -> None:
        """See `Store.append`."""
        raise NotImplementedError

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """See `Store.entries`."""
        raise NotImplementedError

    def entry(self, index: int) -> bytes:
        """See `Store.entry`."""
        raise NotImplementedError

    def head_covering(self, index: int) -> Head:
        """See `Store.head_covering`."""
        raise NotImplementedError

    def last_head(self) -> Head | None:
        """See `Store.last_head`."""
        raise NotImplementedError

    def meta(self, key: str) -> bytes | None:
        """See `Store.meta`."""
        raise NotImplementedError

    def set_meta(self, key: str, value: bytes) -> None:
        """See `Store.set_meta`."""
        raise NotImplementedError

    def checkpoint_wal(self) -> int:
        """Copy the write-ahead log into the main file, off the acknowledgement path; return the pages still waiting."""
        raise NotImplementedError

    def close(self) -> None:
        """Release files and the writer lock."""
        raise NotImplementedError
