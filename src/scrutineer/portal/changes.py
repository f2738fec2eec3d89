"""Which places' pages can have changed since a log size: those that the entries since then speak of, directly or not.

The page of a station depends on the definition, the options of the site and the entries of the log that speak of that station:
its sheets, its opening, the decisions on it with their signatures, copies of its sheets and countersignatures, and who signed
these. The page of a unit depends on the stations below it. So every place that no new entry speaks of has the page that it
had. Where it is not certain what an entry concerns, more is taken and never less.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.count import Count
from scrutineer.election import Units
from scrutineer.statements import (
    Accreditation,
    Attestation,
    AuditCount,
    AuditPlan,
    AuditReport,
    AuditSeed,
    Bulletin,
    Certificate,
    Claim,
    Decision,
    Endorsement,
    Incident,
    StationOpened,
    is_tally_sheet,
    parse_statement,
)

MOST_UPPER: Final = 400
"""The units of the upper levels, at most so many, may show figures of the whole country: their pages are always made again."""


@dataclass(frozen=True)
class Changes:
    """The places whose pages are to be made again."""

    stations: Sequence[int]
    """Station numbers, ascending."""
    units: Sequence[int]
    """Positions of units above the stations, in the order of the units table."""

    def places(self, units: Units) -> NDArray[np.bool_]:
        """Whether each unit or station, by position, is one of them."""
        marked = np.zeros(units.unit_count, dtype=np.bool_)
        marked[units.station_units[list(self.stations)]] = True
        marked[list(self.units)] = True
        return marked


def changes_since(count: Count, since: int, entries: Iterable[bytes]) -> Changes | None:
    """What entries `since` … of the log, up to where `count` stands, speak of; None where that may be everything."""
    found = _Found(count)
    found.sheets(since)
    for entry in entries:
        if not is_tally_sheet(entry) and not found.note(entry):
            return None
    found.follow()
    return _changes(found.marked, count.election.units)


def with_places(changes: Changes, places: Iterable[int], units: Units) -> Changes:
    """The changes and further units or stations, by position."""
    marked = changes.places(units)
    marked[list(places)] = True
    return _changes(marked, units)


def upper_units(units: Units) -> list[int]:
    """The units from the country down to the deepest level to which they are at most MOST_UPPER."""
    inner = frozenset(units.index.values())
    found: list[int] = []
    level = [0]
    while level and len(found) + len(level) <= MOST_UPPER:
        found += level
        level = [unit for unit in np.flatnonzero(np.isin(units.parent, level)).tolist() if unit in inner]
    return [unit for unit in found if unit in inner]


def _changes(marked: NDArray[np.bool_], units: Units) -> Changes:
    """The marked places, and every unit above one."""
    above = np.flatnonzero(marked)
    while len(above):
        above = np.unique(units.parent[above])
        above = above[above >= 0]
        above = above[~marked[above]]
        marked[above] = True
    inner = np.fromiter(units.index.values(), np.int64, len(units.index))
    return Changes(np.flatnonzero(marked[units.station_units]).tolist(), inner[marked[inner]].tolist())


class _Found:
    """The units and stations, by position, that entries speak of."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._units = units = count.election.units
        self.marked: NDArray[np.bool_] = np.zeros(units.unit_count, dtype=np.bool_)
        self.marked[upper_units(units)] = True
        self._endorsed: set[bytes] = set()
        """Hashes of statements that were signed or refused."""
        self._issuers: set[str] = set()
        """Who was admitted, or had a key revoked."""

    def sheets(self, since: int) -> None:
        """Mark the stations that sent a sheet."""
        for contest in self._count.contests:
            self._mark_stations(np.flatnonzero(contest.sheet >= since).tolist())
            self._mark_stations(station for station, sheets in contest.several.items() if sheets[-1].index >= since)

    def note(self, entry: bytes) -> bool:
        """Note what an entry speaks of that is no sheet; False where nobody can know."""
        return self._note(parse_statement(entry).payload)

    def _note(self, payload: object) -> bool:
        match payload:
            case StationOpened() | Attestation() | Decision():
                self._mark(payload.station)
            case Endorsement():
                self._endorsed.add(payload.statement)
            case Accreditation():
                self._issuers.add(payload.issuer)
            case Claim() | Incident():
                self._mark(payload.unit)
            case Bulletin() | Certificate() | AuditPlan() | AuditSeed() | AuditCount() | AuditReport():
                # They state what was counted and change nothing in it; the pages of places do not show them.
                pass
            case _:
                return False
        return True

    def follow(self) -> None:
        """Mark what was endorsed, and what those said whose keys were admitted or revoked."""
        count = self._count
        said = [*count.attestations, *count.claims, *count.incidents]
        for name in list(self._endorsed):
            act = count.acts.get(name)
            if act is not None:
                self._note(act.recorded.statement.payload)
        for recorded in said:
            if recorded.statement.hash in self._endorsed:
                self._note(recorded.statement.payload)
        if self._issuers:
            for issuer in self._issuers:
                self._mark(issuer.partition("/")[2])
            for recorded in (*said, *count.endorsements):
                if recorded.statement.envelope.issuer in self._issuers:
                    self._note(recorded.statement.payload)
            for act in count.acts.values():
                by = {act.recorded.statement.envelope.issuer, *act.signed, *act.refused}
                if isinstance(act.recorded.statement.payload, Decision) and not by.isdisjoint(self._issuers):
                    self._note(act.recorded.statement.payload)
        self._mark_endorsed_sheets()

    def _mark_endorsed_sheets(self) -> None:
        if not self._endorsed:
            return
        # The first eight bytes tell enough: should two hashes share them, one page more is made again.
        wanted = np.frombuffer(b"".join(name[:8] for name in self._endorsed), dtype=np.uint64)
        for contest in self._count.contests:
            first = np.ascontiguousarray(contest.hashes[:, :8]).view(np.uint64)[:, 0]
            self._mark_stations(np.flatnonzero(np.isin(first, wanted)).tolist())
            self._mark_stations(
                station
                for station, sheets in contest.several.items()
                if not self._endorsed.isdisjoint(sheet.hash for sheet in sheets)
            )

    def _mark_stations(self, stations: Iterable[int]) -> None:
        self.marked[self._units.station_units[list(stations)]] = True

    def _mark(self, place: str) -> None:
        """Mark a unit or station by its id. One that the definition does not have has no page."""
        unit = self._units.index.get(place)
        if unit is None:
            station = self._units.station_index.get(place)
            if station is None:
                return
            unit = int(self._units.station_units[station])
        self.marked[unit] = True
