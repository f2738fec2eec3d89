"""Assertions for instant run-offs: CPU time, number and difficulty, beside the same optimum over all sets of candidates.

    python bench/bench_audit_raire.py [--seed S] [FILE.raire ...]

Invented contests of the size of published ones: 11 candidates with 119,607 ballots of up to three preferences (the mayor of
Oakland, 2010; goal 0.5 s), and 11 with 2,487 ballots of up to nine (the council of Aspen, 2009; goal 1.5 s); then of the hardest
kind, in which all candidates are nearly alike in strength; then each contest of the files given, in RAIRE's format. The peer
works out the least greatest difficulty over all 2^n sets of candidates by sums over subsets in numpy, without choosing
assertions: the two must agree.
"""

import argparse
import sys
import time
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.cards.raire import read_raire
from scrutineer.audits.cards.sources import opened
from scrutineer.audits.raire import open_orders, raire
from scrutineer.count.outcome import InstantRunoff, RankedTally, decide

SIZES = {
    "Oakland's size": (11, 119_607, 3, False, 0.5),
    "Aspen's size": (11, 2_487, 9, False, 1.5),
    "Aspen's size, all alike": (11, 2_487, 9, True, 1.5),
    "16, all alike": (16, 20_000, 10, True, None),
}
MOST_FOR_PEER = 16  # candidates


def invented(candidates: int, ballots: int, preferences: int, alike: bool, seed: int) -> RankedTally:
    """Ballots that draw candidates without replacement, the first three strong and the rest weaker, or nearly alike."""
    draw = np.random.default_rng(seed)
    strong = np.array([9.0, 8.0, 7.0, *(4.0 / (1 + at) for at in range(candidates - 3))])
    weights = 1 + 0.04 * np.arange(candidates) if alike else strong
    # The order of exponential times is a draw without replacement in proportion to the weights.
    order = np.argsort(draw.exponential(size=(ballots, candidates)) / weights, axis=1)
    lengths = draw.integers(1, preferences + 1, size=ballots)
    made: dict[tuple[int, ...], int] = {}
    for row, length in zip(order.tolist(), lengths.tolist(), strict=True):
        ranking = tuple(row[:length])
        made[ranking] = made.get(ranking, 0) + 1
    return RankedTally(candidates, tuple(sorted(made.items())))


def tallies(path: Path) -> list[tuple[str, RankedTally]]:
    """The contests of a file in RAIRE's format, as tallies."""
    found = []
    with opened(path) as sources:
        contests = read_raire(sources[0]).contests
    for column in contests:
        counted = dict(zip(column.patterns, column.tally().tolist(), strict=True))
        blank = counted.pop((), 0)
        found.append((f"{path.stem} {column.id}", RankedTally(len(column.options), tuple(sorted(counted.items())), blank)))
    return found


def peer(tally: RankedTally, winner: int) -> float:
    """The least greatest difficulty, set by set from all candidates down to one."""
    n = tally.options
    sets = 1 << n
    # By candidate and by the set of those that a ballot prefers to it: how many ballots; then how many prefer at most the set.
    standing: NDArray[np.int64] = np.zeros((n, sets), dtype=np.int64)
    for ranking, ballots in tally.rankings:
        preferred = 0
        for candidate in ranking:
            standing[candidate, preferred] += ballots
            preferred |= 1 << candidate
    first = standing[:, 0].copy()
    for bit in range(n):
        cube = standing.reshape(n, -1, 2, 1 << bit)
        cube[:, :, 1] += cube[:, :, 0]
    everybody = sets - 1
    margin = np.full((n, n), -np.inf)
    for one, other in permutations(range(n), 2):
        margin[one, other] = first[one] - standing[other, everybody & ~(1 << one)]
    # By set: the greatest margin (least difficulty) that some order of the others still allows to be contradicted.
    below = np.full(sets, np.inf)
    below[everybody] = -np.inf
    numbers = np.arange(sets)
    size = np.array([number.bit_count() for number in range(sets)])
    for count in range(n - 1, -1, -1):
        inside = numbers[size == count]
        for leaving in range(n):
            here = inside[inside >> leaving & 1 == 0]
            if count == 0 and leaving == winner:
                continue
            after = here | 1 << leaving
            best = below[after]
            for other in range(n):
                if other != leaving:
                    later = (here >> other & 1).astype(np.bool_)
                    next_ = standing[leaving, everybody & ~after] - standing[other, everybody & ~after]
                    best = np.maximum(best, np.where(later, np.maximum(margin[leaving, other], next_), margin[other, leaving]))
            below[here] = np.minimum(below[here], best)
    return tally.cast / float(below[0]) if below[0] > 0 else float("inf")


def main() -> int:
    """Measure each contest; fails where the two ways disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    contests: list[tuple[str, RankedTally, float | None]] = [
        (name, invented(candidates, ballots, preferences, alike, given.seed), goal)
        for name, (candidates, ballots, preferences, alike, goal) in SIZES.items()
    ]
    contests += [(name, tally, None) for path in given.files for name, tally in tallies(path)]
    print("contest | candidates | ballots | rankings | assertions | difficulty | CPU s | of the goal | of the peer's CPU s")
    agree = True
    for name, tally, goal in contests:
        outcome = decide(InstantRunoff(), tally)
        if outcome.tied:
            print(f"{name} | {tally.options} | {tally.cast:,} | a tie")
            continue
        started = time.process_time()
        found = raire(tally, outcome.elected[0])
        spent = time.process_time() - started
        if found is None:
            print(f"{name} | {tally.options} | {tally.cast:,} | no assertions were found | {spent:.3f}")
            continue
        beside = ""
        if tally.options <= MOST_FOR_PEER:
            started = time.process_time()
            least = peer(tally, outcome.elected[0])
            beside = f"{spent / (time.process_time() - started):.2f}"
            agree &= abs(least - found.difficulty) <= 1e-9 * least
        agree &= open_orders(tally.options, found.winner, found.comparisons) == ()
        share = "" if goal is None else f"{100 * spent / goal:.0f} %"
        print(
            f"{name} | {tally.options} | {tally.cast:,} | {len(tally.rankings):,} | {len(found.comparisons)} | "
            f"{found.difficulty:.4f}{'' if found.best else ' (not the least)'} | {spent:.3f} | {share} | {beside}"
        )
    print("both ways agree, and every other winner is excluded" if agree else "THE TWO WAYS DISAGREE")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
