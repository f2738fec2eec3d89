"""A call in words that a journalist can quote. Plain text; takes no side, and says no more than the figures do.

Somebody is said to be elected only where the verdict is decided and the contest's rule elects. Figures come from the call alone,
so that the same call reads the same everywhere. Where the contest is given, candidates are called by its names instead of ids.
"""

from typing import Final

from scrutineer.calls.call import Call, ConditionCall, Reason
from scrutineer.calls.condition_words import condition_sentence, few, flips, sensitivity_sentence, times
from scrutineer.calls.strata import MIN_COUNTED
from scrutineer.calls.text import count_of, decimal, listed, number, share
from scrutineer.election import Contest
from scrutineer.election.call_settings import CallSettings

DECIDED: Final = ("arithmetic", "statistics")
FILE: Final = "the stations of this file"

__all__ = ["condition_sentence", "explanations", "names_of", "sensitivity_sentence", "sentence", "verdict_name", "weakest"]


def verdict_name(call: Call) -> str:
    """The verdict for people: 'Decided by statistics (at risk 5 %, gamma 3)'."""
    match call.verdict:
        case "not-coherent":
            return "Not coherent"
        case "arithmetic":
            return "Decided by arithmetic"
        case "statistics":
            settings = CallSettings(risk=call.risk, gamma=call.gamma)
            return f"Decided by statistics (at risk {share(settings.risk_limit())}, gamma {decimal(settings.order_limit())})"
        case _:
            return "Not decided"


def sentence(call: Call, contest: Contest | None = None) -> str:
    """The call in one sentence. With the contest, it calls candidates by name and knows a question from an election."""
    names = names_of(call, contest)
    name = verdict_name(call)
    match call.verdict:
        case "not-coherent":
            more = len(call.incoherent) - 1
            also = f", and {count_of(more, 'further finding', 'further findings')}" if more > 0 else ""
            what = call.incoherent[0].rstrip(".") if call.incoherent else "a figure does not fit the others"
            return f"{name}: the figures cannot all be true ({what}{also}), so no call is made."
        case "arithmetic":
            return f"{name}: {_result(call, names, contest)}; {_arithmetic(call)}."
        case "statistics":
            return f"{name}: {_result(call, names, contest)}{_flip(call, names)}{_compared(call)}{_uncommitted(call)}."
        case _:
            return f"{name}: {_undecided(call, names)}{_compared(call)}{_uncommitted(call)}."


def explanations(call: Call, contest: Contest | None = None) -> tuple[str, ...]:
    """One for each reason, in the order of `call.reasons`: what stands in the way, and what would change it."""
    names = names_of(call, contest)
    return tuple(_explanation(call, reason, names) for reason in call.reasons)


def weakest(call: Call) -> ConditionCall | None:
    """The condition on which the verdict hangs: of each clause the one furthest from failing, and of these the nearest.

    None where there is no condition, as in a call on figures that do not fit.
    """
    best = [max(clause, key=_strength) for clause in call.clauses if clause]
    return min(best, key=_strength) if best else None


def names_of(call: Call, contest: Contest | None) -> tuple[str, ...]:
    """The candidates by name where the contest names them, else as the call names them."""
    known = {candidate.id: candidate.name for candidate in contest.standing()} if contest else {}
    return tuple(known.get(candidate, candidate) for candidate in call.candidates)


def _strength(condition: ConditionCall) -> tuple[bool, bool, bool, float, int]:
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


def _result(call: Call, names: tuple[str, ...], contest: Contest | None) -> str:
    """What is decided. Of a part of the contest's unit nobody is elected: there it is who comes first."""
    outcome = call.outcome
    first = [names[index] for index in outcome.elected]
    place = FILE if call.of_file and not call.unit else call.unit
    where = f"in {place}, " if place else ""
    if contest is not None and contest.rule == "yes-no":
        return f"{where}the question {'has' if outcome.elected == (0,) else 'does not have'} the votes it needs"
    if outcome.seats:
        seats = [f"{names[index]} {number(count)}" for index, count in enumerate(outcome.seats) if count]
        return f"{where}the seats {'would be' if place else 'are'} {listed(seats)}"
    if outcome.runoff:
        pair = listed([names[index] for index in outcome.runoff])
        return f"{where}{pair} {'come first, nobody with the share that the rule asks for' if place else 'go into a run-off'}"
    if not first:
        return f"{where}nobody is elected" if not place else f"{where}nobody has the votes that the rule asks for"
    if place:
        return f"{where}{listed(first)} {'comes' if len(first) == 1 else 'come'} first"
    return f"{listed(first)} {'is' if len(first) == 1 else 'are'} elected"


