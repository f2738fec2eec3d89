"""Units, their tables and what is read from published files, for trees and cells that nobody thought of."""

import csv
import hashlib
import io
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scrutineer.election import Contest, Option
from scrutineer.election.baseline import MAX_VOTES, Baseline, baseline_findings, read_baseline, write_baseline
from scrutineer.election.contests import check_id, check_name
from scrutineer.election.layout_model import FileFormat
from scrutineer.election.published_numbers import MAX_COUNT, NumberError, Numbers
from scrutineer.election.register import Issuer, Register
from scrutineer.election.table_findings import register_findings, unit_findings
from scrutineer.election.tables import read_register, read_units, write_register, write_units
from scrutineer.election.toml_lines import key_lines
from scrutineer.election.unit_ids import UnitIds, clean_name, slug
from scrutineer.election.units import MAX_DEPTH, MAX_ROLL, UNKNOWN, UnitRow, Units
from scrutineer.errors import DefinitionError

NAMES = st.text(alphabet="aZ9 ,;\"'ñЮ日.-", min_size=1, max_size=8).filter(lambda text: bool(text.strip()))


@st.composite
def trees(draw: st.DrawFn) -> list[UnitRow]:
    """Rows of a tree in any order; rolls on some of its stations."""
    count = draw(st.integers(1, 15))
    above = [draw(st.integers(0, number - 1)) if number else -1 for number in range(count)]
    parents = set(above)
    names = draw(st.lists(NAMES, min_size=count, max_size=count))
    rolls = draw(st.lists(st.none() | st.integers(1, MAX_ROLL), min_size=count, max_size=count))
    rows = [
        UnitRow(f"u{n}", f"u{above[n]}" if n else "", names[n], "unit", None if n in parents else rolls[n]) for n in range(count)
    ]
    return draw(st.permutations(rows))


def below(rows: list[UnitRow], unit: str) -> set[str]:
    """Stations in a unit, the plain way."""
    children = [row.id for row in rows if row.parent == unit]
    return set().union(*(below(rows, child) for child in children)) if children else {unit}


@given(trees())
def test_stations_below_a_unit_are_one_run_and_the_right_ones(rows: list[UnitRow]) -> None:
    units = Units(rows)
    by_number = {number: station for station, number in units.station_index.items()}
    for row in rows:
        position = units.position(row.id)
        run = units.stations_below(position)
        assert {by_number[number] for number in run} == below(rows, row.id)
        assert all(units.contains(position, number) == (number in run) for number in by_number)
        assert units.is_station(position) == (below(rows, row.id) == {row.id})
        assert [units.ids[unit] for unit in units.children(position)] == [other.id for other in rows if other.parent == row.id]
    for number, station in by_number.items():
        given_roll = next(row.roll for row in rows if row.id == station)
        assert units.rolls[number] == (UNKNOWN if given_roll is None else given_roll)
        assert units.ids[units.station_units[number]] == station


@given(trees())
def test_a_units_table_is_read_back_and_has_one_spelling(rows: list[UnitRow]) -> None:
    units = Units(rows)
    written = write_units(units)
    again = read_units(written)
    assert list(again.rows()) == list(units.rows())
    assert set(again.rows()) == set(rows)
    assert write_units(again) == written
    assert unit_findings(written) == []


@given(trees(), st.data())
def test_a_register_is_read_back(rows: list[UnitRow], data: st.DataObject) -> None:
    units = Units(rows)
    keyed = data.draw(st.lists(st.booleans(), min_size=units.station_count, max_size=units.station_count))
    keys = b"".join(hashlib.sha256(b"%d" % number).digest() if keyed[number] else bytes(32) for number in range(len(keyed)))
    roles = data.draw(st.lists(st.sampled_from(["agent", "observer", "authority"]), unique=True))
    others = [Issuer(f"{role}/x", role, hashlib.sha256(role.encode()).digest(), name=rows[0].name) for role in roles]
    register = Register(units.station_index, keys, others)
    written = write_register(register)
    again = read_register(written, units)
    assert (again.station_keys, list(again.others())) == (register.station_keys, others)
    assert register_findings(written, units) == []


