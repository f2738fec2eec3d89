"""How an audit stands: what is drawn, what of it was seen, and the risk that this leaves; at any moment, however often one looks.

The risk of a test is its p-value over the draws in their order: the chance, if the reported outcome were wrong, of evidence at
least as strong as this. A unit that is missing, illegible or not counted yet is taken as the worst that it can be, so that nobody
gains by not finding it; when it is counted, the risk is computed again with what was seen.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scrutineer.audits.counts import Seen
from scrutineer.audits.plan import Plan, share_text
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.planned.model import DrawnValues
from scrutineer.audits.planned.strata import Strata
from scrutineer.audits.sampling.sample import Sample

WORST: Final = 1.0
"""The risk where there is no evidence."""


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
    target: bool
    """Whether the audit goes on until this contest is confirmed."""


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
        """Whether every contest that the audit targets is confirmed."""
        return all(contest.confirmed for contest in self.contests if contest.target)


def draw(files: PlanFiles, seed: str, count: int) -> Sample:
    """So many draws by the plan. A larger number gives the same draws and more. Raises AuditError where they cannot be had."""
    if files.design is None or count == 0:
        return Sample(())
    return files.design.draw(seed, count)


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
        done = Fraction(risk) <= plan.limit
        contests.append(ContestStatus(contest.contest, contest.full_count, share_text(Fraction(risk)), done, contest.target))
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


def drawn_values(files: PlanFiles, sample: Sample, seen: Seen, voids: list[str] | None = None) -> DrawnValues:
    """What the draws show of every test, in their order. Notes in `voids` why nothing can be confirmed by this plan.

    Raises AuditError for a sample that is not of this plan.
    """
    return {} if files.design is None else files.design.values(sample, seen, [] if voids is None else voids)


def _risks(files: PlanFiles, sample: Sample, seen: Seen, voids: list[str]) -> dict[tuple[str, str], float]:
    """The p-value of every test after all draws."""
    settled = frozenset() if files.design is None else files.design.settled
    if isinstance(files.design, Strata):
        return dict(files.design.risks(sample, seen))
    found = drawn_values(files, sample, seen, voids) if len(sample) else {}
    risks = {}
    for contest, test in files.plan.tests():
        key = (contest, test.code)
        if key in settled:
            risks[key] = 0.0
        elif key in found and len(found[key][0]):
            risks[key] = float(files.plan.function(test).p_values(*found[key])[-1])
        else:
            risks[key] = WORST
    return risks