def _arithmetic(call: Call) -> str:
    if not call.open or call.open_ballots == 0:
        # Stations that were excluded are not counted, but not open either.
        return "no station is open any more" if not call.open else "no further ballot can come"
    if call.slack is None or call.open_ballots is None:
        return "no number of further ballots can change that"
    needed = count_of(call.open_ballots + call.slack, "further ballot", "further ballots")
    return f"it would take at least {needed} to change that, and at most {number(call.open_ballots)} can still come"


def _flip(call: Call, names: tuple[str, ...]) -> str:
    hangs = weakest(call)
    if hangs is None or hangs.sensitivity is None:
        return ""
    return f"; {flips(hangs.sensitivity, hangs.condition, names, ordered=call.ordered)}"


def _undecided(call: Call, names: tuple[str, ...]) -> str:
    if not call.counted:
        return "no station is counted yet"
    ahead = f"{_lead(call, names)} with {number(call.counted)} of {count_of(call.stations, 'station', 'stations')} counted"
    if "tie" in call.reasons:
        return f"{_level(call, names)}; {ahead}"
    hangs = weakest(call)
    at_stake = ""
    if hangs is not None and (not call.leads or hangs.condition != _closest(call).condition):
        at_stake = f"; it hangs on whether {condition_sentence(hangs.condition, names)}"
    if "recount-band" in call.reasons:
        if hangs is None:
            return f"{ahead}; the outcome is so close that a recount may change it"
        return f"{ahead}{at_stake}, {'which is ' if at_stake else ''}so close that a recount may change the outcome"
    if call.open_ballots is None:
        coming = (
            f"nothing bounds what {count_of(call.open, 'open station', 'open stations')} can still add, because rolls are missing"
        )
    else:
        enough = ", which is enough to change the outcome" if "outstanding-exceeds-lead" in call.reasons else ""
        coming = f"up to {count_of(call.open_ballots, 'ballot', 'ballots')} can still come{enough}"
    only_the_test = "test-not-passed" in call.reasons and not {"order-sensitive", "order-seen"} & set(call.reasons)
    test = "; the sequential test has not passed yet" if only_the_test else ""
    return f"{ahead}, and {coming}{at_stake}{_flip(call, names)}{test}"


def _lead(call: Call, names: tuple[str, ...]) -> str:
    if not call.leads:
        if call.outcome.rounds and call.outcome.elected:
            return f"{names[call.outcome.elected[0]]} survives the instant run-off so far"
        return "nobody is ahead"
    nearest = _closest(call)
    rival = "the next" if nearest.condition.against is None else names[nearest.condition.against]
    return f"{names[nearest.condition.favours]} leads {rival} by {count_of(nearest.value, 'vote', 'votes')}"


def _level(call: Call, names: tuple[str, ...]) -> str:
    """Who shares the last places or seats, with the number of these where there are several."""
    outcome = call.outcome
    who = listed([names[index] for index in outcome.tied]) or "The candidates"
    last, place = "last " if outcome.elected or outcome.runoff else "", "seat" if outcome.seats else "place"
    if outcome.open_seats > 1:
        return f"{who} are level for {'the ' if last else ''}{last}{number(outcome.open_seats)} {place}s"
    return f"{who} are level for the {last}{place}"


def _closest(call: Call) -> ConditionCall:
    return min(call.leads, key=lambda lead: lead.value)


def _compared(call: Call) -> str:
    hangs = weakest(call)
    if not call.baseline or hangs is None or hangs.sensitivity is None:
        return ""
    return "; stations are compared by how they differ from the earlier election of the baseline"


def _uncommitted(call: Call) -> str:
    if call.supposed:
        return "; this supposes that risk, gamma and strata were committed before the first result"
    if call.committed:
        return ""
    return "; risk, gamma and strata were not committed before the first result, so that arithmetic alone could decide"


