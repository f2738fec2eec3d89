"""The published numbers as data: CSV, Parquet and JSON, the same bytes for the same record."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from scrutineer.count import contest_result, station_columns, stations_table
from scrutineer.count.tables import STATION_COLUMNS
from scrutineer.portal.formats import SiteFile, write_json
from scrutineer.portal.nist_figures import nist_report
from scrutineer.portal.view import View

_ROW_GROUP: Final = 65_536  # rows
_TEXT_COLUMNS: Final = ("station", "parent", "name", "status", "rules")


def data_files(view: View) -> Iterator[SiteFile]:
    """The data of every contest, then the summary of all."""
    for contest, terms in enumerate(view.election.contests):
        yield SiteFile(view.places.contest(terms.id, "results.csv"), (view.results_tables[contest],))
        yield SiteFile(view.places.contest(terms.id, "stations.csv"), stations_table(view.count, contest))
        yield SiteFile(view.places.contest(terms.id, "stations.parquet"), stations_parquet(view, contest))
    yield SiteFile("data/results.nist.json", nist_report(view))
    yield SiteFile("data/summary.json", (_summary(view),))


def stations_parquet(view: View, contest: int) -> Iterator[bytes]:
    """The stations table as Parquet: columns and rows of `stations.csv`, null where a figure is unknown.

    The bytes depend on the version of the Parquet library, which it writes into the file, and on nothing else but the record.
    """
    state = view.count.contests[contest]
    names = [*STATION_COLUMNS, *(f"votes:{option.id}" for option in state.contest.options)]
    schema = pa.schema(
        [(name, pa.string() if name in _TEXT_COLUMNS else pa.int64() if name == "entry" else pa.int32()) for name in names]
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
            "contests": [_contest(view, contest) for contest in range(len(view.standings))],
        }
    )


def _contest(view: View, contest: int) -> dict[str, object]:
    now = view.standings[contest]
    result, outcome, bound = now.result, now.outcome, now.bound
    ids = [candidate.id for candidate in now.contest.standing()]
    stated = contest_result(view.count, contest)
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
        "outcome": {
            "elected": list(stated.elected),
            "runoff": list(stated.runoff),
            "tied": list(stated.tied),
            "open_seats": outcome.open_seats,
            "margin": outcome.margin,
        },
        "bound": {
            "changeable": bound.changeable,
            "exact": bound.exact,
            "ballots_needed": bound.margin,
            "open_ballots": result.open_ballots,
            "slack": bound.slack,
            "open_stations_without_roll": result.open_without_roll,
        },
    }
