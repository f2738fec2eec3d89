"""The attack record: what it costs to count a refusal, in time, memory and disk, by how many networks send.

    python bench/bench_incidents.py [REFUSALS]

Prints microseconds of CPU for each refusal, with the floor measured in the same run: one more in a dictionary of texts.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scrutineer.intake.incidents import IncidentRecord
from scrutineer.intake.incidents.journal import journal_files

GOAL = 1.0  # microseconds for each refusal


def main(count: int) -> None:
    for networks in (1, 1_000, count):
        peers = [f"{1 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.7" for n in range(networks)] * -(-count // networks)
        counts = dict[str, int]()

        def add(_: str, peer: str, counts: dict[str, int] = counts) -> None:
            counts[peer] = counts.get(peer, 0) + 1

        floor = cpu(add, peers[:count])
        with tempfile.TemporaryDirectory() as folder:
            record = IncidentRecord.open(Path(folder), bytes(32))
            before = resident()
            each = cpu(record.note, peers[:count])
            grown = resident() - before
            record.close()
            written = sum(path.stat().st_size for path in journal_files(Path(folder)))
        print(
            f"{count:,} refusals from {networks:,} networks: {each:.2f} µs each, {each / floor:.1f} × the floor of {floor:.2f} µs"
        )
        print(f"  memory +{grown:,} KiB, journal {written:,} bytes; goal {GOAL} µs: {'reached' if each < GOAL else 'MISSED'}")


def cpu(note: Callable[[str, str], object], peers: list[str]) -> float:
    """Microseconds of CPU for each call."""
    began = time.process_time()
    for peer in peers:
        note("bad-signature", peer)
    return (time.process_time() - began) / len(peers) * 1e6


def resident() -> int:
    """KiB of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
