"""How an audit stands: what is drawn, what of it was seen, and the risk that this leaves; at any moment, however often one looks.

The risk of a test is its p-value over the draws in their order: the chance, if the reported outcome were wrong, of evidence at
least as strong as this. A unit that is missing, illegible or not counted yet is taken as the worst that it can be, so that nobody
gains by not finding it; when it is counted, the risk is computed again with what was seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.cards.model import ABSENT, UNKNOWN, Cards
from scrutineer.audits.counts import Seen
from scrutineer.audits.designs.batch import BatchDesign, BoxScores
from scrutineer.audits.designs.comparison import comparison_values
from scrutineer.audits.designs.oneaudit import oneaudit_values
from scrutineer.audits.designs.polling import polling_null, polling_values
from scrutineer.audits.designs.seen import Absence, paper_scores, record_scores
from scrutineer.audits.designs.seen import Seen as SeenMarks
from scrutineer.audits.manifest import Manifest, read_manifest
from scrutineer.audits.plan import CARDS_FILE, MANIFEST_FILE, TOTALS_FILE, Plan, Test, planned_file, share_text
from scrutineer.audits.plan_cards import planned_cards
from scrutineer.audits.plan_design import batch_design, check_totals, check_weights, pool_numbers, pools, reported_total
from scrutineer.audits.plan_totals import Totals, read_totals
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.sampling.canonical import draw_boxes, draw_cards
from scrutineer.audits.sampling.consistent import consistent_sample
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.errors import AuditError
from scrutineer.statements.audit import BoxTotals, CardMarks

WORST: Final = 1.0
"""The risk where there is no evidence."""


@dataclass(frozen=True, eq=False)
class PlanFiles:
    """A plan with the contents of the files that it names."""

    plan: Plan
    manifest: Manifest
    totals: Totals | None
    """Of all designs but comparison."""
    cards: Cards | None = None
    """Of comparison: the records, and one for each card of the manifest that has none."""
    design: BatchDesign | None = None
    """Of plans by box."""

    @cached_property
    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Box and position of every record as one number, ascending, and the rows of the records in this order."""
        if self.cards is None:
            raise AuditError("there are no records of cards in this audit")
        key = (self.cards.batch.astype(np.int64) << 31) + self.cards.position
        order = np.argsort(key, kind="stable")
        return key[order], order

    def record(self, contest: str, tickets: Sequence[Ticket]) -> list[SeenMarks]:
        """What the records say of drawn cards in one contest; missing where there is no record."""
        if self.cards is None:
            raise AuditError("there are no records of cards in this audit")
        keys, order = self.places
        batches = {box: number for number, box in enumerate(self.cards.batches)}
        wanted = np.array([(batches.get(each.box, -1) << 31) + each.position for each in tickets], np.int64)
        at = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
        column = self.cards.column(contest)
        found: list[SeenMarks] = []
        for place, key in zip(at.tolist(), wanted.tolist(), strict=True):
            if not len(keys) or int(keys[place]) != key:
                raise AuditError("a card was drawn that the manifest does not have")
            pattern = int(column.pattern[order[place]])
            found.append(
                Absence.NO_CONTEST if pattern == ABSENT else Absence.MISSING if pattern == UNKNOWN else column.patterns[pattern]
            )
        return found


@dataclass(frozen=True, slots=True)
class TestStatus:
    """One test and its p-value."""

    contest: str
    code: str
    p: float

    @property
    def risk(self) -> str:
        """The p-value as a decimal text, rounded up."""
        return share_text(Fraction(self.p))


@dataclass(frozen=True, slots=True)
class ContestStatus:
    """One contest: the greatest risk of its tests."""

    contest: str
    full_count: str
    risk: str
    confirmed: bool


