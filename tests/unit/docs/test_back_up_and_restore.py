"""The shell blocks of docs/how-to/back-up-and-restore.md, run as a reader would paste them."""

import shutil
from pathlib import Path

import pytest

from pasted import DOCS, paste
from scrutineer.log.backup import MAX_BLOCK_ENTRIES, MAX_BLOCK_HEADS, MAX_HEADER_SIZE, TITLE
from scrutineer.log.mark import SLOT_SIZE, SLOTS
from scrutineer.log.mark import TITLE as MARK_TITLE


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    run = paste(DOCS / "how-to" / "back-up-and-restore.md", tmp_path, ports=())
    assert run.stdout.count("PASS: every entry") == 2
    assert "Nothing is lost of what site shows: 2 entries" in run.stdout
    assert "exit status 1" in run.stdout
    assert "2 entries can be had, and 3 were signed" in run.stderr
    assert "LOSS ACCEPTED: 3 entries were signed from this folder, and 2 are left." in run.stdout


def test_formats_have_their_numbers() -> None:
    formats = (DOCS / "formats.md").read_text(encoding="utf-8")
    backup, mark = formats.split("\n## Backup\n")[1].split("\n## Mark\n")
    mark = mark.split("\n## ")[0]
    assert TITLE.decode().strip() in backup
    for number in (MAX_HEADER_SIZE, MAX_BLOCK_ENTRIES, MAX_BLOCK_HEADS):
        assert f"{number:,}" in backup
    assert MARK_TITLE in mark
    assert f"{SLOT_SIZE}" in mark
    assert f"{SLOTS[1]:,}" in mark
