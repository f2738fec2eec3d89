"""Making the proofs of a ballot, and sealing what is encrypted but not counted.

ElectionGuard Design Specification 2.1.0, sections 3.3.4, 3.3.7, 3.3.8 and 3.3.10, and the sealing of key shares in 3.2.2.

A range proof shows that a ciphertext (alpha, beta) = (g^xi, K^(xi + value)) holds one of 0 ... limit. The prover commits with
powers of g and K alone (equation 58), so both bases come from tables. `commit_range` commits for a value that is known;
`PreparedRange` before it is known, in a third more time, and settles on the value by multiplications alone.

What is secret here is used once: u and the false challenges live until the response is made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import gmpy2
from gmpy2 import mpz

from scrutineer.ballots.group import SCALAR_SIZE, Group, RandomBytes
from scrutineer.ballots.hashing import HASH_SIZE, Use, challenge, digest, key_stream, small, xor
from scrutineer.ballots.record import Sealed
from scrutineer.ballots.tables import Power
from scrutineer.errors import BallotError

SCHNORR_SIZE: Final = 2 * SCALAR_SIZE


class RangeCommitment(NamedTuple):
    """What a prover has committed to, for a value that is known."""

    value: int
    randoms: tuple[mpz, ...]
    """u_0 ... u_limit."""
    challenges: tuple[mpz, ...]
    """c_0 ... c_limit, drawn for all that the value is not; the one at the value is not used."""
    points: bytes
    """a_0, b_0, ... a_limit, b_limit as they are hashed."""


def commit_range(group: Group, g: Power, key: Power, value: int, limit: int, random: RandomBytes) -> RangeCommitment:
    """Commit to a proof that a ciphertext holds one of 0 ... limit, of which it holds `value` (equations 57 and 58)."""
    randoms, challenges, points = [], [], []
    for other in range(limit + 1):
        u, c = group.random_scalar(random), group.random_scalar(random)
        randoms.append(u)
        challenges.append(c)
        points += [group.element_bytes(g(u)), group.element_bytes(key(u + (value - other) * c))]
    return RangeCommitment(value, tuple(randoms), tuple(challenges), b"".join(points))


@dataclass(frozen=True, repr=False)
class PreparedRange:
    """A commitment for every value from 0 to a limit, of which one will be used."""

    group: Group
    randoms: tuple[mpz, ...]
    challenges: tuple[mpz, ...]
    firsts: tuple[bytes, ...]
    """a_0 ... a_limit."""
    starts: tuple[mpz, ...]
    """b_j for the value 0: K^(u_j - j c_j)."""
    steps: tuple[mpz, ...]
    """What b_j is multiplied by from a value to the next one: K^(c_j)."""

    def settle(self, value: int) -> RangeCommitment:
        """The commitment for the value that the ciphertext holds. The number of multiplications does not depend on it."""
        points = []
        for first, start, step in zip(self.firsts, self.starts, self.steps, strict=True):
            seconds = [start]
            for _ in range(len(self.steps) - 1):
                seconds.append(seconds[-1] * step % self.group.p)
            points += [first, self.group.element_bytes(seconds[value])]
        return RangeCommitment(value, self.randoms, self.challenges, b"".join(points))


def prepare_range(group: Group, g: Power, key: Power, limit: int, random: RandomBytes) -> PreparedRange:
    """Commit to a range proof before the value is known."""
    randoms = tuple(group.random_scalar(random) for _ in range(limit + 1))
    challenges = tuple(group.random_scalar(random) for _ in range(limit + 1))
    return PreparedRange(
        group,
        randoms,
        challenges,
        tuple(group.element_bytes(g(u)) for u in randoms),
        tuple(key(u - other * c) for other, (u, c) in enumerate(zip(randoms, challenges, strict=True))),
        tuple(key(c) for c in challenges),
    )


def respond_range(group: Group, commitment: RangeCommitment, nonce: mpz, whole: mpz) -> bytes:
    """The proof c_0 ... c_limit, v_0 ... v_limit once its challenge c is known (equations 60 and 61)."""
    value, q = commitment.value, group.q
    challenges = list(commitment.challenges)
    challenges[value] = (whole - sum(challenges) + challenges[value]) % q
    responses = [(u - c * nonce) % q for u, c in zip(commitment.randoms, challenges, strict=True)]
    return b"".join(group.scalar_bytes(scalar) for scalar in (*challenges, *responses))


def prove_range(
    group: Group, identifier_hash: bytes, place: bytes, alpha: bytes, beta: bytes, nonce: mpz, commitment: RangeCommitment
) -> bytes:
    """A range proof for a ciphertext of one field (equation 59) or of a contest's weighted sum (equation 62).

    `place` is the contest's number, and for one field its number too, as they are hashed: 4 bytes each.
    """
    whole = challenge(group, identifier_hash, Use.RANGE_PROOF, place, alpha, beta, commitment.points)
    return respond_range(group, commitment, nonce, whole)


def weighted_product(group: Group, elements: Sequence[mpz], weights: Sequence[int]) -> mpz:
    """The product of elements raised to their weights: alpha-bar and beta-bar of section 3.3.8."""
    product = mpz(1)
    for element, weight in zip(elements, weights, strict=True):
        product = product * (element if weight == 1 else gmpy2.powmod(element, weight, group.p)) % group.p
    return product


def prove_knowledge(group: Group, g: Power, secret: mpz, challenge_of: Callable[[bytes], mpz], random: RandomBytes) -> bytes:
    """A Schnorr proof (c, v) that the prover knows the logarithm of g^secret. `challenge_of` hashes the commitment's bytes."""
    u = group.random_scalar(random)
    c = challenge_of(group.element_bytes(g(u)))
    return group.scalar_bytes(c) + group.scalar_bytes((u - c * secret) % group.q)


