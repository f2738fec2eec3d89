"""Fixed-base tables: powers of g and of the election's keys with one multiplication for every few bits of the exponent.

ElectionGuard Design Specification 2.1.0, note 3.5. The exponent is cut into digits of `window` bits; for every digit the table
holds base^(digit * 2^position) for all values, so that a power is a product of entries without any squaring. For the standard
group:

| window | memory of one base | to build | products for a power | for                     |
|--------|--------------------|----------|----------------------|-------------------------|
| 8      | 4.7 MB             | 0.05 s   | 31                   | voting devices          |
| 12     | 42 MB              | 0.4 s    | 21                   | servers                 |
| 16     | 600 MB             | 5 s      | 15                   | batch jobs              |

Every entry is as long as any other, also that of the digit 0, so that the work does not depend on the exponent. Which entries
are read does (docs/decisions/fixed-base-tables.md says what that leaves open).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import gmpy2
from gmpy2 import mpz

from scrutineer.ballots.group import Group
from scrutineer.errors import BallotError

Power = Callable[[mpz], mpz]
"""The powers of one base: exponent to element."""
Progress = Callable[[int, int], None]
"""Told how much of some work is done, and of how much."""

DEVICE_WINDOW: Final = 8
SERVER_WINDOW: Final = 12
BATCH_WINDOW: Final = 16
ENTRY_OVERHEAD: Final = 56  # bytes of an entry beside its limbs: the integer's header, its allocation and its place in the row
MAX_CACHE: Final = 1536 * 1024 * 1024  # bytes; two tables of window 16 and some of window 12
MAX_TABLES: Final = 16
"""That many tables are shared: an election needs three."""


class FixedBase:
    """The powers of one element of the group."""

    def __init__(self, group: Group, base: mpz, window: int = DEVICE_WINDOW) -> None:
        """Nothing is computed yet: the table is built by `build`, or by the first power.

        The base must be an element of the subgroup of order q, which the caller has checked: exponents are taken modulo q.
        Raises BallotError for a window that is not 1 to 16.
        """
        if not 1 <= window <= BATCH_WINDOW:
            raise BallotError(f"a table of powers has a window of 1 to {BATCH_WINDOW} bits: {window} was given")
        self.group: Final = group
        self.base: Final = base
        self.window: Final = window
        bits = int(group.q.bit_length())
        count = -(-bits // window)
        # Digits of as equal a width as possible: no more products than with full windows, and a smaller table.
        self._widths: Final = tuple((bits + place) // count for place in range(count))
        self._rows: list[tuple[list[mpz], int, int]] = []
        self._building: Final = threading.Lock()

    @property
    def rows(self) -> int:
        """Digits of an exponent, and rows of the table."""
        return len(self._widths)

    @property
    def memory(self) -> int:
        """Bytes of the built table, estimated."""
        return sum(1 << width for width in self._widths) * (self.group.element_size + ENTRY_OVERHEAD)

    def build(self, progress: Progress | None = None) -> None:
        """Compute the table unless it is there. `progress` is told rows done and rows in all."""
        with self._building:
            if self._rows:
                return
            p, rows = self.group.p, []
            factor, count = self.base, len(self._widths)
            # Every row but the first is multiplied by one and the same power of the base, and the first by its inverse as often,
            # so that the product is the same. Otherwise the entry of a digit 0 would be the number 1, by which multiplying is
            # faster than by any other. q / sqrt(2) is an exponent that no digits add up to.
            shift = gmpy2.isqrt(self.group.q**2 // 2)
            for place, width in enumerate(self._widths):
                entry = gmpy2.powmod(self.base, (1 - count) * shift % self.group.q if place == 0 else shift, p)
                row = []
                for _ in range(1 << width):
                    row.append(entry)
                    entry = entry * factor % p
                rows.append((row, (1 << width) - 1, width))
                factor = gmpy2.powmod(factor, 1 << width, p)
                if progress is not None:
                    progress(place + 1, count)
            self._rows = rows

    def power(self, exponent: mpz) -> mpz:
        """base^exponent, the exponent taken modulo q."""
        rest = exponent % self.group.q
        if not self._rows:
            self.build()
        p, rows = self.group.p, iter(self._rows)
        row, mask, width = next(rows)
        result = row[rest & mask]
        for row, mask, next_width in rows:
            rest >>= width
            width = next_width
            result = result * row[rest & mask] % p
        return result


_cache: OrderedDict[tuple[Group, mpz, int], FixedBase] = OrderedDict()
_cache_lock: Final = threading.Lock()


def fixed_base(group: Group, base: mpz, window: int = DEVICE_WINDOW) -> FixedBase:
    """The table of a base, shared by all who ask for the same one; those asked for least recently go when memory is short."""
    key = (group, base, window)
    with _cache_lock:
        table = _cache.pop(key, None) or FixedBase(group, base, window)
        _cache[key] = table
        while len(_cache) > MAX_TABLES or (len(_cache) > 1 and sum(kept.memory for kept in _cache.values()) > MAX_CACHE):
            _cache.popitem(last=False)
    return table
