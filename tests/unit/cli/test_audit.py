"""`audit`: from a plan to a report that anyone checks, in a folder; and on a published site."""

import shutil
from pathlib import Path

import pytest

from audit_land import DICE, FIGURES, Land, council_land, counted_land
from cli_helpers import call, refused
from scrutineer.cli.office import Office


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made")
    counted_land(place)
    return place


@pytest.fixture
def land(made: Path, tmp_path: Path) -> Land:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Land(tmp_path / "land", tmp_path / "boxes")


def test_from_plan_to_report_and_on_a_site(land: Land, tmp_path: Path) -> None:
    told = land.plan().out
    assert "Grey Heron has more than 50% of the valid votes." in told
    assert "First round: 10 draws of boxes" in told
    assert "What each design would probably take" in told
    assert "full-count" in told
    assert land.seed().out.startswith("The seed of audit 'boxes' is 20271503141592653589.")
    assert "10 draws: 6 different boxes" in call("audit", "draw", land.audit).out
    waiting = call("audit", "status", land.audit, *land.log, "--json").json
    assert waiting["contests"]["president"]["risk"] == "1"
    assert len(waiting["pending"]) == 6
    said = call("audit", "status", land.audit, *land.log).out
    assert f"drawn {waiting['draws']} times, 6 different boxes: 0 counted, 6 not counted yet." in said
    assert f"in nine of ten; {waiting['draws']} are drawn.\nCount what is drawn first: 6 of it wait." in said
    assert waiting["left"]["p50"] > 0
    entered = land.enter(land.table("one.csv"), land.table("two.csv"))
    assert (len(entered["counted"]), entered["differences"], entered["waiting"]) == (6, [], [])
    status = call("audit", "status", land.audit, *land.log).out
    assert "President of the Aviary: risk 0.047836971341 (limit 0.05), confirmed" in status
    assert "Every contest that the audit is to confirm is at its risk limit" in status
    paper = tmp_path / "report.pdf"
    assert "The audit confirms the reported outcome" in land.step("report", "--paper", paper).out
    assert paper.read_bytes().startswith(b"%PDF-")
    assert call("audit", "verify", land.audit, *land.log).out.startswith("PASS")
    alone = call("audit", "verify", land.audit)
    assert "Not checked without the log" in alone.out

    site = tmp_path / "site"
    call("publish", land.folder, "--to", site, "--audits", tmp_path)
    published = {path.name for path in (site / "audits" / "boxes").iterdir()}
    assert published == {"draw.csv", "manifest.csv", "plan.json", "report.html", "report.json", "totals.csv"}
    assert "PASS" in call("verify", site).out
    assert call("audit", "verify", site).out.startswith("PASS")
    # What was published stays, although the next publication is not told where audits are.
    call("publish", land.folder, "--to", site)
    assert (site / "audits" / "boxes" / "plan.json").is_file()
    manifest = site / "audits" / "boxes" / "manifest.csv"
    manifest.write_bytes(manifest.read_bytes().replace(b"190", b"191", 1))
    changed = call("verify", site, code=1).out
    assert "audits/boxes/manifest.csv" in changed
    assert "FAIL" in call("audit", "verify", site, code=1).out


def test_steps_may_be_given_again_and_change_nothing(land: Land) -> None:
    size = Office.load(land.folder).read_count(None, lambda *_: None).size
    land.plan("--size", size)
    land.plan("--size", size)
    land.seed()
    land.seed()
    call("audit", "draw", land.audit)
    before = (land.audit / "draw.csv").read_bytes()
    call("audit", "draw", land.audit)
    assert (land.audit / "draw.csv").read_bytes() == before
    call("audit", "draw", land.audit, "--count", 15)
    assert (land.audit / "draw.csv").read_bytes().startswith(before)
    assert call("audit", "draw", land.audit, "--json").json["draws"] == 15
    fewer = call("audit", "draw", land.audit, "--count", 3).out
    assert "The draw has 15 draws and is never made shorter" in fewer
    assert "\n15 draws: " in fewer
    one, two = land.table("one.csv"), land.table("two.csv")
    assert len(land.enter(one, two)["counted"]) == 6
    assert land.enter(one, two)["counted"] == []
    assert Office.load(land.folder).read_count(None, lambda *_: None).size == size + 2 + 6


def test_nothing_is_written_over(land: Land) -> None:
    land.plan()
    size = Office.load(land.folder).read_count(None, lambda *_: None).size
    again = ("plan", *land.given)
    told = land.refuse(*again, code=2)
    assert f"rests on the log at size {size - 1:,}, and this one would on size {size:,}" in told, "the plan itself is an entry"
    assert f"give --size {size - 1}; to plan anew on what the log says now, use another folder" in told
    told = land.refuse(*again, "--size", size - 1, "--risk-limit", "0.1", code=2)
    assert "was made with other options or files (it differs in risk_limit" in told
    assert "is planned already" in land.refuse(*again, "--size", size - 1, "--title", "Another")
    land.plan("--size", size - 1)
    land.seed()
    told = land.refuse("seed", "--digits", "9" * 20, "--how", "Dice", "--who", "All", "--when", "Noon")
    assert "has its seed: a plan is drawn from once" in told


def test_a_seed_waits_for_its_plan(land: Land) -> None:
    land.step("plan", "--protocol", land.folder.parent / "protocol.txt", record=False)
    told = land.refuse("seed", "--digits", DICE, "--how", "Dice", "--who", "All", "--when", "Noon")
    assert "register it first; a seed comes after its plan" in told
    assert "holds no signed plan" in refused("audit", "status", land.folder, code=2)


