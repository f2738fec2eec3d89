"""Failover: the intake process that leads is killed under load; how long until the next receipt, what is lost, what is twice.

    python bench/bench_failover.py [--kills 20] [--server]

Three real processes share a PostgreSQL server of their own (flushes on). Senders send sheets to all of them. The one that leads
is killed with SIGKILL at a random moment; measured is the time from the kill to the first receipt for a sheet that was sent after
it. Then it is started again, and follows. At the end the log is read anew, every receipt is checked, and what was lost or is
there twice is counted. With `--server` PostgreSQL itself is killed and started again instead; what is measured then contains
its recovery. The floor, measured in the same run, is the time in which a second session of the database gets a lock whose holder
was killed.
"""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from group_helpers import Load, MemberProcess, check_record, free_ports, opened_database, start_together, the_one_that_leads
from intake_helpers import republic
from postgresql_server import Server, running

GOAL = 2.0  # seconds
PROCESSES = 3
HOLDER = """
import psycopg, sys, time
connection = psycopg.connect(sys.argv[1], autocommit=True)
connection.execute("SELECT pg_advisory_lock(1)")
print("held", flush=True)
time.sleep(600)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--server", action="store_true", help="kill PostgreSQL instead")
    arguments = parser.parse_args()
    with running() as server, tempfile.TemporaryDirectory() as name:
        floor = [lock_passes(server) for _ in range(5)]
        print(
            f"floor: a killed holder's lock passes to the next session in p50 {statistics.median(floor) * 1e3:.0f} ms", flush=True
        )
        run(server, Path(name), arguments.kills, arguments.server)


def lock_passes(server: Server) -> float:
    """Seconds from the kill of a client that holds a lock until a session that waits for it has it."""
    import psycopg

    command = [sys.executable, "-c", HOLDER, server.url()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder, psycopg.connect(server.url()) as waiting:
        assert holder.stdout is not None
        holder.stdout.readline()
        cursor = waiting.cursor()
        holder.kill()
        killed = time.monotonic()
        cursor.execute("SELECT pg_advisory_lock(1)")
        return time.monotonic() - killed


def run(server: Server, folder: Path, kills: int, whole_server: bool) -> None:
    land = republic(20)
    land.write(folder)
    url = opened_database(server, land)
    ports = free_ports(PROCESSES)
    members = start_together(folder, url, ports)
    dice = random.Random(20_250_103)
    load = Load(land, ports)
    seconds = []
    for number in range(1, kills + 1):
        load.progress()
        time.sleep(dice.uniform(0, 0.2))
        leader = -1 if whole_server else the_one_that_leads(members)
        seen = len(load.times)
        if whole_server:
            killed = time.monotonic()
            server.kill()
            server.start()
        else:
            os.kill(members[leader].process.pid, signal.SIGKILL)
            killed = time.monotonic()
        load.progress(1)
        first = min(done for sent, done in load.times[seen:] if sent > killed)
        seconds.append(first - killed)
        if not whole_server:
            members[leader].kill()
            members[leader] = MemberProcess(folder, url, port=ports[leader])
        if number % 10 == 0:
            print(f"  {number} of {kills}, worst so far {max(seconds):.2f} s; load average {os.getloadavg()[0]:.1f}", flush=True)
    load.finish()
    for member in members:
        member.terminate()
    entries = check_record(url, load.acknowledged)
    lost, twice = len(set(load.acknowledged) - set(entries)), len(entries) - len(set(entries))
    what = "PostgreSQL" if whole_server else "the process that leads"
    reached = "reached" if max(seconds) <= GOAL and not lost and not twice else "missed"
    print(
        f"{kills} kills of {what}: next receipt after p50 {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s; "
        f"{len(load.acknowledged)} acknowledged, lost {lost}, twice {twice}; goal {GOAL:.0f} s, 0, 0: {reached}"
    )


if __name__ == "__main__":
    main()