CELLS = st.sampled_from(["a", "b", "c", "", " ", ".", "7", "0", "-1", "x/y", "é", "\n", '"', "9" * 30])


@given(st.lists(st.lists(CELLS, min_size=0, max_size=6), max_size=8))
def test_a_units_table_is_valid_exactly_where_nothing_is_found_in_it(rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "parent", "name", "kind", "roll"])
    writer.writerows(rows)
    data = text.getvalue().encode()
    findings = unit_findings(data)
    try:
        read_units(data)
    except DefinitionError:
        assert findings
    else:
        assert findings == []
    assert all(finding.line >= 1 for finding in findings)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=45))
def test_units_and_findings_agree_on_deep_trees_and_cycles(edges: list[tuple[int, int]]) -> None:
    rows = ["r,,R,x,", *(f"u{child},{f'u{parent}' if parent < 40 else 'r'},U,x," for child, parent in dict(edges).items())]
    data = "\n".join(["id,parent,name,kind,roll", *rows, ""]).encode()
    try:
        units = read_units(data)
    except DefinitionError:
        assert unit_findings(data)
    else:
        assert unit_findings(data) == []
        assert all(len(units.path(unit)) <= MAX_DEPTH for unit in range(units.unit_count))


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_a_table_or_are_refused(data: bytes) -> None:
    try:
        read_units(data)
    except DefinitionError:
        assert unit_findings(data)


FORMATS = st.sampled_from([FileFormat(), FileFormat(thousands=",", decimal="."), FileFormat(missing=("", "NA", "0"))])


@given(FORMATS, st.integers(0, MAX_COUNT))
def test_numbers_are_read_exactly(form: FileFormat, number: int) -> None:
    numbers = Numbers(form, [(0,), (1,)])
    grouped = f"{number:,}" if form.thousands else str(number)
    expected = None if grouped in form.missing else number
    assert numbers.read([grouped, ""]) == (expected, None)
    assert numbers.read([str(number), str(number)]) == (expected, expected)


@given(FORMATS, st.text(alphabet="0123456789.,-+ eNA_٣", max_size=14))
def test_cells_are_counts_or_missing_or_refused(form: FileFormat, cell: str) -> None:
    numbers = Numbers(form, [(0,), (1,)])
    try:
        value, again = numbers.read([cell, cell])
    except NumberError:
        assert {column for column, _ in numbers.faults([cell, cell])} == {0, 1}
        return
    assert value == again == numbers.cell(cell)
    assert value is None or 0 <= value <= MAX_COUNT
    assert (value is None) == (cell.strip() in form.missing)


@given(st.lists(st.tuples(st.text(max_size=70), st.text(max_size=5)), max_size=12))
def test_identifiers_are_valid_and_never_shared(cells: list[tuple[str, str]]) -> None:
    ids = UnitIds()
    given_ids = {cell: ids.give("top", cell, cell) for cell in cells}
    assert len(set(given_ids.values())) == len(given_ids)
    for cell, unit in given_ids.items():
        check_id(unit, "unit")
        assert ids.give("top", cell, cell) == unit


@given(st.text(max_size=300))
def test_names_are_fit_for_units(text: str) -> None:
    check_name(clean_name(text, "none"), "name")
    assert slug(text).isascii()


@given(st.recursive(st.integers() | st.text(alphabet="ab#[]{}\"'=\n\\", max_size=6), lambda inner: st.lists(inner, max_size=3)))
def test_keys_behind_any_value_stand_on_their_line(value: object) -> None:
    def written(item: object) -> str:
        if isinstance(item, list):
            return "[" + ",\n".join(map(written, item)) + "]"
        if isinstance(item, str):
            return '"' + item.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        return str(item)

    text = f"first = {written(value)}\nsecond = 2\n[table]\nthird = 3\n"
    lines = key_lines(text)
    for key in (("second",), ("table",), ("table", "third")):
        assert text.splitlines()[lines[key] - 1].strip("[").startswith(key[-1])


