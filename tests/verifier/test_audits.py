"""Both verifiers admit the same statements of audits, in any order."""

import random

import pytest
from second_look import statements
from second_look.count import Count as SecondCount
from second_look.election import Election as SecondElection
from second_look.report import FormatError

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from audit_helpers import AUDITORS, NORTHERN_AUDITOR, Auditing, signed_election
from count_helpers import key_of
from scrutineer.errors import PolicyError, SignatureError, StatementError
from scrutineer.statements import Accreditation, sign_statement
from scrutineer.statements.audit import BoxTotals, CardMarks, ContestRisk
from scrutineer.statements.policy import Policy

ELECTION, DEFINITION, UNITS, REGISTER = signed_election()
AUDITING = Auditing(ELECTION)
SIGNERS = (*AUDITORS, NORTHERN_AUDITOR, "authority/one", "agent/plover")


def some_log(chance: random.Random) -> list[bytes]:
    """Statements of a few audits, made and sent in no good order."""
    boards: tuple[tuple[str, ...], ...] = ((), AUDITORS, (NORTHERN_AUDITOR,))
    plans = [
        AUDITING.plan(
            chance.choice(SIGNERS),
            name=chance.choice(("boxes", "build")),
            about=chance.choice(("outcome", "software")),
            unit=chance.choice(("", "north", "nowhere")),
            board=chance.choice(boards),
        )
        for _ in range(3)
    ]
    entries = list(plans)
    seeds: list[bytes | None] = [None]
    totals = ((BoxTotals(contest="president", counts=(1, None, 2)),), (BoxTotals(contest="president", counts=(1,)),))
    cards = ((CardMarks(position=1, marks={"president": (chance.randrange(4),)}),), ())
    for _ in range(12):
        plan, by = chance.choice(plans), chance.choice(SIGNERS)
        kind = chance.randrange(5)
        if kind == 0:
            seeds.append(AUDITING.seed(plan, by, seed=str(chance.randrange(3)) * 20))
            entries += seeds[-1:]  # type: ignore[arg-type]
        elif kind == 1:
            seen = chance.choice(cards)
            given = {"totals": () if seen else chance.choice(totals), "cards": seen}
            entries.append(AUDITING.count(plan, by, box=chance.choice(("a1", "b1", "cellar")), **given))
        elif kind == 2:
            risks = (ContestRisk(contest=chance.choice(("president", "senate")), risk="0.5"),)
            entries.append(AUDITING.report(plan, chance.choice(seeds), by, outcome="full-count", risks=risks))
        elif kind == 3:
            entries.append(AUDITING.report(plan, chance.choice(seeds), by, outcome="held", found="So.", shows="Little."))
        else:
            key = key_of(by)
            act = Accreditation(
                election=ELECTION.hash,
                action="revoke",
                issuer=by,
                role=by.partition("/")[0],  # type: ignore[arg-type]
                key=key.public_key,
                reason="Lost.",
            )
            entries.append(sign_statement(act, "authority/two", key_of("authority/two")))
    chance.shuffle(entries)
    return entries + entries[:4]


@pytest.mark.parametrize("seed", range(40))
def test_both_admit_the_same(seed: int) -> None:
    policy = Policy(ELECTION)
    second = SecondCount(SecondElection(statements.read(DEFINITION), {"units.csv": UNITS, "register.csv": REGISTER}))
    admitted = 0
    for index, entry in enumerate(some_log(random.Random(seed)), start=1):
        try:
            policy.apply(policy.admit(entry))
            first = ""
        except (PolicyError, StatementError, SignatureError) as error:
            first = str(error)
        try:
            statement = statements.read(entry)
            second.policy.check(statement)
            second.apply(index, statement)
            also = ""
        except FormatError as error:
            also = str(error)
        assert bool(first) == bool(also), (first, also)
        admitted += not first
    assert admitted
