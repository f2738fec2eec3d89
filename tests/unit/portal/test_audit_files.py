"""Files of audits on the site: what signed plans and reports name, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from audit_artifacts import HeldAudit, count_of, held
from scrutineer.portal.audit_files import audit_file_of, audit_files, named_audit_files
from scrutineer.portal.audit_folder import AuditFolder

HELD = held()
FILES = {f"audits/boxes/{name}": data for name, data in HELD.artifacts.files.items()}
COUNT = count_of(HELD.log)


def kept(changed: dict[str, bytes], audit: HeldAudit = HELD) -> tuple[set[str], dict[str, str]]:
    skipped: list[tuple[str, str]] = []
    found = named_audit_files(changed, count_of(audit.log), skipped)
    return set(found), dict(skipped)


def test_all_files_of_an_audit_are_published_and_read_back() -> None:
    assert kept(FILES) == (set(FILES), {})
    published = {file.path: b"".join(file.chunks) for file in audit_files(named_audit_files(FILES, COUNT))}
    assert published == FILES
    assert [path for path in (*FILES, "index.html", "audits.html") if audit_file_of(path)] == list(FILES)


@pytest.mark.parametrize("path", sorted(FILES))
def test_a_changed_file_is_not_published(path: str) -> None:
    found, skipped = kept(FILES | {path: FILES[path] + b"\n"})
    assert path not in found
    assert skipped[path]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("audits/other/plan.json", "no plan of this name"),
        ("audits/boxes/notes.txt", "nothing that is signed names it"),
        ("audits/boxes/report-2.json", "nothing that is signed names it"),
    ],
)
def test_a_file_that_nothing_names_is_not_published(path: str, reason: str) -> None:
    found, skipped = kept({**FILES, path: FILES["audits/boxes/plan.json"] + b" "})
    assert (path in found, skipped[path]) == (False, skipped[path])
    assert reason in skipped[path]


def test_a_plan_alone_is_published_before_anything_is_drawn() -> None:
    begun = replace(HELD, log=HELD.log[:8])
    named = {path for path in FILES if path.endswith(("plan.json", "manifest.csv", "totals.csv"))}
    assert kept(FILES, begun)[0] == named


def test_a_folder_of_audits(tmp_path: Path) -> None:
    own = tmp_path / "boxes"
    (own / "counts").mkdir(parents=True)
    for name, data in HELD.artifacts.files.items():
        (own / name).write_bytes(data)
    (own / "plan.cose").write_bytes(HELD.plan)
    (own / "counts" / "a1.cose").write_bytes(HELD.counts[0])
    (own / "notes.txt").symlink_to(own / "plan.json")
    (tmp_path / "protocol.txt").write_text("Boxes are counted.")
    folder = AuditFolder(tmp_path)
    assert folder.find() == FILES
    assert folder.skipped == []
    before = folder.stamp()
    (own / "plan.json").unlink()
    assert folder.stamp() != before
    assert "audits/boxes/plan.json" not in folder.find()
    assert AuditFolder(tmp_path / "nothing").find() == {}


def test_a_file_that_cannot_be_taken_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "boxes"
    own.mkdir()
    for name, data in HELD.artifacts.files.items():
        (own / name).write_bytes(data)
    (own / "manifest.csv").write_bytes(bytes(2_000))
    monkeypatch.setattr("scrutineer.portal.audit_folder.MAX_AUDIT_FILE", 1_999)
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "plan.json":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    folder = AuditFolder(tmp_path)
    large = {path for path, data in FILES.items() if len(data) > 1_999}
    assert folder.find().keys() == FILES.keys() - large - {"audits/boxes/plan.json", "audits/boxes/manifest.csv"}
    said = dict(folder.skipped)
    assert "Permission denied" in said["audits/boxes/plan.json"]
    assert "no site takes it" in said["audits/boxes/manifest.csv"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("audits/boxes/plan.json", ("boxes", "plan.json")),
        ("audits/boxes/../plan.json", None),
        ("audits/.boxes/plan.json", None),
        ("audits/boxes/counts/a.csv", None),
        ("audits/plan.json", None),
        ("audits/boxes/Plan.json", None),
    ],
)
def test_paths(path: str, found: tuple[str, str] | None) -> None:
    assert audit_file_of(path) == found
