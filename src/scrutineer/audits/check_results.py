"""Whether a plan rests on the published results: the totals of every box, and tests that imply the whole legal outcome."""

from collections.abc import Sequence
from enum import StrEnum

from scrutineer.audits.outcome import insufficient, required
from scrutineer.audits.plan import CARDS_FILE, Plan
from scrutineer.audits.plan_cards import can_hold
from scrutineer.audits.plan_reported import beyond_sheets, crowded, is_by_rolls, reported_totals, short_of_rolls
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.count import Count, unit_result
from scrutineer.count.results import tally_of
from scrutineer.election import Contest

_NAMED = 5  # boxes in a sentence


class Basis(StrEnum):
    """Where a plan has it from how many cards can lie in a box at most."""

    ROLL = "roll"
    """The roll of the station, or its sheets where they say more."""
    MANIFEST = "manifest"
    """The manifest that the plan names, which says of some box something else than its sheets."""
    SHEETS = "sheets"
    """A manifest that says of every box what its own sheets do: then perhaps nobody else has looked."""


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
        elif files.cards is not None and files.totals is None and tally.cast > (most := can_hold(files.cards, contest.id)):
            # Cards of other contests fill the manifest up, and boxes that speak against this outcome could be left out of it.
            found.append(
                f"contest {contest.id!r}: {tally.cast} ballots are published, and by their records {most} cards of the manifest "
                "can hold it: those that it leaves out can never be drawn"
            )
    return (*found, *_check_records(files, count), *_check_boxes(files, count, contests))


def _check_records(files: PlanFiles, count: Count) -> list[str]:
    """Contests of the records whose options are not those of the definition, in its order: their marks are then of others."""
    known = {contest.id: [option.id for option in contest.options] for contest in count.election.contests}
    columns = () if files.cards is None else files.cards.contests
    return [
        f"contest {column.id!r} has not the options of the definition in {CARDS_FILE}"
        for column in columns
        if known.get(column.id) != list(column.options)
    ]


def _check_boxes(files: PlanFiles, count: Count, contests: Sequence[Contest]) -> list[str]:
    """What differs box by box."""
    if few := crowded(count, contests, files.manifest):
        named = _some([f"{each.box} ({each.contest}: {each.published}, and {each.manifest} in the manifest)" for each in few])
        return [f"more cards are published than the manifest of the plan has in box {named}: those can never be drawn"]
    if files.totals is None:
        return []
    by_rolls = is_by_rolls(count, contests, files.manifest)
    _, totals = reported_totals(count, contests, None if by_rolls else files.manifest)
    given, published = files.totals.rows, totals.rows
    both = given.keys() & published.keys()
    found = []
    if differing := sorted((given.keys() ^ published.keys()) | {key for key in both if given[key][1:] != published[key][1:]}):
        found.append(f"the totals are not those of the log at size {files.plan.size} in box {_some(_named(differing))}")
    if fewer := sorted(key for key in both if given[key][0] < published[key][0]):
        found.append(f"the totals let cards be missing that are reported or stand in the manifest, in box {_some(_named(fewer))}")
    return found


def card_basis(files: PlanFiles, count: Count) -> Basis:
    """Where the plan has it from how many cards can lie in a box at most."""
    contests = _contests(files.plan, count)
    if files.totals is not None and is_by_rolls(count, contests, files.manifest):
        return Basis.ROLL
    boxes, _ = beyond_sheets(count, contests, files.manifest)
    return Basis.MANIFEST if boxes or files.totals is None else Basis.SHEETS


def uncounted_short(files: PlanFiles, count: Count) -> tuple[int, int]:
    """See `plan_reported.short_of_rolls`."""
    return short_of_rolls(count, _contests(files.plan, count), files.manifest)


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


def _named(keys: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{box} ({contest})" for box, contest in keys]


def _some(boxes: Sequence[str]) -> str:
    """The first boxes, and how many more there are."""
    more = f" and {len(boxes) - _NAMED} more" if len(boxes) > _NAMED else ""
    return ", ".join(boxes[:_NAMED]) + more
