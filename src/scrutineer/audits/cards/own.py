"""Totals by station from our own published results: `data/<contest>/stations.csv` of a site, each station a box.

Only stations whose status is `counted` have totals; any other has none, and its cards stand against the outcome. Our ballot
records (`ballots cvr`) are read by `nist`, our own file of cards by `compact`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrutineer.audits.cards.sources import opened
from scrutineer.audits.manifest import MOST_BYTES, MOST_CARDS, Manifest
from scrutineer.audits.plan_totals import Row, Totals
from scrutineer.count.contest import COUNTED, EXCLUDED, STATUS_NAMES
from scrutineer.election import Contest
from scrutineer.errors import AuditError

_COUNTED: Final = STATUS_NAMES[COUNTED]
_EXCLUDED: Final = STATUS_NAMES[EXCLUDED]


@dataclass(frozen=True, slots=True)
class Station:
    """What is published of one contest in one station."""

    status: str
    cast: int | None
    """Ballots found in the box; None: not stated."""
    blank: int | None
    null: int | None
    votes: tuple[int, ...]
    """By option; empty where none are published."""


def read_stations(path: Path, contest: Contest) -> dict[str, Station]:
    """The stations of a published table. Raises AuditError, naming the line."""
    with opened(path) as sources:
        if len(sources) != 1:
            raise AuditError(f"{path.name}: {len(sources)} files; give the table of stations")
        data = sources[0].small(MOST_BYTES)
    name = path.name
    try:
        table = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
        header = next(table, [])
        names = ("station", "status", "cast", "blank", "null", *(f"votes:{option.id}" for option in contest.options))
        if any(header.count(each) != 1 for each in names):
            missing = next(each for each in names if header.count(each) != 1)
            raise AuditError(
                f"{name}, line 1: no column {missing!r}, or several; take the table of contest {contest.id!r} from the site"
            )
        places = [header.index(each) for each in names]
        found: dict[str, Station] = {}
        for cells in table:
            line = table.line_num
            if len(cells) != len(header):
                raise AuditError(f"{name}, line {line}: {len(cells)} cells, and the header has {len(header)}; take the file anew")
            station, status, *figures = (cells[place] for place in places)
            if not station or station in found:
                raise AuditError(f"{name}, line {line}: station {station!r} stands there twice or has no id; take the file anew")
            cast, blank, null, *votes = (_number(name, line, each) for each in figures)
            known = tuple(each for each in votes if each is not None)
            if known and len(known) != len(votes):
                raise AuditError(f"{name}, line {line}: votes of some options are missing; take the file anew")
            found[station] = Station(status, cast, blank, null, known)
    except UnicodeDecodeError as error:
        raise AuditError(f"{name}: byte {error.start} is not UTF-8; take the file anew") from error
    except csv.Error as error:
        raise AuditError(f"{name}, line {table.line_num}: not a row of a CSV file ({error}); take the file anew") from error
    return found


def published_counts(stations: Mapping[str, Mapping[str, Station]]) -> dict[str, int]:
    """By station the ballots that its published sheets found in the box, the most of any contest; what `against_counts` takes.

    Stations that are not counted, or whose sheets do not state it, are left out. `stations` is by contest.
    """
    counts: dict[str, int] = {}
    for table in stations.values():
        for station, each in table.items():
            if each.status == _COUNTED and each.cast is not None:
                counts[station] = max(counts.get(station, 0), each.cast)
    return counts


def station_totals(stations: Mapping[str, Mapping[str, Station]], contests: Sequence[Contest], manifest: Manifest) -> Totals:
    """The totals of the stations by box of the manifest. Excluded stations are left out.

    Raises AuditError for a station that has no box, and for votes that its cards cannot bear.
    """
    rows: dict[tuple[str, str], Row] = {}
    for contest in contests:
        for station, each in stations[contest.id].items():
            if each.status == _EXCLUDED:
                continue
            if station not in manifest.index:
                raise AuditError(f"station {station!r} votes in contest {contest.id!r} and is not in the manifest: add its box")
            cards = int(manifest.cards[manifest.index[station]])
            if each.status != _COUNTED or not each.votes:
                rows[station, contest.id] = (cards, 0, (0,) * len(contest.options))
            else:
                rows[station, contest.id] = (cards, (each.blank or 0) + (each.null or 0), each.votes)
    return Totals(rows)


def _number(name: str, line: int, cell: str) -> int | None:
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and len(cell) <= len(str(MOST_CARDS)) and int(cell) <= MOST_CARDS):
        raise AuditError(f"{name}, line {line}: {cell[:24]!r} is not a number; take the file anew")
    return int(cell)
