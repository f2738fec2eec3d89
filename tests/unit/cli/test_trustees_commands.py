"""`trustees`: a decryption with two trustees missing, and everything that can be wrong on the way."""

import base64
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import msgspec
import pytest

from ballot_helpers import SMALL, seeded
from cli_helpers import call, refused
from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.confirmation import confirmation_code
from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.keys import election_keys, read_key_record
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.record_check import Source, check_record
from scrutineer.ballots.tally_check import read_tally
from scrutineer.cli import trustee_folder
from scrutineer.cli.trustee_inputs import verify_bundles
from scrutineer.errors import BallotError
from trustees_helpers import combine, confirmed, forged, rounds, step, voted


@pytest.fixture(autouse=True)
def small_group() -> Iterator[None]:
    with mock.patch.object(trustee_folder, "group", SMALL), mock.patch.object(trustee_folder, "SCRYPT_COST", 2**10):
        yield


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


def test_openings_of_the_device_spare_the_trustees_the_nonces(base: Path) -> None:
    openings = ("--openings", base / "north-1.openings", "--openings", base / "south-1.openings")
    rounds(base, *openings)
    assert b"nonces" in (base / "carried" / "trustee-1.commit.jsonl").read_bytes()
    assert '"opened"' in combine(base, *openings)
    assert [len(read_tally(path.read_bytes()).challenged) for path in (base / "tallies").iterdir()] == [1, 1]
    assert "not the bundles, --openings and --data that the trustees decrypted" in combine(base, code=1)


def test_an_opening_that_is_wrong_or_belongs_nowhere_is_refused(base: Path) -> None:
    path = base / "north-1.openings"
    path.write_bytes(path.read_bytes().replace(b'"value":1', b'"value":0', 1))
    arguments = ("trustees", "tally", "commit", base / "t1", base / "bundles", "--present", "1,3,5", "--openings")
    assert "(check 13.B); leave this opening out" in refused(*arguments, path)
    (base / "bundles" / "south-1.ballots").rename(base / "south-1.ballots")
    assert "belongs to no challenged ballot of these bundles" in refused(*arguments, base / "south-1.openings")
    path.write_bytes(b"{}\n")
    assert "north-1.openings, line 1: not an opened ballot" in refused(*arguments, path)


def test_a_lost_disk_and_too_few_trustees(base: Path) -> None:
    (base / "t3" / "secret.json").unlink()
    commit = ("trustees", "tally", "commit")
    words = refused(*commit, base / "t3", base / "bundles", "--present", "1,3,5", code=2)
    assert "holds no trustee" in words
    assert "the others go on as long as a quorum of them is left" in words
    words = refused(*commit, base / "t1", base / "bundles", "--present", "1,5")
    assert "2 of 5 trustees are here and 3 are needed: with fewer nothing can be decrypted by anyone" in words
    assert "paper records are counted" in words
    (base / "t5" / "secret.json").write_bytes(b"\x00" * 100)
    assert "secret.json is damaged and cannot be read" in refused(
        *commit, base / "t5", base / "bundles", "--present", "1,2,4", code=2
    )
    assert "who is not named in --present" in refused(*commit, base / "t2", base / "bundles", "--present", "1,3,4", code=2)
    assert "'one' is not a list" in refused(*commit, base / "t2", base / "bundles", "--present", "one", code=2)


def test_a_bundle_that_does_not_verify_is_not_decrypted(base: Path) -> None:
    path = base / "bundles" / "north-1.ballots"
    lines = path.read_bytes().splitlines(keepends=True)
    ballot = json.loads(lines[1])
    first, second = ballot["contests"][0]["selections"][:2]
    first["proof"], second["proof"] = second["proof"], first["proof"]
    lines[1] = msgspec.json.encode(ballot, order="sorted") + b"\n"
    path.write_bytes(b"".join(lines))
    words = refused("trustees", "tally", "commit", base / "t1", base / "bundles", "--present", "1,3,5")
    assert "nothing is decrypted" in words
    assert "(check 6.D)" in words
    assert not list((base / "t1" / "rounds").glob("*/commit"))


def test_a_second_bundle_of_the_same_device_is_refused(base: Path) -> None:
    step(base, "commit", 1)
    voted(base, "north-1", 4)
    words = refused("trustees", "tally", "commit", base / "t1", base / "bundles", "--present", "1,3,5", "--attempt", 2)
    assert "another bundle of station north-1 was decrypted here before" in words


def copied(base: Path, station: str, number: int, company: int) -> Path:
    """A bundle of an invented device with one published ballot, and others that anybody can encrypt; it passes verification."""
    own = election_keys(read_key_record((base / "ballots.json").read_bytes(), SMALL), SMALL)
    published = (base / "bundles" / f"{station}.ballots").read_bytes().splitlines(keepends=True)
    taken = msgspec.json.decode(published[number], type=Ballot)
    encryptor, writer = Encryptor(own, random=seeded("company")), BundleWriter(own, "east-1", "any device")
    lines = [writer.header()]
    code = confirmation_code(taken.identifier_hash, [contest.hash for contest in taken.contests], writer.chain)
    lines.append(writer.add(msgspec.structs.replace(taken, chain=writer.chain, code=code, status="cast")))
    for _ in range(company):
        choices = {1: ContestChoice((0, 1, 0, 0, 0)), 4: ContestChoice((0, 1, 0, 0))}
        lines.append(writer.add(encryptor.encrypt(2, choices, writer.chain).ballot))
    path = base / "copied" / "east-1.ballots"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join([*lines, writer.close()]))
    report = check_record((base / "ballots.json").read_bytes(), [Source("copied", lambda: [path.read_bytes()])], group=SMALL)
    assert report.passed
    return path


