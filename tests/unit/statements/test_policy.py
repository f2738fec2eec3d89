"""The policy: who may say what; every refusal by its reason code, and the short way for sheets against the long one."""

import pytest

from intake_helpers import AGENT, TIME, Republic, republic, station_key
from scrutineer.errors import PolicyError, ScrutineerError, SignatureError, StatementError
from scrutineer.statements import (
    Accreditation,
    Attestation,
    Bulletin,
    Claim,
    ClaimedFigure,
    Decision,
    Endorsement,
    Figures,
    SigningKey,
    StationOpened,
    parse_statement,
    statement_hash,
)
from scrutineer.statements.envelope import open_envelope
from scrutineer.statements.policy import Policy

ROOT = bytes(32)
STRANGER = SigningKey(b"z" * 32)


@pytest.fixture(scope="module")
def land() -> Republic:
    return republic()


@pytest.fixture
def policy(land: Republic) -> Policy:
    return Policy(land.election)


def code_of(policy: Policy, data: bytes) -> str:
    with pytest.raises(ScrutineerError) as admitted:
        policy.admit(data)
    with pytest.raises(ScrutineerError) as checked:
        policy.check(data)
    assert checked.value.code == admitted.value.code
    return admitted.value.code


def test_admits_every_kind_from_its_issuer(land: Republic, policy: Policy) -> None:
    election = land.election.hash
    sheet = land.sheet()
    statements = [
        sheet,
        land.sheet("n1", "north"),
        land.sheet("s1", "speaker", counts=(), rankings=(((0, 1), 100), ((2,), 160))),
        land.sign(StationOpened(election=election, station="n1", time=TIME), "station/n1", station_key("n1")),
        land.sign(Attestation(election=election, station="n2", contest="president", counts=(1, None, 3)), "agent/heron", AGENT),
        land.sign(Endorsement(election=election, statement=statement_hash(sheet), verdict="sign"), "agent/heron", AGENT),
        land.by_authority(accreditation(land)),
        land.by_authority(decision(land)),
        land.by_authority(bulletin(land)),
        land.sign(claim(land), "agent/heron", AGENT),
        land.sign(claim(land, unit="s"), "agent/heron", AGENT),
        land.sign(claim(land, contest="north", unit="n1"), "agent/heron", AGENT),
    ]
    for statement in statements:
        assert policy.admit(statement).data == statement
        policy.check(statement)


def test_flags_nothing_that_is_validly_signed(land: Republic, policy: Policy) -> None:
    for sheet in (
        land.sheet(counts=(2_000_000_000, 0, 0)),
        land.sheet(counts=(None, None, None), blank=None, null=None, cast=None),
        land.sheet(cast=1, roll=0),
    ):
        policy.check(sheet)


def test_sheet_readings_are_the_same_on_both_ways(land: Republic, policy: Policy) -> None:
    for station in land.stations:
        for contest in ("president", "north") if station.startswith("n") else ("president",):
            data = land.sheet(station, contest)
            quick = policy._read_plain_sheet(data)
            assert quick is not None
            assert quick == policy._read_any_sheet(data)
            assert quick.sheet == parse_statement(data).payload
            quick.check_signature()


def test_every_changed_byte_of_a_sheet_is_refused(land: Republic, policy: Policy) -> None:
    data = land.sheet()
    for position in range(len(data)):
        for bit in (1, 0x80):
            changed = bytearray(data)
            changed[position] ^= bit
            with pytest.raises((StatementError, PolicyError)):
                policy.check(bytes(changed))


def test_every_truncation_and_extension_is_refused(land: Republic, policy: Policy) -> None:
    data = land.sheet()
    for end in range(len(data)):
        assert code_of(policy, data[:end]) in ("malformed", "bad-signature")
    assert code_of(policy, data + b"\0") == "malformed"


def test_signature_of_another_key(land: Republic, policy: Policy) -> None:
    data = land.sheet()
    other = land.sheet(time=TIME + 1)
    with pytest.raises(SignatureError):
        policy.check(data[:-64] + other[-64:])
    assert code_of(policy, data[:-64] + other[-64:]) == "bad-signature"


