"""A disk that fills up, a folder that cannot be written, a port that is taken, SIGTERM under load."""

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from intake_helpers import Republic, ServiceProcess, log_signer, opened_log, republic
from log_helpers import check_log
from scrutineer.errors import TransportError
from scrutineer.intake import Refused, Registered, submit
from scrutineer.log import verify_entry_receipt

VERIFIER = log_signer().verifier
LAND: Republic = republic()
SHEETS = [LAND.sheet(LAND.stations[number % 4], time=number) for number in range(2_500)]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutineer.intake.client.LONGEST_PAUSE", 0.2)


def send(url: str, registered: list[Registered], patience: float = 0.0) -> list[Refused]:
    refused: list[Refused] = []
    submit(SHEETS, url, VERIFIER, registered=registered.append, refused=refused.append, connections=16, patience=patience)
    return refused


def send_until_it_fails(url: str) -> list[Registered]:
    registered: list[Registered] = []
    with pytest.raises(TransportError):
        send(url, registered)
    return registered


def check_and_finish(folder: Path, acknowledged: list[Registered]) -> None:
    """Everything acknowledged is there; a restarted service takes the rest, and nothing is in twice."""
    service = ServiceProcess(folder)
    assert not service.error
    results: list[Registered] = []
    assert send(service.url, results, patience=30) == []
    assert service.terminate() == 0
    receipts = {result.position: result.receipt for result in results}
    assert all(receipts[result.position] == result.receipt for result in acknowledged)
    with opened_log(folder, LAND.definition) as (log, _):
        entries = list(log.entries())
        assert len(entries) == len(set(entries)) == 1 + len(SHEETS)
        check_log(log, entries)
        for position, receipt in receipts.items():
            assert entries[verify_entry_receipt(receipt, SHEETS[position], VERIFIER).index] == SHEETS[position]


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    LAND.write(tmp_path)
    service = ServiceProcess(tmp_path, file_limit=400_000)
    acknowledged = send_until_it_fails(service.url)
    report = service.report()
    assert report["error"] == "StoreError", report
    assert service.process.wait(30) == 1
    assert len(acknowledged) < len(SHEETS)
    check_and_finish(tmp_path, acknowledged)


def test_a_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", small], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("mounting a small disk needs root: run the tests as root, in a container for example")
    try:
        LAND.write(small)
        service = ServiceProcess(small)
        acknowledged = send_until_it_fails(service.url)
        report = service.report()
        assert report["error"] == "StoreError", report
        assert "full" in str(report["message"])
        assert service.process.wait(30) == 1
        assert 0 < len(acknowledged) < len(SHEETS)
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        check_and_finish(small, acknowledged)
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        folder = Path("/proc/self/attr")  # Not even root can make files here.
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
    LAND.write(tmp_path)
    service = ServiceProcess(tmp_path, store=folder)
    assert service.error
    assert service.error["error"] == "StoreError"
    assert service.process.wait(30) == 1


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        LAND.write(folder)
    running = ServiceProcess(first)
    port = int(running.url.rpartition(":")[2])
    refused = ServiceProcess(second, port=port)
    assert refused.error
    assert refused.error["error"] == "UsageError"
    assert str(port) in str(refused.error["message"])
    assert refused.process.wait(30) == 2
    same_log = ServiceProcess(first)
    assert same_log.error
    assert same_log.error["error"] == "StoreError"
    assert same_log.process.wait(30) == 1
    assert running.terminate() == 0


def test_sigterm_under_load_answers_what_was_taken_in(tmp_path: Path) -> None:
    LAND.write(tmp_path)
    service = ServiceProcess(tmp_path)
    registered: list[Registered] = []
    failures: list[TransportError] = []

    def run() -> None:
        try:
            # Patience, also with a busy machine: the first connection to close must not end the others before their answers
            # are read.
            send(service.url, registered, patience=10)
        except TransportError as error:
            failures.append(error)

    sender = threading.Thread(target=run)
    sender.start()
    while len(registered) < 500:
        threading.Event().wait(0.005)
    assert service.terminate() == 0
    sender.join()
    assert failures
    report = service.report()
    # Every statement that the log took in was answered, and the client heard of it.
    assert report["size"] == 1 + len(registered)
    check_and_finish(tmp_path, registered)
