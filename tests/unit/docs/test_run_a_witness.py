"""The shell blocks of docs/how-to/run-a-witness.md, run as a reader would paste them, and its table of answers."""

import re
import shutil
from pathlib import Path

import pytest

from pasted import DOCS, paste
from scrutineer.log.cosignature import cosignature_verifier
from scrutineer.log.note import open_note
from scrutineer.witness.evidence import MAX_CASES
from scrutineer.witness.rules import REFUSALS

PAGE = DOCS / "how-to" / "run-a-witness.md"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed: apt install bash")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: apt install curl")
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    run = paste(PAGE, tmp_path, ("8472",), [("8472",)])
    vkeys = re.findall(r"^(observers\.example/heron\+\S+)$", run.stdout, re.MULTILINE)
    assert len(vkeys) == 2
    assert "\ncosigning\n" in run.stdout
    assert re.search(r"^2\n", run.stdout, re.MULTILINE)
    assert re.search(r"^1\n", run.stdout, re.MULTILINE)
    cosigned = (tmp_path / "site/log/checkpoint").read_bytes() + (tmp_path / "cosignatures").read_bytes()
    assert len(open_note(cosigned, [cosignature_verifier(vkey) for vkey in vkeys])[1]) == 2


def test_every_refusal_is_in_its_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = {int(status): codes for status, codes in re.findall(r"^\| (\d+) \| (.*?) \|", text, re.MULTILINE)}
    for code, status in REFUSALS.items():
        assert f"`{code}`" in rows[status]
    named = {code for codes in rows.values() for code in re.findall(r"`([a-z-]+)`", codes)}
    assert named == {*REFUSALS, "failed"}
    assert f"at most {MAX_CASES} of each kind" in text
