"""The small parts that pages are made of."""

from typing import Final

from markupsafe import Markup

from scrutineer.count import UnitResult

_PARTS: Final = (("counted", ""), ("quarantined", ' class="quarantined"'), ("excluded", ' class="excluded"'))
_BAR: Final = 1000  # thousandths of a bar's width


def progress_bar(result: UnitResult, *, small: bool = False) -> Markup:
    """Counted, quarantined and excluded stations as parts of one bar; the figures stand beside it in words."""
    parts, start = [], 0
    for field, name in _PARTS:
        part = getattr(result, field)
        if part:
            # Never so narrow that a part which is there cannot be seen.
            width = max(6, part * _BAR // result.stations)
            start = min(start, _BAR - width)
            at = f' x="{_percent(start)}"' if start else ""
            parts.append(f'<rect{name}{at} width="{_percent(width)}" height="100%"/>')
            start += width
    return _bar("small" if small else "progress", "".join(parts))


def share_bar(part: int, whole: int) -> Markup:
    """A share as a bar; the figure stands beside it."""
    width = part * _BAR // whole if whole > 0 else 0
    return _bar("share", f'<rect width="{_percent(min(width, _BAR))}" height="100%"/>')


def _bar(name: str, rects: str) -> Markup:
    return Markup(f'<svg class="{name}" aria-hidden="true">{rects}</svg>')  # noqa: S704 - all of it is ours


def _percent(thousandths: int) -> str:
    return f"{thousandths // 10}.{thousandths % 10}%" if thousandths % 10 else f"{thousandths // 10}%"
