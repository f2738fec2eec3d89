"""The JSON Schema (draft 2020-12) of `data/map.json`.

It is written by hand and not made from the data dictionary: that file is made for one page, and short rows without names of
their figures keep it small where there are thousands of places.
"""

from typing import Any, Final

from scrutineer.portal.map_figures import HATCHINGS, LEVEL

MAP_SCHEMA_FILE: Final = "api/v1/schema/map.json"

_COUNT: Final = {"type": "integer", "minimum": 0}
_TEXT: Final = {"type": "string"}


def _object(about: str, **properties: object) -> dict[str, Any]:
    return {
        "description": about,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _row(about: str, *items: object) -> dict[str, Any]:
    """An array of so many items, each of its own kind."""
    return {"description": about, "type": "array", "prefixItems": list(items), "minItems": len(items), "items": False}


def _list(about: str, items: object) -> dict[str, Any]:
    return {"description": about, "type": "array", "items": items}


_SHARE: Final = _row("A share as numerator and denominator.", _COUNT, {"type": "integer", "minimum": 1})

MAP_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Map",
    **_object(
        "What the map shows of each unit with a shape.",
        size={"description": "Entries of the log that everything here is computed from.", **_COUNT},
        hatchings={"description": "How many hatchings tell candidates apart.", "const": HATCHINGS},
        level={"description": "The hatching of places where several candidates are level.", "const": LEVEL},
        shares=_list("Where a darker class begins, on the map of who is in front.", _SHARE),
        parts=_list("Where a darker class begins, on the map of how much is counted.", _SHARE),
        units=_list(
            "The units with a shape.",
            _object(
                "A unit with a shape.",
                id={"description": "The unit or station.", **_TEXT},
                name={"description": "Its name.", **_TEXT},
                depth={"description": "How many units it lies in.", **_COUNT},
                divided={"description": "Whether units in it have shapes as well.", "type": "boolean"},
                at=_row(
                    "Where its label stands: degrees of longitude and latitude.",
                    {"type": "number", "minimum": -180, "maximum": 180},
                    {"type": "number", "minimum": -90, "maximum": 90},
                ),
                path={"description": "Its page on this site. Null: It has none.", "anyOf": [_TEXT, {"type": "null"}]},
                translated={"description": "Whether it has a page in the languages after the first.", "type": "boolean"},
            ),
        ),
        contests=_list(
            "The contests, in the order of the definition.",
            _object(
                "One contest.",
                id={"description": "The contest.", **_TEXT},
                candidates=_list(
                    "The candidates, in the order of the ballot.",
                    _object(
                        "A candidate.",
                        name={"description": "The candidate’s name.", **_TEXT},
                        letter={"description": "What marks the candidate’s places on the map.", **_TEXT},
                    ),
                ),
                places=_list(
                    "A row for each of the units, in their order.",
                    _row(
                        "The figures of a unit: stations, stations counted, who is in front, their votes, and all votes.",
                        _COUNT,
                        _COUNT,
                        _list("Candidates with the most votes, by place on the ballot from 0.", _COUNT),
                        _COUNT,
                        _COUNT,
                    ),
                ),
            ),
        ),
    ),
}
