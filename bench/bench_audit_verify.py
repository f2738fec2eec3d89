"""Checks a whole audit of boxes from its artifacts: every hash, the draw, every risk and the report, as `audit verify` does.

    python bench/bench_audit_verify.py [BOXES] [DRAWS]

A contest of three options and two assertions; every drawn box was counted. The floor is what nobody can leave out: SHA-256 of all
files, the two tables split into cells, and the decoding of every signed statement. Prints CPU seconds (to reach: 5,640 boxes in
2 s), and the ratio.

Then an audit of the invented republic (ten options, nine assertions) with its log: signers and signatures, the places of all
statements in the log, roots, the sheets of all stations counted again, and that the assertions imply the whole legal outcome. Its
floor is one SHA-256 of every entry and file and bare libsodium on the signatures of the audit.
"""

import csv
import hashlib
import io
import random
import sys
import time

import numpy as np
from nacl import bindings

from electorate import MASTER, ORIGIN, log_signer
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.audits.counts import Counted
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import PLAN_FILE, Plan, PlannedContest, Test, planned_file
from scrutineer.audits.plan_draw import DRAW_FILE, encode_draw
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.plan_totals import Row, Totals
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.report import REPORT_FILE, make_report, page_name
from scrutineer.audits.report_page import report_page
from scrutineer.audits.status import draw
from scrutineer.count import Count
from scrutineer.election import Contest, Election, LogIdentity
from scrutineer.log import MerkleTree, leaf_hash
from scrutineer.simulate import OFFICERS, open_republic, sign_arrivals, simulate_republic
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
from scrutineer.statements.policy import Policy

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
    ours = _checked(artifacts, "mayor")
    started = time.process_time()
    for data in artifacts.files.values():
        hashlib.sha256(data).digest()
    for name in ("manifest.csv", "totals.csv"):
        list(csv.reader(io.StringIO(artifacts.files[name].decode())))
    for entry in artifacts.entries:
        parse_statement(entry.data)
    _compare(ours, time.process_time() - started)

    log, artifacts = _registered(boxes, draws)
    ours = _checked(artifacts, "president")
    signed = [parse_statement(entry.data).envelope for entry in artifacts.entries]
    key = MASTER.derive(OFFICERS[0]).public_key
    signatures = [each.signature + each.signed_bytes() for each in signed]
    started = time.process_time()
    for data in (*artifacts.files.values(), *log):
        hashlib.sha256(data).digest()
    for each in signatures:
        bindings.crypto_sign_open(each, key)
    _compare(ours, time.process_time() - started)


def _checked(artifacts: Artifacts, contest: str) -> float:
    started = time.process_time()
    check = check_audit(artifacts)
    spent = time.process_time() - started
    if not check.passed:
        raise SystemExit(f"the audit does not hold: {check.findings[0]}")
    said = "with its log" if check.results and check.signatures and check.ordered else "without a log"
    print(f"{said}: {check.draws} draws, {check.counted} boxes counted, risk {check.risks[contest]}")
    print(f"  check: {spent:.2f} CPU-s (to reach: 2)")
    return spent


def _compare(ours: float, floor: float) -> None:
    print(f"  floor: {floor:.3f} CPU-s; ratio {ours / floor:.1f}")


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
        contests=(PlannedContest(contest="mayor", full_count="", target=True, tests=tests),),
        files={name: planned_file(data) for name, data in contents.items()},
    )
    seen = {}
    for box in manifest.boxes:
        cards, rest, own = rows[box, "mayor"]
        seen[box] = BoxTotals(contest="mayor", counts=own, blank=rest, null=0, cards=cards)
    statements, contents = _held(open_files(plan, contents), contents, draws, seen, (WHO, KEY))
    return Artifacts(contents, [Entry(statement) for statement in statements])


