"""Plans that everybody signed and registered, and by which a wrong outcome could be confirmed: both verifiers find them."""

import json
from pathlib import Path
from typing import Any

import pytest

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from audited_sites import (
    CARDS,
    COUNCIL,
    WARD,
    Recipe,
    count_of,
    first_findings,
    recipe,
    records,
    results_log,
    root_of,
    second_report,
)
from count_helpers import STATIONS
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan_cards import cards_file, cards_of
from scrutineer.audits.plan_make import make_plan
from scrutineer.errors import AuditError


def only_planned(design: str) -> Recipe:
    """An audit of which nothing has been drawn yet."""
    made = recipe(design)
    made.draws = made.draws.splitlines(keepends=True)[0]
    made.counts, made.reports, made.after, made.signed = [], [], [], []
    return made


def found_by_both(made: Recipe, folder: Path) -> tuple[list[str], list[str]]:
    log, files = made.build()
    return first_findings(log, files), [f"{each}" for each in second_report(log, files, folder).findings]


def of_ward_alone(made: Recipe, boxes: tuple[str, ...]) -> None:
    """Only the contest of the north is planned, with a manifest and with records of some boxes alone."""
    made.plan["contests"] = [row for row in made.plan["contests"] if row["contest"] == "ward"]
    own = records(boxes)
    made.files = {
        "manifest.csv": Manifest.of((box, CARDS[box]) for box in boxes).encode(),
        "cards.bin": cards_file(cards_of(own, (WARD,))),
    }
    made.plan |= {"boxes": len(boxes), "cards": len(own)}
    votes = own.column("ward").votes()
    for test in made.plan["contests"][0]["tests"]:
        test["total"] = sum(weight * int(vote) for weight, vote in zip(test["weights"], votes, strict=True))


def test_a_plan_for_all_boxes_passes(tmp_path: Path) -> None:
    made = only_planned("comparison")
    of_ward_alone(made, STATIONS)
    assert found_by_both(made, tmp_path) == ([], [])


@pytest.mark.parametrize("box", STATIONS[:3])
def test_a_box_that_is_left_out_while_boxes_without_the_contest_fill_the_manifest_up(box: str, tmp_path: Path) -> None:
    """The manifest has more cards than ballots are published, and whatever lies in that box could never be drawn."""
    made = only_planned("comparison")
    of_ward_alone(made, tuple(other for other in STATIONS if other != box))
    cast = sum(CARDS[each] for each in STATIONS[:3])
    assert made.plan["cards"] > cast
    (first,), second = found_by_both(made, tmp_path)
    assert f"{cast} ballots are published, and by their records {cast - CARDS[box]} cards of the manifest can hold it" in first
    assert any(
        f"{cast} ballots are published, and by the records {cast - CARDS[box]} cards can hold it" in each for each in second
    )


def made_for_ward(cards: Cards, manifest: Manifest) -> Any:
    log = list(results_log())
    return make_plan(
        count_of(log), root_of(log), name="ward", contests=["ward"], design="comparison", manifest=manifest, cards=cards
    )


def test_such_a_plan_is_not_made() -> None:
    kept = STATIONS[1:]
    with pytest.raises(AuditError, match="by their records 170 cards of the manifest can hold it"):
        made_for_ward(records(kept), Manifest.of((box, CARDS[box]) for box in kept))


def test_cards_without_records_can_hold_any_contest() -> None:
    made = made_for_ward(records(STATIONS[1:]), Manifest.of(CARDS.items()))
    assert made.plan.cards == sum(CARDS.values())


def test_records_with_options_in_another_order(tmp_path: Path) -> None:
    """Their marks would be those of other options: whoever reads them by name would see another reported result."""
    made = only_planned("oneaudit+records")
    names, turned = (json.dumps([each.id for each in COUNCIL.options[::step]]).replace(" ", "") for step in (1, -1))
    before = made.files["cards.bin"]
    made.files["cards.bin"] = before.replace(names.encode(), turned.encode())
    assert made.files["cards.bin"] != before
    first, second = found_by_both(made, tmp_path)
    assert any("contest 'council' has not the options of the definition in cards.bin" in each for each in first)
    assert any("cards.bin: contest council has not the options of the definition" in each for each in second)


def test_a_plan_whose_only_target_nobody_could_contradict(tmp_path: Path) -> None:
    """Its audit would be confirmed without a draw, and the contests beside it would stand on the same page."""
    made = only_planned("batch-betting")
    for row in made.plan["contests"]:
        row["target"] = row["contest"] == "ward"
        row["tests"] = row["tests"] if row["contest"] != "ward" else []
    first, second = found_by_both(made, tmp_path)
    assert any("whose outcome cards could contradict" in each for each in first)
    assert any("none is to be confirmed that cards could contradict" in each for each in second)


@pytest.mark.parametrize("risk", ["betting-agrapa", "betting-adaptive"])
def test_bets_that_cards_which_are_not_found_would_decide(risk: str, tmp_path: Path) -> None:
    made = only_planned("polling")
    made.plan["risk"] = risk
    for row in made.plan["contests"]:
        for test in row["tests"]:
            test["parameters"] = {}
    first, second = found_by_both(made, tmp_path)
    assert any("are learned from the values of cards" in each for each in first)
    assert any("are learned, so that cards which are not found decide" in each for each in second)


@pytest.mark.parametrize(
    "parameters",
    [
        {"eta": "0.6", "weight": "99.9"},
        {"eta": "0.6"},
        {"eta": "0.5", "weight": "100"},
        {"eta": "0.6", "weight": "100", "spread": "0"},
    ],
)
def test_an_expectation_that_is_worth_so_little_that_it_is_learned(parameters: dict[str, str], tmp_path: Path) -> None:
    made = only_planned("polling")
    for row in made.plan["contests"]:
        for test in row["tests"]:
            test["parameters"] = parameters
    first, second = found_by_both(made, tmp_path)
    assert any("the bets of alpha are learned from the values of cards" in each for each in first)
    assert any("its bets would be learned" in each for each in second)


def test_contests_that_are_measured_alongside_are_signed(tmp_path: Path) -> None:
    """Else somebody could plan twenty audits that all measure a contest alongside, and report the one that confirms it."""
    made = only_planned("batch-betting")
    targets = tuple(row["contest"] for row in made.plan["contests"] if row["target"])
    assert len(targets) < len(made.plan["contests"])
    assert found_by_both(made, tmp_path) == ([], [])
    made.settings["contests"] = targets
    (first, *_), second = found_by_both(made, tmp_path)
    assert "or contests than the signed plan" in first
    assert any("it audits other contests than the signed plan" in each for each in second)
