"""C2SP tlog-cosignature: timestamped ML-DSA-44 signatures of checkpoints (type 0x06), by the log and by witnesses."""

import struct
from dataclasses import dataclass

from scrutineer.errors import NoteError, SignatureError, UsageError
from scrutineer.log.checkpoint import Checkpoint
from scrutineer.log.note import MLDSA44_COSIGNATURE, VerifierKey
from scrutineer.statements.keys import SigningKey, verify

PUBLIC_KEY_SIZE = 1312  # bytes (FIPS 204, table 2)
SIGNATURE_SIZE = 2420  # bytes
MAX_TIME = 2**63 - 1  # POSIX seconds

_LABEL = b"subtree/v1\n\0"


def cosigned_message(cosigner: str, time: int, checkpoint: Checkpoint) -> bytes:
    """Return the bytes that an ML-DSA-44 cosignature signs: the `cosigned_message` structure over a whole tree."""
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
class MlDsa44Verifier:
    """Verifies ML-DSA-44 signatures of checkpoints."""

    key: VerifierKey

    def __post_init__(self) -> None:
        if self.key.signature_type != MLDSA44_COSIGNATURE or len(self.key.public_key) != PUBLIC_KEY_SIZE:
            raise NoteError(f"verifier key {self.key.name}: not an ML-DSA-44 key of 1,312 bytes (type 0x06)")

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    @property
    def key_id(self) -> bytes:
        """The key's 4-byte id."""
        return self.key.key_id

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raise NoteError unless the text is a checkpoint and this its signature by this key."""
        if len(signature) != 8 + SIGNATURE_SIZE:
            raise NoteError(f"note: the ML-DSA-44 signature by {self.name} has {len(signature)} bytes, not 2,428")
        (time,) = struct.unpack(">Q", signature[:8])
        message = cosigned_message(self.name, time, Checkpoint.from_text(text))
        try:
            verify(self.key.public_key, message, signature[8:], "ml-dsa-44")
        except SignatureError:
            raise NoteError(f"note: the ML-DSA-44 signature by {self.name} does not verify") from None


class MlDsa44Signer:
    """Signs checkpoints with ML-DSA-44."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, key: SigningKey) -> None:
        if key.algorithm != "ml-dsa-44":
            raise UsageError(f"key {name}: ML-DSA-44 cosignatures cannot be made with a key for {key.algorithm}")
        self._key = key
        self.verifier = MlDsa44Verifier(VerifierKey(name, MLDSA44_COSIGNATURE, key.public_key))

    @property
    def name(self) -> str:
        """The key's name."""
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        """The key's 4-byte id."""
        return self.verifier.key_id

    def sign(self, text: bytes, time: int = 0) -> bytes:
        """Return time (8 bytes, big-endian POSIX seconds) and signature of a checkpoint's text."""
        message = cosigned_message(self.name, time, Checkpoint.from_text(text))
        return struct.pack(">Q", time) + self._key.sign(message)
