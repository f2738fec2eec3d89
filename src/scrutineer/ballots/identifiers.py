"""Whether any identifier stands twice among all ballots of an election (5.A), in bounded memory for any number of them.

Identifiers are kept in memory up to a limit. Beyond it they are handed to a `Spill`, divided so that equal ones meet in one part,
and at the end every part is sorted by itself. Where the parts are kept is the caller's choice. Who makes ballots also chooses
their identifiers; so parts are chosen by a hash with a key of this process, and what repeats itself is not kept twice: nobody can
make one part grow beyond the others.
"""

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np

from scrutineer.ballots.failures import MAX_FAILURES
from scrutineer.ballots.hashing import HASH_SIZE
from scrutineer.errors import BallotError

PARTS: Final = 1024
"""Of 600 million ballots a part has 24 MB; each is sorted in about four times of it."""
ENTRY_SIZE: Final = HASH_SIZE + 8  # bytes: the identifier, and the numbers of its bundle and line
DEFAULT_LIMIT: Final = 500_000
"""Identifiers in memory: 20 MB."""


class Spill(Protocol):
    """Keeps parts of a large set while it is checked, usually as temporary files. What it is given back is hashed."""

    def append(self, part: int, data: bytes) -> None:
        """Add bytes to a part."""

    def read(self, part: int) -> bytes:
        """All bytes of a part in their order; none where nothing was added."""


class Repeated(NamedTuple):
    """An identifier that stands on two ballots: numbers of bundle and line of the later one, and of one before it."""

    identifier: bytes
    bundle: int
    line: int
    first_bundle: int
    first_line: int


class Identifiers:
    """All identifiers of a record."""

    def __init__(self, spill: Spill | None = None, limit: int = DEFAULT_LIMIT) -> None:
        """Hold up to `limit` identifiers in memory, and any number with a spill."""
        self._spill: Final = spill
        self._limit: Final = limit
        self._held = bytearray()
        self._hashes: Final = [hashlib.sha256() for _ in range(PARTS)] if spill is not None else []
        self._spilt = False
        self._found: list[Repeated] = []
        self.count = 0

    def add(self, identifier: bytes, bundle: int, line: int) -> None:
        """Add the identifier of one ballot. Raises BallotError for more than fit without a spill."""
        if len(self._held) >= self._limit * ENTRY_SIZE:
            if self._spill is None:
                raise BallotError(f"more than {self._limit:,} ballots: say where their identifiers may be kept meanwhile")
            self._write(self._spill)
        self._held += identifier
        self._held += bundle.to_bytes(4, "big") + line.to_bytes(4, "big")
        self.count += 1

    def repeated(self) -> Iterator[Repeated]:
        """Identifiers that were added before, in no particular order. Raises BallotError if a spill lost something.

        Of those that repeat themselves very often not every one is named.
        """
        if not self._spilt or self._spill is None:
            yield from _repeated(_sorted(bytes(self._held)))
            return
        self._write(self._spill)
        yield from self._found
        for part in range(PARTS):
            data = self._spill.read(part)
            if hashlib.sha256(data).digest() != self._hashes[part].digest():
                raise BallotError("what was kept aside of the identifiers came back changed: check the disk and start again")
            yield from _repeated(_sorted(data))

    def _write(self, spill: Spill) -> None:
        """Hand everything in memory to the spill, part by part, and every identifier once."""
        table = _sorted(bytes(self._held))
        self._found += [one for one, _ in zip(_repeated(table), range(MAX_FAILURES - len(self._found)), strict=False)]
        table = np.delete(table, _same(table) + 1, axis=0)
        names = table[:, :HASH_SIZE].tobytes()
        keyed = (hash(names[start : start + HASH_SIZE]) % PARTS for start in range(0, len(names), HASH_SIZE))
        parts = np.fromiter(keyed, np.int64, len(table))
        order = np.argsort(parts, kind="stable")
        bounds = np.searchsorted(parts[order], np.arange(PARTS + 1))
        table = table[order]
        for part in range(PARTS):
            data = table[bounds[part] : bounds[part + 1]].tobytes()
            if data:
                spill.append(part, data)
                self._hashes[part].update(data)
        self._held = bytearray()
        self._spilt = True


_Table = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def _sorted(data: bytes) -> _Table:
    """Entries as rows, by identifier, then by bundle and line."""
    words = np.frombuffer(data, ">u8").reshape(-1, ENTRY_SIZE // 8)
    return words[np.lexsort(words.T[::-1])].view(np.uint8)


def _same(table: _Table) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The rows that the next row repeats."""
    words = table.view(">u8")
    return np.flatnonzero((words[1:, : HASH_SIZE // 8] == words[:-1, : HASH_SIZE // 8]).all(axis=1))


def _repeated(table: _Table) -> Iterator[Repeated]:
    for place in _same(table).tolist():
        first, second = (table[place + step].tobytes() for step in (0, 1))
        starts = (HASH_SIZE, HASH_SIZE + 4)
        numbers = [int.from_bytes(entry[start : start + 4], "big") for entry in (second, first) for start in starts]
        yield Repeated(second[:HASH_SIZE], *numbers)
