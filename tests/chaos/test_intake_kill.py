"""The real service, killed under load at random moments: nothing acknowledged is lost, nothing is in twice."""

import contextlib
import random
import threading
import time
from pathlib import Path

from intake_helpers import Republic, ServiceProcess, log_signer, opened_log, republic
from log_helpers import check_log
from scrutineer.errors import TransportError
from scrutineer.intake import Refused, Registered, submit
from scrutineer.log import verify_entry_receipt

KILLS = 10
PER_ROUND = 500
VERIFIER = log_signer().verifier


def sheets(land: Republic, number: int) -> list[bytes]:
    stations = land.stations
    return [land.sheet(stations[n % len(stations)], time=number * PER_ROUND + n) for n in range(PER_ROUND)]


def send(batch: list[bytes], url: str, acknowledged: dict[bytes, bytes], patience: float) -> list[Refused]:
    refused: list[Refused] = []

    def registered(result: Registered) -> None:
        receipt = acknowledged.setdefault(batch[result.position], result.receipt)
        assert receipt == result.receipt

    submit(batch, url, VERIFIER, registered=registered, refused=refused.append, connections=16, patience=patience)
    return refused


def interrupted(batch: list[bytes], url: str, acknowledged: dict[bytes, bytes]) -> None:
    with contextlib.suppress(TransportError):
        send(batch, url, acknowledged, patience=0.0)


def test_kill_under_load(tmp_path: Path) -> None:
    chance = random.Random(20250101)
    land = republic(20)
    land.write(tmp_path)
    acknowledged: dict[bytes, bytes] = {}
    given: list[bytes] = []
    cut_short = 0
    for number in range(KILLS):
        service = ServiceProcess(tmp_path)
        # What was cut off last time is sent again first; whatever had been acknowledged must get the same receipt.
        batch = given[-PER_ROUND:] + sheets(land, number)
        given += batch[-PER_ROUND:]
        sender = threading.Thread(target=interrupted, args=(batch, service.url, acknowledged))
        sender.start()
        time.sleep(chance.uniform(0.01, 0.25))
        service.kill()
        sender.join()
        cut_short += given[-1] not in acknowledged
    assert cut_short, "no kill came in time to interrupt anything"

    service = ServiceProcess(tmp_path)
    before = dict(acknowledged)
    assert send(given, service.url, acknowledged, patience=30) == []
    assert len(acknowledged) == len(given)
    assert {sheet: acknowledged[sheet] for sheet in before} == before
    assert service.terminate() == 0

    with opened_log(tmp_path, land.definition) as (log, _):
        entries = list(log.entries())
        assert len(entries) == len(set(entries)) == 1 + len(given)
        check_log(log, entries)
        for sheet, receipt in acknowledged.items():
            assert entries[verify_entry_receipt(receipt, sheet, VERIFIER).index] == sheet
