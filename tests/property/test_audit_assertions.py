"""Assertions against the rules themselves: on cards of every kind, true assertions mean the reported outcome."""

import random
from itertools import product

import numpy as np
import pytest

from audit_samples import near, random_cards, random_contest, score, tally_of_cards
from scrutineer.audits.implication import Implications, Statement
from scrutineer.audits.outcome import insufficient, required
from scrutineer.count.outcome import decide
from scrutineer.count.results import rule_of

RULES = ["plurality", "approval", "yes-no", "majority", "ranked", "dhondt", "sainte-lague", "hamilton"]
CONTESTS, OTHERS = 300, 12


@pytest.mark.parametrize("rule", RULES)
def test_true_assertions_mean_the_reported_outcome(rule: str) -> None:
    draw = random.Random(f"assertions {rule}")
    same = changed = needless = 0
    for _ in range(CONTESTS):
        contest = random_contest(draw, rule)
        cards = random_cards(draw, contest)
        reported = decide(rule_of(contest), tally_of_cards(contest, cards))
        needed = required(contest, tally_of_cards(contest, cards))
        if not needed.stated:
            continue
        assert tuple(score(assertion, cards) for assertion in needed.assertions) == needed.margins
        for assertion, total in zip(needed.assertions, needed.margins, strict=True):
            assert total >= assertion.need
        for _ in range(OTHERS):
            other = near(draw, contest, cards)
            voted = tally_of_cards(contest, other).valid > 0
            # Where nobody voted, what a sample confirms is asked: a score of more than zero.
            true = all(score(assertion, other) >= (assertion.need if voted else 1) for assertion in needed.assertions)
            found = decide(rule_of(contest), tally_of_cards(contest, other))
            right = found.decision == reported.decision
            assert right or not true, (contest, cards, other)
            if needed.exact and voted:
                assert true or not right, (contest, cards, other)
                needless += 1
            same, changed = same + true, changed + (not right)
    assert same > 100
    assert changed > 100
    assert needless > (0 if rule == "ranked" else 200)


@pytest.mark.parametrize("rule", RULES)
def test_a_clause_is_what_the_law_asks(rule: str) -> None:
    """With any alternative of a clause in place of the chosen one the assertions still suffice."""
    draw = random.Random(f"clauses {rule}")
    for _ in range(CONTESTS):
        contest = random_contest(draw, rule)
        cards = random_cards(draw, contest)
        reported = decide(rule_of(contest), tally_of_cards(contest, cards))
        needed = required(contest, tally_of_cards(contest, cards))
        if not needed.stated:
            continue
        for _ in range(4):
            other = near(draw, contest, cards)
            voted = tally_of_cards(contest, other).valid > 0
            holds = all(any(score(each, other) >= (each.need if voted else 1) for each in clause) for clause in needed.clauses)
            found = decide(rule_of(contest), tally_of_cards(contest, other))
            assert not holds or found.decision == reported.decision


@pytest.mark.parametrize("rule", RULES)
def test_what_is_required_is_sufficient_and_none_of_it_can_be_left_out_unseen(rule: str) -> None:
    """The check passes the whole set. Where it passes a part, the left out assertion is true whenever the part is."""
    draw = random.Random(f"sufficiency {rule}")
    checked = whole = refused = 0
    for _ in range(CONTESTS):
        contest = random_contest(draw, rule)
        cards = random_cards(draw, contest)
        tally = tally_of_cards(contest, cards)
        needed = required(contest, tally)
        if not needed.stated:
            continue
        whole += not insufficient(contest, tally, needed.assertions)
        checked += 1
        if not needed.assertions:
            continue
        gone = draw.choice(needed.assertions)
        rest = tuple(assertion for assertion in needed.assertions if assertion != gone)
        if len(insufficient(contest, tally, rest)) > 0:
            refused += 1
            continue
        reported = decide(rule_of(contest), tally)
        for _ in range(OTHERS):
            other = near(draw, contest, cards)
            others = tally_of_cards(contest, other)
            true = others.valid > 0 and min((score(each, other) - each.need for each in rest), default=0) >= 0
            assert not true or decide(rule_of(contest), others).decision == reported.decision
    assert checked > 50
    assert whole == checked
    assert refused > 20


def test_implication_is_exact() -> None:
    """Against all votes up to a bound: what follows holds wherever the rest does, and what does not has a counterexample."""
    draw = random.Random("implication")
    grid = np.array(list(product(range(25), repeat=3)))
    followed = 0
    for _ in range(600):
        known = [Statement(tuple(draw.randint(-2, 2) for _ in range(3)), draw.random() < 0.6) for _ in range(draw.randint(0, 3))]
        claim = Statement(tuple(draw.randint(-2, 2) for _ in range(3)), draw.random() < 0.6)
        true = np.ones(len(grid), dtype=np.bool_)
        for each in known:
            true &= grid @ np.array(each.weights) >= int(each.strict)
        if not true.any():
            continue
        broken = bool((true & (grid @ np.array(claim.weights) < int(claim.strict))).any())
        assert Implications(known).follows(claim) == (not broken), (claim, known)
        followed += not broken
    assert followed > 50
