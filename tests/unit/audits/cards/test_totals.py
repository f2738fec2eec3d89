"""Totals by batch: Arlo's candidate totals, and stations of our own published results."""

from pathlib import Path

import pytest

from scrutineer.audits.cards.batch_totals import read_batch_totals
from scrutineer.audits.cards.own import published_counts, read_stations, station_totals
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.manifest_check import against_counts
from scrutineer.election import Contest, Option
from scrutineer.errors import AuditError

MAYOR = Contest("mayor", "Mayor", "plurality", (Option("w", "Wren"), Option("r", "Robin")))
COUNCIL = Contest("council", "Council", "plurality", (Option("o", "Owl"), Option("k", "Kite")), seats=2, max_choices=2)
BOXES = Manifest.of([("B1", 10), ("B2", 5)])
BOTH = "Batch Name,Mayor - Robin,Mayor - Wren,Council - Owl,council - k\nB2,1,4,5,5\nB1,3,2,0,9\n"
TABLE = (
    "station,parent,name,status,entry,rules,roll,stated_roll,voters,cast,blank,null,votes:w,votes:r\n"
    "B1,p,One,counted,7,,20,,10,10,1,,6,3\nB2,p,Two,outstanding,,,20,,,,,,,\nB3,p,Three,excluded,9,,20,,8,8,,,8,0\n"
)


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "totals.csv"
    path.write_text(text)
    return path


def test_totals_of_several_contests(tmp_path):
    totals = read_batch_totals(saved(tmp_path, BOTH), (MAYOR, COUNCIL), BOXES)
    assert totals.rows == {
        ("B1", "mayor"): (10, 5, (2, 3)),
        ("B2", "mayor"): (5, 0, (4, 1)),
        ("B1", "council"): (10, 1, (0, 9)),
        ("B2", "council"): (5, 0, (5, 5)),
    }


def test_totals_of_one_contest_are_named_by_options(tmp_path):
    text = "Batch Name,Wren,Robin\nB1,2,3\nB2,4,1\n"
    assert read_batch_totals(saved(tmp_path, text), (MAYOR,), BOXES).rows["B1", "mayor"] == (10, 5, (2, 3))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("B2,1,4,5,5\n", "", "has no totals of box 'B2'"),
        ("B2,", "B1,", "line 3: box 'B1' stands there again, as in line 2"),
        ("B2,", "B9,", "line 2: the manifest has no box 'B9'"),
        ("B2,1,4", "B2,2,4", "line 2: 6 votes in contest 'Mayor' cannot stand on 5 cards"),
        ("B1,3", "B1,-3", "line 3: '-3' in column 'Mayor - Robin' is not a number"),
        ("B1,3", "B1,", "line 3: '' in column"),
        (",9\n", "\n", "line 3: 4 cells, and the header has 5"),
        ("Mayor - Wren", "Mayor - Kite", "0 columns for option 'Wren'"),
        ("Council - Owl", "Mayor - Wren", "2 columns for option 'Wren'"),
        ("Batch Name", "Where", "line 1: no column is called Batch Name"),
    ],
)
def test_totals_that_cannot_be_used(tmp_path, old, new, message):
    with pytest.raises(AuditError, match=message):
        read_batch_totals(saved(tmp_path, BOTH.replace(old, new)), (MAYOR, COUNCIL), BOXES)


def test_stations_of_our_own_results(tmp_path):
    stations = {"mayor": read_stations(saved(tmp_path, TABLE), MAYOR)}
    assert published_counts(stations) == {"B1": 10}
    totals = station_totals(stations, (MAYOR,), BOXES)
    assert totals.rows == {("B1", "mayor"): (10, 1, (6, 3)), ("B2", "mayor"): (5, 0, (0, 0))}
    assert [each.box for each in against_counts(BOXES, published_counts(stations))] == ["B2"]


def test_a_station_without_a_box_is_named(tmp_path):
    stations = {"mayor": read_stations(saved(tmp_path, TABLE), MAYOR)}
    with pytest.raises(AuditError, match="station 'B2' votes in contest 'mayor' and is not in the manifest"):
        station_totals(stations, (MAYOR,), Manifest.of([("B1", 10)]))
    with pytest.raises(AuditError, match="6 cards cannot bear these votes"):
        station_totals(stations, (MAYOR,), Manifest.of([("B1", 6), ("B2", 5)]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("votes:w", "votes:x", "no column 'votes:w'"),
        ("B2,", "B1,", "line 3: station 'B1' stands there twice"),
        (",6,3", ",six,3", "line 2: 'six' is not a number"),
        (",6,3", ",,3", "line 2: votes of some options are missing"),
        (",6,3", ",6", "line 2: 13 cells"),
    ],
)
def test_a_table_of_stations_that_cannot_be_used(tmp_path, old, new, message):
    with pytest.raises(AuditError, match=message):
        read_stations(saved(tmp_path, TABLE.replace(old, new)), MAYOR)
