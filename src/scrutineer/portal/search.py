"""The search for places and stations: its page, and an index of static files of which a query reads a few.

The index is two lists that are sorted by what people type and cut into files of about FILE_SIZE bytes. In `places` a unit stands
under its id and, with the id behind it, under its name from every word on and under every word ("san juan 12 03", "juan 12 03",
"san 12 03"); so does a station whose own name few others have. The stations of a unit follow it under its whole name. In
`stations` a station stands under its id. `search/index.json` says with which text each file begins, so that a reader goes
straight to the files that can hold what begins with a query; and, where ids of units begin with those of the units they lie in,
to a word within a place. All of it depends on the definition and the options of the site alone.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import takewhile
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
FILE_SIZE: Final = 12_288  # bytes; a query reads two to ten of them
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
    yield SiteFile(f"{FOLDER}/index.json", (index.directory(places, stations).encode(),), once=True)


def _place_keys(view: View) -> Iterator[tuple[str, int]]:
    units = view.units
    names, parents = units.names, units.parent.tolist()
    ids = [fold(own) for own in units.ids]
    times = Counter(names[unit] for unit in units.station_units.tolist())
    # In pre-order, so that under one text every unit is followed by the stations in it, which share the way down to them.
    for unit, name in enumerate(names):
        if unit in view.inner:
            yield ids[unit], unit
        if unit in view.inner or times[name] <= MOST_OF_A_NAME:
            words = fold(name).split()
            for first, word in enumerate(words[:WORDS]):
                yield f"{' '.join(words[first:])} {ids[unit]}", unit
                if first + 1 < len(words):
                    yield f"{word} {ids[unit]}", unit
        if unit not in view.inner and parents[unit] >= 0:
            yield f"{fold(names[parents[unit]])} {ids[parents[unit]]}", unit


def _station_keys(view: View) -> Iterator[tuple[str, int]]:
    ids = view.units.ids
    return ((fold(ids[unit]), unit) for unit in view.units.station_units.tolist())


class _Index:
    """Writes the files of the index."""

    def __init__(self, view: View) -> None:
        self._upper = [unit for level in _upper(view, UPPER) for unit in level]
        self.parent: list[int] = view.units.parent.tolist()
        self._kinds = sorted(set(view.units.kinds))
        self.rows = self._rows(view)

    def _rows(self, view: View) -> list[tuple[str, str]]:
        """Each unit as JSON, cut where the place of its parent in the file is to stand.

        Its id, behind a '~' what follows the id of its parent; its name; twice the number of its kind, one more for a station;
        the place of its parent in the file (-1: the country or none); and the name of its page's file where that is not the id.
        """
        units, places = view.units, view.places
        kind = {name: 2 * number for number, name in enumerate(self._kinds)}
        have_pages = view.record.options.pages == "stations"
        quoted: dict[str, str] = {}
        rows = []
        for unit, (own, name, parent) in enumerate(zip(units.ids, units.names, self.parent, strict=True)):
            is_station = unit not in view.inner
            page = places.unit(unit) if not is_station else places.station_file(unit) if have_pages else f"{own}.html"
            file = page.removeprefix("units/").removesuffix(".html")
            above = units.ids[parent] if parent > 0 else ""
            short = f"~{own[len(above) :]}" if above and own.startswith(above) else own
            text = quoted.get(name) or quoted.setdefault(name, encode_basestring(name))
            rows.append((f'["{short}",{text},{kind[units.kinds[unit]] + is_station},', "]" if file == own else f',"{file}"]'))
        return rows

    def files(self, name: str, keys: Iterable[tuple[str, int]]) -> Generator[SiteFile, None, list[str]]:
        """The files of one list; returns the text with which each begins."""
        texts: list[str] = []
        found: list[int] = []
        for text, unit in keys:
            texts.append(text)
            found.append(unit)
        begins: list[str] = []
        block, first, last = _Block(self), "", ""
        for row in _order(texts):
            if block.size > FILE_SIZE:
                yield block.file(f"{name}/{len(begins)}")
                begins.append(first)
                block, first = _Block(self), _shortest_after(last, texts[row])
            block.add(found[row])
            last = texts[row]
        if block.size:
            yield block.file(f"{name}/{len(begins)}")
            begins.append(first)
        return begins

    def directory(self, places: Sequence[str], stations: Sequence[str]) -> str:
        """`index.json`."""
        upper = _Block(self)
        for unit in self._upper:
            upper.add(unit)
        kinds = ",".join(map(encode_basestring, self._kinds))
        letters = ",".join(f"{encode_basestring(one)}:{encode_basestring(other)}" for one, other in LETTERS.items())
        return (
            f'{{"format":"{FORMAT}",\n"letters":{{{letters}}},\n"kinds":[{kinds}],\n"upper":{upper.text()},\n'
            f'"places":[{_front_coded(places)}],\n"stations":[{_front_coded(stations)}]}}\n'
        )


class _Block:
    """One file: units that are found in it, with the units they lie in."""

    def __init__(self, index: _Index) -> None:
        self._rows, self._parent = index.rows, index.parent
        self._at: dict[int, int] = {}
        self._lines: list[str] = []
        self._found: dict[int, int] = {}
        self.size = 0

    def add(self, unit: int) -> None:
        """Add a unit that is found."""
        if unit not in self._found:
            self._found[unit] = self._put(unit)
            self.size += 4

    def _put(self, unit: int) -> int:
        at = self._at.get(unit)
        if at is None:
            parent = self._parent[unit]
            above = self._put(parent) if parent > 0 else -1
            before, behind = self._rows[unit]
            line = f"{before}{above}{behind}"
            at = self._at[unit] = len(self._lines)
            self._lines.append(line)
            self.size += len(line) + 2
        return at

    def text(self) -> str:
        """Every unit, then the places in that list of those that are found."""
        units, found = ",\n".join(self._lines), ",".join(map(str, self._found.values()))
        return f'{{"units":[\n{units}\n],\n"found":[{found}]}}'

    def file(self, name: str) -> SiteFile:
        """The same as a file of the site."""
        return SiteFile(f"{FOLDER}/{name}.json", (f"{self.text()}\n".encode(),), once=True)


def _order(texts: list[str]) -> list[int]:
    """Rows by text as JavaScript compares texts, by UTF-16; equal ones as they came."""
    if all(map(str.isascii, texts)):
        return sorted(range(len(texts)), key=texts.__getitem__)
    return sorted(range(len(texts)), key=[text.encode("utf-16-be") for text in texts].__getitem__)


def _shortest_after(last: str, text: str) -> str:
    """The shortest beginning of a text that comes after the text before it; all of it where the two are equal."""
    for length in range(1, len(text)):
        if text[:length].encode("utf-16-be") > last.encode("utf-16-be"):
            return text[:length]
    return text


def _front_coded(texts: Sequence[str]) -> str:
    """Sorted texts, each as the number of characters that it shares with the one before, and the rest of it."""
    parts, last = [], ""
    for text in texts:
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(last, text, strict=False)))
        parts.append(f"{shared},{encode_basestring(text[shared:])}")
        last = text
    return ",".join(parts)
