"""Every rule with a sheet that trips it, and one beside it that just does not."""

from typing import Any

import pytest

from count_helpers import NOON, PRESIDENT, Ballots, key_of, make_election, rules_of, status_of
from scrutineer.count import RULE_IDS, RULES, rule
from scrutineer.count.rules import RuleBook
from scrutineer.election import Contest, Election, Option
from scrutineer.errors import DefinitionError
from scrutineer.statements import TallySheet, sign_statement

FIVE = tuple(Option(bird.lower(), bird) for bird in ("Heron", "Wren", "Finch", "Plover", "Dunlin"))
APPROVAL = Contest("board", "Board", "approval", FIVE, seats=2)
TWO_CHOICES = Contest("board", "Board", "plurality", FIVE, seats=2, max_choices=2)
WRITTEN_IN = Contest("board", "Board", "plurality", FIVE, seats=2, max_choices=2, write_in="dunlin")
WARDEN = Contest("warden", "Warden", "ranked", FIVE)


def failed(counts: Any = (50, 20, 10), *, election: Election | None = None, **given: Any) -> tuple[str, ...]:
    ballots = Ballots(election or make_election())
    return rules_of(ballots.count(ballots.sheet("a1", counts, **given)), "a1")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, (), id="all in order"),
        pytest.param({"cast": 84}, ("sum",), id="one ballot fewer than marks"),
        pytest.param({"cast": 86}, ("sum",), id="one ballot more than marks"),
        pytest.param({"cast": 90, "blank": None}, (), id="blank unknown leaves room"),
        pytest.param({"cast": 90, "null": None}, (), id="null unknown leaves room"),
        pytest.param({"cast": 81, "blank": None, "null": None}, (), id="both unknown leave room"),
        pytest.param({"cast": 79, "blank": None, "null": None}, ("sum",), id="never more marks than ballots"),
        pytest.param({"cast": 82, "blank": None}, (), id="null alone fits"),
        pytest.param({"cast": 81, "blank": None}, ("sum",), id="null alone does not fit"),
        pytest.param({"cast": None, "voters": None}, (), id="cast unknown"),
    ],
)
def test_sum(given: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert failed(**given) == expected


@pytest.mark.parametrize(
    ("contest", "counts", "given", "expected"),
    [
        pytest.param(APPROVAL, (80, 80, 80, 80, 80), {"cast": 85}, (), id="everyone approves of everyone"),
        pytest.param(APPROVAL, (81, 0, 0, 0, 0), {"cast": 85}, ("sum",), id="more approvals than valid ballots"),
        pytest.param(APPROVAL, (1, 0, 0, 0, 0), {"cast": 4}, ("sum",), id="fewer ballots than blank and null"),
        pytest.param(APPROVAL, (1, 0, 0, 0, 0), {"cast": None, "voters": None}, (), id="cast unknown"),
        pytest.param(APPROVAL, (83, 0, 0, 0, 0), {"cast": 85, "blank": None}, (), id="blank unknown leaves room"),
        pytest.param(TWO_CHOICES, (80, 80, 0, 0, 0), {"cast": 85}, (), id="two marks on each"),
        pytest.param(TWO_CHOICES, (80, 80, 1, 0, 0), {"cast": 85}, ("sum",), id="more than two marks on each"),
        pytest.param(WRITTEN_IN, (0, 0, 0, 0, 90), {"cast": 85}, (), id="two names written in on some"),
        pytest.param(WRITTEN_IN, (0, 0, 0, 0, 161), {"cast": 85}, ("sum",), id="more than two names on each"),
        pytest.param(WRITTEN_IN, (81, 0, 0, 0, 0), {"cast": 85}, ("sum",), id="an option twice on a ballot"),
    ],
)
def test_sum_where_a_ballot_bears_several_marks(
    contest: Contest, counts: tuple[int, ...], given: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert failed(counts, election=make_election([contest]), contest="board", **given) == expected


@pytest.mark.parametrize(("cast", "expected"), [(6, ()), (7, ("sum",)), (5, ("sum",))])
def test_sum_of_rankings(cast: int, expected: tuple[str, ...]) -> None:
    ballots = Ballots(make_election([WARDEN]))
    sheet = ballots.ranked("a1", {(0, 1): 3, (4,): 2}, blank=1, cast=cast, voters=cast)
    assert rules_of(ballots.count(sheet), "a1") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"counts": (90, 4, 0)}, (), id="one below the roll"),
        pytest.param({"counts": (90, 6, 0), "voters": None}, ("above-roll",), id="one above the roll"),
        pytest.param({"counts": (90, 6, 0), "cast": None, "voters": None}, ("above-roll",), id="added up, as cast is unknown"),
        pytest.param(
            {"counts": (90, 6, 0), "cast": 101, "voters": None, "roll": 500}, ("above-roll", "roll-differs"), id="own roll"
        ),
        pytest.param({"counts": (90, None, 0), "cast": None, "voters": None}, ("incomplete",), id="ballots unknown"),
    ],
)
def test_above_roll(given: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert failed(**given) == expected


def test_above_roll_holds_against_the_sheets_roll_where_the_definition_has_none() -> None:
    election = make_election(rolls={"a1": None})
    assert failed(election=election, roll=85) == ("full-turnout",)
    assert failed(election=election, roll=84, voters=None) == ("above-roll",)
    assert failed(election=election, roll=None) == ()


def test_above_voters() -> None:
    assert failed(voters=85) == ()
    assert failed(voters=84) == ("above-voters",)
    assert failed(voters=None) == ()


def test_voters_above_roll() -> None:
    assert "voters-above-roll" not in failed(voters=100)
    assert "voters-above-roll" in failed(voters=101)


def test_below_voters_allows_a_few_who_left() -> None:
    assert failed((40, 20, 10), blank=0, null=0, cast=70, voters=84) == ()
    assert failed((40, 20, 10), blank=0, null=0, cast=70, voters=85) == ("below-voters",)
    assert failed((40, 20, 10), blank=0, null=0, cast=None, voters=85) == ("below-voters",)
    assert failed((40, 20, 10), blank=0, null=0, cast=70, voters=None) == ()


def test_all_zero() -> None:
    assert failed((0, 0, 0)) == ("all-zero",)
    assert failed((0, 0, 1)) == ()
    assert failed((0, 0, None), cast=None, voters=None) == ("incomplete",)


def test_full_turnout_is_a_warning() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(ballots.sheet("a1", (90, 5, 0)), ballots.sheet("a2", (90, 4, 0)))
    assert rules_of(count, "a1") == ("full-turnout",)
    assert rules_of(count, "a2") == ()
    assert status_of(count, "a1") == "counted"


def test_before_opening() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(
        *(ballots.opening(station, NOON) for station in ("a1", "a2", "a3")),
        ballots.sheet("a1", time=NOON - 1),
        ballots.sheet("a2", time=NOON),
        ballots.sheet("a3", time=None),
        ballots.sheet("b1", time=0),
    )
    assert [rules_of(count, station) for station in ("a1", "a2", "a3", "b1")] == [("before-opening",), (), (), ()]


def test_before_opening_where_an_opening_is_required() -> None:
    ballots = Ballots(make_election(opening_required=True))
    count = ballots.count(ballots.opening("a1", NOON), ballots.sheet("a1"), ballots.sheet("a2"), ballots.sheet("a3", time=None))
    assert [rules_of(count, station) for station in ("a1", "a2", "a3")] == [(), ("before-opening",), ("before-opening",)]


def test_incomplete() -> None:
    assert failed((50, None, 10), cast=None, voters=None) == ("incomplete",)
    assert failed((50, 0, 10)) == ()


def test_roll_differs_is_a_warning() -> None:
    assert failed(roll=99) == ("roll-differs",)
    assert failed(roll=None) == ()
    assert rule("roll-differs").severity == "warning"


def test_unknown_station_and_wrong_contest() -> None:
    local = Contest("mayor", "Mayor", "plurality", FIVE, unit="north")
    election = make_election([PRESIDENT, local])
    ballots = Ballots(election)
    strays = [
        ballots.sheet("z9"),
        ballots.sheet("a1", contest="queen"),
        ballots.sheet("a1", (1, 2)),
        ballots.sheet("b1", (1, 2, 3, 4, 5), contest="mayor"),
    ]
    count = ballots.count(*strays, ballots.sheet("a1"), ballots.sheet("a1", (1, 2, 3, 4, 5), contest="mayor"))
    found = [(stray.index, stray.station, stray.contest, count.book.names(stray.flag)) for stray in count.strays]
    assert found == [
        (0, "z9", "president", ("unknown-station",)),
        (1, "a1", "queen", ("wrong-contest",)),
        (2, "a1", "president", ("wrong-contest",)),
        (3, "b1", "mayor", ("wrong-contest",)),
    ]
    assert [status_of(count, station) for station in ("a1", "b1")] == ["counted", "outstanding"]
    assert status_of(count, "a1", 1) == "counted"


def test_a_ranking_beyond_the_last_option_is_stray() -> None:
    ballots = Ballots(make_election([WARDEN]))
    count = ballots.count(ballots.ranked("a1", {(0, 5): 1}), ballots.ranked("a2", {(0, 4): 1}))
    assert [stray.station for stray in count.strays] == ["a1"]
    assert status_of(count, "a2") == "counted"


def test_rankings_that_add_up_to_no_possible_count_are_incomplete() -> None:
    ballots = Ballots(make_election([WARDEN]))
    most = 2**31 - 1
    sheet = ballots.ranked("a1", {(0, 1): most, (0, 2): most}, cast=None, voters=None)
    fits = ballots.ranked("a2", {(0, 1): most - 1, (0, 2): 1}, cast=None, voters=None)
    count = ballots.count(sheet, fits)
    assert rules_of(count, "a1") == ("incomplete",)
    assert "incomplete" not in rules_of(count, "a2")


def test_duplicate_and_conflict() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(
        ballots.sheet("a1"),
        ballots.sheet("a1", time=NOON + 60),
        ballots.sheet("a2"),
        ballots.sheet("a2", (49, 21, 10), time=NOON + 60),
        ballots.sheet("a3"),
        ballots.sheet("a3", roll=None),
    )
    assert [rules_of(count, station) for station in ("a1", "a2", "a3")] == [("duplicate",), ("conflict",), ("conflict",)]
    assert [status_of(count, station) for station in ("a1", "a2", "a3")] == ["counted", "quarantined", "quarantined"]


def test_revoked_key_holds_for_what_comes_after_and_for_that_key_alone() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(
        ballots.sheet("a1"), ballots.revoke("station/a1"), ballots.revoke("station/a2"), ballots.sheet("a2"), ballots.sheet("a3")
    )
    assert [rules_of(count, station) for station in ("a1", "a2", "a3")] == [("key-revoked-later",), ("revoked-key",), ()]
    assert status_of(count, "a2") == "quarantined"


def test_a_key_is_revoked_for_the_issuer_that_is_named() -> None:
    ballots = Ballots(make_election())
    borrowed = sign_statement(ballots.payload("a2"), "station/a2", key_of("station/a1"))
    count = ballots.count(ballots.revoke("station/a1"), borrowed)
    assert rules_of(count, "a2") == ()


def test_severities_can_be_changed() -> None:
    rules = {"sum": "warning", "all-zero": "off", "full-turnout": "error", "duplicate": "error", "revoked-key": "off"}
    ballots = Ballots(make_election(rules=rules))  # type: ignore[arg-type]
    count = ballots.count(
        ballots.sheet("a1", cast=84),
        ballots.sheet("a2", (0, 0, 0)),
        ballots.sheet("a3", (90, 5, 0)),
        ballots.sheet("b1"),
        ballots.sheet("b1", time=NOON + 60),
        ballots.revoke("station/b2"),
        ballots.sheet("b2"),
    )
    assert [(rules_of(count, s), status_of(count, s)) for s in ("a1", "a2", "a3", "b1", "b2")] == [
        (("sum",), "counted"),
        ((), "counted"),
        (("full-turnout",), "quarantined"),
        (("duplicate",), "quarantined"),
        ((), "counted"),
    ]


def test_a_duplicate_that_quarantines_does_not_undo_a_decision() -> None:
    ballots = Ballots(make_election(rules={"duplicate": "error"}))
    first, again = ballots.sheet("a1"), ballots.sheet("a1", time=NOON + 60)
    count = ballots.count(first, again, ballots.accept(first, "a1"), ballots.sheet("a1", time=NOON + 120))
    assert status_of(count, "a1") == "counted"


@pytest.mark.parametrize("rule_id", ["unknown-station", "wrong-contest", "conflict", "incomplete"])
def test_rules_without_which_no_total_is_defined_cannot_be_weakened(rule_id: str) -> None:
    with pytest.raises(DefinitionError, match=rule_id):
        RuleBook.of({rule_id: "warning"})
    assert RuleBook.of({rule_id: "error"}) == RuleBook.of({})


def test_a_rule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DefinitionError, match="there is no rule 'sums'"):
        RuleBook.of({"sums": "off"})


def test_names_give_errors_first() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(ballots.sheet("a1", (90, 6, 0), roll=50, voters=101))
    assert rules_of(count, "a1") == ("above-roll", "voters-above-roll", "roll-differs")
    assert len(set(RULE_IDS)) == len(RULES)
    assert all(one.wording.endswith(".") for one in RULES)


def test_largest_figures_are_compared_exactly() -> None:
    most = 2**31 - 1
    sheet: dict[str, Any] = {"blank": most, "null": most, "cast": most, "voters": most}
    found = failed((most, most, most), **sheet)
    assert found == ("sum", "above-roll", "voters-above-roll")


def test_the_sheet_type_orders_its_figures_as_the_columns_do() -> None:
    assert TallySheet._fields[4:9] == ("blank", "null", "cast", "voters", "roll")
