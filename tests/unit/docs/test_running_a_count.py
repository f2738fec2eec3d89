"""The shell blocks of docs/running-a-count.md, run as a reader would paste them."""

import re
import shutil
from pathlib import Path

import pytest

from pasted import DOCS, paste

PORTS = ("8470", "8474", "8475", "8476", "8477")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: apt install openssl")
def test_one_laptop(tmp_path: Path) -> None:
    run = paste(DOCS / "running-a-count.md", tmp_path, PORTS, [PORTS[2:]])
    assert "All is well." in run.stdout
    assert re.search(r"tally sheet of north-1,\s+president .* in the log as number", run.stdout)
    assert "not the definition that you know: refused" in run.stdout
    assert run.stdout.count("PASS: ") == 1
    assert "3 of 3 witnesses have cosigned" in run.stdout
