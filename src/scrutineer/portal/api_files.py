"""The static API: small JSON files that programs ask for one at a time, each described by a JSON Schema beside it.

There is one file for the election, one for each contest, and one for each unit above the stations with the stations and units
directly in it. They hold ids and figures alone, so that there is one set for all languages. The file of a unit depends on the
definition and on what was recorded of the stations below it, and on nothing else, so that only files whose figures changed are
written again. How every field is meant stands in dictionary.py.
"""

from collections.abc import Iterable, Iterator

from scrutineer.portal.formats import SiteFile
from scrutineer.portal.view import View


def api_files(view: View) -> Iterator[SiteFile]:
    """`api/v1/index.json`, the election, the contests and the schemas: all files of the API but those of the units."""
    yield from ()


def unit_files(view: View, units: Iterable[int] | None = None) -> Iterator[SiteFile]:
    """The files of units above the stations, by position, in the order given; without `units` of all in the units table.

    Units that have no file, because the election has too many, are passed over.
    """
    yield from ()
