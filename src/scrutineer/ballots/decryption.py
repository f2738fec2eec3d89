"""Verifiable decryption by a quorum of guardians, with commitments that are hashed before they are shown.

ElectionGuard Design Specification 2.1.0, sections 3.6.2 to 3.6.6; equation numbers are those of the specification. The same steps
decrypt the totals with the shares z_i and contest data with the shares z-hat_i: a `Target` holds what differs.

Each available guardian *commits* (M_i, and the hash d_i of a_i and b_i), then *reveals* (a_i, b_i) when it has all others'
hashes, then *responds* (v_i) when it has all others' reveals. `combine` makes the one proof (c, v), or names who spoilt it.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from math import gcd, lcm, prod
from typing import Final, NamedTuple

import gmpy2
from gmpy2 import mpz

from scrutineer.ballots.ceremony import Complaint, GuardianError, KeyShare, share_key
from scrutineer.ballots.group import SCALAR_SIZE, Group
from scrutineer.ballots.hashing import Use, challenge, digest, small
from scrutineer.ballots.keys import ElectionKeys, GuardianKeys
from scrutineer.ballots.proofs import check_seal, data_envelope
from scrutineer.ballots.record import Sealed
from scrutineer.ballots.secret_base import generator
from scrutineer.ballots.shares import Kind
from scrutineer.ballots.tables import fixed_base
from scrutineer.errors import BallotError

_SMALL: Final = 64  # bits of a coefficient that is raised to directly


class Target(NamedTuple):
    """One ciphertext to decrypt, and what its hashes are bound to."""

    kind: Kind
    """Whose shares decrypt it: those of the vote key or of the data key."""
    base: mpz
    """A, or C_0."""
    hash_key: bytes
    """H_E, or H_I of the ballot."""
    place: bytes
    """Numbers of contest and field, or of the contest, as they are hashed."""
    body: bytes
    """A and B, or C_0, C_1 and C_2, as they are hashed."""
    commitment_use: IntEnum
    proof_use: IntEnum


def total_target(keys: ElectionKeys, contest: int, field: int, alpha: bytes, beta: bytes) -> Target:
    """The encrypted total (A, B) of one field (section 3.6.5). Raises BallotError for what no product of ballots can be."""
    base = keys.group.element(alpha)
    # The one small order that could draw a bit out of a secret exponent shows in the Jacobi symbol.
    if not 0 < base < keys.group.p or gmpy2.jacobi(base, keys.group.p) != 1:
        raise BallotError(f"contest {contest}, field {field}: the total is no element of the group (check 9.A)")
    return Target(
        "vote",
        base,
        keys.extended_hash,
        small(contest) + small(field),
        alpha + beta,
        Use.DECRYPTION_COMMITMENT,
        Use.DECRYPTION_PROOF,
    )


def data_target(keys: ElectionKeys, identifier_hash: bytes, contest: int, sealed: Sealed) -> Target:
    """The contest data of one ballot (section 3.6.6). Raises BallotError where their own proof does not hold (equation 69)."""
    if not check_seal(keys.group, data_envelope(identifier_hash, contest), sealed):
        raise BallotError("the proof of these contest data does not hold: they must not be decrypted (section 3.6.6)")
    return Target(
        "data",
        keys.group.element(sealed.point),
        identifier_hash,
        small(contest),
        sealed.point + sealed.data + sealed.proof,
        Use.DATA_DECRYPTION_COMMITMENT,
        Use.DATA_DECRYPTION_PROOF,
    )


class Commitment(NamedTuple):
    """The first thing that a guardian gives: its partial decryption, as its root, and the hash of what it will reveal."""

    root: bytes
    """What M_i (equation 84 or 96) is the power of: `Quorum.partial` of it."""
    hash: bytes
    """d_i (equation 88 or 99)."""


class Reveal(NamedTuple):
    """The second: the commitments behind the hash (equation 87 or 98)."""

    a: bytes
    b: bytes


class Proof(NamedTuple):
    """A finished decryption: M (or beta), and the proof that it is right."""

    decrypted: mpz
    c: mpz
    v: mpz

    def encode(self, group: Group) -> bytes:
        """(c, v) as 64 bytes."""
        return group.scalar_bytes(self.c) + group.scalar_bytes(self.v)


class Quorum:
    """The guardians who are available for one decryption: U of the specification, with their Lagrange coefficients."""

    def __init__(self, keys: ElectionKeys, guardians: tuple[GuardianKeys, ...], available: Sequence[int]) -> None:
        """`guardians` are those of the key record, which passed verifications 1 to 4.

        Raises BallotError where those available are fewer than the quorum, or not guardians.
        """
        numbers = tuple(sorted(set(available)))
        if len(numbers) != len(available) or not set(numbers) <= set(range(1, keys.guardians + 1)):
            raise BallotError(f"trustees {_listed(available)} cannot decrypt: name each once, from 1 to {keys.guardians}")
        if len(numbers) < keys.quorum:
            raise BallotError(
                f"{len(numbers)} of {keys.guardians} trustees are here and {keys.quorum} are needed: with fewer nothing can be "
                "decrypted by anyone. Look for the keys of the others; if they stay lost, the paper records are counted instead"
            )
        self.keys: Final = keys
        self.guardians: Final = guardians
        self.numbers: Final = numbers
        self._hashed: Final = small(len(numbers)) + b"".join(map(small, numbers))
        q = keys.group.q
        fractions = {own: _fraction(own, numbers) for own in numbers}
        self.coefficients: Final = {
            own: mpz(above) * gmpy2.invert(mpz(below), q) % q for own, (above, below) in fractions.items()
        }
        """w_i (equation 85)."""
        # Over their common denominator the coefficients are integers, and small ones unless the guardians are very many. Where
        # every guardian gives the root of its M_i, of that degree, no large power is left in putting them together.
        common = lcm(*(below for _, below in fractions.values()))
        numerators = {own: mpz(above * (common // below)) for own, (above, below) in fractions.items()}
        small_enough = max(abs(above).bit_length() for above in numerators.values()) <= _SMALL
        self._denominator: Final = mpz(common if small_enough else 1)
        self._numerators: Final = numerators if small_enough else self.coefficients

    def root(self, base: mpz, secret: mpz) -> mpz:
        """A guardian's partial decryption base^secret (equations 84 and 96), as its root.

        For base^secret to the power of a Lagrange coefficient, which is a fraction, everyone would need a large power. The root
        of the degree of its denominator costs the guardian nothing more, and all others only a small power.
        """
        group = self.keys.group
        return group.power_secret(base, secret * gmpy2.invert(self._denominator, group.q) % group.q)

    def partial(self, root: bytes) -> mpz:
        """The partial decryption of which a guardian gave the root."""
        return self.keys.group.power(self.keys.group.element(root), self._denominator)

    def commitment_hash(self, target: Target, guardian: int, reveal: Reveal, root: bytes) -> bytes:
        """d_i (equations 88 and 99)."""
        partial = self.keys.group.element_bytes(self.partial(root))
        parts = (target.place, small(guardian), target.body, reveal.a, reveal.b, partial, self._hashed)
        return digest(target.hash_key, target.commitment_use, *parts)

    def combine_roots(self, roots: Mapping[int, bytes]) -> mpz:
        """M from the roots of all M_i (equations 86 and 97)."""
        group = self.keys.group
        raised = (gmpy2.powmod(group.element(roots[own]), power, group.p) for own, power in self._numerators.items())
        return prod(raised, start=mpz(1)) % group.p

    def combine_partials(self, partials: Mapping[int, bytes]) -> mpz:
        """M from all M_i themselves (equation 108), with one large power."""
        group = self.keys.group
        return group.power(self.combine_roots(partials), gmpy2.invert(self._denominator, group.q))

    def challenge(self, target: Target, reveals: Mapping[int, Reveal], decrypted: mpz) -> tuple[mpz, mpz, mpz]:
        """The joint a and b (equation 89), and c (equations 90 and 101)."""
        group = self.keys.group
        a, b = mpz(1), mpz(1)
        for own in self.numbers:
            a = a * group.element(reveals[own].a) % group.p
            b = b * group.element(reveals[own].b) % group.p
        hashed = (target.place, target.body, *map(group.element_bytes, (a, b, decrypted)))
        return a, b, challenge(group, target.hash_key, target.proof_use, *hashed)


def commit(quorum: Quorum, share: KeyShare, target: Target, u: mpz) -> tuple[Commitment, Reveal]:
    """A guardian's partial decryption and commitments (equations 84, 87 and 88). `u` is random and never used again."""
    group = quorum.keys.group
    secret = share.vote if target.kind == "vote" else share.data
    root = group.element_bytes(quorum.root(target.base, secret))
    reveal = Reveal(group.element_bytes(generator(group).power(u)), group.element_bytes(group.power_secret(target.base, u)))
    return Commitment(root, quorum.commitment_hash(target, share.index, reveal, root)), reveal


