"""Pages of places: their maps, their tables, and what they are compared with."""

import json
import re
from dataclasses import replace

import jsonschema_rs
import pytest

from full_election import full_election
from portal_helpers import Published, made_up, republic
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.language import LANGUAGES
from scrutineer.portal import SiteOptions
from scrutineer.portal.formats import SHAPES_FILE
from scrutineer.portal.map_figures import HATCHINGS, letter
from scrutineer.portal.map_schema import MAP_SCHEMA
from scrutineer.portal.pages import Pages
from scrutineer.portal.sheets import ballots_of
from scrutineer.portal.unit_pages import unit_pages
from scrutineer.portal.view import View

TAG = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def country() -> Published:
    return republic(300, part=0.6)


@pytest.fixture(scope="module")
def files(country: Published) -> dict[str, bytes]:
    return country.files()


def page(files: dict[str, bytes], path: str) -> str:
    return files[path].decode()


def text(html: str) -> str:
    """The words of a page, as one line."""
    return " ".join(TAG.sub(" ", html).split())


def test_chosen_units_get_the_pages_that_all_of_them_would_get(country: Published) -> None:
    pages = Pages(View(country.record))
    every = {file.path: b"".join(file.chunks) for file in unit_pages(pages)}
    chosen = list(country.record.election.units.index.values())[3:9]
    some = {file.path: b"".join(file.chunks) for file in unit_pages(pages, chosen)}
    assert len(some) >= len(chosen)
    assert some == {path: every[path] for path in some}


def test_every_place_with_a_shape_is_on_the_map_of_the_country(files: dict[str, bytes], country: Published) -> None:
    html = page(files, "units/avia.html")
    units = country.record.election.units
    first = [units.ids[unit] for unit in units.children(0)]
    maps = re.findall(r'<svg viewBox="0 0 \d+ \d+".*?</svg>', html, re.DOTALL)
    figures = [drawing for drawing in maps if "<a " in drawing]
    assert len(figures) == 2
    for drawing in figures:
        assert re.findall(r'href="\.\./units/([^"]+)\.html"', drawing) == first
        # The table says the same: keyboards and readers of the page are led to that, and past the map.
        assert 'aria-hidden="true"' in drawing
        assert drawing.count("<a ") == drawing.count('tabindex="-1"') == drawing.count("<title>")
    used = set(re.findall(r'<use href="#([^"]+)"', html))
    patterns = set(re.findall(r"url\(#([^)]+)\)", html))
    assert used | patterns <= set(re.findall(r' id="([^"]+)"', html))


def test_a_page_with_maps_stays_light(files: dict[str, bytes]) -> None:
    assert max(len(data) for path, data in files.items() if path.startswith("units/")) < 60_000


def test_maps_bear_no_style_and_no_colour_of_their_own(files: dict[str, bytes]) -> None:
    html = page(files, "units/avia.html")
    assert "style=" not in html
    assert not re.search(r'fill="(?!url\(#)', html)


def test_upper_places_are_beside_the_whole_and_deeper_ones_leave_that_to_a_script(country: Published) -> None:
    view = View(country.record)
    first, below = view.children[0][0], view.children[view.children[0][0]][0]
    while below in view.upper and view.children[below][0] in view.inner:
        below = view.children[below][0]
    view.upper = frozenset({0, first})
    pages = Pages(view)
    whole = pages.say.percent(max(view.standings[0].candidate_votes), view.standings[0].result.valid)
    upper, deeper = ((b"".join(file.chunks).decode() for file in unit_pages(pages, [unit])) for unit in (first, below))
    html = next(upper)
    assert "data-file=" not in html
    assert whole in html[html.index("Beside ") :]
    html = next(deeper)
    assert 'data-file="../data/summary.json"' in html
    assert re.search(r'<section class="compared" hidden [^>]*data-contest="president"', html)
    assert "compare." in html
    assert whole not in html


def test_a_row_of_a_station_says_its_status_ballots_leader_and_turnout(files: dict[str, bytes], country: Published) -> None:
    view = View(country.record)
    units, state, say = view.units, view.count.contests[0], Pages(view).say
    station = next(number for number in range(units.station_count) if state.status[number] == 1)
    unit = int(units.station_units[station])
    html = page(files, view.places.unit(int(units.parent[unit])))
    row = next(row for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if f"/{units.ids[unit]}.html" in row)
    votes = view.by_candidate(0, state.figures[station][: state.options].tolist())
    leader = state.contest.standing()[votes.index(max(votes))].name
    ballots = ballots_of(state.contest, state.figures[station].tolist())
    assert text(row).startswith(f"{units.names[unit]} Counted ")
    assert leader in text(row)
    assert say.percent(max(votes), sum(votes)) in text(row)
    assert text(row).endswith(say.percent(ballots, int(units.rolls[station])))


def test_counted_stations_are_compared_with_the_same_stations_then() -> None:
    night = full_election()[-1]
    record = night.record
    view = View(record)
    html = next(b"".join(file.chunks).decode() for file in unit_pages(Pages(view), [0]))
    assert "Beside the earlier election" in html
    state, before = view.count.contests[0], record.election.baseline[0]
    assert before is not None
    counted = [station for station in range(len(before)) if state.status[station] == 1]
    then = before[counted].sum(axis=0).tolist()
    now = state.figures[counted][:, : state.options].clip(0).sum(axis=0).tolist()
    shown = text(html[html.index("Beside the earlier election") :])
    say = Pages(view).say
    for candidate in record.election.contests[0].standing():
        index = [option.id for option in record.election.contests[0].options].index(candidate.id)
        assert f"{say.percent(then[index], sum(then))}" in shown
        assert f"{say.percent(now[index], sum(now))}" in shown
    assert f"the {len(counted)} stations that are counted here" in shown


