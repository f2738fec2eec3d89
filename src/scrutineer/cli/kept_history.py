"""A copy of every published snapshot beside the log, so that a site in a new folder begins with the history of the old one."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from scrutineer.cli.office import RECORD, Office
from scrutineer.errors import PublicationError
from scrutineer.log import Log
from scrutineer.log.quorum import Quorum
from scrutineer.portal.formats import write_json
from scrutineer.portal.history import Snapshot
from scrutineer.portal.history_files import SnapshotFiles, snapshot_path

HISTORY_FILE: Final = "published.jsonl"
"""In the folder of the record: the files of all snapshots, one on a line, oldest first."""
_TAIL: Final = 1 << 20  # bytes at the end in which the last line is looked for


def kept_history(office: Office, log: Log, size: int) -> tuple[Snapshot, ...]:
    """The snapshots up to a log size, each held against the log.

    Raises PublicationError where the file is damaged or of another log.
    """
    path = office.folder / RECORD / HISTORY_FILE
    policy = office.election.definition.witnesses
    quorum = None if policy is None else Quorum.from_policy(policy, log.verifier)
    kept = {own: data for own, data in _lines(path) if own <= size}
    files = {snapshot_path(own): data for own, data in kept.items()}
    read: Callable[[str, int], bytes | None] = lambda name, _limit: files.get(name)  # noqa: E731 - a dictionary as a folder
    try:
        return SnapshotFiles(office.election).read_all(read, log.verifier, log.tree, quorum, sorted(kept))
    except PublicationError as error:
        raise PublicationError(f"{path} is damaged or of another log; move it away to publish without it ({error})") from error


def keep_snapshot(office: Office, snapshot: Snapshot) -> None:
    """Add a snapshot that has been published, unless one of its size or a later one is kept already."""
    path = office.folder / RECORD / HISTORY_FILE
    last = _last(path)
    if last is not None and last >= snapshot.head.size:
        return
    data = SnapshotFiles(office.election).write(snapshot, last)
    line = json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":")) + "\n"
    try:
        with path.open("ab") as file:
            # A line that was cut off by a power cut ends before this one begins.
            file.write(line.encode() if _ends_whole(path) else b"\n" + line.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise PublicationError(f"{path} cannot be written ({error.strerror}): the site is published; check the disk") from error


def _lines(path: Path) -> list[tuple[int, bytes]]:
    """Sizes and files of the snapshots that are kept; a line that was cut off is passed over."""
    try:
        with path.open("rb") as file:
            return [(size, write_json(json.loads(line))) for line in file if (size := _size(line)) is not None]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise PublicationError(f"{path} cannot be read ({error.strerror}): check the folder's permissions") from error


def _last(path: Path) -> int | None:
    """The size of the last snapshot that is kept; None where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            ends = file.read().split(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PublicationError(f"{path} cannot be read ({error.strerror}): check the folder's permissions") from error
    for line in reversed(ends[1:] if len(ends) > 1 else ends):
        if (size := _size(line)) is not None:
            return size
    return max((size for size, _ in _lines(path)), default=None)


def _size(line: bytes) -> int | None:
    try:
        return int(json.loads(line)["size"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"
