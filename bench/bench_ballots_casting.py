"""Casting: what the voter waits for when the ballot is encrypted, with a pad drawn beforehand and without; and how large it is.

    python bench/bench_ballots_casting.py [PEER [BALLOTS [WINDOW]]]

One contest of 10 options, and tables of WINDOW (8, as on a voting device). Prints p50 and p99 of BALLOTS (300) in milliseconds of
the clock on the wall, which on a busy machine holds other people's work, and of CPU time. To reach: p99 of 5 ms of CPU time with
pads. The floor, measured in the same run, are the hashes that nothing can take away: the challenges of eleven proofs and the
contest's hash; its p99 on the wall shows how busy the machine was. Then the size of a ballot's line of a bundle, as JSON (18.5 KB
to reach) and compressed by zlib (13 KB), beside electionguard 1.4.0, where PEER is the Python of an environment that has it (`-`
for none).
"""

import gc
import hmac
import json
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from ballot_helpers import one_contest, one_hand
from scrutineer.ballots import STANDARD
from scrutineer.ballots.confirmation import chain_start, next_chain
from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.record import encode_line
from scrutineer.station.voting.pad_store import PadStore

GOAL: Final = 5.0  # ms, p99 with pads
JSON_GOAL, ZLIB_GOAL = 18_500, 13_000  # bytes
SIDE: Final = Path(__file__).with_name("electionguard_side.py")
OPTIONS: Final = 10
COMPANY: Final = 100  # ballots cast while pads are drawn, a quarter of a second apart


def main(peer: str, ballots: int, window: int) -> None:
    keys = one_hand(one_contest(OPTIONS), STANDARD).keys
    maker = Encryptor(keys, window)
    maker.build()
    code = chain_start(keys, "bench")[1]
    choices = [{1: ContestChoice(tuple(int(place == number % 11) for place in range(OPTIONS)))} for number in range(ballots)]
    pads, drawing = [], []
    for _ in range(ballots):
        began = time.process_time()
        pads.append(maker.pad(1))
        drawing.append((time.process_time() - began) * 1000)
    lines: list[bytes] = []

    def cast(number: int, pad: Any) -> None:
        nonlocal code
        ballot = maker.encrypt(1, choices[number], next_chain(code), pad).ballot
        code = ballot.code
        lines.append(encode_line(ballot))

    challenge, contest = bytes(9 + 6 * 512), bytes(5 + 2 * OPTIONS * 512)

    def floor(_: int) -> None:
        for _ in range(OPTIONS + 1):
            hmac.digest(code, challenge, "sha256")
        hmac.digest(code, contest, "sha256")

    with_pads, cpu = clocked(lambda number: cast(number, pads[number]), ballots)
    hashes, _ = clocked(floor, ballots)
    without, cpu_without = clocked(lambda number: cast(number, None), ballots)
    p99 = quantile(cpu, 99)
    say("with pads, wall", with_pads)
    say("with pads, CPU", cpu)
    print(f"  goal p99 {GOAL} ms of CPU time: {'reached' if p99 <= GOAL else 'MISSED'}")
    say("while pads are drawn", in_company(maker, choices, code))
    say("without pads, wall", without)
    say("without pads, CPU", cpu_without)
    say("floor: the hashes", hashes)
    print(f"  ratio of medians: with pads to the floor {statistics.median(with_pads) / statistics.median(hashes):.1f}")
    print(f"  ratio of medians: without pads to with pads {statistics.median(without) / statistics.median(with_pads):.1f}")
    print(f"  a pad is drawn in {statistics.median(drawing):.1f} ms of CPU time (median), while nobody waits")
    sizes(lines, peer)


def in_company(maker: Encryptor, choices: list[dict[int, ContestChoice]], code: bytes) -> list[float]:
    """Milliseconds by the wall while a thread draws the next pads, as on a voting machine."""
    store, times = PadStore(maker, [1]), []
    store.start()
    for choice in choices[:COMPANY]:
        while store.ready(1) < 2:
            time.sleep(0.002)
        began = time.perf_counter()
        maker.encrypt(1, choice, next_chain(code), store.take(1))
        times.append((time.perf_counter() - began) * 1000)
    store.stop()
    return times


def sizes(lines: list[bytes], peer: str) -> None:
    longest = max(map(len, lines))
    packed = max(len(zlib.compress(line, 6)) for line in lines)
    print(f"line of a ballot: {longest:,} bytes of JSON; goal {JSON_GOAL:,}: {'reached' if longest <= JSON_GOAL else 'MISSED'}")
    print(f"  zlib: {packed:,} bytes; goal {ZLIB_GOAL:,}: {'reached' if packed <= ZLIB_GOAL else 'MISSED'}")
    elements, scalars = 2 * OPTIONS + 1, 4 * (OPTIONS + 1) + 2 + 5
    raw = elements * STANDARD.element_size + scalars * 32 + 36
    print(f"  ratio to the bytes of its numbers ({raw:,}): JSON {longest / raw:.2f}, zlib {packed / raw:.2f}")
    if peer == "-":
        print("electionguard 1.4.0: not run; give the Python of an environment that has it")
        return
    answer = subprocess.run([peer, str(SIDE), str(OPTIONS)], capture_output=True, text=True, check=True, timeout=300)
    other = json.loads(answer.stdout)
    print(f"electionguard 1.4.0: {other['encrypt']:.1f} ms and {other['bytes']:,} bytes")
    print(f"  ratio of bytes: {other['bytes'] / longest:.1f}")


def clocked(work: Callable[[int], None], count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each call, by the wall and of CPU time."""
    wall, cpu = [], []
    gc.collect()
    for number in range(count):
        began, spent = time.perf_counter(), time.process_time()
        work(number)
        cpu.append((time.process_time() - spent) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    return wall, cpu


def quantile(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def say(name: str, times: list[float]) -> None:
    print(f"{name:22} p50 {quantile(times, 50):7.2f} ms   p99 {quantile(times, 99):7.2f} ms   max {max(times):7.2f} ms")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        given[0] if given else "-",
        int(given[1]) if len(given) > 1 else 300,
        int(given[2]) if len(given) > 2 else 8,
    )
