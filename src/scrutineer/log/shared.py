"""A log that several processes hold at a time: one of them appends, the others follow what it stored."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice

from scrutineer.errors import LogError, ReceiptError, StoreError
from scrutineer.log.log import Clock, Integrated, Log, Progress
from scrutineer.log.merkle import MAX_SIZE, leaf_hash
from scrutineer.log.receipt import HeadReceipts, verify_head
from scrutineer.log.signer import LogSigner, LogVerifier
from scrutineer.log.store import SIGNATURE_SIZE, Head, SharedStore

CHUNK = 8192  # entries taken in at a time, or those of one batch where it has more
HEADS = 256  # heads read at a time


class SharedLog(Log):
    """A `Log` on a shared store. `follow` takes in what another process has appended; whoever writes appends as ever.

    Every head is kept in memory, in 72 bytes, so that `find` and the receipts of known entries need no store: they are
    answered also while it cannot be reached.
    """

    def __init__(self, store: SharedStore, keys: LogSigner | LogVerifier, clock: Clock) -> None:
        super().__init__(store, keys, clock)
        self._shared = store
        self._sizes = array("Q")
        self._signatures = bytearray()

    def follow(self, start: int) -> list[tuple[bytes, bytes]]:
        """Take in what was stored meanwhile, and return leaf hash and bytes of the entries from `start` on, in log order.

        It may return a part (about `CHUNK` entries): call it again until it returns nothing. Every new head is checked, root
        and signature. Raises StoreError when the store cannot be read, and LogError, taking in nothing, where it does not
        hold what this log has seen, or where root or signature are wrong.
        """
        with self._writing:
            if start < self.size:
                bodies = list(self._store.entries(start, min(self.size, start + CHUNK)))
                return [(leaf_hash(body), body) for body in bodies]
            return self._take_in(self._new_heads(), each=True)

    def integrated(self, index: int) -> Integrated:
        """Return what `append` returned for an entry, with `fresh` False; raise LogError where there is none."""
        return self.integrated_many((index,))[0]

    def integrated_many(self, indices: Iterable[int]) -> list[Integrated]:
        """Return what `append` returned for these entries, with `fresh` False; neighbours share the work."""
        places: dict[int, list[int]] = {}
        for index in indices:
            self._require_index(index)
            places.setdefault(bisect_right(self._sizes, index), []).append(index)
        results = []
        for place, group in places.items():
            size = self._sizes[place]
            signature = bytes(self._signatures[place * SIGNATURE_SIZE : (place + 1) * SIGNATURE_SIZE])
            paths = self._tree.inclusion_many(group, size)
            receipts = HeadReceipts(self.verifier, size, signature).encode_many(zip(group, paths, strict=True))
            results += [Integrated(index, size, receipt, fresh=False) for index, receipt in zip(group, receipts, strict=True)]
        return results

    def _new_heads(self) -> list[Head]:
        """Return the stored heads that are new here, those of about `CHUNK` entries.

        Raises LogError where the last known one is not stored.
        """
        known, size = self._head, self.size
        heads = list(islice(self._shared.heads(size - 1, MAX_SIZE), HEADS + 1))
        if known is not None and (not heads or heads.pop(0) != known):
            raise LogError(f"the store does not hold head {size}, which was signed; it was replaced or reset")
        return [head for place, head in enumerate(heads) if not place or head.size - size <= CHUNK]

    def _take_in(self, heads: list[Head], *, each: bool) -> list[tuple[bytes, bytes]]:
        """Extend tree, heads and index; checks every head, or the last one alone."""
        if not heads:
            return []
        start, last = self.size, heads[-1]
        taken = [(leaf_hash(body), body) for body in self._store.entries(start, last.size)]
        found = dict(zip((leaf for leaf, _ in taken), range(start, last.size), strict=True))
        try:
            self._tree.extend([leaf for leaf, _ in taken])
            self._check(last, start, len(found) - sum(leaf in self._index for leaf in found))
            for head in heads[:-1] if each else ():
                self._check_earlier(head)
            self._note(last)
        except BaseException:
            self._tree.truncate(start)
            raise
        for head in heads[:-1]:
            self._keep(head)
        self._advance(last, found)
        return taken

    def _check_earlier(self, head: Head) -> None:
        if self._tree.root(head.size) != head.root:
            raise LogError(f"the stored entries do not lead to the root of head {head.size}; restore the store from a mirror")
        try:
            verify_head(head.size, head.root, head.signature, self.verifier)
        except ReceiptError as error:
            raise LogError(f"{error}; check that these are the keys of this log") from None

    def _catch_up(self, progress: Progress | None = None) -> None:
        last = self._store.last_head()
        if self._head is None and last is None:
            raise StoreError("the log in this database is empty: copy the election's log into it first, then start again")
        start, stop = self.size, last.size if last else 0
        while heads := self._new_heads():
            self._take_in(heads, each=False)
            if progress:
                progress(self.size - start, max(stop, self.size) - start)
        self._unsure = False

    def _advance(self, head: Head, found: dict[bytes, int]) -> None:
        self._keep(head)
        super()._advance(head, found)

    def _keep(self, head: Head) -> None:
        # The signature first: whoever finds the size finds its signature.
        self._signatures += head.signature
        self._sizes.append(head.size)