def _explanation(call: Call, reason: Reason, names: tuple[str, ...]) -> str:
    best = [max(clause, key=_strength) for clause in call.clauses if clause]
    concerned = [condition for condition in best if reason in condition.reasons]
    about = min(concerned, key=_strength) if concerned else weakest(call)
    match reason:
        case "outstanding-exceeds-lead":
            return _exceeds(call)
        case "order-sensitive":
            how = (
                ""
                if about is None or about.sensitivity is None
                else sensitivity_sentence(about.sensitivity, about.condition, names, ordered=call.ordered)
            )
            how = how or "A difference between outstanding and counted stations flips it."
            return (
                f"{how} A verdict needs a figure above gamma {_gamma(call)}; more counted stations, or a larger lead, raise it."
            )
        case "order-seen":
            return _seen_already(call, about, names)
        case "sizes-seen":
            return (
                f"Among the open stations those of one size are up to {times(call.sizes_seen)} times as common as those of "
                f"another, next to the counted ones, which is more than gamma {_gamma(call)}: what is open is not like what is "
                "counted; that changes once stations of all sizes have reported more evenly."
            )
        case "stratum-uncovered":
            uncovered = () if about is None or about.sensitivity is None else about.sensitivity.uncovered
            where = listed(few(uncovered)) or "a region"
            return (
                f"Fewer than {MIN_COUNTED} stations are counted in {where}, so that every ballot from there is taken to count "
                f"against the outcome; that changes once {MIN_COUNTED} stations are counted there."
            )
        case "test-not-passed":
            shown = "who is ahead" if about is None else f"that {condition_sentence(about.condition, names)}"
            part = f"its part of the risk of {_risk(call)}"
            return f"At {part} the sequential test does not show yet {shown}; more counted stations can."
        case "recount-band":
            return _band(about, names)
        case "not-committed":
            return (
                "Risk, gamma and strata were not committed to the log before the first result, so that they could have been "
                "chosen after seeing results: no verdict by statistics is given, and arithmetic alone can decide."
            )
        case "tie":
            return f"{_level(call, names)}; one more ballot, or the law's own way of breaking a tie, changes that."
        case "inputs":
            return _inputs(call)


def _exceeds(call: Call) -> str:
    if call.open_ballots is None or call.slack is None or call.slack > 0:
        return "What is still open can change the outcome; that changes once less is open or the difference in votes is larger."
    fewest = number(call.open_ballots + call.slack)
    return (
        f"Up to {count_of(call.open_ballots, 'ballot', 'ballots')} can still come, and {fewest} of them could be enough to "
        f"change the outcome; arithmetic decides once fewer than {fewest} can come and the difference in votes is no smaller."
    )


def _seen_already(call: Call, about: ConditionCall | None, names: tuple[str, ...]) -> str:
    found = None if about is None else about.sensitivity
    # The sentence has the figure of the condition on which the verdict hangs; another one's figure says what it is of.
    later = "Later stations"
    if about is not None and about != weakest(call):
        later = f"On whether {condition_sentence(about.condition, names)}, later stations"
    if found is None or found.seen is None:
        return (
            f"{later} differed from earlier ones of the same region by more than any reweighting of them explains; "
            "more counted stations can bring that down."
        )
    if found.flips_at is None or found.seen < found.flips_at:
        return (
            f"{later} already differed from earlier ones of the same region by {times(found.seen)}; if the order goes "
            f"on so, what is open will differ by more than gamma {_gamma(call)}; more counted stations can show that it does not."
        )
    return (
        f"{later} already differed from earlier ones of the same region by {times(found.seen)}, and "
        f"{times(found.flips_at)} would flip the outcome; "
        "that changes once the count has raised the second figure above the first."
    )


def _band(about: ConditionCall | None, names: tuple[str, ...]) -> str:
    if about is None:
        how = "The difference is within the recount band"
    elif about.condition.code.startswith("lead:"):
        how = f"The lead of {count_of(about.value, 'vote', 'votes')} is within the recount band of {number(about.band)}"
    else:
        how = f"Whether {condition_sentence(about.condition, names)} is so close that it is within the recount band"
    return f"{how}; a recount, or a difference beyond the band once more is counted, changes that."


def _inputs(call: Call) -> str:
    if call.incoherent:
        return "These figures cannot all be true; a call is made once they are corrected."
    if not call.counted:
        return "No station is counted; a call is made once the first one is."
    return (
        "The roll of an open station is missing, so that nothing bounds what can still come; give it and arithmetic can decide."
    )


def _risk(call: Call) -> str:
    return share(CallSettings(risk=call.risk).risk_limit())


def _gamma(call: Call) -> str:
    return decimal(CallSettings(gamma=call.gamma).order_limit())
