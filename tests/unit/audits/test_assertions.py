"""One assertion: scores, the assorter's values, and its sentence."""

import random
import re
from dataclasses import replace
from fractions import Fraction

import pytest

from audit_samples import options, random_cards, random_contest, tally_of_cards
from scrutineer.audits.assertion_words import assertion_sentence, full_count_sentence
from scrutineer.audits.assertions import Assertion, margin_share
from scrutineer.audits.outcome import Requirement, comparison_assertion, required
from scrutineer.audits.raire import Comparison
from scrutineer.count.outcome import RankedTally, Tally
from scrutineer.election import Contest, Option
from scrutineer.errors import AuditError

LEAD = Assertion("c", "lead:0:1", (1, -1, 0))
THREE = options(3)
PLURALITY = Contest("c", "Council", "plurality", THREE)
RANKED = Contest("c", "Mayor", "ranked", options(4))


def test_a_lead_is_the_plurality_assorter() -> None:
    # SHANGRLA, section 2.1: 1 for the winner, 0 for the loser, 1/2 for everything else.
    values = [LEAD.assort(LEAD.score(marks)) for marks in ((0,), (1,), (2,), (), (0, 1))]
    assert values == [1, 0, Fraction(1, 2), Fraction(1, 2), Fraction(1, 2)]
    assert LEAD.upper == 1


@pytest.mark.parametrize(
    ("votes", "cast", "least", "upper"), [((7, 2, 1), 10, Fraction(1, 2), 1), ((7, 2, 1), 10, Fraction(2, 3), Fraction(3, 4))]
)
def test_a_share_is_the_supermajority_assorter(votes: tuple[int, ...], cast: int, least: Fraction, upper: Fraction) -> None:
    # SHANGRLA, section 2.3: 1/(2f) for the winner, 0 for other valid votes, 1/2 for the rest.
    contest = Contest("c", "Council", "majority", THREE, threshold=str(least))
    assertion = required(contest, Tally(votes, 3)).assertions[0]
    assert assertion.upper == upper == 1 / (2 * least)
    values = [assertion.assort(assertion.score(marks)) for marks in ((0,), (1,), (2,), ())]
    assert values == [upper, 0, 0, Fraction(1, 2)]
    assert margin_share(assertion.votes_score(votes, 3), cast + 3, assertion) == 2 * (7 * upper + Fraction(3, 2)) / 13 - 1


def test_a_last_seat_is_the_assorter_of_highest_averages() -> None:
    # arXiv 2107.11903, section 5.2: h = (b_A d(L_B) / d(W_A) - b_B + 1) / 2, here with W_A = 2 and L_B = 3.
    contest = Contest("c", "Council", "dhondt", THREE, seats=5)
    needed = required(contest, Tally((40, 45, 16)))
    assertion = next(each for each in needed.assertions if each.code == "seat:0:1")
    assert [assertion.assort(assertion.score((option,))) for option in range(3)] == [Fraction(5, 4), 0, Fraction(1, 2)]


def test_first_options_count_only_at_the_top() -> None:
    never = comparison_assertion(RANKED, Comparison(0, 1))
    assert [never.score(marks) for marks in ((0,), (0, 1), (2, 0, 1), (2, 1, 0), (1,), (2,), (), (2, 0))] == [
        1,
        1,
        0,
        -1,
        -1,
        0,
        0,
        0,
    ]
    among = comparison_assertion(RANKED, Comparison(0, 1, frozenset({0, 1, 3})))
    assert [among.score(marks) for marks in ((0,), (2, 0, 1), (2, 1, 0), (3, 0), (2,), ())] == [1, 1, -1, 0, 0, 0]


def test_scores_stay_between_lowest_and_highest_and_values_between_0_and_upper() -> None:
    draw = random.Random(3)
    for rule in ("plurality", "approval", "majority", "hamilton", "ranked"):
        for _ in range(60):
            contest = random_contest(draw, rule)
            cards = random_cards(draw, contest)
            for assertion in required(contest, tally_of_cards(contest, cards)).assertions:
                for marks in random_cards(draw, contest):
                    assert assertion.lowest <= assertion.score(marks) <= assertion.highest
                    assert 0 <= assertion.assort(assertion.score(marks)) <= assertion.upper


def test_totals_of_votes_give_the_score_of_their_cards() -> None:
    assertion = replace(LEAD, rest=-2)
    assert assertion.votes_score((5, 3, 9), rest=2) == -2
    with pytest.raises(AuditError, match="totals of 3 options"):
        assertion.votes_score((5, 3))
    with pytest.raises(AuditError, match="unranked"):
        comparison_assertion(RANKED, Comparison(0, 1)).votes_score((1, 1, 1, 1))


