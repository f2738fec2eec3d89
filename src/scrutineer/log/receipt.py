"""COSE receipts (RFC 9942) of the log: proof, in one signed object, that an entry is in the log.

A receipt is a COSE_Sign1 (RFC 9052) whose detached payload is the Merkle root. The protected header names algorithm,
key (`kid`, RFC 9679), log (`iss`) and tree structure as RFC 9943 section 6 demands; the subject (`sub`) is the head,
written `head/<size>`. One signature per head thus serves every entry that the head covers.

The size belongs in the signed part: index and size of an RFC 9942 proof are not signed, and the same path and root fit
several pairs of them (index 4 of 5 and index 1 of 2, for example). With the size signed, only one index fits.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cbor2

from scrutineer.errors import ProofError, ReceiptError, SignatureError
from scrutineer.log.merkle import HASH_SIZE, MAX_SIZE, leaf_hash, root_from_inclusion
from scrutineer.log.signer import LogSigner, LogVerifier
from scrutineer.statements.codec import item_head, load
from scrutineer.statements.envelope import byte_string, signed_bytes
from scrutineer.statements.keys import verify

MAX_RECEIPT_SIZE = 4096  # bytes; 63 hashes, the longest origin and the signature need fewer
SIGNATURE_SIZE = 64  # bytes, Ed25519

_HEADER_VDP = 396  # verifiable data proofs, unprotected
_PROOF_INCLUSION = -1

_HASH_HEAD = b"\x58\x20"  # byte string of 32 bytes
_VDP_HEAD = b"\xa1\x19\x01\x8c\xa1\x20\x81"  # {396: {-1: [
_OPENING = b"\xd2\x84"  # tag 18, array of four
_TAIL = b"\xf6\x58\x40"  # nil payload, byte string of 64 bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a verified receipt says: index in the log, and the head (size and root) it is relative to."""

    index: int
    size: int
    root: bytes
    signature: bytes


class HeadReceipts:
    """Writes the receipts of one head; everything that they share is encoded once."""

    __slots__ = ("_head", "_size", "_tail")

    def __init__(self, verifier: LogVerifier, size: int, signature: bytes, protected: bytes | None = None) -> None:
        if len(signature) != SIGNATURE_SIZE:
            raise ReceiptError(f"a receipt's signature has {SIGNATURE_SIZE} bytes, not {len(signature)}")
        protected = protected or _protected(verifier, size)
        self._head = _OPENING + byte_string(protected) + _VDP_HEAD
        self._size = b"\x83" + item_head(0, size)
        self._tail = _TAIL + signature

    def encode(self, index: int, path: Sequence[bytes]) -> bytes:
        """Return the receipt of the entry at `index`, whose inclusion path in this head's tree is `path`."""
        return self.encode_many(((index, path),))[0]

    def encode_many(self, proofs: Iterable[tuple[int, Sequence[bytes]]]) -> list[bytes]:
        """Return the receipts for pairs of index and inclusion path."""
        head, size, tail = self._head, self._size, self._tail
        lengths: dict[int, bytes] = {}
        receipts = []
        for index, path in proofs:
            count = len(path)
            array = lengths.get(count)
            if array is None:
                array = lengths[count] = item_head(4, count)
            # A hash list in CBOR is every hash with the same two bytes in front.
            hashes = _HASH_HEAD + _HASH_HEAD.join(path) if count else b""
            proof = size + item_head(0, index) + array + hashes
            receipts.append(head + byte_string(proof) + tail)
        return receipts


def sign_head(size: int, root: bytes, signer: LogSigner) -> bytes:
    """Return the 64-byte signature that every receipt of this head carries; Ed25519, so always the same."""
    return signer.sign(signed_bytes(_protected(signer.verifier, size), root))


def verify_head(size: int, root: bytes, signature: bytes, verifier: LogVerifier) -> None:
    """Raise ReceiptError unless `signature` is the log's signature of this head."""
    _verify_signature(verifier, _protected(verifier, size), size, root, signature)


def encode_receipt(verifier: LogVerifier, signature: bytes, size: int, index: int, path: Sequence[bytes]) -> bytes:
    """Return the bytes of one receipt; for many of one head use `HeadReceipts`."""
    return HeadReceipts(verifier, size, signature).encode(index, path)


