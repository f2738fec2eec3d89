"""The way between intake processes and PostgreSQL fails: one history, nothing acknowledged is lost, nothing is in twice."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver: the extra postgresql")

from cable import Cable
from free_ports import free_ports
from group_helpers import Load, MemberProcess, check_record, opened_database
from intake_helpers import republic
from postgresql_server import Server, running
from scrutineer.intake.sequencer import FOLLOWS, LEADS

CUTS = int(os.environ.get("SCRUTINEER_CHAOS", "9"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def settled(members: list[MemberProcess]) -> int:
    """Wait until one leads and the other follows, by what they report each second; which one follows."""
    deadline = time.monotonic() + 60
    since, before = time.monotonic(), None
    while time.monotonic() < deadline:
        roles = [[said["role"] for said in member.said if "role" in said][-1:] for member in members]
        if roles != before:
            since, before = time.monotonic(), roles
        # A report may be a second old, or more on a busy machine.
        if sorted(roles) == [[FOLLOWS], [LEADS]] and time.monotonic() - since > 5:
            return roles.index([FOLLOWS])
        time.sleep(0.1)
    raise TimeoutError([member.said[-3:] for member in members])


@pytest.mark.timeout(120 + 5 * CUTS)
def test_cables_are_cut_and_answers_are_lost(server: Server, tmp_path: Path) -> None:
    """Each process has a cable of its own; it is cut at random moments, or right after a request whose answer is then lost.

    At the end the one that follows gets no answer at all for a while: it says so, and the other one records.
    """
    land = republic(20)
    land.write(tmp_path)
    url = opened_database(server, land)
    name = url.rpartition("/")[2]
    dice = random.Random(20_250_104)
    with ExitStack() as stack:
        cables = [stack.enter_context(closing(Cable(server.port))) for _ in range(2)]
        ports = free_ports(2)
        members = [
            MemberProcess(tmp_path, server.url(name, port=cable.port), port=port)
            for cable, port in zip(cables, ports, strict=True)
        ]
        load = Load(land, ports)
        for turn in range(CUTS):
            load.progress(5)
            time.sleep(dice.uniform(0, 0.05))
            cable = dice.choice(cables)
            if turn % 3:
                cable.swallow()
            else:
                cable.cut()
        load.progress()
        follower = settled(members)
        cables[follower].freeze()
        members[follower].hear(lambda said: "until the store is back" in str(said.get("line")), 60)
        load.progress()
        cables[follower].thaw()
        members[follower].hear(lambda said: "The store is back" in str(said.get("line")), 60)
        load.progress()
        load.finish()
        for member in members:
            assert member.process.poll() is None, member.said[-1:]
            assert member.terminate() == 0
    assert len(check_record(url, load.acknowledged)) == 1 + len(load.given)
