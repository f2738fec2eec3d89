"""The tree of units, from the country down to the stations, held as columns so that a million stations stay small.

Units are kept in pre-order (every unit before its children, children in the order given), so that the stations below any
unit are one contiguous run. A total for a unit is then the difference of two running sums.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scrutineer.election.contests import are_ids, are_names, check_id, check_name
from scrutineer.errors import DefinitionError

MAX_ROLL: Final = 100_000_000  # voters; more than any station or any whole constituency has
MAX_DEPTH: Final = 32
UNKNOWN: Final = -1
"""Stands for a number that nobody gave, wherever numbers are held in columns. Unknown is not zero."""


ROLL_ADVICE: Final = f"write the number of registered voters (1 to {MAX_ROLL}), or leave it empty where it is unknown"


class UnitRow(NamedTuple):
    """One unit as given: `roll` is None where unknown, `parent` is empty for the country alone."""

    id: str
    parent: str
    name: str
    kind: str
    roll: int | None


class Units:
    """The units of one election in pre-order. A unit without children is a station."""

    __slots__ = (
        "first_station",
        "ids",
        "index",
        "kinds",
        "last_station",
        "names",
        "parent",
        "rolls",
        "station_index",
        "station_units",
    )

    ids: list[str]
    names: list[str]
    kinds: list[str]
    parent: NDArray[np.int32]
    """Position of each unit's parent; -1 for the country."""
    rolls: NDArray[np.int64]
    """Roll of each *station*, by station number; UNKNOWN where nobody gave it."""
    station_units: NDArray[np.int32]
    """Position among the units of each station, by station number."""
    first_station: NDArray[np.int32]
    """For each unit, the number of its first station."""
    last_station: NDArray[np.int32]
    """For each unit, one more than the number of its last station."""
    index: dict[str, int]
    """Position of each unit that is not a station, by id."""
    station_index: dict[str, int]
    """Station number by station id."""

    def __init__(self, rows: Iterable[UnitRow]) -> None:
        """Arrange and check the tree.

        Raises DefinitionError for a unit listed twice, a parent that does not exist, more or fewer than one country, a cycle,
        a tree deeper than MAX_DEPTH, a roll of zero, or a roll on a unit that is not a station.
        """
        given = list(rows)
        columns = [list(column) for column in zip(*given, strict=True)] if given else [[], [], [], [], []]
        ids, parents, names, kinds, rolls = columns
        if not all(roll is None or 0 < roll <= MAX_ROLL for roll in rolls):
            row = next(row for row in given if row.roll is not None and not 0 < row.roll <= MAX_ROLL)
            raise DefinitionError(f"roll of unit {row.id!r} is {row.roll}: {ROLL_ADVICE}")
        known = np.fromiter((UNKNOWN if roll is None else roll for roll in rolls), np.int64, len(rolls))
        self._build(ids, parents, names, kinds, known)

    @classmethod
    def from_columns(
        cls, ids: list[str], parents: list[str], names: list[str], kinds: list[str], rolls: NDArray[np.int64]
    ) -> "Units":
        """The same from columns of equal length, which is much faster for a million; rolls hold UNKNOWN where nobody gave one.

        Raises DefinitionError as the constructor does.
        """
        units = cls.__new__(cls)
        wrong = np.flatnonzero((rolls != UNKNOWN) & ((rolls <= 0) | (rolls > MAX_ROLL)))
        if len(wrong):
            raise DefinitionError(f"roll of unit {ids[wrong[0]]!r} is {rolls[wrong[0]]}: {ROLL_ADVICE}")
        units._build(ids, parents, names, kinds, rolls)  # noqa: SLF001 (its own class)
        return units

    def _build(self, ids: list[str], parents: list[str], names: list[str], kinds: list[str], rolls: NDArray[np.int64]) -> None:
        if not ids:
            raise DefinitionError("there are no units: list at least the country and one station")
        position = dict(zip(ids, range(len(ids)), strict=True))
        if len(position) != len(ids):
            raise DefinitionError(
                f"unit {_first_repeated(ids)!r} is listed twice: give each unit its own id, or remove one of the rows"
            )
        _check_columns(ids, names, kinds)
        parent = _parent_positions(position, ids, parents)
        depth = _depths(ids, parent)
        sizes = _subtree_sizes(parent, depth)
        if not _in_pre_order(parent, sizes):
            order = _pre_order(parent, sizes)
            ids, names, kinds = ([column[unit] for unit in order.tolist()] for column in (ids, names, kinds))
            moved = np.empty(len(order), np.int32)
            moved[order] = np.arange(len(order), dtype=np.int32)
            above = parent[order]
            parent = np.where(above >= 0, moved[above], above).astype(np.int32)
            sizes, rolls = sizes[order], rolls[order]
        self.ids, self.names, self.kinds = ids, names, list(map(sys.intern, kinds))
        self.parent = parent
        is_station = sizes == 1
        for unit in np.flatnonzero(~is_station & (rolls != UNKNOWN)).tolist():
            raise DefinitionError(
                f"unit {ids[unit]!r} has a roll and has units below it: rolls belong to stations, remove this one (it is summed)"
            )
        self.station_units = np.flatnonzero(is_station).astype(np.int32)
        before = np.concatenate(([0], np.cumsum(is_station))).astype(np.int32)
        self.first_station = before[:-1].copy()
        self.last_station = before[np.arange(len(ids)) + sizes]
        self.rolls = rolls[self.station_units]
        stations = map(ids.__getitem__, self.station_units.tolist())
        self.station_index = dict(zip(stations, range(len(self.station_units)), strict=True))
        self.index = {ids[unit]: unit for unit in np.flatnonzero(~is_station).tolist()}

    @property
    def unit_count(self) -> int:
        """How many units there are, stations included."""
        return len(self.ids)

    @property
    def station_count(self) -> int:
        """How many stations there are."""
        return len(self.station_units)

    def position(self, unit_id: str) -> int:
        """Position of a unit or station by its id. Raises DefinitionError where there is none."""
        unit = self.index.get(unit_id)
        if unit is not None:
            return unit
        station = self.station_index.get(unit_id)
        if station is None:
            raise DefinitionError(f"there is no unit {unit_id!r} in this election: check its spelling in units.csv")
        return int(self.station_units[station])

    def stations_below(self, unit: int) -> range:
        """Numbers of the stations in a unit."""
        return range(int(self.first_station[unit]), int(self.last_station[unit]))

    def contains(self, unit: int, station: int) -> bool:
        """Whether a station (by number) lies in a unit (by position)."""
        return bool(self.first_station[unit] <= station < self.last_station[unit])

    def path(self, unit: int) -> list[int]:
        """A unit and the units above it, from the country down."""
        path = [unit]
        while (unit := int(self.parent[unit])) >= 0:
            path.append(unit)
        return path[::-1]

    def children(self, unit: int) -> list[int]:
        """The units directly below a unit, in order."""
        return np.flatnonzero(self.parent == unit).tolist()

    def children_lists(self) -> list[list[int]]:
        """The units directly below every unit; one pass, for those who walk the whole tree."""
        below: list[list[int]] = [[] for _ in self.ids]
        for unit, parent in enumerate(self.parent.tolist()):
            if parent >= 0:
                below[parent].append(unit)
        return below

    def is_station(self, unit: int) -> bool:
        """Whether a unit has no units below it."""
        return self.ids[unit] in self.station_index

    def rows(self) -> Iterator[UnitRow]:
        """All units in pre-order, as they can be given again."""
        stations = {int(unit): number for number, unit in enumerate(self.station_units)}
        for unit, (unit_id, parent) in enumerate(zip(self.ids, self.parent.tolist(), strict=True)):
            station = stations.get(unit)
            roll = None if station is None or self.rolls[station] == UNKNOWN else int(self.rolls[station])
            yield UnitRow(unit_id, self.ids[parent] if parent >= 0 else "", self.names[unit], self.kinds[unit], roll)


