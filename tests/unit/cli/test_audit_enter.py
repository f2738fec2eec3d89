"""`audit enter`: what two people enter, what is refused, and what becomes a count."""

import shutil
from pathlib import Path

import pytest

from audit_land import HEADER, Land, council_land, counted_land, counts
from cli_helpers import call, refused


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made")
    counted_land(place)
    return place


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An election in which the northern stations also vote for a council."""
    place = council_land(tmp_path_factory.mktemp("council"))
    for name, design in (("boxes", "batch-betting"), ("cards", "polling")):
        Land(place / "land", place / name).plan("--design", design)
    for name in ("boxes", "cards"):
        Land(place / "land", place / name).seed()
        call("audit", "draw", place / name)
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
    again = land.step("enter", *tables, *names, record=False).json
    assert (again["counted"], len(again["known"])) == ([], 6)
    assert len(land.step("enter", *tables, *names).json["counted"]) == 6
    assert land.step("enter", *tables, *names).json["counted"] == []
    assert len(counts(land)) == 6


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("box,contest,votes\ncellar,president,1 2 3 4\n", "box 'cellar': the manifest of the audit has no such box: check"),
        ("box,contest,votes\nnorth-1,president,1 2 3 4\nnorth-1,president,1 2 3 4\n", "was entered before in this file"),
        ("box,contest,votes\nnorth-1,president,1 2 3\n", "3 numbers of votes in contest 'president', which has 4 options"),
        ("box,contest,votes\nnorth-1,president,-1 2 3 4\n", "is not a number from 0 to"),
        ("box,contest,votes\nnorth-1,senate,1 2 3 4\n", "there is no contest 'senate'"),
        ("box,contest,status\nnorth-1,president,lost\n", "write counted, not-on-card, missing or illegible"),
        ("box,votes\nnorth-1,1\n", "there is no column 'contest'"),
        ("box,contest,reason\nnorth-1,president,x\n", "there is no column 'reason'"),
        ("box,contest,votes,discrepancies\nnorth-1,president,1 2 3 4,weather\n", "is no reason for a difference"),
        ("box,contest,position,votes\nnorth-1,president,3,heron\n", "whole boxes are counted in this audit"),
        ("box,contest,votes\nnorth-1,,1 2 3 4\n", "there is no contest ''"),
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


def test_leaving_a_contest_out_says_nothing_for_a_box(council: Path) -> None:
    land = Land(council / "land", council / "boxes")
    one = council / "boxes-one.csv"
    one.write_text(HEADER + "north-1,president,190,3,2,130 40 10 5\n" + "south-1,president,190,3,2,130 40 10 5\n")
    told = land.refuse("enter", one, "--by", "Dipper")
    assert "boxes-one.csv (Dipper), box 'north-1': there is no row for contest 'council': write one" in told
    assert "nothing was kept" in told
    assert not (land.audit / "entries").exists()
    one.write_text(one.read_text() + "north-1,council,,,,- -\n")
    two = council / "boxes-two.csv"
    two.write_text(one.read_text())
    assert land.enter(one, two)["counted"] == ["north-1", "south-1"], "southern stations do not vote for the council"


def test_leaving_a_contest_out_says_nothing_for_a_card(council: Path) -> None:
    land = Land(council / "land", council / "cards")
    lines = [line.split(",")[2:4] for line in (land.audit / "draw.csv").read_text().splitlines()[1:]]
    (box, first), (_, second) = [line for line in lines if line[0] == "north-1"][:2]
    head = "box,position,contest,status,votes\n"
    one, two = council / "cards-one.csv", council / "cards-two.csv"
    full = f"{box},{first},president,,heron\n{box},{first},council,not-on-card,\n{box},{second},president,,\n"
    one.write_text(head + full)
    told = land.refuse("enter", one, "--by", "Dipper")
    assert f"cards-one.csv (Dipper), box 'north-1': card {second}: there is no row for contest 'council'" in told
    assert not (land.audit / "entries").exists()
    one.write_text(head + full + f"{box},{second},council,,tern\n")
    two.write_text(one.read_text().replace(f"{first},council,not-on-card,", f"{first},council,counted,"))
    (differing,) = land.enter(one, two, code=1)["differences"]
    assert (differing["field"], differing["first"], differing["second"]) == ("status", "not-on-card", "counted")
    two.write_text(one.read_text())
    assert land.enter(two, people=("Wren",))["counted"] == ["north-1"]
    (count,) = (statement.payload for statement in counts(land))
    marks = {card.position: card.marks for card in count.cards}
    assert marks == {int(first): {"president": (0,)}, int(second): {"council": (0,), "president": ()}}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("north-1,,president,,heron", "single cards are drawn in this audit: give the position of each"),
        ("north-1,191,president,,heron", "card 191 was not drawn: count again from the first card"),
        ("north-1,191,,missing,", "card 191 was not drawn"),
        ("north-1,0,,missing,", "position is 0: the first card of a box is 1"),
        ("cellar,1,president,,heron", "the manifest of the audit has no such box"),
    ],
)
def test_what_was_not_drawn_is_named_with_its_person(council: Path, row: str, told: str) -> None:
    land, one = Land(council / "land", council / "cards"), council / "other.csv"
    one.write_text(f"box,position,contest,status,votes\n{row}\n")
    found = land.refuse("enter", one, "--by", "Rail")
    assert told in found
    assert "other.csv" in found


def test_what_cannot_be_written_is_named(drawn: Land, tmp_path: Path) -> None:
    audit = tmp_path / "boxes"
    shutil.copytree(drawn.audit, audit)
    (audit / "entries").write_text("In the way.\n")
    one = drawn.table("one.csv")
    told = refused("audit", "enter", audit, one, "--by", "Dipper", *drawn.signer, code=2)
    assert "entries" in told
    assert "check its permissions" in told
    told = refused("audit", "papers", audit, *drawn.log, "--to", audit / "entries" / "papers", code=2)
    assert "entries" in told
    assert "cannot be written" in told


def test_a_changed_draw_is_no_list_of_what_was_drawn(drawn: Land, tmp_path: Path) -> None:
    audit = tmp_path / "boxes"
    shutil.copytree(drawn.audit, audit)
    lines = (audit / "draw.csv").read_text().splitlines(keepends=True)
    (audit / "draw.csv").write_text("".join([lines[0], *lines[2:]]))
    told = refused("audit", "enter", audit, drawn.table("one.csv"), "--by", "Dipper", *drawn.signer)
    assert "draw.csv, line 2" in told
    assert "no plan.json: begin with" in refused("audit", "draw", tmp_path, code=2)


def test_a_third_who_enters_all_is_told_what_is_counted(land: Land) -> None:
    land.plan()
    land.seed()
    call("audit", "draw", land.audit)
    first, second = land.table("one.csv", boxes=("north-1", "north-2")), land.table("two.csv", boxes=("north-1", "north-2"))
    second.write_text(second.read_text().replace("130 40", "131 39", 1))
    told = land.step("enter", first, second, "--by", "Dipper", "--by", "Wren", code=1).out
    assert "Counted: north-2\n" in told
    assert "Differs: box north-1, president, votes: " in told
    assert "Dipper has '130 40 10 5'" in told
    assert "enter them (--by with that name)" in told
    told = land.step("enter", first, "--by", "Rail").out
    assert "Counted: north-1\n" in told
    assert "Counted before, and now entered by one person: north-2." in told
    told = land.step("enter", second, "--by", "Coot").out
    assert "entered again with the same figures: 1. Nothing is added." in told
    assert "Counted before, and now entered by one person: north-1." in told


def test_one_table_is_not_two_and_how_many_more_are_faulty_is_said(drawn: Land) -> None:
    one, two = drawn.folder.parent / "one.csv", drawn.folder.parent / "two.csv"
    drawn.table("one.csv")
    two.unlink(missing_ok=True)
    two.symlink_to(one)
    for second in (one, two):
        told = refused("audit", "enter", drawn.audit, one, second, "--by", "Dipper", "--by", "Wren", *drawn.signer, code=2)
        assert "is given twice" in told
    two.unlink()
    drawn.table("one.csv", votes="1e3 40 10 5")
    told = drawn.refuse("enter", one, "--by", "Dipper")
    assert "votes: '1e3' is not a number from 0 to 2147483647 in digits alone; write - where nobody counted" in told
    assert told.endswith("nothing was kept (5 more boxes cannot be taken as they are)")
