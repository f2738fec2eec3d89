"""Checking encrypted ballots: exactly, in batches with a side-car, and on all cores; and what a nation of them costs.

    python bench/bench_ballots_verify.py [--ballots N] [--quick] [--memory]

The ballot has one contest of ten options, of which one may be chosen, in the standard group. Every check that one ballot admits
is made: form, hashes, membership, all range proofs, and the proof of who sealed the ballot nonce. 24 distinct ballots are used
again and again, which changes no operation. Times are CPU seconds of one core beside a floor measured in the same run: one power
modulo p with an exponent of 256 bits in gmpy2. The plain way needs 110 of them for a ballot (20 for membership, 90 for the
proofs). For comparison, measured on the same kind of machine: ElectionGuard for Python 1.4.0 checks 4.6 such ballots a second
(its own specification 1.0, the same group), and egk-ec for the JVM 8.5 (specification 2.0).

N ballots (default 2,000; a quarter of them exactly) are checked by one process and by two beside the one that reads them. The use
of two cores is what one process needs in CPU seconds, as a share of what all need together, times the share of the time in which
the processes had work: so it does not depend on who else uses the machine. The peak of memory is that of all processes together,
each page that they share counted once; it is measured for 500, 2,000 and 6,000 ballots, as it must not grow with their number.
"""

import argparse
import contextlib
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import gmpy2
from gmpy2 import mpz

from scrutineer.ballots.ballot_check import BallotClaims, check_ballot, read_claims
from scrutineer.ballots.batch import can_batch, check_ballots
from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.engines import BallotLine, InProcess, LineCheck, ProcessPool, check_lines
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FORMAT, Manifest, ManifestContest, Style
from scrutineer.ballots.record import SIMPLE_CHAINING, Ballot, encode_line
from scrutineer.ballots.sidecar import make_commitments

DISTINCT = 24
PLAIN_POWERS = 110
NATIONS = (20_000_000, 600_000_000)
CORES = 64
MEMORY_SIZES = (500, 2_000, 6_000)
EXACT_GOAL, BATCH_GOALS, MEMORY_GOAL, EFFICIENCY_GOAL = 18, {200: 75, 1_000: 90}, 400, 0.9


def made_keys() -> ElectionKeys:
    """Keys of one hand for the ballot of the benchmarks."""
    options = tuple(f"bird-{number}" for number in range(10))
    manifest = Manifest("aviary", "Aviary", "2026-06-07", (ManifestContest("warden", options),), (Style("all", (1,)),), FORMAT)
    vote, data = (STANDARD.power(STANDARD.g, mpz(secret)) for secret in (3**150, 5**100))
    return ElectionKeys(STANDARD, manifest, 1, 1, vote, data)


def made_ballots(keys: ElectionKeys) -> list[Ballot]:
    """So many distinct ballots."""
    encryptor, code, ballots = Encryptor(keys), bytes(32), []
    for number in range(DISTINCT):
        values = tuple(int(option == number % 10) for option in range(10))
        ballots.append(encryptor.encrypt(1, {1: ContestChoice(values)}, SIMPLE_CHAINING + code).ballot)
        code = ballots[-1].code
    return ballots


def floor() -> float:
    """CPU seconds of one power."""
    started = time.process_time()
    for number in range(40):
        gmpy2.powmod(STANDARD.g, STANDARD.q - 1 - number, STANDARD.p)
    return (time.process_time() - started) / 40


def beside_floor(work: Callable[[], object], ballots: int) -> tuple[float, float]:
    """CPU seconds of one ballot, and their ratio to the floor, measured before and after."""
    before = floor()
    started = time.process_time()
    work()
    spent = (time.process_time() - started) / ballots
    return spent, spent / ((before + floor()) / 2)


def show(what: str, spent: float, ratio: float, goal: float | None = None) -> None:
    wanted = "" if goal is None else f" (to reach: {goal:g})"
    print(
        f"{what}: {1 / spent:.1f} ballots/s a core{wanted}; {ratio:.1f} powers a ballot, the plain way {PLAIN_POWERS}", flush=True
    )


def one_core(keys: ElectionKeys, ballots: list[Ballot], sizes: list[int]) -> tuple[float, float]:
    """Exact and batch rates in this process; CPU seconds of a ballot with each."""
    tables = CheckTables(keys)
    for base in (tables.generator, tables.vote_key):
        base.power(mpz(1))
    can_batch(keys.group)
    sides = [make_commitments(keys, ballot, tables) for ballot in ballots]

    def exact() -> None:
        for ballot in ballots:
            if check_ballot(keys, ballot, tables):
                raise SystemExit("an honest ballot was refused")

    exactly, ratio = beside_floor(exact, len(ballots))
    show("exact", exactly, ratio, EXACT_GOAL)

    def read(place: int) -> tuple[BallotClaims, bytes | None]:
        return read_claims(keys, ballots[place % DISTINCT]), sides[place % DISTINCT]

    spent = exactly
    for size in sizes:
        readers = [partial(read, place) for place in range(size)]
        spent, ratio = beside_floor(partial(check_ballots, keys, readers, tables, secrets.token_bytes), size)
        show(f"batch of {size:,}", spent, ratio, BATCH_GOALS.get(size))
    return exactly, spent


