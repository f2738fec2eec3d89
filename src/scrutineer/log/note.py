"""C2SP signed-note 1.0.0: text signed by one or more keys, verifier keys (vkeys), and Ed25519 note signatures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature of a note: the key's name, its 4-byte id and the signature bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note: its text (UTF-8, ends with a newline) and its signature lines, not yet verified."""

    text: bytes
    signatures: tuple[SignatureLine, ...]


class NoteSigner(Protocol):
    """A key that signs notes."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def sign(self, text: bytes, time: int) -> bytes: ...


class NoteVerifier(Protocol):
    """A key that verifies notes; `verify` raises NoteError."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def verify(self, text: bytes, signature: bytes) -> None: ...


def parse_note(data: bytes) -> Note:
    """Parse a note strictly (re-encoded and compared); raise NoteError."""
    raise NotImplementedError


def format_note(note: Note) -> bytes:
    """Return the bytes of a note."""
    raise NotImplementedError


def sign_note(text: bytes, signers: Sequence[NoteSigner], time: int = 0) -> bytes:
    """Sign a text with each signer. `time` (POSIX seconds) goes into timestamped signatures; 0 says nothing of time."""
    raise NotImplementedError


def open_note(data: bytes, verifiers: Sequence[NoteVerifier]) -> tuple[Note, tuple[NoteVerifier, ...]]:
    """Return the note and the verifiers whose keys signed it; raise NoteError when none did or a known key fails."""
    raise NotImplementedError
