"""The commands of docs/how-to/hold-a-key-ceremony.md, run one after the other as a reader would."""

import re
import shlex
from pathlib import Path

import pytest

from cli_helpers import call
from scrutineer.ballots.key_check import check_key_file

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "hold-a-key-ceremony.md").read_text(encoding="utf-8")


def test_its_commands_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    results = []
    for line in blocks.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "scrutineer"
        results.append(call(*arguments))
    assert len(results) == 16
    checked = check_key_file(Path("stick/ballots.json").read_bytes())
    assert checked.keys is not None
    assert not checked.failures
    words = re.findall(r"([a-z]{5}(?:-[a-z]{5}){15})$", "".join(result.out for result in results), re.MULTILINE)
    assert len(words) == 8
    assert len(set(words)) == 1
    assert sum(result.err.startswith("WARNING") for result in results) == 3


def test_every_command_of_the_page_is_there() -> None:
    named = set(re.findall(r"scrutineer trustees ((?:tally )?[a-z]+)", PAGE))
    assert named == {
        *("manifest", "new", "share", "receive", "finish", "confirm", "status"),
        *("tally commit", "tally reveal", "tally respond", "tally combine"),
    }
