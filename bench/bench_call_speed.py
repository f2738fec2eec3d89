"""The time that a verdict takes, and what bad input does to it.

    python bench/bench_call_speed.py [--sheets N] [--fuzz N] [--skip-largest]

Prints the CPU time of a verdict after one more sheet (30,000 stations, 10 candidates, 400 strata; N sheets at each share
counted) when a watch is kept up to date and from scratch, from scratch for 94,400 stations and for 1.05 million, and the memory;
and how many of N random and broken inputs raise anything but an error of this program. Beside each time stands its ratio to a
floor measured in the same run: one pass of NumPy over the votes for the totals of the candidates. For comparison, elex-model
2.2.5 took 10.2 s (nonparametric) and 30.2 s (gaussian) for one fit of two parties in 94,400 units.
"""

import argparse
import resource
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from scrutineer.calls import Watch, make_call
from scrutineer.calls.partial import PartialCount
from scrutineer.election import Alternative, Contest, Option
from scrutineer.election.call_settings import CallSettings
from scrutineer.errors import ScrutineerError
from scrutineer.simulate.nights import Night, final_of_arrays, random_order

SETTINGS = CallSettings()


def night(stations: int, candidates: int, strata: int, *, rule: str = "plurality") -> Night:
    """A country of stations of 350 to 1,050 voters, of which about 70 % vote; the first candidate leads by five points."""
    rng = np.random.default_rng(stations)
    capacity = rng.integers(350, 1_050, stations)
    stratum = np.sort(rng.integers(0, strata, stations))
    shares = np.array([0.38, 0.33, *np.full(candidates - 2, 0.29 / (candidates - 2))])
    leaning = np.exp(rng.normal(0, 0.2, (strata, candidates)))[stratum] * np.exp(rng.normal(0, 0.15, (stations, candidates)))
    parts = shares * leaning
    parts /= parts.sum(axis=1, keepdims=True)
    votes = np.floor(parts * (capacity * rng.uniform(0.55, 0.85, stations))[:, np.newaxis]).astype(np.int64)
    options = tuple(Option(f"c{number}", f"Candidate {number}") for number in range(1, candidates + 1))
    threshold = "1/2" if rule == "majority" else ""
    contest = Contest(id="contest", title="Contest", rule=rule, options=options, threshold=threshold)  # type: ignore[arg-type]
    final = final_of_arrays(votes, capacity=capacity, stratum=stratum, contest=contest)
    return Night(final, random_order(final, rng))


def timed(function: Callable[[], object]) -> float:
    """CPU seconds that a call takes; shared machines make clocks run on."""
    started = time.process_time()
    function()
    return time.process_time() - started


def verdict(of: Night, stations: int) -> float:
    """CPU seconds of the call when so many stations have reported; the partial count itself is made before."""
    given = of.partial(stations)
    return timed(lambda: make_call(of.final.contest, given, SETTINGS, committed=True))


def floor(of: Night) -> float:
    """CPU seconds of one pass over the votes: the least that anything can take that looks at all of them."""
    return min(timed(lambda: of.final.votes.sum(axis=0)) for _ in range(50))


def one_more(of: Night, counted: int, sheets: int) -> list[float]:
    """CPU seconds of each of so many sheets, added to a watch that starts with so many stations counted.

    The last call is compared with the one from scratch.
    """
    votes, others = of.final.votes, of.final.others
    watch = Watch(of.final.contest, of.partial(counted), SETTINGS, committed=True)
    times = [
        timed(partial(watch.add, row, tuple(votes[row].tolist()), int(others[row])))
        for row in of.order[counted : counted + sheets].tolist()
    ]
    if watch.call != make_call(of.final.contest, of.partial(counted + len(times)), SETTINGS, committed=True):
        raise SystemExit(f"the call after {counted + len(times):,} sheets is not the one from scratch")
    return times


