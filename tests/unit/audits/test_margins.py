"""Totals over columns and sheets against scores card by card, and margins that others published."""

import random
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_samples import options, random_cards, random_contest, score, tally_of_cards
from published_rankings import SAN_FRANCISCO
from scrutineer.audits import margins as module
from scrutineer.audits.assertions import Assertion, Marks
from scrutineer.audits.cards.model import ABSENT, ContestColumn
from scrutineer.audits.margins import assorter_means, margin_shares, pattern_scores, sheet_totals, smallest_margin, totals
from scrutineer.audits.outcome import required
from scrutineer.count.outcome import Tally
from scrutineer.election import Contest, Option
from scrutineer.errors import AuditError

LEADS = (Assertion("c", "lead:0:1", (1, -1, 0)), Assertion("c", "above:0", (1, -1, -1), -1))


def column(contest: Contest, cards: Counter[Marks], dtype: type = np.int8, absent: int = 3) -> ContestColumn:
    """The cards in columns, in an order of no meaning, with some that do not hold the contest."""
    patterns = tuple(sorted(cards))
    numbers = [patterns.index(marks) for marks in cards.elements()]
    rows: NDArray[Any] = np.array([*numbers, *[ABSENT] * absent], dtype=dtype)
    np.random.default_rng(5).shuffle(rows)
    names = tuple(option.name for option in contest.options)
    return ContestColumn(contest.id, names, patterns, rows, contest.choices_allowed(), contest.rule == "ranked")


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
@pytest.mark.parametrize("rule", ["plurality", "approval", "majority", "ranked", "hamilton"])
def test_totals_are_the_scores_of_all_cards(rule: str, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(rule)
    # Patterns are looked at in blocks: here of few.
    monkeypatch.setattr(module, "_BLOCK", 20)
    compared = 0
    for _ in range(40):
        contest = random_contest(draw, rule)
        cards = random_cards(draw, contest)
        needed = required(contest, tally_of_cards(contest, cards))
        found = totals(needed.assertions, column(contest, cards, dtype))
        assert tuple(found.tolist()) == needed.margins
        assert tuple(found.tolist()) == tuple(score(assertion, cards) for assertion in needed.assertions)
        compared += len(needed.assertions)
    assert compared > 40


def test_scores_of_patterns_are_those_of_cards() -> None:
    draw = random.Random(9)
    for rule in ("plurality", "approval", "ranked"):
        for _ in range(40):
            contest = random_contest(draw, rule)
            cards, others = random_cards(draw, contest), random_cards(draw, contest)
            needed = required(contest, tally_of_cards(contest, cards)).assertions
            scores = pattern_scores(needed, column(contest, others))
            assert scores.tolist() == [[assertion.score(marks) for marks in sorted(others)] for assertion in needed]


def test_sheets_have_the_scores_of_their_votes() -> None:
    votes = np.array([[5, 3, 1], [0, 7, 0], [0, 0, 0]], dtype=np.int32)
    rest = np.array([2, 0, 4], dtype=np.int32)
    assert sheet_totals(LEADS, votes, rest).tolist() == [[2, -1], [-7, -7], [0, -4]]
    assert sheet_totals((), votes, rest).shape == (3, 0)
    assert sheet_totals(LEADS, votes[:0], rest[:0]).shape == (0, 2)


def test_margins_are_exact() -> None:
    found = np.array([6, -3])
    assert margin_shares(LEADS, found, 9) == (Fraction(2, 3), Fraction(-1, 3))
    assert assorter_means(LEADS, found, 9) == (Fraction(5, 6), Fraction(1, 3))
    assert smallest_margin(LEADS, found, 9) == Fraction(-1, 3)


def test_the_mean_of_san_francisco_2019() -> None:
    contest = Contest("c", "District attorney", "ranked", options(4))
    needed = required(contest, SAN_FRANCISCO)
    cards = Counter(dict(SAN_FRANCISCO.rankings)) + Counter({(): SAN_FRANCISCO.blank})
    found = totals(needed.assertions, column(contest, cards))
    assert smallest_margin(needed.assertions, found, 146_662) == Fraction(4242, 146_662)
    # SHANGRLA at 9d5db92 prints 0.028923647570604505 for the smallest of these.
    assert float(smallest_margin(needed.assertions, found, 146_662)) == pytest.approx(0.028923647570604505, rel=1e-12)


# Votes and margins of a primary election of 2020 with a threshold of 15 % and 7 seats by largest remainders, out of
# github.com/michelleblom/primaries, Data/Plurality/AR-D, files AR-D_statewide.totals and AR-D_result_level_2_r5_er0002.txt
# (whose CDIFF,J,I is the last seat of I against the next of J).
PRIMARY = (93_012, 51_413, 38_312, 22_971, 7_649, 7_009, 2_053, 1_593, 715, 715, 574, 572, 501, 485, 443, 408, 393, 304)
PRIMARY_MARGINS = {
    "seat:0:2": 0.00845062,
    "seat:1:2": 0.0571791,
    "seat:0:1": 0.0591694,
    "seat:2:1": 0.238971,
    "seat:1:0": 0.280438,
    "seat:2:0": 0.50635,
    "above:2": 0.114748,
    "above:1": 0.495942,
    "above:0": 1.70633,
    "below:3": 0.0585216,
    "below:4": 0.137195,
    "below:17": 0.17491,
}


def test_margins_of_largest_remainders_are_those_of_the_authors() -> None:
    """M. Blom et al., Auditing Hamiltonian Elections, arXiv 2102.08510."""
    contest = Contest("c", "Delegates", "hamilton", _numbered(18), seats=7, threshold="15 %")
    needed = required(contest, Tally(PRIMARY))
    found = margin_shares(needed.assertions, np.array(needed.margins), sum(PRIMARY))
    by_code = {assertion.code: margin for assertion, margin in zip(needed.assertions, found, strict=True)}
    assert len(by_code) == 18 + 6
    for code, margin in PRIMARY_MARGINS.items():
        assert float(by_code[code]) == pytest.approx(margin, rel=1e-5)


# Of the same source: votes, seats, and the code and margin of the assertion that it lists first of those required.
OTHER_PRIMARIES = [
    (
        (117_633, 77_425, 42_270, 40_732, 6_733, 5_115, 5_109, 2_006, 1_997, 1_530, 1_273, 1_158, 680, 620),
        5,
        "below:2",
        0.0130381,
    ),
    ((365_284, 65_055, 58_364, 15_300, 9_127, 7_267, 5_859, 5_296, 2_656, 2_514, 1_183), 6, "below:1", 0.0341866),
    ((262_336, 106_605, 61_140, 44_217, 38_120, 16_900, 6_813, 1_069, 765, 658, 352, 288), 12, "seat:0:1", 0.00262526),
]


@pytest.mark.parametrize(("votes", "seats", "code", "margin"), OTHER_PRIMARIES)
def test_the_smallest_margin_of_largest_remainders(votes: tuple[int, ...], seats: int, code: str, margin: float) -> None:
    contest = Contest("c", "Delegates", "hamilton", _numbered(len(votes)), seats=seats, threshold="15 %")
    needed = required(contest, Tally(votes))
    assert needed.assertions[0].code == code
    smallest = smallest_margin(needed.assertions, np.array(needed.margins), sum(votes))
    assert float(smallest) == pytest.approx(margin, rel=1e-5)


# The lower chamber of a country of 2024, one of its districts: 24 seats by D'Hondt, threshold 5 %. Votes and figures out of
# github.com/JohnLCaron/rlauxe, docs/cases/Belgium2024.md: the hardest assertion, its mean, greatest value and margin.
DISTRICT = (249_826, 70_890, 4_213, 125_257, 127_973, 368_877, 90_370, 125_894, 8_639, 10_341, 7_221, 1_686)


def test_the_margin_of_highest_averages_is_that_of_others() -> None:
    contest = Contest("c", "Chamber", "dhondt", _numbered(12), seats=24, threshold="5 %")
    needed = required(contest, Tally(DISTRICT))
    hardest, cards = needed.assertions[0], sum(DISTRICT)
    assert cards == 1_191_187
    assert hardest.code == "seat:7:3"
    assert hardest.upper == 1
    found = np.array(needed.margins)
    assert float(margin_shares(needed.assertions, found, cards)[0]) == pytest.approx(5.347607050782965e-4, rel=1e-12)
    assert float(assorter_means(needed.assertions, found, cards)[0]) == pytest.approx(0.500267, abs=1e-6)


def _numbered(count: int) -> tuple[Option, ...]:
    return tuple(Option(f"o{at}", f"List {at}") for at in range(count))


def test_what_does_not_fit_is_refused() -> None:
    contest = Contest("c", "C", "plurality", options(3))
    cards = column(contest, Counter({(0,): 3, (1,): 1}))
    with pytest.raises(AuditError, match="the records are of c"):
        totals((Assertion("d", "lead:0:1", (1, -1, 0)),), cards)
    with pytest.raises(AuditError, match="about 2 options, not 3"):
        totals((Assertion("c", "lead:0:1", (1, -1)),), cards)
    with pytest.raises(AuditError, match="cannot be added up in 64 bits"):
        totals((Assertion("c", "lead:0:1", (1 << 60, -1, 0)),), cards)
    ranked = Assertion("c", "irv:nen:0:1:0,1", (1, -1, 0), continuing=frozenset({0, 1}))
    votes, rest = np.ones((2, 3), dtype=np.int64), np.zeros(2, dtype=np.int64)
    with pytest.raises(AuditError, match="about rankings"):
        sheet_totals((ranked,), votes, rest)
    with pytest.raises(AuditError, match="a row for each sheet"):
        sheet_totals(LEADS, votes, rest[:1])
    with pytest.raises(AuditError, match="more than can be added up"):
        sheet_totals(LEADS, votes << 60, rest)
    with pytest.raises(AuditError, match="no card that could be audited"):
        margin_shares(LEADS, np.array([1, 1]), 0)
    with pytest.raises(AuditError, match="nobody stands against"):
        smallest_margin((), np.array([]), 5)
