"""What ElectionGuard 2.0.0 hashes: its domain separation bytes, base hashes, contest hashes and confirmation codes.

ElectionGuard Design Specification 2.0.0, section 5.5; equation numbers in this package are those of 2.0.0. H itself is the same
function as in 2.1.0.

The widespread implementation of 2.0.0, electionguard-kotlin-multiplatform and its successor egk-ec, hashes some inputs otherwise
than section 5.5 lists them. `Dialect` names the two readings; its places are marked here and in `contest_data`.
"""

from collections.abc import Iterable, Sequence
from enum import Enum, IntEnum
from typing import Final

from scrutineer.ballots.group import Group
from scrutineer.ballots.hashing import HASH_SIZE, digest, sized, small

SPECIFICATION: Final = "v2.0.0"
_CLOSE: Final = b"CLOSE"


class Use20(IntEnum):
    """What a hash is for: the first byte of its message (section 5.5 of 2.0.0)."""

    PARAMETERS = 0x00
    MANIFEST = 0x01
    BASE = 0x02
    GUARDIAN_PROOF = 0x10
    EXTENDED_BASE = 0x12
    NONCE = 0x20
    RANGE_PROOF = 0x21
    DATA_KEY = 0x22
    CONTEST = 0x23
    CONFIRMATION = 0x24
    DECRYPTION_PROOF = 0x30
    DATA_DECRYPTION_PROOF = 0x31
    DECRYPTION_COMMITMENT = 0x32
    """Of ours: 2.0.0 does not let guardians commit before they reveal, and leaves this byte free."""


class Dialect(Enum):
    """Whose bytes are hashed where specification and implementation differ."""

    SPECIFICATION = "specification"
    """As section 5.5 lists them: texts and auxiliary bytes behind their length."""
    EGK = "egk"
    """As egk-ec hashes them: without lengths, and C_1 of contest data as hexadecimal text."""


def parameter_hash(group: Group, version: str = SPECIFICATION) -> bytes:
    """H_P (equation 4). The version is filled up with zeros to 32 bytes."""
    parameters = (group.element_bytes(group.p), group.scalar_bytes(group.q), group.element_bytes(group.g))
    return digest(version.encode().ljust(HASH_SIZE, b"\x00"), Use20.PARAMETERS, *parameters)


def manifest_hash(parameters: bytes, manifest: bytes) -> bytes:
    """H_M of the manifest's file (equation 6)."""
    return digest(parameters, Use20.MANIFEST, sized(manifest))


def base_hash(parameters: bytes, manifest: bytes, guardians: int, quorum: int) -> bytes:
    """H_B (equation 7); `manifest` is H_M."""
    return digest(parameters, Use20.BASE, manifest, small(guardians), small(quorum))


def extended_hash(base: bytes, key: bytes) -> bytes:
    """H_E (equation 23); `key` is K."""
    return digest(base, Use20.EXTENDED_BASE, key)


def contest_hash(extended: bytes, key: bytes, contest: int, ciphertexts: Sequence[bytes]) -> bytes:
    """Chi of one contest (equation 57); `ciphertexts` are alpha_1, beta_1, alpha_2 ..."""
    return digest(extended, Use20.CONTEST, small(contest), key, *ciphertexts)


def confirmation_code(extended: bytes, contest_hashes: Iterable[bytes], auxiliary: bytes, dialect: Dialect) -> bytes:
    """H(B), the confirmation code (equation 58); without contests H_0 of a chain (equation 59)."""
    return digest(extended, Use20.CONFIRMATION, *contest_hashes, _measured(auxiliary, dialect))


def chain_link(code: bytes, device: bytes) -> bytes:
    """B_aux,j of the ballot that follows the one with this code, or H_0 (equation 60); `device` is B_aux,0."""
    return code + device


def closing_hash(extended: bytes, last: bytes, device: bytes, dialect: Dialect) -> bytes:
    """The hash that closes a device's chain (equation 61)."""
    return digest(extended, Use20.CONFIRMATION, last, _measured(device, dialect), _measured(_CLOSE, dialect))


def _measured(data: bytes, dialect: Dialect) -> bytes:
    return sized(data) if dialect is Dialect.SPECIFICATION else data
