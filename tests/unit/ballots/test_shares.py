"""Polynomials, proofs and sealed shares of the key ceremony."""

import pytest
from gmpy2 import mpz

from ballot_helpers import SMALL, seeded
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.hashing import Use, challenge, small
from scrutineer.ballots.record import Sealed
from scrutineer.ballots.secret_base import SecretBase, generator
from scrutineer.ballots.shares import committed, evaluate, open_shares, prove_secrets, seal_shares, secrets_proved, share_holds
from scrutineer.errors import BallotError

PARAMETERS = bytes(range(32))


def scalars(count: int, seed: object = "scalars") -> tuple[mpz, ...]:
    random = seeded(seed)
    return tuple(SMALL.random_scalar(random) for _ in range(count))


def shown(secrets: tuple[mpz, ...]) -> tuple[bytes, ...]:
    return tuple(SMALL.element_bytes(SMALL.power(SMALL.g, each)) for each in secrets)


@pytest.mark.parametrize("group", [SMALL, STANDARD], ids=["small", "standard"])
def test_powers_of_a_secret_base_are_powers(group: object) -> None:
    assert isinstance(group, type(SMALL))
    random = seeded("powers")
    base = group.power(group.g, group.random_scalar(random))
    table = SecretBase(group, base)
    for exponent in (mpz(0), mpz(1), mpz(15), mpz(16), group.q - 1, *(group.random_scalar(random) for _ in range(5))):
        assert table.power(exponent) == group.power(base, exponent)
    assert generator(group) is generator(group)


def test_a_polynomial_is_what_its_commitments_say() -> None:
    coefficients = scalars(3)
    values = tuple(map(SMALL.element, shown(coefficients)))
    assert evaluate(SMALL, coefficients, 0) == coefficients[0]
    assert evaluate(SMALL, (mpz(5), mpz(7), mpz(11)), 3) == 5 + 7 * 3 + 11 * 9
    for index in (1, 2, 7, 64):
        share = evaluate(SMALL, coefficients, index)
        assert SMALL.power(SMALL.g, share) == committed(SMALL, values, index)
        assert share_holds(SMALL, share, values, index)
        assert not share_holds(SMALL, share + 1, values, index)
        assert not share_holds(SMALL, share + SMALL.q, values, index)


def test_the_proof_is_that_of_the_specification() -> None:
    secrets = scalars(4)
    elements = shown(secrets)
    proof = prove_secrets(SMALL, PARAMETERS, "vote", 2, secrets, elements, seeded("proof"))
    c, *responses = (SMALL.scalar(proof[place : place + 32]) for place in range(0, len(proof), 32))
    commitments = [
        SMALL.element_bytes(SMALL.power(SMALL.g, v) * SMALL.power(SMALL.element(element), c) % SMALL.p)
        for v, element in zip(responses, elements, strict=True)
    ]
    assert c == challenge(SMALL, PARAMETERS, Use.GUARDIAN_PROOF, b"pk_vote", small(2), *elements, *commitments)
    assert secrets_proved(SMALL, PARAMETERS, "vote", 2, elements, proof)


def test_a_proof_holds_for_nothing_else() -> None:
    secrets = scalars(4)
    elements = shown(secrets)
    proof = prove_secrets(SMALL, PARAMETERS, "vote", 2, secrets, elements, seeded("proof"))
    assert not secrets_proved(SMALL, PARAMETERS, "data", 2, elements, proof)
    assert not secrets_proved(SMALL, PARAMETERS, "vote", 3, elements, proof)
    assert not secrets_proved(SMALL, bytes(32), "vote", 2, elements, proof)
    assert not secrets_proved(SMALL, PARAMETERS, "vote", 2, elements[::-1], proof)
    assert not secrets_proved(SMALL, PARAMETERS, "vote", 2, elements, proof[:-32])
    for place in range(0, len(proof), 32):
        changed = bytearray(proof)
        changed[place + 31] ^= 1
        assert not secrets_proved(SMALL, PARAMETERS, "vote", 2, elements, bytes(changed))
        # The same value plus q is another encoding of it, and no scalar.
        value = int.from_bytes(proof[place : place + 32], "big") + int(SMALL.q)
        if value < 2**256:
            assert not secrets_proved(
                SMALL, PARAMETERS, "vote", 2, elements, proof[:place] + value.to_bytes(32, "big") + proof[place + 32 :]
            )


def sealed_pair() -> tuple[mpz, bytes, tuple[mpz, mpz], Sealed]:
    secret, first, second = scalars(3, "pair")
    key = SMALL.element_bytes(SMALL.power(SMALL.g, secret))
    return secret, key, (first, second), seal_shares(SMALL, PARAMETERS, 1, 2, key, (first, second), seeded("seal"))


def test_sealed_shares_open_for_their_receiver() -> None:
    secret, key, shares, sealed = sealed_pair()
    assert open_shares(SMALL, PARAMETERS, 1, 2, secret, key, sealed) == shares
    assert shares[0] not in (SMALL.scalar(sealed.data[:32]), SMALL.scalar(sealed.data[32:]))


def test_sealed_shares_that_were_changed_or_are_for_others_do_not_open() -> None:
    secret, key, _, sealed = sealed_pair()
    negative = SMALL.element_bytes(SMALL.p - SMALL.element(sealed.point))
    for changed in (
        Sealed(sealed.point, sealed.data[:-1] + b"\x00", sealed.proof),
        Sealed(sealed.point, sealed.data[:32], sealed.proof),
        Sealed(sealed.point, sealed.data, sealed.proof[:-1] + b"\x00"),
        Sealed(sealed.point, sealed.data, sealed.proof[:-1]),
        Sealed(negative, sealed.data, sealed.proof),
        Sealed(bytes(64), sealed.data, sealed.proof),
        Sealed(sealed.point[1:], sealed.data, sealed.proof),
    ):
        with pytest.raises(BallotError, match="sealed"):
            open_shares(SMALL, PARAMETERS, 1, 2, secret, key, changed)
    with pytest.raises(BallotError, match="proof of the sealed shares does not hold"):
        open_shares(SMALL, PARAMETERS, 1, 3, secret, key, sealed)
