"""The lead against the share counted, as one SVG picture. Pure, the same bytes everywhere.

It has no scripts, fonts or references. Colours are the page's custom properties where it has them, and stand for nothing that
a pattern of dashes or a label does not say as well. Time goes from left to right in every language; words have the direction of
theirs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from itertools import pairwise
from math import ceil, floor
from typing import Final

from scrutineer.calls.picture_words import bound_of, description, gamma, headline, share, short, shown
from scrutineer.calls.track import GAMMAS, WHOLE, Moment, Track, rows, track
from scrutineer.errors import CallError
from scrutineer.language import ENGLISH, PlainSay

__all__ = ["GAMMAS", "Moment", "Track", "picture", "rows", "track"]

NARROWEST: Final = 300
WIDEST: Final = 2_000

_INK: Final = "var(--ink,#1d2226)"
_SOFT: Final = "var(--soft,#5a636b)"
_LINE: Final = "var(--line,#dcd8ce)"
_PAPER: Final = "var(--paper,#fbfaf7)"
_BLUE: Final = "var(--accent,#2f5d73)"
_BAND: Final = "var(--bar,#5b8aa3)"
_AMBER: Final = "var(--amber,#b4690e)"
_LETTERS: Final = {"ltr": 0.55, "rtl": 0.45}  # of the font's size: the width of a letter, on average
_DASHES: Final = ("9 4", "5 4", "1.5 3.5")
_STYLE: Final = (
    "<style>svg{color-scheme:light dark}@media screen and (prefers-color-scheme:dark){svg{--ink:#e9e6df;--soft:#a2abb2;"
    "--line:#333b41;--paper:#14181b;--accent:#8fc1d9;--bar:#6fa3bc;--amber:#e2a24a}}</style>"
)


@dataclass(frozen=True, slots=True)
class _Label:
    """Words at the end of a line: where they belong, and their lines, the first of which names the line's figure."""

    y: float
    lines: tuple[str, ...]
    colour: str
    bold: bool = False


class _Plot:
    """Where things stand: the scales of a picture of some width."""

    def __init__(self, track: Track, width: int, say: PlainSay) -> None:
        self.say = say
        self.right_to_left = say.language.direction == "rtl"
        self.narrow = width < 560
        self.width = width
        self.height = 420 if self.narrow else max(420, width * 9 // 16)
        self.size = 11 if self.narrow else 13
        self.row = self.size + 3
        self.left, self.top, self.bottom = (40, 108, 44) if self.narrow else (52, 98, 52)
        words = 92 if self.narrow else 160
        # Labels stand behind the ends of the lines; where much is still open, that is inside the plot.
        room = width - self.left - words - 14
        done = max(track.last.counted, 1)
        self.span = min(float(width - self.left - 30), room * WHOLE / done)
        self.deep = self.height - self.top - self.bottom
        self.low, self.high = _range(track)

    def x(self, counted: int) -> float:
        """Across, of a share counted."""
        return self.left + self.span * counted / WHOLE

    def y(self, lead: float) -> float:
        """Down, of a lead; also of one beyond the picture."""
        return self.top + self.deep * (self.high - lead) / (self.high - self.low)


def picture(track: Track, *, width: int = 760, inline: bool = False, say: PlainSay = ENGLISH) -> str:
    """The track as SVG of a width in pixels; 360 suits a telephone.

    `inline` is for pages that bring the custom properties; without it the picture brings colours for dark screens itself.
    Raises CallError for a width that cannot hold it.
    """
    if not NARROWEST <= width <= WIDEST:
        raise CallError(f"the picture: a width of {width} pixels cannot hold it; give {NARROWEST} to {WIDEST}")
    plot = _Plot(track, width, say)
    size = f'viewBox="0 0 {plot.width} {plot.height}" width="{plot.width}" height="{plot.height}" font-size="{plot.size}"'
    language = "" if say.language.code == ENGLISH.language.code else f' xml:lang="{say.language.code}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lead" role="img" {size} font-family="system-ui,sans-serif"{language}>',
        f"<title>{escape(headline(track, say=say))}</title>",
        f"<desc>{escape(description(track, say=say))}</desc>",
        "" if inline else _STYLE,
        f'<rect width="{plot.width}" height="{plot.height}" fill="{_PAPER}"/>',
        *_heading(track, plot),
        *_grid(track, plot),
        *_lines(track, plot),
        *_labels(track, plot),
        "</svg>\n",
    ]
    return "\n".join(part for part in parts if part)


