"""The static API: small JSON files that programs ask for one at a time, each described by a JSON Schema beside it.

There is one file for the election, one for each contest, and one for each unit above the stations with the stations and units
directly in it. They hold names, ids and figures and nothing in a language, so that there is one set for all. The file of a unit
depends on the definition and on what was recorded of the stations below it, and on nothing else, so that only files whose figures
changed are written again. What every field means stands in the data dictionary.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from scrutineer.count import STATUS_NAMES, UnitResult, contest_result, unit_result
from scrutineer.count.columns import BLANK, CAST, NULL, ROLL, VOTERS
from scrutineer.count.contest import ContestCount
from scrutineer.election import UNKNOWN
from scrutineer.election.contests import LIST_RULES
from scrutineer.portal.api_schema import schema_files, schema_path, schema_paths
from scrutineer.portal.api_tables import CONTEST, ELECTION, INDEX, UNIT
from scrutineer.portal.dictionary import Table
from scrutineer.portal.formats import (
    BASELINE_FILE,
    DEFINITION_FILE,
    HEAD_FILE,
    MANIFEST_FILE,
    REGISTER_FILE,
    SHAPES_FILE,
    SITE_FILE,
    UNITS_FILE,
    SiteFile,
    write_json,
)
from scrutineer.portal.history_files import INDEX_FILE as SNAPSHOTS
from scrutineer.portal.sheets import ballots_of
from scrutineer.portal.view import View

FOLDER: Final = "api/v1"
MOST_UNIT_FILES: Final = 100_000
"""Where an election has more units above the stations, those of its lowest levels have no files: their figures, and those of the
stations in them, stand in the tables, which programs read faster than a hundred thousand small files."""
MOST_CHILDREN: Final = 5_000
"""A unit with more places directly in it lists none of them, so that no file grows beyond a few megabytes."""
_ENCODE: Final = msgspec.json.Encoder().encode
_SUMMED: Final = ("ballots", "blank", "null", "voters")

Json = dict[str, Any]


def api_files(view: View) -> Iterator[SiteFile]:
    """`api/v1/index.json`, the election, the contests and the schemas: all files of the API but those of the units."""
    yield SiteFile(f"{FOLDER}/index.json", (write_json(_index(view)),))
    yield SiteFile(f"{FOLDER}/election.json", (write_json(_election(view)),))
    for contest in range(len(view.standings)):
        yield SiteFile(_contest_path(view, contest), (write_json(_contest(view, contest)),))
    yield from schema_files()


def unit_files(view: View, units: Iterable[int] | None = None) -> Iterator[SiteFile]:
    """The files of units above the stations, by position, in the order given; without `units` of all in the units table.

    Units that have no file are passed over: those below the last level that has files, and all where the site has no pages.
    """
    writer = _UnitWriter(view)
    for unit in view.units.index.values() if units is None else units:
        if writer.has_file(unit):
            yield SiteFile(writer.path(unit), (_ENCODE(writer.unit(unit)) + b"\n",))


def unit_path(view: View, unit: int) -> str:
    """Where the file of a unit above the stations lies, if it has one."""
    return f"{FOLDER}/{view.places.unit(unit).removesuffix('.html')}.json"


def root_path(view: View) -> str:
    """The file of the country, from which all others are found; empty where units have none."""
    return unit_path(view, 0) if 0 in view.inner and view.record.options.pages != "none" else ""


# --- the election and its contests ---------------------------------------------------------------------------------------------


def _schema(table: Table, depth: int) -> str:
    """The path of a schema as seen from a file so many folders below the API's."""
    return f"{'../' * depth}{schema_path(table).removeprefix(f'{FOLDER}/')}"


def _contest_path(view: View, contest: int) -> str:
    name = view.places.contest(view.election.contests[contest].id, "json").split("/")[1]
    return f"{FOLDER}/contests/{name}.json"


def _index(view: View) -> Json:
    record, places, writer = view.record, view.places, _UnitWriter(view)
    once = [SITE_FILE, DEFINITION_FILE, UNITS_FILE, REGISTER_FILE, HEAD_FILE, MANIFEST_FILE]
    tables = view.election.definition.tables
    once += [path for path in (BASELINE_FILE, SHAPES_FILE) if path.removeprefix("definition/") in tables]
    contests = [
        {
            "id": terms.id,
            "title": terms.title,
            "file": _contest_path(view, number),
            "results": places.contest(terms.id, "results.csv"),
            "stations": places.contest(terms.id, "stations.csv"),
            "parquet": places.contest(terms.id, "stations.parquet"),
            "control": places.contest(terms.id, "control.json"),
        }
        for number, terms in enumerate(view.election.contests)
    ]
    return {
        "$schema": _schema(INDEX, 0),
        "election": f"{FOLDER}/election.json",
        "definition": view.election.hash.hex(),
        "layer": view.layer,
        "record": {"size": record.head.size, "root": record.head.root.hex(), "time_ms": record.head.time_ms},
        "contests": contests,
        "units": root_path(view) or None,
        "unit_files": sum(map(writer.has_file, view.units.index.values())),
        "files": [*once, SNAPSHOTS, "data/summary.json", "data/results.nist.json"],
        "schemas": schema_paths(),
        "control": {"rows": len(contests), "sums": {}},
    }


