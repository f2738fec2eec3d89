"""`verify` checks every audit again whose files are published; what its publisher signed wrongly is found all the same."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from audit_artifacts import AUDITING, ELECTION, REGISTER, UNITS, counted, held
from audit_helpers import AUDITORS, LOG
from portal_helpers import published
from scrutineer.audits.report import make_report
from scrutineer.portal.formats import MANIFEST_FILE
from scrutineer.portal.manifest import Manifest, open_manifest, sign_manifest
from scrutineer.portal.record import SiteOptions
from scrutineer.statements import statement_hash
from scrutineer.verify import FolderSource, Report, verify_site

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


def test_an_audit_that_is_not_published_or_has_only_begun(tmp_path: Path) -> None:
    report = verify_site(FolderSource(site_of(tmp_path, HELD.log, {})))
    assert (report.findings, report.audits) == ([], 0)
    report = put(tmp_path / "site", {path: FILES[path] for path in ("audits/boxes/plan.json", "audits/boxes/manifest.csv")})
    assert (report.passed, report.audits) == (True, 1)


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
