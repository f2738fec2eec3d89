"""Whole audits of the small country in all designs, which can be changed anywhere and signed again as their publisher could."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from second_look.election import Election as SecondElection
from second_look.merkle import roots_at
from second_look.merkle import statement_hash as leaf_name
from second_look.outcome import OutcomeAudits
from second_look.report import Report as SecondReport
from second_look.site import follow
from second_look.statements import read

from audit_helpers import AUDITORS, LOG, Auditing
from count_helpers import NOON, PRESIDENT, STATIONS, Ballots, key_of, make_election, units
from portal_helpers import Published, published
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.audits.counts import Counted
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan_draw import encode_draw
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.registered import registered_audits
from scrutineer.audits.report import make_report
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import draw
from scrutineer.count import Count
from scrutineer.election import Contest, Definition, Issuer, LogIdentity, Option, Register
from scrutineer.election.definition import REGISTER_TABLE, UNITS_TABLE, table_hash, write_register, write_units
from scrutineer.log import MerkleTree, leaf_hash
from scrutineer.portal import SiteOptions
from scrutineer.statements import parse_statement, sign_statement, statement_hash
from scrutineer.statements.audit import AuditFile, BoxTotals, CardMarks, ContestRisk
from scrutineer.statements.bootstrap import open_election

BIRDS = (Option("smew", "Smew"), Option("teal", "Teal"), Option("rail", "Rail"), Option("ibis", "Ibis"))
COUNCIL = Contest("council", "Council", "approval", BIRDS, seats=2)
MEASURE = Contest("measure", "Measure", "yes-no", (Option("yes", "Yes"), Option("no", "No")), threshold="2/5")
WARD = Contest("ward", "Ward of the north", "plurality", (Option("kite", "Kite"), Option("dunlin", "Dunlin")), unit="north")
CONTESTS = (PRESIDENT, COUNCIL, MEASURE, WARD)
NORTH = STATIONS[:3]
DICE = "31415926535897932384"
DESIGNS = ("batch-betting", "batch-macro", "polling", "oneaudit", "comparison", "two-stage")
CARDS = dict(zip(STATIONS, (85, 92, 78, 88, 95, 81), strict=True))


def paper(box: str, position: int) -> dict[str, tuple[int, ...]]:
    """What is on a card: arbitrary. Only boxes of the north hold the contest of the ward."""
    chance = hashlib.sha256(f"{box} {position}".encode()).digest()
    president = next((option for option, most in enumerate((165, 215, 248)) if chance[0] < most), None)
    marks: dict[str, tuple[int, ...]] = {"president": () if president is None else (president,)}
    marks["council"] = tuple(option for option, most in enumerate((200, 190, 80, 60)) if chance[1 + option] < most)
    marks["measure"] = (0,) if chance[5] < 190 else (1,) if chance[5] < 250 else ()
    if box in NORTH:
        marks["ward"] = (0,) if chance[6] < 170 else (1,)
    return marks


def recorded(box: str, position: int) -> dict[str, tuple[int, ...]]:
    """What was reported of a card: of two cards of box a2 and one of b2 something else than they bear."""
    wrong: dict[tuple[str, int], dict[str, tuple[int, ...]]] = {
        ("a2", 5): {"president": (0,)},
        ("a2", 9): {"measure": (0,)},
        ("b2", 3): {"president": (0,), "council": (0, 1)},
    }
    return paper(box, position) | wrong.get((box, position), {})


def box_totals(box: str, *, reported: bool) -> dict[str, BoxTotals]:
    """The totals of a box by contest, from its cards."""
    cards = [(recorded if reported else paper)(box, position) for position in range(1, CARDS[box] + 1)]
    found = {}
    for contest in CONTESTS:
        if contest is WARD and box not in NORTH:
            continue
        marks = [card[contest.id] for card in cards]
        votes = tuple(sum(option in own for own in marks) for option in range(len(contest.options)))
        found[contest.id] = BoxTotals(contest=contest.id, counts=votes, blank=marks.count(()), null=0, cards=len(cards))
    return found


@cache
def country() -> tuple[Any, bytes, bytes, bytes]:
    """The election with auditors; its signed definition and its tables."""
    plain, tree = make_election(CONTESTS), units()
    others = [*plain.register.others(), *(Issuer(name, "auditor", key_of(name).public_key) for name in AUDITORS)]
    register = write_register(Register(tree.station_index, plain.register.station_keys, others))
    fields = {name: getattr(plain.definition, name) for name in Definition.__struct_fields__}
    fields["tables"] = {UNITS_TABLE: table_hash(write_units(tree)), REGISTER_TABLE: table_hash(register)}
    fields["log"] = LogIdentity(LOG.verifier.origin, LOG.verifier.vkeys)
    definition = sign_statement(Definition(**fields), "authority/one", key_of("authority/one"))
    return open_election(definition, write_units(tree), register), definition, write_units(tree), register


@cache
def results_log() -> tuple[bytes, ...]:
    """The definition, and sheets of all contests."""
    election, definition, _, _ = country()
    ballots, log = Ballots(election), [definition]
    for box in STATIONS:
        for contest, own in box_totals(box, reported=True).items():
            log.append(ballots.sheet(box, own.counts, contest=contest, blank=own.blank, null=0, cast=own.cards, time=NOON))
    return tuple(log)


def records(boxes: Sequence[str] = STATIONS) -> Cards:
    """A record of each card of some boxes."""
    places = [(box, position) for box in boxes for position in range(1, CARDS[box] + 1)]
    columns = []
    for contest in CONTESTS:
        marks = [recorded(*place).get(contest.id) for place in places]
        patterns = tuple(sorted({own for own in marks if own is not None}))
        numbers = np.array([-1 if own is None else patterns.index(own) for own in marks], np.int8)
        most = contest.choices_allowed()
        columns.append(ContestColumn(contest.id, tuple(each.id for each in contest.options), patterns, numbers, most))
    batch = np.array([boxes.index(box) for box, _ in places], np.int32)
    position = np.array([position for _, position in places], np.int32)
    return Cards(tuple(columns), tuple(boxes), batch, position, pa.array([f"{box}-{at}" for box, at in places]))


@dataclass
class Recipe:
    """An audit as its publisher makes it. In reports, `<count 3>` stands for a hash, so that all can be signed anew."""

    plan: dict[str, Any]
    files: dict[str, bytes]
    digits: str
    draws: bytes
    counts: list[dict[str, Any]]
    """Of each count its fields; `replaces` is the number of an earlier one."""
    reports: list[dict[str, Any]]
    after: list[int]
    """By report: how many counts were before it."""
    signed: list[dict[str, Any]]
    """By report: what the signed report says otherwise than the file."""
    log: list[bytes]
    """What stands before the plan."""
    renew: bool = True
    """Whether the plan names the files as they are now."""

    head: Callable[[list[bytes]], bytes] | None = None
    """Makes the head that is shown before the dice, from the log with the plan."""

    def __post_init__(self) -> None:
        self.settings: dict[str, Any] = {}

    def build(self) -> tuple[list[bytes], dict[str, bytes]]:
        """The log and the files, everything signed."""
        auditing, log = Auditing(country()[0]), list(self.log)
        plan = deepcopy(self.plan)
        if self.renew:
            plan["files"] = {n: {"sha256": hashlib.sha256(d).hexdigest(), "size": len(d)} for n, d in self.files.items()}
        encoded = canonical(plan)
        named = tuple(
            AuditFile(name=name, sha256=bytes.fromhex(file["sha256"]), size=file["size"])
            for name, file in sorted(plan["files"].items())
        )
        given = {"name": "boxes", "size": self.plan["size"], "root": bytes.fromhex(self.plan["root"])}
        given |= {"risk_limit": self.plan["risk_limit"], "plan": hashlib.sha256(encoded).digest(), "files": named}
        given["contests"] = tuple(sorted(each["contest"] for each in self.plan["contests"]))
        signed_plan = auditing.plan(board=AUDITORS, **(given | self.settings))
        log.append(signed_plan)
        shown = None if self.head is None else self.head(log)
        seen = {} if shown is None else {"head": hashlib.sha256(shown).digest()}
        seed = auditing.seed(signed_plan, AUDITORS[1], seed=self.digits, **seen)
        log.append(seed)
        names = {"<plan>": statement_hash(signed_plan).hex(), "<seed>": statement_hash(seed).hex()}
        files = {"plan.json": encoded, "draw.csv": self.draws, **self.files} | ({} if shown is None else {"head.txt": shown})
        counts: list[bytes] = []
        for number in range(len(self.counts) + 1):
            for at in [at for at, after in enumerate(self.after) if after == number]:
                text = canonical(self.reports[at]).decode()
                for name, value in names.items():
                    text = text.replace(name, value)
                document = json.loads(text)
                told: dict[str, Any] = {"size": document["size"], "outcome": document["outcome"]}
                told["risks"] = tuple(
                    ContestRisk(contest=row["contest"], risk=row["risk"])
                    for row in sorted(document["contests"], key=lambda row: row["contest"])
                )
                told["report"] = hashlib.sha256(text.encode()).digest()
                log.append(auditing.report(signed_plan, seed, **(told | self.signed[at])))
                files["report.json" if at == 0 else f"report-{at + 1}.json"] = text.encode()
            if number < len(self.counts):
                fields = dict(self.counts[number])
                if fields.get("replaces") is not None:
                    fields["replaces"] = statement_hash(counts[fields["replaces"]])
                counts.append(auditing.count(signed_plan, **fields))
                log.append(counts[-1])
                names[f"<count {number}>"] = statement_hash(counts[-1]).hex()
        return log, files

    def site(self) -> Published:
        """The site of it."""
        election, _, units_table, register = country()
        log, files = self.build()
        made = published(election, (units_table, register), log, SiteOptions(pages="none"), LOG)
        return replace(made, record=replace(made.record, audits={f"audits/boxes/{n}": d for n, d in files.items()}))


def canonical(value: Any) -> bytes:
    """JSON in its only form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@cache
