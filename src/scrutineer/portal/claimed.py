"""The announcements that a log quotes, examined: against themselves, against each other, and against the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.answers import Answer
from scrutineer.calls.claims.claim_statement import from_statement
from scrutineer.calls.claims.examine import examine
from scrutineer.calls.claims.record import Record, against
from scrutineer.calls.from_count import partial_count
from scrutineer.count import Count, Recorded
from scrutineer.election.call_settings import CallSettings
from scrutineer.errors import CallError, DefinitionError
from scrutineer.statements import Claim


@dataclass(frozen=True, slots=True)
class Claimed:
    """A quoted announcement with what came of examining it."""

    recorded: Recorded
    claim: Claim
    contest: int | None
    """Position of the contest; None where the definition has no such contest."""
    answers: tuple[Answer, ...] = ()
    """In the order of the questions; that of the way from the announcement before it comes last."""
    problem: str = ""
    """Why it could not be examined or held against the record."""


def examined(count: Count) -> list[Claimed]:
    """Every announcement in the log, in its order. `count` stands where the record does."""
    election, settings = count.election, count.election.definition.calls or CallSettings()

    @cache
    def record(contest: int, unit: str) -> Record:
        position = election.units.position(unit) if unit else None
        partial = partial_count(count, contest, settings, position)
        return Record.of_contest(partial, election.contests[contest], election.definition.name, complete=True)

    found: list[Claimed] = []
    usable: list[tuple[int, Announcement, Record | None]] = []
    for recorded in count.claims:
        claim = recorded.statement.payload
        if not isinstance(claim, Claim):
            raise TypeError(type(claim))
        contest = election.contest_index.get(claim.contest)
        problem = ""
        try:
            announcement = from_statement(claim)
        except CallError as error:
            found.append(Claimed(recorded, claim, contest, problem=str(error)))
            continue
        held = None
        if contest is not None:
            try:
                held = record(contest, claim.unit)
                against(announcement, held)
            except (CallError, DefinitionError) as error:
                held, problem = None, str(error)
        usable.append((len(found), announcement, held))
        found.append(Claimed(recorded, claim, contest, problem=problem))
    return _answered(found, usable)


def _answered(found: list[Claimed], usable: Sequence[tuple[int, Announcement, Record | None]]) -> list[Claimed]:
    if not usable:
        return found
    try:
        examination = examine([announcement for _, announcement, _ in usable], [held for _, _, held in usable])
    except CallError as error:
        return [one if one.problem else _with(one, (), str(error)) for one in found]
    reached = {between.later: between.answer for between in examination.between}
    for number, (place, _, _) in enumerate(usable):
        answers = examination.examined[number].answers + ((reached[number],) if number in reached else ())
        found[place] = _with(found[place], answers, found[place].problem)
    return found


def _with(one: Claimed, answers: tuple[Answer, ...], problem: str) -> Claimed:
    return Claimed(one.recorded, one.claim, one.contest, answers, problem)
