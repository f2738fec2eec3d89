"""C2SP tlog-checkpoint 1.0.0: the signed head of the log."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scrutineer.errors import NoteError
from scrutineer.log.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE
from scrutineer.log.note import NoteSigner, NoteVerifier, check_text, decode_base64, open_note, sign_note

MAX_ORIGIN_SIZE = 255  # bytes of UTF-8; a cosignature writes the length in one byte


class HeadLines(NamedTuple):
    """What the lines of a checkpoint say, well-formed but not yet believed: origin, size and root, and lines after them."""

    origin: str
    size: int
    root: bytes
    """32 bytes; also for size 0 not necessarily the root of the empty tree."""
    extensions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: bytes) -> "HeadLines":
        """Read a note text strictly; raise NoteError unless it has the lines of a checkpoint in canonical form."""
        try:
            lines = text.decode().split("\n")
        except UnicodeDecodeError:
            raise NoteError("checkpoint: not UTF-8") from None
        if len(lines) < 4 or lines.pop():
            raise NoteError("checkpoint: expected at least three lines: origin, size and root")
        origin, size, root, *extensions = lines
        if not origin or len(origin.encode()) > MAX_ORIGIN_SIZE:
            raise NoteError(f"checkpoint: the origin must be one line of 1 to {MAX_ORIGIN_SIZE} bytes")
        if not (size.isascii() and size.isdecimal() and len(size) <= len(str(MAX_SIZE)) and str(int(size)) == size):
            raise NoteError("checkpoint: the size is not a decimal number without leading zeros")
        if int(size) > MAX_SIZE:
            raise NoteError(f"checkpoint: {size} is not a tree size")
        root_hash = decode_base64(root, "checkpoint root")
        if len(root_hash) != HASH_SIZE:
            raise NoteError(f"checkpoint: the root has {len(root_hash)} bytes instead of {HASH_SIZE}")
        if "" in extensions:
            raise NoteError("checkpoint: a line after the root is empty")
        return cls(origin, int(size), root_hash, tuple(extensions))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of a log: who says it (origin), how many entries, and the Merkle root over them."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin or len(self.origin.encode()) > MAX_ORIGIN_SIZE:
            raise NoteError(f"checkpoint: the origin must be one line of 1 to {MAX_ORIGIN_SIZE} bytes")
        check_text(self.origin.encode() + b"\n")
        if not 0 <= self.size <= MAX_SIZE:
            raise NoteError(f"checkpoint: {self.size} is not a tree size")
        if len(self.root) != HASH_SIZE:
            raise NoteError(f"checkpoint: the root has {len(self.root)} bytes instead of {HASH_SIZE}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise NoteError("checkpoint: the root of an empty log is the hash of nothing")

    def to_text(self) -> bytes:
        """Return the note text: origin, size and base64 root, one line each."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n".encode()

    @classmethod
    def from_text(cls, text: bytes) -> "Checkpoint":
        """Parse the note text strictly; raise NoteError.

        Extension lines, which the specification discourages and ML-DSA-44 signatures do not cover, are refused.
        """
        lines = HeadLines.parse(text)
        if lines.extensions:
            raise NoteError("checkpoint: expected three lines: origin, size and root")
        checkpoint = cls(lines.origin, lines.size, lines.root)
        if checkpoint.to_text() != text:
            raise NoteError("checkpoint: not in canonical form")
        return checkpoint


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint whose log signatures verified, and the names of the witnesses whose cosignatures verified."""

    checkpoint: Checkpoint
    witnesses: tuple[str, ...]


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner], time: int = 0) -> bytes:
    """Return the checkpoint as a note signed by every signer (`time` in POSIX seconds)."""
    return sign_note(checkpoint.to_text(), signers, time)


def open_checkpoint(data: bytes, verifiers: Sequence[NoteVerifier], witnesses: Sequence[NoteVerifier] = ()) -> OpenedCheckpoint:
    """Return the checkpoint once EVERY verifier in `verifiers`, the log's keys, has signed it.

    All are required because a signature that may be left out protects nobody on the day the other scheme falls.
    Raises NoteError when one is missing, when any known signature does not verify, when the origin is not the name of
    the log's keys, or when the text is not a checkpoint. How many witnesses are enough is for the caller to say.
    """
    if not verifiers:
        raise NoteError("checkpoint: no key of the log was given to check it with")
    note, signed = open_note(data, [*verifiers, *witnesses])
    checkpoint = Checkpoint.from_text(note.text)
    for verifier in verifiers:
        if verifier not in signed:
            raise NoteError(f"checkpoint: the signature by key {verifier.key_id.hex()} of {verifier.name} is missing")
        if verifier.name != checkpoint.origin:
            raise NoteError(f"checkpoint: origin {checkpoint.origin!r} is not the name of its key, {verifier.name!r}")
    cosigned = tuple(verifier.name for verifier in witnesses if verifier in signed)
    return OpenedCheckpoint(checkpoint, cosigned)
