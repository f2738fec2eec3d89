"""Sentences that are made once and said later, in whatever language is asked for.

What an examination finds is worked out once and shown in several languages. Its sentences are therefore kept with their values:
a `Phrase` is its English text, for programs and terminals, and `said` says it in another language. Extraction knows
`Phrase("...")` and `Phrase.several("...", "...", n)`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, Self, runtime_checkable

from scrutineer.language.say import ENGLISH, Say


@runtime_checkable
class Sayable(Protocol):
    """A value that each language writes in its own way."""

    def said(self, say: Say) -> str:
        """The value in a language."""
        ...


class Phrase(str):
    """An English text that knows its message and values.

    Values may be whole numbers, other people's words (plain text), other phrases, and what else is `Sayable`.
    """

    __slots__ = ("_many", "_message", "_n", "_values")

    _message: str
    _many: str | None
    _n: int
    _values: Mapping[str, object]

    def __new__(cls, message: str, **values: object) -> Self:
        """A message with its values."""
        return cls._made(message, None, 0, values)

    @classmethod
    def several(cls, one: str, many: str, n: int, **values: object) -> Self:
        """A message that depends on a number."""
        return cls._made(one, many, n, values)

    @classmethod
    def _made(cls, message: str, many: str | None, n: int, values: Mapping[str, object]) -> Self:
        self = super().__new__(cls, _say(ENGLISH, message, many, n, values))
        self._message, self._many, self._n, self._values = message, many, n, values
        return self

    def said(self, say: Say) -> str:
        """The phrase in a language."""
        return _say(say, self._message, self._many, self._n, self._values)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with so many decimals; `share` of one as a percentage, `sign` with its sign, `exact` without zeros at its end."""

    value: Fraction | float
    places: int = 0
    share: bool = False
    sign: bool = False
    exact: bool = False

    def said(self, say: Say) -> str:
        """As the language writes it."""
        symbols = say.language.symbols
        value = 100 * self.value if self.share else self.value
        if self.exact:
            text = say.decimal(Fraction(value), self.places)
        else:
            whole, point, rest = f"{abs(float(value)):,.{self.places}f}".partition(".")
            text = f"{whole.replace(',', symbols.group)}{symbols.decimal if point else ''}{rest}"
            text = f"{symbols.minus}{text}" if value < 0 else text
        text = f"{symbols.plus}{text}" if self.sign and value >= 0 else text
        before, after = symbols.percent
        return f"{before}{text}{after}" if self.share else text


@dataclass(frozen=True, slots=True)
class Row:
    """Parts in a row: words or clauses with their signs between them, sentences, or a list that ends with "and"."""

    parts: tuple[object, ...]
    kind: Literal["words", "clauses", "sentences", "list"] = "words"

    @classmethod
    def of(cls, parts: Iterable[object], kind: Literal["words", "clauses", "sentences", "list"] = "words") -> Self:
        """A row of any number of parts; what is empty is left out."""
        return cls(tuple(part for part in parts if part != ""), kind)

    def said(self, say: Say) -> str:
        """The row in a language."""
        parts = [_shown(say, part) for part in self.parts]
        match self.kind:
            case "list":
                return say.listed(parts)
            case "sentences":
                return say.joined(parts)
        row = parts[0] if parts else ""
        for part in parts[1:]:
            if self.kind == "words":
                row = say("{first}, {second}", first=row, second=part)
            else:
                row = say("{first}; {second}", first=row, second=part)
        return row


def _say(say: Say, message: str, many: str | None, n: int, values: Mapping[str, object]) -> str:
    shown = {name: value if type(value) is int else _shown(say, value) for name, value in values.items()}
    if many is None:
        return say.later(message, **shown)
    plural = say.several  # whose messages were literals where the phrase was made
    return plural(message, many, n, **shown)


def _shown(say: Say, value: object) -> str:
    if isinstance(value, Sayable):
        return value.said(say)
    return say.number(value) if type(value) is int else say.name(str(value))
