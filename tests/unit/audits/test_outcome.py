"""What has to be confirmed under every rule, when only a full count can do it, and what other people's assertions leave open."""

from dataclasses import replace

import pytest

from audit_samples import options
from scrutineer.audits import implication
from scrutineer.audits import raire as raire_module
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.outcome import (
    FullCount,
    Requirement,
    assertion_comparisons,
    comparison_assertion,
    insufficient,
    required,
)
from scrutineer.audits.raire import Comparison, raire
from scrutineer.count.outcome import RankedTally, Tally
from scrutineer.election import Alternative, Contest
from scrutineer.errors import AuditError

THREE = options(3)
ONE = Contest("c", "C", "plurality", THREE)
TWO = Contest("c", "C", "plurality", THREE, 2, 2)
LAW = Contest("c", "C", "yes-no", options(2), threshold="2/3")
HALF = Contest("c", "C", "majority", THREE)
FORTY = Contest("c", "C", "majority", THREE, alternative=Alternative("40 %", "10 %"))
LISTS = Contest("c", "C", "dhondt", THREE, 3)
SHARES = Contest("c", "C", "dhondt", THREE, 3, threshold="5 %")
REMAINDERS = Contest("c", "C", "hamilton", THREE, 3)
RANKED = Contest("c", "C", "ranked", THREE)
CYCLE = RankedTally(3, (((0, 1, 2), 400), ((1, 2, 0), 350), ((2, 1, 0), 240)))


def weighed(needed: Requirement) -> dict[str, tuple[int, ...]]:
    """Weights by code, with a mark where zero will do; of two with one code the harder."""
    found: dict[str, tuple[int, ...]] = {}
    for assertion in needed.assertions:
        found.setdefault(f"{assertion.code}{'' if assertion.need else ' or level'}", assertion.weights)
    return found


@pytest.mark.parametrize(
    ("contest", "tally", "expected"),
    [
        (ONE, Tally((500, 300, 100)), {"lead:0:1": (1, -1, 0), "lead:0:2": (1, 0, -1)}),
        (TWO, Tally((500, 300, 100), 0, 0, 600), {"lead:0:2": (1, 0, -1), "lead:1:2": (0, 1, -1)}),
        (
            Contest("c", "C", "approval", THREE),
            Tally((500, 300, 100), 0, 0, 600),
            {"lead:0:1": (1, -1, 0), "lead:0:2": (1, 0, -1)},
        ),
        (LAW, Tally((900, 100)), {"above:0": (1, -2)}),
        (LAW, Tally((600, 400)), {"below:0 or level": (-1, 2)}),
        (HALF, Tally((800, 100, 100)), {"above:0": (1, -1, -1)}),
        (
            HALF,
            Tally((450, 400, 150)),
            {
                "lead:0:2": (1, 0, -1),
                "lead:1:2": (0, 1, -1),
                "below:0 or level": (-1, 1, 1),
                "below:1 or level": (1, -1, 1),
            },
        ),
        # 46 % and 16 points ahead: the share of 40 %, and the lead over each rival rather than half of the votes.
        (
            FORTY,
            Tally((460, 300, 240)),
            {"above:0 or level": (3, -2, -2), "ahead:0:1 or level": (9, -11, -1), "ahead:0:2 or level": (9, -1, -11)},
        ),
        # 45 % and 5 points ahead: a run-off, which the lead being short keeps rather than the share of 40 %.
        (
            FORTY,
            Tally((450, 400, 150)),
            {
                "lead:0:2": (1, 0, -1),
                "lead:1:2": (0, 1, -1),
                "below:0 or level": (-1, 1, 1),
                "below:1 or level": (1, -1, 1),
                "short:0:1": (-9, 11, 1),
                "short:1:0": (11, -9, 1),
            },
        ),
        (
            LISTS,
            Tally((450, 400, 120)),
            {"seat:0:1": (1, -1, 0), "seat:0:2": (1, 0, -2), "seat:1:0": (-1, 3, 0), "seat:1:2": (0, 1, -1)},
        ),
        # The third list takes no seat as it lacks votes, which has more room than that it lacks the threshold.
        (
            SHARES,
            Tally((450, 400, 20)),
            {
                "above:0 or level": (19, -1, -1),
                "above:1 or level": (-1, 19, -1),
                "seat:0:1": (1, -1, 0),
                "seat:0:2": (1, 0, -2),
                "seat:1:0": (-1, 3, 0),
                "seat:1:2": (0, 1, -1),
            },
        ),
        (
            REMAINDERS,
            Tally((450, 400, 120)),
            {"seat:0:1": (1, -1, 0), "seat:0:2": (2, -1, -4), "seat:1:0": (-1, 5, 2), "seat:1:2": (0, 1, -1)},
        ),
        (
            Contest("c", "C", "sainte-lague", THREE, 3),
            Tally((450, 400, 120)),
            {"seat:0:1": (1, -1, 0), "seat:0:2": (1, 0, -3), "seat:1:0": (-1, 5, 0), "seat:1:2": (0, 1, -1)},
        ),
    ],
)
def test_assertions_of_each_rule(contest: Contest, tally: Tally, expected: dict[str, tuple[int, ...]]) -> None:
    needed = required(contest, tally)
    assert weighed(needed) == expected
    assert needed.full_count == ""
    assert needed.stated
    assert not needed.unopposed
    assert {assertion.most for assertion in needed.assertions} == {contest.choices_allowed()}
    assert needed.margins == tuple(each.votes_score(tally.votes, tally.blank + tally.null) for each in needed.assertions)
    assert insufficient(contest, tally, needed.assertions) == ()


