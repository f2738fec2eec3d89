"""Ballots that an audit draws: trustees open them together, and their cast vote records are NIST's."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from unittest import mock

import msgspec
import pytest

from ballot_helpers import SMALL, every_contest, seeded
from ceremony_helpers import ceremony
from cli_helpers import call
from scrutineer.ballots.bundle import BundleWriter, read_bundle, split_lines
from scrutineer.ballots.ceremony import GuardianError
from scrutineer.ballots.confirmation import paper_serial
from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.keys import election_keys, read_key_record
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.sampled import SampledBallot, SampledParts, drawn_ballots, make_parts, open_sampled, read_parts
from scrutineer.ballots.vote_records import vote_records
from scrutineer.cli import trustee_folder
from scrutineer.errors import BallotError
from shared_data import shared

CHOICES = {
    1: ContestChoice((0, 1, 0, 0, 0)),
    2: ContestChoice((1, 0, 1, 0, 0, 0, 0, 1, 0), bytes(128)),
    3: ContestChoice((2, 3)),
    4: ContestChoice((0, 0, 1, 0)),
    5: ContestChoice((0, 0, 1, 0, 0, 0)),
}


class Drawn:
    """A bundle of four ballots, of which three were cast, and the keys of three trustees with a quorum of two."""

    def __init__(self) -> None:
        self.record, self.shares = ceremony(every_contest(), 3, 2)
        self.keys = election_keys(self.record, SMALL)
        random = seeded("drawn")
        encryptor, writer = Encryptor(self.keys, random=random), BundleWriter(self.keys, "pond", "machine of the pond", (1,))
        lines = [writer.header()]
        self.serials = []
        for status in ("cast", "challenged", "cast", "cast"):
            made = encryptor.encrypt(1, CHOICES, writer.chain)
            self.serials.append(paper_serial(made.ballot.identifier_hash, made.nonce))
            lines.append(writer.add(msgspec.structs.replace(made.ballot, status=status)))
        self.bundle = b"".join((*lines, writer.close()))
        self.digest = sha256(self.bundle).digest()

    def ballots(self, *numbers: int) -> dict[int, Ballot]:
        return drawn_ballots(split_lines([self.bundle]), "pond", numbers)

    def parts(self, trustee: int, ballots: dict[int, Ballot], present: tuple[int, ...] = (1, 3)) -> SampledParts:
        quorum = Quorum(self.keys, self.record.guardians, present)
        return make_parts(quorum, self.shares[trustee - 1], bytes([trustee]) * 32, self.digest, tuple(ballots.values()))

    def opened(self, *numbers: int) -> list[SampledBallot]:
        ballots = self.ballots(*numbers)
        quorum = Quorum(self.keys, self.record.guardians, (1, 3))
        return open_sampled(quorum, self.digest, ballots, [self.parts(1, ballots), self.parts(3, ballots)])


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return Drawn()


@pytest.fixture
def small() -> Iterator[None]:
    with mock.patch.object(trustee_folder, "group", SMALL):
        yield


def test_drawn_ballots_are_opened_with_the_serials_of_their_papers(drawn: Drawn) -> None:
    found = drawn.opened(1, 4)
    assert [(own.number, own.serial) for own in found] == [(1, drawn.serials[0]), (4, drawn.serials[3])]
    assert all(own.choices == CHOICES for own in found)


def test_only_ballots_that_were_cast_are_opened(drawn: Drawn) -> None:
    with pytest.raises(BallotError, match="ballot 2 of pond was challenged"):
        drawn.ballots(1, 2)
    with pytest.raises(BallotError, match="has no ballot 5: it has 4"):
        drawn.ballots(5)
    with pytest.raises(BallotError, match="name each ballot that the audit drew once"):
        drawn.ballots(1, 1)


def test_a_false_part_has_a_name_and_other_ballots_are_refused(drawn: Drawn) -> None:
    ballots = drawn.ballots(1)
    quorum = Quorum(drawn.keys, drawn.record.guardians, (1, 3))
    good, other = drawn.parts(1, ballots), drawn.parts(3, drawn.ballots(3))
    with pytest.raises(BallotError, match="trustee 3 are of other ballots"):
        open_sampled(quorum, drawn.digest, ballots, [good, other])
    false = msgspec.structs.replace(drawn.parts(3, ballots), parts=good.parts)
    with pytest.raises(GuardianError, match="trustee 3"):
        open_sampled(quorum, drawn.digest, ballots, [good, false])
    with pytest.raises(BallotError, match="one file of each trustee"):
        open_sampled(quorum, drawn.digest, ballots, [good])
    for data in (b"", b"{}", good.encode() + b" ", b"\xff"):
        with pytest.raises(BallotError, match="trustee"):
            read_parts(data, "parts")


def report(drawn: Drawn, *, codes: bool) -> dict[str, object]:
    return vote_records(drawn.keys.manifest, "pond", "machine", drawn.opened(1, 3, 4), "2026-06-07T20:00:00Z", codes=codes)


def test_the_report_holds_against_the_schema_of_nist(drawn: Drawn) -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs", reason="jsonschema-rs is not installed: pip install jsonschema-rs")
    schema = json.loads(shared("nist/CVR-v1/NIST_V0_cast_vote_records.json").read_bytes())
    valid = jsonschema_rs.Draft4Validator(schema, validate_formats=True)
    for codes in (False, True):
        valid.validate(report(drawn, codes=codes))
    broken = report(drawn, codes=False)
    del broken["Version"]
    assert not valid.is_valid(broken)


def test_without_codes_nothing_leads_to_the_encrypted_ballot(drawn: Drawn) -> None:
    text = json.dumps(report(drawn, codes=False))
    for item in read_bundle(split_lines([drawn.bundle])):
        if isinstance(item.value, Ballot):
            for secret in (item.value.code, item.value.identifier, item.value.identifier_hash):
                assert secret.hex() not in text
    records = json.loads(text)["CVR"]
    assert [record["BallotAuditId"] for record in records] == sorted(record["BallotAuditId"] for record in records)
    assert all(record["UniqueId"] == record["BallotAuditId"] for record in records)
    codes = json.dumps(report(drawn, codes=True))
    assert all(own.code.hex() in codes for own in drawn.opened(1, 3, 4))


def test_a_record_says_what_the_ballot_holds(drawn: Drawn) -> None:
    contests = json.loads(json.dumps(report(drawn, codes=False)))["CVR"][0]["CVRSnapshot"][0]["CVRContest"]
    said = {
        contest["ContestId"]: [
            (one["ContestSelectionId"], one["TotalNumberVotes"], one.get("Rank")) for one in contest["CVRContestSelection"]
        ]
        for contest in contests
    }
    assert said == {
        "contest-1": [("selection-1-owl", 1, None)],
        "contest-2": [("selection-2-wren", 1, None), ("selection-2-heron", 1, None)],
        "contest-3": [("selection-3-elm", 2, None), ("selection-3-oak", 3, None)],
        "contest-4": [],
        "contest-5": [("selection-5-wren", 1, 1), ("selection-5-owl", 1, 2)],
    }
    assert contests[1]["Undervotes"] == 1
    assert contests[3]["OtherStatus"] == "blank"


def test_the_command_writes_the_file_and_names_the_papers(drawn: Drawn, tmp_path: Path, small: None) -> None:
    (tmp_path / "pond.jsonl").write_bytes(drawn.bundle)
    (tmp_path / "ballots.json").write_bytes(drawn.record.encode())
    ballots = drawn.ballots(1, 3)
    files = []
    for trustee in (1, 3):
        files += ["--parts", tmp_path / f"{trustee}.json"]
        (tmp_path / f"{trustee}.json").write_bytes(drawn.parts(trustee, ballots).encode())
    arguments = ("ballots", "cvr", tmp_path / "pond.jsonl", "--keys", tmp_path / "ballots.json", "--to", tmp_path / "cvr.json")
    said = call(*arguments, "--ballots", "3,1", *files).out
    assert drawn.serials[0] in said
    assert drawn.serials[2] in said
    assert len(json.loads((tmp_path / "cvr.json").read_bytes())["CVR"]) == 2
    assert "no places of ballots" in call(*arguments, "--ballots", "one", *files, code=2).err
    assert "are of other ballots" in call(*arguments, "--ballots", "1,4", *files, code=1).err


def test_trustees_open_what_was_drawn_and_nothing_else(tmp_path: Path, small: None) -> None:
    (tmp_path / "manifest.json").write_bytes(every_contest().encode())
    stick, keys = tmp_path / "stick", tmp_path / "ballots.json"
    ways = [tmp_path / f"t{number}" for number in (1, 2)]
    for number, way in enumerate(ways, 1):
        given = ("--manifest", tmp_path / "manifest.json", "--index", number, "--of", 2, "--quorum", 2, "--name", f"T{number}")
        call("trustees", "new", way, *given, "--no-passphrase", "--to", stick)
    for command in ("share", "receive"):
        for way in ways:
            call("trustees", command, way, stick, *(("--to", stick) if command == "share" else ()))
    call("trustees", "finish", stick, "--manifest", tmp_path / "manifest.json", "-o", keys)
    for way in ways:
        call("trustees", "confirm", way, keys)
    own = election_keys(read_key_record(keys.read_bytes(), SMALL), SMALL)
    random = seeded("opened")
    encryptor, writer = Encryptor(own, random=random), BundleWriter(own, "pond", "machine", (1,))
    made = encryptor.encrypt(1, CHOICES, writer.chain)
    bundle = tmp_path / "pond.jsonl"
    data = b"".join((writer.header(), writer.add(made.ballot), writer.close()))
    bundle.write_bytes(data)
    signed = ("--records", sha256(data).hexdigest())
    parts: list[object] = []
    for number, way in enumerate(ways, 1):
        target = tmp_path / f"{number}.json"
        said = call("ballots", "open", way, bundle, *signed, "--ballots", "1", "--to", target, "--yes").out
        assert f"trustee {number}'s parts of 1 ballot(s)" in said
        parts += ["--parts", target]
    shown = call("ballots", "cvr", bundle, "--keys", keys, "--ballots", "1", *parts, "--to", tmp_path / "cvr.json", "--json").json
    assert shown["ballots"] == [{"ballot": 1, "serial": paper_serial(made.ballot.identifier_hash, made.nonce)}]
    refused = tmp_path / "refused.json"

    def refuse(path: Path, records: str, number: int = 1, code: int = 1) -> str:
        drawn = ("--records", records, "--ballots", number)
        said = call("ballots", "open", ways[0], path, *drawn, "--to", refused, "--yes", code=code).err
        assert not refused.exists()
        return said

    assert "has no ballot 2" in refuse(bundle, sha256(data).hexdigest(), 2)
    for records in ("", sha256(data).hexdigest()[:15], "g" * 64, sha256(data).hexdigest() + "0"):
        assert "is no SHA-256" in refuse(bundle, records, code=2)
    # As paper has it: groups of four, here the first four of them.
    digits = sha256(data).hexdigest().upper()[:16]
    paper = " ".join(digits[at : at + 4] for at in range(0, 16, 4))
    call("ballots", "open", ways[0], bundle, "--records", paper, "--ballots", "1", "--to", tmp_path / "again.json", "--yes")

    # The same ballot, in a bundle that somebody made up around it.
    false = BundleWriter(own, "pond", "machine", (1,))
    other = encryptor.encrypt(1, CHOICES, false.chain).ballot
    made_up = b"".join((false.header(), false.add(other), data.splitlines(keepends=True)[1], false.close()))
    (tmp_path / "false.jsonl").write_bytes(made_up)
    assert "is not the bundle that --records names" in refuse(tmp_path / "false.jsonl", sha256(data).hexdigest(), 2)
    # A ballot whose proofs do not hold stays closed, whatever sheet names its bundle.
    field = made.ballot.contests[0].selections[0]
    worse = msgspec.structs.replace(field, alpha=made.ballot.contests[0].selections[1].alpha)
    contest = msgspec.structs.replace(made.ballot.contests[0], selections=(worse, *made.ballot.contests[0].selections[1:]))
    broken = msgspec.structs.replace(made.ballot, contests=(contest, *made.ballot.contests[1:]))
    writer = BundleWriter(own, "pond", "machine", (1,))
    bad = b"".join((writer.header(), writer.add(broken), writer.close()))
    (tmp_path / "bad.jsonl").write_bytes(bad)
    assert "ballot 1 of bad.jsonl does not hold" in refuse(tmp_path / "bad.jsonl", sha256(bad).hexdigest())
