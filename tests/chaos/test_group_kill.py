"""Several intake processes on one PostgreSQL server, killed under load: one history, every receipt kept, nothing twice."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver: the extra postgresql")

from free_ports import free_ports
from group_helpers import (
    Load,
    MemberProcess,
    Reader,
    check_record,
    opened_database,
    start_together,
    the_one_that_leads,
)
from intake_helpers import republic
from postgresql_server import Server, running

GONE, BACK = "until the store is back", "The store is back"
KILLS = int(os.environ.get("SCRUTINEER_CHAOS", "3"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def tell(number: int, load: Load) -> None:
    """Say how far a long run is, for whoever looks on (pytest -s)."""
    if number % 20 == 19:
        print(f"{number + 1} of {KILLS} kills, {len(load.acknowledged)} acknowledged", flush=True)


def said(member: MemberProcess, words: str) -> int:
    """In how many lines of its log a process said so."""
    return sum(words in line for line in member.lines)


def finish(url: str, load: Load, reader: Reader, members: list[MemberProcess], heads: int = KILLS) -> None:
    """End the load and the processes; check the record against everything that anybody was told, at more than so many heads."""
    load.finish()
    roots = reader.finish()
    for member in members:
        assert member.process.poll() is None, member.said[-1:]
        assert member.terminate() == 0
    entries = check_record(url, load.acknowledged, roots)
    assert len(entries) == 1 + len(load.given)
    # The reader saw the log as it was when the load began, and then grow.
    assert len(roots) > heads + 1
    print(f"{len(entries)} entries, {len(load.acknowledged)} acknowledged; told otherwise: {dict(load.refusals)}")


@pytest.mark.timeout(60 + 20 * KILLS)
@pytest.mark.parametrize("victim", ["leads", "follows"])
def test_killed_processes(server: Server, tmp_path: Path, victim: str) -> None:
    """kill -9 of the process that leads, or of one that follows, at random moments; it is started again."""
    land = republic(20)
    land.write(tmp_path)
    url = opened_database(server, land)
    ports = free_ports(3)
    members = start_together(tmp_path, url, ports)
    dice = random.Random(20_250_101)
    reader = Reader(url)
    load = Load(land, ports)
    for number in range(KILLS):
        load.progress()
        time.sleep(dice.uniform(0, 0.1))
        leader = the_one_that_leads(members)
        hit = leader if victim == "leads" else (leader + dice.choice((1, 2))) % 3
        members[hit].kill()
        load.progress()
        members[hit] = MemberProcess(tmp_path, url, port=ports[hit])
        tell(number, load)
    finish(url, load, reader, members)


@pytest.mark.timeout(60 + 20 * KILLS)
def test_a_killed_server(server: Server, tmp_path: Path) -> None:
    """kill -9 of PostgreSQL at random moments: the processes stay, say one line each when it goes and comes, and go on."""
    land = republic(20)
    land.write(tmp_path)
    url = opened_database(server, land)
    ports = free_ports(2)
    members = start_together(tmp_path, url, ports)
    dice = random.Random(20_250_102)
    reader = Reader(url)
    load = Load(land, ports)
    long_outages = 0
    for number in range(KILLS):
        load.progress()
        time.sleep(dice.uniform(0, 0.1))
        server.kill()
        # A short outage is waited out; a longer one is said.
        if number % 4 == 1:
            time.sleep(2.5)
            long_outages += 1
        server.start()
        load.progress()
        tell(number, load)
    # The last outage may be over for one process and not yet for the other, which tries again within two seconds.
    deadline = time.monotonic() + 30
    while any(said(member, GONE) != said(member, BACK) for member in members) and time.monotonic() < deadline:
        time.sleep(0.1)
    finish(url, load, reader, members)
    assert load.refusals["store-failed"]
    for member in members:
        assert long_outages <= said(member, GONE) <= KILLS
        assert said(member, BACK) == said(member, GONE), member.lines


def test_two_started_at_once(server: Server, tmp_path: Path) -> None:
    """One leads and the other follows, whoever was first, time and again."""
    land = republic(20)
    land.write(tmp_path)
    url = opened_database(server, land)
    acknowledged: dict[bytes, bytes] = {}
    for number in range(max(2, KILLS // 20)):
        ports = free_ports(2)
        members = start_together(tmp_path, url, ports)
        reader = Reader(url)
        load = Load(land, ports, first=number * 100_000_000)
        load.progress(50)
        leader = the_one_that_leads(members)
        assert not members[1 - leader].lines
        load.finish()
        reader.finish()
        for sheet, receipt in load.acknowledged.items():
            assert acknowledged.setdefault(sheet, receipt) == receipt
        for member in members:
            member.kill()
    assert len(check_record(url, acknowledged)) == 1 + len(acknowledged)


def test_a_process_that_leads_and_hangs(server: Server, tmp_path: Path) -> None:
    """It is stopped: its session lives, and nothing is recorded. Another takes the lead, and it follows when it goes on."""
    land = republic(20)
    land.write(tmp_path)
    url = opened_database(server, land)
    ports = free_ports(2)
    members = start_together(tmp_path, url, ports)
    reader, load = Reader(url), Load(land, ports)
    load.progress(50)
    hanging = the_one_that_leads(members)
    members[hanging].process.send_signal(signal.SIGSTOP)
    # A sender that waits for the stopped one goes on with the other when its patience ends.
    members[1 - hanging].hear(lambda said: "leads now" in str(said.get("line")), 60)
    members[hanging].process.send_signal(signal.SIGCONT)
    load.progress(50)
    finish(url, load, reader, members, heads=3)
