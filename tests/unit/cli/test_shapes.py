"""Outlines from the organiser's folder to the record: checked, kept to the byte, and named by the definition."""

import json
from pathlib import Path

import pytest

from cli_helpers import call, refused
from marsh import marsh
from scrutineer.cli.office import Office
from scrutineer.election.definition import SHAPES_TABLE, table_hash
from scrutineer.errors import DefinitionError

ELECTION = marsh("president", "President")
UNITS = """\
id,parent,name,kind,roll
marsh,,Marsh,country,
north,marsh,North,region,
n1,north,One,station,700
s1,marsh,Two,station,90
"""


def shapes(unit: str) -> bytes:
    corners = [[0, 0], [2, 0], [2, 2.5], [0, 0]]
    feature = {"type": "Feature", "id": unit, "properties": {}, "geometry": {"type": "Polygon", "coordinates": [corners]}}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, indent=1).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "election.toml").write_text(ELECTION)
    (tmp_path / "units.csv").write_text(UNITS)
    (tmp_path / SHAPES_TABLE).write_bytes(shapes("north"))
    return tmp_path


def test_the_record_keeps_the_bytes_that_the_definition_names(folder: Path) -> None:
    assert "is valid" in call("check", folder).out
    call("open", folder)
    office = Office.load(folder)
    assert office.shapes_table == (folder / "record" / SHAPES_TABLE).read_bytes() == shapes("north")
    assert office.election.definition.tables[SHAPES_TABLE] == table_hash(shapes("north"))


def test_a_feature_of_no_unit_is_named_before_anything_is_signed(folder: Path) -> None:
    (folder / SHAPES_TABLE).write_bytes(shapes("nort"))
    assert "shapes.geojson, feature 1 ('nort')" in call("check", folder, code=1).out
    assert "write 'north'" in refused("open", folder)
    assert not (folder / "record").exists()


@pytest.mark.parametrize("change", ["changed", "missing"])
def test_a_record_with_other_outlines_is_refused(folder: Path, change: str) -> None:
    call("open", folder)
    path = folder / "record" / SHAPES_TABLE
    if change == "changed":
        path.write_bytes(path.read_bytes() + b"\n")
    else:
        path.unlink()
    with pytest.raises(DefinitionError, match=SHAPES_TABLE):
        Office.load(folder)
