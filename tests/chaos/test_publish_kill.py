"""A publication by several processes is killed in the middle, again and again; the next one completes it."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scrutineer.cli.office import Office, stretches
from scrutineer.cli.statement_files import read_statements
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site

STATIONS = 420
SNAPSHOT = f"{STATIONS // 2 + 1}.json"
KILLS = int(os.environ.get("SCRUTINEER_CHAOS", "2"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night") / "simulated"
    subprocess.run(command("simulate", "--stations", STATIONS, "--seed", 3, "--out", folder), check=True, capture_output=True)
    append(folder / "election", folder / "statements.bundle", 0, STATIONS // 2)
    return folder / "election"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "scrutineer", *map(str, arguments)]


def append(office: Path, statements: Path, start: int, stop: int) -> None:
    log = Office.load(office).open_log()
    try:
        for some in stretches(iter(list(read_statements(statements))[start:stop]), 64):
            log.append(some)
    finally:
        log.close()


def publish(office: Path, site: Path) -> list[str]:
    return command("publish", office, "--to", site, "--languages", "en", "--workers", 3)


def killed(arguments: list[str], site: Path, after: int, signal_: int) -> int:
    """Start a publication and send it a signal once it has begun and so many more pages are there; its exit status."""
    before = pages(site)
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    try:
        while process.poll() is None and pages(site) < before + after:
            time.sleep(0.002)
        if signal_ == signal.SIGINT:
            os.killpg(process.pid, signal_)  # Ctrl-C reaches every process of a terminal.
        else:
            process.send_signal(signal_)
    finally:
        _, said = process.communicate(timeout=20)
    assert b"Traceback" not in said
    return process.returncode


def pages(site: Path) -> int:
    """Lines in the list of what was added: so many files have been put in their places since the last whole publication."""
    try:
        return (site / ".unfinished").read_bytes().count(b"\n\n")
    except FileNotFoundError:
        return 0


def files(site: Path) -> dict[str, bytes]:
    """Everything but what holds a signature of the checkpoint, which is another one each time."""
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name not in ("manifest", "checkpoint", SNAPSHOT)
    }


def test_a_publication_that_is_killed_is_completed_by_the_next(office: Path, tmp_path: Path) -> None:
    site, draws = tmp_path / "site", random.Random(5)
    for number in range(KILLS):
        sent = signal.SIGINT if number % 2 == 1 else signal.SIGKILL
        status = killed(publish(office, site), site, draws.randrange(1, STATIONS // 2), sent)
        assert status in (-sent, 0, 1, 130), status
        assert not (site / "manifest").exists() or status == 0
    assert subprocess.run(publish(office, site), check=False, capture_output=True).returncode == 0
    assert subprocess.run(publish(office, tmp_path / "fresh"), check=False, capture_output=True).returncode == 0
    assert files(site) == files(tmp_path / "fresh")
    assert [path.name for path in site.iterdir() if path.name.startswith(".")] == [".rendered"]
    assert verify_site(FolderSource(site)).passed
    # The same with a site that is there, and a log that has grown.
    append(office, office.parent / "statements.bundle", STATIONS // 2, STATIONS)
    for _ in range(KILLS // 2):
        killed([*publish(office, site), "--all"], site, draws.randrange(1, 20), signal.SIGKILL)
    assert subprocess.run(publish(office, site), check=False, capture_output=True).returncode == 0
    report = verify_site(FolderSource(site))
    assert report.passed, report.findings
