"""C2SP tlog-proof: a text file that proves, offline, that an entry is in the log and who cosigned its head."""

from collections.abc import Sequence
from dataclasses import dataclass

from scrutineer.log.checkpoint import OpenedCheckpoint
from scrutineer.log.note import NoteVerifier


@dataclass(frozen=True, slots=True)
class LogProof:
    """Index, inclusion path, checkpoint bytes and optional unauthenticated extra data."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def to_text(self) -> bytes:
        """Return the proof file."""
        raise NotImplementedError

    @classmethod
    def from_text(cls, data: bytes) -> "LogProof":
        """Parse a proof file strictly; raise ProofError."""
        raise NotImplementedError


def verify_proof(
    data: bytes, leaf: bytes, verifiers: Sequence[NoteVerifier], witnesses: Sequence[NoteVerifier] = ()
) -> OpenedCheckpoint:
    """Return the checkpoint that covers the leaf hash; raise ProofError or NoteError."""
    raise NotImplementedError
