"""The way into the places: the first level of the country, with its maps and how to go on from there."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from scrutineer.portal.formats import SiteFile
from scrutineer.portal.map_figures import MapFigures, hatchings, map_figures
from scrutineer.portal.pages import Pages
from scrutineer.portal.places import ROWS_PER_PAGE
from scrutineer.portal.unit_pages import PlaceRow, kind_word, place_rows


@dataclass(frozen=True, slots=True)
class FirstLevel:
    """One contest and the places of the first level that vote in it. Texts are HTML."""

    id: str
    title: str
    maps: MapFigures | None
    rows: list[PlaceRow]


def places_page(pages: Pages) -> Iterator[SiteFile]:
    """`places.html`."""
    view, say = pages.view, pages.say
    units = view.units
    below = view.children[0] or [0]
    has_pages = view.record.options.pages != "none"
    contests = [
        FirstLevel(
            id=terms.id,
            title=say.name(terms.title),
            # A contest of some part of the country is drawn on the page of that part.
            maps=map_figures(pages, number, 0) if view.election.contest_units[number] == 0 else None,
            rows=place_rows(pages, number, below[:ROWS_PER_PAGE]) if has_pages else [],
        )
        for number, terms in enumerate(view.election.contests)
    ]
    drawing = view.drawings.of(0)
    yield pages.render(
        "places.html",
        "places.html",
        say("Places"),
        country=pages.unit_name(0),
        country_path=view.places.unit(0) if has_pages and 0 in view.inner else None,
        levels=[(kind_word(pages, kind), say.number(count)) for kind, count in Counter(units.kinds).items()],
        more=max(0, len(below) - ROWS_PER_PAGE),
        all_places=len(below),
        drawing=drawing,
        hatchings=hatchings(contest.maps for contest in contests),
        has_map=len(view.shapes) > 0,
        has_pages=has_pages,
        has_entry=view.record.options.pages == "units",
        contests=contests,
    )