def verify_receipt(receipt: bytes, leaf: bytes, verifier: LogVerifier) -> Receipt:
    """Return what the receipt says about the entry with this leaf hash.

    Raises ReceiptError unless the receipt is in canonical form, names this log and its key, leads from the leaf to a
    root, and that root is signed.
    """
    parsed = _parse(receipt)
    header = _protected(verifier, parsed.size)
    if _canonical(parsed.protected) != header or len(parsed.protected) != len(header):
        raise ReceiptError(f"receipt: the protected header is not that of a receipt by {verifier.origin} for head {parsed.size}")
    # The order of the header's entries is the one thing left to the writer, and the signature fixes it.
    writer = HeadReceipts(verifier, parsed.size, parsed.signature, parsed.protected)
    if writer.encode(parsed.index, parsed.path) != receipt:
        raise ReceiptError("receipt: not in canonical form")
    try:
        root = root_from_inclusion(leaf, parsed.index, parsed.size, parsed.path)
    except ProofError as error:
        raise ReceiptError(f"receipt: {error}") from None
    _verify_signature(verifier, parsed.protected, parsed.size, root, parsed.signature)
    return Receipt(parsed.index, parsed.size, root, parsed.signature)


def verify_entry_receipt(receipt: bytes, entry: bytes, verifier: LogVerifier) -> Receipt:
    """Return what the receipt says about these entry bytes; raise ReceiptError as `verify_receipt` does."""
    return verify_receipt(receipt, leaf_hash(entry), verifier)


@dataclass(frozen=True, slots=True)
class _Parsed:
    protected: bytes
    size: int
    index: int
    path: tuple[bytes, ...]
    signature: bytes

    def __post_init__(self) -> None:
        if type(self.protected) is not bytes:
            raise ReceiptError("receipt: the protected header is not a byte string")
        for name, number in (("size", self.size), ("index", self.index)):
            if type(number) is not int or not 0 <= number <= MAX_SIZE:
                raise ReceiptError(f"receipt: the {name} is not a number of entries")
        if len(self.path) > 63 or any(type(value) is not bytes or len(value) != HASH_SIZE for value in self.path):
            raise ReceiptError("receipt: the inclusion path is not a list of up to 63 hashes")
        if type(self.signature) is not bytes or len(self.signature) != SIGNATURE_SIZE:
            raise ReceiptError(f"receipt: the signature does not have {SIGNATURE_SIZE} bytes")


def _parse(receipt: bytes) -> _Parsed:
    """Return the parts of a receipt; whether everything around them is right shows when they are encoded again."""
    if len(receipt) > MAX_RECEIPT_SIZE:
        raise ReceiptError(f"receipt: {len(receipt)} bytes are more than the {MAX_RECEIPT_SIZE} allowed")
    if receipt[:2] != _OPENING:
        raise ReceiptError("receipt: not a COSE_Sign1 (tag 18 and an array of four)")
    try:
        protected, unprotected, _payload, signature = load(receipt[1:])
        (proof,) = unprotected[_HEADER_VDP][_PROOF_INCLUSION]
        size, index, path = load(proof)
        hashes = tuple(path)
    except Exception:  # Whatever hostile bytes raise in the decoder or the unpacking, they are no receipt.
        raise ReceiptError("receipt: not a COSE_Sign1 with one RFC 9162 inclusion proof") from None
    return _Parsed(protected, size, index, hashes, signature)


def _canonical(protected: bytes) -> bytes:
    """Return a protected header with its entries in canonical order; raise ReceiptError when it is not CBOR."""
    try:
        return cbor2.dumps(load(protected), canonical=True)
    except Exception:
        raise ReceiptError("receipt: the protected header is not CBOR") from None


def _protected(verifier: LogVerifier, size: int) -> bytes:
    """Return the protected header {1: -8, 4: kid, 15: {1: origin, 2: "head/<size>"}, 395: 1} in canonical CBOR."""
    origin, subject = verifier.origin.encode(), f"head/{size}".encode()
    claims = b"\xa2\x01" + item_head(3, len(origin)) + origin + b"\x02" + item_head(3, len(subject)) + subject
    return b"\xa4\x01\x27\x04" + _HASH_HEAD + verifier.kid + b"\x0f" + claims + b"\x19\x01\x8b\x01"


# The receipts of one head carry the same signature over the same root, so whoever checks many of them checks it once.
@functools.lru_cache(maxsize=4096)
def _verify_signature(verifier: LogVerifier, protected: bytes, size: int, root: bytes, signature: bytes) -> None:
    try:
        verify(verifier.ed25519_public_key, signed_bytes(protected, root), signature)
    except SignatureError:
        raise ReceiptError(f"the receipt signature of head {size} does not verify under the key of {verifier.origin}") from None
