"""The statements of audits: what they may hold, and in which order they may be made."""

from typing import Any

import pytest

from audit_helpers import AUDITORS, HASH, NORTHERN_AUDITOR, Auditing, signed_election
from count_helpers import key_of
from scrutineer.count import Count
from scrutineer.errors import PolicyError, StatementError
from scrutineer.statements import Accreditation, codec, parse_statement, sign_statement
from scrutineer.statements.audit import (
    MAX_CARDS,
    AuditCount,
    AuditPlan,
    AuditReport,
    AuditSeed,
    BoxTotals,
    CardMarks,
    ContestRisk,
)
from scrutineer.statements.audit_order import orders_audits
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.policy import Policy, changes_policy
from scrutineer.statements.statement import TYPE_BY_KIND
from statement_samples import sample_payloads

SAMPLES = {kind: codec.from_struct(payload) for kind, payload in sample_payloads().items() if kind.startswith("audit-")}  # type: ignore[arg-type]
PLAN, SEED, COUNT, REPORT = (SAMPLES[f"audit-{part}"] for part in ("plan", "seed", "count", "report"))
TOTALS = COUNT["totals"][0]
PROGRAMME = {name: PLAN[name] for name in ("election", "name", "title", "by", "protocol")} | {"about": "software"}
HELD = {"election": HASH, "plan": HASH, "size": 3, "outcome": "held", "found": "As built.", "shows": "Nothing of the outcome."}
ELECTION, DEFINITION, _, _ = signed_election()
AUDITING = Auditing(ELECTION)


def read(kind: str, fields: dict[str, Any]) -> object:
    return codec.to_struct(fields, TYPE_BY_KIND[f"audit-{kind}"], kind)


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def test_all_of_them_are_read() -> None:
    for kind, of in (("plan", AuditPlan), ("seed", AuditSeed), ("count", AuditCount), ("report", AuditReport)):
        assert isinstance(read(kind, SAMPLES[f"audit-{kind}"]), of)
    assert read("plan", PROGRAMME)
    assert read("report", HELD)
    assert read("count", without(COUNT, "totals") | {"status": "missing"})
    assert read("count", without(COUNT, "totals") | {"cards": [{"position": 7, "marks": {"president": []}}]})


