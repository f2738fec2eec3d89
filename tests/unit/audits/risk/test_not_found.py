"""Nobody gains by not finding a card: with bets that plans fix, no choice of cards that are not found makes a risk smaller."""

import random
from collections.abc import Mapping

import numpy as np
import pytest

from scrutineer.audits.plan import LEARNED
from scrutineer.audits.risk.model import Null
from scrutineer.audits.risk.named import risk_function

CARDS = 60
FIXED: list[tuple[str, Mapping[str, str]]] = [
    ("betting-fixed", {"rate": "0.7"}),
    ("betting-fixed", {"rate": "40", "reserve": "0.01"}),
    ("betting-kelly", {"values": "0.6,0", "probabilities": "0.95,0.05"}),
    ("betting-diversified", {"rates": "0.1,1,1.9", "weights": "1,2,1"}),
    ("bravo", {"share": "0.6"}),
    ("kaplan-markov", {"padding": "0.1"}),
    ("kaplan-kolmogorov", {"padding": "0.02"}),
]


def values_of(chance: random.Random) -> list[float]:
    return [chance.choice((0.0, 0.5, 1.0, 1.0)) for _ in range(CARDS)]


def lowered(chance: random.Random, values: list[float]) -> list[float]:
    """Some cards are not found: the first ones, those before a bad one, or any."""
    way = chance.randrange(3)
    if way == 0:
        return [0.0] * (first := chance.randrange(8)) + values[first:]
    if way == 1:
        return [
            0.0 if value and after == 0 and chance.random() < 0.5 else value
            for value, after in zip(values, [*values[1:], 1.0], strict=True)
        ]
    return [0.0 if chance.random() < 0.1 else value for value in values]


@pytest.mark.parametrize(
    ("name", "parameters", "population"),
    [(*each, size) for each in FIXED for size in (None, CARDS, 4 * CARDS) if size or each[0] != "kaplan-kolmogorov"],
)
def test_bets_that_a_plan_fixes(name: str, parameters: Mapping[str, str], population: int | None) -> None:
    function, null, chance, smaller = risk_function(name, parameters), Null(0.5, 1.0, population), random.Random(name), 0
    for _ in range(300):
        values = values_of(chance)
        found, not_found = (function.p_values(np.array(each), null)[-1] for each in (values, lowered(chance, values)))
        assert not_found >= found * (1 - 1e-12)
        smaller += not_found > found
    assert smaller > 30


def test_learned_bets_can_gain() -> None:
    """Bets that are learned are smaller on bad cards behind one that was not found: the reason why no plan names them."""
    function, null, chance = risk_function("betting-agrapa", {"start": "0"}), Null(0.5, 1.0, None), random.Random(7)
    gained = 0
    for _ in range(2_000):
        values = values_of(chance)
        found, not_found = (function.p_values(np.array(each), null)[-1] for each in (values, lowered(chance, values)))
        gained += not_found < found / 1.1
    assert function.name in LEARNED
    assert gained > 20
