"""A condition in words, and how much the order of reporting would have to matter for it to flip. Plain text."""

from fractions import Fraction
from typing import Final

from scrutineer.calls.call import Sensitivity
from scrutineer.calls.conditions import Condition
from scrutineer.calls.text import count_of, decimal, listed, number, share

LEVEL: Final = 100  # a gamma of 1.00, in hundredths: outstanding stations are like the counted ones
_WITHOUT_DECIMALS: Final = 1_000  # hundredths
_NAMED: Final = 4  # strata that a sentence names


def condition_sentence(condition: Condition, candidates: tuple[str, ...]) -> str:
    """What a condition asks: 'Heron has more votes than Wren', 'Heron has at least 40 % of the valid votes'."""
    kind, first, second = _parts(condition, candidates)
    base = "ballots cast" if condition.rest else "valid votes"
    strict = condition.need > 0
    part = _share_of(condition, candidates)
    match kind:
        case "lead" if second:
            if condition.need > 1:
                return f"{first} has at least {count_of(condition.need, 'vote', 'votes')} more than {second}"
            return f"{first} has {'more votes than' if strict else 'at least as many votes as'} {second}"
        case "above" if part is not None:
            return f"{first} has {'more than' if strict else 'at least'} {share(part)} of the {base}"
        case "below" if part is not None:
            return f"{first} has {'less than' if strict else 'at most'} {share(part)} of the {base}"
        case "short" if part == 0 and second:
            return f"{first} {'does not reach' if strict else 'does not lead'} {second}"
        case "ahead" if part is not None:
            how = "more than" if strict else "at least"
            return f"{first} is {how} {share(part)} of the {base} ahead of {second or 'all others'}"
        case "short" if part is not None:
            how = "less than" if strict else "at most"
            return f"{first} is {how} {share(part)} of the {base} ahead of {second or 'all others'}"
        case "seat" if second:
            return f"{first} takes its last seat before {second} takes another one"
        case "elimination" if second:
            return f"{second} leaves the instant run-off before {first}"
        case _:
            return f"the weighted sum of votes {condition.code} is at least {number(condition.need)}"


def sensitivity_sentence(
    sensitivity: Sensitivity, condition: Condition, candidates: tuple[str, ...], stratum: str = "region", *, ordered: bool = True
) -> str:
    """How strongly the order of reporting would have to matter for the condition to flip, and what was seen so far.

    `ordered` says whether the order of arrival is known; where it is not, nothing was seen.
    """
    text = flips(sensitivity, condition, candidates, stratum, ordered=ordered)
    return f"{text[0].upper()}{text[1:]}."


def flips(
    sensitivity: Sensitivity, condition: Condition, candidates: tuple[str, ...], stratum: str = "region", *, ordered: bool = True
) -> str:
    """The same as part of a sentence.

    A reweighting within gamma may be different in each stratum, so "at least so many times as common" is needed in every
    stratum at once unless it is exceeded in some: both are said, because neither alone is true. Gamma bounds how common
    stations are next to each other, hence "compared with the rest".
    """
    at = sensitivity.flips_at
    seen = _seen(sensitivity) if ordered else "; in which order the stations reported is not known"
    rival = "" if condition.against is None else candidates[condition.against]
    favoured = candidates[condition.favours]
    lost = few(sensitivity.uncovered)
    kinds = f"a {stratum}" if len(lost) == 1 else f"{stratum}s"
    given = ""
    if lost:
        whose = f"for {rival}" if rival else f"against {favoured}"
        given = f", counting {whose} every ballot from {listed(lost)} ({kinds} with too few counted stations)"
    if at is None:
        difference = f"no such difference between outstanding and counted stations of the same {stratum}"
        return f"{difference} would flip it{given}{seen}"
    if at <= LEVEL:
        like = f"it would flip even if the outstanding stations were like the counted ones of the same {stratum}"
        return like if not lost else f"{like} wherever enough of those are counted{given}"
    which = f"stations that favour {rival}" if rival else f"stations less favourable to {favoured}"
    return (
        f"it would flip only if, in every {stratum} at once, {which} were, compared with the rest, at least {times(at)} times as "
        f"common among the outstanding ones as among the counted ones (or more than that in some){given}{seen}"
    )


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


def votes_text(condition: Condition, value: int, candidates: tuple[str, ...]) -> str:
    """The same as a figure in a table: whole votes, or one decimal."""
    return decimal(in_votes(condition, value, candidates), 1)


def times(hundredths: int) -> str:
    """A gamma in hundredths as a number: 2.1; from 10 on without decimals, rounded down, because "at least" stays true."""
    return number(hundredths // 100) if hundredths >= _WITHOUT_DECIMALS else decimal(Fraction(hundredths, 100))


def few(strata: tuple[str, ...]) -> list[str]:
    """The first of these strata, and how many more there are."""
    more = len(strata) - _NAMED
    return [*strata[:_NAMED], f"{number(more)} more"] if more > 0 else list(strata)


def _seen(sensitivity: Sensitivity) -> str:
    if sensitivity.seen is None:
        return "; later stations have already differed from earlier ones by more than any such difference explains"
    if sensitivity.seen <= LEVEL:
        return "; no such difference has been seen so far"
    return f"; the largest such difference seen so far, in either direction, is {times(sensitivity.seen)}"


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
