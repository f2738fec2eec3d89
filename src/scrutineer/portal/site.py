"""The site as a stream of files: a pure, deterministic function of the record, so that `verify` can make every byte again."""

from collections.abc import Iterator
from typing import Final

from scrutineer.design import assets
from scrutineer.portal.bulletin_pages import bulletin_pages
from scrutineer.portal.call_pages import call_pages, call_pictures
from scrutineer.portal.check_page import check_page
from scrutineer.portal.data_files import data_files
from scrutineer.portal.formats import (
    BASELINE_FILE,
    DEFINITION_FILE,
    REGISTER_FILE,
    SITE_FILE,
    UNITS_FILE,
    SiteFile,
    site_info,
    write_site_info,
)
from scrutineer.portal.front import front_page
from scrutineer.portal.pages import DESIGN, ROOM, Pages, Render
from scrutineer.portal.quarantine_pages import quarantine_pages
from scrutineer.portal.record import Record
from scrutineer.portal.rules_page import rules_page
from scrutineer.portal.station_pages import station_pages
from scrutineer.portal.unit_pages import unit_pages
from scrutineer.portal.view import View

PAGES: Final[tuple[Render, ...]] = (front_page, call_pages, rules_page, check_page, quarantine_pages, bulletin_pages)
"""The pages that are there once in every language, whatever the places."""


def render_site(record: Record) -> Iterator[SiteFile]:
    """Every file of the site but `log/*` and `manifest`, in a fixed order and in bounded memory.

    Take each file's chunks before asking for the next file. Raises CountError or LogError where the record does not hold
    together.
    """
    yield from render_definition(record)
    for room in (DESIGN, ROOM):
        for found in assets(room):
            yield SiteFile(found.path, (found.data,))
    view = View(record)
    languages = [Pages(view, number) for number in range(len(record.options.languages))]
    for pages in languages:
        for part in PAGES:
            yield from part(pages)
    if record.options.pages != "none":
        for pages in languages:
            yield from unit_pages(pages)
    if record.options.pages == "stations":
        for pages in languages[: 1 if record.options.translated != "stations" else None]:
            yield from station_pages(pages)
    yield from call_pictures(view)
    yield from data_files(view)


def render_definition(record: Record) -> Iterator[SiteFile]:
    """What the site is of: `site.json`, and the definition with its tables."""
    yield SiteFile(SITE_FILE, (write_site_info(site_info(record)),))
    yield SiteFile(DEFINITION_FILE, (record.definition,))
    yield SiteFile(UNITS_FILE, (record.units_table,))
    yield SiteFile(REGISTER_FILE, (record.register_table,))
    if record.baseline_table is not None:
        yield SiteFile(BASELINE_FILE, (record.baseline_table,))
