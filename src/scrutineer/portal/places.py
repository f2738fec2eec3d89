"""Where everything lies: paths of the pages of units, stations and contests, and the way from the country down to them."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from functools import cached_property
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.election import Election
from scrutineer.portal.record import MOST_TRANSLATED, Pages, Translated

ROWS_PER_PAGE: Final = 100
"""Rows in a long list before the next page begins."""

_FURTHER: Final = re.compile(r"~p[0-9]+\Z")

# File names that some systems keep for devices, whatever the letters' case and the ending.
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))},
)


def file_names(ids: Iterable[str]) -> dict[str, str]:
    """A file name for each id of a folder: the id itself, unless a file system that ignores case would take it for another.

    The same goes for names that some systems keep for devices. Ids cannot hold '~', so a name with it is never another's id.
    """
    ids = list(ids)
    folded = list(map(str.lower, ids))
    times = Counter(folded)
    return {
        own: own
        if times[fold] == 1 and fold.partition(".")[0] not in _RESERVED and own[-1] != "."
        else f"{sha256(own.encode()).hexdigest()[:12]}~{own.rstrip('.')}"
        for own, fold in zip(ids, folded, strict=True)
    }


def numbered(path: str, page: int) -> str:
    """The path of a further page of a long list: page 2 of `a.html` is `a~2.html`."""
    return path if page == 1 else f"{path.removesuffix('.html')}~p{page}.html"


def snapshot_page(size: int) -> str:
    """The page of the snapshot of a log size."""
    return f"night/{size}.html"


class Places:
    """Paths of pages, without the language; and which places have one, in the first language and in the others."""

    def __init__(
        self,
        election: Election,
        pages: Pages,
        translated: Translated = "stations",
        first_alone: Collection[str] = frozenset(),
    ) -> None:
        """`first_alone` are further pages that are there in the first language alone."""
        self._units = election.units
        self._pages = pages
        self._translated = translated
        self._first_alone = first_alone
        self._station_names = file_names(election.units.station_index) if pages == "stations" else {}
        self._contest_names = file_names(election.contest_index)

    @cached_property
    def _unit_names(self) -> dict[str, str]:
        return file_names(self._units.index)

    def unit(self, unit: int, page: int = 1) -> str:
        """The page of a unit that is not a station, by position."""
        return numbered(f"units/{self._unit_names[self._units.ids[unit]]}.html", page)

    @cached_property
    def _depth(self) -> NDArray[np.int64]:
        """How many units lie above each unit."""
        units = self._units
        depth = np.zeros(len(units.ids), dtype=np.int64)
        above = np.asarray(units.parent, dtype=np.int64)
        while (above >= 0).any():
            depth += above >= 0
            above = np.where(above >= 0, np.asarray(units.parent, dtype=np.int64)[above], -1)
        return depth

    @cached_property
    def _down_to(self) -> NDArray[np.int64]:
        """How many units above the stations lie at each depth or less."""
        inner = np.fromiter(self._units.index.values(), np.int64, len(self._units.index))
        counts: NDArray[np.int64] = np.bincount(self._depth[inner], minlength=1).cumsum()
        return counts

    def is_above(self, unit: int, most: int) -> bool:
        """Whether a unit lies at or above the deepest level down to which there are at most so many units, by position."""
        deepest = max(0, int(np.searchsorted(self._down_to, most, side="right")) - 1)
        return int(self._depth[unit]) <= deepest

    def has_page(self, unit: int, *, translated: bool = False) -> bool:
        """Whether a unit or station, by position, has a page; `translated` asks for the languages after the first."""
        is_station = int(self._units.last_station[unit]) - int(self._units.first_station[unit]) == 1 and not self._is_inner(unit)
        if self._pages == "none" or (is_station and self._pages != "stations"):
            return False
        if not translated or self._translated == "stations":
            return True
        if is_station:
            return False
        return self._translated == "units" or self.is_above(unit, MOST_TRANSLATED)

    def is_translated(self, page: str) -> bool:
        """Whether a page is there in the languages after the first."""
        folder, _, own = page.partition("/")
        if folder == "stations":
            return self._translated == "stations"
        if folder == "units" and self._translated == "upper":
            unit = self.owner(folder, own)
            return unit is not None and self.has_page(unit, translated=True)
        return page not in self._first_alone

    @cached_property
    def _unit_at(self) -> dict[str, int]:
        return {name: self._units.index[own] for own, name in self._unit_names.items()}

    def owner(self, folder: str, path: str) -> int | None:
        """The unit or station, by position, whose file lies at a path below `units` or `stations`; None where it is nobody's."""
        own = path.rpartition("/")[2].rpartition(".")[0]
        if folder == "stations":
            return self._station_at.get(own)
        # A name may itself end like that of a further page.
        return self._unit_at.get(own, self._unit_at.get(_FURTHER.sub("", own)))

    @cached_property
    def _station_at(self) -> dict[str, int]:
        units = self._units
        return {name: int(units.station_units[units.station_index[own]]) for own, name in self._station_names.items()}

    def _is_inner(self, unit: int) -> bool:
        return self._units.ids[unit] in self._units.index

    def station(self, unit: int) -> str | None:
        """The page of a station, by its position among the units; None where stations have none."""
        if self._pages != "stations":
            return None
        return f"{self.station_folder(unit)}/{self.station_file(unit)}"

    def station_folder(self, unit: int) -> str:
        """The folder of a station's page."""
        parent = int(self._units.parent[unit])
        return f"stations/{self._unit_names[self._units.ids[parent]] if parent >= 0 else '~'}"

    def station_file(self, unit: int) -> str:
        """The name of a station's page in its folder."""
        return f"{self._station_names[self._units.ids[unit]]}.html"

    def call(self, contest: str, ending: str) -> str:
        """A page or picture of the call on a contest, by its id: `html`, `svg`, and `narrow` for the picture of a telephone."""
        name = self._contest_names[contest]
        return f"calls/{name}~narrow.svg" if ending == "narrow" else f"calls/{name}.{ending}"

    def contest(self, contest_id: str, file: str) -> str:
        """A data file of a contest."""
        return f"data/{self._contest_names[contest_id]}/{file}"
