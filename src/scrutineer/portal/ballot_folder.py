"""A folder of stations' encrypted ballots, which is looked through again for every publication."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from scrutineer.errors import BallotError, PublicationError
from scrutineer.portal.ballot_record import BUNDLE_ENDING, TALLY_ENDING, StationBallots, scan_bundle, with_tally

_PIECE: Final = 1 << 20  # bytes

Progress = Callable[[int, int], None]
Stamp = tuple[int, int]  # size and time of change


def _silent(_done: int, _total: int) -> None:
    pass


class BallotFolder:
    """`<station>.jsonl` and `<station>.tally.json` of a folder; only files that changed are read again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, tuple[Stamp, StationBallots]] = {}
        self.skipped: list[tuple[str, str]] = []
        """Files that are not published, by name, with the reason; after `find`, and then by whoever holds them against sheets."""

    def find(self, progress: Progress = _silent) -> dict[str, StationBallots]:
        """The ballots in the folder by station. `progress` is told the stations read, and how many there are.

        Raises PublicationError where something cannot be read.
        """
        self.skipped = []
        found: dict[str, StationBallots] = {}
        try:
            names = sorted(path.name for path in self._folder.iterdir() if path.is_file() and not path.is_symlink())
            bundles = [name for name in names if name.endswith(BUNDLE_ENDING) and not name.startswith(".")]
            for done, name in enumerate(bundles, 1):
                station = name.removesuffix(BUNDLE_ENDING)
                found[station] = self._with_tally(self._bundle(station, self._folder / name))
                progress(done, len(bundles))
        except OSError as error:
            raise PublicationError(
                f"{error.filename} cannot be read ({error.strerror}): name a folder that you may read"
            ) from error
        alone = {name.removesuffix(TALLY_ENDING) for name in names if name.endswith(TALLY_ENDING)} - found.keys()
        self.skipped += [(f"{station}{TALLY_ENDING}", "the bundle that it is of is not there") for station in sorted(alone)]
        return found

    def _bundle(self, station: str, path: Path) -> StationBallots:
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns)
        known = self._read.get(station)
        if known is None or known[0] != stamp:
            known = self._read[station] = (stamp, scan_bundle(station, FilePieces(path)))
        return known[1]

    def _with_tally(self, own: StationBallots) -> StationBallots:
        path = self._folder / f"{own.station}{TALLY_ENDING}"
        if not path.is_file():
            return replace(own, tally=None, opened=())
        try:
            return with_tally(own, FilePieces(path))
        except BallotError as error:
            self.skipped.append((path.name, str(error)))
            return own


@dataclass(frozen=True)
class FilePieces:
    """Reads a file in pieces whenever it is asked to; can be handed to another process."""

    path: Path

    def __call__(self) -> Iterator[bytes]:
        """The pieces. Raises PublicationError where the file cannot be read."""
        try:
            with self.path.open("rb", buffering=0) as file:
                while piece := file.read(_PIECE):
                    yield piece
        except OSError as error:
            raise PublicationError(f"{self.path} cannot be read ({error.strerror}): put it back") from error


@dataclass(frozen=True)
class SitePieces:
    """Reads files of a published site by their paths."""

    root: Path

    def __call__(self, path: str) -> Iterator[bytes]:
        """The pieces of a file."""
        return FilePieces(self.root / path)()
