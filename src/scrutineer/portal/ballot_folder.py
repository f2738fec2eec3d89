"""A folder of stations' encrypted ballots, which is looked through again for every publication."""

import contextlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from scrutineer.ballots.bundle import MAX_LINE_SIZE, Header, read_line
from scrutineer.ballots.record import OpenedBallot
from scrutineer.ballots.tally_check import MAX_TALLY_SIZE, read_tally
from scrutineer.errors import BallotError, PublicationError
from scrutineer.pieces import pieces_of
from scrutineer.portal.ballot_record import StationBallots, scan_bundle, with_tally
from scrutineer.portal.progress import Progress, silent

_BUNDLES: Final = ".jsonl"
_TALLIES: Final = ".json"
_OPENINGS: Final = "openings"
_FOR_TRUSTEES: Final = (
    "challenged ballots that a machine opened: the trustees give it to `trustees tally commit` and `combine` as --openings, and "
    "the tally record then publishes them"
)

Stamp = tuple[int, int]  # size and time of change
_Found = StationBallots | bytes | Literal["openings"] | None


class BallotFolder:
    """Bundles and tally records in a folder, whatever they are called; only files that changed are read again.

    A bundle is a file whose name ends in `.jsonl` and that begins with a header; a tally record ends in `.json`.
    The openings of a machine are named among the files that are not published; what is none of these is passed over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[Stamp, _Found]] = {}
        """What each file is: a bundle, a tally record (the hash of its bundle), the openings of a machine, or none of these."""
        self.skipped: list[tuple[str, str]] = []
        """Files that are not published, by name, with the reason; after `find`, and then by whoever holds them against sheets."""

    def stamp(self) -> frozenset[tuple[str, int, int]]:
        """What tells whether any file was added, changed or taken away: names, sizes and times of change."""
        with contextlib.suppress(OSError):
            return frozenset((str(path), (s := path.lstat()).st_size, s.st_mtime_ns) for path in self._folder.rglob("*.json*"))
        return frozenset()

    def find(self, progress: Progress = silent) -> list[tuple[str, StationBallots]]:
        """The bundles of the folder by name, each with what was decrypted of it.

        `progress` is told the files looked at, and how many there are. Raises PublicationError where something cannot be read.
        """
        self.skipped = []
        bundles: list[tuple[str, StationBallots]] = []
        tallies: dict[bytes, Path] = {}
        try:
            paths = sorted(path for path in self._folder.rglob("*.json*") if path.suffix in (_BUNDLES, _TALLIES))
            for done, path in enumerate(paths, 1):
                found = self._look_at(path)
                if found == _OPENINGS:
                    self.skipped.append((self._name(path), _FOR_TRUSTEES))
                elif isinstance(found, StationBallots):
                    bundles.append((self._name(path), found))
                elif isinstance(found, bytes):
                    tallies[found] = path
                progress(done, len(paths))
        except OSError as error:
            advice = "name a folder that you may read"
            raise PublicationError(f"{error.filename} cannot be read ({error.strerror}): {advice}") from error
        given = {own.bundle.digest for _, own in bundles}
        self.skipped += [
            (self._name(path), f"the bundle that it is of, with the SHA-256 {digest.hex()}, is not there")
            for digest, path in tallies.items()
            if digest not in given
        ]
        return [
            (name, with_tally(own, FilePieces(tallies[own.bundle.digest])) if own.bundle.digest in tallies else own)
            for name, own in bundles
        ]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _look_at(self, path: Path) -> _Found:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or path.name.startswith("."):
            return None
        stamp = (status.st_size, status.st_mtime_ns)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = self._read[path] = (stamp, _bundle(path) if path.suffix == _BUNDLES else _tally_of(path))
        return known[1]


def _bundle(path: Path) -> _Found:
    with path.open("rb") as file:
        start = file.readline(MAX_LINE_SIZE + 1)
    try:
        header = isinstance(read_line(start), Header)
    except BallotError:
        return _OPENINGS if _is_opening(start) else None
    return scan_bundle("", FilePieces(path)) if header else None


def _is_opening(line: bytes) -> bool:
    """Whether a line is a challenged ballot that a machine opened."""
    try:
        msgspec.json.decode(line, type=OpenedBallot)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def _tally_of(path: Path) -> bytes | None:
    """The hash of the bundle that a tally record is of; None for a file that is no tally record."""
    if path.stat().st_size > MAX_TALLY_SIZE:
        return None
    try:
        return read_tally(path.read_bytes()).bundle
    except BallotError:
        return None


@dataclass(frozen=True)
class FilePieces:
    """Reads a file in pieces whenever it is asked to; can be handed to another process."""

    path: Path

    def __call__(self) -> Iterator[bytes]:
        """The pieces. Raises PublicationError where the file cannot be read."""
        try:
            yield from pieces_of(self.path)
        except OSError as error:
            raise PublicationError(f"{self.path} cannot be read ({error.strerror}): put it back") from error


@dataclass(frozen=True)
class SitePieces:
    """Reads files of a published site by their paths."""

    root: Path

    def __call__(self, path: str) -> Iterator[bytes]:
        """The pieces of a file."""
        return FilePieces(self.root / path)()
