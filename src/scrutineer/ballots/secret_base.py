"""Powers of one base to many secret exponents, several times faster than one by one.

A table of powers would betray the exponent by which entries are read. Here every digit of the exponent reads the whole table and
keeps one entry by arithmetic alone, so that what is read, and in which order, is the same for every exponent.
"""

from functools import lru_cache
from typing import Final

import gmpy2
import numpy as np
from gmpy2 import mpz

from scrutineer.ballots.group import SCALAR_SIZE, Group

_DIGITS: Final = 2 * SCALAR_SIZE  # of 4 bits each, of an exponent
_VALUES: Final = np.arange(16, dtype=np.uint8)


class SecretBase:
    """A base of the group whose secret powers are taken. The table takes half a megabyte in the standard group."""

    def __init__(self, group: Group, base: mpz) -> None:
        self.group: Final = group
        self._width: Final = -(-group.element_size // 8) * 8
        entries = []
        factor = base
        for place in range(_DIGITS):
            # Every row but the first is multiplied by the base, and the first by its power of -(rows - 1): no entry is the
            # number 1, by which multiplying would be faster than by any other.
            entry = gmpy2.powmod(base, 1 - _DIGITS, group.p) if place == 0 else base
            for _ in range(16):
                entries.append(int(entry).to_bytes(self._width, "little"))
                entry = entry * factor % group.p
            factor = gmpy2.powmod(factor, 16, group.p)
        self._table: Final = np.frombuffer(b"".join(entries), dtype=np.uint64).reshape(_DIGITS, 16, self._width // 8)

    def power(self, exponent: mpz) -> mpz:
        """base^exponent for an exponent below q."""
        data = np.frombuffer(int(exponent).to_bytes(SCALAR_SIZE, "little"), dtype=np.uint8)
        digits = np.empty(_DIGITS, dtype=np.uint8)
        digits[0::2], digits[1::2] = data & 15, data >> 4
        chosen = (digits[:, np.newaxis] == _VALUES).astype(np.uint64)
        kept = np.einsum("ij,ijk->ik", chosen, self._table).tobytes()
        first, *others = (mpz(int.from_bytes(kept[at : at + self._width], "little")) for at in range(0, len(kept), self._width))
        for entry in others:
            first = first * entry % self.group.p
        return first


@lru_cache(maxsize=4)
def generator(group: Group) -> SecretBase:
    """The table of the group's generator, made once."""
    return SecretBase(group, group.g)
