"""Checks a whole audit of boxes from its artifacts: every hash, the draw, every risk and the report, as `audit verify` does.

    python bench/bench_audit_verify.py [BOXES] [DRAWS]

A contest of three options and two assertions; every drawn box was counted. The floor is what nobody can leave out: SHA-256 of all
files, the two tables split into cells, and the decoding of every signed statement. Prints CPU seconds (to reach: 5,640 boxes in
2 s), and the ratio.
"""

import csv
import hashlib
import io
import random
import sys
import time

import numpy as np

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.audits.counts import Counted
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import Plan, PlannedContest, Test, planned_file
from scrutineer.audits.plan_draw import encode_draw
from scrutineer.audits.plan_totals import Row, Totals
from scrutineer.audits.report import make_report
from scrutineer.audits.status import draw, open_files
from scrutineer.statements import (
    AuditCount,
    AuditPlan,
    AuditReport,
    AuditSeed,
    SigningKey,
    parse_statement,
    sign_statement,
    statement_hash,
)
from scrutineer.statements.audit import AuditFile, BoxTotals, ContestRisk

ELECTION = bytes(32)
DICE = "31415926535897932384"
WHO = "auditor/wren"
KEY = SigningKey(bytes(range(32)))


def main(boxes: int, draws: int) -> None:
    chance = random.Random(7)
    rows: dict[tuple[str, str], Row] = {}
    for number in range(boxes):
        votes, rest = (chance.randrange(300, 600), chance.randrange(280, 560), chance.randrange(40)), chance.randrange(20)
        rows[f"box-{number:06}", "mayor"] = (sum(votes) + rest, rest, votes)
    artifacts = _audit(rows, draws)
    started = time.process_time()
    check = check_audit(artifacts)
    ours = time.process_time() - started
    if not check.passed:
        raise SystemExit(f"the audit does not hold: {check.findings[0]}")
    print(f"{boxes:,} boxes, {check.draws} draws, {check.counted} counted, risk {check.risks['mayor']}")
    print(f"check: {ours:.2f} CPU-s (to reach: 2)")

    started = time.process_time()
    for data in artifacts.files.values():
        hashlib.sha256(data).digest()
    for name in ("manifest.csv", "totals.csv"):
        list(csv.reader(io.StringIO(artifacts.files[name].decode())))
    for entry in artifacts.entries:
        parse_statement(entry.data)
    floor = time.process_time() - started
    print(f"floor: {floor:.2f} CPU-s; ratio {ours / floor:.1f}")


def _audit(rows: dict[tuple[str, str], Row], draws: int) -> Artifacts:
    totals, manifest = Totals(rows), Manifest.of((box, row[0]) for (box, _), row in rows.items())
    contents = {"manifest.csv": manifest.encode(), "totals.csv": totals.encode()}
    votes = np.array([row[2] for row in rows.values()]).sum(axis=0)
    pairs = [Assertion("mayor", f"lead:0:{loser}", (1, *(-(loser == other) for other in (1, 2)))) for loser in (1, 2)]
    tests = tuple(Test.of(pair, int(votes @ np.array(pair.weights)), {"rate": "0.9"}) for pair in pairs)
    plan = Plan(
        format="scrutineer-audit-plan/1",
        name="boxes",
        election=ELECTION.hex(),
        size=7,
        root=bytes(32).hex(),
        risk_limit="0.05",
        design="batch-betting",
        draw="canonical",
        replacement=True,
        risk="betting-fixed",
        first_round=draws,
        boxes=len(rows),
        cards=manifest.total,
        contests=(PlannedContest(contest="mayor", full_count="", tests=tests),),
        files={name: planned_file(data) for name, data in contents.items()},
    )
    files = open_files(plan, contents)
    sample = draw(files, DICE, draws)
    named = tuple(AuditFile(name=name, sha256=hashlib.sha256(data).digest(), size=len(data)) for name, data in contents.items())
    signed = AuditPlan(
        election=ELECTION,
        name="boxes",
        about="outcome",
        title="Boxes",
        by="Society of Observers",
        protocol="Boxes are counted.",
        size=7,
        root=bytes(32),
        risk_limit="0.05",
        plan=plan.hash,
        files=named,
    )
    statements = [sign_statement(signed, WHO, KEY)]
    hash_ = statement_hash(statements[0])
    seed = AuditSeed(election=ELECTION, plan=hash_, seed=DICE, how="Dice", who="Visitors", when="At noon")
    statements.append(sign_statement(seed, WHO, KEY))
    counts = []
    for box in sample.boxes():
        cards, rest, own = rows[box, "mayor"]
        seen = BoxTotals(contest="mayor", counts=own, blank=rest, null=0, cards=cards)
        count = AuditCount(election=ELECTION, plan=hash_, box=box, totals=(seen,), counted_by=("Wren", "Dipper"))
        statements.append(sign_statement(count, WHO, KEY))
        counts.append(Counted(statement_hash(statements[-1]), count))
    report = make_report(files, hash_, statement_hash(statements[1]), sample, tuple(counts), 10**6)
    risks = tuple(ContestRisk(contest=each.contest, risk=each.risk) for each in report.contests)
    last = AuditReport(
        election=ELECTION,
        plan=hash_,
        seed=statement_hash(statements[1]),
        size=10**6,
        outcome=report.outcome,
        risks=risks,
        report=report.hash,
    )
    statements.append(sign_statement(last, WHO, KEY))
    contents |= {"plan.json": plan.encode(), "draw.csv": encode_draw(sample), "report.json": report.encode()}
    return Artifacts(contents, [Entry(statement) for statement in statements])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_640, int(sys.argv[2]) if len(sys.argv) > 2 else 400)
