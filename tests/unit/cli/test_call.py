"""`scrutineer call` on bare tables, published sets and election folders; bulletins that carry what it says."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from cli_helpers import call, run
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements
from scrutineer.statements import Bulletin, parse_statement
from scrutineer.statements.contest_call import ContestCall
from shared_data import shared

HEAD = "station,region,roll,time,Heron,Kingfisher,blank,null\n"


def table(path: Path, *, open_roll: int = 520, stations: int = 4, lead: int = 60) -> Path:
    rows = [f"n-{n},North,700,{1_780_000_000 + n},{200 + lead},200,9,3" for n in range(stations)]
    path.write_text(HEAD + "\n".join([*rows, f"s-1,South,{open_roll},,,,,"]) + "\n", encoding="utf-8")
    return path


def large_table(path: Path, counted: int = 900, stations: int = 1000, *, timed: bool = True) -> Path:
    rng = np.random.default_rng(7)
    rows = []
    for n in range(stations):
        figures = ",".join(map(str, rng.multinomial(400, [0.52, 0.4, 0.05, 0.03]))) if n < counted else ",,,"
        time = 1_780_000_000 + n if timed and n < counted else ""
        rows.append(f"t-{n},{('North', 'South')[n % 2]},700,{time},{figures}")
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_lead_above_what_is_open_is_decided_by_arithmetic(tmp_path: Path) -> None:
    shown = call("call", table(tmp_path / "night.csv", open_roll=200)).out
    assert "Decided by arithmetic: Heron is elected" in shown
    assert "nobody signed" in shown


def test_what_is_open_and_why_it_is_not_decided(tmp_path: Path) -> None:
    found = call("call", table(tmp_path / "night.csv"), "--json").json[0]
    assert found["verdict"] == "not-decided"
    assert "outstanding-exceeds-lead" in found["reasons"]
    assert found["open_ballots"] == 520
    (lead,) = found["leads"]
    assert (lead["code"], lead["value"], lead["slack"]) == ("lead:Heron:Kingfisher", 240, 240 - 1 - 520)
    assert found["hanging"]["certain_when"]["open_ballots_at_most"] == 239
    assert len(found["explanations"]) == len(found["reasons"])


def test_settings_given_afterwards_decide_nothing(tmp_path: Path) -> None:
    found = call("call", large_table(tmp_path / "night.csv", counted=600), "--json").json[0]
    assert (found["verdict"], found["reasons"], found["committed"]) == ("not-decided", ["not-committed"], False)
    assert found["leads"][0]["tested"]
    supposed = call("call", tmp_path / "night.csv", "--suppose-committed").out
    assert "Decided by statistics (at risk 5%, gamma 3)" in supposed
    assert "this supposes that risk, gamma and strata were committed" in supposed
    rehearsal = call("call", tmp_path / "night.csv", "--suppose-committed", "--json").json[0]
    assert (rehearsal["verdict"], rehearsal["committed"], rehearsal["supposed_committed"]) == ("statistics", False, True)
    low, point, high = (found["estimate"]["shares"]["Heron"][key] for key in ("low", "point", "high"))
    assert low <= point <= high
    assert low < 0.52 / 0.92 < high


def test_an_earlier_moment_of_the_same_night(tmp_path: Path) -> None:
    file = large_table(tmp_path / "night.csv")
    assert call("call", file, "--counted", 50, "--json").json[0]["counted_stations"] == 450
    assert call("call", file, "--counted", 12.5, "--json").json[0]["counted_stations"] == 112


def test_an_order_that_nobody_recorded_is_not_told_as_one(tmp_path: Path) -> None:
    file = large_table(tmp_path / "night.csv", counted=980, timed=False)
    shown = call("call", file, "--counted", 50).out
    assert "the order in which the stations reported is not known" in shown
    assert "a mix from the whole file, not those that reported first" in shown
    assert "not known" in shown.partition("Seen")[2]
    decided = call("call", file)
    assert "Decided by arithmetic" in decided.out
    assert "since" not in decided.out
    assert call("call", file, "--json").json[0]["hanging"]["certain_since"] is None
    assert "a mix" not in call("call", large_table(tmp_path / "timed.csv"), "--counted", 50).out


def test_figures_in_tables_are_votes_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "night.csv"
    rows = [f"n-{n},North,9000000,{n},{4_000_000 + n},3000000,900000,0" for n in range(31)]
    file.write_text(HEAD + "\n".join([*rows, "s-1,South,2000000000,,,,,"]) + "\n", encoding="utf-8")
    shown = call("call", file, "--rule", "majority", "--alternative", "40 %,10 %").out
    assert "…" not in shown
    assert "31,000,465" in shown
    assert "−1,968,999,535" in shown
    # 4,000,000 votes at each of 31 stations and 465 more, less 40 % of all.
    assert "37,200,279" in shown


def test_what_no_vote_can_do_is_said_in_words(tmp_path: Path) -> None:
    shown = call("call", table(tmp_path / "night.csv", open_roll=200)).out
    assert "above all" in shown


def test_the_answer_stands_also_where_there_is_no_lead_to_draw(tmp_path: Path) -> None:
    file = tmp_path / "night.csv"
    file.write_text(HEAD + "n-1,North,100,,,,,\n", encoding="utf-8")
    found = call("call", file, "--picture", tmp_path / "lead.svg", code=1)
    assert "no station is counted yet" in found.out
    assert "no lead to show" in found.err


def test_other_rules_of_a_table(tmp_path: Path) -> None:
    file = table(tmp_path / "night.csv")
    majority = call("call", file, "--rule", "majority", "--alternative", "40 %,10 %", "--json").json[0]
    assert {c["code"].split(":")[0] for clause in majority["clauses"] for c in clause} <= {"above", "ahead", "lead"}
    seats = call("call", file, "--rule", "dhondt", "--seats", 7, "--json").json[0]
    assert sum(seats["outcome"]["seats"].values()) == 7
    band = call("call", table(tmp_path / "close.csv", lead=1, open_roll=3), "--recount", "0.5 %", "--json").json[0]
    assert band["reasons"] == ["recount-band"]


def test_a_question_whose_yes_stands_last_is_not_turned_round(tmp_path: Path) -> None:
    path = tmp_path / "moor.csv"
    path.write_text("station,roll,No,Yes\na,100,60,30\n", encoding="utf-8")
    refused = run("call", path, "--rule", "yes-no", code=2)
    assert "put it first" in refused.err
    path.write_text("station,roll,Yes,No\na,100,60,30\n", encoding="utf-8")
    assert "the question has the votes it needs" in call("call", path, "--rule", "yes-no").out


def test_what_becomes_certain_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lists.csv"
    path.write_text("station,roll,Heron,Wren,Finch\na,1000,500,260,90\nb,900,,,\n", encoding="utf-8")
    shown = call("call", path, "--rule", "dhondt", "--seats", "5").out
    # The next condition may be further from certainty than the outcome, which is certain once all of them are.
    (line,) = [line for line in shown.splitlines() if "certain by arithmetic once" in line]
    assert " takes its last seat before " in line


def test_the_picture_is_svg(tmp_path: Path) -> None:
    drawn = tmp_path / "lead.svg"
    call("call", large_table(tmp_path / "night.csv"), "--picture", drawn)
    assert ET.fromstring(drawn.read_bytes()).tag.endswith("svg")
    assert "Kingfisher" in drawn.read_text(encoding="utf-8")


def test_figures_that_do_not_fit_make_no_call(tmp_path: Path) -> None:
    file = tmp_path / "night.csv"
    for second in ("n-2,North,100,,40,30,0,0", "n-1,North,300,,90,80,0,0"):
        file.write_text(HEAD + f"n-1,North,100,,90,80,0,0\n{second}\n", encoding="utf-8")
        shown = call("call", file, code=1).out
        assert "Not coherent" in shown
        assert "n-1" in shown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("station,Heron\nn-1,51.2\n", "line 2"),
        ("place,Heron\nn-1,5\n", "station"),
        ("station,Heron\nn-1,-5\n", "line 2"),
        ("", "night.csv"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "night.csv"
    file.write_text(content, encoding="utf-8")
    found = call("call", file, code=1)
    assert words in found.err


@pytest.mark.parametrize(
    "options",
    [
        ("--unit", "north"),
        ("--at", 5),
        ("--contest", "x"),
        ("--where", "a=b"),
        ("--alternative", "40 %"),
        ("--rule", "majority", "--layout", "poland-2025-round1"),
        ("--gamma", "3", "--rule", "cumulative"),
    ],
)
def test_options_that_do_not_fit_a_table(tmp_path: Path, options: tuple[str, ...]) -> None:
    call("call", table(tmp_path / "night.csv"), *options, code=2)


def test_a_baseline_of_other_stations_is_refused(tmp_path: Path) -> None:
    baseline = tmp_path / "before.csv"
    baseline.write_text("station,Heron,Kingfisher\nn-0,5,5\nelsewhere,4,4\n", encoding="utf-8")
    found = call("call", table(tmp_path / "night.csv"), "--baseline", baseline, code=1)
    assert "before.csv" in found.err


def test_an_election_folder_and_its_bulletin_say_the_same(tmp_path: Path) -> None:
    run("simulate", "--stations", 400, "--seed", 3, "--out", tmp_path)
    folder = tmp_path / "election"
    office = Office.load(folder)
    log = office.open_log()
    statements = list(read_statements(tmp_path / "statements.bundle"))
    log.append(statements[:300])
    log.close()
    found = call("call", folder, "--json").json[0]
    assert found["committed"]
    call("bulletin", folder)
    log = office.read_log()
    bulletin = parse_statement(log.entry(301)).payload
    log.close()
    assert isinstance(bulletin, Bulletin)
    (stated,) = bulletin.calls
    assert isinstance(stated, ContestCall)
    assert (stated.verdict, list(stated.reasons)) == (found["verdict"], found["reasons"])
    assert stated.lead is not None
    assert stated.lead.value == min(lead["value"] for lead in found["leads"])
    earlier = call("call", folder, "--at", 150, "--json").json[0]
    assert earlier["counted_stations"] < found["counted_stations"]
    unit = json.loads(call("count", folder, "--unit", office.election.units.ids[0], "--json").out)["contests"]["president"][1]
    within = call("call", folder, "--unit", unit["unit"], "--json").json[0]
    assert within["counted_stations"] == unit["counted"]
    other = call("call", folder, "--gamma", "2", "--json").json[0]
    assert not other["committed"]
    site = tmp_path / "site"
    call("publish", folder, "--to", site)
    call("verify", site)
    assert "is a published site" in call("call", site, code=2).err
    page = (site / "calls" / "president.html").read_text(encoding="utf-8")
    assert "What the verdict rests on" in page


@pytest.mark.data
def test_a_published_set_at_an_earlier_moment() -> None:
    file = shared("mexico-2018-quickcount/REMESAS0100020000.txt")
    found = call("call", file, "--layout", "mexico-2018-quickcount", "--counted", 50, "--json").json[0]
    assert not found["committed"]
    assert found["verdict"] == "not-decided"
    assert found["leads"]
    unordered = call("call", shared("forensics/poland-2025-round1.csv"), "--layout", "poland-2025-round1", "--json").json[0]
    assert any("order" in note for note in unordered["notes"])