def test_what_no_card_can_contradict_is_no_assertion() -> None:
    with pytest.raises(AuditError, match="no card can speak against it"):
        Assertion("c", "lead:0:1", (1, 0, 0))
    with pytest.raises(AuditError, match="need is 0 or 1"):
        Assertion("c", "lead:0:1", (1, -1), need=2)
    with pytest.raises(AuditError, match="names an option that it does not weigh"):
        replace(LEAD, continuing=frozenset({0, 3}))
    with pytest.raises(AuditError, match="are among those still in"):
        replace(LEAD, first=frozenset({0}))
    with pytest.raises(AuditError, match="are among those still in"):
        replace(LEAD, continuing=frozenset({0, 1}), first=frozenset({2}))
    with pytest.raises(AuditError, match="ranks nobody scores 0"):
        replace(LEAD, continuing=frozenset({0, 1}), rest=1)
    with pytest.raises(AuditError, match="no card that could be audited"):
        margin_share(3, 0, LEAD)


CUMULATED = Contest("c", "Assembly", "majority", (*THREE, Option("o3", "Heron's allies", "o0")), threshold="2/5", base="cast")


@pytest.mark.parametrize(
    ("assertion", "contest", "said"),
    [
        (LEAD, PLURALITY, "Heron has more votes than Wren"),
        (replace(LEAD, code="lead:1:0"), PLURALITY, "the scores of all ballots under lead:1:0 add up to at least 1"),
        (replace(LEAD, rest=1), PLURALITY, "the scores of all ballots under lead:0:1 add up to at least 1"),
        (replace(LEAD, code="above:0"), PLURALITY, "the scores of all ballots under above:0 add up to at least 1"),
        (replace(LEAD, code="lead:0:٣"), PLURALITY, "the scores of all ballots under lead:0:٣ add up to at least 1"),
        (replace(LEAD, code="lead:0"), PLURALITY, "the scores of all ballots under lead:0 add up to at least 1"),
        (Assertion("c", "above:0", (1, -2, -2)), PLURALITY, "Heron has more than 66.67% of the valid votes"),
        (Assertion("c", "above:0", (-1, 2, 2)), PLURALITY, "the scores of all ballots under above:0 add up to at least 1"),
        (Assertion("c", "below:0", (-3, 1, 1), need=0), PLURALITY, "Heron has at most 25% of the valid votes"),
        (Assertion("c", "above:0", (3, -2, -2, 3), -2, need=0), CUMULATED, "Heron has at least 40% of the ballots cast"),
        (Assertion("c", "ahead:0:1", (9, -11, -1), need=0), PLURALITY, "Heron is at least 10% of the valid votes ahead of Wren"),
        (Assertion("c", "short:0:1", (-9, 11, 1)), PLURALITY, "Heron is less than 10% of the valid votes ahead of Wren"),
        (Assertion("c", "ahead:0:1", (9, -11, 5)), PLURALITY, "the scores of all ballots under ahead:0:1 add up to at least 1"),
        (Assertion("c", "seat:0:1", (3, -2, 0)), PLURALITY, "Heron takes its last seat before Wren takes another one"),
        (
            comparison_assertion(RANKED, Comparison(0, 1)),
            RANKED,
            "more ballots put Heron first than rank Wren without ranking Heron higher",
        ),
        (
            comparison_assertion(RANKED, Comparison(0, 1, frozenset({0, 1}))),
            RANKED,
            "with Heron and Wren alone left, Heron has more ballots than Wren",
        ),
        (
            comparison_assertion(RANKED, Comparison(1, 0, frozenset({0, 1, 2, 3}))),
            RANKED,
            "with Heron, Wren, Kite and Rail alone left, Wren has more ballots than Heron",
        ),
        (
            Assertion("c", "irv:neb:0:1", (1, -1, -1, 0), continuing=frozenset({0, 1, 2})),
            RANKED,
            "the scores of all ballots under irv:neb:0:1 add up to at least 1",
        ),
    ],
)
def test_sentences_say_what_is_weighed(assertion: Assertion, contest: Contest, said: str) -> None:
    assert assertion_sentence(assertion, contest) == said


def test_sentences_of_other_contests_are_refused() -> None:
    with pytest.raises(AuditError, match="not about the options of contest c"):
        assertion_sentence(replace(LEAD, contest="d"), PLURALITY)
    with pytest.raises(AuditError, match="not about the options of contest c"):
        assertion_sentence(LEAD, RANKED)


@pytest.mark.parametrize(
    ("contest", "tally", "said"),
    [
        (PLURALITY, Tally((5, 5, 1)), r"Council: the reported outcome is a tie"),
        (PLURALITY, Tally((0, 0, 0), 4), r"Council: no ballot is reported with a mark that counts"),
        (PLURALITY, Tally((6, 5, 1)), r"Council: Heron has more votes than Wren, but by so little that a single ballot"),
        (RANKED, RankedTally(4, (((0,), 5), ((1,), 5))), r"Mayor: the reported outcome is a tie"),
        (
            Contest("c", "Law", "yes-no", options(2), threshold="0.500001234567"),
            Tally((60, 5)),
            r"Law: its outcome cannot be stated",
        ),
        (PLURALITY, Tally((500, 5, 1)), r"\Z"),
    ],
)
def test_reasons_for_full_counts(contest: Contest, tally: Tally | RankedTally, said: str) -> None:
    needed: Requirement = required(contest, tally)
    assert re.match(said, full_count_sentence(needed, contest))
