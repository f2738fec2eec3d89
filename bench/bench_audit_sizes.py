"""Sample sizes of audits: how long they take to estimate, and how near to the best possible the suggested bets are.

    python bench/bench_audit_sizes.py [SEED]

Speed (CPU seconds): 13 assertions of ballot comparison with 100 repetitions (to reach: 0.1 s), 20 of ONEAudit with 20 (0.5 s), 20
of polling with 20 (1 s), and the planner over 2,650 and 300,000 boxes. Each beside the plain way, in which every repetition draws
the whole population and computes all p-values; that is measured for one repetition of each assertion and multiplied.

Sizes (mean number of draws, as a multiple of the bet that knows the truth): ballot comparison on the 24 rows of table 2 of COBRA
(arXiv 2304.01010) at a diluted margin of 5 % (to reach: 1.2 in the geometric mean, 2 at most), beside the paper's own three ways;
ONEAudit on the populations of J. V. Spertus' simulations (to reach: within 5 % of a-priori Kelly), beside a universal portfolio.
"""

import itertools
import math
import sys
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import ScoreTally
from scrutineer.audits.forecasts import Forecast, Rates, comparison_forecast, forecast, oneaudit_forecast, polling_forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.planner import Records, Target, rows_table, trade_off
from scrutineer.audits.planner_risk import suggested
from scrutineer.audits.risk.betting import Adaptive, Betting, Diversified, Fixed, kelly_rate
from scrutineer.audits.risk.model import Null, RiskFunction
from scrutineer.audits.sizes import sample_size

PAIR = Assertion("contest", "first>second", (1, -1))
LIMIT = 0.05
MARGINS = (
    0.0458, 0.0199, 0.0289, 0.0830, 0.0581, 0.0806, 0.1095, 0.1488, 0.1355, 0.1365, 0.1667, 0.1563, 0.2956,
)  # fmt: skip
"""Assorter margins of the 13 assertions on the District Attorney of San Francisco, 2019 (SHANGRLA's example)."""
RECORDS = 146_662
ROWS = 400


def main(seed: int) -> None:
    print("Speed, CPU seconds")
    comparison = [comparison_forecast(ReportedTotal(PAIR, RECORDS, round(m * RECORDS)), Rates(one_over=0.001)) for m in MARGINS]
    timed("13 ballot comparisons x 100", comparison, 100, seed, sure=False)
    manifest, targets = country(2000, 100, seed)
    pools = [oneaudit_forecast(ReportedTotal(PAIR, manifest.total, each.total), manifest.cards, tally(each)) for each in targets]
    timed("20 ONEAudits x 20", pools, 20, seed, sure=True)
    timed("20 pollings x 20", [polling_forecast(PAIR, each.tally, manifest.total) for each in targets], 20, seed, sure=True)
    for boxes, cards in ((2650, 1500), (300_000, 300)):
        manifest, targets = country(boxes, cards, seed)
        began = time.process_time()
        rows = trade_off(targets[9:10], manifest, Records.CARDS, risk_limit=Fraction(1, 20), seed=seed)
        print(f"  planner, {boxes:,} boxes, {manifest.total:,} cards, margin 10 %: {time.process_time() - began:.2f}")
        for line in rows_table(rows):
            print("    " + "".join(f"{cell:28}" for cell in line[:6]))
    cobra(seed)
    oneaudit(seed)


def timed(what: str, forecasts: list[Forecast], repetitions: int, seed: int, *, sure: bool) -> None:
    """Sizes with the suggested bets, and the plain way."""
    began = time.process_time()
    risks = [suggested(each, LIMIT, sure=sure).function() for each in forecasts]
    for number, (each, risk) in enumerate(zip(forecasts, risks, strict=True)):
        sample_size(each, risk, LIMIT, repetitions=repetitions, seed=seed + number)
    ours = time.process_time() - began
    draws, began = np.random.Generator(np.random.PCG64(seed)), time.process_time()
    for each, risk in zip(forecasts, risks, strict=True):
        risk.p_values(draws.permutation(np.repeat(each.values, each.counts())), each.null)
    plain = (time.process_time() - began) * repetitions
    print(f"  {what}: {ours:.3f}; the plain way {plain:.1f}, {plain / ours:.0f} times as much")


def country(boxes: int, cards: int, seed: int) -> tuple[Manifest, list[Target]]:
    """Boxes of different sizes and shares, and 20 targets with margins of 5.5 to 15 %."""
    draws = np.random.Generator(np.random.PCG64(seed))
    sizes = np.maximum(20, draws.gamma(2.5, cards / 2.5, boxes)).astype(np.int64)
    marked, targets = sizes * 97 // 100, []
    for number in range(20):
        share = (1 + (0.055 + 0.005 * number) / 0.97) / 2
        first = np.round(marked * np.clip(share + draws.normal(0, 0.15, boxes), 0, 1)).astype(np.int64)
        scores = ScoreTally(np.array([-1, 1]), np.stack([marked - first, first], axis=1))
        targets.append(Target(PAIR, int(scores.totals.sum()), boxes=scores))
    return Manifest(tuple(f"box-{number:07}" for number in range(boxes)), sizes), targets


def tally(target: Target) -> ScoreTally:
    """The scores by box of a target that has them."""
    if target.boxes is None:
        raise SystemExit("a target without scores by box")
    return target.boxes


def mean_stop(risk: RiskFunction, values: np.ndarray, null: Null, most: int) -> float:
    """The mean number of draws, those that do not stop counting as `most`."""
    times = risk.stopping_times(values, null, LIMIT)
    return float(np.where(times > values.shape[1], most, times).mean())


