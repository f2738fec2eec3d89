"""C2SP tlog-checkpoint 1.0.0: the signed head of the log."""

from collections.abc import Sequence
from dataclasses import dataclass

from scrutineer.log.note import NoteSigner, NoteVerifier


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of a log: who says it (origin), how many entries, and the Merkle root over them."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> bytes:
        """Return the note text: origin, size and base64 root, one line each."""
        raise NotImplementedError

    @classmethod
    def from_text(cls, text: bytes) -> "Checkpoint":
        """Parse the note text strictly; extension lines are refused. Raise NoteError."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint whose log signatures verified, and the names of the witnesses whose cosignatures verified."""

    checkpoint: Checkpoint
    witnesses: tuple[str, ...]


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner], time: int = 0) -> bytes:
    """Return the checkpoint as a note signed by every signer (`time` in POSIX seconds)."""
    raise NotImplementedError


def open_checkpoint(
    data: bytes, verifiers: Sequence[NoteVerifier], witnesses: Sequence[NoteVerifier] = ()
) -> OpenedCheckpoint:
    """Return the checkpoint once EVERY verifier in `verifiers` (the log's keys) has signed it; raise NoteError."""
    raise NotImplementedError
