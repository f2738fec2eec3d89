"""Keys: Ed25519 for devices and people, ML-DSA-44 beside it where evidence must outlive today's curves.

Ed25519 is verified by one library everywhere, libsodium through PyNaCl, because libraries disagree on crafted signatures and
libsodium accepts the smallest set. The primitives are the libraries'; this module gives them names.
"""

import functools
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import cbor2
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa
from nacl import bindings, exceptions

from scrutineer.election.register import KEY_SIZES, Algorithm
from scrutineer.errors import SignatureError, UsageError

COSE_ALGORITHMS: Final[dict[Algorithm, int]] = {"ed25519": -8, "ml-dsa-44": -48}  # RFC 9053 section 2.2; RFC 9964
ALGORITHM_BY_COSE: Final[dict[int, Algorithm]] = {number: name for name, number in COSE_ALGORITHMS.items()}
SIGNATURE_SIZES: Final[dict[Algorithm, int]] = {"ed25519": 64, "ml-dsa-44": 2420}  # bytes
SEED_SIZE: Final = 32  # bytes, both algorithms

# RFC 9679: SHA-256 of the deterministic COSE_Key {1: 1 (OKP), -1: 6 (Ed25519), -2: x}. The text before x never changes.
_OKP_PREFIX: Final = b"\xa3\x01\x01\x20\x06\x21\x58\x20"


def thumbprint(public_key: bytes, algorithm: Algorithm = "ed25519") -> bytes:
    """COSE key thumbprint (RFC 9679) with SHA-256, 32 bytes: what a `kid` header holds."""
    if algorithm == "ed25519":
        return hashlib.sha256(_OKP_PREFIX + public_key).digest()
    # RFC 9964: ML-DSA keys are key type AKP (7) and carry the algorithm in the key.
    return hashlib.sha256(cbor2.dumps({1: 7, 3: COSE_ALGORITHMS[algorithm], -1: public_key}, canonical=True)).digest()


def thumbprints(public_keys: Iterable[bytes]) -> bytes:
    """The thumbprints of many Ed25519 keys, one behind the other."""
    prefix, sha256 = _OKP_PREFIX, hashlib.sha256
    return b"".join([sha256(prefix + public_key).digest() for public_key in public_keys])


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, kept as its 32-byte seed (RFC 8032 section 5.1.5; FIPS 204 algorithm 6)."""

    seed: bytes = field(repr=False)
    algorithm: Algorithm = "ed25519"

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_SIZE:
            raise UsageError(f"a signing key is a seed of {SEED_SIZE} bytes: this one has {len(self.seed)}")

    @property
    def public_key(self) -> bytes:
        """The public key's bytes."""
        return _public_key(self.seed, self.algorithm)

    @property
    def kid(self) -> bytes:
        """The COSE key thumbprint of the public key."""
        return thumbprint(self.public_key, self.algorithm)

    def sign(self, message: bytes) -> bytes:
        """Sign; Ed25519 signatures are deterministic, ML-DSA-44 signatures are hedged with fresh randomness by the library."""
        if self.algorithm == "ed25519":
            secret = _ed25519_secret(self.seed)
            signature: bytes = bindings.crypto_sign(message, secret)[:64]
            return signature
        return mldsa.MLDSA44PrivateKey.from_seed_bytes(self.seed).sign(message)

    def derive(self, purpose: str) -> "SigningKey":
        """A key of its own for a named purpose, from this one's seed: how a simulation or replay makes station keys."""
        return SigningKey(hmac.digest(self.seed, purpose.encode(), "sha256"), "ed25519")


def verify(public_key: bytes, message: bytes, signature: bytes, algorithm: Algorithm = "ed25519") -> None:
    """Check a signature. Raises SignatureError unless it verifies."""
    if len(signature) != SIGNATURE_SIZES[algorithm] or len(public_key) != KEY_SIZES[algorithm]:
        raise SignatureError("the signature or the key has the wrong length for its algorithm")
    if algorithm == "ed25519":
        verify_signed(public_key, signature + message)
        return
    try:
        mldsa.MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise SignatureError("the signature does not verify: the statement was changed, or another key signed it") from None


def verify_signed(public_key: bytes, signed: bytes) -> None:
    """Check an Ed25519 signature of 64 bytes with the message behind it. Raises SignatureError unless it verifies."""
    try:
        bindings.crypto_sign_open(signed, public_key)
    except exceptions.BadSignatureError:
        raise SignatureError("the signature does not verify: the statement was changed, or another key signed it") from None


@functools.lru_cache(maxsize=64)
def _ed25519_secret(seed: bytes) -> bytes:
    secret: bytes = bindings.crypto_sign_seed_keypair(seed)[1]
    return secret


def _public_key(seed: bytes, algorithm: Algorithm) -> bytes:
    if algorithm == "ed25519":
        return _ed25519_secret(seed)[32:]
    return mldsa.MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()
