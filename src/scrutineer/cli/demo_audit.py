"""The audit of the demo: boxes that public dice chose are opened, and what lies in them is held against their sheets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from scrutineer.audits.counts import Counted, resolve
from scrutineer.audits.plan import PLAN_FILE, Plan
from scrutineer.audits.plan_draw import DRAW_FILE, encode_draw
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.report import REPORT_FILE, Report, make_report
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import draw, measure
from scrutineer.count import Count
from scrutineer.durable import write_whole
from scrutineer.simulate import Simulation
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed, Payload, parse_statement, statement_hash
from scrutineer.statements.audit import AuditFile, BoxTotals, ContestRisk

NAME: Final = "boxes"
ROUNDS: Final = 4
_BOARD: Final = ("Dipper", "Wren")
_PROTOCOL: Final = (
    "Ten-sided dice are thrown in front of everybody who comes. By the seed that they show, boxes are drawn, each with a chance "
    "in proportion to how much it could matter. Two people count every drawn box by hand without knowing what its sheet says. "
    "This audit is invented like the rest of the republic: the boxes hold what the simulation put into them."
)

Sign = Callable[[Payload], bytes]
Send = Callable[[Sequence[bytes]], int]
"""Registers statements, and says how many entries the log has then."""


@dataclass(frozen=True)
class DemoAudit:
    """What the audit came to."""

    plan: Plan
    report: Report
    boxes: int
    """How many different boxes were opened."""


def hold_audit(simulation: Simulation, count: Count, root: bytes, sign: Sign, send: Send, folder: Path) -> DemoAudit | None:
    """Hold an audit of the first contest, up to `ROUNDS` rounds, and write its files; None where no sample could confirm it.

    `count` and `root` are of the log as it stands. Raises OSError where the files cannot be written.
    """
    contest = count.election.contests[0]
    made = make_plan(count, root, name=NAME, contests=(contest.id,))
    if not made.plan.sampled:
        return None
    files = open_files(made.plan, made.files)
    planned = sign(_plan(made.plan))
    plan = statement_hash(planned)
    send([planned])
    election = count.election.hash
    seed = AuditSeed(
        election=election,
        plan=plan,
        seed=_dice(simulation.seed),
        how="Twenty ten-sided dice, invented with the republic",
        who="Whoever came to the town hall",
        when="After the plan was registered",
    )
    seeded = sign(seed)
    send([seeded])
    counted: list[Counted] = []
    sample, size = Sample(()), count.size
    for number in range(1, ROUNDS + 1):
        sample = draw(files, seed.seed, number * made.plan.first_round)
        opened = {one.count.box for one in counted}
        entries = [sign(_opened(simulation, election, plan, box, contest.id)) for box in sample.boxes() if box not in opened]
        size = send(entries)
        counted += _counts(entries)
        if measure(files, sample, resolve(counted)).confirmed:
            break
    report = make_report(files, plan, statement_hash(seeded), sample, tuple(counted), size)
    send([sign(_report(report, files, plan, seeded))])
    contents = {PLAN_FILE: made.plan.encode(), DRAW_FILE: encode_draw(sample), REPORT_FILE: report.encode(), **made.files}
    (folder / NAME).mkdir(parents=True)
    for name, data in contents.items():
        write_whole(folder / NAME / name, data)
    return DemoAudit(made.plan, report, len(counted))


def _plan(plan: Plan) -> AuditPlan:
    return AuditPlan(
        election=bytes.fromhex(plan.election),
        name=plan.name,
        about="outcome",
        title="Boxes against sheets",
        by="Society of Observers of the republic",
        protocol=_PROTOCOL,
        size=plan.size,
        root=bytes.fromhex(plan.root),
        risk_limit=plan.risk_limit,
        plan=plan.hash,
        contests=plan.measured(),
        files=tuple(
            AuditFile(name=name, sha256=bytes.fromhex(file.sha256), size=file.size) for name, file in sorted(plan.files.items())
        ),
    )


def _opened(simulation: Simulation, election: bytes, plan: bytes, box: str, contest: str) -> AuditCount:
    """What people find in a box: the ballots that the simulation put there."""
    boxes, station = simulation.boxes[0], simulation.units.station_index[box]
    votes, cards = boxes.votes[station].tolist(), int(boxes.ballots[station])
    totals = BoxTotals(
        contest=contest, counts=tuple(votes), blank=int(boxes.blank[station]), null=int(boxes.null[station]), cards=cards
    )
    return AuditCount(election=election, plan=plan, box=box, totals=(totals,), counted_by=_BOARD)


def _counts(entries: Sequence[bytes]) -> list[Counted]:
    found = (parse_statement(entry) for entry in entries)
    return [Counted(one.hash, one.payload) for one in found if isinstance(one.payload, AuditCount)]


def _report(report: Report, files: PlanFiles, plan: bytes, seeded: bytes) -> AuditReport:
    return AuditReport(
        election=bytes.fromhex(files.plan.election),
        plan=plan,
        seed=statement_hash(seeded),
        size=report.size,
        outcome=report.outcome,
        risks=tuple(ContestRisk(contest=each.contest, risk=each.risk) for each in report.contests),
        report=report.hash,
    )


def _dice(seed: int) -> str:
    """Twenty digits that follow from the simulation's seed, so that every demo is the same."""
    return str(int.from_bytes(sha256(b"scrutineer demo dice %d" % seed).digest()) % 10**20).rjust(20, "0")
