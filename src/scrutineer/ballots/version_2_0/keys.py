"""Guardians of a test election under ElectionGuard 2.0.0, and its keys.

Design Specification 2.0.0, section 3.2. One program plays all guardians, so that no shares need to be sealed; polynomials,
shares and proofs are computed by the functions of the real ceremony.
"""

from dataclasses import dataclass
from math import prod
from typing import Final, NamedTuple

from gmpy2 import mpz

from scrutineer.ballots.ceremony import KeyShare
from scrutineer.ballots.group import SCALAR_SIZE, Group, RandomBytes
from scrutineer.ballots.hashing import challenge, small
from scrutineer.ballots.keys import MAX_GUARDIANS, ElectionKeys, GuardianKeys
from scrutineer.ballots.manifest import Manifest
from scrutineer.ballots.proofs import prove_knowledge
from scrutineer.ballots.secret_base import generator
from scrutineer.ballots.shares import evaluate
from scrutineer.ballots.version_2_0 import hashes
from scrutineer.ballots.version_2_0.hashes import Use20
from scrutineer.errors import BallotError


class ProvedKey(NamedTuple):
    """The commitment to one coefficient, and the proof (c, v) that its guardian knows it."""

    element: bytes
    challenge: bytes
    response: bytes


@dataclass(frozen=True)
class Guardian:
    """What one guardian publishes."""

    index: int
    name: str
    keys: tuple[ProvedKey, ...]
    """K_i,0 ... K_i,k-1."""


class Keys20:
    """All that encrypting and decrypting need of a 2.0.0 election's keys."""

    def __init__(self, group: Group, manifest: Manifest, document: bytes, guardians: tuple[Guardian, ...], quorum: int) -> None:
        """`document` is the manifest as it is exported: the file that H_M binds."""
        self.group: Final = group
        self.manifest: Final = manifest
        self.guardians: Final = guardians
        self.quorum: Final = quorum
        self.vote_key: Final = prod((group.element(each.keys[0].element) for each in guardians), start=mpz(1)) % group.p
        """K."""
        self.key_bytes: Final = group.element_bytes(self.vote_key)
        self.parameter_hash: Final = hashes.parameter_hash(group)
        self.manifest_hash: Final = hashes.manifest_hash(self.parameter_hash, document)
        self.base_hash: Final = hashes.base_hash(self.parameter_hash, self.manifest_hash, len(guardians), quorum)
        self.extended_hash: Final = hashes.extended_hash(self.base_hash, self.key_bytes)

    def for_quorum(self) -> tuple[ElectionKeys, tuple[GuardianKeys, ...]]:
        """These keys as the rounds of decryption take them. The 2.1.0 hashes in there are used for nothing."""
        keys = ElectionKeys(self.group, self.manifest, len(self.guardians), self.quorum, self.vote_key, self.vote_key)
        public = (
            GuardianKeys(each.index, each.name, tuple(key.element for key in each.keys), (), b"", b"", b"")
            for each in self.guardians
        )
        return keys, tuple(public)


def make_guardians(group: Group, guardians: int, quorum: int, random: RandomBytes) -> tuple[tuple[Guardian, ...], list[KeyShare]]:
    """New guardians, and the share of the election's secret that each of them would hold (equations 8 to 13 and 22).

    Raises BallotError for numbers that cannot be.
    """
    if not 1 <= quorum <= guardians <= MAX_GUARDIANS:
        raise BallotError(f"{guardians} trustees with a quorum of {quorum} cannot be: name 1 to {MAX_GUARDIANS}, and at most all")
    secrets = [[group.random_scalar(random) for _ in range(quorum)] for _ in range(guardians)]
    parameters = hashes.parameter_hash(group)
    public = tuple(
        Guardian(
            index,
            f"guardian-{index}",
            tuple(prove_coefficient(group, parameters, index, number, secret, random) for number, secret in enumerate(own)),
        )
        for index, own in enumerate(secrets, 1)
    )
    held = [
        KeyShare(index, sum((evaluate(group, own, index) for own in secrets), mpz(0)) % group.q, mpz(0))
        for index in range(1, guardians + 1)
    ]
    return public, held


def prove_coefficient(group: Group, parameters: bytes, index: int, number: int, secret: mpz, random: RandomBytes) -> ProvedKey:
    """The commitment to a guardian's coefficient of that number, from 0, with its proof (equations 11 to 13)."""
    power = generator(group).power
    element = group.element_bytes(power(secret))

    def challenge_of(commitment: bytes) -> mpz:
        return challenge(group, parameters, Use20.GUARDIAN_PROOF, small(index), small(number), element, commitment)

    proof = prove_knowledge(group, power, secret, challenge_of, random)
    return ProvedKey(element, proof[:SCALAR_SIZE], proof[SCALAR_SIZE:])