def _election(view: View) -> Json:
    definition, units = view.election.definition, view.units
    rolls = units.rolls
    contests = [
        {
            "id": terms.id,
            "title": terms.title,
            "rule": terms.rule,
            "seats": terms.seats,
            "max_choices": terms.max_choices,
            "threshold": terms.threshold or None,
            "base": terms.base,
            "unit": units.ids[view.election.contest_units[number]],
            "options": [{"id": o.id, "name": o.name, "candidate": o.candidate or o.id} for o in terms.options],
            "candidates": [{"id": candidate.id, "name": candidate.name} for candidate in terms.standing()],
        }
        for number, terms in enumerate(view.election.contests)
    ]
    return {
        "$schema": _schema(ELECTION, 0),
        "id": definition.id,
        "name": definition.name,
        "date": definition.date,
        "timezone": definition.timezone,
        "authority": definition.authority,
        "provenance": definition.provenance,
        "source": definition.source or None,
        "definition": view.election.hash.hex(),
        "country": units.ids[0],
        "units": len(units.index),
        "stations": units.station_count,
        "roll": int(rolls.sum()) if (rolls >= 0).all() else None,
        "contests": contests,
        "control": {"rows": len(contests), "sums": {"seats": sum(terms.seats for terms in view.election.contests)}},
    }


def _contest(view: View, contest: int) -> Json:
    now, found = view.standings[contest], view.called[contest]
    terms = now.contest
    ids = [candidate.id for candidate in terms.standing()]
    totals = _totals(now.result, [option.id for option in terms.options])
    return {
        "$schema": _schema(CONTEST, 1),
        "id": terms.id,
        "title": terms.title,
        "rule": terms.rule,
        "layer": view.layer,
        "unit": view.units.ids[view.election.contest_units[contest]],
        "totals": totals,
        "candidates": dict(zip(ids, now.candidate_votes, strict=True)),
        "seats": dict(zip(ids, now.outcome.seats, strict=True)) if terms.rule in LIST_RULES else None,
        **outcome_fields(view, contest),
        "verdict": None if found is None else found.call.verdict,
        "control": {"rows": len(ids), "sums": {"candidates": sum(now.candidate_votes), "votes": sum(now.result.votes)}},
    }


def outcome_fields(view: View, contest: int) -> Json:
    """`outcome` and `bound` of a contest."""
    now, stated = view.standings[contest], contest_result(view.count, contest)
    return {
        "outcome": {
            "elected": list(stated.elected),
            "runoff": list(stated.runoff),
            "tied": list(stated.tied),
            "open_seats": now.outcome.open_seats,
            "margin": now.outcome.margin,
        },
        "bound": {
            "changeable": now.bound.changeable,
            "exact": now.bound.exact,
            "ballots_needed": now.bound.margin,
            "open_ballots": now.result.open_ballots,
            "slack": now.bound.slack,
            "open_stations_without_roll": now.result.open_without_roll,
        },
    }


# --- units ---------------------------------------------------------------------------------------------------------------------


def _totals(result: UnitResult, options: list[str]) -> Json:
    return {
        "stations": result.stations,
        "counted": result.counted,
        "quarantined": result.quarantined,
        "excluded": result.excluded,
        "outstanding": result.outstanding,
        "roll": result.roll,
        "roll_counted": result.roll_counted,
        "ballots": result.ballots,
        "blank": result.blank,
        "null": result.null,
        "voters": result.voters,
        "votes": dict(zip(options, result.votes, strict=True)),
    }


