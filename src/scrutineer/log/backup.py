"""Backups: a log up to one of its heads in one file, independent of the store that it came from or goes to.

The file is written beside its name, read back, and only then given its name: it is there whole or not at all. Its blocks
are chained by SHA-256, so that a byte that changed is noticed and its block named, and the Merkle root says that all of
them together are the log. docs/formats.md describes the bytes.
"""

import errno
import fcntl
import hashlib
import os
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from scrutineer.durable import sync_folder
from scrutineer.errors import LogError, NoteError, StoreError
from scrutineer.log.audit import Audit, Progress, ReadableStore, Segment, segments
from scrutineer.log.checkpoint import HeadLines
from scrutineer.log.signer import LogVerifier
from scrutineer.log.store import HASH_SIZE, SIGNATURE_SIZE, Head
from scrutineer.log.tiles import MAX_ENTRY_SIZE

TITLE: Final = b"scrutineer-log-backup/v1\n"
MAX_HEADER_SIZE: Final = 8192  # bytes
MAX_BLOCK_ENTRIES: Final = 1024
MAX_BLOCK_HEADS: Final = 1024
PARTIAL: Final = ".partial"

_BLOCK = struct.Struct(">III")  # entries, heads, bytes of both
_LENGTH = struct.Struct(">H")  # bytes of an entry
_HEAD = struct.Struct(f">QQ{HASH_SIZE}s{SIGNATURE_SIZE}s")  # size, time in milliseconds, root, signature
_MAX_PAYLOAD = MAX_BLOCK_ENTRIES * (MAX_ENTRY_SIZE + _LENGTH.size) + MAX_BLOCK_HEADS * _HEAD.size
_DIGEST = 32  # bytes


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What a backup holds."""

    size: int
    """Entries."""
    heads: int
    root: bytes
    bytes: int
    """Of the file."""


class Backup:
    """A backup file that is being read. Every way in which it is not whole is a LogError that names the place."""

    def __init__(self, path: Path) -> None:
        """Read what stands before the blocks. Raises LogError where the file is no backup, StoreError where it cannot be read."""
        self.path = path
        with self._opened() as file:
            lines, self._start, self._seed = self._header(file)
        try:
            ed25519, mldsa44, *head = lines
            self.verifier = LogVerifier.from_vkeys(ed25519, mldsa44)
            said = HeadLines.parse("".join(f"{line}\n" for line in head).encode())
        except (ValueError, NoteError) as error:
            raise LogError(f"{path}: what stands before its first block is not that of a backup ({error})") from None
        if said.origin != self.verifier.origin or said.extensions or said.size < 1:
            raise LogError(f"{path}: what stands before its first block does not say which log it holds, and how much of it")
        self.size, self.root = said.size, said.root

    def segments(self) -> Iterator[Segment]:
        """Yield entries and heads, block by block; whether they are the log's is for an `Audit` to say.

        Raises LogError at the first block that is not as it was written, and at a file that ends too early or too late.
        """
        done, heads = 0, 0
        with self._opened() as file:
            file.seek(self._start)
            digest = self._seed
            while True:
                place = file.tell()
                where = f"{self.path}: the block of the entries from {done} on, at byte {place}"
                start = self._exactly(file, _BLOCK.size, where)
                entry_count, head_count, length = _BLOCK.unpack(start)
                if entry_count > MAX_BLOCK_ENTRIES or head_count > MAX_BLOCK_HEADS or length > _MAX_PAYLOAD:
                    raise LogError(f"{where}, was changed: no block is as large as it says")
                payload = self._exactly(file, length, where)
                digest = hashlib.sha256(digest + start + payload).digest()
                if self._exactly(file, _DIGEST, where) != digest:
                    raise LogError(f"{where}, was changed: its {file.tell() - place} bytes are not those that were written")
                if not entry_count and not head_count:
                    break
                segment = self._decode(payload, entry_count, head_count, where)
                done, heads = done + entry_count, heads + head_count
                yield segment
            if payload != struct.pack(">QQ", done, heads) or done != self.size or file.read(1):
                raise LogError(f"{self.path}: does not end after {self.size} entries, as it says at its beginning")

    def check(self, progress: Progress | None = None) -> Audit:
        """Read it all and return the tree that it gives, with its last head.

        Raises LogError unless every block is as it was written, every head is signed and has the root that the entries
        give, no entry is there twice, and the last head is the one that the file names at its beginning.
        """
        with Audit(self.verifier, self._refuse) as audit:
            for entries, heads in self.segments():
                audit.take(entries, heads)
                if progress:
                    progress(audit.tree.size, self.size)
            audit.finish()
        if audit.head is None or (audit.head.size, audit.head.root) != (self.size, self.root):
            raise LogError(f"{self.path}: its last head is not the one that it names at its beginning")
        return audit

    def _refuse(self, finding: object) -> None:
        raise LogError(f"{self.path}: {finding}")

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            with self.path.open("rb") as file:
                yield file
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read ({error.strerror or error})") from None

    def _header(self, file: BinaryIO) -> tuple[list[str], int, bytes]:
        data = file.read(MAX_HEADER_SIZE)
        text, empty, _rest = data.partition(b"\n\n")
        if not data.startswith(TITLE):
            raise LogError(f"{self.path}: is not a backup, or its first {len(TITLE)} bytes were changed")
        length = len(text) + len(empty)
        digest = hashlib.sha256(data[:length]).digest()
        if not empty or data[length : length + _DIGEST] != digest:
            raise LogError(f"{self.path}: what stands before its first block was changed")
        try:
            lines = text.decode().split("\n")[1:]
        except UnicodeDecodeError:
            raise LogError(f"{self.path}: what stands before its first block is not text") from None
        return lines, length + _DIGEST, digest

    def _exactly(self, file: BinaryIO, length: int, where: str) -> bytes:
        data = file.read(length)
        if len(data) != length:
            raise LogError(f"{where}, is not whole: the file ends within it, after {file.tell()} bytes")
        return data

    def _decode(self, payload: bytes, entry_count: int, head_count: int, where: str) -> Segment:
        entries, position = [], 0
        try:
            for _ in range(entry_count):
                (length,) = _LENGTH.unpack_from(payload, position)
                position += _LENGTH.size + length
                entries.append(payload[position - length : position])
            heads = [
                Head(size, root, signature, time_ms)
                for size, time_ms, root, signature in _HEAD.iter_unpack(payload[position : position + head_count * _HEAD.size])
            ]
        except (struct.error, StoreError) as error:
            raise LogError(f"{where}, does not hold entries and heads ({error})") from None
        if position + head_count * _HEAD.size != len(payload):
            raise LogError(f"{where}, does not hold the entries and heads that it says")
        return entries, heads


def write_backup(
    store: ReadableStore,
    verifier: LogVerifier,
    path: Path,
    *,
    written: Progress | None = None,
    read_back: Progress | None = None,
) -> BackupSummary:
    """Write a log up to its last head to a new file, also while another process appends to it.

    Raises LogError where the store is empty or does not hold together (nothing is written then), or where what was read
    back is not what was written; StoreError where the store or the file's disk fails, or the file is there already.
    """
    head = store.last_head()
    if head is None:
        raise LogError("the log is empty: there is nothing to back up")
    partial = path.with_name(path.name + PARTIAL)
    with _disk(path):
        if path.exists():
            raise StoreError(f"{path}: is there already; a backup replaces nothing, so name another file")
        with _alone(partial) as file:
            try:
                count = _write(file, store, verifier, head, written)
                _settle(file)
                audit = Backup(partial).check(read_back)
                if audit.heads != count:
                    raise LogError(f"{path}: {count} heads were written, and {audit.heads} are read back")
                size = file.tell()
                partial.rename(path)
            except BaseException:
                with suppress(OSError):
                    partial.unlink()
                raise
        sync_folder(path.parent)
    return BackupSummary(head.size, count, head.root, size)


def _write(file: BinaryIO, store: ReadableStore, verifier: LogVerifier, head: Head, progress: Progress | None) -> int:
    """Write the whole file and return the number of heads in it."""
    root = b64encode(head.root)
    lines = [*(vkey.encode() for vkey in verifier.vkeys), verifier.origin.encode(), str(head.size).encode(), root]
    header = TITLE + b"".join(line + b"\n" for line in lines) + b"\n"
    digest = hashlib.sha256(header).digest()
    file.write(header + digest)

    def block(entries: Sequence[bytes], heads: Sequence[Head], payload: bytes) -> None:
        nonlocal digest
        start = _BLOCK.pack(len(entries), len(heads), len(payload))
        digest = hashlib.sha256(digest + start + payload).digest()
        file.write(start + payload + digest)

    done, count = 0, 0
    for entries, heads in segments(store, head.size):
        for at in range(0, len(entries), MAX_BLOCK_ENTRIES):
            part = entries[at : at + MAX_BLOCK_ENTRIES]
            within = [found for found in heads if done < found.size <= done + len(part)]
            block(part, within, _encode(part, within))
            done, count = done + len(part), count + len(within)
        if progress:
            progress(done, head.size)
    block([], [], struct.pack(">QQ", done, count))
    return count


def _encode(entries: Sequence[bytes], heads: Sequence[Head]) -> bytes:
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_SIZE:
            raise LogError(f"an entry of the store has {len(entry)} bytes, and {MAX_ENTRY_SIZE} are the most: check the store")
        parts += (_LENGTH.pack(len(entry)), entry)
    parts += [_HEAD.pack(head.size, head.time_ms, head.root, head.signature) for head in heads]
    return b"".join(parts)


@contextmanager
def _alone(partial: Path) -> Iterator[BinaryIO]:
    """Open the unfinished file for this process alone; what an interrupted backup left in it is dropped."""
    with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "wb") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{partial}: another backup is being written to it; wait for it or name another file") from None
        # Another process may have finished meanwhile: then what was opened here is its backup, under its own name by now.
        if not partial.exists() or not os.path.samestat(partial.stat(), os.fstat(file.fileno())):
            raise StoreError(f"{partial}: another backup has just been finished; name another file")
        file.truncate(0)
        yield file


def _settle(file: BinaryIO) -> None:
    """Flush the file, and drop it from memory so that it is read back from the disk."""
    file.flush()
    os.fsync(file.fileno())
    drop: Callable[[int, int, int, int], None] | None = getattr(os, "posix_fadvise", None)
    if drop is not None:
        drop(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turn what the disk says into a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        advice = {
            errno.ENOSPC: "make room and back up again",
            errno.EDQUOT: "make room and back up again",
            errno.EFBIG: "files may not become so large here; name another disk",
            errno.ENOENT: "there is no such folder; make it or check the path",
        }.get(error.errno or 0, "check path, permissions and disk")
        raise StoreError(f"{path}: the backup cannot be written ({error.strerror or error}); {advice}") from None
