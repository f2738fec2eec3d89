"""Between stations and centre packets are lost, late, doubled and out of order, or the line is cut: every sheet arrives once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from intake_helpers import SERVER, Republic, log_signer, republic
from log_helpers import check_log
from network_link import Link, Weather, link
from scrutineer.log import Log, SqliteStore
from scrutineer.statements import statement_hash

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "tests"), str(ROOT / "src")))}
PORT = 8470

SENDER = """
import json, sys
from pathlib import Path
from intake_helpers import log_signer
from scrutineer.intake import submit
from scrutineer.log.tiles import decode_bundle
statements = decode_bundle(Path(sys.argv[1]).read_bytes())
say = lambda **what: print(json.dumps(what), flush=True)
submit(
    statements, sys.argv[2], log_signer().verifier, connections=int(sys.argv[3]), patience=120.0,
    registered=lambda done: say(position=done.position, index=done.content.index),
    refused=lambda refused: say(refused=refused.problem.code),
)
"""


@contextmanager
def centre(between: Link, folder: Path) -> Iterator[str]:
    """The service, in its own place; its address as the stations see it."""
    server = SERVER.replace("Service(log, files,", f"Service(log, files, host={between.address('centre')!r},")
    command = between.command("centre", sys.executable, "-c", server, str(folder), str(folder), str(PORT))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT) as service:
        assert service.stdout is not None
        said = json.loads(service.stdout.readline())
        try:
            yield said["url"]
        finally:
            service.terminate()
            service.wait(30)


def sheets(state: Republic, count: int) -> list[bytes]:
    return [state.sheet(time=1_735_700_000 + number) for number in range(count)]


@pytest.mark.parametrize(
    ("weather", "count", "connections"),
    [
        (Weather(loss=0.3, delay=0.01, jitter=0.02, doubled=0.1), 60, 4),
        (Weather(delay=2.0, jitter=0.2, doubled=0.3), 40, 8),
        (Weather(delay=0.05, jitter=0.02), 250, 2),
    ],
    ids=["a third is lost", "two seconds late", "cut and mended"],
)
def test_every_sheet_arrives_once(tmp_path: Path, weather: Weather, count: int, connections: int) -> None:
    state = republic()
    state.write(tmp_path)
    statements = sheets(state, count)
    path = tmp_path / "sheets"
    path.write_bytes(b"".join(len(statement).to_bytes(2) + statement for statement in statements))
    with link(len(statements)) as between:
        with centre(between, tmp_path) as url:
            between.weather = weather
            command = between.command("stations", sys.executable, "-c", SENDER, str(path), url, str(connections))
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT) as sender:
                assert sender.stdout is not None
                said = []
                for number, line in enumerate(sender.stdout):
                    said.append(json.loads(line))
                    if weather.loss == 0 and weather.delay < 1 and number in (20, 200):
                        between.weather = Weather(cut=True)
                        time.sleep(1.5)
                        between.weather = weather
            assert sender.returncode == 0
        assert between.carried > count / connections
        if weather.loss:
            assert between.lost > 50
        if weather.doubled:
            assert between.doubled > 5
    log = Log.open(SqliteStore.open(tmp_path / "log.sqlite"), log_signer())
    entries = list(log.entries())
    check_log(log, entries)
    log.close()
    assert sorted(entries[1:]) == sorted(statements)
    places = {item["position"]: item["index"] for item in said}
    assert len(said) == len(places) == count
    assert all(statement_hash(entries[index]) == statement_hash(statements[position]) for position, index in places.items())
