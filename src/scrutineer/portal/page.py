"""The frame that every page shares, and the small parts that pages are made of."""

from collections.abc import Iterable
from html import escape
from typing import Final

from scrutineer.count import UnitResult
from scrutineer.portal.record import Record
from scrutineer.portal.text import THIN, number, percent, time, words

POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
_PARTS: Final = (("counted", ""), ("quarantined", ' class="quarantined"'), ("excluded", ' class="excluded"'))
_BAR: Final = 1000  # thousandths of a bar's width

Crumb = tuple[str, str]
"""A page above this one: its path and its name (HTML)."""


class Frame:
    """Wraps the content of a page; made once for a site."""

    def __init__(self, record: Record) -> None:
        definition = record.election.definition
        self._title = escape(definition.name)
        self._name = words(definition.name)
        self._provenance = words(definition.provenance_sentence())
        self._kind = definition.provenance
        self._foot = (
            f"Log <code>{escape(record.verifier.origin)}</code>, {number(record.head.size)} entries, "
            f"{time(record.head.time_ms // 1000)}."
        )

    def open(self, title: str, depth: int, crumbs: Iterable[Crumb] = ()) -> str:
        """Everything before the content. `title` is plain text; `depth` says how many folders the page lies deep."""
        return self.until_title(depth) + escape(title) + self.after_title(depth, crumbs)

    def until_title(self, depth: int) -> str:
        """Everything before the title; the same for all pages of a folder."""
        up = "../" * depth
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
            f'<link rel="icon" href="{up}icon.svg">\n<link rel="stylesheet" href="{up}style.css">\n<title>'
        )

    def after_title(self, depth: int, crumbs: Iterable[Crumb] = ()) -> str:
        """Everything between the title and the content; the same for all pages below the same unit."""
        up = "../" * depth
        way = "".join(f'<li><a href="{up}{path}">{name}</a></li>' for path, name in crumbs)
        trail = f'<nav class="crumbs" aria-label="Where this page lies"><ol>{way}</ol></nav>\n' if way else ""
        return (
            f" – {self._title}</title>\n</head>\n<body>\n<header>\n"
            f'<p class="name"><a href="{up}index.html">{self._name}</a></p>\n'
            f'<nav aria-label="Site"><ul><li><a href="{up}index.html">Result</a></li>'
            f'<li><a href="{up}quarantine.html">Quarantine</a></li><li><a href="{up}bulletins/index.html">Bulletins</a></li>'
            f'<li><a href="{up}rules.html">Rules</a></li><li><a href="{up}check.html">Check it</a></li></ul></nav>\n'
            f'</header>\n<p class="provenance {self._kind}">{self._provenance}</p>\n<main>\n{trail}'
        )

    def close(self, depth: int) -> str:
        """Everything after the content."""
        up = "../" * depth
        return (
            f'</main>\n<footer>\n<p>{self._foot} <a href="{up}check.html">Check this page yourself</a>.</p>\n'
            "</footer>\n</body>\n</html>\n"
        )

    def page(self, title: str, content: str, depth: int = 0, crumbs: Iterable[Crumb] = ()) -> bytes:
        """A whole page."""
        return (self.open(title, depth, crumbs) + content + self.close(depth)).encode()


def progress_bar(result: UnitResult, *, small: bool = False) -> str:
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


def share_bar(part: int, whole: int) -> str:
    """A share as a bar; the figure stands beside it."""
    width = part * _BAR // whole if whole > 0 else 0
    return _bar("share", f'<rect width="{_percent(min(width, _BAR))}" height="100%"/>')


def _bar(name: str, rects: str) -> str:
    return f'<svg class="{name}" aria-hidden="true">{rects}</svg>'


def _percent(thousandths: int) -> str:
    return f"{thousandths // 10}.{thousandths % 10}%" if thousandths % 10 else f"{thousandths // 10}%"


def pages_nav(paths: list[str], current: int) -> str:
    """Links between the pages of a long list; `paths` are relative to the page, `current` counts from 1."""
    if len(paths) < 2:
        return ""
    shown = sorted({1, len(paths), *range(max(1, current - 2), min(len(paths), current + 2) + 1)})
    links, last = [], 0
    for page in shown:
        if page > last + 1:
            links.append("<li>…</li>")
        links.append(
            f'<li><a href="{paths[page - 1]}" aria-current="page">{number(page)}</a></li>'
            if page == current
            else f'<li><a href="{paths[page - 1]}">{number(page)}</a></li>'
        )
        last = page
    return f'<nav class="pages" aria-label="Pages of this list"><ul>{"".join(links)}</ul></nav>\n'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values (HTML) as a list."""
    return '<dl class="facts">' + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows) + "</dl>\n"


def mark(state: str, label: str) -> str:
    """A status word with its sign; sign and word differ as well as the colour."""
    return f'<span class="mark {state}">{label}</span>'


def turnout(ballots: int, roll: int | None) -> str:
    """Ballots as a share of registered voters, where those are known."""
    return "" if roll is None else f" ({percent(ballots, roll)} of {number(roll)}{THIN}registered)"
