"""Forged, replayed, malformed, oversized, strange and misdirected requests, mixed with honest sheets: nothing honest is lost.

SCRUTINEER_ATTACK=1000000 sends so many bad requests, and up to 30,000 honest sheets among them.
"""

import collections
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import uvloop

from attack_helpers import AttackedService, post, send_all
from intake_helpers import log_signer, opened_log, republic, station_key
from log_helpers import check_log
from scrutineer.intake import Refused, Registered, submit
from scrutineer.log import verify_entry_receipt
from scrutineer.statements import SigningKey

BAD = int(os.environ.get("SCRUTINEER_ATTACK", "20000"))
HONEST = min(30_000, max(1_000, BAD // 10))
LAND = republic(1_000)
STATIONS = LAND.stations

REASONS = {
    "forged": "bad-signature",
    "replayed": "duplicate",
    "malformed": "malformed",
    "oversized": "too-large",
    "elsewhere": "wrong-election",
    "stranger": "unknown-key",
    "nobody": "unknown-issuer",
    "packed": "content-encoding",
}
SHARES = (30, 15, 15, 1, 10, 20, 8, 1)  # of a hundred


def samples(source: random.Random, recorded: list[bytes]) -> dict[str, list[bytes]]:
    """Some hundred requests of each bad kind."""
    stranger = SigningKey(b"?" * 32)
    made: dict[str, list[bytes]] = collections.defaultdict(list)
    for number in range(200):
        station = source.choice(STATIONS)
        sheet = LAND.sheet(station, time=50_000 + number)
        made["forged"].append(post(sheet[:-1] + bytes([sheet[-1] ^ 1 + source.randrange(255)])))
        made["replayed"].append(post(source.choice(recorded)))
        at = source.randrange(1, len(sheet))
        made["malformed"].append(post(source.choice([sheet[:at], sheet[at:], sheet + b"\0", source.randbytes(300)])))
        made["elsewhere"].append(post(LAND.sheet(station, election=source.randbytes(32))))
        made["stranger"].append(post(LAND.sign(LAND.sheet_of(station), f"station/{station}", stranger.derive(str(number)))))
        made["nobody"].append(post(LAND.sign(LAND.sheet_of(station), f"station/x{number}", station_key(station))))
        made["packed"].append(post(sheet, b"content-encoding: gzip"))
    made["oversized"] = [post(bytes(70_000)), post(bytes(200_000))]
    return made


def test_everything_at_once(tmp_path: Path) -> None:
    source = random.Random(7)
    honest = [LAND.sheet(STATIONS[number % len(STATIONS)], time=number) for number in range(HONEST)]
    first, rest = honest[:200], honest[200:]
    kinds = source.choices(list(REASONS), SHARES, k=BAD)
    results: list[Registered] = []
    refused: list[Refused] = []
    with AttackedService(LAND, tmp_path) as service:
        verifier = log_signer().verifier
        submit(first, service.url, verifier, registered=lambda _: None, refused=refused.append)
        made = samples(source, first)
        counter: collections.Counter[str] = collections.Counter()
        memory: list[int] = []

        def attack() -> Iterator[tuple[str, bytes]]:
            for number, kind in enumerate(kinds):
                if number % (BAD // 10) == 0:
                    memory.append(service.memory())
                counter[kind] += 1
                yield kind, made[kind][counter[kind] % len(made[kind])]

        reporting = threading.Thread(
            target=submit,
            args=(rest, service.url, verifier),
            kwargs={"registered": results.append, "refused": refused.append},
        )
        reporting.start()
        heard = uvloop.run(send_all(service.port, attack()))
        reporting.join()
        memory.append(service.memory())
        report = service.stop()
    sent = collections.Counter(kinds)
    assert heard == {(kind, "" if kind == "replayed" else reason): sent[kind] for kind, reason in REASONS.items()}
    assert report["notes"] == {reason: sent[kind] for kind, reason in REASONS.items()}
    assert refused == []
    assert len(results) == len(rest)
    # The log keeps a little of each entry in memory; nothing else may stay.
    assert memory[-1] - memory[2] < 48_000_000 + 2_000 * HONEST, memory
    with opened_log(tmp_path, LAND.definition) as (log, _):
        entries = list(log.entries())
        check_log(log, entries)
        assert sorted(entries[1:]) == sorted(honest)
        for result in results:
            assert verify_entry_receipt(result.receipt, rest[result.position], verifier).index < len(entries)
