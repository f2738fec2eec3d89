"""The journal's files: appended to, flushed once for each record, begun anew when large, and never above a fixed size in all.

A file has at most about 8 MiB and at most 32 are kept: 256 MiB. A window that lists every kind and eight networks for each has
less than 6 KiB, so windows of a minute fill at most 8 MiB a day, and a month of flood without end is kept before the oldest
file is removed, which a record of its own says. A quiet day takes nothing.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from scrutineer.durable import sync_folder
from scrutineer.errors import StoreError, UsageError
from scrutineer.intake.incidents.chain import Begin, Place, Record, Removed, chained, place_of, read_record
from scrutineer.statements.incident import JOURNAL_NAME_SIZE

FILE_SIZE: Final = 8 * 2**20  # bytes from which the next file is begun
FILES: Final = 32  # files that are kept
MAX_FILE_SIZE: Final = 2 * FILE_SIZE  # bytes; a reader takes no more

_NAME: Final = re.compile(r"journal-([0-9]{6})\.jsonl", re.ASCII)
_LOCK: Final = "lock"


def journal_files(folder: Path) -> list[Path]:
    """The files of a journal in order. Raises StoreError where the folder cannot be listed."""
    try:
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError as error:
        raise StoreError(
            f"the folder {folder} cannot be listed ({error.strerror}): check the path and its permissions"
        ) from error


def read_lines(path: Path) -> tuple[list[bytes], bytes]:
    """The lines of a file without their LF, and the torn end that has none. Raises StoreError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_SIZE + 1)
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}): check its permissions, or restore a copy") from error
    if len(data) > MAX_FILE_SIZE:
        raise StoreError(f"{path} has more than {MAX_FILE_SIZE} bytes: this is no file of a journal")
    *lines, end = data.split(b"\n")
    return lines, end


class Journal:
    """One journal, written by one process at a time."""

    def __init__(self, folder: Path, lock: int, *, file_size: int, files: int) -> None:
        """Use `open`."""
        self.folder = folder
        self.place = Place("")
        self._lock = lock
        self._file_size = file_size
        self._files = files
        self._file = -1
        self._number = 0
        self._end = 0
        self._torn = False
        """Whether bytes may stand behind `_end` that are no record."""

    @classmethod
    def open(
        cls,
        folder: Path,
        election: bytes,
        *,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
        file_size: int = FILE_SIZE,
        files: int = FILES,
    ) -> "Journal":
        """Open or begin the journal of an election; a torn end is cut off, and anything else that is damaged is left as it is.

        Raises UsageError where the folder cannot be used, another process writes it, or it is another election's.
        """
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UsageError(f"{folder} cannot be used ({error.strerror}): choose a folder that you may write to") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            journal = cls(folder, lock, file_size=file_size, files=files)
            journal._resume(election, randomness)
        except BlockingIOError:
            os.close(lock)
            raise UsageError(f"another process writes {folder}: stop it, or give this one a folder of its own") from None
        except OSError as error:
            os.close(lock)
            raise UsageError(f"{folder} cannot be written ({error.strerror}): make room, or check its permissions") from error
        except BaseException:
            os.close(lock)
            raise
        return journal

    def append(self, record: Record, *, covered: int | None = None) -> Place:
        """Add a record and flush it to the disk; `covered` is the last record that summaries now cover.

        Raises StoreError where it cannot be written; then the journal is as it was.
        """
        place = self._write(record, covered)
        self._limit()
        return place

    def records(self, first: int) -> Iterator[Record]:
        """The good records from a number on. Raises StoreError where a file cannot be read."""
        paths = journal_files(self.folder)
        start = 0
        for number, path in enumerate(paths):
            begins = _first_number(path)
            if begins is not None and begins <= first:
                start = number
        for path in paths[start:]:
            for line in read_lines(path)[0]:
                with suppress(StoreError):
                    record = read_record(line)
                    if record.n >= first:
                        yield record

    def close(self) -> None:
        """Let another process write."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _write(self, record: Record, covered: int | None = None) -> Place:
        line, place = chained(record, self.place, covered)
        try:
            if self._torn:
                os.ftruncate(self._file, self._end)
                self._torn = False
            if self._end >= self._file_size:
                self._begin_file(self._number + 1)
            self._torn = True
            if os.write(self._file, line) != len(line):
                raise OSError(0, "no space left on the device")
            os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
                self._torn = False
            raise StoreError(f"{self.folder} cannot be written ({error.strerror}): make room") from error
        self._torn = False
        self._end += len(line)
        self.place = place
        return place

    def _resume(self, election: bytes, randomness: Callable[[int], bytes]) -> None:
        """Go on behind the last good record; where anything but a torn end stands behind it, in a new file."""
        paths = journal_files(self.folder)
        last: Record | None = None
        clean, size = False, 0
        for path in reversed(paths):
            lines, torn = read_lines(path)
            good = None
            for number, line in enumerate(lines, 1):
                with suppress(StoreError):
                    last, good = read_record(line), number
            if path == paths[-1]:
                clean = not lines or good == len(lines)
                size = sum(map(len, lines)) + len(lines)
                if clean and torn:
                    os.truncate(path, size)
            if last is not None:
                break
        number = int(paths[-1].name[8:14]) if paths else 0
        if clean and paths:
            self._open_file(number, os.O_WRONLY | os.O_APPEND, size)
        else:
            self._begin_file(number + 1)
        if last is not None:
            self.place = place_of(last)
            first = next(self.records(1), None)
            if isinstance(first, Begin) and first.election != election.hex():
                raise UsageError(f"{self.folder} is the journal of another election: give this one a folder of its own")
        else:
            self.place = Place(randomness(JOURNAL_NAME_SIZE).hex())
            try:
                self.append(Begin(election=election.hex()))
            except StoreError as error:
                raise UsageError(str(error)) from error

    def _begin_file(self, number: int) -> None:
        self._open_file(number, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0)
        sync_folder(self.folder)

    def _open_file(self, number: int, flags: int, end: int) -> None:
        opened = os.open(self.folder / f"journal-{number:06}.jsonl", flags | os.O_CLOEXEC, 0o644)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._number, self._end = opened, number, end

    def _limit(self) -> None:
        """Remove the oldest file where there are too many, and say so. What fails here is tried again after the next record."""
        with suppress(StoreError, OSError):
            paths = journal_files(self.folder)
            if len(paths) <= self._files:
                return
            lines, _ = read_lines(paths[0])
            last: Record | None = None
            for line in lines:
                with suppress(StoreError):
                    last = read_record(line)
            if last is not None:
                self._write(Removed(last=last.n, head=last.hash))
            paths[0].unlink()


def _first_number(path: Path) -> int | None:
    """The number of the first record of a file, without reading all of it; None where that is no record."""
    try:
        with path.open("rb") as file:
            return read_record(file.readline(MAX_FILE_SIZE).rstrip(b"\n")).n
    except (OSError, StoreError):
        return None