def test_a_small_list_is_kept_out_by_the_threshold_where_votes_would_not_do() -> None:
    needed = required(Contest("c", "C", "dhondt", THREE, 30, threshold="5 %"), Tally((500, 400, 35)))
    assert weighed(needed)["below:2"] == (1, 1, -19)
    assert not any(code.endswith(":2") and code.startswith("seat") for code in weighed(needed))


@pytest.mark.parametrize("votes", [(380, 350, 270), (350, 380, 270), (450, 400, 150), (399, 301, 300)])
def test_of_two_assertions_with_one_code_the_weaker_is_left_out(votes: tuple[int, int, int]) -> None:
    # Whoever has less than 40 % has no majority either, and a plan has each code once.
    tally = Tally(votes)
    needed = required(FORTY, tally)
    assert len({assertion.code for assertion in needed.assertions}) == len(needed.assertions) == len(needed.margins)
    assert insufficient(FORTY, tally, needed.assertions) == ()


def test_the_hardest_assertion_comes_first() -> None:
    needed = required(ONE, Tally((500, 100, 300)))
    assert [assertion.code for assertion in needed.assertions] == ["lead:0:2", "lead:0:1"]
    assert needed.margins == (200, 400)


def test_options_of_one_candidate_weigh_the_same() -> None:
    contest = Contest("c", "C", "plurality", options(4, allied=1))
    needed = required(contest, Tally((500, 300, 100)))
    assert weighed(needed) == {"lead:0:1": (1, -1, 0, 1), "lead:0:2": (1, 0, -1, 1)}
    ranked = Contest("c", "C", "ranked", options(4, allied=1))
    assertion = comparison_assertion(ranked, Comparison(0, 1))
    assert assertion.weights == (1, -1, 0, 1)
    assert assertion.continuing == frozenset({0, 1, 3})
    assert assertion.first == frozenset({0, 3})


