"""A comparison audit of 10 contests on 10 million cards, from records in memory to the cards that are fetched.

    python bench/bench_audit_memory.py [CARDS]

Nine contests by plurality and majority and a ranked one; the third to the tenth are held by some cards only. Measured are the
steps that go over all cards: what each contest's outcome requires, the totals and margins of all its assertions, the consistent
number of every card, the order of these, which cards hold which contest in that order, and one sample for all contests. The floor
is one count of the patterns of each contest and a bare SHA-256 for each card. Prints CPU seconds of each step, the peak of memory
(to reach: 10,000,000 cards in 180 s and 1.5 GB) and the ratio. Reading such records is measured by bench_audit_cards.py.
"""

import resource
import sys
import time
from fractions import Fraction
from hashlib import sha256

import numpy as np
import pyarrow as pa

from scrutineer.audits.cards.model import ABSENT, Cards, ContestColumn
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.styles import Styles
from scrutineer.audits.forecasts import comparison_forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.margins import totals
from scrutineer.audits.outcome import required
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.audits.sampling.canonical import card_numbers
from scrutineer.audits.sizes import sample_size
from scrutineer.count.outcome import RankedTally, Tally
from scrutineer.election import Contest, Option
from scrutineer.election.contests import RuleName

SEED = "31415926535897932384"
BOX = 700
"""Cards of a box."""
CONTESTS = 10
OPTIONS = 5
RISK_LIMIT = 0.05
KINDS = 256
"""Cards are marked in so many ways with equal chances, of which many are alike."""


def main(cards: int) -> None:
    boxes = -(-cards // BOX)
    manifest = Manifest.of((f"finch county/box {number:06}", BOX) for number in range(boxes))
    contests = [_contest(number) for number in range(CONTESTS)]
    records = _records(contests, manifest)
    made = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    held = (records.memory() + records.ids.nbytes) / 2**20
    print(f"{len(records):,} cards of {CONTESTS} contests: {held:,.0f} MiB, {made:,.0f} MiB with the program when they were made")

    started = last = time.process_time()
    sizes, assertions = {}, 0
    for contest in contests:
        column = records.column(contest.id)
        needed = required(contest, _tally(column))
        scores = totals(needed.assertions, column).tolist()
        assertions += len(scores)
        closest, score = min(zip(needed.assertions, scores, strict=True), key=lambda pair: Fraction(pair[1], -pair[0].lowest))
        expected = comparison_forecast(ReportedTotal(closest, column.cards(), score))
        sizes[contest.id] = sample_size(expected, Betting(Fixed(expected.kelly_bet())), RISK_LIMIT).p90
    last = _step(
        f"{assertions} assertions and their totals, sizes of samples from {min(sizes.values())} to {max(sizes.values())}", last
    )
    numbers = card_numbers(SEED, manifest)
    last = _step("consistent numbers of all cards", last)
    order = np.argsort(numbers)
    del numbers
    last = _step("their order", last)
    styles = Styles({column.id: (column.pattern != ABSENT)[order] for column in records.contests})
    fetched = styles.fetched(sizes)
    usable = sum(len(styles.usable(contest.id, fetched)) for contest in contests)
    _step(f"one sample of {len(fetched):,} cards, which show {usable:,} marks of contests", last)
    ours = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"all: {ours:.1f} CPU-s (to reach at 10,000,000: 180), greatest memory {peak:,.0f} MiB (to reach: 1,430)")

    started = time.process_time()
    for column in records.contests:
        np.bincount(column.pattern.view(np.uint8))
    message = bytes(40)
    for _ in range(cards):
        sha256(message).digest()
    floor = time.process_time() - started
    print(f"floor: {floor:.1f} CPU-s; ratio {ours / floor:.2f}")


def _contest(number: int) -> Contest:
    options = tuple(Option(f"o{option}", f"O{option}") for option in range(OPTIONS))
    rule: RuleName = "plurality" if number < 6 else "majority" if number < CONTESTS - 1 else "ranked"
    return Contest(f"contest-{number}", f"Contest {number}", rule, options)


def _records(contests: list[Contest], manifest: Manifest) -> Cards:
    chance = np.random.default_rng(7)
    size = manifest.total
    columns = []
    for number, contest in enumerate(contests):
        ranked = contest.rule == "ranked"
        patterns = ((), *((option,) for option in range(OPTIONS)))
        if ranked:
            patterns += tuple((first, second) for first in range(OPTIONS) for second in range(OPTIONS) if first != second)
        firsts = chance.choice(OPTIONS, KINDS, p=[0.34, 0.27, 0.18, 0.13, 0.08])
        kinds = np.array([1 + first for first in np.sort(firsts)], np.int8)
        if ranked:
            kinds[::2] = chance.integers(1 + OPTIONS, len(patterns), len(kinds[::2]))
        kinds[::37] = 0
        kinds[: 16 * max(0, number - 1)] = ABSENT
        chance.shuffle(kinds)
        pattern = np.empty(size, np.int8)
        for start in range(0, size, 1 << 20):
            some = pattern[start : start + (1 << 20)]
            some[:] = kinds[chance.integers(0, KINDS, len(some), np.uint8)]
        names = tuple(option.id for option in contest.options)
        columns.append(ContestColumn(contest.id, names, patterns, pattern, ranked=ranked))
    batch = np.repeat(np.arange(len(manifest.boxes), dtype=np.int32), manifest.cards)
    position = (np.arange(size, dtype=np.int32) % BOX) + 1
    ids = pa.concat_arrays(
        [pa.array(np.arange(start, min(size, start + (1 << 20)))).cast(pa.string()) for start in range(0, size, 1 << 20)]
    )
    return Cards(tuple(columns), manifest.boxes, batch, position, ids)


def _tally(column: ContestColumn) -> Tally | RankedTally:
    counts = column.tally().tolist()
    if column.ranked:
        rankings = [(marks, count) for marks, count in zip(column.patterns, counts, strict=True) if marks]
        return RankedTally(len(column.options), tuple(rankings), counts[0])
    return Tally(tuple(column.votes().tolist()), counts[0])


def _step(what: str, since: float) -> float:
    now = time.process_time()
    print(f"  {what}: {now - since:.2f} CPU-s", flush=True)
    return now


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
