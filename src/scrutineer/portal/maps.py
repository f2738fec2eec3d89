"""Drawings of places: the shapes of units as short paths of whole numbers for SVG, the same on every machine.

An equirectangular projection, narrowed by the cosine of the middle latitude, puts the places on a grid. Outlines are cut
where three meet, and each piece is simplified once (Douglas and Peucker 1973), so that neighbours still share every border.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import isqrt
from typing import Final, NamedTuple

import numpy as np

from scrutineer.election.shapes import SCALE, Area, Point, Ring, Shapes

WIDTH: Final = 1_000
"""Units across a drawing, or up and down where it is higher than wide."""
MAX_PATHS: Final = 14_000
"""Characters for all outlines of a drawing; borders are drawn more coarsely until they fit."""
DOT: Final = 21
"""Radius of a place that is a point."""
TEXT: Final = 17
"""Half the height that a label needs."""

_MARGIN: Final = 8
_TOLERANCES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 40)
"""How far, in units, a border may be moved; the first that gives short paths is taken."""
_LABEL_CORNERS: Final = 150
_LABEL_GRID: Final = 100
_HALF_TURN: Final = 180 * SCALE

Spot = tuple[int, int]
"""A place on the grid: to the right and down."""
_Loop = tuple[Spot, ...]


class Outline(NamedTuple):
    """One place of a drawing."""

    unit: int
    path: str
    """What to draw, as the `d` of an SVG path; empty for a point, which is a dot at `spot`."""
    spot: Spot
    """Where a label or the dot stands."""
    room: int
    """How far it is from there to the nearest border, at least."""


class Drawing(NamedTuple):
    """The places in one unit."""

    width: int
    height: int
    places: tuple[Outline, ...]
    land: str
    """Path of the unit itself, to stand behind its places; empty where they fill it, and where it has none."""
    missing: int
    """How many places are not drawn because they have no shape."""


class Drawings:
    """The drawings of all units, each made when it is first asked for. `below` gives the places in a unit."""

    def __init__(self, shapes: Shapes, below: Sequence[Sequence[int]]) -> None:
        self._shapes = shapes
        self._below = below
        self._made: dict[int, Drawing | None] = {}

    def of(self, unit: int) -> Drawing | None:
        """The drawing of a unit; None where no place in it, or only one, has a shape."""
        if unit not in self._made:
            self._made[unit] = draw(self._shapes, unit, self._below[unit])
        return self._made[unit]


def draw(shapes: Shapes, unit: int, places: Sequence[int], limit: int = MAX_PATHS) -> Drawing | None:
    """Draw the places in a unit, in the order given, with outlines of at most so many characters where that can be had."""
    shown = [place for place in places if place in shapes]
    if len(shown) < 2:
        return None
    points = {place: shapes.points[place] for place in shown if place in shapes.points}
    areas = {place: shapes.areas[place] for place in shown if place in shapes.areas}
    land = shapes.areas.get(unit, ()) if points or len(shown) < len(places) else ()
    grid = _Grid([*areas.values(), land], points.values())
    loops = {place: grid.area(area) for place, area in areas.items()}
    ground = grid.area(land)
    borders = _Borders([loop for each in (*loops.values(), ground) for loop in each])
    for tolerance in _TOLERANCES:
        simpler = {place: borders.simplified(each, tolerance) for place, each in loops.items()}
        paths = {place: _path(each) for place, each in simpler.items()}
        if sum(map(len, paths.values())) <= limit:
            break
    outlines = []
    for place in shown:
        if place in points:
            outlines.append(Outline(place, "", grid.spot(points[place]), DOT))
        elif simpler[place]:
            outlines.append(Outline(place, paths[place], *_inside(simpler[place])))
        else:
            # Too small for this map: it stays on it as a dot.
            outlines.append(Outline(place, "", _centre(loops[place]), DOT))
    behind = _path(borders.simplified(ground, tolerance))
    return Drawing(grid.width, grid.height, tuple(outlines), behind, len(places) - len(shown))


def label_place(area: Area) -> list[float]:
    """A place well inside an area, as longitude and latitude in degrees: where a map that moves may write."""
    # As exact as a label needs: hundred-thousandths of a degree, and some corners of a long outline.
    loops = [
        tuple(map(tuple, (ring[:: max(1, len(ring) // _LABEL_CORNERS)] // _LABEL_GRID).tolist()))
        for polygon in area
        for ring in polygon
    ]
    (right, up), _ = _inside(loops)
    return [right * _LABEL_GRID / SCALE, up * _LABEL_GRID / SCALE]


class _Grid:
    """From longitude and latitude to whole units. A country that lies across the 180th meridian is put together again."""

    def __init__(self, areas: Iterable[Area], points: Iterable[Point]) -> None:
        corners = [ring for area in areas for polygon in area for ring in polygon]
        corners.append(np.array(list(points), dtype=np.int32).reshape(-1, 2))
        every = np.concatenate(corners).astype(np.int64)
        self._wrapped = int(np.ptp(every[:, 0])) > _HALF_TURN
        if self._wrapped:
            every[:, 0] = np.where(every[:, 0] < 0, every[:, 0] + 2 * _HALF_TURN, every[:, 0])
        self._west, south = every.min(axis=0).tolist()
        east, self._north = every.max(axis=0).tolist()
        # Thousandths by which a degree of longitude is shorter than one of latitude: the cosine as Bhaskara I approximated it,
        # which is right to two thousandths, by whole numbers alone.
        middle = abs(south + self._north) // 2 * 10 // SCALE
        self._narrow = max(50, 1_000 * (3_240_000 - 4 * middle * middle) // (3_240_000 + middle * middle))
        across, down = (east - self._west) * self._narrow // 1_000, self._north - south
        self._degrees = max(across, down, SCALE // 10_000)
        inner = WIDTH - 2 * _MARGIN
        self.width = max(across * inner // self._degrees, inner // 4) + 2 * _MARGIN
        self.height = max(down * inner // self._degrees, inner // 8) + 2 * _MARGIN
        self._inner = inner

    def area(self, area: Area) -> list[_Loop]:
        """The rings of an area on the grid; those that shrink to less than three corners are left out."""
        loops = [self._loop(ring) for polygon in area for ring in polygon]
        return [loop for loop in loops if len(loop) > 2]

    def spot(self, point: Point) -> Spot:
        """A point on the grid."""
        right, down = self._put(np.array([point], dtype=np.int32))[0].tolist()
        return right, down

    def _loop(self, ring: Ring) -> _Loop:
        spots = self._put(ring)
        differs = (spots != np.roll(spots, 1, axis=0)).any(axis=1)
        return tuple(map(tuple, spots[differs].tolist()))

    def _put(self, ring: Ring) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
        east, north = ring.T.astype(np.int64)
        if self._wrapped:
            east = np.where(east < 0, east + 2 * _HALF_TURN, east)
        right = (east - self._west) * self._narrow // 1_000 * self._inner // self._degrees
        down = (self._north - north) * self._inner // self._degrees
        return np.stack([right + _MARGIN, down + _MARGIN], axis=1)


class _Borders:
    """Pieces of outlines between the corners where more than two borders meet; each is simplified once for all who share it."""

    def __init__(self, loops: Iterable[_Loop]) -> None:
        beside: dict[Spot, set[Spot]] = {}
        for loop in loops:
            for start, stop in pairwise((*loop, loop[0])):
                beside.setdefault(start, set()).add(stop)
                beside.setdefault(stop, set()).add(start)
        self._fixed = {spot for spot, others in beside.items() if len(others) != 2}
        self._made: dict[tuple[_Loop, int], _Loop] = {}

    def simplified(self, loops: Iterable[_Loop], tolerance: int) -> list[_Loop]:
        """The rings with fewer corners; those that have no area left are dropped."""
        return [ring for loop in loops if len(ring := self._ring(loop, tolerance)) > 2 and twice_area(ring)]

    def _ring(self, loop: _Loop, tolerance: int) -> _Loop:
        fixed = [number for number, spot in enumerate(loop) if spot in self._fixed]
        # Where no other border meets it, a ring begins at a corner that everyone who has it finds.
        first = fixed[0] if fixed else loop.index(min(loop))
        turned = (*loop[first:], *loop[:first], loop[first])
        cuts = [number - first for number in fixed] or [0]
        ring: list[Spot] = []
        for start, stop in pairwise([*cuts, len(loop)]):
            ring += self._piece(turned[start : stop + 1], tolerance)[:-1]
        return tuple(ring)

    def _piece(self, piece: _Loop, tolerance: int) -> _Loop:
        backward = piece[::-1]
        forward = piece <= backward
        key = (piece if forward else backward, tolerance)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = _simplify(key[0], tolerance)
        return found if forward else found[::-1]


def _simplify(line: _Loop, tolerance: int) -> _Loop:
    """A line without the corners that lie within the tolerance of the straight way (Douglas and Peucker 1973)."""
    keep = {0, len(line) - 1}
    waiting = [(0, len(line) - 1)]
    while waiting:
        start, stop = waiting.pop()
        (x, y), (u, v) = line[start], line[stop]
        right, down = u - x, v - y
        length = right * right + down * down
        best, far = 0, start
        for number in range(start + 1, stop):
            a, b = line[number][0] - x, line[number][1] - y
            # Squared distances, times the squared length of the way where it has one.
            aside = (a * down - b * right) ** 2 if length else a * a + b * b
            if aside > best:
                best, far = aside, number
        if best > tolerance * tolerance * (length or 1):
            keep.add(far)
            waiting += [(start, far), (far, stop)]
    return tuple(line[number] for number in sorted(keep))


def twice_area(loop: _Loop) -> int:
    """Twice the area inside a ring, with a sign."""
    return sum(x * v - u * y for (x, y), (u, v) in pairwise((*loop, loop[0])))


def _path(loops: Iterable[_Loop]) -> str:
    return "".join(map(_loop_path, loops))


def _loop_path(loop: _Loop) -> str:
    x, y = loop[0]
    steps = [f"{u - a} {v - b}" for (a, b), (u, v) in pairwise(loop)]
    return f"M{x} {y}l{' '.join(steps)}z".replace(" -", "-")


def _centre(loops: Sequence[_Loop]) -> Spot:
    corners = [spot for loop in loops for spot in loop] or [(0, 0)]
    return sum(x for x, _ in corners) // len(corners), sum(y for _, y in corners) // len(corners)


def _inside(loops: Sequence[_Loop]) -> tuple[Spot, int]:
    """A spot well inside an area, and how far it is from there to the border: the best of some on lines across it."""
    largest = max(loops, key=lambda loop: abs(twice_area(loop)))
    top, bottom = min(y for _, y in largest), max(y for _, y in largest)
    best, spot = -1, largest[0]
    for part in range(1, 12):
        # Twice the height of the line, and odd, so that it meets no corner.
        line = 2 * (top + (bottom - top) * part // 12) + 1
        crossings = sorted(
            x + (line - 2 * y) * (u - x) // (2 * (v - y))
            for loop in loops
            for (x, y), (u, v) in pairwise((*loop, loop[0]))
            if (2 * y < line) != (2 * v < line)
        )
        for left, right in zip(crossings[::2], crossings[1::2], strict=True):
            middle = ((left + right) // 2, line // 2)
            if right - left > 2 * best and (room := _room(loops, middle)) > best:
                best, spot = room, middle
    return spot, max(0, best)


def _room(loops: Iterable[_Loop], spot: Spot) -> int:
    """How far it is from a spot to the nearest border."""
    return isqrt(min(_squared_distance(spot, start, stop) for start, stop in _edges(loops)))


def _edges(loops: Iterable[_Loop]) -> Iterator[tuple[Spot, Spot]]:
    for loop in loops:
        yield from pairwise((*loop, loop[0]))


def _squared_distance(spot: Spot, start: Spot, stop: Spot) -> int:
    right, down = stop[0] - start[0], stop[1] - start[1]
    a, b = spot[0] - start[0], spot[1] - start[1]
    along, length = a * right + b * down, right * right + down * down
    if along <= 0:
        return a * a + b * b
    if along >= length:
        return (a - right) ** 2 + (b - down) ** 2
    return (a * down - b * right) ** 2 // length
