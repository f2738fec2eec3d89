"""A submitter's memory: which statements have their receipt already. Append-only; a torn end is cut off when it is opened.

Each record is the statement's hash (32 bytes), the length of the receipt (2 bytes, big-endian), and the receipt. Losing the
journal loses nothing: the service gives the same receipt again.
"""

import os
from pathlib import Path
from typing import BinaryIO, Final

from scrutineer.errors import UsageError

_HASH_SIZE: Final = 32
_HEAD_SIZE: Final = _HASH_SIZE + 2
MAX_RECEIPT_SIZE: Final = 4_096  # bytes


class Journal:
    """Receipts by statement hash, in a file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._places: dict[bytes, tuple[int, int]] = {}
        self._end = self._read()
        file.truncate(self._end)
        file.seek(self._end)

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Open or create a journal. Raises UsageError when the file cannot be used."""
        try:
            return cls(path, path.open("r+b" if path.exists() else "w+b"))
        except OSError as error:
            raise UsageError(f"journal {path} cannot be used ({error.strerror or error}): choose another path") from error

    def __len__(self) -> int:
        return len(self._places)

    def find(self, leaf: bytes) -> bytes | None:
        """The receipt of the statement with this hash; None where the journal has none."""
        place = self._places.get(leaf)
        if place is None:
            return None
        try:
            self._file.flush()
            return os.pread(self._file.fileno(), place[1], place[0])
        except OSError as error:
            raise self._unusable(error) from error

    def add(self, leaf: bytes, receipt: bytes) -> None:
        """Remember a receipt. Raises UsageError when the file cannot be written."""
        record = b"".join((leaf, len(receipt).to_bytes(2), receipt))
        try:
            self._file.write(record)
        except OSError as error:
            raise self._unusable(error) from error
        self._places[leaf] = (self._end + _HEAD_SIZE, len(receipt))
        self._end += len(record)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Write everything to the disk and close."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise self._unusable(error) from error

    def _read(self) -> int:
        """Learn what the file holds; return where its last whole record ends."""
        at = 0
        size = os.fstat(self._file.fileno()).st_size
        self._file.seek(0)
        while at + _HEAD_SIZE <= size:
            head = self._file.read(_HEAD_SIZE)
            length = int.from_bytes(head[_HASH_SIZE:])
            end = at + _HEAD_SIZE + length
            if not 0 < length <= MAX_RECEIPT_SIZE or end > size:
                break
            self._places[head[:_HASH_SIZE]] = (at + _HEAD_SIZE, length)
            self._file.seek(end)
            at = end
        return at

    def _unusable(self, error: OSError) -> UsageError:
        return UsageError(
            f"journal {self._path} cannot be written ({error.strerror or error}): make room, or choose another path"
        )
