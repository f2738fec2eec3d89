"""Files, folders and zips of records: taken in the order of their names, bounded in size, opened one at a time."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from scrutineer.errors import AuditError

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and how much there is (bytes)."""

MOST_FILES: Final = 20_000_000
MOST_SMALL: Final = 64 << 20
"""Bytes of a file that is read whole."""
FIRST_BYTES: Final = 65_536


def silent(_what: str, _done: int, _total: int) -> None:
    """Shows nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file: on disk, or in a zip."""

    name: str
    """As messages name it: the path below the folder or in the zip."""
    size: int
    """Bytes, not compressed."""
    open: Callable[[], BinaryIO]

    def small(self, most: int = MOST_SMALL) -> bytes:
        """All its bytes. Raises AuditError where there are more than `most`, whatever a zip says of its size."""
        with self.open() as stream:
            data = _read(self.name, stream.read, most + 1)
        if len(data) > most:
            raise AuditError(f"{self.name}: more than {most} bytes, too many for a file of this kind; check what it is")
        return data

    def first(self) -> bytes:
        """Its first bytes, by which a format is recognised."""
        with self.open() as stream:
            return _read(self.name, stream.read, FIRST_BYTES)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Source, ...]]:
    """The files at a path, in ascending order of their names: the file itself, all in the folder, or all in the zip.

    Hidden files and what archive programs add are left out. Raises AuditError for a path that is missing or unreadable, and for a
    zip that names a file twice.
    """
    with ExitStack() as stack:
        try:
            if path.is_dir():
                sources = _of_folder(path)
            elif path.is_file() and zipfile.is_zipfile(path):
                sources = of_zip(stack.enter_context(zipfile.ZipFile(path)), path.name)
            else:
                sources = (Source(path.name, path.stat().st_size, _file(path, path.name)),)
        except (OSError, NotImplementedError, zipfile.BadZipFile) as error:
            raise AuditError(f"{path.name}: cannot be read ({error}); check the path and the file") from error
        yield sources


def of_zip(archive: zipfile.ZipFile, name: str) -> tuple[Source, ...]:
    """The files in a zip, in ascending order of their names. Raises AuditError for a name that stands there twice."""
    members = sorted((member for member in archive.infolist() if _wanted(member.filename)), key=lambda member: member.filename)
    if len(members) > MOST_FILES:
        raise AuditError(f"{name}: more than {MOST_FILES} files")
    for first, second in pairwise(members):
        if first.filename == second.filename:
            raise AuditError(f"{name}: holds {first.filename} twice; ask for a file in which each stands once")
    return tuple(Source(member.filename, member.file_size, _member(archive, member)) for member in members)


def _file(path: Path, name: str) -> Callable[[], BinaryIO]:
    def open_file() -> BinaryIO:
        try:
            return path.open("rb")
        except OSError as error:
            raise AuditError(f"{name}: cannot be read ({error}); check the path and the file") from error

    return open_file


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def open_member() -> BinaryIO:
        try:
            return archive.open(member)  # type: ignore[return-value]
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            raise AuditError(f"{member.filename}: cannot be read from the zip ({error}); ask for it anew") from error

    return open_member


def _read(name: str, read: Callable[[int], bytes], most: int) -> bytes:
    try:
        return read(most)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise AuditError(f"{name}: cannot be read ({error}); the file is damaged, ask for it anew") from error
    except Exception as error:  # zlib.error and its like share no base class
        raise AuditError(f"{name}: cannot be unpacked ({error}); the file is damaged, ask for it anew") from error


def _of_folder(path: Path) -> tuple[Source, ...]:
    found: list[Source] = []
    for file in sorted(path.rglob("*"), key=lambda each: each.relative_to(path).as_posix()):
        name = file.relative_to(path).as_posix()
        if _wanted(name) and file.is_file():
            found.append(Source(name, file.stat().st_size, _file(file, name)))
        if len(found) > MOST_FILES:
            raise AuditError(f"{path.name}: more than {MOST_FILES} files")
    return tuple(found)


def _wanted(name: str) -> bool:
    return not name.endswith("/") and not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


class Counted:
    """A stream that reports how far it has been read, and turns damage into AuditError."""

    def __init__(self, source: Source, stream: BinaryIO, progress: Progress, before: int, total: int) -> None:
        self._name, self._stream, self._progress = source.name, stream, progress
        self._done, self._total = before, total
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = _read(self._name, self._stream.read, size)
        self._done += len(data)
        self._progress("reading records", self._done, self._total)
        return data

    def readline(self, most: int) -> bytes:
        """The next line, at most so many bytes of it."""
        data = _read(self._name, self._stream.readline, most)
        self._done += len(data)
        return data

    def readable(self) -> bool:
        """It can be read."""
        return True

    def close(self) -> None:
        """Ends reading."""
        self.closed = True
