"""Where a published site is read from: a folder. The address of one is copied into a folder first (copy.py).

The folder is as little trusted as what it holds: only plain files are read, and no link leads anywhere else.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from scrutineer.errors import PublicationError

MAX_FILE_SIZE: Final = 4 * 2**30  # bytes
MAX_SMALL_FILE: Final = 512 * 2**20  # bytes; what is read at once, the largest being the table of units
_CHUNK: Final = 1 << 20
# A named pipe must not stop the program for ever, and a link must not lead out of the site.
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)

Progress = Callable[[str, int, int], None]  # what is being done, done, in all


def silent(_what: str, _done: int, _total: int) -> None:
    """The progress that nobody hears of."""


class FolderSource:
    """A published site in a folder. Paths are relative, with slashes."""

    def __init__(self, folder: Path) -> None:
        """Raises PublicationError where there is no such folder."""
        try:
            found = folder.is_dir()
        except (OSError, ValueError):
            found = False
        if not found:
            raise PublicationError(f"{folder} is not a folder: name the folder that `publish` wrote, or an address")
        self.folder = folder

    def read(self, path: str, limit: int = MAX_SMALL_FILE) -> bytes:
        """The bytes of a file. Raises PublicationError where it is missing, unreadable or larger than `limit`."""
        return b"".join(self.chunks(path, limit))

    def chunks(self, path: str, limit: int = MAX_FILE_SIZE) -> Iterator[bytes]:
        """The bytes of a file in pieces. Raises PublicationError as `read` does, and where it is no plain file."""
        total = 0
        try:
            with open(os.open(self.folder / path, _FLAGS), "rb", buffering=0) as file:  # noqa: PTH123 - it is open already
                status = os.fstat(file.fileno())
                # Asking for a whole megabyte of a small file costs more than reading it.
                ask = min(status.st_size + 1, _CHUNK)
                if not stat.S_ISREG(status.st_mode):
                    raise PublicationError(f"{path} is not a file: publish the site again")
                while piece := file.read(ask):
                    total += len(piece)
                    if total > limit:
                        raise PublicationError(f"{path} is larger than {limit} bytes: this is not a file of a published site")
                    yield piece
        except OSError as error:
            raise PublicationError(f"{path} {_reason(error)}") from error

    def paths(self) -> Iterator[str]:
        """Everything below the folder that is not a folder; links are not followed.

        Raises PublicationError where a folder cannot be listed, because anything may be hidden there.
        """
        waiting = [""]
        while waiting:
            base = waiting.pop()
            try:
                with os.scandir(self.folder / base) as entries:
                    for entry in entries:
                        path = f"{base}{entry.name}"
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(f"{path}/")
                        else:
                            yield path
            except OSError as error:
                raise PublicationError(f"{base or '.'} cannot be listed ({error.strerror}): what it holds is unknown") from error


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return "is missing"
        case errno.ELOOP:
            return "is a symbolic link: a published site holds the files themselves"
        case _:
            return f"cannot be read ({error.strerror})"
