"""Exported test elections, checked by a verifier of tests that was written from the specification of 2.0.0."""

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ballot_helpers import SMALL, every_contest, seeded
from scrutineer.ballots.manifest import ManifestContest
from scrutineer.ballots.version_2_0.election import TestElection, count_lot, draw_ballot, export_election, fit_manifest
from scrutineer.ballots.version_2_0.hashes import Dialect
from scrutineer.errors import BallotError
from second_version_2_0 import Reading

Json = dict[str, Any]


@cache
def files(dialect: Dialect = Dialect.EGK) -> dict[str, bytes]:
    """Six ballots with every kind of contest, of which one is challenged."""
    return dict(export_election(TestElection(every_contest(), 6, "lot", 5, 3, dialect), SMALL, seeded(dialect)))


def write(folder: Path, record: dict[str, bytes]) -> Path:
    for path, data in record.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def failed(folder: Path, *, letter: bool = False) -> set[str]:
    return Reading(folder, int(SMALL.p), int(SMALL.q), int(SMALL.g), letter=letter).failed


@pytest.mark.parametrize("dialect", Dialect)
def test_an_export_passes_every_check(tmp_path: Path, dialect: Dialect) -> None:
    folder = write(tmp_path, files(dialect))
    assert not failed(folder, letter=dialect is Dialect.SPECIFICATION)


def test_the_dialects_differ_where_they_should(tmp_path: Path) -> None:
    assert failed(write(tmp_path / "egk", files()), letter=True) == {"7.B", "7.E", "7.G", "14.B"}
    assert failed(write(tmp_path / "text", files(Dialect.SPECIFICATION))) == {"7.B", "7.E", "7.G", "14.B"}


def test_the_tally_is_that_of_the_lot() -> None:
    tally = json.loads(files()["tally.json"])
    found = [tuple(option["tally"] for option in contest["selections"]) for contest in tally["contests"]]
    election = TestElection(every_contest(), 6, "lot")
    assert found == list(count_lot(election).values())
    assert sum(map(sum, found)) > 0
    cast = json.loads(files()["encrypted_tally.json"])["cast_ballot_ids"]
    assert cast == ["ballot-1", "ballot-2", "ballot-3", "ballot-4", "ballot-6"]


def test_a_seed_decides_the_lot_and_nothing_else() -> None:
    manifest = fit_manifest(every_contest(), Dialect.EGK)
    assert draw_ballot(manifest, "a", 3) == draw_ballot(manifest, "a", 3)
    assert [draw_ballot(manifest, "a", n) for n in range(1, 9)] != [draw_ballot(manifest, "b", n) for n in range(1, 9)]
    again = dict(export_election(TestElection(every_contest(), 1, "lot"), SMALL, seeded("another")))
    assert again["manifest.json"] == files()["manifest.json"]
    assert again["election_initialized.json"] != files()["election_initialized.json"]


def test_no_ballot_tells_a_time() -> None:
    assert {json.loads(data)["timestamp"] for path, data in files().items() if "eballot" in path} == {0}


def test_contests_are_made_to_fit() -> None:
    fitted = fit_manifest(every_contest(), Dialect.EGK).contests
    assert fitted[2] == ManifestContest("scores", ("elm", "oak"), 2, 2)
    assert not any(contest.fields or contest.data_blocks for contest in fitted)
    assert fit_manifest(every_contest(), Dialect.SPECIFICATION).contests[2] == ManifestContest("scores", ("elm", "oak"), 5, 3)


def flip(value: str) -> str:
    """The last bit of base64 bytes the other way."""
    data = bytearray(base64.b64decode(value))
    data[-1] ^= 1
    return base64.b64encode(data).decode()


def turned(*path: str | int) -> Callable[[Json], None]:
    def change(value: Json) -> None:
        at: Any = value
        for step in path[:-1]:
            at = at[step]
        old = at[path[-1]]
        at[path[-1]] = flip(old) if isinstance(old, str) else old + 1

    return change


BALLOT = "encrypted_ballots/device-1/eballot-ballot-1.json"
OPENED = "challenged_ballots/dballot-ballot-5.json"
FIRST = ("contests", 0)
OPTION = (*FIRST, "selections", 0)
CHANGES: list[tuple[str, Callable[[Json], None], str]] = [
    ("election_config.json", turned("parameter_base_hash"), "1.F"),
    ("election_config.json", turned("manifest_hash"), "1.G"),
    ("election_config.json", turned("election_base_hash"), "1.H"),
    ("election_initialized.json", turned("guardians", 1, "coefficient_proofs", 2, "response"), "2.C"),
    ("election_initialized.json", turned("guardians", 0, "coefficient_proofs", 0, "public_key"), "2.A"),
    ("election_initialized.json", turned("joint_public_key"), "3.B"),
    ("election_initialized.json", turned("extended_base_hash"), "4.A"),
    (BALLOT, turned(*OPTION, "encrypted_vote", "pad"), "5.A"),
    (BALLOT, turned(*OPTION, "proof", "proofs", 0, "response"), "5.D"),
    (BALLOT, turned(*FIRST, "proof", "proofs", 1, "challenge"), "6.D"),
    (BALLOT, turned(*FIRST, "contest_hash"), "7.A"),
    (BALLOT, turned("confirmation_code"), "7.B"),
    ("encrypted_ballots/device-1/ballot_chain.json", turned("closing_hash"), "7.G"),
    ("encrypted_tally.json", turned(*OPTION, "encrypted_vote", "pad"), "8.A"),
    ("encrypted_tally.json", turned(*OPTION, "encrypted_vote", "data"), "8.B"),
    ("tally.json", turned(*OPTION, "proof", "challenge"), "9.B"),
    ("tally.json", turned(*OPTION, "tally"), "10.A"),
    (OPENED, turned(*OPTION, "proof", "response"), "12.B"),
    (OPENED, turned(*OPTION, "tally"), "13.A"),
    (OPENED, turned(*FIRST, "decrypted_contest_data", "beta"), "14.B"),
]


@pytest.mark.parametrize(("path", "change", "check"), CHANGES, ids=[check for _, _, check in CHANGES])
def test_a_changed_record_fails(tmp_path: Path, path: str, change: Callable[[Json], None], check: str) -> None:
    value = json.loads(files()[path])
    change(value)
    assert check in failed(write(tmp_path, {**files(), path: json.dumps(value).encode()}))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(BallotError, match="1 to 100000 ballots"):
        TestElection(every_contest(), 0, "")
    with pytest.raises(BallotError, match="quorum of 4"):
        list(export_election(TestElection(every_contest(), 1, "", 3, 4), SMALL, seeded(1)))
