"""The commands of a voting machine: by themselves on a folder, and beside the program that runs."""

import datetime
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from cli_helpers import call, command, refused
from poll_day_helpers import AGENTS, KEY, STATION, STRANGER, WORKERS, pem, reeds
from scrutineer.ballots.group import STANDARD
from scrutineer.cli import cli
from scrutineer.station.folder import StationFolder
from scrutineer.station.voting.running import find

TODAY = datetime.datetime.now(datetime.UTC).date().isoformat()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a station, and key files beside it."""
    land = reeds(STANDARD, 2, TODAY)
    published = land.write(tmp_path / "published")
    for name, key in {**WORKERS, **AGENTS, "stranger": STRANGER}.items():
        (tmp_path / f"{name.rpartition('/')[2]}.pem").write_bytes(pem(key, "sedge" if name.endswith("tern") else ""))
    (tmp_path / "station.pem").write_bytes(pem(KEY))
    call("station", "init", tmp_path / "s", "--definition", published, "--key", tmp_path / "station.pem", "--station", STATION)
    return tmp_path / "s"


@pytest.fixture
def place(folder: Path) -> Path:
    """The same, with its voting machine."""
    call("station", "voting-init", folder, "--from", folder.parent / "published")
    return folder


def two(folder: Path, first: str = "finch", second: str = "lark") -> tuple[object, ...]:
    return ("--key", folder.parent / f"{first}.pem", "--key", folder.parent / f"{second}.pem")


@contextmanager
def voting(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, running."""
    process = subprocess.Popen(
        command(("station", "vote", folder, "--port", 0, "--board-port", 0, "--with-parent")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder.parent)},
    )
    assert process.stdout is not None
    assert "/vote" in process.stdout.readline()
    assert "/enter?code=" in process.stdout.readline()
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)  # with its standard input open, whose end would end it in another way
        process.communicate()


def test_a_machine_is_made_once_and_from_the_right_tables(folder: Path) -> None:
    assert "has no voting machine" in refused("station", "open", folder, *two(folder), code=2)
    empty = folder.parent / "empty"
    empty.mkdir()
    assert "register.csv" in refused("station", "voting-init", folder, "--from", empty, code=2)
    made = call("station", "voting-init", folder, "--from", folder.parent / "published", "--device", "boathouse 1", "--json").json
    assert (made["device"], made["style"], len(made["keys"]), len(made["software"])) == ("boathouse 1", "style-1", 64, 64)
    assert call("station", "fingerprint", "--json").json["software"] == made["software"]
    assert made["software"] in call("station", "fingerprint").out
    assert "is made already" in refused("station", "voting-init", folder, "--from", folder.parent / "published", code=2)
    wrong = folder.parent / "wrong"
    wrong.mkdir()
    for name in ("register.csv", "ballots.json"):
        (wrong / name).write_bytes((folder.parent / "published" / name).read_bytes() + b" ")
    (folder / "voting" / "machine.json").unlink()
    assert "is not the table that the definition names" in refused("station", "voting-init", folder, "--from", wrong, code=2)


def test_a_day_without_the_program(place: Path) -> None:
    assert "two poll workers are needed" in refused("station", "open", place, "--key", place.parent / "finch.pem", code=2)
    assert "a second poll worker has to use their own key" in refused("station", "open", place, *two(place, "finch", "finch"))
    assert "is not registered for this station" in refused("station", "open", place, *two(place, "finch", "coot"))
    assert "every count is zero" in call("station", "open", place, *two(place)).out
    assert "cannot be done twice" in refused("station", "open", place, *two(place))
    for act in (("suspend", place), ("resume", place, *two(place))):
        assert "does not run" in refused("station", *act, code=2)
    assert "not closed" in refused("station", "countersign", place, "--key", place.parent / "coot.pem")
    closed = call("station", "close", place, *two(place), "--yes", "--json").json
    assert (closed["station"], closed["cast"], closed["sheets"], len(closed["bundle"])) == (STATION, 0, 3, 64)
    assert "its sheets are signed" in refused("station", "close", place, *two(place), "--yes")
    assert "Signed by Cora Coot" in call("station", "countersign", place, "--key", place.parent / "coot.pem").out
    assert "cannot be taken back" in refused("station", "countersign", place, "--key", place.parent / "coot.pem")
    assert (
        "Refused by Kim" in call("station", "countersign", place, "--by-hand", "Kim", "--refuse", "No time.", "--copies", 2).out
    )
    assert "not registered" in refused("station", "countersign", place, "--key", place.parent / "stranger.pem")
    assert "give --key" in refused("station", "countersign", place, code=2)
    assert (place / "voting" / "printed" / "tally-sheets.pdf").read_bytes().startswith(b"%PDF-")


def test_a_passphrase_is_asked_for(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, code in (("reed", 2), ("sedge", 0)):
        monkeypatch.setattr("click.prompt", lambda *_, answer=given, **__: answer)
        result = call("station", "open", place, *two(place, "finch", "tern"), code=code)
        assert ("cannot be opened with this passphrase" in result.err) == bool(code)


def test_commands_beside_the_program(place: Path) -> None:
    with voting(place) as process:
        running = find(StationFolder.load(place).folder / "voting")
        assert running.url.startswith("http://127.0.0.1:")
        assert "is open" in call("station", "open", place, *two(place)).out
        assert "cannot be done twice" in refused("station", "open", place, *two(place))
        assert "is suspended" in call("station", "suspend", place).out
        assert "is suspended" in refused("station", "suspend", place)
        assert "is enabled" in call("station", "resume", place, *two(place, "lark", "finch")).out
        assert "used by another program" in refused("station", "vote", place, "--port", 0, "--board-port", 0)
        assert "Ballot record" in call("station", "close", place, *two(place), "--yes").out
        assert "sign at its board" in refused("station", "countersign", place, "--key", place.parent / "coot.pem", code=2)
        process.kill()
        process.wait(30)
        # Its address was left behind, and nobody is there any more.
        assert "Signed by" in call("station", "countersign", place, "--key", place.parent / "coot.pem").out


def test_every_service_of_one_computer_has_a_port_of_its_own() -> None:
    def ports(*names: str) -> list[object]:
        found: click.Command = cli
        for name in names:
            assert isinstance(found, click.Group)
            found = found.get_command(click.Context(found), name) or found
        return [option.default for option in found.params if (option.name or "").endswith("port")]

    machine = ports("station", "vote")
    others = {port for service in ("serve", "control", "witness", "relay") for port in ports(service)}
    assert len(set(machine)) == 2
    assert len(others) >= 4
    assert others.isdisjoint(machine)
    # Nor those that the page on a whole count gives to its witnesses.
    page = (Path(__file__).parents[3] / "docs" / "running-a-count.md").read_text(encoding="utf-8")
    assert "8476" in page
    assert not any(str(port) in page for port in machine)


def test_a_port_that_is_taken(place: Path) -> None:
    with voting(place):
        port = find(place / "voting").url.rpartition(":")[2]
        why = refused("station", "vote", place, "--port", port, "--board-port", 0, code=2)
        assert f"port {port} of this machine cannot be used" in why
    assert not (place / "voting" / "board.json").exists()
    assert "check its quotation marks" in refused(
        "station", "vote", place, "--port", 0, "--board-port", 0, "--printer", "lp 'x", code=2
    )
