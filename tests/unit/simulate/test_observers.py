from portal_helpers import republic
from scrutineer.count import Count
from scrutineer.observation import Observations
from scrutineer.simulate.observers import PEOPLE, observer_issuers, observer_key, observer_statements
from scrutineer.statements import Attestation, sign_statement


def count(stations: int = 2_000) -> Count:
    return republic(stations).record.count


def test_the_same_seed_says_the_same() -> None:
    counted = count(600)
    assert list(observer_statements(counted, 5)) == list(observer_statements(counted, 5))
    assert list(observer_statements(counted, 5)) != list(observer_statements(counted, 6))


def test_keys_are_those_of_the_register() -> None:
    for issuer in observer_issuers(7):
        assert issuer.key == observer_key(7, issuer.id).public_key
    assert {issuer.id for issuer in observer_issuers(7)} == {own for own, _, _ in PEOPLE}


def test_copies_agree_but_for_a_few_that_were_misread() -> None:
    counted = count(30_000)
    said = list(observer_statements(counted, 1))
    copies = [payload for _, payload in said if isinstance(payload, Attestation)]
    state = counted.contests[0]
    index = counted.election.units.station_index
    differ = [copy for copy in copies if list(copy.counts) != state.figures[index[copy.station]][: state.options].tolist()]
    assert 200 < len(copies) < 600
    assert 0 < len(differ) < len(copies) // 20


def test_they_can_be_recorded_and_are_observed() -> None:
    night = republic(2_000)
    counted = night.record.count
    for issuer, payload in observer_statements(counted, 1):
        counted.apply([sign_statement(payload, issuer, observer_key(1, issuer))])
    assert len(counted.attestations) > 10
    assert Observations.of(counted)
