"""Wrong and early calls on replayed and simulated nights, in every order of reporting.

    python bench/bench_calls.py [--nights N] [--seed S] [--sets NAME ...] [--looks PERCENT ...] [--rule R]

For every set, order and seed, at every look: is a condition of the outcome, or a lead, ever decided (by statistics or by
arithmetic) that the final count contradicts? Prints for each set and order the nights with a wrong call, by the rule as it is and
by less than the whole rule (see RULES in night_rule.py), and the median share counted at the first right call at gamma 1, 1.5, 2
and 3; a night without one counts as 100 %. Then how often the sequential test alone rejects a true hypothesis.

The real sets are in the folder SCRUTINEER_DATA. Nights are samples of at most 6,000 stations of their set, drawn anew each
time; where all stations are taken, the output says so.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from night_rule import GAMMAS, RISK, RULES, JudgedNight, Look
from night_sets import DATA, NAMES, NightSet, load_set
from scrutineer.calls import make_call
from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.forms import lead
from scrutineer.calls.martingale import path
from scrutineer.election.call_settings import CallSettings

LOOKS = (2, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95)  # percent of the stations
NEVER = 100
LAST = len(GAMMAS) - 1
DETAILED = 4  # every so many nights are looked at with gammas below 3 too
COMPARED = 37  # every so many nights are compared with make_call
WHOLE = 20  # nights with all stations of a set, at every percent
NULL = 60  # nights of the sequential test alone, at least, for each set and order
SETS: dict[str, NightSet] = {}


@dataclass
class Verdicts:
    """What was decided on one night."""

    name: str
    order: str
    seed: int
    wrong: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Wrong calls by rule and place of gamma, over all looks."""
    shown: list[str] = field(default_factory=list)
    lead: list[int] = field(default_factory=lambda: [NEVER] * len(GAMMAS))
    outcome: int = NEVER
    arithmetic: int = NEVER
    compared: int = 0
    differing: int = 0
    below: bool = False
    """Whether it was ever decided, at gamma 3, that the leader of that moment stays below a share."""


def judge(name: str, order: str, seed: int, looks: tuple[int, ...], rule: str) -> Verdicts:
    """All looks at one night."""
    verdicts = Verdicts(name, order, seed)
    judged = JudgedNight(SETS[name].night(order, seed))
    for percent in looks:
        look = judged.look(percent)
        for condition in dict.fromkeys((*look.asked.conditions, *look.leads)):
            if not judged.true(condition):
                _blame(verdicts, look, condition, rule)
        _credit(verdicts, look, rule)
        if seed % COMPARED == 0 and percent in (20, 50, 80):
            _compare(verdicts, look, rule)
    return verdicts


def _blame(verdicts: Verdicts, look: Look, condition: Condition, rule: str) -> None:
    found = look.find(condition)
    for gamma in range(len(GAMMAS)):
        for name in RULES:
            verdicts.wrong[name, gamma] += found.decided(gamma, name)
    if found.decided(LAST, rule):
        verdicts.below = verdicts.below or condition.code.startswith("below:")
        verdicts.shown.append(f"WRONG at {look.percent} %: {condition.code}, {found}")


def _credit(verdicts: Verdicts, look: Look, rule: str) -> None:
    detailed = verdicts.seed % DETAILED == 0
    leader = bool(look.leads) and look.leads[0].favours == look.night.night.final.ranking[0]
    # The closest rival first, because one undecided lead settles it.
    closest = tuple((condition,) for condition in sorted(look.leads, key=look.slack))
    for gamma in range(len(GAMMAS)) if detailed else (LAST,):
        if verdicts.lead[gamma] == NEVER and leader and look.decided(closest, gamma, rule, last=not detailed):
            verdicts.lead[gamma] = look.percent
    if verdicts.arithmetic == NEVER and leader and all(look.by_arithmetic(one) for one in look.leads):
        verdicts.arithmetic = look.percent
    right = look.asked.outcome.decision == look.night.final.outcome.decision and look.asked.clauses
    if verdicts.outcome == NEVER and right and look.decided(look.asked.clauses, LAST, rule, last=not detailed):
        verdicts.outcome = look.percent


def _compare(verdicts: Verdicts, look: Look, rule: str) -> None:
    settings = CallSettings(risk=str(RISK), gamma=str(GAMMAS[LAST]))
    call = make_call(look.night.contest, look.partial, settings, committed=True)
    for one in {one.condition: one for one in (*call.leads, *(one for clause in call.clauses for one in clause))}.values():
        verdicts.compared += 1
        found = look.find(one.condition)
        if (one.verdict in ("arithmetic", "statistics")) != found.decided(LAST, rule):
            verdicts.differing += 1
            verdicts.shown.append(f"differs from make_call at {look.percent} %: {one} {found}")


