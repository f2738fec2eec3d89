"""The shell blocks of docs/running-a-count.md, run as a reader would paste them."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "running-a-count.md").read_text(encoding="utf-8")
PORTS = ("8470", "8474", "8475", "8476", "8477")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: apt install openssl")
def test_one_laptop(tmp_path: Path) -> None:
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    free = {}
    for port in PORTS:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            free[port] = str(listener.getsockname()[1])
        script = script.replace(port, free[port])
    script = script.replace("scrutineer serve aviary", f"scrutineer serve aviary --port {free['8470']}")
    script = f"set -euo pipefail\nset -m\ntrap 'jobs -p | xargs -r kill' EXIT\n{script}"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}
    run = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "All is well." in run.stdout
    assert re.search(r"tally sheet of north-1,\s+president .* in the log as number", run.stdout)
    assert "not the definition that you know: refused" in run.stdout
    assert run.stdout.count("PASS: ") == 1
    assert "3 of 3 witnesses have cosigned" in run.stdout
