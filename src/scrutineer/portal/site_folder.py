"""The folder of a site: files are written beside it and moved to their place whole, and only where their bytes changed."""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.errors import PublicationError
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.manifest import check_path

_TEMPORARY: Final = ".publishing"  # hidden, so that no web server hands it out
_UNFINISHED: Final = ".unfinished"
"""Names of the files that a publication has added and no manifest names yet, one on a line: one that is cut off leaves it behind,
and the next one knows by it what to take away."""
_MANY_FOLDERS: Final = 64
"""For more folders than this it is quicker to have the disk take everything that is held in memory than each folder by itself."""
_PATIENCE: Final = 0.5
"""Seconds in which the processes of a publication that was killed have surely ended."""


class Written(NamedTuple):
    """A file that is in its place."""

    path: str
    digest: bytes
    """SHA-256."""
    size: int
    is_new: bool
    """Whether it was written, because it was not there or had other bytes."""


class SiteFolder:
    """Writes to a site's folder; to be used while `alone` holds it. Paths are those of the site."""

    # Paths are put together as strings: there are hundreds of thousands of files.

    def __init__(self, folder: Path) -> None:
        self.root = os.fspath(folder)
        self._process = os.getpid()
        self._folders: set[str] = {self.root}
        self._changed: set[str] = set()
        self._known: frozenset[str] = frozenset()
        self._unfinished = -1

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, so that two publications cannot mix. The lock ends with the program, however that ends.

        Raises PublicationError where another program holds it.
        """
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        until = time.monotonic() + _PATIENCE
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > until:
                        raise PublicationError(
                            f"{self.root} is being written by another program: wait until that has finished"
                        ) from error
                    time.sleep(_PATIENCE / 10)
            yield
        finally:
            os.close(handle)

    # --- reading ----------------------------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        """Whether there is nothing but hidden files."""
        with os.scandir(self.root) as entries:
            return all(entry.name.startswith(".") for entry in entries)

    def exists(self, path: str) -> bool:
        """Whether something has this name."""
        return os.path.lexists(f"{self.root}/{path}")

    def read(self, path: str, limit: int) -> bytes | None:
        """A file of at most so many bytes; None where it is not there. Raises PublicationError where it is larger."""
        try:
            with open(f"{self.root}/{path}", "rb") as file:  # noqa: PTH123
                data = file.read(limit + 1)
        except FileNotFoundError:
            return None
        if len(data) > limit:
            raise PublicationError(f"{self.root}/{path} is larger than it can be: remove the site and publish again")
        return data

    def size_of(self, path: str) -> int | None:
        """The size of a file; None where there is no file of this name."""
        try:
            found = os.stat(f"{self.root}/{path}", follow_symlinks=False)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def has(self, path: str, digest: bytes) -> bool:
        """Whether a file of this SHA-256 is there."""
        try:
            with open(f"{self.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123
                return hashlib.file_digest(file, "sha256").digest() == digest
        except (FileNotFoundError, NotADirectoryError):
            return False

    # --- a publication from its begin to its end ---------------------------------------------------------------------

    def begin(self, known: frozenset[str]) -> frozenset[str]:
        """Begin to write. `known` are the files that a manifest names.

        Returns the further files that publications added which were cut off before their manifest.
        """
        self._known = known
        self._unfinished = os.open(f"{self.root}/{_UNFINISHED}", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        return frozenset(self._cut_off())

    def finish(self) -> None:
        """Everything that was added is in the manifest."""
        os.unlink(f"{self.root}/{_UNFINISHED}")  # noqa: PTH108

    def tidy(self) -> None:
        """Remove files that were being written, where any were."""
        with contextlib.suppress(OSError), os.scandir(self.root) as entries:
            for name in [entry.name for entry in entries if entry.name.startswith(_TEMPORARY)]:
                with contextlib.suppress(OSError):
                    os.unlink(f"{self.root}/{name}")  # noqa: PTH108
        if self._unfinished >= 0:
            os.close(self._unfinished)
            self._unfinished = -1

    def _cut_off(self) -> Iterator[str]:
        with open(self._unfinished, "rb", closefd=False) as file:
            for line in file:
                # Half a name could be the name of something else; the quotation marks tell that it is whole.
                with contextlib.suppress(PublicationError, UnicodeDecodeError):
                    name = line.decode().strip()
                    if len(name) > 2 and name[0] == name[-1] == '"':
                        check_path(name[1:-1])
                        yield name[1:-1]

    # --- writing ----------------------------------------------------------------------------------------------------

    def write(self, file: SiteFile, *, durable: bool = False) -> Written:
        """Put a file in its place unless it is there already; `durable` files are on the disk before they are there.

        May be called in a process forked from the one that began, which then tells that one what it wrote (`wrote`).
        """
        check_path(file.path)
        target = f"{self.root}/{file.path}"
        chunks = file.chunks
        if isinstance(chunks, tuple) and len(chunks) == 1:
            data: bytes = chunks[0]
            is_new = not _is_there(target, data)
            if is_new:
                self._write_temporary((data,), durable=durable)
                self._move(file.path)
            return Written(file.path, hashlib.sha256(data).digest(), len(data), is_new)
        digest = self._write_temporary(chunks, durable=durable)
        size = os.path.getsize(self._temporary)  # noqa: PTH202
        is_new = not self.has(file.path, digest)
        if is_new:
            self._move(file.path)
        else:
            os.unlink(self._temporary)  # noqa: PTH108
        return Written(file.path, digest, size, is_new)

    def write_hidden(self, name: str, data: bytes) -> None:
        """Put a file that is no part of the site in its place, unless it is there already."""
        if not _is_there(f"{self.root}/{name}", data):
            self._write_temporary((data,), durable=False)
            os.replace(self._temporary, f"{self.root}/{name}")  # noqa: PTH105

    def remove_hidden(self, name: str) -> None:
        """Remove a file that is no part of the site, where it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.root}/{name}")  # noqa: PTH108

    def wrote(self, written: Written) -> None:
        """Take into account what a forked process wrote."""
        if written.is_new:
            folder = written.path.rpartition("/")[0]
            self._changed.add(f"{self.root}/{folder}" if folder else self.root)
            while folder and written.path not in self._known:
                folder = folder.rpartition("/")[0]
                self._changed.add(f"{self.root}/{folder}" if folder else self.root)

    def settle(self) -> None:
        """Make every change to the lists of names durable, and before them the list of what was added."""
        if self._changed:
            os.fsync(self._unfinished)
        if len(self._changed) > _MANY_FOLDERS and _sync_disk(self._unfinished):
            self._changed.clear()
        for folder in sorted(self._changed):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        self._changed.clear()

    def remove(self, paths: Iterable[str]) -> int:
        """Remove files, and folders that are empty then; returns how many files there were. Nothing else is touched."""
        removed = 0
        for path in paths:
            target = f"{self.root}/{path}"
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(target)  # noqa: PTH108
                removed += 1
            folder = target.rpartition("/")[0]
            with contextlib.suppress(OSError):
                while folder != self.root:
                    os.rmdir(folder)  # noqa: PTH106
                    self._changed.discard(folder)
                    folder = folder.rpartition("/")[0]
        return removed

    @property
    def _temporary(self) -> str:
        own = os.getpid()
        return f"{self.root}/{_TEMPORARY}" if own == self._process else f"{self.root}/{_TEMPORARY}-{own}"

    def _write_temporary(self, chunks: Iterable[bytes], *, durable: bool) -> bytes:
        digest = hashlib.sha256()
        handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            for chunk in chunks:
                digest.update(chunk)
                _write_all(handle, chunk)
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        return digest.digest()

    def _move(self, path: str) -> None:
        target = f"{self.root}/{path}"
        if path not in self._known:
            _write_all(self._unfinished, f'\n"{path}"\n'.encode())
        folder = target.rpartition("/")[0]
        if folder not in self._folders:
            self._make_folder(folder)
        os.replace(self._temporary, target)  # noqa: PTH105
        self._changed.add(folder)

    def _make_folder(self, folder: str) -> None:
        """Make a folder and those above it, and remember the ones whose list of names changed."""
        missing = []
        while folder not in self._folders:
            self._folders.add(folder)
            missing.append(folder)
            folder = folder.rpartition("/")[0]
        for made in reversed(missing):
            with contextlib.suppress(FileExistsError):
                os.mkdir(made)  # noqa: PTH102
                self._changed.add(made.rpartition("/")[0])


def _sync_disk(handle: int) -> bool:
    """Make everything on the disk of an open file durable at once (syncfs); False where the system offers no such thing."""
    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return False
    if syncfs(handle) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True


def _is_there(target: str, data: bytes) -> bool:
    try:
        handle = os.open(target, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return os.fstat(handle).st_size == len(data) and os.read(handle, len(data) + 1) == data
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
