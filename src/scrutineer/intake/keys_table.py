"""Which keys are registered, for a country's stations in some 25 MB: found or missed in less than a microsecond.

Open addressing over 64-bit numbers in one block of memory. A registered key is the hash of its thumbprint together with its
issuer's name, so that a key counts only with the name it is registered for. The names alone are in the same table. The hash
is Python's, keyed anew for each process, so nobody outside can prepare names that collide. Where two numbers are equal by
chance, a stranger passes here and is refused by the checkers.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.election.register import Register, station_issuer
from scrutineer.statements.keys import thumbprint, thumbprints

FILL: Final = 0.75  # of the table's places
CHUNK: Final = 50_000  # stations between two words of progress

_MASK: Final = 2**64 - 1
_NO_KEY: Final = bytes(32)

Progress = Callable[[int, int], object]  # stations done, stations in all


def key_number(issuer: bytes, kid: bytes) -> int:
    """The number of a key with its issuer's name."""
    return hash(kid + issuer) & _MASK or 1


def _name_number(issuer: bytes) -> int:
    return hash(b"\0" + issuer) & _MASK or 1


class KeysTable:
    """The keys of a register. Never changes; a place in it is a key's number for as long as the table lives."""

    def __init__(self, numbers: NDArray[np.uint64]) -> None:
        """Take key numbers and name numbers in any order; doubled ones count once."""
        numbers = np.sort(numbers)
        numbers = numbers[np.append(numbers[1:] != numbers[:-1], np.ones(min(1, len(numbers)), bool))]
        count = len(numbers)
        self._width = width = max(8, int(count / FILL))
        # Sorted numbers have sorted homes, so each goes to its home or behind the one before it: one pass, without probing.
        homes = ((numbers >> np.uint64(32)) * np.uint64(width) >> np.uint64(32)).astype(np.int64)
        order = np.arange(count, dtype=np.int64)
        places = np.maximum.accumulate(homes - order) + order if count else homes
        size = max(width, int(places[-1]) + 1 if count else 0) + 1  # one more, so that every search ends at an empty place
        table = np.zeros(size, np.uint64)
        table[places] = numbers
        self._table = memoryview(table)  # type: ignore[arg-type]
        self.count = count

    @classmethod
    def of(cls, register: Register, progress: Progress | None = None) -> "KeysTable":
        """The table of all keys in a register: a second for a million stations, so not on an event loop."""
        keys = register.station_keys
        total = len(register.stations)
        numbers = np.empty(2 * total, np.uint64)
        done = 0
        for names in _chunks(map(str.encode, map(station_issuer, register.stations)), CHUNK):
            end = done + len(names)
            block = thumbprints([keys[at : at + 32] for at in range(32 * done, 32 * end, 32)])
            named = (block[32 * n : 32 * n + 32] + name for n, name in enumerate(names))
            hashes = np.fromiter(map(hash, named), np.int64, len(names)).view(np.uint64)
            known = np.frombuffer(keys, np.uint64).reshape(-1, 4)[done:end].any(axis=1)
            # Stations without a key are left at zero, and zeros are taken out below.
            numbers[done:end] = np.where(known, np.maximum(hashes, np.uint64(1)), np.uint64(0))
            lone = np.fromiter((hash(b"\0" + name) for name in names), np.int64, len(names)).view(np.uint64)
            numbers[total + done : total + end] = np.where(known, np.maximum(lone, np.uint64(1)), np.uint64(0))
            done = end
            if progress is not None:
                progress(done, total)
        others = [
            number
            for issuer in register.others()
            for name in (issuer.id.encode(),)
            for number in (key_number(name, thumbprint(issuer.key, issuer.algorithm)), _name_number(name))
        ]
        return cls(np.concatenate((numbers[numbers != 0], np.array(others, np.uint64))))

    @property
    def places(self) -> int:
        """How many places there are."""
        return len(self._table)

    @property
    def nbytes(self) -> int:
        """Memory that the table takes."""
        return self._table.nbytes

    def find(self, number: int) -> int:
        """The place of a key, by `key_number`; −1 where it is not registered."""
        table = self._table
        place = (number >> 32) * self._width >> 32
        while (there := table[place]) < number and there:
            place += 1
        return place if there == number else -1

    def knows(self, issuer: bytes) -> bool:
        """Whether the register gives any key to an issuer."""
        return self.find(_name_number(issuer)) >= 0


def _chunks(names: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for name in names:
        chunk.append(name)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
