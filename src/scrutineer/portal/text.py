"""Figures, times and other people's words as they stand in a page: exact, the same everywhere, and escaped."""

from datetime import UTC, datetime
from html import escape
from typing import Final

from scrutineer.calls.text import THIN as THIN
from scrutineer.calls.text import count_of as count_of
from scrutineer.calls.text import listed as listed
from scrutineer.calls.text import number as number
from scrutineer.calls.text import percent as percent

NOT_STATED: Final = '<span class="no">not stated</span>'
UNKNOWN_FIGURE: Final = '<span class="no">unknown</span>'

_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that a calendar date can name


def known(value: int | None) -> str:
    """A number, or the word that it is unknown. HTML."""
    return UNKNOWN_FIGURE if value is None else number(value)


def stated(value: int) -> str:
    """A figure of a sheet; negative stands for one that the sheet does not state. HTML."""
    return number(value) if value >= 0 else NOT_STATED


def time(seconds: int) -> str:
    """A time in seconds since 1970, in UTC: the same on every machine, whatever it knows of time zones."""
    if not 0 <= seconds <= _LAST_SECOND:
        return f"{seconds} seconds after 1970 (UTC)"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def sentence_words(text: str, *, isolate: bool = True) -> str:
    """A sentence of ours with other people's names in it, as HTML; its thin spaces stay. For an attribute, do not isolate it."""
    escaped = escape("".join(char if char.isprintable() or char == THIN else "\ufffd" for char in text))
    return f"<bdi>{escaped}</bdi>" if isolate else escaped


def words(text: str) -> str:
    """Other people's words as HTML, kept apart from the direction of the text around them.

    Characters that print nothing, among them those that turn the direction of text, are replaced.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    return f"<bdi>{escape(text)}</bdi>"
