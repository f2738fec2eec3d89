"""How often the intervals of estimates cover the end, and how wide they are, in every order of reporting.

    python bench/bench_estimates.py [--nights N] [--seed S] [--sets NAME ...] [--orders ORDER ...] [--by-set]

For each order and share counted, over all sets and nights, alone and with an invented baseline: how often nominal 90 % intervals
cover the final votes and shares of every candidate with at least 1 % of the votes (the mean over candidates), the total, and the
lead of the first over the second; the lowest of these figures in any set; and the median width of the leader's votes in percent
of their end, with the runner-up's. Then the widths at 80 % counted in random order with all stations of each set, the looks at
Mexico's quick count of 2018 as it came in (three shares at once, 95 %), and the time of one estimate.

The real sets are in the folder SCRUTINEER_DATA. Nights are samples of at most 6,000 stations of their set, drawn anew each time.
"""

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from night_sets import DATA, ORDERS, NightSet, load_set
from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.estimate import Population, estimate, estimate_form
from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN, Units
from scrutineer.election.layout import load_layout
from scrutineer.election.layout_reader import read_published
from scrutineer.simulate.nights import FinalCount, Night, final_of_arrays, final_of_published, random_order

SETS = ("bolivia", "venezuela", "poland", "georgia", "avia-small", "avia-large")
SHARES = (10, 25, 50, 80)  # percent of the stations
GOAL = 0.88
SMALL = 0.01  # of the votes: candidates with less are left out
QUANTITIES = ("votes", "shares", "total", "lead", "lead share")

# Mexico 2018: the final shares of the votes cast (Instituto Nacional Electoral), and the polling places of the country.
FINAL_SHARES = {"AMLO": 53.19, "RAC": 22.28, "JAMK": 16.41}
POLLING_PLACES = 156_840
BALLOTS_OF_SPECIAL_PLACES = 750  # polling places for voters on their way, which have no roll
HALF_PAST_SEVEN = 1_530_421_200 + 39 * 1_800  # on 1 July 2018 in Mexico City


@dataclass
class Cell:
    """What was seen in one order at one share."""

    covered: list[list[float]] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)
    widths: list[tuple[float, float]] = field(default_factory=list)

    def row(self) -> str:
        """Coverage of each quantity, the worst of any set, and median widths."""
        covered = np.array(self.covered)
        worst = min(covered[[name == one for one in self.sets]].mean(axis=0).min() for name in set(self.sets))
        first, second = np.median(np.array(self.widths), axis=0)
        mark = " " if covered.mean(axis=0).min() >= GOAL else "!"
        return " | ".join(
            [*(f"{value:.2f}" for value in covered.mean(axis=0)), f"{worst:.2f}{mark}", f"{first:.1f} / {second:.1f}"]
        )


def look(final: FinalCount, partial: PartialCount) -> tuple[list[float], tuple[float, float]]:
    """Whether the intervals cover, by quantity, and the widths of the first two."""
    totals = np.array(final.totals)
    first, second = final.ranking[:2]
    weights = tuple(int(place == first) - int(place == second) for place in range(len(totals)))
    found = estimate(partial)
    lead = estimate_form(partial, measure(Condition("lead", first, second, weights, 0, 1), partial))
    if found is None or lead is None:
        raise ValueError("nothing is counted")
    valid = int(totals.sum())
    ahead = int(totals[first] - totals[second])
    large = [place for place in final.ranking if totals[place] >= SMALL * valid]
    covered = [
        float(np.mean([found.votes[place].covers(totals[place]) for place in large])),
        float(np.mean([found.shares[place].covers(totals[place] / valid) for place in large])),
        float(found.total.covers(valid)),
        float(lead.value.covers(ahead)),
        float(lead.share.covers(ahead / valid)),
    ]
    return covered, (100 * found.votes[first].width / totals[first], 100 * found.votes[second].width / totals[second])


def coverage(sets: list[NightSet], orders: list[str], nights: int, seed: int) -> dict[tuple[str, int], Cell]:
    """Every order at every share."""
    cells: dict[tuple[str, int], Cell] = defaultdict(Cell)
    for of in sets:
        for order in (order for order in of.orders if order in orders):
            for number in range(nights):
                night = of.night(order, seed + number)
                for share, partial in zip(SHARES, night.looks(SHARES), strict=True):
                    covered, widths = look(night.final, partial)
                    cell = cells[order, share]
                    cell.covered.append(covered)
                    cell.sets.append(of.name)
                    cell.widths.append(widths)
    return cells


def print_coverage(sets: list[NightSet], orders: list[str], nights: int, seed: int) -> None:
    """The table of all orders and shares, alone and with a baseline."""
    print(f"| order | % counted | baseline | {' | '.join(QUANTITIES)} | lowest | width %, first / second |")
    print(f"|---|---|---|{'---|' * (len(QUANTITIES) + 2)}")
    for baseline in (False, True):
        cells = coverage([replace(of, baseline=baseline) for of in sets], orders, nights, seed)
        for order in orders:
            for share in SHARES:
                if (order, share) in cells:
                    print(f"| {order} | {share} | {'yes' if baseline else 'no'} | {cells[order, share].row()} |")
        sys.stdout.flush()


