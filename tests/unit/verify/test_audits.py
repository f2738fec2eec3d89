"""`verify` checks every audit again whose files are published; what its publisher signed wrongly is found all the same."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from audit_artifacts import AUDITING, ELECTION, REGISTER, RESULTS, UNITS, count_of, counted, held, root_of
from audit_helpers import AUDITORS, LOG
from count_helpers import Ballots
from portal_helpers import published
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.report import make_report
from scrutineer.portal.formats import MANIFEST_FILE
from scrutineer.portal.manifest import Manifest, open_manifest, sign_manifest
from scrutineer.portal.record import SiteOptions
from scrutineer.statements import Figures, statement_hash
from scrutineer.verify import FolderSource, Report
from scrutineer.verify.replay import verify_site

HELD = held()
FILES = {f"audits/boxes/{name}": data for name, data in HELD.artifacts.files.items()}


def site_of(folder: Path, log: list[bytes], files: dict[str, bytes]) -> Path:
    """A site with files of audits."""
    made = published(ELECTION, (UNITS, REGISTER), log, SiteOptions(pages="none"), LOG)
    replace(made, record=replace(made.record, audits=files)).publish(folder / "site")
    return folder / "site"


def put(site: Path, changes: dict[str, bytes | None]) -> Report:
    """Change files of a site as its own publisher could, signing the list of files again; what is found then."""
    manifest = open_manifest((site / MANIFEST_FILE).read_bytes(), LOG.verifier)
    listed = dict(manifest.files)
    for path, data in changes.items():
        listed.pop(path, None)
        (site / path).unlink(missing_ok=True)
        if data is not None:
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(data)
            listed[path] = hashlib.sha256(data).digest()
    (site / MANIFEST_FILE).write_bytes(sign_manifest(Manifest(manifest.size, listed), LOG))
    return verify_site(FolderSource(site))


def found(report: Report) -> list[str]:
    return [str(each) for each in report.findings if each.check == "audit"]


def test_an_audit_that_holds(tmp_path: Path) -> None:
    report = verify_site(FolderSource(site_of(tmp_path, HELD.log, FILES)))
    assert report.findings == []
    assert report.audits == 1
    (cards, seed) = report.audit_notes
    assert "is bound by the roll of its station" in cards
    assert "only those can tell who watched" in seed


def test_a_published_file_that_is_gone_is_named_and_the_rest_is_checked(tmp_path: Path) -> None:
    site = site_of(tmp_path, HELD.log, FILES)
    (site / "audits/boxes/totals.csv").unlink()
    report = verify_site(FolderSource(site))
    assert report.complete
    assert any("audits/boxes/totals.csv" in each for each in found(report))
    assert not report.passed


def test_an_audit_that_is_not_published_or_has_only_begun_is_said_not_to_be_checked(tmp_path: Path) -> None:
    report = verify_site(FolderSource(site_of(tmp_path, HELD.log, {})))
    assert (report.findings, report.audits) == ([], 0)
    assert report.audit_notes == [
        "Audit 'boxes': its signed report says 'confirmed', and none of its files is published: nobody can compute it again."
    ]
    begun = {path: FILES[path] for path in ("audits/boxes/plan.json", "audits/boxes/manifest.csv")}
    report = verify_site(FolderSource(site_of(tmp_path / "begun", HELD.log, begun)))
    assert (report.passed, report.audits) == (True, 0)
    assert "its signed report says 'confirmed', and nobody can compute it again without" in report.audit_notes[-1]


@pytest.mark.parametrize("name", ["plan.json", "manifest.csv", "totals.csv", "draw.csv", "report.json"])
def test_no_file_can_be_left_away_unsaid(name: str, tmp_path: Path) -> None:
    left = {path: data for path, data in FILES.items() if path != f"audits/boxes/{name}" and not path.endswith(".html")}
    if name == "plan.json" or name in HELD.made.files:
        left.pop("audits/boxes/draw.csv")
    report = verify_site(FolderSource(site_of(tmp_path, HELD.log, left)))
    assert (report.findings, report.audits) == ([], 0)
    assert any("Not all of it could be checked" in note and name in note for note in report.audit_notes)


def test_results_that_changed_after_they_were_confirmed(tmp_path: Path) -> None:
    ballots = Ballots(ELECTION)
    log = [*HELD.log, *(ballots.exclude(station) for station in ("a1", "a2"))]
    report = verify_site(FolderSource(site_of(tmp_path / "same", log, FILES)))
    assert not any("results that stand now" in note for note in report.audit_notes)
    other = Figures(counts=(10, 60, 10), blank=3, null=2)
    log = [*HELD.log, *(ballots.correct(sheet, box, other) for box, sheet in zip(RESULTS, HELD.log[1:7], strict=True))]
    report = verify_site(FolderSource(site_of(tmp_path / "other", log, FILES)))
    assert any("Contest president: the results that stand now are others than at log size 7" in n for n in report.audit_notes)


def test_several_audits_of_the_outcome(tmp_path: Path) -> None:
    log = [*HELD.log, AUDITING.plan(name="again")]
    report = verify_site(FolderSource(site_of(tmp_path, log, FILES)))
    several, again, *others = report.audit_notes
    assert several.startswith("2 audits of the outcome are planned.")
    assert again == (
        f"Contest president: 2 plans audit it; 1 without a report: again (planned at log entry {len(HELD.log)}, not drawn)."
    )
    assert not any("again" in note for note in others)


def test_plans_of_a_contest_without_a_report_are_said(tmp_path: Path) -> None:
    made = make_plan(count_of(HELD.log[:7]), root_of(HELD.log[:7]), name="again")
    given = {"size": made.plan.size, "root": bytes.fromhex(made.plan.root), "plan": made.plan.hash}
    plan = AUDITING.plan(name="again", board=AUDITORS, **given)
    log = [*HELD.log, plan, AUDITING.seed(plan, AUDITORS[1], seed="7" * 20)]
    site = site_of(tmp_path, log, FILES | {"audits/again/plan.json": made.plan.encode()})
    report = verify_site(FolderSource(site))
    assert report.complete
    at = len(HELD.log)
    again = f"again (planned at log entry {at}, drawn at log entry {at + 1})"
    assert report.audit_notes[1] == f"Contest president: 2 plans audit it; 1 without a report: {again}."


def test_pages_of_reports_are_made_by_whoever_publishes(tmp_path: Path) -> None:
    path = "audits/boxes/report.html"
    old = FILES[path].replace(b"scrutineer-audit-page/", b"scrutineer-audit-page/9")
    without = {name: data for name, data in FILES.items() if name != path}
    for number, files in enumerate((without, FILES | {path: old}, FILES | {path: b"Splendid."})):
        site = site_of(tmp_path / str(number), HELD.log, files)
        assert (site / path).read_bytes() == FILES[path]
        assert verify_site(FolderSource(site)).findings == []


def test_a_page_of_another_version_of_the_program_is_noted(tmp_path: Path) -> None:
    path = "audits/boxes/report.html"
    site = site_of(tmp_path, HELD.log, FILES)
    report = put(site, {path: FILES[path].replace(b"scrutineer-audit-page/1", b"scrutineer-audit-page/7")})
    assert report.findings == []
    assert any("report.html was made by another version of the program" in note for note in report.audit_notes)


@pytest.mark.parametrize("name", sorted(HELD.artifacts.files))
def test_a_file_that_its_publisher_changed_and_signed_again(name: str, tmp_path: Path) -> None:
    site = site_of(tmp_path, HELD.log, FILES)
    path = f"audits/boxes/{name}"
    report = put(site, {path: FILES[path].replace(b"1", b"2", 1)})
    assert any(text.startswith(f"{path}: does not belong to its audit") for text in found(report)), report.findings


def test_a_false_report_that_is_signed_and_registered(tmp_path: Path) -> None:
    false = make_report(HELD.files, statement_hash(HELD.plan), statement_hash(HELD.seed), HELD.sample, counted(HELD.counts), 12)
    signed = AUDITING.report(HELD.plan, HELD.seed, AUDITORS[1], size=12, report=false.hash)
    log = [*HELD.log[:-1], signed]
    files = FILES | {"audits/boxes/report.json": false.encode()}
    files.pop("audits/boxes/report.html")
    report = verify_site(FolderSource(site_of(tmp_path, log, files)))
    assert any("says otherwise than plan, seed and counts" in text for text in found(report))
    assert any("another log size, outcome or risk than the signed report" in text for text in found(report))


def test_a_second_seed_that_a_log_took_all_the_same(tmp_path: Path) -> None:
    second = AUDITING.seed(HELD.plan, seed="7" * 20)
    report = verify_site(FolderSource(site_of(tmp_path, [*HELD.log, second], FILES)))
    assert any("a plan is drawn from once" in str(each) for each in report.findings if each.check == "statement")
