"""Files that survive a power cut: written whole or not at all, and found under their name afterwards."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def whole_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to write, durable in place of an older one of its name when the block ends well; nothing is left of it otherwise.

    For one writer at a time. `mode` (less the umask) holds from the first byte on: whoever may not read it in the end cannot do
    so in between. Raises OSError.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_whole(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file durably, in place of an older one of its name, as `whole_file` does. Raises OSError."""
    write_whole_from(path, (data,), mode)


def write_whole_from(path: Path, chunks: Iterable[bytes], mode: int = 0o666) -> None:
    """Write a file of any size from its parts, in their order, as `whole_file` does. Raises OSError, and what `chunks` raises."""
    with whole_file(path, mode) as file:
        file.writelines(chunks)


def sync_folder(folder: Path) -> None:
    """Flush a folder, so that a file just made or renamed in it is found after a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
