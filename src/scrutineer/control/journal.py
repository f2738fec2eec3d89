"""The journal of the control room: who did what and when, with the evidence. Lines of JSON, chained by hashes, only added to.

Every line names its number, its time, what happened, the officer, and the SHA-256 of the line before it. What the control
room knows of proposals is nothing but the fold of this file, so that a restart loses nothing that somebody has agreed to.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scrutineer.durable import sync_folder
from scrutineer.errors import ControlError

JOURNAL_FILE: Final = "journal"
MAX_JOURNAL: Final = 64 << 20
"""Bytes; far more than a night fills. The room refuses to act where it is full, rather than act without a record."""
MAX_LINE: Final = 1 << 20  # bytes
NOTHING: Final = "0" * 64
"""What the first line names as the hash of the line before it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line. `who` is an issuer id, or `console` where somebody at the machine did it; `facts` depend on `what`."""

    number: int
    time: int
    what: str
    who: str
    facts: Mapping[str, Any]


class Journal:
    """The file. Several processes may add to it: each takes its lock, reads what others added, and continues the chain."""

    def __init__(self, path: Path, clock: Callable[[], int]) -> None:
        """Open or begin a journal and read it. Raises ControlError where it does not hold together, OSError otherwise."""
        self._path = path
        self._clock = clock
        self._read_to = 0
        self._last = NOTHING
        self.events: list[Event] = []
        """All that happened, oldest first."""
        self.catch_up()

    def add(self, what: str, who: str, **facts: Any) -> Event:
        """Write a line durably, and return it. Raises ControlError where the journal is full or was changed."""
        with self._locked() as file:
            self._read(file, whole=False)
            number = len(self.events) + 1
            line = json.dumps(
                {"n": number, "time": self._clock(), "what": what, "who": who, **facts, "previous": self._last},
                ensure_ascii=False,
                separators=(",", ":"),
            ).encode()
            if len(line) >= MAX_LINE or self._read_to + len(line) > MAX_JOURNAL:
                raise ControlError(f"the journal {self._path} has no room for this: move the control room to a new folder")
            # What is left of a line that was torn by a power cut was never answered: it is written over.
            os.ftruncate(file, self._read_to)
            if os.pwrite(file, line + b"\n", self._read_to) <= len(line):
                raise ControlError(f"there is no room on the disk for the journal {self._path}: make room")
            os.fsync(file)
            if number == 1:
                sync_folder(self._path.parent)
            self._read(file, whole=True)
            return self.events[number - 1]

    def catch_up(self) -> None:
        """Read what other processes have added."""
        with self._locked() as file:
            self._read(file, whole=False)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)

    def _read(self, file: int, *, whole: bool) -> None:
        """Take in lines from where the last reading ended; `whole` where nothing may be left over."""
        size = os.fstat(file).st_size
        if size < self._read_to or size > MAX_JOURNAL:
            raise ControlError(f"the journal {self._path} was cut short or is too large: put the whole file back")
        data = os.pread(file, size - self._read_to, self._read_to)
        lines = data.split(b"\n")
        if whole and lines[-1]:
            raise ControlError(f"the journal {self._path} was changed by another program: stop that one")
        for line in lines[:-1]:
            self.events.append(self._event(line))
            self._last = hashlib.sha256(line).hexdigest()
            self._read_to += len(line) + 1

    def _event(self, line: bytes) -> Event:
        number = len(self.events) + 1
        try:
            facts = json.loads(line)
            event = Event(facts.pop("n"), facts.pop("time"), facts.pop("what"), facts.pop("who"), facts)
            previous = facts.pop("previous")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ControlError(f"line {number} of {self._path} is not a line of a journal: put the whole file back") from error
        if event.number != number or previous != self._last:
            raise ControlError(f"line {number} of {self._path} does not continue the one before it: put the whole file back")
        return event