class _UnitWriter:
    """Puts together the files of units."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._options = [[option.id for option in contest.options] for contest in view.election.contests]
        self._below = [view.units.stations_below(state.unit) for state in view.count.contests]
        self._schema = _schema(UNIT, 1)
        self._all = len(view.units.index) <= MOST_UNIT_FILES

    def has_file(self, unit: int) -> bool:
        """Whether a unit (by position) has a file."""
        if unit not in self._view.inner or self._view.record.options.pages == "none":
            return False
        return self._all or self._view.places.is_above(unit, MOST_UNIT_FILES)

    def path(self, unit: int) -> str:
        """Where the file of a unit lies."""
        return unit_path(self._view, unit)

    def unit(self, unit: int) -> Json:
        """The contents of a unit's file."""
        units = self._view.units
        children = self._view.children[unit]
        listed = children if len(children) <= MOST_CHILDREN else None
        return {
            "$schema": self._schema,
            "id": units.ids[unit],
            "name": units.names[unit],
            "kind": units.kinds[unit],
            "page": self._page(unit),
            "above": [
                {"id": units.ids[above], "name": units.names[above], "file": self.path(above)} for above in units.path(unit)[:-1]
            ],
            "children": None if listed is None else [self._child(child) for child in listed],
            "contests": [self._contest(contest, unit, listed) for contest in self._view.contests_in(unit)],
        }

    def _page(self, unit: int) -> str | None:
        view = self._view
        if unit in view.inner:
            return view.places.unit(unit) if view.places.has_page(unit) else None
        return view.places.station(unit)

    def _child(self, unit: int) -> Json:
        units = self._view.units
        return {
            "id": units.ids[unit],
            "name": units.names[unit],
            "kind": units.kinds[unit],
            "stations": int(units.last_station[unit]) - int(units.first_station[unit]),
            "file": self.path(unit) if self.has_file(unit) else None,
            "page": self._page(unit),
        }

    def _contest(self, contest: int, unit: int, listed: list[int] | None) -> Json:
        view, options = self._view, self._options[contest]
        row: Json = {
            "contest": view.election.contests[contest].id,
            "totals": _totals(unit_result(view.count, contest, unit), options),
        }
        if listed is None:
            return row | {"units": None, "stations": None, "control": {"rows": 0, "sums": {}}}
        first, last, within = view.units.first_station, view.units.last_station, self._below[contest]
        voting = [child for child in listed if first[child] < within.stop and within.start < last[child]]
        inner = [child for child in voting if child in view.inner]
        units = [
            {
                "id": view.units.ids[child],
                "name": view.units.names[child],
                "totals": _totals(unit_result(view.count, contest, child), options),
            }
            for child in inner
        ]
        stations = self._stations(contest, voting if not inner else [child for child in voting if child not in view.inner])
        return row | {"units": units, "stations": stations, "control": _control(units, stations)}

    def _stations(self, contest: int, stations: list[int]) -> list[Json]:
        """The rows of stations, by position among the units."""
        if not stations:
            return []
        view, state, ids = self._view, self._view.count.contests[contest], self._options[contest]
        at = view.units.first_station[stations]
        columns: Iterable[tuple[int, int, int, int, int, list[int]]] = zip(
            stations,
            state.status[at].tolist(),
            state.sheet[at].tolist(),
            state.flags[at].tolist(),
            view.units.rolls[at].tolist(),
            state.figures[at].tolist(),
            strict=True,
        )
        hashes = state.hashes[at].tobytes()
        return [self._station(state, ids, row, hashes[32 * place : 32 * place + 32]) for place, row in enumerate(columns)]

    def _station(self, state: ContestCount, ids: list[str], row: tuple[int, int, int, int, int, list[int]], sheet: bytes) -> Json:
        unit, status, entry, flags, roll, figures = row
        k = state.options
        has_sheet = entry >= 0
        known = [None if figure < 0 else figure for figure in figures]
        ballots = ballots_of(state.contest, figures) if has_sheet else UNKNOWN
        return {
            "id": self._view.units.ids[unit],
            "name": self._view.units.names[unit],
            "status": STATUS_NAMES[status],
            "entry": entry if has_sheet else None,
            "sheet": sheet.hex() if has_sheet else None,
            "rules": self._view.count.book.names(flags) if flags else (),
            "roll": roll if roll >= 0 else None,
            "stated_roll": known[k + ROLL],
            "voters": known[k + VOTERS],
            "cast": known[k + CAST],
            "ballots": ballots if ballots >= 0 else None,
            "blank": known[k + BLANK],
            "null": known[k + NULL],
            "votes": dict(zip(ids, known, strict=False)) if has_sheet else None,
        }


def _control(units: list[Json], stations: list[Json]) -> Json:
    rows = [unit["totals"] for unit in units] + stations
    sums = {name: sum([row[name] or 0 for row in rows]) for name in _SUMMED}
    sums["votes"] = sum([sum([votes or 0 for votes in row["votes"].values()]) for row in rows if row["votes"] is not None])
    return {"rows": len(rows), "sums": sums}