def report(ratios: dict[str, list[float]]) -> None:
    """Geometric mean and worst row of each way."""
    for name, each in ratios.items():
        print(f"  {name:34} geometric mean {math.exp(float(np.mean(np.log(each)))):.3f}  worst {max(each):.2f}  of {len(each)}")


def cobra(seed: int) -> None:
    """COBRA, table 2: six pairs of true rates, each with four pairs of rates that were guessed in advance."""
    print("Ballot comparison with errors, multiples of the oracle (COBRA, table 2)")
    clean, most = 1 / (2 - 0.05), 20_000
    null = Null(0.5, 2 * clean)
    blind = suggested(comparison_forecast(ReportedTotal(PAIR, most, most // 20), replacement=True), LIMIT, sure=False).function()
    draws, ratios = np.random.Generator(np.random.PCG64(seed)), {}  # type: ignore[var-annotated]
    for one, two in itertools.product((0.01, 0.001), (0.01, 0.001, 0.0001)):
        true = forecast({0.0: two, clean / 2: one, clean: 1 - one - two}, null, most)
        length = most if (one, two) == (0.01, 0.01) else 6000
        values = draws.choice(true.values, (ROWS, length), p=true.shares)
        oracle = mean_stop(Betting(Fixed(true.kelly_bet())), values, null, most)
        ours = mean_stop(blind, values, null, most)
        for guess_one, guess_two in itertools.product((0.01, 0.001), (0.001, 0.0001)):
            shares = (1 - guess_one - guess_two, guess_one, guess_two)
            ways: dict[str, RiskFunction] = {
                "paper: diversified": diversified(clean, guess_one, guess_two),
                "paper: adaptive": Betting(Adaptive((clean, clean / 2, 0.0), shares, (100, 1000))),
                "paper: fixed in advance": Betting(Fixed(kelly_rate((clean, clean / 2, 0.0), shares, 0.5))),
            }
            ratios.setdefault("suggested (guesses nothing)", []).append(ours / oracle)
            for name, risk in ways.items():
                ratios.setdefault(name, []).append(mean_stop(risk, values, null, most) / oracle)
    report(ratios)


def diversified(clean: float, one: float, two: float) -> RiskFunction:
    """The paper's diversified bets: Kelly's over a grid of rates, weighted by a normal density about the guess (section 4.3)."""
    ones, twos = (
        axis.ravel() for axis in np.meshgrid(np.linspace(1e-6, 2 - 1 / clean, 10), np.linspace(1e-6, 1 - 1 / clean / 2, 10))
    )
    kept = clean * twos + clean / 2 * ones < clean - 0.5
    ones, twos = ones[kept], twos[kept]
    first, second = (ones - one) / 0.005, (twos - two) / 0.0025
    weights = np.exp(-(first**2 - 0.5 * first * second + second**2) / (2 * (1 - 0.25**2)))
    pairs = [(a, b, w) for a, b, w in zip(ones, twos, weights / weights.sum(), strict=True) if w > 1e-9]
    bets = tuple(kelly_rate((0.0, clean / 2, clean), (b, a, 1 - a - b), 0.5) for a, b, _ in pairs)
    return Betting(Diversified(bets, tuple(float(w) for _, _, w in pairs)))


def oneaudit(seed: int) -> None:
    """Populations of the simulations in the repository spertus/UI-TS: batches of 100 cards, half or none of them blank."""
    print("ONEAudit without replacement, multiples of a-priori Kelly (populations of UI-TS)")
    draws, ratios = np.random.Generator(np.random.PCG64(seed)), {}  # type: ignore[var-annotated]
    universal = Betting(Diversified(tuple(np.linspace(0.05, 1.95, 20)), (1,) * 20))
    for share, batches, blank, records in itertools.product((0.51, 0.55, 0.75), (1, 10), (0.0, 0.5), (0, 1000)):
        for means in spreads(share, batches):
            marked = round(100 * (1 - blank))
            first = np.round(marked * means).astype(np.int64)
            scores = ScoreTally(np.array([-1, 1]), np.stack([marked - first, first], axis=1))
            cards = np.full(batches, 100)
            margin = round(records * (1 - blank) * (2 * share - 1))
            reported = ReportedTotal(PAIR, 100 * batches + records, int(scores.totals.sum()) + margin)
            if reported.total < 1:
                continue
            expected = oneaudit_forecast(reported, cards, scores)
            population = np.repeat(expected.values, expected.counts())
            values = draws.permuted(np.tile(population, (ROWS // 2, 1)), axis=1)
            stop: Callable[[RiskFunction], float] = lambda risk, x=values, f=expected: mean_stop(risk, x, f.null, f.cards)  # type: ignore[misc]  # noqa: E731
            kelly = stop(Betting(Fixed(expected.kelly_bet())))
            ratios.setdefault("suggested", []).append(stop(suggested(expected, LIMIT, sure=True).function()) / kelly)
            ratios.setdefault("universal portfolio (20 bets)", []).append(stop(universal) / kelly)
    report(ratios)


def spreads(share: float, batches: int) -> list[np.ndarray]:
    """Winner's shares by batch: all alike, evenly spread by 1/2, and half of them at each end."""
    alike = [np.full(batches, share)]
    if batches == 1:
        return alike
    ends = np.repeat([share - 0.25, share + 0.25], batches // 2)
    return [*alike, np.linspace(share - 0.25, share + 0.25, batches), ends]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
