"""Which bundles of encrypted ballots are published: those that a sheet in effect of their station names by their hash."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from scrutineer.count import Count
from scrutineer.portal.ballot_record import NamedBy, StationBallots
from scrutineer.portal.sheets import read_source

Entry = Callable[[int], bytes]
"""Returns the log entry at an index."""


def records_of(count: Count, entry: Entry, station: int) -> dict[NamedBy, bytes]:
    """The bundle that each sheet in effect of a station names, by its SHA-256; sheets that name none are left out."""
    found: dict[NamedBy, bytes] = {}
    for state in count.contests:
        index = int(state.sheet[station])
        if index >= 0 and (records := read_source(index, entry(index)).records) is not None:
            found[NamedBy(state.contest.id, index)] = records
    return found


def named_ballots(
    given: Iterable[tuple[str, StationBallots]], count: Count, entry: Entry, skipped: list[tuple[str, str]] | None = None
) -> dict[int, StationBallots]:
    """Those ballots, given with the names of their files, that a sheet in effect of their station names, by station.

    `skipped` is told the other files, with the reason.
    """
    found: dict[int, StationBallots] = {}
    stations = count.election.units.station_index
    for name, own in given:
        number = stations.get(own.station)
        reason = ""
        if number is None:
            reason = f"it is of a station {own.station[:64]!r}, which this election does not have"
        else:
            named = records_of(count, entry, number)
            by = tuple(sheet for sheet, records in named.items() if records == own.bundle.digest)
            if by:
                found[number] = replace(own, named_by=by)
            else:
                theirs = ", ".join(sorted({records.hex() for records in named.values()}))
                reason = f"its SHA-256 is {own.bundle.digest.hex()}, and " + (
                    f"the station's sheet names {theirs}" if theirs else "no sheet of it that is in effect names a bundle"
                )
        if reason and skipped is not None:
            skipped.append((name, reason))
    return dict(sorted(found.items()))
