"""A percentage as it was published: with its digits, because the number of digits says how exactly it binds the counts."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from scrutineer.errors import CallError
from scrutineer.language import Phrase, Say

MAX_DECIMALS: Final = 6

Rule = Literal["half-up", "half-even", "truncation"]
"""How a percentage was shortened to its digits: to the nearest with ties up, to the nearest with ties to the even digit, or by
cutting off what follows."""

RULES: Final[tuple[Rule, ...]] = ("half-up", "half-even", "truncation")

RULE_NAMES: Final[dict[Rule, Phrase]] = {
    "half-up": Phrase("half-up"),
    "half-even": Phrase("half-even"),
    "truncation": Phrase("truncation"),
}

_FORM: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?", re.ASCII)
_LONGEST: Final = 16  # characters of a bad text that are repeated in an error


@dataclass(frozen=True, slots=True)
class Percent:
    """A percentage from 0 to 100 with the digits given: '51.20' has two decimals and is another statement than '51.2'.

    Raises CallError for anything but digits with at most six decimals after a point, and for more than 100 per cent.
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise CallError(f"percentage {self.text!r}: write it as a text, such as '51.2', because its digits matter")
        if not _FORM.fullmatch(self.text):
            shown = self.text[:_LONGEST]
            raise CallError(f"percentage {shown!r}: write digits with at most {MAX_DECIMALS} after a point, such as '51.2'")
        if self.units > self.whole:
            raise CallError(f"percentage {self.text!r} is above 100: no share of votes, sheets or voters can be")

    @property
    def decimals(self) -> int:
        """How many digits stand after the point."""
        return len(self.text.partition(".")[2])

    @property
    def units(self) -> int:
        """The percentage in units of its last digit: 512 for '51.2'."""
        return int(self.text.replace(".", ""))

    @property
    def whole(self) -> int:
        """100 per cent in the same units: 1000 for '51.2'."""
        return int("100" + "0" * self.decimals)

    @property
    def share(self) -> Fraction:
        """The percentage as a share of one, exactly: 64/125 for '51.2'."""
        return Fraction(self.units, self.whole)

    def __str__(self) -> str:
        return f"{self.text} %"

    def said(self, say: Say) -> str:
        """With the same digits, as a language writes them."""
        before, after = say.language.symbols.percent
        return f"{before}{self.text.replace('.', say.language.symbols.decimal)}{after}"
