"""Where everything lies: paths of the pages of units, stations and contests, and the way from the country down to them."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from typing import Final

from scrutineer.election import Election
from scrutineer.portal.record import Pages

ROWS_PER_PAGE: Final = 100
"""Rows in a long list before the next page begins."""

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


class Places:
    """Paths of pages, relative to the site's folder."""

    def __init__(self, election: Election, pages: Pages) -> None:
        self._units = election.units
        self._pages = pages
        self._station_names = file_names(election.units.station_index) if pages == "stations" else {}
        self._contest_names = file_names(election.contest_index)

    @cached_property
    def _unit_names(self) -> dict[str, str]:
        return file_names(self._units.index)

    def unit(self, unit: int, page: int = 1) -> str:
        """The page of a unit that is not a station, by position."""
        return numbered(f"units/{self._unit_names[self._units.ids[unit]]}.html", page)

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
