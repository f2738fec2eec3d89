"""Published tables: what is read of them, and how those are refused that cannot be used."""

import pytest

from scrutineer.audits.replay.reading import MOST_CELL, Table, by_choice, names_in, read_lines, votes_in, whole_number
from scrutineer.errors import AuditError


def test_rows_have_their_lines_and_no_white_space():
    lines = read_lines("a.csv", b'\xef\xbb\xbf Box , Votes \n\n"Heron\nHouse",12,\n , \n')
    assert [(line.number, line.cells) for line in lines] == [(1, ("Box", "Votes")), (4, ("Heron\nHouse", "12", ""))]
    table = Table.of("a.csv", lines)
    assert table.columns == ("Box", "Votes")
    assert table.lines[0].cells == ("Heron\nHouse", "12")
    assert table.place("votes", "other") == 1
    assert table.place("other") is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04", "a spreadsheet"),
        (b"Box\n\xff\n", "byte 4 is not UTF-8"),
        (b"Box\n\x00\n", "zero byte"),
        (b'Box\n"a"b\n', "line 2: not a row of a CSV file"),
        (b"a" * (MOST_CELL + 1), "too long"),
        (b"," * 5000, "too long"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, message: str):
    with pytest.raises(AuditError, match=message):
        read_lines("a.csv", data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no row"),
        (b"Box,box\n", "two columns are called 'box'"),
        (b"Box\n1,2\n", "line 2: 2 cells, and there are 1 columns"),
    ],
)
def test_what_is_no_table_with_columns_is_refused(data: bytes, message: str):
    with pytest.raises(AuditError, match=message):
        Table.of("a.csv", read_lines("a.csv", data))


def test_numbers():
    assert whole_number("there", "votes", "1,234") == 1234
    assert whole_number("there", "votes", "0012") == 12
    for wrong in ("", "-1", "1.0", "12,34", "1e3", "\u0661", "9" * 13):
        with pytest.raises(AuditError, match=r"there: .* is no number of votes"):
            whole_number("there", "votes", wrong)


def test_votes():
    assert votes_in("there", "Heron: 12; Wren; the elder: 3; A: B: 0") == {"Heron": 12, "Wren; the elder": 3, "A: B": 0}
    assert votes_in("there", "") == {}
    for wrong in ("Heron", "Heron: x", "Heron: 1; Heron: 2", "Heron: -1", "Heron: 1; "):
        with pytest.raises(AuditError, match="there: "):
            votes_in("there", wrong)
    assert by_choice("there", {"Wren": 2}, ("Heron", "Wren")) == (0, 2)
    with pytest.raises(AuditError, match="no choice 'Owl'"):
        by_choice("there", {"Owl": 2}, ("Heron", "Wren"))


def test_names_that_hold_the_separator():
    known = ("Heron", "Owl, barn", "Owl", "barn, Wren")
    assert names_in("Heron, Owl, barn", known) == ("Heron", "Owl, barn")
    assert names_in("Owl, barn, Wren", known) == ("Owl", "barn, Wren")
    assert names_in("", known) == ()
    assert names_in("Heron, Crane", known) is None
