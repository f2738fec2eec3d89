"""The trustees' public keys, and everything that ballots are encrypted under: the joint keys and the base hashes.

ElectionGuard Design Specification 2.1.0, sections 3.1.2, 3.1.4 and 3.2. The specification says *guardian* for a trustee; all
names here say so too.

`KeyRecord` is the guardian record as it is published (`ballots.json` of the definition). `ElectionKeys` is what is computed from
it once. Reading a record checks its form; whether its proofs hold is verification 1 to 4, which every user runs first.
"""

from typing import Annotated, Final

import msgspec
from gmpy2 import mpz

from scrutineer.ballots.group import SCALAR_SIZE, STANDARD, Group
from scrutineer.ballots.hashing import VERSION, Use, digest, sized, small
from scrutineer.ballots.manifest import FORMAT, Manifest
from scrutineer.errors import BallotError

MAX_GUARDIANS: Final = 64
MAX_RECORD_SIZE: Final = 16 * 1024 * 1024  # bytes
SPECIFICATION: Final = "2.1.0"


class GuardianKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one guardian publishes (section 3.2.2). All elements and scalars are big-endian bytes."""

    index: Annotated[int, msgspec.Meta(ge=1, le=MAX_GUARDIANS)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    vote: tuple[bytes, ...]
    """K_i,0 ... K_i,k-1: commitments to the coefficients of the vote encryption key."""
    data: tuple[bytes, ...]
    """The same for the ballot data encryption key."""
    communication: bytes
    """kappa_i."""
    vote_proof: bytes
    """c, v_0 ... v_k: 32 bytes each (equation 11)."""
    data_proof: bytes
    """The same for the ballot data encryption key (equation 13)."""


class KeyRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The guardian record: the manifest, all guardians' keys, and the joint keys."""

    format: str
    specification: str
    guardians: tuple[GuardianKeys, ...]
    quorum: Annotated[int, msgspec.Meta(ge=1, le=MAX_GUARDIANS)]
    manifest: Manifest
    p: bytes
    q: bytes
    g: bytes
    parameter_hash: bytes
    """H_P."""
    base_hash: bytes
    """H_B."""
    vote_key: bytes
    """K."""
    data_key: bytes
    """K-hat."""
    extended_hash: bytes
    """H_E."""

    def encode(self) -> bytes:
        """The one form of this record: JSON with sorted keys and without spaces; bytes in base64 (RFC 4648, section 4)."""
        return msgspec.json.encode(self, order="sorted")


class ElectionKeys:
    """All that encrypting, decrypting and verifying need of an election's keys."""

    def __init__(self, group: Group, manifest: Manifest, guardians: int, quorum: int, vote_key: mpz, data_key: mpz) -> None:
        """Compute the base hashes from the parts."""
        self.group: Final = group
        self.manifest: Final = manifest
        self.guardians: Final = guardians
        """n."""
        self.quorum: Final = quorum
        """k."""
        self.vote_key: Final = vote_key
        """K, under which votes are encrypted."""
        self.data_key: Final = data_key
        """K-hat, under which ballot nonces and contest data are encrypted."""
        self.parameter_hash: Final = parameter_hash(group, guardians, quorum)
        self.base_hash: Final = base_hash(self.parameter_hash, manifest)
        self.extended_hash: Final = digest(
            self.base_hash, Use.EXTENDED_BASE, group.element_bytes(vote_key), group.element_bytes(data_key)
        )


def parameter_hash(group: Group, guardians: int, quorum: int) -> bytes:
    """H_P (equation 4)."""
    return digest(
        VERSION,
        Use.PARAMETERS,
        group.element_bytes(group.p),
        group.scalar_bytes(group.q),
        group.element_bytes(group.g),
        small(guardians),
        small(quorum),
    )


def base_hash(parameters: bytes, manifest: Manifest) -> bytes:
    """H_B (equation 5)."""
    return digest(parameters, Use.MANIFEST, sized(manifest.encode()))


def read_key_record(data: bytes, group: Group = STANDARD) -> KeyRecord:
    """Read a guardian record and check its form: format, version, parameters, lengths, and its only encoding.

    Raises BallotError; its proofs and hashes are for verifications 1 to 4. Another group than the standard one is for tests.
    """
    if len(data) > MAX_RECORD_SIZE:
        raise BallotError(f"the record of the trustees' keys has more than {MAX_RECORD_SIZE} bytes")
    try:
        record = msgspec.json.decode(data, type=KeyRecord)
    except msgspec.MsgspecError as error:
        raise BallotError(f"not a record of the trustees' keys: {error}") from error
    if record.encode() != data:
        raise BallotError("the record of the trustees' keys is not in its only form (JSON with sorted keys, without spaces)")
    if record.format != FORMAT:
        raise BallotError(f"the record of the trustees' keys has the format {record.format[:40]!r}: this program reads {FORMAT}")
    count, size = len(record.guardians), group.element_size
    if not record.quorum <= count <= MAX_GUARDIANS or [keys.index for keys in record.guardians] != list(range(1, count + 1)):
        raise BallotError("the record of the trustees' keys does not hold trustees 1 to n with a quorum of at most n")
    lengths = {len(record.p): size, len(record.g): size, len(record.vote_key): size, len(record.data_key): size}
    for keys in record.guardians:
        if len(keys.vote) != record.quorum or len(keys.data) != record.quorum:
            raise BallotError(f"trustee {keys.index} has not one commitment for each of {record.quorum} coefficients")
        lengths.update({len(value): size for value in (*keys.vote, *keys.data, keys.communication)})
        if {len(keys.vote_proof), len(keys.data_proof)} != {(record.quorum + 2) * SCALAR_SIZE}:
            raise BallotError(f"a proof of trustee {keys.index} has not {(record.quorum + 2) * SCALAR_SIZE} bytes")
    if set(lengths) != {size} or {len(record.parameter_hash), len(record.base_hash), len(record.extended_hash)} != {32}:
        raise BallotError(f"a key of the trustees' record has not {size} bytes, or a hash not 32")
    return record


def election_keys(record: KeyRecord, group: Group = STANDARD) -> ElectionKeys:
    """What ballots are encrypted under. Call it on a record that passed verifications 1 to 4."""
    return ElectionKeys(
        group,
        record.manifest,
        len(record.guardians),
        record.quorum,
        group.element(record.vote_key),
        group.element(record.data_key),
    )
