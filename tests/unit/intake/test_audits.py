"""The service takes the statements of an audit in their order, and of several seeds that come together one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intake_helpers import AUTHORITIES, Republic, log_signer, opened_log, republic
from scrutineer.errors import ScrutineerError
from scrutineer.intake import Refused, running, submit, submit_statements
from scrutineer.intake.lanes import Trust
from scrutineer.statements import AuditPlan, AuditSeed, Payload, parse_statement, statement_hash


def by_authority(land: Republic, payload: Payload) -> bytes:
    return land.sign(payload, "authority/0", AUTHORITIES[0])


def plan(land: Republic, title: str = "Boxes") -> bytes:
    fields = {"by": "Commission", "protocol": "Boxes are counted.", "size": 1, "root": bytes(32), "risk_limit": "0.05"}
    fields["contests"] = tuple(contest.id for contest in land.election.contests)[:1]
    given = AuditPlan(election=land.election.hash, name="boxes", about="outcome", title=title, plan=bytes(32), **fields)  # type: ignore[arg-type]
    return by_authority(land, given)


def seed(land: Republic, planned: bytes, digit: int) -> bytes:
    fields = {"how": "Dice", "who": "Visitors", "when": "At noon"}
    return by_authority(
        land, AuditSeed(election=land.election.hash, plan=statement_hash(planned), seed=str(digit) * 20, **fields)
    )


def test_plan_then_one_seed_also_after_a_restart(tmp_path: Path) -> None:
    land = republic()
    files = land.write(tmp_path)
    first = plan(land)
    with opened_log(tmp_path, land.definition) as (log, store):
        with running(log, files, housekeeping=store.checkpoint_wal) as address:
            codes: list[str] = []

            def send(statement: bytes) -> str:
                refused: list[Refused] = []
                submit(
                    [statement],
                    [address.url],
                    log_signer().verifier,
                    registered=lambda _: None,
                    refused=refused.append,
                    trust=Trust(),
                )
                return refused[0].problem.code if refused else "registered"

            assert send(seed(land, first, 1)) == "plan-not-registered"
            with ThreadPoolExecutor(8) as pool:
                codes = list(pool.map(send, [plan(land, f"Boxes {number}") for number in range(8)]))
            assert sorted(codes) == ["registered", *["second-plan"] * 7]
            chosen = next(entry for entry in log.entries(1) if isinstance(parse_statement(entry).payload, AuditPlan))
            with ThreadPoolExecutor(8) as pool:
                codes = list(pool.map(send, [seed(land, chosen, number) for number in range(8)]))
            assert sorted(codes) == ["registered", *["second-seed"] * 7]
            assert log.size == 3
        with running(log, files, housekeeping=store.checkpoint_wal) as address:
            kept = seed(land, chosen, codes.index("registered"))
            assert submit_statements([kept], address.url, log_signer().verifier, trust=Trust())[0].index == 2
            with pytest.raises(ScrutineerError, match="has its seed"):
                submit_statements([seed(land, chosen, 9)], address.url, log_signer().verifier, trust=Trust())