def _first_repeated(ids: list[str]) -> str:
    seen: set[str] = set()
    for unit_id in ids:
        if unit_id in seen:
            return unit_id
        seen.add(unit_id)
    return ""


def _check_columns(ids: list[str], names: list[str], kinds: list[str]) -> None:
    # All ids and all names are tried at once; only where that fails are they looked at one by one, to name the culprit.
    if not are_ids(ids):
        for unit_id in ids:
            check_id(unit_id, "unit")
    if not are_names(names):
        for unit_id, name in zip(ids, names, strict=True):
            check_name(name, f"name of unit {unit_id}")
    if not are_ids(set(kinds)):
        for unit_id, kind in zip(ids, kinds, strict=True):
            check_id(kind, f"kind of unit {unit_id}")


def _parent_positions(position: dict[str, int], ids: list[str], parents: list[str]) -> NDArray[np.int32]:
    position[""] = -1
    try:
        parent = np.fromiter(map(position.__getitem__, parents), np.int32, len(ids))
    except KeyError:
        lost, above = next((unit, above) for unit, above in zip(ids, parents, strict=True) if above and above not in position)
        raise DefinitionError(f"unit {lost!r} lies in {above!r}, which is not listed: add a row for {above!r}") from None
    roots = np.flatnonzero(parent < 0)
    if not len(roots):
        raise DefinitionError(
            f"no unit has an empty parent (unit {ids[0]!r} and the others lie in a cycle): leave the country's parent empty"
        )
    if len(roots) > 1:
        raise DefinitionError(
            f"units {ids[roots[0]]!r} and {ids[roots[1]]!r} both have no parent: only the country may; say where the other lies"
        )
    return parent


