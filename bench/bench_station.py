"""The outbox: statements per second from a durable queue to durable receipts, beside the plain client in the same run.

Signs sheets beforehand, starts the real service as a process, and sends as many sheets with `submit` (no queue, no receipts kept)
and with the station's sender (queued with a flush, every receipt kept with a flush), in turns. Everything shares this machine's
cores. Prints rates, CPU time of the sender for each statement, and the ratio of the two.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from intake_helpers import ServiceProcess, log_signer, republic
from scrutineer.intake import submit
from scrutineer.station.outbox import Outbox
from scrutineer.station.sender import Sender
from scrutineer.station.ways import Way

GOAL = 3_000  # statements/s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    land, verifier, count = republic(200), log_signer().verifier, options.statements
    print(f"{count:,} sheets in each round, 16 connections")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        land.write(folder)
        service = ServiceProcess(folder)
        plain, outboxed = [], []
        for number in range(options.rounds):
            first, second = (
                [land.sheet(land.stations[n % 200], time=(2 * number + part) * count + n) for n in range(count)]
                for part in (0, 1)
            )
            start = time.perf_counter()
            submit(first, service.url, verifier, registered=lambda _: None, refused=print, connections=16)
            plain.append(count / (time.perf_counter() - start))
            outbox = Outbox.open(folder / f"{number}.sqlite", create=True)
            start = time.perf_counter()
            outbox.add(second)
            queued = count / (time.perf_counter() - start)
            start, cpu = time.perf_counter(), time.process_time()
            uvloop.run(Sender(outbox, [Way("intake", service.url)], verifier, folder / "evidence").run())
            outboxed.append(count / (time.perf_counter() - start))
            cpu = (time.process_time() - cpu) / count
            assert outbox.tally().receipted == count
            outbox.close()
            print(
                f"round {number + 1}: submit {plain[-1]:,.0f}/s; outbox queues {queued:,.0f}/s, "
                f"sends {outboxed[-1]:,.0f}/s at {cpu * 1e6:.0f} µs of CPU each"
            )
        service.terminate()
    best, base = max(outboxed), max(plain)
    print(f"outbox to plain client: {best / base:.2f}; goal {GOAL:,}/s: {best / GOAL:.2f} ×")


if __name__ == "__main__":
    main()
