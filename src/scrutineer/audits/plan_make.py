"""Makes the plan of an audit of the outcome from the results that stand at a log size: what has to be shown, and how.

Pure: the same results give the same plan, byte for byte. What only a full count can confirm (ties, margins of one card, contests
in which nobody voted) is said here, before anyone draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import msgspec
import numpy as np

from scrutineer.audits import margins
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.outcome import Requirement, required
from scrutineer.audits.plan import (
    BOX_DESIGNS,
    CARDS_FILE,
    DRAWS,
    FORMAT,
    MANIFEST_FILE,
    TOTALS_FILE,
    DrawMode,
    Plan,
    PlanDesign,
    PlannedContest,
    Test,
    planned_file,
    share_text,
)
from scrutineer.audits.plan_cards import cards_file, cards_of, placed_cards
from scrutineer.audits.plan_reported import beyond_sheets, crowded, reported_totals
from scrutineer.audits.plan_risk import USABLE, USUAL_RISK, first_size, with_parameters
from scrutineer.audits.plan_totals import Totals
from scrutineer.audits.planned.files import PlanFiles
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
    manifest: Manifest | None = None,
    cards: Cards | None = None,
    first_round: int | None = None,
) -> MadePlan:
    """The plan for the results of a count, which has been folded up to the log size whose root is given.

    `contests` are ids; all of the election where it is empty. Of those in `also` the risk is measured over what is drawn for the
    others, and nothing depends on it. `first_round` is how many draws to begin with; without it, as many
    as are enough in half of all cases where the results are right. Raises AuditError for a design that the figures do not allow,
    contests that the election does not have, and figures that do not add up to the published result.
    """
    if (design == "comparison") != (cards is not None):
        raise AuditError("comparison of single cards needs records of cards and a manifest, and no other design takes records")
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
    if cards is None:
        manifest, totals = reported_totals(count, chosen, manifest)
        files = {MANIFEST_FILE: manifest.encode(), TOTALS_FILE: totals.encode()}
    else:
        manifest = manifest or Manifest.of(())
        cards = cards_of(cards, chosen)
        files = {MANIFEST_FILE: manifest.encode(), CARDS_FILE: cards_file(cards)}
        cards = placed_cards(cards, manifest)
        if draw == "nested":
            totals = reported_totals(count, chosen, manifest)[1]
            files[TOTALS_FILE] = totals.encode()
    requirements, reported, notes = [], [], [*_notes(count, chosen, manifest), *notes]
    for contest in chosen:
        number = count.election.contest_index[contest.id]
        state = count.contests[number]
        tally = tally_of(state, unit_result(count, number, state.unit))
        if tally.cast > manifest.total:
            raise AuditError(
                f"contest {contest.id!r}: {tally.cast} ballots are published, and the manifest has {manifest.total} cards: what "
                "it leaves out could never be drawn; complete it first"
            )
        requirement = required(contest, tally)
        requirements.append(requirement)
        reported.append(_reported(requirement, totals, manifest) if cards is None else _recorded(requirement, cards, notes))
    risk = USUAL_RISK[design]
    by_box = design in BOX_DESIGNS
    plan = Plan(
        format=FORMAT,
        name=name,
        election=count.election.hash.hex(),
        size=count.size,
        root=root.hex(),
        risk_limit=share_text(risk_limit),
        design=design,
        draw=draw,
        replacement=by_box or replacement,
        risk=risk,
        first_round=0,
        boxes=len(manifest.boxes),
        cards=manifest.total,
        contests=tuple(
            PlannedContest(
                contest=requirement.contest,
                full_count=requirement.full_count,
                target=requirement.contest not in aside,
                weight=1 if draw == "nested" and tests and requirement.contest not in aside else 0,
                tests=tuple(Test.of(assertion, total, USABLE[risk]) for assertion, total in tests),
            )
            for requirement, tests in zip(requirements, reported, strict=True)
        ),
        files={file: planned_file(data) for file, data in files.items()},
    )
    plan = with_parameters(plan, PlanFiles(plan, manifest, totals, cards).design)
    if not plan.sampled and not any(contest.full_count for contest in plan.contests):
        raise AuditError("nobody stands against the reported outcome of these contests: there is nothing that cards could show")
    if (planned := PlanFiles(plan, manifest, totals, cards).design) is not None:
        size, full = first_size(plan, planned)
        if full:
            notes.append("By the reported results a sample would be as large as a full count: hold a full count.")
        plan = msgspec.structs.replace(plan, first_round=size if first_round is None else first_round)
    return MadePlan(plan, files, tuple(requirements), tuple(notes))


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


def _recorded(requirement: Requirement, cards: Cards, notes: list[str]) -> list[tuple[Assertion, int]]:
    """The assertions and their scores by the records of cards. Raises AuditError where the records say that one is not true."""
    if requirement.full_count or not requirement.assertions:
        return []
    scores = margins.totals(requirement.assertions, cards.column(requirement.contest)).tolist()
    for assertion, score, margin in zip(requirement.assertions, scores, requirement.margins, strict=True):
        if score < assertion.need:
            raise AuditError(
                f"contest {requirement.contest!r}: by the records of cards {assertion.code} is not true; count all cards by hand"
            )
        if score != margin:
            notes.append(
                f"Contest {requirement.contest}: the records of cards add up to {score:,} in {assertion.code}, and the published "
                f"result to {margin:,}."
            )
    return list(zip(requirement.assertions, scores, strict=True))


def _reported(requirement: Requirement, totals: Totals | None, manifest: Manifest) -> list[tuple[Assertion, int]]:
    """The assertions and their reported scores, added up over boxes. Raises AuditError where that is not the published result."""
    if requirement.full_count or totals is None:
        return []
    found = totals.of(requirement.contest, manifest)
    added = []
    for assertion, margin in zip(requirement.assertions, requirement.margins, strict=True):
        scores = found.votes @ np.array(assertion.weights, np.int64) + assertion.rest * found.rest
        total = int(scores.sum())
        if total != margin:
            raise AuditError(
                f"contest {requirement.contest!r}: the boxes add up to {total} in {assertion.code}, and the published result "
                f"says {margin}; find the difference before you go on"
            )
        added.append((assertion, total))
    return added


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
