"""A condition in words, and how much the order of reporting would have to matter for it to flip.

Candidates and regions are given by their names; what is said is plain English, or HTML in the language of a page.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from scrutineer.calls.call import Sensitivity
from scrutineer.calls.conditions import Condition
from scrutineer.language import ENGLISH, Say

LEVEL: Final = 100  # a gamma of 1.00, in hundredths: outstanding stations are like the counted ones
_WITHOUT_DECIMALS: Final = 1_000  # hundredths
_NAMED: Final = 4  # strata that a sentence names


def condition_sentence(condition: Condition, candidates: tuple[str, ...], *, say: Say = ENGLISH) -> str:
    """What a condition asks: 'Heron has more votes than Wren', 'Heron has at least 40% of the valid votes'."""
    kind, first, second = _parts(condition, candidates)
    one, other = say.name(first), say.name(second)
    match kind:
        case "lead" if second:
            if condition.need > 1:
                return say.several(
                    "{candidate} has at least {n} vote more than {rival}",
                    "{candidate} has at least {n} votes more than {rival}",
                    condition.need,
                    candidate=one,
                    rival=other,
                )
            if condition.need > 0:
                return say("{candidate} has more votes than {rival}", candidate=one, rival=other)
            return say("{candidate} has at least as many votes as {rival}", candidate=one, rival=other)
        case "seat" if second:
            return say("{candidate} takes its last seat before {rival} takes another one", candidate=one, rival=other)
        case "elimination" if second:
            return say("{rival} leaves the instant run-off before {candidate}", candidate=one, rival=other)
        case "above" | "below" | "ahead" | "short":
            said = _of_share(condition, candidates, say)
            if said:
                return said
    code = say.name(condition.code)
    return say("the weighted sum of votes {code} is at least {least}", code=code, least=condition.need)


def _of_share(condition: Condition, candidates: tuple[str, ...], say: Say) -> str:
    """What a condition on a share asks; empty where its weights have none."""
    kind, first, second = _parts(condition, candidates)
    one, other = say.name(first), say.name(second)
    strict = condition.need > 0
    found = _share_of(condition, candidates)
    if found is None:
        return ""
    if condition.rest:
        share = say("{share} of the ballots cast", share=say.share(found))
    else:
        share = say("{share} of the valid votes", share=say.share(found))
    match kind:
        case "above" if strict:
            return say("{candidate} has more than {share}", candidate=one, share=share)
        case "above":
            return say("{candidate} has at least {share}", candidate=one, share=share)
        case "below" if strict:
            return say("{candidate} has less than {share}", candidate=one, share=share)
        case "below":
            return say("{candidate} has at most {share}", candidate=one, share=share)
        case "short" if not found and second and strict:
            return say("{candidate} does not reach {rival}", candidate=one, rival=other)
        case "short" if not found and second:
            return say("{candidate} does not lead {rival}", candidate=one, rival=other)
        case "ahead" if strict and second:
            return say("{candidate} is more than {share} ahead of {rival}", candidate=one, share=share, rival=other)
        case "ahead" if strict:
            return say("{candidate} is more than {share} ahead of all others", candidate=one, share=share)
        case "ahead" if second:
            return say("{candidate} is at least {share} ahead of {rival}", candidate=one, share=share, rival=other)
        case "ahead":
            return say("{candidate} is at least {share} ahead of all others", candidate=one, share=share)
        case _ if strict and second:
            return say("{candidate} is less than {share} ahead of {rival}", candidate=one, share=share, rival=other)
        case _ if strict:
            return say("{candidate} is less than {share} ahead of all others", candidate=one, share=share)
        case _ if second:
            return say("{candidate} is at most {share} ahead of {rival}", candidate=one, share=share, rival=other)
        case _:
            return say("{candidate} is at most {share} ahead of all others", candidate=one, share=share)


def sensitivity_sentence(
    sensitivity: Sensitivity, condition: Condition, candidates: tuple[str, ...], *, ordered: bool = True, say: Say = ENGLISH
) -> str:
    """How strongly the order of reporting would have to matter for the condition to flip, and what was seen so far.

    `ordered` says whether the order of arrival is known; where it is not, nothing was seen.
    """
    return said_in_full(flips(sensitivity, condition, candidates, ordered=ordered, say=say), say)


def flips(
    sensitivity: Sensitivity, condition: Condition, candidates: tuple[str, ...], *, ordered: bool = True, say: Say = ENGLISH
) -> list[str]:
    """The same as clauses.

    A reweighting within gamma may be different in each stratum, so "at least so many times as common" is needed in every
    stratum at once unless it is exceeded in some: both are said, because neither alone is true. Gamma bounds how common
    stations are next to each other, hence "compared with the rest".
    """
    at, lost = sensitivity.flips_at, sensitivity.uncovered
    if at is not None and at <= LEVEL:
        if not lost:
            return [say("it would flip even if the outstanding stations were like the counted ones of the same region")]
        flip = say(
            "it would flip even if the outstanding stations were like the counted ones of the same region wherever enough of "
            "those are counted"
        )
        return [_given(flip, sensitivity, condition, candidates, say)]
    if at is None:
        flip = say("no such difference between outstanding and counted stations of the same region would flip it")
    elif condition.against is not None:
        flip = say(
            "it would flip only if, in every region at once, stations that favour {rival} were, compared with the rest, at least "
            "{times} times as common among the outstanding ones as among the counted ones (or more than that in some)",
            rival=say.name(candidates[condition.against]),
            times=times(at, say),
        )
    else:
        flip = say(
            "it would flip only if, in every region at once, stations less favourable to {candidate} were, compared with the "
            "rest, at least {times} times as common among the outstanding ones as among the counted ones (or more than that in "
            "some)",
            candidate=say.name(candidates[condition.favours]),
            times=times(at, say),
        )
    seen = _seen(sensitivity, say) if ordered else say("in which order the stations reported is not known")
    return [_given(flip, sensitivity, condition, candidates, say), seen]


def joined(clauses: Sequence[str], say: Say) -> str:
    """Clauses of one sentence in a row."""
    said = clauses[0]
    for clause in clauses[1:]:
        said = say("{first}; {second}", first=said, second=clause)
    return said


def said_in_full(clauses: Sequence[str], say: Say) -> str:
    """Clauses as a sentence of their own."""
    return say("{sentence}.", sentence=say.capital(joined(clauses, say)))


def in_votes(condition: Condition, value: int, candidates: tuple[str, ...]) -> Fraction:
    """A condition's value, or what is between two values, in votes.

    Conditions on shares are scaled to whole numbers: 40 % of the total is written as 5 votes - 2 total >= 0, so that a value of
    15 is a lead of 3 votes over the line. A last seat is counted in votes of the list that would keep it.
    """
    kind, *_ = condition.code.split(":")
    weights = condition.weights
    at = _positions(condition, candidates)
    own = weights[at[0] if at else condition.favours]
    if kind in ("ahead", "short") and len(at) > 1:
        return Fraction(2 * value, abs(own - weights[at[1]]) or 2)
    if kind in ("above", "below", "ahead", "short") and at:
        return Fraction(value, abs(own - _rest(condition, at[0])) or 1)
    return Fraction(value, abs(own) or 1)


def votes_text(condition: Condition, value: int, candidates: tuple[str, ...], *, say: Say = ENGLISH) -> str:
    """The same as a figure in a table: whole votes, or one decimal."""
    return say.decimal(in_votes(condition, value, candidates), 1)


def times(hundredths: int, say: Say = ENGLISH) -> str:
    """A gamma in hundredths as a number: 2.1; from 10 on without decimals, rounded down, because "at least" stays true."""
    return say.number(hundredths // 100) if hundredths >= _WITHOUT_DECIMALS else say.decimal(Fraction(hundredths, 100))


def few(strata: tuple[str, ...], say: Say = ENGLISH) -> str:
    """The first of these strata, and how many more there are."""
    named, more = [say.name(stratum) for stratum in strata[:_NAMED]], len(strata) - _NAMED
    return say.listed([*named, say.several("{n} more", "{n} more", more)] if more > 0 else named)


def _given(flip: str, sensitivity: Sensitivity, condition: Condition, candidates: tuple[str, ...], say: Say) -> str:
    """A clause with what is supposed of the regions that have too few counted stations."""
    lost = sensitivity.uncovered
    if not lost:
        return flip
    if condition.against is not None:
        return say.several(
            "{clause}, counting for {rival} every ballot from {regions} (a region with too few counted stations)",
            "{clause}, counting for {rival} every ballot from {regions} (regions with too few counted stations)",
            len(lost),
            clause=flip,
            rival=say.name(candidates[condition.against]),
            regions=few(lost, say),
        )
    return say.several(
        "{clause}, counting against {candidate} every ballot from {regions} (a region with too few counted stations)",
        "{clause}, counting against {candidate} every ballot from {regions} (regions with too few counted stations)",
        len(lost),
        clause=flip,
        candidate=say.name(candidates[condition.favours]),
        regions=few(lost, say),
    )


def _seen(sensitivity: Sensitivity, say: Say) -> str:
    if sensitivity.seen is None:
        return say("later stations have already differed from earlier ones by more than any such difference explains")
    if sensitivity.seen <= LEVEL:
        return say("no such difference has been seen so far")
    most = times(sensitivity.seen, say)
    return say("the largest such difference seen so far, in either direction, is {times}", times=most)


def _parts(condition: Condition, candidates: tuple[str, ...]) -> tuple[str, str, str]:
    """A condition's kind and the candidates whom its code names; empty where it names fewer."""
    kind, *positions = condition.code.split(":")
    named = [candidates[int(at)] for at in dict.fromkeys(positions) if at.isdecimal() and int(at) < len(candidates)]
    return kind, named[0] if named else candidates[condition.favours], named[1] if len(named) > 1 else ""


