"""A baseline from the organiser's file to the check of what was published: calls use it, and nobody can exchange it."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cli_helpers import call, refused, run, serving
from marsh import HEAD
from scrutineer.calls.from_count import partial_count
from scrutineer.calls.stated import bulletin_calls, state_call
from scrutineer.calls.verdict import make_call
from scrutineer.cli.claim_inputs import records_at
from scrutineer.cli.office import Office
from scrutineer.cli.show import silent
from scrutineer.count import Count
from scrutineer.errors import UsageError
from scrutineer.log import Log
from scrutineer.statements import Bulletin, parse_statement
from verify_helpers import signed_anew

ELECTION = f"""{HEAD}[calls]
gamma = "3"
[[contest]]
id = "president"
title = "President"
rule = "plurality"
[[contest.option]]
id = "heron"
name = "Heron"
[[contest.option]]
id = "owl-a"
name = "Owl (A)"
candidate = "owl"
[[contest.option]]
id = "owl-b"
name = "Owl (B)"
candidate = "owl"
[[contest.candidate]]
id = "owl"
name = "Owl"
[[contest]]
id = "council"
title = "Council of the north"
rule = "plurality"
unit = "north"
[[contest.option]]
id = "heron"
name = "Heron"
"""
STATIONS = [(region, f"{region}-{number}") for region in ("north", "south") for number in range(60)]
COUNTED = 90
"""How many stations have reported, in an order that regions do not explain."""


def write_folder(folder: Path) -> None:
    """An election whose stations differ much from each other, and little from the time before."""
    draws = random.Random(3)
    folder.mkdir()
    (folder / "election.toml").write_text(ELECTION)
    units = ["id,parent,name,kind,roll", "marsh,,The Marsh,country,"]
    for region in ("north", "south"):
        units.append(f"{region},marsh,{region.title()},region,")
        units += [f"{station},{region},School,station,600" for own, station in STATIONS if own == region]
    (folder / "units.csv").write_text("\n".join([*units, ""]))
    before = ["station,contest,option,votes"]
    now = ["station,contest,votes:heron,votes:owl-a,votes:owl-b,blank,null,cast,voters,roll,time"]
    for _, station in STATIONS:
        heron = draws.randrange(60, 360)
        rest = 400 - heron
        before += [
            f"{station},president,{o},{v}" for o, v in (("heron", heron), ("owl-a", rest // 2), ("owl-b", rest - rest // 2))
        ]
        swing = draws.randrange(5, 15)
        now.append(f"{station},president,{heron + swing},{rest - swing - 20},20,3,2,405,405,600,1780000000")
    draws.shuffle(before_rows := before[1:])
    (folder / "baseline.csv").write_text("\n".join([before[0], *before_rows, ""]))
    header, *rows = now
    draws.shuffle(rows)
    (folder.parent / "sheets.csv").write_text("\n".join([header, *rows[:COUNTED], ""]))


@pytest.fixture(scope="module")
def marsh(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An election folder with a bulletin, and its published site."""
    base = tmp_path_factory.mktemp("baseline")
    folder, bundle, site = base / "marsh", base / "sheets.bundle", base / "site"
    write_folder(folder)
    assert "2 contest(s), 1 of them with a baseline." in call("check", folder).out
    call("open", folder)
    call("sign", folder, base / "sheets.csv", "--to", bundle)
    with serving(folder) as service:
        sent = run("submit", bundle, "--to", service.address, "--definition", folder / "record/definition.cose", "--json")
        assert sent.json == {"registered": COUNTED, "refused": []}
    call("bulletin", folder)
    call("publish", folder, "--to", site)
    return folder, site


def counted(folder: Path) -> tuple[Count, Log]:
    office = Office.load(folder)
    log = office.read_log()
    return office.count(log, COUNTED + 1), log


def test_the_record_has_the_baseline_in_its_one_order(marsh: tuple[Path, Path]) -> None:
    folder, site = marsh
    given = (folder / "baseline.csv").read_text().splitlines()
    kept = (folder / "record/baseline.csv").read_text().splitlines()
    assert (kept[0], sorted(kept[1:])) == (given[0], sorted(given[1:]))
    assert [line.split(",")[0] for line in kept[1::3]] == [station for _, station in STATIONS]
    assert (site / "definition/baseline.csv").read_bytes() == (folder / "record/baseline.csv").read_bytes()
    assert "definition/baseline.csv" in (site / "manifest").read_text()
    assert 'href="definition/baseline.csv"' in (site / "data.html").read_text()


def test_a_bulletin_carries_calls_that_used_it(marsh: tuple[Path, Path]) -> None:
    count, log = counted(marsh[0])
    try:
        bulletin = parse_statement(log.entry(COUNTED + 1)).payload
    finally:
        log.close()
    assert isinstance(bulletin, Bulletin)
    assert bulletin.calls == bulletin_calls(count)
    settings = count.election.definition.calls
    assert settings is not None
    partial = partial_count(count, 0, settings)
    contest = count.election.contests[0]
    without = state_call(make_call(contest, replace(partial, previous=None), settings, committed=True))
    (used,), (unused,) = bulletin.calls[0].conditions, without.conditions
    assert (used.code, used.value) == (unused.code, unused.value) == ("lead:heron:owl", used.value)
    # The stations differ much from each other and little from the time before, so that it takes more to flip the outcome.
    assert unused.flips_at is not None
    assert used.flips_at is None or used.flips_at > unused.flips_at


