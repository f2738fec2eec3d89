"""A call in words that a journalist can quote. Takes no side, and says no more than the figures do.

Somebody is said to be elected only where the verdict is decided and the contest's rule elects. Figures come from the call alone,
so that the same call reads the same everywhere. Where the contest is given, candidates are called by its names instead of ids.
What is said is plain English, or HTML in the language of a page.
"""

from typing import Final

from scrutineer.calls.call import Call, ConditionCall
from scrutineer.calls.condition_words import condition_sentence, flips, joined, said_in_full, sensitivity_sentence
from scrutineer.calls.explanations import explanations
from scrutineer.calls.hinges import closest, level, names_of, weakest
from scrutineer.election import Contest
from scrutineer.election.call_settings import CallSettings
from scrutineer.language import ENGLISH, Say

__all__ = [
    "condition_sentence",
    "explanations",
    "names_of",
    "sensitivity_sentence",
    "sentence",
    "sentences",
    "verdict_name",
    "weakest",
]

_UNSETTLED: Final = frozenset({"order-sensitive", "order-seen"})


def verdict_name(call: Call, *, say: Say = ENGLISH) -> str:
    """The verdict for people: 'Decided by statistics (at risk 5%, gamma 3)'."""
    match call.verdict:
        case "not-coherent":
            return say("Not coherent")
        case "arithmetic":
            return say("Decided by arithmetic")
        case "statistics":
            settings = CallSettings(risk=call.risk, gamma=call.gamma)
            risk, gamma = say.share(settings.risk_limit()), say.decimal(settings.order_limit())
            return say("Decided by statistics (at risk {risk}, gamma {gamma})", risk=risk, gamma=gamma)
        case _:
            return say("Not decided")


def sentence(call: Call, contest: Contest | None = None, *, say: Say = ENGLISH) -> str:
    """The call in one sentence. With the contest, it calls candidates by name and knows a question from an election."""
    return say("{verdict}: {said}.", verdict=verdict_name(call, say=say), said=joined(_clauses(call, contest, say), say))


def sentences(call: Call, contest: Contest | None = None, *, say: Say = ENGLISH) -> tuple[str, str]:
    """The same in two sentences, because it can be long: what is decided, and the rest, which can be empty."""
    first, *rest = _clauses(call, contest, say)
    opening = say("{verdict}: {said}.", verdict=verdict_name(call, say=say), said=first)
    return opening, said_in_full(rest, say) if rest else ""


def _clauses(call: Call, contest: Contest | None, say: Say) -> list[str]:
    names = names_of(call, contest)
    match call.verdict:
        case "not-coherent":
            return [_incoherent(call, say)]
        case "arithmetic":
            return [_where(call, contest, names, say), _arithmetic(call, say)]
        case "statistics":
            return [_where(call, contest, names, say), *_flips(call, names, say), *_compared(call, say), *_uncommitted(call, say)]
        case _:
            return [*_undecided(call, names, say), *_compared(call, say), *_uncommitted(call, say)]


def _incoherent(call: Call, say: Say) -> str:
    if not call.incoherent:
        return say("the figures cannot all be true (a figure does not fit the others), so no call is made")
    finding, more = say.name(call.incoherent[0].rstrip(".")), len(call.incoherent) - 1
    if not more:
        return say("the figures cannot all be true ({finding}), so no call is made", finding=finding)
    return say.several(
        "the figures cannot all be true ({finding}, and {n} further finding), so no call is made",
        "the figures cannot all be true ({finding}, and {n} further findings), so no call is made",
        more,
        finding=finding,
    )


def _where(call: Call, contest: Contest | None, names: tuple[str, ...], say: Say) -> str:
    """What is decided, and of which part of the contest's unit."""
    partly = bool(call.unit) or call.of_file
    result = _result(call, contest, [say.name(name) for name in names], say, partly=partly)
    if call.unit:
        return say("in {place}, {result}", place=say.name(call.unit), result=result)
    return say("in the stations of this file, {result}", result=result) if partly else result


def _result(call: Call, contest: Contest | None, names: list[str], say: Say, *, partly: bool) -> str:
    """What is decided. Of a part of the contest's unit nobody is elected: there it is who comes first."""
    outcome = call.outcome
    if contest is not None and contest.rule == "yes-no":
        if outcome.elected == (0,):
            return say("the question has the votes it needs")
        return say("the question does not have the votes it needs")
    if outcome.seats:
        seats = say.listed([say("{name} {number}", name=names[index], number=n) for index, n in enumerate(outcome.seats) if n])
        return say("the seats would be {seats}", seats=seats) if partly else say("the seats are {seats}", seats=seats)
    if outcome.runoff:
        pair = say.listed([names[index] for index in outcome.runoff])
        if partly:
            return say("{candidates} come first, nobody with the share that the rule asks for", candidates=pair)
        return say("{candidates} go into a run-off", candidates=pair)
    first = say.listed([names[index] for index in outcome.elected])
    if not outcome.elected:
        return say("nobody has the votes that the rule asks for") if partly else say("nobody is elected")
    if partly:
        return say.several("{candidates} comes first", "{candidates} come first", len(outcome.elected), candidates=first)
    return say.several("{candidates} is elected", "{candidates} are elected", len(outcome.elected), candidates=first)


