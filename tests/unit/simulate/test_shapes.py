"""Shapes of an invented country: the same everywhere, readable, and without gaps or overlaps."""

import hashlib
import json
from collections import Counter
from itertools import pairwise

import pytest

from scrutineer.election.shapes import read_shapes, ring_area
from scrutineer.simulate.places import invent_places
from scrutineer.simulate.shapes import MOST_AREAS, MOST_POINTS, invent_shapes


@pytest.mark.parametrize("stations", [1, 2, 7, 60, 700, 6_000])
def test_the_upper_units_of_any_country_are_on_the_map(stations: int) -> None:
    units = invent_places(stations, stations * 700, 3).units
    data = invent_shapes(units, 3)
    shapes = read_shapes(data, units)
    assert len(data) <= 300_000
    assert 1 <= len(shapes.areas) <= MOST_AREAS
    assert len(shapes.points) <= MOST_POINTS
    assert set(units.children(0)) <= set(shapes.areas)
    # A level is on the map as a whole or not at all.
    for unit in shapes.areas:
        children = units.children(unit)
        assert sum(child in shapes for child in children) in (0, len(children))


def test_parts_fill_their_whole_exactly() -> None:
    units = invent_places(700, 490_000, 3).units
    shapes = read_shapes(invent_shapes(units, 3), units)
    size = {unit: sum(ring_area(ring) for polygon in area for ring in polygon) for unit, area in shapes.areas.items()}
    for unit in shapes.areas:
        parts = [child for child in units.children(unit) if child in shapes.areas]
        assert not parts or sum(size[part] for part in parts) == size[unit]


def test_outlines_run_counter_clockwise_and_holes_clockwise() -> None:
    units = invent_places(6_000, 4_200_000, 5).units
    for area in read_shapes(invent_shapes(units, 5), units).areas.values():
        for outline, *holes in area:
            assert ring_area(outline) > 0
            assert all(ring_area(hole) < 0 for hole in holes)


def test_every_inner_edge_is_shared_by_two_neighbours() -> None:
    units = invent_places(700, 490_000, 3).units
    edges: Counter[tuple[tuple[float, ...], tuple[float, ...]]] = Counter()
    coast = 0
    for feature in json.loads(invent_shapes(units, 3))["features"]:
        geometry = feature["geometry"]
        polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        if geometry["type"] == "Point" or feature["id"].count("-") != 0 or feature["id"] == "avia":
            coast += sum(len(ring) - 1 for polygon in polygons for ring in polygon) if feature["id"] == "avia" else 0
            continue
        for polygon in polygons:
            for ring in polygon:
                edges.update((tuple(start), tuple(stop)) for start, stop in pairwise(ring))
    alone = [edge for edge in edges if edge[::-1] not in edges]
    assert set(edges.values()) == {1}
    assert len(alone) == coast


def test_the_same_numbers_give_the_same_bytes() -> None:
    units = invent_places(300, 210_000, 1).units
    assert hashlib.sha256(invent_shapes(units, 1)).hexdigest()[:16] == "aeeee80f2bc7e4ad"
    assert invent_shapes(units, 2) != invent_shapes(units, 1)
