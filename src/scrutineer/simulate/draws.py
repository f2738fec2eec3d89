"""Random numbers that are the same on every machine, for simulations that anyone can repeat.

The source is the stream of raw 64-bit words of PCG64, which NumPy keeps unchanged between versions and platforms; its ready
distributions are not kept so, and take logarithms that differ between machines. Everything here is therefore made of the
words by integer arithmetic and by the floating-point operations that IEEE 754 rounds exactly (the four basic ones, the
square root).
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# The sum of four independent 16-bit words has this mean, and nearly this standard deviation: 2^16 times the root of 4/12.
_BELL_MEAN: Final = 131_070.0
_BELL_SPREAD: Final = 37_837.0
_DRAWS_AT_ONCE: Final = 1 << 18


class Draws:
    """One stream of random numbers, named by a seed and a purpose, so that one purpose never disturbs another."""

    def __init__(self, seed: int, purpose: str) -> None:
        name = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(name, "big"))

    def words(self, size: int) -> NDArray[np.uint64]:
        """The next words, each 64 random bits."""
        words: NDArray[np.uint64] = self._bits.random_raw(size)
        return words

    def below(self, limit: int, size: int) -> Ints:
        """Whole numbers from 0 to `limit` - 1, where `limit` is at most 2^31."""
        return ((self.words(size) >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32)).astype(np.int64)

    def between(self, low: int, high: int, size: int) -> Ints:
        """Whole numbers from `low` to `high`, both included."""
        return low + self.below(high - low + 1, size)

    def bell(self, size: int) -> Floats:
        """Bell-shaped numbers (Irwin-Hall of four) with mean 0, standard deviation 1, and none beyond 3.5."""
        numbers = np.empty(size, dtype=np.float64)
        for start in range(0, size, _DRAWS_AT_ONCE):
            stop = min(start + _DRAWS_AT_ONCE, size)
            parts = self.words(stop - start).view(np.uint16).reshape(-1, 4).sum(axis=1, dtype=np.int64)
            numbers[start:stop] = (parts - _BELL_MEAN) / _BELL_SPREAD
        return numbers

    def order(self, size: int) -> Ints:
        """The numbers from 0 to `size` - 1 in random order."""
        return np.argsort(self.words(size), kind="stable")

    def share(self, total: Ints, part: Floats, spread: float = 0.0) -> Ints:
        """How many of `total` fall to a `part` of 0 to 1: whole numbers from 0 to `total`.

        They have the mean and the variance of the beta-binomial distribution with intraclass correlation `spread`
        (0: the binomial distribution), cut off at the ends.
        """
        variance = total * part * (1.0 - part) * (1.0 + spread * np.maximum(total - 1, 0))
        drawn = np.floor(total * part + self.bell(len(total)) * np.sqrt(np.maximum(variance, 0.0)) + 0.5)
        return np.clip(drawn, 0, total).astype(np.int64)

    def divide(self, total: Ints, vectors: Floats, group: Ints, spread: float = 0.0) -> NDArray[np.int32]:
        """Divide each total among options: one row per total, its sum exactly the total.

        `vectors` holds a row of shares for each group, `group` the group of each total. The options are drawn one after
        the other, each from what the ones before left: moments of the Dirichlet-multinomial distribution.
        """
        options = vectors.shape[1]
        rows = np.empty((len(total), options), dtype=np.int32)
        left = total.astype(np.int64)
        rest = np.ones(len(vectors), dtype=np.float64)
        for option in range(options - 1):
            part = np.clip(vectors[:, option] / np.maximum(rest, 1e-9), 0.0, 1.0)
            drawn = self.share(left, part[group], spread)
            rows[:, option] = drawn
            left -= drawn
            rest = rest - vectors[:, option]
        rows[:, options - 1] = left
        return rows
