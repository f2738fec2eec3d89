"""The maps on the page of a unit: who is in front in each place, and how much of it is counted.

Colours say how much and never who: candidates have hatchings and letters, so that no colour stands for anybody and nobody needs
to tell colours apart. The table of the places says the same in words, and is what keyboards and screen readers are led to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scrutineer.count import UnitResult
from scrutineer.portal.maps import TEXT, Drawing, Outline
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View
from scrutineer.portal.votes import unit_figures

HATCHINGS: Final = 8
"""How many there are; candidates that come later on the ballot share them, and differ by their letter."""
LEVEL: Final = HATCHINGS
"""The hatching of places where several are level."""
SHARES: Final = (Fraction(2, 5), Fraction(1, 2), Fraction(3, 5))
"""Where a darker class begins, on the map of who is in front."""
PARTS: Final = (Fraction(1, 3), Fraction(2, 3), Fraction(1))
"""The same on the map of how much is counted."""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Fill:
    """How a place is filled: the class of its colour, and the number of its hatching, 0 where it is plain."""

    shade: str
    hatching: int = 0


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of a map; `number` is its place in the drawing. `title` is plain text."""

    number: int
    path: str | None
    title: str
    fill: Fill
    label: str


@dataclass(frozen=True, slots=True)
class Key:
    """One line of a legend. Texts are HTML."""

    fill: Fill
    letter: str
    text: str


@dataclass(frozen=True, slots=True)
class MapFigures:
    """Both maps of a contest."""

    front: tuple[Spot, ...]
    candidates: tuple[Key, ...]
    shares: tuple[Key, ...]
    counted: tuple[Spot, ...]
    parts: tuple[Key, ...]


def map_figures(pages: Pages, contest: int, unit: int) -> MapFigures | None:
    """The maps of a contest in a unit; None where there is no drawing of the places in it."""
    view = pages.view
    drawing = view.drawings.of(unit)
    if drawing is None:
        return None
    maker = _Maker(pages, contest, drawing)
    return MapFigures(maker.front(), maker.candidates(), maker.shares(), maker.counted(), maker.parts())


def hatchings(figures: Iterable[MapFigures | None]) -> list[Fill]:
    """Every fill of these maps that needs a pattern, each once."""
    found = {
        part.fill
        for figure in figures
        if figure is not None
        for parts in (figure.front, figure.candidates)
        for part in parts
        if part.fill.hatching
    }
    return sorted(found, key=lambda fill: (fill.hatching, fill.shade))


def page_path(view: View, unit: int) -> str | None:
    """The page of a unit or station, where it has one."""
    if not view.places.has_page(unit):
        return None
    return view.places.unit(unit) if unit in view.inner else view.places.station(unit)


def letter(candidate: int) -> str:
    """The letter of a candidate, by its place on the ballot; a number behind the 26th."""
    return _LETTERS[candidate] if candidate < len(_LETTERS) else str(candidate + 1)


class _Maker:
    def __init__(self, pages: Pages, contest: int, drawing: Drawing) -> None:
        self._pages = pages
        self.say = pages.say
        self._names = [candidate.name for candidate in pages.view.election.contests[contest].standing()]
        self._places = drawing.places
        self._results = [unit_figures(pages.view, contest, outline.unit) for outline in drawing.places]
        self._votes = [pages.view.by_candidate(contest, result.votes) for result in self._results]
        self._leaders = [_first(votes) for votes in self._votes]

    def front(self) -> tuple[Spot, ...]:
        """Who is in front in each place."""
        return tuple(
            self._spot(number, outline, *self._front(result, votes, first))
            for number, (outline, result, votes, first) in enumerate(
                zip(self._places, self._results, self._votes, self._leaders, strict=True)
            )
        )

    def _front(self, result: UnitResult, votes: Sequence[int], first: Sequence[int]) -> tuple[Fill, str, str]:
        say = self.say
        if not first:
            return Fill(_NONE), self._nothing(result), ""
        share = say.percent(votes[first[0]], sum(votes))
        if len(first) > 1:
            return Fill("f2", LEVEL), say("{names} are level with {share} each", names=self._listed(first), share=share), "="
        shade = _shade(SHARES, votes[first[0]], sum(votes))
        return Fill(shade, _hatching(first[0])), say("{name}, {share}", name=self._names[first[0]], share=share), letter(first[0])

    def counted(self) -> tuple[Spot, ...]:
        """How much of each place is counted."""
        return tuple(
            self._spot(number, outline, *self._counted(result))
            for number, (outline, result) in enumerate(zip(self._places, self._results, strict=True))
        )

    def _counted(self, result: UnitResult) -> tuple[Fill, str, str]:
        if not result.counted:
            return Fill(_NONE), self._nothing(result), ""
        shade = _shade(PARTS, result.counted, result.stations)
        share = self.say.share(Fraction(100 * result.counted // result.stations, 100))
        words = self.say.several(
            "{counted} of {n} station counted", "{counted} of {n} stations counted", result.stations, counted=result.counted
        )
        return Fill(shade), words, share

    def candidates(self) -> tuple[Key, ...]:
        """Who is in front somewhere on this map, in the order of the ballot."""
        say = self.say
        shown = sorted({first[0] for first in self._leaders if len(first) == 1})
        keys = [Key(Fill("f2", _hatching(index)), letter(index), say.name(self._names[index])) for index in shown]
        if any(len(first) > 1 for first in self._leaders):
            keys.append(Key(Fill("f2", LEVEL), "=", say("level")))
        return (*keys, *self._none_key())

    def shares(self) -> tuple[Key, ...]:
        """The classes of the share of whoever is in front."""
        say = self.say
        lowest, *higher = (say.share(limit) for limit in SHARES)
        texts = [say("under {share}", share=lowest), *(say("from {share}", share=share) for share in (lowest, *higher))]
        return tuple(Key(Fill(f"f{number}"), "", text) for number, text in enumerate(texts, 1))

    def parts(self) -> tuple[Key, ...]:
        """The classes of how much is counted."""
        say = self.say
        texts = [say("under a third"), say("from a third"), say("from two thirds"), say("all")]
        return (*(Key(Fill(f"f{number}"), "", text) for number, text in enumerate(texts, 1)), *self._none_key())

    def _none_key(self) -> tuple[Key, ...]:
        return (Key(Fill(_NONE), "", self.say("nothing counted")),) if not all(map(any, self._votes)) else ()

    def _nothing(self, result: UnitResult) -> str:
        return self.say("nothing counted yet") if result.stations else self.say("does not vote on this")

    def _listed(self, candidates: Sequence[int]) -> str:
        return self.say.listed([self._names[index] for index in candidates])

    def _spot(self, number: int, outline: Outline, fill: Fill, what: str, label: str) -> Spot:
        view = self._pages.view
        unit = outline.unit
        path = page_path(view, unit)
        title = self.say("{place}: {what}", place=view.units.names[unit], what=what)
        fits = not outline.path or 3 * outline.room >= TEXT * (2 + len(label))
        return Spot(number, path, title, fill, label if fits else "")


def _first(votes: Sequence[int]) -> list[int]:
    """Who has the most votes; nobody where there are none."""
    most = max(votes)
    return [index for index, own in enumerate(votes) if own == most] if most else []


def _hatching(candidate: int) -> int:
    return candidate % HATCHINGS


def _shade(limits: Sequence[Fraction], part: int, whole: int) -> str:
    return f"f{1 + sum(part * limit.denominator >= whole * limit.numerator for limit in limits)}"
