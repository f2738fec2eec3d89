"""What a plan fixes of its risk functions and of its first round, from the reported results alone."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import msgspec

from scrutineer.audits.designs.batch import clean_size
from scrutineer.audits.plan import Plan, PlanDesign, Test, share_text
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.planned.model import PlannedDesign
from scrutineer.audits.sizes import sample_size
from scrutineer.errors import AuditError

USUAL_RISK: Final[Mapping[PlanDesign, str]] = {
    "batch-macro": "betting-fixed",
    "batch-betting": "betting-fixed",
    "polling": "alpha",
    "oneaudit": "betting-fixed",
    "comparison": "betting-fixed",
}
USABLE: Final[Mapping[str, dict[str, str]]] = {
    "betting-fixed": {"rate": "1"},
    "alpha": {"eta": "1"},
}
"""Parameters that hold the place of those that are worked out from the plan itself."""
_NO_BET: Final = {"rate": "0"}


def with_parameters(plan: Plan, design: PlannedDesign | None) -> Plan:
    """The plan with the parameters of each test's risk function, from the reported results."""
    if design is None:
        return plan
    contests = [
        msgspec.structs.replace(
            contest,
            tests=tuple(
                msgspec.structs.replace(test, parameters=_parameters(plan, design, contest.contest, test))
                for test in contest.tests
            ),
        )
        for contest in plan.contests
    ]
    return msgspec.structs.replace(plan, contests=tuple(contests))


def first_size(plan: Plan, design: PlannedDesign) -> tuple[int, bool]:
    """How many draws are enough in half of all cases where the results are right, and whether that is a full count."""
    open_ = [(contest, test) for contest, test in plan.targets() if (contest, test.code) not in design.settled]
    if not open_:
        return 0, False
    if isinstance(design, BoxDesign):
        boxes = design.batch
        size = clean_size(plan.function(open_[0][1]), boxes.null(), plan.limit, 50 * len(boxes.names) + 1000)
        return (len(boxes.names), True) if size is None else (size, False)
    sizes = [sample_size(design.forecast(contest, test), plan.function(test), float(plan.limit)) for contest, test in open_]
    return max(size.p50 for size in sizes), any(size.full_count for size in sizes)


def _parameters(plan: Plan, design: PlannedDesign, contest: str, test: Test) -> dict[str, str]:
    if plan.risk == "alpha":
        return _expected_mean(contest, test, plan.cards)
    if (contest, test.code) in design.settled:
        return _NO_BET
    try:
        # The best bet for what is expected, fixed in advance (a-priori Kelly).
        return {"rate": share_text(Fraction(design.forecast(contest, test).kelly_bet()))}
    except AuditError:
        if (contest, test.code) in {(own, each.code) for own, each in plan.targets()}:
            raise
        return _NO_BET


def _expected_mean(contest: str, test: Test, cards: int) -> dict[str, str]:
    """The reported mean, kept for as many draws as it would take, and revised after."""
    assertion = test.assertion(contest)
    mean = (1 + Fraction(test.total, cards * -assertion.lowest)) / 2
    return {"eta": share_text(min(mean, assertion.upper)), "weight": "100"}
