"""The log's process dies, or its disk fails, at bad moments: nothing acknowledged is lost, nothing is in twice."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from log_helpers import Acknowledged, check_log, signer
from scrutineer.log import Log, SqliteStore

WRITER = Path(__file__).with_name("log_writer.py")
TESTS = WRITER.parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])}
KILLS = 25


def test_killed_writers_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    dice = random.Random(20_240_728)
    acknowledged = Acknowledged()
    server = subprocess.Popen(
        [sys.executable, str(WRITER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert server.stdin is not None
    assert server.stdout is not None
    with server:
        for seed in range(KILLS):
            # What was not acknowledged is sent again, as a client would.
            first = max(acknowledged.places, default=-1) + 1
            server.stdin.write(f"{path} {first} {seed}\n")
            server.stdin.flush()
            pid = int(server.stdout.readline().removeprefix("pid "))
            acknowledged.take(server.stdout.readline())
            time.sleep(dice.uniform(0, 0.05))
            os.kill(pid, signal.SIGKILL)
            while (line := server.stdout.readline()) != "gone\n":
                acknowledged.take(line)
            acknowledged.check(SqliteStore.open(path))
        server.stdin.close()
    assert len(acknowledged.heads) >= KILLS
    assert max(acknowledged.places.values()) == len(acknowledged.places) - 1
    log = Log.open(SqliteStore.open(path), signer())
    check_log(log, list(log.entries()))
    log.close()


def traced(path: Path, batches: int, *inject: str) -> list[str]:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace to make system calls fail")
    command = [strace, "-f", "-o", "/dev/null", *inject, sys.executable, str(WRITER), str(path), str(batches)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if "ptrace" in run.stderr:
        pytest.skip(f"strace may not trace here: {run.stderr.strip()}")
    return run.stdout.splitlines()


@pytest.mark.parametrize("when", [1, 2, 3, 5])
def test_a_failed_flush_stops_the_store(tmp_path: Path, when: int) -> None:
    """After a failed flush nothing more is acknowledged, even though flushing again would seem to succeed."""
    path = tmp_path / "log.db"
    Log.open(SqliteStore.open(path, create=True), signer()).close()
    said = traced(path, 4, "-P", f"{path}-wal", "-e", f"inject=fdatasync,fsync:error=EIO:when={when}")
    acknowledged = Acknowledged()
    for line in said:
        if line.startswith("ack "):
            acknowledged.take(line)
    # The first batch in a new write-ahead log costs two flushes, every other one.
    batches = max(0, when - 2)
    assert [line.split()[0] for line in said] == ["ack"] * batches + ["stopped", "stopped"]
    assert "The store has stopped" in said[-1]
    assert acknowledged.check(SqliteStore.open(path)) in {5 * batches, 5 * (batches + 1)}
    # After a restart the same entries get the same places, stored or not.
    for line in traced(path, 4):
        acknowledged.take(line)
    assert acknowledged.check(SqliteStore.open(path)) == 20


def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    """The batch that found the disk full is refused and, once there is room, takes the same place."""
    path = tmp_path / "log.db"
    Log.open(SqliteStore.open(path, create=True), signer()).close()
    acknowledged = Acknowledged()
    said = traced(path, 4, "-P", f"{path}-wal", "-e", "inject=pwrite64,write:error=ENOSPC:when=4")
    for line in said:
        if line.startswith("ack "):
            acknowledged.take(line)
    assert [line for line in said if line.startswith("stopped") and "the disk is full; make room" in line]
    assert len(said) == 5
    assert acknowledged.check(SqliteStore.open(path)) == 20


def test_a_batch_costs_one_flush(tmp_path: Path) -> None:
    path, record = tmp_path / "log.db", tmp_path / "calls"
    Log.open(SqliteStore.open(path, create=True), signer()).close()
    said = traced(path, 30, "-e", "trace=fdatasync,fsync,sync_file_range", "-P", f"{path}-wal", "-o", str(record))
    assert len(said) == 30
    assert 30 <= record.read_text().count("sync(") <= 30 + 4


@pytest.mark.parametrize("when", [1, 2, 3, 5, 8])
def test_killed_within_a_system_call(tmp_path: Path, when: int) -> None:
    """The process is killed inside a write or flush of the write-ahead log."""
    path = tmp_path / "log.db"
    Log.open(SqliteStore.open(path, create=True), signer()).close()
    acknowledged = Acknowledged()
    calls = "pwrite64,write,fdatasync,fsync"
    for line in traced(path, 4, "-P", f"{path}-wal", "-e", f"inject={calls}:signal=KILL:when={when}"):
        acknowledged.take(line)
    acknowledged.check(SqliteStore.open(path))
    for line in traced(path, 4):
        acknowledged.take(line)
    assert acknowledged.check(SqliteStore.open(path)) == 20
