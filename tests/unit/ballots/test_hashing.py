"""The published vectors of ElectionGuard 2.1.0, and the key stream of NIST SP 800-108r1."""

import hashlib
import hmac

import pytest
from gmpy2 import mpz

from scrutineer.ballots import STANDARD
from scrutineer.ballots.hashing import Use, challenge, key_stream, sized, small, xor
from scrutineer.ballots.keys import parameter_hash


def test_parameter_hash() -> None:
    expected = "944286970EAFDB6F347F4EB93B30D48FA3EDCC89BFBAEA6F5AE8F29AFB05DDCE"
    assert parameter_hash(STANDARD, 5, 3).hex().upper() == expected
    assert parameter_hash(STANDARD, 3, 3).hex().upper() != expected


def test_hash_of_nothing_under_a_key_of_zeros() -> None:
    """The hash without a byte of use; `digest` always has one, so the vector is of the function beneath."""
    assert hmac.digest(bytes(32), b"", "sha256").hex().upper().startswith("B613679A0814D9EC772F95D778C35FC5")


def test_a_challenge_is_taken_modulo_q() -> None:
    class Tiny:
        q = mpz(1000003)

    message = b"\x24" + b"ab" + b"c"
    whole = int.from_bytes(hmac.new(b"k" * 32, message, hashlib.sha256).digest(), "big")
    assert challenge(Tiny, b"k" * 32, Use.RANGE_PROOF, b"ab", b"c") == whole % 1000003  # type: ignore[arg-type]


@pytest.mark.parametrize("wide", [False, True])
def test_key_stream(wide: bool) -> None:
    key, blocks = b"k" * 32, 3
    counter, length = (4, 4) if wide else (1, 2)
    expected = b""
    for number in (1, 2, 3):
        message = number.to_bytes(counter, "big") + b"label\x00context" + (blocks * 256).to_bytes(length, "big")
        expected += hmac.new(key, message, hashlib.sha256).digest()
    assert key_stream(key, b"label", b"context", blocks, wide=wide) == expected


def test_encodings() -> None:
    assert small(258) == b"\x00\x00\x01\x02"
    assert sized(b"owl") == b"\x00\x00\x00\x03owl"
    assert xor(b"\x00\x0f", b"\x00\xff") == b"\x00\xf0"
