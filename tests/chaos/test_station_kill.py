"""The station's programs and the service, killed at random moments: what was queued is in the log exactly once."""

import json
import os
import random
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cli_helpers import call
from free_ports import free_port
from intake_helpers import Republic, ServiceProcess, opened_log, republic
from log_helpers import check_log
from scrutineer.log import verify_entry_receipt
from scrutineer.station.outbox import Outbox, Tally
from station_helpers import VERIFIER, Commands

KILLS = int(os.environ.get("SCRUTINEER_CHAOS", "10"))
PER_FILE = 150


def statement_file(path: Path, statements: list[bytes]) -> Path:
    path.write_bytes(b"".join(len(statement).to_bytes(2) + statement for statement in statements))
    return path


def end(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


class Service:
    """The service on one port, killed and started again while the station goes on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._process = ServiceProcess(folder, port=self.port)
        self.restarts = 0

    def crash(self) -> None:
        self._process.kill()
        time.sleep(0.05)
        self._process = ServiceProcess(self._folder, port=self.port)
        assert self._process.error is None, self._process.error
        self.restarts += 1

    def stop(self) -> None:
        assert self._process.terminate() == 0


def check(station: Path, service: Path, land: Republic, sent: list[bytes]) -> None:
    """Everything is in the log exactly once, and the outbox holds a receipt that proves it for each."""
    with opened_log(service, land.definition) as (log, _):
        entries = list(log.entries())
        check_log(log, entries)
    assert len(entries) == len(set(entries))
    assert set(entries) == {land.definition, *sent}
    outbox = Outbox.open(station / "outbox.sqlite")
    assert outbox.tally() == Tally(len(sent), 0, 0, 0)
    after = 0
    while page := outbox.entries(after=after):
        for entry in page:
            assert entry.receipt is not None
            assert entries[verify_entry_receipt(entry.receipt, entry.statement, VERIFIER).index] == entry.statement
        after = page[-1].number
    outbox.close()


def test_kill_while_queueing_and_sending(tmp_path: Path) -> None:
    chance = random.Random(20250102)
    land = republic(20)
    centre, station = tmp_path / "centre", tmp_path / "station"
    centre.mkdir()
    files = land.write(centre)
    service = Service(centre)
    call("station", "init", station, "--definition", files.definition, "--endpoint", f"http://127.0.0.1:{service.port}")
    queueing, sending = Commands(), Commands()
    sent: list[bytes] = []
    cut_short = {"queue": 0, "send": 0}
    # Seconds until a kill at most: for queueing as long as it takes on this machine, so that kills come in time.
    longest = {"queue": 0.5, "send": 0.5}
    for number in range(KILLS):
        batch = [land.sheet(land.stations[n % 20], time=number * PER_FILE + n) for n in range(PER_FILE)]
        sent += batch
        file = statement_file(tmp_path / f"{number}.statements", batch)
        queue, send = queueing.start("station", "queue", station, file), sending.start("station", "send", station, "--now")
        crash = threading.Thread(target=service.crash) if number % 5 == 3 else None
        if crash is not None:
            crash.start()
        moments = ((chance.uniform(0.01, longest[name]), process) for name, process in (("queue", queue), ("send", send)))
        for moment, process in sorted(moments):
            time.sleep(max(0.0, moment if process == queue else moment / 2))
            end(process)
        cut_short["queue"] += queueing.wait() == -signal.SIGKILL
        cut_short["send"] += sending.wait() == -signal.SIGKILL
        if crash is not None:
            crash.join()
        # What a killed command did not confirm is simply queued again.
        began = time.monotonic()
        assert queueing.run("station", "queue", station, file) == 0
        longest["queue"] = min(longest["queue"], max(0.02, time.monotonic() - began))
    assert cut_short["queue"], "no kill came in time to interrupt the queueing"
    assert cut_short["send"], "no kill came in time to interrupt the sending"
    assert service.restarts
    assert sending.run("station", "send", station, "--now") == 0
    for commands in (queueing, sending):
        commands.close()
    service.stop()
    check(station, centre, land, sent)


def test_a_second_sender_says_so_and_leaves_the_first_alone(tmp_path: Path) -> None:
    land = republic(20)
    centre, station = tmp_path / "centre", tmp_path / "station"
    centre.mkdir()
    files = land.write(centre)
    # Somebody listens, and never answers: the first sender stays busy for as long as this test needs it.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        call("station", "init", station, "--definition", files.definition, "--endpoint", url)
        call("station", "queue", station, statement_file(tmp_path / "one.statements", [land.sheet()]))
        first = Commands()
        process = first.start("station", "send", station)
        silent.settimeout(20)
        connection, _ = silent.accept()
        refused = call("station", "send", station, code=2)
        assert "another program is sending" in refused.err
        # Queueing and looking go on beside it.
        call("station", "queue", station, statement_file(tmp_path / "two.statements", [land.sheet(time=1)]))
        status = json.loads(call("station", "status", station, "--json", code=1).out)
        assert (status["waiting"], status["receipted"]) == (2, 0)
        end(process)
        assert first.wait() == -signal.SIGKILL
        first.close()
        connection.close()
    # The lock went with the process.
    assert "another program" not in call("station", "send", station, "--once", "--now", code=1).err


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    land = republic(20)
    centre = tmp_path / "centre"
    centre.mkdir()
    files = land.write(centre)
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=1m none '{disk}' 2>/dev/null"):
        pytest.skip("a small disk of its own cannot be mounted here")
    try:
        station = disk / "station"
        url = f"http://127.0.0.1:{free_port()}"
        call("station", "init", station, "--definition", files.definition, "--endpoint", url)
        kept = [land.sheet(time=number) for number in range(100)]
        call("station", "queue", station, statement_file(tmp_path / "kept.statements", kept))
        many = [land.sheet(time=1_000 + number) for number in range(4_000)]
        failed = call("station", "queue", station, statement_file(tmp_path / "many.statements", many), code=1)
        assert "nothing that was queued is lost" in failed.err
        assert "full" in failed.err
        status = json.loads(call("station", "status", station, "--json", code=1).out)
        assert status["waiting"] >= 100
        outbox = Outbox.open(station / "outbox.sqlite")
        assert [waiting.statement for waiting in outbox.waiting(limit=100)] == kept
        outbox.close()
    finally:
        os.system(f"umount '{disk}'")