def _range(track: Track) -> tuple[float, float]:
    """The lowest and the highest lead that are shown: leads, bounds and intervals of the later looks, as far as they are near.

    What is far outside is cut off. Early intervals and bounds say little but that they are wide, and would flatten all the rest.
    """
    now = track.last
    settled = [moment for moment in track.moments if moment.counted >= min(WHOLE // 20, now.counted)]
    leads = [moment.lead for moment in settled]
    near = max(100, *(abs(lead) for lead in leads), 2 * ((now.high or now.lead) - now.lead))
    later = [moment for moment in settled if 3 * moment.counted >= now.counted]
    highs = [min(moment.high, 2 * near) for moment in later if moment.high is not None]
    lows = [max(moment.low, -near) for moment in later if moment.low is not None]
    ends = [bound for bound in (now.arithmetic, *now.bounds) if bound is not None and bound >= -near]
    low, high = min([-near // 3, *leads, *lows, *ends]), max([near // 3, *leads, *highs])
    return low - (high - low) * 0.05, high + (high - low) * 0.06


def _heading(track: Track, plot: _Plot) -> Iterator[str]:
    say = plot.say
    leader, rival = shown(short(track.leader), say), shown(short(track.rival), say)
    title = say("{leader} over {second}", leader=leader, second=rival)
    if not track.title:
        below = say("Lead in percentage points of the valid votes")
    elif plot.narrow:
        below = say("{contest} · lead in points", contest=shown(short(track.title), say))
    else:
        contest = shown(short(track.title, 48), say)
        below = say("{contest} · lead in percentage points of the valid votes", contest=contest)
    # The heading stands where the language begins to read, the words of the axes where the axes are.
    x, anchor = (plot.width - 12, "end") if plot.right_to_left else (12, "start")
    yield _words(plot, x, 26, title, _INK, anchor, size=plot.size + 4, bold=True)
    yield _words(plot, x, 46, below, _SOFT, anchor)
    level = say.share(track.level)
    if plot.narrow:
        lines = [
            say("Band: {level} interval of the final lead", level=level),
            say("Broken lines: the least that it can be"),
        ]
    else:
        lines = [
            say(
                "Band: {level} interval of the final lead · Broken lines: the least that it can be, by arithmetic and for each Γ",
                level=level,
            )
        ]
    for place, line in enumerate(lines):
        yield _words(plot, x, 48 + plot.row * (place + 1), line, _SOFT, anchor, size=plot.size - 1)


def _grid(track: Track, plot: _Plot) -> Iterator[str]:
    say = plot.say
    whole, foot, now = plot.left + plot.span, plot.top + plot.deep, plot.x(track.last.counted)
    step = _step(plot.high - plot.low)
    for tick in range(ceil(plot.low / step) * step, floor(plot.high / step) * step + 1, step):
        y = plot.y(tick)
        # What is not counted yet stays empty, but for the line on which nobody leads.
        yield _line(plot.left, y, now if tick else whole, y, _LINE, 1)
        sign = say.language.symbols.plus if tick > 0 else ""
        figure = f"{sign}{say.decimal(Fraction(tick, 100))}"
        yield _figure(plot.left - 7, y + plot.size * 0.35, figure, _SOFT if tick else _INK, "end")
    yield _line(plot.left, plot.y(0), now, plot.y(0), _INK, 1.2)
    yield _line(plot.left, foot, whole, foot, _LINE, 1)
    yield _line(plot.left, foot, now, foot, _SOFT, 2)
    for percent in (0, 25, 50, 75, 100):
        x = plot.x(percent * 100)
        yield _line(x, foot, x, foot + 5, _SOFT, 1)
        yield _figure(x, foot + 6 + plot.size, say.share(Fraction(percent, 100)), _SOFT, "middle")
    caption = foot + 12 + 2 * plot.size
    base = say("of the roll counted") if track.of_roll else say("of the stations counted")
    yield _words(plot, whole, caption, base, _SOFT, "end")
    leader, rival = shown(short(track.leader), say), shown(short(track.rival, 20), say)
    yield _words(plot, 12, plot.top - 7, say("↑ {leader} ahead", leader=leader), _SOFT)
    yield _words(plot, 12, caption, say("↓ {second} ahead", second=rival), _SOFT)


def _lines(track: Track, plot: _Plot) -> Iterator[str]:
    band = [(m.counted, m.low, m.high) for m in track.moments if m.low is not None and m.high is not None]
    if len(band) == 1:
        # One look has no width; its figures are drawn as short strokes before the place of the labels.
        band = [(band[0][0] - _stroke(plot), *band[0][1:]), band[0]]
    if band:
        upper = _edge([(plot.x(counted), plot.y(high)) for counted, _, high in band], plot)
        lower = _edge([(plot.x(counted), plot.y(low)) for counted, low, _ in reversed(band)], plot)
        outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in (*upper, *lower))
        yield f'<polygon points="{outline}" fill="{_BAND}" fill-opacity="0.24"/>'
    series: list[tuple[list[tuple[int, int | None]], str, str, float]] = [
        ([(m.counted, m.arithmetic) for m in track.moments], _AMBER, "11 3 2 3", 1.8)
    ]
    for position in range(len(track.gammas)):
        dashes = _DASHES[min(position, len(_DASHES) - 1)]
        series.append(([(m.counted, m.bounds[position]) for m in track.moments], _BLUE, dashes, 1.6))
    series.append(([(m.counted, m.lead) for m in track.moments], _INK, "", 2.6))
    for values, colour, dashes, thickness in series:
        yield from _curve(values, plot, colour, dashes, thickness)
    for position in (None, *range(len(track.gammas))):
        since = track.since(position)
        if since is not None:
            yield _dot(plot.x(since), plot.y(0), 3.2, _PAPER, _AMBER if position is None else _BLUE)
    end = plot.x(track.last.counted), _inside(plot, track.last.lead)
    yield _dot(*end, 4, _INK, _PAPER)


def _curve(values: Sequence[tuple[int, int | None]], plot: _Plot, colour: str, dashes: str, thickness: float) -> Iterator[str]:
    """A line through the known values, cut off where it leaves the picture."""
    foot, paths, pen = plot.top + plot.deep, list[str](), ""
    if len(values) == 1:
        values = [(values[0][0] - _stroke(plot), values[0][1]), values[0]]
    known = [(plot.x(counted), None if lead is None else plot.y(lead)) for counted, lead in values]
    for (x0, y0), (x1, y1) in pairwise(known):
        cut = None if y0 is None or y1 is None else _clipped(x0, y0, x1, y1, plot.top, foot)
        if cut is None:
            pen = ""
            continue
        start, end = (f"{x:.1f},{y:.1f}" for x, y in cut)
        paths.append(f"L{end}" if pen == start else f"M{start}L{end}")
        pen = end
    if paths:
        pattern = f' stroke-dasharray="{dashes}"' if dashes else ""
        yield (
            f'<path d="{"".join(paths)}" fill="none" stroke="{colour}" stroke-width="{thickness}" stroke-linejoin="round" '
            f'stroke-linecap="{"butt" if dashes else "round"}"{pattern}/>'
        )


def _edge(points: list[tuple[float, float]], plot: _Plot) -> Iterator[tuple[float, float]]:
    """The edge of an area, led along the border of the picture where it leaves it."""
    foot = plot.top + plot.deep
    for (x0, y0), (x1, y1) in pairwise(points):
        yield x0, min(max(y0, plot.top), foot)
        yield from _clipped(x0, y0, x1, y1, plot.top, foot) or ()
    x, y = points[-1]
    yield x, min(max(y, plot.top), foot)


def _stroke(plot: _Plot) -> int:
    """The share counted that is 12 pixels wide."""
    return round(12 * WHOLE / plot.span)


def _clipped(
    x0: float, y0: float, x1: float, y1: float, top: float, foot: float
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The part of a stretch between two heights; None where there is none."""
    if max(y0, y1) < top or min(y0, y1) > foot:
        return None

    def at(y: float) -> tuple[float, float]:
        kept = min(max(y, top), foot)
        return (x0 + (x1 - x0) * (kept - y0) / (y1 - y0), kept) if kept != y else (x0 if y == y0 else x1, y)

    return (x0, y0) if top <= y0 <= foot else at(y0), (x1, y1) if top <= y1 <= foot else at(y1)


def _labels(track: Track, plot: _Plot) -> Iterator[str]:
    """Names and figures at the ends of the lines, moved apart where they would touch."""
    labels = sorted(_ends(track, plot), key=lambda label: label.y)
    heights = [len(label.lines) * plot.row + 4 for label in labels]
    tops = _apart([label.y - plot.row * 0.5 for label in labels], heights, plot.top - 14, plot.top + plot.deep + 4)
    end, x = plot.x(track.last.counted), plot.x(track.last.counted) + 16
    for label, top in zip(labels, tops, strict=True):
        middle = top + plot.row * 0.5
        yield _line(end + 5, label.y, x - 3, middle, label.colour, 0.8)
        for place, line in enumerate(label.lines):
            colour = label.colour if not place else _SOFT
            yield _words(plot, x, top + plot.row * (place + 0.8), line, colour, bold=label.bold and not place)


def _ends(track: Track, plot: _Plot) -> Iterator[_Label]:
    say, now = plot.say, track.last
    lines = [say("lead {points}", points=say.points(now.lead))]
    if not plot.narrow and now.low is not None and now.high is not None and now.low < now.high:
        low, high = say.points(now.low), say.points(now.high)
        lines.append(say("{level}: {low} to {high}", level=say.share(track.level), low=low, high=high))
    yield _Label(_inside(plot, now.lead), tuple(lines), _INK, bold=True)
    for position in (None, *range(len(track.gammas))):
        bound, since = bound_of(now, position), track.since(position)
        if bound is None:
            continue
        least = f"{say.points(bound)} ↓" if bound < plot.low else say.points(bound)
        if position is not None:
            texts = [say("Γ {gamma}: {points}", gamma=gamma(track, position, say), points=least)]
        elif plot.narrow:
            texts = [say("arithmetic"), least]
        else:
            texts = [say("arithmetic {points}", points=least)]
        if not plot.narrow and since is not None:
            texts.append(say("above 0 since {share}", share=share(since, say)))
        yield _Label(_inside(plot, bound), tuple(texts), _AMBER if position is None else _BLUE)


def _apart(wanted: list[float], heights: list[int], top: float, foot: float) -> list[float]:
    """Places from top to foot in the order wanted, none over another, near to where they are wanted."""
    places: list[float] = []
    free = top
    for place, height in zip(wanted, heights, strict=True):
        places.append(max(place, free))
        free = places[-1] + height
    limit = foot
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit - heights[index])
        limit = places[index]
    return places


def _inside(plot: _Plot, lead: float) -> float:
    return min(max(plot.y(lead), plot.top), plot.top + plot.deep)


def _step(span: float) -> int:
    """Hundredths of a point between two lines of the grid: 1, 2 or 5 times a power of ten, so that there are at most seven."""
    step = 1
    for factor in (1, 2, 5) * 5:
        if span / (step * factor) <= 7:
            return step * factor
        step *= 10 if factor == 5 else 1
    return WHOLE


def _line(x0: float, y0: float, x1: float, y1: float, colour: str, thickness: float) -> str:
    return f'<path d="M{x0:.1f},{y0:.1f}L{x1:.1f},{y1:.1f}" stroke="{colour}" stroke-width="{thickness}"/>'


def _dot(x: float, y: float, radius: float, fill: str, edge: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{edge}" stroke-width="1.6"/>'


def _words(
    plot: _Plot, x: float, y: float, text: str, colour: str, anchor: str = "start", *, size: int | None = None, bold: bool = False
) -> str:
    """Words that begin ("start") or end at a place, counted from the left in every language; pressed together where too long."""
    more = ("" if size is None else f' font-size="{size}"') + (' font-weight="600"' if bold else "")
    room = plot.width - x - 6 if anchor == "start" else x - 6
    if len(text) * (size or plot.size) * _LETTERS[plot.say.language.direction] > room:
        more = f'{more} textLength="{room:.1f}" lengthAdjust="spacingAndGlyphs"'
    if plot.right_to_left:
        return _figure(x, y, text, colour, "end" if anchor == "start" else "start", f' direction="rtl"{more}')
    return _figure(x, y, text, colour, anchor, more)


def _figure(x: float, y: float, text: str, colour: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{escape(text)}</text>'
