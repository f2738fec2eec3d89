"""What a plan fixes of its risk functions and of its first round, from the reported results alone."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Final

import msgspec

from scrutineer.audits.designs.batch import clean_size
from scrutineer.audits.plan import Plan, PlanDesign, Test, share_text
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.planned.cards import CardDesign, Polling
from scrutineer.audits.planned.model import PlannedDesign, TestKey
from scrutineer.audits.planned.strata import Strata
from scrutineer.audits.risk.union_intersection import PARAMETERS, UNION_INTERSECTION
from scrutineer.audits.sampling.nested import MAX_WEIGHT
from scrutineer.audits.sizes import Sizes, sample_size
from scrutineer.errors import AuditError

USUAL_RISK: Final[Mapping[PlanDesign, str]] = {
    "batch-macro": "betting-fixed",
    "batch-betting": "betting-fixed",
    "polling": "alpha",
    "oneaudit": "betting-fixed",
    "comparison": "betting-fixed",
    "two-stage": "betting-fixed",
    "strata": UNION_INTERSECTION,
}
USABLE: Final[Mapping[str, dict[str, str]]] = {
    "betting-fixed": {"rate": "1"},
    "alpha": {"eta": "1", "weight": "100"},
    UNION_INTERSECTION: dict.fromkeys(PARAMETERS, "1"),
}
"""Parameters that hold the place of those that are worked out from the plan itself."""
_NO_BET: Final = {"rate": "0"}


def with_parameters(plan: Plan, design: PlannedDesign | None) -> Plan:
    """The plan with the parameters of each test's risk function, from the reported results; and with weights for nested draws."""
    if design is None:
        return plan
    parameters = {(contest, test.code): _parameters(plan, design, contest, test) for contest, test in plan.tests()}
    planned = _with(plan, parameters, {contest.contest: contest.weight for contest in plan.contests})
    if planned.draw != "nested" or not isinstance(design, CardDesign):
        return planned
    sizes = contest_sizes(planned, design)
    rates = {contest: Fraction(size.p50, design.population(contest)) for contest, size in sizes.items()}
    most = max(rates.values())
    return _with(planned, parameters, {contest: max(1, ceil(MAX_WEIGHT * rate / most)) for contest, rate in rates.items()})


def first_size(plan: Plan, design: PlannedDesign) -> tuple[int, bool]:
    """How many draws are enough in half of all cases where the results are right, and whether that is a full count."""
    if isinstance(design, BoxDesign):
        open_ = [test for contest, test in plan.targets() if (contest, test.code) not in design.settled]
        if not open_:
            return 0, False
        boxes = design.batch
        size = clean_size(plan.function(open_[0]), boxes.null(), plan.limit, 50 * len(boxes.names) + 1000)
        return (len(boxes.names), True) if size is None else (size, False)
    if isinstance(design, Strata):
        drawn = [design.sizes(contest, test, plan.per_hundred) for contest, test in plan.targets()]
        return max(each.p50 for each in drawn), any(each.full_count for each in drawn)
    sizes = contest_sizes(plan, design)
    draws = max(design.draws_for(contest, size.p50) for contest, size in sizes.items())
    return draws, any(size.full_count for size in sizes.values())


def contest_sizes(plan: Plan, design: PlannedDesign) -> dict[str, Sizes]:
    """By targeted contest: how many units that count for it are probably enough; of designs of cards with one stratum."""
    sizes: dict[str, Sizes] = {}
    for contest, test in plan.targets():
        size = sample_size(design.forecast(contest, test), plan.function(test), float(plan.limit))
        other = sizes.get(contest, size)
        sizes[contest] = Sizes(max(size.p50, other.p50), max(size.p90, other.p90), size.full_count or other.full_count)
    return sizes


def _with(plan: Plan, parameters: Mapping[TestKey, dict[str, str]], weights: Mapping[str, int]) -> Plan:
    contests = (
        msgspec.structs.replace(
            contest,
            tests=tuple(
                msgspec.structs.replace(test, parameters=parameters[contest.contest, test.code]) for test in contest.tests
            ),
            weight=weights.get(contest.contest, contest.weight),
        )
        for contest in plan.contests
    )
    return msgspec.structs.replace(plan, contests=tuple(contests))


def _parameters(plan: Plan, design: PlannedDesign, contest: str, test: Test) -> dict[str, str]:
    if isinstance(design, Strata):
        return design.parameters(contest, test)
    if isinstance(design, Polling):
        return _expected_mean(contest, test, design.population(contest))
    if (contest, test.code) in design.settled:
        return _NO_BET
    try:
        # The best bet for what is expected, fixed in advance (a-priori Kelly).
        return {"rate": share_text(Fraction(design.forecast(contest, test).kelly_bet()))}
    except AuditError:
        if any(contest == target for target, _ in plan.targets()):
            raise
        return _NO_BET


def _expected_mean(contest: str, test: Test, cards: int) -> dict[str, str]:
    """The reported mean, kept for as many draws as it would take, and revised after."""
    assertion = test.assertion(contest)
    mean = (1 + Fraction(test.total, cards * -assertion.lowest)) / 2
    return {"eta": share_text(min(mean, assertion.upper)), "weight": "100"}