def check_knowledge(group: Group, point: mpz, proof: bytes, challenge_of: Callable[[bytes], mpz]) -> bool:
    """Whether a Schnorr proof holds for an element. That the point is in the subgroup is for the caller."""
    if len(proof) != SCHNORR_SIZE:
        return False
    c, v = group.scalar(proof[:SCALAR_SIZE]), group.scalar(proof[SCALAR_SIZE:])
    if not (group.is_scalar(c) and group.is_scalar(v)):
        return False
    commitment = group.power(group.g, v) * group.power(point, c) % group.p
    return bool(challenge_of(group.element_bytes(commitment)) == c)


class Envelope(NamedTuple):
    """What a sealed text is bound to: the same sealing serves ballot nonces, contest data and key shares."""

    hash_key: bytes
    key_use: Use
    key_context: bytes
    """What is hashed before alpha and beta."""
    proof_use: Use
    proof_context: bytes
    label: bytes
    context: bytes
    wide: bool
    """Whether counter and length of the key stream have 4 bytes each (contest data), or 1 and 2."""

    def stream(self, group: Group, point: bytes, shared: mpz, size: int) -> bytes:
        """The bytes that data of that size are XORed with. Raises BallotError unless the size is a multiple of 32."""
        if size % HASH_SIZE or not size:
            raise BallotError(f"what is sealed has a multiple of {HASH_SIZE} bytes: {size} were given")
        key = digest(self.hash_key, self.key_use, self.key_context, point, group.element_bytes(shared))
        return key_stream(key, self.label, self.context, size // HASH_SIZE, wide=self.wide)

    def challenge(self, group: Group, commitment: bytes, point: bytes, data: bytes) -> mpz:
        """The challenge of the proof that the sealer knows the nonce."""
        return challenge(group, self.hash_key, self.proof_use, self.proof_context, commitment, point, data)


def nonce_envelope(identifier_hash: bytes) -> Envelope:
    """For the ballot nonce (equations 35, 36 and 38)."""
    uses = (Use.BALLOT_NONCE_KEY, b"", Use.BALLOT_NONCE_PROOF, b"")
    return Envelope(identifier_hash, *uses, b"ballot_nonce", b"ballot_nonce_encrypt", wide=False)


def data_envelope(identifier_hash: bytes, contest: int) -> Envelope:
    """For the contest data of a contest (equations 65, 66 and 69)."""
    number = small(contest)
    uses = (Use.DATA_KEY, number, Use.DATA_PROOF, number)
    return Envelope(identifier_hash, *uses, b"data_enc_keys", b"contest_data" + number, wide=True)


def share_envelope(parameter_hash: bytes, sender: int, receiver: int, receiver_key: bytes) -> Envelope:
    """For a guardian's shares for another one (equations 16 to 18 and 22)."""
    numbers = small(sender) + small(receiver)
    uses = (Use.SHARE_KEY, numbers + receiver_key, Use.SHARE_PROOF, numbers)
    return Envelope(parameter_hash, *uses, b"share_enc_keys", b"share_encrypt" + numbers, wide=False)


@dataclass(frozen=True, repr=False)
class PreparedSeal:
    """A sealing before its data are known: only exclusive ors and a hash are left to do."""

    group: Group
    envelope: Envelope
    point: bytes
    stream: bytes
    nonce: mpz
    random: mpz
    commitment: bytes

    def seal(self, data: bytes) -> Sealed:
        """Seal data of the prepared size. Raises BallotError for another size."""
        if len(data) != len(self.stream):
            raise BallotError(f"what is sealed here has {len(self.stream)} bytes: {len(data)} were given")
        hidden = xor(data, self.stream)
        c = self.envelope.challenge(self.group, self.commitment, self.point, hidden)
        v = (self.random - c * self.nonce) % self.group.q
        return Sealed(self.point, hidden, self.group.scalar_bytes(c) + self.group.scalar_bytes(v))


def prepare_seal(
    group: Group, g: Power, key: Power, envelope: Envelope, size: int, nonce: mpz, random: RandomBytes
) -> PreparedSeal:
    """Prepare to seal `size` bytes, a multiple of 32, under a public key with a secret nonce that is used for nothing else."""
    point = group.element_bytes(g(nonce))
    u = group.random_scalar(random)
    stream = envelope.stream(group, point, key(nonce), size)
    return PreparedSeal(group, envelope, point, stream, nonce, u, group.element_bytes(g(u)))


def seal(group: Group, g: Power, key: Power, envelope: Envelope, data: bytes, nonce: mpz, random: RandomBytes) -> Sealed:
    """Encrypt data, a multiple of 32 bytes, under the public key whose powers are given (signed hashed ElGamal)."""
    return prepare_seal(group, g, key, envelope, len(data), nonce, random).seal(data)


def check_seal(group: Group, envelope: Envelope, sealed: Sealed) -> bool:
    """Whether a sealed text has a point of the subgroup and the proof that its sealer knew the nonce."""
    if len(sealed.point) != group.element_size:
        return False
    point = group.element(sealed.point)
    return group.is_element(point) and check_knowledge(
        group, point, sealed.proof, lambda commitment: envelope.challenge(group, commitment, sealed.point, sealed.data)
    )


def unseal(group: Group, envelope: Envelope, sealed: Sealed, shared: mpz) -> bytes:
    """Read what was sealed. `shared` is beta: the point to the power of the secret key, or the public key to that of the nonce.

    Call `check_seal` before a secret key touches a point. There is no telling wrong keys: they give other bytes.
    Raises BallotError where the data are no multiple of 32 bytes.
    """
    return xor(sealed.data, envelope.stream(group, sealed.point, shared, len(sealed.data)))
