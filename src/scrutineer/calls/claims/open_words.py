"""Whether an announced lead can still change, in phrases: the verdict, its reasons, the arithmetic behind it."""

from collections.abc import Iterator
from typing import Final

from scrutineer.calls.claims.still_open import Given, Need, StillOpen
from scrutineer.calls.claims.totals import Origin
from scrutineer.language import Phrase, Quantity, Row

GIVEN: Final[dict[Given, Phrase]] = {
    "nothing-open": Phrase("every sheet is counted"),
    "whole-roll": Phrase("nobody can vote who is not on the announced roll"),
    "equal-roll": Phrase(
        "the announced counts and roll are right, and the stations still open have their equal part of the roll"
    ),
}
_ORIGINS: Final[dict[Origin, Phrase]] = {
    "announced": Phrase("announced or the sum of all options"),
    "computed": Phrase("the only totals of which the counts are the percentages"),
    "fitting": Phrase("the least that fits votes and percentages"),
    "listed": Phrase("at least the votes listed"),
}


def decided_sentence(found: StillOpen) -> Phrase:
    """A verdict by arithmetic, and what it rests on."""
    return Phrase(
        "Decided by arithmetic, if {condition}: {leader} leads by {votes}.",
        condition=GIVEN[found.given or "whole-roll"],
        leader=found.leader,
        votes=Phrase.several("{n} vote", "{n} votes", found.lead),
    )


def undecided_reasons(found: StillOpen) -> Row:
    """Why a lead is not decided."""
    return Row.of(_reasons(found), "clauses")


def _reasons(found: StillOpen) -> Iterator[Phrase]:
    if "outstanding-exceeds-lead" in found.reasons:
        yield Phrase(
            "{leader} leads {second} by {votes}, and what is still open exceeds that",
            leader=found.leader,
            second=found.rival,
            votes=found.lead,
        )
        if found.equal_need is not None:
            yield _level(found.equal_need, found)
    if "recount-band" in found.reasons and not found.lead:
        yield Phrase("{leader} and {second} are level", leader=found.leader, second=found.rival)
    elif "recount-band" in found.reasons:
        yield Phrase(
            "the lead of {votes} ({share}) lies within the recount band of {band}",
            votes=Phrase.several("{n} vote", "{n} votes", found.lead),
            share=Quantity(found.lead_share, 4, share=True),
            band=Phrase.several("{n} vote", "{n} votes", int(found.band)),
        )
    if "inputs" in found.reasons:
        yield Phrase("how much is still open was not announced: neither the share counted nor the roll bounds it")


def _level(need: Need, found: StillOpen) -> Phrase:
    level = Phrase.several(
        "{second} would draw level with {share} of it, if it holds {n} vote like the rest",
        "{second} would draw level with {share} of it, if it holds {n} votes like the rest",
        round(need.outstanding),
        second=found.rival,
        share=Quantity(need.with_others, 1, share=True),
    )
    if need.odds_ratio is None:
        return level
    return Phrase(
        "{level}, {times} times as favourable to {second} as the counted ones",
        level=level,
        times=Quantity(need.odds_ratio, 2),
        second=found.rival,
    )


def open_lines(found: StillOpen) -> Iterator[Phrase]:
    """The arithmetic of a lead, line by line."""
    yield Phrase(
        "{leader} leads {second} by {votes} of {total} ({origin}), {share}",
        leader=found.leader,
        second=found.rival,
        votes=found.lead,
        total=Phrase.several("{n} valid vote", "{n} valid votes", found.total),
        origin=_ORIGINS[found.total_origin],
        share=Quantity(found.lead_share, 4, share=True),
    )
    if found.outstanding_equal is not None and found.outstanding_equal_range is not None:
        least, most = found.outstanding_equal_range
        yield Phrase(
            "still open if all sheets hold as many votes: {votes} ({least} to {most} by the digits of the share counted)",
            votes=Quantity(found.outstanding_equal, 1),
            least=Quantity(least, 1),
            most=Quantity(most, 1),
        )
    yield from _turnout_lines(found)
    if found.mean_to_hold is not None and found.sheets_open is not None:
        yield Phrase(
            "the lead stands while the {sheets} sheets still open hold fewer than {votes} votes on average",
            sheets=Quantity(found.sheets_open, 1),
            votes=Quantity(found.mean_to_hold, 2),
        )
    if found.equal_need is not None:
        yield _need_line(Phrase("if sheets hold as many votes"), found.equal_need, found.rival)
    for need in found.needs:
        turnout = Quantity(need.turnout or 0.0, 0, share=True)
        yield _need_line(Phrase("at a turnout of {share}", share=turnout), need, found.rival)
    if found.whole_need is not None:
        yield _need_line(Phrase("if everybody else on the roll votes"), found.whole_need, found.rival)
    if found.z is not None and found.equal_need is not None and found.equal_need.possible:
        yield Phrase(
            "if the sheets still open were a random sample, {second}'s need would lie {errors} standard errors off; they are not "
            "one, which is why this decides nothing",
            second=found.rival,
            errors=Quantity(found.z, 1),
        )


def _turnout_lines(found: StillOpen) -> Iterator[Phrase]:
    if found.turnout_to_reverse is not None and found.turnout_to_reverse <= 1:
        needed = Phrase(
            "a reversal needs a turnout of {share} of the part still open",
            share=Quantity(found.turnout_to_reverse, 3, share=True),
        )
        if found.turnout_counted is None:
            yield needed
        else:
            counted = Quantity(found.turnout_counted, 3, share=True)
            yield Phrase("{needed}; {share} of the counted part voted", needed=needed, share=counted)
    if found.uncounted_roll is not None:
        yield Phrase.several(
            "registered and not counted: {n} voter", "registered and not counted: {n} voters", found.uncounted_roll
        )


def _need_line(what: Phrase, need: Need, rival: str) -> Phrase:
    votes = Quantity(need.outstanding)
    if not need.possible:
        return Phrase("{case}: {votes} votes, too few to change the order", case=what, votes=votes)
    line = Phrase(
        "{case}: {votes} votes, of which {second} needs {alone} (others none) or {beside} (others as before)",
        case=what,
        votes=votes,
        second=rival,
        alone=Quantity(need.alone, 3, share=True),
        beside=Quantity(need.with_others, 3, share=True),
    )
    if need.odds_ratio is None:
        return line
    return Phrase("{need}, {times} times the odds so far", need=line, times=Quantity(need.odds_ratio, 3))
