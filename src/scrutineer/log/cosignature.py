"""C2SP tlog-cosignature: timestamped signatures of checkpoints.

Witnesses make them with ML-DSA-44 (type 0x06) and with Ed25519 (type 0x04, cosignature/v1); the log with ML-DSA-44.
"""

import struct
from dataclasses import dataclass

from scrutineer.errors import NoteError, SignatureError, UsageError
from scrutineer.log.checkpoint import Checkpoint, HeadLines
from scrutineer.log.note import ED25519_COSIGNATURE, MLDSA44_COSIGNATURE, OfKey, VerifierKey, WithKey
from scrutineer.statements.keys import SigningKey, verify

PUBLIC_KEY_SIZE = 1312  # bytes (FIPS 204, table 2)
SIGNATURE_SIZE = 2420  # bytes
ED25519_SIZE = 64  # bytes of an Ed25519 signature
MAX_TIME = 2**63 - 1  # POSIX seconds

_LABEL = b"subtree/v1\n\0"


def cosignature_time(signature: bytes) -> int:
    """Return the time of a cosignature in POSIX seconds: its first 8 bytes; 0 says nothing of time. Raise NoteError."""
    if len(signature) < 8:
        raise NoteError(f"cosignature: {len(signature)} bytes are too few for a time")
    (time,) = struct.unpack(">Q", signature[:8])
    if time > MAX_TIME:
        raise NoteError(f"cosignature: {time} is not a time in POSIX seconds")
    return int(time)


def cosigned_text(time: int, text: bytes) -> bytes:
    """Return the bytes that an Ed25519 cosignature signs: two lines with version and time, and the checkpoint's whole text.

    They do not name the cosigner, so one Ed25519 key must not serve two witnesses.
    """
    if not 0 <= time <= MAX_TIME:
        raise NoteError(f"cosignature: {time} is not a time in POSIX seconds")
    HeadLines.parse(text)
    return b"cosignature/v1\ntime %d\n%b" % (time, text)


def cosigned_message(cosigner: str, time: int, checkpoint: Checkpoint | HeadLines) -> bytes:
    """Return the bytes that an ML-DSA-44 cosignature signs: the `cosigned_message` structure over a whole tree.

    Lines after the root are not in it: such a signature says nothing about them.
    """
    name, origin = cosigner.encode(), checkpoint.origin.encode()
    if not 1 <= len(name) <= 255:
        raise NoteError("cosignature: the cosigner's name must have 1 to 255 bytes")
    if not 0 <= time <= MAX_TIME:
        raise NoteError(f"cosignature: {time} is not a time in POSIX seconds")
    return b"".join(
        (
            _LABEL,
            struct.pack(">B", len(name)) + name,
            struct.pack(">Q", time),
            struct.pack(">B", len(origin)) + origin,
            struct.pack(">QQ", 0, checkpoint.size),
            checkpoint.root,
        )
    )


@dataclass(frozen=True, slots=True)
class MlDsa44Verifier(OfKey):
    """Verifies ML-DSA-44 signatures of checkpoints."""

    def __post_init__(self) -> None:
        if self.key.signature_type != MLDSA44_COSIGNATURE or len(self.key.public_key) != PUBLIC_KEY_SIZE:
            raise NoteError(f"verifier key {self.key.name}: not an ML-DSA-44 key of 1,312 bytes (type 0x06)")

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raise NoteError unless the text is a checkpoint and this its signature by this key."""
        if len(signature) != 8 + SIGNATURE_SIZE:
            raise NoteError(f"note: the ML-DSA-44 signature by {self.name} has {len(signature)} bytes, not 2,428")
        message = cosigned_message(self.name, cosignature_time(signature), HeadLines.parse(text))
        try:
            verify(self.key.public_key, message, signature[8:], "ml-dsa-44")
        except SignatureError:
            raise NoteError(f"note: the ML-DSA-44 signature by {self.name} does not verify") from None


class MlDsa44Signer(WithKey):
    """Signs checkpoints with ML-DSA-44."""

    __slots__ = ("_key", "verifier")
    verifier: MlDsa44Verifier

    def __init__(self, name: str, key: SigningKey) -> None:
        if key.algorithm != "ml-dsa-44":
            raise UsageError(f"key {name}: ML-DSA-44 cosignatures cannot be made with a key for {key.algorithm}")
        self._key = key
        self.verifier = MlDsa44Verifier(VerifierKey(name, MLDSA44_COSIGNATURE, key.public_key))

    def sign(self, text: bytes, time: int = 0) -> bytes:
        """Return time (8 bytes, big-endian POSIX seconds) and signature of a checkpoint's text."""
        message = cosigned_message(self.name, time, HeadLines.parse(text))
        return struct.pack(">Q", time) + self._key.sign(message)


@dataclass(frozen=True, slots=True)
class Ed25519CosignatureVerifier(OfKey):
    """Verifies Ed25519 cosignatures of checkpoints (cosignature/v1)."""

    def __post_init__(self) -> None:
        if self.key.signature_type != ED25519_COSIGNATURE or len(self.key.public_key) != 32:
            raise NoteError(f"verifier key {self.key.name}: not an Ed25519 cosigner's key of 32 bytes (type 0x04)")

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raise NoteError unless the text is a checkpoint and this its cosignature by this key."""
        if len(signature) != 8 + ED25519_SIZE:
            raise NoteError(f"note: the Ed25519 cosignature by {self.name} has {len(signature)} bytes, not 72")
        try:
            verify(self.key.public_key, cosigned_text(cosignature_time(signature), text), signature[8:])
        except SignatureError:
            raise NoteError(f"note: the Ed25519 cosignature by {self.name} does not verify") from None


class Ed25519Cosigner(WithKey):
    """Cosigns checkpoints with Ed25519 (cosignature/v1)."""

    __slots__ = ("_key", "verifier")
    verifier: Ed25519CosignatureVerifier

    def __init__(self, name: str, key: SigningKey) -> None:
        if key.algorithm != "ed25519":
            raise UsageError(f"key {name}: Ed25519 cosignatures cannot be made with a key for {key.algorithm}")
        self._key = key
        self.verifier = Ed25519CosignatureVerifier(VerifierKey(name, ED25519_COSIGNATURE, key.public_key))

    def sign(self, text: bytes, time: int = 0) -> bytes:
        """Return time (8 bytes, big-endian POSIX seconds) and signature of a checkpoint's text."""
        return struct.pack(">Q", time) + self._key.sign(cosigned_text(time, text))


Cosigner = Ed25519Cosigner | MlDsa44Signer
CosignatureVerifier = Ed25519CosignatureVerifier | MlDsa44Verifier


def cosignature_verifier(vkey: str) -> CosignatureVerifier:
    """Read a witness's verifier key, of either type. Raise NoteError for one that makes no cosignatures."""
    key = VerifierKey.parse(vkey)
    if key.signature_type == MLDSA44_COSIGNATURE:
        return MlDsa44Verifier(key)
    if key.signature_type == ED25519_COSIGNATURE:
        return Ed25519CosignatureVerifier(key)
    raise NoteError(f"verifier key {key.name}: type {key.signature_type:#04x} makes no cosignatures: use one of 0x04 or 0x06")
