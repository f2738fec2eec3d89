"""Decrypting totals, challenged ballots and contest data under ElectionGuard 2.0.0, by the rounds of every decryption.

Design Specification 2.0.0, sections 3.6.2 to 3.6.5. 2.0.0 encrypts contest data under the one key K that votes have too.
"""

import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple

import gmpy2
import msgspec

from scrutineer.ballots.ceremony import KeyShare
from scrutineer.ballots.decryption import Proof, Quorum, Target, combine, commit, respond
from scrutineer.ballots.group import RandomBytes
from scrutineer.ballots.logarithms import SmallLogarithms
from scrutineer.ballots.version_2_0.contest_data import DataPlace, SealedData, open_data
from scrutineer.ballots.version_2_0.encrypt import Ciphertext
from scrutineer.ballots.version_2_0.hashes import Use20
from scrutineer.ballots.version_2_0.keys import Keys20
from scrutineer.errors import BallotError


class DecryptedOption(NamedTuple):
    """A decrypted number, with the proof that it is right."""

    value: int
    """t."""
    power: bytes
    """T = K^t."""
    challenge: bytes
    response: bytes


class DecryptedData(NamedTuple):
    """Decrypted contest data, with the proof that they are right."""

    data: bytes
    shared: bytes
    """beta."""
    challenge: bytes
    response: bytes


class Decryptor20:
    """A quorum of guardians of a 2.0.0 election, in one process."""

    def __init__(self, keys: Keys20, shares: Sequence[KeyShare], random: RandomBytes = secrets.token_bytes) -> None:
        """With the shares of those who decrypt. Raises BallotError where they are fewer than the quorum."""
        self._keys: Final = keys
        self._shares: Final = tuple(shares)
        self._quorum: Final = Quorum(*keys.for_quorum(), [share.index for share in shares])
        self._logarithms: Final = SmallLogarithms(keys.group, keys.vote_key)
        self._random: Final = random

    def option(self, ciphertext: Ciphertext, bound: int) -> DecryptedOption:
        """The number that a ciphertext holds (equations 64 to 76). Raises BallotError for one above `bound`."""
        group = self._keys.group
        proof = self._prove(group.element(ciphertext.alpha), b"".join(ciphertext), Use20.DECRYPTION_PROOF)
        power = group.element(ciphertext.beta) * gmpy2.invert(proof.decrypted, group.p) % group.p
        value = self._logarithms.find(power, bound)
        if value is None:
            raise BallotError(f"a ciphertext holds no number of 0 to {bound}: it is not made of ballots that passed their checks")
        return DecryptedOption(value, group.element_bytes(power), group.scalar_bytes(proof.c), group.scalar_bytes(proof.v))

    def contest_data(self, place: DataPlace, sealed: SealedData) -> DecryptedData:
        """Contest data (equations 77 to 89). Raises BallotError where they are not what was sealed."""
        group = self._keys.group
        proof = self._prove(group.element(sealed.point), place.proof_body(sealed), Use20.DATA_DECRYPTION_PROOF)
        shared = group.element_bytes(proof.decrypted)
        return DecryptedData(open_data(place, sealed, shared), shared, group.scalar_bytes(proof.c), group.scalar_bytes(proof.v))

    def _prove(self, base: gmpy2.mpz, body: bytes, use: Use20) -> Proof:
        keys = self._keys
        target = Target("vote", base, keys.extended_hash, keys.key_bytes, body, Use20.DECRYPTION_COMMITMENT, use)
        drawn = {share.index: keys.group.random_scalar(self._random) for share in self._shares}
        made = {share.index: commit(self._quorum, share, target, drawn[share.index]) for share in self._shares}
        commitments = {index: each for index, (each, _) in made.items()}
        reveals = {index: each for index, (_, each) in made.items()}
        responses = {
            share.index: respond(self._quorum, share, target, drawn[share.index], commitments, reveals) for share in self._shares
        }
        return combine(self._quorum, target, commitments, reveals, responses)


def read_status(data: bytes) -> str:
    """How a contest was voted, from contest data that `encrypt.data_text` wrote."""
    return str(msgspec.json.decode(data)["status"])
