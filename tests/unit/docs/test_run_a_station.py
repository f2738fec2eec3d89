"""The shell blocks of docs/how-to/run-a-station.md, run as a reader would paste them."""

import shutil
from pathlib import Path

import pytest

from pasted import DOCS, paste


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    done = paste(DOCS / "how-to" / "run-a-station.md", tmp_path, ("8470",), [("8470",)])
    assert "CAUTION: the register gives north-1 another key" in done.stdout
    assert "1 was refused" in done.stdout
    assert "unknown-key" in done.stdout.replace("\n", "")
    assert list((tmp_path / "north-1" / "printed").glob("*.html"))
    # What was refused does not wait, and is not carried either.
    assert "Nothing waits." in done.stdout
