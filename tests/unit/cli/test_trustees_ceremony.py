"""`trustees`: a whole ceremony in folders, and everything that can be wrong on the way."""

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import msgspec
import pytest

from ballot_helpers import SMALL, every_contest
from cli_helpers import call, refused
from scrutineer.ballots.manifest import read_manifest
from scrutineer.cli import trustee_folder
from trustees_helpers import WORDS, begin, new, shared


@pytest.fixture(autouse=True)
def small_group() -> Iterator[None]:
    with mock.patch.object(trustee_folder, "group", SMALL), mock.patch.object(trustee_folder, "SCRYPT_COST", 2**10):
        yield


def test_the_secrets_are_sealed_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(every_contest().encode())
    (tmp_path / "words").write_text(WORDS + "\n")
    (tmp_path / "wrong").write_text("Correct heron battery siskin")
    (tmp_path / "short").write_text("heron")
    own = tmp_path / "t1"
    arguments = (
        "trustees",
        "new",
        own,
        "--manifest",
        tmp_path / "manifest.json",
        "--index",
        1,
        "--of",
        1,
        "--quorum",
        1,
        "--name",
        "Ana",
    )
    assert "too short" in refused(*arguments, "--passphrase-file", tmp_path / "short", code=2)
    assert not own.exists()
    call(*arguments, "--passphrase-file", tmp_path / "words")
    assert stat.S_IMODE((own / "secret.json").stat().st_mode) == 0o600
    assert b"communication" not in (own / "secret.json").read_bytes()
    status = ("trustees", "status", own, "--json", "--passphrase-file")
    assert call(*status, tmp_path / "words").json["done"] == ["new"]
    assert "this passphrase does not open" in refused(*status, tmp_path / "wrong", code=2)
    public = (own / "trustee-1.public.json").read_bytes()
    (own / "trustee-1.public.json").unlink()
    assert "the same public file was written again" in call(*arguments, "--passphrase-file", tmp_path / "words").out
    assert (own / "trustee-1.public.json").read_bytes() == public
    renamed = ("Bea", "--passphrase-file", tmp_path / "words")
    assert "holds trustee 1 (Ana) already, begun with other numbers" in refused(*arguments[:-1], *renamed, code=2)
    (tmp_path / "latin").write_bytes(b"\xe9 heron battery siskin")
    assert "is not a text in UTF-8" in refused(*status, tmp_path / "latin", code=2)
    sealed = json.loads((own / "secret.json").read_bytes())
    sealed["data"] = sealed["data"][:-8] + "AAAAAAA="
    (own / "secret.json").write_text(json.dumps(sealed))
    assert "damaged, although the passphrase is right" in refused(*status, tmp_path / "words", code=2)


def test_without_a_passphrase_it_says_so_loudly(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(every_contest().encode())
    result = call(
        *("trustees", "new", tmp_path / "t1", "--manifest", tmp_path / "manifest.json", "--index", 1, "--of", 3, "--quorum", 2),
        *("--name", "Ana", "--no-passphrase"),
    )
    assert result.err.startswith("WARNING: the secrets in")
    assert "Trustee 1 of 3 (Ana) is ready for Aviary; 2 of 3 can decrypt." in result.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--index", 4, "--of", 3, "--quorum", 2), "there is no trustee 4 of 3"),
        (("--index", 1, "--of", 3, "--quorum", 4), "3 trustees with a quorum of 4 cannot be"),
    ],
)
def test_numbers_that_cannot_be(tmp_path: Path, options: tuple[object, ...], words: str) -> None:
    (tmp_path / "manifest.json").write_bytes(every_contest().encode())
    arguments = ("trustees", "new", tmp_path / "t", "--manifest", tmp_path / "manifest.json", "--name", "Ana", "--no-passphrase")
    assert words in refused(*arguments, *options)
    assert not (tmp_path / "t").exists()


def test_public_files_that_are_missing_double_foreign_or_damaged(tmp_path: Path) -> None:
    base = begin(tmp_path / "a", 3, 2)
    stick = base / "stick"
    share = ("trustees", "share", base / "t1", stick)
    (stick / "trustee-3.public.json").rename(base / "away.json")
    assert "the public file of trustee 3 is missing: all 3 are needed" in refused(*share)
    other = begin(tmp_path / "b", 3, 2) / "stick" / "trustee-2.public.json"
    assert "are both of trustee 2, and they differ" in refused(*share, base / "away.json", other)
    fewer = begin(tmp_path / "c", 2, 2) / "stick" / "trustee-2.public.json"
    assert "made for 2 trustees with a quorum of 2, and not for 3 with 2" in refused(*share, fewer)
    foreign = tmp_path / "d"
    foreign.mkdir()
    changed = msgspec.structs.replace(every_contest(), name="Another aviary")
    (foreign / "manifest.json").write_bytes(changed.encode())
    new(foreign, 3, 3, 2)
    assert "was made for another manifest" in refused(*share, foreign / "stick" / "trustee-3.public.json")
    (base / "cut.json").write_bytes((base / "away.json").read_bytes()[:900])
    assert "cut.json is no file of a trustee, or was damaged on the way" in refused(*share, base / "cut.json")
    (base / "spaced.json").write_bytes((base / "away.json").read_bytes().replace(b",", b", ", 1))
    assert "spaced.json was changed after it was written" in refused(*share, base / "spaced.json")
    (base / "empty").mkdir()
    assert "no public file was found" in refused("trustees", "share", base / "t1", base / "empty", code=2)


