"""The shell blocks of docs/how-to/collect-cosignatures.md, run as a reader would paste them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pasted import DOCS, paste

PORTS = ("8481", "8482", "8483")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    run = paste(DOCS / "how-to" / "collect-cosignatures.md", tmp_path, PORTS, [PORTS])
    assert "PASS" in run.stdout
    checkpoint = (tmp_path / "site/log/checkpoint").read_text(encoding="utf-8")
    assert len(re.findall(r"^— (?:heron|owl|wren)\.example/watch ", checkpoint, re.MULTILINE)) >= 4
    check = subprocess.run(
        [sys.executable, DOCS / "how-to/check_site.py", tmp_path / "site"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr
    assert len(re.findall(r"^cosigned by (?:heron|owl|wren)\.example/watch$", check.stdout, re.MULTILINE)) >= 2
    # One bit of an Ed25519 cosignature: 76 bytes are 104 characters.
    line = next(line for line in checkpoint.splitlines() if re.fullmatch(r"— (?:heron|owl|wren)\S+ \S{104}", line))
    place = len(line) - 20
    changed = line[:place] + ("A" if line[place] != "A" else "B") + line[place + 1 :]
    (tmp_path / "site/log/checkpoint").write_text(checkpoint.replace(line, changed), encoding="utf-8")
    check = subprocess.run(
        [sys.executable, DOCS / "how-to/check_site.py", tmp_path / "site"], capture_output=True, text=True, check=False
    )
    assert "does not hold" in check.stderr
