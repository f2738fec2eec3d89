"""What is left to do: how many draws will probably be enough, from what was planned and what was seen."""

from fractions import Fraction
from math import log

import numpy as np

from scrutineer.audits.counts import Seen
from scrutineer.audits.plan import Plan
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.planned.strata import Strata
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.audits.sizes import Sizes, next_round
from scrutineer.audits.status import Status, drawn_values
from scrutineer.errors import AuditError


def work_left(files: PlanFiles, sample: Sample, seen: Seen, status: Status) -> Sizes | None:
    """How many draws in all will be enough in half of all cases and in nine of ten; None where a sample cannot help any more.

    The forecast of the plan and what was seen so far are taken together; units that nobody has counted yet are left out of what
    was seen, because they are work to be done and no discrepancy. An estimate, which decides nothing.
    """
    plan = files.plan
    if status.voids or files.design is None:
        return None
    counted = Sample(tuple(ticket for ticket in sample.tickets if _is_counted(plan.by_box, seen, ticket)))
    if isinstance(files.design, Strata):
        return _strata_left(plan, files.design, counted, seen, status)
    sizes = []
    values = drawn_values(files, counted, seen)
    risks = {(each.contest, each.code): Fraction(each.p) for each in status.tests}
    for contest, test in plan.targets():
        if risks[contest, test.code] <= plan.limit:
            continue
        own, _ = values[contest, test.code]
        try:
            expected = files.design.forecast(contest, test)
            room = expected.cards if expected.null.population is None else expected.null.population
            size = next_round(expected, np.minimum(own[:room], expected.null.upper), plan.function(test), float(plan.limit))
        except AuditError:
            return None
        p50, p90 = files.design.draws_for(contest, size.p50), files.design.draws_for(contest, size.p90)
        sizes.append(Sizes(p50, p90, size.full_count))
    if not sizes:
        return None
    return Sizes(max(each.p50 for each in sizes), max(each.p90 for each in sizes), any(each.full_count for each in sizes))


def _strata_left(plan: Plan, design: Strata, counted: Sample, seen: Seen, status: Status) -> Sizes | None:
    """As the plan forecasts, from the evidence of what was counted on."""
    shown = design.risks(counted, seen)
    done = {(each.contest, each.code) for each in status.tests if Fraction(each.p) <= plan.limit}
    sizes = [
        design.sizes(contest, test, plan.per_hundred, -log(max(shown[contest, test.code], 1e-300)))
        for contest, test in plan.targets()
        if (contest, test.code) not in done
    ]
    if not sizes:
        return None
    p50, p90 = (min(plan.cards, len(counted) + max(most)) for most in zip(*((each.p50, each.p90) for each in sizes), strict=True))
    return Sizes(p50, p90, any(each.full_count for each in sizes))


def _is_counted(by_box: bool, seen: Seen, ticket: Ticket) -> bool:
    """Whether all of a draw was."""
    box = ticket.box
    return box in seen.boxes or (not by_box and all((box, position) in seen.cards for position in ticket.positions))
