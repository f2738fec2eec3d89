"""The random numbers of `numpy.random.default_rng(seed)`, made without numpy, for draws that others made by it.

Source of the generator: M. E. O'Neill, PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random
Number Generation, Harvey Mudd College HMC-CS-2014-0905, 2014 (PCG XSL RR 128/64); of the seeding: the description of
`SeedSequence` in NumPy's manual (after the seed sequences of O'Neill, 2015). `default_rng` has meant PCG64 and given the same
numbers since NumPy 1.17; its numbers are pinned by tests against that of today.
"""

from typing import Final

from scrutineer.errors import AuditError

_32: Final = 2**32 - 1
_64: Final = 2**64 - 1
_128: Final = 2**128 - 1
_POOL: Final = 4
_MULTIPLIER: Final = 0x2360ED051FC65DA44385DF649FCCF645


class Pcg64:
    """The stream of one seed, a whole number of 0 or more."""

    def __init__(self, seed: int) -> None:
        if seed < 0:
            raise AuditError("a seed of the generator is 0 or more")
        first, second, third, fourth = _seed_words(seed)
        self._step = (third << 64 | fourth) << 1 & _128 | 1
        self._state = self._step
        self._state = self._state + (first << 64 | second) & _128
        self._advance()

    def _advance(self) -> None:
        self._state = self._state * _MULTIPLIER + self._step & _128

    def next64(self) -> int:
        """The next 64 bits."""
        self._advance()
        folded = (self._state >> 64) ^ self._state & _64
        turn = self._state >> 122
        return (folded >> turn | folded << (64 - turn)) & _64

    def fraction(self) -> float:
        """The next number of [0, 1), a multiple of 2^-53."""
        return (self.next64() >> 11) * 2.0**-53


class _Mixer:
    """A hash whose constant changes at every use."""

    def __init__(self, start: int, factor: int) -> None:
        self._constant = start
        self._factor = factor

    def __call__(self, value: int) -> int:
        value ^= self._constant
        self._constant = self._constant * self._factor & _32
        value = value * self._constant & _32
        return value ^ value >> 16


def _mixed(one: int, other: int) -> int:
    result = (0xCA01F9DD * one - 0x4973F715 * other) & _32
    return result ^ result >> 16


def _seed_words(seed: int) -> tuple[int, int, int, int]:
    """Four words of 64 bits from a seed of any length: a pool of four words of 32 bits is filled with it and mixed."""
    entropy = [seed >> shift & _32 for shift in range(0, max(seed.bit_length(), 1), 32)]
    mixer = _Mixer(0x43B0D7E5, 0x931E8875)
    pool = [mixer(entropy[place] if place < len(entropy) else 0) for place in range(_POOL)]
    for source in range(_POOL):
        for target in range(_POOL):
            if source != target:
                pool[target] = _mixed(pool[target], mixer(pool[source]))
    for word in entropy[_POOL:]:
        for target in range(_POOL):
            pool[target] = _mixed(pool[target], mixer(word))
    out = _Mixer(0x8B51F9DD, 0x58F38DED)
    words = [out(pool[place % _POOL]) for place in range(8)]
    first, second, third, fourth = (low | high << 32 for low, high in zip(words[::2], words[1::2], strict=True))
    return first, second, third, fourth
