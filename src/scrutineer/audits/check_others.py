"""What a check says of other plans for the same contests: how many there are, and which of them have no report."""

from collections.abc import Sequence
from typing import Final

from scrutineer.audits.other_plans import ContestPlans, contest_plans
from scrutineer.audits.registered import RegisteredAudit

_NAMED: Final = 5  # audits in a sentence


def others_notes(own: bytes, audits: Sequence[RegisteredAudit]) -> list[str]:
    """Of other plans for the contests of one, whose statement's hash is `own`, and which of them have no report."""
    notes = []
    for each in contest_plans(audits):
        others = [audit for audit in each.audits if audit.hash != own]
        if others and len(others) < len(each.audits):
            plans = "1 other plan audits" if len(others) == 1 else f"{len(others)} other plans audit"
            notes.append(
                f"{plans} contest {each.contest}: {_named([audit.plan.name for audit in others])}; "
                f"{_without_report(ContestPlans(each.contest, tuple(others)).unreported)}."
            )
    return notes


def contest_note(plans: ContestPlans) -> str:
    """Of a contest with several plans, or with one that was drawn and has no report; empty for any other."""
    if len(plans.audits) < 2 and not any(audit.seed is not None for audit in plans.unreported):
        return ""
    count = "1 plan audits it" if len(plans.audits) == 1 else f"{len(plans.audits)} plans audit it"
    return f"Contest {plans.contest}: {count}; {_without_report(plans.unreported)}."


def _without_report(audits: Sequence[RegisteredAudit]) -> str:
    if not audits:
        return "all of them have a report"
    return f"{len(audits)} without a report: {_named([_stands(audit) for audit in audits])}"


def _stands(audit: RegisteredAudit) -> str:
    """An audit without a report, and since when it could have one."""
    planned = f"planned at log entry {audit.planned.index}"
    drawn = "not drawn" if audit.seeded is None else f"drawn at log entry {audit.seeded.index}"
    return f"{audit.plan.name} ({planned}, {drawn})"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
