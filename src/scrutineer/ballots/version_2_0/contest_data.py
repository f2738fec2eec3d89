"""Contest data under ElectionGuard 2.0.0: sealed with a message authentication code, where 2.1.0 has a proof.

Design Specification 2.0.0, sections 3.3.6 and 3.6.4. The data say whether a contest was left blank, voted in part or in full.
"""

import hmac
from typing import NamedTuple

from gmpy2 import mpz

from scrutineer.ballots.group import Group
from scrutineer.ballots.hashing import HASH_SIZE, challenge, digest, sized, small, xor
from scrutineer.ballots.version_2_0.hashes import Dialect, Use20
from scrutineer.errors import BallotError


class SealedData(NamedTuple):
    """C_0, C_1 and C_2."""

    point: bytes
    hidden: bytes
    code: bytes


class DataPlace(NamedTuple):
    """Whose contest data: what their keys are derived from."""

    extended_hash: bytes
    key: bytes
    """K."""
    contest: int
    label: str
    """The contest's label, which egk-ec derives keys from in place of its number."""
    dialect: Dialect

    def nonce(self, group: Group, ballot_nonce: bytes) -> mpz:
        """Xi (equation 50)."""
        text = b"contest_data"
        named = sized(text) if self.dialect is Dialect.SPECIFICATION else text
        return challenge(group, self.extended_hash, Use20.NONCE, ballot_nonce, small(self.contest), named)

    def keys(self, point: bytes, shared: bytes, size: int) -> tuple[bytes, bytes]:
        """The authentication key k_0, and `size` bytes k_1, k_2 ... to hide data with (equations 51 and 52)."""
        secret = digest(self.extended_hash, Use20.DATA_KEY, self.key, point, shared)
        if self.dialect is Dialect.SPECIFICATION:
            label, context, length = b"data_enc_keys", b"contest_data" + small(self.contest), size + HASH_SIZE
        else:
            label, context, length = b"share_enc_keys", b"contest_data" + self.label.encode(), size
        end = label + b"\x00" + context + small(8 * length)
        blocks = [hmac.digest(secret, small(number) + end, "sha256") for number in range(size // HASH_SIZE + 1)]
        return blocks[0], b"".join(blocks[1:])

    def proof_body(self, sealed: SealedData) -> bytes:
        """C_0, C_1 and C_2 as the proof of their decryption hashes them (equation 81)."""
        hidden = sealed.hidden if self.dialect is Dialect.SPECIFICATION else sealed.hidden.hex().upper().encode()
        return sealed.point + hidden + sealed.code


def seal_data(place: DataPlace, data: bytes, point: bytes, shared: bytes) -> SealedData:
    """Encrypt contest data (equations 53 to 55) under a nonce, given as g^nonce and K^nonce.

    Raises BallotError unless the data are a multiple of 32 bytes.
    """
    if not data or len(data) % HASH_SIZE:
        raise BallotError(f"contest data have a multiple of {HASH_SIZE} bytes: {len(data)} were given")
    authentication, stream = place.keys(point, shared, len(data))
    hidden = xor(data, stream)
    return SealedData(point, hidden, hmac.digest(authentication, point + hidden, "sha256"))


def open_data(place: DataPlace, sealed: SealedData, shared: bytes) -> bytes:
    """Read contest data with beta (equations 86 to 89). Raises BallotError where their authentication code is not theirs."""
    authentication, stream = place.keys(sealed.point, shared, len(sealed.hidden))
    if not hmac.compare_digest(hmac.digest(authentication, sealed.point + sealed.hidden, "sha256"), sealed.code):
        raise BallotError("the authentication code of these contest data does not fit them")
    return xor(sealed.hidden, stream)
