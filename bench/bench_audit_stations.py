"""A tally-sheet audit of all stations of a country: bounds, draw and risk, beside the least that could be done.

    python bench/bench_audit_stations.py [STATIONS]

Two contests of five options, hence eight assertions, and one sample for both. The floor is one pass of numpy over the same votes,
a sort of the names, and numpy's own weighted choice. Prints CPU seconds of each step and of all (to reach: 300,000 stations in
3 s), and the ratio.
"""

import sys
import time
from fractions import Fraction

import numpy as np

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.audits.sampling.canonical import draw_boxes

SEED = "31415926535897932384"
OPTIONS = 5
RISK_LIMIT = Fraction(1, 20)
SHARES = ([0.36, 0.33, 0.16, 0.1, 0.05], [0.42, 0.37, 0.11, 0.07, 0.03])


def main(stations: int) -> None:
    chance = np.random.default_rng(7)
    names = tuple(f"{number:06}" for number in chance.permutation(stations).tolist())
    cards = chance.integers(50, 400, stations)
    votes = [chance.multinomial(cards, share).astype(np.int64) for share in SHARES]

    started = last = time.process_time()
    reported = tuple(
        Reported.of_votes(Assertion(f"contest {number}", f"0>{loser}", _pair(loser)), votes[number], cards)
        for number in range(len(votes))
        for loser in range(1, OPTIONS)
    )
    design = BatchDesign(names, reported)
    draws = 2 * design.size(RISK_LIMIT)
    last = _step(f"bounds of {stations:,} stations, {len(reported)} assertions, U = {float(design.limit):.1f}", last)
    sample = draw_boxes(SEED, design.bounds, design.names, draws)
    last = _step(f"{draws} draws, {len(sample.boxes())} stations to open", last)
    counted = {name: tuple(int(each.scores[int(place)]) for each in reported) for name, place in _places(names, sample.boxes())}
    counted[sample.boxes()[0]] = (None,) * len(reported)
    null = design.null()
    risk = Betting(Fixed(0.6 / null.mean)).p_values(design.values(sample, counted), null)
    _step(f"risk with one station missing: {risk[-1]:.4f} after {draws} draws", last)
    ours = time.process_time() - started
    print(f"all: {ours:.2f} CPU-s (to reach: 3)")

    started = time.process_time()
    weights = np.max([each @ _pairs() for each in votes], axis=(0, 2)) + cards
    sorted(range(stations), key=names.__getitem__)
    chance.choice(stations, draws, p=weights / weights.sum())
    floor = time.process_time() - started
    print(f"floor: {floor:.2f} CPU-s; ratio {ours / floor:.1f}")


def _pair(loser: int) -> tuple[int, ...]:
    return tuple((option == 0) - (option == loser) for option in range(OPTIONS))


def _pairs() -> np.ndarray:
    return np.array([_pair(loser) for loser in range(1, OPTIONS)]).T


def _places(names: tuple[str, ...], wanted: tuple[str, ...]) -> list[tuple[str, int]]:
    chosen = set(wanted)
    return [(name, place) for place, name in enumerate(names) if name in chosen]


def _step(what: str, since: float) -> float:
    now = time.process_time()
    print(f"{what}: {now - since:.2f} CPU-s")
    return now


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
