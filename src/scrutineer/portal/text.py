"""Figures, times and other people's words as they stand in a page: exact, the same everywhere, and escaped."""

from datetime import UTC, datetime
from html import escape
from typing import Final

THIN: Final = "\u202f"  # narrow no-break space: separates thousands, and a figure from its unit
NOT_STATED: Final = '<span class="no">not stated</span>'
UNKNOWN_FIGURE: Final = '<span class="no">unknown</span>'

_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that a calendar date can name


def number(value: int) -> str:
    """A whole number with thin spaces between thousands."""
    return str(value) if -1000 < value < 1000 else f"{value:,}".replace(",", THIN)


def known(value: int | None) -> str:
    """A number, or the word that it is unknown. HTML."""
    return UNKNOWN_FIGURE if value is None else number(value)


def stated(value: int) -> str:
    """A figure of a sheet; negative stands for one that the sheet does not state. HTML."""
    return number(value) if value >= 0 else NOT_STATED


def percent(part: int, whole: int) -> str:
    """A share with two decimals, rounded half up by whole numbers so that it is the same on every machine."""
    if whole <= 0:
        return "–"
    hundredths = (part * 20_000 + whole) // (2 * whole)
    return f"{number(hundredths // 100)}.{hundredths % 100:02d}{THIN}%"


def count_of(value: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number(value)} {one if value == 1 else many}"


def listed(words: list[str]) -> str:
    """Words in a row: 'a', 'a and b', 'a, b and c'."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def time(seconds: int) -> str:
    """A time in seconds since 1970, in UTC: the same on every machine, whatever it knows of time zones."""
    if not 0 <= seconds <= _LAST_SECOND:
        return f"{seconds} seconds after 1970 (UTC)"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def words(text: str) -> str:
    """Other people's words as HTML, kept apart from the direction of the text around them.

    Characters that print nothing, among them those that turn the direction of text, are replaced.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    return f"<bdi>{escape(text)}</bdi>"