def test_a_public_file_with_a_wrong_proof_names_its_trustee(tmp_path: Path) -> None:
    base = begin(tmp_path, 3, 2)
    path, other = base / "stick" / "trustee-2.public.json", base / "stick" / "trustee-3.public.json"
    public, another = json.loads(path.read_bytes()), json.loads(other.read_bytes())
    public["keys"]["vote_proof"] = another["keys"]["vote_proof"]
    path.write_bytes(msgspec.json.encode(public, order="sorted") + b"\n")
    assert "trustee 2: the proof that it knows its vote keys does not hold (check 2.C)" in refused(
        "trustees", "share", base / "t1", base / "stick"
    )


def test_shares_are_made_once(tmp_path: Path) -> None:
    base = shared(tmp_path / "a", 3, 2)
    path = base / "stick" / "trustee-1.shares.json"
    before = path.read_bytes()
    path.unlink()
    assert (
        "made before; the same file was written again"
        in call("trustees", "share", base / "t1", base / "stick", "--to", base / "stick").out
    )
    assert path.read_bytes() == before
    other = begin(tmp_path / "b", 3, 2)
    shutil.copy(other / "stick" / "trustee-2.public.json", base / "stick")
    assert "shares were made here for another public file of trustee 2" in refused(
        "trustees", "share", base / "t1", base / "stick"
    )


def test_a_wrong_share_names_its_sender(tmp_path: Path) -> None:
    base = shared(tmp_path / "a", 3, 2)
    receive = ("trustees", "receive", base / "t1", base / "stick")
    path = base / "stick" / "trustee-3.shares.json"
    good = path.read_bytes()
    shares = json.loads(good)
    shares["shares"]["shares"][0], shares["shares"]["shares"][1] = shares["shares"]["shares"][1], shares["shares"]["shares"][0]
    path.write_bytes(msgspec.json.encode(shares, order="sorted") + b"\n")
    assert "trustee 3: the proof of the sealed shares does not hold (check 22)" in refused(*receive)
    path.unlink()
    assert "the shares of trustee 3 are missing" in refused(*receive)
    path.write_bytes(good)
    call(*receive)
    assert call("trustees", "status", base / "t1", "--json").json["done"] == ["new", "share", "receive"]
    call(*receive)


def test_shares_for_other_keys_name_their_sender(tmp_path: Path) -> None:
    base = begin(tmp_path / "a", 3, 2)
    other = begin(tmp_path / "b", 3, 2)
    for index in (1, 2):
        call("trustees", "share", base / f"t{index}", base / "stick", "--to", base / "stick")
    shutil.copytree(base / "stick", base / "bent")
    shutil.copy(other / "stick" / "trustee-2.public.json", base / "bent")
    call("trustees", "share", base / "t3", base / "bent", "--to", base / "stick")
    assert "trustee 3: it made its shares for other public keys" in refused("trustees", "receive", base / "t1", base / "stick")


def test_joined_keys_that_are_not_those_received_are_refused(tmp_path: Path) -> None:
    base = shared(tmp_path / "a", 3, 2)
    finish = ("trustees", "finish", base / "stick", "--manifest", base / "manifest.json", "-o", base / "ballots.json")
    found = call(*finish, "--json").json
    confirm = ("trustees", "confirm", base / "t1", base / "ballots.json")
    assert "has not received all shares yet" in refused(*confirm)
    assert found["words"] in call("trustees", "receive", base / "t1", base / "stick").out
    other = begin(tmp_path / "b", 3, 2)
    shutil.copytree(base / "stick", base / "bent")
    shutil.copy(other / "stick" / "trustee-2.public.json", base / "bent")
    call("trustees", "finish", base / "bent", "--manifest", base / "manifest.json", "-o", base / "bent.json")
    assert "the keys of trustee 2 in the joined keys are not those" in refused(*confirm[:3], base / "bent.json")
    assert call(*finish).out.count(found["words"]) == 1
    call(*confirm)
    state = json.loads((base / "t1" / "secret.json").read_bytes())
    assert b'"secrets":null' in __import__("base64").b64decode(state["data"])
    call(*confirm)
    call("trustees", "share", base / "t1", base / "stick", "--to", base / "again")
    assert (base / "again" / "trustee-1.shares.json").read_bytes() == (base / "stick" / "trustee-1.shares.json").read_bytes()
    call("trustees", "receive", base / "t1", base / "stick")


def test_before_the_ceremony_has_ended_nothing_is_decrypted(tmp_path: Path) -> None:
    base = shared(tmp_path, 3, 2)
    (base / "bundle").write_bytes(b"")
    assert "run `trustees confirm`" in refused(
        "trustees", "tally", "commit", base / "t1", base / "bundle", "--present", "1,2", code=2
    )


def test_the_manifest_of_an_election_folder(tmp_path: Path) -> None:
    call("new", tmp_path / "election")
    result = call("trustees", "manifest", tmp_path / "election", "-o", tmp_path / "manifest.json")
    manifest = read_manifest((tmp_path / "manifest.json").read_bytes())
    assert f"{len(manifest.contests)} contest(s)" in result.out
    assert manifest.contests[0].fields[:2] == ("blank", "null")
