"""Figures as they stand in English sentences and tables: plain text, exact, the same on every machine."""

from typing import Final

from scrutineer.language import ENGLISH

THIN: Final = "\u202f"  # narrow no-break space: separates a figure from its unit

number = ENGLISH.number
percent = ENGLISH.percent
decimal = ENGLISH.decimal
listed = ENGLISH.listed


def count_of(value: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number(value)} {one if value == 1 else many}"