def print_widths(sets: list[NightSet]) -> None:
    """All stations of each set, 80 % counted in random order."""
    print(
        "\n80 % counted, random order, all stations: width of the votes in percent of their end, first / second (to reach: 2.0)"
    )
    for of in sets:
        widths = []
        for number in range(10):
            rng = np.random.default_rng(number)
            widths.append(look(of.final, next(Night(of.final, random_order(of.final, rng)).looks((80,))))[1])
        first, second = np.mean(widths, axis=0)
        print(f"  {of.name:12} {len(of.final.votes):7,} stations  {first:.2f} / {second:.2f}")


def print_quick_count() -> None:
    """Mexico's quick count at nine half-hourly looks."""
    drawn = read_published(
        DATA / "mexico-2018-quickcount/4-ConteoRapido18MUESTRA-ELECCION-PRESIDENCIAL.csv", load_layout("mexico-2018-sample")
    )
    came = final_of_published(
        read_published(DATA / "mexico-2018-quickcount/REMESAS0100020000.txt", load_layout("mexico-2018-quickcount")), 2
    )
    units = drawn.units
    place = np.array([units.station_index[station] for station in came.stations])
    districts = {unit: number for number, unit in enumerate(sorted({_district(units, s) for s in range(units.station_count)}))}
    stratum = np.array([districts[_district(units, station)] for station in range(units.station_count)])
    n = units.station_count
    votes, others, times = np.zeros((n, len(came.candidates)), dtype=np.int64), np.zeros(n, dtype=np.int64), np.full(n, UNKNOWN)
    votes[place], others[place], times[place] = came.votes, came.others, came.times
    rolls = np.where(units.rolls == UNKNOWN, BALLOTS_OF_SPECIAL_PLACES, units.rolls)
    capacity = np.maximum(rolls, votes.sum(axis=1) + others)
    final = final_of_arrays(votes, others=others, capacity=capacity, stratum=stratum)
    sizes = np.bincount(stratum, capacity) * POLLING_PLACES / n
    order = np.argsort(np.where(times == UNKNOWN, np.iinfo(np.int64).max, times), kind="stable")
    print("\nMexico 2018, quick count: 95 % intervals of three shares at once")
    print("| time | sheets | " + " | ".join(FINAL_SHARES) + " | all three |\n|---|---|" + "---|" * (len(FINAL_SHARES) + 1))
    good = 0
    for half_hours in range(9):
        counted = int(((times != UNKNOWN) & (times <= HALF_PAST_SEVEN + 1_800 * half_hours)).sum())
        found = estimate(
            Night(final, order).partial(counted),
            Fraction(95, 100),
            simultaneous=len(FINAL_SHARES),
            base="cast",
            population=Population(sizes.astype(np.int64)),
        )
        if found is None:
            continue
        shares = [found.shares[came.candidates.index(name)] for name in FINAL_SHARES]
        inside = all(share.covers(end / 100) for share, end in zip(shares, FINAL_SHARES.values(), strict=True))
        good += inside
        hour, minute = divmod(19 * 60 + 30 + 30 * half_hours, 60)
        cells = " | ".join(f"{100 * s.point:.2f} [{100 * s.low:.2f}, {100 * s.high:.2f}]" for s in shares)
        print(f"| {hour}:{minute:02} | {counted:,} | {cells} | {'yes' if inside else 'no'} |")
    print(f"{good} of 9 looks (to reach: 8)")


def _district(units: Units, station: int) -> str:
    return units.ids[units.path(int(units.station_units[station]))[2]]


def print_speed() -> None:
    """One estimate of 94,400 stations and 10 candidates."""
    rng = np.random.default_rng(1)
    n = 94_400
    roll = rng.integers(100, 1_000, n)
    votes = rng.multinomial(300, [0.3, 0.25, 0.1, 0.1, 0.05, 0.05, 0.05, 0.04, 0.03, 0.03], n) * roll[:, np.newaxis] // 1_000
    final = final_of_arrays(votes, capacity=roll, stratum=np.sort(rng.integers(0, 300, n)))
    partial = Night(final, random_order(final, rng)).partial(n * 8 // 10)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        estimate(partial)
        times.append(time.perf_counter() - started)
    print(f"\n{n:,} stations, 10 candidates: {1_000 * min(times):.0f} ms (to reach: 300)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=50, help="nights for each set and order")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--orders", nargs="+", default=[name for name in ORDERS if name not in ("as recorded", "announcements")])
    parser.add_argument("--by-set", action="store_true", help="one table for each set")
    given = parser.parse_args()
    sets = [found for found in map(load_set, given.sets) if found is not None]
    print(
        f"{given.nights} nights for each of {len(given.orders)} orders and {len(sets)} sets: {', '.join(of.name for of in sets)}"
    )
    for group in ([of] for of in sets) if given.by_set else [sets]:
        print(f"\n{group[0].name}" if given.by_set else "")
        print_coverage(list(group), given.orders, given.nights, given.seed)
    print_widths(sets)
    if (DATA / "mexico-2018-quickcount").exists():
        print_quick_count()
    print_speed()


if __name__ == "__main__":
    main()
