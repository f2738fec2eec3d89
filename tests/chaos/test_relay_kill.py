"""A relay, killed under load at random moments: nothing that it called held is lost, and everything is in the log once."""

import http.client
import os
import random
import threading
import time
from pathlib import Path

import pytest

from intake_helpers import ServiceProcess, log_signer, opened_log, republic
from log_helpers import check_log
from relay_helpers import RelayProcess, ask
from scrutineer.log import verify_entry_receipt
from scrutineer.statements import statement_hash
from scrutineer.station.bundle import Bundle, encode_bundle
from scrutineer.station.outbox import Outbox
from scrutineer.station.relay_service import BUNDLE_TYPE

KILLS = int(os.environ.get("SCRUTINEER_CHAOS", "5"))
SENDERS = 4
VERIFIER = log_signer().verifier


def test_kill_under_load(tmp_path: Path) -> None:
    chance = random.Random(20250101)
    land = republic(8 * max(KILLS, 5))  # so many that no key has more sheets than a relay takes
    files = land.write(tmp_path)
    intake = ServiceProcess(tmp_path)
    held: set[bytes] = set()
    given: set[bytes] = set()
    lock = threading.Lock()

    def load(url: str, number: int, sender: int) -> None:
        """Post single statements and bundles until the relay is gone; take note of what was called held."""
        step = 0
        while True:
            step += 1
            time_of_sheet = (number * SENDERS + sender) * 10_000 + step
            sheets = [land.sheet(station, time=time_of_sheet) for station in chance.sample(land.stations, 1 if step % 2 else 5)]
            with lock:
                given.update(sheets)
            try:
                if len(sheets) == 1:
                    reply = ask(url, "POST", "/entries", sheets[0])
                else:
                    body = encode_bundle(Bundle.of_statements(land.election.hash, sheets))
                    reply = ask(url, "POST", "/statements", body, BUNDLE_TYPE.decode())
            except (OSError, http.client.HTTPException):  # The relay is gone, perhaps in the middle of an answer.
                return
            assert reply.status in (200, 202), reply
            with lock:
                held.update(sheets)

    relay_folder = tmp_path / "relay"
    for number in range(KILLS):
        relay = RelayProcess(relay_folder, files.definition, intake.url)
        threads = [threading.Thread(target=load, args=(relay.url, number, sender)) for sender in range(SENDERS)]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 0.5))
        relay.kill()
        for thread in threads:
            thread.join()
        outbox = Outbox.open(relay_folder / "outbox.sqlite")
        lost = [sheet for sheet in held if outbox.find(statement_hash(sheet)) is None]
        outbox.close()
        assert not lost, f"kill {number}: {len(lost)} of {len(held)} lost"
    assert len(held) > KILLS * SENDERS
    assert given != held, "no kill came in time to interrupt anything"

    relay = RelayProcess(relay_folder, files.definition, intake.url)
    deadline = time.monotonic() + 20
    waits = set(held)
    while waits and time.monotonic() < deadline:
        for sheet in list(waits):
            reply = ask(relay.url, "GET", f"/receipts/{statement_hash(sheet).hex()}")
            if reply.status != 200:
                assert reply.problem.code == "not-recorded-yet"
                time.sleep(0.05)
                break
            verify_entry_receipt(reply.body, sheet, VERIFIER)
            waits.discard(sheet)
    assert not waits, f"{len(waits)} of {len(held)} are not in the log"
    assert relay.terminate()[0] == 0
    assert intake.terminate() == 0
    with opened_log(tmp_path, land.definition) as (log, _):
        entries = list(log.entries())
        assert len(entries) == len(set(entries))
        assert held <= set(entries) <= given | {land.definition}
        check_log(log, entries)


def test_a_second_relay_does_not_use_the_same_folder(tmp_path: Path) -> None:
    files = republic().write(tmp_path)
    relay = RelayProcess(tmp_path / "relay", files.definition, "http://127.0.0.1:9")
    try:
        with pytest.raises(AssertionError, match="another relay runs"):
            RelayProcess(tmp_path / "relay", files.definition, "http://127.0.0.1:9")
    finally:
        code, out, err = relay.terminate()
    assert (code, "Traceback" in err) == (0, False), err
    assert "0 wait" in out
