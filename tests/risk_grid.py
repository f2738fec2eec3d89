"""The grid of the guarantee: every risk function x design x way of drawing x share of blank cards x way of stopping.

Each population lies exactly at the hypothesis, and is made by the design itself from cards or boxes. What is wrong is in as few
cards or boxes as can hold it, which is hardest for functions that bet much. `tiny` populations are drawn to their last unit where
draws are without replacement, the others to seven eighths.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from math import sqrt
from os import environ
from typing import Final

import numpy as np

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.designs.comparison import ReportedTotal, comparison_values
from scrutineer.audits.designs.oneaudit import OWN_RECORD, Pools, oneaudit_values
from scrutineer.audits.designs.polling import polling_values
from scrutineer.audits.designs.seen import Scores
from scrutineer.audits.designs.two_stage import two_stage_values
from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.betting import Adaptive, Agrapa, Betting, Diversified, Fixed, Kelly
from scrutineer.audits.risk.bravo import Bravo
from scrutineer.audits.risk.kaplan import KaplanKolmogorov, KaplanMarkov
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import Process
from scrutineer.audits.sampling.sample import Sample, Ticket

RISK_LIMIT: Final = 0.05
NULLS: Final = 200_000 if environ.get("SCRUTINEER_EXPLORE") else 20_000
ALLOWED: Final = RISK_LIMIT + 3 * sqrt(RISK_LIMIT * (1 - RISK_LIMIT) / NULLS)
_AT_ONCE: Final = 400

BY_DRAWS: Final = ("polling", "comparison", "oneaudit", "two-stage", "batch-betting", "batch-macro")
STRATA: Final = "strata"
BLANKS: Final = (0.0, 0.25, 0.5, 0.75)
STOPPING: Final = ("every draw", "rounds by what was seen", "added when it looks well")
IN_ADVANCE: Final = "sizes fixed in advance"
KINDS: Final = ("usual", "tiny")

PAIR: Final = Assertion("c", "heron>wren", (1, -1))
OTHER: Final = Assertion("d", "crane>swift", (1, -1))


@dataclass(frozen=True, eq=False)
class Population:
    """Values at the hypothesis, and how they are drawn."""

    values: Values
    null: Null
    draws: int
    bounds: tuple[int, ...] = ()
    """Whole numbers that chances are proportional to; none: each value alike."""

    def drawn(self, rng: np.random.Generator, rows: int) -> Values:
        """So many audits."""
        if self.null.population is not None:
            return rng.permuted(np.broadcast_to(self.values, (rows, len(self.values))), axis=1)[:, : self.draws]
        if not self.bounds:
            return self.values[rng.integers(0, len(self.values), (rows, self.draws))]
        ends = np.cumsum(self.bounds)
        return self.values[np.searchsorted(ends, rng.integers(0, ends[-1], (rows, self.draws)), side="right")]


def population(design: str, *, replacement: bool, blank: float, kind: str) -> Population:
    """One of the grid's."""
    if design in ("polling", "comparison", "oneaudit", "two-stage"):
        return _cards(design, replacement, blank, kind)
    return _boxes(design, replacement, blank, kind)


def _drawn_of(size: int, replacement: bool, kind: str) -> int:
    if replacement:
        return 56
    return size if kind == "tiny" else size * 7 // 8


