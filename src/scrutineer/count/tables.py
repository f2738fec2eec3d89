"""The count as CSV tables (RFC 4180, UTF-8, LF), byte for byte the same for the same log prefix."""

import csv
import hashlib
import io
from collections.abc import Iterator

from scrutineer.count.columns import BLANK, CAST, NULL, ROLL, VOTERS
from scrutineer.count.contest import STATUS_NAMES
from scrutineer.count.fold import Count
from scrutineer.count.results import unit_result

UNIT_COLUMNS = (
    "unit",
    "parent",
    "kind",
    "name",
    "stations",
    "counted",
    "quarantined",
    "excluded",
    "outstanding",
    "roll",
    "ballots",
    "blank",
    "null",
    "voters",
)
STATION_COLUMNS = (
    "station",
    "parent",
    "name",
    "status",
    "entry",
    "rules",
    "roll",
    "stated_roll",
    "voters",
    "cast",
    "blank",
    "null",
)
_BLOCK = 8192  # rows formatted at a time


def results_table(count: Count, contest: int) -> bytes:
    """Totals of a contest for every unit above the stations, in the order of the units table. An empty cell is unknown."""
    units = count.election.units
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*UNIT_COLUMNS, *(f"votes:{option.id}" for option in count.election.contests[contest].options)])
    for unit_id, unit in units.index.items():
        r = unit_result(count, contest, unit)
        parent = int(units.parent[unit])
        writer.writerow(
            [
                unit_id,
                units.ids[parent] if parent >= 0 else "",
                units.kinds[unit],
                units.names[unit],
                r.stations,
                r.counted,
                r.quarantined,
                r.excluded,
                r.outstanding,
                r.roll,
                r.ballots,
                r.blank,
                r.null,
                r.voters,
                *r.votes,
            ]
        )
    return text.getvalue().encode()


def results_hash(count: Count) -> bytes:
    """SHA-256 over the results tables of all contests, one after the other: what a bulletin binds besides its own figures."""
    digest = hashlib.sha256()
    for contest in range(len(count.contests)):
        digest.update(results_table(count, contest))
    return digest.digest()


def stations_table(count: Count, contest: int) -> Iterator[bytes]:
    """Every station's figures as its effective (or quarantined) sheet states them, in blocks of rows.

    `entry` is the log index of that sheet; `rules` are the failed rules. Only rows of status `counted` are in the totals.
    """
    state = count.contests[contest]
    units, book = count.election.units, count.book
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*STATION_COLUMNS, *(f"votes:{option.id}" for option in state.contest.options)])
    rules_text: dict[int, str] = {}
    k = state.options
    order = (ROLL, VOTERS, CAST, BLANK, NULL)
    below = units.stations_below(state.unit)
    for start in range(below.start, below.stop, _BLOCK):
        stop = min(start + _BLOCK, below.stop)
        figures = state.figures[start:stop].tolist()
        status = state.status[start:stop].tolist()
        entries = state.sheet[start:stop].tolist()
        flags = state.flags[start:stop].tolist()
        rolls = units.rolls[start:stop].tolist()
        rows: list[list[object]] = []
        for row, unit in enumerate(units.station_units[start:stop].tolist()):
            failed = flags[row]
            if failed not in rules_text:
                rules_text[failed] = " ".join(book.names(failed))
            stated = figures[row]
            rows.append(
                [
                    units.ids[unit],
                    units.ids[units.parent[unit]],
                    units.names[unit],
                    STATUS_NAMES[status[row]],
                    entries[row] if entries[row] >= 0 else None,
                    rules_text[failed],
                    rolls[row] if rolls[row] >= 0 else None,
                    *(stated[k + position] if stated[k + position] >= 0 else None for position in order),
                    *(votes if votes >= 0 else None for votes in stated[:k]),
                ]
            )
        writer.writerows(rows)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    if text.tell():
        yield text.getvalue().encode()
