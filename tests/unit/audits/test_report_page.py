"""The page of a report: what it says, and which pages a check takes for it."""

import hashlib
import html
import re
from dataclasses import replace

import msgspec
import pytest

from audit_artifacts import AUDITING, ELECTION, HeldAudit, held
from scrutineer.audits.check import check_audit
from scrutineer.audits.other_plans import OtherPlan
from scrutineer.audits.outcome_words import OUTCOME_WORDS
from scrutineer.audits.plan import Plan, PlannedContest, PlannedFile
from scrutineer.audits.plan import Test as PlannedTest
from scrutineer.audits.report import ReplacedCount, Report, ReportedContest, ReportedCount, ReportedTest
from scrutineer.audits.report_page import PAGE_FORMAT, page_verdict, report_page
from scrutineer.statements import statement_hash

HELD = held()
OTHER = PAGE_FORMAT.rpartition("/")[0] + "/77"
PLAN = Plan(
    format="scrutineer-audit-plan/1",
    name="boxes",
    election="01" * 32,
    size=7,
    root="02" * 32,
    risk_limit="0.05",
    design="batch-betting",
    draw="canonical",
    replacement=True,
    risk="betting-fixed",
    first_round=9,
    boxes=6,
    cards=510,
    contests=(
        PlannedContest(
            contest="president",
            full_count="",
            target=True,
            tests=(
                PlannedTest(
                    code="lead:0:1",
                    weights=(1, -1, 0),
                    rest=0,
                    need=1,
                    most=1,
                    continuing=None,
                    first=(),
                    total=205,
                    parameters={"rate": "0.5"},
                ),
            ),
        ),
    ),
    files={name: PlannedFile(sha256="03" * 32, size=1) for name in ("manifest.csv", "totals.csv")},
)
REPORT = Report(
    format="scrutineer-audit-report/1",
    name="boxes",
    election="01" * 32,
    plan="04" * 32,
    seed="05" * 32,
    size=20,
    outcome="continuing",
    risk_limit="0.05",
    draws=9,
    units=4,
    counted=1,
    missing=("a2",),
    illegible=("a3",),
    pending=("b1",),
    contests=(ReportedContest(contest="president", risk="0.2", confirmed=False, full_count=""),),
    tests=(ReportedTest(contest="president", code="lead:0:1", risk="0.2"),),
    counts=(ReportedCount(box="a1", statement="07" * 32, status="counted", cards=0, discrepancies=("two-cards", "marking")),),
    replaced=(ReplacedCount(box="a1", statement="06" * 32, by="07" * 32, note="Two ballots had <stuck>."),),
    others=(
        OtherPlan(before=True, contests=("president",), drawn=True, name="first", outcome="stopped", plan="08" * 32),
        OtherPlan(before=True, contests=(), drawn=True, name="second", outcome=None, plan="09" * 32),
        OtherPlan(before=False, contests=(), drawn=False, name="third", outcome=None, plan="0a" * 32),
    ),
    voids=("box b2 holds 99 cards of contest president, and the plan allows for 85",),
    faults=(),
)


def text_of(page: bytes) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.decode())).split())


def test_the_page_says_all_that_the_report_says() -> None:
    text = text_of(report_page(PLAN, REPORT, ELECTION.contests))
    assert OUTCOME_WORDS["continuing"].sentence in text
    assert "Heron has more votes than Wren" in text
    assert "President : all of this" in text
    for unit in ("a2", "a3", "b1"):
        assert unit in text
    assert "Two ballots had <stuck>." in text
    assert "06" * 32 in text
    assert "two cards taken for one, or one for two and how a voter marked the ballot" in text
    assert "the log has 3 plans that are, or may be, about the same contests" in text
    assert "2 were registered before this plan." in text
    assert "2 have no report yet." in text
    assert OUTCOME_WORDS["stopped"].label in text
    assert REPORT.hash.hex() in text
    assert REPORT.voids[0] in text


def test_what_no_contest_of_the_definition_names_is_called_as_plan_and_report_call_it() -> None:
    text = text_of(report_page(PLAN, REPORT, ()))
    assert "lead:0:1" in text
    assert "president : all of this" in text
    fewer = msgspec.structs.replace(ELECTION.contests[0], options=ELECTION.contests[0].options[:2])
    assert "lead:0:1" in text_of(report_page(PLAN, REPORT, (fewer,)))


def test_whoever_changes_the_page_gives_it_another_number() -> None:
    """Pages that were written before are held against this very version by the number that they name."""
    page = report_page(PLAN, REPORT, ELECTION.contests)
    made = hashlib.sha256(page.replace(REPORT.hash.hex().encode(), b"")).hexdigest()
    assert (PAGE_FORMAT, made) == ("scrutineer-audit-page/1", "a14d825d5ed60172dc8a44821037520b66519fb978dc03212166f893b05edd66")


def test_pages_of_this_and_of_other_versions() -> None:
    page = report_page(PLAN, REPORT, ELECTION.contests)
    elsewhere = page.replace(PAGE_FORMAT.encode(), OTHER.encode())
    old = b'<!doctype html><meta name="generator" content="scrutineer-audit-page/77"><p>' + REPORT.hash.hex().encode()

    def verdict(page: bytes) -> str:
        return page_verdict(PLAN, REPORT, ELECTION.contests, page)

    assert verdict(page) == "same"
    assert verdict(elsewhere) == verdict(old) == "other-version"
    assert verdict(page.replace(b"0.2<", b"0.1<")) == "changed"
    assert verdict(elsewhere.replace(REPORT.hash.hex().encode(), b"00" * 32)) == "changed"
    assert verdict(b"") == verdict(b"\xff" * 99) == verdict(b" " * 4_000 + old) == "changed"


def changed(audit: HeldAudit, page: bytes) -> tuple[list[str], list[str]]:
    found = check_audit(audit.changed(report__html=page))
    return [str(each) for each in found.findings], [note for note in found.notes if "report.html" in note]


def test_a_page_of_another_version_is_noted_and_no_finding() -> None:
    page = HELD.artifacts.files["report.html"]
    assert changed(HELD, page) == ([], [])
    elsewhere = page.replace(PAGE_FORMAT.encode(), OTHER.encode())
    findings, (note,) = changed(HELD, elsewhere)
    assert findings == []
    assert note == "report.html was made by another version of the program, and is not checked: read report.json, which is."
    (finding,), notes = changed(HELD, elsewhere.replace(HELD.report.hash.hex().encode(), b"00" * 32))
    assert finding.startswith("report.html: does not show what report.json says")
    assert notes == []


def test_a_page_that_is_evidence_is_what_the_statement_names() -> None:
    page = b"<!doctype html><p>Photographs of the throw."
    seed = AUDITING.seed(HELD.plan, "auditor/wren", evidence=(hashlib.sha256(page).digest(),))
    entries = [replace(entry, data=seed if entry.data == HELD.seed else entry.data) for entry in HELD.artifacts.entries]
    entries = entries[:2]
    files = {name: data for name, data in HELD.artifacts.files.items() if not name.startswith("report")} | {"report.html": page}
    assert statement_hash(seed) != statement_hash(HELD.seed)
    assert check_audit(replace(HELD.artifacts, files=files, entries=entries, admit=None)).findings == []


@pytest.mark.parametrize("code", sorted(OUTCOME_WORDS))
def test_every_outcome_has_its_words(code: str) -> None:
    words = OUTCOME_WORDS[code]  # type: ignore[index]
    assert words.label
    assert words.sentence.endswith(".")
