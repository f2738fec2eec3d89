"""Drawings of places: on a grid of whole numbers, small, and without gaps between neighbours."""

import re
from itertools import pairwise

import numpy as np
import pytest

from scrutineer.election.shapes import SCALE, Area, Point, Shapes, read_shapes
from scrutineer.portal.maps import DOT, MAX_PATHS, WIDTH, Drawing, Drawings, draw, label_place
from scrutineer.simulate.places import invent_places
from scrutineer.simulate.shapes import invent_shapes

STEP = re.compile(r"-?\d+")


def area(*corners: tuple[float, float]) -> Area:
    return ((np.rint(np.array(corners) * SCALE).astype(np.int32),),)


def box(west: float, south: float, size: float = 1) -> Area:
    return area((west, south), (west + size, south), (west + size, south + size), (west, south + size))


def corners(path: str) -> list[list[tuple[int, int]]]:
    """The rings of a path, with every corner where it is."""
    rings = []
    for ring in path.removesuffix("z").split("z"):
        numbers = list(map(int, STEP.findall(ring)))
        at = [(numbers[0], numbers[1])]
        for right, down in zip(numbers[2::2], numbers[3::2], strict=True):
            at.append((at[-1][0] + right, at[-1][1] + down))
        rings.append(at)
    return rings


def drawn(shapes: Shapes, unit: int, places: list[int], limit: int = MAX_PATHS) -> Drawing:
    drawing = draw(shapes, unit, places, limit)
    assert drawing is not None
    return drawing


def test_north_is_up_and_degrees_are_narrower_away_from_the_equator() -> None:
    for north, narrow in ((0, 1.0), (60, 0.5), (-60, 0.5)):
        shapes = Shapes({1: box(0, north - 1), 2: box(0, north), 3: box(1, north - 1), 4: box(1, north)}, {})
        drawing = drawn(shapes, 0, [1, 2, 3, 4])
        below, above, *_ = (place.spot for place in drawing.places)
        assert below[1] > above[1]
        assert abs(drawing.width / drawing.height - narrow) < 0.02
        assert max(drawing.width, drawing.height) == WIDTH


def test_a_country_across_the_180th_meridian_is_one_piece() -> None:
    shapes = Shapes({1: box(178, 0), 2: box(179, 0), 3: box(-180, 0)}, {})
    spots = [place.spot[0] for place in drawn(shapes, 0, [1, 2, 3]).places]
    assert spots == sorted(spots)
    assert len({right - left for left, right in pairwise(spots)}) <= 2


def test_places_without_a_shape_are_counted_and_the_unit_stands_behind_the_others() -> None:
    shapes = Shapes({0: box(0, 0, 3), 1: box(0, 0), 2: box(1, 1)}, {3: Point(25 * SCALE // 10, 5 * SCALE // 10)})
    drawing = drawn(shapes, 0, [1, 2, 3, 4, 5])
    assert [place.unit for place in drawing.places] == [1, 2, 3]
    assert drawing.missing == 2
    assert drawing.land
    assert (drawing.places[2].path, drawing.places[2].room) == ("", DOT)
    assert not drawn(shapes, 0, [1, 2]).land


def test_a_single_place_is_no_map() -> None:
    shapes = Shapes({0: box(0, 0), 1: box(0, 0)}, {})
    assert draw(shapes, 0, [1, 2]) is None
    assert Drawings(shapes, [[1, 2], [], []]).of(0) is None


def test_a_place_that_is_too_small_for_the_map_stays_as_a_dot() -> None:
    shapes = Shapes({1: box(0, 0, 40), 2: box(41, 0, 0.001)}, {})
    drawing = drawn(shapes, 0, [1, 2])
    assert [bool(place.path) for place in drawing.places] == [True, False]
    assert 0 <= drawing.places[1].spot[0] <= drawing.width


@pytest.mark.parametrize("limit", [MAX_PATHS, 3_000, 600])
def test_neighbours_share_their_borders_however_coarse_they_are(limit: int) -> None:
    units = invent_places(700, 490_000, 4).units
    shapes = read_shapes(invent_shapes(units, 4), units)
    country = drawn(shapes, 0, units.children(0), limit)
    assert sum(len(place.path) for place in country.places) <= max(limit, 600)
    edges = [
        edge for place in country.places for ring in corners(place.path) for edge in zip(ring, ring[1:] + ring[:1], strict=True)
    ]
    assert len(set(edges)) == len(edges)
    inner = {edge for edge in edges if edge[::-1] in set(edges)}
    assert inner
    # What has no neighbour is the coast: without it every corner is met as often coming as going.
    coast = [edge for edge in edges if edge not in inner]
    assert sorted(start for start, _ in coast) == sorted(stop for _, stop in coast)


def test_labels_stand_inside_their_places() -> None:
    shapes = Shapes({1: area((0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)), 2: box(5, 0)}, {})
    first, second = drawn(shapes, 0, [1, 2]).places
    scale = WIDTH / 6
    assert first.spot[0] < 4 * scale
    assert not (first.spot[0] > 1.1 * scale and first.spot[1] < 2.9 * scale)
    assert second.room > 0.4 * scale
    east, north = label_place(shapes.areas[1])
    assert (0 < east < 4 and 0 < north < 1) or (0 < east < 1 and 0 < north < 4)


def test_a_hole_is_left_open() -> None:
    outline, hole = box(0, 0, 9)[0][0], box(4, 4)[0][0][::-1]
    shapes = Shapes({1: ((outline, hole),), 2: box(4, 4)}, {})
    around, inside = drawn(shapes, 0, [1, 2]).places
    assert around.path.count("M") == 2
    assert set(corners(inside.path)[0]) == set(corners(around.path)[1])
