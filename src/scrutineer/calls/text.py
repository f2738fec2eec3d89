"""Figures as they stand in sentences and tables: plain text, exact, the same on every machine."""

from fractions import Fraction
from typing import Final

THIN: Final = "\u202f"  # narrow no-break space: separates thousands, and a figure from its unit
MINUS: Final = "\u2212"


def number(value: int) -> str:
    """A whole number with thin spaces between thousands."""
    return str(value) if -1000 < value < 1000 else f"{value:,}".replace(",", THIN)


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


def decimal(value: Fraction, places: int = 2) -> str:
    """A number with at most so many decimals, rounded half up, without zeros at its end: 3, 2.5, −0.05."""
    scale = 10**places
    scaled = int(abs(value) * scale + Fraction(1, 2))
    whole, rest = divmod(scaled, scale)
    tail = f".{rest:0{places}d}".rstrip("0").rstrip(".") if rest else ""
    return f"{MINUS if value < 0 and scaled else ''}{number(whole)}{tail}"


def share(value: Fraction) -> str:
    """A share as a percentage: 40 %, 0.25 %, 33.33 %."""
    return f"{decimal(value * 100)}{THIN}%"


def points(hundredths: int) -> str:
    """Hundredths of a percentage point with sign and two decimals: +7.00, −0.35, 0.00."""
    sign = "+" if hundredths > 0 else MINUS if hundredths < 0 else ""
    return f"{sign}{number(abs(hundredths) // 100)}.{abs(hundredths) % 100:02d}"
