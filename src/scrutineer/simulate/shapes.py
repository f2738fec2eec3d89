"""Shapes of an invented country: an island that is divided among its units, as GeoJSON for the definition.

The island is made of six-sided cells whose corners are moved a little. It grows from its middle over a rough ground, and is
then cut in two again and again until every unit has its cells. Neighbours share every corner, so that no gap opens between
them. All of it is arithmetic with whole numbers, the same on every machine.
"""

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import isqrt
from typing import Final

import numpy as np

from scrutineer.election import Units
from scrutineer.simulate.draws import Draws

MOST_AREAS: Final = 300
"""Levels of units get areas, from the country down, while there are at most so many areas."""
MOST_POINTS: Final = 300
"""The level below them gets points if there are at most so many."""
WIDTH: Final = 5_400
"""Thousandths of a degree across the island, about; it lies where there is only sea."""
MIDDLE: Final = (-24_500, -17_500)
_STRETCH: Final = 1_049  # thousandths that a degree of latitude is longer there than one of longitude

_BENT: Final = 1_000
"""Edges are bent in their middle up to so many cells; in more, nobody sees it."""
_STEP: Final = 2_000  # between the middles of neighbouring cells
_ROW: Final = 1_732  # between rows of cells
_ROUGH: Final = 64  # lattice points of the ground in each direction
_STRIDE: Final = 10_007  # a prime
_AROUND: Final = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))
"""From a cell to its neighbours, counter-clockwise; the corner between two of them lies between their middles and its own."""
_DIRECTIONS: Final = ((4, 0), (4, 1), (3, 2), (2, 3), (0, 4), (-2, 3), (-3, 2), (-4, 1))

Cell = tuple[int, int]
"""A cell by its column and row on slanted axes."""
Corner = tuple[int, int]
"""A corner by the sum of the three cells that meet there."""
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Area:
    """A unit with an area, how many cells it has, and the units with areas that divide it."""

    unit: int
    cells: int
    parts: tuple["_Area", ...]

    def units(self) -> Iterator[int]:
        yield self.unit
        for part in self.parts:
            yield from part.units()


