"""Makes the plan of an audit of the outcome from the results that stand at a log size: what has to be shown, and how.

Pure: the same results give the same plan, byte for byte. What only a full count can confirm (ties, margins of one card, contests
in which nobody voted) is said here, before anyone draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import msgspec

from scrutineer.audits.cards.model import Cards
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.outcome import Requirement, required
from scrutineer.audits.plan import (
    BOX_DESIGNS,
    CARDS_FILE,
    DRAWS,
    FORMAT,
    MANIFEST_FILE,
    PARTLY_RECORDED,
    TOTALS_FILE,
    DrawMode,
    Plan,
    PlanDesign,
    PlannedContest,
    Test,
    planned_file,
    share_text,
)
from scrutineer.audits.plan_cards import can_hold, cards_file, cards_of, placed_cards, recorded_boxes
from scrutineer.audits.plan_reported import beyond_sheets, crowded, reported_totals
from scrutineer.audits.plan_risk import USABLE, USUAL_RISK, first_size, with_parameters
from scrutineer.audits.plan_totals import Totals
from scrutineer.audits.planned.files import PlanFiles, reported_scores
from scrutineer.audits.planned.strata import Strata
from scrutineer.count import Count, unit_result
from scrutineer.count.results import tally_of
from scrutineer.election import Contest
from scrutineer.errors import AuditError


@dataclass(frozen=True)
class MadePlan:
    """A plan, the files that it names, and what people have to know before it is registered."""

    plan: Plan
    files: Mapping[str, bytes]
    requirements: tuple[Requirement, ...]
    """By contest of the plan."""
    notes: tuple[str, ...]


def make_plan(
    count: Count,
    root: bytes,
    *,
    name: str,
    contests: Sequence[str] = (),
    also: Sequence[str] = (),
    risk_limit: Fraction = Fraction(1, 20),
    design: PlanDesign = "batch-betting",
    draw: DrawMode = "canonical",
    replacement: bool = False,
    per_box: int | None = None,
    per_hundred: int | None = None,
    manifest: Manifest | None = None,
    cards: Cards | None = None,
    first_round: int | None = None,
) -> MadePlan:
    """The plan for the results of a count, which has been folded up to the log size whose root is given.

    `contests` are ids; all of the election where it is empty. Of those in `also` the risk is measured over what is drawn for the
    others, and nothing depends on it. `first_round` is how many draws to begin with; without it, as many as are enough in half of
    all cases where the results are right. `per_box` is how many cards of a drawn box are drawn in two stages (USUAL_PER_BOX where
    it is left out), and `per_hundred` of two strata how many of 100 draws are of boxes with records (what is estimated to take
    least, where it is left out). Raises AuditError for a design that the figures do not allow,
    contests that the election does not have, and figures that do not add up to the published result.
    """
    if cards is None if design == "comparison" else cards is not None and design not in PARTLY_RECORDED:
        raise AuditError(
            "comparison of single cards needs records of cards, ONEAudit can have them of some boxes, and other designs take none"
        )
    stages = design == "two-stage"
    if per_box is not None and not stages:
        raise AuditError(f"design {design!r} does not draw cards of drawn boxes: leave out their number, or choose two-stage")
    if stages and draw != "canonical":
        raise AuditError("in two stages boxes and cards are drawn with the canonical draw: leave out the other way of drawing")
    stratified = design == "strata"
    if per_hundred is not None and not stratified:
        raise AuditError(f"design {design!r} draws from one stratum: leave out how many draws are of boxes with records")
    if stratified and (cards is None or draw != "canonical" or replacement):
        raise AuditError(
            "two strata need records of the cards of some boxes, and each is drawn from without replacement by the canonical draw"
        )
    if design not in BOX_DESIGNS:
        _check_mode(draw)
        if manifest is None:
            raise AuditError(
                f"design {design!r} draws single cards, and has to know every one of them: give a manifest (--manifest), a list "
                "of boxes and of how many cards lie in each, established without the voting system"
            )
    elif draw != "canonical":
        raise AuditError("boxes are drawn by error bound with the canonical draw: leave out the other way of drawing")
    chosen, aside = _contests(count, [*contests, *also] if contests else ()), frozenset(also) - frozenset(contests)
    totals: Totals | None = None
    notes: list[str] = []
    if manifest is None:
        notes.append(_BY_ROLLS)
    else:
        if found := crowded(count, chosen, manifest):
            raise AuditError(found[0].text())
        boxes, more = beyond_sheets(count, chosen, manifest)
        if boxes:
            notes.append(
                f"In {boxes:,} box(es) the manifest has more cards than their sheets report, {more:,} in all: every one that is "
                "not found counts as the worst that it can be."
            )
    files, recorded = {}, None
    if cards is None or design in PARTLY_RECORDED or draw == "nested":
        manifest, totals = reported_totals(count, chosen, manifest)
        files[TOTALS_FILE] = totals.encode()
    manifest = manifest or Manifest.of(())
    files[MANIFEST_FILE] = manifest.encode()
    if cards is not None:
        cards = cards_of(cards, chosen)
        files[CARDS_FILE] = cards_file(cards)
        recorded = recorded_boxes(cards, manifest) if design in PARTLY_RECORDED else None
        cards = placed_cards(cards, manifest)
    requirements = [_required(count, contest, manifest, cards if totals is None else None) for contest in chosen]
    notes = [*_notes(count, chosen, manifest), *notes]
    by_box = design in BOX_DESIGNS
    bare = Plan(
        format=FORMAT,
        name=name,
        election=count.election.hash.hex(),
        size=count.size,
        root=root.hex(),
        risk_limit=share_text(risk_limit),
        design=design,
        draw=draw,
        replacement=by_box or stages or replacement,
        risk=USUAL_RISK[design],
        first_round=0,
        boxes=len(manifest.boxes),
        cards=manifest.total,
        contests=tuple(
            PlannedContest(
                contest=requirement.contest,
                full_count=requirement.full_count,
                target=requirement.contest not in aside,
                tests=(),
            )
            for requirement in requirements
        ),
        files={file: planned_file(data) for file, data in files.items()},
        per_box=(USUAL_PER_BOX if per_box is None else per_box) if stages else 0,
        per_hundred=(_HALF if per_hundred is None else per_hundred) if stratified else 0,
    )
    contents = PlanFiles(bare, manifest, totals, cards, recorded)
    tested = tuple(_tested(contents, contest, own, notes) for contest, own in zip(bare.contests, requirements, strict=True))
    if not any(contest.full_count or contest.tests for contest in tested if contest.target):
        raise AuditError("nobody stands against the reported outcome of these contests: there is nothing that cards could show")
    plan = msgspec.structs.replace(bare, contests=tested)
    plan = with_parameters(plan, replace(contents, plan=plan).design)
    planned = replace(contents, plan=plan).design
    if isinstance(planned, Strata) and per_hundred is None:
        plan = msgspec.structs.replace(plan, per_hundred=planned.best_share())
        planned = replace(contents, plan=plan).design
    if planned is not None:
        size, full = first_size(plan, planned)
        if full:
            notes.append("By the reported results a sample would be as large as a full count: hold a full count.")
        plan = msgspec.structs.replace(plan, first_round=size if first_round is None else first_round)
    return MadePlan(plan, files, tuple(requirements), tuple(notes))


USUAL_PER_BOX: Final = 20
"""How many cards of a drawn box are drawn where nobody says."""
_HALF: Final = 50
"""Of 100 draws how many are of boxes with records, until it is known what is best."""
_BY_ROLLS: Final = (
    "No manifest was given: how many cards can lie in a box is taken from the roll of its station (or from its sheet, where that "
    "says more). The risk limit holds as long as no box has more. A manifest makes the audit smaller, and shows where cards are "
    "gone that no sheet admits; designs that draw single cards need one."
)


def _check_mode(draw: DrawMode) -> None:
    if draw not in DRAWS:
        raise AuditError(f"there is no way of drawing called {draw!r}: use {', '.join(DRAWS)}")


def _contests(count: Count, wanted: Sequence[str]) -> list[Contest]:
    known = {contest.id: contest for contest in count.election.contests}
    for contest in wanted:
        if contest not in known:
            raise AuditError(f"there is no contest {contest!r}: use some of {', '.join(known)}")
    return [known[contest] for contest in sorted(set(wanted) or known)]


def _required(count: Count, contest: Contest, manifest: Manifest, cards: Cards | None) -> Requirement:
    """What has to be shown for the published outcome.

    `cards` where records alone say which cards hold the contest. Raises AuditError for more ballots than can be drawn.
    """
    number = count.election.contest_index[contest.id]
    state = count.contests[number]
    tally = tally_of(state, unit_result(count, number, state.unit))
    if tally.cast > manifest.total:
        raise AuditError(
            f"contest {contest.id!r}: {tally.cast} ballots are published, and the manifest has {manifest.total} cards: what "
            "it leaves out could never be drawn; complete it first"
        )
    if cards is not None and tally.cast > (most := can_hold(cards, contest.id)):
        raise AuditError(
            f"contest {contest.id!r}: {tally.cast} ballots are published, and by their records {most} cards of the manifest can "
            "hold it: find the others, which could never be drawn, or the records that lack it"
        )
    return required(contest, tally)


def _tested(contents: PlanFiles, contest: PlannedContest, requirement: Requirement, notes: list[str]) -> PlannedContest:
    """The contest with its tests: each assertion and its reported score.

    Totals by box have to add up to the published result. Records of cards may differ from it, which is noted; but they may not
    say that an assertion is false. Raises AuditError where that is not so.
    """
    if requirement.full_count:
        return contest
    scores = reported_scores(contents, contest.contest, requirement.assertions)
    for assertion, score, margin in zip(requirement.assertions, scores, requirement.margins, strict=True):
        if contents.cards is None and score != margin:
            raise AuditError(
                f"contest {contest.contest!r}: the boxes add up to {score} in {assertion.code}, and the published result says "
                f"{margin}; find the difference before you go on"
            )
        if score < assertion.need:
            raise AuditError(
                f"contest {contest.contest!r}: by the records of cards {assertion.code} is not true; count all cards by hand"
            )
        if score != margin:
            notes.append(
                f"Contest {contest.contest}: the records of cards add up to {score:,} in {assertion.code}, and the published "
                f"result to {margin:,}."
            )
    tests = [
        Test.of(assertion, score, USABLE[contents.plan.risk])
        for assertion, score in zip(requirement.assertions, scores, strict=True)
    ]
    weight = int(contents.plan.draw == "nested" and contest.target and bool(tests))
    return msgspec.structs.replace(contest, tests=tuple(tests), weight=weight)


def _notes(count: Count, contests: Sequence[Contest], manifest: Manifest) -> list[str]:
    notes = []
    for contest in contests:
        number = count.election.contest_index[contest.id]
        result = unit_result(count, number, count.contests[number].unit)
        if open_ := result.outstanding + result.quarantined:
            notes.append(
                f"Contest {contest.id}: {open_} station(s) are outstanding or in quarantine; whatever lies in their boxes speaks "
                "against the outcome until it is counted."
            )
        if result.excluded:
            notes.append(f"Contest {contest.id}: {result.excluded} station(s) are excluded by decision and are not audited.")
    if int((manifest.cards == 0).sum()):
        notes.append(f"{int((manifest.cards == 0).sum())} box(es) of the manifest hold no card.")
    return notes
