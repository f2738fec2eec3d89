"""The hash function H of ElectionGuard and its domain separation bytes (Design Specification 2.1.0, section 5).

H is HMAC-SHA-256: the key binds a hash to one election (or ballot), the message starts with the byte of its use. All inputs are
bytes of fixed length, so they are joined without separators.
"""

import hmac
from enum import IntEnum
from typing import Final

from gmpy2 import mpz

from scrutineer.ballots.group import Group

HASH_SIZE: Final = 32  # bytes
VERSION: Final = b"v2.1.0".ljust(HASH_SIZE, b"\x00")
"""`ver` of section 3.1.2."""


class Use(IntEnum):
    """What a hash is for: the first byte of its message (section 5.5)."""

    PARAMETERS = 0x00
    MANIFEST = 0x01
    GUARDIAN_PROOF = 0x10
    SHARE_KEY = 0x11
    SHARE_PROOF = 0x12
    GUARDIAN_RECORD = 0x13
    EXTENDED_BASE = 0x14
    IDENTIFIER = 0x20
    NONCE = 0x21
    BALLOT_NONCE_KEY = 0x22
    BALLOT_NONCE_PROOF = 0x23
    RANGE_PROOF = 0x24
    DATA_NONCE = 0x25
    DATA_KEY = 0x26
    DATA_PROOF = 0x27
    CONTEST = 0x28
    CONFIRMATION = 0x29
    DEVICE = 0x2A
    CLOSING = 0x2B
    DECRYPTION_COMMITMENT = 0x30
    DECRYPTION_PROOF = 0x31
    DATA_DECRYPTION_COMMITMENT = 0x32
    DATA_DECRYPTION_PROOF = 0x33
    SELECTION = 0x40
    PRE_ENCRYPTED_CONTEST = 0x41
    PRE_ENCRYPTED_CONFIRMATION = 0x42
    PRE_ENCRYPTED_DEVICE = 0x43
    PRE_ENCRYPTED_CLOSING = 0x44
    PRE_ENCRYPTED_NONCE = 0x45
    PAPER_SERIAL = 0x60
    """An extension: the specification leaves this byte free."""
    NONCE_PART = 0x61
    """An extension: a guardian's proof of its part of the decryption of a ballot nonce."""


_BYTE: Final = tuple(bytes((value,)) for value in range(256))


def digest(key: bytes, use: IntEnum, *parts: bytes) -> bytes:
    """H(key; use, parts...), 32 bytes (section 5.2). `use` is a `Use`, or its like of another version of the specification."""
    return hmac.digest(key, _BYTE[use] + b"".join(parts), "sha256")


def challenge(group: Group, key: bytes, use: IntEnum, *parts: bytes) -> mpz:
    """Hq(key; use, parts...), an integer modulo q (section 5.4)."""
    return mpz(int.from_bytes(hmac.digest(key, _BYTE[use] + b"".join(parts), "sha256"), "big")) % group.q


def small(number: int) -> bytes:
    """A small integer, such as an index, as 4 bytes (section 5.1.3)."""
    return number.to_bytes(4, "big")


def sized(data: bytes) -> bytes:
    """Bytes of any length behind their length in 4 bytes: texts and files (sections 5.1.4 and 5.1.5)."""
    return small(len(data)) + data


def key_stream(key: bytes, label: bytes, context: bytes, blocks: int, *, wide: bool) -> bytes:
    """`blocks` times 32 bytes from HMAC in counter mode (NIST SP 800-108r1), for keys that are XORed with data.

    Counter and length are 4 bytes each in the key stream of contest data (`wide`, equation 66) and 1 and 2 bytes in those of key
    shares and ballot nonces (equations 17, 18 and 36).
    """
    counter_size, length_size = (4, 4) if wide else (1, 2)
    length = (blocks * HASH_SIZE * 8).to_bytes(length_size, "big")
    return b"".join(
        hmac.digest(key, number.to_bytes(counter_size, "big") + label + b"\x00" + context + length, "sha256")
        for number in range(1, blocks + 1)
    )


def xor(left: bytes, right: bytes) -> bytes:
    """The bitwise exclusive or of two byte strings of one length."""
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")
