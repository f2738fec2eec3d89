"""Pre-encrypted ballots as they stand in a bundle (ElectionGuard Design Specification 2.1.0, section 4; docs/formats.md).

Pre-encrypted ballots have a bundle of their own, because their device, the encrypting tool, has a chain of its own. What the
specification leaves open is settled thus: a contest has one selection vector for each unit that a field may be given (an option
that may be given R has R of them, so that a voter never chooses one vector twice), then L null vectors; vectors are numbered from
1 in that order; and a voter's choice is always exactly L vectors, filled up with null vectors.
"""

from typing import Annotated, Literal

import msgspec

from scrutineer.ballots.hashing import HASH_SIZE
from scrutineer.ballots.record import CHAIN_SIZE, Sealed, Selection

PreEncryptedStatus = Literal["cast", "uncast"]
"""Cast: returned by a voter and counted. Uncast: opened, never counted."""

_Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_Hash = Annotated[bytes, msgspec.Meta(min_length=HASH_SIZE, max_length=HASH_SIZE)]
_Chain = Annotated[bytes, msgspec.Meta(min_length=CHAIN_SIZE, max_length=CHAIN_SIZE)]
_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=4)]


class ChosenVector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One selection vector that a voter chose: an encryption for each verifiable field, each proved to be 0 or 1."""

    code: _Code
    """The short code that was printed beside the choice."""
    hash: _Hash
    """psi (equations 113 and 114)."""
    selections: tuple[Selection, ...]


class OpenedVector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One selection vector of an uncast ballot, opened by its nonces."""

    label: str
    """The label of the field that the vector stands for; empty for a null vector."""
    code: _Code
    hash: _Hash
    nonces: tuple[bytes, ...]
    """xi_i,j,k for every verifiable field k (equation 121), 32 bytes each."""


class PreEncryptedContest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One contest of a pre-encrypted ballot."""

    contest: _Number
    hashes: tuple[_Hash, ...]
    """psi of all vectors, in ascending order, which tells nothing about the options."""
    hash: _Hash
    """chi (equation 115)."""
    chosen: tuple[ChosenVector, ...] = ()
    """Of a cast ballot: the L vectors that the voter chose."""
    selections: tuple[Selection, ...] = ()
    """Of a cast ballot: the product of the chosen vectors with its range proofs, as on every other ballot."""
    proof: bytes = b""
    """Of a cast ballot: that the weighted sum is at most L."""
    label: str = ""
    """Of an uncast ballot: the contest."""
    opened: tuple[OpenedVector, ...] = ()
    """Of an uncast ballot: all vectors."""


class PreEncryptedBallot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pre-encrypted-ballot", tag_field="kind"):
    """One pre-encrypted ballot, in the order in which they were made."""

    identifier: _Hash
    identifier_hash: _Hash
    style: _Number
    contests: tuple[PreEncryptedContest, ...]
    nonce: Sealed
    chain: _Chain
    code: _Hash
    """H_C (equation 116)."""
    status: PreEncryptedStatus


class PreEncryptedHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pre-encrypted-header", tag_field="kind"):
    """What a bundle of pre-encrypted ballots is bound to. The fields are those of `BundleHeader`."""

    format: str
    keys: _Hash
    station: str
    device: str
    device_hash: _Hash
    """H_DI (equation 119)."""
    chain: _Chain
    opening: _Hash
    """H_0 (equation 117)."""
