"""The keys of a log: Ed25519 and ML-DSA-44 side by side for checkpoints, Ed25519 for receipts."""

from dataclasses import dataclass

from scrutineer.errors import NoteError
from scrutineer.log.cosignature import MlDsa44Signer, MlDsa44Verifier
from scrutineer.log.note import ED25519, MLDSA44_COSIGNATURE, Ed25519Signer, Ed25519Verifier, VerifierKey
from scrutineer.statements.keys import SigningKey, thumbprint


@dataclass(frozen=True, slots=True)
class LogVerifier:
    """The public side of a log: origin and two public keys; what a reader must hold to check the log."""

    origin: str
    ed25519_public_key: bytes  # 32 bytes
    mldsa44_public_key: bytes  # 1,312 bytes

    def __post_init__(self) -> None:
        if len(self.origin.encode()) > 255:  # A cosignature writes the length of the origin in one byte.
            raise NoteError(f"log origin {self.origin[:40]!r}… is longer than 255 bytes")
        # Building the verifiers refuses keys of the wrong length and names that no key may have.
        _ = self.note_verifiers

    @property
    def kid(self) -> bytes:
        """The COSE key thumbprint (RFC 9679) of the Ed25519 key: names the key in receipts."""
        return thumbprint(self.ed25519_public_key)

    @property
    def vkeys(self) -> tuple[str, str]:
        """The verifier keys as C2SP text, Ed25519 first."""
        ed25519, mldsa44 = self.note_verifiers
        return str(ed25519.key), str(mldsa44.key)

    @classmethod
    def from_vkeys(cls, ed25519: str, mldsa44: str) -> "LogVerifier":
        """Read the two verifier keys; their names must be the same origin. Raise NoteError."""
        first = Ed25519Verifier(VerifierKey.parse(ed25519)).key
        second = MlDsa44Verifier(VerifierKey.parse(mldsa44)).key
        if first.name != second.name:
            raise NoteError(f"verifier keys of two different logs: {first.name!r} and {second.name!r}")
        return cls(first.name, first.public_key, second.public_key)

    @property
    def note_verifiers(self) -> tuple[Ed25519Verifier, MlDsa44Verifier]:
        """The verifiers that a checkpoint of this log must satisfy, both of them."""
        return (
            Ed25519Verifier(VerifierKey(self.origin, ED25519, self.ed25519_public_key)),
            MlDsa44Verifier(VerifierKey(self.origin, MLDSA44_COSIGNATURE, self.mldsa44_public_key)),
        )


class LogSigner:
    """The private side of a log, made from two 32-byte seeds.

    The Ed25519 key signs checkpoints and receipts. The two cannot be taken for each other: a checkpoint is UTF-8 text,
    and a receipt signs a CBOR array whose first byte, 0x84, cannot begin UTF-8 text.
    """

    __slots__ = ("_ed25519", "note_signers", "verifier")

    def __init__(self, origin: str, ed25519_seed: bytes, mldsa44_seed: bytes) -> None:
        self._ed25519 = SigningKey(ed25519_seed)
        mldsa44 = SigningKey(mldsa44_seed, "ml-dsa-44")
        self.verifier = LogVerifier(origin, self._ed25519.public_key, mldsa44.public_key)
        self.note_signers = (Ed25519Signer(origin, self._ed25519), MlDsa44Signer(origin, mldsa44))

    @property
    def origin(self) -> str:
        """The log's origin."""
        return self.verifier.origin

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of a receipt's Sig_structure."""
        return self._ed25519.sign(message)