def test_a_report_from_before_the_dice_spoils_nothing_later(land: Land) -> None:
    land.plan()
    land.step("report")
    land.seed()
    call("audit", "draw", land.audit)
    land.enter(land.table("one.csv"), land.table("two.csv"))
    land.step("report")
    for log in (land.log, ()):
        assert call("audit", "verify", land.audit, *log).out.startswith("PASS")


def test_a_tie_is_said_before_anyone_draws(tmp_path: Path) -> None:
    tied = Land(counted_land(tmp_path, (100, 50, 30, 20, 3, 2)), tmp_path / "boxes")
    assert "Only a full count can confirm the outcome." in tied.plan().out
    tied.seed()
    told = call("audit", "draw", tied.audit).out
    assert (
        "Nothing is drawn: no sample can confirm the outcome (president). All cards of all 6 boxes are counted by hand:" in told
    )
    assert all(f"  {box}\n" in told for box in ("north-1", "south-3"))
    shown = call("audit", "draw", tied.audit, "--json").json
    assert (shown["draws"], shown["full_count"]) == (0, ["president"])
    assert "nothing is drawn; all cards of all 6 boxes" in call("audit", "status", tied.audit, *tied.log).out
    assert "full-count" in tied.step("report", "--json").out
    assert call("audit", "verify", tied.audit, *tied.log).out.startswith("PASS")


def test_a_tie_beside_what_can_be_sampled(tmp_path: Path) -> None:
    place = council_land(tmp_path, 90, 90)
    land = Land(place / "land", place / "boxes")
    land.plan()
    land.seed()
    told = call("audit", "draw", land.audit).out
    assert "Beside the draw, all boxes are counted in full for council: no sample can confirm their outcome." in told
    land.enter(land.table("one.csv"), land.table("two.csv"))
    told = call("audit", "status", land.audit, *land.log).out
    assert "What a sample can confirm is at its risk limit. All boxes are counted in full for council." in told


def test_contests_measured_alongside_are_asked_about_and_said_to_be(tmp_path: Path) -> None:
    place = council_land(tmp_path)
    land = Land(place / "land", place / "boxes")
    land.plan("--contest", "president", "--also", "council")
    land.seed()
    drawn = call("audit", "draw", land.audit, "--json").json["boxes"]
    northern = [box for box in drawn if box.startswith("north")]
    told = land.refuse("enter", land.table("one.csv"), "--by", "Dipper")
    assert f"box '{northern[0]}': there is no row for contest 'council'" in told
    tables = [land.table(name) for name in ("one.csv", "two.csv")]
    for table in tables:
        table.write_text(table.read_text() + "".join(f"{box},council,190,8,2,150 30\n" for box in northern))
    assert land.enter(*tables)["counted"] == drawn
    told = call("audit", "status", land.audit, *land.log).out
    assert "the audit does not go on for it" in told
    assert "Every contest that the audit is to confirm is at its risk limit" in told


def test_an_audit_of_something_else(land: Land) -> None:
    build = land.folder.parent / "build.txt"
    build.write_text("SHA-256 of every part.\n")
    told = land.plan("--about", "software", "--file", build, "--title", "The count's software", "--by", "Society of Observers")
    assert "is planned" in told.out
    shows = "That the published program was run, and nothing about the outcome."
    land.step("report", "--found", "Every part is as published.", "--shows", shows, "--evidence", build)
    assert call("audit", "verify", land.audit, *land.log).out.startswith("PASS")
    (land.audit / "build.txt").write_text("Otherwise.\n")
    assert "build.txt: is not the file that the plan names" in call("audit", "verify", land.audit, *land.log, code=1).out


@pytest.mark.parametrize("design", ["polling", "oneaudit", "batch-macro"])
@pytest.mark.parametrize("sampler", ["canonical", "rivest"])
def test_other_designs(land: Land, design: str, sampler: str) -> None:
    if design == "batch-macro" and sampler == "rivest":
        told = land.refuse("plan", *land.given, "--design", design, "--sampler", sampler)
        assert "boxes are drawn by error bound" in told
        return
    land.plan("--design", design, "--sampler", sampler)
    land.seed()
    drawn = call("audit", "draw", land.audit, "--json").json
    assert drawn["units"] > 0
    lines = (land.audit / "draw.csv").read_text().splitlines()[1:]
    if design != "batch-macro":
        units = sorted({tuple(line.split(",")[2:4]) for line in lines})
        one = land.folder.parent / "one.csv"
        names = [f"{box},{position},president,{option_at(int(position))}\n" for box, position in units]
        one.write_text("box,position,contest,votes\n" + "".join(names))
        two = land.folder.parent / "two.csv"
        two.write_text(one.read_text())
        assert land.enter(one, two)["differences"] == []
        status = call("audit", "status", land.audit, *land.log, "--json").json
        assert (status["counted"], status["pending"]) == (len(units), [])
        assert float(status["contests"]["president"]["risk"]) < 0.5
        land.step("report", "--stop")
    assert call("audit", "verify", land.audit, *land.log).out.startswith("PASS")


def option_at(position: int) -> str:
    """How the card in a place of every box is marked: those for one option lie together."""
    names = ("heron", "kingfisher", "owl-forest", "owl-meadow")
    ends = [sum(FIGURES[: number + 1]) for number in range(4)]
    return next((name for name, end in zip(names, ends, strict=True) if position <= end), "")
