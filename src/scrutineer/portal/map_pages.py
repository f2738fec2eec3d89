"""The zoomable map, and what it loads: published only where the definition names shapes.

It asks for nothing from elsewhere: no tiles, no fonts, no pictures. The outlines are `definition/shapes.geojson`, the figures
`data/map.json`, and the library that draws them lies beside the site's other scripts.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from scrutineer.count import UnitResult
from scrutineer.design import asset
from scrutineer.election.shapes import SCALE
from scrutineer.portal.formats import SHAPES_FILE, SiteFile
from scrutineer.portal.map_figures import HATCHINGS, LEVEL, PARTS, SHARES, letter, page_path
from scrutineer.portal.maps import label_place
from scrutineer.portal.pages import POLICY, ROOM, Pages
from scrutineer.portal.view import View
from scrutineer.portal.votes import unit_figures

MAP_PAGE: Final = "map.html"
MAP_FILE: Final = "data/map.json"
MAP_POLICY: Final = f"{POLICY}; worker-src 'self'"
LIBRARY: Final = "maplibre/maplibre-gl.js"
WORKER: Final = "maplibre/maplibre-gl-worker.js"
STYLE: Final = "maplibre/maplibre-gl.css"
LICENCE: Final = "maplibre/LICENSE.txt"
SCRIPT: Final = "map/map.js"


def map_page(pages: Pages) -> Iterator[SiteFile]:
    """`map.html`; with the first language also the scripts and figures that it loads."""
    view, say = pages.view, pages.say
    if not len(view.shapes):
        return
    if pages.number == 0:
        for name in (LIBRARY, WORKER, STYLE, LICENCE, SCRIPT):
            found = asset(ROOM, name)
            yield SiteFile(found.path, (found.data,))
        yield SiteFile(MAP_FILE, (msgspec.json.encode(_figures(view)) + b"\n",))
    yield pages.render(
        "map.html",
        MAP_PAGE,
        say("Map"),
        scripts=(SCRIPT,),
        policy=MAP_POLICY,
        library=LIBRARY,
        worker=WORKER,
        style=STYLE,
        licence=LICENCE,
        shapes=SHAPES_FILE,
        figures=MAP_FILE,
        symbols=say.language.symbols,
        contests=[say.name(contest.title) for contest in view.election.contests],
        share_keys=[
            say("under {share}", share=say.share(SHARES[0])),
            *(say("from {share}", share=say.share(share)) for share in SHARES),
        ],
        part_keys=[say("under a third"), say("from a third"), say("from two thirds"), say("all")],
    )


def _figures(view: View) -> dict[str, Any]:
    """What the map shows of each unit with a shape; depends on no language."""
    units, places = view.units, view.places
    shown = sorted(view.shapes)
    divided = {int(units.parent[unit]) for unit in shown}
    return {
        "size": view.record.head.size,
        "hatchings": HATCHINGS,
        "level": LEVEL,
        "shares": [[limit.numerator, limit.denominator] for limit in SHARES],
        "parts": [[limit.numerator, limit.denominator] for limit in PARTS],
        "units": [
            {
                "id": units.ids[unit],
                "name": units.names[unit],
                "depth": len(units.path(unit)) - 1,
                "divided": unit in divided,
                "at": _label_place(view, unit),
                "path": page_path(view, unit),
                "translated": places.has_page(unit, translated=True),
            }
            for unit in shown
        ],
        "contests": [
            {
                "id": terms.id,
                "candidates": [{"name": own.name, "letter": letter(index)} for index, own in enumerate(terms.standing())],
                "places": [_place(view, contest, unit_figures(view, contest, unit)) for unit in shown],
            }
            for contest, terms in enumerate(view.election.contests)
        ],
    }


def _label_place(view: View, unit: int) -> list[float]:
    point = view.shapes.points.get(unit)
    return label_place(view.shapes.areas[unit]) if point is None else [point.east / SCALE, point.north / SCALE]


def _place(view: View, contest: int, result: UnitResult) -> list[Any]:
    """Stations, how many of them are counted, who is in front (by number on the ballot), their votes and all votes."""
    votes = view.by_candidate(contest, result.votes)
    most = max(votes)
    first = [index for index, own in enumerate(votes) if own == most] if most else []
    return [result.stations, result.counted, first, most, sum(votes)]
