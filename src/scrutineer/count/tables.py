"""The count as CSV tables (RFC 4180, UTF-8, LF), byte for byte the same for the same log prefix."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
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
from scrutineer.pieces import sha256_of

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
_BLOCK: Final = 8192  # rows formatted at a time
_PLAIN: Final = pc.WriteOptions(include_header=False, batch_size=_BLOCK, quoting_style="none")


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
    header = _rows([(*UNIT_COLUMNS, *(f"votes:{option.id}" for option in state.contest.options))])
    return header + _table(
        [
            pa.array(units.index),
            pa.array([ids[parent] if parent >= 0 else "" for parent in units.parent[at].tolist()]),
            pa.array([units.kinds[unit] for unit in at.tolist()]),
            pa.array([units.names[unit] for unit in at.tolist()]),
            pa.array(stations),
            pa.array(columns[T_COUNTED]),
            pa.array(columns[T_QUARANTINED]),
            pa.array(columns[T_EXCLUDED]),
            pa.array(outstanding),
            pa.array(columns[T_ROLL], mask=columns[T_ROLL_KNOWN] != stations),
            pa.array(columns[T_BALLOTS]),
            pa.array(columns[T_BLANK], mask=columns[T_BLANK_KNOWN] <= 0),
            pa.array(columns[T_NULL], mask=columns[T_NULL_KNOWN] <= 0),
            pa.array(columns[T_VOTERS], mask=columns[T_VOTERS_KNOWN] <= 0),
            *(pa.array(totals[:, option]) for option in range(k)),
        ]
    )


def results_hash(count: Count) -> bytes:
    """SHA-256 over the results tables of all contests, one after the other: what a bulletin binds besides its own figures."""
    return tables_hash(results_table(count, contest) for contest in range(len(count.contests)))


def tables_hash(tables: Iterable[bytes]) -> bytes:
    """`results_hash` for those who hold the results tables of all contests already."""
    return sha256_of(tables)


def stations_table(count: Count, contest: int) -> Iterator[bytes]:
    """Every station's figures as its effective (or quarantined) sheet states them, in blocks of rows.

    `entry` is the log index of that sheet; `rules` are the failed rules. Only rows of status `counted` are in the totals.
    """
    yield _rows([(*STATION_COLUMNS, *(f"votes:{option.id}" for option in count.contests[contest].contest.options))])
    for columns in station_columns(count, contest, _BLOCK):
        yield _table(columns)


def station_columns(count: Count, contest: int, block: int) -> Iterator[list[pa.Array]]:
    """The columns of the stations table, so many rows at a time; null where a figure is unknown."""
    state = count.contests[contest]
    units, book = count.election.units, count.book
    # The last text is that of the country's parent, which is no unit.
    ids, names, statuses = pa.array([*units.ids, ""]), pa.array(units.names), pa.array(STATUS_NAMES)
    k = state.options
    below = units.stations_below(state.unit)
    for start in range(below.start, below.stop, block):
        part = slice(start, min(start + block, below.stop))
        at = units.station_units[part]
        above = units.parent[at]
        figures = state.figures[part]
        failed, rules = np.unique(state.flags[part], return_inverse=True)
        yield [
            ids.take(pa.array(at)),
            ids.take(pa.array(np.where(above >= 0, above, units.unit_count))),
            names.take(pa.array(at)),
            statuses.take(pa.array(state.status[part])),
            _known(state.sheet[part]),
            pa.array([" ".join(book.names(flags)) for flags in failed.tolist()]).take(pa.array(rules)),
            _known(units.rolls[part]),
            *(_known(figures[:, k + position]) for position in (ROLL, VOTERS, CAST, BLANK, NULL)),
            *(_known(figures[:, option]) for option in range(k)),
        ]


def _known(values: NDArray[np.int32] | NDArray[np.int64]) -> pa.Array:
    """A column for people and programs alike: null, an empty cell, where the figure is unknown."""
    return pa.array(values, mask=values < 0)


def _table(columns: Sequence[pa.Array]) -> bytes:
    """Columns of equal length as rows."""
    sink = io.BytesIO()
    try:
        pc.write_csv(pa.Table.from_arrays(columns, names=[str(number) for number in range(len(columns))]), sink, _PLAIN)
    except pa.ArrowInvalid:
        # Arrow would put every text in quotation marks or none. Names with commas or quotation marks need them, others have none.
        return _rows(zip(*(column.to_pylist() for column in columns), strict=True))
    return sink.getvalue()


def _rows(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
