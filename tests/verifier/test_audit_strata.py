"""A site with an audit of two strata: the first verifier computes it, and the second says that it does not."""

import json
from pathlib import Path

import pytest
from second_look.__main__ import main

import audited_sites
import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from audited_sites import (
    CARDS,
    CONTESTS,
    DICE,
    NORTH,
    Recipe,
    count_of,
    first_findings,
    honest,
    paper,
    records,
    results_log,
    root_of,
)
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.planned.files import open_files
from scrutineer.audits.status import draw
from scrutineer.statements.audit import CardMarks
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    log = list(results_log())
    plan = make_plan(
        count_of(log),
        root_of(log),
        name="boxes",
        contests=[contest.id for contest in CONTESTS],
        design="strata",
        manifest=Manifest.of(CARDS.items()),
        cards=records(NORTH),
    )
    files = open_files(plan.plan, plan.files)
    monkeypatch.setitem(audited_sites._FILES, ("strata", "canonical", False), dict(plan.files))
    monkeypatch.setattr(audited_sites, "planned", lambda *_, **__: files)
    boxes: dict[str, list[CardMarks]] = {}
    for box, position in draw(files, DICE, 120).units():
        boxes.setdefault(box, []).append(CardMarks(position=position, marks=paper(box, position)))
    counts = [{"box": box, "totals": (), "cards": tuple(own)} for box, own in boxes.items()]
    return honest("strata", "canonical", replacement=False, digits=DICE, draws=120, counts=counts, halfway=2)


def test_both_verifiers(made: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 < float(made.reports[-1]["tests"][0]["risk"]) < 1
    made.site().publish(tmp_path / "site")
    assert verify_site(FolderSource(tmp_path / "site")).findings == []
    assert main([str(tmp_path / "site"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [line for line in said["taken"] if "audit boxes: " in line and line.endswith("is not computed by this verifier")]
    assert said["audits"] == []


def test_changes_of_a_crooked_publisher_are_found(made: Recipe) -> None:
    made.plan["per_hundred"] += 1
    assert first_findings(*made.build()), "other cards are drawn"
    made.plan["per_hundred"] -= 1
    made.reports[-1]["tests"][0]["risk"] = "0.000000000001"
    assert first_findings(*made.build())


def test_other_expectations_than_the_plan_had_give_other_risks(made: Recipe) -> None:
    test = made.plan["contests"][-1]["tests"][0]
    test["parameters"]["total_values"], test["parameters"]["total_probabilities"] = "0,1", "0.4,0.6"
    assert first_findings(*made.build())
