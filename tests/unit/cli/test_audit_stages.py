"""An audit in two stages from plan to published pages, by the command line."""

from pathlib import Path

import pytest

from audit_land import FIGURES, Land, counted_land
from cli_helpers import call

OPTIONS = ("heron", "kingfisher", "owl-forest", "owl-meadow")


@pytest.fixture
def land(tmp_path: Path) -> Land:
    return Land(counted_land(tmp_path), tmp_path / "stages")


def table(land: Land, name: str, missing: int = 0) -> Path:
    """Every drawn card as its sheet says, those for one option lying together; the first ones are not found."""
    ends = [sum(FIGURES[: number + 1]) for number in range(4)]
    cards = sorted(
        {
            (cells[2], int(place))
            for cells in (line.split(",") for line in (land.audit / "draw.csv").read_text().splitlines()[1:])
            for place in cells[3].split(" ")
        }
    )
    lines = ["box,position,contest,status,votes"]
    for number, (box, place) in enumerate(cards):
        marked = next((option for option, end in zip(OPTIONS, ends, strict=True) if place <= end), "")
        lines.append(f"{box},{place},,missing," if number < missing else f"{box},{place},president,counted,{marked}")
    path = land.folder.parent / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_whole_chain(land: Land, tmp_path: Path) -> None:
    told = land.plan("--design", "two-stage", "--per-box", 6).out
    assert (
        "draws of boxes, each with a chance in proportion to its cards, and 6 cards of each (two-stage, betting-fixed)." in told
    )
    assert "two-stage *" not in told
    land.seed()
    drawn = call("audit", "draw", land.audit, "--json").json
    lines = (land.audit / "draw.csv").read_text().splitlines()[1:]
    assert drawn["draws"] == len(lines)
    assert len(lines) < drawn["units"] <= 6 * len(lines)
    assert {len(line.split(",")[3].split(" ")) for line in lines} == {6}
    said = call("audit", "draw", land.audit).out
    assert f"{len(lines):,} draws: {drawn['units']:,} different cards in {len(drawn['boxes'])} boxes." in said

    log = ("--log", land.folder)
    call("audit", "papers", land.audit, *log, "--to", tmp_path / "papers")
    assert {path.name for path in (tmp_path / "papers").iterdir()} == {"list.pdf", "labels.pdf", "sheets.pdf"}
    call("audit", "pages", land.audit, *log, "--to", tmp_path / "pages")
    page = (tmp_path / "pages" / "index.html").read_text(encoding="utf-8")
    assert all(place in page for place in lines[0].split(",")[3].split(" "))

    entered = land.enter(table(land, "one.csv", missing=2), table(land, "two.csv", missing=2))
    assert entered["differences"] == []
    status = call("audit", "status", land.audit, *log, "--json").json
    assert (status["draws"], status["units"]) == (len(lines), drawn["units"])
    assert (status["counted"], len(status["missing"]), status["pending"]) == (drawn["units"] - 2, 2, [])
    assert 0 < float(status["contests"]["president"]["risk"]) < 1

    more = call("audit", "draw", land.audit, "--count", len(lines) + 20, "--json").json
    assert (more["draws"], (land.audit / "draw.csv").read_text().splitlines()[1 : len(lines) + 1]) == (len(lines) + 20, lines)
    call("audit", "papers", land.audit, *log, "--to", tmp_path / "next", "--from-draw", len(lines) + 1)
    waits = call("audit", "status", land.audit, *log, "--json").json
    assert len(waits["pending"]) == more["units"] - drawn["units"]
    land.enter(
        table(land, "three.csv", missing=2),
        table(land, "four.csv", missing=2),
        options=("--replace", "More of its cards were drawn."),
    )
    assert land.step("report", "--json").json["outcome"] == "confirmed"
    for where in (log, ()):
        assert call("audit", "verify", land.audit, *where).out.startswith("PASS")

    site = tmp_path / "site"
    call("publish", land.folder, "--to", site, "--audits", tmp_path)
    assert (site / "audits" / "stages" / "draw.csv").read_bytes() == (land.audit / "draw.csv").read_bytes()
    assert call("verify", site).out
    assert call("audit", "verify", site).out.startswith("PASS")


def test_what_a_plan_cannot_be(land: Land) -> None:
    given = (*land.given, "--design")
    assert "leave out their number" in land.refuse("plan", *given, "oneaudit", "--per-box", 5)
    assert "leave out the other way of drawing" in land.refuse("plan", *given, "two-stage", "--sampler", "nested")
    assert "0 is not in the range" in land.refuse("plan", *given, "two-stage", "--per-box", 0, code=2)
