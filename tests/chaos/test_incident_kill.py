"""The real service with its record, killed at any moment: at most the open window is lost, and nothing in the chain breaks."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from incident_helpers import bad_request, logged_incidents, send, totals, windows
from intake_helpers import Republic, log_signer, republic
from scrutineer.intake.incidents import check_summaries, read_journal
from scrutineer.log import Log, SqliteStore
from scrutineer.statements import statement_hash

KILLS = int(os.environ.get("SCRUTINEER_CHAOS", "5"))
KINDS = ("forged-signature", "malformed", "scan")

SERVER = """
import json, sys
from pathlib import Path
from incident_helpers import operator_admitted, sign_incident
from intake_helpers import opened_log, republic
from scrutineer.intake import Service
from scrutineer.intake.incidents import IncidentRecord
folder, land = Path(sys.argv[1]), republic()
with opened_log(folder, land.definition) as (log, store):
    log.append([operator_admitted(land)])
    record = IncidentRecord.open(folder / "incidents", land.election.hash, window=0.05)
    ready = lambda address: print(json.dumps(address.url), flush=True)
    companion = record.companion(sign_incident, every=0.12)
    Service(log, land.write(folder), checkers=1, note=record.note, beside=[companion], ready=ready).run()
    record.close()
"""


class Process:
    """The service with its record, and a client that sends bad requests until nobody answers."""

    def __init__(self, folder: Path, land: Republic) -> None:
        root = Path(__file__).parent.parent.parent
        path = os.pathsep.join((str(root / "tests"), str(root / "src")))
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(folder)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
        )
        assert self.process.stdout is not None
        parts = urlsplit(json.loads(self.process.stdout.readline()))
        self.address = (str(parts.hostname), int(parts.port or 0))
        self.answered: list[tuple[float, str]] = []
        """When each request was sent that was answered, in order, and its kind."""
        self.unanswered = 0
        self.client = threading.Thread(target=self._send, args=(land,))
        self.client.start()

    def _send(self, land: Republic) -> None:
        made = {kind: [bad_request(land, kind, number) for number in range(5)] for kind in KINDS}
        chance = random.Random(7)
        while True:
            kind, sent = chance.choice(KINDS), time.time()
            try:
                (_,) = send(self.address, [chance.choice(made[kind])])
            except (OSError, HTTPException):
                self.unanswered = 1
                return
            self.answered.append((sent, kind))

    def end(self, *, kill: bool) -> None:
        (self.process.kill if kill else self.process.terminate)()
        self.client.join(30)
        assert self.process.wait(30) == (-9 if kill else 0)
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_killed_at_any_moment_at_most_the_open_window_is_lost(tmp_path: Path) -> None:
    chance, land = random.Random(20270314), republic()
    known, known_totals = 0, Counter[str]()
    for kill in [*[True] * KILLS, False]:
        process = Process(tmp_path, land)
        journal = tmp_path / "incidents"
        while len(windows(journal)) == known:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        before = Counter(totals(journal))
        process.end(kill=kill)
        # What a reader saw is there still, and what was answered before the end of the last window is in it.
        now = windows(journal)
        written = Counter(totals(journal))
        assert all(written[kind] >= count for kind, count in before.items())
        this_run = Counter({kind: written[kind] - known_totals[kind] for kind in KINDS})
        answered = Counter(kind for _, kind in process.answered)
        assert sum(this_run.values()) <= sum(answered.values()) + process.unanswered
        due = Counter(kind for sent, kind in process.answered if sent < now[-1].until - 1)
        assert all(this_run[kind] >= count for kind, count in due.items())
        if not kill:
            assert this_run.total() >= answered.total()
        known, known_totals = len(now), written
        assert read_journal(journal).findings == []
    log = Log.open(SqliteStore.open_reader(tmp_path / "log.sqlite"), log_signer())
    try:
        entries = list(log.entries())
    finally:
        log.close()
    # Every request in the journal is in exactly one signed summary, up to where these go: what was refused after the last of
    # them, while the service stopped, waits for the next run.
    logged = logged_incidents(entries)
    assert len({statement_hash(entry) for entry in entries}) == len(entries)
    assert check_summaries(logged) == []
    checked = read_journal(tmp_path / "incidents", logged)
    assert checked.findings == []
    summed = Counter[str]()
    for one in logged:
        assert one.incident.requests is not None
        summed.update({count.kind: count.count for count in one.incident.requests.counts})
    covered: Counter[str] = Counter()
    for window in windows(tmp_path / "incidents"):
        if window.n <= checked.covered:
            covered.update(window.totals)
    assert summed == covered
    assert len(logged) > KILLS
