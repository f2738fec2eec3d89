"""docs/how-to/use-the-data.md: its questions work on a published site."""

import contextlib
import io
import json
import re
import subprocess
from pathlib import Path

import duckdb
import pytest

from full_election import publish_all

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "how-to" / "use-the-data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("use") / "site"
    publish_all(folder)
    return folder


def test_every_statement_without_an_address_works(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)
    lines = [line for block in blocks("sql") for line in block.splitlines() if "https://" not in line]
    lines += re.findall(r'duckdb -c "(.*)"', TEXT)
    assert len(lines) == 3
    whole, control, totals = (duckdb.sql(line).fetchall() for line in lines)
    # What the page says must be equal is equal.
    assert whole[0] in [row[1:] for row in control]
    summary = json.loads((site / "data/summary.json").read_bytes())["contests"][0]
    assert totals == [(summary["counted"], *summary["votes"].values())]


def test_the_lines_of_python_give_the_same(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)
    said = io.StringIO()
    (block,) = blocks("python")
    with contextlib.redirect_stdout(said):
        exec(block, {})
    summary = json.loads((site / "data/summary.json").read_bytes())["contests"][0]
    assert said.getvalue() == f"{summary['counted']} {summary['votes']['heron']}\n"


def test_the_manifest_is_checked_by_the_line_of_the_page(site: Path) -> None:
    (line,) = (line for line in blocks("sh") if "manifest" in line)
    done = subprocess.run(["sh", "-c", line], cwd=site, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_said_of_the_api_is_there(site: Path) -> None:
    index = json.loads((site / "api/v1/index.json").read_bytes())
    assert index["record"]["size"] > 0
    unit = json.loads((site / "api/v1/units/avia.json").read_bytes())
    assert unit["contests"][0]["totals"]["votes"]["heron"] > 0
    assert index["units"] == "api/v1/units/avia.json"
