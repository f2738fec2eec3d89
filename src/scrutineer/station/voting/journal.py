"""The journal of a machine: encrypted ballots and what became of them, appended and flushed one frame at a time.

A frame is its kind (1 byte), the length of its content (4 bytes, big-endian), the content, and SHA-256 over the digest of the
frame before and all of this frame. So a frame is whole or it is not one, and none can be left out, moved or changed unseen. The
file is allocated ahead in steps of a fixed size and filled with zeros: where no frame stands yet, there are zeros.

A power cut may leave a part of the frame that was being written. It was not confirmed to anybody, so it is dropped when the
journal is opened. Damage anywhere else is not: that is told, and nothing is changed.

The file has no times: content holds none, and the times of the file itself are set back to 1970 with each frame.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.durable import sync_folder
from scrutineer.errors import StoreError

MAGIC: Final = b"SCRJRN1\n"
STEP: Final = 4 * 1024 * 1024  # bytes by which the file grows
MAX_CONTENT: Final = 32 * 1024 * 1024  # bytes of one frame
_HEAD: Final = 5
_DIGEST: Final = 32
_FIRST: Final = hashlib.sha256(MAGIC).digest()
_WHEN: Final = (0, 0)
_HEADS: Final = re.compile(rb"[\x01-\x06](?=[\x00-\x02])", re.DOTALL)


class Kind(IntEnum):
    """What a frame says."""

    HEADER = 1
    """What the journal is bound to; the first frame, and only that."""
    ACTIVATED = 2
    """A voter may fill in a ballot."""
    CANCELLED = 3
    """The voter left."""
    PREPARED = 4
    """An encrypted ballot whose voter has not decided yet."""
    DECIDED = 5
    """What became of the ballot before."""
    CLOSED = 6
    """Nothing comes after this."""


_KINDS: Final = frozenset(Kind)


class Frame(NamedTuple):
    """One frame."""

    kind: Kind
    content: bytes


class Journal:
    """An open journal. One program at a time; every call that writes returns when what it wrote is on the disk."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle
        self._end = len(MAGIC)
        self._digest = _FIRST

    @classmethod
    def create(cls, path: Path, header: bytes) -> "Journal":
        """Make a journal with its first frame. Raises StoreError where that cannot be done; an interrupted attempt is nothing."""
        partial = path.with_name(f"{path.name}.partial")
        if path.exists():
            raise StoreError(f"{path} exists already: the machine was opened before")
        frame = _frame(Kind.HEADER, header, _FIRST)
        try:
            partial.unlink(missing_ok=True)
            handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, STEP)
                _write(handle, MAGIC + frame, 0)
                os.utime(handle, _WHEN)
                os.fsync(handle)
            finally:
                os.close(handle)
            partial.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            raise StoreError(f"{path} cannot be made ({error.strerror}): make room on the disk, then try again") from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Open a journal and drop a frame that a power cut tore.

        Raises StoreError for a damaged journal, and where another program has it open.
        """
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise StoreError(f"{path} cannot be opened ({error.strerror}): check the folder's permissions") from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreError(f"{path} is used by another program: the machine is running already", code="in-use") from None
            journal = cls(path, handle)
            for _ in journal.frames():
                pass
            journal._drop_torn()
            os.fsync(handle)  # What a program that was killed had written is built upon from now on.
        except OSError as error:
            os.close(handle)
            raise StoreError(
                f"{path} cannot be read ({error.strerror}): keep the folder as it is, and tell the centre"
            ) from error
        except BaseException:
            os.close(handle)
            raise
        return journal

    def frames(self) -> Iterator[Frame]:
        """All frames from the first. Raises StoreError where the file is no journal; reads one frame at a time."""
        if os.pread(self._handle, len(MAGIC), 0) != MAGIC:
            raise StoreError(f"{self._path} is not the journal of a voting machine: put back the one of this machine")
        at, digest = len(MAGIC), _FIRST
        while (found := self._read(at, digest)) is not None:
            kind, content, digest = found
            at += _HEAD + len(content) + _DIGEST
            # What is appended meanwhile has moved the end on; what was found here moves it no further back.
            if at > self._end:
                self._end, self._digest = at, digest
            yield Frame(kind, content)

    def make_room(self, size: int) -> None:
        """Allocate what frames with so many bytes of content in all need. Raises StoreError; nothing is changed then."""
        needed = self._end + size + 8 * (_HEAD + _DIGEST)
        try:
            have = os.fstat(self._handle).st_size
            if needed > have:
                os.posix_fallocate(self._handle, have, -(-(needed - have) // STEP) * STEP)
                os.fsync(self._handle)
        except OSError as error:
            raise StoreError(f"{self._path} cannot grow ({error.strerror}): make room on the disk, then try again") from error

    def append(self, kind: Kind, content: bytes = b"") -> None:
        """Write a frame durably. Raises OSError; whether the frame is found later is not known then, so write no other one."""
        if len(content) > MAX_CONTENT:
            raise StoreError(f"a frame of {len(content)} bytes is more than the {MAX_CONTENT} that a journal takes")
        self.make_room(len(content))
        frame = _frame(kind, content, self._digest)
        _write(self._handle, frame, self._end)
        os.fsync(self._handle)
        os.utime(self._handle, _WHEN)
        self._end += len(frame)
        self._digest = frame[-_DIGEST:]

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _read(self, at: int, before: bytes | None) -> tuple[Kind, bytes, bytes] | None:
        """The frame at an offset, and its digest; None where there is none. `before` None takes the bytes in front for it."""
        head = os.pread(self._handle, _HEAD, at)
        size = int.from_bytes(head[1:], "big")
        if len(head) < _HEAD or head[0] not in _KINDS or size > MAX_CONTENT:
            return None
        rest = os.pread(self._handle, size + _DIGEST, at + _HEAD)
        if before is None:
            before = os.pread(self._handle, _DIGEST, max(0, at - _DIGEST))
        if len(rest) < size + _DIGEST or hashlib.sha256(before + head + rest[:size]).digest() != rest[size:]:
            return None
        return Kind(head[0]), rest[:size], rest[size:]

    def _drop_torn(self) -> None:
        """Put zeros where a torn frame stands. Raises StoreError where a whole frame stands behind it: then it is damage."""
        size = os.fstat(self._handle).st_size
        first = last = None
        at = self._end
        while at < size:
            part = os.pread(self._handle, STEP + 1, at)
            if not part:
                break
            kept = part.rstrip(b"\x00")
            if kept:
                first = at if first is None else first
                last = at + len(kept)
                self._refuse_frames(part, at)
            at += STEP
        if last is None:
            return
        # Where the digest alone was damaged, the frame behind is whole only beside the digest that ought to stand there.
        size = int.from_bytes(os.pread(self._handle, 4, self._end + 1), "big")
        if size <= MAX_CONTENT:
            body = os.pread(self._handle, _HEAD + size, self._end)
            if self._read(self._end + len(body) + _DIGEST, hashlib.sha256(self._digest + body).digest()) is not None:
                raise self._damaged()
        if last - self._end > MAX_CONTENT + _HEAD + _DIGEST:
            raise self._damaged()
        _write(self._handle, bytes(last - self._end), self._end)
        os.fsync(self._handle)
        os.utime(self._handle, _WHEN)

    def _refuse_frames(self, part: bytes, start: int) -> None:
        # Most bytes of a torn frame are letters of JSON; the few places that look like the head of a frame are tried.
        for found in _HEADS.finditer(part):
            place = start + found.start()
            if place > self._end and self._read(place, None) is not None:
                raise self._damaged()

    def _damaged(self) -> StoreError:
        return StoreError(
            f"{self._path} is damaged at byte {self._end}, before its end: nothing was changed; "
            "keep the folder as it is, and tell the centre"
        )


def _frame(kind: Kind, content: bytes, before: bytes) -> bytes:
    body = bytes((kind,)) + len(content).to_bytes(4, "big") + content
    return body + hashlib.sha256(before + body).digest()


def _write(handle: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written