def invent_shapes(units: Units, seed: int) -> bytes:
    """Areas of the upper units of a country, and points of the next ones where these are few. The same for the same arguments."""
    draws = Draws(seed, "shapes")
    levels = _levels(units)
    deepest = 0
    while deepest + 2 < len(levels) and sum(map(len, levels[: deepest + 2])) <= MOST_AREAS:
        deepest += 1
    below: dict[int, list[int]] = {}
    for unit in chain.from_iterable(levels[1 : deepest + 1]):
        below.setdefault(int(units.parent[unit]), []).append(unit)
    country = _area(units, below, 0, draws)
    ground = _Ground(draws, country.cells)
    cells_of: dict[int, list[Cell]] = {}
    _divide(country, _island(country.cells, ground), ground, cells_of)
    coast = _Outlines(cells_of[0], draws)
    features = [_feature(units.ids[unit], *coast.geometry(cells_of[unit])) for unit in country.units()]
    if deepest + 1 < len(levels) and len(levels[deepest + 1]) <= MOST_POINTS:
        features += _points(units, levels[deepest + 1], cells_of, coast, draws)
    return ('{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n").encode()


def _levels(units: Units) -> list[list[int]]:
    """The units of the upper levels by how many units lie above them, down to the first level that is too large for a map."""
    levels = [np.zeros(1, dtype=np.int64)]
    while len(levels[-1]) <= max(MOST_AREAS, MOST_POINTS):
        below = np.flatnonzero(np.isin(units.parent, levels[-1]))
        if not len(below):
            break
        levels.append(below)
    return [level.tolist() for level in levels]


def _area(units: Units, below: dict[int, list[int]], unit: int, draws: Draws) -> _Area:
    parts = tuple(_area(units, below, child, draws) for child in below.get(unit, ()))
    if parts:
        return _Area(unit, sum(part.cells for part in parts), parts)
    # Places of many people are not much larger than others.
    return _Area(unit, 5 + isqrt(len(units.stations_below(unit))) * 2 // 3 + int(draws.below(7, 1)[0]), ())


class _Ground:
    """Rough ground: a height of 0 to 1,000 everywhere, without steps."""

    def __init__(self, draws: Draws, cells: int) -> None:
        self._coarse = draws.below(1_001, _ROUGH * _ROUGH).tolist()
        self._fine = draws.below(1_001, _ROUGH * _ROUGH).tolist()
        self._width = max(4 * _STEP, isqrt(cells) * _STEP // 4)

    def height(self, x: int, y: int) -> int:
        """The height at a place."""
        return (2 * _between(self._coarse, x, y, self._width) + _between(self._fine, x, y, self._width // 3)) // 3

    def moved(self, x: int, y: int) -> Place:
        """A place moved as the ground leads, so that straight lines become like rivers and ridges."""
        return (
            x + (_between(self._fine, x, y, self._width) - 500) * self._width // 1_200,
            y + (_between(self._coarse, y, x, self._width) - 500) * self._width // 1_200,
        )


def _between(heights: list[int], x: int, y: int, width: int) -> int:
    column, east = divmod(x, width)
    row, north = divmod(y, width)
    here = [heights[(row + up) % _ROUGH * _ROUGH + (column + right) % _ROUGH] for up in (0, 1) for right in (0, 1)]
    below = here[0] * (width - east) + here[1] * east
    above = here[2] * (width - east) + here[3] * east
    return (below * (width - north) + above * north) // (width * width)


def _middle(cell: Cell) -> Place:
    return _STEP * cell[0] + _STEP // 2 * cell[1], _ROW * cell[1]


def _neighbours(cell: Cell) -> Iterator[Cell]:
    return ((cell[0] + right, cell[1] + up) for right, up in _AROUND)


def _island(size: int, ground: _Ground) -> list[Cell]:
    """So many cells around the middle, all connected, where the ground is high."""

    def effort(cell: Cell) -> int:
        x, y = _middle(cell)
        far = isqrt((x + y // 3) ** 2 + (y * 5 // 4) ** 2)
        return far * (1_500 - ground.height(x, y))

    queue = [(0, (0, 0))]
    met = {(0, 0)}
    cells: list[Cell] = []
    while len(cells) < size:
        cell = heapq.heappop(queue)[1]
        cells.append(cell)
        for other in _neighbours(cell):
            if other not in met:
                met.add(other)
                heapq.heappush(queue, (effort(other), other))
    return cells


def _divide(area: _Area, cells: list[Cell], ground: _Ground, found: dict[int, list[Cell]]) -> None:
    """Give an area its cells, and its parts theirs."""
    found[area.unit] = cells
    _share(area.parts, cells, ground, found)


def _share(parts: Sequence[_Area], cells: list[Cell], ground: _Ground, found: dict[int, list[Cell]]) -> None:
    if len(parts) < 2:
        for part in parts:
            _divide(part, cells, ground, found)
        return
    total, half, first = len(cells), 0, 0
    while not half or (2 * (first + parts[half].cells) <= total and half < len(parts) - 1):
        first += parts[half].cells
        half += 1
    near, far = _cut(cells, first, ground)
    _share(parts[:half], near, ground, found)
    _share(parts[half:], far, ground, found)


def _cut(cells: list[Cell], first: int, ground: _Ground) -> tuple[list[Cell], list[Cell]]:
    """Cut a set of cells across its longest direction; the first part has so many, and is connected where the whole is."""
    places = {cell: ground.moved(*_middle(cell)) for cell in cells}

    def along(direction: Place) -> dict[Cell, int]:
        return {cell: x * direction[0] + y * direction[1] for cell, (x, y) in places.items()}

    ways = [along(direction) for direction in _DIRECTIONS]
    way = max(ways, key=lambda way: max(way.values()) - min(way.values()))
    rest = set(cells)
    near: list[Cell] = []
    queue: list[tuple[int, Cell]] = []
    while len(near) < first:
        if not queue:
            queue.append(min((way[cell], cell) for cell in rest))
            rest.discard(queue[0][1])
        cell = heapq.heappop(queue)[1]
        near.append(cell)
        for other in _neighbours(cell):
            if other in rest:
                rest.discard(other)
                heapq.heappush(queue, (way[other], other))
    rest.update(cell for _, cell in queue)
    return near, [cell for cell in cells if cell in rest]


class _Outlines:
    """Turns sets of cells into polygons; corners and edges are moved once for all of them."""

    def __init__(self, land: list[Cell], draws: Draws) -> None:
        self._across = max(_STEP, isqrt(len(land)) * _STEP * 6 // 5)
        corners = sorted({corner for cell in land for corner in _corners(cell)})
        moves = draws.below(701, 2 * len(corners)).tolist()
        self._at = {
            (column, row): (
                (_STEP * column + _STEP // 2 * row) // 3 + moves[2 * index] - 350,
                _ROW * row // 3 + moves[2 * index + 1] - 350,
            )
            for index, (column, row) in enumerate(corners)
        }
        edges = sorted({edge for cell in land for edge in map(_undirected, _edges(cell))})
        self._bends = dict(zip(edges, draws.below(401, len(edges)).tolist(), strict=True)) if len(land) <= _BENT else {}

    def geometry(self, cells: Iterable[Cell]) -> tuple[str, object]:
        """The kind and the coordinates of the geometry that these cells fill."""
        polygons = [[self._ring(ring) for ring in _rings(island)] for island in _islands(cells)]
        return ("Polygon", polygons[0]) if len(polygons) == 1 else ("MultiPolygon", polygons)

    def position(self, place: Place) -> list[float]:
        """A place of the island on the globe."""
        east = place[0] * WIDTH * _STRETCH // (self._across * 1_000)
        north = place[1] * WIDTH // self._across
        return [(MIDDLE[0] + east) / 1_000, (MIDDLE[1] + north) / 1_000]

    def _ring(self, corners: list[Corner]) -> list[list[float]]:
        ring: list[list[float]] = []
        for start, stop in pairwise([*corners, corners[0]]):
            ring.append(self.position(self._at[start]))
            if self._bends:
                ring.append(self.position(self._bend(start, stop)))
        return [*ring, ring[0]]

    def _bend(self, start: Corner, stop: Corner) -> Place:
        """The middle of an edge, moved to one side of it; the same seen from both."""
        (x, y), (u, v) = (self._at[corner] for corner in _undirected((start, stop)))
        aside = self._bends[_undirected((start, stop))] - 200
        return (x + u) // 2 - (v - y) * aside // 1_000, (y + v) // 2 + (u - x) * aside // 1_000


def _corners(cell: Cell) -> list[Corner]:
    """The corners of a cell, counter-clockwise."""
    around = list(_neighbours(cell))
    return [
        (cell[0] + one[0] + next_[0], cell[1] + one[1] + next_[1])
        for one, next_ in zip(around, around[1:] + around[:1], strict=True)
    ]


def _edges(cell: Cell) -> Iterator[tuple[Corner, Corner]]:
    """The edges of a cell, counter-clockwise; each stands between it and the neighbour after the one of the same number."""
    corners = _corners(cell)
    return zip(corners, corners[1:] + corners[:1], strict=True)


def _undirected(edge: tuple[Corner, Corner]) -> tuple[Corner, Corner]:
    return min(edge), max(edge)


def _islands(cells: Iterable[Cell]) -> list[set[Cell]]:
    """The connected parts of a set of cells, the largest first."""
    rest = set(cells)
    found: list[set[Cell]] = []
    for cell in sorted(rest):
        if cell not in rest:
            continue
        rest.discard(cell)
        island, queue = {cell}, [cell]
        while queue:
            for other in _neighbours(queue.pop()):
                if other in rest:
                    rest.discard(other)
                    island.add(other)
                    queue.append(other)
        found.append(island)
    return sorted(found, key=lambda island: (-len(island), min(island)))


def _rings(island: set[Cell]) -> list[list[Corner]]:
    """The rings around connected cells: the outline counter-clockwise first, then the holes."""
    following: dict[Corner, Corner] = {}
    for cell in sorted(island):
        around = list(_neighbours(cell))
        for number, (start, stop) in enumerate(_edges(cell)):
            if around[(number + 1) % 6] not in island:
                following[start] = stop
    rings: list[list[Corner]] = []
    while following:
        start = min(following)
        ring = [start]
        while (corner := following.pop(ring[-1])) != start:
            ring.append(corner)
        rings.append(ring)
    # The corner that lies furthest in any direction is on the outline.
    outline = max(rings, key=max)
    return [outline, *(ring for ring in rings if ring is not outline)]


def _points(units: Units, places: list[int], cells_of: dict[int, list[Cell]], coast: _Outlines, draws: Draws) -> Iterator[str]:
    """A point for each place, in some cell of the unit above it."""
    moves = draws.below(1_001, 2 * len(places)).tolist()
    taken = dict.fromkeys(cells_of, 0)
    for index, place in enumerate(places):
        parent = int(units.parent[place])
        cells = cells_of[parent]
        taken[parent] += 1
        right, up = moves[2 * index : 2 * index + 2]
        # A stride that visits every cell before any a second time, because no area has so many.
        x, y = _middle(cells[taken[parent] * _STRIDE % len(cells)])
        yield _feature(units.ids[place], "Point", coast.position((x + right - 500, y + up - 500)))


def _feature(unit: str, kind: str, coordinates: object) -> str:
    geometry = {"type": kind, "coordinates": coordinates}
    return json.dumps({"type": "Feature", "id": unit, "properties": None, "geometry": geometry}, separators=(",", ":"))
