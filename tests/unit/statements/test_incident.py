"""The incident statement: what it may hold, who may sign it, and that it stays small."""

from typing import Any

import pytest

from intake_helpers import AGENT, TIME, Republic, republic, station_key
from scrutineer.count import Count
from scrutineer.election import Issuer
from scrutineer.errors import PolicyError, StatementError
from scrutineer.http.networks import network_text
from scrutineer.statements import Accreditation, Incident, SigningKey, codec, parse_statement, sign_statement
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.incident import MAX_EVIDENCE, MAX_NETWORKS, MAX_REQUESTS, REQUEST_KINDS
from scrutineer.statements.policy import Policy
from statement_samples import ELECTION, HASH, sample_payloads

KEY = SigningKey(b"o" * 32)
REQUESTS: dict[str, Any] = {
    "journal": HASH[:16],
    "first": 2,
    "last": 3,
    "previous": HASH,
    "head": ELECTION,
    "counts": [{"kind": "replay", "count": 3, "networks": [{"network": "192.0.2.0/24", "count": 3}]}],
}
REPORT: dict[str, Any] = {"election": ELECTION, "kind": "outage", "since": TIME, "until": TIME, "text": "No power."}
SUMMARY: dict[str, Any] = {"election": ELECTION, "kind": "requests", "since": TIME, "until": TIME, "requests": REQUESTS}


def read(fields: dict[str, Any]) -> Incident:
    """As the border reads it."""
    return codec.to_struct(fields, Incident, "incident")


def count(**changes: object) -> dict[str, Any]:
    """A summary whose one count is changed."""
    return SUMMARY | {"requests": REQUESTS | {"counts": [REQUESTS["counts"][0] | changes]}}


