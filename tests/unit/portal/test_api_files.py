import json
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from full_election import full_election
from portal_helpers import made_up, republic
from scrutineer.count import STATUS_NAMES, unit_result
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.portal import SiteOptions, api_files
from scrutineer.portal.api_files import api_files as files_of
from scrutineer.portal.api_files import unit_files
from scrutineer.portal.api_schema import json_schema, schema_path
from scrutineer.portal.api_tables import API_OBJECTS, DESCRIBED, UNIT
from scrutineer.portal.dictionary import Table
from scrutineer.portal.view import View


@cache
def view(which: str) -> View:
    return View(full_election()[-1].record if which == "full" else republic(60, contests="all", part=0.7, seed=4).record)


@cache
def files(which: str) -> dict[str, bytes]:
    shown = view(which)
    return {file.path: b"".join(file.chunks) for some in (files_of(shown), unit_files(shown)) for file in some}


def read(which: str, path: str) -> Any:
    return json.loads(files(which)[path])


BOTH = pytest.mark.parametrize("which", ["full", "general"])


@BOTH
def test_every_file_is_as_its_schema_says(which: str) -> None:
    validators = {schema_path(table): jsonschema_rs.validator_for(json_schema(table)) for table in DESCRIBED}
    seen = set()
    for path in files(which):
        if not path.startswith("api/v1/schema/"):
            found = read(which, path)
            depth = path.count("/") - 2
            schema = "api/v1/" + found["$schema"].removeprefix("../" * depth)
            validators[schema].validate(found)
            assert read(which, schema) == json_schema(next(t for t in DESCRIBED if schema_path(t) == schema))
            seen.add(schema)
    assert len(seen) == 4


@pytest.mark.parametrize("table", DESCRIBED, ids=lambda table: table.name)
def test_a_schema_is_one_and_refuses_what_the_dictionary_does_not_have(table: Table) -> None:
    schema = json_schema(table)
    jsonschema_rs.meta.validate(schema)
    assert not jsonschema_rs.is_valid(schema, {})
    text = json.dumps(schema)
    assert all(f'"#/$defs/{field.of}"' in text for field in table.fields if field.of)


def test_a_schema_refuses_one_field_more_and_another_type() -> None:
    found = read("full", "api/v1/units/avia.json")
    schema = json_schema(UNIT)
    jsonschema_rs.validate(schema, found)
    assert not jsonschema_rs.is_valid(schema, found | {"more": 1})
    assert not jsonschema_rs.is_valid(schema, found | {"name": None})
    found["contests"][0]["totals"]["votes"]["heron"] = "12"
    assert not jsonschema_rs.is_valid(schema, found)


@BOTH
def test_the_index_names_files_that_are_there(which: str) -> None:
    index = read(which, "api/v1/index.json")
    named = [index["election"], index["units"], *index["schemas"], *(contest["file"] for contest in index["contests"])]
    assert set(named) <= set(files(which))
    assert index["unit_files"] == sum(path.startswith("api/v1/units/") for path in files(which))
    site = (full_election()[-1] if which == "full" else republic(60, contests="all", part=0.7, seed=4)).files()
    tables = [contest[name] for contest in index["contests"] for name in ("results", "stations", "parquet", "control")]
    assert {*tables, *index["files"]} - {"manifest"} <= set(site)


@BOTH
def test_every_unit_is_reached_from_the_country(which: str) -> None:
    waiting, reached, stations = [read(which, "api/v1/index.json")["units"]], set(), 0
    while waiting:
        path = waiting.pop()
        reached.add(path)
        unit = read(which, path)
        assert [above["id"] for above in unit["above"]] == [
            view(which).units.ids[at] for at in view(which).units.path(view(which).units.index[unit["id"]])[:-1]
        ]
        waiting += [child["file"] for child in unit["children"] if child["file"]]
        stations += sum(child["file"] is None for child in unit["children"])
    assert reached == {path for path in files(which) if path.startswith("api/v1/units/")}
    assert stations == view(which).units.station_count


@BOTH
def test_a_unit_says_what_the_count_says(which: str) -> None:
    shown = view(which)
    for unit_id, unit in shown.units.index.items():
        found = read(which, f"api/v1/units/{unit_id}.json")
        for row in found["contests"]:
            number = shown.election.contest_index[row["contest"]]
            result = unit_result(shown.count, number, unit)
            votes = dict(zip((o.id for o in shown.election.contests[number].options), result.votes, strict=True))
            assert row["totals"].pop("votes") == votes
            assert row["totals"] == {name: getattr(result, name) for name in row["totals"]}


@BOTH
def test_the_parts_of_a_unit_add_up_to_it(which: str) -> None:
    for path in files(which):
        for row in read(which, path)["contests"] if path.startswith("api/v1/units/") else ():
            counted = [s for s in row["stations"] if s["status"] == "counted"]
            parts = [unit["totals"] for unit in row["units"]]
            for option, total in row["totals"]["votes"].items():
                assert total == sum(part["votes"][option] for part in (*parts, *counted))
            assert row["totals"]["ballots"] == sum(part["ballots"] or 0 for part in (*parts, *counted))
            assert row["totals"]["blank"] in (None, sum(part["blank"] or 0 for part in (*parts, *counted)))
            for status in STATUS_NAMES:
                own = sum(station["status"] == status for station in row["stations"])
                assert row["totals"][status] == own + sum(part[status] for part in parts)


