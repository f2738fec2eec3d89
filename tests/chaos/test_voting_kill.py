"""The voting machine, killed at random moments and on a full disk: every ballot that a voter was told is cast counts once."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from ceremony_helpers import decrypt
from poll_day_helpers import Reeds, day, end, pair, reeds, station_folder
from scrutineer.ballots.bundle import read_line
from scrutineer.ballots.confirmation import tracking_words
from scrutineer.ballots.record import Ballot
from scrutineer.errors import StoreError
from scrutineer.statements import TallySheet, parse_statement
from scrutineer.station.folder import StationFolder
from scrutineer.station.voting.day import PollDay
from voting_helpers import choices

KILLS = int(os.environ.get("SCRUTINEER_CHAOS", "6"))
TESTS = Path(__file__).parent.parent

VOTERS = """
import random, sys
from pathlib import Path
from poll_day_helpers import day, pair
from scrutineer.station.folder import StationFolder
from scrutineer.station.voting.day import PollDay
from voting_helpers import choices

of = day(StationFolder.load(Path(sys.argv[1])))
chance = random.Random(int(sys.argv[2]))
machine = of.machine
of.resume(pair(of, *chance.sample(["finch", "lark", "tern"], 2)))
if machine.interrupted is not None:
    print(machine.interrupted.status, machine.interrupted.words, flush=True)
print("resumed", flush=True)
while True:
    if machine.state == "ready":
        machine.activate(1, chance.random() < 0.1)
    provisional = machine.activation.provisional
    prepared = machine.prepare(choices(of.place.record.manifest, 1, chance))
    print("printed", prepared.words, flush=True)
    wish = chance.random()
    if wish < 0.1:
        machine.challenge()
        print("challenged", prepared.words, flush=True)
    elif wish < 0.2:
        machine.spoil()
        print("spoiled", prepared.words, flush=True)
    else:
        machine.cast()
        print("provisional" if provisional else "cast", prepared.words, flush=True)
"""

CLOSING = """
import sys
from pathlib import Path
from poll_day_helpers import Clock, day, pair
from scrutineer.station.folder import StationFolder

of = day(StationFolder.load(Path(sys.argv[1])), clock=Clock(float(sys.argv[2])))
print("begun", flush=True)
if of.stage == "suspended":
    of.resume(pair(of))
if of.stage == "active":
    of.machine.cancel()
if of.stage != "closed":
    of.close(pair(of))
