"""The table that people write: what it may say, and how a message names the line that cannot be."""

import contextlib
import json
from typing import Any

import pytest

from scrutineer.audits.entry_table import Entered, read_entries
from scrutineer.errors import AuditError


def table(text: str | bytes) -> Entered:
    return read_entries(text.encode() if isinstance(text, str) else text, "Dipper", "one.csv")


def test_csv_json_and_toml_say_the_same_with_and_without_a_byte_order_mark() -> None:
    csv = 'box,position,contest,votes,note\na1,3,mayor,tern knot,"so, so"\n\na1,4,mayor,,\n'
    rows = [
        {"box": "a1", "position": 3, "contest": "mayor", "votes": ["tern", "knot"], "note": "so, so"},
        {"box": "a1", "position": 4, "contest": "mayor", "votes": "", "note": None},
    ]
    toml = "".join(
        f'[[row]]\nbox = "a1"\nposition = {place}\ncontest = "mayor"\nvotes = "{votes}"\nnote = "{note}"\n'
        for place, votes, note in ((3, "tern knot", "so, so"), (4, "", ""))
    )
    read = {table(mark + text).rows == table(csv).rows for text in (csv, json.dumps(rows), toml) for mark in ("", "\ufeff")}
    assert read == {True}
    assert table(csv.replace("\n", "\r\n")).rows == table(csv).rows
    assert table(csv).rows["a1", 3, "mayor"]["status"] == "counted"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "one.csv is empty"),
        ("\n \n", "one.csv is empty"),
        ("box,contest,votes\n", "there is no row"),
        ("[]", "there is no row"),
        ("box;contest;votes\na1;mayor;tern\n", "line 1: semicolons stand between the cells: save the table as CSV with commas"),
        ("box\tcontest\tvotes\na1\tmayor\ttern\n", "line 1: tabs stand between the cells"),
        ("box,votes\na1,1\n", "line 1: there is no column 'contest'"),
        ("box,contest,votes,votes\na1,mayor,1,2\n", "the column 'votes' stands there twice"),
        ("box,contest,reason\na1,mayor,x\n", "line 2: there is no column 'reason'"),
        ("box,contest\na1,mayor\n", "line 2: there is no column 'votes'"),
        (
            "box,contest,votes\na1,mayor,1\na2,mayor,1,2,3\n",
            "line 3: 5 cells, and the first line has 3: numbers of votes have spaces",
        ),
        ("box,contest,votes\na1,mayor,1\na1,mayor,2\n", "line 3: box 'a1', contest 'mayor' was entered before in this file"),
        (
            "box,position,contest,votes\na1,2,mayor,1\na1,2,mayor,2\n",
            "line 3: box 'a1', card 2, contest 'mayor' was entered before",
        ),
        ("box,contest,votes\n,mayor,1\n", "line 2: '' is no name of a box"),
        ("box,position,contest,votes\na1,0,mayor,1\n", "position is 0: the first card of a box is 1"),
        ("box,position,contest,votes\na1,1e3,mayor,1\n", "position: '1e3' is not a number"),
        ("box,position,contest,votes\na1,-1,mayor,1\n", "position: '-1' is not a number"),
        ("box,contest,status\na1,mayor,lost\n", "line 2: status is 'lost': write counted, not-on-card, missing or illegible"),
        ('box,contest,votes\na1,"mayor,1\n', "cannot be read"),
        ('[{"box": "a1", "contest": "mayor", "votes": 1.5}]', "row 1: '1.5' is neither a whole number nor text"),
        ('[{"box": "a1", "contest": "mayor", "votes": true}]', "is neither a whole number nor text"),
        ('[{"box": "a1", "contest": "mayor", "votes": "1", "votes": "2"}]', "'votes' stands twice in one row"),
        ('{"box": "a1"}', "write a list of rows"),
        ("[[1]]", "write a list of rows"),
        ("[[row]]\nbox = a1\n", "cannot be read"),
        (b"PK\x03\x04rest", "is a file of a spreadsheet program: save it there as CSV"),
        ("box,contest,votes\na1,mayor,1\n".encode("utf-16"), "is not UTF-8; save the file in UTF-8"),
    ],
)
def test_what_cannot_be_is_named_with_its_place(text: str | bytes, told: str) -> None:
    with pytest.raises(AuditError) as raised:
        table(text)
    assert told in str(raised.value)
    assert str(raised.value).startswith("one.csv")


@pytest.mark.parametrize(
    "row", [{}, {"box": None}, {"box": "a1", "votes": {}}, {"box": ["a", 1.0]}, {"box": "a1", "status": "missing "}]
)
def test_rows_of_other_shapes_are_rows_or_named(row: dict[str, Any]) -> None:
    with contextlib.suppress(AuditError):
        assert set(table(json.dumps([row])).rows) == {("a1", 0, "")}
