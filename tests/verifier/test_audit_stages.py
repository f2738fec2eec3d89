"""A site with an audit in two stages, which both verifiers compute."""

import json
from pathlib import Path

import pytest
from second_look.__main__ import main

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from audited_sites import canonical, first_findings, recipe, second_report
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site


def test_the_first_verifier_computes_it(tmp_path: Path) -> None:
    made = recipe("two-stage")
    assert made.reports[-1]["draws"] * 20 > made.reports[-1]["units"] > made.reports[-1]["draws"]
    made.site().publish(tmp_path / "site")
    assert verify_site(FolderSource(tmp_path / "site")).findings == []


def test_the_second_verifier_computes_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = recipe("two-stage")
    made.site().publish(tmp_path / "site")
    assert main([str(tmp_path / "site"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["taken"] == []
    (audit,) = said["audits"]
    assert [audit[name] for name in ("draws", "units", "counted")] == [
        made.reports[-1][name] for name in ("draws", "units", "counted")
    ]


def test_changes_of_a_crooked_publisher_are_found(tmp_path: Path) -> None:
    drawn = recipe("two-stage")
    lines = drawn.draws.decode().splitlines()
    number, *cells = lines[1].split(",")
    places = cells[2].split(" ")
    least = next(place for place in range(1, 100) if str(place) not in places)
    others = " ".join(map(str, sorted({*map(int, places[1:]), least})))
    for changed in (
        [lines[0], ",".join((number, cells[0], cells[1], others, cells[3])), *lines[2:]],
        [lines[0], ",".join((number, cells[0], cells[1], " ".join(places[1:]), cells[3])), *lines[2:]],
        lines[:-1],
    ):
        drawn.draws = ("\n".join(changed) + "\n").encode()
        assert first_findings(*drawn.build())
        assert second_report(*drawn.build(), tmp_path).count


@pytest.mark.parametrize(
    "change", [{"per_box": 19}, {"per_box": 0}, {"per_box": None}, {"replacement": False}, {"draw": "rivest"}]
)
def test_another_number_of_cards_is_another_audit(change: dict[str, object], tmp_path: Path) -> None:
    made = recipe("two-stage")
    made.plan = json.loads(canonical(made.plan)) | change
    assert first_findings(*made.build())
    assert second_report(*made.build(), tmp_path).count


def test_a_report_that_takes_every_card_for_a_draw() -> None:
    made = recipe("two-stage")
    made.reports[-1]["draws"] = made.reports[-1]["units"]
    assert any("report" in each for each in first_findings(*made.build()))
