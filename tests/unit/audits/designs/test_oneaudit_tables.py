"""Tables of sizes and risks of ONEAudit, row by row.

P. B. Stark, Overstatement-Net-Equivalent Risk-Limiting Audit: ONEAudit, arXiv 2303.03335 (its notebooks: pbstark/ONEAudit), and
J. Spertus, A. Glazer and P. B. Stark, Dice, but don't slice: optimizing the efficiency of ONEAudit. Published sizes are means of
simulated audits, so two samples are compared: their means may differ by 3.5 standard errors of the difference.
"""

from functools import cache

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.hybrid import comparison_stratum, polling_stratum
from scrutineer.audits.designs.oneaudit import ScoreTally
from scrutineer.audits.forecasts import Forecast, Rates, comparison_forecast, oneaudit_forecast, polling_forecast
from scrutineer.audits.planner_risk import suggested
from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.betting import Agrapa, Betting, Diversified, Fixed
from scrutineer.audits.risk.kaplan import KaplanMarkov
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import Process
from scrutineer.audits.risk.strata import Sampled, strata_p_values
from scrutineer.audits.risk.suite import ComparedStratum, PolledStratum, suite

PAIR = Assertion("governor", "heron>wren", (1, -1))
NO_RESERVE = 2.0**-40


def _drawn(population: Values, counts: list[int], runs: int, draws: int, seed: list[int]) -> Values:
    """Without replacement, from so many of each value."""
    rng = np.random.default_rng(seed)
    places = np.repeat(np.arange(len(counts), dtype=np.int16), counts)
    return np.stack([population[rng.choice(places, draws, replace=False)] for _ in range(runs)])


def _agrees(function: Process, values: Values, null: Null, mean: float, published_runs: int) -> None:
    times = np.minimum(function.stopping_times(values, null, 0.05), null.population or values.shape[1])
    assert (times < values.shape[1]).mean() > 0.995 or values.shape[1] == null.population
    error = times.std() * (1 / len(times) + 1 / published_runs) ** 0.5
    assert abs(times.mean() - mean) <= 3.5 * error + 1


# ONEAudit, table 11, columns for 10,000 cards: method, the share that it is told, how many draws that is worth (0: for ever), and
# mean sizes with 10, 25, 50 and 75 % of blank cards. The share is of cards with votes; ALPHA's is made one of all cards.
TABLE_11 = [
    ("a priori Kelly", 0.52, 0, (450, 540, 791, 1511)),
    ("a priori Kelly", 0.55, 0, (221, 269, 384, 737)),
    ("a priori Kelly", 0.6, 0, (163, 204, 287, 542)),
    ("ALPHA", 0.505, 10, (221, 285, 478, 1324)),
    ("ALPHA", 0.505, 0, (924, 1167, 1819, 3459)),
    ("ALPHA", 0.51, 100, (257, 329, 555, 1449)),
    ("ALPHA", 0.51, 0, (697, 912, 1539, 3219)),
    ("ALPHA", 0.52, 1000, (341, 443, 758, 1839)),
    ("ALPHA", 0.55, 10, (213, 276, 468, 1307)),
    ("ALPHA", 0.55, 100, (210, 280, 492, 1371)),
    ("ALPHA", 0.55, 1000, (225, 304, 565, 1578)),
    ("ALPHA", 0.55, 0, (233, 318, 625, 1894)),
    ("ALPHA", 0.6, 10, (208, 269, 455, 1288)),
    ("ALPHA", 0.6, 100, (181, 243, 427, 1279)),
    ("ALPHA", 0.6, 1000, (167, 222, 391, 1232)),
]


def _method(name: str, share: float, worth: int, blank: float) -> Process:
    if name != "ALPHA":
        return Betting(Fixed(4 * share - 2), NO_RESERVE)
    eta = 0.5 + (1 - blank) * (share - 0.5)
    return Alpha(eta, worth, (share - 0.5) / 2, NO_RESERVE) if worth else Alpha(eta, 1e12, 0.0, NO_RESERVE)


@cache
def _polls(share: float, blank: float) -> Values:
    marked = round(10_000 * (1 - blank))
    won = round(marked * share)
    seed = [11, round(100 * share), round(100 * blank)]
    return _drawn(np.array([1.0, 0.0, 0.5]), [won, marked - won, 10_000 - marked], 300, 10_000, seed)


@pytest.mark.parametrize(("name", "share", "worth", "published"), TABLE_11)
def test_ballots_polled_where_three_fifths_are_for_the_winner(
    name: str, share: float, worth: int, published: tuple[int, int, int, int]
) -> None:
    for blank, mean in zip((0.1, 0.25, 0.5, 0.75), published, strict=True):
        _agrees(_method(name, share, worth, blank), _polls(0.6, blank), Null(0.5, 1, 10_000), mean, 1000)


