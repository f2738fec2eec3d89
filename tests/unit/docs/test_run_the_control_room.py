"""The commands of docs/how-to/run-the-control-room.md, run as a reader would paste them; those that stay are stopped again."""

import re
import select
import signal
import subprocess
import sys
from pathlib import Path

from cli_helpers import call

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "run-the-control-room.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def until(process: subprocess.Popen[str], start: str) -> str:
    """The rest of the first line that begins so."""
    assert process.stdout is not None
    while select.select([process.stdout], [], [], 60)[0]:
        line = process.stdout.readline()
        assert line, process.communicate()
        if line.startswith(start):
            return line.removeprefix(start).strip()
    raise AssertionError(f"no line {start!r}")


def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    folder = tmp_path / "aviary"
    call("new", folder)
    file = folder / "election.toml"
    (thresholds,) = blocks("toml")
    file.write_text(file.read_text().replace("[thresholds]\n", thresholds))
    call("open", folder)
    (contacts,) = blocks("csv")
    (folder / "contacts.csv").write_text(contacts)
    enrol, serve, alone, elsewhere = (block.splitlines() for block in blocks("sh"))
    for line in enrol:
        out = run(tmp_path, line)
        assert re.search(r"^http://localhost:8475/enrol#([0-9a-f]{4}-){9}[0-9a-f]{4}$", out, re.MULTILINE), out
    assert run(tmp_path, "scrutineer control aviary --passkeys").startswith("No officer has a passkey yet")
    assert "0 passkeys forgotten" in run(tmp_path, "scrutineer control aviary --forget officer-1")
    started(tmp_path, *serve, "--port 0", "Intake at ")
    started(tmp_path, *alone, "", "Control room at ")
    assert started(tmp_path, *elsewhere, "--port 0", "Control room at ") == "https://control.example.org/"


def command(line: str) -> list[str]:
    program, *arguments = line.replace("8475", "0").split()
    assert program == "scrutineer"
    return [sys.executable, "-m", "scrutineer", *arguments]


def run(place: Path, line: str) -> str:
    done = subprocess.run(command(line), cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def started(place: Path, line: str, more: str, says: str) -> str:
    process = subprocess.Popen(command(f"{line} {more}"), cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = until(process, says)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert "Traceback" not in err, err
    return said
