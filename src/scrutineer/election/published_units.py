"""The tree of units as it grows while a results file is read: each row names its station and the units above it."""

import string
from collections.abc import Callable, Mapping

from scrutineer.election.layout_model import Layout
from scrutineer.election.unit_ids import UnitIds, clean_name
from scrutineer.election.units import MAX_ROLL, UnitRow, Units

Header = Mapping[str, int]
"""Position of each column, by the name that the layout uses."""


class PublishedUnits:
    """Units in the order in which the file first names them."""

    def __init__(self, layout: Layout, header: Header) -> None:
        self._layout = layout
        self._ids = UnitIds()
        root_id, name, kind = layout.root
        self._root = self._ids.give("", (root_id,), ("",))
        self._rows = [UnitRow(self._root, "", name, kind, None)]
        self._levels = [(level, [header[column] for column in level.id], template(level.name, header)) for level in layout.levels]
        self._level_columns = [column for _, columns, _ in self._levels for column in columns]
        self._parents: dict[tuple[str, ...], str] = {}
        self._known: set[str] = {self._root}
        self._station_columns = [header[column] for column in layout.station.id]
        self._station_name = template(layout.station.name, header)
        self._stations: dict[tuple[str, ...], tuple[str, str]] = {}
        self._rolls: dict[str, int] = {}
        self._places: dict[str, int] = {}

    def station(self, row: list[str]) -> tuple[str, str]:
        """The id of the row's station, entered at its first row, and the id of the unit that this row puts it in.

        Raises ValueError where the row names no station.
        """
        path = tuple([row[column] for column in self._level_columns])
        parent = self._parents.get(path)
        if parent is None:
            parent = self._parents[path] = self._enter_levels(row)
        cells = tuple([row[column].strip() for column in self._station_columns])
        within = self._layout.station.within
        key = (parent, *cells) if within else cells
        found = self._stations.get(key)
        if found is None:
            if not any(cells):
                raise ValueError
            station = self._ids.give(parent if within else "", cells, ("station", *key))
            found = self._stations[key] = (station, parent)
            self._places[station] = len(self._rows)
            name = clean_name(self._station_name(row), station)
            self._rows.append(UnitRow(station, parent, name, self._layout.station.kind, None))
        return found[0], parent

    def parent_of(self, station: str) -> str:
        """The unit in which the first row put a station."""
        return self._rows[self._places[station]].parent

    def roll(self, station: str, roll: int | None) -> int | None:
        """Enter the roll of a station unless it has one; the roll entered before, where that is another one.

        A roll of zero is a figure of the sheet and stays there; a unit has a roll or none.
        """
        if roll is None or not 0 < roll <= MAX_ROLL:
            return None
        known = self._rolls.setdefault(station, roll)
        return known if known != roll else None

    def stations(self) -> list[str]:
        """All stations in the order in which the file first names them."""
        return list(self._places)

    def units(self) -> Units:
        """The finished tree."""
        return Units(row._replace(roll=self._rolls.get(row.id)) for row in self._rows)

    def _enter_levels(self, row: list[str]) -> str:
        above = self._root
        key: tuple[str, ...] = ()
        for level, columns, name in self._levels:
            cells = tuple(row[column].strip() for column in columns)
            empty = not any(cells)
            if empty and not level.empty:
                continue
            cells = (level.empty,) if empty else cells
            key = (*(key if level.within else ()), level.kind, *cells)
            unit = self._ids.give(above if level.within else self._root, cells, key)
            if unit not in self._known:
                self._known.add(unit)
                label = level.empty if empty else clean_name(name(row), unit)
                self._rows.append(UnitRow(unit, above, label, level.kind, None))
            above = unit
        return above


def template(text: str, header: Header) -> Callable[[list[str]], str]:
    """Fill in a template such as 'Table {MESA}' from a row."""
    parts = [(literal, None if column is None else header[column]) for literal, column, _, _ in string.Formatter().parse(text)]

    def fill(row: list[str]) -> str:
        return "".join(literal if column is None else literal + row[column] for literal, column in parts)

    return fill
