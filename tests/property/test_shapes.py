"""Shapes: whatever is read is what was written, whatever is not is refused in words; drawings of anything hold valid rings."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutineer.election import UnitRow, Units
from scrutineer.election.shapes import MAX_POSITIONS, SCALE, Shapes, read_shapes, shapes_findings
from scrutineer.errors import DefinitionError
from scrutineer.portal.maps import draw, twice_area

UNITS = Units(
    [UnitRow("land", "", "Land", "country", None), *(UnitRow(f"s{n}", "land", f"Station {n}", "station", None) for n in range(6))]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-400, 400) | st.floats(allow_nan=False, width=32) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "id", "geometry", "coordinates"]), inner)
    ),
    max_leaves=12,
)
DEGREES = st.tuples(st.integers(-1_800, 1_800), st.integers(-900, 900)).map(lambda place: [place[0] / 10, place[1] / 10])


def collection(features: list[object]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


@st.composite
def polygons(draw_: st.DrawFn) -> list[list[float]]:
    """A ring around a middle, whose corners lie at rising angles: it never crosses itself."""
    west, south = draw_(st.integers(-150, 140)), draw_(st.integers(-70, 60))
    around = [(0, 1), (1, 2), (2, 2), (3, 1), (3, 0), (2, -1), (1, -2), (0, -1)]
    far = draw_(st.lists(st.integers(1, 40), min_size=8, max_size=8))
    ring = [[west + x * size / 10, south + y * size / 10] for (x, y), size in zip(around, far, strict=True)]
    return [*ring, ring[0]]


@given(st.lists(JSON, max_size=3))
def test_anything_is_read_or_refused_with_its_feature(features: list[object]) -> None:
    data = collection(features)
    if shapes_findings(data, UNITS):
        with pytest.raises(DefinitionError, match=r"shapes\.geojson"):
            read_shapes(data, UNITS)
    else:
        read_shapes(data, UNITS)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    assert shapes_findings(data, UNITS)


@given(st.lists(polygons(), min_size=1, max_size=6))
def test_what_is_read_is_what_was_written(rings: list[list[list[float]]]) -> None:
    features = [
        {"type": "Feature", "id": f"s{n}", "geometry": {"type": "Polygon", "coordinates": [ring]}} for n, ring in enumerate(rings)
    ]
    areas = read_shapes(collection(list(features)), UNITS).areas
    for n, ring in enumerate(rings):
        ((read,),) = areas[n + 1]
        assert read.tolist() == [[round(x * SCALE), round(y * SCALE)] for x, y in ring[:-1]]
    assert sum(len(ring) for ring in rings) < MAX_POSITIONS


@given(st.lists(polygons(), min_size=2, max_size=6), st.sampled_from([20, 200, 14_000]))
def test_drawings_hold_closed_rings_with_an_area(rings: list[list[list[float]]], limit: int) -> None:
    areas = {n + 1: ((np.rint(np.array(ring[:-1]) * SCALE).astype(np.int32),),) for n, ring in enumerate(rings)}
    drawing = draw(Shapes(areas, {}), 0, list(areas), limit)
    assert drawing is not None
    assert [place.unit for place in drawing.places] == list(areas)
    for place in drawing.places:
        assert 0 <= place.spot[0] <= drawing.width
        assert 0 <= place.spot[1] <= drawing.height
        for part in place.path.split("z")[:-1]:
            numbers = [int(number) for number in part[1:].replace("l", " ").replace("-", " -").split()]
            corners = [(numbers[0], numbers[1])]
            for right, down in zip(numbers[2::2], numbers[3::2], strict=True):
                corners.append((corners[-1][0] + right, corners[-1][1] + down))
            assert len(set(corners)) == len(corners) >= 3
            assert twice_area(tuple(corners))


@given(st.lists(DEGREES, min_size=2, max_size=6))
def test_points_are_drawn_within_the_map(places: list[list[float]]) -> None:
    features = [
        {"type": "Feature", "id": f"s{n}", "geometry": {"type": "Point", "coordinates": at}} for n, at in enumerate(places)
    ]
    shapes = read_shapes(collection(list(features)), UNITS)
    drawing = draw(shapes, 0, list(shapes.points))
    assert drawing is not None
    for place in drawing.places:
        assert place.path == ""
        assert 0 <= place.spot[0] <= drawing.width
        assert 0 <= place.spot[1] <= drawing.height
