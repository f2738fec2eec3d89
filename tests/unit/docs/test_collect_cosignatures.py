"""The shell blocks of docs/how-to/collect-cosignatures.md, run as a reader would paste them."""

import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "how-to" / "collect-cosignatures.md").read_text(encoding="utf-8")
PORTS = ("8481", "8482", "8483")


def free_ports() -> list[str]:
    """Three free ports in a row."""
    for first in range(21_000, 32_000, 7):
        with ExitStack() as stack:
            try:
                for port in range(first, first + 3):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return [str(port) for port in range(first, first + 3)]
    pytest.skip("needs three free ports in a row")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    for port, free in zip(PORTS, free_ports(), strict=True):
        assert port in blocks
        blocks = blocks.replace(port, free)
    script = f"set -euo pipefail\nset -m\ntrap 'jobs -p | xargs -r kill' EXIT\n{blocks}"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "PASS" in run.stdout
    checkpoint = (tmp_path / "site/log/checkpoint").read_text(encoding="utf-8")
    assert len(re.findall(r"^— (?:heron|owl|wren)\.example/watch ", checkpoint, re.MULTILINE)) >= 4
    check = subprocess.run(
        [sys.executable, ROOT / "docs/how-to/check_site.py", tmp_path / "site"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr
    assert len(re.findall(r"^cosigned by (?:heron|owl|wren)\.example/watch$", check.stdout, re.MULTILINE)) >= 2
    # One bit of an Ed25519 cosignature: 76 bytes are 104 characters.
    line = next(line for line in checkpoint.splitlines() if re.fullmatch(r"— (?:heron|owl|wren)\S+ \S{104}", line))
    place = len(line) - 20
    changed = line[:place] + ("A" if line[place] != "A" else "B") + line[place + 1 :]
    (tmp_path / "site/log/checkpoint").write_text(checkpoint.replace(line, changed), encoding="utf-8")
    check = subprocess.run(
        [sys.executable, ROOT / "docs/how-to/check_site.py", tmp_path / "site"], capture_output=True, text=True, check=False
    )
    assert "does not hold" in check.stderr
