"""Accreditations take effect at the last signature that they need, and revoked keys stay known."""

import pytest

from intake_helpers import AGENT, AUTHORITIES, Republic, republic, station_key
from scrutineer.errors import PolicyError
from scrutineer.statements import Accreditation, Attestation, Endorsement, SigningKey, parse_statement, statement_hash
from scrutineer.statements.accreditations import may_accredit
from scrutineer.statements.policy import Policy

OWL = SigningKey(b"o" * 32)
OWL_PQ = SigningKey(b"o" * 32, "ml-dsa-44")


def admit(land: Republic, **changes: object) -> Accreditation:
    fields: dict[str, object] = {
        "election": land.election.hash,
        "action": "admit",
        "issuer": "observer/owl",
        "role": "observer",
        "key": OWL.public_key,
        "unit": "s",
    }
    return Accreditation(**{**fields, **changes})  # type: ignore[arg-type]


def attest(land: Republic, key: SigningKey = OWL, station: str = "s1") -> bytes:
    payload = Attestation(election=land.election.hash, station=station, contest="president", counts=(1, 2, 3))
    return land.sign(payload, "observer/owl", key)


def endorse(land: Republic, statement: bytes, number: int, verdict: str = "sign") -> bytes:
    reason = "" if verdict == "sign" else "not convinced"
    payload = Endorsement(election=land.election.hash, statement=statement_hash(statement), verdict=verdict, reason=reason)  # type: ignore[arg-type]
    return land.by_authority(payload, number)


def known(policy: Policy) -> bool:
    return bool(policy.accreditations.find("observer/owl"))


def apply(policy: Policy, *statements: bytes) -> None:
    for statement in statements:
        policy.apply(policy.admit(statement))


def test_one_signature_is_enough_unless_more_are_asked_for() -> None:
    land = republic()
    policy = Policy(land.election)
    with pytest.raises(PolicyError) as refusal:
        policy.admit(attest(land))
    assert refusal.value.code == "unknown-issuer"
    apply(policy, land.by_authority(admit(land)), attest(land))
    with pytest.raises(PolicyError) as refusal:
        policy.admit(attest(land, station="n1"))
    assert refusal.value.code == "out-of-scope"


@pytest.mark.parametrize("endorsed_first", [False, True])
def test_takes_effect_at_the_last_needed_signature(endorsed_first: bool) -> None:
    land = republic(needed=3)
    policy = Policy(land.election)
    act = land.by_authority(admit(land))
    order = [act, endorse(land, act, 1), endorse(land, act, 2)]
    if endorsed_first:
        order = order[1:] + order[:1]
    apply(policy, *order[:2])
    assert not known(policy)
    apply(policy, order[2])
    assert known(policy)


def test_each_authority_counts_once_and_refusals_not_at_all() -> None:
    land = republic(needed=3)
    policy = Policy(land.election)
    act = land.by_authority(admit(land))
    apply(policy, act, endorse(land, act, 0), endorse(land, act, 1), endorse(land, act, 2, "refuse"))
    agent = Endorsement(election=land.election.hash, statement=statement_hash(act), verdict="sign")
    apply(policy, land.sign(agent, "agent/heron", AGENT))
    assert not known(policy)
    apply(policy, endorse(land, act, 2))
    assert known(policy)


def test_a_revoked_key_is_recorded_and_signs_nothing_into_effect() -> None:
    land = republic()
    policy = Policy(land.election)
    key = AUTHORITIES[1]
    revocation = admit(
        land, action="revoke", issuer="authority/1", role="authority", key=key.public_key, unit="", reason="device lost"
    )
    apply(policy, land.by_authority(revocation))
    assert policy.accreditations.is_revoked("authority/1", key.kid)
    assert not policy.accreditations.is_revoked("authority/0", AUTHORITIES[0].kid)
    late = land.by_authority(admit(land), 1)
    policy.apply(policy.admit(late))
    assert not known(policy)


def test_a_station_gets_a_second_key_of_either_algorithm() -> None:
    land = republic()
    policy = Policy(land.election)
    for new in (OWL, OWL_PQ):
        sheet = land.sign(land.sheet_of("n1"), "station/n1", new)
        with pytest.raises(PolicyError):
            policy.check(sheet)
        act = admit(land, issuer="station/n1", role="station", key=new.public_key, algorithm=new.algorithm, unit="")
        apply(policy, land.by_authority(act))
        policy.check(sheet)
        reading = policy.read_sheet(sheet)
        assert (reading.station, reading.public_key, reading.algorithm) == (0, new.public_key, new.algorithm)
    policy.check(land.sheet("n1"))


def test_the_newest_accreditation_of_a_key_says_its_scope() -> None:
    land = republic()
    policy = Policy(land.election)
    apply(policy, land.by_authority(admit(land)), land.by_authority(admit(land, unit="n")))
    apply(policy, attest(land, station="n1"))
    with pytest.raises(PolicyError):
        policy.admit(attest(land, station="s1"))


def test_scope_of_the_authority_limits_whom_it_admits() -> None:
    land = republic()
    policy = Policy(land.election)
    regional = SigningKey(b"r" * 32)
    act = admit(land, issuer="authority/north", role="authority", key=regional.public_key, unit="n")
    apply(policy, land.by_authority(act))
    apply(policy, land.sign(admit(land, unit="n1"), "authority/north", regional))
    for unit in ("s", ""):
        with pytest.raises(PolicyError) as refusal:
            policy.admit(land.sign(admit(land, unit=unit), "authority/north", regional))
        assert refusal.value.code == "out-of-scope"
    with pytest.raises(PolicyError) as refusal:
        policy.admit(land.by_authority(admit(land, unit="nowhere")))
    assert refusal.value.code == "unknown-unit"


def test_what_may_accredit_is_told_from_the_header() -> None:
    land = republic()
    act = land.by_authority(admit(land))
    assert may_accredit(act)
    assert may_accredit(endorse(land, act, 1))
    assert not may_accredit(land.sheet())
    by_station = Endorsement(election=land.election.hash, statement=statement_hash(act), verdict="sign")
    assert not may_accredit(land.sign(by_station, "station/n1", station_key("n1")))
    assert parse_statement(act).kind == "accreditation"
