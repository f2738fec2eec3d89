"""What the running service writes about itself each second, for `scrutineer status`: DIR/record/status.json.

Nothing relies on it but that command. It is replaced whole and not flushed: after a power cut it may be missing or old, and
says so by its time. Several processes of one folder give it names of their own, `status-NAME.json`.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from scrutineer.cli.cosigning import Cosigning
from scrutineer.errors import UsageError
from scrutineer.intake.server import Progress
from scrutineer.log import Log
from scrutineer.portal.formats import write_json

_T = TypeVar("_T")

FORMAT: Final = "scrutineer-status/v1"
STATUS_FILE: Final = "status.json"
STATUS_FILES: Final = "status*.json"
PUBLISHED_FILE: Final = "published.json"
STALE: Final = 10.0  # seconds without a word after which a service is taken for gone
_MAX_SIZE: Final = 1 << 18  # bytes


class WitnessStatus(msgspec.Struct, frozen=True):
    """How it stands with one witness; the fields are those of `cosigning.WitnessState`."""

    name: str
    url: str
    size: int
    time: int
    trouble: str
    since: int


class ServiceStatus(msgspec.Struct, frozen=True):
    """What a service says of itself. Fields that a later version adds are passed over."""

    format: str
    pid: int
    machine: str
    url: str
    store: str
    """Where the log is kept, in words without secrets."""
    started: int
    """POSIX seconds, as all times here."""
    time: int
    size: int
    head_time: int
    """When the newest head was signed; 0 where there is none."""
    role: str
    trouble: str | None
    counts: dict[str, int]
    restarts: int
    cosigned: int | None
    """Entries at the newest head with the quorum, 0 for none; null where the definition names no witnesses."""
    quorum: int | None
    witnesses: list[WitnessStatus]
    stopped: str | None
    """Null while it runs; empty where it was asked to stop, else why it stopped."""


class PublishedStatus(msgspec.Struct, frozen=True):
    """DIR/record/published.json: what was published last, and where."""

    site: str
    size: int
    time: int


class StatusWriter:
    """Writes the file. Give it to `Service` as `progress` (beside others), and call `stopped` at the end.

    status = StatusWriter(folder / RECORD, log, cosigning, store="SQLite in DIR/record/log.db")
    Service(..., ready=lambda address: status.listening(address.url), progress=status)
    status.stopped()            # or status.stopped(str(error))
    """

    def __init__(
        self,
        folder: Path,
        log: Log,
        cosigning: Cosigning | None = None,
        *,
        store: str = "",
        name: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`name` tells several processes of one folder apart."""
        self._path = folder / (f"status-{name}.json" if name else STATUS_FILE)
        self._log = log
        self._cosigning = cosigning
        self._store = store
        self._clock = clock
        self._started = int(clock())
        self._url = ""
        self._last = Progress({}, log.size, 0, 0)

    def listening(self, url: str) -> None:
        """Hear where the service listens."""
        self._url = url
        self(self._last)

    def __call__(self, progress: Progress) -> None:
        """Write how it stands. A disk that does not take it stops nothing: the file then grows old, which says as much."""
        self._last = progress
        self._write(None)

    def stopped(self, reason: str = "") -> None:
        """Write that the service has ended, and why where nobody asked it to."""
        self._write(reason)

    def _write(self, stopped: str | None) -> None:
        now, head = self._last, self._log.head
        state = None if self._cosigning is None else self._cosigning.state
        status = ServiceStatus(
            format=FORMAT,
            pid=os.getpid(),
            machine=socket.gethostname(),
            url=self._url,
            store=self._store,
            started=self._started,
            time=int(self._clock()),
            size=self._log.size,
            head_time=0 if head is None else head.time_ms // 1000,
            role=now.role,
            trouble=now.trouble,
            counts=dict(now.counts),
            restarts=now.restarts,
            cosigned=None if state is None else state.cosigned,
            quorum=None if state is None else state.quorum,
            witnesses=[] if state is None else [WitnessStatus(*witness) for witness in state.witnesses],
            stopped=stopped,
        )
        _replace(self._path, write_json(msgspec.to_builtins(status)))


def write_published(folder: Path, site: Path, size: int, now: int) -> None:
    """Note what was published last; a disk that does not take it is no reason to fail."""
    _replace(folder / PUBLISHED_FILE, write_json({"site": str(site.absolute()), "size": size, "time": now}))


def read_statuses(folder: Path) -> list[ServiceStatus]:
    """What services of a folder last said, the newest word first. Raises UsageError for a file that is none of theirs."""
    found = [status for path in sorted(folder.glob(STATUS_FILES)) if (status := _read(path, ServiceStatus)) is not None]
    return sorted(found, key=lambda status: -status.time)


def read_published(folder: Path) -> PublishedStatus | None:
    """What was published last from a folder; None where nothing was, or nobody noted it."""
    return _read(folder / PUBLISHED_FILE, PublishedStatus)


def is_alive(status: ServiceStatus, now: float) -> bool:
    """Whether the service that wrote this runs: it spoke lately, and its process is there where it is one of this machine."""
    return status.stopped is None and now - status.time <= STALE and _process_is_there(status) is not False


def is_silent(status: ServiceStatus, now: float) -> bool:
    """Whether its process is there, on this machine, and has said nothing for so long that it must be stuck."""
    return status.stopped is None and now - status.time > STALE and _process_is_there(status) is True


def _process_is_there(status: ServiceStatus) -> bool | None:
    """None where that cannot be told from here."""
    if status.machine != socket.gethostname():
        return None
    try:
        os.kill(status.pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return None
    return True


def _read(path: Path, struct: type[_T]) -> _T | None:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_SIZE), type=struct)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not what this program writes ({error}): remove it") from error


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    with contextlib.suppress(OSError):
        try:
            new.write_bytes(data)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