@pytest.mark.parametrize(("number", "company"), [(1, 0), (3, 12)])
def test_a_ballot_that_was_decrypted_is_not_decrypted_again_in_other_company(base: Path, number: int, company: int) -> None:
    """Its proofs hold in any bundle. Alone, or among ballots whose content is known, its vote would be shown."""
    path = copied(base, "north-1", number, company)
    step(base, "commit", 1)
    step(base, "commit", 1)
    secret = (base / "t1" / "secret.json").read_bytes()
    for attempt in (1, 2):
        arguments = ("trustees", "tally", "commit", base / "t1", path, "--present", "1,3,5", "--attempt", attempt)
        said = refused(*arguments, "--to", base / "carried")
        assert f"holds ballot {number} of the bundle" in said
        assert "decrypted here before" in said
    assert (base / "t1" / "secret.json").read_bytes() == secret
    # Together with the bundle that it was taken from, it is found by 5.A.
    assert "(check 5.A)" in refused("trustees", "tally", "commit", base / "t1", path, base / "bundles", "--present", "1,3,5")


def test_a_machine_that_lost_what_it_remembers_decrypts_nothing_new(base: Path) -> None:
    path = copied(base, "north-1", 1, 0)
    step(base, "commit", 1)
    for file in (base / "t1" / "decrypted").iterdir():
        file.unlink()
    assert "put the folder back" in refused("trustees", "tally", "commit", base / "t1", path, "--present", "1,3,5")


def test_a_stick_that_gives_other_bytes_to_each_reading_gains_nothing(base: Path) -> None:
    """What is verified is what is decrypted, by its hash."""
    keys, path = (base / "ballots.json").read_bytes(), base / "bundles" / "north-1.ballots"
    with pytest.raises(BallotError, match="changed while it was being checked"):
        verify_bundles(keys, {hashlib.sha256(b"another").digest(): path}, lambda _what, _done, _total: None)
    verify_bundles(keys, {hashlib.sha256(path.read_bytes()).digest(): path}, lambda _what, _done, _total: None)


def test_each_step_again_gives_the_same_file(base: Path) -> None:
    rounds(base)
    before = {path.name: path.read_bytes() for path in (base / "carried").iterdir()}
    assert len(before) == 9
    rounds(base)
    assert {path.name: path.read_bytes() for path in (base / "carried").iterdir()} == before
    # Power was lost before the files of the steps had their names.
    for path in (base / "t1" / "rounds").glob("*/*"):
        path.unlink()
    shutil.rmtree(base / "carried")
    rounds(base)
    assert {path.name: path.read_bytes() for path in (base / "carried").iterdir()} == before


def test_a_new_attempt_is_made_of_new_numbers(base: Path) -> None:
    for index in (1, 3, 5):
        step(base, "commit", index)
        shutil.copytree(base / "carried", base / "first", dirs_exist_ok=True)
    # Trustee 5 has gone; its file of the first attempt is still on the stick.
    for name in ("commit", "reveal", "respond"):
        for index in (1, 3, 4):
            options = ("--present", "1,3,4", "--attempt", 2) if name == "commit" else ()
            step(base, name, index, *options)
    first = (base / "first" / "trustee-1.commit.jsonl").read_bytes().splitlines()[1]
    second = (base / "carried" / "trustee-1.commit.jsonl").read_bytes().splitlines()[1]
    pairs = zip(json.loads(first)["items"], json.loads(second)["items"], strict=True)
    # The Lagrange coefficients of 1, 3 and 5 are eighths, and those of 1, 3 and 4 whole numbers: what is given are the eighth
    # root of a partial decryption, and the partial decryption itself.
    for old, new in pairs:
        root, partial = (int.from_bytes(base64.b64decode(each[0]), "big") for each in (old, new))
        assert pow(root, 8, int(SMALL.p)) == partial
        assert old[1] != new[1]
    assert {each["station"] for each in json.loads(combine(base))} == {"north-1", "south-1"}


def test_a_commit_file_that_changes_after_the_reveal_is_refused(base: Path) -> None:
    for index in (1, 3, 5):
        step(base, "commit", index)
    step(base, "reveal", 1)
    path = base / "carried" / "trustee-3.commit.jsonl"
    forged(path, lambda line: msgspec.structs.replace(line, items=line.items[::-1]))
    reveal = ("trustees", "tally", "reveal", base / "t1", base / "carried")
    assert "the commit file of trustee 3 is another than the one that was answered here before" in refused(*reveal)
    call("trustees", "tally", "reveal", base / "t5", base / "carried", "--to", base / "carried")
    call("trustees", "tally", "commit", base / "t3", base / "bundles", "--present", "1,3,5", "--to", base / "carried")
    call("trustees", "tally", "reveal", base / "t3", base / "carried", "--to", base / "carried")
    words = refused("trustees", "tally", "respond", base / "t1", base / "carried")
    assert "trustee 5 revealed for other commit files" in words


