"""From rows to a count: every contest that is asked about has its row, and leaving one out never says anything."""

import pytest

from count_helpers import PRESIDENT, make_election
from scrutineer.audits.counts_entry import count_of, differences
from scrutineer.audits.entry_table import Entered, read_entries
from scrutineer.election import Contest, Option
from scrutineer.errors import AuditError
from scrutineer.statements import AuditCount

COUNCIL = Contest(
    "council", "Council", "approval", (Option("tern", "Tern"), Option("knot", "Knot"), Option("smew", "Smew")), max_choices=2
)
MAYOR = Contest("mayor", "Mayor", "ranked", (Option("coot", "Coot"), Option("rail", "Rail")))
ELECTION = make_election((PRESIDENT, COUNCIL, MAYOR))
ASKED = ("council", "mayor", "president")
HEAD = "box,position,contest,status,cards,blank,null,votes\n"
CARD = ("a1,3,council,,,,,tern smew", "a1,3,mayor,,,,,rail coot", "a1,3,president,,,,,")
BOX = ("a1,,council,,,,,40 30 20", "a1,,mayor,,,,,- -", "a1,,president,,90,3,2,50 20 15")


def rows(*lines: str, by: str = "Dipper") -> Entered:
    return read_entries((HEAD + "".join(f"{line}\n" for line in lines)).encode(), by, f"{by.lower()}.csv")


def counted(*lines: str, asked: tuple[str, ...] = ASKED) -> AuditCount:
    return count_of(rows(*lines), "a1", ELECTION, bytes(32), ("Dipper",), asked=asked)


def refused(*lines: str, asked: tuple[str, ...] = ASKED) -> str:
    with pytest.raises(AuditError) as raised:
        counted(*lines, asked=asked)
    return str(raised.value)


def test_a_card_with_a_row_for_each_contest() -> None:
    (card,) = counted(*CARD).cards
    assert card.marks == {"council": (0, 2), "mayor": (1, 0), "president": ()}


def test_that_a_contest_is_not_on_the_card_is_said_in_its_row() -> None:
    (card,) = counted(CARD[0], "a1,3,mayor,not-on-card,,,,", CARD[2]).cards
    assert card.marks == {"council": (0, 2), "president": ()}, "an empty row says that no mark counts"
    (card,) = counted(*(f"a1,3,{contest},not-on-card,,,," for contest in ASKED)).cards
    assert (card.status, card.marks) == ("counted", {})


@pytest.mark.parametrize("left", range(3))
def test_a_card_without_the_row_of_a_contest_is_no_count(left: int) -> None:
    told = refused(*(line for number, line in enumerate(CARD) if number != left))
    assert told.startswith(f"dipper.csv (Dipper), box 'a1': card 3: there is no row for contest '{ASKED[left]}'")
    assert "not-on-card" in told


def test_another_card_of_the_box_does_not_answer_for_it() -> None:
    told = refused(*CARD, "a1,7,council,,,,,tern")
    assert "card 7: there is no row for contest 'mayor', 'president'" in told
    assert "card 7: there is no row" in refused(*CARD, "a1,7,council,not-on-card,,,,")


def test_a_card_that_was_not_found_needs_no_other_row() -> None:
    count = counted(*CARD, "a1,7,,missing,,,,", "a1,9,,illegible,,,,")
    assert [(card.position, card.status) for card in count.cards] == [(3, "counted"), (7, "missing"), (9, "illegible")]


@pytest.mark.parametrize("left", range(3))
def test_a_box_without_the_row_of_a_contest_is_no_count(left: int) -> None:
    told = refused(*(line for number, line in enumerate(BOX) if number != left))
    assert told.startswith(f"dipper.csv (Dipper), box 'a1': there is no row for contest '{ASKED[left]}': write one, with - for")


def test_a_box_with_a_row_for_each_contest() -> None:
    assert [(each.contest, each.counts) for each in counted(*BOX).totals] == [
        ("council", (40, 30, 20)),
        ("mayor", (None, None)),
        ("president", (50, 20, 15)),
    ]
    assert counted("a1,,,missing,,,,").status == "missing"


def test_rows_beyond_what_is_asked_are_kept() -> None:
    (card,) = counted(*CARD, asked=("president",)).cards
    assert set(card.marks) == set(ASKED)
    (card,) = counted("a1,3,,,,,,", asked=()).cards
    assert card.marks == {}, "in a box in which nothing is asked about, a card that was found has nothing to say"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("a1,3,,,,,,wren",), "there is no contest ''"),
        (("a1,3,president,not-on-card,,,,wren",), "card 3, contest 'president' is not-on-card, and has votes all the same"),
        (("a1,3,president,,,,,robin",), "contest 'president' has no option 'robin': use heron, wren, finch"),
        (("a1,3,president,,,,,heron wren",), "2 options are marked, and at most 1 may be"),
        (("a1,3,president,,,1,,",), "blank is '1', and is counted of whole boxes"),
        (("a1,3,president,,,,,wren", "a1,3,,illegible,,,,"), "card 3 is illegible, and has marks all the same"),
        (("a1,3,president,illegible,,,,", "a1,3,council,missing,,,,"), "card 3 is missing and illegible"),
        (("a1,3,president,,,,,wren", "a1,,president,,,,,1 2 3"), "stand side by side"),
        (("a1,,president,not-on-card,,,,",), "not-on-card is said of single cards"),
        (("a1,,president,missing,,,,", "a1,,council,,,,,1 2 3"), "is missing: give it one row"),
        (("a1,,president,,,,,1 2",), "2 numbers of votes in contest 'president', which has 3 options"),
        (("a1,,president,,,,,1e3 2 3",), "contest 'president', votes: '1e3' is not a number"),
        (("a1,,president,,-4,,,1 2 3",), "contest 'president', cards: '-4' is not a number"),
        (
            ("a1,,senate,,,,,1 2 3",),
            "there is no contest 'senate': name one in each row; there are 'president', 'council', 'mayor'",
        ),
    ],
)
def test_what_no_count_may_hold(lines: tuple[str, ...], told: str) -> None:
    assert told in refused(*lines, asked=())


def test_a_difference_names_both_people_and_what_each_has() -> None:
    first, second = rows(*BOX), rows(BOX[0], BOX[1], "a1,,president,,90,,2,50 21 14", by="Wren")
    assert [str(each) for each in differences(first, second)] == [
        "box a1, president, blank: Dipper has '3', Wren has nothing",
        "box a1, president, votes: Dipper has '50 20 15', Wren has '50 21 14'",
    ]
    first, second = rows(*CARD), rows(CARD[0], CARD[1], "a1,3,president,not-on-card,,,,", "a1,4,,missing,,,,", by="Wren")
    assert [str(each) for each in differences(first, second)] == [
        "box a1, card 3, president, status: Dipper has 'counted', Wren has 'not-on-card'",
        "box a1, card 4, without a contest: Dipper has no row, Wren has a row",
    ]
