"""The search for places and stations: its page, and an index of static files of which a query reads a few.

The index is two lists that are sorted by what people type and cut into files of about 15 kB. In `places` a unit stands
under its id and, with the id behind it, under its name from every word on and under every word ("san juan 12 03", "juan 12 03",
"san 12 03"); so does a station whose own name few others have. The stations of a unit follow it under its whole name. In
`stations` a station stands under its id. `search/index.json` says with which text each file begins, so that a reader goes
straight to the files that can hold what begins with a query; and, where ids of units begin with those of the units they lie in,
to a word within a place. All of it depends on the definition and the options of the site alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from itertools import takewhile
from json.encoder import encode_basestring
from typing import Final, NamedTuple

import numpy as np

from scrutineer.election.units import MAX_DEPTH
from scrutineer.portal.formats import Once, SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.search_words import LETTERS, fold
from scrutineer.portal.view import View

FORMAT: Final = "scrutineer-search/v1"
FOLDER: Final = "search"
PLACE_ROWS: Final = 256
STATION_ROWS: Final = 512
"""Rows in one file, which then has about 15 kB; a query reads two to twelve of them."""
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
        # A country of one station has no unit above it.
        country=view.places.unit(0).removeprefix("units/").removesuffix(".html") if 0 in view.inner else "~",
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
    """The index: `search/places/*.json`, `search/stations/*.json`, then `search/index.json`, which says what they begin with.

    What there is to sort is sorted when the first of these files is taken: a site that has them all need not.
    """
    index = _Index(view)
    for rows in (index.places, index.stations):
        for number in range(rows.files):
            yield SiteFile(f"{FOLDER}/{rows.name}/{number}.json", Once(partial(index.file, rows, number)), once=True)
    yield SiteFile(f"{FOLDER}/index.json", Once(index.directory), once=True)


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


class _List:
    """One of the two lists: its rows in files of equal length. Sorted when it is first looked into."""

    def __init__(self, name: str, per_file: int, keys: Callable[[], Iterator[tuple[str, int]]]) -> None:
        self.name = name
        self._keys = keys
        self._per_file = per_file
        self.files = -(-sum(1 for _ in keys()) // per_file)

    @cached_property
    def _sorted(self) -> tuple[list[str], list[int], list[int]]:
        """The texts, the units that stand under them, and the order of both."""
        texts, units = (list(column) for column in zip(*self._keys(), strict=True))
        return texts, units, _order(texts)

    def units(self, number: int) -> Iterator[int]:
        """The units that a file finds."""
        _, units, order = self._sorted
        return map(units.__getitem__, order[number * self._per_file : (number + 1) * self._per_file])

    @property
    def begins(self) -> list[str]:
        """A text for each file, after all that stands in the one before it and not after the first that stands in it."""
        texts, _, order = self._sorted
        cuts = range(self._per_file, len(order), self._per_file)
        return ["", *(_shortest_after(texts[order[cut - 1]], texts[order[cut]]) for cut in cuts)][: self.files]


class _Index:
    """Writes the files of the index."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.places = _List("places", PLACE_ROWS, partial(_place_keys, view))
        self.stations = _List("stations", STATION_ROWS, partial(_station_keys, view))
        self.parent: list[int] = view.units.parent.tolist()
        self._kinds = sorted(set(view.units.kinds))

    @cached_property
    def rows(self) -> list[tuple[str, str]]:
        """Each unit as JSON, cut where the place of its parent in the file is to stand.

        Its id, behind a '~' what follows the id of its parent; its name; twice the number of its kind, one more for a station;
        the place of its parent in the file (-1: the country or none); and the name of its page's file where that is not the id.
        """
        view, units, places = self._view, self._view.units, self._view.places
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

    def file(self, rows: _List, number: int) -> bytes:
        """A file of a list."""
        return f"{self._found(rows.units(number))}\n".encode()

    def directory(self) -> bytes:
        """`index.json`."""
        upper = self._found(unit for level in _upper(self._view, UPPER) for unit in level)
        kinds = ",".join(map(encode_basestring, self._kinds))
        letters = ",".join(f"{encode_basestring(one)}:{encode_basestring(other)}" for one, other in LETTERS.items())
        return (
            f'{{"format":"{FORMAT}",\n"letters":{{{letters}}},\n"kinds":[{kinds}],\n"upper":{upper},\n'
            f'"places":[{_front_coded(self.places.begins)}],\n"stations":[{_front_coded(self.stations.begins)}]}}\n'
        ).encode()

    def _found(self, found: Iterable[int]) -> str:
        """Units that are found, and those that they lie in, each after the one it lies in."""
        at: dict[int, int] = {}
        lines: list[str] = []

        def put(unit: int) -> int:
            place = at.get(unit)
            if place is None:
                parent = self.parent[unit]
                above = put(parent) if parent > 0 else -1
                before, behind = self.rows[unit]
                place = at[unit] = len(lines)
                lines.append(f"{before}{above}{behind}")
            return place

        places = ",".join(map(str, dict.fromkeys(map(put, found))))
        units = ",\n".join(lines)
        return f'{{"units":[\n{units}\n],\n"found":[{places}]}}'


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
