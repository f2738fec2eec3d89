"""What guardians do with the coefficients of their secrets: prove them, share them, seal the shares, and check them.

ElectionGuard Design Specification 2.1.0, section 3.2.2; equation numbers are those of the specification. Guardians are numbered
from 1. All functions are pure; randomness is passed in.
"""

from collections.abc import Sequence
from typing import Literal

from gmpy2 import mpz

from scrutineer.ballots.group import SCALAR_SIZE, Group, RandomBytes
from scrutineer.ballots.hashing import Use, challenge, small
from scrutineer.ballots.proofs import check_seal, seal, share_envelope, unseal
from scrutineer.ballots.record import Sealed
from scrutineer.ballots.secret_base import generator
from scrutineer.errors import BallotError

Kind = Literal["vote", "data"]
"""Which of the two joint keys a coefficient belongs to: K of the votes, or K-hat of nonces and contest data."""


def evaluate(group: Group, coefficients: Sequence[mpz], index: int) -> mpz:
    """P_i(l): the value of a guardian's polynomial at another's index (equation 7)."""
    value = mpz(0)
    for coefficient in reversed(coefficients):
        value = (value * index + coefficient) % group.q
    return value


def committed(group: Group, commitments: Sequence[mpz], index: int) -> mpz:
    """g^P_i(l), computed from the published commitments to the coefficients of P_i (equation 14)."""
    value = mpz(1)
    for commitment in reversed(commitments):
        value = group.power(value, mpz(index)) * commitment % group.p
    return value


def prove_secrets(
    group: Group,
    parameters: bytes,
    kind: Kind,
    index: int,
    secrets: Sequence[mpz],
    elements: Sequence[bytes],
    random: RandomBytes,
) -> bytes:
    """The proof that a guardian knows its k coefficients and its communication key (equations 10 to 13).

    `secrets` are the coefficients, then zeta; `elements` the commitments, then kappa. Gives c, v_0 ... v_k.
    """
    drawn = [group.random_scalar(random) for _ in secrets]
    shown = [group.element_bytes(generator(group).power(each)) for each in drawn]
    c = _key_challenge(group, parameters, kind, index, elements, shown)
    responses = [(each - c * secret) % group.q for each, secret in zip(drawn, secrets, strict=True)]
    return b"".join(map(group.scalar_bytes, (c, *responses)))


def secrets_proved(group: Group, parameters: bytes, kind: Kind, index: int, elements: Sequence[bytes], proof: bytes) -> bool:
    """Whether a proof of `prove_secrets` holds (checks 2.B and 2.C); `elements` are commitments and kappa."""
    values = [group.scalar(proof[place : place + SCALAR_SIZE]) for place in range(0, len(proof), SCALAR_SIZE)]
    if len(values) != len(elements) + 1 or not all(map(group.is_scalar, values)):
        return False
    c, *responses = values
    shown = [
        group.element_bytes(generator(group).power(v) * group.power(group.element(element), c) % group.p)
        for v, element in zip(responses, elements, strict=True)
    ]
    return bool(c == _key_challenge(group, parameters, kind, index, elements, shown))


def _key_challenge(
    group: Group, parameters: bytes, kind: Kind, index: int, elements: Sequence[bytes], shown: Sequence[bytes]
) -> mpz:
    return challenge(group, parameters, Use.GUARDIAN_PROOF, b"pk_" + kind.encode(), small(index), *elements, *shown)


def seal_shares(
    group: Group, parameters: bytes, sender: int, receiver: int, key: bytes, shares: tuple[mpz, mpz], random: RandomBytes
) -> Sealed:
    """The sender's shares P_i(l) of both secrets, sealed to the receiver's communication key (equations 15 to 22)."""
    kappa, data = group.element(key), b"".join(map(group.scalar_bytes, shares))
    envelope = share_envelope(parameters, sender, receiver, key)
    nonce = group.random_scalar(random)
    return seal(group, generator(group).power, lambda each: group.power_secret(kappa, each), envelope, data, nonce, random)


def open_shares(
    group: Group, parameters: bytes, sender: int, receiver: int, secret: mpz, key: bytes, sealed: Sealed
) -> tuple[mpz, mpz]:
    """The shares that a guardian sent, opened with the receiver's communication secret (equation 23).

    Raises BallotError where the sealed shares are malformed or their proof does not hold. Whether the shares are the right ones
    is for `share_holds`.
    """
    envelope = share_envelope(parameters, sender, receiver, key)
    if len(sealed.data) != 2 * SCALAR_SIZE:
        raise BallotError("what was sealed is not two shares")
    # A point outside the group would draw bits of the receiver's secret out of it; `check_seal` refuses it.
    if not check_seal(group, envelope, sealed):
        raise BallotError("the proof of the sealed shares does not hold")
    opened = unseal(group, envelope, sealed, group.power_secret(group.element(sealed.point), secret))
    return group.scalar(opened[:SCALAR_SIZE]), group.scalar(opened[SCALAR_SIZE:])


def share_holds(group: Group, share: mpz, commitments: Sequence[mpz], receiver: int) -> bool:
    """Whether a share is what its sender's commitments say (equations 28 and 29)."""
    return group.is_scalar(share) and generator(group).power(share) == committed(group, commitments, receiver)