# ONEAudit, table 2 and notebook oa-batch: 20,000 cards, 10,000 with records (5,000 for one, 4,000 for the other), and ten boxes
# of 1,000 that are nearly of one mind: 900 or 990 votes for one, in five boxes the one and in five the other.
def _boxes(votes: int) -> tuple[Reported, Forecast]:
    for_winner = np.array([votes, 1000 - votes] * 5)
    cards = np.concatenate([np.full(10, 1000), np.ones(10_000, np.int64)])
    scores = np.concatenate([2 * for_winner - 1000, np.repeat([1, -1, 0], [5000, 4000, 1000])])
    tally = ScoreTally(np.array([-1, 1]), np.stack([1000 - for_winner, for_winner], axis=1))
    return Reported(PAIR, scores, cards), oneaudit_forecast(ReportedTotal(PAIR, 20_000, 1000), np.full(10, 1000), tally)


@pytest.mark.parametrize(("votes", "cards"), [(900, 7250), (990, 5300)])
def test_boxes_compared_by_kaplan_markov(votes: int, cards: int) -> None:
    """62 draws, and 5,308.43 different cards on average where boxes have 990 votes for one (cell 19)."""
    reported, _ = _boxes(votes)
    design = BatchDesign(tuple(f"{at:05}" for at in range(10_010)), (reported,))
    draws = int(KaplanMarkov(NO_RESERVE).stopping_times(np.ones((1, 200)), design.null(), 0.05)[0])
    bounds = design.bounds / design.bounds.sum()
    expected = float((reported.cards * (1 - (1 - bounds) ** draws)).sum())
    assert expected == pytest.approx(cards, rel=0.01)
    if votes == 990:
        assert draws == 62
        assert expected == pytest.approx(5308.434319418066, rel=1e-3)


@pytest.mark.parametrize(("votes", "cards"), [(900, 800), (990, 170)])
def test_boxes_as_pools_take_no_more_cards_than_published(votes: int, cards: int) -> None:
    """What this planner suggests; the table has ALPHA with a guess that suits it."""
    _, expected = _boxes(votes)
    values = _drawn(expected.values, expected.counts().tolist(), 200, 6000, [3, votes])
    times = suggested(expected, 0.05, sure=True).function().stopping_times(values, expected.null, 0.05)
    assert times.mean() <= cards


def test_ballots_polled_in_georgia() -> None:
    """Table 3: 2,081,211 votes against 1,719,889 on 3,909,983 cards take about 700 by Wald's test (687 in 100 runs, oa-batch)."""
    cards, won, lost = 3_909_983, 2_081_211, 1_719_889
    rng = np.random.default_rng(2022)
    shares = [won / cards, lost / cards, 1 - (won + lost) / cards]
    values = rng.choice(np.array([1.0, 0.0, 0.5]), size=(400, 8000), p=shares)
    _agrees(Alpha((won + (cards - won - lost) / 2) / cards, reserve=NO_RESERVE), values, Null(0.5, 1), 687.47, 100)


def test_the_pilot_in_kalamazoo() -> None:
    """Table 5: SUITE 0.037 (0.0374 in section 4); ONEAudit 0.020 on average of orders, deviating by 0.010, 0.032 in one of ten.

    The notebook's own numbers for the values (see test_oneaudit).
    """
    found = suite(ComparedStratum(5294, 3765 - 1349, 8), PolledStratum(22_372, 16_934, 4220, 32, 23, 8))
    assert found.p_value == pytest.approx(0.0374, abs=0.00005)
    share, pool = (20_699 - 5569) / 27_666, (16_934 - 4220) / 22_372
    upper = 2 / (3 - 2 * share)
    scale = upper / 2
    drawn = np.repeat(np.array([1.0, 0.5 / scale, 1 - pool, 2 - pool]) * scale, [8, 1, 8, 23])
    rows = np.random.Generator(np.random.PCG64(5)).permuted(np.tile(drawn, (20_000, 1)), axis=1)
    risk = Betting(Fixed((0.99 * upper / 0.5 - 1) / (upper - 0.5)), reserve=NO_RESERVE)
    p_values = risk.p_values(rows, Null(0.5, upper, 27_666))[:, -1]
    assert p_values.mean() == pytest.approx(0.0201, abs=0.0004)
    assert p_values.std() == pytest.approx(0.010, abs=0.0006)
    assert np.quantile(p_values, 0.9) == pytest.approx(0.0321, abs=0.0006)