def planned(design: str, mode: str = "canonical", *, replacement: bool = False) -> PlanFiles:
    """A plan of one of the designs; `oneaudit+records` has records of two boxes.

    In batch-betting one contest is no target, and batch-macro has the manifest by rolls.
    """
    log = list(results_log())
    contests = [contest.id for contest in CONTESTS]
    also = ("council",) if design == "batch-betting" else ()
    manifest = None if design == "batch-macro" else Manifest.of((box, cards + (box == "a3")) for box, cards in CARDS.items())
    made = make_plan(
        count_of(log),
        root_of(log),
        name="boxes",
        contests=[contest for contest in contests if contest not in also],
        also=also,
        design=design.partition("+")[0],  # type: ignore[arg-type]
        draw=mode,  # type: ignore[arg-type]
        replacement=replacement,
        per_box=7 if design == "two-stage" else None,
        manifest=manifest,
        cards=records() if design == "comparison" else records(NORTH[1:]) if design == "oneaudit+records" else None,
    )
    _FILES[design, mode, replacement] = dict(made.files)
    return open_files(made.plan, made.files)


_FILES: dict[tuple[str, str, bool], dict[str, bytes]] = {}


def honest(
    design: str, mode: str, *, replacement: bool, digits: str, draws: int, counts: Sequence[dict[str, Any]], halfway: int
) -> Recipe:
    """An audit with these counts, reported in the middle and at the end as the first verifier measures it."""
    files, log = planned(design, mode, replacement=replacement), list(results_log())
    sample = draw(files, digits, draws)
    plan_json, contents = json.loads(files.plan.encode()), dict(_FILES[design, mode, replacement])
    made = Recipe(plan_json, contents, digits, encode_draw(sample), list(counts), [], [], [], log)
    for after, size in ((halfway, draws // 2), (len(made.counts), draws)):
        signed = made.build()[0][len(log) :]
        taken = [each for each in signed[2:] if parse_statement(each).kind == "audit-count"][:after]
        found = tuple(Counted(statement_hash(data), parse_statement(data).payload) for data in taken)  # type: ignore[arg-type]
        plan, seed = statement_hash(signed[0]), statement_hash(signed[1])
        at = len(log) + 2 + after + len(made.reports)
        text = make_report(files, plan, seed, Sample(sample.tickets[:size]), found, at).encode().decode()
        text = text.replace(plan.hex(), "<plan>").replace(seed.hex(), "<seed>")
        for number, data in enumerate(taken):
            text = text.replace(statement_hash(data).hex(), f"<count {number}>")
        made.reports.append(json.loads(text))
        made.after.append(after)
        made.signed.append({})
    return made


@cache
def _recipe(design: str, mode: str, replacement: bool) -> Recipe:
    files = planned(design, mode, replacement=replacement)
    draws = min(files.plan.first_round + 12, 200)
    counts = list(_counts(files, draw(files, DICE, draws)))
    return honest(design, mode, replacement=replacement, digits=DICE, draws=draws, counts=counts, halfway=len(counts) // 2)


def recipe(design: str, mode: str = "canonical", *, replacement: bool = False) -> Recipe:
    """An audit with two reports, in which cards are missing and counts replaced."""
    return deepcopy(_recipe(design, mode, replacement))


def _counts(files: PlanFiles, sample: Sample) -> Iterator[dict[str, Any]]:
    if files.plan.by_box:
        for number, box in enumerate(sample.boxes()):
            totals = {"box": box, "totals": tuple(each for _, each in sorted(box_totals(box, reported=False).items()))}
            yield totals
            if number == 0:
                again = box_totals(box, reported=False) | {"president": BoxTotals(contest="president", counts=(None, 20, 10))}
                note = {"note": "Counted again.", "replaces": 0, "discrepancies": ("marking", "machine")}
                yield totals | note | {"totals": tuple(each for _, each in sorted(again.items()))}
                yield totals | note | {"replaces": 1}
        return
    boxes: dict[str, list[CardMarks]] = {}
    for number, (box, position) in enumerate(sample.units()):
        if number % 37 == 20:
            boxes.setdefault(box, []).append(CardMarks(position=position, status="missing" if number % 2 else "illegible"))
        elif position <= CARDS[box] and number % 37 != 30:
            marks = {name: own for name, own in paper(box, position).items() if (number, name) != (4, "measure")}
            boxes.setdefault(box, []).append(CardMarks(position=position, marks=marks))
    for number, (box, cards) in enumerate(boxes.items()):
        yield {"box": box, "totals": (), "cards": tuple(cards)}
        if number == 1:
            given = {"note": "One card was taken for another.", "replaces": 1}
            yield {"box": box, "totals": (), "cards": tuple(cards), "discrepancies": ("transcription",)} | given


def count_of(log: list[bytes]) -> Count:
    count = Count(country()[0])
    count.apply(log)
    return count


def root_of(log: list[bytes]) -> bytes:
    tree = MerkleTree()
    tree.extend([leaf_hash(entry) for entry in log])
    return tree.root()


def first_findings(log: list[bytes], files: dict[str, bytes]) -> list[str]:
    """What the first verifier finds, given the statements that its log would admit."""
    whole = count_of(log)
    entries = [Entry(own.statement.data, own.index) for own in whole.audits]
    artifacts = Artifacts(
        files,
        entries,
        root=lambda size: root_of(log[:size]) if size <= len(log) else None,
        count=lambda size: count_of(log[:size]),
        latest=lambda: whole,
        whole=False,
        registered=registered_audits(whole.audits),
    )
    return [str(finding) for finding in check_audit(artifacts).findings]


def second_report(log: list[bytes], files: dict[str, bytes], folder: Path) -> SecondReport:
    """What the second verifier finds in the audit of a log."""
    own = folder / "audits/boxes"
    own.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (own / name).write_bytes(data)
    _, definition, units_table, register = country()
    election, report = SecondElection(read(definition), {"units.csv": units_table, "register.csv": register}), SecondReport()
    audited = OutcomeAudits(folder, log, lambda *_: None, report)
    roots = roots_at([leaf_name(entry) for entry in log], {size for size in audited.sizes() if size <= len(log)})
    audited.finish(follow(election, log, roots, {}, audited, report))
    for name in files:
        (own / name).unlink()
    return report
