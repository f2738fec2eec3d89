"""The search for places and stations: its page, and an index of static files of which a query reads a few.

The index is two lists that are sorted by what people type and cut into files of about FILE_SIZE bytes. In `places` a unit stands
under its id and under its name from every word on ("san juan de colon", "juan de colon", …), and so does a station whose name few
others have. In `stations` a station stands under its id, and under the name of the unit it lies in followed by its own ("menteng
tps 012"). `search/index.json` says with which text each file begins, so that a reader goes straight to the files that can hold
what begins with a query. All of it depends on the definition and the options of the site alone.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Final, NamedTuple

import numpy as np

from scrutineer.election.units import MAX_DEPTH
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.search_words import LETTERS, fold
from scrutineer.portal.view import View

FORMAT: Final = "scrutineer-search/v1"
FOLDER: Final = "search"
FILE_SIZE: Final = 16_384  # bytes; a query reads one to eight of them
MOST_OF_A_NAME: Final = 20
"""A station is found by its own name alone where at most so many stations have that name."""
WORDS: Final = 6
"""A name is found from each of its first words on, up to so many."""
UPPER: Final = 200
"""The units of the highest levels, at most so many, are in the index itself: they are found by their first letter."""


class Region(NamedTuple):
    """A place to begin at, for those who would rather look than type. `name` is HTML."""

    path: str
    name: str
    below: list["Region"]


def search_page(pages: Pages) -> Iterator[SiteFile]:
    """`search.html`, with the places of the upper levels."""
    view = pages.view
    options, first = view.record.options, pages.number == 0
    yield pages.render(
        "search.html",
        "search.html",
        pages.say("Find a station"),
        scripts=("search.js",),
        regions=_regions(pages) if options.pages != "none" else [],
        pages=options.pages,
        country=view.places.unit(0).removeprefix("units/").removesuffix(".html"),
        stations_here=first or options.translated == "stations",
        deepest=MAX_DEPTH if first else _deepest_translated(view),
    )


def _regions(pages: Pages) -> list[Region]:
    """The units below the country, each with those below it where there are not too many of them."""
    view = pages.view
    levels = [level for level in _upper(view, UPPER) if level]
    below: dict[int, list[Region]] = {}
    for level in reversed(levels[:2]):
        for unit in level:
            region = Region(view.places.unit(unit), pages.unit_name(unit), below.pop(unit, []))
            below.setdefault(int(view.units.parent[unit]), []).append(region)
    return below.get(0, [])


def _upper(view: View, most: int) -> list[list[int]]:
    """The units of each level below the country that are not stations, as long as there are at most so many in all."""
    levels: list[list[int]] = []
    level, total = [0], 0
    while level:
        below = np.flatnonzero(np.isin(view.units.parent, level))
        level = [unit for unit in below.tolist() if unit in view.inner]
        total += len(level)
        if total > most:
            return levels
        levels.append(level)
    return levels


def _deepest_translated(view: View) -> int:
    """How many units lie above the deepest units that have a page in every language."""
    deepest, level = -1, [0]
    while level and view.places.has_page(level[0], translated=True):
        deepest += 1
        below = np.flatnonzero(np.isin(view.units.parent, level)).tolist()
        level = [unit for unit in below if unit in view.inner]
    return deepest


def search_files(view: View) -> Iterator[SiteFile]:
    """The index: `search/places/*.json`, `search/stations/*.json`, then `search/index.json`, which says what they begin with."""
    index = _Index(view)
    places = yield from index.files("places", _place_keys(view))
    stations = yield from index.files("stations", _station_keys(view))
    yield SiteFile(f"{FOLDER}/index.json", (index.directory(places, stations).encode(),))


def _place_keys(view: View) -> Iterator[tuple[str, int]]:
    units = view.units
    stations = units.station_units.tolist()
    times = Counter(units.names[unit] for unit in stations)
    for unit in units.index.values():
        yield fold(units.ids[unit]), unit
        yield from _from_each_word(units.names[unit], unit)
    for unit in stations:
        if times[units.names[unit]] <= MOST_OF_A_NAME:
            yield from _from_each_word(units.names[unit], unit)


def _station_keys(view: View) -> Iterator[tuple[str, int]]:
    units = view.units
    for unit in units.station_units.tolist():
        yield fold(units.ids[unit]), unit
        parent = int(units.parent[unit])
        if parent >= 0:
            yield f"{fold(units.names[parent])} {fold(units.names[unit])}", unit


def _from_each_word(name: str, unit: int) -> Iterator[tuple[str, int]]:
    words = fold(name).split()
    for first in range(min(len(words), WORDS)):
        yield " ".join(words[first:]), unit


class _Index:
    """Writes the files of the index."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._units = view.units
        self._places = view.places
        self._parent = view.units.parent.tolist()
        self._kinds = sorted(set(view.units.kinds))
        self._kind = {kind: number for number, kind in enumerate(self._kinds)}
        self._inner = view.inner

    def files(self, name: str, keys: Iterable[tuple[str, int]]) -> Generator[SiteFile, None, list[str]]:
        """The files of one list; returns the text with which each begins."""
        texts: list[str] = []
        found: list[int] = []
        for text, unit in keys:
            if text:
                texts.append(text)
                found.append(unit)
        begins: list[str] = []
        block, last = _Block(self), ""
        first = ""
        for row in _order(texts, found):
            if block.size > FILE_SIZE:
                yield SiteFile(f"{FOLDER}/{name}/{len(begins)}.json", (block.text().encode(),))
                begins.append(first)
                block, first = _Block(self), _shortest_after(last, texts[row])
            block.add(found[row])
            last = texts[row]
        if block.size:
            yield SiteFile(f"{FOLDER}/{name}/{len(begins)}.json", (block.text().encode(),))
            begins.append(first)
        return begins

    def unit(self, unit: int, parent: int) -> str:
        """A unit as JSON.

        Id, name, number of its kind, the place of its parent in the file (-1: the country or none), whether it is a station, and
        the name of its page's file where that is not the id.
        """
        ids, is_station = self._units.ids[unit], unit not in self._inner
        if not is_station:
            file = self._places.unit(unit).removeprefix("units/")
        else:
            file = self._places.station_file(unit) if self._places.station(unit) else f"{ids}.html"
        own = "" if file == f"{ids}.html" else f",{encode_basestring(file.removesuffix('.html'))}"
        kind = self._kind[self._units.kinds[unit]]
        return f'["{ids}",{encode_basestring(self._units.names[unit])},{kind},{parent},{int(is_station)}{own}]'

    def parent(self, unit: int) -> int:
        """The unit that a unit lies in; -1 where that is the country."""
        parent: int = self._parent[unit]
        return parent if parent > 0 else -1

    def directory(self, places: Sequence[str], stations: Sequence[str]) -> str:
        """`index.json`."""
        upper = _Block(self)
        for unit in [unit for level in _upper(self._view, UPPER) for unit in level]:
            upper.add(unit)
        lists = ",\n".join(
            f'"{name}":[{",".join(map(encode_basestring, texts))}]'
            for name, texts in (("kinds", self._kinds), ("places", places), ("stations", stations))
        )
        letters = ",".join(f"{encode_basestring(one)}:{encode_basestring(other)}" for one, other in LETTERS.items())
        return f'{{"format":"{FORMAT}",\n"letters":{{{letters}}},\n{lists},\n"upper":{upper.text()}}}\n'


