"""The report of an audit on paper says what the report says, in words, and is the same each time."""

import shutil
import subprocess
from pathlib import Path

import pytest

from audit_artifacts import ELECTION, held
from scrutineer.audits.report_paper import report_paper


def test_the_paper_says_what_the_report_says(tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed: apt install poppler-utils")
    audit = held()
    made = report_paper(audit.made.plan, audit.report, ELECTION)
    assert made == report_paper(audit.made.plan, audit.report, ELECTION)
    path = tmp_path / "report.pdf"
    path.write_bytes(made)
    text = subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True).stdout
    said = " ".join(text.split())
    assert f"Report of audit {audit.report.name}" in said
    assert "The audit confirms the reported outcome at its risk limit." in said
    assert "% of the valid votes." in said or "has more votes than" in said
    for contest in audit.report.contests:
        assert f"risk {contest.risk}" in said
    assert audit.report.hash.hex() in said.replace("\u200b", "").replace(" ", "")