def test_a_unit_without_anything_counted_compares_nothing() -> None:
    given = republic(60, part=0.0)
    html = next(b"".join(file.chunks).decode() for file in unit_pages(Pages(View(given.record)), [0]))
    assert "Beside " not in html
    assert "nothing counted" in html


def test_hatchings_and_letters_tell_candidates_apart() -> None:
    looks = {(index % HATCHINGS, letter(index)) for index in range(60)}
    assert len(looks) == 60
    assert letter(0) == "A"
    assert letter(26) == "27"


def test_places_lead_from_the_country_to_its_first_level(files: dict[str, bytes], country: Published) -> None:
    html = page(files, "places.html")
    units = country.record.election.units
    for unit in units.children(0):
        assert f'href="units/{units.ids[unit]}.html"' in html
        assert units.names[unit] in html
    assert 'href="map.html"' in html
    assert f"Station {units.station_count}" in text(html)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_places_and_map_are_there_in_every_language(files: dict[str, bytes], language: str) -> None:
    assert 'href="units/avia.html"' in page(files, f"{language}/places.html")
    assert 'data-program="../assets/maplibre/' in page(files, f"{language}/map.html")


def test_the_zoomable_map_has_all_it_loads_and_a_policy_of_its_own(files: dict[str, bytes]) -> None:
    html = page(files, "map.html")
    for name in ("program", "worker", "shapes", "figures"):
        assert re.search(f'data-{name}="([^"]+)"', html)[1] in files  # type: ignore[index]
    assert "worker-src &#39;self&#39;" in html
    assert "worker-src" not in page(files, "index.html")
    assert any(path.startswith("assets/maplibre/LICENSE") for path in files)


def test_the_figures_of_the_map_are_those_of_the_pages(files: dict[str, bytes], country: Published) -> None:
    figures = json.loads(files["data/map.json"])
    view = View(country.record)
    assert [unit["id"] for unit in figures["units"]] == [view.units.ids[unit] for unit in sorted(view.shapes)]
    assert {feature["id"] for feature in json.loads(files[SHAPES_FILE])["features"]} == {unit["id"] for unit in figures["units"]}
    whole = view.standings[0].result
    stations, counted, first, most, all_votes = figures["contests"][0]["places"][0]
    assert (stations, counted, all_votes) == (whole.stations, whole.counted, whole.valid)
    assert most == max(view.standings[0].candidate_votes)
    assert all(unit["path"] in files for unit in figures["units"])
    assert first == [view.standings[0].candidate_votes.index(most)]


def test_the_figures_of_the_map_are_as_their_schema_says(files: dict[str, bytes]) -> None:
    schema = json.loads(files["api/v1/schema/map.json"])
    assert schema == MAP_SCHEMA
    assert "api/v1/schema/map.json" in json.loads(files["api/v1/index.json"])["schemas"]
    jsonschema_rs.meta.validate(schema)
    figures = json.loads(files["data/map.json"])
    jsonschema_rs.validate(schema, figures)
    row = figures["contests"][0]["places"][0]
    for place in ([*row, 1], row[:4], [-1, *row[1:]], [*row[:2], 0, *row[3:]], [*row[:4], None]):
        changed = json.loads(files["data/map.json"])
        changed["contests"][0]["places"][0] = place
        assert not jsonschema_rs.is_valid(schema, changed), place
    for key in figures:
        assert not jsonschema_rs.is_valid(schema, {name: value for name, value in figures.items() if name != key})
    for key, value in (("path", 3), ("depth", "1"), ("at", [181, 0]), ("more", 1)):
        changed = json.loads(files["data/map.json"])
        changed["units"][0][key] = value
        assert not jsonschema_rs.is_valid(schema, changed), key


def test_without_shapes_there_is_no_map_and_nothing_of_one() -> None:
    rows = [
        UnitRow("land", "", "Land", "country", None),
        UnitRow("north", "land", "North", "region", None),
        UnitRow("n1", "north", "One", "station", 700),
        UnitRow("s1", "land", "Two", "station", 40),
    ]
    given = made_up(rows, (Contest("c", "C", "plurality", (Option("wren", "Wren"), Option("owl", "Owl"))),))
    files = given.files()
    assert "map.html" not in files
    assert "data/map.json" not in files
    assert SHAPES_FILE not in files
    assert not any("maplibre" in path for path in files)
    assert "map.html" not in page(files, "places.html")
    assert "maps.css" not in page(files, "units/land.html")


@pytest.mark.parametrize("pages", ["units", "none"])
def test_links_of_maps_lead_only_to_pages_that_are_there(country: Published, pages: str) -> None:
    options = replace(SiteOptions(), pages=pages, nist="units")  # type: ignore[arg-type]
    files = country.with_options(options).files()
    for path in [name for name in files if name.endswith(("places.html", "avia.html"))]:
        folder = path.rpartition("/")[0]
        for target in re.findall(r'<a href="([^"]+)" tabindex="-1">', page(files, path)):
            parts: list[str] = folder.split("/") if folder else []
            for step in target.split("/"):
                parts = parts[:-1] if step == ".." else [*parts, step]
            assert "/".join(parts) in files
    paths = {unit["path"] for unit in json.loads(files["data/map.json"])["units"]} - {None}
    assert paths <= set(files)
    assert bool(paths) == (pages == "units")
