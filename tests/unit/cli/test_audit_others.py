"""`audit report` and `audit verify` say which other plans there are for the same contest."""

import json
from pathlib import Path

from audit_land import Land, counted_land
from cli_helpers import call


def test_another_plan_is_named_in_the_report_and_by_the_check(tmp_path: Path) -> None:
    land = Land(counted_land(tmp_path), tmp_path / "boxes")
    again = Land(land.folder, tmp_path / "again")
    again.plan()
    land.plan()
    land.seed()
    land.enter(land.table("one.csv"), land.table("two.csv"))
    land.step("report")
    (other,) = json.loads((land.audit / "report.json").read_text())["others"]
    assert (other["name"], other["before"], other["drawn"], other["outcome"]) == ("again", True, False, None)
    said = call("audit", "verify", land.audit, *land.log).out
    assert said.startswith("PASS")
    assert "1 other plan audits contest president: again; 1 without a report: again (planned at log entry" in said
    site = tmp_path / "site"
    call("publish", land.folder, "--to", site, "--audits", tmp_path)
    said = call("verify", site).out
    assert "Contest president: 2 plans audit it; 1 without a report: again (planned at log entry" in said
    assert "Read the report" in (site / "audits.html").read_text()