def _depths(ids: list[str], parent: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many units lie above each. All units climb one step at a time until the last has reached the country."""
    depth = np.zeros(len(ids), np.int32)
    above = parent
    for _ in range(MAX_DEPTH - 1):
        climbing = above >= 0
        if not climbing.any():
            return depth
        depth += climbing
        above = np.where(climbing, parent[above], above)
    stuck = np.flatnonzero(above >= 0)
    if not len(stuck):
        return depth
    unit = int(stuck[0])
    met: set[int] = set()
    while unit >= 0:
        if unit in met:
            raise DefinitionError(
                f"unit {ids[unit]!r} lies in itself through its parents (a cycle): "
                "correct the parents until they end at the country"
            )
        met.add(unit)
        unit = int(parent[unit])
    raise DefinitionError(f"unit {ids[stuck[0]]!r} lies more than {MAX_DEPTH} levels deep: that is the most")


def _subtree_sizes(parent: NDArray[np.int32], depth: NDArray[np.int32]) -> NDArray[np.int64]:
    """How many units lie in each, itself included; summed level by level from the deepest."""
    sizes = np.ones(len(parent), np.int64)
    for level in range(int(depth.max()), 0, -1):
        here = np.flatnonzero(depth == level)
        np.add.at(sizes, parent[here], sizes[here])
    return sizes


def _in_pre_order(parent: NDArray[np.int32], sizes: NDArray[np.int64]) -> bool:
    """Whether every unit's run of `sizes` rows lies inside its parent's.

    Then the rows below a unit are exactly its run, because there are as many of them as the run is long.
    """
    first = np.arange(len(parent))
    end = first + sizes
    return bool(parent[0] < 0 and np.all(parent[1:] < first[1:]) and np.all(end[1:] <= end[parent[1:]]))


def _pre_order(parent: NDArray[np.int32], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows in pre-order, siblings in the order given."""
    children: list[list[int]] = [[] for _ in range(len(parent))]
    for unit, above in enumerate(parent.tolist()):
        if above >= 0:
            children[above].append(unit)
    order = np.empty(len(parent), np.int64)
    stack = [(int(np.flatnonzero(parent < 0)[0]), 0)]
    while stack:
        unit, place = stack.pop()
        order[place] = unit
        place += 1
        for child in children[unit]:
            stack.append((child, place))
            place += int(sizes[child])
    return order
