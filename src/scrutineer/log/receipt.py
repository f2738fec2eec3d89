"""COSE receipts (RFC 9942) of the log: proof, in one signed object, that a statement is in the log."""

from collections.abc import Sequence
from dataclasses import dataclass

from scrutineer.log.signer import LogSigner, LogVerifier


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a verified receipt says: index in the log, and the head (size and root) it is relative to."""

    index: int
    size: int
    root: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ReceiptHeader:
    """The protected header that all receipts of one log share, already encoded."""

    origin: str
    kid: bytes

    @classmethod
    def of(cls, verifier: LogVerifier) -> "ReceiptHeader":
        """Return the header for a log."""
        raise NotImplementedError


def sign_head(root: bytes, signer: LogSigner) -> bytes:
    """Return the 64-byte signature that every receipt of this head carries."""
    raise NotImplementedError


def verify_head(root: bytes, signature: bytes, verifier: LogVerifier) -> None:
    """Raise ReceiptError unless `signature` is the log's signature of this root."""
    raise NotImplementedError


def encode_receipt(header: ReceiptHeader, signature: bytes, size: int, index: int, path: Sequence[bytes]) -> bytes:
    """Return the bytes of a receipt."""
    raise NotImplementedError


def verify_receipt(receipt: bytes, leaf: bytes, verifier: LogVerifier) -> Receipt:
    """Return what the receipt says about the entry with this leaf hash; raise ReceiptError."""
    raise NotImplementedError


def verify_entry_receipt(receipt: bytes, entry: bytes, verifier: LogVerifier) -> Receipt:
    """Return what the receipt says about these entry bytes; raise ReceiptError."""
    raise NotImplementedError
