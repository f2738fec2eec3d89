"""The tree of units, from the country down to the stations, held as columns so that a million stations stay small.

Units are kept in pre-order (every unit before its children, children in the order given), so that the stations below any
unit are one contiguous run. A total for a unit is then the difference of two running sums.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scrutineer.election.contests import check_id, check_name
from scrutineer.errors import DefinitionError

MAX_ROLL: Final = 100_000_000  # voters; more than any station or any whole constituency has
MAX_DEPTH: Final = 32
UNKNOWN: Final = -1
"""Stands for a number that nobody gave, wherever numbers are held in columns. Unknown is not zero."""


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
        if not given:
            raise DefinitionError("there are no units: list at least the country and one station")
        _check_rows(given)
        parent = _parents_in_pre_order(given)
        if parent is None:
            given = _in_pre_order(given)
            parent = _parents_in_pre_order(given)
            if parent is None:
                raise DefinitionError("the units could not be arranged as a tree: check the parents")
        self._arrange(given, parent)

    def _arrange(self, given: Sequence[UnitRow], parent: list[int]) -> None:
        count = len(given)
        self.ids = [row.id for row in given]
        self.names = [row.name for row in given]
        self.kinds = [sys.intern(row.kind) for row in given]
        self.parent = np.asarray(parent, dtype=np.int32)
        is_station = np.ones(count, dtype=np.bool_)
        is_station[self.parent[1:]] = False
        self.station_units = np.flatnonzero(is_station).astype(np.int32)
        before = np.concatenate(([0], np.cumsum(is_station))).astype(np.int32)
        self.first_station = before[:-1].copy()
        sizes = [1] * count
        for unit in range(count - 1, 0, -1):
            sizes[parent[unit]] += sizes[unit]
        self.last_station = before[np.arange(count) + np.asarray(sizes)].astype(np.int32)
        rolls = np.fromiter((UNKNOWN if row.roll is None else row.roll for row in given), np.int64, count)
        for unit in np.flatnonzero(~is_station & (rolls != UNKNOWN)).tolist():
            raise DefinitionError(
                f"unit {self.ids[unit]!r} has a roll and has units below it: "
                "rolls belong to stations, remove this one (it is summed)"
            )
        self.rolls = rolls[self.station_units]
        ids = self.ids
        self.station_index = {ids[unit]: number for number, unit in enumerate(self.station_units.tolist())}
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


def _check_rows(given: Sequence[UnitRow]) -> None:
    seen: set[str] = set()
    kinds: set[str] = set()
    for row in given:
        if row.id in seen:
            raise DefinitionError(f"unit {row.id!r} is listed twice: give each unit its own id, or remove one of the rows")
        seen.add(row.id)
        check_id(row.id, "unit")
        check_name(row.name, f"name of unit {row.id}")
        if row.kind not in kinds:
            check_id(row.kind, f"kind of unit {row.id}")
            kinds.add(row.kind)
        if row.roll is not None and not 0 < row.roll <= MAX_ROLL:
            raise DefinitionError(
                f"roll of unit {row.id!r} is {row.roll}: write the number of registered voters (1 to {MAX_ROLL}), "
                "or leave it empty where it is unknown"
            )


def _parents_in_pre_order(given: Sequence[UnitRow]) -> list[int] | None:
    """Position of each unit's parent where the rows already stand in pre-order (as every written table does); else None."""
    if given[0].parent:
        return None
    parents = [-1]
    above = [0]
    above_ids = [given[0].id]
    for number in range(1, len(given)):
        parent = given[number].parent
        if parent == given[number - 1].id:
            if len(above) >= MAX_DEPTH:
                raise DefinitionError(f"unit {given[number].id!r} lies more than {MAX_DEPTH} levels deep: that is the most")
            if number > 1:
                above.append(number - 1)
                above_ids.append(parent)
        else:
            while above_ids and above_ids[-1] != parent:
                above.pop()
                above_ids.pop()
            if not above:
                return None
        parents.append(above[-1])
    return parents


def _in_pre_order(given: Sequence[UnitRow]) -> list[UnitRow]:
    position = {row.id: number for number, row in enumerate(given)}
    children: list[list[int]] = [[] for _ in given]
    roots: list[int] = []
    for number, row in enumerate(given):
        if not row.parent:
            roots.append(number)
        elif (parent := position.get(row.parent)) is None:
            raise DefinitionError(f"unit {row.id!r} lies in {row.parent!r}, which is not listed: add a row for {row.parent!r}")
        else:
            children[parent].append(number)
    if not roots:
        raise DefinitionError(
            f"no unit has an empty parent (unit {given[0].id!r} and the others lie in a cycle): leave the country's parent empty"
        )
    if len(roots) > 1:
        first, second = given[roots[0]].id, given[roots[1]].id
        raise DefinitionError(
            f"units {first!r} and {second!r} both have no parent: only the country may; say where the other lies"
        )
    order: list[UnitRow] = []
    stack: list[tuple[int, int]] = [(roots[0], 1)]
    while stack:
        number, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise DefinitionError(f"unit {given[number].id!r} lies more than {MAX_DEPTH} levels deep: that is the most")
        order.append(given[number])
        stack.extend((child, depth + 1) for child in reversed(children[number]))
    if len(order) != len(given):
        reached = {row.id for row in order}
        lost = next(row.id for row in given if row.id not in reached)
        raise DefinitionError(
            f"unit {lost!r} lies in itself through its parents (a cycle): correct the parents until they end at the country"
        )
    return order
