"""The time that trustees' arithmetic takes: the key ceremony, and the decryption of a station's totals with proofs.

    python bench/bench_ballots_trustees.py [--guardians N] [--quorum K] [--totals N] [--runs N]

CPU seconds in one process, the best of some runs, for all trustees together: on their own machines each has a part of it. Beside
each time stands what the powers that the specification's formulas ask for would take one by one (the floor without tables:
`gmpy2.powmod` where the exponent is public, `gmpy2.powmod_sec` where it is secret), and the goal.
For comparison: electionguard-python 1.4.0 took 0.20 to 0.53 s for a ceremony of 5 and 3, and 1.43 s to decrypt 10 totals and
0.57 s to verify them; egk-ec 1.57 s to decrypt them.
"""

import argparse
import secrets
import time
from collections.abc import Callable
from typing import Any

from gmpy2 import mpz

from scrutineer.ballots.bundle import Aggregates
from scrutineer.ballots.ceremony import Ceremony, KeyShare, terms_of
from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.key_check import check_keys
from scrutineer.ballots.keys import KeyRecord, election_keys
from scrutineer.ballots.logarithms import SmallLogarithms
from scrutineer.ballots.manifest import FORMAT, Manifest, ManifestContest, Style
from scrutineer.ballots.record import Aggregate, ContestAggregate, TallyRecord
from scrutineer.ballots.tables import fixed_base
from scrutineer.ballots.tally_check import check_tally
from scrutineer.ballots.tally_request import TallyRequest
from scrutineer.ballots.tallying import combine_bundle, commit_bundle, respond_bundle

GROUP = STANDARD
CAST = 1_000