print("closed", flush=True)
"""


def start(program: str, *arguments: object) -> "subprocess.Popen[str]":
    path = os.pathsep.join((str(TESTS), str(TESTS.parent / "src")))
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def killed(process: "subprocess.Popen[str]", first: str, more: int, moment: float) -> list[str]:
    """Kill a program so many lines and seconds after it has said its first word; the whole lines that it had said."""
    assert process.stdout is not None
    said = []
    left = -1
    for line in process.stdout:
        said.append(line)
        left = more if line.strip() == first else left - 1
        if left == 0:
            break
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    said += process.stdout.readlines()
    process.wait(30)
    process.stdout.close()
    return [line.strip() for line in said if line.endswith("\n")]


def ballots_of(bundle: Path) -> list[tuple[str, str]]:
    """Words and status of each ballot in a bundle, in the order of the chain."""
    values = [read_line(line) for line in bundle.read_bytes().splitlines(keepends=True)]
    return [(tracking_words(value.code), value.status) for value in values if isinstance(value, Ballot)]


def check(station: StationFolder, land: Reeds, told: dict[str, str]) -> None:
    """The bundle holds every ballot once as people were told, and its decrypted totals are those of the sheets."""
    of = day(station)
    assert of.stage == "closed"
    assert of.closing is not None
    bundle = of.place.folder / "bundle.jsonl"
    ballots = ballots_of(bundle)
    assert len(ballots) == len(told)
    status = dict(ballots)
    assert status == told
    record = decrypt(land.record, land.shares[:2], bundle, [opened for _, opened in of.machine.ballots() if opened is not None])
    sheets = [parse_statement(data).payload for data in of.closing.sheets]
    assert len(sheets) == len(record.contests)
    for totals, sheet in zip(record.contests, sheets, strict=True):
        assert isinstance(sheet, TallySheet)
        by_label = {field.label: field.total for field in totals.fields}
        assert (sheet.contest, sheet.blank, sheet.null) == (totals.label, by_label["*blank"], by_label["*null"])
        assert sheet.cast == sum(value == "cast" for value in status.values())
        assert sheet.records == hashlib.sha256(bundle.read_bytes()).digest()
        if sheet.rankings is None:
            labels = [option.id for option in of.place.election.contests[of.place.election.contest_index[sheet.contest]].options]
            assert list(sheet.counts) == [by_label[label] for label in labels]
        else:
            assert sum(count for _, count in sheet.rankings) + by_label["*blank"] == sheet.cast
    # One sheet for each contest has left, however often closing began.
    outbox = [parse_statement(entry.statement) for entry in of.outbox.entries()]
    assert sum(one.kind == "tally-sheet" for one in outbox) == len(sheets)
    assert not (of.place.folder / "totals.sealed").exists()
    end(of)


def enabled(station: StationFolder, told: dict[str, str]) -> PollDay:
    """The machine, enabled again after a kill; what became of an interrupted ballot is told."""
    of = day(station)
    of.resume(pair(of))
    if of.machine.interrupted is not None:
        tell(told, of.machine.interrupted.status, of.machine.interrupted.words)
    return of


def tell(told: dict[str, str], status: str, words: str) -> None:
    assert told.get(words, status) == status, "a ballot was told twice, with different ends"
    told[words] = status


def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(20260607)
    land = reeds()
    station = station_folder(tmp_path, land)
    of = day(station)
    of.open(pair(of))
    end(of)
    told: dict[str, str] = {}
    printed: set[str] = set()
    caught: Counter[str] = Counter()
    for number in range(KILLS):
        said = killed(start(VOTERS, station.folder, number), "resumed", chance.randrange(1, 24), chance.uniform(0.0, 0.03))
        assert "resumed" in said, "the machine could not be enabled"
        for place, line in enumerate(said):
            status, _, words = line.partition(" ")
            if status == "printed":
                printed.add(words)
            elif words:
                tell(told, status, words)
                caught[status] += place < said.index("resumed")
    end(enabled(station, told))
    assert printed <= set(told), "a paper was printed, and nobody was told what became of its ballot"
    assert len(told) > 3 * KILLS, "too few ballots between kills"
    assert caught["spoiled"], "no kill came between paper and answer"
    # Closing is killed as well, until it comes through.
    for number in range(max(3, KILLS // 3)):
        killed(start(CLOSING, station.folder, 1_780_830_000 + number), "begun", 0, chance.uniform(0.0, 0.1))
    last = start(CLOSING, station.folder, 1_780_840_000)
    assert "closed" in last.communicate(timeout=60)[0]
    check(station, land, told)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here: root is needed")
    try:
        full_disk(disk)
    finally:
        subprocess.run(["umount", disk], check=True)


def full_disk(disk: Path) -> None:
    """Forty voters on a disk that is filled to its last block again and again, and freed when a call was refused."""
    land = reeds()
    station = station_folder(disk, land)
    of = day(station)
    of.open(pair(of))
    chance = random.Random(5)
    told: dict[str, str] = {}
    filler = disk / "filler"
    said: list[str] = []
    for number in range(40):
        if number % 4 == 2:
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))
        while True:
            try:
                if of.machine.state == "ready":
                    of.machine.activate(1)
                prepared = of.machine.prepared or of.machine.prepare(choices(land.record.manifest, 1, chance))
                of.machine.cast()
                tell(told, "cast", prepared.words)
                break
            except StoreError as error:
                said.append(str(error))
                assert of.machine.state in ("ready", "active", "prepared"), "nothing was written, so nothing need stop"
                filler.unlink()
    assert len(said) >= 5, "the disk was never full"
    assert all("make room on the disk" in why for why in said)
    filler.unlink(missing_ok=True)
    of.close(pair(of))
    end(of)
    check(station, land, told)