def test_a_stick_that_is_played_back_with_other_data_gets_no_second_answer(base: Path) -> None:
    for name in ("commit", "reveal"):
        for index in (1, 3, 5):
            step(base, name, index)
    path = base / "carried" / "trustee-3.reveal.jsonl"
    good = path.read_bytes()
    forged(path, lambda line: msgspec.structs.replace(line, items=line.items[::-1]))
    words = refused("trustees", "tally", "respond", base / "t1", base / "carried")
    assert "trustee 3: what it revealed is not what it had committed to (check 88)" in words
    assert "begin again with a new --attempt" in words
    assert not list((base / "t1" / "rounds").glob("*/respond"))
    path.write_bytes(good)
    step(base, "respond", 1)
    answer = (base / "carried" / "trustee-1.respond.jsonl").read_bytes()
    forged(path, lambda line: msgspec.structs.replace(line, items=line.items[::-1]))
    assert "the reveal file of trustee 3 is another" in refused("trustees", "tally", "respond", base / "t1", base / "carried")
    path.write_bytes(good)
    step(base, "respond", 1)
    assert (base / "carried" / "trustee-1.respond.jsonl").read_bytes() == answer


def test_a_wrong_answer_names_its_trustee(base: Path) -> None:
    rounds(base)
    forged(
        base / "carried" / "trustee-5.respond.jsonl",
        lambda line: msgspec.structs.replace(line, items=(line.items[1], *line.items[1:])),
    )
    words = combine(base, code=1)
    assert "trustee 5: its response does not fit its public key (check 94)" in words
    assert "station " in words


def test_files_that_are_cut_missing_or_of_another_decryption(base: Path) -> None:
    step(base, "commit", 1)
    reveal = ("trustees", "tally", "reveal", base / "t1", base / "carried")
    assert "the commit file of trustee 3 and 5 is missing: bring it" in refused(*reveal)
    call(
        "trustees",
        "tally",
        "commit",
        base / "t3",
        base / "bundles" / "north-1.ballots",
        "--present",
        "1,3,5",
        "--to",
        base / "carried",
    )
    assert "trustee 3 was given other bundles, openings or trustees" in refused(*reveal)
    path = base / "carried" / "trustee-3.commit.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    assert "trustee-3.commit.jsonl is cut off" in refused(*reveal)
    path.write_bytes(path.read_bytes()[: path.read_bytes().rindex(b"\n") + 1])
    assert "trustee-3.commit.jsonl is cut off" in refused(*reveal)
    path.write_bytes(b"hello\n")
    assert "is damaged or no file of a decryption" in refused(*reveal)
    path.unlink()
    assert "of no decryption that this trustee has committed to" in refused(
        "trustees", "tally", "reveal", base / "t3", base / "carried"
    )
    (base / "empty").mkdir()
    assert "no file of a decryption was found" in refused("trustees", "tally", "reveal", base / "t3", base / "empty", code=2)


def test_one_command_at_a_time_works_in_a_folder(base: Path) -> None:
    with trustee_folder.locked(base / "t1"):
        assert "another command works in" in refused("trustees", "status", base / "t1", code=2)


def test_status_says_what_comes_next(base: Path) -> None:
    shown = call("trustees", "status", base / "t2").out
    assert "Trustee 2 of 5: Bea, election aviary" in shown
    assert "Next: wait for the end of the vote" in shown
    step(base, "commit", 1)
    assert call("trustees", "status", base / "t1", "--json").json["rounds"][0]["revealed"] is False
    assert call("trustees", "status", base / "t1", "--json").json["bundles"] == 2


def test_commit_lists_the_bundles_to_compare(base: Path) -> None:
    arguments = ("trustees", "tally", "commit", base / "t1", base / "bundles", "--present", "5,3,1")
    result = call(*arguments, "--json")
    assert [each["challenged"] for each in result.json["bundles"]] == [1, 1]
    assert result.json["present"] == [1, 3, 5]
    assert "only 3 ballot(s) were cast at north-1" in result.err
    shown = call(*arguments).out
    assert "committed to before; the same file was written again" in shown
    assert result.json["words"] in shown
    for each in result.json["bundles"]:
        groups = [each["bundle"][at : at + 4] for at in range(0, 64, 4)]
        [first] = [line for line in shown.splitlines() if line.split()[:1] == [each["station"]]]
        assert first.split()[-2:] != groups[:2], "the terminal of this test is too wide to break a line"
        start = shown.splitlines().index(first)
        digits = [word for line in shown.splitlines()[start : start + 16] for word in line.split() if word in groups]
        assert digits[:16] == groups
