"""Powers and membership from one chain of squares, against gmpy2's own."""

import pytest
from gmpy2 import mpz

from ballot_helpers import SMALL, seeded
from scrutineer.ballots.exact import PowerChain
from scrutineer.ballots.group import STANDARD, Group

RANDOM = seeded("exact")
EXPONENTS = [
    *(mpz(number) for number in (0, 1, 2, 3, 14, 15, 16, 17, 255, 256)),
    *(mpz(1) << bit for bit in (31, 128, 255)),
    SMALL.q - 1,
    SMALL.q,
    SMALL.q + 1,
    (mpz(1) << 256) - 1,
    *(mpz(int.from_bytes(RANDOM(32), "big")) for _ in range(60)),
]
VALUES = [mpz(0), mpz(1), mpz(2), SMALL.p - 1, SMALL.p, SMALL.p + 2, SMALL.g, mpz(int.from_bytes(RANDOM(64), "big"))]


@pytest.mark.parametrize("value", VALUES)
def test_powers(value: mpz) -> None:
    chain = PowerChain(SMALL, value)
    for exponent in EXPONENTS:
        assert chain.power(exponent) == SMALL.power(value, exponent)


def test_powers_of_the_standard_group() -> None:
    value = STANDARD.power(STANDARD.g, mpz(77))
    chain = PowerChain(STANDARD, value)
    assert chain.is_element()
    assert not PowerChain(STANDARD, STANDARD.p - value).is_element()
    for exponent in EXPONENTS[::8]:
        assert chain.power(exponent) == STANDARD.power(value, exponent)


def test_membership() -> None:
    members = [mpz(1), SMALL.g, *(SMALL.power(SMALL.g, exponent) for exponent in EXPONENTS)]
    outside = [SMALL.p - member for member in members]  # the sign flipped: of order 2q
    outside += [SMALL.power(mpz(3), 2 * SMALL.q), mpz(0), SMALL.p, SMALL.p + 1, SMALL.p + SMALL.g, mpz(2), (mpz(1) << 512) - 1]
    for value in members:
        assert SMALL.is_element(value)
        assert PowerChain(SMALL, value).is_element()
    for value in outside:
        assert not SMALL.is_element(value)
        assert not PowerChain(SMALL, value).is_element()


def test_membership_where_the_order_is_another() -> None:
    """The short cut holds for q = 2^256 - 189 alone."""
    group = Group(23, 11, 4)
    members = {number for number in range(24) if PowerChain(group, mpz(number)).is_element()}
    assert members == {1, 2, 3, 4, 6, 8, 9, 12, 13, 16, 18}
