"""Hart Verity: an XML file for each card, in folders and zips."""

import io
import zipfile
from pathlib import Path

import pytest

from scrutineer.audits.cards.model import ABSENT
from scrutineer.audits.cards.reading import read_cards, recognise
from scrutineer.errors import AuditError

OPTION = "<Option><Name>{0}</Name><Id>i</Id><Value>1</Value></Option>"
WRITTEN = (
    "<Option><Id>w</Id><Value>1</Value><WriteInData><Text/>"
    "<WriteInDataStatus>Unresolved</WriteInDataStatus></WriteInData></Option>"
)
SCANNED = '#FormatVersion 1\n#BatchId,CvrId,UniqueIdentifier,Workstation\n1,"g1","u1","S1"\n1,"g1","u1","S1"\n1,"g2","u2","S2"\n'


def contest(name, *options, left=0):
    return (
        f"<Contest><Name>{name}</Name><Id>c</Id><Options>{''.join(options)}</Options>"
        + (f"<Undervotes>{left}</Undervotes>" if left else "")
        + "</Contest>"
    )


def card(guid, batch, sequence, *contests):
    return (
        '<?xml version="1.0" encoding="utf-8"?><Cvr xmlns="http://tempuri.org/CVRDesign.xsd">'
        f"<Contests>{''.join(contests)}</Contests><BatchSequence>{sequence}</BatchSequence><SheetNumber>1</SheetNumber>"
        f"<BatchNumber>{batch}</BatchNumber><CvrGuid>{guid}</CvrGuid></Cvr>"
    )


WREN, ROBIN, KITE = (OPTION.format(bird) for bird in ("Wren", "Robin", "Kite"))
CARDS = {
    "1.xml": card("g1", 100, 1, contest("Mayor", WREN), contest("Council", WREN, KITE)),
    "2.xml": card("g2", 100, 2, contest("Mayor", left=1), contest("Council", WRITTEN, left=1)),
    "3.xml": card("g3", 200, 1, contest("Council", WRITTEN, WRITTEN)),
    "4.xml": card("g4", 200, 2, contest("Mayor", WREN, ROBIN)),
}


def folder(tmp_path: Path, files: dict[str, str]) -> Path:
    path = tmp_path / "cards"
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def packed(files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return data.getvalue()


def marks_of(cards, contest):
    column = cards.column(contest)
    return {
        name: number if number < 0 else tuple(column.options[option] for option in column.patterns[number])
        for name, number in zip(cards.ids.to_pylist(), column.pattern.tolist(), strict=True)
    }


def test_marks_write_ins_and_contests_that_a_card_does_not_hold(tmp_path):
    path = folder(tmp_path, CARDS)
    assert recognise(path) == "hart"
    cards = read_cards(path)
    assert marks_of(cards, "Mayor") == {"g1": ("Wren",), "g2": (), "g3": ABSENT, "g4": ("Robin", "Wren")}
    council = {"g1": ("Kite", "Wren"), "g2": ("Write-in",), "g3": ("Write-in", "Write-in #2"), "g4": ABSENT}
    assert marks_of(cards, "Council") == council
    assert {each.id: each.most for each in cards.contests} == {"Mayor": 1, "Council": 2}
    assert (cards.batches, cards.position.tolist()) == (("100", "200"), [1, 2, 1, 2])


def test_a_zip_of_zips_names_tabulators_by_them(tmp_path):
    path = tmp_path / "all.zip"
    first, second = dict(list(CARDS.items())[:2]), dict(list(CARDS.items())[2:])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("S1.zip", packed(first))
        archive.writestr("S2.zip", packed(second))
    cards = read_cards(path)
    assert cards.batches == ("S1-100", "S2-200")
    assert sorted(cards.ids.to_pylist()) == ["g1", "g2", "g3", "g4"]


def test_scanned_ballots_name_ids_and_tabulators(tmp_path):
    cards = read_cards(folder(tmp_path, {**CARDS, "scanned.csv": SCANNED}), "hart")
    assert cards.ids.to_pylist() == ["u1", "u2", "g3", "g4"]
    assert [cards.batches[batch] for batch in cards.batch] == ["S1-100", "S2-100", "200", "200"]


def test_the_order_of_files_does_not_matter(tmp_path):
    path = tmp_path / "cards.zip"
    path.write_bytes(packed(dict(reversed(CARDS.items()))))
    again = tmp_path / "again.zip"
    again.write_bytes(packed(CARDS))
    assert read_cards(path).ids.to_pylist() == read_cards(again).ids.to_pylist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (card("g1", 100, 2, contest("Mayor", WREN)), "card 'g1' stands there twice"),
        (card("g9", 100, 2, contest("Mayor", WREN), contest("Mayor")), "card 'g9' holds contest 'Mayor' twice"),
        (card("g9", 100, 2, contest("Mayor", WREN, WREN)), "9.xml: an option of contest 'Mayor' stands there twice"),
        (card("g9", 100, 2, contest("Mayor", WREN.replace(">1<", ">2<"))), "has the value '2'"),
        (card("g9", 100, "x", contest("Mayor", WREN)), "9.xml: BatchSequence 'x' is not a number"),
        (card("", 100, 2, contest("Mayor", WREN)), "9.xml: a CvrGuid is missing"),
        (card("g9", 100, 2, contest("Mayor", OPTION.format(""))), "9.xml: a Name is missing"),
        (card("g9", 100, 2)[:-6], "9.xml: not XML"),
        ("<Cvr/>", "9.xml: not the record of a card"),
        ('<!DOCTYPE Cvr [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + card("g9", 1, 1)[38:], "9.xml: declares a document type"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_file(tmp_path, text, message):
    with pytest.raises(AuditError, match=message):
        read_cards(folder(tmp_path, {**CARDS, "9.xml": text}))


def test_a_card_that_was_scanned_twice_is_named(tmp_path):
    with pytest.raises(AuditError, match="line 6: card 'g1' was scanned twice"):
        read_cards(folder(tmp_path, {**CARDS, "s.csv": SCANNED + '1,"g1","u9","S1"\n'}), "hart")


def test_a_damaged_zip_is_refused(tmp_path):
    data = bytearray(packed({"1.xml": CARDS["1.xml"] * 1}))
    data[60] ^= 0xFF
    path = tmp_path / "cards.zip"
    path.write_bytes(data)
    with pytest.raises(AuditError, match=r"1\.xml: cannot be"):
        read_cards(path, "hart")
