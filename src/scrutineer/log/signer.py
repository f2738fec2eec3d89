"""The keys of a log: Ed25519 and ML-DSA-44 side by side for checkpoints, Ed25519 for receipts."""

from dataclasses import dataclass

from scrutineer.log.note import NoteSigner, NoteVerifier


@dataclass(frozen=True, slots=True)
class LogVerifier:
    """The public side of a log: origin and two public keys; what a reader must hold to check the log."""

    origin: str
    ed25519_public_key: bytes  # 32 bytes
    mldsa44_public_key: bytes  # 1,312 bytes

    @property
    def kid(self) -> bytes:
        """The COSE key thumbprint (RFC 9679) of the Ed25519 key: names the key in receipts."""
        raise NotImplementedError

    @property
    def vkeys(self) -> tuple[str, str]:
        """The verifier keys as C2SP text, Ed25519 first."""
        raise NotImplementedError

    @classmethod
    def from_vkeys(cls, ed25519: str, mldsa44: str) -> "LogVerifier":
        """Read the two verifier keys; their names must be the same origin. Raise NoteError."""
        raise NotImplementedError

    @property
    def note_verifiers(self) -> tuple[NoteVerifier, NoteVerifier]:
        """The verifiers that a checkpoint of this log must satisfy."""
        raise NotImplementedError


class LogSigner:
    """The private side of a log, made from two 32-byte seeds."""

    def __init__(self, origin: str, ed25519_seed: bytes, mldsa44_seed: bytes) -> None:
        raise NotImplementedError

    @property
    def origin(self) -> str:
        """The log's origin."""
        raise NotImplementedError

    @property
    def verifier(self) -> LogVerifier:
        """The public side."""
        raise NotImplementedError

    @property
    def note_signers(self) -> tuple[NoteSigner, NoteSigner]:
        """The signers of a checkpoint."""
        raise NotImplementedError

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of a receipt's Sig_structure."""
        raise NotImplementedError