def test_a_partial_count_has_it_by_candidate_for_its_own_stations(marsh: tuple[Path, Path]) -> None:
    count, log = counted(marsh[0])
    log.close()
    settings, units = count.election.definition.calls, count.election.units
    assert settings is not None
    before: dict[str, list[int]] = {station: [0, 0] for _, station in STATIONS}
    for row in (marsh[0] / "baseline.csv").read_text().splitlines()[1:]:
        station, _, option, votes = row.split(",")
        before[station][option != "heron"] += int(votes)
    for unit in (None, "north", "south", "south-7"):
        partial = partial_count(count, 0, settings, None if unit is None else units.position(unit))
        assert partial.previous is not None
        own = [votes for station, votes in before.items() if unit is None or station == unit or station.startswith(f"{unit}-")]
        if unit == "south-7":
            own = [before[unit]]
        assert partial.previous.tolist() == own
        assert partial.first(3).previous is partial.previous
    assert partial_count(count, 1, settings).previous is None


def test_what_was_published_verifies(marsh: tuple[Path, Path]) -> None:
    folder, site = marsh
    report = call("verify", site, "--definition", Office.load(folder).election.hash.hex(), "--json").json
    assert (report["passed"], report["bulletins"], report["findings"]) == (True, 1, [])
    with serving(folder, "--site", site, "--site-port", 0) as service:
        assert call("verify", service.site, "--json").json["passed"] is True
    assert call("call", folder, "--contest", "president", "--json").json[0]["contest"] == "president"


def findings(site: Path) -> list[tuple[str, str]]:
    report = call("verify", site, "--json", code=1).json
    return [(finding["where"], finding["message"]) for finding in report["findings"]]


def test_a_changed_baseline_is_found(marsh: tuple[Path, Path], tmp_path: Path) -> None:
    site = shutil.copytree(marsh[1], tmp_path / "site")
    table = site / "definition/baseline.csv"
    table.write_bytes(table.read_bytes().replace(b"north-7,president,heron,", b"north-7,president,heron,1"))
    changed = [("definition/baseline.csv", "is not the table that the definition names: it was changed")]
    assert findings(site) == changed
    signed_anew(site, Office.load(marsh[0]).log_signer(), {"definition/baseline.csv": table.read_bytes()})
    assert findings(site) == changed
    table.unlink()
    assert findings(site) == [("definition/baseline.csv", "is missing")]


def test_a_baseline_that_the_definition_does_not_name_is_found(tmp_path: Path) -> None:
    folder, site = tmp_path / "birds", tmp_path / "site"
    call("new", folder)
    call("open", folder)
    assert not (folder / "record/baseline.csv").exists()
    call("publish", folder, "--to", site)
    assert call("verify", site, "--json").json["passed"] is True
    table = b"station,contest,option,votes\nnorth-1,president,heron,1\n"
    (site / "definition/baseline.csv").write_bytes(table)
    unexpected = "does not belong to this site: neither the log nor the manifest gives it"
    assert findings(site) == [("definition/baseline.csv", unexpected)]
    signed_anew(site, Office.load(folder).log_signer(), {"definition/baseline.csv": table})
    assert findings(site) == [("definition/baseline.csv", "is listed in the manifest, and the log gives no such file")]
    (folder / "record/baseline.csv").write_bytes(table)
    assert "baseline.csv is not a table of the definition" in refused("count", folder)


def test_a_record_without_its_baseline_is_refused(marsh: tuple[Path, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(marsh[0], tmp_path / "marsh")
    table = folder / "record/baseline.csv"
    table.write_bytes(table.read_bytes() + b"\n")
    assert "baseline.csv is not the table that the definition names" in refused("count", folder)
    table.unlink()
    assert "baseline.csv is missing, and the definition names it" in refused("publish", folder, "--to", tmp_path / "site")


def test_an_announcement_is_held_against_a_site_with_a_baseline(marsh: tuple[Path, Path], tmp_path: Path) -> None:
    site = shutil.copytree(marsh[1], tmp_path / "site")
    assert callable(records_at(site, None, "president", silent))
    (site / "definition/baseline.csv").unlink()
    with pytest.raises(UsageError, match=r"definition/baseline\.csv is missing"):
        records_at(site, None, "president", silent)


def test_check_and_open_refuse_a_baseline_without_calls(tmp_path: Path) -> None:
    folder = tmp_path / "marsh"
    write_folder(folder)
    (folder / "election.toml").write_text(ELECTION.replace('[calls]\ngamma = "3"\n', ""))
    assert "add a section [calls] to election.toml" in call("check", folder, code=1).out
    assert "add a section [calls] to election.toml" in refused("open", folder)
    (folder / "election.toml").write_text(ELECTION)
    text = (folder / "baseline.csv").read_text()
    (folder / "baseline.csv").write_text(text.replace("south-9,president,heron,", "south-9,president,hern,"))
    (finding,) = call("check", folder, "--json", code=1).json
    assert (finding["file"], finding["field"]) == ("baseline.csv", "option")
    assert "write 'heron'" in finding["message"]
