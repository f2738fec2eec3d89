"""CSV files with a column for each option: Dominion and Clear Ballot."""

from pathlib import Path

import pytest

from scrutineer.audits.cards import marks_table
from scrutineer.audits.cards.model import ABSENT
from scrutineer.audits.cards.reading import read_cards, recognise
from scrutineer.errors import AuditError

WARD = "Council, ward 2 (Vote For=2)"
DOMINION = f"""Aves,5.10.1.2,,,,,,,,,
,,,,,,Mayor (Vote For=1),Mayor (Vote For=1),"{WARD}","{WARD}","{WARD}"
,,,,,,Wren,Robin,Owl,Kite,Write-in
CvrNumber,TabulatorNum,BatchId,RecordId,ImprintedId,BallotType,REP,DEM,,,
1,T1,B1,1,T1-B1-1,town,0,1,1,1,0
2,T1,B1,2,T1-B1-2,town,1,1,0,0,0
3,T1,B2,1,T1-B2-1,"town, north",,,1,0,1
4,T2,B1,7,,town,0,0,1,,1
"""
NEXT = ',"Mayor (Number of positions=1, Number of ranks=3)"' * 8
RANKED = f"""Aves,5.17
,,,,,"Mayor (Number of positions=1, Number of ranks=3)"{NEXT}
,,,,,Wren(1),Robin(1),Owl(1),Wren(2),Robin(2),Owl(2),Wren(3),Robin(3),Owl(3)
CvrNumber,TabulatorNum,BatchId,RecordId,ImprintedId,,,,,,,,,
1,1,1,1,a,1,0,0,0,0,1,0,1,0
2,1,1,2,b,0,1,0,0,1,0,0,0,1
3,1,1,3,c,1,1,0,0,0,1,0,0,0
4,1,1,4,d,1,0,0,0,1,1,0,0,0
5,1,1,5,e,0,0,0,0,0,0,0,0,0
6,1,1,6,f,,,,,,,,,
"""
CLEAR = (
    "RowNumber,BoxID,BoxPosition,BallotID,PrecinctID,BallotStyleID,PrecinctStyleName,ScanComputerName,Status,Remade,"
    "Choice_1_1:Mayor:Vote For 1:Wren:None,Choice_2_1:Mayor:Vote For 1:Robin: with colon:None,"
    "Choice_3_1:Council:Vote For 2:Write-in:None,Choice_4_1:Council:Vote For 2:Write-in:None\n"
    "1,B1,1,x1,p,s,n,S1,,0,1,0,1,1\n2,B1,2,x2,p,s,n,S1,,0,0,1,,\n3,B2,1,x3,p,s,n,S2,,1,0,0,0,1\n"
)


def read(tmp_path: Path, text: str):
    path = tmp_path / "cards.csv"
    path.write_text(text)
    return read_cards(path)


def marks_of(cards, contest):
    column = cards.column(contest)
    return [
        number if number < 0 else tuple(column.options[option] for option in column.patterns[number])
        for number in column.pattern.tolist()
    ]


def test_dominion_marks_by_contest(tmp_path):
    cards = read(tmp_path, DOMINION)
    assert marks_of(cards, "Mayor") == [("Robin",), ("Wren", "Robin"), ABSENT, ()]
    assert marks_of(cards, "Council, ward 2") == [("Owl", "Kite"), (), ("Owl", "Write-in"), ("Owl", "Write-in")]
    assert [cards.column(contest).most for contest in ("Mayor", "Council, ward 2")] == [1, 2]
    assert cards.column("Mayor").votes().tolist() == [0, 1]


def test_dominion_places_and_ids(tmp_path):
    cards = read(tmp_path, DOMINION)
    assert [cards.batches[batch] for batch in cards.batch] == ["T1-B1", "T1-B1", "T1-B2", "T2-B1"]
    assert cards.position.tolist() == [1, 2, 1, 7]
    assert cards.ids.to_pylist() == ["T1-B1-1", "T1-B1-2", "T1-B2-1", "T2-B1-7"]


def test_dominion_unique_voting_identifier_where_nothing_is_imprinted(tmp_path):
    text = DOMINION.replace("BallotType", "UniqueVotingIdentifier").replace('"town, north"', "u3")
    assert read(tmp_path, text).ids.to_pylist() == ["T1-B1-1", "T1-B1-2", "T1-B2-1", "town"]


def test_dominion_cells_that_spreadsheets_shall_not_change(tmp_path):
    text = DOMINION
    for cell in ("T1-B1-1", "T1-B1-2"):
        text = text.replace(f",{cell},", f',="{cell}",')
    text = text.replace("\n1,T1,B1,1,", '\n="1",="T1",="B1",="1",')
    cards = read(tmp_path, text)
    assert cards.ids.to_pylist()[:2] == ["T1-B1-1", "T1-B1-2"]
    assert cards.batches == ("T1-B1", "T1-B2", "T2-B1")


