"""The site as a stream of files: a pure, deterministic function of the record, so that `verify` can make every byte again."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from scrutineer.portal.bulletin_pages import bulletin_pages
from scrutineer.portal.call_pages import call_pages
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
from scrutineer.portal.quarantine_pages import quarantine_pages
from scrutineer.portal.record import Record
from scrutineer.portal.rules_page import rules_page
from scrutineer.portal.station_pages import station_pages
from scrutineer.portal.unit_pages import unit_pages
from scrutineer.portal.view import View


def render_site(record: Record) -> Iterator[SiteFile]:
    """Every file of the site but `log/*` and `manifest`, in a fixed order and in bounded memory.

    Take each file's chunks before asking for the next file. Raises CountError or LogError where the record does not hold
    together.
    """
    yield from render_definition(record)
    for name in ("style.css", "icon.svg"):
        yield SiteFile(name, (_asset(name),))
    view = View(record)
    yield SiteFile("index.html", (front_page(view),))
    yield from call_pages(view)
    yield SiteFile("rules.html", (rules_page(view),))
    yield SiteFile("check.html", (check_page(view),))
    yield from quarantine_pages(view)
    yield from bulletin_pages(view)
    if record.options.pages != "none":
        yield from unit_pages(view)
    if record.options.pages == "stations":
        yield from station_pages(view)
    yield from data_files(view)


def render_definition(record: Record) -> Iterator[SiteFile]:
    """What the site is of: `site.json`, and the definition with its tables."""
    yield SiteFile(SITE_FILE, (write_site_info(site_info(record)),))
    yield SiteFile(DEFINITION_FILE, (record.definition,))
    yield SiteFile(UNITS_FILE, (record.units_table,))
    yield SiteFile(REGISTER_FILE, (record.register_table,))
    if record.baseline_table is not None:
        yield SiteFile(BASELINE_FILE, (record.baseline_table,))


@cache
def _asset(name: str) -> bytes:
    return files("scrutineer.portal").joinpath(name).read_bytes()