CARD = {"position": 1, "marks": {"president": [0, 2]}}
CARDS = without(COUNT, "totals")


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("plan", PLAN | {"election": b"x"}, "election is not a hash"),
        ("plan", PLAN | {"name": "a b"}, "cannot be used as an identifier"),
        ("plan", PLAN | {"about": "weather"}, "about"),
        ("plan", PLAN | {"title": ""}, "cannot be used as a name"),
        ("plan", PLAN | {"title": "x" * 257}, "longer than 256"),
        ("plan", PLAN | {"protocol": " \n"}, "the protocol is empty"),
        ("plan", PLAN | {"board": ["auditor/wren", "auditor/dipper"]}, "not in order"),
        ("plan", PLAN | {"board": ["wren"]}, "is no issuer"),
        ("plan", PLAN | {"risk_limit": "0.050"}, "write a share"),
        ("plan", PLAN | {"risk_limit": "5 %"}, "write a share"),
        ("plan", PLAN | {"risk_limit": "1"}, "write a share"),
        ("plan", PLAN | {"size": 2**53}, "is none"),
        ("plan", without(PLAN, "root"), "has a log size, its root, a risk limit, a plan file and contests"),
        ("plan", PROGRAMME | {"plan": HASH}, "any other has none"),
        ("plan", PLAN | {"files": PLAN["files"][::-1]}, "in the order of their names"),
        ("plan", PLAN | {"files": [PLAN["files"][0] | {"name": "../x.csv"}]}, "cannot name a file of an audit"),
        ("plan", PLAN | {"files": [PLAN["files"][0] | {"size": -1}]}, "size of manifest.csv"),
        ("seed", SEED | {"seed": "1234567890"}, "20 to 200 decimal digits"),
        ("seed", SEED | {"seed": "٠" * 20}, "20 to 200 decimal digits"),
        ("seed", SEED | {"how": ""}, "how the seed was made"),
        ("seed", SEED | {"evidence": [HASH, HASH]}, "stands twice"),
        ("count", COUNT | {"box": " a"}, "is no name of a box"),
        ("count", COUNT | {"box": "a\n"}, "is no name of a box"),
        ("count", COUNT | {"status": "missing"}, "neither where not"),
        ("count", without(COUNT, "totals"), "totals or cards where it was counted"),
        ("count", COUNT | {"cards": [CARD]}, "neither where not"),
        ("count", COUNT | {"totals": [TOTALS, TOTALS]}, "one for each contest"),
        ("count", COUNT | {"totals": [TOTALS | {"counts": [-1]}]}, "holds a number that is none"),
        ("count", COUNT | {"counted_by": []}, "counted by nobody"),
        ("count", COUNT | {"counted_by": ["Wren", "Wren"]}, "somebody twice"),
        ("count", COUNT | {"discrepancies": ["unknown", "marking"]}, "in the order"),
        ("count", COUNT | {"discrepancies": ["weather"]}, "discrepancies"),
        ("count", without(COUNT, "note"), "says why in its note"),
        ("count", CARDS | {"cards": [CARD | {"position": 2}, CARD]}, "each once by position"),
        ("count", CARDS | {"cards": [CARD | {"position": 0}]}, "positions begin at 1"),
        ("count", CARDS | {"cards": [CARD | {"status": "missing"}]}, "has marks all the same"),
        ("count", CARDS | {"cards": [CARD | {"marks": {"president": [1, 1]}}]}, "has a mark twice"),
        ("count", CARDS | {"cards": [CARD | {"marks": {"president": [512]}}]}, "one for no option"),
        ("report", REPORT | {"risks": [{"contest": "president", "risk": "0.030"}]}, "write a share"),
        ("report", REPORT | {"risks": REPORT["risks"] * 2}, "not one for each contest"),
        ("report", without(REPORT, "risks"), "has the risk of each contest"),
        ("report", without(REPORT, "report"), "the hash of its file"),
        ("report", REPORT | {"outcome": "held"}, "has the risk of each contest"),
        ("report", without(REPORT, "seed"), "confirmed by what was drawn"),
        ("report", without(HELD, "shows"), "says what was found"),
        ("report", HELD | {"size": 0}, "is none"),
    ],
)
def test_what_no_statement_may_hold_is_refused(kind: str, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(StatementError, match=told):
        read(kind, fields)


def test_as_many_cards_as_one_count_may_have_fit_into_a_statement() -> None:
    cards = tuple(CardMarks(position=2**31 - 1 - MAX_CARDS + n, marks={"president": (0,)}) for n in range(MAX_CARDS))
    count = AuditCount(election=HASH, plan=HASH, box="a1", cards=cards, counted_by=("Wren", "Dipper"))
    with pytest.raises(StatementError, match="bytes"):
        sign_statement(count, AUDITORS[0], key_of(AUDITORS[0]))
    fewer = AuditCount(election=HASH, plan=HASH, box="a1", cards=cards[:1500], counted_by=("Wren", "Dipper"))
    assert len(sign_statement(fewer, AUDITORS[0], key_of(AUDITORS[0]))) < MAX_STATEMENT_SIZE


def policy_after(*entries: bytes) -> Policy:
    policy = Policy(ELECTION)
    for entry in entries:
        policy.apply(policy.admit(entry))
    return policy


def refused(policy: Policy, entry: bytes) -> str:
    with pytest.raises(PolicyError) as caught:
        policy.check(entry)
    return caught.value.code


PLANNED = AUDITING.plan(board=AUDITORS)
SEEDED = AUDITING.seed(PLANNED, AUDITORS[1])


def test_plan_seed_counts_report_in_this_order() -> None:
    policy = policy_after(PLANNED, SEEDED, AUDITING.count(PLANNED), AUDITING.report(PLANNED, SEEDED))
    for entry in (PLANNED, SEEDED, AUDITING.report(PLANNED, SEEDED, outcome="continuing")):
        policy.check(entry)


def test_a_seed_before_its_plan_is_refused() -> None:
    assert refused(policy_after(), SEEDED) == "plan-not-registered"
    assert refused(policy_after(AUDITING.plan(name="another")), SEEDED) == "plan-not-registered"


def test_a_plan_has_one_seed() -> None:
    other = AUDITING.seed(PLANNED, seed="9" * 20)
    policy = policy_after(PLANNED, SEEDED)
    assert refused(policy, other) == "second-seed"
    policy.apply(parse_statement(other))
    assert refused(policy, other) == "second-seed"
    assert refused(policy, AUDITING.report(PLANNED, other)) == "seed-not-registered"


def test_digits_that_are_known_seed_no_later_plan() -> None:
    early, late = AUDITING.plan(name="early"), AUDITING.plan(name="late")
    policy = policy_after(PLANNED, early, SEEDED)
    policy.apply(policy.admit(AUDITING.seed(early)))
    policy.apply(policy.admit(late))
    assert refused(policy, AUDITING.seed(late)) == "known-seed"
    policy.check(AUDITING.seed(late, seed="7" * 20))
    policy.check(SEEDED)


def test_counts_and_confirmations_wait_for_the_seed() -> None:
    assert refused(policy_after(PLANNED), AUDITING.count(PLANNED)) == "seed-not-registered"
    assert refused(policy_after(PLANNED), AUDITING.report(PLANNED, SEEDED)) == "seed-not-registered"
    assert refused(policy_after(PLANNED, SEEDED), AUDITING.report(PLANNED, None, outcome="full-count")) == "seed-not-registered"
    policy_after(PLANNED).check(AUDITING.report(PLANNED, None, outcome="full-count"))


def test_a_name_has_one_plan() -> None:
    assert refused(policy_after(PLANNED), AUDITING.plan(title="Other boxes")) == "second-plan"
    policy_after(PLANNED).check(AUDITING.plan(name="other"))


def test_who_is_not_of_the_audit_says_nothing_in_it() -> None:
    own = AUDITING.plan()
    assert refused(policy_after(own), AUDITING.seed(own, AUDITORS[1])) == "not-of-this-audit"
    policy = policy_after(own, AUDITING.seed(own))
    assert refused(policy, AUDITING.count(own, "authority/one")) == "not-of-this-audit"
    assert refused(policy, AUDITING.report(own, AUDITING.seed(own), AUDITORS[1])) == "not-of-this-audit"
    policy.apply(parse_statement(AUDITING.seed(own, AUDITORS[1])))
    assert refused(policy, AUDITING.seed(own, AUDITORS[1])) == "not-of-this-audit"


@pytest.mark.parametrize(
    ("unit", "box", "code"), [("", "a1", ""), ("north", "b1", "out-of-scope"), ("", "cellar", "out-of-scope")]
)
def test_scope(unit: str, box: str, code: str) -> None:
    assert refused(policy_after(), AUDITING.plan(NORTHERN_AUDITOR)) == "out-of-scope"
    plan = AUDITING.plan(unit=unit, board=(NORTHERN_AUDITOR,))
    policy, count = policy_after(plan, AUDITING.seed(plan)), AUDITING.count(plan, NORTHERN_AUDITOR, box=box)
    if code:
        assert refused(policy, count) == code
    else:
        policy.check(count)


def test_unknown_units_contests_and_options() -> None:
    assert refused(policy_after(), AUDITING.plan(unit="nowhere")) == "unknown-unit"
    policy = policy_after(PLANNED, SEEDED)
    senate = (BoxTotals(contest="senate", counts=(1,)),)
    assert refused(policy, AUDITING.count(PLANNED, totals=senate)) == "unknown-contest"
    short = (BoxTotals(contest="president", counts=(1,)),)
    assert refused(policy, AUDITING.count(PLANNED, totals=short)) == "wrong-shape"
    card = (CardMarks(position=1, marks={"president": (3,)}),)
    assert refused(policy, AUDITING.count(PLANNED, totals=(), cards=card)) == "wrong-shape"
    risks = (ContestRisk(contest="senate", risk="0.01"),)
    assert refused(policy, AUDITING.report(PLANNED, SEEDED, risks=risks)) == "unknown-contest"


def test_only_an_audit_of_the_outcome_measures_risk() -> None:
    software = AUDITING.plan(about="software", name="build")
    policy = policy_after(software)
    policy.check(AUDITING.report(software, None, outcome="held", found="As built.", shows="Nothing of the outcome."))
    assert refused(policy, AUDITING.report(software, None, outcome="full-count")) == "wrong-shape"
    held = AUDITING.report(PLANNED, SEEDED, outcome="held", found="As built.", shows="Nothing.")
    assert refused(policy_after(PLANNED, SEEDED), held) == "wrong-shape"


def test_what_a_revoked_key_signs_takes_no_place() -> None:
    revoked = Accreditation(
        election=ELECTION.hash,
        action="revoke",
        issuer=AUDITORS[1],
        role="auditor",
        key=key_of(AUDITORS[1]).public_key,
        reason="The key was found in the street.",
    )
    act = sign_statement(revoked, "authority/one", key_of("authority/one"))
    policy = policy_after(PLANNED, act, SEEDED)
    policy.check(AUDITING.seed(PLANNED))
    count = Count(ELECTION)
    count.apply([DEFINITION, PLANNED, act, SEEDED])
    assert [recorded.index for recorded in count.audits] == [1]
    assert [index for index, _ in count.notes] == [3]


def test_what_changes_the_policy_is_told_from_the_header() -> None:
    assert orders_audits(PLANNED)
    assert changes_policy(SEEDED)
    assert not changes_policy(AUDITING.count(PLANNED))
