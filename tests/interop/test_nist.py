"""Reports against NIST's own schema of SP 1500-100 v2, and its format read back by others' eyes: plain JSON."""

import datetime
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nist_figures import Columns, made_up
from scrutineer.count.nist_results import results_report
from scrutineer.election import Contest, Definition, Election, LogIdentity, Option, Register, TableHash, UnitRow, Units
from scrutineer.election.nist import export_definition, import_definition
from scrutineer.errors import CountError, DefinitionError
from shared_data import shared
from strategies import elections

jsonschema_rs = pytest.importorskip("jsonschema_rs", reason="jsonschema-rs is not installed: pip install jsonschema-rs")

AT = 1_805_000_000
Check = Callable[[Any], None]


@pytest.fixture(scope="module")
def valid() -> Check:
    schema = json.loads(shared("nist/ERR-v2/NIST_V2_election_results_reporting.json").read_bytes())
    check: Check = jsonschema_rs.Draft4Validator(schema, validate_formats=True).validate
    return check


def references(report: dict[str, Any]) -> None:
    """Every identifier is given once, and whatever is referred to exists: what the schema cannot say."""
    given: list[str] = []
    referred: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "@id":
                    given.append(inner)
                elif key.endswith("Id") and key != "VendorApplicationId":
                    referred.append(inner)
                elif key.endswith("Ids"):
                    referred.extend(inner)
                else:
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(report)
    assert len(given) == len(set(given))
    assert set(referred) <= set(given)


def written(election: Election, figures: list[Columns], **options: Any) -> dict[str, Any]:
    data = b"".join(results_report(election, figures, **{"status": "unofficial-partial", "generated_at": AT, **options}))
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    report: dict[str, Any] = json.loads(data, parse_float=pytest.fail)
    return report


def election_of(contests: tuple[Contest, ...], rows: list[UnitRow]) -> Election:
    units = Units(rows)
    table = TableHash(bytes(32), 0)
    definition = Definition(
        version=1,
        id="republic",
        name='Republic of "Birds" \\ \u2603',
        date="2027-03-14",
        timezone="UTC",
        provenance="replayed",
        source="a newspaper",
        authority="Commission",
        contests=contests,
        tables={"units.csv": table, "register.csv": table},
        log=LogIdentity("log.example", ("heron+00000000+AQ==",)),
    )
    return Election(definition, units, Register(units.station_index, bytes(32 * units.station_count), ()), bytes(32))


def country(stations: int, options: int = 10) -> Election:
    rows = [UnitRow("c", "", "Country", "country", None)]
    for number in range(stations):
        if number % 100 == 0:
            rows.append(UnitRow(f"d{number}", "c", f"District {number}", "municipality", None))
        rows.append(UnitRow(f"s{number}", rows[-1 - number % 100].id, f"School {number}", "polling-place", 700))
    ballot = tuple(Option(f"o{number}", f"Bird {number}") for number in range(options))
    return election_of((Contest(id="president", title="President", rule="plurality", options=ballot),), rows)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(elections())
def test_definitions_are_valid(valid: Check, election: Election) -> None:
    report = export_definition(election, generated_at=AT, language="en")
    valid(report)
    references(report)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(elections(), st.integers(0, 255), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from(["precinct-level", "summary-contest"]))
def test_results_are_valid(valid: Check, election: Election, seed: int, part: float, detail: str) -> None:
    figures = [made_up(election, number, seed, part) for number in range(len(election.contests))]
    report = written(election, figures, detail=detail)
    valid(report)
    references(report)
    if detail == "precinct-level":  # a summary leaves out the stations
        assert import_definition(json.dumps(report).encode())[1] == list(election.units.rows())


