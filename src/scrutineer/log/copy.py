"""Copies a log into an empty store: from a backup, completed from what was published, or from another store.

An unfinished copy is an old state of the log, and nobody may go on from it. So the store gets the log's origin last, once
everything in it was read again; `Log.open` refuses a store with heads and without an origin. A copy that was interrupted
is gone on with, after what is there was compared with what is to be copied.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from scrutineer.errors import LogError, ReceiptError
from scrutineer.log.audit import CHUNK, Audit, ReadableStore, Segment, audit_store, segments
from scrutineer.log.backup import Backup
from scrutineer.log.findings import refuse
from scrutineer.log.log import MOVED
from scrutineer.log.mark import Mark
from scrutineer.log.merkle import MerkleTree, leaf_hash
from scrutineer.log.published import PublishedLog
from scrutineer.log.receipt import verify_head
from scrutineer.log.signer import LogVerifier
from scrutineer.log.store import Head

ORIGIN: Final = "origin"
BATCH: Final = 8192  # entries written in one transaction, or fewer where they have
BATCH_SIZE: Final = 1 << 24  # bytes

Progress = Callable[[str, int, int], None]  # what is being done, entries done, entries in all


class WritableStore(ReadableStore, Protocol):
    """What is asked of the store that a log is copied into."""

    def extend(self, start: int, entries: Iterable[bytes], heads: Sequence[Head]) -> None:
        """Store several batches with their heads in one transaction."""
        ...

    def set_meta(self, key: str, value: bytes) -> None:
        """Store a small named value durably."""
        ...


@dataclass(frozen=True)
class Completion:
    """What a published log has beyond a backup: its entries, all under the head that was published."""

    site: PublishedLog
    head: Head


@dataclass(frozen=True)
class Copied:
    """What a copy did."""

    size: int
    """Entries in the store."""
    heads: int
    root: bytes
    resumed: int
    """Entries that an interrupted copy had left there."""
    from_site: int
    """Entries that the backup lacked and a published site had; their receipts are relative to the published head."""
    lost_from: int | None = None
    """Where more was signed from this folder than is left: the size from which on receipts no longer match. Else None."""
    lost_to: int | None = None


def restore(
    backup: Backup,
    target: WritableStore,
    verifier: LogVerifier,
    *,
    sites: Sequence[tuple[PublishedLog, Head | None]] = (),
    mark: Mark,
    accept_loss: bool = False,
    progress: Progress,
    settle: Callable[[], object] = lambda: None,
) -> Copied:
    """Copy a backup into an empty store, complete it from published sites, and prove that it reaches their checkpoints.

    `sites` are published logs, each with the signed head beside its checkpoint where it has one. `mark` says how far the log
    was signed from this folder; with `accept_loss` a store behind it is taken, and the mark put back. `settle` is called
    between transactions (a store's `checkpoint_wal`). Nothing is written before all of it was read and holds together.

    Raises LogError where the backup is damaged or another log's, where a site shows another history or cannot complete it,
    where more was signed than is left, and where the store holds something else; StoreError where the store fails.
    """
    if backup.verifier != verifier:
        raise LogError(f"{backup.path}: is a backup of {backup.verifier.origin!r} under other keys than those of this election")
    _require_empty(target)
    with backup.check(lambda done, total: progress("Reading the backup", done, total)) as audit:
        head = audit.head
        completion = _completion(audit.tree, sites, verifier, progress)
        if completion is not None:
            head = completion.head
            audit.heads += 1
        tree = audit.tree
    if head is None:
        raise LogError(f"{backup.path}: holds nothing")
    lost = _hold_against_mark(tree, mark, verifier, accept_loss=accept_loss)
    copied = _copy(backup.segments(), backup.size, completion, tree, target, head, progress, settle)
    _prove(target, verifier, tree, audit.heads, progress)
    if lost is not None:
        mark.accept(head, verifier)
    else:
        mark.take(head, verifier)
    target.set_meta(ORIGIN, verifier.origin.encode())
    return Copied(
        head.size,
        audit.heads,
        head.root,
        copied,
        head.size - backup.size,
        head.size if lost is not None else None,
        lost,
    )


def migrate(
    source: WritableStore,
    target: WritableStore,
    verifier: LogVerifier,
    *,
    address: str,
    mark: Mark,
    progress: Progress,
    settle: Callable[[], object] = lambda: None,
) -> Copied:
    """Copy a log from one store, which nobody else may be writing to, to another, and close the first one to all further use.

    `address` is written into the first store for people: where the log is now (without a password). At every moment at
    most one of the two can be opened as a log: the first is closed before the second is opened. Raises LogError where the
    first does not hold together or is behind the mark, or where the second holds something else.
    """
    moved = source.meta(MOVED)
    if moved is not None and moved != address.encode():
        raise LogError(
            f"this log was moved to {moved.decode(errors='replace')} already: migrate from there by backup and restore"
        )
    last = source.last_head()
    if last is None or source.meta(ORIGIN) != verifier.origin.encode():
        raise LogError(f"the store holds no finished log of {verifier.origin!r}: there is nothing to migrate")
    with Audit(verifier, refuse) as audit:
        for entries, heads in segments(source, last.size):
            audit.take(entries, heads)
            progress("Reading the log", audit.tree.size, last.size)
        audit.finish()
    _hold_against_mark(audit.tree, mark, verifier, accept_loss=False)
    copied = _copy(segments(source, last.size), last.size, None, audit.tree, target, last, progress, settle)
    _prove(target, verifier, audit.tree, audit.heads, progress)
    mark.take(last, verifier)
    source.set_meta(MOVED, address.encode())
    target.set_meta(ORIGIN, verifier.origin.encode())
    return Copied(last.size, audit.heads, last.root, copied, 0)


def close_prefix(source: WritableStore, target: ReadableStore, verifier: LogVerifier, address: str) -> int:
    """Close a store to all further use whose log goes on in another one already; return how many entries it has.

    Raises LogError unless the other store's log continues it.
    """
    ours, theirs = source.last_head(), target.last_head()
    size = ours.size if ours else 0
    if ours is not None:
        tree = MerkleTree()
        if theirs is not None and theirs.size >= size:
            entries = target.entries(0, size)
            while leaves := [leaf_hash(entry) for entry in islice(entries, CHUNK)]:
                tree.extend(leaves)
        if tree.size != size or tree.root() != ours.root:
            raise LogError(
                f"{address} holds a log of {theirs.size if theirs else 0} entries, which does not continue the {size} here: "
                "find out which of the two answered with receipts before anything is written to either"
            )
        verify_head(ours.size, ours.root, ours.signature, verifier)
    source.set_meta(MOVED, address.encode())
    return size


def _completion(
    tree: MerkleTree, sites: Sequence[tuple[PublishedLog, Head | None]], verifier: LogVerifier, progress: Progress
) -> Completion | None:
    """Extend the tree by what the longest of the sites has beyond it; hold every one of them against it."""
    size = tree.size
    longest = max(sites, key=lambda pair: pair[0].checkpoint.size, default=None)
    completion = None
    if longest is not None and longest[0].checkpoint.size > size:
        site, head = longest
        shown = site.checkpoint
        entries = site.entries(size // CHUNK * CHUNK)
        done = size // CHUNK * CHUNK
        while part := [leaf_hash(entry) for entry in islice(entries, CHUNK)]:
            known = max(0, min(size - done, len(part)))
            if tree.nodes(0, done, done + known) != b"".join(part[:known]):
                raise LogError(f"{site.where} holds other entries than the backup among {done} to {done + known - 1}: {_FORK}")
            tree.extend(part[known:])
            done += len(part)
            progress("Reading what was published", done - size, shown.size - size)
        if tree.root() != shown.root:
            raise LogError(
                f"{site.where}: its checkpoint signs the root {shown.root.hex()} at {shown.size} entries, and the backup with "
                f"the published entries leads to {tree.root().hex()}: {_FORK}"
            )
        if head is None or (head.size, head.root) != (shown.size, shown.root):
            raise LogError(
                f"{site.where}: the head beside its checkpoint is missing or another one; give a complete copy of the site"
            )
        try:
            verify_head(head.size, head.root, head.signature, verifier)
        except ReceiptError as error:
            raise LogError(f"{site.where}: {error}") from None
        completion = Completion(site, head)
    for site, _head in sites:
        shown = site.checkpoint
        if tree.root(shown.size) != shown.root:
            raise LogError(
                f"{site.where} shows the root {shown.root.hex()} at {shown.size} entries, and what is to be restored has "
                f"{tree.root(shown.size).hex()}: {_FORK}"
            )
    return completion


_FORK = "the two are different histories of the log; nothing was written. Find out which one people were answered from"


def _hold_against_mark(tree: MerkleTree, mark: Mark, verifier: LogVerifier, *, accept_loss: bool) -> int | None:
    """Refuse what is not the continuation of what was signed from here; return the marked size where its loss is accepted."""
    marked = mark.read(verifier)
    if marked is None:
        return None
    if marked.size > tree.size:
        if accept_loss:
            return marked.size
        raise LogError(
            f"{tree.size:,} entries can be had, and {marked.size:,} were signed from this folder ({mark.path}): nothing was "
            "written. Look for a newer backup or published site; if the rest is lost for good, --accept-loss goes on without it"
        )
    if tree.root(marked.size) != marked.root:
        raise LogError(
            f"at {marked.size:,} entries the root is {tree.root(marked.size).hex()}, and {marked.root.hex()} was signed from "
            f"this folder ({mark.path}): {_FORK}"
        )
    return None


def _copy(
    source: Iterable[Segment],
    size: int,
    completion: Completion | None,
    tree: MerkleTree,
    target: WritableStore,
    final: Head,
    progress: Progress,
    settle: Callable[[], object],
) -> int:
    """Write everything that the store lacks, and return how many entries it had."""
    last = target.last_head()
    there = last.size if last else 0
    if target.meta(ORIGIN):
        if last is not None:
            raise LogError(
                f"the store holds a log of {there:,} entries already: only an empty one is written; move it away first"
            )
        # Somebody opened the empty store as a log; without an origin nobody can while the copy is under way.
        target.set_meta(ORIGIN, b"")
    if there:
        _same(target, there, tree)
    written = there
    waiting: list[bytes] = []
    fresh: list[Head] = []
    heads_there = target.heads(0, there)
    known = 0
    for entries, heads in source:
        # What the store has already is passed over, after its heads were found to be the same.
        skipped = max(0, min(there - known, len(entries)))
        known += len(entries)
        for head in heads:
            if head.size > there:
                fresh.append(head)
            elif head != next(heads_there, None):
                raise LogError(_SOMETHING_ELSE)
        waiting += entries[skipped:]
        if fresh and (known == size or len(waiting) >= BATCH or sum(map(len, waiting)) >= BATCH_SIZE):
            stop = fresh[-1].size
            target.extend(written, waiting[: stop - written], fresh)
            del waiting[: stop - written]
            fresh = []
            written = stop
            settle()
            progress("Writing", written, final.size)
    if next(heads_there, final) != final or waiting:
        raise LogError(_SOMETHING_ELSE)
    if completion is not None and written < final.size:
        if written != size:
            raise LogError(_SOMETHING_ELSE)
        # One head, so one transaction; the entries pass through.
        target.extend(size, _reporting(completion.site.entries(size), size, final.size, progress), [completion.head])
        settle()
    return there


_SOMETHING_ELSE = "the store holds part of another copy, or of something else: only an empty one is written; move it away first"


def _require_empty(target: ReadableStore) -> None:
    last = target.last_head()
    if last is not None and target.meta(ORIGIN):
        raise LogError(
            f"the store holds a log of {last.size:,} entries already: only an empty one is written; move it away first"
        )


def _reporting(entries: Iterator[bytes], done: int, total: int, progress: Progress) -> Iterator[bytes]:
    for entry in entries:
        yield entry
        done += 1
        if done % CHUNK == 0:
            progress("Writing", done, total)


def _same(target: ReadableStore, there: int, tree: MerkleTree) -> None:
    """Raise LogError unless the store's entries are the first ones of the tree."""
    if there > tree.size:
        raise LogError(_SOMETHING_ELSE)
    entries = target.entries(0, there)
    done = 0
    while part := [leaf_hash(entry) for entry in islice(entries, CHUNK)]:
        if tree.nodes(0, done, done + len(part)) != b"".join(part):
            raise LogError(_SOMETHING_ELSE)
        done += len(part)


def _prove(target: ReadableStore, verifier: LogVerifier, tree: MerkleTree, heads: int, progress: Progress) -> None:
    """Read the store again from its first entry, and raise LogError unless it is what was to be copied."""
    report = audit_store(
        target, verifier, unfinished=True, progress=lambda done, total: progress("Reading the store again", done, total)
    )
    for finding in report.findings:
        raise LogError(f"what the store gives back is not what was written: {finding}")
    if (report.size, report.root, report.heads) != (tree.size, tree.root(), heads):
        raise LogError(
            f"the store gives back {report.size:,} entries under {report.heads:,} heads, not {tree.size:,} under {heads:,}"
        )
