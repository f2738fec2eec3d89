"""Signatures: Ed25519 with strict rules, ML-DSA-44, and COSE key thumbprints (docs/formats.md, "The envelope of a statement")."""

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from second_look.cbor import encode

try:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
except ImportError:  # an older library, which knows Ed25519 alone
    MLDSA44PublicKey = None  # type: ignore[assignment, misc]

ED25519, ML_DSA_44 = "ed25519", "ml-dsa-44"
KEY_SIZE = {ED25519: 32, ML_DSA_44: 1312}
SIGNATURE_SIZE = {ED25519: 64, ML_DSA_44: 2420}

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
# y of the eight points of small order: of orders 4, 1 and 2, and the two of the points of order 8.
_Y8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little") % 2**255
_SMALL_ORDER = {0, 1, _P - 1, _Y8, _P - _Y8}


def knows_ml_dsa() -> bool:
    """Whether this machine's library can verify ML-DSA-44."""
    try:
        return MLDSA44PublicKey is not None and MLDSA44PublicKey.from_public_bytes(bytes(1312)) is not None
    except (UnsupportedAlgorithm, ValueError):
        return False


def holds(algorithm: str, key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature by a key over a message holds."""
    if len(key) != KEY_SIZE.get(algorithm) or len(signature) != SIGNATURE_SIZE[algorithm]:
        return False
    try:
        if algorithm == ML_DSA_44:
            MLDSA44PublicKey.from_public_bytes(key).verify(signature, message)
            return True
        if not _sound_point(key) or not _sound_point(signature[:32]) or int.from_bytes(signature[32:], "little") >= _L:
            return False
        _ed25519(key).verify(signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _ed25519(key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(key)


def _sound_point(encoded: bytes) -> bool:
    """Whether a point is written canonically and is not of small order; the library's own rules are milder."""
    y = int.from_bytes(encoded, "little") % 2**255
    return y < _P and y not in _SMALL_ORDER


def thumbprint(algorithm: str, key: bytes) -> bytes:
    """The COSE key thumbprint (RFC 9679) that a header names as `kid`."""
    cose = {1: 1, -1: 6, -2: key} if algorithm == ED25519 else {1: 7, 3: -48, -1: key}
    return hashlib.sha256(encode(cose)).digest()