def test_every_number_is_where_the_documentation_puts_it(valid: Check) -> None:
    election = country(250, options=3)
    figures = made_up(election, 0, 7, 0.8)
    figures.blank[1] = figures.null[2] = -1
    figures.votes[3, 1] = -1
    report = written(election, [figures], status="certified", sequence=4)
    valid(report)
    ids = ["gp." + unit for unit in election.units.ids]
    body = report["Election"][0]
    contest = body["Contest"][0]
    votes = np.full_like(figures.votes, -1)
    for option, selection in enumerate(contest["ContestSelection"]):
        for entry in selection["VoteCounts"]:
            votes[ids.index(entry["GpUnitId"]), option] = entry["Count"]
    assert (votes == np.where((figures.counted > 0)[:, None], figures.votes, -1)).all()
    blank = {entry["GpUnitId"]: entry["Undervotes"] for entry in contest["OtherCounts"]}
    null = {entry["GpUnitId"]: entry.get("BallotsRejected") for entry in body["BallotCounts"]}
    cast = {entry["GpUnitId"]: entry.get("BallotsCast") for entry in body["BallotCounts"]}
    for row, unit in enumerate(ids):
        if figures.counted[row]:
            assert blank.get(unit) == (None if figures.blank[row] == -1 else figures.blank[row])
            assert null[unit] == (None if figures.null[row] == -1 else figures.null[row])
            assert cast[unit] == figures.cast[row]
        else:
            assert unit not in blank.keys() | null.keys()
    assert (contest["SubUnitsReported"], contest["TotalSubUnits"]) == (figures.counted[0], 250)
    sheets = {unit["@id"]: unit["ExternalIdentifier"][0]["Value"] for unit in report["GpUnit"] if "ExternalIdentifier" in unit}
    assert sheets == {ids[election.units.station_units[station]]: "07" * 32 for station in figures.sheets}
    state = {unit["@id"]: unit["CountStatus"][0]["Status"] for unit in report["GpUnit"]}
    assert state["gp.c"] == "in-process"
    assert {state[ids[election.units.station_units[station]]] for station in figures.sheets} == {"completed"}
    assert (report["Status"], report["SequenceStart"], report["Format"]) == ("certified", 4, "precinct-level")
    assert "Replayed from published data" in report["Notes"]


def test_the_same_count_gives_the_same_bytes() -> None:
    election = country(150)
    figures = made_up(election, 0, 3)
    first, second = (
        b"".join(results_report(election, [figures], status="unofficial-complete", generated_at=AT)) for _ in range(2)
    )
    assert first == second


def test_blocks_are_joined_without_a_seam(valid: Check) -> None:
    election = country(17_000, options=2)
    seen: list[tuple[int, int]] = []
    report = written(election, [made_up(election, 0, 1)], progress=lambda done, all_: seen.append((done, all_)))
    valid(report)
    assert len(report["GpUnit"]) == election.units.unit_count
    assert len(report["Election"][0]["Contest"][0]["ContestSelection"][1]["VoteCounts"]) == election.units.unit_count
    assert seen == [(1, 1)]


def test_figures_of_another_election_are_refused() -> None:
    election, other = country(150, options=3), country(151, options=3)
    with pytest.raises(CountError, match="one row"):
        b"".join(results_report(election, [made_up(other, 0, 1)], status="certified", generated_at=AT))
    with pytest.raises(CountError, match="contests"):
        b"".join(results_report(election, [], status="certified", generated_at=AT))


def test_a_published_example_is_read() -> None:
    data = shared("nist/examples-made-here/ve2024_20_stations_ERRv2.json").read_bytes()
    with pytest.raises(DefinitionError, match="VoteVariation"):  # it does not say how the contest is decided
        import_definition(data)
    given = json.loads(data)
    given["Election"][0]["Contest"][0]["VoteVariation"] = "plurality"
    contests, rows, _, date = import_definition(json.dumps(given).encode())
    assert date == "2024-07-28"
    assert len(rows) == len(given["GpUnit"]) == 21
    assert sum(row.roll or 0 for row in rows) == sum(unit.get("VotersRegistered", 0) for unit in given["GpUnit"][1:])
    assert [len(contest.options) for contest in contests] == [len(c["ContestSelection"]) for c in given["Election"][0]["Contest"]]


def test_the_moment_is_written_with_its_zone() -> None:
    election = country(2)
    moment = export_definition(election, generated_at=AT)["GeneratedDate"]
    assert datetime.datetime.fromisoformat(moment).timestamp() == AT