@st.composite
def baselines(draw: st.DrawFn) -> tuple[tuple[Contest, ...], Units, Baseline]:
    """Contests in random places of a random tree, and votes for some of them."""
    units = Units(draw(trees()))
    contests = tuple(
        Contest(f"c{n}", "C", "plurality", tuple(Option(f"o{o}", "O") for o in range(draw(st.integers(1, 4)))), unit=unit)
        for n, unit in enumerate(draw(st.lists(st.sampled_from(["", *units.ids]), min_size=1, max_size=3)))
    )
    votes: list[NDArray[np.int32] | None] = []
    for contest in contests:
        shape = (len(units.stations_below(units.position(contest.unit) if contest.unit else 0)), len(contest.options))
        size = shape[0] * shape[1]
        own = draw(st.none() | st.lists(st.integers(0, 12) | st.integers(0, MAX_VOTES), min_size=size, max_size=size))
        votes.append(None if own is None else np.array(own, dtype=np.int32).reshape(shape))
    if all(own is None for own in votes):
        stations = units.stations_below(units.position(contests[0].unit or units.ids[0]))
        votes[0] = np.zeros((len(stations), len(contests[0].options)), np.int32)
    return contests, units, tuple(votes)


@given(baselines(), st.randoms(use_true_random=False))
def test_a_baseline_is_read_back_and_has_one_spelling(
    drawn: tuple[tuple[Contest, ...], Units, Baseline], order: random.Random
) -> None:
    contests, units, baseline = drawn
    written = write_baseline(baseline, contests, units)
    header, *rows = written.decode().splitlines()
    order.shuffle(rows)
    for data in (written, "\r\n".join([header, *rows]).encode()):
        again = read_baseline(data, contests, units)
        assert [None if own is None else own.tolist() for own in again] == [
            None if own is None else own.tolist() for own in baseline
        ]
        assert write_baseline(again, contests, units) == written


@given(baselines(), st.data())
def test_a_baseline_with_a_row_changed_or_left_out_is_refused_or_another_one(
    drawn: tuple[tuple[Contest, ...], Units, Baseline], data: st.DataObject
) -> None:
    contests, units, baseline = drawn
    written = write_baseline(baseline, contests, units)
    header, *rows = written.decode().splitlines()
    row = data.draw(st.integers(0, len(rows) - 1))
    cells = rows[row].split(",")
    cells[data.draw(st.integers(0, 3))] = data.draw(CELLS.filter(lambda cell: not set(cell) & set('\n"')))
    changed = [*rows[:row], *([",".join(cells)] if data.draw(st.booleans()) else []), *rows[row + 1 :]]
    text = "\n".join([header, *changed, ""]).encode()
    findings = baseline_findings(text, contests, units)
    if findings:
        with pytest.raises(DefinitionError) as raised:
            read_baseline(text, contests, units)
        assert str(raised.value).startswith(str(findings[0]))
    else:
        # What can be read differs in the votes of one row, or lacks a contest that had this row alone.
        assert write_baseline(read_baseline(text, contests, units), contests, units) == text


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_a_baseline_or_are_refused(data: bytes) -> None:
    units = Units([UnitRow("a", "", "A", "country", None), UnitRow("b", "a", "B", "station", 7)])
    contests = (Contest("c", "C", "plurality", (Option("o", "O"),)),)
    for table in (data, b"station,contest,option,votes\nb,c,o," + data):
        try:
            read_baseline(table, contests, units)
        except DefinitionError:
            assert baseline_findings(table, contests, units)
