"""The published record of encrypted ballots: its values as they stand in files (docs/formats.md, "Ballot records").

ElectionGuard Design Specification 2.1.0, section 3.7, leaves the form of the record open; this is ours. A station's record is a
*bundle*: a text file of lines, each one JSON value in its only form (sorted keys, no spaces, bytes in base64): a header, the
ballots in the order in which the device made them, and a closing. What the trustees decrypt afterwards is a *tally record* beside
it.

Values keep elements and scalars as the big-endian bytes that are hashed. Reading checks lengths and limits against the manifest;
whether proofs hold is for the verifications.
"""

from typing import Annotated, Final, Literal

import msgspec

from scrutineer.ballots.hashing import HASH_SIZE

CHAIN_SIZE: Final = 36  # bytes: chaining mode and a hash
SIMPLE_CHAINING: Final = b"\x00\x00\x00\x01"

Status = Literal["cast", "challenged", "spoiled", "provisional"]
"""Cast: counted. Challenged: opened, never counted. Spoiled (an extension): neither counted nor opened, because the voter or a
failure of power gave it up. Provisional (an extension): set aside until the board decides."""

_Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Hash = Annotated[bytes, msgspec.Meta(min_length=HASH_SIZE, max_length=HASH_SIZE)]


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed hashed ElGamal ciphertext (C_0, C_1, C_2): a ballot nonce, contest data, or key shares (3.2.2 to 3.3.10)."""

    point: bytes
    """C_0, an element."""
    data: bytes
    """C_1, a multiple of 32 bytes."""
    proof: bytes
    """C_2 = (c, v), 64 bytes."""


class Selection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One encrypted field with its range proof."""

    alpha: bytes
    beta: bytes
    proof: bytes
    """c_0 ... c_R, v_0 ... v_R, 32 bytes each."""


class BallotContest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One contest of one ballot: all its verifiable fields in the order of the manifest."""

    contest: _Number
    selections: tuple[Selection, ...]
    proof: bytes
    """That the weighted sum is at most L: c_0 ... c_L, v_0 ... v_L."""
    hash: _Hash
    """chi (equation 70)."""
    data: Sealed | None = None


class Ballot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ballot", tag_field="kind"):
    """One encrypted ballot. It has no time and no number but its place in the chain."""

    identifier: _Hash
    """id_B."""
    identifier_hash: _Hash
    """H_I."""
    style: _Number
    contests: tuple[BallotContest, ...]
    nonce: Sealed
    """The encrypted ballot nonce."""
    chain: Annotated[bytes, msgspec.Meta(min_length=CHAIN_SIZE, max_length=CHAIN_SIZE)]
    """B_C: the chaining mode, and the confirmation code before this one."""
    code: _Hash
    """H_C, the confirmation code."""
    status: Status


class BundleHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="header", tag_field="kind"):
    """What a station's ballots are bound to, before the first of them."""

    format: str
    keys: _Hash
    """H_E of the election's keys."""
    station: str
    device: str
    """S_device."""
    device_hash: _Hash
    """H_DI."""
    chain: Annotated[bytes, msgspec.Meta(min_length=CHAIN_SIZE, max_length=CHAIN_SIZE)]
    """B_C,0."""
    opening: _Hash
    """H_0."""


class Aggregate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The product of all cast ballots' ciphertexts of one field."""

    alpha: bytes
    beta: bytes


class ContestAggregate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The encrypted totals of one contest: one for each verifiable field."""

    contest: _Number
    fields: tuple[Aggregate, ...]


class BundleClosing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="closing", tag_field="kind"):
    """The end of a station's ballots. After it nothing can be added or taken away unseen."""

    cast: _Count
    challenged: _Count
    spoiled: _Count
    provisional: _Count
    totals: tuple[ContestAggregate, ...]
    """For every contest of the device's ballot styles, in ascending order."""
    chain: Annotated[bytes, msgspec.Meta(min_length=CHAIN_SIZE, max_length=CHAIN_SIZE)]
    """The closing B_C (equation 78)."""
    closing: _Hash
    """The closing hash (equation 77), printed on the tally sheet."""


class FieldTotal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One decrypted total with its proof (section 3.6.5)."""

    label: str
    total: _Count
    """t."""
    value: bytes
    """T = K^t."""
    proof: bytes
    """(c, v), 64 bytes."""


class ContestTotals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decrypted totals of one contest."""

    label: str
    fields: tuple[FieldTotal, ...]


class OpenedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of a challenged ballot: its value, and the nonce that shows it."""

    label: str
    value: _Count
    nonce: bytes


class OpenedContest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One contest of a challenged ballot."""

    label: str
    fields: tuple[OpenedField, ...]
    data: bytes = b""
    data_nonce: bytes = b""


class OpenedBallot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A challenged ballot, opened by its nonces (section 3.6.7)."""

    code: _Hash
    contests: tuple[OpenedContest, ...]


class OpenedData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Contest data of a cast ballot that were decrypted, with the proof (section 3.6.6)."""

    code: _Hash
    contest: _Number
    data: bytes
    beta: bytes
    proof: bytes


class TallyRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the trustees decrypted of one bundle."""

    format: str
    keys: _Hash
    bundle: _Hash
    """SHA-256 of the bundle, which is the `records` of the station's tally sheets."""
    contests: tuple[ContestTotals, ...]
    challenged: tuple[OpenedBallot, ...] = ()
    data: tuple[OpenedData, ...] = ()

    def encode(self) -> bytes:
        """The one form of this record: JSON with sorted keys and without spaces."""
        return msgspec.json.encode(self, order="sorted")


BundleLine = BundleHeader | Ballot | BundleClosing


def encode_line(line: BundleLine) -> bytes:
    """One line of a bundle in its only form, without the line feed that ends it."""
    return msgspec.json.encode(line, order="sorted")
