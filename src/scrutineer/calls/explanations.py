"""Why a call is as it is: for each of its reasons what stands in the way, and what would change it."""

from scrutineer.calls.call import Call, ConditionCall, Reason
from scrutineer.calls.condition_words import condition_sentence, few, sensitivity_sentence, times
from scrutineer.calls.hinges import level, names_of, strength, strongest, weakest
from scrutineer.calls.strata import MIN_COUNTED
from scrutineer.election import Contest
from scrutineer.election.call_settings import CallSettings
from scrutineer.language import ENGLISH, Say


def explanations(call: Call, contest: Contest | None = None, *, say: Say = ENGLISH) -> tuple[str, ...]:
    """One for each reason, in the order of `call.reasons`."""
    names = names_of(call, contest)
    return tuple(_explanation(call, reason, names, say) for reason in call.reasons)


def _explanation(call: Call, reason: Reason, names: tuple[str, ...], say: Say) -> str:
    concerned = [condition for condition in strongest(call) if reason in condition.reasons]
    about = min(concerned, key=strength) if concerned else weakest(call)
    match reason:
        case "outstanding-exceeds-lead":
            return _exceeds(call, say)
        case "order-sensitive":
            return _sensitive(call, about, names, say)
        case "order-seen":
            return _seen_already(call, about, names, say)
        case "sizes-seen":
            return say(
                "Among the open stations those of one size are up to {times} times as common as those of another, next to the "
                "counted ones, which is more than gamma {gamma}: what is open is not like what is counted; that changes once "
                "stations of all sizes have reported more evenly.",
                times=times(call.sizes_seen, say),
                gamma=_gamma(call, say),
            )
        case "stratum-uncovered":
            return _uncovered(about, say)
        case "test-not-passed":
            return _not_passed(call, about, names, say)
        case "recount-band":
            return _band(about, names, say)
        case "not-committed":
            return say(
                "Risk, gamma and strata were not committed to the log before the first result, so that they could have been "
                "chosen after seeing results: no verdict by statistics is given, and arithmetic alone can decide."
            )
        case "tie":
            return say(
                "{level}; one more ballot, or the law's own way of breaking a tie, changes that.", level=level(call, names, say)
            )
        case "inputs":
            return _inputs(call, say)


def _exceeds(call: Call, say: Say) -> str:
    if call.open_ballots is None or call.slack is None or call.slack > 0:
        return say(
            "What is still open can change the outcome; that changes once less is open or the difference in votes is larger."
        )
    fewest = call.open_ballots + call.slack
    return say.several(
        "Up to {n} ballot can still come, and {fewest} of them could be enough to change the outcome; arithmetic decides once "
        "fewer than {fewest} can come and the difference in votes is no smaller.",
        "Up to {n} ballots can still come, and {fewest} of them could be enough to change the outcome; arithmetic decides once "
        "fewer than {fewest} can come and the difference in votes is no smaller.",
        call.open_ballots,
        fewest=fewest,
    )


def _sensitive(call: Call, about: ConditionCall | None, names: tuple[str, ...], say: Say) -> str:
    if about is None or about.sensitivity is None:
        how = say("A difference between outstanding and counted stations flips it.")
    else:
        how = sensitivity_sentence(about.sensitivity, about.condition, names, ordered=call.ordered, say=say)
    verdict = say(
        "A verdict needs a figure above gamma {gamma}; more counted stations, or a larger lead, raise it.",
        gamma=_gamma(call, say),
    )
    return say.joined([how, verdict])


def _seen_already(call: Call, about: ConditionCall | None, names: tuple[str, ...], say: Say) -> str:
    found = None if about is None else about.sensitivity
    if found is None or found.seen is None:
        said = say(
            "later stations differed from earlier ones of the same region by more than any reweighting of them explains; more "
            "counted stations can bring that down."
        )
    elif found.flips_at is None or found.seen < found.flips_at:
        said = say(
            "later stations already differed from earlier ones of the same region by {times}; if the order goes on so, what is "
            "open will differ by more than gamma {gamma}; more counted stations can show that it does not.",
            times=times(found.seen, say),
            gamma=_gamma(call, say),
        )
    else:
        said = say(
            "later stations already differed from earlier ones of the same region by {times}, and {limit} would flip the "
            "outcome; that changes once the count has raised the second figure above the first.",
            times=times(found.seen, say),
            limit=times(found.flips_at, say),
        )
    # The call's own sentence has the figure of the condition on which the verdict hangs; another one's figure says what it is of.
    if about is None or about == weakest(call):
        return say.capital(said)
    return say("On whether {condition}, {said}", condition=condition_sentence(about.condition, names, say=say), said=said)


def _uncovered(about: ConditionCall | None, say: Say) -> str:
    uncovered = () if about is None or about.sensitivity is None else about.sensitivity.uncovered
    if not uncovered:
        return say.several(
            "Fewer than {n} station is counted in a region, so that every ballot from there is taken to count against the "
            "outcome; that changes once {n} station is counted there.",
            "Fewer than {n} stations are counted in a region, so that every ballot from there is taken to count against the "
            "outcome; that changes once {n} stations are counted there.",
            MIN_COUNTED,
        )
    return say.several(
        "Fewer than {n} station is counted in {regions}, so that every ballot from there is taken to count against the "
        "outcome; that changes once {n} station is counted there.",
        "Fewer than {n} stations are counted in {regions}, so that every ballot from there is taken to count against the "
        "outcome; that changes once {n} stations are counted there.",
        MIN_COUNTED,
        regions=few(uncovered, say),
    )


def _not_passed(call: Call, about: ConditionCall | None, names: tuple[str, ...], say: Say) -> str:
    risk = say.share(CallSettings(risk=call.risk).risk_limit())
    if about is None:
        return say(
            "At its part of the risk of {risk} the sequential test does not show yet who is ahead; more counted stations can.",
            risk=risk,
        )
    return say(
        "At its part of the risk of {risk} the sequential test does not show yet that {condition}; more counted stations can.",
        risk=risk,
        condition=condition_sentence(about.condition, names, say=say),
    )


def _band(about: ConditionCall | None, names: tuple[str, ...], say: Say) -> str:
    if about is None:
        how = say("The difference is within the recount band")
    elif about.condition.code.startswith("lead:"):
        how = say.several(
            "The lead of {n} vote is within the recount band of {band}",
            "The lead of {n} votes is within the recount band of {band}",
            about.value,
            band=about.band,
        )
    else:
        how = say(
            "Whether {condition} is so close that it is within the recount band",
            condition=condition_sentence(about.condition, names, say=say),
        )
    return say("{close}; a recount, or a difference beyond the band once more is counted, changes that.", close=how)


def _inputs(call: Call, say: Say) -> str:
    if call.incoherent:
        return say("These figures cannot all be true; a call is made once they are corrected.")
    if not call.counted:
        return say("No station is counted; a call is made once the first one is.")
    return say(
        "The roll of an open station is missing, so that nothing bounds what can still come; give it and arithmetic can decide."
    )


def _gamma(call: Call, say: Say) -> str:
    return say.decimal(CallSettings(gamma=call.gamma).order_limit())