def test_dominion_ranks(tmp_path):
    cards = read(tmp_path, RANKED)
    assert marks_of(cards, "Mayor") == [("Wren", "Owl", "Robin"), ("Robin", "Owl"), (), ("Wren",), (), ABSENT]
    assert cards.column("Mayor").ranked


def test_dominion_names_that_run_over_two_lines(tmp_path):
    assert read(tmp_path, DOMINION.replace("Council, ward 2", "Council,\nward 2")).column("Council, ward 2").most == 2


def test_contests_with_more_options_than_one_number_holds(tmp_path):
    options = 75
    rows = [[int((card * 7 + option * option) % 11 == 0) for option in range(options)] for card in range(50)]
    text = "Aves,5\n" + "," * 5 + ",".join([f"Council (Vote For={options})"] * options) + "\n" + "," * 5
    text += ",".join(f"Bird {option}" for option in range(options))
    text += "\nCvrNumber,TabulatorNum,BatchId,RecordId,ImprintedId" + "," * options + "\n"
    text += "".join(f"{card},1,1,{card},c{card},{','.join(map(str, row))}\n" for card, row in enumerate(rows))
    cards = read(tmp_path, text)
    assert marks_of(cards, "Council") == [tuple(f"Bird {option}" for option in range(options) if row[option]) for row in rows]


def test_blocks_do_not_change_what_is_read(tmp_path, monkeypatch):
    body = "".join(f"{n},T{n % 3},B{n % 5},{n},c{n},x,{n % 2},{(n + 1) % 2},{n % 3 % 2},1,0\n" for n in range(400))
    text = "\n".join(DOMINION.split("\n")[:4]) + "\n" + body
    whole = read(tmp_path, text)
    monkeypatch.setattr(marks_table, "BLOCK", 1000)
    pieces = read(tmp_path, text)
    assert whole.ids.to_pylist() == pieces.ids.to_pylist()
    assert whole.batch.tolist() == pieces.batch.tolist()
    for contest in ("Mayor", "Council, ward 2"):
        assert marks_of(whole, contest) == marks_of(pieces, contest)


def test_clear_ballot(tmp_path):
    cards = read(tmp_path, CLEAR)
    assert marks_of(cards, "Mayor") == [("Wren",), ("Robin: with colon",), ()]
    assert marks_of(cards, "Council") == [("Write-in", "Write-in #2"), ABSENT, ("Write-in #2",)]
    assert cards.batches == ("S1-B1", "S2-B2")
    assert (cards.ids.to_pylist(), cards.position.tolist()) == (["x1", "x2", "x3"], [1, 2, 1])


def test_they_are_recognised_by_their_content(tmp_path):
    for text, name in ((DOMINION, "dominion-csv"), (RANKED, "dominion-csv"), (CLEAR, "clearballot")):
        path = tmp_path / "table"
        path.write_text(text)
        assert recognise(path) == name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n2,T1,B1,2,T1-B1-2,town,1,1,0,0,0", "\n2,T1,B1,2,T1-B1-2,town,1,1,0,0", "line 6: the row cannot be read"),
        ("town,1,1,0,0,0", "town,1,2,0,0,0", "line 6: 2 in column 8"),
        ("town,1,1,0,0,0", "town,1,-1,0,0,0", "line 6: -1 in column 8"),
        ("town,1,1,0,0,0", "town,1,*,0,0,0", "the row cannot be read"),
        ("town,1,1,0,0,0", "town,1,0.5,0,0,0", "the row cannot be read"),
        ("B1,2,T1", "B1,two,T1", "line 6: 'two' in column RecordId is not a number"),
        ("T1-B1-2", "T1-B1-1", "card 'T1-B1-1' stands there twice"),
        ("Mayor (Vote For=1)", "Mayor", "line 2: contest 'Mayor' does not say how many"),
        ("Wren,Robin", "Wren,", "line 3"),
        ("TabulatorNum", "Tabulator", "not recognised"),
        ("RecordId", "Record", "no column RecordId"),
        (DOMINION[DOMINION.index("\n1,") :], "\n", "ends after line 4"),
        ("Council, ward 2 (Vote For=2)", "Mayor (Vote For=2)", "two contests have the same name"),
        ("3,T1,B2", "3,T1,B2\x07", "leave out control characters"),
        ("T1-B2-1", "T1\x07B2-1", "holds control characters"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path, old, new, message):
    assert old in DOMINION
    with pytest.raises(AuditError, match=message):
        read(tmp_path, DOMINION.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Choice_2_1:Mayor:Vote For 1", "Choice_2_1:Mayor:Vote For 2", "say differently"),
        ("Choice_2_1:Mayor:Vote For 1", "Choice_2_1:Mayor", "is not of the form"),
        ("ScanComputerName", "Scanner", "no column ScanComputerName"),
        ("x2", "x1", "card 'x1' stands there twice"),
    ],
)
def test_clear_ballot_that_cannot_be_read(tmp_path, old, new, message):
    with pytest.raises(AuditError, match=message):
        read(tmp_path, CLEAR.replace(old, new))
