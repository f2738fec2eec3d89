"""The report of an audit on paper says what the report says, in words, and is the same each time."""

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from audit_artifacts import ELECTION, HeldAudit, held
from scrutineer.audits.other_plans import OtherPlan
from scrutineer.audits.report import ReplacedCount, Report
from scrutineer.audits.report_paper import report_paper


def text_of(audit: HeldAudit, report: Report, folder: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed: apt install poppler-utils")
    path = folder / "report.pdf"
    path.write_bytes(report_paper(audit.made.plan, report, ELECTION))
    text = subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True).stdout
    return " ".join(text.replace("\u200b", "").split())


def test_the_paper_says_what_the_report_says(tmp_path: Path) -> None:
    audit = held()
    assert report_paper(audit.made.plan, audit.report, ELECTION) == report_paper(audit.made.plan, audit.report, ELECTION)
    said = text_of(audit, audit.report, tmp_path)
    assert f"Report of audit {audit.report.name}" in said
    assert "The audit confirms the reported outcome at its risk limit." in said
    assert "% of the valid votes." in said or "has more votes than" in said
    for contest in audit.report.contests:
        assert f"risk {contest.risk}, confirmed" in said
    assert audit.report.hash.hex() in said.replace(" ", "")
    assert "Other plans" not in said
    assert "replaced" not in said


def test_the_paper_names_replaced_counts_and_other_plans(tmp_path: Path) -> None:
    audit = held()
    replaced = ReplacedCount(box="a1", statement="06" * 32, by="07" * 32, note="Two ballots had stuck.")
    others = (
        OtherPlan(before=True, contests=("president",), drawn=True, name="first", outcome="stopped", plan="08" * 32),
        OtherPlan(before=False, contests=(), drawn=False, name="third", outcome=None, plan="0a" * 32),
    )
    said = text_of(audit, msgspec.structs.replace(audit.report, replaced=(replaced,), others=others), tmp_path)
    assert "a1: Two ballots had stuck. (count 0606060606060606…, replaced by 0707070707070707…)" in said
    assert "first: planned before this one, drawn; Stopped; nothing was confirmed." in said
    assert "third: planned after this one, not drawn; no report yet." in said
    assert "The risk limit holds for each audit by itself" in said
