"""The index of the search: what is in it, that it never changes, and that its directory leads to the right files."""

import json
from itertools import pairwise

from portal_helpers import made_up, republic
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.portal.record import SiteOptions
from scrutineer.portal.search import PLACE_ROWS, STATION_ROWS, search_files
from scrutineer.portal.search import _order as order
from scrutineer.portal.search_words import fold
from scrutineer.portal.view import View

CONTEST = Contest("mayor", "Mayor", "plurality", (Option("a", "Avocet"), Option("b", "Bittern")))


def index_of(view: View) -> dict[str, bytes]:
    return {file.path: b"".join(file.chunks) for file in search_files(view)}


def begins(files: dict[str, bytes], name: str) -> list[str]:
    """The texts with which the files of a list begin, as the directory gives them."""
    coded = json.loads(files["search/index.json"])[name]
    texts: list[str] = []
    for shared, rest in zip(coded[::2], coded[1::2], strict=True):
        texts.append((texts[-1][:shared] if texts else "") + rest)
    return texts


def ids_in(data: bytes) -> list[str]:
    """The ids of the units that a file finds, in order."""
    block = json.loads(data)
    ids: list[str] = []
    for short, _name, _kind, parent, *_file in block["units"]:
        ids.append(ids[parent] + short[1:] if short[0] == "~" else short)
    return [ids[at] for at in block["found"]]


def test_it_depends_on_the_definition_alone() -> None:
    early, late = (View(republic(200, part=part).record) for part in (0.1, 1.0))
    assert index_of(early) == index_of(late)
    assert all(file.once for file in search_files(early))


def test_every_station_stands_in_the_file_that_the_directory_leads_to() -> None:
    view = View(republic(3_000, part=0.01).record)
    files = index_of(view)
    texts = begins(files, "stations")
    assert len(texts) == -(-3_000 // STATION_ROWS) == sum(path.startswith("search/stations/") for path in files)
    assert all(one < other for one, other in pairwise(texts))
    for unit in view.units.station_units.tolist():
        own = view.units.ids[unit]
        number = max(at for at, text in enumerate(texts) if text <= fold(own))
        assert own in ids_in(files[f"search/stations/{number}.json"])


def test_places_stand_under_every_word_of_their_names_and_their_stations_behind_them() -> None:
    view = View(republic(3_000, part=0.01).record)
    files, units = index_of(view), view.units
    texts = begins(files, "places")
    assert len(texts) == sum(path.startswith("search/places/") for path in files) > 3_000 // PLACE_ROWS

    def found_under(text: str) -> set[str]:
        first = max((at for at, begin in enumerate(texts) if begin < text), default=0)
        last = max(at for at, begin in enumerate(texts) if begin <= text)
        return {own for at in range(first, last + 1) for own in ids_in(files[f"search/places/{at}.json"])}

    for unit in sorted(view.inner):
        own, words = units.ids[unit], fold(units.names[unit]).split()
        assert own in found_under(fold(own))
        for first, word in enumerate(words):
            assert own in found_under(f"{' '.join(words[first:])} {fold(own)}")
            assert own in found_under(f"{word} {fold(own)}")
        stations = {units.ids[child] for child in units.children(unit) if child not in view.inner}
        assert stations <= found_under(f"{' '.join(words)} {fold(own)}")


def test_texts_are_sorted_as_javascript_compares_them() -> None:
    """By UTF-16: a letter beyond the first 65,536 comes before the last ones of these, though its number is higher."""
    rows = [UnitRow("m", "", "M", "country", None)]
    rows += [UnitRow(f"n{n}", "m", name, "table", 9) for n, name in enumerate(("\ufa0e", "\U0001e922", "zebra", "abc"))]
    found = ids_in(index_of(View(made_up(rows, (CONTEST,)).record))["search/places/0.json"])
    # The stations stand behind the country too, whose name comes after the first of them.
    assert found == ["n3", "m", "n0", "n1", "n2"]
    texts = ["\ufa0e", "\U0001e922", "zebra", "abc"]
    assert [texts[at] for at in order(texts)] == ["abc", "zebra", "\U0001e922", "\ufa0e"]


def test_pages_of_stations_and_of_units_alone() -> None:
    """File names stand in the index only where they differ from ids, and only of pages that are there."""
    rows = [UnitRow("land", "", "Land", "country", None)]
    rows += [UnitRow(name, "land", name, "table", 9) for name in ("CON", "a", "A", "b")]
    for pages, files_named in (("stations", 3), ("units", 0)):
        view = View(made_up(rows, (CONTEST,)).with_options(SiteOptions(pages=pages)).record)  # type: ignore[arg-type]
        units = json.loads(index_of(view)["search/stations/0.json"])["units"]
        assert sum(len(unit) == 5 for unit in units) == files_named
