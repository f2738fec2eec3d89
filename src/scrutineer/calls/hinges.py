"""What a verdict hangs on, by the figures of a call: the weakest condition, the closest lead, who is level."""

from typing import Final

from scrutineer.calls.call import Call, ConditionCall
from scrutineer.election import Contest
from scrutineer.language import Say

DECIDED: Final = ("arithmetic", "statistics")


def weakest(call: Call) -> ConditionCall | None:
    """The condition on which the verdict hangs: of each clause the one furthest from failing, and of these the nearest.

    None where there is no condition, as in a call on figures that do not fit.
    """
    return min(strongest(call), key=strength, default=None)


def closest(call: Call) -> ConditionCall:
    """The smallest lead of a call that has any."""
    return min(call.leads, key=lambda lead: lead.value)


def strongest(call: Call) -> list[ConditionCall]:
    """Of each clause the condition that is furthest from failing."""
    return [max(clause, key=strength) for clause in call.clauses if clause]


def names_of(call: Call, contest: Contest | None) -> tuple[str, ...]:
    """The candidates by name where the contest names them, else as the call names them."""
    known = {candidate.id: candidate.name for candidate in contest.standing()} if contest else {}
    return tuple(known.get(candidate, candidate) for candidate in call.candidates)


def level(call: Call, names: tuple[str, ...], say: Say) -> str:
    """Who shares the last places or seats, with the number of these where there are several."""
    outcome = call.outcome
    who = say.listed([say.name(names[index]) for index in outcome.tied]) or say("The candidates")
    places = max(1, outcome.open_seats)
    if outcome.elected or outcome.runoff:
        if outcome.seats:
            return say.several(
                "{candidates} are level for the last seat",
                "{candidates} are level for the last {n} seats",
                places,
                candidates=who,
            )
        return say.several(
            "{candidates} are level for the last place", "{candidates} are level for the last {n} places", places, candidates=who
        )
    if outcome.seats:
        return say.several("{candidates} are level for the seat", "{candidates} are level for {n} seats", places, candidates=who)
    return say.several("{candidates} are level for the place", "{candidates} are level for {n} places", places, candidates=who)


def strength(condition: ConditionCall) -> tuple[bool, bool, bool, float, int]:
    """How far a condition is from failing: decided before undecided, then by gamma, then by its value."""
    flips_at = None if condition.sensitivity is None else condition.sensitivity.flips_at
    unmoved = condition.sensitivity is not None and flips_at is None
    arithmetic = condition.verdict == "arithmetic"
    in_band = "recount-band" in condition.reasons
    return (
        condition.verdict in DECIDED,
        not in_band,
        arithmetic,
        float("inf") if unmoved else float(flips_at or 0),
        condition.value,
    )