@pytest.mark.parametrize(
    ("contest", "tally", "reason"),
    [
        (ONE, Tally((500, 500, 100)), "tie"),
        (ONE, Tally((500, 499, 100)), "one-card"),
        (ONE, Tally((500, 498, 100)), "one-card"),
        (ONE, Tally((500, 497, 100)), ""),
        (ONE, Tally((0, 0, 0), 7), "nobody-voted"),
        (LAW, Tally((0, 0), 7), "nobody-voted"),
        (LISTS, Tally((0, 0, 0)), "nobody-voted"),
        (TWO, Tally((500, 300, 300), 0, 0, 900), "tie"),
        (LISTS, Tally((400, 200, 200)), "tie"),
        (REMAINDERS, Tally((400, 400, 0)), "tie"),
        (HALF, Tally((500, 500, 0)), "one-card"),
        (HALF, Tally((501, 499, 0)), "one-card"),
        (FORTY, Tally((400, 300, 300)), "one-card"),
        (Contest("c", "C", "plurality", options(1)), Tally((0,), 5), ""),
        (RANKED, RankedTally(3, (((0,), 5), ((1,), 5))), "tie"),
        (RANKED, RankedTally(3, (), 5), "nobody-voted"),
        (RANKED, RankedTally(3, (((0,), 50), ((1,), 49))), "one-card"),
        (Contest("c", "C", "yes-no", options(2), threshold="0.500001234567"), Tally((60, 5)), "unstated"),
    ],
)
def test_what_only_a_full_count_can_confirm(contest: Contest, tally: Tally | RankedTally, reason: FullCount) -> None:
    needed = required(contest, tally)
    assert needed.full_count == reason
    assert needed.tied == (reason == "tie")
    if reason in ("tie", "nobody-voted", "unstated"):
        assert needed.assertions == ()
        assert not needed.stated
        assert not needed.unopposed


def test_nobody_stands_against_the_only_option() -> None:
    needed = required(Contest("c", "C", "plurality", options(1)), Tally((5,)))
    assert needed.unopposed
    assert needed.exact
    assert insufficient(Contest("c", "C", "plurality", options(1)), Tally((5,)), ()) == ()


def test_the_only_option_of_a_majority_needs_a_vote() -> None:
    contest = Contest("c", "C", "majority", options(1))
    needed = required(contest, Tally((60,), 40))
    # Nothing on a card speaks against it, so that more is asserted than is needed: a share of the cards.
    assert [(each.weights, each.rest, each.need) for each in needed.assertions] == [((3,), -1, 1)]
    assert needed.margins == (140,)
    assert not needed.exact
    assert insufficient(contest, Tally((60,), 40), needed.assertions) == ()


def test_too_many_steps_leave_a_run_off_unstated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert required(RANKED, CYCLE).full_count == ""
    monkeypatch.setattr(raire_module, "MAX_STEPS", 0)
    needed = required(RANKED, CYCLE)
    assert (needed.full_count, needed.assertions) == ("unstated", ())


def test_a_run_off_has_the_assertions_of_raire() -> None:
    needed, found = required(RANKED, CYCLE), raire(CYCLE, 1)
    assert found is not None
    assert [each.code for each in needed.assertions] == ["irv:neb:1:2", "irv:nen:1:0:0,1"]
    assert needed.margins == found.margins == (110, 190)
    assert [assertion_comparisons(RANKED, each) for each in needed.assertions] == [(each,) for each in found.comparisons]
    assert insufficient(RANKED, CYCLE, needed.assertions) == ()


def test_tallies_of_another_kind_are_refused() -> None:
    with pytest.raises(AuditError, match="3 candidates stand, the tally has 2"):
        required(ONE, Tally((5, 3)))
    with pytest.raises(AuditError, match="give a Tally"):
        required(ONE, CYCLE)
    with pytest.raises(AuditError, match="give a RankedTally"):
        insufficient(RANKED, Tally((5, 3, 1)), ())


# --- other people's assertions --------------------------------------------------------------------------------------------

LEADS = (Assertion("c", "lead:0:1", (1, -1, 0)), Assertion("c", "lead:1:2", (0, 1, -1)))


def test_a_chain_of_leads_is_a_lead() -> None:
    tally = Tally((500, 300, 100))
    assert insufficient(ONE, tally, LEADS) == ()
    assert insufficient(ONE, tally, LEADS[:1]) == ("it is not shown to follow that Heron has more votes than Kite",)


def test_a_larger_majority_is_a_majority_and_other_scales_say_the_same() -> None:
    tally = Tally((800, 100, 100), 10)
    two_thirds = Assertion("c", "x", (10, -20, -20))
    assert insufficient(HALF, tally, (two_thirds,)) == ()
    of_all = Assertion("c", "x", (1, -1, -1), -1)
    assert insufficient(HALF, tally, (of_all,)) == ()
    cast = replace_base(HALF)
    assert insufficient(cast, tally, (of_all,)) == ()
    assert insufficient(cast, tally, (Assertion("c", "x", (1, -1, -1)),)) == (
        "it is not shown to follow that Heron has more than 50% of the ballots cast",
    )


