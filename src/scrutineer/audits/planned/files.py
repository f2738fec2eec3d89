"""A plan with the contents of the files that it names, each held against the others before anything is drawn or measured."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import numpy as np

from scrutineer.audits.manifest import Manifest, read_manifest
from scrutineer.audits.plan import CARDS_FILE, MANIFEST_FILE, TOTALS_FILE, Plan, PlanDesign, Test, planned_file
from scrutineer.audits.plan_cards import planned_cards
from scrutineer.audits.plan_totals import Totals, read_totals
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.planned.cards import Comparison, OneAudit, Polling
from scrutineer.audits.planned.model import PlanInputs, PlannedDesign
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
    cards = planned_cards(plan, manifest, files[CARDS_FILE]) if CARDS_FILE in plan.files else None
    if cards is None and totals is not None:
        check_totals(plan, manifest, totals)
    return _checked(PlanFiles(plan, manifest, totals, cards))


def _checked(files: PlanFiles) -> PlanFiles:
    """The files, after their design was made once: what does not fit is said before anybody draws."""
    _ = files.design
    return files


def check_totals(plan: Plan, manifest: Manifest, totals: Totals) -> None:
    """Raise AuditError unless the totals by box add up to what the plan says was reported of every test.

    The values of ONEAudit are right for these sums alone: with a larger one in the plan, a wrong outcome would be confirmed.
    """
    for contest in plan.contests:
        if not contest.tests:
            continue
        found = totals.of(contest.contest, manifest)
        for test in contest.tests:
            if len(test.weights) != found.votes.shape[1]:
                raise AuditError(
                    f"contest {contest.contest!r}, {test.code}: {len(test.weights)} weights for {found.votes.shape[1]} options"
                )
            scores = found.votes @ np.array(test.weights, np.int64) + test.rest * found.rest
            _check_total(contest.contest, test, int(scores.sum()))


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


def _check_total(contest: str, test: Test, total: int) -> None:
    if total != test.total:
        raise AuditError(
            f"contest {contest!r}, {test.code}: the totals by box add up to {total}, and the plan says {test.total}: "
            "they do not belong together"
        )
