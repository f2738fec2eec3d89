"""The shell blocks of docs/how-to/run-a-witness.md, run as a reader would paste them, and its table of answers."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scrutineer.log.cosignature import cosignature_verifier
from scrutineer.log.note import open_note
from scrutineer.witness.evidence import MAX_CASES
from scrutineer.witness.rules import REFUSALS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "run-a-witness.md").read_text(encoding="utf-8")
PORT = "8472"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: apt install curl")
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    assert PORT in blocks
    script = f"set -euo pipefail\nset -m\ntrap 'jobs -p | xargs -r kill' EXIT\n{blocks}".replace(PORT, port)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    vkeys = re.findall(r"^(observers\.example/heron\+\S+)$", run.stdout, re.MULTILINE)
    assert len(vkeys) == 2
    assert "\ncosigning\n" in run.stdout
    assert re.search(r"^2\n", run.stdout, re.MULTILINE)
    assert re.search(r"^1\n", run.stdout, re.MULTILINE)
    cosigned = (tmp_path / "site/log/checkpoint").read_bytes() + (tmp_path / "cosignatures").read_bytes()
    assert len(open_note(cosigned, [cosignature_verifier(vkey) for vkey in vkeys])[1]) == 2


def test_every_refusal_is_in_its_table() -> None:
    rows = {int(status): codes for status, codes in re.findall(r"^\| (\d+) \| (.*?) \|", PAGE, re.MULTILINE)}
    for code, status in REFUSALS.items():
        assert f"`{code}`" in rows[status]
    named = {code for codes in rows.values() for code in re.findall(r"`([a-z-]+)`", codes)}
    assert named == {*REFUSALS, "failed"}
    assert f"at most {MAX_CASES} of each kind" in PAGE
