"""The log: store, tree, exact deduplication and receipts. It works on opaque bytes and knows nothing of elections."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scrutineer.log.signer import LogSigner, LogVerifier
from scrutineer.log.store import Head, Store

Progress = Callable[[int, int], None]  # entries done, entries in all


@dataclass(frozen=True, slots=True)
class Integrated:
    """An entry that is durable, sequenced and integrated.

    `index` is its place, `size` the size of the head that first covered it, `receipt` the COSE receipt relative to
    that head; `fresh` is False when the same bytes were in the log (or earlier in the batch) already.
    """

    index: int
    size: int
    receipt: bytes
    fresh: bool


class Log:
    """An append-only log with one writer. `append` may run in a worker thread while others read."""

    @classmethod
    def open(
        cls,
        store: Store,
        signer: LogSigner,
        *,
        clock: Callable[[], int] | None = None,
        progress: Progress | None = None,
    ) -> "Log":
        """Recompute the tree from the stored bytes; raise LogError when it disagrees with the last signed head.

        `clock` returns Unix milliseconds.
        """
        raise NotImplementedError

    @property
    def verifier(self) -> LogVerifier:
        """The public keys and origin."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """The number of entries that are durable and covered by the last head."""
        raise NotImplementedError

    @property
    def head(self) -> Head | None:
        """The last head, None while the log is empty."""
        raise NotImplementedError

    def root(self, size: int | None = None) -> bytes:
        """Return the root at this or an earlier size."""
        raise NotImplementedError

    def append(self, entries: Sequence[bytes]) -> list[Integrated]:
        """Add a batch and return one result per entry, in order; equal bytes get the original index and receipt.

        Raises LogError for an empty entry or one over 65,535 bytes (nothing of the batch is added) and StoreError when
        the batch cannot be stored; a retry then gives the same index whether or not the failed batch was stored.
        """
        raise NotImplementedError

    def find(self, leaf: bytes) -> int | None:
        """Return the index of the entry with this leaf hash, or None."""
        raise NotImplementedError

    def entry(self, index: int) -> bytes:
        """Return the bytes of an entry."""
        raise NotImplementedError

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of entries start … stop-1 (default: to the last head)."""
        raise NotImplementedError

    def receipt(self, index: int) -> bytes:
        """Return the original receipt of an entry, byte for byte what `append` returned."""
        raise NotImplementedError

    def checkpoint(self) -> bytes:
        """Return the last head as a checkpoint signed with Ed25519 and ML-DSA-44."""
        raise NotImplementedError

    def proof(self, index: int) -> bytes:
        """Return a C2SP tlog-proof of an entry relative to `checkpoint()`."""
        raise NotImplementedError

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """Return the consistency proof between two sizes (first ≥ 1)."""
        raise NotImplementedError

    def tile(self, level: int, index: int, width: int = 256) -> bytes:
        """Return the bytes of a C2SP tile."""
        raise NotImplementedError
