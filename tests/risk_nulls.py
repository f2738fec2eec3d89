"""Chosen values that lie exactly at the hypothesis, for the promise of risk functions: wrong outcomes are confirmed no more often
than the risk limit says, however often one looks. The designs' own populations are those of `risk_grid`.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import sqrt

import numpy as np

from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.betting import Adaptive, Agrapa, Betting, Diversified, Fixed, Kelly
from scrutineer.audits.risk.bravo import Bravo
from scrutineer.audits.risk.kaplan import KaplanKolmogorov, KaplanMarkov
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import Process

RISK_LIMIT = 0.05
NULLS = 20_000
ALLOWED = RISK_LIMIT + 3 * sqrt(RISK_LIMIT * (1 - RISK_LIMIT) / NULLS)
DRAWS = 120
_AT_ONCE = 500  # so many fit a processor's cache
MARGIN = 0.1
CLEAN = 1 / (2 - MARGIN)
"""The overstatement assorter's value of a card without error at a diluted margin of 10 %."""


def _topped_up(rest: list[float], upper: float) -> list[float]:
    """A population of 120 whose mean is 1/2, the last value making up for what the rest lacks."""
    last = DRAWS / 2 - sum(rest)
    assert len(rest) == DRAWS - 1
    assert 0 <= last <= upper
    return [*rest, last]


POPULATIONS: dict[str, tuple[list[float], float]] = {
    "comparison, errors both ways": (
        _topped_up([CLEAN] * 95 + [CLEAN / 2] * 16 + [0.0] * 2 + [3 * CLEAN / 2] * 5 + [2 * CLEAN], 2 * CLEAN),
        2 * CLEAN,
    ),
    "batches, a few taints of 1": (_topped_up([0.6] * 97 + [0.0] * 19 + [0.55] * 3, 1.2), 1.2),
    "batches, many small taints": (_topped_up([0.5 + (place % 11 - 5) / 50 for place in range(119)], 1.0), 1.0),
    "adversary, one value hides it all": (_topped_up([0.5042] * 119, 1.0), 1.0),
    "adversary, rare great values": (_topped_up([0.47] * 112 + [1.0] * 7, 1.0), 1.0),
    "adversary, half nothing and half all": ([0.0] * 60 + [1.0] * 60, 1.0),
}
"""Of each design the values, and the greatest value that it allows."""

FUNCTIONS: dict[str, Process] = {
    "ALPHA, shrunk and truncated": Alpha(0.55, 20, 0.025),
    "ALPHA, shrunk and truncated, hopeful": Alpha(0.9, 5),
    "ALPHA, fixed": Alpha(0.6),
    "betting, fixed": Betting(Fixed(1.2)),
    "betting, fixed at the edge": Betting(Fixed(1e6)),
    "betting, Kelly's bet for few errors": Betting(Kelly((CLEAN, CLEAN / 2, 0.0), (0.989, 0.01, 0.001))),
    "betting, diversified": Betting(Diversified((0.2, 1.0, 1.9), (1.0, 1.0, 2.0))),
    "betting, adaptive": Betting(Adaptive((CLEAN, CLEAN / 2, 0.0), (0.989, 0.01, 0.001), (20.0, 50.0))),
    "betting, aGRAPA": Betting(Agrapa()),
    "Kaplan–Markov": KaplanMarkov(0.1),
    "Kaplan–Markov, SuperSimple": KaplanMarkov.of_gamma(1.03905, MARGIN),
    "Kaplan–Kolmogorov": KaplanKolmogorov(0.01),
    "BRAVO": Bravo(0.6),
}


@lru_cache(maxsize=2)
def _draws(population: str, replacement: bool) -> tuple[Values, Null]:
    values, upper = POPULATIONS[population]
    rng = np.random.default_rng([2201, 2707, sorted(POPULATIONS).index(population), int(replacement)])
    if replacement:
        return rng.choice(np.array(values), size=(NULLS, DRAWS)), Null(0.5, upper)
    table = np.broadcast_to(np.array(values), (NULLS, DRAWS))
    return rng.permuted(table, axis=1), Null(0.5, upper, DRAWS)


def confirmed(function: Process, population: str, replacement: bool) -> float:
    """The share of the nulls that the function confirms at some moment."""
    values, null = _draws(population, replacement)
    parts = (values[start : start + _AT_ONCE] for start in range(0, NULLS, _AT_ONCE))
    return sum(int(np.count_nonzero(function.stopping_times(part, null, RISK_LIMIT) <= DRAWS)) for part in parts) / NULLS


def cells(*designs: str) -> Iterator[tuple[str, str, bool]]:
    """Function, population and whether draws are with replacement, for the designs whose names begin so."""
    for population, (_, upper) in POPULATIONS.items():
        for replacement in (True, False):
            for function in FUNCTIONS:
                if population.startswith(designs) and _applies(function, population, upper, replacement):
                    yield function, population, replacement


def _applies(function: str, population: str, upper: float, replacement: bool) -> bool:
    if function == "betting, adaptive":  # the slowest, and made for the few values of a comparison
        return population.startswith("comparison")
    return not (function == "Kaplan–Kolmogorov" and replacement) and not (function == "BRAVO" and upper != 1)