def lines(ballots: list[bytes], sides: list[bytes | None], count: int) -> Iterator[BallotLine]:
    """Ballots of bundles of 400, as they would come from files: every line is bytes of its own."""
    for number in range(count):
        side = sides[number % DISTINCT]
        yield BallotLine(
            number // 400, number % 400 + 2, bytes(bytearray(ballots[number % DISTINCT])), side and bytes(bytearray(side))
        )


def children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def memory() -> float:
    """MiB of this process and its children, shared pages counted once."""
    total = 0
    for process in (str(os.getpid()), *children()):
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def all_cores(workers: int, count: int, with_sides: bool) -> None:
    """Check so many ballots with so many processes; print wall and CPU seconds and the peak of memory."""
    keys = made_keys()
    ballots = made_ballots(keys)
    tables = CheckTables(keys)
    sides = [make_commitments(keys, ballot, tables) if with_sides else None for ballot in ballots]
    data = [encode_line(ballot) for ballot in ballots]
    del tables, ballots
    engine = ProcessPool(workers) if workers > 1 else InProcess()
    peak, over = 0.0, threading.Event()
    worked: dict[str, float] = {}

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.5):
            peak = max(peak, memory())
            for process in children():
                with contextlib.suppress(OSError):
                    # Nanoseconds in which a process had a processor, and in which it waited for one.
                    ran, waited, _ = Path(f"/proc/{process}/schedstat").read_text().split()
                    if b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes():
                        worked[process] = (int(ran) + int(waited)) / 1e9

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    own, before, wall = time.process_time(), os.times(), time.monotonic()
    found = list(check_lines(keys, lines(data, sides, count), engine, check=LineCheck(keys)))
    waited = time.monotonic() - wall
    over.set()
    thread.join()
    after = os.times()
    if sum(one.lines for _, one in found) != count or any(one.failed for _, one in found):
        raise SystemExit("honest ballots were refused")
    spent = (
        time.process_time() - own + after.children_user + after.children_system - before.children_user - before.children_system
    )
    print(waited, spent, peak, sum(worked.values()) / (workers * waited) if worked else 1)


def apart(workers: int, count: int, with_sides: bool) -> tuple[float, ...]:
    """`all_cores` in a process of its own, so that its memory is its own."""
    arguments = [sys.executable, __file__, "all", str(workers), str(count), str(int(with_sides))]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


def pools(count: int, with_sides: bool) -> None:
    name = f"{count:,} ballots {'with side-cars' if with_sides else 'exactly'}"
    wall, spent, peak, _ = apart(1, count, with_sides)
    wall_two, spent_two, peak_two, working = apart(2, count, with_sides)
    print(f"{name}, one process: {wall:.1f} s, {spent:.1f} CPU-s, peak {peak:.0f} MiB")
    print(f"{name}, two: {wall_two:.1f} s, {spent_two:.1f} CPU-s, peak {peak_two:.0f} MiB (to reach: {MEMORY_GOAL})")
    print(f"  use of two cores {spent / spent_two * working:.2f} (to reach: {EFFICIENCY_GOAL})", flush=True)


def growth() -> None:
    """The peak of memory with side-cars and two processes, for more and more ballots."""
    for count in MEMORY_SIZES:
        wall, _, peak, _ = apart(2, count, with_sides=True)
        print(f"memory for {count:,} ballots: peak {peak:.0f} MiB (to reach: {MEMORY_GOAL}) in {wall:.0f} s", flush=True)


def nation(what: str, spent: float) -> None:
    for ballots in NATIONS:
        hours = ballots * spent / 3_600
        print(f"{what}: {ballots:,} ballots take {hours:,.0f} core-hours, {hours / CORES:,.1f} hours on {CORES} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ballots", type=int, default=2_000)
    parser.add_argument("--quick", action="store_true", help="only one core, and no batch of 1,000")
    parser.add_argument("--memory", action="store_true", help="only the memory that more and more ballots take")
    given = parser.parse_args()
    if given.memory:
        growth()
        return
    keys = made_keys()
    exactly, batch = one_core(keys, made_ballots(keys), [20, 200] if given.quick else [20, 200, 1_000])
    if not given.quick:
        pools(given.ballots // 4, with_sides=False)
        pools(given.ballots, with_sides=True)
        growth()
    nation("exactly", exactly)
    nation("in batches", batch)


if __name__ == "__main__":
    if sys.argv[1:2] == ["all"]:
        all_cores(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1")
    else:
        main()
