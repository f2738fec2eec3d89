"""Reads a log again from its first byte: every leaf, the tree, every signed head, what is there twice, and what was published."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np

from scrutineer.errors import ReceiptError, StoreError
from scrutineer.log.findings import Finding, Findings, refuse
from scrutineer.log.merkle import HASH_SIZE, MerkleTree, leaf_hash
from scrutineer.log.published import PublishedLog, SiteAudit
from scrutineer.log.receipt import verify_head
from scrutineer.log.signer import LogVerifier
from scrutineer.log.store import Head
from scrutineer.log.tiles import MAX_ENTRY_SIZE, TILE_WIDTH

CHUNK: Final = 4 * TILE_WIDTH  # entries taken at a time: whole bundles, at most 64 MiB
THREADS: Final = 2
_MISSING: Final = bytes(HASH_SIZE)  # holds the place of an entry that is not there; no hash is like that
_AT_A_TIME: Final = 64  # heads that a thread verifies before it asks for more

Progress = Callable[[int, int], None]  # entries done, entries in all
Segment = tuple[list[bytes], list[Head]]  # consecutive entries, and the heads that end within them or at their end


class ReadableStore(Protocol):
    """What is read of a store, entry by entry and head by head. Every method raises StoreError and nothing else."""

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries start … stop-1."""
        ...

    def entry(self, index: int) -> bytes:
        """Return one entry."""
        ...

    def heads(self, after: int, upto: int) -> Iterator[Head]:
        """Yield the heads whose sizes are above `after` and at most `upto`, in order."""
        ...

    def last_head(self) -> Head | None:
        """Return the newest head."""
        ...

    def meta(self, key: str) -> bytes | None:
        """Return a small named value."""
        ...


