"""The linear forms that rules are made of: leads, shares of a base, and leads by a share of it, scaled to integers."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import Final, TypeAlias

from scrutineer.calls.conditions import MAX_WEIGHT, Condition
from scrutineer.count.outcome import Base
from scrutineer.errors import CallError

Clause: TypeAlias = tuple[Condition, ...]
"""Conditions of which one must hold."""

STRICT: Final = 1
"""What an integer form must reach where it must be more than zero."""

NOT_BELOW: Final = 0
"""What an integer form must reach where zero will do."""


class WeightError(CallError):
    """A share or divisor has so many digits that a form with it cannot be evaluated in 64 bits."""


def linear(
    code: str,
    favours: int,
    against: int | None,
    own: Mapping[int, Fraction | int],
    *,
    candidates: int,
    each: Fraction | int = 0,
    rest: Fraction | int = 0,
    need: int,
) -> Condition:
    """The form with the weights `own`, `each` for all other candidates and `rest` for blank and null ballots.

    It is multiplied by the denominators of its weights and divided by what they have in common: neither moves zero, so `need` is
    STRICT or NOT_BELOW. Raises WeightError where the integers that result are too large.
    """
    given = [Fraction(weight) for weight in (*own.values(), each, rest)]
    factor = Fraction(lcm(*(weight.denominator for weight in given)))
    factor /= gcd(*(int(weight * factor) for weight in given)) or 1
    if any(abs(weight * factor) > MAX_WEIGHT for weight in given):
        raise WeightError(
            f"condition {code}: as integers its weights are larger than {MAX_WEIGHT}: "
            "state the shares and divisors of the contest with fewer digits"
        )
    weights = [int(each * factor)] * candidates
    for candidate, weight in own.items():
        weights[candidate] = int(weight * factor)
    return Condition(code, favours, against, tuple(weights), int(rest * factor), need)


@lru_cache(maxsize=1 << 12)
def lead(first: int, second: int, candidates: int) -> Condition:
    """`first` has more votes than `second`."""
    return linear(f"lead:{first}:{second}", first, second, {first: 1, second: -1}, candidates=candidates, need=STRICT)


def above(
    option: int, share: Fraction, *, candidates: int, need: int, base: Base = "valid", against: int | None = None
) -> Condition:
    """`option` has more than a share of the base, or at least that share where `need` is NOT_BELOW."""
    return linear(
        f"above:{option}",
        option,
        against,
        {option: 1 - share},
        candidates=candidates,
        each=-share,
        rest=_rest(-share, base),
        need=need,
    )


def below(option: int, share: Fraction, *, candidates: int, need: int, favours: int, base: Base = "valid") -> Condition:
    """`option` has less than a share of the base, or at most that share where `need` is NOT_BELOW."""
    return linear(
        f"below:{option}",
        favours,
        option,
        {option: share - 1},
        candidates=candidates,
        each=share,
        rest=_rest(share, base),
        need=need,
    )


def ahead(first: int, second: int | None, share: Fraction, *, candidates: int, base: Base) -> Condition:
    """`first` leads `second`, or nobody where that is None, by at least a share of the base."""
    own: dict[int, Fraction | int] = {first: 1 - share}
    if second is not None:
        own[second] = -1 - share
    name = first if second is None else second
    return linear(
        f"ahead:{first}:{name}",
        first,
        second,
        own,
        candidates=candidates,
        each=-share,
        rest=_rest(-share, base),
        need=NOT_BELOW,
    )


def short(first: int, second: int | None, share: Fraction, *, candidates: int, base: Base) -> Condition:
    """`first` leads `second`, or nobody where that is None, by less than a share of the base, or does not lead at all."""
    own: dict[int, Fraction | int] = {first: share - 1}
    if second is not None:
        own[second] = 1 + share
    name = first if second is None else second
    return linear(
        f"short:{first}:{name}",
        name,
        first,
        own,
        candidates=candidates,
        each=share,
        rest=_rest(share, base),
        need=STRICT,
    )


def _rest(weight: Fraction, base: Base) -> Fraction:
    # Blank and null ballots count where a share is one of all ballots cast.
    return weight if base == "cast" else Fraction(0)
