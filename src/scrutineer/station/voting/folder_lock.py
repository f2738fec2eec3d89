"""The lock by which one program at a time uses the folder of a voting machine."""

import fcntl
import os
from pathlib import Path
from typing import Final

from scrutineer.errors import StoreError

LOCK_FILE: Final = "machine.lock"


def take_folder(folder: Path) -> int:
    """The right to use a folder, for one program at a time, also before there is a journal. Raises StoreError."""
    path = folder / LOCK_FILE
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened ({error.strerror}): check the folder's permissions") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreError(f"{folder} is used by another program: the machine is running already", code="in-use") from None
    os.utime(handle, (0, 0))
    return handle