class Audit:
    """Takes the entries and heads of a log in order and rebuilds the tree; `report` hears of everything that does not fit."""

    def __init__(self, verifier: LogVerifier, report: Callable[[Finding], object] = refuse) -> None:
        self.tree = MerkleTree()
        self.head: Head | None = None
        """The last head that was taken."""
        self.heads = 0
        self._verifier = verifier
        self._report = report
        self._sound = 0  # the size of the last head that fitted
        self._diverged = False
        self._threads = ThreadPoolExecutor(THREADS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._threads.shutdown(cancel_futures=True)

    def take(self, entries: Sequence[bytes | None], heads: Sequence[Head]) -> None:
        """Take the next entries (None: missing, and reported already), then the heads that end within them."""
        leaves = []
        for index, entry in enumerate(entries, self.tree.size):
            if entry is None:
                self._diverged = True
                leaves.append(_MISSING)
                continue
            if not 0 < len(entry) <= MAX_ENTRY_SIZE:
                self._report(Finding(f"entry {index}", f"has {len(entry)} bytes; 1 to {MAX_ENTRY_SIZE} are allowed"))
            leaves.append(leaf_hash(entry))
        self.tree.extend(leaves)
        parts = [heads[at : at + _AT_A_TIME] for at in range(0, len(heads), _AT_A_TIME)]
        for part, signed in zip(parts, self._threads.map(self._signed, parts), strict=True):
            for head, good in zip(part, signed, strict=True):
                self._take_head(head, signed=good)

    def finish(self) -> None:
        """Look for entries that are there twice, and for entries that no head covers."""
        size = self.head.size if self.head else 0
        if size != self.tree.size:
            self._report(Finding(f"entry {size}", f"no signed head covers the entries {size} to {self.tree.size - 1}"))
        for index, earlier in repeated(self.tree):
            if self.tree.node(0, index) == _MISSING:
                continue
            self._report(Finding(f"entry {index}", f"is there twice: it is entry {earlier} already"))

    def _take_head(self, head: Head, *, signed: bool) -> None:
        self.heads += 1
        before = self.head.size if self.head else 0
        if not before < head.size <= self.tree.size:
            self._report(Finding(f"head {head.size}", f"does not stand between the head {before} and {self.tree.size} entries"))
            return
        self.head = head
        root = self.tree.root(head.size)
        if root == head.root:
            if signed:
                self._sound = head.size
            else:
                self._report(
                    Finding(f"head {head.size}", f"its signature does not verify under the key of {self._verifier.origin}")
                )
        elif signed:
            # What is signed is right, so the entries are not; all later heads differ with them.
            if not self._diverged:
                self._report(
                    Finding(
                        f"entries {self._sound} to {head.size - 1}",
                        f"they lead to the root {root.hex()} at {head.size} entries, and {head.root.hex()} was signed: "
                        "at least one of them was changed",
                    )
                )
            self._diverged = True
        elif self._verifies(head.size, root, head.signature):
            self._report(Finding(f"head {head.size}", f"its root is {head.root.hex()}, and {root.hex()} was signed"))
        else:
            self._report(
                Finding(
                    f"head {head.size}", f"its root is {head.root.hex()}, the entries lead to {root.hex()}, neither was signed"
                )
            )

    def _signed(self, heads: Sequence[Head]) -> list[bool]:
        return [self._verifies(head.size, head.root, head.signature) for head in heads]

    def _verifies(self, size: int, root: bytes, signature: bytes) -> bool:
        try:
            verify_head(size, root, signature, self._verifier)
        except ReceiptError:
            return False
        return True


def repeated(tree: MerkleTree) -> Iterator[tuple[int, int]]:
    """Yield index and earlier index of every leaf that is in the tree before."""
    beginnings = np.frombuffer(tree.nodes(0, 0, tree.size), dtype=np.uint64)[:: HASH_SIZE // 8]
    order = np.argsort(beginnings, kind="stable")
    alike = np.flatnonzero(beginnings[order[1:]] == beginnings[order[:-1]])
    first: dict[bytes, int] = {}
    for index in sorted({*order[alike].tolist(), *order[alike + 1].tolist()}):
        earlier = first.setdefault(tree.node(0, index), index)
        if earlier != index:
            yield index, earlier


def segments(store: ReadableStore, size: int) -> Iterator[Segment]:
    """Yield the entries and heads of a store up to a head's size."""
    entries, heads = store.entries(0, size), store.heads(0, size)
    following = next(heads, None)
    done = 0
    while part := list(islice(entries, CHUNK)):
        done += len(part)
        within = []
        while following is not None and following.size <= done:
            within.append(following)
            following = next(heads, None)
        yield part, within


@dataclass(frozen=True)
class StoreReport:
    """What a check of a store found."""

    size: int
    heads: int
    root: bytes
    site_files: int
    """Published files that were compared."""
    findings: tuple[Finding, ...]
    dropped: int = 0
    """Findings beyond those that are kept."""


def audit_store(
    store: ReadableStore,
    verifier: LogVerifier,
    *,
    first: bytes | None = None,
    sites: Sequence[PublishedLog] = (),
    unfinished: bool = False,
    progress: Progress | None = None,
) -> StoreReport:
    """Check a store up to its last head, also while another process appends to it.

    `first` is the leaf hash that entry 0 must have; `unfinished` says that it is a copy under way, which has no origin yet.
    Raises StoreError where the store cannot be read at all.
    """
    findings = Findings()
    head = store.last_head()
    size = head.size if head else 0
    origin = store.meta("origin")
    if origin != verifier.origin.encode() and (origin or not unfinished):
        unset = "was not finished: it is a copy that was interrupted" if size else "is empty"
        what = unset if not origin else f"is of another log, {origin!r}"
        findings.add(Finding("store", f"{what}; {verifier.origin!r} is expected"))
    compared = [SiteAudit(site) for site in sites]
    with Audit(verifier, findings.add) as audit:
        heads = store.heads(0, size)
        following = next(heads, None)
        for start in range(0, size, CHUNK):
            stop = min(start + CHUNK, size)
            entries = _read(store, start, stop, findings)
            within = []
            while following is not None and following.size <= stop:
                within.append(following)
                following = next(heads, None)
            audit.take(entries, within)
            for site in compared:
                site.take(start, entries)
            if progress:
                progress(stop, size)
        audit.finish()
    _beyond(store, findings)
    if first is not None and size and audit.tree.node(0, 0) != first:
        findings.add(Finding("entry 0", f"has the leaf hash {audit.tree.node(0, 0).hex()}, and the definition has {first.hex()}"))
    for site in compared:
        findings.add_all(site.finish(audit.tree))
    return StoreReport(
        size, audit.heads, audit.tree.root(), sum(site.files for site in compared), tuple(findings.kept), findings.dropped
    )


def _read(store: ReadableStore, start: int, stop: int, findings: Findings) -> Sequence[bytes | None]:
    """Read entries; where some are missing, name each of them."""
    try:
        return list(store.entries(start, stop))
    except StoreError:
        found: list[bytes | None] = []
        for index in range(start, stop):
            try:
                found.append(store.entry(index))
            except StoreError:
                store.last_head()  # Raises where not the entry is missing but the store has failed.
                findings.add(Finding(f"entry {index}", "is missing"))
                found.append(None)
        return found


def _beyond(store: ReadableStore, findings: Findings) -> None:
    """Look for an entry behind the last head. What is being appended meanwhile comes with its head."""
    head = store.last_head()
    size = head.size if head else 0
    try:
        store.entry(size)
    except StoreError:
        return
    if store.last_head() == head:
        findings.add(Finding(f"entry {size}", f"stands behind the last head, which covers {size} entries"))
