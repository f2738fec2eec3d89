"""The shell blocks of docs/how-to/run-a-station.md, run as a reader would paste them."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "run-a-station.md").read_text(encoding="utf-8")
PORT = "8470"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    assert PORT in blocks
    script = f"set -euo pipefail\nset -m\ntrap 'jobs -p | xargs -r kill' EXIT\n{blocks}".replace(PORT, port).replace(
        "sleep 3", "sleep 6"
    )
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CAUTION: the register gives north-1 another key" in done.stdout
    assert "1 was refused" in done.stdout
    assert "unknown-key" in done.stdout.replace("\n", "")
    assert list((tmp_path / "north-1" / "printed").glob("*.html"))
    # What was refused does not wait, and is not carried either.
    assert "Nothing waits." in done.stdout
