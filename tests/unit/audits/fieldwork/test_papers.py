"""Papers of an audit: every box once, nothing that was reported, and names of boxes that stay what they are."""

import re
import subprocess
import unicodedata
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from fieldwork_samples import BOXES, CARDS, LONG, MARKUP, NAMES, POSITIONS, RIGHT_TO_LEFT, WORK
from scrutineer.audits.fieldwork.papers import PAPERS, box_labels, card_sheets, retrieval_list, tally_sheets
from scrutineer.audits.fieldwork.work import FieldWork
from scrutineer.errors import AuditError


@cache
def printed(paper: bytes, *order: str) -> tuple[str, ...]:
    """The text of every page, in the order of the PDF, or as the words stand beside each other."""
    if not Path("/usr/bin/pdftotext").exists():
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils")
    done = subprocess.run(
        ["pdftotext", *(order or ("-raw",)), "-", "-"], input=paper, capture_output=True, check=True, timeout=30
    )
    return tuple(done.stdout.decode().removesuffix("\f").split("\f"))


def squeezed(text: str) -> str:
    """Text without the places at which it was broken, and without marks of direction."""
    return "".join(letter for letter in text if not letter.isspace() and unicodedata.category(letter) != "Cf")


def times(name: str, paper: bytes) -> int:
    # Words that run from right to left come out in their order only where the reader looks at how they stand.
    texts = (squeezed("".join(printed(paper, order))) for order in ("-raw", "-layout"))
    return max(text.count(squeezed(name)) for text in texts)


@pytest.mark.parametrize("work", [WORK, CARDS], ids=["boxes", "cards"])
@pytest.mark.parametrize("name", sorted(PAPERS))
def test_the_same_work_gives_the_same_bytes(name: str, work: FieldWork) -> None:
    assert PAPERS[name](work) == PAPERS[name](work)
    assert PAPERS[name](work).startswith(b"%PDF")


@pytest.mark.parametrize("name", NAMES, ids=["plain", "markup", "long", "right-to-left"])
def test_every_box_stands_once_and_as_it_is_called(name: str) -> None:
    work = replace(WORK, boxes=tuple(replace(box, contests=(), way=()) for box in BOXES))
    assert times(name, retrieval_list(work)) == 1
    assert times(name, box_labels(work)) == 1
    pages = printed(tally_sheets(work))
    assert len(pages) == len(NAMES)
    assert times(name, tally_sheets(work)) == 2, "at the head of its sheet, and at its foot"


def test_cards_are_listed_with_their_places() -> None:
    text = "\n".join(printed(retrieval_list(CARDS)))
    assert text.count("3, 17, 20488") == len(NAMES)
    assert "4 boxes with 12 cards" in " ".join(text.split())
    sheets = "\n".join(printed(card_sheets(CARDS)))
    for position in POSITIONS:
        assert len(re.findall(rf"^{position}$", sheets, re.MULTILINE)) == len(NAMES)
    assert times(LONG, card_sheets(CARDS)) == len(POSITIONS)


def test_questions_and_options_stand_literally() -> None:
    for paper in (tally_sheets(WORK), card_sheets(CARDS)):
        assert times("Great reed warbler 39", paper) >= 1
        assert times(f"President {MARKUP}", paper) >= 1
        assert times(RIGHT_TO_LEFT, paper) >= 1
    assert "order of preference" in "".join(printed(card_sheets(CARDS)))
    asked = sum(len(box.contests) for box in BOXES) * len(POSITIONS)
    assert "".join(printed(card_sheets(CARDS))).count("this question is not on this card") == asked
    assert "at most 3 marks" in "".join(printed(card_sheets(CARDS)))


def test_labels_say_by_which_draws_a_box_was_drawn() -> None:
    text = "\n".join(printed(box_labels(WORK)))
    assert "Draw 1: abababababab" in text
    assert "Draw 4: cdcdcdcdcdcd" in text
    assert "Boxes against sheets" in text
    assert f"plan {bytes(range(8)).hex()}" in text


def test_two_sign_every_sheet_and_its_pages_are_numbered() -> None:
    pages = printed(tally_sheets(WORK))
    assert [page.count("Signature") for page in pages] == [2, 2, 0, 2, 2]
    numbers = [re.findall(r"Page \d of \d", page) for page in pages]
    assert numbers == [["Page 1 of 1"], ["Page 1 of 1"], ["Page 1 of 2"], ["Page 2 of 2"], ["Page 1 of 1"]]


def test_the_right_sheets_for_what_was_drawn() -> None:
    with pytest.raises(AuditError, match="print card sheets"):
        tally_sheets(CARDS)
    with pytest.raises(AuditError, match="print sheets for boxes"):
        card_sheets(WORK)
    with pytest.raises(AuditError, match="nothing is drawn"):
        retrieval_list(replace(WORK, boxes=()))