def test_reports_and_summaries_are_read() -> None:
    assert read(REPORT).subject() == "incident/outage"
    assert read(SUMMARY).subject() == "incident/requests"
    assert read(SUMMARY | {"requests": REQUESTS | {"counts": [{"kind": "scan", "count": 1}]}}).requests


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (REPORT | {"text": "  "}, "say what happened"),
        (REPORT | {"text": "x" * 2001}, "say what happened"),
        (REPORT | {"kind": "sabotage"}, "kind"),
        (REPORT | {"until": TIME - 1}, "no stretch of time"),
        (REPORT | {"since": -1}, "no stretch of time"),
        (REPORT | {"election": b"x"}, "election is not a hash"),
        (REPORT | {"evidence": [b"x"]}, "evidence is not a hash"),
        (REPORT | {"evidence": [HASH, HASH]}, "stands twice"),
        (REPORT | {"evidence": [bytes([n]) * 32 for n in range(MAX_EVIDENCE + 1)]}, "more than 64"),
        (REPORT | {"requests": REQUESTS}, "no other does"),
        (REPORT | {"kind": "requests"}, "no other does"),
        (SUMMARY | {"text": "They did it."}, "no text of its own"),
        (SUMMARY | {"requests": REQUESTS | {"journal": b"x"}}, "name has not 16"),
        (SUMMARY | {"requests": REQUESTS | {"last": 1}}, "no stretch of a journal"),
        (SUMMARY | {"requests": REQUESTS | {"first": 1}}, "names the record before"),
        (
            SUMMARY | {"requests": {name: value for name, value in REQUESTS.items() if name != "previous"}},
            "names the record before",
        ),
        (SUMMARY | {"requests": REQUESTS | {"counts": []}}, "at least one"),
        (SUMMARY | {"requests": REQUESTS | {"counts": [REQUESTS["counts"][0]] * 2}}, "each kind of request once"),
        (
            SUMMARY | {"requests": REQUESTS | {"counts": [{"kind": "scan", "count": 1}, {"kind": "replay", "count": 1}]}},
            "in the order of the kinds",
        ),
        (count(count=0, networks=[]), "1 or more"),
        (count(count=MAX_REQUESTS, networks=[]), "1 or more"),
        (count(count=2), "more replay requests"),
        (count(networks=[{"network": "192.0.2.77/24", "count": 1}]), "no shortened network"),
        (count(networks=[{"network": "2001:db8:7:8::/64", "count": 1}]), "no shortened network"),
        (count(networks=[{"network": "192.0.2.0/24", "count": 1}] * 2), "stands twice"),
        (count(networks=[{"network": "192.0.2.0/24", "count": 1}, {"network": "192.0.3.0/24", "count": 2}]), "out of order"),
        (count(networks=[{"network": "192.0.3.0/24", "count": 1}, {"network": "192.0.2.0/24", "count": 1}]), "out of order"),
    ],
)
def test_what_an_incident_cannot_hold(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(StatementError, match=told):
        read(fields)


def test_the_largest_summary_fits() -> None:
    networks = [bytes([0x2A, 0xFF, n, 0xFF, 0xFF, 0xFF]) for n in range(MAX_NETWORKS)]
    rows = sorted(({"network": network_text(key), "count": 2**47} for key in networks), key=lambda row: str(row["network"]))
    counts = [{"kind": kind, "count": MAX_REQUESTS - 1, "networks": rows} for kind in REQUEST_KINDS]
    summary = read(
        SUMMARY
        | {
            "evidence": [bytes([n]) * 32 for n in range(MAX_EVIDENCE)],
            "requests": REQUESTS | {"first": 2**53 - 2, "last": 2**53 - 1, "counts": counts},
        }
    )
    assert len(sign_statement(summary, "operator/intake", KEY)) < MAX_STATEMENT_SIZE / 2


@pytest.fixture(scope="module")
def land() -> Republic:
    return republic()


class TestPolicy:
    @pytest.fixture
    def policy(self, land: Republic) -> Policy:
        """With an operator of the whole country and one of the north, and an observer of the north."""
        policy = Policy(land.election)
        for issuer, unit in (("operator/intake", ""), ("operator/north", "n"), ("observer/ibis", "n")):
            admitted = Accreditation(
                election=land.election.hash,
                action="admit",
                issuer=issuer,
                role=Issuer(issuer, issuer.partition("/")[0], KEY.public_key).role,  # type: ignore[arg-type]
                key=KEY.public_key,
                unit=unit,
            )
            policy.apply(parse_statement(land.by_authority(admitted)))
        return policy

    def report(self, land: Republic, unit: str = "") -> Incident:
        return Incident(election=land.election.hash, kind="outage", since=TIME, until=TIME, unit=unit, text="No power.")

    def summary(self, land: Republic) -> Incident:
        sample = sample_payloads()["incident"]
        assert isinstance(sample, Incident)
        return Incident(election=land.election.hash, kind="requests", since=TIME, until=TIME, requests=sample.requests)

    @pytest.mark.parametrize(
        ("issuer", "unit"),
        [
            ("operator/intake", ""),
            ("operator/intake", "s1"),
            ("operator/north", "n"),
            ("observer/ibis", "n1"),
            ("authority/0", ""),
            ("station/n1", "n1"),
        ],
    )
    def test_who_may_report_of_what(self, land: Republic, policy: Policy, issuer: str, unit: str) -> None:
        if issuer == "authority/0":
            data = land.by_authority(self.report(land, unit))
        else:
            data = land.sign(self.report(land, unit), issuer, station_key("n1") if issuer == "station/n1" else KEY)
        assert policy.admit(data).kind == "incident"

    @pytest.mark.parametrize(
        ("issuer", "unit", "code"),
        [
            ("operator/north", "", "out-of-scope"),
            ("observer/ibis", "s1", "out-of-scope"),
            ("station/n1", "n2", "out-of-scope"),
            ("station/n1", "", "out-of-scope"),
            ("operator/intake", "atlantis", "unknown-unit"),
            ("agent/heron", "n", "role-not-allowed"),
        ],
    )
    def test_who_may_not(self, land: Republic, policy: Policy, issuer: str, unit: str, code: str) -> None:
        key = {"station/n1": station_key("n1"), "agent/heron": AGENT}.get(issuer, KEY)
        with pytest.raises(PolicyError) as refused:
            policy.admit(land.sign(self.report(land, unit), issuer, key))
        assert refused.value.code == code

    def test_only_an_operator_sums_up_requests(self, land: Republic, policy: Policy) -> None:
        assert policy.admit(land.sign(self.summary(land), "operator/intake", KEY)).kind == "incident"
        for data in (
            land.by_authority(self.summary(land)),
            land.sign(self.summary(land), "observer/ibis", KEY),
            land.sign(self.summary(land), "station/n1", station_key("n1")),
        ):
            with pytest.raises(PolicyError) as refused:
                policy.admit(data)
            assert refused.value.code == "role-not-allowed"

    def test_the_count_passes_it_over(self, land: Republic) -> None:
        count = Count(land.election)
        count.apply([land.definition, land.sheet()])
        before = [contest.figures.copy() for contest in count.contests], len(count.acts)
        count.apply([land.by_authority(self.report(land, "n"))])
        assert [recorded.index for recorded in count.incidents] == [2]
        assert len(count.acts) == before[1]
        assert all((now.figures == then).all() for now, then in zip(count.contests, before[0], strict=True))
