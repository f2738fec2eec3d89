"""Which bundles of encrypted ballots are published: those that a sheet in effect of their station names by their hash."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from scrutineer.count import Count
from scrutineer.portal.ballot_record import BUNDLE_ENDING, NamedBy, StationBallots
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
    given: Mapping[str, StationBallots], count: Count, entry: Entry, skipped: list[tuple[str, str]] | None = None
) -> dict[int, StationBallots]:
    """Those ballots, given by station, that a sheet in effect names; in the order of stations.

    `skipped` is told the others by file, with the reason.
    """
    found: dict[int, StationBallots] = {}
    stations = count.election.units.station_index
    for station, own in given.items():
        number = stations.get(station)
        reason = ""
        if number is None:
            reason = "no station of this election has that name"
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
            skipped.append((f"{station}{BUNDLE_ENDING}", reason))
    return dict(sorted(found.items()))
