"""An audit with two strata from plan to published pages, by the command line."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from audit_land import FIGURES, Land, counted_land
from cli_helpers import STATIONS, call
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.plan_cards import cards_file

OPTIONS = ("heron", "kingfisher", "owl-forest", "owl-meadow")
RECORDED = tuple(sorted(STATIONS)[:3])
CARDS = sum(FIGURES)


@pytest.fixture
def land(tmp_path: Path) -> Land:
    return Land(counted_land(tmp_path), tmp_path / "strata")


def option_at(place: int) -> int | None:
    """Cards for one option lie behind those for another; the last ones are blank."""
    ends = [sum(FIGURES[: number + 1]) for number in range(4)]
    return next((option for option, end in enumerate(ends) if place <= end), None)


def records(land: Land) -> Path:
    marked = [option_at(place) for place in range(1, CARDS + 1)]
    pattern = np.tile(np.array([0 if one is None else one + 1 for one in marked], np.int8), len(RECORDED))
    column = ContestColumn("president", OPTIONS, ((), (0,), (1,), (2,), (3,)), pattern)
    batch = np.repeat(np.arange(len(RECORDED), dtype=np.int32), CARDS)
    position = np.tile(np.arange(1, CARDS + 1, dtype=np.int32), len(RECORDED))
    ids = pa.array([f"{box}-{at}" for box in RECORDED for at in range(1, CARDS + 1)])
    path = land.folder.parent / "cards.bin"
    path.write_bytes(cards_file(Cards((column,), RECORDED, batch, position, ids)))
    return path


def table(land: Land, name: str) -> Path:
    lines = ["box,position,contest,status,votes"]
    for line in (land.audit / "draw.csv").read_text().splitlines()[1:]:
        _, _, box, place, _ = line.split(",")
        option = option_at(int(place))
        lines.append(f"{box},{place},president,counted,{'' if option is None else OPTIONS[option]}")
    path = land.folder.parent / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_whole_chain(land: Land, tmp_path: Path) -> None:
    told = " ".join(land.plan("--design", "strata", "--cards", records(land), "--compared", 25).out.split())
    assert "draws of single cards, 25 of 100 from boxes with records (strata, union-intersection)." in told
    land.seed()
    drawn = call("audit", "draw", land.audit, "--count", 80, "--json").json
    assert drawn["draws"] == drawn["units"] == 80
    boxes = [line.split(",")[2] for line in (land.audit / "draw.csv").read_text().splitlines()[1:]]
    assert [box in RECORDED for box in boxes[:8]] == [False, False, False, True] * 2
    log = ("--log", land.folder)
    call("audit", "papers", land.audit, *log, "--to", tmp_path / "papers")
    call("audit", "pages", land.audit, *log, "--to", tmp_path / "pages")
    before = call("audit", "status", land.audit, *log, "--json").json
    assert before["contests"]["president"]["risk"] == "1"
    assert before["left"] is not None
    assert land.enter(table(land, "one.csv"), table(land, "two.csv"))["differences"] == []
    status = call("audit", "status", land.audit, *log, "--json").json
    assert (status["counted"], status["pending"], status["confirmed"]) == (80, [], True)
    assert land.step("report", "--json").json["outcome"] == "confirmed"
    for where in (log, ()):
        assert call("audit", "verify", land.audit, *where).out.startswith("PASS")
    site = tmp_path / "site"
    call("publish", land.folder, "--to", site, "--audits", tmp_path)
    assert (site / "audits" / "strata" / "draw.csv").read_bytes() == (land.audit / "draw.csv").read_bytes()
    assert call("audit", "verify", site).out.startswith("PASS")


def test_what_a_plan_cannot_be(land: Land) -> None:
    given = (*land.given, "--design")
    assert "need records of the cards of some boxes" in land.refuse("plan", *given, "strata")
    cards = ("--cards", records(land))
    assert "without replacement by the canonical draw" in land.refuse("plan", *given, "strata", *cards, "--replacement")
    assert "leave out how many draws" in land.refuse("plan", *given, "polling", "--compared", 5)
