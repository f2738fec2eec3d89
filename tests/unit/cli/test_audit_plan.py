"""`audit plan`: what it takes for the number of cards in a box, with a manifest and without one."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cli_helpers import STATIONS, Result, call, opened, refused, rows, signed
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.plan_cards import cards_file
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements

FIGURES = (130, 40, 10, 5, 3, 2)
CARDS = sum(FIGURES)
OPTIONS = ("heron", "kingfisher", "owl-forest", "owl-meadow")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An election whose results stand."""
    place = tmp_path_factory.mktemp("made")
    folder = opened(place / "land")
    log = Office.load(folder).open_log()
    log.append(list(read_statements(signed(folder, rows(figures=FIGURES)))))
    log.close()
    (place / "protocol.txt").write_text("Boxes are drawn by public dice and counted by hand.\n")
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def arguments(place: Path, *options: object, name: str = "boxes") -> tuple[object, ...]:
    key = place / "land" / "keys" / "officer-1.pem"
    log = ("--log", place / "land", "--as", "authority/officer-1", "--key", key, "--record")
    return ("audit", "plan", place / name, "--protocol", place / "protocol.txt", *log, *options)


def plan(place: Path, *options: object, name: str = "boxes") -> Result:
    return call(*arguments(place, *options, name=name))


def listed(place: Path, header: str, lines: list[str]) -> Path:
    path = place / "found.csv"
    path.write_text("\n".join([header, *lines, ""]))
    return path


def test_without_a_manifest_the_roll_says_how_many_cards_a_box_has_at_most(place: Path) -> None:
    told = " ".join(plan(place).out.split())
    assert "is taken from the roll of its station" in told
    manifest = (place / "boxes" / "manifest.csv").read_text().splitlines()[1:]
    totals = (place / "boxes" / "totals.csv").read_text().splitlines()[1:]
    units = csv.DictReader(next((place / "land").rglob("units.csv")).read_text().splitlines())
    assert manifest == sorted(f"{unit['id']},{unit['roll']}" for unit in units if unit["roll"])
    assert {line.split(",")[2] for line in totals} == {str(CARDS)}
    checked = " ".join(call("audit", "verify", place / "boxes", "--log", place / "land").out.split())
    assert checked.startswith("PASS")
    assert "is bound by the roll of its station" in checked


def test_with_a_manifest_the_audit_is_smaller(place: Path) -> None:
    by_rolls = plan(place, "--json", name="rolls").json["first_round"]
    manifest = listed(place, "box,cards", [f"{box},{CARDS}" for box in STATIONS])
    assert plan(place, "--manifest", manifest, "--json").json["first_round"] < by_rolls / 2
    checked = " ".join(call("audit", "verify", place / "boxes", "--log", place / "land").out.split())
    assert "by a manifest that the plan names, and it says of every box what its own sheet says" in checked


@pytest.mark.parametrize("design", ["polling", "oneaudit", "comparison"])
def test_designs_of_single_cards_ask_for_a_manifest(place: Path, design: str) -> None:
    options = ("--cards", records(place)) if design == "comparison" else ()
    told = " ".join(refused(*arguments(place, "--design", design, *options)).split())
    assert "give a manifest (--manifest), a list of boxes and of how many cards lie in each, established without the" in told
    assert not (place / "boxes").exists()


def test_a_manifest_with_fewer_cards_than_are_published(place: Path) -> None:
    moved = dict.fromkeys(STATIONS, CARDS) | {"north-1": CARDS - 1, "north-2": CARDS + 1}
    manifest = listed(place, "box,cards", [f"{box},{cards}" for box, cards in moved.items()])
    told = " ".join(refused(*arguments(place, "--manifest", manifest)).split())
    assert f"box 'north-1': {CARDS} cards of contest 'president' are published, and the manifest has {CARDS - 1}" in told


def records(place: Path) -> Path:
    """A record of every card: one batch for each station, named as scanners do."""
    ends = np.cumsum(FIGURES[:4])
    one = np.searchsorted(ends, np.arange(CARDS), side="right")  # blank and null cards come last, and are marked nowhere
    pattern = np.tile(np.where(one < 4, one + 1, 0), len(STATIONS)).astype(np.int8)
    column = ContestColumn("president", OPTIONS, ((), (0,), (1,), (2,), (3,)), pattern)
    batch = np.repeat(np.arange(len(STATIONS), dtype=np.int32), CARDS)
    position = np.tile(np.arange(1, CARDS + 1, dtype=np.int32), len(STATIONS))
    ids = pa.array([f"{number}-{at}" for number, at in zip(batch.tolist(), position.tolist(), strict=True)])
    path = place / "cards.bin"
    path.write_bytes(cards_file(Cards((column,), tuple(f"B{number}" for number in range(1, 7)), batch, position, ids)))
    return path


def test_records_that_name_the_batch_alone_are_found_in_the_boxes_of_the_manifest(place: Path) -> None:
    """The manifest names tabulators and the records do not: a box is called by both."""
    manifest = listed(place, "Tabulator,Batch Name,Number of Ballots", [f"T7,B{number},{CARDS}" for number in range(1, 7)])
    plan(place, "--design", "comparison", "--cards", records(place), "--manifest", manifest)
    assert (place / "boxes" / "manifest.csv").read_text().splitlines()[1] == f"T7-B1,{CARDS}"
    assert call("audit", "verify", place / "boxes", "--log", place / "land").out.startswith("PASS")
