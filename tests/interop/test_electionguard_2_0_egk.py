"""egk-ec, an independent implementation of ElectionGuard 2.0.0, verifies the test elections that we export.

It comes from https://github.com/JohnLCaron/egk-ec and needs Java. SCRUTINEER_EGK is the class path with its RunVerifier, such
as the jar that its `gradlew uberJar` makes (docs/decisions/electionguard-2.0-export.md).
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ballot_helpers import every_contest
from scrutineer.ballots.version_2_0.election import TestElection, export_election

CLASSES = os.environ.get("SCRUTINEER_EGK", "")
BALLOTS = 6

pytestmark = [
    pytest.mark.skipif(not CLASSES, reason="SCRUTINEER_EGK does not say where egk-ec is"),
    pytest.mark.skipif(shutil.which("java") is None, reason="needs Java 17 or newer"),
]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("egk") / "record"
    for path, data in export_election(TestElection(every_contest(), BALLOTS, "egk", 5, 3)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def verify(folder: Path) -> str:
    command = ["java", "-cp", CLASSES, "org.cryptobiotic.eg.cli.RunVerifier", "-in", str(folder), "-nthreads", "2"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    return result.stdout + result.stderr


def test_an_existing_verifier_accepts_our_export(record: Path) -> None:
    told = verify(record)
    assert "verify allOK = true" in told, told
    assert f"verify {BALLOTS} EncryptedBallots = true" in told
    assert "7. verifyConfirmationChain true" in told
    assert "verify 1 ChallengedBallots true" in told


def flipped(value: str) -> str:
    data = bytearray(base64.b64decode(value))
    data[-1] ^= 1
    return base64.b64encode(data).decode()


def change_proof(value: Any) -> None:
    proof = value["contests"][0]["selections"][0]["proof"]["proofs"][0]
    proof["response"] = flipped(proof["response"])


def change_total(value: Any) -> None:
    value["contests"][0]["selections"][0]["tally"] += 1


def change_chain(value: Any) -> None:
    value["closing_hash"] = flipped(value["closing_hash"])


@pytest.mark.parametrize(
    ("path", "change", "complaint"),
    [
        ("encrypted_ballots/device-1/eballot-ballot-1.json", change_proof, "5.D"),
        ("tally.json", change_total, "incorrect Decryption"),
        ("encrypted_ballots/device-1/ballot_chain.json", change_chain, "7.G"),
    ],
)
def test_it_refuses_a_changed_one(record: Path, tmp_path: Path, path: str, change: Callable[[Any], None], complaint: str) -> None:
    folder = Path(shutil.copytree(record, tmp_path / "changed"))
    value = json.loads((folder / path).read_bytes())
    change(value)
    (folder / path).write_text(json.dumps(value))
    told = verify(folder)
    assert "verify allOK = false" in told, told
    assert complaint in told
