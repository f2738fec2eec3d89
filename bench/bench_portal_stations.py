"""The first publication of a large country: a page for every station, made by several processes.

    python bench/bench_portal_stations.py [STATIONS [WORKERS]]

An electorate of so many stations (by default 813,336, as many as Indonesia had in 2024) is simulated and put in a log once, and
kept in out/bench. Then its site is published to an empty folder: seconds from the record to the end of the publication (to reach
at 813,336: 600 on 2 cores that do nothing else), CPU seconds of all processes, their memory, how large the site is, and how large
the page of a station is (to reach: 50 KB at most). The floor beside it writes files of the same sizes to the same folders and
does nothing else, one process, measured on a part of them.
"""

import gc
import os
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from electorate import FOLDER, electorate, filled_log, log_signer
from scrutineer.count import Count
from scrutineer.log import Log, SqliteStore
from scrutineer.portal.publish import Effort, publish
from scrutineer.portal.record import Record, default_options

STATIONS: Final = 813_336
_SAMPLE: Final = 20_000  # files that the floor writes


def main(stations: int, workers: int) -> None:
    # In a process of its own, so that its memory is not counted below.
    subprocess.run([sys.executable, __file__, "fill", str(stations)], check=True)
    site = FOLDER / f"site-{stations}"
    shutil.rmtree(site, ignore_errors=True)
    record, log = counted(stations)
    gc.collect()
    before = memory()
    started, spent = time.monotonic(), cpu()
    summary = publish(record, log.entries, log_signer(), site, None, Effort(workers))
    waited, spent = time.monotonic() - started, cpu() - spent
    log.close()
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    pages = [size for path, size in sizes.items() if path.relative_to(site).parts[0] == "stations"]
    disk = sum(path.stat().st_blocks * 512 for path in sizes)
    print(f"{stations:,} stations, {workers} workers: {summary.files:,} files in {waited:,.0f} s (to reach at 813,336: 600)")
    print(f"{spent:,.0f} CPU-s; {summary.files / waited:,.0f} files/s")
    print(
        f"memory: {before:,.0f} MiB before, at most {memory():,.0f} MiB in the process that publishes, "
        f"{memory(resource.RUSAGE_CHILDREN):,.0f} MiB in one that makes pages (most of it shared)"
    )
    print(f"pages of stations: {sum(pages) / len(pages):,.0f} bytes on average, at most {max(pages):,} (to reach: 50,000)")
    print(f"site: {summary.bytes / 1e9:,.2f} GB to deploy, {disk / 1e9:,.2f} GB on this disk")
    by_part: Counter[str] = Counter()
    for path, size in sizes.items():
        by_part[path.relative_to(site).parts[0]] += size
    print("  " + ", ".join(f"{part} {size / 1e6:,.0f} MB" for part, size in by_part.most_common(8)))
    floor = written(list(sizes.items())[:_SAMPLE], site, FOLDER / f"floor-{stations}") * len(sizes) / min(len(sizes), _SAMPLE)
    print(f"floor, files of these sizes written by one process: {floor:,.0f} s; ratio {waited / floor:.1f}")
    shutil.rmtree(site)


def counted(stations: int) -> tuple[Record, Log]:
    """The record of an electorate, from its log on the disk."""
    made = electorate(stations)
    log = Log.open(SqliteStore.open_reader(FOLDER / f"pages-{stations}" / "log.db"), log_signer())
    election = made.election()
    count = Count(election)
    count.apply(log.entries())
    head = log.head
    if head is None:
        raise SystemExit("the log is empty")
    record = Record(
        election,
        count,
        made.definition,
        made.units_csv,
        made.register_csv,
        log.checkpoint(),
        head,
        log.tree,
        log.verifier,
        log.entry,
        default_options(stations),
        shapes_table=made.shapes,
    )
    return record, log


def fill(stations: int) -> None:
    """Put an electorate in a log, unless it is in one."""
    folder = FOLDER / f"pages-{stations}"
    if not (folder / "whole").exists():
        filled_log(electorate(stations), folder).close()
        (folder / "whole").touch()


def written(sizes: list[tuple[Path, int]], site: Path, folder: Path) -> float:
    """Seconds to write files of these sizes, each beside its place and moved there."""
    shutil.rmtree(folder, ignore_errors=True)
    data = os.urandom(1 << 20)
    started = time.monotonic()
    for path, size in sizes:
        target = folder / path.relative_to(site)
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / ".new").write_bytes(data[:size])
        (folder / ".new").replace(target)
    waited = time.monotonic() - started
    shutil.rmtree(folder)
    return waited


def memory(who: int = resource.RUSAGE_SELF) -> float:
    """Most memory so far, in MiB."""
    return resource.getrusage(who).ru_maxrss / 1024


def cpu() -> float:
    """CPU seconds of this process and those that it started and that have ended."""
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(each.ru_utime + each.ru_stime for each in both)


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        fill(int(sys.argv[2]))
    else:
        given = [int(argument.replace(",", "").replace("_", "")) for argument in sys.argv[1:]]
        main(*(given + [STATIONS, len(os.sched_getaffinity(0))][len(given) :]))