def rejected(name: str, order: str, seed: int) -> tuple[str, str, bool, bool]:
    """Whether the test alone rejects a hypothesis that is only just true, at 100 looks and at a look after every station.

    The hypothesis is that the leader's final lead over the second is not above what it is.
    """
    night = SETS[name].night(order, seed)
    end = night.partial(len(night.order))
    condition = lead(*night.final.ranking[:2], len(night.final.candidates))
    condition = replace(condition, need=measure(condition, end).total + 1)
    # The last look is at everything, where nothing is left to test.
    passed = path(end, measure(condition, end))[:-1] >= float(np.log(float(1 / RISK)))
    looks = [len(passed) * place // 100 - 1 for place in range(1, 101)]
    return name, order, bool(passed[looks].any()), bool(passed.any())


def print_table(results: list[Verdicts]) -> None:
    """For each set and order."""
    wrong_names = "".join(f"{name:>7}" for name in RULES)
    share_names = "".join(f"{float(gamma):>7g}" for gamma in GAMMAS)
    print(f"{'':20} {'':27} {'':6} | {'wrong calls at gamma 3 by':^{7 * len(RULES)}} | first right call of the lead, % counted")
    print(f"{'set':20} {'order':27} {'nights':>6} |{wrong_names}  | gamma{share_names}  arithmetic  outcome, gamma 3")
    for name, order in dict.fromkeys((one.name, one.order) for one in results):
        own = [one for one in results if (one.name, one.order) == (name, order)]
        wrong = "".join(f"{sum(one.wrong[rule, LAST] > 0 for one in own):7}" for rule in RULES)
        closer = [one for one in own if one.seed % DETAILED == 0] or own
        shares = "".join(f"{np.median([one.lead[gamma] for one in closer]):7.0f}" for gamma in range(LAST))
        shares += f"{np.median([one.lead[LAST] for one in own]):7.0f}"
        ends = f"{np.median([one.arithmetic for one in own]):10.0f}  {np.median([one.outcome for one in own]):16.0f}"
        print(f"{name:20} {order:27} {len(own):6} |{wrong}  |      {shares}  {ends}")


def print_totals(results: list[Verdicts], rule: str) -> None:
    """Over all sets and orders, and what was wrong."""
    print(f"\nNights with a wrong call, of {len(results):,} (to reach: 0 by {rule!r} at gamma 3)")
    for name in RULES:
        wrong = [sum(one.wrong[name, gamma] > 0 for one in results) for gamma in range(len(GAMMAS))]
        print(f"  {name:6}" + "".join(f"  gamma {float(g):g}: {n:5,}" for g, n in zip(GAMMAS, wrong, strict=True)))
    compared, differing = sum(one.compared for one in results), sum(one.differing for one in results)
    print(f"Compared with make_call: {compared:,} conditions, {differing} decided differently (to reach: 0)")
    recorded = [one for one in results if one.name.startswith("mexico") and one.order == "as recorded"]
    if recorded:
        below = sum(one.below for one in recorded)
        print(f"Mexico as recorded: nights that decide the leader below one half: {below} of {len(recorded)} (to reach: 0)")
    for one in results:
        for line in one.shown[:2]:
            print(f"  {one.name}, {one.order}, seed {one.seed}: {line}")


def print_bolivia(results: list[Verdicts]) -> None:
    """How early plurality is called with all stations of Bolivia, without and with an invented baseline."""
    medians = []
    for name in ("bolivia (all)", "bolivia+baseline (all)"):
        own = [one.lead[LAST] for one in results if one.name == name]
        if own:
            medians.append(float(np.median(own)))
            print(f"{name}: {len(own)} nights in random order, plurality called at gamma 3 at {medians[-1]:.0f} % (median)")
    if len(medians) == 2:
        print(f"to reach: 60 %, and with a baseline 20 % earlier: {1 - medians[1] / medians[0]:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=10_500, help="nights in all")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--sets", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--looks", nargs="+", type=int, default=list(LOOKS), help="percent of the stations counted")
    parser.add_argument("--rule", choices=RULES, default=RULES[-1], help="the rule whose calls are counted")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    started = time.monotonic()
    for name in chosen.sets:
        found = load_set(name)
        if found is None:
            print(f"{name}: its file is not in {DATA}; set SCRUTINEER_DATA to the folder that holds it")
            continue
        SETS[name] = found
        if name.startswith("bolivia"):
            SETS[f"{name} (all)"] = replace(found, name=f"{name} (all)", thin=len(found.final.votes))
        print(
            f"{name}: {len(found.final.votes):,} stations, {found.thin:,} of them on each night, {len(found.final.strata)} strata"
        )
    cells = [(name, order) for name in chosen.sets if name in SETS for order in SETS[name].orders]
    each = -(-chosen.nights // len(cells))
    seeds = range(chosen.seed, chosen.seed + each)
    looks = tuple(sorted(chosen.looks))
    fine = tuple(range(1, 100))
    with ProcessPoolExecutor(chosen.processes, initializer=os.nice, initargs=(max(0, 10 - os.nice(0)),)) as pool:
        nights = [pool.submit(judge, *cell, seed, looks, chosen.rule) for cell in cells for seed in seeds]
        whole = [name for name in SETS if name.endswith("(all)")]
        early = [pool.submit(judge, name, "random", seed, fine, chosen.rule) for name in whole for seed in seeds[:WHOLE]]
        null = [
            pool.submit(rejected, *cell, seed) for cell in cells for seed in range(chosen.seed, chosen.seed + max(each, NULL))
        ]
        results = []
        for future in nights:
            results.append(future.result())
            if len(results) % 500 == 0:
                print(f"{len(results):,} nights, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        bolivia = [future.result() for future in early]
        rates = [future.result() for future in null]
    print_table(results)
    print_totals(results + bolivia, chosen.rule)
    print_bolivia(bolivia)
    print("\nThe sequential test alone, on a hypothesis that is only just true, at alpha 0.05: share of nights that reject it")
    print("(to reach in random order: at most 0.05)")
    for order in dict.fromkeys(order for _, order in cells):
        own = [one for one in rates if one[1] == order]
        at_looks, always = (sum(one[place] for one in own) / len(own) for place in (2, 3))
        print(f"  {order:27} {len(own):6,} nights: {at_looks:.3f} at 100 looks, {always:.3f} at a look after every station")
    print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
