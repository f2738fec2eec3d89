"""The gate refuses what the checkers would refuse, in their words, and shares the queue out fairly."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake_helpers import AGENT, AUTHORITIES, Republic, republic, station_key
from scrutineer.errors import PolicyError, StatementError
from scrutineer.http.problems import Problem
from scrutineer.intake.gate import StationGate
from scrutineer.intake.service import Visit
from scrutineer.statements import Accreditation, Attestation, Endorsement, SigningKey, StationOpened, parse_statement
from scrutineer.statements.policy import Policy

LAND = republic()
STRANGER = SigningKey(b"?" * 32)
OWL = SigningKey(b"o" * 32)
HERE = "192.0.2.7"


def gate_of(land: Republic = LAND, capacity: int = 64) -> StationGate:
    return StationGate.of(land.election, capacity=capacity)


def code_of(result: Problem | Visit) -> str:
    return result.code if isinstance(result, Problem) else ""


def verdict(policy: Policy, data: bytes) -> str:
    try:
        policy.check(data)
    except (StatementError, PolicyError) as error:
        return error.code
    return ""


def admit(land: Republic, issuer: str, key: SigningKey, role: str = "station") -> bytes:
    act = Accreditation(election=land.election.hash, action="admit", issuer=issuer, role=role, key=key.public_key)  # type: ignore[arg-type]
    return land.by_authority(act)


KEYS = (STRANGER, OWL, AGENT, *AUTHORITIES, *(station_key(station) for station in LAND.stations))
ISSUERS = ("station/n1", "station/s2", "station/n9", "authority/0", "agent/heron", "observer/owl", "station/", "x", "observer/ü")


@st.composite
def statements(draw: st.DrawFn, land: Republic) -> bytes:
    """Statements of many kinds by anyone about anything, some with bytes changed."""
    election = draw(st.sampled_from([land.election.hash] * 4 + [bytes(32)]))
    station = draw(st.sampled_from([*LAND.stations, "n9"]))
    issuer = draw(st.sampled_from([*ISSUERS, f"station/{station}", f"station/{station}"]))
    key = draw(st.sampled_from([*KEYS, station_key(station), station_key(station)]))
    payload = draw(
        st.sampled_from(
            [
                land.sheet_of(station, election=election),
                land.sheet_of(station, election=election),
                land.sheet_of(station, election=election, counts=(1,)),
                StationOpened(election=election, station=station, time=1, software=bytes(32)),
                Attestation(election=election, station=station, contest="president", counts=(1, 2, 3), cast=6),
                Endorsement(election=election, statement=bytes(32), verdict="refuse", reason="x"),
                Accreditation(
                    election=election, action="admit", issuer="observer/owl", role="observer", key=OWL.public_key, unit="n"
                ),
                land.election.definition,
            ]
        )
    )
    data = bytearray(land.sign(payload, issuer, key))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


ACTS = (
    admit(LAND, "observer/owl", OWL, "observer"),
    admit(LAND, "station/s2", OWL),
    admit(LAND, "station/n9", OWL),
)


@settings(max_examples=600, deadline=None)
@given(statements(LAND), st.lists(st.sampled_from(ACTS), max_size=2), st.booleans())
def test_agrees_with_the_checkers(data: bytes, acts: list[bytes], two_needed: bool) -> None:
    policy, gate = Policy(LAND.election), gate_of()
    for act in acts:
        # A gate hears of every accreditation; whether it is in effect yet is for the policy to know.
        gate.recorded(act)
        if not two_needed:
            policy.apply(parse_statement(act))
    said, expected = code_of(gate.enter(data, HERE)), verdict(policy, data)
    if said:
        # Where the payload is broken too, the gate names the header's fault; it does not look further.
        assert expected in (said, "malformed")
    else:
        named = {parse_statement(act).payload.issuer.encode() for act in acts}  # type: ignore[union-attr]
        if expected in ("unknown-key", "unknown-issuer"):
            assert any(name in data for name in named)


def test_each_reason() -> None:
    gate = gate_of()
    sheet = LAND.sheet()
    assert code_of(gate.enter(sheet, HERE)) == ""
    assert code_of(gate.enter(b"", HERE)) == "malformed"
    assert code_of(gate.enter(b"\xd2" * 65_536, HERE)) == "too-large"
    assert code_of(gate.enter(sheet[:-1], HERE)) == "malformed"
    assert code_of(gate.enter(LAND.sign(LAND.sheet_of(), "station/n1", STRANGER), HERE)) == "unknown-key"
    assert code_of(gate.enter(LAND.sign(LAND.sheet_of(), "station/n2", station_key("n1")), HERE)) == "unknown-key"
    assert code_of(gate.enter(LAND.sign(LAND.sheet_of("n9"), "station/n9", STRANGER), HERE)) == "unknown-issuer"
    assert code_of(gate.enter(LAND.sheet(election=bytes(32)), HERE)) == "wrong-election"
    assert code_of(gate.enter(LAND.sign(LAND.election.definition, "x", STRANGER), HERE)) == "second-definition"
    assert gate.shares.under_way == 1


def test_an_accredited_key_is_let_in_at_once() -> None:
    gate = gate_of()
    sheet = LAND.sign(LAND.sheet_of("s2"), "station/s2", OWL)
    by_owl = LAND.sign(
        Attestation(election=LAND.election.hash, station="n1", contest="president", counts=(1, 2, 3)), "observer/owl", OWL
    )
    stranger = LAND.sign(parse_statement(by_owl).payload, "observer/owl", STRANGER)
    assert code_of(gate.enter(sheet, HERE)) == "unknown-key"
    assert code_of(gate.enter(by_owl, HERE)) == "unknown-issuer"
    gate.recorded(ACTS[0])
    gate.recorded(ACTS[1])
    assert code_of(gate.enter(sheet, HERE)) == ""
    assert code_of(gate.enter(by_owl, HERE)) == ""
    assert code_of(gate.enter(LAND.sign(LAND.sheet_of("s2"), "station/s2", STRANGER), HERE)) == "unknown-key"
    # Until something of the owl's is in the log, only the checkers know whether it is accredited.
    assert code_of(gate.enter(stranger, HERE)) == ""
    gate.recorded(by_owl)
    assert code_of(gate.enter(stranger, HERE)) == "unknown-key"


def test_a_key_has_reported_once_its_statement_is_in_the_log() -> None:
    gate = gate_of(capacity=8)
    sheets = [LAND.sheet(time=time) for time in range(1, 8)]
    gate.recorded(LAND.sheet())
    visits = [gate.enter(sheet, HERE) for sheet in sheets]
    # Four are let in as anyone's, the rest is a reserve that this key has no part in any more.
    assert [code_of(visit) for visit in visits[:4]] == [""] * 4
    assert set(map(code_of, visits[4:])) <= {"network-busy", "queue-full", "key-busy"}
    assert code_of(gate.enter(LAND.sheet("n2"), HERE)) == ""


@pytest.mark.parametrize("outcome", ["accepted", "duplicate", "bad-signature", "store-failed"])
def test_places_are_given_back(outcome: str) -> None:
    gate = gate_of(capacity=8)
    for number in range(1_000):
        visit = gate.enter(LAND.sheet(time=number), HERE)
        assert not isinstance(visit, Problem)
        visit.leave(outcome)
    assert gate.shares.under_way == 0
    assert gate.shares.flows == {}


def test_what_the_program_itself_submits_is_always_let_in() -> None:
    gate = gate_of(capacity=8)
    gate.recorded(LAND.sheet())
    inside = [gate.enter(LAND.sheet(time=number), "") for number in range(20)]
    assert set(map(code_of, inside)) == {""}


def test_random_bytes_never_enter() -> None:
    gate, source = gate_of(), random.Random(4)
    for _ in range(2_000):
        assert code_of(gate.enter(source.randbytes(source.randrange(400)), HERE)) == "malformed"
