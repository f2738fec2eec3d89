"""Restart of a log: the tree is computed again from the stored bytes and held against the last signed head.

    python bench/bench_restart.py [ENTRIES]

Prints CPU and wall seconds until the log would take its next entry, peak memory, and the ratio to the floor: hashing the same
bytes and their tree with hashlib, from memory.
"""

import resource
import shutil
import subprocess
import sys
import time
from hashlib import sha256

from electorate import FOLDER, electorate, filled_log, log_signer
from scrutineer.log import Log, SqliteStore


def main(entries: int) -> None:
    made = electorate(entries)
    path = FOLDER / f"restart-{entries}" / "log.db"
    if not path.is_file():
        subprocess.run([sys.executable, __file__, "make", str(entries)], check=True)
    floor = hashing(list(made.entries()))
    signer = log_signer()
    started, wall = time.process_time(), time.monotonic()
    log = Log.open(SqliteStore.open(path), signer)
    spent, waited = time.process_time() - started, time.monotonic() - wall
    log.append([b"the next entry"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"restart with {log.size - 1:,} entries: {waited:.1f} s, {spent:.1f} CPU-s (to reach at 1,050,000: 5 s), "
        f"peak {peak:,.0f} MiB"
    )
    print(f"hashing the same bytes and tree from memory: {floor:.1f} CPU-s; ratio {spent / floor:.2f}")
    log.close()
    shutil.rmtree(path.parent)


def hashing(entries: list[bytes]) -> float:
    """CPU seconds for leaf hashes and inner nodes, with nothing around them."""
    started = time.process_time()
    level = [sha256(b"\x00" + entry).digest() for entry in entries]
    while len(level) > 1:
        paired = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = [*paired, level[-1]] if len(level) % 2 else paired
    return time.process_time() - started


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        entries = int(sys.argv[2])
        filled_log(electorate(entries), FOLDER / f"restart-{entries}").close()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_050_000)
