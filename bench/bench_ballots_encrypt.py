"""Encrypting ballots: how many a second one core makes, beside the powers that each needs and beside others.

    python bench/bench_ballots_encrypt.py [PEER [WINDOW...]]

The ballot of all these benchmarks has one contest of 10 options, of which one may be chosen: every option is proved 0 or 1, and
the sum at most 1. For tables of each WINDOW (8 12 16; 16 takes 1.2 GB) it prints ballots per second of CPU time, the best of
seven rounds, and the ratio to the floor, which is measured in the same rounds: 67 powers by the same tables, half of g and half
of K. Beside them, in the same run: the same code with plain exponentiation instead of tables, and electionguard 1.4.0, where PEER
is the Python of an environment that has it (`-` for none). To reach: 80 ballots/s with window 8, 110 with 12, 130 with 16.
"""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from ballot_helpers import one_contest, one_hand
from scrutineer.ballots import STANDARD
from scrutineer.ballots.confirmation import chain_start, next_chain
from scrutineer.ballots.encrypt import ContestChoice, Encryptor

GOALS: Final = {8: 80, 12: 110, 16: 130}
POWERS: Final = 67
"""For each option 2 for the ciphertext and 4 for its proof; 4 for the sum's proof and 3 for the ballot nonce."""
ROUNDS: Final = 7
BALLOTS: Final = 12
SIDE: Final = Path(__file__).with_name("electionguard_side.py")


def main(peer: str, windows: list[int]) -> None:
    keys = one_hand(one_contest(), STANDARD).keys
    chain = next_chain(chain_start(keys, "bench")[1])
    choices = {1: ContestChoice((0, 0, 1) + (0,) * 7)}
    exponents = [STANDARD.random_scalar(secrets.token_bytes) for _ in range(POWERS * BALLOTS)]
    rates = {}
    for window in windows:
        maker = Encryptor(keys, window)
        began = time.process_time()
        maker.build()
        built = time.process_time() - began
        ballot, floor = best(partial(encrypt, maker, choices, chain, BALLOTS), partial(powers, maker, exponents))
        rates[window] = 1 / ballot
        memory = sum(table.memory for table in (maker.tables.g, maker.tables.vote, maker.tables.data)) / 1e6
        goal = GOALS.get(window)
        verdict = "" if goal is None else f"; goal {goal}: {'reached' if 1 / ballot >= goal else 'MISSED'}"
        print(f"window {window:2}: {1 / ballot:6.1f} ballots/s ({ballot * 1000:.2f} ms){verdict}")
        print(f"  ratio to the floor of {POWERS} powers ({floor * 1000:.2f} ms): {ballot / floor:.2f}")
        print(f"  tables: {memory:.0f} MB, built in {built:.2f} s")
    plain = Encryptor(keys, 2)
    for table in (plain.tables.g, plain.tables.vote, plain.tables.data):
        table.power = partial(plain_power, table.base)  # type: ignore[method-assign]
    slow, _ = best(partial(encrypt, plain, choices, chain, 2), lambda: None, 2)
    compare("the same with plain exponentiation", 1 / slow, rates)
    if peer == "-":
        print("electionguard 1.4.0: not run; give the Python of an environment that has it")
        return
    answer = subprocess.run([peer, str(SIDE), "10"], capture_output=True, text=True, check=True, timeout=300)
    compare("electionguard 1.4.0 (specification 1.0)", 1000 / json.loads(answer.stdout)["encrypt"], rates)


def encrypt(maker: Encryptor, choices: dict[int, ContestChoice], chain: bytes, ballots: int) -> None:
    for _ in range(ballots):
        maker.encrypt(1, choices, chain)


def powers(maker: Encryptor, exponents: list[Any]) -> None:
    for first, second in zip(exponents[::2], exponents[1::2], strict=True):
        maker.tables.g.power(first)
        maker.tables.vote.power(second)


def plain_power(base: Any, exponent: Any) -> Any:
    return STANDARD.power(base, exponent % STANDARD.q)


def best(work: Callable[[], Any], floor: Callable[[], Any], ballots: int = BALLOTS) -> tuple[float, float]:
    """CPU seconds of one ballot and of its floor, the least of all rounds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for task, taken in zip((work, floor), times, strict=True):
            began = time.process_time()
            task()
            taken.append((time.process_time() - began) / ballots)
    return min(times[0]), min(times[1])


def compare(name: str, rate: float, rates: dict[int, float]) -> None:
    ratios = ", ".join(f"{own / rate:.1f} with window {window}" for window, own in rates.items())
    print(f"{name}: {rate:.1f} ballots/s; ratio: {ratios}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "-", [int(window) for window in sys.argv[2:]] or [8, 12, 16])
