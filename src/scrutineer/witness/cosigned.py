"""What the log's side keeps of its witnesses: the newest checkpoint that carries the quorum, and what a refusal showed.

    checkpoint.cosigned   a signed note; replaced whole, and never by an older one
    frozen                why nothing may be taken in any more, one line; whoever has found out removes it
    evidence/             the checkpoints of each alarm

The reading of `frozen` is not trusted to say anything but that it is there: it is for people.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.durable import sync_folder
from scrutineer.errors import LogError, NoteError, StoreError
from scrutineer.log import Checkpoint, LogVerifier, open_checkpoint
from scrutineer.log.note import MAX_NOTE_SIZE
from scrutineer.log.quorum import Cosigners, Quorum, check_quorum
from scrutineer.witness.answers import Trouble
from scrutineer.witness.evidence import keep_case

COSIGNED_FILE: Final = "checkpoint.cosigned"
FROZEN_FILE: Final = "frozen"
EVIDENCE: Final = "evidence"


class CosignedCheckpoint(NamedTuple):
    """A checkpoint that the log and a quorum of its witnesses have signed; all of it has been checked."""

    note: bytes
    checkpoint: Checkpoint
    cosigners: Cosigners


class CosignedFile:
    """The newest cosigned checkpoint of a log, in a folder that several programs may write to at once."""

    def __init__(self, folder: Path, log: LogVerifier, quorum: Quorum) -> None:
        self.path = folder / COSIGNED_FILE
        self._folder = folder
        self._log = log
        self._quorum = quorum

    def read(self) -> CosignedCheckpoint | None:
        """What is kept; None where nothing is yet. Raises NoteError for something else, StoreError where it cannot be read."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_NOTE_SIZE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read ({error.strerror}): check its permissions and the disk") from error
        try:
            return self.open(data)
        except NoteError as error:
            raise NoteError(f"{self.path} is damaged ({error}): it is replaced once the witnesses have cosigned again") from None

    def open(self, note: bytes) -> CosignedCheckpoint:
        """Check the signatures of the log and of the quorum. Raises NoteError."""
        checkpoint = open_checkpoint(note, self._log.note_verifiers).checkpoint
        return CosignedCheckpoint(note, checkpoint, check_quorum(note, self._quorum))

    def keep(self, note: bytes) -> bool:
        """Keep a cosigned checkpoint durably unless a newer one, or this one with as many cosigners, is there; whether it was.

        Raises NoteError where it lacks the quorum or excludes the one that is there, StoreError where it cannot be written.
        """
        new = self.open(note)
        try:
            with self._alone():
                old = self._old()
                if old is not None:
                    size = new.checkpoint.size
                    if old.checkpoint.size == size and old.checkpoint.root != new.checkpoint.root:
                        raise NoteError(f"{self.path} holds another root for size {size:,}: the log has signed two histories")
                    if (old.checkpoint.size, len(old.cosigners.cosigned)) >= (size, len(new.cosigners.cosigned)):
                        return False
                _replace(self.path, note)
        except OSError as error:
            raise StoreError(
                f"the cosigned checkpoint cannot be kept in {self.path} ({error.strerror}): check the disk, nothing is lost"
            ) from error
        return True

    def _old(self) -> CosignedCheckpoint | None:
        try:
            return self.read()
        except NoteError:
            # What does not verify is worth nothing to anyone but whoever looks into how it came about.
            self.path.replace(self.path.with_name(f"{COSIGNED_FILE}.damaged"))
            return None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def check_continues(kept: CosignedCheckpoint, size: int, root_at: bytes | None, path: Path) -> None:
    """Raise LogError unless a log of `size` entries continues what was cosigned; `root_at` is its root at the cosigned size."""
    cosigned = kept.checkpoint
    if size < cosigned.size:
        raise LogError(
            f"the log has {size:,} entries, and its witnesses have cosigned {cosigned.size:,} ({path}): it was put back to an "
            "older copy; restore the newest one, and do not take anything in before"
        )
    if root_at != cosigned.root:
        raise LogError(
            f"the log has another root at {cosigned.size:,} entries than its witnesses have cosigned ({path}): its store was "
            "replaced; restore the log that was cosigned, and do not take anything in before"
        )


def keep_alarm(folder: Path, trouble: Trouble, ours: bytes, before: bytes | None) -> Path | None:
    """Keep what a witness refused, and the cosigned checkpoint before it, in folder/evidence. Raises OSError."""
    reason = f"{trouble.witness} would not cosign ours.note: {trouble.detail}\n"
    files = {"ours.note": ours, "reason.txt": reason.encode()}
    if before is not None:
        files["cosigned-before.note"] = before
    text = ours.rpartition(b"\n\n")[0]
    what = hashlib.sha256(trouble.witness.encode() + b"\n" + text).hexdigest()[:16]
    size = text.split(b"\n")[1].decode("ascii", "replace")
    return keep_case(folder / EVIDENCE, trouble.kind, f"{size}-{what}", files)


def freeze(folder: Path, reason: str) -> None:
    """Say durably that nothing may be taken in any more, unless that is said already. Raises OSError."""
    path = folder / FROZEN_FILE
    if not path.exists():
        _replace(path, f"{reason}\n".encode())


def frozen(folder: Path) -> str | None:
    """Why nothing may be taken in; None where it may. Raises StoreError where that cannot be read."""
    path = folder / FROZEN_FILE
    try:
        with path.open("rb") as file:
            text = file.read(2_000).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    return "".join(mark if mark.isprintable() else " " for mark in text).strip() or "no reason is given"


def check_frozen(folder: Path) -> None:
    """Raise LogError where the log was frozen."""
    reason = frozen(folder)
    if reason is not None:
        raise LogError(
            f"this log was frozen: {reason}. Find out what happened; {folder / EVIDENCE} holds what was kept. Once the log is "
            f"the one that its witnesses cosigned, remove {folder / FROZEN_FILE}"
        )


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)