def replace_base(contest: Contest) -> Contest:
    return Contest(contest.id, contest.title, contest.rule, contest.options, base="cast")


def test_level_is_not_more() -> None:
    level = (replace(LEADS[0], need=0), replace(LEADS[1], code="x", weights=(1, 0, -1)))
    said = insufficient(ONE, Tally((500, 300, 100)), level)
    assert said == ("it is not shown to follow that Heron has more votes than Wren",)


@pytest.mark.parametrize(
    ("assertion", "said"),
    [
        (replace(LEADS[0], contest="d"), "assertion lead:0:1 is about another contest, d"),
        (replace(LEADS[0], weights=(1, -1)), "assertion lead:0:1 is not about such ballots as this contest has"),
        (replace(LEADS[0], most=2), "assertion lead:0:1 is not about such ballots as this contest has"),
        (replace(LEADS[0], continuing=frozenset({0, 1})), "assertion lead:0:1 is not about such ballots as this contest has"),
        (replace(LEADS[0], weights=(-1, 1, 0)), "assertion lead:0:1 is false by the reported tally itself"),
    ],
)
def test_nothing_follows_from_what_is_wrong(assertion: Assertion, said: str) -> None:
    found = insufficient(ONE, Tally((500, 300, 100)), (assertion, LEADS[1]))
    assert found[0] == said
    assert len(found) == 3


def test_options_of_one_candidate_that_weigh_differently_prove_nothing() -> None:
    contest = Contest("c", "C", "plurality", options(4, allied=1))
    some = Assertion("c", "lead:0:1", (1, -1, 0, 0))
    assert insufficient(contest, Tally((500, 300, 100)), (some,))[0].startswith("assertion lead:0:1 is not about such ballots")


def test_a_tie_follows_from_nothing() -> None:
    assert insufficient(ONE, Tally((500, 500, 100)), LEADS) == ("the reported outcome is a tie, which no assertions can show",)


def test_who_else_could_win_a_run_off_is_said() -> None:
    needed = required(RANKED, CYCLE)
    for gone in needed.assertions:
        rest = tuple(each for each in needed.assertions if each != gone)
        said = insufficient(RANKED, CYCLE, rest)
        assert said
        assert all(each.startswith("it is not excluded that ") for each in said)
    assert insufficient(RANKED, CYCLE, ()) == (
        "it is not excluded that Heron wins, with eliminations in this order: Kite, Wren",
        "it is not excluded that Kite wins, with eliminations in this order: Wren, Heron",
    )


def test_comparisons_are_read_from_weights_and_not_from_codes() -> None:
    everybody = frozenset(range(3))
    group = Assertion("c", "x", (2, -2, -3), continuing=everybody)
    assert assertion_comparisons(RANKED, group) == (Comparison(0, 1, everybody), Comparison(0, 2, everybody))
    weak = Assertion("c", "irv:nen:0:1:0,1,2", (2, -1, -3), continuing=everybody)
    assert assertion_comparisons(RANKED, weak) == (Comparison(0, 2, everybody),)
    for nothing in (
        replace(group, weights=(1, 1, -1)),
        replace(group, need=0),
        replace(group, first=everybody),
        replace(group, first=frozenset({0})),
    ):
        assert assertion_comparisons(RANKED, nothing) == ()


def test_orders_beyond_counting_are_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = required(RANKED, CYCLE)
    monkeypatch.setattr(raire_module, "MAX_SETS", 0)
    assert insufficient(RANKED, CYCLE, needed.assertions) == (
        "it is not shown that no other candidate can win: there are too many orders of elimination to look at",
    )


@pytest.mark.parametrize("limit", ["MAX_PIVOTS", "MAX_CELLS"])
def test_what_would_take_too_long_to_find_is_not_shown(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally((500, 300, 100))
    monkeypatch.setattr(implication, limit, 0)
    assert insufficient(ONE, tally, LEADS) == ("it is not shown to follow that Heron has more votes than Kite",)
    # What single assertions say is still seen.
    assert insufficient(ONE, tally, required(ONE, tally).assertions) == ()
    assert insufficient(HALF, Tally((800, 100, 100)), (Assertion("c", "x", (1, -2, -3)),)) == ()
