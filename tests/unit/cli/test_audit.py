"""`audit`: from a plan to a report that anyone checks, in a folder; and on a published site."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli_helpers import STATIONS, Result, call, opened, refused, rows, signed
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements
from scrutineer.statements import parse_statement

DICE = "20271 50314 15926 53589"
FIGURES = (130, 40, 10, 5, 3, 2)
HEADER = "box,contest,cards,blank,null,votes\n"


@dataclass(frozen=True)
class Land:
    """An election whose results stand, and the folder of an audit of it."""

    folder: Path
    audit: Path

    @property
    def log(self) -> tuple[object, ...]:
        return ("--log", self.folder)

    @property
    def signer(self) -> tuple[object, ...]:
        key = self.folder / "keys" / "officer-1.pem"
        return ("--log", self.folder, "--as", "authority/officer-1", "--key", key)

    def step(self, name: str, *options: object, code: int = 0, record: bool = True, **given: Any) -> Result:
        """A step that signs and records."""
        return call("audit", name, self.audit, *options, *self.signer, *(("--record",) if record else ()), code=code, **given)

    def refuse(self, name: str, *options: object, code: int = 1, record: bool = True) -> str:
        return refused("audit", name, self.audit, *options, *self.signer, *(("--record",) if record else ()), code=code)

    @property
    def given(self) -> tuple[object, ...]:
        return ("--protocol", self.folder.parent / "protocol.txt", "--manifest", self.folder.parent / "found.csv")

    def plan(self, *options: object) -> Result:
        return self.step("plan", *self.given, *options)

    def seed(self) -> Result:
        return self.step("seed", "--digits", DICE, "--how", "Ten-sided dice", "--who", "Visitors", "--when", "At noon")

    def table(self, name: str, votes: str = "130 40 10 5", boxes: tuple[str, ...] | None = None) -> Path:
        """Every drawn box as its sheet says, or with other votes."""
        drawn = boxes or tuple(call("audit", "draw", self.audit, "--json").json["boxes"])
        path = self.folder.parent / name
        path.write_text(HEADER + "".join(f"{box},president,190,3,2,{votes}\n" for box in drawn))
        return path

    def enter(
        self, *tables: Path, people: tuple[str, ...] = ("Dipper", "Wren"), code: int = 0, options: tuple[object, ...] = ()
    ) -> Any:
        named = [word for name in people[: len(tables)] for word in ("--by", name)]
        return self.step("enter", *tables, *named, "--json", *options, code=code).json


def counted_land(place: Path, figures: tuple[int, ...] = FIGURES) -> Path:
    """An opened election whose sheets are in its log."""
    folder = opened(place / "land")
    log = Office.load(folder).open_log()
    log.append(list(read_statements(signed(folder, rows(figures=figures)))))
    log.close()
    (place / "protocol.txt").write_text("Boxes are drawn by public dice and counted by hand.\n")
    (place / "found.csv").write_text("box,cards\n" + "".join(f"{box},{sum(figures)}\n" for box in STATIONS))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made")
    counted_land(place)
    return place


@pytest.fixture
def land(made: Path, tmp_path: Path) -> Land:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Land(tmp_path / "land", tmp_path / "boxes")


@pytest.fixture(scope="module")
def drawn(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Land:
    """An audit in which nothing is counted yet; for tests that change nothing."""
    place = tmp_path_factory.mktemp("drawn")
    shutil.copytree(made, place, dirs_exist_ok=True)
    land = Land(place / "land", place / "boxes")
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    return land


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
    assert "Every contest is at its risk limit" in status
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


def test_what_two_people_enter_differently_is_shown_field_by_field_and_not_counted(land: Land) -> None:
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    first = land.enter(land.table("one.csv"))
    assert len(first["waiting"]) == 6
    second = land.table("two.csv")
    second.write_text(second.read_text().replace("130 40 10 5", "130 41 9 5", 1).replace(",3,2,", ",2,3,", 1))
    found = land.enter(second, people=("Wren",), code=1)
    assert len(found["counted"]) == 5
    differing = {each["field"]: {each["first"], each["second"]} for each in found["differences"]}
    assert differing == {"blank": {"2", "3"}, "null": {"2", "3"}, "votes": {"130 40 10 5", "130 41 9 5"}}
    box = found["differences"][0]["box"]
    again = land.enter(land.table("two.csv", boxes=(box,)), people=("Wren",))
    assert again["counted"] == [box]
    names = {statement.payload.counted_by for statement in counts(land)}  # type: ignore[union-attr]
    assert names == {("Dipper", "Wren")}


def test_a_third_look_decides_and_is_named(land: Land) -> None:
    """Each takes photographs of their own, which are no difference: the count has both."""
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    header = "box,contest,cards,blank,null,votes,images\n"
    tables = {}
    for name, votes, image in (("Dipper", "130 40 10 5", "aa"), ("Wren", "130 41 9 5", "bb"), ("Rail", "130 41 9 5", "cc")):
        tables[name] = land.folder.parent / f"{name}.csv"
        tables[name].write_text(f"{header}north-1,president,190,3,2,{votes},{image * 32}\n")
    found = land.enter(tables["Dipper"], tables["Wren"], code=1)
    (differing,) = found["differences"]
    assert (differing["field"], differing["contest"]) == ("votes", "president")
    assert {differing[f"{each}_by"]: differing[each] for each in ("first", "second")} == {
        "Dipper": "130 40 10 5",
        "Wren": "130 41 9 5",
    }
    assert land.enter(tables["Rail"], people=("Rail",))["counted"] == ["north-1"]
    (count,) = (statement.payload for statement in counts(land))
    assert count.counted_by == ("Dipper", "Rail", "Wren")
    assert count.totals[0].counts == (130, 41, 9, 5)
    assert {image.hex()[:2] for image in count.images} == {"aa", "bb", "cc"}


def counts(land: Land) -> list[Any]:
    return [parse_statement(path.read_bytes()) for path in sorted((land.audit / "counts").iterdir())]


def test_another_count_of_a_box_says_why(land: Land) -> None:
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    land.enter(land.table("one.csv"), land.table("two.csv"))
    before = call("audit", "status", land.audit, *land.log, "--json").json["contests"]["president"]["risk"]
    other = (land.table("one.csv", "129 41 10 5", ("north-1",)), land.table("two.csv", "129 41 10 5", ("north-1",)))
    told = land.refuse("enter", *other, "--by", "Dipper", "--by", "Wren")
    assert "was counted before, with other figures" in told
    assert land.enter(*other, options=("--replace", "A bundle was counted twice."))["counted"] == ["north-1"]
    replaced = [one.payload for one in counts(land) if one.payload.replaces]
    assert [one.note for one in replaced] == ["A bundle was counted twice."]
    after = call("audit", "status", land.audit, *land.log, "--json").json["contests"]["president"]["risk"]
    assert float(after) > float(before)
    land.step("report")
    assert call("audit", "verify", land.audit, *land.log).out.startswith("PASS")


def test_others_count_a_box_again_and_are_compared_with_nobody_from_before(land: Land) -> None:
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    land.enter(land.table("one.csv"), land.table("two.csv"))
    other = (land.table("one.csv", "129 41 10 5", ("north-1",)), land.table("two.csv", "129 41 10 5", ("north-1",)))
    again = land.enter(*other, people=("Rail", "Coot"), options=("--replace", "A bundle was counted twice."))
    assert (again["counted"], again["differences"], again["waiting"]) == (["north-1"], [], [])
    (replaced,) = (one.payload for one in counts(land) if one.payload.replaces)
    assert replaced.counted_by == ("Coot", "Rail")


def test_a_box_that_cannot_be_or_is_counted_otherwise_holds_up_no_other(land: Land) -> None:
    """What no count may hold is not kept; a count that asks for a reason waits for it by itself."""
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    place = land.folder.parent
    for name in ("one.csv", "two.csv"):
        (place / name).write_text(HEADER + "north-1,senate,190,3,2,1 2 3 4\n")
    told = land.refuse("enter", place / "one.csv", place / "two.csv", "--by", "Dipper", "--by", "Wren")
    assert "there is no contest 'senate'" in told
    assert land.enter(land.table("one.csv", boxes=("north-1",)), land.table("two.csv", boxes=("north-1",)))["counted"]
    other = (land.table("one.csv", "129 41 10 5", ("north-1",)), land.table("two.csv", "129 41 10 5", ("north-1",)))
    assert "was counted before" in land.refuse("enter", *other, "--by", "Dipper", "--by", "Wren")
    rest = land.enter(land.table("one.csv", boxes=("north-2",)), land.table("two.csv", boxes=("north-2",)))
    assert rest["counted"] == ["north-2"]


def test_nobody_is_two_people_by_capitals_or_spaces(land: Land) -> None:
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    one, two = land.table("one.csv"), land.table("two.csv")
    for second in ("dipper", "Dipper ", "DIPPER", "", " "):
        told = refused("audit", "enter", land.audit, one, two, "--by", "Dipper", "--by", second, *land.signer, code=2)
        assert "as many different names" in told
    land.enter(one)
    assert len(land.enter(two, people=("DIPPER ",))["waiting"]) == 6


def test_a_count_that_did_not_reach_the_log_is_sent_when_it_is_entered_again(land: Land) -> None:
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    tables = land.table("one.csv"), land.table("two.csv")
    names = ("--by", "Dipper", "--by", "Wren", "--json")
    assert len(land.step("enter", *tables, *names, record=False).json["counted"]) == 6
    assert land.step("enter", *tables, *names, record=False).json["counted"] == []
    assert len(land.step("enter", *tables, *names).json["counted"]) == 6
    assert land.step("enter", *tables, *names).json["counted"] == []
    assert len(counts(land)) == 6


def test_a_report_from_before_the_dice_spoils_nothing_later(land: Land) -> None:
    land.plan()
    land.step("report")
    land.seed()
    call("audit", "draw", land.audit)
    land.enter(land.table("one.csv"), land.table("two.csv"))
    land.step("report")
    for log in (land.log, ()):
        assert call("audit", "verify", land.audit, *log).out.startswith("PASS")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("box,contest,votes\ncellar,president,1 2 3 4\n", "box 'cellar' was not drawn: check its label"),
        ("box,contest,votes\nnorth-1,president,1 2 3 4\nnorth-1,president,1 2 3 4\n", "was entered before in this file"),
        ("box,contest,votes\nnorth-1,president,1 2 3\n", "3 numbers of votes in contest 'president', which has 4 options"),
        ("box,contest,votes\nnorth-1,president,-1 2 3 4\n", "is not a number from 0 to"),
        ("box,contest,votes\nnorth-1,senate,1 2 3 4\n", "there is no contest 'senate'"),
        ("box,contest,status\nnorth-1,president,lost\n", "write counted, not-on-card, missing or illegible"),
        ("box,votes\nnorth-1,1\n", "there is no column 'contest'"),
        ("box,contest,reason\nnorth-1,president,x\n", "there is no column 'reason'"),
        ("box,contest,votes,discrepancies\nnorth-1,president,1 2 3 4,weather\n", "is no reason for a difference"),
        ("box,contest,position,votes\nnorth-1,president,3,heron\n", "was not drawn"),
        ("", "one.csv is empty"),
    ],
)
def test_tables_that_cannot_be(drawn: Land, table: str, told: str) -> None:
    one, two = drawn.folder.parent / "one.csv", drawn.folder.parent / "two.csv"
    one.write_text(table)
    two.write_text(table)
    assert told in drawn.refuse("enter", one, two, "--by", "Dipper", "--by", "Wren")
    assert not (drawn.audit / "counts").exists()


def test_json_and_toml_tables_and_a_box_that_was_not_found(land: Land) -> None:
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    one, two = land.folder.parent / "one.json", land.folder.parent / "two.toml"
    one.write_text(
        '[{"box": "north-1", "status": "missing"}, {"box": "north-2", "contest": "president", "votes": [130, 40, 10, null]}]'
    )
    two.write_text(
        '[[row]]\nbox = "north-1"\nstatus = "missing"\n[[row]]\nbox = "north-2"\ncontest = "president"\nvotes = "130 40 10 -"\n'
    )
    assert land.enter(one, two)["counted"] == ["north-1", "north-2"]
    status = call("audit", "status", land.audit, *land.log, "--json").json
    assert status["missing"] == ["north-1"]
    assert status["contests"]["president"]["risk"] == "1"


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