def speed(sheets: int, skip_largest: bool) -> None:
    print(f"one more sheet: 30,000 stations, 10 candidates, 400 strata; milliseconds over {sheets:,} sheets (to reach: 20)")
    print("rule        counted  median    99 %    longest  shortest  x floor  from scratch")
    for rule in ("plurality", "majority"):
        small = night(30_000, 10, 400, rule=rule)
        least = floor(small)
        for percent in (20, 40, 60, 80, 95):
            counted = 300 * percent
            times = one_more(small, counted, sheets)
            scratch = min(verdict(small, counted) for _ in range(5))
            middle, high = median(times), float(np.quantile(times, 0.99))
            figures = "".join(f"{1000 * each:9.1f}" for each in (middle, high, max(times), min(times)))
            print(f"{rule:12}{percent:5} % {figures} {middle / least:8.0f} {1000 * scratch:11.1f}", flush=True)
    tracemalloc.start()
    watch = Watch(small.final.contest, small.partial(15_000), SETTINGS, committed=True)
    kept = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    print(f"memory of a watch of 30,000 stations ({watch.call.contest}, majority, half counted): {kept:.0f} MB")
    for stations, goal in ((94_400, 1), (1_050_000, 5)):
        if stations > 100_000 and skip_largest:
            continue
        for rule in ("plurality", "majority"):
            large = night(stations, 10, 400, rule=rule)
            seconds = min(verdict(large, stations * 7 // 10) for _ in range(3))
            print(
                f"from scratch, {stations:,} stations, {rule}, 70 % counted: {seconds:.2f} s (to reach: {goal}), "
                f"{seconds / floor(large):.0f} x floor",
                flush=True,
            )
    print(f"most memory of the whole run: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


RULES: tuple[dict[str, Any], ...] = (
    {"rule": "plurality"},
    {"rule": "plurality", "seats": 2},
    {"rule": "approval", "max_choices": 2},
    {"rule": "majority", "threshold": "1/2"},
    {"rule": "majority", "threshold": "1/2", "base": "cast"},
    {"rule": "majority", "threshold": "1/2", "alternative": Alternative(share="40 %", lead="10 %")},
    {"rule": "dhondt", "seats": 7, "threshold": "5 %"},
    {"rule": "sainte-lague", "seats": 5},
    {"rule": "hamilton", "seats": 4},
    {"rule": "plurality", "recount": "0.5 %"},
    {"rule": "yes-no"},
)


def random_input(rng: np.random.Generator) -> tuple[Contest, PartialCount, CallSettings]:
    """Any input at all: empty, level, huge, with holes; now and then with columns that do not fit each other."""
    given = dict(RULES[rng.integers(len(RULES))])
    k = 2 if given["rule"] == "yes-no" else int(rng.integers(3, 6))
    if given.get("max_choices", 1) > k or given.get("seats", 1) > 2 * k:
        given = {"rule": "plurality"}
    contest = Contest(id="c", title="C", options=tuple(Option(f"o{i}", f"O {i}") for i in range(k)), **given)
    n = int(rng.choice([0, 1, 2, 31, 90, 300]))
    size = int(rng.choice([1, 3, 500, 1 << 20, 1 << 38]))
    state = rng.choice(3, n, p=[0.5, 0.4, 0.1])
    counted, waiting = state == 0, state == 1
    votes = rng.integers(0, size, (n, k)) if rng.random() < 0.9 else np.full((n, k), size, dtype=np.int64)
    if rng.random() < 0.5:
        votes[:, 0] += votes.sum(axis=1)  # a clear lead
    others = rng.integers(0, size, n)
    capacity = votes.sum(axis=1) + others + rng.integers(0, size, n)
    capacity[rng.random(n) < rng.choice([0, 0.1, 1])] = -1
    if rng.random() < 0.2:
        capacity = np.minimum(capacity, rng.integers(0, size, n))
    arrival = np.full(n, -1, dtype=np.int64)
    arrival[counted] = rng.permutation(int(counted.sum()))
    strata = int(rng.integers(1, 5))
    columns = PartialCount(
        candidates=tuple(f"o{i}" for i in range(k + (rng.random() < 0.02))),
        votes=np.where(counted[:, np.newaxis], votes, 0) if rng.random() < 0.98 else votes,
        others=np.where(counted, others, 0),
        counted=counted,
        open=waiting if rng.random() < 0.98 else ~waiting,
        arrival=arrival if rng.random() < 0.98 else arrival + 1,
        capacity=capacity,
        stratum=rng.integers(0, strata + (rng.random() < 0.02), n).astype(np.int32),
        strata=tuple(f"s{i}" for i in range(strata)),
        previous=rng.integers(0, size, (n, k)) if rng.random() < 0.3 else None,
    )
    if rng.random() < 0.02:
        contest = replace_options(contest)
    gamma = str(rng.choice(["1", "3", "3/2", "100", "0.5", "1e3", "x", ""], p=[0.3, 0.4, 0.15, 0.05, 0.025, 0.025, 0.025, 0.025]))
    risk = str(rng.choice(["0.05", "1/20", "1/2", "0.000001", "0", "-1", "1/0"], p=[0.5, 0.2, 0.15, 0.09, 0.02, 0.02, 0.02]))
    return contest, columns, CallSettings(risk=risk, gamma=gamma)


def replace_options(contest: Contest) -> Contest:
    """A contest with another number of options."""
    return Contest(id="c", title="C", rule="plurality", options=(*contest.options, Option("more", "More")))


def fuzz(inputs: int, seed: int) -> None:
    made: Counter[str] = Counter()
    leaked: Counter[str] = Counter()
    for number in range(inputs):
        rng = np.random.default_rng([seed, number])
        try:
            contest, given, settings = random_input(rng)
            call = make_call(contest, given, settings, committed=bool(rng.random() < 0.8))
            made[call.verdict] += 1
        except ScrutineerError as error:
            made[type(error).__name__] += 1
        except Exception as error:
            leaked[f"{type(error).__name__}: {error} (input {number})"] += 1
    print(f"{inputs:,} random and broken inputs: " + ", ".join(f"{count:,} {what}" for what, count in made.most_common()))
    print(f"other exceptions: {leaked.total()} (to reach: 0)")
    for text, count in leaked.most_common(10):
        print(f"  {count} x {text[:200]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheets", type=int, default=1_000, metavar="N", help="how many sheets at each share counted")
    parser.add_argument("--fuzz", type=int, default=10_000, metavar="N", help="how many inputs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-largest", action="store_true", help="leave out 1.05 million stations")
    chosen = parser.parse_args()
    speed(chosen.sheets, chosen.skip_largest)
    fuzz(chosen.fuzz, chosen.seed)


if __name__ == "__main__":
    main()