def test_the_pilot_in_kalamazoo_by_the_evidence_of_its_strata() -> None:
    """Table 5, after Sweeter than SUITE (arXiv 2207.03379), table 3: the best product of evidence there, 0.003, SUITE 0.037.

    Kelly's bets for what was reported, over all splits and 500 orders of the ballots: 0.0054, whatever the order.
    """
    reported = ReportedTotal(PAIR, 5294, 3765 - 1349)
    clean = np.ones(8, np.int64)
    with_records = comparison_stratum(reported, clean, clean, comparison_forecast(reported, Rates(two_over=0.0)))
    votes = polling_forecast(PAIR, {1: 16_934, -1: 4220}, 22_372)
    papers = np.random.Generator(np.random.PCG64(8)).permuted(np.tile(np.repeat([1, -1, 0], [23, 8, 1]), (500, 1)), axis=1)
    polled = polling_stratum(PAIR, 22_372, papers[0], votes)
    strata = [
        Sampled(
            values,
            each.cards,
            each.shift,
            each.upper,
            each.expected_values,
            each.probabilities,
        )
        for each, values in ((with_records, np.tile(with_records.values, (500, 1))), (polled, (papers + 1) / 2))
    ]
    p_values = strata_p_values(strata, PAIR.upper)
    assert p_values.mean() == pytest.approx(0.0054, abs=0.0001)
    assert p_values.max() < 0.006


# Dice, but don't slice, table 2, rows with right tallies and few draws: mean of all cards, and how far apart records and boxes,
# and boxes, are; mean sizes of a priori Kelly, universal portfolio (100 bets, evenly spaced), AGRAPA, and Kelly's for one 2-vote
# error in 1,000.
TABLE_2 = [
    (0.55, 0.0, 0.0, 313, 373, 436, None),
    (0.55, 0.0, 0.5, 294, 321, 414, None),
    (0.55, 0.5, 0.0, 235, 259, 304, None),
    (0.55, 0.5, 0.5, 211, 248, 279, None),
    (0.6, 0.0, 0.0, 82, 90, 104, 130),
    (0.6, 0.0, 0.5, 79, 85, 98, 124),
    (0.6, 0.5, 0.0, 61, 77, 82, 61),
    (0.6, 0.5, 0.5, 58, 73, 75, 60),
]


@cache
def _dice(mean: float, apart: float, spread: float) -> tuple[Forecast, Values]:
    """100,000 cards with records and 100 boxes of 1,000, as reported."""
    of_boxes = np.linspace(mean - apart / 2 - spread / 2, mean - apart / 2 + spread / 2, 100)
    won = np.round(1000 * of_boxes).astype(np.int64)
    tally = ScoreTally(np.array([-1, 1]), np.stack([1000 - won, won], axis=1))
    records = round(100_000 * (mean + apart / 2))
    total = int(tally.totals.sum()) + 2 * records - 100_000
    expected = oneaudit_forecast(ReportedTotal(PAIR, 200_000, total), np.full(100, 1000), tally)
    seed = [2, round(1000 * mean), round(10 * apart), round(10 * spread)]
    rng = np.random.default_rng(seed)
    return expected, expected.values[rng.choice(len(expected.values), size=(400, 5000), p=expected.shares)]


@pytest.mark.parametrize("row", TABLE_2, ids=lambda row: "-".join(map(str, row[:3])))
def test_dice(row: tuple[float, float, float, int, int, int, int | None]) -> None:
    """Draws here are with replacement; of 200,000 cards some hundreds make no difference."""
    expected, values = _dice(*row[:3])
    null = Null(0.5, expected.null.upper)
    clean = null.upper / 2
    portfolio = tuple(2 * at / 99 for at in range(100))
    functions: list[Process] = [
        Betting(Fixed(expected.kelly_bet()), NO_RESERVE),
        Betting(Diversified(portfolio, (1.0,) * 100), NO_RESERVE),
        Betting(Agrapa(), 0.01),
        Betting(Fixed((2 - 4 * clean * 0.999) / (1 - 2 * clean)), NO_RESERVE),
    ]
    for function, published in zip(functions, row[3:], strict=True):
        if published is not None:
            _agrees(function, values, null, published, 1000)


def test_polling_forecasts_are_those_populations() -> None:
    expected = polling_forecast(PAIR, {1: 5400, -1: 3600}, 10_000)
    assert sorted(zip(expected.values.tolist(), expected.counts().tolist(), strict=True)) == [
        (0.0, 3600),
        (0.5, 1000),
        (1.0, 5400),
    ]