def respond(
    quorum: Quorum,
    share: KeyShare,
    target: Target,
    u: mpz,
    commitments: Mapping[int, Commitment],
    reveals: Mapping[int, Reveal],
) -> bytes:
    """A guardian's response v_i (equations 90 to 92). Raises GuardianError as `check_reveals` does."""
    check_reveals(quorum, target, commitments, reveals)
    group = quorum.keys.group
    decrypted = quorum.combine_roots({own: commitments[own].root for own in quorum.numbers})
    _, _, c = quorum.challenge(target, reveals, decrypted)
    secret = share.vote if target.kind == "vote" else share.data
    return group.scalar_bytes((u - c * quorum.coefficients[share.index] * secret) % group.q)


def check_reveals(quorum: Quorum, target: Target, commitments: Mapping[int, Commitment], reveals: Mapping[int, Reveal]) -> None:
    """Raise GuardianError with all who revealed something else than they had committed to (equation 88 or 99)."""
    group, found = quorum.keys.group, []
    for own in quorum.numbers:
        root, reveal = commitments[own].root, reveals[own]
        lengths = {len(root), len(reveal.a), len(reveal.b)}
        if lengths != {group.element_size}:
            found.append(Complaint(own, "88", f"what it gave are not elements of {group.element_size} bytes"))
        elif not all(0 < group.element(each) < group.p for each in (root, *reveal)):
            found.append(Complaint(own, "88", "what it gave are not elements of the group"))
        elif quorum.commitment_hash(target, own, reveal, root) != commitments[own].hash:
            found.append(Complaint(own, "88", "what it revealed is not what it had committed to"))
    if found:
        raise GuardianError(found)


