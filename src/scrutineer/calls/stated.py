"""Calls as a bulletin states them: of every contest over its whole unit, under the settings that the definition commits to."""

from fractions import Fraction
from typing import Final

from scrutineer.calls.call import Call, ConditionCall
from scrutineer.calls.from_count import incoherence, partial_count
from scrutineer.calls.verdict import make_call
from scrutineer.count import Count
from scrutineer.errors import CallError
from scrutineer.statements.contest_call import CalledCondition, ContestCall

MAX_STATED: Final = 48
"""Conditions that all calls of a bulletin state together: the log takes no statement larger than 64 KiB."""


def bulletin_calls(count: Count) -> tuple[ContestCall, ...]:
    """The calls that a bulletin at this count carries, one for each contest; none where the definition commits to no settings.

    The contests share the conditions that a bulletin has room for; where there are more contests than that, verdicts and reasons
    stand alone.
    """
    if count.election.definition.calls is None:
        return ()
    contests = range(len(count.contests))
    return tuple(state_call(call_of(count, contest), MAX_STATED // len(contests)) for contest in contests)


def call_of(count: Count, contest: int, unit: int | None = None) -> Call:
    """The call on a contest (by position) in a unit (by position; None for its own), under the definition's settings.

    Raises CallError where the definition commits to none.
    """
    settings = count.election.definition.calls
    if settings is None:
        raise CallError(
            "the definition commits to no settings of calls: give them for this question, or write a section [calls] in the "
            "election.toml of the next election"
        )
    partial = partial_count(count, contest, settings, unit)
    return make_call(
        count.election.contests[contest],
        partial,
        settings,
        committed=True,
        unit="" if unit is None else count.election.units.ids[unit],
        incoherent=incoherence(count, contest, partial),
    )


def state_call(call: Call, most: int = MAX_STATED) -> ContestCall:
    """A call in the form in which it is signed: exact figures alone, candidates by their ids.

    Of more than `most` conditions it states those nearest to failing, the undecided ones first.
    """
    conditions = list(dict.fromkeys(condition for clause in call.clauses for condition in clause))
    if len(conditions) > most:
        nearest = sorted(range(len(conditions)), key=lambda at: _nearness(conditions[at]))
        conditions = [conditions[at] for at in sorted(nearest[:most])]
    return ContestCall(
        contest=call.contest,
        verdict=call.verdict,
        reasons=call.reasons,
        binding=call.binding,
        slack=call.slack,
        conditions=tuple(_state(condition, call.candidates) for condition in conditions),
        lead=_state(min(call.leads, key=lambda lead: lead.value), call.candidates) if call.leads and most else None,
    )


def named(code: str, candidates: tuple[str, ...]) -> str:
    """A condition's code with candidates' ids in place of their positions."""
    kind, *positions = code.split(":")
    return ":".join([kind, *(candidates[int(position)] if position.isdecimal() else position for position in positions)])


def _nearness(condition: ConditionCall) -> tuple[int, Fraction]:
    return {"statistics": 1, "arithmetic": 2}.get(condition.verdict, 0), condition.ballots_left


def _state(condition: ConditionCall, candidates: tuple[str, ...]) -> CalledCondition:
    found = condition.sensitivity
    return CalledCondition(
        code=named(condition.condition.code, candidates),
        verdict=condition.verdict,
        reasons=condition.reasons,
        value=condition.value,
        slack=condition.slack,
        flips_at=None if found is None else found.flips_at,
        seen=None if found is None else found.seen,
    )
