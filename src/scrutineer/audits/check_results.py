"""Whether a plan rests on the published results: the totals of every box, and tests that imply the whole legal outcome."""

from collections.abc import Callable, Mapping, Sequence

from scrutineer.audits.outcome import insufficient, required
from scrutineer.audits.plan import Plan
from scrutineer.audits.plan_make import reported_totals
from scrutineer.audits.plan_totals import Row
from scrutineer.audits.status import PlanFiles
from scrutineer.count import Count, unit_result
from scrutineer.count.results import tally_of
from scrutineer.election import Contest
from scrutineer.errors import AuditError

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
        if tally.cast > plan.cards:
            found.append(
                f"contest {contest.id!r}: {tally.cast} ballots are published, and the manifest of the plan has {plan.cards} "
                "cards: those that it leaves out can never be drawn"
            )
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
    if fewer := _fewer_cards(given, published, lambda: _by_sheets(count, contests)):
        more = f" and {len(fewer) - _NAMED} more" if len(fewer) > _NAMED else ""
        found.append(
            "the totals allow for fewer cards than the manifest, and not for those of the sheets either, in box "
            f"{', '.join(fewer[:_NAMED])}{more}"
        )
    return tuple(found)


def by_sheets_alone(files: PlanFiles, count: Count) -> bool:
    """Whether the manifest says of every box what its own sheet does: then perhaps nobody else has said what lies in it."""
    if files.totals is None:
        return False
    most: dict[str, int] = {}
    for (box, _), row in _by_sheets(count, _contests(files.plan, count)).items():
        most[box] = max(most.get(box, 0), row[0])
    return most == dict(zip(files.manifest.boxes, files.manifest.cards.tolist(), strict=True))


def not_shown_now(plan: Plan, count: Count) -> tuple[str, ...]:
    """Contests of a plan whose outcome in this count, which may be a later one, does not follow from the tests of the plan."""
    found = []
    planned = {each.contest: each for each in plan.contests if not each.full_count}
    for contest in _contests(plan, count):
        if contest.id in planned:
            state = count.contests[count.election.contest_index[contest.id]]
            tally = tally_of(state, unit_result(count, count.election.contest_index[contest.id], state.unit))
            if insufficient(contest, tally, tuple(test.assertion(contest.id) for test in planned[contest.id].tests)):
                found.append(contest.id)
    return tuple(found)


def _contests(plan: Plan, count: Count) -> list[Contest]:
    """The contests of a plan that the election has."""
    index = count.election.contest_index
    return [count.election.contests[index[each.contest]] for each in plan.contests if each.contest in index]


def _by_sheets(count: Count, contests: Sequence[Contest]) -> Mapping[tuple[str, str], Row]:
    """The totals as sheets and rolls alone give them; nothing where these do not say how many cards there are."""
    try:
        return reported_totals(count, contests, None)[1].rows
    except AuditError:
        return {}


def _fewer_cards(
    given: Mapping[tuple[str, str], Row],
    published: Mapping[tuple[str, str], Row],
    by_sheets: Callable[[], Mapping[tuple[str, str], Row]],
) -> list[str]:
    """Boxes that hold, by the totals of a plan, fewer cards than by the manifest, and another number than by their sheets.

    How much a box can be overstated follows from its cards: too few of them, and it is hardly ever drawn.
    """
    fewer = [key for key in given.keys() & published.keys() if given[key][0] < published[key][0]]
    sheets = by_sheets() if fewer else {}
    return sorted(f"{key[0]} ({key[1]})" for key in fewer if key not in sheets or given[key][0] != sheets[key][0])