@dataclass(frozen=True)
class Status:
    """How an audit stands."""

    draws: int
    units: int
    """Different boxes or cards drawn."""
    counted: int
    missing: tuple[str, ...]
    """Boxes and cards that were not found."""
    illegible: tuple[str, ...]
    pending: tuple[str, ...]
    """What nobody has counted yet; each of the three counts as the worst that it can be."""
    tests: tuple[TestStatus, ...]
    contests: tuple[ContestStatus, ...]
    voids: tuple[str, ...]
    """Why nothing can be confirmed by this plan any more: boxes hold more than it allows for. Every risk is 1 then."""
    faults: tuple[str, ...]
    """Counts that contradict each other, and counts of what was not drawn: they are left out of account."""

    @property
    def confirmed(self) -> bool:
        """Whether every contest is confirmed."""
        return all(contest.confirmed for contest in self.contests)


def open_files(plan: Plan, files: Mapping[str, bytes]) -> PlanFiles:
    """The files of a plan, by name. Raises AuditError for one that is missing or is not the one that the plan names."""
    for name, named in plan.files.items():
        data = files.get(name)
        if data is None:
            raise AuditError(f"{name} is missing: the plan of audit {plan.name!r} names it; put it beside the plan")
        if planned_file(data) != named:
            raise AuditError(f"{name} is not the file that the plan names: it was changed after the plan was made")
    manifest = read_manifest(files[MANIFEST_FILE])
    if (len(manifest.boxes), manifest.total) != (plan.boxes, plan.cards):
        raise AuditError(
            f"the manifest has {len(manifest.boxes)} boxes with {manifest.total} cards, and the plan says {plan.boxes} with "
            f"{plan.cards}: they do not belong together"
        )
    check_weights(plan, manifest.total)
    if plan.design == "comparison":
        return PlanFiles(plan, manifest, None, cards=planned_cards(plan, manifest, files[CARDS_FILE]))
    totals = read_totals(files[TOTALS_FILE])
    check_totals(plan, manifest, totals)
    design = batch_design(plan, manifest, totals) if plan.by_box and plan.sampled else None
    return PlanFiles(plan, manifest, totals, design=design)


def draw(files: PlanFiles, seed: str, count: int) -> Sample:
    """So many draws by the plan. A larger number gives the same draws and more. Raises AuditError where they cannot be had."""
    plan, manifest = files.plan, files.manifest
    if not plan.sampled or count == 0:
        return Sample(())
    if files.design is not None:
        return draw_boxes(seed, files.design.bounds, manifest.boxes, count)
    if plan.draw == "canonical":
        return draw_cards(seed, manifest, count, replacement=plan.replacement)
    if not plan.replacement and count > manifest.total:
        raise AuditError(f"{count} cards cannot be drawn from {manifest.total}; draw fewer, or count all of them")
    places = {
        f"{box},{position}": (box, position)
        for box, cards in zip(manifest.boxes, manifest.cards.tolist(), strict=True)
        for position in range(1, cards + 1)
    }
    drawn = consistent_sample(places, seed, count, replacement=plan.replacement, digits=64)
    return Sample(tuple(Ticket(each.number, *places[each.id], each.generation) for each in drawn))


def measure(files: PlanFiles, sample: Sample, seen: Seen) -> Status:
    """How the audit stands after these draws. Raises AuditError for a sample that is not of this plan."""
    plan = files.plan
    faults = [*seen.faults, *_not_drawn(plan, sample, seen)]
    voids: list[str] = []
    risks = _risks(files, sample, seen, voids)
    tests = tuple(TestStatus(contest, test.code, risks[contest, test.code]) for contest, test in plan.tests())
    contests = []
    for contest in plan.contests:
        risk = max((test.p for test in tests if test.contest == contest.contest), default=0.0)
        if contest.full_count or voids:
            risk = WORST
        contests.append(
            ContestStatus(contest.contest, contest.full_count, share_text(Fraction(risk)), Fraction(risk) <= plan.limit)
        )
    counted, missing, illegible, pending = _found(plan, sample, seen)
    return Status(
        len(sample),
        len(sample.units()),
        counted,
        missing,
        illegible,
        pending,
        tests,
        tuple(contests),
        tuple(voids),
        tuple(faults),
    )


def unit_name(box: str, position: int) -> str:
    """A drawn unit for people: a box, or a card of one."""
    return f"{box}, card {position}" if position else box


