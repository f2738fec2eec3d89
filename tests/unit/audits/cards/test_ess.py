"""ES&S: a file of votes and files of ballots, in both layouts."""

from pathlib import Path

import pytest

from scrutineer.audits.cards.model import ABSENT
from scrutineer.audits.cards.reading import read_cards, recognise
from scrutineer.errors import AuditError

VOTES = """Cast Vote Record,Precinct,Ballot Style,Mayor,Council,Council
1,p,s,Wren,Owl,Kite
2,p,s,undervote,Owl,undervote
3,p,s,overvote,,
4,p,s,Robin,overvote,overvote
"""
PAGE = """Ballots,,,,,,,,,
GEN,,,,,,,,,
"Nest County, Avia",,,,,,,,,
"May 5, 2030",,,,,,,,,
,,,,,,,,,
Cast Vote Record,Batch,Ballot Status,Original Ballot Exception,Remaining Ballot Exception,Type,Report,Group,Tabulator CVR,Precinct
4,B2,Not Reviewed,,,,N,Day,0002000415,p
1,B1,Not Reviewed,,,,N,Day,0001013415,p
2,B1,Not Reviewed,"Undervote, odd",,,N,Day,0001013416,p
Total : 3,,,,,,,,,
,,,,,,,,,
"""
MACHINE = """Cast Vote Record,Batch,Ballot Status,Tabulator CVR,Audit Number,Machine,
3,B1,Not Reviewed,02bc1dc7bc1e7774,77,0009,
"""


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


def marks_of(cards, contest):
    column = cards.column(contest)
    return [
        number if number < 0 else tuple(column.options[option] for option in column.patterns[number])
        for number in column.pattern.tolist()
    ]


def test_votes_and_ballots_of_both_layouts_are_joined(tmp_path):
    path = folder(tmp_path, votes=VOTES, ballots_1=PAGE, ballots_2=MACHINE)
    assert recognise(path) == "ess"
    cards = read_cards(path)
    assert marks_of(cards, "Mayor") == [("Wren",), (), (), ("Robin",)]
    assert marks_of(cards, "Council") == [("Kite", "Owl"), ("Owl",), ABSENT, ()]
    assert (cards.column("Mayor").options, cards.column("Council").most) == (("Robin", "Wren"), 2)
    assert cards.ids.to_pylist() == ["0001013415", "0001013416", "02bc1dc7bc1e7774", "0002000415"]
    assert [cards.batches[batch] for batch in cards.batch] == ["0001-B1", "0001-B1", "0009-B1", "0002-B2"]
    assert cards.position.tolist() == [13415, 13416, 0, 415]


def test_a_file_of_votes_with_the_tabulator_is_known_by_its_name(tmp_path):
    votes = VOTES.replace("Precinct,Ballot Style", "Ballot Status,Tabulator CVR")
    assert len(read_cards(folder(tmp_path, cvr=votes, ballots_1=PAGE, ballots_2=MACHINE), "ess")) == 4


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"votes": VOTES, "b": PAGE}, "line 4: no file of ballots has the card '3'"),
        ({"votes": VOTES.replace("\n3,p,s,overvote,,", ""), "b": PAGE, "c": MACHINE}, "has no votes of card '3'"),
        ({"votes": VOTES.replace("\n4,", "\n1,"), "b": PAGE, "c": MACHINE}, "a card stands there twice"),
        ({"votes": VOTES, "b": PAGE, "c": MACHINE, "d": MACHINE}, "list card '3' twice"),
        ({"votes": VOTES}, "1 files of votes and 0 of ballots"),
        ({"votes": VOTES, "again": VOTES, "b": PAGE}, "2 files of votes and 1 of ballots"),
        (
            {"votes": VOTES, "b": PAGE, "c": MACHINE.replace("02bc1dc7bc1e7774", "4.78822E+15")},
            "line 2: '4.78822E\\+15' is not a",
        ),
        ({"votes": VOTES, "b": PAGE.replace("0002000415", "2000415"), "c": MACHINE}, "line 7: '2000415' is not a"),
        ({"votes": VOTES.replace("Cast Vote Record", "Number"), "b": PAGE}, "no column Cast Vote Record"),
        ({"votes": "Cast Vote Record,Precinct\n1,p\n", "b": PAGE}, "no contest follows"),
        ({"votes": VOTES, "b": PAGE.replace(",0001013416,p", ""), "c": MACHINE}, "fewer cells"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, files, message):
    with pytest.raises(AuditError, match=message):
        read_cards(folder(tmp_path, **files), "ess")
