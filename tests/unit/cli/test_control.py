"""`control` on the command line: what it refuses, and that it ends with the service that started it."""

import json
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from cli_helpers import Service, call, opened, refused, serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened(tmp_path_factory.mktemp("control") / "aviary")


def test_what_cannot_be_is_refused(folder: Path, tmp_path: Path) -> None:
    assert "there is no officer 'owl'" in refused("control", folder, "--enrol", "owl", code=2)
    assert "there is no officer" in refused("control", folder, "--forget", "operator/intake", code=2)
    assert "--origin" in refused("control", folder, "--enrol", "officer-1", "--origin", "http://192.0.2.1", code=2)
    assert "--origin" in refused("control", folder, "--port", 0, "--origin", "http://control.example.org", code=2)
    assert "has not been opened" in refused("control", tmp_path, "--passkeys", code=2)
    assert "cannot listen" in refused("control", folder, "--host", "192.0.2.1", code=2)


def test_a_link_for_programs(folder: Path) -> None:
    said = call("control", folder, "--enrol", "authority/officer-1", "--origin", "https://control.example.org", "--json").json
    assert said["officer"] == "authority/officer-1"
    assert said["link"] == f"https://control.example.org/enrol#{said['code']}"
    assert call("control", folder, "--passkeys", "--json").json == {"authority/officer-1": []}
    assert call("control", folder, "--forget", "officer-1", "--json").json == {"officer": "authority/officer-1", "forgotten": 0}
    lines = (folder / "control/journal").read_text().splitlines()
    assert [json.loads(line)["what"] for line in lines] == ["invited", "forgotten"]
    assert said["code"] not in "".join(lines)


def test_a_changed_journal_keeps_the_room_closed(folder: Path) -> None:
    journal = folder / "control/journal"
    before = journal.read_bytes() if journal.exists() else b""
    journal.parent.mkdir(exist_ok=True)
    journal.write_bytes(b'{"n":1}\n')
    assert "put the whole file back" in refused("control", folder, "--port", 0)
    journal.write_bytes(before)


def test_it_ends_with_the_service_that_started_it(folder: Path) -> None:
    service = Service(folder, "--control", 0)
    line = next(line for line in service.lines if line.startswith("Control room at "))
    url = line.removeprefix("Control room at ")
    assert httpx.get(f"{url}enter", trust_env=False).status_code == 200
    service.kill()
    for _ in range(100):
        try:
            httpx.get(f"{url}enter", trust_env=False)
        except httpx.TransportError:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the control room outlived its service")


def test_the_intake_says_that_the_room_has_ended_and_goes_on(folder: Path) -> None:
    with serving(folder, "--control", 0) as service:
        children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
        room = [child for child in children if b"control" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")]
        os.kill(int(room[0]), signal.SIGKILL)
        assert service.process.stderr is not None
        said = next(line for line in service.process.stderr if "control room" in line)
        assert "has ended (status -9), and the intake goes on without it" in said
        assert httpx.get(f"{service.address}/.well-known/scitt-keys", trust_env=False).status_code == 200