def _not_drawn(plan: Plan, sample: Sample, seen: Seen) -> list[str]:
    """Counts of what was not drawn, or of another kind of unit."""
    units = sample.units()
    boxes = {box for box, _ in units}
    faults = [f"box {box} was counted and was not drawn" for box in seen.boxes if box not in boxes]
    for box, one in seen.boxes.items():
        if one.count.totals and not plan.by_box:
            faults.append(f"box {box} was counted as a whole, and single cards of it were drawn")
    for box, position in seen.cards:
        if plan.by_box:
            faults.append(f"card {position} of box {box} was counted, and whole boxes were drawn")
        elif (box, position) not in units:
            faults.append(f"card {position} of box {box} was counted and was not drawn")
    return sorted(faults)


def _found(plan: Plan, sample: Sample, seen: Seen) -> tuple[int, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    found: dict[str, list[str]] = {"counted": [], "missing": [], "illegible": [], "pending": []}
    for box, position in sample.units():
        whole, card = seen.boxes.get(box), seen.cards.get((box, position))
        status = "pending"
        if card is not None and not plan.by_box:
            status = card.status
        elif whole is not None and (plan.by_box or whole.count.status != "counted"):
            status = whole.count.status
        found[status].append(unit_name(box, position))
    return len(found["counted"]), tuple(found["missing"]), tuple(found["illegible"]), tuple(found["pending"])


DrawnValues: TypeAlias = dict[tuple[str, str], tuple[Values, Null]]
"""By contest and code of a test: the values of the draws, and the hypothesis that they are tested against."""


def drawn_values(files: PlanFiles, sample: Sample, seen: Seen, voids: list[str] | None = None) -> DrawnValues:
    """What the draws show of every test, in their order. Notes in `voids` why nothing can be confirmed by this plan.

    Raises AuditError for a sample that is not of this plan, and for boxes that cannot be overstated by enough to matter.
    """
    noted = [] if voids is None else voids
    return _by_box(files, sample, seen, noted) if files.plan.by_box else _by_card(files, sample, seen)


def _by_box(files: PlanFiles, sample: Sample, seen: Seen, voids: list[str]) -> DrawnValues:
    """Tally-sheet comparison: what was counted in boxes against what was reported of them."""
    plan, design = files.plan, files.design
    if design is None:
        return {}
    tests = plan.tests()
    scores: dict[str, BoxScores] = {}
    for box in sample.boxes():
        one = seen.boxes.get(box)
        if one is not None and one.count.status == "counted":
            scores[box] = _box_scores(files, design, box, one.count.totals, voids)
    null = design.null()
    if plan.design == "batch-macro":
        values = design.values(sample, scores)
        return {(contest, test.code): (values, null) for contest, test in tests}
    unknown: BoxScores = (None,) * len(tests)
    overstated = {box: design.overstatements(box, scores.get(box, unknown)) for box in sample.boxes()}
    found: DrawnValues = {}
    for number, (contest, test) in enumerate(tests):
        by_box = {
            box: _below(
                1 - max(Fraction(0), design.taint(box, [amount if at == number else 0 for at, amount in enumerate(amounts)]))
            )
            for box, amounts in overstated.items()
        }
        found[contest, test.code] = (np.array([by_box[ticket.box] for ticket in sample.tickets], np.float64), null)
    return found


def _totals(files: PlanFiles) -> Totals:
    if files.totals is None:
        raise AuditError(f"audit {files.plan.name!r} has no totals by box")
    return files.totals


def _box_scores(files: PlanFiles, design: BatchDesign, box: str, totals: tuple[BoxTotals, ...], voids: list[str]) -> BoxScores:
    """By test: the score of what was counted in a box; None where it cannot be told. Notes boxes with more cards than planned."""
    place = files.manifest.index[box]
    counted = {each.contest: each for each in totals}
    scores: list[int | None] = []
    for reported, (contest, test) in zip(design.reported, files.plan.tests(), strict=True):
        assertion, cards = reported.assertion, int(reported.cards[place])
        one = counted.get(contest)
        if not cards:
            scores.append(0)
            if one is not None and (any(one.counts) or one.blank or one.null or one.cards):
                voids.append(f"box {box} holds cards of contest {contest}, and the plan says that it holds none")
            continue
        found = None if one is None else _one_score(assertion, test, one, cards)
        if found is not None and found[1] > cards:
            void = f"box {box} holds {found[1]} cards of contest {contest}, and the plan allows for {cards}"
            if void not in voids:
                voids.append(void)
            found = None
        scores.append(None if found is None else found[0])
    return tuple(scores)


def _one_score(assertion: Assertion, test: Test, one: BoxTotals, cards: int) -> tuple[int, int] | None:
    """The score of a box and how many cards were seen; a card of the manifest that was not found counts as the worst."""
    votes = []
    for count, weight in zip(one.counts, test.weights, strict=False):
        if count is None and weight:
            return None
        votes.append(count or 0)
    if len(votes) != len(test.weights) or (test.rest and (one.blank is None or one.null is None)):
        return None
    rest = (one.blank or 0) + (one.null or 0)
    marked = sum(votes) + rest if test.most == 1 else max(votes) + rest
    seen = max(marked, one.cards or 0)
    if test.most > 1 and one.cards is None:
        return None
    if max(votes) > seen - rest:
        return None
    # Of one mark for each card: cards that are neither votes nor blank nor null say nothing, and are as bad as they can be.
    unsaid = seen - marked if test.most == 1 and one.blank is not None and one.null is not None else 0
    score = assertion.votes_score(tuple(votes), rest) + assertion.lowest * (max(0, cards - seen) + unsaid)
    return (score if seen > cards else max(score, cards * assertion.lowest)), seen


def _by_card(files: PlanFiles, sample: Sample, seen: Seen) -> DrawnValues:
    """Single cards: what is on those that were drawn."""
    plan, manifest = files.plan, files.manifest
    found: DrawnValues = {}
    places = pool_numbers(manifest)
    pool = np.array([places[manifest.index[ticket.box]] for ticket in sample.tickets], np.int64)
    cards: list[CardMarks | None] = []
    for ticket in sample.tickets:
        card = seen.cards.get((ticket.box, ticket.position))
        cards.append(card if card is not None and card.status == "counted" else None)
    for contest, test in plan.tests():
        marks: list[SeenMarks] = [
            Absence.MISSING if card is None else card.marks.get(contest, Absence.NO_CONTEST) for card in cards
        ]
        assertion = test.assertion(contest)
        papers = paper_scores(assertion, marks, styled=False)
        if plan.design == "comparison":
            reported = reported_total(plan, contest, test)
            records = record_scores(assertion, files.record(contest, sample.tickets))
            found[contest, test.code] = (
                comparison_values(reported, records, papers),
                reported.null(replacement=plan.replacement),
            )
        elif plan.design == "polling":
            population = None if plan.replacement else plan.cards
            found[contest, test.code] = (polling_values(assertion, papers), polling_null(assertion, population))
        else:
            reported = reported_total(plan, contest, test)
            own = pools(test, contest, manifest, _totals(files))
            values = oneaudit_values(reported, own, pool, np.zeros(len(papers), np.int64), papers)
            found[contest, test.code] = (values, reported.null(replacement=plan.replacement))
    return found


def _risks(files: PlanFiles, sample: Sample, seen: Seen, voids: list[str]) -> dict[tuple[str, str], float]:
    """The p-value of every test after all draws."""
    plan = files.plan
    if files.design is not None and files.design.limit < 1:
        return {(contest, test.code): 0.0 for contest, test in plan.tests()}
    if not len(sample):
        return {(contest, test.code): WORST for contest, test in plan.tests()}
    found = drawn_values(files, sample, seen, voids)
    return {
        (contest, test.code): float(plan.function(test).p_values(*found[contest, test.code])[-1])
        for contest, test in plan.tests()
    }


def _below(number: Fraction) -> float:
    """The greatest floating-point number that is not above it."""
    near = float(number)
    return near if Fraction(near) <= number else float(np.nextafter(near, -np.inf))
