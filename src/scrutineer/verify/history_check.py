"""Step (6): the snapshots of a site are heads of its log, and what they say of the count is what the log gives at their sizes."""

from scrutineer.count import Count
from scrutineer.election import Election
from scrutineer.errors import CountError, PublicationError, ScrutineerError
from scrutineer.log import LogVerifier, MerkleTree
from scrutineer.log.quorum import Quorum
from scrutineer.portal.history import Snapshot, Totals, check_snapshot, regions, totals_of
from scrutineer.portal.history_files import INDEX_FILE, MAX_INDEX_SIZE, MAX_SNAPSHOT_SIZE, SnapshotFiles, snapshot_path
from scrutineer.verify.report import Report
from scrutineer.verify.source import FolderSource, Progress


class HistoryCheck:
    """Reads the snapshots that a site lists, and computes their totals again while the log is folded."""

    def __init__(
        self, source: FolderSource, election: Election, verifier: LogVerifier, quorum: Quorum | None, report: Report
    ) -> None:
        self._source = source
        self._election = election
        self._verifier = verifier
        self._quorum = quorum
        self._report = report
        self._regions = regions(election)
        self._read: list[Snapshot] = []
        self._totals: dict[int, Totals] = {}
        self.whole = True
        """Whether every snapshot that is listed is there and is a head of the log. Receipts on the pages rest on them."""

    @property
    def sizes(self) -> list[int]:
        """The log sizes at which `take` wants to see the count."""
        return [snapshot.head.size for snapshot in self._read]

    def read(self, tree: MerkleTree, progress: Progress) -> None:
        """Read every snapshot that is listed, and hold it against the log, which `tree` holds."""
        files = SnapshotFiles(self._election)
        try:
            sizes = files.read_index(self._source.read(INDEX_FILE, MAX_INDEX_SIZE))
        except PublicationError as error:
            self._fail(INDEX_FILE, str(error))
            return
        previous = None
        for done, size in enumerate(sizes):
            if done % 256 == 0:
                progress("Checking snapshots", done, len(sizes))
            path = snapshot_path(size)
            try:
                snapshot = files.read(self._source.read(path, MAX_SNAPSHOT_SIZE), size, previous)
                check_snapshot(snapshot, self._verifier, tree, self._quorum)
            except ScrutineerError as error:
                self._fail(path, str(error))
            else:
                self._read.append(snapshot)
            previous = size

    def take(self, count: Count) -> None:
        """Keep what the log gives at the size at which `count` stands, one of `sizes`."""
        try:
            self._totals[count.size] = totals_of(count, self._regions)
        except CountError as error:
            self._fail(snapshot_path(count.size), f"cannot be computed again: {error}")

    def snapshots(self) -> tuple[Snapshot, ...]:
        """The snapshots with the totals that the log gives, whatever their files say; all of `sizes` must have been taken."""
        return tuple(Snapshot(read.head, read.checkpoint, self._totals[read.head.size]) for read in self._read)

    def _fail(self, path: str, message: str) -> None:
        self.whole = False
        self._report.add("snapshot", path, message.removeprefix(f"{path} "))