def _arithmetic(call: Call, say: Say) -> str:
    if not call.open:
        return say("no station is open any more")
    if call.open_ballots == 0:
        # Stations that were excluded are not counted, but not open either.
        return say("no further ballot can come")
    if call.slack is None or call.open_ballots is None:
        return say("no number of further ballots can change that")
    return say.several(
        "it would take at least {n} further ballot to change that, and at most {most} can still come",
        "it would take at least {n} further ballots to change that, and at most {most} can still come",
        call.open_ballots + call.slack,
        most=call.open_ballots,
    )


def _flips(call: Call, names: tuple[str, ...], say: Say) -> list[str]:
    hangs = weakest(call)
    if hangs is None or hangs.sensitivity is None:
        return []
    return flips(hangs.sensitivity, hangs.condition, names, ordered=call.ordered, say=say)


def _undecided(call: Call, names: tuple[str, ...], say: Say) -> list[str]:
    if not call.counted:
        return [say("no station is counted yet")]
    ahead = say.several(
        "{lead} with {counted} of {n} station counted",
        "{lead} with {counted} of {n} stations counted",
        call.stations,
        lead=_lead(call, names, say),
        counted=call.counted,
    )
    if "tie" in call.reasons:
        return [level(call, names, say), ahead]
    hangs = weakest(call)
    at_stake = hangs if hangs is not None and (not call.leads or hangs.condition != closest(call).condition) else None
    if "recount-band" in call.reasons:
        return _close(ahead, hangs, at_stake, names, say)
    clauses = [_coming(call, ahead, say)]
    if at_stake is not None:
        clauses.append(say("it hangs on whether {condition}", condition=condition_sentence(at_stake.condition, names, say=say)))
    clauses += _flips(call, names, say)
    if "test-not-passed" in call.reasons and not _UNSETTLED & set(call.reasons):
        clauses.append(say("the sequential test has not passed yet"))
    return clauses


def _close(
    ahead: str, hangs: ConditionCall | None, at_stake: ConditionCall | None, names: tuple[str, ...], say: Say
) -> list[str]:
    """The state of a count whose difference lies within the recount band."""
    if hangs is None:
        return [ahead, say("the outcome is so close that a recount may change it")]
    if at_stake is None:
        return [say("{state}, so close that a recount may change the outcome", state=ahead)]
    return [
        ahead,
        say(
            "it hangs on whether {condition}, which is so close that a recount may change the outcome",
            condition=condition_sentence(at_stake.condition, names, say=say),
        ),
    ]


def _coming(call: Call, ahead: str, say: Say) -> str:
    """The state of a count with what can still come."""
    if call.open_ballots is None:
        return say.several(
            "{state}, and nothing bounds what {n} open station can still add, because rolls are missing",
            "{state}, and nothing bounds what {n} open stations can still add, because rolls are missing",
            call.open,
            state=ahead,
        )
    if "outstanding-exceeds-lead" in call.reasons:
        return say.several(
            "{state}, and up to {n} ballot can still come, which is enough to change the outcome",
            "{state}, and up to {n} ballots can still come, which is enough to change the outcome",
            call.open_ballots,
            state=ahead,
        )
    return say.several(
        "{state}, and up to {n} ballot can still come",
        "{state}, and up to {n} ballots can still come",
        call.open_ballots,
        state=ahead,
    )


def _lead(call: Call, names: tuple[str, ...], say: Say) -> str:
    if not call.leads:
        if call.outcome.rounds and call.outcome.elected:
            return say("{candidate} survives the instant run-off so far", candidate=say.name(names[call.outcome.elected[0]]))
        return say("nobody is ahead")
    nearest = closest(call)
    leader = say.name(names[nearest.condition.favours])
    votes = say.several("{n} vote", "{n} votes", nearest.value)
    if nearest.condition.against is None:
        return say("{leader} leads the next by {votes}", leader=leader, votes=votes)
    return say(
        "{leader} leads {second} by {votes}", leader=leader, second=say.name(names[nearest.condition.against]), votes=votes
    )


def _compared(call: Call, say: Say) -> list[str]:
    hangs = weakest(call)
    if not call.baseline or hangs is None or hangs.sensitivity is None:
        return []
    return [say("stations are compared by how they differ from the earlier election of the baseline")]


def _uncommitted(call: Call, say: Say) -> list[str]:
    if call.supposed:
        return [say("this supposes that risk, gamma and strata were committed before the first result")]
    if call.committed:
        return []
    return [
        say("risk, gamma and strata were not committed before the first result, so that arithmetic alone could decide"),
    ]
