"""The guarantee over its whole grid, for strata: two and three of them by evidence, and SUITE for sizes fixed in advance.

20,000 seeded nulls a cell. In truth the contest ties: cards that are compared lose what the others win, or what records hide.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import log2

import numpy as np
import pytest
from numpy.typing import NDArray

from risk_grid import ALLOWED, BLANKS, NULLS, PAIR, RISK_LIMIT
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.hybrid import comparison_stratum, oneaudit_stratum, polling_stratum
from scrutineer.audits.designs.oneaudit import OWN_RECORD, Pools, ScoreTally
from scrutineer.audits.forecasts import Rates, comparison_forecast, oneaudit_forecast, polling_forecast
from scrutineer.audits.risk.betting import Betting, Fixed, kelly_rate
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.strata import Sampled, strata_p_values
from scrutineer.audits.risk.stratified import Stratum
from scrutineer.audits.risk.suite import ComparedStratum, PolledStratum, suite

STEPS = 4
ROUND = 8
ROUNDS = 3
PLANS = ("two", "three")


@dataclass(frozen=True, eq=False)
class Tie:
    """Strata with all their cards in order, and what each one's assorter mean truly is."""

    strata: tuple[Stratum, ...]
    means: tuple[Fraction, ...]


def _papers(cards: int, lead: int, blank: float) -> NDArray[np.int64]:
    """So many cards, of which a share is blank, with so many votes more for the winner."""
    other = round((cards * (1 - blank) - lead) / 2)
    return np.repeat([1, -1, 0], [other + lead, other, cards - 2 * other - lead])


@cache
def tie(strata: str, replacement: bool, blank: float) -> Tie:
    """Of all cards of the strata, looked at one after another."""
    first = _papers(40, -4, blank)
    records = np.where(np.arange(40) < np.flatnonzero(first == -1)[0] + 4, 1, first)
    told = ReportedTotal(PAIR, 40, int(records.sum()))
    compared = comparison_stratum(told, records, first, comparison_forecast(told, Rates(two_over=0.01)), replacement=replacement)
    lead = 4 if strata == "two" else 2
    second = _papers(30, lead, blank)
    expected = polling_forecast(PAIR, {1: 10, -1: 5}, 30)
    made = [compared, polling_stratum(PAIR, 30, second, expected, replacement=replacement)]
    totals = [-4, lead]
    if strata == "three":
        third = _papers(30, 2, blank)
        pool = np.where(np.arange(30) % 3, OWN_RECORD, 0)
        tally = ScoreTally(
            np.array([-1, 1]), np.array([[np.count_nonzero(third[pool == 0] == -1), np.count_nonzero(third[pool == 0] == 1)]])
        )
        whole = ReportedTotal(PAIR, 30, 2)
        cards = np.array([np.count_nonzero(pool == 0)])
        made.append(
            oneaudit_stratum(
                whole,
                Pools(cards, tally.totals),
                pool,
                third,
                third,
                oneaudit_forecast(whole, cards, tally),
                replacement=replacement,
            )
        )
        totals.append(2)
    assert sum(totals) == 0
    means = tuple(Fraction(1, 2) + Fraction(total, 2 * each.cards) for total, each in zip(totals, made, strict=True))
    for each, mean in zip(made, means, strict=True):
        assert each.values.mean() == pytest.approx(float(mean + each.shift), rel=1e-12)
    return Tie(tuple(made), means)


@cache
def drawn(strata: str, replacement: bool, blank: float) -> tuple[Values, ...]:
    """By stratum: the values of 20,000 audits."""
    rng = np.random.default_rng([1809, 2207, PLANS.index(strata), int(replacement), round(100 * blank)])
    number = ROUND * ROUNDS
    tables = []
    for each in tie(strata, replacement, blank).strata:
        if replacement:
            tables.append(each.values[rng.integers(0, each.cards, (NULLS, number))])
        else:
            tables.append(rng.permuted(np.broadcast_to(each.values, (NULLS, each.cards)), axis=1)[:, :number])
    return tuple(tables)


