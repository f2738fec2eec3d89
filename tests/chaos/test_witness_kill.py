"""The real witness, killed between requests and answers: after a restart it never cosigns a second tree."""

import http.client
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from log_helpers import ORIGIN
from scrutineer.log import Checkpoint
from scrutineer.log.cosignature import cosignature_verifier
from scrutineer.log.note import NoteVerifier, open_note
from scrutineer.witness import WitnessState
from witness_helpers import LOG, History

KILLS = 20
GROWTH = 400  # leaves that each history has more than what is known at the start of a round
NAME = "witness.example/crane"


class Process:
    """`scrutineer witness` as a process of its own, to be killed."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-c", "from scrutineer.cli import main; main()", "witness", str(folder), "--port", "0"]
        command += ["--log", ",".join(LOG.verifier.vkeys), "--name", NAME, *options]
        # Standard error is kept: what is refused there is many lines, and a full pipe would stop the witness.
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().strip() for _ in range(5)]
        self.url = self.lines[0].rpartition(" ")[2]
        self._keys = [*command[:5], "--keys", "--name", NAME]
        # Read on, so that the pipe never fills.
        self.reader = threading.Thread(target=self.process.stdout.read)
        self.reader.start()

    def vkeys(self) -> list[str]:
        """Its verifier keys; once it has ended, for the folder is its own until then."""
        return subprocess.run(self._keys, capture_output=True, text=True, check=True).stdout.split()

    def end(self, *, kill: bool) -> int:
        (self.process.kill if kill else self.process.terminate)()
        status = self.process.wait(30)
        self.reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def grow(url: str, history: History, known: int, heard: list[tuple[int, bytes, bytes]], chance: random.Random) -> None:
    """Send one history's checkpoints, each a little later than the last, until nobody answers."""
    parts = urlsplit(url)
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        size = known
        while size < history.tree.size:
            size += chance.randint(0 if size else 1, 3)
            size = min(size, history.tree.size)
            connection.request("POST", "/add-checkpoint", history.request(known, size))
            response = connection.getresponse()
            body = response.read()
            if response.status == 200:
                heard.append((size, history.checkpoint(size), body))
                known = size
            elif response.status == 409:
                # Somebody else was first. Try to go on from there all the same.
                known = int(body)
                size = max(size, known)
            else:
                assert response.status == 422


@pytest.mark.parametrize("mark", [False, True], ids=["memory-alone", "with-a-mark"])
def test_killed_at_any_moment_it_never_cosigns_a_second_tree(tmp_path: Path, mark: bool) -> None:
    chance = random.Random(20250102 + mark)
    folder = tmp_path / "witness"
    options = ["--mark", str(tmp_path / "mark")] if mark else []
    leaves: list[bytes] = []
    cosigned: list[tuple[int, bytes, bytes]] = []
    verifiers: list[NoteVerifier] = []
    cut_short = 0
    for number in range(KILLS // 2):
        # Two histories that agree on what was cosigned and on nothing after it, sent at the same time.
        ends = [[b"%b %d %d" % (name, number, n) for n in range(GROWTH)] for name in (b"heron", b"stork")]
        histories = [History(leaves + end) for end in ends]
        known = len(leaves)
        process = Process(folder, *options)
        heard: list[tuple[int, bytes, bytes]] = []
        threads = [
            threading.Thread(target=grow, args=(process.url, history, known, heard, random.Random(chance.random())))
            for history in histories
        ]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.0, 0.3))
        process.end(kill=True)
        for thread in threads:
            thread.join()
        verifiers = [cosignature_verifier(vkey) for vkey in process.vkeys()]
        cosigned += heard

        state = WitnessState.open(folder / "memory.db", tmp_path / "mark" if mark else None)
        latest = state.latest(ORIGIN)
        state.check(verifiers)
        state.close()
        size = latest.size if latest else 0
        # What left the witness is remembered, and belongs to the one history that it remembers.
        assert size >= max((size for size, _, _ in heard), default=known)
        if latest is not None and size > known:
            winner = next(n for n, history in enumerate(histories) if history.root(size) == latest.root)
            leaves += ends[winner][: size - known]
            cut_short += size < known + GROWTH
        tree = History(leaves)
        for heard_size, checkpoint, body in cosigned:
            assert checkpoint.startswith(Checkpoint(ORIGIN, heard_size, tree.root(heard_size)).to_text() + b"\n")
            if (heard_size, checkpoint, body) in heard:
                assert len(open_note(checkpoint + body, verifiers)[1]) == 2
    assert cut_short, "no kill came in time to interrupt anything"
    assert cosigned

    process = Process(folder, *options)
    assert process.end(kill=False) == 0
    assert (folder / "keys" / "ed25519.pem").stat().st_mode & 0o777 == 0o600


def test_killed_on_its_first_start_it_starts_again(tmp_path: Path) -> None:
    chance = random.Random(20250103)
    for number in range(4):
        folder = tmp_path / str(number)
        command = [sys.executable, "-c", "from scrutineer.cli import main; main()", "witness", str(folder), "--port", "0"]
        first = subprocess.Popen([*command, "--log", LOG.verifier.vkeys[0], "--name", NAME], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not folder.exists() and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.01))
        first.kill()
        first.wait(10)
        process = Process(folder)
        assert process.end(kill=False) == 0
        assert [cosignature_verifier(vkey).name for vkey in process.vkeys()] == [NAME, NAME]