def _held(
    files: PlanFiles,
    contents: dict[str, bytes],
    draws: int,
    seen: dict[str, BoxTotals],
    signer: tuple[str, SigningKey],
    contests: tuple[Contest, ...] = (),
) -> tuple[list[bytes], dict[str, bytes]]:
    """The statements of an audit in which every drawn box is found as it is given, and all its files."""
    plan = files.plan
    election = bytes.fromhex(plan.election)
    sample = draw(files, DICE, draws)
    named = tuple(AuditFile(name=name, sha256=hashlib.sha256(data).digest(), size=len(data)) for name, data in contents.items())
    signed = AuditPlan(
        election=election,
        name=plan.name,
        about="outcome",
        title="Boxes",
        by="Society of Observers",
        protocol="Boxes are counted.",
        size=plan.size,
        root=bytes.fromhex(plan.root),
        risk_limit=plan.risk_limit,
        plan=plan.hash,
        contests=plan.targeted(),
        files=tuple(sorted(named, key=lambda file: file.name)),
    )
    statements = [sign_statement(signed, *signer)]
    hash_ = statement_hash(statements[0])
    seed = AuditSeed(election=election, plan=hash_, seed=DICE, how="Dice", who="Visitors", when="At noon")
    statements.append(sign_statement(seed, *signer))
    counts = []
    for box in sample.boxes():
        count = AuditCount(election=election, plan=hash_, box=box, totals=(seen[box],), counted_by=("Wren", "Dipper"))
        statements.append(sign_statement(count, *signer))
        counts.append(Counted(statement_hash(statements[-1]), count))
    size = plan.size + len(statements)
    report = make_report(files, hash_, statement_hash(statements[1]), sample, tuple(counts), size)
    risks = tuple(ContestRisk(contest=each.contest, risk=each.risk) for each in report.contests)
    last = AuditReport(
        election=election,
        plan=hash_,
        seed=statement_hash(statements[1]),
        size=size,
        outcome=report.outcome,
        risks=risks,
        report=report.hash,
    )
    statements.append(sign_statement(last, *signer))
    page = {page_name(REPORT_FILE): report_page(plan, report, contests)}
    return statements, contents | {PLAN_FILE: plan.encode(), DRAW_FILE: encode_draw(sample), REPORT_FILE: report.encode()} | page


def _registered(stations: int, draws: int) -> tuple[list[bytes], Artifacts]:
    """A log with the sheets of the republic and an audit of them, and what there is of the audit."""
    republic = simulate_republic(stations, 7, disturbances=())
    opened = open_republic(republic, MASTER.derive, LogIdentity(ORIGIN, log_signer().verifier.vkeys))
    election = opened.election
    log = [opened.definition, *sign_arrivals(republic.sheets(election.hash), MASTER.derive)]
    tree = MerkleTree()
    tree.extend([leaf_hash(entry) for entry in log])
    made = make_plan(_count(election, log), tree.root(), name="boxes")
    boxes, units = republic.boxes[0], republic.units
    seen = {
        units.ids[units.station_units[station]]: BoxTotals(
            contest="president", counts=tuple(votes), blank=blank, null=null, cards=cards
        )
        for station, (votes, blank, null, cards) in enumerate(
            zip(boxes.votes.tolist(), boxes.blank.tolist(), boxes.null.tolist(), boxes.ballots.tolist(), strict=True)
        )
    }
    size, signer = len(log), (OFFICERS[0], MASTER.derive(OFFICERS[0]))
    statements, contents = _held(
        open_files(made.plan, made.files), dict(made.files), draws, seen, signer, tuple(election.contests)
    )
    log += statements
    tree.extend([leaf_hash(entry) for entry in statements])
    policy = Policy(election)

    def admit(data: bytes) -> None:
        policy.apply(policy.admit(data))

    entries = [Entry(data, size + number) for number, data in enumerate(statements)]
    artifacts = Artifacts(
        contents,
        entries,
        admit,
        tree.root,
        lambda at: _count(election, log[:at]),
        lambda: _count(election, log),
        definition=election.definition,
    )
    return log, artifacts


def _count(election: Election, entries: list[bytes]) -> Count:
    count = Count(election)
    count.apply(entries)
    return count


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_640, int(sys.argv[2]) if len(sys.argv) > 2 else 400)
