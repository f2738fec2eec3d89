"""The shapes of a definition: outlines and points of units for maps, as GeoJSON (RFC 7946).

A map decides nothing, but it should be the same for everybody, so the shapes are a table of the definition, which names
them by their hash and keeps the bytes as the organiser gave them. They are one FeatureCollection in WGS 84. Each feature's
`id` is that of a unit; its geometry is a Polygon or MultiPolygon, or a Point for a place that is too small for an outline.
Units without a feature are on no map. `properties` and foreign members are not looked at.

    {"type": "FeatureCollection", "features": [
    {"type": "Feature", "id": "north", "properties": null, "geometry": {"type": "Polygon", "coordinates": [[[0, 0], …]]}}
    ]}
"""

from collections.abc import Iterator
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from scrutineer.election.finding import MAX_FINDINGS, Finding, did_you_mean, summary
from scrutineer.election.units import Units
from scrutineer.errors import DefinitionError

SHAPES_TABLE: Final = "shapes.geojson"
MAX_SHAPES_SIZE: Final = 16 * 1024 * 1024  # bytes; readers of the zoomable map fetch all of it
MAX_POSITIONS: Final = 500_000
SCALE: Final = 10_000_000
"""Coordinates are held in ten-millionths of a degree, about a centimetre, as RFC 7946 (section 11.2) advises to write them."""

_SMALLER: Final = "simplify the outlines, for example with `mapshaper -simplify 10% keep-shapes`"
_NEAR_ENOUGH: Final = 10_000  # ids in a country up to which the nearest to a misspelt one is looked for

Ring = NDArray[np.int32]
"""Corners of an outline, shape (n, 2): longitude and latitude in units of 1 / SCALE degrees. The first is not repeated."""
Area = tuple[tuple[Ring, ...], ...]
"""Polygons, each with its outline first and then its holes."""


class Point(NamedTuple):
    """Where a place is: longitude and latitude in units of 1 / SCALE degrees."""

    east: int
    north: int


class Shapes:
    """The shapes of the units that have one, by position among the units. A unit has an area or a point, never both."""

    __slots__ = ("areas", "points")

    def __init__(self, areas: dict[int, Area], points: dict[int, Point]) -> None:
        self.areas = areas
        self.points = points

    def __contains__(self, unit: object) -> bool:
        """Whether a unit is on the map."""
        return unit in self.areas or unit in self.points

    def __iter__(self) -> Iterator[int]:
        """The units on the map."""
        yield from self.areas
        yield from self.points

    def __len__(self) -> int:
        """How many units are on the map."""
        return len(self.areas) + len(self.points)


_Position = Annotated[list[float], msgspec.Meta(min_length=2, max_length=3)]
_Rings = Annotated[list[Annotated[list[_Position], msgspec.Meta(min_length=4)]], msgspec.Meta(min_length=1)]


class _Geometry(msgspec.Struct, frozen=True, tag_field="type"):
    pass


class _Polygon(_Geometry, frozen=True, tag="Polygon"):
    coordinates: _Rings


class _MultiPolygon(_Geometry, frozen=True, tag="MultiPolygon"):
    coordinates: Annotated[list[_Rings], msgspec.Meta(min_length=1)]


class _Point(_Geometry, frozen=True, tag="Point"):
    coordinates: _Position


class _Feature(msgspec.Struct, frozen=True, tag_field="type", tag="Feature"):
    id: str
    geometry: _Polygon | _MultiPolygon | _Point


class _Collection(msgspec.Struct, frozen=True, tag_field="type", tag="FeatureCollection"):
    features: list[msgspec.Raw]
    crs: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Named(msgspec.Struct, frozen=True):
    """As much of a feature as is needed to say which one it is."""

    id: str | int | float | None = None


class _Fault(Exception):  # noqa: N818 - never leaves this module
    """What is wrong in one feature."""


def read_shapes(data: bytes, units: Units) -> Shapes:
    """Read the shapes of these units. Raises DefinitionError with the first findings."""
    shapes, findings = _read(data, units)
    if findings:
        raise DefinitionError(summary(findings))
    return shapes


def shapes_findings(data: bytes, units: Units) -> list[Finding]:
    """What is wrong in a file of shapes, in the order of its features; at most MAX_FINDINGS, and empty where it can be read."""
    return _read(data, units)[1]


def _read(data: bytes, units: Units) -> tuple[Shapes, list[Finding]]:
    shapes = Shapes({}, {})
    findings: list[Finding] = []
    try:
        for number, raw in enumerate(_features(data), 1):
            try:
                _add(shapes, msgspec.json.decode(raw, type=_Feature), units)
            except _Fault as fault:
                findings.append(_finding(number, raw, str(fault)))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                findings.append(_finding(number, raw, _decoding_fault(error)))
            if len(findings) >= MAX_FINDINGS:
                return shapes, findings
        if not len(shapes) and not findings:
            raise _Fault("has no feature; add one for each unit that is to be on the map, or remove the file")
        if (positions := _positions(shapes)) > MAX_POSITIONS:
            raise _Fault(f"has {positions:,} corners, and at most {MAX_POSITIONS:,} are read; {_SMALLER}")
    except _Fault as fault:
        findings.append(Finding(SHAPES_TABLE, 0, "", str(fault)))
    return shapes, findings


