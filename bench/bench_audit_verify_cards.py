"""Checks a whole audit of single cards against their records, from its artifacts alone, as `audit verify` does without a log.

    python bench/bench_audit_verify_cards.py [CARDS] [DRAWS]

One contest of three options; boxes of a thousand cards, each card with a record that says where it lies; every drawn card was
found as its record says. The floor is SHA-256 of all files, and one SHA-256 for every card's ticket number. Prints CPU seconds
and memory (to reach: 10 million cards in 5 minutes), and the ratio.
"""

import hashlib
import resource
import sys
import time

import numpy as np
import pyarrow as pa

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.audits.counts import Counted
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import PLAN_FILE, Plan, PlannedContest, Test, planned_file
from scrutineer.audits.plan_cards import cards_file
from scrutineer.audits.plan_draw import DRAW_FILE, encode_draw
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.report import REPORT_FILE, make_report
from scrutineer.audits.status import draw
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed, SigningKey, sign_statement, statement_hash
from scrutineer.statements.audit import AuditFile, CardMarks, ContestRisk

ELECTION = bytes(32)
DICE = "31415926535897932384"
SIGNER = ("auditor/wren", SigningKey(bytes(range(32))))
BOX = 1000


def main(cards: int, draws: int) -> None:
    records, contents = _recorded(cards)
    plan = _plan(records, contents, draws)
    artifacts = _held(open_files(plan, contents), records, contents, draws)
    del records
    started = time.process_time()
    check = check_audit(artifacts)
    spent = time.process_time() - started
    if not check.passed:
        raise SystemExit(f"the audit does not hold: {check.findings[0]}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{cards:,} cards, {check.draws} draws, {check.counted} counted, risk {check.risks['mayor']}")
    print(f"  check: {spent:.1f} CPU-s (to reach at 10 million: 300); {memory:,} MB at most, the making of the audit included")
    started = time.process_time()
    for data in artifacts.files.values():
        hashlib.sha256(data).digest()
    sha256 = hashlib.sha256
    for number in range(cards):
        sha256(number.to_bytes(40)).digest()
    floor = time.process_time() - started
    print(f"  floor: {floor:.1f} CPU-s; ratio {spent / floor:.1f}")


def _recorded(cards: int) -> tuple[Cards, dict[str, bytes]]:
    boxes = -(-cards // BOX)
    names = tuple(f"box-{number:06}" for number in range(boxes))
    batch = (np.arange(cards) // BOX).astype(np.int32)
    position = (np.arange(cards) % BOX + 1).astype(np.int32)
    votes = np.random.default_rng(7).choice(4, cards, p=(0.03, 0.49, 0.45, 0.03)).astype(np.int8)
    column = ContestColumn("mayor", ("heron", "wren", "kite"), ((), (0,), (1,), (2,)), votes)
    records = Cards((column,), names, batch, position, pa.array(np.arange(cards)).cast(pa.string()))
    manifest = Manifest.of(zip(names, np.bincount(batch).tolist(), strict=True))
    return records, {"manifest.csv": manifest.encode(), "cards.bin": cards_file(records)}


def _plan(records: Cards, contents: dict[str, bytes], draws: int) -> Plan:
    votes = np.bincount(records.contests[0].pattern, minlength=4)[1:]
    pairs = [Assertion("mayor", f"lead:0:{loser}", (1, *(-(loser == other) for other in (1, 2)))) for loser in (1, 2)]
    return Plan(
        format="scrutineer-audit-plan/1",
        name="cards",
        election=ELECTION.hex(),
        size=7,
        root=bytes(32).hex(),
        risk_limit="0.05",
        design="comparison",
        draw="canonical",
        replacement=False,
        risk="betting-fixed",
        first_round=draws,
        boxes=len(records.batches),
        cards=len(records),
        contests=(
            PlannedContest(
                contest="mayor",
                full_count="",
                target=True,
                tests=tuple(Test.of(pair, int(votes @ np.array(pair.weights)), {"rate": "1.8"}) for pair in pairs),
            ),
        ),
        files={name: planned_file(data) for name, data in contents.items()},
    )


def _held(files: PlanFiles, records: Cards, contents: dict[str, bytes], draws: int) -> Artifacts:
    """The artifacts of an audit in which every drawn card is found as it is recorded."""
    plan = files.plan
    sample = draw(files, DICE, draws)
    named = sorted(contents.items())
    signed = AuditPlan(
        election=ELECTION,
        name=plan.name,
        about="outcome",
        title="Cards",
        by="Society of Observers",
        protocol="Cards are looked at.",
        size=plan.size,
        root=bytes(32),
        risk_limit=plan.risk_limit,
        plan=plan.hash,
        contests=plan.targeted(),
        files=tuple(AuditFile(name=name, sha256=hashlib.sha256(data).digest(), size=len(data)) for name, data in named),
    )
    statements = [sign_statement(signed, *SIGNER)]
    hash_ = statement_hash(statements[0])
    seed = AuditSeed(election=ELECTION, plan=hash_, seed=DICE, how="Dice", who="Visitors", when="At noon")
    statements.append(sign_statement(seed, *SIGNER))
    column, by_box = records.contests[0], {}
    for box, position in sample.units():
        row = int(box[4:]) * BOX + position - 1
        card = CardMarks(position=position, marks={"mayor": column.patterns[int(column.pattern[row])]})
        by_box.setdefault(box, []).append(card)
    counts = []
    for box, cards in by_box.items():
        count = AuditCount(election=ELECTION, plan=hash_, box=box, cards=tuple(cards), counted_by=("Wren", "Dipper"))
        statements.append(sign_statement(count, *SIGNER))
        counts.append(Counted(statement_hash(statements[-1]), count))
    size = plan.size + len(statements)
    report = make_report(files, hash_, statement_hash(statements[1]), sample, tuple(counts), size)
    last = AuditReport(
        election=ELECTION,
        plan=hash_,
        seed=statement_hash(statements[1]),
        size=size,
        outcome=report.outcome,
        risks=tuple(ContestRisk(contest=each.contest, risk=each.risk) for each in report.contests),
        report=report.hash,
    )
    statements.append(sign_statement(last, *SIGNER))
    made = {PLAN_FILE: plan.encode(), DRAW_FILE: encode_draw(sample), REPORT_FILE: report.encode()}
    return Artifacts(contents | made, [Entry(statement) for statement in statements])


if __name__ == "__main__":
    main(*(int(given) for given in (sys.argv[1:] + ["10000000", "500"][len(sys.argv) - 1 :])))