def timed(function: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """CPU seconds of the best run, and what the last one gave."""
    best, result = float("inf"), None
    for _ in range(runs):
        started = time.process_time()
        result = function()
        best = min(best, time.process_time() - started)
    return best, result


def powers() -> tuple[float, float]:
    """CPU seconds of one power with a public and with a secret exponent of 256 bits."""
    base, exponent = GROUP.power(GROUP.g, mpz(2) ** 255 + 12345), GROUP.random_scalar(secrets.token_bytes)
    first, _ = timed(lambda: [GROUP.power(base, exponent) for _ in range(20)], 5)
    second, _ = timed(lambda: [GROUP.power_secret(base, exponent) for _ in range(20)], 5)
    return first / 20, second / 20


def manifest_of(totals: int) -> Manifest:
    contest = ManifestContest("warden", tuple(f"bird-{number}" for number in range(totals)))
    return Manifest("aviary", "Aviary", "2026-06-07", (contest,), (Style("all", (1,)),), FORMAT)


def line(what: str, seconds: float, floor: float, count: str, goal: float | None) -> None:
    target = f"goal {goal:.2f} s" if goal is not None else ""
    print(f"{what:44}{seconds:8.3f} s   {seconds / floor:5.2f} x floor {floor:.3f} s ({count})  {target}", flush=True)


def ceremony(manifest: Manifest, n: int, k: int, runs: int, public: float, secret: float) -> tuple[KeyRecord, list[KeyShare]]:
    steps = Ceremony(GROUP, terms_of(GROUP, manifest, n, k))

    def make() -> list[Any]:
        return [steps.make_guardian(index, f"Trustee {index}", secrets.token_bytes) for index in range(1, n + 1)]

    seconds, made = timed(make, runs)
    total, floors = seconds, (2 * k + 1 + 2 * (k + 1)) * n * secret
    line("make keys and proofs", seconds, floors, f"{(4 * k + 3) * n} secret powers", None)
    keys = [own for _, own in made]
    seconds, _ = timed(lambda: [steps.check_guardian(own) for own in keys], runs)
    each = n * (2 * (k + 1) * 2 + 2 * k + 1)
    line("check all keys, once", seconds, each * public, f"{each} powers", None)
    # Everybody checks the keys of all others.
    floors += each * public * (n - 1)
    total += seconds * (n - 1)
    seconds, sent = timed(
        lambda: [steps.make_shares(index, own, keys, secrets.token_bytes) for index, (own, _) in enumerate(made, 1)], runs
    )
    line("seal all shares", seconds, 3 * n * (n - 1) * secret, f"{3 * n * (n - 1)} secret powers", None)
    total, floors = total + seconds, floors + 3 * n * (n - 1) * secret
    seconds, shares = timed(
        lambda: [steps.receive_shares(index, own, keys, sent) for index, (own, _) in enumerate(made, 1)], runs
    )
    pairs = n * (n - 1)
    floor = pairs * (3 * public + 3 * secret)
    line("open and check all shares", seconds, floor, f"{3 * pairs} powers, {3 * pairs} secret", None)
    line(f"ceremony {n}/{k}, all machines together", total + seconds, floors + floor, "the above; keys checked by each", None)
    line(f"ceremony {n}/{k}, one machine", (total + seconds) / n, (floors + floor) / n, "a part of it", 0.25)
    record = steps.join_keys(manifest, keys)
    if check_keys(record):
        raise SystemExit("the keys do not verify")
    return record, shares


def decryption(
    record: KeyRecord, chosen: list[KeyShare], totals: int, runs: int, public: float, secret: float, verify: bool
) -> None:
    keys, random = election_keys(record), secrets.token_bytes
    fields = []
    for number in range(totals):
        nonce = GROUP.random_scalar(random)
        beta = GROUP.power(keys.vote_key, nonce + (number * 97) % CAST)
        fields.append(Aggregate(GROUP.element_bytes(GROUP.power(GROUP.g, nonce)), GROUP.element_bytes(beta)))
    request = TallyRequest(bytes(32), "north-1", "device", CAST, (ContestAggregate(1, tuple(fields)),))
    quorum = Quorum(keys, record.guardians, [share.index for share in chosen])
    for base in (GROUP.g, keys.vote_key):
        fixed_base(GROUP, base).build()

    def everything() -> TallyRecord:
        seeds = {share.index: random(32) for share in chosen}
        first = {share.index: commit_bundle(quorum, share, seeds[share.index], request) for share in chosen}
        commitments, reveals = {i: each[0] for i, each in first.items()}, {i: each[1] for i, each in first.items()}
        responses = {
            share.index: respond_bundle(quorum, share, seeds[share.index], request, commitments, reveals) for share in chosen
        }
        return combine_bundle(quorum, request, commitments, reveals, responses, SmallLogarithms(GROUP, keys.vote_key))

    k = len(chosen)
    seconds, tally = timed(everything, runs)
    if [field.total for field in tally.contests[0].fields] != [(number * 97) % CAST for number in range(totals)]:
        raise SystemExit("the decrypted totals are not those that were encrypted")
    floor = totals * (3 * k * secret + (k + 4) * public)
    count = f"{3 * k * totals} secret powers, {(k + 4) * totals} others"
    names = " ".join(str(share.index) for share in chosen)
    line(f"decrypt {totals} totals with proofs, by {names}", seconds, floor, count, 0.15)
    if not verify:
        return
    aggregates = Aggregates(keys)
    aggregates.add(1, [(each.alpha, each.beta) for each in fields])
    seconds, failures = timed(lambda: check_tally(tally, aggregates, [1], [1], keys, "bench"), runs)
    if failures:
        raise SystemExit(f"the decryption does not verify: {failures[0]}")
    line(f"verify {totals} decryptions", seconds, totals * 5 * public, f"{5 * totals} powers", 0.06)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guardians", type=int, default=5)
    parser.add_argument("--quorum", type=int, default=3)
    parser.add_argument("--totals", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    public, secret = powers()
    print(f"one power: {1000 * public:.2f} ms, with a secret exponent {1000 * secret:.2f} ms")
    record, shares = ceremony(manifest_of(given.totals), given.guardians, given.quorum, given.runs, public, secret)
    # The work depends on who is there: with neighbouring numbers the Lagrange coefficients are whole numbers.
    decryption(record, shares[: given.quorum], given.totals, given.runs, public, secret, verify=True)
    spread = [shares[round(place * (len(shares) - 1) / max(1, given.quorum - 1))] for place in range(given.quorum)]
    decryption(record, spread, given.totals, given.runs, public, secret, verify=False)


if __name__ == "__main__":
    main()
