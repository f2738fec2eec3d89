"""Saying things in one language: as plain text for a terminal, or as HTML for a page.

Both are called in the same way, so that a sentence is written once. In HTML everything that is not HTML already is escaped:
messages hold none, and values that are HTML are `Markup`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import lru_cache
from typing import Final

from babel.dates import format_date, format_skeleton
from markupsafe import Markup, escape

from scrutineer.language.languages import Language, language

_LAST_SECOND: Final = 253_402_300_799 - 86_400  # a day before the last that a calendar date can name in UTC
_ISOLATE: Final = "\ufffd"


def msg(message: str) -> str:
    """Mark a message that is said later: `say.later(message)` says it."""
    return message


def has_date(seconds: int) -> bool:
    """Whether a time in seconds since 1970 has a date in every time zone: statements may name times beyond the year 9999."""
    return 0 <= seconds <= _LAST_SECOND


class Say(ABC):
    """Says messages, numbers and times in a language. `zone` is the time zone in which times are told."""

    def __init__(self, spoken: Language, zone: tzinfo = UTC) -> None:
        self.language = spoken
        self.zone = zone
        self._said: dict[str, str] = {}

    def __call__(self, message: str, **values: object) -> str:
        """A message with its values. Whole numbers among the values are written as numbers."""
        return self.later(message, **values)

    def later(self, message: str, **values: object) -> str:
        """The same for a message that was marked with `msg` where it stands."""
        said = self._said.get(message)
        if said is None:
            said = self._said[message] = self._ready(self.language.catalogue.gettext(message))
        return self._put(said, values)

    def several(self, one: str, many: str, n: int, **values: object) -> str:
        """A message that depends on a number, which both forms can name as {n}; a language may have more forms than two."""
        return self._put(self._ready(self.language.catalogue.ngettext(one, many, n)), values | {"n": n})

    @abstractmethod
    def name(self, text: str) -> str:
        """Other people's words: names, reasons, sources."""

    @abstractmethod
    def _ready(self, said: str) -> str:
        """A translated message, ready for its values."""

    @abstractmethod
    def _put(self, said: str, values: dict[str, object]) -> str:
        """Put values in."""

    # --- figures ----------------------------------------------------------------------------------------------------

    def number(self, value: int) -> str:
        """A whole number."""
        symbols = self.language.symbols
        text = str(abs(value)) if abs(value) < 1_000 else f"{abs(value):,}".replace(",", symbols.group)
        return f"{symbols.minus}{text}" if value < 0 else text

    def percent(self, part: int, whole: int) -> str:
        """A share with two decimals, rounded half up by whole numbers so that it is the same on every machine."""
        if whole <= 0:
            return "–"
        return self.hundredths((part * 20_000 + whole) // (2 * whole))

    def hundredths(self, value: int) -> str:
        """A share given in hundredths of a per cent, with two decimals."""
        symbols = self.language.symbols
        before, after = symbols.percent
        return f"{before}{self.number(value // 100)}{symbols.decimal}{value % 100:02d}{after}"

    def decimal(self, value: Fraction, places: int = 2) -> str:
        """A number with at most so many decimals, rounded half up, without zeros at its end."""
        scale = 10**places
        scaled = int(abs(value) * scale + Fraction(1, 2))
        whole, rest = divmod(scaled, scale)
        tail = f"{rest:0{places}d}".rstrip("0") if rest else ""
        sign = self.language.symbols.minus if value < 0 and scaled else ""
        return f"{sign}{self.number(whole)}{self.language.symbols.decimal if tail else ''}{tail}"

    def share(self, value: Fraction) -> str:
        """A share as a percentage without zeros at its end: 40 %, 0.25 %, 33.33 %."""
        before, after = self.language.symbols.percent
        return f"{before}{self.decimal(value * 100)}{after}"

    def points(self, hundredths: int) -> str:
        """Hundredths of a percentage point with sign and two decimals: +7.00, −0.35, 0.00."""
        symbols = self.language.symbols
        sign = symbols.plus if hundredths > 0 else symbols.minus if hundredths < 0 else ""
        size = abs(hundredths)
        return f"{sign}{self.number(size // 100)}{symbols.decimal}{size % 100:02d}"

    # --- times ------------------------------------------------------------------------------------------------------

    def time(self, seconds: int) -> str:
        """A time in seconds since 1970: date and time of day in the election's zone, which it names."""
        if not has_date(seconds):
            return self("{n} seconds after 1970 (UTC)", n=seconds)
        at = datetime.fromtimestamp(seconds, self.zone)
        return f"{_day(self.language, at.date())} {at:%H:%M:%S} {_offset(at)}"

    def clock(self, seconds: int) -> str:
        """The time of day alone, to the minute; of a time without a date a dash."""
        if not has_date(seconds):
            return "–"
        return f"{datetime.fromtimestamp(seconds, self.zone):%H:%M}"

    def day(self, seconds: int) -> str:
        """The day and month of a time, short; a time without a date as `time` tells it."""
        if not has_date(seconds):
            return self.time(seconds)
        return format_skeleton("MMMd", datetime.fromtimestamp(seconds, self.zone).date(), locale=self.language.locale)

    def date(self, iso: str) -> str:
        """A day given as YYYY-MM-DD, written out."""
        return format_date(date.fromisoformat(iso), "long", locale=self.language.locale)

    # --- rows of words ----------------------------------------------------------------------------------------------

    def listed(self, words: Sequence[str]) -> str:
        """Words in a row: 'a', 'a and b', 'a, b and c'."""
        if len(words) < 2:
            return words[0] if words else ""
        most = words[0]
        for word in words[1:-1]:
            most = self("{first}, {second}", first=most, second=word)
        return self("{first} and {second}", first=most, second=words[-1])

    def joined(self, parts: Iterable[str], between: str = " ") -> str:
        """Sentences, or other texts that stand for themselves, one after the other; empty ones are left out."""
        return between.join(part for part in parts if part)

    def capital(self, text: str) -> str:
        """A text with its first letter as a sentence begins."""
        return text[:1].upper() + text[1:]


class PlainSay(Say):
    """Says things as plain text."""

    def name(self, text: str) -> str:
        """Other people's words as they are."""
        return text

    def _ready(self, said: str) -> str:
        return said

    def _put(self, said: str, values: dict[str, object]) -> str:
        return said.format(**{name: self._text(value) for name, value in values.items()}) if values else _bare(said)

    def _text(self, value: object) -> str:
        return self.number(value) if type(value) is int else str(value)


class HtmlSay(Say):
    """Says things as HTML: what it returns is `Markup`."""

    def __init__(self, spoken: Language, zone: tzinfo = UTC) -> None:
        super().__init__(spoken, zone)
        self._whole: dict[str, Markup] = {}
        """Messages that take no values, as they stand on page after page."""

    def __call__(self, message: str, **values: object) -> Markup:
        """A message with its values, as HTML."""
        return self.later(message, **values) if values else self._whole.get(message) or self.later(message)

    def later(self, message: str, **values: object) -> Markup:
        """The same for a marked message."""
        said = Markup(super().later(message, **values))  # noqa: S704 - message and values were escaped
        if not values:
            self._whole[message] = said
        return said

    def several(self, one: str, many: str, n: int, **values: object) -> Markup:
        """A message that depends on a number."""
        return Markup(super().several(one, many, n, **values))  # noqa: S704

    def name(self, text: str) -> Markup:
        """Other people's words, kept apart from the direction of the text around them.

        Characters that print nothing, among them those that turn the direction of text, are replaced.
        """
        if not text.isprintable():
            text = "".join(c if c.isprintable() or c == "\n" else _ISOLATE for c in text)
        return Markup(f"<bdi>{escape(text)}</bdi>")  # noqa: S704

    def listed(self, words: Sequence[str]) -> Markup:
        """Words in a row."""
        return Markup(super().listed([escape(word) for word in words]))  # noqa: S704

    def joined(self, parts: Iterable[str], between: str = " ") -> Markup:
        """Texts one after the other."""
        return Markup(super().joined([escape(part) for part in parts if part], escape(between)))  # noqa: S704

    def capital(self, text: str) -> str:
        """A text with its first letter as a sentence begins; text that begins with a tag stays as it is."""
        raised = super().capital(text)
        return Markup(raised) if isinstance(text, Markup) else raised  # noqa: S704

    def _ready(self, said: str) -> str:
        return str(escape(said))

    def _put(self, said: str, values: dict[str, object]) -> str:
        return said.format(**{name: self._html(value) for name, value in values.items()}) if values else _bare(said)

    def _html(self, value: object) -> str:
        return self.number(value) if type(value) is int else str(escape(value))


def _bare(said: str) -> str:
    """A message without values; braces that are meant as such are doubled in all messages."""
    return said.replace("{{", "{").replace("}}", "}") if "{" in said else said


@lru_cache(maxsize=256)
def _day(spoken: Language, day: date) -> str:
    return format_skeleton("yMMMd", day, locale=spoken.locale)


def _offset(at: datetime) -> str:
    """The zone as its difference from UTC, which needs no translation and is never ambiguous."""
    minutes = int((at.utcoffset() or timedelta()).total_seconds()) // 60
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "\u2212"
    return f"UTC{sign}{hours}{f':{rest:02d}' if rest else ''}"


ENGLISH: Final = PlainSay(language("en"))
