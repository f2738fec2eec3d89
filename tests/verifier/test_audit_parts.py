"""Parts of audits by themselves: which outcome follows from which tests, and risks from values, in both verifiers."""

import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from second_look.outcome.implied import Tally as SecondTally
from second_look.outcome.implied import unproved
from second_look.outcome.plan import NotComputedError
from second_look.outcome.plan import Test as SecondTest
from second_look.outcome.risk import Null as SecondNull
from second_look.outcome.risk import above, below, risk_of, rounded_up
from second_look.report import FormatError

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from audit_samples import random_cards, random_contest, tally_of_cards
from scrutineer.audits.outcome import insufficient, required
from scrutineer.audits.plan import Test as FirstTest
from scrutineer.audits.plan import share_text
from scrutineer.audits.risk.model import Null
from scrutineer.audits.risk.named import risk_function
from scrutineer.count.outcome import Tally
from scrutineer.election import Contest
from scrutineer.errors import AuditError

RULES = ("plurality", "approval", "yes-no", "majority", "dhondt", "sainte-lague", "hamilton")


def defined(contest: Contest) -> dict[str, Any]:
    """A contest as the second verifier reads it from a definition."""
    alternative = None if contest.alternative is None else vars_of(contest.alternative)
    fields = {name: getattr(contest, name) for name in ("id", "rule", "seats", "max_choices", "base", "threshold")}
    options = [{"id": option.id, "candidate": option.candidate} for option in contest.options]
    return fields | {"options": options, "alternative": alternative, "threshold": contest.threshold or None}


def vars_of(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def second_test(test: FirstTest) -> SecondTest:
    given = {name: getattr(test, name) for name in ("code", "rest", "need", "most", "total", "parameters")}
    lists = {"weights": list(test.weights), "first": list(test.first), "continuing": None}
    return SecondTest("c", True, given | lists)


@pytest.mark.parametrize("rule", RULES)
def test_both_say_which_outcomes_follow(rule: str) -> None:
    """Of the tests that an outcome needs, and of these without one of them or with one changed."""
    chance = random.Random(rule)
    held = fallen = 0
    for _ in range(250):
        contest = random_contest(chance, rule)
        tally = tally_of_cards(contest, random_cards(chance, contest, 60))
        assert isinstance(tally, Tally)
        requirement = required(contest, tally)
        tests = [
            FirstTest.of(assertion, margin, {})
            for assertion, margin in zip(requirement.assertions, requirement.margins, strict=True)
            if not requirement.full_count
        ]
        own, totals = defined(contest), SecondTally(list(tally.votes), tally.blank + tally.null)
        if requirement.full_count == "unstated":
            continue
        planned = {"full_count": requirement.full_count}
        said = list(unproved(own, totals, planned, [second_test(test) for test in tests]))
        assert not said, (contest, tally, requirement)
        if requirement.full_count:
            assert list(unproved(own, totals, {"full_count": ""}, [])), (contest, tally)
        for number in range(len(tests)):
            fewer = tests[:number] + tests[number + 1 :]
            first = insufficient(contest, tally, [test.assertion("c") for test in fewer])
            second = list(unproved(own, totals, planned, [second_test(test) for test in fewer]))
            # A combination of several tests may show what no single one does: the second verifier tries none.
            assert second or not first, (contest, tally, fewer)
            held, fallen = held + (not second), fallen + bool(second)
    assert held + fallen > 200
    assert fallen > 100


def test_ranked_contests_are_said_not_to_be_decided() -> None:
    contest = random_contest(random.Random(1), "ranked")
    with pytest.raises(NotComputedError):
        list(unproved(defined(contest), SecondTally([3, 2, 1][: len(contest.standing())], 0), {"full_count": ""}, []))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"most": 2}, "is not about such ballots"),
        ({"weights": [1, -1, -1, 0]}, "is not about such ballots"),
        ({"weights": [1, -1, 0]}, "weighs options of one candidate otherwise"),
        ({"weights": [-1, 1, -1]}, "is false by the published totals"),
        ({"need": 0}, "no test shows"),
        ({"weights": [2, -1, 2]}, "no test shows"),
    ],
)
def test_tests_that_show_less(change: Mapping[str, Any], said: str) -> None:
    options = [{"id": "heron", "candidate": ""}, {"id": "wren", "candidate": ""}, {"id": "finch", "candidate": "heron"}]
    contest = {"id": "c", "rule": "plurality", "options": options, "seats": 1, "max_choices": 1, "threshold": None}
    given = {"code": "lead:0:1", "weights": [1, -1, 1], "rest": 0, "need": 1, "most": 1, "continuing": None, "first": []}
    tally = SecondTally([80, 20], 3)
    assert not list(unproved(contest, tally, {"full_count": ""}, [SecondTest("c", True, given)]))
    (found, *_) = unproved(contest, tally, {"full_count": ""}, [SecondTest("c", True, given | dict(change))])
    assert said in found


FUNCTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("betting-fixed", {"rate": "1.25"}),
    ("betting-fixed", {"rate": "30", "reserve": "0.25"}),
    ("betting-kelly", {"values": "0,0.5,1", "probabilities": "0.2,0.1,0.7"}),
    ("betting-diversified", {"rates": "0.25,0.5,1.5,8", "weights": "3,2,1,1"}),
    ("alpha", {"eta": "0.6"}),
    ("alpha", {"eta": "0.75", "weight": "100"}),
    ("alpha", {"eta": "0.9", "weight": "10", "spread": "0.3", "reserve": "0.015625"}),
    ("bravo", {"share": "0.6"}),
    ("kaplan-markov", {"padding": "0.1"}),
    ("kaplan-kolmogorov", {"padding": "0.05"}),
)


@pytest.mark.parametrize(("name", "parameters"), FUNCTIONS, ids=[f"{name} {sorted(given)}" for name, given in FUNCTIONS])
def test_every_digit_of_a_risk_is_the_same(name: str, parameters: dict[str, str]) -> None:
    chance = random.Random(name)
    told = 0
    for length in (1, 2, 7, 60, 400, 3000):
        for population in (None, length, length + 5, 50 * length):
            if name == "kaplan-kolmogorov" and population is None:
                continue
            kinds = [(0.0, 0.5, 1.0), (1.0,), (0.0, 1.0), tuple(chance.random() for _ in range(9))]
            for kind in kinds:
                values = [chance.choice(kind) for _ in range(length)]
                first = risk_function(name, parameters).p_values(np.array(values), Null(0.5, 1.0, population))[-1]
                second = risk_of(name, dict(parameters), values, SecondNull(0.5, 1.0, population))
                assert float(first) == second, (length, population, kind)
                told += 0 < second < 1
    assert told > 10


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("alpha", {}),
        ("alpha", {"eta": "0.6", "more": "1"}),
        ("alpha", {"eta": ".6"}),
        ("betting-fixed", {"rate": "1e3"}),
        ("betting-fixed", {"rate": "1", "reserve": "0"}),
        ("betting-fixed", {"rate": "1,2"}),
        ("betting-fixed", {"rate": "1.50"}),
        ("betting-diversified", {"rates": "1,2", "weights": "1"}),
        ("bravo", {"share": "0.5"}),
        ("kaplan-markov", {"padding": "0"}),
    ],
)
def test_parameters_that_both_refuse(name: str, parameters: dict[str, str]) -> None:
    with pytest.raises(AuditError):
        risk_function(name, parameters)
    with pytest.raises(FormatError):
        risk_of(name, parameters, [1.0], SecondNull(0.5, 1.0))


def test_rounding() -> None:
    chance = random.Random(5)
    for _ in range(2000):
        number = Fraction(chance.randrange(10**20), 10**20 + chance.randrange(10**6))
        assert below(number) <= number <= above(number)
        assert above(number) - below(number) <= 2**-52
        assert rounded_up(number) == share_text(number)
    assert (rounded_up(Fraction(0)), rounded_up(Fraction(1)), rounded_up(Fraction(1, 10**13))) == ("0", "1", "0.000000000001")
