"""Shapes: read as GeoJSON, and every fault found with its feature."""

import json
from pathlib import Path

import pytest

from scrutineer.election import UnitRow, Units
from scrutineer.election.folder import check_folder, read_folder
from scrutineer.election.shapes import MAX_POSITIONS, MAX_SHAPES_SIZE, SCALE, Point, read_shapes, ring_area, shapes_findings
from scrutineer.errors import DefinitionError

UNITS = Units(
    [
        UnitRow("land", "", "Land", "country", None),
        UnitRow("north", "land", "North", "region", None),
        UnitRow("n1", "north", "One", "station", 700),
        UnitRow("s1", "land", "Three", "station", 40),
    ]
)
SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]
HOLE = [[0.5, 0.5], [0.5, 1], [1, 1], [0.5, 0.5]]


def feature(unit: object, kind: str, coordinates: object) -> dict[str, object]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": unit, "properties": None, "geometry": geometry}


def collection(*features: object, **members: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features} | members).encode()


NORTH = feature("north", "Polygon", [SQUARE, HOLE])
STATION = feature("n1", "Point", [-71.25, 10.5, 300.0])


def test_areas_and_points_are_read_by_unit() -> None:
    islands = feature("land", "MultiPolygon", [[SQUARE], [[[5, 5], [6, 5], [6, 6], [5, 5]]]])
    shapes = read_shapes(collection(NORTH, STATION, islands, name="places", bbox=[0, 0, 1, 1]), UNITS)
    assert len(shapes) == 3
    assert 0 in shapes
    assert 3 not in shapes
    assert [ring.tolist() for ring in shapes.areas[1][0]] == [
        [[0, 0], [2 * SCALE, 0], [2 * SCALE, 2 * SCALE], [0, 2 * SCALE]],
        [[SCALE // 2, SCALE // 2], [SCALE // 2, SCALE], [SCALE, SCALE]],
    ]
    assert [len(polygon) for polygon in shapes.areas[0]] == [1, 1]
    assert shapes.points == {2: Point(-712_500_000, 105_000_000)}


def test_the_area_of_a_ring_is_exact_for_the_whole_world() -> None:
    world = feature("land", "Polygon", [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]])
    shapes = read_shapes(collection(world), UNITS)
    assert ring_area(shapes.areas[0][0][0]) == 2 * 360 * 180 * SCALE * SCALE


FAULTS = {
    "not JSON": (b"{", "export the outlines as GeoJSON"),
    "not UTF-8": (b'{"type": "FeatureCollection", "features": [], "name": "\xff"}', "GeoJSON"),
    "another object": (b'{"type": "Topology"}', "not a GeoJSON FeatureCollection"),
    "nested without end": (b'{"type": "FeatureCollection", "features": [' + b"[" * 100_000, "GeoJSON"),
    "empty": (collection(), "has no feature"),
    "projected": (collection(NORTH, crs={"type": "name"}), "names a coordinate reference system"),
    "no id": (collection({**NORTH, "id": None}), "its id must be that of a unit"),
    "missing id": (collection({"type": "Feature", "geometry": NORTH["geometry"]}), "its id must be that of a unit"),
    "number as id": (collection({**NORTH, "id": 7}), "feature 1 ('7'): its id must be that of a unit, as text"),
    "no feature": (collection(NORTH, 5), "feature 2: it cannot be used"),
    "no geometry": (collection({**NORTH, "geometry": None}), "feature 1 ('north'): it has no geometry"),
    "a line": (collection(feature("north", "LineString", SQUARE)), "Polygon, MultiPolygon or Point"),
    "deep properties": (collection(NORTH)[:-2] + b', {"properties": ' + b"[" * 50_000 + b"]" * 50_000 + b"}]}", "GeoJSON"),
    "unknown unit": (collection(feature("nort", "Polygon", [SQUARE])), "there is no unit 'nort' in units.csv; write 'north'"),
    "twice": (collection(NORTH, STATION, NORTH), "feature 3 ('north'): unit 'north' has a feature already"),
    "open ring": (collection(feature("north", "Polygon", [SQUARE[:-1]])), "repeat its first position at its end"),
    "short ring": (collection(feature("north", "Polygon", [[[0, 0], [1, 1], [0, 0]]])), "length >= 4"),
    "no ring": (collection(feature("north", "Polygon", [])), "length >= 1"),
    "no area": (collection(feature("north", "Polygon", [[[0, 0], [1, 1], [2, 2], [0, 0]]])), "encloses nothing"),
    "metres": (collection(feature("n1", "Point", [512_000, 20])), "512000.0 is not a longitude"),
    "swapped": (collection(feature("n1", "Point", [20, 100])), "100.0 is not a latitude"),
    "huge number": (collection(feature("n1", "Point", [0, 0])).replace(b"[0, 0]", b"[1e999, 0]"), "feature 1"),
    "one number": (collection(feature("n1", "Point", [20])), "length >= 2"),
    "text for a number": (collection(feature("n1", "Point", ["20", 1])), "Expected `float`"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_named_with_its_feature(name: str) -> None:
    data, message = FAULTS[name]
    found = shapes_findings(data, UNITS)
    assert found
    assert message in " / ".join(map(str, found))
    assert all(finding.file == "shapes.geojson" for finding in found)
    with pytest.raises(DefinitionError, match=r"shapes\.geojson"):
        read_shapes(data, UNITS)


def test_all_faults_are_found_together() -> None:
    found = shapes_findings(collection(feature("x", "Point", [1, 1]), NORTH, feature("n1", "Point", [999, 1])), UNITS)
    assert [finding.field for finding in found] == ["feature 1 ('x')", "feature 3 ('n1')"]


def test_size_and_corners_are_bounded() -> None:
    assert "bytes, and at most" in str(shapes_findings(b" " * (MAX_SHAPES_SIZE + 1), UNITS)[0])
    ring = [[0, 0], *([index % 2 + 1, 1] for index in range(MAX_POSITIONS)), [0, 5], [0, 0]]
    assert "corners, and at most" in str(shapes_findings(collection(feature("north", "Polygon", [ring])), UNITS)[0])


ELECTION = """\
[election]
id = "birds"
name = "Birds"
date = "2025-05-18"
timezone = "UTC"
authority = "Commission"

[[contest]]
id = "c"
title = "C"
rule = "plurality"
[[contest.option]]
id = "wren"
name = "Wren"
[[contest.option]]
id = "owl"
name = "Owl"
"""
TABLE = "id,parent,name,kind,roll\nland,,Land,country,\nnorth,land,North,region,\nn1,north,One,station,700\n"


def test_an_election_folder_may_have_shapes(tmp_path: Path) -> None:
    (tmp_path / "election.toml").write_text(ELECTION)
    (tmp_path / "units.csv").write_text(TABLE)
    assert check_folder(tmp_path) == []
    assert read_folder(tmp_path).shapes is None
    path = tmp_path / "shapes.geojson"
    path.write_bytes(collection(NORTH))
    assert read_folder(tmp_path).shapes == collection(NORTH)
    path.write_bytes(collection(feature("east", "Polygon", [SQUARE])))
    assert [str(finding).partition(";")[0] for finding in check_folder(tmp_path)] == [
        "shapes.geojson, feature 1 ('east'): there is no unit 'east' in units.csv"
    ]
