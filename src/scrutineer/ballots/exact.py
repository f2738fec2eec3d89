"""Range proofs of one ballot, recomputed exactly: no assumption and no help from whoever made it.

ElectionGuard Design Specification 2.1.0, verifications 6 and 7: for every encrypted field the values a_j = g^v_j alpha^c_j and
b_j = K^w_j beta^c_j are computed and hashed. Nearly all of the time goes into powers of alpha and beta, which are different on
every ballot. Two things make them cheap without changing what is computed:

- *Shared squarings.* All powers of one value need the same squares x^(2^i). `PowerChain` computes them once and combines them for
  each exponent by buckets (Yao's method, Knuth, The Art of Computer Programming, section 4.6.3, exercise 9): 256 squarings and
  about 67 multiplications for each exponent, instead of 300 operations for each.
- *Membership for free.* The order of the standard group is q = 2^256 - 189, so for 0 < x < p the condition x^q = 1 is
  x^(2^256) = x^189, and both sides lie in the chain.
"""

from collections.abc import Sequence
from typing import Final

from gmpy2 import mpz

from scrutineer.ballots.group import SCALAR_SIZE, Group
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.tables import FixedBase

BITS: Final = 8 * SCALAR_SIZE
TABLE_WINDOW: Final = 10  # bits: 30 MB for both bases of the standard group, made in 0.3 s
_WINDOW: Final = 4  # bits: 8 buckets for the odd digits
_LOW: Final = 189
_STANDARD_ORDER: Final = mpz(2) ** BITS - _LOW
_LOW_BITS: Final = tuple(bit for bit in range(8) if _LOW >> bit & 1)


class CheckTables:
    """Powers of the two fixed bases of an election, g and K, computed once for all its ballots."""

    def __init__(self, keys: ElectionKeys, window: int = TABLE_WINDOW) -> None:
        self.generator: Final = FixedBase(keys.group, keys.group.g, window)
        self.vote_key: Final = FixedBase(keys.group, keys.vote_key, window)


class PowerChain:
    """The squares x^(2^i) of one value modulo p, for i from 0 to 256, and all that follows from them."""

    def __init__(self, group: Group, value: mpz) -> None:
        """Square 256 times. The value may be anything, zero and values above p as well."""
        self._group = group
        self._value = value
        modulus = group.p
        power = value % modulus
        powers = [power]
        for _ in range(BITS):
            power = power * power % modulus
            powers.append(power)
        self._powers = powers

    def is_element(self) -> bool:
        """Whether the value lies in the group: 0 < x < p and x^q = 1 (checks 6.A and 7.A). Exact."""
        group, powers = self._group, self._powers
        if not 0 < self._value < group.p:
            return False
        if group.q != _STANDARD_ORDER:
            return group.is_element(self._value)
        low = mpz(1)
        for bit in _LOW_BITS:
            low = low * powers[bit] % group.p
        return bool(low == powers[BITS])

    def power(self, exponent: mpz) -> mpz:
        """x^exponent modulo p, for 0 <= exponent < 2^256."""
        modulus, powers = self._group.p, self._powers
        buckets: list[mpz | None] = [None] * (1 << (_WINDOW - 1))
        position = 0
        while exponent:
            zeros = exponent.bit_scan1()
            position += zeros
            exponent >>= zeros
            # The digit is odd: bucket k collects the squares that count 2k + 1 times.
            place = int(exponent & 15) >> 1
            held = buckets[place]
            buckets[place] = powers[position] if held is None else held * powers[position] % modulus
            exponent >>= _WINDOW
            position += _WINDOW
        return _odd_sum(buckets, modulus)


def _odd_sum(buckets: list[mpz | None], modulus: mpz) -> mpz:
    """The product of bucket_k^(2k + 1), as (product of bucket_k^k)^2 times the product of all buckets."""
    running: mpz | None = None
    total: mpz | None = None
    for bucket in reversed(buckets[1:]):
        if bucket is not None:
            running = bucket if running is None else running * bucket % modulus
        if running is not None:
            total = running if total is None else total * running % modulus
    result = mpz(1) if total is None else total * total % modulus
    if running is not None:
        result = result * running % modulus
    if buckets[0] is not None:
        result = result * buckets[0] % modulus
    return result


def range_commitments(
    group: Group, tables: CheckTables, alpha: PowerChain, beta: PowerChain, challenges: Sequence[mpz], responses: Sequence[mpz]
) -> bytes:
    """a_0, b_0, ... a_R, b_R as they are hashed (6.1, 6.2, 7.3 and 7.4)."""
    modulus = group.p
    generator, vote_key = tables.generator, tables.vote_key
    parts: list[bytes] = []
    for value, (challenge, response) in enumerate(zip(challenges, responses, strict=True)):
        first = generator.power(response) * alpha.power(challenge) % modulus
        second = vote_key.power(response - value * challenge) * beta.power(challenge) % modulus
        parts += (group.element_bytes(first), group.element_bytes(second))
    return b"".join(parts)


def seal_commitment(group: Group, tables: CheckTables, point: PowerChain, challenge: mpz, response: mpz) -> bytes:
    """A = g^v C_0^c as it is hashed (equations 38 and 69)."""
    return group.element_bytes(tables.generator.power(response) * point.power(challenge) % group.p)
