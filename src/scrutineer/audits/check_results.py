"""Whether a plan rests on the published results: the totals of every box, and tests that imply the whole legal outcome."""

from scrutineer.audits.outcome import insufficient, required
from scrutineer.audits.plan_make import reported_totals
from scrutineer.audits.status import PlanFiles
from scrutineer.count import Count, unit_result
from scrutineer.count.results import tally_of

_NAMED = 5  # boxes in a sentence


def check_results(files: PlanFiles, count: Count) -> tuple[str, ...]:
    """What differs from the count at the plan's log size, in plain English. Raises AuditError where no plan could be made."""
    plan, election = files.plan, count.election
    found = []
    contests = []
    for planned in plan.contests:
        number = election.contest_index.get(planned.contest)
        if number is None:
            return (f"there is no contest {planned.contest!r} in this election",)
        contest = election.contests[number]
        contests.append(contest)
        state = count.contests[number]
        tally = tally_of(state, unit_result(count, number, state.unit))
        requirement = required(contest, tally)
        if requirement.full_count != planned.full_count:
            found.append(
                f"contest {contest.id!r}: the plan gives {planned.full_count or 'no'!r} reason for a full count, and the results "
                f"give {requirement.full_count or 'none'!r}"
            )
        elif not planned.full_count:
            assertions = tuple(test.assertion(contest.id) for test in planned.tests)
            found += [
                f"contest {contest.id!r}: not shown by these tests: {part}" for part in insufficient(contest, tally, assertions)
            ]
    if files.totals is None:
        return tuple(found)
    _, totals = reported_totals(count, contests, files.manifest)
    given, published = files.totals.rows, totals.rows
    differing = sorted(
        {f"{box} ({contest})" for box, contest in given.keys() ^ published.keys()}
        | {
            f"{box} ({contest})"
            for box, contest in given.keys() & published.keys()
            if given[box, contest][1:] != published[box, contest][1:]
        }
    )
    if differing:
        more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        found.append(f"the totals are not those of the log at size {plan.size} in box {', '.join(differing[:_NAMED])}{more}")
    return tuple(found)
