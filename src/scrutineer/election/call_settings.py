"""What an election commits to before the first result about its calls: the verdicts on whether a lead can still change."""

from fractions import Fraction
from typing import Final

import msgspec

from scrutineer.errors import DefinitionError

MAX_GAMMA: Final = 100
MAX_STRATA_DEPTH: Final = 32
MAX_EXTRA_BALLOTS: Final = 100_000

_LONGEST_NUMBER: Final = 16  # characters


class CallSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The risk, the sensitivity and the strata of an election's calls.

    They are part of the definition, which is statement 0 of the log, because a verdict by statistics holds at its stated risk
    only where nobody could choose these after seeing results.
    """

    risk: str = "0.05"
    """The greatest chance of a wrong verdict by statistics under a random order of reporting (alpha), as '0.05' or '1/20'."""
    gamma: str = "3"
    """How many times as common any station may be among the outstanding ones of its stratum as among the counted ones."""
    strata: int = 1
    """Depth of the units that are the strata: 1 for those directly below the country, 2 for those below them."""
    extra_ballots: int = 0
    """Ballots that a station may lawfully take beyond its roll, such as those of its own poll workers."""

    def __post_init__(self) -> None:
        risk, gamma = _number(self.risk, "risk"), _number(self.gamma, "gamma")
        if not 0 < risk <= Fraction(1, 2):
            raise DefinitionError(f"risk {self.risk!r} of the calls: write a number above 0 and at most 0.5, such as '0.05'")
        if not 1 <= gamma <= MAX_GAMMA or (gamma * 100).denominator != 1:
            raise DefinitionError(
                f"gamma {self.gamma!r} of the calls: write a number from 1 to {MAX_GAMMA} with at most two decimals, such as '3'"
            )
        if not 0 <= self.strata <= MAX_STRATA_DEPTH:
            raise DefinitionError(f"strata = {self.strata} of the calls: give the depth of units, 0 to {MAX_STRATA_DEPTH}")
        if not 0 <= self.extra_ballots <= MAX_EXTRA_BALLOTS:
            raise DefinitionError(f"extra_ballots = {self.extra_ballots} of the calls: give 0 to {MAX_EXTRA_BALLOTS} ballots")

    def risk_limit(self) -> Fraction:
        """The risk, exactly."""
        return _number(self.risk, "risk")

    def order_limit(self) -> Fraction:
        """Gamma, exactly."""
        return _number(self.gamma, "gamma")


def _number(text: str, what: str) -> Fraction:
    # A fraction of a long text can be a very long integer; no setting needs more than a few digits.
    if len(text) > _LONGEST_NUMBER or "e" in text.lower():
        raise DefinitionError(f"{what} {text[:_LONGEST_NUMBER]!r} of the calls: write it as '3', '0.05' or '1/20'")
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise DefinitionError(f"{what} {text!r} of the calls is not a number: write it as '3', '0.05' or '1/20'") from error
