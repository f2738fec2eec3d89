"""What a process that follows waits for: checked statements, who wants their receipts, and the parcels they travel in.

Pure bookkeeping; the caller tells the time, in seconds, and carries the parcels. Whatever becomes of a parcel, its statements
stay here until they are seen in the log: a parcel whose fate is unknown is due again after a while, under the same number.
"""

from collections.abc import Iterable
from typing import Final

from scrutineer.intake.group.inbox import pack
from scrutineer.intake.sequencer import Done, Queue

PARCEL: Final = 256  # statements in one parcel
PARCEL_BYTES: Final = 1 << 20  # and about so many bytes
AT_A_TIME: Final = 4  # parcels put in with one step
RESEND: Final = 2.0  # seconds after which a parcel is put in again


class _Statement:
    __slots__ = ("data", "done", "since")

    def __init__(self, data: bytes, since: float) -> None:
        self.data = data
        self.done: list[Done] = []
        self.since = since


class _Parcel:
    __slots__ = ("due", "leaves")

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self.due = 0.0


class Waiting:
    """Statements that wait for their receipts, by leaf hash."""

    def __init__(self) -> None:
        self._statements: dict[bytes, _Statement] = {}
        self._new: list[bytes] = []
        self._parcels: dict[int, _Parcel] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._statements)

    def __contains__(self, leaf: bytes) -> bool:
        return leaf in self._statements

    def add(self, leaf: bytes, data: bytes, done: Done, now: float) -> None:
        """Wait for a statement; one that is waited for already gets one more who wants to know."""
        statement = self._statements.get(leaf)
        if statement is None:
            statement = self._statements[leaf] = _Statement(data, now)
            self._new.append(leaf)
        statement.done.append(done)

    def remove(self, leaf: bytes) -> list[Done]:
        """Wait no more; return who wants to know."""
        statement = self._statements.pop(leaf, None)
        return [] if statement is None else statement.done

    def parcels(self, now: float) -> list[tuple[int, bytes]]:
        """Number and body of the parcels that are due, which then are due again after `RESEND`."""
        self._pack()
        due = []
        for number, parcel in list(self._parcels.items()):
            if parcel.due > now:
                continue
            parcel.leaves = [leaf for leaf in parcel.leaves if leaf in self._statements]
            if not parcel.leaves:
                del self._parcels[number]
                continue
            parcel.due = now + RESEND
            due.append((number, pack([self._statements[leaf].data for leaf in parcel.leaves])))
            if len(due) == AT_A_TIME:
                break
        return due

    def resend(self) -> None:
        """Every parcel is due: the inbox was emptied, or who had taken them out is gone."""
        for parcel in self._parcels.values():
            parcel.due = 0.0

    def late(self, before: float) -> list[Done]:
        """Give up what has waited since before that time; return who wanted to know."""
        leaves = []
        for leaf, statement in self._statements.items():  # In the order of arrival.
            if statement.since >= before:
                break
            leaves.append(leaf)
        return self._remove_all(leaves)

    def clear(self) -> Queue:
        """Wait for nothing; return every statement with each of those who wanted to know."""
        statements, self._statements = self._statements, {}
        self._new.clear()
        self._parcels.clear()
        return [(statement.data, done) for statement in statements.values() for done in statement.done]

    def _remove_all(self, leaves: Iterable[bytes]) -> list[Done]:
        return [done for leaf in leaves for done in self.remove(leaf)]

    def _pack(self) -> None:
        leaves: list[bytes] = []
        size = 0
        for leaf in self._new:
            statement = self._statements.get(leaf)
            if statement is None:
                continue
            leaves.append(leaf)
            size += len(statement.data)
            if len(leaves) == PARCEL or size >= PARCEL_BYTES:
                self._seal(leaves)
                leaves, size = [], 0
        if leaves:
            self._seal(leaves)
        self._new.clear()

    def _seal(self, leaves: list[bytes]) -> None:
        self._number += 1
        self._parcels[self._number] = _Parcel(leaves)
