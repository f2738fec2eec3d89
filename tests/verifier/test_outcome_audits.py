"""Both verifiers agree on whole sites with audits of every design, and on audits with arbitrary counts."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from second_look.__main__ import main
from second_look.site import verify_site as second_verify

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from audit_helpers import LOG
from audited_sites import CARDS, DESIGNS, box_totals, first_findings, honest, paper, planned, recipe, root_of, second_report
from scrutineer.audits.status import draw
from scrutineer.log.checkpoint import Checkpoint, sign_checkpoint
from scrutineer.statements.audit import BoxTotals, CardMarks
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site

VARIANTS = [(design, "canonical", False) for design in DESIGNS]
VARIANTS += [(design, "nested", False) for design in ("polling", "oneaudit", "comparison")]
VARIANTS += [("oneaudit+records", "canonical", False), ("oneaudit+records", "nested", False)]
VARIANTS += [("polling", "rivest", False), ("comparison", "rivest", True), ("oneaudit", "canonical", True)]


@pytest.mark.parametrize(("design", "mode", "replacement"), [*VARIANTS[:6], VARIANTS[8], VARIANTS[-2]])
def test_a_site_with_an_audit(
    design: str, mode: str, replacement: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = recipe(design, mode, replacement=replacement)
    made.site().publish(tmp_path / "site")
    assert verify_site(FolderSource(tmp_path / "site")).findings == []
    assert main([str(tmp_path / "site"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    (audit,) = said["audits"]
    last = made.reports[-1]
    assert audit["outcome"] == last["outcome"]
    assert [row["risk"] for row in audit["tests"]] == [row["risk"] for row in last["tests"]]
    assert any(line.startswith(f"audit boxes: {design.partition('+')[0]}, {last['draws']} draws") for line in said["checked"])
    assert said["findings"] == []
    assert not any("audit" in line for line in said["taken"])


def test_what_is_not_published_is_said(tmp_path: Path) -> None:
    made = recipe("batch-betting")
    site = made.site()
    site.publish(tmp_path / "whole")
    assert second_verify(tmp_path / "whole").taken == []
    log, files = made.build()
    for gone, said in (
        (set(files), "its files are not published"),
        ({"totals.csv"}, "its files totals.csv are not published"),
        ({"report-2.json"}, "report-2.json is not published; its signed report says 'confirmed'"),
    ):
        report = second_report(log, {name: data for name, data in files.items() if name not in gone}, tmp_path)
        assert report.findings == []
        assert any(said in line for line in report.taken), report.taken
    without = {name: data for name, data in files.items() if name != "draw.csv"}
    assert second_report(log, without, tmp_path).findings == []


@pytest.mark.parametrize(
    "change",
    [
        {"design": "nested-boxes"},
        {"draw": "ladder"},
        {"format": "scrutineer-audit-plan/2"},
        {"strata": ["north"]},
        {"risk": "ladder"},
    ],
)
def test_what_is_unknown_here_is_neither_passed_nor_a_finding(change: dict[str, Any], tmp_path: Path) -> None:
    made = recipe("polling")
    made.plan |= change
    report = second_report(*made.build(), tmp_path)
    assert report.findings == []
    assert len(report.taken) == 1, report.taken
    assert "is not computed by this verifier" in report.taken[0]
    assert not report.audits
    assert not any("audit boxes" in line for line in report.checked)


def test_files_that_no_plan_names(tmp_path: Path) -> None:
    log, files = recipe("batch-betting").build()
    report = second_report(log, files | {"beside.csv": b"box\n"}, tmp_path)
    assert [finding["where"] for finding in report.findings] == ["audits/boxes/beside.csv"]
    (tmp_path / "audits/other").mkdir()
    (tmp_path / "audits/other/plan.json").write_bytes(files["plan.json"])
    report = second_report(log, files, tmp_path)
    assert [finding["where"] for finding in report.findings] == ["audits/other/"]


def head_of(log: list[bytes], size: int = 0, origin: str = LOG.verifier.origin) -> bytes:
    """A head of a log, signed by the log."""
    size = size or len(log)
    return sign_checkpoint(Checkpoint(origin, size, root_of([*log, b"seed"][:size])), LOG.note_signers, 1_750_000_000)


def test_the_head_that_was_shown_before_the_dice(tmp_path: Path) -> None:
    made = recipe("batch-betting")
    made.head = head_of
    site = made.site()
    site.publish(tmp_path / "site")
    report = second_verify(tmp_path / "site")
    assert (report.findings, report.taken) == ([], [])
    assert verify_site(FolderSource(tmp_path / "site")).findings == []
    log, files = made.build()
    without = {name: data for name, data in files.items() if name != "head.txt"}
    assert "head.txt is not published" in second_report(log, without, tmp_path).taken[0]
    for more in (-1, 1):
        made.head = lambda log, more=more: head_of(log, len(log) + more)  # type: ignore[misc]
        assert [each["where"] for each in second_report(*made.build(), tmp_path).findings] == ["audits/boxes/head.txt"]
    made.head = lambda _: b"no head"
    assert second_report(*made.build(), tmp_path).count
    assert second_report(log, files | {"head.txt": files["head.txt"] + b"\n"}, tmp_path).count


def test_a_head_that_the_log_did_not_sign(tmp_path: Path) -> None:
    made = recipe("batch-betting")
    made.head = lambda log: head_of(log)[:-80] + b"A" * 79 + b"\n"
    made.site().publish(tmp_path / "site")
    report = second_verify(tmp_path / "site")
    assert any(each["where"].startswith("audits/boxes/") for each in report.findings), report.findings


def some_counts(design: str, mode: str, chance: random.Random, digits: str, draws: int) -> Iterator[dict[str, Any]]:
    """Counts of drawn units with arbitrary faults, losses and replacements."""
    files = planned(design, mode)
    made: list[dict[str, Any]] = []
    for box in draw(files, digits, draws).boxes():
        if chance.random() < 0.1:
            continue
        made.append({"box": box, "totals": (), "status": chance.choice(("missing", "illegible"))})
        if chance.random() < 0.85:
            own = box_totals(box, reported=False)
            totals = []
            for contest in sorted(own):
                figures: dict[str, Any] = {name: getattr(own[contest], name) for name in ("counts", "blank", "null", "cards")}
                if chance.random() < 0.3:
                    counts = list(figures["counts"])
                    counts[chance.randrange(len(counts))] = chance.choice((None, 0, 3, 40, 60))
                    figures["counts"] = tuple(counts)
                for name in ("blank", "null", "cards"):
                    if chance.random() < 0.1:
                        figures[name] = chance.choice((None, 0, 5, CARDS[box] - 1, CARDS[box] + 5, 100))
                if chance.random() < 0.95:
                    totals.append(BoxTotals(contest=contest, **figures))
            if totals:
                made[-1] = {"box": box, "totals": tuple(totals)}
        if not files.plan.by_box and chance.random() < 0.9:
            positions = sorted({at for each, at in draw(files, digits, draws).units() if each == box and chance.random() < 0.9})
            made[-1] = {"box": box, "totals": (), "cards": tuple(_card(box, at, chance) for at in positions)}
            if not positions:
                made.pop()
                continue
        if chance.random() < 0.4:
            made.append(dict(made[-1], note="Again.", replaces=len(made) - 1))
            if chance.random() < 0.5:
                made[-1]["replaces"] = chance.randrange(len(made) - 1)
            if chance.random() < 0.3:
                del made[-1]["replaces"]
    yield from made


def _card(box: str, position: int, chance: random.Random) -> CardMarks:
    if chance.random() < 0.1 or position > CARDS[box]:
        return CardMarks(position=position, status=chance.choice(("missing", "illegible")))
    marks = {contest: own for contest, own in paper(box, position).items() if chance.random() < 0.97}
    if chance.random() < 0.2:
        marks["president"] = tuple(sorted(chance.sample(range(3), chance.randrange(3))))
    if chance.random() < 0.02:
        marks["ward"] = (0,)
    return CardMarks(position=position, marks=marks)


@pytest.mark.parametrize(("design", "mode"), [(design, mode) for design, mode, _ in VARIANTS[:12]])
@pytest.mark.parametrize("seed", range(3))
def test_both_measure_the_same(design: str, mode: str, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    digits, draws = str(10**19 + seed), chance.choice((3, 20, 60))
    counts = list(some_counts(design, mode, chance, digits, draws))
    halfway = chance.randint(0, len(counts))
    made = honest(design, mode, replacement=False, digits=digits, draws=draws, counts=counts, halfway=halfway)
    log, files = made.build()
    report = second_report(log, files, tmp_path)
    assert report.findings == [], (made.reports, counts)
    assert report.audits
    assert not [each for each in first_findings(log, files) if "counted twice" not in each and "takes the place" not in each]