def _share_of(condition: Condition, candidates: tuple[str, ...]) -> Fraction | None:
    """The share of the base that a condition compares with, out of its weights; None where they have none.

    A share t = p / q of the base asks q x - p base >= need, which weighs the candidate with q - p and everybody else with
    -p; a lead by t weighs the two with q - p and -q - p. The ratios below give t back however the weights are scaled, and with
    all signs turned, as they are for `below` and `short`.
    """
    kind, *_ = condition.code.split(":")
    at = _positions(condition, candidates)
    if kind in ("ahead", "short") and len(at) > 1:
        own, other = condition.weights[at[0]], condition.weights[at[1]]
        return Fraction(-(own + other), own - other) if own != other else None
    if kind in ("above", "below", "ahead", "short") and at:
        own = condition.weights[at[0]]
        rest = _rest(condition, at[0])
        return Fraction(-rest, own - rest) if own != rest else None
    return None


def _positions(condition: Condition, candidates: tuple[str, ...]) -> list[int]:
    """The candidates whom a condition's code names, by position."""
    _, *positions = condition.code.split(":")
    return [int(position) for position in dict.fromkeys(positions) if position.isdecimal() and int(position) < len(candidates)]


def _rest(condition: Condition, own: int) -> int:
    """The weight of everybody but one."""
    return next((weight for index, weight in enumerate(condition.weights) if index != own), condition.rest)
