"""`trustees`: a whole ceremony in folders, decryption with two trustees missing, and everything that can be wrong on the way."""

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import msgspec
import pytest
from ballot_helpers import SMALL, every_contest, seeded
from cli_helpers import call, refused

from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.encrypt import ContestChoice, Encryptor, open_ballot
from scrutineer.ballots.keys import election_keys, read_key_record
from scrutineer.ballots.manifest import read_manifest
from scrutineer.ballots.record_check import Source, check_record
from scrutineer.ballots.rounds import RevealLine, RoundReader, RoundWriter
from scrutineer.ballots.tally_check import read_tally
from scrutineer.cli import trustee_folder

WORDS = "correct heron battery siskin"
NAMES = ("Ana", "Bea", "Cai", "Dov", "Eli")


@pytest.fixture(autouse=True)
def small_group() -> Iterator[None]:
    with mock.patch.object(trustee_folder, "group", SMALL), mock.patch.object(trustee_folder, "SCRYPT_COST", 2**10):
        yield


def begin(base: Path, count: int = 5, quorum: int = 3) -> Path:
    """All trustees' first step; their public files lie in one folder, as on a stick that goes around."""
    base.mkdir(exist_ok=True)
    (base / "manifest.json").write_bytes(every_contest().encode())
    for index in range(1, count + 1):
        new(base, index, count, quorum)
    return base


def new(base: Path, index: int, count: int, quorum: int, *options: object) -> None:
    call(
        *("trustees", "new", base / f"t{index}", "--manifest", base / "manifest.json", "--index", index, "--of", count),
        *("--quorum", quorum, "--name", NAMES[index - 1], "--no-passphrase", "--to", base / "stick", *options),
    )


def shared(base: Path, count: int = 5, quorum: int = 3) -> Path:
    begin(base, count, quorum)
    for index in range(1, count + 1):
        call("trustees", "share", base / f"t{index}", base / "stick", "--to", base / "stick")
    return base


def confirmed(base: Path, count: int = 5, quorum: int = 3) -> Path:
    shared(base, count, quorum)
    for index in range(1, count + 1):
        call("trustees", "receive", base / f"t{index}", base / "stick")
    call("trustees", "finish", base / "stick", "--manifest", base / "manifest.json", "-o", base / "ballots.json")
    for index in range(1, count + 1):
        call("trustees", "confirm", base / f"t{index}", base / "ballots.json")
    return base


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five trustees who have confirmed, and two stations' bundles; copied by each test."""
    with mock.patch.object(trustee_folder, "group", SMALL):
        base = confirmed(tmp_path_factory.mktemp("trustees") / "all")
    voted(base, "north-1", 3)
    voted(base, "south-1", 2)
    return base


@pytest.fixture
def base(keys: Path, tmp_path: Path) -> Path:
    return shutil.copytree(keys, tmp_path / "base")


def voted(base: Path, station: str, cast: int) -> None:
    """A bundle with some ballots for wren, a challenged and a spoiled one; the device's openings beside it."""
    record = read_key_record((base / "ballots.json").read_bytes(), SMALL)
    own = election_keys(record, SMALL)
    encryptor, writer = Encryptor(own, random=seeded(station)), BundleWriter(own, station, f"device of {station}")
    lines, openings = [writer.header()], []
    for number in range(cast + 2):
        choices = {1: ContestChoice((1, 0, 0, 0, 0)), 4: ContestChoice((0, 1, 0, 0))}
        made = encryptor.encrypt(2, choices, writer.chain)
        status = "challenged" if number == 1 else "spoiled" if number == 2 else "cast"
        ballot = msgspec.structs.replace(made.ballot, status=status)
        if status == "challenged":
            openings.append(msgspec.json.encode(open_ballot(own, ballot, made.nonce)) + b"\n")
        lines.append(writer.add(ballot))
    lines.append(writer.close())
    (base / "bundles").mkdir(exist_ok=True)
    (base / "bundles" / f"{station}.ballots").write_bytes(b"".join(lines))
    (base / f"{station}.openings").write_bytes(b"".join(openings))


def step(base: Path, name: str, index: int, *options: object) -> None:
    what = (base / "bundles", "--present", "1,3,5", *options) if name == "commit" else (base / "carried", *options)
    call("trustees", "tally", name, base / f"t{index}", *what, "--to", base / "carried")


def rounds(base: Path, *options: object) -> None:
    for name in ("commit", "reveal", "respond"):
        for index in (1, 3, 5):
            step(base, name, index, *(options if name == "commit" else ()))


def combine(base: Path, *options: object, code: int = 0) -> str:
    arguments = ("trustees", "tally", "combine", base / "bundles", "--keys", base / "ballots.json", "--from", base / "carried")
    given = (*arguments, "-o", base / "tallies", *options)
    return refused(*given) if code else call(*given, "--json").out


def test_a_ceremony_and_a_tally_with_two_missing(base: Path) -> None:
    rounds(base)
    found = json.loads(combine(base))
    totals = {each["station"]: each["totals"]["warden"] for each in found}
    assert totals == {
        "north-1": {"wren": 3, "owl": 0, "heron": 0, "*blank": 0, "*null": 0},
        "south-1": {"wren": 2, "owl": 0, "heron": 0, "*blank": 0, "*null": 0},
    }
    assert [len(each["opened"]) for each in found] == [1, 1]
    bundles = [Source(path.name, lambda path=path: [path.read_bytes()]) for path in sorted((base / "bundles").iterdir())]  # type: ignore[misc]
    tallies = [Source(path.name, lambda path=path: [path.read_bytes()]) for path in sorted((base / "tallies").iterdir())]  # type: ignore[misc]
    report = check_record((base / "ballots.json").read_bytes(), bundles, tallies, group=SMALL)
    assert report.passed, report.failures
    shown = call(
        *("trustees", "tally", "combine", base / "bundles", "--keys", base / "ballots.json", "--from", base / "carried"),
        *("-o", base / "tallies"),
    ).out
    assert "Totals of 2 bundle(s)" in shown
    assert "All proofs hold. 2 challenged ballot(s) opened." in shown
