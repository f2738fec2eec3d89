"""Whatever a signed plan or report file holds, publishing goes on, the page says what cannot be read, and verifying finds it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from audit_artifacts import AUDITING, ELECTION, REGISTER, UNITS, held, results_log
from audit_helpers import AUDITORS, LOG
from portal_helpers import Published, published
from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.portal.audit_files import named_audit_files, own_files
from scrutineer.portal.audit_pages import audit_pages
from scrutineer.portal.pages import Pages
from scrutineer.portal.record import SiteOptions
from scrutineer.portal.view import View
from scrutineer.statements.audit import AuditFile
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site
from site_pages import read_page

HELD = held()
PLAN = HELD.artifacts.files["plan.json"]
REPORT = HELD.artifacts.files["report.json"]


def edited(data: bytes, change: Callable[[Any], object]) -> bytes:
    """A document in canonical form again after a change."""
    whole = json.loads(data)
    change(whole)
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def plan(change: Callable[[Any], object]) -> bytes:
    return edited(PLAN, change)


def test_of(whole: Any) -> Any:
    return whole["contests"][0]["tests"][0]


test_of.__test__ = False  # type: ignore[attr-defined]

UNREADABLE = {
    "nothing": b"",
    "truncated": PLAN[: len(PLAN) // 2],
    "one byte more": PLAN + b" ",
    "no JSON": b"\x00\xff\xfe" * 99,
    "not UTF-8": PLAN.replace(b"boxes", b"b\xf8xes", 1),
    "a number alone": b"7",
    "null": b"null",
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"contests":' * 50_000 + b"1" + b"}" * 50_000,
    "another version": PLAN.replace(b"scrutineer-audit-plan/1", b"scrutineer-audit-plan/9"),
    "no version": plan(lambda whole: whole.pop("format")),
    "a field more": plan(lambda whole: whole.update(more=1)),
    "a field twice": PLAN[:-1] + b',"size":7}',
    "no contest": plan(lambda whole: whole.update(contests=[])),
    "a contest twice": plan(lambda whole: whole.update(contests=whole["contests"] * 2)),
    "a contest that the election lacks": plan(lambda whole: whole["contests"][0].update(contest="mayor")),
    "a design that nobody knows": plan(lambda whole: whole.update(design="tea-leaves")),
    "a risk function that nobody knows": plan(lambda whole: whole.update(risk="tea-leaves")),
    "a risk limit of 0": plan(lambda whole: whole.update(risk_limit="0")),
    "a risk limit that takes for ever": plan(lambda whole: whole.update(risk_limit="1e999999999")),
    "a risk limit of no number": plan(lambda whole: whole.update(risk_limit="nan")),
    "a size beyond all numbers": plan(lambda whole: whole.update(size=10**400)),
    "text where a number is": plan(lambda whole: whole.update(cards="510")),
    "a number with a point": plan(lambda whole: whole.update(cards=510.5)),
    "cards below 0": plan(lambda whole: whole.update(cards=-1)),
    "files that were not named": plan(lambda whole: whole["files"].update({"../plan.json": {"sha256": "00" * 32, "size": 1}})),
    "no weights": plan(lambda whole: test_of(whole).update(weights=[])),
    "too many weights": plan(lambda whole: test_of(whole).update(weights=[1, -1] * 5_000)),
    "weights beyond all numbers": plan(lambda whole: test_of(whole).update(weights=[10**30, -(10**30), 0])),
    "a parameter beyond all numbers": plan(lambda whole: test_of(whole)["parameters"].update(lam="9" * 5_000)),
    "marks for no option": plan(lambda whole: test_of(whole).update(first=[999])),
    "text that is not printable": plan(lambda whole: test_of(whole).update(code="lead:0:1\x00\u202e")),
}
"""Of a plan that its auditor has signed. Some can be read, and fail when somebody works with them."""

REPORTS = {
    "nothing": b"",
    "truncated": REPORT[:-9],
    "no JSON": b"\xff" * 99,
    "deep lists": b"[" * 100_000,
    "another version": REPORT.replace(b"scrutineer-audit-report/1", b"scrutineer-audit-report/2"),
    "a field less": edited(REPORT, lambda whole: whole.pop("replaced")),
    "draws beyond all numbers": edited(REPORT, lambda whole: whole.update(draws=10**400)),
    "a list for a text": edited(REPORT, lambda whole: whole.update(name=["boxes"])),
    "a status that nobody knows": edited(REPORT, lambda whole: whole["counts"][0].update(status="eaten")),
    "a count of no hash": edited(REPORT, lambda whole: whole["counts"][0].update(statement="zz")),
    "an outcome that nobody knows": edited(REPORT, lambda whole: whole.update(outcome="splendid")),
}


@cache
def with_plan(data: bytes) -> tuple[list[bytes], dict[str, bytes]]:
    """A log in which somebody signed this plan file, and held the audit all the same; and the files of it."""
    files = tuple(
        AuditFile(name=name, sha256=hashlib.sha256(content).digest(), size=len(content))
        for name, content in sorted(HELD.made.files.items())
    )
    given = {"size": HELD.made.plan.size, "root": bytes.fromhex(HELD.made.plan.root), "plan": hashlib.sha256(data).digest()}
    signed = AUDITING.plan(board=AUDITORS, files=files, **given)
    seed = AUDITING.seed(signed, AUDITORS[1])
    log = [*results_log(), signed, seed]
    log.append(AUDITING.report(signed, seed, AUDITORS[1], size=len(log), report=hashlib.sha256(REPORT).digest()))
    return log, {f"audits/boxes/{name}": content for name, content in (HELD.artifacts.files | {"plan.json": data}).items()}


@cache
def with_report(data: bytes) -> tuple[list[bytes], dict[str, bytes]]:
    """The audit with this report, signed."""
    digest = hashlib.sha256(data).digest()
    signed = AUDITING.report(HELD.plan, HELD.seed, AUDITORS[1], size=len(HELD.log) - 1, report=digest)
    files = HELD.artifacts.files | {"report.json": data}
    return [*HELD.log[:-1], signed], {f"audits/boxes/{name}": content for name, content in files.items()}


def site_of(log: list[bytes], files: dict[str, bytes]) -> Published:
    made = published(ELECTION, (UNITS, REGISTER), log, SiteOptions(pages="none"), LOG)
    return replace(made, record=replace(made.record, audits=files))


def page_of(made: Published) -> str:
    record = replace(made.record, audits=named_audit_files(made.record.audits, made.record.count))
    (file,) = audit_pages(Pages(View(record)))
    return read_page(b"".join(file.chunks)).text


FITTING = {
    REPORTS["draws beyond all numbers"],
    REPORTS["a count of no hash"],
    UNREADABLE["files that were not named"],
    UNREADABLE["text that is not printable"],
}
"""Those whose fault shows only when they are held against plan, seed and counts, which publishing does not do."""
CASES = [
    *((f"plan: {name}", "plan.json", *with_plan(data)) for name, data in UNREADABLE.items()),
    *((f"report: {name}", "report.json", *with_report(data)) for name, data in REPORTS.items()),
]


def test_there_are_enough_of_them() -> None:
    assert len(CASES) > 40
    assert "cannot be read" not in page_of(site_of(HELD.log, {f"audits/boxes/{n}": d for n, d in HELD.artifacts.files.items()}))


@pytest.mark.parametrize(("name", "log", "files"), [each[1:] for each in CASES], ids=[each[0] for each in CASES])
def test_the_page_says_what_is_wrong_and_the_check_finds_it(name: str, log: list[bytes], files: dict[str, bytes]) -> None:
    made = site_of(log, files)
    named = named_audit_files(files, made.record.count)
    assert f"audits/boxes/{name}" in named
    text = page_of(made)
    entries = [Entry(own.statement.data, own.index) for own in made.record.count.audits]
    found = check_audit(
        Artifacts(
            own_files(named, "boxes"), entries, count=lambda _: made.record.count, latest=lambda: made.record.count, whole=False
        )
    )
    assert found.findings
    if f"Nobody can work with {name} of this audit" not in text:
        assert files[f"audits/boxes/{name}"] in FITTING


PUBLISHED = ("plan: nothing", "plan: deep lists", "plan: a contest that the election lacks", "plan: weights beyond all numbers")
PUBLISHED += ("plan: a risk limit that takes for ever", "report: truncated", "report: a status that nobody knows")


@pytest.mark.parametrize(
    ("name", "log", "files"),
    [each[1:] for each in CASES if each[0] in PUBLISHED],
    ids=[each[0] for each in CASES if each[0] in PUBLISHED],
)
def test_the_site_is_published_and_verifying_it_finds_the_file(
    name: str, log: list[bytes], files: dict[str, bytes], tmp_path: Path
) -> None:
    site_of(log, files).publish(tmp_path / "site")
    assert (tmp_path / "site" / "audits" / "boxes" / name).read_bytes() == files[f"audits/boxes/{name}"]
    report = verify_site(FolderSource(tmp_path / "site"))
    assert report.complete
    found = [str(each) for each in report.findings]
    assert any(each.startswith(f"audits/boxes/{name}: ") for each in found), found
    assert all(each.startswith("audits/boxes/") for each in found), found


def test_a_plan_that_is_not_read_names_no_contest() -> None:
    text = page_of(site_of(*with_plan(UNREADABLE["truncated"])))
    assert "Nobody can work with plan.json of this audit, although a signed statement names it: plan: " in text
    assert "For the outcome of" not in text


def test_files_that_stand_there_twice_or_under_other_names() -> None:
    own = {f"audits/boxes/{name}": data for name, data in HELD.artifacts.files.items()}
    again = {
        "audits/Boxes/plan.json": PLAN,
        "audits/boxes2/plan.json": PLAN,
        "audits/boxes/plan-2.json": PLAN,
        "audits/boxes/report-2.json": REPORT,
        "audits/boxes/report-2.html": own["audits/boxes/report.html"],
        "audits/boxes/draw-2.csv": own["audits/boxes/draw.csv"],
    }
    skipped: list[tuple[str, str]] = []
    made = site_of(HELD.log, own)
    assert named_audit_files(own | again, made.record.count, skipped).keys() == own.keys()
    assert {path for path, _ in skipped} == again.keys()
