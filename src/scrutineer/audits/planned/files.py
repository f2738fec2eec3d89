"""A plan with the contents of the files that it names, each held against the others before anything is drawn or measured."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from scrutineer.audits import margins
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.manifest import read_manifest
from scrutineer.audits.plan import CARDS_FILE, MANIFEST_FILE, PARTLY_RECORDED, TOTALS_FILE, Plan, PlanDesign, planned_file
from scrutineer.audits.plan_cards import placed_cards, read_records, recorded_boxes
from scrutineer.audits.plan_totals import read_totals
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.planned.cards import Comparison, OneAudit, Polling
from scrutineer.audits.planned.model import PlanInputs, PlannedDesign
from scrutineer.audits.planned.strata import Strata
from scrutineer.audits.planned.two_stage import TwoStage
from scrutineer.errors import AuditError

_ROOM: Final = 2**62


class PlanFiles(PlanInputs):
    """The files of a plan, and the design that it follows with them."""

    @cached_property
    def design(self) -> PlannedDesign | None:
        """How units are drawn and held against what was reported; None where nothing is drawn.

        Raises AuditError for files that do not fit the plan.
        """
        if not self.plan.sampled:
            return None
        return DESIGNS[self.plan.design](self)


DESIGNS: Final[Mapping[PlanDesign, Callable[[PlanInputs], PlannedDesign]]] = {
    "batch-macro": BoxDesign,
    "batch-betting": BoxDesign,
    "polling": Polling,
    "oneaudit": OneAudit,
    "comparison": Comparison,
    "strata": Strata,
    "two-stage": TwoStage,
}


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
    totals = read_totals(files[TOTALS_FILE]) if TOTALS_FILE in plan.files else None
    records = read_records(files[CARDS_FILE]) if CARDS_FILE in plan.files else None
    if records is None:
        opened = PlanFiles(plan, manifest, totals)
    else:
        recorded = recorded_boxes(records, manifest) if plan.design in PARTLY_RECORDED else None
        opened = PlanFiles(plan, manifest, totals, placed_cards(records, manifest), recorded)
    check_reported(opened)
    _ = opened.design  # What does not fit is said before anybody draws.
    return opened


def check_reported(inputs: PlanInputs) -> None:
    """Raise AuditError unless totals by box and records of cards add up to what the plan says was reported of every test.

    The values of ONEAudit are right for these sums alone: with a larger one in the plan, a wrong outcome would be confirmed.
    """
    for contest in inputs.plan.contests:
        assertions = [test.assertion(contest.contest) for test in contest.tests]
        for test, total in zip(contest.tests, reported_scores(inputs, contest.contest, assertions), strict=True):
            if total != test.total:
                raise AuditError(
                    f"contest {contest.contest!r}, {test.code}: what was reported adds up to {total}, and the plan says "
                    f"{test.total}: they do not belong together"
                )


def reported_scores(inputs: PlanInputs, contest: str, assertions: Sequence[Assertion]) -> list[int]:
    """By assertion: its reported score, from records in boxes that have them, and else from the totals of boxes.

    Raises AuditError for totals of another number of options.
    """
    scores = [0] * len(assertions)
    if inputs.cards is not None and assertions:
        scores = margins.totals(assertions, inputs.cards.column(contest)).tolist()
    if inputs.totals is None or not assertions or (inputs.cards is not None and inputs.recorded is None):
        return scores
    found = inputs.totals.of(contest, inputs.manifest)
    pooled = slice(None) if inputs.recorded is None else ~inputs.recorded
    for number, assertion in enumerate(assertions):
        if len(assertion.weights) != found.votes.shape[1]:
            raise AuditError(
                f"contest {contest!r}, {assertion.code}: {len(assertion.weights)} weights for {found.votes.shape[1]} options"
            )
        by_box = found.votes @ np.array(assertion.weights, np.int64) + assertion.rest * found.rest
        scores[number] += int(by_box[pooled].sum())
    return scores


def check_weights(plan: Plan, cards: int) -> None:
    """Raise AuditError for weights with which the scores of so many cards could leave the numbers that are computed with.

    A sum that has run over would make an assertion with large margins of one with small ones, and both say the same of a card.
    """
    for contest, test in plan.tests():
        greatest = max(map(abs, (test.rest, *test.weights)), default=0)
        if greatest * min(test.most, len(test.weights)) * max(1, cards) >= _ROOM:
            raise AuditError(
                f"contest {contest!r}, {test.code}: its weights are larger than any assertion about {cards} cards needs"
            )
