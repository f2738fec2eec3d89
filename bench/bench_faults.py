"""Faults survived: every system call of commit and publish that changes a file fails, in each of eight ways, one per run.

Prints how many faults were injected, how many runs were killed, how many told a failure, and what went wrong: statements lost
or in the log twice, heads that the log does not have, readers who saw another history. The goal is 10,000 faults and none of
these. Other logs publish no such test; the peer of the same kind is Tessera 1.0.4's POSIX store, where a retry after an
ambiguous failure put 5 of 34 batches in twice.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fault_runs import LIVES, Fault, Runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every n-th system call only")
    parser.add_argument("--dir", type=Path, help="folder for the logs; the disk does not matter, so a memory disk is quickest")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        folders = [Path(name) / str(life) for life in range(len(LIVES))]
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda life: go_through(folders[life], life, arguments.every), range(len(LIVES))))
    total = sum(results, Counter())
    for life, counts in enumerate(results):
        print(f"life {life}: " + ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())))
    wrong = {what: count for what, count in total.items() if what.startswith("WRONG")}
    print(f"{total['faults']:,} faults in {time.monotonic() - started:.0f} s; wrong afterwards: {wrong or 'none'}")
    sys.exit(bool(wrong))


def go_through(folder: Path, life: int, every: int) -> "Counter[str]":
    """All faults at all calls of one life."""
    folder.mkdir()
    runs = Runs(folder)
    counts: Counter[str] = Counter()
    calls = runs.run(life, Fault.NONE, 0).calls
    counts["system calls"] = calls
    for call in range(1, calls + 1, every):
        for fault in Fault:
            if fault is Fault.NONE:
                continue
            told = runs.run(life, fault, call)
            counts["faults"] += 1
            counts["killed"] += not told.calls
            counts["told a failure"] += bool(told.troubles)
            try:
                runs.check(told, whole=call % 20 == 0)
            except Exception as error:  # Whatever it is, it is what this looks for.
                counts[f"WRONG: {error}"] += 1
                print(f"life {life}, {fault.name} at call {call}: {error!r}", flush=True)
    runs.close()
    return counts


if __name__ == "__main__":
    main()