def _cards(design: str, replacement: bool, blank: float, kind: str) -> Population:
    """Papers tie. Records have some cards of the loser for the winner."""
    size = 24 if kind == "tiny" else 56
    wrong_ones = 4 if size == 56 else 1 + replacement
    each = round(size * (1 - blank) / 2)
    papers = np.concatenate([np.tile([1, -1], each), np.zeros(size - 2 * each, np.int64)])
    draws = _drawn_of(size, replacement, kind)
    if design == "polling":
        return Population(polling_values(PAIR, papers), Null(0.5, 1.0, None if replacement else size), draws)
    winners, losers, blanks = (np.flatnonzero(papers == score) for score in (1, -1, 0))
    records = papers.copy()
    wrong = losers[:wrong_ones]
    records[wrong] = 1
    reported = ReportedTotal(PAIR, size, int(records.sum()))
    null = reported.null(replacement=replacement)
    if design == "comparison":
        return Population(comparison_values(reported, records, papers), null, draws)
    if design == "two-stage":
        return _two_stage(reported, records, papers)
    # A pool of cards for the winner, where the wrong ones are hidden, and one for the loser; a card or two of the other in each.
    pool = np.full(size, OWN_RECORD)
    pool[np.concatenate([winners[: each // 4], wrong, blanks[::4]])] = 0
    pool[np.concatenate([winners[each // 4 : each // 4 + 1], losers[wrong_ones : wrong_ones + each // 4]])] = 1
    members = [pool == number for number in range(2)]
    cards = np.array([np.count_nonzero(each_pool) for each_pool in members])
    totals = np.array([records[each_pool].sum() for each_pool in members])
    return Population(oneaudit_values(reported, Pools(cards, totals), pool, records, papers), null, draws)


def _two_stage(reported: ReportedTotal, records: Scores, papers: Scores) -> Population:
    """Boxes of 7 and of 5 cards; every 3 cards of a box are as likely as any others, and stand here for themselves."""
    sizes = [7, 7, 5, 5] if len(papers) == 24 else [7] * 3 + [5] * 7
    ends = np.cumsum(sizes)
    pools = Pools(np.array(sizes), np.array([part.sum() for part in np.split(records, ends[:-1])]))
    drawn = [
        (box, [end - size + place for place in places], 2 if size == 7 else 5)  # 7 in 35 ways, 5 in 10: per way 1/5 and 1/2
        for box, (size, end) in enumerate(zip(sizes, ends.tolist(), strict=True))
        for places in combinations(range(size), 3)
    ]
    seen = papers[np.array([place for _, places, _ in drawn for place in places])]
    values = two_stage_values(reported, pools, np.array([box for box, _, _ in drawn]), [3] * len(drawn), seen)
    return Population(values, reported.null(replacement=True), 64, tuple(weight for _, _, weight in drawn))


def _boxes(design: str, replacement: bool, blank: float, kind: str) -> Population:
    """Boxes of 40 to 200 cards. For MACRO a second contest is right, and decides how most boxes are drawn."""
    size = 24 if kind == "tiny" else 32
    share = 8 if size == 32 or replacement else 14
    cards = 40 + 160 * (np.arange(size) * 7 % size) // size
    lead = cards // share
    assert bool((lead <= np.round(cards * (1 - blank))).all()), "as many cards are not blank"
    contests = [Reported(PAIR, lead, cards)]
    if design == "batch-macro":
        contests.append(Reported(OTHER, np.where(np.arange(size) % 2, 3 * lead, -lead // 2) + 1, cards))
    made = BatchDesign(tuple(f"box {number:02}" for number in range(size)), tuple(contests))
    held, left = lead.copy(), contests[0].margin
    # A box that is wrong holds votes for the loser on all cards that are not blank.
    most = lead + np.round(cards * (1 - blank)).astype(np.int64)
    for box in np.argsort(-most, kind="stable").tolist():
        amount = min(left, int(most[box]))
        held[box] -= amount
        left -= amount
    scores = np.stack([held, *(each.scores for each in contests[1:])])
    counted = {name: tuple(scores[:, at].tolist()) for at, name in enumerate(made.names)}
    sample = Sample(tuple(Ticket("", name, 0) for name in made.relevant()))
    if replacement:
        return Population(made.values(sample, counted), made.null(), 64, tuple(made.bounds[made.bounds > 0].tolist()))
    draws = _drawn_of(len(sample.tickets), replacement, kind)
    return Population(made.uniform_values(sample, counted), made.uniform_null(), draws)


def _shaped(null: Null) -> tuple[float, float, float]:
    """What a clean draw is thought to be worth, and less, and least."""
    return min(1.25 * null.mean, (null.mean + null.upper) / 2), null.mean / 2, 0.0


FUNCTIONS: Final[Mapping[str, Mapping[str, Callable[[Null], Process]]]] = {
    "alpha": {
        "shrunk": lambda null: Alpha(null.mean + 0.2 * (null.upper - null.mean), 20.0),
        "fixed": lambda null: Alpha(null.mean + 0.3 * (null.upper - null.mean)),
    },
    "betting-fixed": {
        "usual": lambda null: Betting(Fixed(0.4 / null.mean)),
        "all that is allowed": lambda null: Betting(Fixed(1e6)),
    },
    "betting-kelly": {"few errors": lambda null: Betting(Kelly(_shaped(null), (0.96, 0.02, 0.02)))},
    "betting-diversified": {
        "three bets": lambda null: Betting(Diversified((0.1 / null.mean, 0.5 / null.mean, 0.95 / null.mean), (1.0, 1.0, 2.0)))
    },
    "betting-adaptive": {"few errors": lambda null: Betting(Adaptive(_shaped(null), (0.9, 0.05, 0.05), (10.0, 20.0)))},
    "betting-agrapa": {"usual": lambda _: Betting(Agrapa())},
    "bravo": {"60 %": lambda _: Bravo(0.6), "75 %": lambda _: Bravo(0.75)},
    "kaplan-markov": {"padded": lambda null: KaplanMarkov(0.05 * null.mean)},
    "kaplan-kolmogorov": {"padded": lambda null: KaplanKolmogorov(0.05 * null.mean)},
}
"""By the name that a plan gives it, its variants by name."""

BY_STRATA: Final = ("evidence of strata", "suite")
CELLS: Final = tuple(product((*FUNCTIONS, *BY_STRATA), (*BY_DRAWS, STRATA), (True, False), BLANKS, (*STOPPING, IN_ADVANCE)))
"""Function, design, whether draws are with replacement, share of blank cards, way of stopping."""


def reason(function: str, design: str, replacement: bool, stopping: str = STOPPING[0]) -> str:
    """Why a cell cannot be, or need not; empty where it is measured."""
    if function in BY_STRATA and design != STRATA:
        return "combines strata, and there is one"
    if function not in BY_STRATA and design == STRATA:
        return "strata are combined by their evidence, each with Kelly's bets; a plan names no other function for them"
    if function == "suite":
        if stopping != IN_ADVANCE:
            return "Fisher's combination holds for sizes fixed in advance alone; whoever looks as they go multiplies evidence"
        return "SUITE compares with replacement and polls without: measured once" if replacement else ""
    if stopping == IN_ADVANCE:
        return "every draw is looked at, which includes any that was fixed in advance"
    if design == "two-stage" and not replacement:
        return "boxes are drawn with replacement, and cards of each without"
    if function == "bravo" and design != "polling":
        return "BRAVO is for single ballots read without records: it refuses other values"
    if function == "kaplan-kolmogorov" and replacement:
        return "Kaplan–Kolmogorov refuses a hypothesis without a population"
    return ""


def _confirmed(p_values: Values, values: Values, null: Null) -> tuple[int, int, int]:
    """How many audits end, by way of stopping, in the order of `STOPPING`."""
    rows, draws = p_values.shape
    every = p_values[:, -1] <= RISK_LIMIT
    # Whoever is hopeful by what was seen draws a little more, and whoever is not doubles the sample.
    looked, ended = np.full(rows, max(draws // 8, 1)), np.zeros(rows, bool)
    for _ in range(8):
        seen = p_values[np.arange(rows), np.minimum(looked, draws) - 1]
        ended |= (seen <= RISK_LIMIT) & (looked <= draws)
        looked = looked + np.where(seen < 0.3, max(draws // 32, 1), looked)
    # A contest is taken into the audit after a third of the draws, only if these speak for it; all draws count for it.
    third = max(draws // 3, 1)
    added = every & (values[:, :third].mean(axis=1) > null.mean)
    return int(every.sum()), int(ended.sum()), int(added.sum())


def rates_of(function: Process, made: Population, seed: list[int]) -> dict[str, float]:
    """The share of nulls that are confirmed, by way of stopping."""
    rng, total = np.random.default_rng(seed), np.zeros(3, np.int64)
    for _ in range(0, NULLS, _AT_ONCE):
        values = made.drawn(rng, _AT_ONCE)
        total += _confirmed(function.p_values(values, made.null), values, made.null)
    return dict(zip(STOPPING, (total / NULLS).tolist(), strict=True))


@cache
def rates(design: str, replacement: bool, blank: float, kind: str) -> dict[tuple[str, str], dict[str, float]]:
    """The same of all functions that apply, by name and variant, on the same draws."""
    made = population(design, replacement=replacement, blank=blank, kind=kind)
    functions = {
        (name, variant): make(made.null)
        for name, variants in FUNCTIONS.items()
        for variant, make in variants.items()
        if not reason(name, design, replacement)
    }
    totals = {key: np.zeros(3, np.int64) for key in functions}
    rng = np.random.default_rng([2201, BY_DRAWS.index(design), int(replacement), round(100 * blank), KINDS.index(kind)])
    for _ in range(0, NULLS, _AT_ONCE):
        values = made.drawn(rng, _AT_ONCE)
        for key, function in functions.items():
            totals[key] += _confirmed(function.p_values(values, made.null), values, made.null)
    return {key: dict(zip(STOPPING, (total / NULLS).tolist(), strict=True)) for key, total in totals.items()}
