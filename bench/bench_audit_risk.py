"""Speed of risk functions, each beside the plainest loop or the bare arithmetic that the same answer needs.

    python bench/bench_audit_risk.py [--repeat N]

p-values of a polling sample of 12,595 draws and of 13 assertions x 369 cards; sample sizes of 13 assertions x 100 simulated
audits; SUITE's p-value against a grid of splits as fine as its bound; two strata by evidence. CPU time of the best of N runs.

Goals: a polling p-value in milliseconds; 13 x 369 in 5 ms; 13 x 100 sample sizes in 0.1 s; SUITE's p-value in 0.1 s.
"""

import argparse
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.betting import Betting, Diversified, Kelly
from scrutineer.audits.risk.bravo import Bravo
from scrutineer.audits.risk.cobra import ErrorRates, diversified
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import Process
from scrutineer.audits.risk.stratified import Stratum, union_intersection
from scrutineer.audits.risk.suite import ComparedStratum, PolledStratum, fisher, suite

MARGINS = (0.0289, 0.047, 0.06, 0.08, 0.09, 0.1, 0.11, 0.12, 0.14, 0.15, 0.16, 0.2, 0.3)
CARDS = 146_662


def best(run: Callable[[], object], repeat: int) -> float:
    """CPU seconds of the fastest run."""
    found = []
    for _ in range(repeat):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def line(what: str, ours: float, beside: str, theirs: float, goal: str = "") -> None:
    print(f"{what:58} {ours * 1000:9.2f} ms   {beside:34} {theirs * 1000:9.2f} ms   x {theirs / ours:7.2f}   {goal}", flush=True)


def plain_loop(values: Values, population: int, eta: float, weight: float) -> float:
    """ALPHA's p-value for one sample as the paper's formulas say it, in a loop."""
    product, total, least, spread = 1.0, 0.0, 1.0, (eta - 0.5) / 2
    for number, value in enumerate(values.tolist()):
        mean = (population * 0.5 - total) / (population - number)
        margin = spread / (weight + number) ** 0.5
        estimate = min(max((weight * eta + total) / (weight + number), mean + margin), 1 - margin)
        product *= value * estimate / mean + (1 - value) * (1 - estimate) / (1 - mean)
        total += value
        least = min(least, 1 / product)
    return least


def grid_of_splits(compared: ComparedStratum, polled: PolledStratum, steps: int) -> float:
    margin = compared.margin + polled.margin
    found = [
        fisher((compared.p_value(split), polled.p_value(margin - split)))
        for split in np.linspace(-compared.cards, compared.cards + compared.margin, steps).tolist()
    ]
    return max(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    rng = np.random.default_rng(369)

    sample = rng.choice([1.0, 0.5, 0.0], size=12_595, p=[0.345, 0.33, 0.325])
    null = Null(0.5, 1.0, CARDS)
    alpha = Alpha(0.51, 100)
    loop = best(lambda: plain_loop(sample, CARDS, 0.51, 100), repeat)
    functions: dict[str, Process] = {
        "ALPHA": alpha,
        "BRAVO": Bravo(0.515),
        "betting, Kelly": Betting(Kelly((1.0, 0.5, 0.0), (0.345, 0.33, 0.325))),
        "betting, diversified over 4": Betting(Diversified((0.02, 0.05, 0.1, 0.2), (1.0,) * 4)),
    }
    for name, function in functions.items():
        ours = best(lambda function=function: function.p_values(sample, null), repeat)  # type: ignore[misc]
        line(f"p-values of 12,595 polled draws, {name}", ours, "ALPHA in a loop", loop, "goal: milliseconds")

    cases = []
    for margin in MARGINS:
        clean = 1 / (2 - margin)
        kelly = Betting(Kelly((clean, clean / 2, 0.0), (0.998, 0.001, 0.001)))
        cases.append((kelly, Betting(diversified(clean, ErrorRates())), clean, Null(0.5, 2 * clean, CARDS)))

    def thirteen(which: int) -> None:
        for case in cases:
            function, clean, hypothesis = case[which], case[2], case[3]
            assert isinstance(function, Process)
            function.p_values(np.full(369, clean), hypothesis)

    floor = best(lambda: [np.multiply.accumulate(np.full(369, 1.01)) for _ in cases], repeat)
    for which, name in ((0, "Kelly"), (1, "COBRA's diversified")):
        line(
            f"p-values, 13 assertions x 369 cards, {name}",
            best(lambda which=which: thirteen(which), repeat),
            "bare products",
            floor,
            "goal: 5 ms",
        )  # type: ignore[misc]

    audits = [rng.choice([clean, clean / 2, 0.0], size=(100, 1000), p=[0.998, 0.001, 0.001]) for _, _, clean, _ in cases]

    def simulated(which: int) -> None:
        for case, values in zip(cases, audits, strict=True):
            function = case[which]
            assert isinstance(function, Process)
            function.stopping_times(values, case[3], 0.05)

    floor = best(lambda: [np.multiply.accumulate(values, axis=1) for values in audits], repeat)
    for which, name in ((0, "Kelly"), (1, "COBRA's diversified")):
        took = best(lambda which=which: simulated(which), repeat)  # type: ignore[misc]
        line(f"sample sizes, 13 assertions x 100 audits, {name}", took, "bare products of 1,000 draws", floor, "goal: 100 ms")

    for compared, polled in (
        (ComparedStratum(10_000, -400, 500), PolledStratum(1000, 750, 150, 250, 187, 37)),
        (ComparedStratum(1_900_000, 20_000, 3800), PolledStratum(100_000, 51_000, 49_000, 200, 102, 98)),
        (ComparedStratum(1_900_000, 60_000, 3800, one_over=4), PolledStratum(100_000, 46_000, 44_000, 3000, 1400, 1300)),
    ):
        found = suite(compared, polled)
        took = best(lambda compared=compared, polled=polled: suite(compared, polled), repeat)  # type: ignore[misc]
        grid = best(lambda compared=compared, polled=polled: grid_of_splits(compared, polled, 1001), 1)  # type: ignore[misc]
        what = f"SUITE, {compared.drawn} compared and {polled.drawn} polled (p = {found.p_value:.4f})"
        line(what, took, "a grid of 1,001 splits", grid, "goal: 100 ms")

    polled_values = rng.choice([1.0, 0.5, 0.0], size=200, p=[0.55, 0.05, 0.4])
    first = Stratum(np.ones(200), 22_372, Fraction(425, 1000), Fraction(2), (1.0, 0.5, 0.0), (0.998, 0.001, 0.001))
    second = Stratum(polled_values, 5294, Fraction(0), Fraction(1), (1.0, 0.5, 0.0), (0.55, 0.05, 0.4))
    took = best(lambda: union_intersection(first, second, Fraction(1)), repeat)
    one = best(lambda: Betting(Kelly((1.0, 0.0), (0.9, 0.1))).p_values(polled_values, Null(0.5, 1.0, 5294)), repeat)
    line("two strata of 200 draws by evidence, 128 bands", took, "512 single p-values", 512 * one)


if __name__ == "__main__":
    main()
