"""What a publication is asked for, what it did, and what to do where the disk refused it."""

import errno
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PublicationSummary:
    """What a publication did."""

    size: int
    """Log entries that the site shows."""
    files: int
    """Files of the site, the manifest included."""
    written: int
    """Files that are new or changed."""
    removed: int
    """Files of the previous publication that no longer belong."""
    bytes: int
    """Size of the whole site."""
    kept: int = 0
    """Files of places whose data did not change: they were not made again."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How the pages of places are made; the site is the same in every case."""

    workers: int = 1
    """Processes that make pages where there are many."""
    everything: bool = False
    """Whether pages are made again also where their data did not change."""


def advice(site: Path, error: OSError) -> str:
    """What was refused, and what to do about it."""
    where = error.filename or site
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"{site}: no space is left to write the site; free some and publish again, nothing published is lost"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{where} cannot be written ({error.strerror}): choose a folder that you may write to"
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            return f"{where} is in the way of the site ({error.strerror}): choose another folder, or remove it"
        case errno.ENAMETOOLONG:
            return f"{where} is too long a name for this disk: choose a folder with a shorter path"
        case _:
            return f"{where} cannot be written ({error.strerror or error}): check the disk and publish again"
