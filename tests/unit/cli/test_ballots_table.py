"""The trustees' keys in an election folder: held against the election before anything is signed, and kept to the byte."""

from pathlib import Path

import msgspec
import pytest

from ballot_helpers import seeded
from cli_helpers import call, refused
from marsh import marsh
from scrutineer.ballots.from_election import manifest_of
from scrutineer.ballots.keys import KeyRecord
from scrutineer.ballots.manifest import read_manifest
from scrutineer.cli.office import Office
from scrutineer.count import RULE_IDS
from scrutineer.election.definition import BALLOTS_TABLE, table_hash
from scrutineer.election.folder import read_folder
from scrutineer.errors import DefinitionError
from scrutineer.simulate.encrypted import hold_ceremony

ELECTION = marsh("warden", "Warden")
UNITS = "id,parent,name,kind,roll\nmarsh,,Marsh,country,\nn1,marsh,One,station,700\ns1,marsh,Two,station,90\n"


def write(folder: Path, election: str = ELECTION) -> Path:
    (folder / "election.toml").write_text(election)
    (folder / "units.csv").write_text(UNITS)
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRecord:
    draft = read_folder(write(tmp_path_factory.mktemp("marsh")), RULE_IDS)
    manifest = manifest_of(draft.id, draft.name, draft.date, draft.contests, draft.units)
    return hold_ceremony(manifest, ("Robin", "Wren"), 2, seeded("table")).record


@pytest.fixture
def folder(keys: KeyRecord, tmp_path: Path) -> Path:
    (tmp_path / BALLOTS_TABLE).write_bytes(keys.encode())
    return write(tmp_path)


def test_keys_of_this_election_are_kept_and_named(folder: Path, keys: KeyRecord) -> None:
    assert "encrypted under the trustees' keys" in call("check", folder).out
    call("open", folder)
    office = Office.load(folder)
    assert office.ballots_table == (folder / "record" / BALLOTS_TABLE).read_bytes() == keys.encode()
    assert office.election.definition.tables[BALLOTS_TABLE] == table_hash(keys.encode())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "owl"', 'id = "robin"', "contest warden has other options than the definition gives it"),
        ('date = "2026-06-07"', 'date = "2026-06-14"', "its date is '2026-06-07', and that of the definition is '2026-06-14'"),
        ('id = "warden"', 'id = "mayor"', "its contests are warden, and those of the definition are mayor"),
        ('rule = "plurality"', 'rule = "approval"', "other selection limit, supplemental fields than"),
    ],
)
def test_keys_for_another_ballot_are_named_before_anything_is_signed(folder: Path, old: str, new: str, said: str) -> None:
    write(folder, ELECTION.replace(old, new, 1))
    shown = call("check", folder, code=1).out
    assert "ballots.json: the trustees made their keys for another ballot" in shown
    assert said in shown
    assert said in refused("open", folder)
    assert not (folder / "record").exists()


def test_keys_for_names_written_in_and_parties_are_those_of_the_definition(tmp_path: Path) -> None:
    own = ELECTION.replace('rule = "plurality"', 'rule = "plurality"\nwrite_in = "owl"')
    own += '[[party]]\nid = "feather"\nname = "Feather List"\noptions = ["warden/heron"]\n'
    (write(tmp_path, own) / BALLOTS_TABLE).unlink(missing_ok=True)
    call("trustees", "manifest", tmp_path, "-o", tmp_path / "manifest.json")
    manifest = read_manifest((tmp_path / "manifest.json").read_bytes())
    assert manifest.contests[0].labels() == ("heron", "*blank", "*null", "*write-ins")
    assert [party.name for party in manifest.parties] == ["Feather List"]
    (tmp_path / BALLOTS_TABLE).write_bytes(hold_ceremony(manifest, ("Robin", "Wren"), 2, seeded("written")).record.encode())
    assert "encrypted under the trustees' keys" in call("check", tmp_path).out
    write(tmp_path, own[: own.index("[[party]]")])
    assert "its parties or short codes are not those" in call("check", tmp_path, code=1).out
    write(tmp_path, own.replace('write_in = "owl"\n', ""))
    assert "contest warden has other options, supplemental fields, contest data than" in call("check", tmp_path, code=1).out


def test_keys_with_a_wrong_proof_are_named_with_their_trustee_and_check(folder: Path, keys: KeyRecord) -> None:
    first, second = keys.guardians
    false = msgspec.structs.replace(second, vote_proof=first.vote_proof)
    (folder / BALLOTS_TABLE).write_bytes(msgspec.structs.replace(keys, guardians=(first, false)).encode())
    shown = call("check", folder, "--json", code=1).json
    assert {one["file"] for one in shown} == {"ballots.json"}
    assert any("(check 2.C)" in one["message"] for one in shown)
    assert "check 2.C" in refused("open", folder)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_record_of_keys_is_said(folder: Path, data: bytes) -> None:
    (folder / BALLOTS_TABLE).write_bytes(data)
    assert "ballots.json: " in call("check", folder, code=1).out
    refused("open", folder)


@pytest.mark.parametrize("change", ["changed", "missing"])
def test_a_record_with_other_keys_is_refused(folder: Path, change: str) -> None:
    call("open", folder)
    path = folder / "record" / BALLOTS_TABLE
    if change == "changed":
        path.write_bytes(path.read_bytes() + b"\n")
    else:
        path.unlink()
    with pytest.raises(DefinitionError, match=BALLOTS_TABLE):
        Office.load(folder)
