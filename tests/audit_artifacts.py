"""A whole audit of the small country, from its plan to its report, as artifacts that are checked and changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from audit_helpers import AUDITORS, DICE, Auditing, signed_election
from count_helpers import STATIONS, Ballots
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.check import Artifacts, Entry
from scrutineer.audits.counts import Counted
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import BOX_DESIGNS, PLAN_FILE
from scrutineer.audits.plan_draw import DRAW_FILE, encode_draw
from scrutineer.audits.plan_make import MadePlan, make_plan
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.report import REPORT_FILE, Report, make_report, page_name
from scrutineer.audits.report_page import report_page
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import draw
from scrutineer.count import Count
from scrutineer.errors import LogError
from scrutineer.log import MerkleTree, leaf_hash
from scrutineer.statements import AuditCount, parse_statement, statement_hash
from scrutineer.statements.audit import AuditFile, BoxTotals, CardMarks, ContestRisk
from scrutineer.statements.policy import Policy

ELECTION, DEFINITION, UNITS, REGISTER = signed_election()
AUDITING = Auditing(ELECTION)
RESULTS = dict(zip(STATIONS, ((50, 20, 10), (48, 22, 10), (60, 10, 5), (40, 25, 15), (55, 15, 10), (52, 18, 10)), strict=True))

MANIFEST = Manifest.of((box, sum(votes) + 5) for box, votes in RESULTS.items())
"""What people found in the boxes. Plans by box are made without it: their boxes hold as many cards as the roll at most."""


def results_log() -> list[bytes]:
    """The definition and the sheets of all stations."""
    ballots = Ballots(ELECTION)
    return [DEFINITION, *(ballots.sheet(station, votes) for station, votes in RESULTS.items())]


def root_of(entries: Sequence[bytes]) -> bytes:
    tree = MerkleTree()
    tree.extend([leaf_hash(entry) for entry in entries])
    return tree.root()


def count_of(entries: Sequence[bytes]) -> Count:
    count = Count(ELECTION)
    count.apply(entries)
    return count


@dataclass(frozen=True)
class HeldAudit:
    """An audit and the log in which it stands."""

    made: MadePlan
    files: PlanFiles
    sample: Sample
    log: list[bytes]
    plan: bytes
    seed: bytes
    counts: tuple[bytes, ...]
    report: Report
    signed_report: bytes
    artifacts: Artifacts

    def changed(self, entries: Sequence[Entry] | None = None, **files: bytes | None) -> Artifacts:
        """The artifacts with other statements or files; None leaves a file out. Dots in names are written as two underscores."""
        own = dict(self.artifacts.files)
        for name, data in files.items():
            own.pop(name.replace("__", "."), None)
            if data is not None:
                own[name.replace("__", ".")] = data
        return replace(self.artifacts, files=own, entries=self.artifacts.entries if entries is None else entries)


def seen_in(box: str, **given: Any) -> dict[str, Any]:
    """What is in a box: what its sheet says."""
    votes = RESULTS[box]
    return {"box": box, "totals": (BoxTotals(contest="president", counts=votes, blank=3, null=2, cards=sum(votes) + 5),)} | given


def card_in(box: str, position: int) -> CardMarks:
    """A card: boxes are filled with the votes of one option after those of another."""
    ends = [sum(RESULTS[box][: number + 1]) for number in range(3)]
    marks = next(((option,) for option, end in enumerate(ends) if position <= end), ())
    return CardMarks(position=position, marks={"president": marks})


@cache
def held(design: str = "batch-betting") -> HeldAudit:
    """An audit that ends with its outcome confirmed."""
    log = results_log()
    cards = records() if design == "comparison" else None
    manifest = None if design in BOX_DESIGNS else MANIFEST
    made = make_plan(count_of(log), root_of(log), name="boxes", design=design, cards=cards, manifest=manifest)  # type: ignore[arg-type]
    files = open_files(made.plan, made.files)
    sample = draw(files, DICE, made.plan.first_round * 2)
    named = tuple(
        AuditFile(name=name, sha256=bytes.fromhex(file.sha256), size=file.size) for name, file in sorted(made.plan.files.items())
    )
    given = {"size": made.plan.size, "root": bytes.fromhex(made.plan.root), "risk_limit": "0.05", "plan": made.plan.hash}
    plan = AUDITING.plan(board=AUDITORS, files=named, **given)
    seed = AUDITING.seed(plan, AUDITORS[1])
    if made.plan.by_box:
        counts = tuple(AUDITING.count(plan, **seen_in(box)) for box in sample.boxes())
    else:
        cards: dict[str, list[CardMarks]] = {}
        for box, position in sample.units():
            cards.setdefault(box, []).append(card_in(box, position))
        counts = tuple(AUDITING.count(plan, box=box, totals=(), cards=tuple(own)) for box, own in cards.items())
    log += [plan, seed, *counts]
    report = make_report(files, statement_hash(plan), statement_hash(seed), sample, counted(counts), len(log))
    risks = tuple(ContestRisk(contest=each.contest, risk=each.risk) for each in report.contests)
    signed = AUDITING.report(plan, seed, size=len(log), outcome=report.outcome, risks=risks, report=report.hash)
    log.append(signed)
    contents = {
        PLAN_FILE: made.plan.encode(),
        DRAW_FILE: encode_draw(sample),
        REPORT_FILE: report.encode(),
        page_name(REPORT_FILE): report_page(made.plan, report, ELECTION.contests),
        **made.files,
    }
    entries = [Entry(entry, index) for index, entry in enumerate(log) if index > len(RESULTS)]
    artifacts = Artifacts(
        contents,
        entries,
        in_log(log),
        lambda size: root_of(log[:size]),
        lambda size: count_of(log[:size]),
        definition=ELECTION.definition,
    )
    return HeldAudit(made, files, sample, log, plan, seed, counts, report, signed, artifacts)


def counted(counts: Sequence[bytes]) -> tuple[Counted, ...]:
    """Signed counts with their hashes."""
    found = [parse_statement(data) for data in counts]
    return tuple(Counted(one.hash, one.payload) for one in found if isinstance(one.payload, AuditCount))


def in_log(log: Sequence[bytes]) -> Any:
    """Lets pass what stands in a log, after its signature was checked."""
    known = {bytes(entry) for entry in log}
    policy = Policy(ELECTION)

    def admit(data: bytes) -> None:
        if data not in known:
            raise LogError("it is not in the log")
        policy.apply(policy.admit(data))

    return admit


def records() -> Cards:
    """A record of every card, as it is marked."""
    boxes = sorted(RESULTS)
    cards = [
        (number, position, card_in(box, position).marks["president"])
        for number, box in enumerate(boxes)
        for position in range(1, sum(RESULTS[box]) + 6)
    ]
    patterns = ((), (0,), (1,), (2,))
    column = ContestColumn(
        "president", ("heron", "wren", "finch"), patterns, np.array([patterns.index(marks) for _, _, marks in cards], np.int8)
    )
    ids = pa.array([f"{boxes[number]}-{position}" for number, position, _ in cards])
    batch, position = (np.array([card[at] for card in cards], np.int32) for at in (0, 1))
    return Cards((column,), tuple(boxes), batch, position, ids)
