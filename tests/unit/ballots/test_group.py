"""Powers in the group."""

from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from ballot_helpers import SMALL
from scrutineer.ballots.group import STANDARD

values, exponents = st.integers(0, int(SMALL.p) + 5).map(mpz), st.integers(0, 2**256 + 5).map(mpz)


@given(st.lists(st.tuples(values, exponents), max_size=4))
def test_powers_with_shared_squarings_are_the_product_of_the_powers(factors: list[tuple[mpz, mpz]]) -> None:
    expected = mpz(1)
    for base, exponent in factors:
        expected = expected * SMALL.power(base, exponent) % SMALL.p
    assert SMALL.powers(factors) == expected


def test_powers_of_the_standard_group() -> None:
    one, two = (STANDARD.power(STANDARD.g, mpz(number)) for number in (7, 11))
    assert STANDARD.powers([(one, STANDARD.q - 2), (two, mpz(5))]) == STANDARD.power(STANDARD.g, mpz(-14 + 55))
