"""C2SP signed-note 1.0.0: text signed by one or more keys, verifier keys (vkeys), and Ed25519 note signatures."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from scrutineer.errors import NoteError, SignatureError, UsageError
from scrutineer.statements.keys import SigningKey, verify

MAX_NOTE_SIZE = 1 << 20  # bytes; 100 signatures of 5 kB leave room for a long text
MAX_SIGNATURES = 100  # the specification asks for at least 16

ED25519 = 0x01  # signature type identifiers of the specification
ED25519_COSIGNATURE = 0x04
MLDSA44_COSIGNATURE = 0x06

_DASH = "— "
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature of a note: the key's name, its 4-byte id and the signature bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if len(self.key_id) != 4:
            raise NoteError(f"signature by {self.name}: a key id has 4 bytes, not {len(self.key_id)}")
        if not self.signature:
            raise NoteError(f"signature by {self.name}: the signature is empty")


@dataclass(frozen=True, slots=True)
class Note:
    """A note: its text (UTF-8, ends with a newline) and its signature lines, not yet verified."""

    text: bytes
    signatures: tuple[SignatureLine, ...]

    def __post_init__(self) -> None:
        check_text(self.text)
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise NoteError(f"note: {len(self.signatures)} signatures; a note has 1 to {MAX_SIGNATURES}")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and signature type, as written in a vkey (`name+id+base64`)."""

    name: str
    signature_type: int
    public_key: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if not 0 <= self.signature_type <= 0xFF:
            raise NoteError(f"verifier key {self.name}: signature type {self.signature_type} is not one byte")
        if not self.public_key:
            raise NoteError(f"verifier key {self.name}: the public key is empty")

    @property
    def key_id(self) -> bytes:
        """The 4-byte id: SHA-256(name ‖ newline ‖ type ‖ public key), shortened."""
        material = self.name.encode() + b"\n" + bytes([self.signature_type]) + self.public_key
        return sha256(material).digest()[:4]

    def __str__(self) -> str:
        encoded = b64encode(bytes([self.signature_type]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a vkey; raise NoteError when it is malformed or its id is not that of its key."""
        # Base64 may contain a plus, a name may not: only the first two separate.
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise NoteError("verifier key: expected name+id+base64")
        material = decode_base64(parts[2], "verifier key")
        if not material:
            raise NoteError("verifier key: there is no signature type")
        key = cls(parts[0], material[0], material[1:])
        if str(key) != text:
            raise NoteError(f"verifier key {key.name}: the key id is not {key.key_id.hex()}, as name and key demand")
        return key


class NoteSigner(Protocol):
    """A key that signs notes."""

    @property
    def name(self) -> str:
        """The key's name."""
        ...

    @property
    def key_id(self) -> bytes:
        """The key's 4-byte id."""
        ...

    def sign(self, text: bytes, time: int) -> bytes:
        """Return the signature of a note text; `time` in POSIX seconds is for types that carry one."""
        ...


class NoteVerifier(Protocol):
    """A key that verifies notes."""

    @property
    def name(self) -> str:
        """The key's name."""
        ...

    @property
    def key_id(self) -> bytes:
        """The key's 4-byte id."""
        ...

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raise NoteError unless the signature is this key's signature of the text."""
        ...


@dataclass(frozen=True, slots=True)
class OfKey:
    """A verifier by one key: what it is called in a note's signature lines."""

    key: VerifierKey

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    @property
    def key_id(self) -> bytes:
        """The key's 4-byte id."""
        return self.key.key_id


class WithKey:
    """A signer with one key; its subclasses hold the verifier of what they sign."""

    __slots__ = ()
    verifier: OfKey

    @property
    def name(self) -> str:
        """The key's name."""
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        """The key's 4-byte id."""
        return self.verifier.key_id


@dataclass(frozen=True, slots=True)
class Ed25519Verifier(OfKey):
    """Verifies Ed25519 note signatures (type 0x01) with libsodium."""

    def __post_init__(self) -> None:
        if self.key.signature_type != ED25519 or len(self.key.public_key) != 32:
            raise NoteError(f"verifier key {self.key.name}: not an Ed25519 key of 32 bytes (type 0x01)")

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raise NoteError unless the signature is this key's signature of the text."""
        try:
            verify(self.key.public_key, text, signature)
        except SignatureError:
            raise NoteError(f"note: the Ed25519 signature by {self.name} does not verify") from None


class Ed25519Signer(WithKey):
    """Signs notes with Ed25519 (type 0x01)."""

    __slots__ = ("_key", "verifier")
    verifier: Ed25519Verifier

    def __init__(self, name: str, key: SigningKey) -> None:
        if key.algorithm != "ed25519":
            raise UsageError(f"key {name}: Ed25519 notes cannot be signed with a key for {key.algorithm}")
        self._key = key
        self.verifier = Ed25519Verifier(VerifierKey(name, ED25519, key.public_key))

    def sign(self, text: bytes, time: int = 0) -> bytes:  # noqa: ARG002 - this signature type carries no time
        """Return the 64-byte signature of a text."""
        return self._key.sign(text)


def parse_note(data: bytes, max_size: int = MAX_NOTE_SIZE) -> Note:
    """Parse a note strictly; raise NoteError when it is malformed or not in the one form that `format_note` writes."""
    if len(data) > max_size:
        raise NoteError(f"note: {len(data)} bytes are more than the {max_size} allowed")
    text, separator, block = data.rpartition(b"\n\n")
    if not separator:
        raise NoteError("note: there is no blank line before the signatures")
    text += b"\n"
    try:
        lines = block.decode().split("\n")
    except UnicodeDecodeError:
        raise NoteError("note: the signatures are not UTF-8") from None
    if lines.pop():
        raise NoteError("note: the last line does not end with a newline")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"note: {len(lines)} signatures are more than the {MAX_SIGNATURES} allowed")
    note = Note(text, tuple(_parse_signature(line) for line in lines))
    if format_note(note) != data:
        raise NoteError("note: not in canonical form")
    return note


def format_note(note: Note) -> bytes:
    """Return the bytes of a note."""
    return (
        note.text
        + b"\n"
        + b"".join(
            f"{_DASH}{line.name} {b64encode(line.key_id + line.signature).decode()}\n".encode() for line in note.signatures
        )
    )


def sign_note(text: bytes, signers: Sequence[NoteSigner], time: int = 0) -> bytes:
    """Sign a text with each signer. `time` (POSIX seconds) goes into timestamped signatures; 0 says nothing of time."""
    check_text(text)
    lines = tuple(SignatureLine(signer.name, signer.key_id, signer.sign(text, time)) for signer in signers)
    return format_note(Note(text, lines))


def open_note(
    data: bytes, verifiers: Sequence[NoteVerifier], max_size: int = MAX_NOTE_SIZE
) -> tuple[Note, tuple[NoteVerifier, ...]]:
    """Return the note and the verifiers whose keys signed it.

    Signatures by unknown keys are ignored. Raises NoteError when the note is malformed, when a signature by a known
    key does not verify, or when no known key has signed.
    """
    note = parse_note(data, max_size)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    if len(known) != len(verifiers):
        raise NoteError("two verifier keys have the same name and id; leave one out")
    signed: dict[tuple[str, bytes], NoteVerifier] = {}
    for line in note.signatures:
        verifier = known.get((line.name, line.key_id))
        if verifier is not None:
            verifier.verify(note.text, line.signature)
            signed[line.name, line.key_id] = verifier
    if not signed:
        raise NoteError("note: not signed by any of the expected keys")
    return note, tuple(signed.values())


def check_key_name(name: str) -> None:
    """Raise NoteError unless a key name is not empty and free of spaces, plus signs and control characters."""
    if not name or "+" in name or any(_is_space_or_control(character) for character in name):
        raise NoteError(f"key name {name!r}: must not be empty nor contain a space, plus or control character")


def check_text(text: bytes) -> None:
    """Raise NoteError unless a note text is UTF-8, ends with a newline and has no other control character."""
    try:
        text.decode()
    except UnicodeDecodeError:
        raise NoteError("note: the text is not UTF-8") from None
    if not text.endswith(b"\n"):
        raise NoteError("note: the text does not end with a newline")
    if _CONTROL.search(text):
        raise NoteError("note: the text contains a control character other than newline")


def decode_base64(text: str, where: str) -> bytes:
    """Decode standard base64 strictly, padding and unused bits included; raise NoteError."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except (Base64Error, UnicodeEncodeError, ValueError):
        raise NoteError(f"{where}: not base64") from None
    if b64encode(data).decode() != text:
        raise NoteError(f"{where}: not base64 in canonical form")
    return data


def _is_space_or_control(character: str) -> bool:
    return character.isspace() or character < " "


def _parse_signature(line: str) -> SignatureLine:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError("note: a signature line is not of the form '— name base64'")
    blob = decode_base64(encoded, f"signature by {name!r}")
    return SignatureLine(name, blob[:4], blob[4:])
