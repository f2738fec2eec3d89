"""The published numbers as data: CSV, Parquet and JSON, the same bytes for the same record; with their control totals.

Every contest has a file of control totals beside its tables: how many rows each holds and what its columns add up to, with the
hash of the CSV files. It stands apart because whoever adds up the rows of a table would add a row of totals as well, and because
bulletins bind the bytes of `results.csv`. The Parquet file also carries its own, as key-value metadata.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from scrutineer.count import station_columns, stations_table
from scrutineer.count.columns import BLANK, CAST, NULL, ROLL, VOTERS
from scrutineer.count.tables import STATION_COLUMNS
from scrutineer.portal.api_files import outcome_fields
from scrutineer.portal.api_schema import schema_path
from scrutineer.portal.api_tables import CONTROL_FILE
from scrutineer.portal.dictionary import RESULTS, Table
from scrutineer.portal.formats import SiteFile, write_json
from scrutineer.portal.nist_figures import nist_report
from scrutineer.portal.view import View

_ROW_GROUP: Final = 65_536  # rows
_TEXT_COLUMNS: Final = ("station", "parent", "name", "status", "rules")
_STATED: Final = {"stated_roll": ROLL, "voters": VOTERS, "cast": CAST, "blank": BLANK, "null": NULL}


def data_files(view: View) -> Iterator[SiteFile]:
    """The data of every contest, then the report and the summary of all."""
    for contest in range(len(view.standings)):
        yield from _contest_files(view, contest)
    yield SiteFile("data/results.nist.json", nist_report(view))
    yield SiteFile("data/summary.json", (_summary(view),))


def _contest_files(view: View, contest: int) -> Iterator[SiteFile]:
    terms, results = view.election.contests[contest], view.results_tables[contest]
    stations, sums = _Hashed(stations_table(view.count, contest)), station_sums(view, contest)
    rows = len(view.units.stations_below(view.election.contest_units[contest]))
    yield SiteFile(view.places.contest(terms.id, "results.csv"), (results,))
    yield SiteFile(view.places.contest(terms.id, "stations.csv"), stations)
    yield SiteFile(view.places.contest(terms.id, "stations.parquet"), stations_parquet(view, contest))
    controls = [
        _control(
            "results.csv", hashlib.sha256(results).hexdigest(), len(results), len(view.units.index), _sums(results, RESULTS)
        ),
        _control("stations.csv", stations.digest.hexdigest(), stations.size, rows, sums),
        _control("stations.parquet", None, None, rows, sums),
    ]
    schema = f"../../{schema_path(CONTROL_FILE)}"
    yield SiteFile(
        view.places.contest(terms.id, "control.json"),
        (write_json({"$schema": schema, "contest": terms.id, "files": controls}),),
    )


def _control(file: str, sha256: str | None, size: int | None, rows: int, sums: dict[str, int]) -> dict[str, object]:
    return {"file": file, "bytes": size, "sha256": sha256, "rows": rows, "sums": sums}


class _Hashed:
    """Pieces of a file that are hashed while they are taken, which must have been to the end before the hash is asked for."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.digest = hashlib.sha256()
        self.size = 0  # bytes

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.digest.update(piece)
            self.size += len(piece)
            yield piece


def _sums(table: bytes, described: Table) -> dict[str, int]:
    """The sum of each column of figures of a CSV table as it stands; empty cells add nothing."""
    header = table[: table.index(b"\n")].decode().split(",")
    counted = [name for name in header if described.field(name).unit]
    read = pc.read_csv(
        pa.BufferReader(table),
        convert_options=pc.ConvertOptions(include_columns=counted, column_types=dict.fromkeys(counted, pa.int64())),
    )
    return {name: int(np.asarray(read[name].fill_null(0)).sum()) for name in counted}


def station_sums(view: View, contest: int) -> dict[str, int]:
    """The sum of each column of figures of the stations table, over all its rows."""
    state = view.count.contests[contest]
    k, below = state.options, view.units.stations_below(state.unit)
    figures = state.figures[below.start : below.stop]
    columns = {name: figures[:, k + at] for name, at in _STATED.items()}
    votes = {f"votes:{option.id}": figures[:, at] for at, option in enumerate(state.contest.options)}
    return {
        name: _known_sum(values)
        for name, values in ({"roll": view.units.rolls[below.start : below.stop]} | columns | votes).items()
    }


def _known_sum(values: NDArray[np.signedinteger]) -> int:
    return int(np.maximum(values, 0).sum(dtype=np.int64))


def stations_parquet(view: View, contest: int) -> Iterator[bytes]:
    """The stations table as Parquet: columns and rows of `stations.csv`, null where a figure is unknown.

    Its metadata hold the control totals: `rows` in digits, `sums` as a JSON object. The bytes depend on the version of the
    Parquet library, which it writes into the file, and on nothing else but the record.
    """
    state = view.count.contests[contest]
    names = [*STATION_COLUMNS, *(f"votes:{option.id}" for option in state.contest.options)]
    schema = pa.schema(
        [(name, pa.string() if name in _TEXT_COLUMNS else pa.int64() if name == "entry" else pa.int32()) for name in names],
        {"rows": str(len(view.units.stations_below(state.unit))), "sums": json.dumps(station_sums(view, contest))},
    )
    sink = _Sink()
    with pq.ParquetWriter(
        pa.PythonFile(sink, mode="w"), schema, version="2.6", compression="snappy", use_dictionary=["parent", "status", "rules"]
    ) as writer:
        for columns in station_columns(view.count, contest, _ROW_GROUP):
            typed = [column.cast(field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(typed, schema=schema), row_group_size=_ROW_GROUP)
            yield sink.take()
    yield sink.take()
    # What Arrow holds back for the next table is a large part of all memory, and the next table may never come.
    pa.default_memory_pool().release_unused()


class _Sink:
    """A file for the Parquet writer that hands over what was written so far."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: pa.Buffer | bytes) -> int:
        """Take bytes."""
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        """The bytes since the last call."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def _summary(view: View) -> bytes:
    record = view.record
    definition = view.election.definition
    contests = range(len(view.standings))
    return write_json(
        {
            "election": definition.id,
            "name": definition.name,
            "date": definition.date,
            "provenance": definition.provenance_sentence(),
            "definition": view.election.hash.hex(),
            "layer": view.layer,
            "size": record.head.size,
            "root": record.head.root.hex(),
            "time_ms": record.head.time_ms,
            "contests": [_contest(view, contest) for contest in contests],
            "control": {
                "rows": len(contests),
                "sums": {
                    "votes": sum(sum(now.result.votes) for now in view.standings),
                    "ballots": sum(now.result.ballots for now in view.standings),
                },
            },
        }
    )


def _contest(view: View, contest: int) -> dict[str, object]:
    now = view.standings[contest]
    result = now.result
    ids = [candidate.id for candidate in now.contest.standing()]
    return {
        "contest": now.contest.id,
        "title": now.contest.title,
        "rule": now.contest.rule,
        "votes": {option.id: votes for option, votes in zip(now.contest.options, result.votes, strict=True)},
        "candidates": dict(zip(ids, now.candidate_votes, strict=True)),
        "blank": result.blank,
        "null": result.null,
        "ballots": result.ballots,
        "voters": result.voters,
        "roll": result.roll,
        "roll_counted": result.roll_counted,
        "stations": result.stations,
        "counted": result.counted,
        "quarantined": result.quarantined,
        "excluded": result.excluded,
        "outstanding": result.outstanding,
        **outcome_fields(view, contest),
    }
