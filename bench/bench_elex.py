"""Intervals of the final votes beside those of elex-model (Washington Post), on the same nights.

    python bench/bench_elex.py --elex-python PYTHON [--nights N] [--set NAME]

elex-model needs an environment of its own, because its dependencies are not ours:

    python -m venv out/elex && out/elex/bin/pip install elex-model
    python bench/bench_elex.py --elex-python out/elex/bin/python

Every night has an invented baseline (see `FinalCount.with_baseline`), which elex-model cannot do without. Prints for each order,
share counted and method: how many 90 % intervals of the leader's final votes cover them (to reach for ours: 0.88 everywhere),
their mean width in percent of these votes (to reach at 80 % in random order: 2.0), negative widths, errors, and seconds.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from night_sets import NAMES, load_set
from scrutineer.calls.estimate import estimate
from scrutineer.simulate.nights import Night

LOOKS = (10, 25, 50, 80)
ORDERS = (
    "random",
    "small first",
    "region blocks",
    "rival's regions first",
    "rival's stations, 0.3",
    "rival's stations, 0.7",
    "leader's stations, 0.3",
    "leader's stations, 0.6",
)


def ours(night: Night) -> list[dict[str, Any]]:
    """Our estimates at every look, with the baseline and without."""
    found = []
    leader = night.final.ranking[0]
    for percent, partial in zip(LOOKS, night.looks(LOOKS), strict=True):
        for method in ("ours", "ours, no baseline"):
            if method != "ours":
                partial = Night(replace(night.final, previous=None), night.order).partial(partial.counted_stations)
            started = time.perf_counter()
            estimated = estimate(partial, Fraction(9, 10))
            seconds = time.perf_counter() - started
            if estimated is not None:
                votes = estimated.votes[leader]
                bounds = {"low": votes.low, "point": votes.point, "high": votes.high}
                found.append({"method": method, "percent": percent, "seconds": seconds, "error": "", **bounds})
    return found


def theirs(night: Night, python: Path, folder: Path) -> list[dict[str, Any]]:
    """What elex-model estimates, in a process of its own Python."""
    final = night.final
    if final.previous is None:
        raise SystemExit("elex-model needs a baseline: choose a set with one")
    first, second = final.ranking[:2]

    def columns(votes: np.ndarray) -> np.ndarray:
        return np.stack([votes[:, first], votes[:, second], votes.sum(axis=1)], axis=1)

    path = folder / "night.npz"
    np.savez(
        path,
        votes=columns(final.votes),
        previous=columns(final.previous),
        order=night.order,
        stratum=final.stratum,
        looks=np.array(LOOKS),
    )
    script = Path(__file__).with_name("elex_side.py")
    done = subprocess.run([str(python), str(script), str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python} cannot run elex-model: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elex-python", type=Path, help="the Python of an environment with elex-model")
    parser.add_argument("--nights", type=int, default=10, help="nights for each order")
    parser.add_argument("--stations", type=int, default=3_000, help="stations of each night")
    parser.add_argument("--set", choices=[name for name in NAMES if name.endswith("+baseline")], default="avia-large+baseline")
    chosen = parser.parse_args()
    nights = load_set(chosen.set)
    if nights is None:
        raise SystemExit(f"{chosen.set}: its file is not there; set SCRUTINEER_DATA to the folder that holds it")
    nights = nights.of_size(chosen.stations)
    if chosen.elex_python is None:
        print("elex-model is left out: see the head of this file for how to install it, and give --elex-python")
    results: dict[tuple[str, int, str], list[tuple[dict[str, Any], int]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for order in ORDERS:
            for seed in range(chosen.nights):
                night = nights.night(order, seed)
                found = ours(night)
                if chosen.elex_python is not None:
                    found += theirs(night, chosen.elex_python, Path(folder))
                truth = max(night.final.totals)
                for one in found:
                    results[order, one["percent"], one["method"]].append((one, truth))
    print(f"{chosen.set}, {chosen.nights} nights of {nights.thin:,} stations for each order; leader's votes, 90 % intervals")
    print(
        f"{'order':25} {'%':>3} {'method':18} {'covers':>7} {'width %':>8} {'error %':>8} {'negative':>8} {'raised':>7} {'s':>7}"
    )
    for (order, percent, method), cell in results.items():
        made = [(one, truth) for one, truth in cell if not one["error"]]
        raised = len(cell) - len(made)
        if made:
            covers = np.mean([one["low"] <= truth <= one["high"] for one, truth in made])
            width = np.mean([100 * (one["high"] - one["low"]) / truth for one, truth in made])
            wrong = np.mean([100 * abs(one["point"] - truth) / truth for one, truth in made])
            negative = sum(one["high"] < one["low"] for one, _ in made)
            figures = f"{covers:7.2f} {width:8.2f} {wrong:8.2f} {negative:8}"
        else:
            figures = f"{'-':>7} {'-':>8} {'-':>8} {'-':>8}"
        seconds = np.mean([one["seconds"] for one, _ in cell])
        print(f"{order:25} {percent:3} {method:18} {figures} {raised:7} {seconds:7.2f}")
    errors = {one["error"] for cell in results.values() for one, _ in cell if one["error"]}
    for error in sorted(errors):
        print(f"  raised: {error}")


if __name__ == "__main__":
    main()
