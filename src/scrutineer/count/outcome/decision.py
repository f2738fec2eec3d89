"""The two questions: what a rule makes of a tally, and whether further ballots can change it."""

from typing import TypeAlias

from scrutineer.count.outcome.divisor import DHondt, SainteLague
from scrutineer.count.outcome.hamilton import Hamilton
from scrutineer.count.outcome.majority import Majority, YesNo
from scrutineer.count.outcome.model import Bound, Caps, Outcome, RankedTally, Reach, Tally, check_count
from scrutineer.count.outcome.plurality import Approval, Plurality
from scrutineer.count.outcome.ranked import InstantRunoff
from scrutineer.errors import CountError

Rule: TypeAlias = Plurality | Approval | YesNo | Majority | DHondt | SainteLague | Hamilton | InstantRunoff


def decide(rule: Rule, tally: Tally | RankedTally) -> Outcome:
    """The outcome of a tally under a rule.

    Raises CountError where the tally is not of the kind that the rule decides.
    """
    if isinstance(rule, InstantRunoff):
        return rule.decide(_ranked(tally))
    return rule.decide(_unranked(rule, tally))


def can_change(rule: Rule, tally: Tally | RankedTally, open_ballots: int | None, *, per_option_max: Caps | None = None) -> Bound:
    """Whether any way of casting up to `open_ballots` further ballots can change the decision of the tally.

    `open_ballots` are the ballots that may still come in: of stations that are outstanding or in quarantine, at most
    their rolls. None says that their number is unknown and without limit; 0 says that nothing is open. What is in the
    tally stays: nothing is taken out of it. Further ballots may be valid, blank or null.
    `per_option_max` has one entry per option: the most further votes that it can get (in a ranked contest: the most
    further ballots that rank it), None for no limit of its own.

    Each rule's docstring says why its bound holds, and where it is not exact. Raises CountError for bad input.
    """
    options = tally.options if isinstance(tally, RankedTally) else len(tally.votes)
    if open_ballots is not None:
        check_count(open_ballots, "open ballots")
    reach = _reach(rule, tally, _checked_caps(per_option_max, options))
    if reach.ballots is None:
        return Bound(changeable=False, exact=reach.exact, margin=None, slack=None, binding=reach.binding)
    if open_ballots is None:
        return Bound(changeable=True, exact=reach.exact, margin=reach.ballots, slack=None, binding=reach.binding)
    slack = reach.ballots - open_ballots
    return Bound(slack <= 0, reach.exact, reach.ballots, slack, reach.binding)


def _reach(rule: Rule, tally: Tally | RankedTally, caps: Caps) -> Reach:
    if isinstance(rule, InstantRunoff):
        return rule.reach(_ranked(tally), caps)
    return rule.reach(_unranked(rule, tally), caps)


def _ranked(tally: Tally | RankedTally) -> RankedTally:
    if not isinstance(tally, RankedTally):
        raise CountError("an instant run-off is decided from rankings; give a RankedTally")
    return tally


def _unranked(rule: Rule, tally: Tally | RankedTally) -> Tally:
    if not isinstance(tally, Tally):
        raise CountError(f"{type(rule).__name__} is decided from votes per option; give a Tally")
    return tally


def _checked_caps(caps: Caps | None, options: int) -> Caps:
    if caps is None:
        return (None,) * options
    if len(caps) != options:
        raise CountError(f"most further votes per option: expected {options} entries, one per option, got {len(caps)}")
    for index, cap in enumerate(caps):
        if cap is not None:
            check_count(cap, f"most further votes of option {index}")
    return caps
