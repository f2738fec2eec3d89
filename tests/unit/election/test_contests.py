from fractions import Fraction
from typing import Any

import pytest

from scrutineer.election.contests import Alternative, Candidate, Contest, Option, are_ids, are_names, parse_share
from scrutineer.errors import DefinitionError

WREN, ROBIN, OWL = Option("wren", "Wren"), Option("robin", "Robin"), Option("owl", "Owl")


def contest(**changes: Any) -> Contest:
    fields: dict[str, Any] = {"id": "c", "title": "Contest", "rule": "plurality", "options": (WREN, ROBIN, OWL)}
    return Contest(**(fields | changes))


def test_an_alliance_is_one_candidate() -> None:
    alliance = contest(
        options=(Option("a", "Wren (A)", "wren"), ROBIN, Option("b", "Wren (B)", "wren")), candidates=(Candidate("wren", "Wren"),)
    )
    assert alliance.standing() == (Candidate("wren", "Wren"), Candidate("robin", "Robin"))
    assert alliance.candidate_of_option() == (0, 1, 0)


@pytest.mark.parametrize(
    ("changes", "single"),
    [
        ({}, True),
        ({"max_choices": 2}, False),
        ({"rule": "approval"}, False),
        ({"rule": "ranked"}, False),
        ({"rule": "dhondt"}, True),
    ],
)
def test_whether_a_ballot_adds_one_to_the_options(changes: dict[str, Any], single: bool) -> None:
    assert contest(**changes).single_choice() is single


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("1/2", Fraction(1, 2)),
        ("40 %", Fraction(2, 5)),
        ("0.05", Fraction(1, 20)),
        (" 12.5% ", Fraction(1, 8)),
    ],
)
def test_shares_are_exact(text: str, share: Fraction) -> None:
    assert parse_share(text, "share") == share


@pytest.mark.parametrize("text", ["", "half", "1/0", "nan", "inf", "%"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(DefinitionError, match="is not a share"):
        parse_share(text, "threshold")


@pytest.mark.parametrize("text", ["0", "0 %", "1", "100 %", "3/2", "-1/2", "101 %", "1e999"])
def test_shares_that_decide_nothing(text: str) -> None:
    with pytest.raises(DefinitionError, match="decides nothing"):
        parse_share(text, "threshold")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "too many ranked": (
        {"rule": "ranked", "options": tuple(Option(f"o{n}", "O") for n in range(201))},
        "is ranked and has 201 options",
    ),
    "no options": ({"options": ()}, "has 0 options"),
    "too many options": ({"options": tuple(Option(f"o{n}", "O") for n in range(513))}, "has 513 options"),
    "option twice": ({"options": (WREN, WREN)}, "option of contest c 'wren' is listed twice"),
    "candidate twice": (
        {"options": (Option("a", "A", "wren"),), "candidates": (Candidate("wren", "W"), Candidate("wren", "W"))},
        "candidate of contest c 'wren' is listed twice",
    ),
    "no seats": ({"seats": 0}, "has 0 seats"),
    "too many choices": ({"max_choices": 4}, "allows 4 choices"),
    "choices for a majority": ({"rule": "majority", "max_choices": 2}, "which only plurality and approval can decide"),
    "yes, no and perhaps": ({"rule": "yes-no"}, "exactly two options"),
    "two presidents": ({"rule": "majority", "seats": 2}, "fills one"),
    "useless threshold": ({"threshold": "1/2"}, "does not use"),
    "useless alternative": ({"alternative": Alternative("2/5", "1/10")}, "only the rule 'majority' uses"),
    "candidate nobody supports": ({"candidates": (Candidate("hen", "Hen"),)}, "whom no option supports"),
    "candidate without a name": ({"options": (Option("a", "A", "hen"),)}, "who has no name"),
    "title of nothing": ({"title": " "}, "title of contest c"),
    "bad id": ({"id": "a b"}, "contest 'a b' cannot be used as an identifier"),
    "written in nowhere": ({"write_in": "other"}, "counts names written in as 'other', which is none of its options"),
    "written in a ranking": ({"rule": "ranked", "write_in": "wren"}, "which the rule 'ranked' cannot count"),
    "bad unit": ({"unit": "a/b"}, "unit of contest c 'a/b'"),
}


@pytest.mark.parametrize("name", BAD)
def test_contests_that_cannot_be(name: str) -> None:
    changes, message = BAD[name]
    with pytest.raises(DefinitionError, match=message):
        contest(**changes)


def test_an_alternative_holds_shares() -> None:
    with pytest.raises(DefinitionError, match="alternative lead 'ten' is not a share"):
        Alternative("40 %", "ten")


def test_many_ids_at_once() -> None:
    assert are_ids(["a", "A-1", "_.x", "0"])
    assert are_ids([])
    for wrong in ("", ".a", "a b", "a\n", "é", "x" * 65):
        assert not are_ids(["a", wrong])


def test_many_names_at_once() -> None:
    assert are_names(["Ñandú", "a b"])
    for wrong in ("", " ", "a\nb", "x" * 257):
        assert not are_names(["a", wrong])
