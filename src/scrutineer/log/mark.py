"""The mark: how far this machine has signed its log, kept outside the store, so that an older copy of the store is noticed.

A log that was put back to an older state holds together in itself. If it went on from there, it would sign other entries
at places that it has signed before: a second history. The mark is a small file beside the store with the last signed head.

The order is the design. A head becomes durable in the store, then stands in the mark, and only then does its signature
leave the log. So the mark is never ahead of the store, and a process that is killed at any moment leaves a mark that
covers everything it answered. It is flushed once a second: after a power cut it may be that much behind, and a store that
lost more than that is still found out. What a copy of the whole folder, mark included, would hide is found by comparing
with what was published (`refuse_fork`).
"""

import binascii
import fcntl
import os
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from scrutineer.durable import sync_folder
from scrutineer.errors import LogError, ReceiptError, StoreError
from scrutineer.log.checkpoint import open_checkpoint
from scrutineer.log.merkle import MAX_SIZE
from scrutineer.log.receipt import verify_head
from scrutineer.log.signer import LogVerifier
from scrutineer.log.store import HASH_SIZE, SIGNATURE_SIZE, Head

TITLE: Final = "scrutineer-log-mark/v1"
SLOTS: Final = (0, 4096)  # offsets of the two places that are written in turn, each in a block of its own
SLOT_SIZE: Final = 512  # bytes: one sector, so that it is written whole or not at all

_RESTORE = "bring back what is missing: `scrutineer store restore BACKUP DIR --site SITE`, from the newest of both"


class MarkedLog(Protocol):
    """What the mark asks of a log."""

    @property
    def verifier(self) -> LogVerifier:
        """Its public keys and origin."""
        ...

    @property
    def head(self) -> Head | None:
        """Its last head."""
        ...

    def root(self, size: int | None = None) -> bytes:
        """Its root at this or an earlier size."""
        ...


@dataclass(frozen=True, slots=True)
class Marked:
    """A head that was signed: number of entries, root, and the receipt signature over both."""

    size: int
    root: bytes
    signature: bytes