def test_refusals(land: Republic, policy: Policy) -> None:
    election = land.election.hash
    station, key = "station/n1", station_key("n1")
    opened = StationOpened(election=election, station="n1", time=TIME)
    attested = Attestation(election=election, station="s1", contest="president", counts=(1, 2, 3))
    cases = {
        "too-large": b"\xd2\x84" + bytes(70_000),
        "malformed": b"no statement",
        "unknown-issuer": land.sign(land.sheet_of(), "station/n999", key),
        "unknown-key": land.sign(land.sheet_of(), station, STRANGER),
        "role-not-allowed": land.sign(attested, station, key),
        "wrong-election": land.sheet(election=bytes(32)),
        "unknown-station": land.sign(land.sheet_of("n999"), station, key),
        "unknown-contest": land.sheet(contest="mayor"),
        "second-definition": land.definition,
        "unknown-unit": land.sign(claim(land, unit="nowhere"), "agent/heron", AGENT),
    }
    for code, data in cases.items():
        assert code_of(policy, data) == code
    assert code_of(policy, land.by_authority(claim(land, contest="mayor"))) == "unknown-contest"
    assert code_of(policy, land.sign(claim(land), station, key)) == "role-not-allowed"
    for data in (
        land.sign(land.sheet_of("n2"), station, key),
        land.sheet("s1", "north"),
        land.sign(opened, "station/n2", station_key("n2")),
        land.sign(attested, "agent/heron", AGENT),
        land.sign(claim(land, contest="north", unit="s1"), "agent/heron", AGENT),
    ):
        assert code_of(policy, data) == "out-of-scope"
    for data in (
        land.sheet(counts=(1, 2)),
        land.sheet(counts=(1, 2, 3, 4)),
        land.sheet(contest="speaker"),
        land.sheet(rankings=(((0,), 1),)),
        land.sheet(contest="speaker", counts=(), rankings=(((3,), 1),)),
        land.by_authority(decision(land, counts=(1, 2))),
        land.by_authority(claim(land, option="nobody")),
    ):
        assert code_of(policy, data) == "wrong-shape"


def test_a_station_without_a_key_has_none(land: Republic) -> None:
    """A zero key stands for no key in the register's block, and must not be taken for one."""
    election = land.election
    policy = Policy(election)
    policy._keys = bytes(len(policy._keys))
    data = land.sheet()
    envelope = open_envelope(data)
    assert envelope.issuer == "station/n1"
    assert policy._read_plain_sheet(data) is None


def test_read_sheet_takes_sheets_alone(land: Republic, policy: Policy) -> None:
    with pytest.raises(StatementError):
        policy.read_sheet(
            land.sign(StationOpened(election=land.election.hash, station="n1", time=1), "station/n1", station_key("n1"))
        )


def claim(land: Republic, contest: str = "president", unit: str = "", option: str = "") -> Claim:
    return Claim(
        election=land.election.hash,
        contest=contest,
        announced_by="The Aviary Gazette",
        announced_at="in the evening",
        source="page 1",
        figures=(ClaimedFigure(name="Heron", option=option or land.election.contests[0].options[0].id, votes=5),)
        if contest == "president"
        else (ClaimedFigure(name="Heron", votes=5),),
        unit=unit,
    )


def accreditation(land: Republic, **changes: object) -> Accreditation:
    fields: dict[str, object] = {
        "election": land.election.hash,
        "action": "admit",
        "issuer": "observer/owl",
        "role": "observer",
        "key": STRANGER.public_key,
        "unit": "s",
    }
    return Accreditation(**{**fields, **changes})  # type: ignore[arg-type]


def decision(land: Republic, counts: tuple[int, ...] = (1, 2, 3)) -> Decision:
    return Decision(
        election=land.election.hash,
        station="n1",
        contest="president",
        action="correct",
        sheet=ROOT,
        after=Figures(counts=counts),
        reason="recounted",
    )


def bulletin(land: Republic) -> Bulletin:
    return Bulletin(
        election=land.election.hash,
        number=1,
        layer="preliminary",
        size=1,
        root=ROOT,
        time=TIME,
        contests=(),
        results=ROOT,
    )
