"""Rankings as the RAIRE tools exchange them."""

from pathlib import Path

import pytest

from scrutineer.audits.cards.reading import read_cards, recognise
from scrutineer.errors import AuditError

MAYOR = "1\nContest,20,4,1,2,3,4,winner,2\n20,7_1_1,2\n20,7_1_2,3,1\n20,7_2_1,\n20,7_2_2,2,4,2,1\n"


def read(tmp_path: Path, text: str):
    path = tmp_path / "mayor.raire"
    path.write_text(text, newline="")
    return read_cards(path)


def test_rankings_are_kept_once_in_ascending_order(tmp_path):
    cards = read(tmp_path, MAYOR)
    column = cards.column("20")
    assert (column.options, column.ranked) == (("1", "2", "3", "4"), True)
    assert column.patterns == ((), (1,), (1, 3, 0), (2, 0))
    assert column.pattern.tolist() == [1, 3, 0, 2]
    assert column.votes().tolist() == [0, 2, 1, 0]


def test_ids_of_three_parts_say_where_a_ballot_lies(tmp_path):
    cards = read(tmp_path, MAYOR)
    assert cards.ids.to_pylist() == ["7_1_1", "7_1_2", "7_2_1", "7_2_2"]
    assert [cards.batches[batch] for batch in cards.batch] == ["7-1", "7-1", "7-2", "7-2"]
    assert cards.position.tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize("last", ["20,late,3\n", "20,7_2_x,3\n", "20,7_2_²,3\n", "20,7_2,3\n", "20,1_7_2_3,3\n"])
def test_if_one_id_names_no_place_none_does(tmp_path, last):
    cards = read(tmp_path, MAYOR + last)
    assert cards.batches == ("unplaced",)
    assert cards.position.tolist() == [0] * 5
    assert cards.ids.to_pylist() == ["7_1_1", "7_1_2", "7_2_1", "7_2_2", last.split(",")[1]]
    assert cards.column("20").votes().tolist() == [0, 2, 2, 0]


def test_several_contests_of_one_ballot_are_one_card(tmp_path):
    cards = read(tmp_path, "2\nContest,A,2,wren,robin\nContest,B,2,owl,kite\nA,x1,wren\nB,x1,kite,owl\nB,x2,owl\nA,x3,robin\n")
    assert cards.ids.to_pylist() == ["x1", "x2", "x3"]
    assert cards.column("A").pattern.tolist() == [0, -1, 1]
    assert cards.column("B").pattern.tolist() == [1, 0, -1]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("ids", [("7_1_1", "7_1_2", "7_1_3"), ("a", "b", "c")])
def test_a_blank_ballot_may_end_without_a_comma(tmp_path, ids, end):
    lines = ["1", "Contest,20,2,1,2", f"20,{ids[0]},2", f"20,{ids[1]}", f"20,{ids[2]}"]
    cards = read(tmp_path, end.join(lines) + end)
    assert cards.ids.to_pylist() == list(ids)
    assert [cards.column("20").patterns[number] for number in cards.column("20").pattern] == [(1,), (), ()]


def test_line_ends_of_windows_and_a_last_line_without_end(tmp_path):
    cards = read(tmp_path, MAYOR.replace("\n", "\r\n").rstrip("\r\n"))
    assert cards.column("20").pattern.tolist() == [1, 3, 0, 2]
    assert cards.ids.to_pylist()[3] == "7_2_2"


def test_blocks_are_cut_between_lines(tmp_path, monkeypatch):
    whole = read(tmp_path, MAYOR)
    monkeypatch.setattr("scrutineer.audits.cards.raire.BLOCK", 5)
    pieces = read(tmp_path, MAYOR)
    assert pieces.column("20").patterns == whole.column("20").patterns
    assert pieces.column("20").pattern.tolist() == whole.column("20").pattern.tolist()
    assert pieces.ids.to_pylist() == whole.ids.to_pylist()


def test_it_is_recognised_by_its_content(tmp_path):
    path = tmp_path / "something.txt"
    path.write_text(MAYOR)
    assert recognise(path) == "raire"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\nContest,20,1,1\n", "line 1: give the number of contests"),
        ("1\nContest,20,5,1,2\n20,a,1\n", "line 2: a contest is given as"),
        ("1\nContest,20,2,1,1\n20,a,1\n", "line 2: contest '20' or one of its options stands there twice"),
        ("2\nContest,20,1,1\nContest,20,1,1\n", "line 3: contest '20' or one of its options stands there twice"),
        ("1\nContest,20,2,1,2\n", "line 2: no ballot follows"),
        ("1\nContest,20,2,1,2", "line 2: the file ends here"),
        ("1\nContest,20,2,1,2\n20,a,1\n20,b,9\n", "line 4: contest '20' has no option '9'"),
        ("1\nContest,20,2,1,2\n20,a,1\n20,b,1,,2\n", "line 4: contest '20' has no option ''"),
        ("1\nContest,20,2,1,2\n20,a,1\n21,b,1\n", "line 4: contest '21' is not listed"),
        ("1\nContest,20,2,1,2\n20,a,1\n20\n20,c,1\n", "line 4: give contest, ballot and preferences"),
        ("1\nContest,20,2,1,2\n20,a,1\n20,a,2\n", "card 'a' stands there twice"),
        ("1\nContest,20,2,1,2\n20,,1\n", "a card has no id"),
        ("2\nContest,A,1,wren\nContest,B,1,owl\nA,x,wren\nB,x,owl\nA,x,\n", "ballot 'x' has two lines"),
        ("1\nContest,20,2,1,2\n20,a\x01b,1\n", "line 3: or a line after it holds control characters"),
        ("1\nContest,20,2,1,2\n20,a\tb,1\n", "holds control characters"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(AuditError, match=message) as caught:
        read(tmp_path, text)
    assert "mayor.raire" in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "mayor.raire"
    path.write_bytes(b"1\nContest,20,2,1,2\n20,a\xff,1\n")
    with pytest.raises(AuditError, match="save the file in UTF-8"):
        read_cards(path, "raire")
