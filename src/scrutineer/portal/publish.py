"""Writing a site to a folder: the one module of the portal that does input and output."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scrutineer.log import LogSigner
from scrutineer.portal.log_files import Entries
from scrutineer.portal.record import Record

Progress = Callable[[int, int], None]
"""Told the files done and about how many there are in all."""


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


def publish(
    record: Record, entries: Entries, signer: LogSigner, site: Path, progress: Progress | None = None
) -> PublicationSummary:
    """Write the site to a folder, or bring the one that is there up to date.

    Raises PublicationError where the folder cannot be written, holds something else than a site of this log, or shows a log
    that is not a prefix of this one.
    """
    raise NotImplementedError