class _Block:
    """One file: units that are found in it, with the units they lie in."""

    def __init__(self, index: _Index) -> None:
        self._index = index
        self._at: dict[int, int] = {}
        self._units: list[str] = []
        self._found: dict[int, None] = {}
        self.size = 0

    def add(self, unit: int) -> None:
        """Add a unit that is found."""
        if unit not in self._found:
            self._found[unit] = None
            self._put(unit)
            self.size += 4

    def _put(self, unit: int) -> int:
        at = self._at.get(unit)
        if at is None:
            parent = self._index.parent(unit)
            above = self._put(parent) if parent >= 0 else -1
            at = self._at[unit] = len(self._units)
            self._units.append(self._index.unit(unit, above))
            self.size += len(self._units[-1]) + 2
        return at

    def text(self) -> str:
        """The file: every unit, then the places in that list of those that are found."""
        found = ",".join(str(self._at[unit]) for unit in self._found)
        return '{"units":[\n' + ",\n".join(self._units) + f'\n],\n"found":[{found}]}}\n'


def _order(texts: list[str], found: list[int]) -> list[int]:
    """Rows by text as JavaScript compares texts, by UTF-16; equal ones in the order of the units."""
    keys: Sequence[str] | Sequence[bytes] = texts
    if not all(map(str.isascii, texts)):
        keys = [text.encode("utf-16-be") for text in texts]
    return sorted(sorted(range(len(texts)), key=found.__getitem__), key=keys.__getitem__)


def _shortest_after(last: str, text: str) -> str:
    """The shortest beginning of a text that comes after the text before it; all of it where the two are equal."""
    for length in range(1, len(text)):
        if text[:length].encode("utf-16-be") > last.encode("utf-16-be"):
            return text[:length]
    return text
