"""The shell blocks of a page, pasted as a reader would, on ports that are free and without waiting longer than needed."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from free_ports import ports_in_a_row
from warm_program import warm_environment

DOCS = Path(__file__).resolve().parents[1] / "docs"
PORT = "8470"
"""Where `serve` listens unless it is told otherwise."""

LISTENING = """listening() {
  for port in "$@"; do
    for _ in $(seq 600); do (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
  done
}
"""


def blocks_of(text: str) -> str:
    """What a page has its reader paste."""
    found = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, "no shell blocks"
    return "\n".join(found)


def script_of(page: Path, ports: Sequence[str] = (PORT,), waits: Sequence[Sequence[str]] = ()) -> str:
    """A page as a script. `ports` are those that it names, in a row; `waits` are those that it waits for at each of its pauses.

    A reader is told for how many seconds to wait; here everything is waited for, and for no longer.
    """
    script = blocks_of(page.read_text(encoding="utf-8"))
    script = re.sub(r"scrutineer serve aviary(?! --port)", f"scrutineer serve aviary --port {PORT}", script)
    told = re.findall(r"^sleep \d+$", script, re.MULTILINE)
    assert len(told) == len(waits), f"{page.name} waits {len(told)} times"
    for wait in waits:
        script = re.sub(r"^sleep \d+$", " ".join(("listening", *wait)), script, count=1, flags=re.MULTILINE)
    for port in ports:
        assert port in script, f"{page.name} does not name the port {port}"
    given = dict(zip(ports, map(str, ports_in_a_row(len(ports))), strict=True))
    script = re.sub(r"\b\d{4}\b", lambda number: given.get(number[0], number[0]), script)
    # `set -m` gives background jobs numbers, as in a terminal.
    return f"set -euo pipefail\nset -m\ntrap 'jobs -p | xargs -r kill' EXIT\n{LISTENING}{script}"


def paste(
    page: Path, folder: Path, ports: Sequence[str] = (PORT,), waits: Sequence[Sequence[str]] = (), *, installed: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a page in a folder; it has to end well. `installed` has each command start as it does for people."""
    if installed:
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": programs, "COLUMNS": "120"}
    else:
        environment = warm_environment(COLUMNS="120")
    command = ["bash", "-c", script_of(page, ports, waits)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
