import numpy as np
import pytest

from scrutineer.election.units import MAX_DEPTH, MAX_ROLL, UNKNOWN, UnitRow, Units
from scrutineer.errors import DefinitionError


def row(unit: str, parent: str = "", roll: int | None = None, kind: str = "unit") -> UnitRow:
    return UnitRow(unit, parent, f"Name of {unit}", kind, roll)


TREE = [
    row("c"),
    row("n", "c"),
    row("n1", "n", 100),
    row("n2", "n"),
    row("s", "c"),
    row("s1", "s", 300),
]


def test_units_stand_in_pre_order_with_stations_numbered() -> None:
    units = Units(TREE)
    assert units.ids == ["c", "n", "n1", "n2", "s", "s1"]
    assert units.parent.tolist() == [-1, 0, 1, 1, 0, 4]
    assert units.rolls.tolist() == [100, UNKNOWN, 300]
    assert units.station_index == {"n1": 0, "n2": 1, "s1": 2}
    assert units.index == {"c": 0, "n": 1, "s": 4}
    assert (units.unit_count, units.station_count) == (6, 3)
    assert units.stations_below(0) == range(3)
    assert units.stations_below(units.position("s")) == range(2, 3)
    assert units.stations_below(units.position("n2")) == range(1, 2)
    assert units.contains(1, 1)
    assert not units.contains(4, 1)
    assert units.path(units.position("s1")) == [0, 4, 5]
    assert units.children(0) == [1, 4]
    assert units.children_lists() == [[1, 4], [2, 3], [], [], [5], []]
    assert [units.is_station(unit) for unit in range(6)] == [False, False, True, True, False, True]
    assert list(units.rows()) == TREE


def test_rows_in_any_order_give_pre_order_with_siblings_as_given() -> None:
    mixed = [row("s1", "s", 300), row("n2", "n"), row("s", "c"), row("c"), row("n", "c"), row("n1", "n", 100)]
    units = Units(mixed)
    assert units.ids == ["c", "s", "s1", "n", "n2", "n1"]
    assert units.rolls.tolist() == [300, UNKNOWN, 100]
    assert units.stations_below(units.position("n")) == range(1, 3)
    assert [units.names[units.position(unit)] for unit in ("s1", "n1")] == ["Name of s1", "Name of n1"]


def test_a_country_may_be_one_station() -> None:
    units = Units([row("only", roll=7)])
    assert units.station_index == {"only": 0}
    assert units.stations_below(0) == range(1)


def test_the_deepest_tree_and_one_level_more() -> None:
    def chain(levels: int) -> list[UnitRow]:
        return [row("u0"), *(row(f"u{level}", f"u{level - 1}") for level in range(1, levels))]

    assert Units(chain(MAX_DEPTH)).station_index == {f"u{MAX_DEPTH - 1}": 0}
    with pytest.raises(DefinitionError, match=f"unit 'u{MAX_DEPTH}' lies more than {MAX_DEPTH} levels deep"):
        Units(chain(MAX_DEPTH + 1))


BAD = {
    "no units": ([], "there are no units"),
    "twice": ([*TREE, row("n1", "s")], "unit 'n1' is listed twice"),
    "unknown parent": ([*TREE, row("x", "nowhere")], "unit 'x' lies in 'nowhere', which is not listed"),
    "two roots": ([*TREE, row("x")], "units 'c' and 'x' both have no parent"),
    "no root": ([row("a", "b"), row("b", "a")], "no unit has an empty parent"),
    "cycle beside a tree": ([*TREE, row("a", "b"), row("b", "a")], r"unit '[ab]' lies in itself"),
    "its own parent": ([*TREE, row("a", "a")], "unit 'a' lies in itself"),
    "roll of zero": ([row("c"), row("s", "c", 0)], "roll of unit 's' is 0"),
    "negative roll": ([row("c"), row("s", "c", -1)], "roll of unit 's' is -1"),
    "huge roll": ([row("c"), row("s", "c", MAX_ROLL + 1)], "roll of unit 's' is 100000001"),
    "roll beyond any column": ([row("c"), row("s", "c", 2**70)], "roll of unit 's' is 1180591620717411303424"),
    "roll above stations": ([row("c", roll=5), row("s", "c")], "unit 'c' has a roll and has units below it"),
    "bad id": ([row("c"), row("s/1", "c")], "unit 's/1' cannot be used as an identifier"),
    "id begins with a dot": ([row("c"), row(".s", "c")], "unit '.s' cannot be used as an identifier"),
    "line end in an id": ([row("c"), row("s\n", "c")], "cannot be used as an identifier"),
    "long id": ([row("c"), row("s" * 65, "c")], "cannot be used as an identifier"),
    "id not ASCII": ([row("c"), row("ñ", "c")], "cannot be used as an identifier"),
    "lone surrogate": ([row("c"), row("\ud800", "c")], "cannot be used as an identifier"),
    "empty id": ([row("c"), row("", "c")], "unit '' cannot be used as an identifier"),
    "empty name": ([row("c"), UnitRow("s", "c", " ", "unit", None)], "name of unit s ' ' cannot be used"),
    "bell in a name": ([row("c"), UnitRow("s", "c", "\a", "unit", None)], "name of unit s"),
    "long name": ([row("c"), UnitRow("s", "c", "n" * 257, "unit", None)], "name of unit s"),
    "bad kind": ([row("c"), UnitRow("s", "c", "S", "a kind", None)], "kind of unit s 'a kind'"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_a_tree_is_refused(name: str) -> None:
    rows, message = BAD[name]
    with pytest.raises(DefinitionError, match=message):
        Units(rows)


def test_columns_refuse_a_roll_as_rows_do() -> None:
    with pytest.raises(DefinitionError, match="roll of unit 's' is 0"):
        Units.from_columns(["c", "s"], ["", "c"], ["C", "S"], ["x", "x"], np.array([UNKNOWN, 0]))


def test_a_unit_that_does_not_exist() -> None:
    with pytest.raises(DefinitionError, match="there is no unit 'zz'"):
        Units(TREE).position("zz")
