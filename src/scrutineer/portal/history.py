"""The history of a site: the heads that it was published at, with what the log counted to there.

Every one is kept for ever. Receipts, comparisons and the story of the night rest on them. Where a log was published twice at one
size there is one snapshot, the first. `history_files` writes and reads them.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from scrutineer.count import Count, contest_result, unit_result
from scrutineer.election import Election, Units
from scrutineer.errors import LogError
from scrutineer.log import Head, LogVerifier, MerkleTree, open_checkpoint
from scrutineer.log.note import parse_note
from scrutineer.log.quorum import Quorum, check_quorum
from scrutineer.log.receipt import verify_head
from scrutineer.statements import ContestResult

MAX_SNAPSHOTS: Final = 100_000
"""A publication every ten seconds for more than eleven days. Whoever publishes on keeps no further ones."""
MAX_REGIONS: Final = 256
"""A contest whose unit is divided into more units than this is followed as a whole alone."""


class RegionCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far one region is in a contest, in stations."""

    counted: int
    quarantined: int
    excluded: int

    @property
    def arrived(self) -> int:
        """Stations from which something came, or about which something was decided."""
        return self.counted + self.quarantined + self.excluded


@dataclass(frozen=True, slots=True)
class ContestTotals:
    """What the log counts to in one contest at one size."""

    result: ContestResult
    regions: tuple[RegionCount, ...]
    """In the order of `regions`."""


Totals = tuple[ContestTotals, ...]
"""Of every contest, in the order of the definition."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A head that was published: what the site showed when. Its time is that of the head, not of its publication."""

    head: Head
    checkpoint: bytes
    """Signed note of the head, with the cosignatures that it was published with."""
    totals: Totals

    @property
    def time(self) -> int:
        """POSIX seconds."""
        return self.head.time_ms // 1000


Regions = tuple[tuple[int, ...], ...]
"""Units by position, by contest."""


def regions(election: Election) -> Regions:
    """The units by which the progress of every contest is told: the first division of its unit above the stations.

    Empty for a contest without one, or with more than MAX_REGIONS units in it.
    """
    known = {unit: _regions(election.units, unit) for unit in set(election.contest_units)}
    return tuple(known[unit] for unit in election.contest_units)


def totals_of(count: Count, told: Regions) -> Totals:
    """What the log counts to where `count` stands; `told` are the regions. Raises CountError where an outcome has no number."""
    return tuple(
        ContestTotals(contest_result(count, number), tuple(_region(count, number, unit) for unit in units))
        for number, units in enumerate(told)
    )


def check_snapshot(snapshot: Snapshot, verifier: LogVerifier, tree: MerkleTree, quorum: Quorum | None) -> None:
    """Check that a snapshot is a head of this log: signatures, time, cosignatures and root. Its totals are not looked at.

    `tree` holds the log. Raises a ScrutineerError that says what does not fit.
    """
    head = snapshot.head
    shown = open_checkpoint(snapshot.checkpoint, verifier.note_verifiers).checkpoint
    if (shown.size, shown.root) != (head.size, head.root):
        raise LogError("its checkpoint is of another size or root than its head")
    verify_head(head.size, head.root, head.signature, verifier)
    if head.time_ms // 1000 != (signed := signed_time(snapshot.checkpoint, verifier)):
        raise LogError(f"it gives the time {head.time_ms} ms, and its checkpoint was signed at {signed} s")
    if quorum is not None:
        check_quorum(snapshot.checkpoint, quorum)
    if head.size > tree.size:
        raise LogError(f"it is of {head.size:,} entries, and the log has {tree.size:,}")
    if tree.root(head.size) != head.root:
        raise LogError(f"its root is not the one that this log has at {head.size:,} entries")


def signed_time(checkpoint: bytes, verifier: LogVerifier) -> int:
    """The time in seconds that the log's ML-DSA-44 signature covers; the signature has been checked."""
    _, key = verifier.note_verifiers
    return next(
        int.from_bytes(line.signature[:8])
        for line in parse_note(checkpoint).signatures
        if (line.name, line.key_id) == (key.name, key.key_id)
    )


def _regions(units: Units, unit: int) -> tuple[int, ...]:
    while True:
        below = [child for child in units.children(unit) if not units.is_station(child)]
        if len(below) != 1:
            return tuple(below) if len(below) <= MAX_REGIONS else ()
        unit = below[0]


def _region(count: Count, contest: int, unit: int) -> RegionCount:
    own = unit_result(count, contest, unit)
    return RegionCount(own.counted, own.quarantined, own.excluded)