@BOTH
def test_control_totals_are_those_of_the_rows(which: str) -> None:
    checked = 0
    for path in files(which):
        for row in read(which, path)["contests"] if path.startswith("api/v1/units/") else ():
            rows = [*(unit["totals"] for unit in row["units"]), *row["stations"]]
            assert row["control"]["rows"] == len(rows)
            assert row["control"]["sums"] == {
                **{name: sum(r[name] or 0 for r in rows) for name in ("ballots", "blank", "null", "voters")},
                "votes": sum(votes or 0 for r in rows for votes in (r["votes"] or {}).values()),
            }
            checked += len(rows)
    assert checked > 60


def test_every_sheet_is_named_by_its_hash() -> None:
    shown = view("full")
    state = shown.count.contests[0]
    for path in files("full"):
        for row in read("full", path)["contests"][:1] if path.startswith("api/v1/units/") else ():
            for found in row["stations"]:
                station = shown.units.station_index[found["id"]]
                if found["sheet"] is None:
                    assert state.sheet[station] < 0
                    assert found["status"] == "outstanding"
                    assert found["votes"] is None
                    assert {found[name] for name in ("entry", "cast", "ballots", "blank", "null", "voters")} == {None}
                else:
                    assert found["sheet"] == state.hashes[station].tobytes().hex()
                    assert found["entry"] == state.sheet[station]


def test_the_outcome_comes_with_all_its_figures() -> None:
    for number, now in enumerate(view("general").standings):
        found = read("general", f"api/v1/contests/{now.contest.id}.json")
        assert found["totals"]["votes"] == dict(zip((o.id for o in now.contest.options), now.result.votes, strict=True))
        assert found["bound"]["changeable"] == now.bound.changeable
        assert sum(found["candidates"].values()) == found["control"]["sums"]["candidates"]
        assert (found["seats"] is not None) == (now.contest.rule in ("dhondt", "sainte-lague", "hamilton"))
        assert found["unit"] == view("general").units.ids[view("general").election.contest_units[number]]


def test_chosen_units_are_the_same_files_in_the_order_given() -> None:
    shown = view("full")
    chosen = [*shown.units.index.values()][3::-2]
    found = {file.path: b"".join(file.chunks) for file in unit_files(shown, chosen)}
    assert list(found) == [f"api/v1/units/{shown.units.ids[unit]}.json" for unit in chosen]
    assert all(files("full")[path] == data for path, data in found.items())
    assert list(unit_files(shown, [int(shown.units.station_units[0])])) == []


def test_the_file_of_a_unit_stays_while_others_arrive() -> None:
    """Only units above the stations of the new entries have other files."""
    earlier, later = (View(published.record) for published in full_election()[-2:])
    files_before, files_after = ({file.path: b"".join(file.chunks) for file in unit_files(shown)} for shown in (earlier, later))
    changed = {path for path in files_before if files_before[path] != files_after[path]}
    touched = set()
    for before, after in zip(earlier.count.contests, later.count.contests, strict=True):
        fields = ("status", "sheet", "flags", "figures")
        for station in range(later.units.station_count):
            if any((getattr(before, name)[station] != getattr(after, name)[station]).any() for name in fields):
                path = later.units.path(int(later.units.station_units[station]))[:-1]
                touched |= {f"api/v1/units/{later.units.ids[unit]}.json" for unit in path}
    assert changed == touched
    assert 0 < len(changed) < len(files_before)


def test_without_pages_units_have_no_files() -> None:
    given = republic(20)
    shown = View(replace(given.record, options=SiteOptions(pages="none")))
    assert list(unit_files(shown)) == []
    index = json.loads(b"".join(next(files_of(shown)).chunks))
    assert index["units"] is None
    assert index["unit_files"] == 0


def test_a_very_large_election_has_files_down_to_some_level(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = view("full")
    monkeypatch.setattr(api_files, "MOST_UNIT_FILES", 5)
    found = {file.path: json.loads(b"".join(file.chunks)) for file in unit_files(shown)}
    assert sorted(found) == [f"api/v1/units/{own}.json" for own in ("avia", "coast", "hills", "lakes")]
    assert {child["file"] for child in found["api/v1/units/coast.json"]["children"]} == {None}
    index = json.loads(b"".join(next(files_of(shown)).chunks))
    assert index["unit_files"] == 4


def test_a_unit_with_very_many_places_lists_none_and_stays_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_files, "MOST_CHILDREN", 3)
    shown = view("full")
    for file in unit_files(shown):
        found = json.loads(b"".join(file.chunks))
        jsonschema_rs.validate(json_schema(UNIT), found)
        is_long = len(shown.children[shown.units.index[found["id"]]]) > 3
        assert (found["children"] is None) == is_long
        assert all((row["stations"] is None) == is_long for row in found["contests"])


def test_objects_of_the_dictionary_are_all_used() -> None:
    used = {field.of for table in (*DESCRIBED, *API_OBJECTS) for field in table.fields}
    assert {table.name for table in API_OBJECTS} <= used


def test_hostile_names_stay_text() -> None:
    attack = '"},<script>alert(1)</script>\\'
    rows = [UnitRow("land", "", attack, "country", None), UnitRow("n0", "land", attack, "station", 500)]
    contest = Contest("president", attack, "plurality", (Option("heron", attack),))
    shown = View(made_up(rows, (contest,), name=attack).record)
    (unit,) = (json.loads(b"".join(file.chunks)) for file in unit_files(shown))
    assert unit["name"] == unit["children"][0]["name"] == attack
    found = [json.loads(b"".join(file.chunks)) for file in files_of(shown)]
    assert found[1]["name"] == found[2]["title"] == attack