def combine(
    quorum: Quorum,
    target: Target,
    commitments: Mapping[int, Commitment],
    reveals: Mapping[int, Reveal],
    responses: Mapping[int, bytes],
) -> Proof:
    """The decryption with its proof (equations 86, 89, 90 and 93).

    Raises GuardianError with those who gave something wrong (equations 88, 94 and 95).
    """
    check_reveals(quorum, target, commitments, reveals)
    group, keys = quorum.keys.group, quorum.keys
    for own in quorum.numbers:
        if len(responses[own]) != SCALAR_SIZE or not group.is_scalar(group.scalar(responses[own])):
            raise GuardianError([Complaint(own, "92", "its response is not a number below q")])
    decrypted = quorum.combine_roots({own: commitments[own].root for own in quorum.numbers})
    a, b, c = quorum.challenge(target, reveals, decrypted)
    v = sum((group.scalar(responses[own]) for own in quorum.numbers), mpz(0)) % group.q
    joint = fixed_base(group, keys.vote_key if target.kind == "vote" else keys.data_key)
    # (10.2), (10.3), or (12.1), (12.2): the whole proof is checked first, and each part only where the whole is wrong.
    if a == fixed_base(group, group.g).power(v) * joint.power(c) % group.p and b == group.powers(
        ((target.base, v), (decrypted, c))
    ):
        return Proof(decrypted, c, v)
    raise GuardianError(_culprits(quorum, target, commitments, reveals, responses, c))


def _culprits(
    quorum: Quorum,
    target: Target,
    commitments: Mapping[int, Commitment],
    reveals: Mapping[int, Reveal],
    responses: Mapping[int, bytes],
    c: mpz,
) -> tuple[Complaint, ...]:
    group, found = quorum.keys.group, []
    for own in quorum.numbers:
        v, root = group.scalar(responses[own]), commitments[own].root
        own_c = c * quorum.coefficients[own] % group.q
        public = share_key(group, quorum.guardians, own, target.kind)
        if not all(group.is_element(group.element(each)) for each in (root, *reveals[own])):
            found.append(Complaint(own, "84", "what it gave are not elements of the group"))
        elif group.power(group.g, v) * group.power(public, own_c) % group.p != group.element(reveals[own].a):
            found.append(Complaint(own, "94", "its response does not fit its public key"))
        elif group.power(target.base, v) * group.power(quorum.partial(root), own_c) % group.p != group.element(reveals[own].b):
            found.append(Complaint(own, "95", "its partial decryption is not made with its key"))
    if not found:
        raise BallotError("the decryption does not hold although each trustee's part does: check the file of the trustees' keys")
    return tuple(found)


def _fraction(own: int, available: Sequence[int]) -> tuple[int, int]:
    """A Lagrange coefficient as a fraction in lowest terms with a positive denominator (equation 85)."""
    above = prod(other for other in available if other != own)
    below = prod(other - own for other in available if other != own)
    shared = gcd(above, below) * (1 if below > 0 else -1)
    return above // shared, below // shared


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
