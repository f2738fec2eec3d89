"""The count as CSV tables (RFC 4180, UTF-8, LF), byte for byte the same for the same log prefix."""

import csv
import hashlib
import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scrutineer.count.columns import BLANK, CAST, NULL, ROLL, VOTERS
from scrutineer.count.contest import (
    STATUS_NAMES,
    T_BALLOTS,
    T_BLANK,
    T_BLANK_KNOWN,
    T_COUNTED,
    T_EXCLUDED,
    T_NULL,
    T_NULL_KNOWN,
    T_QUARANTINED,
    T_ROLL,
    T_ROLL_KNOWN,
    T_VOTERS,
    T_VOTERS_KNOWN,
    TOTALS,
)
from scrutineer.count.fold import Count

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
    units, state = count.election.units, count.contests[contest]
    at = np.fromiter(units.index.values(), np.int64, len(units.index))
    totals = state.inner_totals()
    k = state.options
    below = units.stations_below(state.unit)
    stations = np.maximum(np.minimum(units.last_station[at], below.stop) - np.maximum(units.first_station[at], below.start), 0)
    columns = [totals[:, k + column] for column in range(TOTALS)]
    outstanding = stations - columns[T_COUNTED] - columns[T_QUARANTINED] - columns[T_EXCLUDED]
    ids = units.ids
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*UNIT_COLUMNS, *(f"votes:{option.id}" for option in state.contest.options)])
    writer.writerows(
        zip(
            units.index,
            [ids[parent] if parent >= 0 else "" for parent in units.parent[at].tolist()],
            [units.kinds[unit] for unit in at.tolist()],
            [units.names[unit] for unit in at.tolist()],
            stations.tolist(),
            columns[T_COUNTED].tolist(),
            columns[T_QUARANTINED].tolist(),
            columns[T_EXCLUDED].tolist(),
            outstanding.tolist(),
            _where(columns[T_ROLL_KNOWN] == stations, columns[T_ROLL]),
            columns[T_BALLOTS].tolist(),
            _where(columns[T_BLANK_KNOWN] > 0, columns[T_BLANK]),
            _where(columns[T_NULL_KNOWN] > 0, columns[T_NULL]),
            _where(columns[T_VOTERS_KNOWN] > 0, columns[T_VOTERS]),
            *(totals[:, option].tolist() for option in range(k)),
            strict=True,
        )
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
    below = units.stations_below(state.unit)
    for start in range(below.start, below.stop, _BLOCK):
        part = slice(start, min(start + _BLOCK, below.stop))
        at = units.station_units[part].tolist()
        figures = state.figures[part]
        for failed in np.unique(state.flags[part]).tolist():
            if failed not in rules_text:
                rules_text[failed] = " ".join(book.names(failed))
        writer.writerows(
            zip(
                [units.ids[unit] for unit in at],
                [units.ids[parent] if parent >= 0 else "" for parent in units.parent[at].tolist()],
                [units.names[unit] for unit in at],
                [STATUS_NAMES[status] for status in state.status[part].tolist()],
                _known(state.sheet[part]),
                [rules_text[failed] for failed in state.flags[part].tolist()],
                _known(units.rolls[part]),
                *(_known(figures[:, k + position]) for position in (ROLL, VOTERS, CAST, BLANK, NULL)),
                *(_known(figures[:, option]) for option in range(k)),
                strict=True,
            )
        )
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    if text.tell():
        yield text.getvalue().encode()


def _known(values: NDArray[np.int32] | NDArray[np.int64]) -> list[int | None]:
    """A column for people and programs alike: None, an empty cell, where the figure is unknown."""
    return _where(values >= 0, values)


def _where(known: NDArray[np.bool_], values: NDArray[np.int32] | NDArray[np.int64]) -> list[int | None]:
    if not known.any():
        return [None] * len(values)
    listed: list[int | None] = values.tolist()
    if not known.all():
        for row in np.flatnonzero(~known).tolist():
            listed[row] = None
    return listed
