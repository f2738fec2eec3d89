"""The log: store, tree, exact deduplication and receipts. It works on opaque bytes and knows nothing of elections."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Self

from scrutineer.errors import LogError, ReceiptError, StoreError
from scrutineer.log.checkpoint import Checkpoint, sign_checkpoint
from scrutineer.log.mark import Mark
from scrutineer.log.merkle import EMPTY_ROOT, MerkleTree, Path, leaf_hash
from scrutineer.log.proof import LogProof
from scrutineer.log.receipt import HeadReceipts, sign_head, verify_head
from scrutineer.log.signer import LogSigner, LogVerifier
from scrutineer.log.store import Head, Store
from scrutineer.log.tiles import MAX_ENTRY_SIZE, TILE_WIDTH, Tile, tile_bytes

Clock = Callable[[], int]  # Unix milliseconds
Progress = Callable[[int, int], None]  # entries done, entries in all

_ORIGIN = "origin"
MOVED = "moved"  # in the store's meta: where the log is now
_CHUNK = 8192  # entries hashed at a time on opening


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
    """An append-only log with one writer. `append` may run in a worker thread while others read.

    The order of writes is the design: entries and head become durable in one step, the head is marked outside the store
    (where the log was opened with a mark), and only then does the head's signature leave `append`. What `append` returned
    is therefore never lost, and the log never signs two histories.
    """

    def __init__(self, store: Store, keys: LogSigner | LogVerifier, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._verifier = keys.verifier if isinstance(keys, LogSigner) else keys
        self._clock = clock
        # Held for the whole of `append`; readers take no lock, for they look only below `_head.size`, where neither
        # tree nor index changes any more.
        self._writing = threading.Lock()
        self._tree = MerkleTree()
        self._index: dict[bytes, int] = {}
        self._head: Head | None = None
        self._unsure = False
        self._mark: Mark | None = None
        self._checkpoint: tuple[int, bytes] | None = None

    @classmethod
    def open(
        cls,
        store: Store,
        keys: LogSigner | LogVerifier,
        *,
        clock: Clock | None = None,
        mark: Mark | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Recompute the tree from the stored bytes and return the log.

        With the log's public keys it can be read, with its private keys also appended to and signed. `clock` returns Unix
        milliseconds (default: the system's). `mark` says how far this machine has signed the log, and is moved on with it;
        the log closes it. Raises LogError when the store belongs to another log, when the tree disagrees with the last
        signed head, when that head was not signed by this key, when the store is behind the mark or holds another history
        than it, and when the store was moved elsewhere or is a copy that was not finished; raises StoreError when the store
        cannot be read.
        """
        log = cls(store, keys, clock or _system_clock)
        moved = store.meta(MOVED)
        if moved is not None:
            raise LogError(f"this log was moved to {moved.decode(errors='replace')}: use it there, with --store")
        origin = store.meta(_ORIGIN)
        if not origin and store.last_head() is None:
            store.set_meta(_ORIGIN, keys.origin.encode())
        elif not origin:
            raise LogError("the store holds a copy of a log that was not finished: run `store restore` or `store migrate` again")
        elif origin != keys.origin.encode():
            raise LogError(f"the store holds another log ({origin!r}) than {keys.origin!r}; check path and keys")
        marked = None if mark is None else mark.read(log.verifier)
        log._catch_up(progress)
        if mark is not None:
            mark.check(log, marked)
            log._mark = mark
        return log

    @property
    def verifier(self) -> LogVerifier:
        """The public keys and origin."""
        return self._verifier

    @property
    def size(self) -> int:
        """The number of entries that are durable and covered by the last head."""
        head = self._head
        return head.size if head else 0

    @property
    def head(self) -> Head | None:
        """The last head, None while the log is empty."""
        return self._head

    def head_at(self, size: int) -> Head:
        """Return the head of a size that was signed; raise LogError where no head was of this size."""
        self._require_index(size - 1)
        head = self._store.head_covering(size - 1)
        if head.size != size:
            raise LogError(f"the log has signed no head of {size:,} entries, only one of {head.size:,}: name the size of a head")
        return head

    def root(self, size: int | None = None) -> bytes:
        """Return the root at this or an earlier size; raise LogError for a size not reached."""
        return self._tree.root(self._known_size(size))

    @property
    def tree(self) -> MerkleTree:
        """The tree, for reading: nobody but the log may extend it."""
        return self._tree

    def append(self, entries: Sequence[bytes]) -> list[Integrated]:
        """Add a batch and return one result per entry, in order; equal bytes get the original index and receipt.

        Raises LogError for an empty entry or one over 65,535 bytes (nothing of the batch is added) and StoreError when
        the batch cannot be stored; a retry then gives the same index whether or not the failed batch was stored.
        """
        for position, entry in enumerate(entries):
            if not 0 < len(entry) <= MAX_ENTRY_SIZE:
                raise LogError(f"entry {position} of the batch has {len(entry)} bytes; 1 to {MAX_ENTRY_SIZE} are allowed")
        leaves = [leaf_hash(entry) for entry in entries]
        with self._writing:
            if self._unsure:
                self._catch_up()
            start = self.size
            fresh: dict[bytes, int] = {}
            bodies = []
            for leaf, entry in zip(leaves, entries, strict=True):
                if leaf not in self._index and leaf not in fresh:
                    fresh[leaf] = start + len(fresh)
                    bodies.append(entry)
            head = self._head
            paths: list[Path] = []
            if fresh:
                head, paths = self._integrate(bodies, list(fresh))
                if head is None:
                    # The batch is in the store after all, so now each of its entries is an old one.
                    fresh = {}
                else:
                    self._advance(head, fresh)
        results = self._results(start, head, paths) if fresh and head else []
        if len(results) == len(entries):
            return results
        return self._with_duplicates(leaves, start, results)

    def find(self, leaf: bytes) -> int | None:
        """Return the index of the entry with this leaf hash, or None."""
        return self._index.get(leaf)

    def entry(self, index: int) -> bytes:
        """Return the bytes of an entry; raise LogError where there is none."""
        self._require_index(index)
        return self._store.entry(index)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of entries start … stop-1 (default: to the last head)."""
        return self._store.entries(start, self._known_size(stop))

    def receipt(self, index: int) -> bytes:
        """Return the original receipt of an entry, byte for byte what `append` returned."""
        return self.integrated(index).receipt

    def integrated(self, index: int) -> Integrated:
        """Return what `append` returned for an entry, with `fresh` False; raise LogError where there is none."""
        self._require_index(index)
        head = self._store.head_covering(index)
        path = self._tree.inclusion(index, head.size)
        receipt = HeadReceipts(self.verifier, head.size, head.signature).encode(index, path)
        return Integrated(index, head.size, receipt, fresh=False)

    def checkpoint(self) -> bytes:
        """Return the last head as a checkpoint signed with Ed25519 and ML-DSA-44."""
        head = self._head
        size, root, seconds = (head.size, head.root, head.time_ms // 1000) if head else (0, EMPTY_ROOT, 0)
        signed = self._checkpoint
        if signed is None or signed[0] != size:
            note = sign_checkpoint(Checkpoint(self._verifier.origin, size, root), self._signer().note_signers, seconds)
            self._checkpoint = signed = (size, note)
        return signed[1]

    def proof(self, index: int, checkpoint: bytes | None = None) -> bytes:
        """Return a C2SP tlog-proof of an entry relative to a checkpoint of this log, by default the last one."""
        note = checkpoint or self.checkpoint()
        size = Checkpoint.from_text(note.rpartition(b"\n\n")[0] + b"\n").size
        return LogProof(index, self._tree.inclusion(index, self._known_size(size)), note).to_text()

    def consistency(self, first: int, second: int | None = None) -> Path:
        """Return the consistency proof between two sizes (first ≥ 1)."""
        return self._tree.consistency(first, self._known_size(second))

    def tile(self, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
        """Return the bytes of a C2SP tile; raise LogError where the log does not have it."""
        tile = Tile(level, index, width)
        if tile.stop > self.size:
            raise LogError(f"a log of {self.size} entries has no {tile.path}")
        return tile_bytes(self._tree, level, index, width)

    def close(self) -> None:
        """Wait for a running `append` and close the store."""
        with self._writing:
            try:
                self._store.close()
            finally:
                if self._mark is not None:
                    self._mark.close()

    def _integrate(self, bodies: list[bytes], leaves: list[bytes]) -> tuple[Head | None, list[Path]]:
        """Store a batch of fresh entries; return its head and paths, or None when a failed store kept it after all."""
        size = self.size + len(leaves)
        self._tree.extend(leaves)
        try:
            root = self._tree.root()
            head = Head(size, root, sign_head(size, root, self._signer()), self._clock())
            self._store.append(bodies, head)
            self._note(head)
        except StoreError:
            self._tree.truncate(self.size)
            # Whether the batch is stored is unknown. Until the store has told, nothing may be signed.
            self._unsure = True
            with suppress(StoreError):
                self._catch_up()
            if not all(leaf in self._index for leaf in leaves):
                raise
            return None, []
        except BaseException:
            self._tree.truncate(self.size)
            self._unsure = True
            raise
        return head, self._tree.inclusion_many(range(size - len(leaves), size), size)

    def _results(self, start: int, head: Head, paths: list[Path]) -> list[Integrated]:
        receipts = HeadReceipts(self.verifier, head.size, head.signature).encode_many(enumerate(paths, start))
        return [Integrated(index, head.size, receipt, fresh=True) for index, receipt in enumerate(receipts, start)]

    def _with_duplicates(self, leaves: list[bytes], start: int, results: list[Integrated]) -> list[Integrated]:
        """Return one result per leaf: the batch's own for the first of its kind, the original one for all others.

        What was stored although the store said otherwise is new as well: there are no `results` then.
        """
        answers = []
        seen: set[bytes] = set()
        for leaf in leaves:
            index = self._index[leaf]
            own = start <= index < start + len(results)
            found = results[index - start] if own else self.integrated(index)
            answers.append(Integrated(index, found.size, found.receipt, fresh=index >= start and leaf not in seen))
            seen.add(leaf)
        return answers

    def _catch_up(self, progress: Progress | None = None) -> None:
        """Take in what the store holds beyond the tree: everything on opening, and after a failure what it left.

        Raises LogError, and takes in nothing, when the bytes disagree with the last signed head.
        """
        head = self._store.last_head()
        stored = head.size if head else 0
        start = self.size
        if stored < start or (stored == start and head != self._head):
            raise LogError(f"the store holds head {stored} where this log signed head {start}; it was replaced or reset")
        if head is not None and stored > start:
            entries = self._store.entries(start, stored)
            found: dict[bytes, int] = {}
            try:
                while leaves := [leaf_hash(entry) for entry in islice(entries, _CHUNK)]:
                    found.update(zip(leaves, range(self._tree.size, stored), strict=False))
                    self._tree.extend(leaves)
                    if progress:
                        progress(self._tree.size - start, stored - start)
                self._check(head, start, len(found))
                self._note(head)
            except BaseException:
                self._tree.truncate(start)
                raise
            self._advance(head, found)
        self._unsure = False

    def _advance(self, head: Head, found: dict[bytes, int]) -> None:
        """Show readers what the tree holds already. The head first: what `find` returns is then always below `size`."""
        self._head = head
        self._index.update(found)

    def _check(self, head: Head, start: int, distinct: int) -> None:
        if self._tree.root() != head.root:
            raise LogError(
                f"the stored entries do not lead to the root of head {head.size}, the last one signed; "
                "an entry was changed or lost, so restore the store from a mirror of the log"
            )
        if distinct != head.size - start:
            raise LogError(f"{head.size - start - distinct} of the stored entries are there twice")
        try:
            verify_head(head.size, head.root, head.signature, self.verifier)
        except ReceiptError as error:
            raise LogError(f"{error}; check that these are the keys of this log") from None

    def _note(self, head: Head) -> None:
        """Mark a durable head. What cannot be marked is not answered either, as if the store had failed."""
        if self._mark is not None:
            self._mark.note(head)

    def _signer(self) -> LogSigner:
        if not isinstance(self._keys, LogSigner):
            raise LogError("the log was opened with its public keys, for reading: open it with its private keys to sign")
        return self._keys

    def _known_size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise LogError(f"size {size} is not one that a log of {self.size} entries has had")
        return size

    def _require_index(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise LogError(f"there is no entry {index} in a log of {self.size} entries")


def _system_clock() -> int:
    return time.time_ns() // 1_000_000
