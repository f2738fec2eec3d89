import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from scrutineer.cli import cli
from scrutineer.election import (
    Alternative,
    Candidate,
    Contest,
    Definition,
    Election,
    LogIdentity,
    Option,
    Register,
    UnitRow,
    Units,
)
from scrutineer.election.definition import REGISTER_TABLE, UNITS_TABLE, table_hash
from scrutineer.election.folder import read_folder, write_folder
from scrutineer.election.nist import export_definition
from scrutineer.errors import UsageError

CONTESTS = (
    Contest(
        "president",
        'President of "Avia" \\ isles',
        "majority",
        (Option("heron", "Heron"), Option("owl-a", "Owl A", "owl"), Option("owl-b", "Owl B", "owl")),
        alternative=Alternative("40 %", "10 %"),
        candidates=(Candidate("owl", "Öwl"),),
    ),
    Contest("council", "Council", "dhondt", (Option("a", "A"), Option("b", "B")), seats=5, threshold="5 %", unit="north"),
    Contest("board", "Board", "plurality", (Option("a", "A"), Option("b", "B"), Option("c", "C")), seats=2, max_choices=2),
)
UNITS = (
    UnitRow("avia", "", "Avia", "country", None),
    UnitRow("north", "avia", "North", "region", None),
    UnitRow("north-1", "north", "School", "station", 700),
)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    write_folder(tmp_path / "e", election_id="avia", name="Avia votes", date="2026-05-03", contests=CONTESTS, units=Units(UNITS))
    draft = read_folder(tmp_path / "e")
    assert draft.contests == CONTESTS
    assert tuple(draft.units.rows()) == UNITS
    assert (draft.id, draft.name, draft.date) == ("avia", "Avia votes", "2026-05-03")


def test_names_written_in_read_back(tmp_path: Path) -> None:
    contest = structs.replace(CONTESTS[2], write_in="c")
    write_folder(tmp_path / "e", election_id="avia", name="Avia", date="2026-05-03", contests=[contest], units=Units(UNITS))
    assert read_folder(tmp_path / "e").contests == (contest,)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(UsageError, match="is not empty"):
        write_folder(tmp_path, election_id="avia", name="Avia", date="2026-05-03", contests=CONTESTS, units=Units(UNITS))


def test_an_election_goes_through_nist_json_and_comes_back(tmp_path: Path) -> None:
    tables = {UNITS_TABLE: table_hash(b""), REGISTER_TABLE: table_hash(b"")}
    log = LogIdentity("log.example", ("key",))
    definition = Definition(1, "avia", "Avia votes", "2026-05-03", "UTC", "simulated", "Council", CONTESTS, tables, log)
    units = Units(UNITS)
    election = Election(definition, units, Register(units.station_index, bytes(32), []), bytes(32))
    report = tmp_path / "report.json"
    report.write_text(json.dumps(export_definition(election, generated_at=0)), encoding="utf-8")
    result = CliRunner().invoke(cli, ["new", str(tmp_path / "e"), "--nist", str(report)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    draft = read_folder(tmp_path / "e")
    assert draft.contests == CONTESTS
    assert tuple(draft.units.rows()) == UNITS
