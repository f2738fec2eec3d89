"""The count from the log against DuckDB's plain group-by over the same columns, and one more sheet on top.

    python bench/bench_count.py [STATIONS]

Prints the rate at which sheets are decoded, the CPU seconds of fold (rules, quarantine, totals of every unit) and group-by
with their ratio, and the time until all totals and the bulletin's figures are right again after one more sheet.
"""

import sys
import time

import duckdb
import numpy as np
import pyarrow as pa

from electorate import electorate
from scrutineer.count import Count, contest_result
from scrutineer.count.columns import ContestColumns, SheetReader
from scrutineer.count.rules import UNKNOWN_STATION, WRONG_CONTEST
from scrutineer.election import Election
from scrutineer.statements import is_tally_sheet

STRETCH = 8192


def main(stations: int) -> None:
    made = electorate(stations)
    election = made.election()
    entries = list(made.entries())
    sheets = [(index, data) for index, data in enumerate(entries) if is_tally_sheet(data)]
    reader = SheetReader(election)

    started = time.process_time()
    columns = [
        reader.read(sheets[at : at + STRETCH], UNKNOWN_STATION, WRONG_CONTEST)[0][0] for at in range(0, len(sheets), STRETCH)
    ]
    decoding = time.process_time() - started
    print(f"decoding: {len(sheets):,} sheets, {len(sheets) / decoding:,.0f} a second and core (to reach: 150,000)")

    started = time.process_time()
    count = Count(election)
    for column in columns:
        count.contests[0].add(column, count.opened)
    count.prepare()
    folding = time.process_time() - started

    grouping = group_by(election, columns)
    print(
        f"fold with rules and totals of {election.units.unit_count - election.units.station_count:,} units: {folding:.2f} CPU-s"
    )
    print(f"DuckDB, one group-by for each level: {grouping:.2f} CPU-s; ratio {folding / grouping:.2f} (to reach: 2)")

    live = Count(election)
    live.apply(entries[:-200])
    live.prepare()
    times = []
    for entry in entries[-200:]:
        started = time.perf_counter()
        live.apply([entry])
        contest_result(live, 0)
        times.append(1000 * (time.perf_counter() - started))
    print(f"one more sheet: median {np.median(times):.2f} ms, longest {max(times):.2f} ms (to reach: 5)")


def group_by(election: Election, columns: list[ContestColumns]) -> float:
    """CPU seconds of DuckDB for the totals of every unit from a table of sheets with one column for each level."""
    units = election.units
    station = np.concatenate([column.station for column in columns])
    figures = np.concatenate([column.figures for column in columns])
    width = figures.shape[1]
    depth = len(units.path(int(units.station_units[0]))) - 1
    above = units.station_units[station]
    levels = []
    for _ in range(depth):
        above = units.parent[above]
        levels.append(above)
    table = pa.table({f"level{n}": level for n, level in enumerate(levels)} | {f"figure{n}": figures[:, n] for n in range(width)})
    connection = duckdb.connect()
    connection.register("given", table)
    connection.execute("create table sheets as select * from given")
    sums = ", ".join(f"sum(figure{n})" for n in range(width))
    started = time.process_time()
    for n in range(depth):
        connection.execute(f"select level{n}, {sums} from sheets group by level{n}").fetchnumpy()
    return time.process_time() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_050_000)
