"""What the nonces of one ballot are derived from: its public identifier and its secret ballot nonce.

ElectionGuard Design Specification 2.1.0, sections 3.3.2, 3.3.3 and 3.3.10. Who knows the ballot nonce can open the ballot.
"""

from gmpy2 import mpz

from scrutineer.ballots.group import Group
from scrutineer.ballots.hashing import Use, challenge, digest, small
from scrutineer.ballots.keys import ElectionKeys


def identifier_hash(keys: ElectionKeys, identifier: bytes) -> bytes:
    """H_I of a ballot's selection encryption identifier (equation 32)."""
    return digest(keys.extended_hash, Use.IDENTIFIER, identifier)


def field_nonce(group: Group, hashed_identifier: bytes, contest: int, field: int, nonce: bytes) -> mpz:
    """xi_i,j: the nonce of one field, by the numbers of contest and field (equation 33)."""
    return challenge(group, hashed_identifier, Use.NONCE, small(contest), small(field), nonce)


def data_nonce(group: Group, hashed_identifier: bytes, contest: int, nonce: bytes) -> mpz:
    """xi: the nonce of a contest's data (equation 64)."""
    return challenge(group, hashed_identifier, Use.DATA_NONCE, small(contest), nonce)
