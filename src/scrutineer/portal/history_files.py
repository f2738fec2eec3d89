"""The files of a site's history: one for each snapshot, which never changes, and the list of all.

Whoever publishes takes the totals of earlier snapshots from what was published; whoever verifies computes all of them again.
Both write the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from scrutineer.election import Election
from scrutineer.errors import PublicationError, ScrutineerError, StatementError, StoreError
from scrutineer.log import Head, LogVerifier, MerkleTree
from scrutineer.log.quorum import Quorum
from scrutineer.portal.formats import Once, SiteFile, write_json
from scrutineer.portal.history import MAX_SNAPSHOTS, ContestTotals, RegionCount, Snapshot, Totals, check_snapshot, regions
from scrutineer.portal.record import Record
from scrutineer.statements import ContestResult

_T = TypeVar("_T")

FOLDER: Final = "snapshots"
INDEX_FILE: Final = f"{FOLDER}/index.json"
SNAPSHOT_FORMAT: Final = "scrutineer-snapshot/v1"
INDEX_FORMAT: Final = "scrutineer-snapshots/v1"
MAX_SNAPSHOT_SIZE: Final = 1 << 24  # bytes
MAX_INDEX_SIZE: Final = 1 << 28  # bytes

Read = Callable[[str, int], bytes | None]
"""Reads a file of a site by its path, of at most so many bytes; None where there is none."""


class _ContestFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    contest: str
    votes: dict[str, int]
    blank: int | None
    null: int | None
    ballots: int
    stations: int
    counted: int
    quarantined: int
    excluded: int
    outstanding: int
    open_ballots: int | None
    elected: tuple[str, ...]
    runoff: tuple[str, ...]
    tied: tuple[str, ...]
    margin: int | None
    changeable: bool
    regions: dict[str, RegionCount]


class _SnapshotFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    election: str
    previous: int | None
    size: int
    root: str
    signature: str
    time_ms: int
    checkpoint: str
    contests: tuple[_ContestFields, ...]


class _IndexRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: int
    time_ms: int
    root: str
    counted: tuple[int, ...]


class _IndexFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    election: str
    contests: tuple[str, ...]
    snapshots: tuple[_IndexRow, ...]


def snapshot_files(record: Record) -> Iterator[SiteFile]:
    """Every snapshot, then the list of them."""
    files = SnapshotFiles(record.election)
    previous = None
    for snapshot in record.snapshots:
        size = snapshot.head.size
        yield SiteFile(snapshot_path(size), Once(partial(files.write, snapshot, previous)), once=True)
        previous = size
    yield SiteFile(INDEX_FILE, (files.write_index(record.snapshots),))


def read_only(site: Path) -> Read:
    """Reads the files of a site in a folder."""

    def read(path: str, limit: int) -> bytes | None:
        try:
            with (site / path).open("rb") as file:
                return file.read(limit + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PublicationError(f"{site / path} cannot be read ({error.strerror}): check the disk") from error

    return read


def is_snapshot(path: str) -> bool:
    """Whether a file of a site is one of its snapshots, which never change and never go."""
    return path.startswith(f"{FOLDER}/") and path != INDEX_FILE


def snapshot_path(size: int) -> str:
    """Where the snapshot of a log size lies."""
    return f"{FOLDER}/{size}.json"


class SnapshotFiles:
    """Writes and reads the snapshots of one election."""

    def __init__(self, election: Election) -> None:
        self._election = election
        self._regions = regions(election)

    # --- writing ----------------------------------------------------------------------------------------------------

    def write(self, snapshot: Snapshot, previous: int | None) -> bytes:
        """The bytes of a snapshot; `previous` is the size of the one before it."""
        head = snapshot.head
        fields = _SnapshotFields(
            SNAPSHOT_FORMAT,
            self._election.hash.hex(),
            previous,
            head.size,
            head.root.hex(),
            head.signature.hex(),
            head.time_ms,
            snapshot.checkpoint.decode(),
            tuple(self._contest(number, totals) for number, totals in enumerate(snapshot.totals)),
        )
        return write_json(msgspec.to_builtins(fields))

    def write_index(self, snapshots: Sequence[Snapshot]) -> bytes:
        """The bytes of the list of all snapshots, oldest first; `counted` is by contest, in the order of `contests`."""
        rows = tuple(
            _IndexRow(
                snapshot.head.size,
                snapshot.head.time_ms,
                snapshot.head.root.hex(),
                tuple(totals.result.counted for totals in snapshot.totals),
            )
            for snapshot in snapshots
        )
        contests = tuple(contest.id for contest in self._election.contests)
        return write_json(msgspec.to_builtins(_IndexFields(INDEX_FORMAT, self._election.hash.hex(), contests, rows)))

    def _contest(self, number: int, totals: ContestTotals) -> _ContestFields:
        options, ids = self._election.contests[number].options, self._election.units.ids
        fields = {name: getattr(totals.result, name) for name in ContestResult.__struct_fields__}
        fields["votes"] = {option.id: votes for option, votes in zip(options, totals.result.votes, strict=True)}
        regions = {ids[unit]: own for unit, own in zip(self._regions[number], totals.regions, strict=True)}
        return _ContestFields(**fields, regions=regions)

    # --- reading ----------------------------------------------------------------------------------------------------

    def read_all(
        self, read: Read, verifier: LogVerifier, tree: MerkleTree, quorum: Quorum | None, sizes: Sequence[int] | None = None
    ) -> tuple[Snapshot, ...]:
        """The snapshots of a site, oldest first, each held against the log; none where the site has none yet.

        `sizes` takes the place of the site's own list. Totals are taken as published. Raises PublicationError where a snapshot is
        missing, cannot be read or does not fit.
        """
        if sizes is None:
            index = read(INDEX_FILE, MAX_INDEX_SIZE)
            sizes = () if index is None else self.read_index(index)
        snapshots: list[Snapshot] = []
        previous = None
        for size in sizes:
            path = snapshot_path(size)
            data = read(path, MAX_SNAPSHOT_SIZE)
            if data is None:
                raise PublicationError(f"{path} is missing, and {INDEX_FILE} lists it: {_ADVICE}")
            try:
                snapshot = self.read(data, size, previous)
                check_snapshot(snapshot, verifier, tree, quorum)
            except ScrutineerError as error:
                raise PublicationError(f"{path} is no snapshot of this log ({error}): {_ADVICE}") from error
            snapshots.append(snapshot)
            previous = size
        return tuple(snapshots)

    def read_index(self, data: bytes) -> list[int]:
        """The sizes of the snapshots that a list names, ascending. Raises PublicationError unless it is such a list."""
        fields = _decode(data, _IndexFields, MAX_INDEX_SIZE)
        if (fields.format, fields.election) != (INDEX_FORMAT, self._election.hash.hex()):
            raise PublicationError(f"{INDEX_FILE} is the list of another election or format: {_ADVICE}")
        sizes = [row.size for row in fields.snapshots]
        if len(sizes) > MAX_SNAPSHOTS or any(later <= size for size, later in pairwise([0, *sizes])):
            raise PublicationError(f"{INDEX_FILE} lists more than {MAX_SNAPSHOTS:,} snapshots, or not each once and by size")
        return sizes

    def read(self, data: bytes, size: int, previous: int | None) -> Snapshot:
        """Read a snapshot, which must be of a log size and follow another. Signatures, root and totals are not checked.

        Raises PublicationError unless it is one in its only form.
        """
        fields = _decode(data, _SnapshotFields, MAX_SNAPSHOT_SIZE)
        if (fields.format, fields.election) != (SNAPSHOT_FORMAT, self._election.hash.hex()):
            raise PublicationError("it is of another election or format")
        if fields.size != size:
            raise PublicationError(f"it is of size {fields.size:,}, not {size:,}")
        if fields.previous != previous:
            raise PublicationError(f"it follows {_named(fields.previous)}, and the list has it follow {_named(previous)}")
        try:
            head = Head(size, bytes.fromhex(fields.root), bytes.fromhex(fields.signature), fields.time_ms)
            snapshot = Snapshot(head, fields.checkpoint.encode(), self._totals(fields.contests))
        except (ValueError, StoreError) as error:
            raise PublicationError(f"it does not hold a head of the log: {error}") from error
        if self.write(snapshot, previous) != data:
            raise PublicationError("it is not in the form that `publish` writes")
        return snapshot

    def _totals(self, contests: tuple[_ContestFields, ...]) -> Totals:
        if [fields.contest for fields in contests] != [contest.id for contest in self._election.contests]:
            raise PublicationError("it has other contests than the definition")
        totals = []
        for fields, contest, own in zip(contests, self._election.contests, self._regions, strict=True):
            if list(fields.votes) != [option.id for option in contest.options]:
                raise PublicationError(f"it has other options than the definition in contest {contest.id}")
            if list(fields.regions) != [self._election.units.ids[unit] for unit in own]:
                raise PublicationError(f"it has other regions than the definition in contest {contest.id}")
            given = {name: getattr(fields, name) for name in ContestResult.__struct_fields__}
            try:
                result = ContestResult(**given | {"votes": tuple(fields.votes.values())})
            except StatementError as error:
                raise PublicationError(str(error)) from error
            totals.append(ContestTotals(result, tuple(fields.regions.values())))
        return tuple(totals)


_ADVICE: Final = "snapshots are kept for ever, so take it back from a mirror or a copy of the site, and publish again"


def _named(size: int | None) -> str:
    return "none" if size is None else f"that of size {size:,}"


def _decode(data: bytes, struct: type[_T], limit: int) -> _T:
    if len(data) > limit:
        raise PublicationError(f"it has {len(data)} bytes, and at most {limit} are read")
    try:
        return msgspec.json.decode(data, type=struct)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PublicationError(f"it cannot be read ({error})") from error