def _sampled(stratum: Stratum, values: Values) -> Sampled:
    return Sampled(
        values,
        stratum.cards,
        stratum.shift,
        stratum.upper,
        stratum.expected_values,
        stratum.probabilities,
        stratum.replacement,
        stratum.reserve,
    )


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("strata", PLANS)
def test_strata_by_evidence_in_rounds_by_what_was_seen(strata: str, replacement: bool, blank: float) -> None:
    """After each round whoever sees little takes from all strata, and whoever sees more from the last alone."""
    tables, ties = drawn(strata, replacement, blank), tie(strata, replacement, blank).strata
    rounds = np.ones((NULLS, len(ties)), np.int64)
    confirmed = np.zeros(NULLS, bool)
    for _ in range(ROUNDS):
        p_values = np.ones(NULLS)
        for taken in np.unique(rounds, axis=0).tolist():
            rows = np.flatnonzero((rounds == taken).all(axis=1) & ~confirmed)
            some = [
                _sampled(stratum, table[rows, : ROUND * number])
                for stratum, table, number in zip(ties, tables, taken, strict=True)
            ]
            if len(rows):
                p_values[rows] = strata_p_values(some, PAIR.upper, steps=STEPS)
        confirmed |= p_values <= RISK_LIMIT
        rounds[:, -1] = np.minimum(rounds[:, -1] + 1, ROUNDS)
        rounds[p_values > 0.5] = np.minimum(rounds[p_values > 0.5, :1] + 1, ROUNDS)
    assert confirmed.mean() <= ALLOWED


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("strata", PLANS)
def test_the_product_at_the_true_means_at_every_draw_of_any_stratum(strata: str, replacement: bool, blank: float) -> None:
    """What counts is the least over all splits, so it is no more than this; and this uses much of the limit.

    Strata take turns, or whoever draws goes on in the stratum that spoke for the outcome last; large bets, every draw looked at.
    """
    made = tie(strata, replacement, blank)
    logs = []
    for stratum, mean, table in zip(made.strata, made.means, drawn(strata, replacement, blank), strict=True):
        null = Null(float(mean + stratum.shift), float(stratum.upper), None if replacement else stratum.cards)
        rate = kelly_rate(stratum.expected_values, stratum.probabilities, null.mean)
        evidence = Betting(Fixed(max(rate, 0.5 / null.mean))).log2_evidence(table, null)
        logs.append(np.concatenate([np.zeros((NULLS, 1)), np.maximum(evidence, -1e6)], axis=1))
    rows, number = np.arange(NULLS), ROUND * ROUNDS
    for by_turns in (True, False):
        at, turn = np.zeros((len(logs), NULLS), np.int64), np.zeros(NULLS, np.int64)
        greatest = np.zeros(NULLS)
        for draw in range(number * len(logs)):
            spent = at[turn, rows] >= number
            at[turn, rows] += ~spent
            greatest = np.maximum(greatest, sum(each[rows, at[place]] for place, each in enumerate(logs)))
            last = np.stack([each[rows, at[place]] - each[rows, np.maximum(at[place] - 1, 0)] for place, each in enumerate(logs)])
            stays = (last[turn, rows] > 0) & ~spent & (not by_turns) & (draw % 5 > 0)
            turn = np.where(stays, turn, (turn + 1) % len(logs))
        used = float((greatest >= log2(1 / RISK_LIMIT)).mean())
        assert 0.015 < used <= ALLOWED


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("read", [12, 200])
def test_suite_for_sizes_fixed_in_advance(blank: float, read: int) -> None:
    """Of a reported margin, four fifths are overstated on few cards that are compared, and one fifth where they are polled.

    Or all of it on compared cards: where all polled ballots are read, what is left of the limit is what Fisher's combination with
    a p-value of 1 leaves; else the worst split leaves hardly any. A p-value depends on counts alone and rises with every
    overstatement: for each count of polled ballots the most that still confirm are found once, and 20,000 audits are looked up.
    """
    rng = np.random.default_rng([1809, 4235, round(100 * blank), read])
    each, lead = round(100 * (1 - blank)), 20
    told = PolledStratum(200, each + lead // 2, each - lead // 2, 0, 0, 0)
    if read == 200:
        told = PolledStratum(200, each, each, 0, 0, 0)
    compared = ComparedStratum(600, 80, 75)
    two_over = rng.binomial(compared.drawn, compared.margin / 2 / compared.cards, NULLS)
    polled = rng.multivariate_hypergeometric([each, each, 200 - 2 * each], read, NULLS)
    kinds, place = np.unique(polled[:, :2], axis=0, return_inverse=True)
    most = np.full(len(kinds), -1)
    for number, (won, lost) in enumerate(kinds.tolist()):
        counted = replace(told, drawn=read, winner_drawn=won, loser_drawn=lost)
        while suite(replace(compared, two_over=int(most[number]) + 1), counted).p_value <= RISK_LIMIT:
            most[number] += 1
    confirmed = float((two_over <= most[place.ravel()]).mean())
    assert confirmed <= ALLOWED
    assert read < 200 or confirmed > 0.003
