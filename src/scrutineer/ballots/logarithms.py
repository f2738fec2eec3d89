"""From K^t back to t, for totals that are small: baby steps and giant steps.

ElectionGuard Design Specification 2.1.0, section 3.6.2 and footnote 12. The baby steps are kept from one total to the next, so
that the thousands of totals of a night share them.
"""

from math import isqrt
from typing import Final

import gmpy2
from gmpy2 import mpz

from scrutineer.ballots.group import Group

MAX_STEPS: Final = 1 << 18
"""Baby steps that are kept at most: about 25 MB, and giant steps of as many each."""
_SHARED: Final = 16  # totals that are expected to share the baby steps; more of them pay off where there are more
_KEY_BITS: Final = (1 << 64) - 1


class SmallLogarithms:
    """Logarithms to one base."""

    def __init__(self, group: Group, base: mpz) -> None:
        self._group: Final = group
        self._base: Final = base
        # Of each power only 64 bits are kept; what they find is confirmed by the power itself.
        self._steps: Final[dict[int, int]] = {}
        self._width = 0
        self._next = mpz(1)
        """The power that the next baby step stands for."""
        self._leap = mpz(1)
        """Its inverse: a giant step."""

    def find(self, value: mpz, bound: int) -> int | None:
        """The t of 0 to `bound` with base^t = value, or None where there is none."""
        self._grow(min(isqrt(_SHARED * bound) + 1, bound + 1, MAX_STEPS))
        rest = value
        for start in range(0, bound + 1, self._width):
            step = self._steps.get(int(rest & _KEY_BITS))
            if step is not None and start + step <= bound and gmpy2.powmod(self._base, step, self._group.p) == rest:
                return start + step
            rest = rest * self._leap % self._group.p
        return None

    def _grow(self, width: int) -> None:
        if width <= self._width:
            return
        for step in range(self._width, width):
            self._steps.setdefault(int(self._next & _KEY_BITS), step)
            self._next = self._next * self._base % self._group.p
        self._width, self._leap = width, gmpy2.invert(self._next, self._group.p)
