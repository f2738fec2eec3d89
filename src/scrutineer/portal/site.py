"""The site as a stream of files: a pure, deterministic function of the record, so that `verify` can make every byte again.

The pages of places come in parts, each of some units or stations in one language, so that several processes can make them at
once, and so that only those are made again whose places changed (changes.py).
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, Literal, NamedTuple

from scrutineer.design import assets
from scrutineer.portal.api_files import api_files, unit_files
from scrutineer.portal.audit_files import audit_files
from scrutineer.portal.audit_pages import audit_pages
from scrutineer.portal.ballot_files import ballot_files
from scrutineer.portal.bulletin_pages import bulletin_pages
from scrutineer.portal.call_pages import call_pages
from scrutineer.portal.changes import Changes
from scrutineer.portal.check_page import check_page
from scrutineer.portal.check_words import check_words
from scrutineer.portal.checklist_page import checklist_page
from scrutineer.portal.claim_pages import claim_pages
from scrutineer.portal.data_files import data_files
from scrutineer.portal.data_pages import data_pages
from scrutineer.portal.decision_pages import decision_pages
from scrutineer.portal.formats import (
    BALLOTS_FILE,
    BASELINE_FILE,
    DEFINITION_FILE,
    REGISTER_FILE,
    SHAPES_FILE,
    SITE_FILE,
    UNITS_FILE,
    SiteFile,
    site_info,
    write_site_info,
)
from scrutineer.portal.front import front_page
from scrutineer.portal.history_files import snapshot_files
from scrutineer.portal.images import image_files
from scrutineer.portal.incident_pages import incident_pages
from scrutineer.portal.map_pages import map_page
from scrutineer.portal.missing_page import missing_page
from scrutineer.portal.night_pages import night_pages
from scrutineer.portal.observer_pages import observer_pages
from scrutineer.portal.pages import DESIGN, ROOM, Pages, Render
from scrutineer.portal.places_page import places_page
from scrutineer.portal.quarantine_pages import quarantine_pages
from scrutineer.portal.record import Record
from scrutineer.portal.rules_page import rules_page
from scrutineer.portal.search import search_files, search_page
from scrutineer.portal.snapshot_pages import snapshot_pages
from scrutineer.portal.station_pages import station_pages
from scrutineer.portal.track_page import track_page
from scrutineer.portal.unit_pages import unit_pages
from scrutineer.portal.view import View

PAGES: Final[tuple[Render, ...]] = (
    front_page,
    places_page,
    map_page,
    call_pages,
    rules_page,
    check_page,
    check_words,
    search_page,
    quarantine_pages,
    decision_pages,
    observer_pages,
    data_pages,
    checklist_page,
    bulletin_pages,
    incident_pages,
    claim_pages,
    audit_pages,
    track_page,
    missing_page,
)
"""The pages that are there once in every language, whatever the places, and are made each time."""

HISTORY: Final[tuple[Render, ...]] = (night_pages, snapshot_pages)
"""The same, with pages of earlier publications among them, which stay as they are."""

_STATIONS: Final = 512
_UNITS: Final = 64
_LEAST: Final = 16
_PIECES: Final = 16
"""Places in one part."""


class Part(NamedTuple):
    """Pages or files of some places, made together: by one process, which hands over one part after the other.

    `pages` and `data` are of no place: the pages that are there once in every language with those files of the API that are there
    once, and the files of data.
    """

    what: Literal["data", "pages", "stations", "units", "unit files"]
    language: int
    """Number of the site's language; 0 for what is made at once for all languages."""
    places: Sequence[int]
    """Numbers of stations, or positions of units."""


class Site:
    """The files of a site, in the order in which they are made."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.view = View(record)
        self.languages = [Pages(self.view, number) for number in range(len(record.options.languages))]

    def parts(self, changes: Changes | None = None) -> list[Part]:
        """The parts of all places, or of those whose pages may have changed."""
        options, units = self.record.options, self.view.units
        stations: Sequence[int] = range(units.station_count) if changes is None else changes.stations
        inner = list(units.index.values()) if changes is None else changes.units
        # What takes longest comes first, so that no process has it left when the others have ended.
        found = [Part("pages", 0, ()), Part("data", 0, ())]
        found += [Part("unit files", 0, some) for some in _cut(inner, _UNITS)]
        if options.pages != "none":
            found += [Part("units", pages.number, some) for pages in self.languages for some in _cut(inner, _UNITS)]
        if options.pages == "stations":
            translated = self.languages[: None if options.translated == "stations" else 1]
            found += [Part("stations", pages.number, some) for pages in translated for some in _cut(stations, _STATIONS)]
        return found

    def render(self, part: Part) -> Iterator[SiteFile]:
        """The files of one part."""
        match part.what:
            case "stations":
                return station_pages(self.languages[part.language], part.places)
            case "units":
                return unit_pages(self.languages[part.language], part.places)
            case "unit files":
                return unit_files(self.view, part.places)
            case "pages":
                pages = chain.from_iterable(page(pages) for pages in self.languages for page in PAGES)
                return chain(pages, api_files(self.view))
            case "data":
                return data_files(self.view)

    def owner(self, path: str) -> int | None:
        """The unit or station, by position, that a file belongs to as one of its parts; None where it belongs to none."""
        folder, _, rest = path.partition("/")
        if folder in self.record.options.languages[1:]:
            folder, _, rest = rest.partition("/")
        if folder == "api":
            _version, folder, rest = (*rest.split("/", 2), "", "")[:3]
        if folder not in ("units", "stations"):
            return None
        return self.view.places.owner(folder, rest)

    def shared(self) -> Iterator[SiteFile]:
        """What is left: files that belong to no single place and are cheap, or stay as they were published."""
        for room in (DESIGN, ROOM):
            for found in assets(room):
                yield SiteFile(found.path, (found.data,))
        for pages in self.languages:
            for part in HISTORY:
                yield from part(pages)
        yield from search_files(self.view)
        yield from snapshot_files(self.record)
        yield from image_files(self.record.images)
        yield from audit_files(self.record.audits)
        units, places = self.view.units, self.view.places
        yield from ballot_files(self.record.ballots, lambda number: places.station(int(units.station_units[number])))


def render_site(record: Record) -> Iterator[SiteFile]:
    """Every file of the site but `log/*` and `manifest`, in a fixed order and in bounded memory.

    Take each file's chunks before asking for the next file. Raises CountError or LogError where the record does not hold
    together.
    """
    yield from render_definition(record)
    site = Site(record)
    for part in site.parts():
        yield from site.render(part)
    yield from site.shared()


def _cut(places: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    """Pieces of at most so many places; of an update, which has few, small ones, so that there is work for every process."""
    length = min(most, max(_LEAST, len(places) // _PIECES))
    for start in range(0, len(places), length):
        yield places[start : start + length]


def render_definition(record: Record) -> Iterator[SiteFile]:
    """What the site is of: `site.json`, and the definition with its tables."""
    yield SiteFile(SITE_FILE, (write_site_info(site_info(record)),))
    yield SiteFile(DEFINITION_FILE, (record.definition,))
    yield SiteFile(UNITS_FILE, (record.units_table,))
    yield SiteFile(REGISTER_FILE, (record.register_table,))
    if record.baseline_table is not None:
        yield SiteFile(BASELINE_FILE, (record.baseline_table,))
    if record.shapes_table is not None:
        yield SiteFile(SHAPES_FILE, (record.shapes_table,))
    if record.ballots_table is not None:
        yield SiteFile(BALLOTS_FILE, (record.ballots_table,))