def _features(data: bytes) -> Iterator[msgspec.Raw]:
    """The features, not yet read. Raises _Fault where the file is no collection of features."""
    if len(data) > MAX_SHAPES_SIZE:
        raise _Fault(f"has {len(data):,} bytes, and at most {MAX_SHAPES_SIZE:,} are read; {_SMALLER}")
    try:
        data.decode()  # What the reader passes over is published too.
        collection = msgspec.json.decode(data, type=_Collection)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _Fault(
            f"is not a GeoJSON FeatureCollection ({error}); export the outlines as GeoJSON (RFC 7946), encoded as UTF-8"
        ) from None
    if collection.crs is not msgspec.UNSET:
        raise _Fault("names a coordinate reference system (`crs`); export it as RFC 7946, in longitude and latitude of WGS 84")
    return iter(collection.features)


def _finding(number: int, raw: msgspec.Raw, message: str) -> Finding:
    try:
        own = msgspec.json.decode(raw, type=_Named).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        own = None
    return Finding(SHAPES_TABLE, 0, f"feature {number}" + ("" if own is None else f" ({str(own)[:64]!r})"), message)


def _decoding_fault(error: Exception) -> str:
    text = str(error)
    if "`$.id`" in text or "field `id`" in text:
        return 'its id must be that of a unit, as text; write it as a member of the feature, such as "id": "north"'
    if "`$.geometry`" in text and "null" in text:
        return "it has no geometry; give it a Polygon, MultiPolygon or Point, or remove the feature"
    return f"it cannot be used ({text}); write a Feature with a Polygon, MultiPolygon or Point (RFC 7946, section 3)"


def _add(shapes: Shapes, feature: _Feature, units: Units) -> None:
    own = feature.id
    unit = units.index.get(own)
    if unit is None:
        station = units.station_index.get(own)
        if station is None:
            raise _Fault(f"there is no unit {own[:64]!r} in units.csv; {_nearest(own, units)}")
        unit = int(units.station_units[station])
    if unit in shapes:
        raise _Fault(f"unit {own!r} has a feature already; join the two in one MultiPolygon, or remove one")
    geometry = feature.geometry
    if isinstance(geometry, _Point):
        east, north = _fixed([geometry.coordinates])[0].tolist()
        shapes.points[unit] = Point(east, north)
    elif isinstance(geometry, _Polygon):
        shapes.areas[unit] = (_polygon(geometry.coordinates),)
    else:
        shapes.areas[unit] = tuple(map(_polygon, geometry.coordinates))


def _nearest(own: str, units: Units) -> str:
    if units.unit_count <= _NEAR_ENOUGH:
        return did_you_mean(own, units.ids)
    return "write the id of one that is listed"


def _polygon(rings: list[list[list[float]]]) -> tuple[Ring, ...]:
    return tuple(map(_ring, rings))


def _ring(positions: list[list[float]]) -> Ring:
    if positions[0] != positions[-1]:
        raise _Fault(f"a ring begins at {positions[0]} and ends at {positions[-1]}; repeat its first position at its end")
    ring = _fixed(positions)[:-1]
    if not ring_area(ring):
        raise _Fault(f"the ring that begins at {positions[0]} encloses nothing; remove it, or write at least three corners")
    ring.setflags(write=False)
    return ring


def ring_area(ring: Ring) -> int:
    """Twice the area that a ring encloses, in its own units squared; positive where it runs counter-clockwise."""
    # The products of large outlines do not fit 64 bits.
    east, north = ring.T.astype(object)
    return int((east * np.roll(north, -1) - np.roll(east, -1) * north).sum())


def _fixed(positions: list[list[float]]) -> Ring:
    degrees = np.array([position[:2] for position in positions], dtype=np.float64)
    for axis, (name, limit) in enumerate((("longitude", 180), ("latitude", 90))):
        wrong = np.flatnonzero(~(np.abs(degrees[:, axis]) <= limit))
        if len(wrong):
            raise _Fault(
                f"{degrees[wrong[0], axis]} is not a {name}; write positions as longitude, then latitude, in degrees of WGS 84"
            )
    return np.rint(degrees * SCALE).astype(np.int32)


def _positions(shapes: Shapes) -> int:
    return len(shapes.points) + sum(len(ring) for area in shapes.areas.values() for polygon in area for ring in polygon)
