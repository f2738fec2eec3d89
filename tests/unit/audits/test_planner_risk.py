import math

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import ScoreTally
from scrutineer.audits.forecasts import comparison_forecast, forecast, oneaudit_forecast, polling_forecast
from scrutineer.audits.planner_risk import suggested
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.audits.risk.model import Null
from scrutineer.errors import AuditError

PAIR = Assertion("warden", "heron>wren", (1, -1))


def test_parameters_are_those_that_a_plan_can_name():
    expected = comparison_forecast(ReportedTotal(PAIR, 10_000, 500))
    choice = suggested(expected, 0.05, sure=False)
    assert choice.name == "betting-diversified"
    assert dict(choice.parameters) == {"rates": "1.984375,1.736328125,1.240234375,0.744140625", "weights": "3,2,1,1"}
    assert choice.function().name == choice.name


def test_larger_bets_where_most_cards_will_be_drawn():
    small, middle, large = (
        suggested(polling_forecast(PAIR, {1: votes, -1: 1000 - votes}, 1000), 0.05, sure=True) for votes in (620, 550, 520)
    )
    assert [len(dict(choice.parameters)["weights"].split(",")) for choice in (small, middle, large)] == [4, 2, 4]
    rates = [float(rate) for rate in dict(large.parameters)["rates"].split(",")]
    assert rates == pytest.approx([rates[0], 2 * rates[0], 4 * rates[0], 8 * rates[0]])


def test_nothing_is_suggested_for_a_tie():
    with pytest.raises(AuditError, match="count all cards"):
        suggested(polling_forecast(PAIR, {1: 500, -1: 500}, 1000), 0.05, sure=True)


def test_comparison_with_errors_is_near_the_oracle():
    """COBRA (arXiv 2304.01010), table 2: true rates at a diluted margin of 5 %, with replacement, cut at 20,000 draws.

    The oracle bets for the true rates; its diversified bets, which know rates in advance, take 1.2 times as much in the geometric
    mean of 24 rows. Ours know nothing: at most 1.2 times over the same six true rates, and at most 2 times in each.
    """
    clean = 1 / (2 - 0.05)
    null = Null(0.5, 2 * clean)
    choice = suggested(comparison_forecast(ReportedTotal(PAIR, 20_000, 1000), replacement=True), 0.05, sure=False).function()
    draws, ratios = np.random.Generator(np.random.PCG64(6)), []
    for one in (0.01, 0.001):
        for two in (0.01, 0.001, 0.0001):
            true = forecast({0.0: two, clean / 2: one, clean: 1 - one - two}, null, 20_000)
            longest = 6000 if (one, two) == (0.01, 0.01) else 3000
            values = draws.choice(true.values, (300, longest), p=true.shares)
            ours, oracle = (risk.stopping_times(values, null, 0.05).mean() for risk in (choice, Betting(Fixed(true.kelly_bet()))))
            ratios.append(ours / oracle)
    assert math.exp(np.mean(np.log(ratios))) <= 1.2
    assert max(ratios) <= 2


@pytest.mark.parametrize(
    ("share", "spread", "batches", "invalid", "records"),
    [(0.51, 0.5, 10, 0.0, 1000), (0.55, 0.5, 10, 0.5, 0), (0.55, 0.0, 1, 0.0, 1000), (0.75, 0.5, 10, 0.0, 1000)],
)
def test_oneaudit_is_near_the_kelly_bet_on_the_truth(share, spread, batches, invalid, records):
    """Populations of J. V. Spertus' ONEAudit simulations (UI-TS repository): batches of 100 cards, winner's shares spread evenly.

    At most 5 % above the bet that is best for the very values that are drawn (a-priori Kelly).
    """
    means = np.linspace(share - spread / 2, share + spread / 2, batches) if batches > 1 else np.array([share])
    heron = np.round(100 * (1 - invalid) * means).astype(np.int64)
    tally = ScoreTally(np.array([-1, 1]), np.stack([round(100 * (1 - invalid)) - heron, heron], axis=1))
    margin = round(records * (1 - invalid) * (2 * share - 1))
    cards = np.full(batches, 100)
    reported = ReportedTotal(PAIR, 100 * batches + records, int(tally.totals.sum()) + margin)
    expected = oneaudit_forecast(reported, cards, tally)
    population = np.repeat(expected.values, expected.counts())
    values = np.random.Generator(np.random.PCG64(2)).permuted(np.tile(population, (300, 1)), axis=1)
    ours, kelly = (
        np.minimum(risk.stopping_times(values, expected.null, 0.05), len(population)).mean()
        for risk in (suggested(expected, 0.05, sure=True).function(), Betting(Fixed(expected.kelly_bet())))
    )
    assert ours / kelly <= 1.05


@pytest.mark.parametrize(
    ("share", "blank", "published"), [(0.55, 0.1, 581), (0.55, 0.5, 1054), (0.6, 0.1, 163), (0.6, 0.5, 287), (0.52, 0.5, 4158)]
)
def test_polling_takes_what_the_bet_on_the_truth_takes(share, blank, published):
    """ONEAudit (arXiv 2303.03335), tables of mean sizes without replacement, 10,000 cards: rows apKelly with the true share.

    Means of 1,000 audits there and of 1,200 here (300 of the longest, whose lengths differ less): 10 % is three standard errors
    of their difference. The suggested bets take no more, and fewer where a great part of the cards is drawn.
    """
    marked = round(10_000 * (1 - blank))
    heron = round(marked * share)
    expected = polling_forecast(PAIR, {1: heron, -1: marked - heron}, 10_000)
    population = np.repeat(expected.values, expected.counts())
    draws = np.random.Generator(np.random.PCG64(3))
    values = np.stack(
        [draws.permutation(population)[: min(10_000, 8 * published)] for _ in range(1200 if published < 2000 else 300)]
    )
    kelly, ours = (
        risk.stopping_times(values, expected.null, 0.05).mean()
        for risk in (Betting(Fixed(expected.kelly_bet())), suggested(expected, 0.05, sure=True).function())
    )
    assert kelly == pytest.approx(published, rel=0.1)
    assert ours <= 1.03 * kelly
