import csv
import hashlib
import io
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from portal_helpers import Published, made_up, republic
from scrutineer.count import unit_result
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.portal.check_page import RECEIPT_CHECK
from scrutineer.portal.nist_figures import CountFigures


@cache
def general() -> Published:
    return republic(80, contests="all", part=0.7, seed=4)


@cache
def files() -> dict[str, bytes]:
    return general().files()


CONTESTS = [contest.id for contest in general().record.election.contests]


@pytest.mark.parametrize("contest", CONTESTS)
def test_parquet_holds_what_the_csv_holds(contest: str) -> None:
    table = pq.read_table(io.BytesIO(files()[f"data/{contest}/stations.parquet"]))
    header, *rows = csv.reader(io.StringIO(files()[f"data/{contest}/stations.csv"].decode()))
    assert table.column_names == header
    shown = [["" if value is None else str(value) for value in row.values()] for row in table.to_pylist()]
    assert shown == rows
    assert len(rows) > 0


@pytest.mark.parametrize("number", range(len(CONTESTS)))
def test_nist_figures_are_those_of_every_unit(number: int) -> None:
    count = general().record.count
    state, units = count.contests[number], count.election.units
    figures = CountFigures(state, units)
    for unit in range(units.unit_count):
        result = unit_result(count, number, unit)
        assert int(figures.counted[unit]) == result.counted
        if units.is_station(unit):
            continue  # the count asks for stations of a unit; a single station outside the contest has none
        assert int(figures.stations[unit]) == result.stations
        if result.counted:
            assert tuple(figures.votes[unit].tolist()) == result.votes
            assert int(figures.blank[unit]) == (-1 if result.blank is None else result.blank)
            assert int(figures.null[unit]) == (-1 if result.null is None else result.null)
            assert int(figures.cast[unit]) == result.ballots
        else:
            assert set(figures.votes[unit].tolist()) == {-1}


def test_the_nist_report_is_json_with_every_contest() -> None:
    report = json.loads(files()["data/results.nist.json"])
    assert len(report["Election"][0]["Contest"]) == len(CONTESTS)
    assert report["Status"] == "unofficial-partial"


def test_the_summary_is_that_of_the_count() -> None:
    summary = json.loads(files()["data/summary.json"])
    count = general().record.count
    assert [entry["contest"] for entry in summary["contests"]] == CONTESTS
    for number, entry in enumerate(summary["contests"]):
        result = unit_result(count, number, count.contests[number].unit)
        assert list(entry["votes"].values()) == list(result.votes)
        assert sum(entry["candidates"].values()) == (result.valid)
        assert entry["counted"] + entry["quarantined"] + entry["excluded"] + entry["outstanding"] == entry["stations"]
    assert summary["provenance"].startswith("Simulated")


def test_the_commands_for_one_sheet_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = republic(10)
    given.publish(tmp_path)
    page = next(iter(sorted((tmp_path / "stations").rglob("*.html")))).read_text()
    blocks = re.findall(r'<p class="b64">([^<]+)</p>', page)
    (tmp_path / "sheet.cose.b64").write_text(blocks[0])
    (tmp_path / "sheet.receipt.b64").write_text(blocks[1])
    decode = "base64 -d sheet.cose.b64 > sheet.cose\nbase64 -d sheet.receipt.b64 > sheet.receipt\n"
    commands = f"{decode}(printf '\\0'; cat sheet.cose) | sha256sum"
    check = (tmp_path / "check.html").read_text().replace("&gt;", ">")
    assert commands in check
    done = subprocess.run(["sh", "-c", commands], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split()[0] in page
    monkeypatch.chdir(tmp_path)
    exec(RECEIPT_CHECK, {})
    index = re.search(r'data-index="(\d+)"', page)
    assert index is not None
    assert f"Receipt(index={index[1]}, size={len(given.log)}," in capsys.readouterr().out


@pytest.mark.parametrize("contest", CONTESTS)
def test_control_totals_are_those_of_the_tables(contest: str) -> None:
    control = json.loads(files()[f"data/{contest}/control.json"])
    assert control["contest"] == contest
    assert [entry["file"] for entry in control["files"]] == ["results.csv", "stations.csv", "stations.parquet"]
    for entry in control["files"]:
        data = files()[f"data/{contest}/{entry['file']}"]
        if entry["file"].endswith(".parquet"):
            table = pq.read_table(io.BytesIO(data))
            columns = {name: table[name].to_pylist() for name in table.column_names}
            assert entry["sha256"] is None
            assert entry["bytes"] is None
        else:
            header, *rows = csv.reader(io.StringIO(data.decode()))
            columns = {name: [row[at] for row in rows] for at, name in enumerate(header)}
            assert entry["sha256"] == hashlib.sha256(data).hexdigest()
            assert entry["bytes"] == len(data)
        assert entry["rows"] == len(next(iter(columns.values())))
        assert entry["sums"] == {name: sum(int(cell or 0) for cell in columns[name]) for name in entry["sums"]}
        assert {name for name in columns if name.startswith("votes:")} < set(entry["sums"])
        assert {"roll", "blank", "null", "voters"} < set(entry["sums"])


@pytest.mark.parametrize("contest", CONTESTS)
def test_parquet_carries_its_own_control_totals(contest: str) -> None:
    metadata = pq.read_metadata(io.BytesIO(files()[f"data/{contest}/stations.parquet"])).metadata
    control = json.loads(files()[f"data/{contest}/control.json"])["files"][2]
    assert int(metadata[b"rows"]) == control["rows"]
    assert json.loads(metadata[b"sums"]) == control["sums"]


def test_the_nist_report_carries_control_totals() -> None:
    for contest in json.loads(files()["data/results.nist.json"])["Election"][0]["Contest"]:
        counts = [count["Count"] for selection in contest["ContestSelection"] for count in selection["VoteCounts"]]
        own = {entry["OtherType"]: entry["Value"] for entry in contest["ExternalIdentifier"]}
        assert own["scrutineer-control-rows"] == str(len(counts))
        assert own["scrutineer-control-sum"] == str(sum(counts))


def test_the_summary_carries_control_totals() -> None:
    summary = json.loads(files()["data/summary.json"])
    assert summary["control"]["rows"] == len(summary["contests"])
    assert summary["control"]["sums"] == {
        "votes": sum(sum(entry["votes"].values()) for entry in summary["contests"]),
        "ballots": sum(entry["ballots"] for entry in summary["contests"]),
    }


def test_names_with_commas_and_unknown_rolls_do_not_disturb_control_totals() -> None:
    rows = [
        UnitRow("land", "", 'Land, "of" birds', "country", None),
        UnitRow("n0", "land", "North, school", "station", None),
        UnitRow("n1", "land", "North", "station", 50),
    ]
    contest = Contest("president", "President", "plurality", (Option("heron", "Heron"),))
    found = made_up(rows, (contest,)).files()
    control = json.loads(found["data/president/control.json"])["files"]
    assert [(entry["rows"], entry["sums"]["roll"]) for entry in control] == [(1, 0), (2, 50), (2, 50)]
