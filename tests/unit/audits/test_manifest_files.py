"""Manifests as others write them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from scrutineer.audits.cards.model import Cards
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.manifest_files import manifest_of_stations, read_manifest_file
from scrutineer.errors import AuditError

ARLO = "Container,Tabulator,Batch Name,Number of Ballots\nShed 1,T1,B1,50\nShed 1,T1,B2,60\nShed 2,T2,B1,0\n"


def read(tmp_path: Path, text: str | bytes):
    path = tmp_path / "boxes.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_manifest_file(path)


@pytest.mark.parametrize(
    ("text", "boxes", "places"),
    [
        (ARLO, {"T1-B1": 50, "T1-B2": 60, "T2-B1": 0}, {"T1-B1": "Shed 1", "T1-B2": "Shed 1", "T2-B1": "Shed 2"}),
        ("Batch Name,Number of Ballots\r\nB2,2\r\nB1,1\r\n\r\n", {"B1": 1, "B2": 2}, {}),
        ("\ufeffBatch Name,Number of Ballots,CVR\nB1,1,Yes\n", {"B1": 1}, {}),
        (
            "Tray #,Tabulator Number,Batch Number,Total Ballots,VBMCart.Cart number\n1,99808,78,116,3\n1,99808,77,115,3\n",
            {"99808-77": 115, "99808-78": 116},
            {"99808-77": "1 3", "99808-78": "1 3"},
        ),
        (
            'CountyID,ScannerID,BatchID,NumBallots,StorageLocation\nAvia,Scanner1,"4",49,Bin 1\n',
            {"Scanner1-4": 49},
            {"Scanner1-4": "Bin 1"},
        ),
        ("Container,Batch Name,Number of Ballots\nA,1,5\nB,1,6\n", {"A-1": 5, "B-1": 6}, {"A-1": "A", "B-1": "B"}),
        ("box,cards\nB1,1\n", {"B1": 1}, {}),
    ],
)
def test_layouts_that_are_known(tmp_path, text, boxes, places):
    found = read(tmp_path, text)
    assert dict(zip(found.manifest.boxes, found.manifest.cards.tolist(), strict=True)) == boxes
    assert dict(found.places) == places


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ARLO.replace("T1,B2", "T1,B1"), "line 3: box 'Shed 1-T1-B1' stands there again, as in line 2"),
        (ARLO.replace(",60", ",-60"), "line 3: -60 cards in a box cannot be"),
        (ARLO.replace(",60", ","), "line 3: the number of cards is missing"),
        (ARLO.replace(",60", ",6O"), "line 3: '6O' is not a number of cards"),
        (ARLO.replace(",60", ',"1,060"'), "line 3: '1,060' is not a number of cards"),
        (ARLO.replace(",60", ",99999999999"), "line 3: '99999999999' is not a number"),
        (ARLO.replace(",60", ""), "line 3: 3 cells, and the header has 4"),
        (ARLO + ",,,110\n", "line 5: the batch or the tabulator has no name"),
        (ARLO.replace("Number of Ballots", "Papers"), "line 1: no column says the number of cards"),
        (ARLO.replace("Batch Name", "Stack"), "line 1: no column says the box"),
        (ARLO.replace("Container", "Cards"), "line 1: columns 1 and 4 both say it"),
        ("Batch Name,Number of Ballots\n", "lists no box"),
        ("", "line 1: no column says"),
        (b"PK\x03\x04", "save it as CSV"),
        (b"Batch Name,Number of Ballots\n\xff,1\n", "byte 29 is not UTF-8"),
        ('Batch Name,Number of Ballots\n"B1,1\n', "line 2: not a row"),
        ("box,cards\nB2,1\nB1,1\n", "'B1' is out of order"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(AuditError, match=message):
        read(tmp_path, text)


def test_published_counts_of_stations():
    assert manifest_of_stations({"s2": 5, "s1": 4}).encode() == b"box,cards\ns1,4\ns2,5\n"


def test_records_that_name_the_batch_alone_get_the_name_of_the_box(tmp_path):
    found = read(tmp_path, ARLO)
    cards = Cards((), ("B2", "T1-B1"), np.array([0, 1], np.int32), np.zeros(2, np.int32), pa.array(["a", "b"]))
    assert found.named(cards).batches == ("T1-B2", "T1-B1")
    unclear = Cards((), ("B1",), np.zeros(1, np.int32), np.zeros(1, np.int32), pa.array(["a"]))
    assert found.named(unclear).batches == ("B1",)
    assert isinstance(found.manifest, Manifest)