class Mark:
    """The mark of one folder, in a file. Every failure of the disk is a StoreError. Safe to call from several threads.

    Two places in the file are written in turn, so that a power cut in the middle of a write leaves the other one. Several
    processes may share a file: it only ever moves on to larger sizes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._handle: int | None = None
        self._origin: str | None = None
        self._dirty = False

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def read(self, verifier: LogVerifier) -> Marked | None:
        """Return the marked head, None where nothing was marked yet.

        Raises LogError where the file is of another log, or no head in it is signed by these keys; StoreError where it
        cannot be read.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._error(error) from None
        if not data:
            return None  # Its writer ended after it had made the file and before it marked anything.
        found = [marked for offset in SLOTS if (marked := self._slot(data[offset : offset + SLOT_SIZE], verifier)) is not None]
        if not found:
            raise LogError(
                f"{self._path}: no signed head can be read from it; it was damaged. Check the store against what was "
                "published (`scrutineer store check DIR --site SITE`), and only then remove the file"
            )
        return max(found, key=lambda marked: marked.size)

    def check(self, log: MarkedLog, marked: Marked | None) -> None:
        """Compare a log that was opened for writing with what `read` gave, and move the mark on to its head.

        The mark is to be read before the store is: another process on the same store and folder may move both on meanwhile.
        Raises LogError, and moves nothing, when the log is behind the mark or has another root there.
        """
        head = log.head
        if marked is not None:
            here = f"signed from this folder ({self._path})"
            _require(log, marked.size, marked.root, f"{marked.size:,} were {here}", f"{marked.root.hex()} was {here}")
        self._origin = log.verifier.origin
        if head is not None:
            self.take(head, log.verifier)

    def note(self, head: Head) -> None:
        """Mark a head that is durable in the store, before its signature leaves; an earlier one than the mark changes nothing.

        To be called after `check` (or `accept`), which says which log it is.
        """
        with self._mutex, self._locked() as handle:
            sizes = [_size(os.pread(handle, SLOT_SIZE, offset)) for offset in SLOTS]
            if head.size > max(sizes):
                os.pwrite(handle, self._text(head), SLOTS[sizes.index(min(sizes))])
                self._dirty = True

    def take(self, head: Head, verifier: LogVerifier) -> None:
        """Mark the last head of a log that was compared with the mark already, and flush."""
        self._origin = verifier.origin
        self.note(head)
        self.sync()

    def accept(self, head: Head, verifier: LogVerifier) -> None:
        """Set the mark to a head that may be an earlier one: somebody has decided that what was signed after it is lost."""
        self._origin = verifier.origin
        with self._mutex, self._locked() as handle:
            for offset in SLOTS:
                os.pwrite(handle, self._text(head), offset)
                # The first is on the disk before the second is written, or a power cut could take both.
                os.fsync(handle)

    def sync(self) -> None:
        """Flush what was marked; cheap where nothing was. To be called once a second, off the way of acknowledgements."""
        with self._mutex:
            if not self._dirty or self._handle is None:
                return
            try:
                # A slow disk must not keep `note` waiting, and `close` may come meanwhile.
                handle = os.dup(self._handle)
            except OSError as error:
                raise self._error(error) from None
            self._dirty = False
        try:
            os.fsync(handle)
        except OSError as error:
            self._dirty = True
            raise self._error(error) from None
        finally:
            os.close(handle)

    def close(self) -> None:
        """Flush and close the file."""
        self.sync()
        with self._mutex:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            if self._handle is None:
                self._handle = self._open()
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            try:
                yield self._handle
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
        except OSError as error:
            raise self._error(error) from None

    def _open(self) -> int:
        new = not self._path.exists()
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if new:
            sync_folder(self._path.parent)
        return handle

    def _text(self, head: Head) -> bytes:
        if self._origin is None:
            raise LogError(f"{self._path}: nothing can be marked before the log was checked against it")
        lines = (TITLE, self._origin, str(head.size), b64encode(head.root).decode(), b64encode(head.signature).decode())
        return "".join(f"{line}\n" for line in lines).encode().ljust(SLOT_SIZE, b"\n")

    def _slot(self, data: bytes, verifier: LogVerifier) -> Marked | None:
        marked = _parse(data)
        if marked is None:
            return None
        origin, head = marked
        if origin != verifier.origin:
            raise LogError(f"{self._path} is the mark of another log ({origin!r}) than {verifier.origin!r}; check the folder")
        try:
            verify_head(head.size, head.root, head.signature, verifier)
        except ReceiptError:
            return None
        return head

    def _error(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self._path}: how far the log has signed cannot be kept there ({error.strerror}); check disk and permissions"
        )


def refuse_fork(log: MarkedLog, checkpoint: bytes, where: str) -> None:
    """Refuse to write a log that is not the continuation of a checkpoint that was published or cosigned.

    `where` says where the checkpoint (a signed note) is from. Raises LogError when the log is behind it or has another
    root there, NoteError when the note is not a checkpoint signed with both keys of the log.
    """
    shown = open_checkpoint(checkpoint, log.verifier.note_verifiers).checkpoint
    _require(log, shown.size, shown.root, f"{where} shows the log at {shown.size:,}", f"{where} shows {shown.root.hex()}")


def _require(log: MarkedLog, size: int, root: bytes, reached: str, other: str) -> None:
    """Raise LogError unless a log continues a head of this size and root; `reached` and `other` say of whom it is."""
    held = log.head.size if log.head else 0
    if held < size:
        raise LogError(
            f"the store holds {held:,} entries, and {reached}: an older copy of the store was put back, and going on would sign "
            f"a second history; {_RESTORE}"
        )
    if log.root(size) != root:
        raise LogError(
            f"the store leads to the root {log.root(size).hex()} at {size:,} entries, and {other}: the store holds another "
            f"history; {_RESTORE}"
        )


def _parse(data: bytes) -> tuple[str, Marked] | None:
    """Return origin and head of one place of the file; None where it holds none."""
    try:
        title, origin, size, root, signature = data.decode().rstrip("\n").split("\n")
        head = Marked(int(size), b64decode(root, validate=True), b64decode(signature, validate=True))
    except (UnicodeDecodeError, ValueError, binascii.Error):
        return None
    lengths = (len(head.root), len(head.signature))
    whole = title == TITLE and 1 <= head.size <= MAX_SIZE and lengths == (HASH_SIZE, SIGNATURE_SIZE)
    return (origin, head) if whole else None


def _size(data: bytes) -> int:
    parsed = _parse(data)
    return parsed[1].size if parsed else 0
