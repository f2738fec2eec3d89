"""A writer is killed at random moments and an older copy of its store is put back: it is refused, and the true one never is."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from log_helpers import signer
from scrutineer.errors import LogError
from scrutineer.log import Log, SqliteStore
from scrutineer.log.mark import Mark

ROUNDS = max(12, int(os.environ.get("SCRUTINEER_CHAOS", "0")))
SCRIPT = Path(__file__).with_name("marked_writer.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SCRIPT.parents[1]), os.environ.get("PYTHONPATH", "")])}


def writer(store: Path, mark: Path, seed: int, die_at: int, seconds: float | None) -> int:
    """Run it until it dies; the size that was answered last."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(store), str(mark), str(seed), str(die_at)],
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    if seconds is not None:
        time.sleep(seconds)
        process.kill()
    rest, _ = process.communicate(timeout=30)
    acknowledged = [int(line.split()[1]) for line in (first + rest).splitlines() if line.startswith(b"ack ")]
    return acknowledged[-1] if acknowledged else 0


def put_aside(store: Path, copy: Path) -> int:
    """Copy a store as a backup program would; the entries in it."""
    with sqlite3.connect(store) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    reader = SqliteStore.open_reader(copy)
    head = reader.last_head()
    reader.close()
    return head.size if head else 0


def test_an_older_copy_is_refused_after_any_death(tmp_path: Path) -> None:
    store, mark, old = tmp_path / "log.db", tmp_path / "log.mark", tmp_path / "old.db"
    dice = random.Random(7)
    writer(store, mark, 0, 0, 0.05)
    for number in range(1, ROUNDS + 1):
        old.unlink(missing_ok=True)
        before = put_aside(store, old)
        between = number % 3 == 0
        answered = writer(store, mark, number, dice.randint(2, 20) if between else 0, None if between else dice.uniform(0, 0.1))
        marked = Mark(mark).read(signer().verifier)
        assert marked is not None
        # Everything that was answered is marked, and nothing is marked that is not in the store.
        assert max(before, answered) <= marked.size
        aside = SqliteStore.open(old)
        with pytest.raises(LogError, match=f"holds {before:,} entries, and {marked.size:,} were signed"):
            Log.open(aside, signer(), mark=Mark(mark))
        aside.close()
        opened = SqliteStore.open(store)
        log = Log.open(opened, signer(), mark=Mark(mark))
        assert log.size >= marked.size
        assert not between or log.size > marked.size
        log.close()
        moved = Mark(mark).read(signer().verifier)
        assert moved is not None
        assert moved.size == log.size
