"""Keys: published vectors, thumbprints, and nothing accepted that is not signed."""

import hashlib

import pytest

from scrutineer.errors import SignatureError, UsageError
from scrutineer.statements import SigningKey, thumbprint
from scrutineer.statements.keys import SIGNATURE_SIZES, verify

# RFC 8032 section 7.1: secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_vectors_of_rfc_8032(seed: str, public: str, message: str, signature: str) -> None:
    key = SigningKey(bytes.fromhex(seed))
    assert key.public_key.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    verify(key.public_key, bytes.fromhex(message), bytes.fromhex(signature))


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-44"])
def test_a_signature_holds_for_its_message_and_key_alone(algorithm: str) -> None:
    key = SigningKey(b"\x07" * 32, algorithm)  # type: ignore[arg-type]
    signature = key.sign(b"message")
    assert len(signature) == SIGNATURE_SIZES[key.algorithm]
    verify(key.public_key, b"message", signature, key.algorithm)
    other = SigningKey(b"\x08" * 32, algorithm)  # type: ignore[arg-type]
    changed = bytes([signature[0] ^ 1]) + signature[1:]
    for public, message, signed in (
        (key.public_key, b"messagE", signature),
        (other.public_key, b"message", signature),
        (key.public_key, b"message", changed),
        (key.public_key, b"message", signature[:-1]),
        (key.public_key, b"message", signature + b"\x00"),
        (key.public_key, b"message", b""),
        (key.public_key[:-1], b"message", signature),
        (b"", b"message", signature),
        (b"\xff" * len(key.public_key), b"message", signature),
    ):
        with pytest.raises(SignatureError):
            verify(public, message, signed, key.algorithm)


def test_a_key_of_one_algorithm_is_none_of_the_other() -> None:
    ed25519, mldsa = SigningKey(b"\x07" * 32), SigningKey(b"\x07" * 32, "ml-dsa-44")
    with pytest.raises(SignatureError):
        verify(ed25519.public_key, b"m", mldsa.sign(b"m"), "ml-dsa-44")
    with pytest.raises(SignatureError):
        verify(mldsa.public_key, b"m", ed25519.sign(b"m"), "ed25519")


def test_the_scalar_of_a_signature_has_one_form() -> None:
    # S and S + L verify alike in the equation; RFC 8032 section 5.1.7 demands S < L.
    order = 2**252 + 27742317777372353535851937790883648493
    key = SigningKey(b"\x07" * 32)
    signature = key.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little")
    with pytest.raises(SignatureError):
        verify(key.public_key, b"message", signature[:32] + (scalar + order).to_bytes(32, "little"))


def test_thumbprints_follow_rfc_9679() -> None:
    key = SigningKey(bytes(range(32)))
    # Section 3: SHA-256 of the deterministic COSE_Key of the required parameters: kty OKP (1), crv Ed25519 (6), x.
    assert key.kid == hashlib.sha256(bytes.fromhex("a301012006215820") + key.public_key).digest()
    mldsa = SigningKey(bytes(range(32)), "ml-dsa-44")
    # kty AKP (7), alg ML-DSA-44 (-48), pub of 1,312 bytes.
    assert mldsa.kid == hashlib.sha256(bytes.fromhex("a3010703382f20590520") + mldsa.public_key).digest()
    assert thumbprint(key.public_key) == key.kid


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(UsageError):
        SigningKey(b"\x00" * size)


def test_a_key_does_not_show_its_seed() -> None:
    assert "41" not in repr(SigningKey(b"A" * 32))
    assert "AAAA" not in repr(SigningKey(b"A" * 32))


def test_derived_keys_differ_by_purpose() -> None:
    key = SigningKey(b"\x07" * 32)
    assert key.derive("station/1") == key.derive("station/1")
    assert len({key.public_key, key.derive("station/1").public_key, key.derive("station/2").public_key}) == 3
