import csv
import functools
import http.server
import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import jsonschema_rs
import pyarrow.parquet as pq
import pytest

from full_election import full_election, publish_all
from portal_helpers import made_up
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.portal import dictionary
from scrutineer.portal.api_files import api_files
from scrutineer.portal.api_schema import json_schema, schema_path
from scrutineer.portal.api_tables import DESCRIBED
from scrutineer.portal.data_files import data_files
from scrutineer.portal.data_pages import ALL_TABLES, data_pages
from scrutineer.portal.dictionary import Table
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.queries import queries
from scrutineer.portal.view import View
from site_pages import read_page

BY_NAME = {table.name: table for table in ALL_TABLES}
LANGUAGES = 5


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("data") / "site"
    publish_all(folder)
    return folder


@cache
def view() -> View:
    return View(full_election()[-1].record)


@cache
def page(name: str, number: int = 0) -> str:
    found = {file.path.rpartition("/")[2]: b"".join(file.chunks) for file in data_pages(Pages(view(), number))}
    read_page(found[name])
    return found[name].decode()


def matching(site: Path, pattern: str) -> list[Path]:
    return [path for path in sorted(site.glob(pattern)) if path.name != "index.json" or pattern.endswith("index.json")]


# --- the dictionary is that of the files ---------------------------------------------------------------------------------------


def names_of(table: Table, options: list[str]) -> list[str]:
    return [
        name
        for field in table.fields
        for name in ([field.name] if not field.name.endswith(":*") else [f"{field.name[:-1]}{option}" for option in options])
    ]


@pytest.mark.parametrize("table", [t for t in ALL_TABLES if any(f.endswith("csv") for f in t.files)], ids=lambda t: t.name)
def test_the_columns_of_tables_are_those_of_the_dictionary(site: Path, table: Table) -> None:
    for pattern in table.files:
        found = sorted(site.glob(pattern))
        assert found, pattern
        for path in found:
            contest = next((c for c in view().election.contests if c.id == path.parent.name), None)
            options = [] if contest is None else [option.id for option in contest.options]
            if path.suffix == ".parquet":
                schema = pq.read_schema(path)
                assert schema.names == names_of(table, options)
                for name, kind in zip(schema.names, schema.types, strict=True):
                    assert str(kind).startswith("int") == (table.field(name).kind == "number"), name
                continue
            header, *rows = csv.reader(io.StringIO(path.read_text()))
            assert header == names_of(table, options)
            for name, *cells in zip(header, *rows, strict=True):
                check_cells(table.field(name), cells)


def check_cells(field: dictionary.Field, cells: list[str]) -> None:
    for cell in cells:
        if cell == "":
            assert field.empty, f"{field.name} is empty somewhere, and the dictionary does not say when"
        elif field.kind == "number":
            assert cell.isdecimal(), (field.name, cell)
        if cell and field.choices:
            assert cell in field.choices, (field.name, cell)


@pytest.mark.parametrize("table", [t for t in ALL_TABLES if any(f.endswith("json") for f in t.files)], ids=lambda t: t.name)
def test_the_fields_of_files_are_those_of_the_dictionary(site: Path, table: Table) -> None:
    for pattern in table.files:
        found = matching(site, pattern)
        assert found, pattern
        for path in found:
            check_object(table, json.loads(path.read_bytes()))


def check_object(table: Table, found: dict[str, Any]) -> None:
    assert list(found) == [field.name for field in table.fields], table.name
    for field in table.fields:
        check_value(field, found[field.name])


def check_value(field: dictionary.Field, value: Any) -> None:
    if value is None:
        assert field.empty, f"{field.name} is null somewhere, and the dictionary does not say when"
        return
    match field.kind:
        case "number":
            assert type(value) is int
        case "yes-no":
            assert type(value) is bool
        case "votes" | "numbers":
            assert all(type(own) is int for own in value.values())
        case "stated":
            assert all(own is None or type(own) is int for own in value.values())
        case "texts":
            assert all(type(own) is str for own in value)
            assert not field.choices or set(value) <= set(field.choices)
        case "counts":
            assert all(type(own) is int for own in value)
        case "rows":
            for own in value:
                check_object(BY_NAME[field.of], own)
        case "record" if field.name == "regions":
            for own in value.values():
                check_object(BY_NAME[field.of], own)
        case "record":
            check_object(BY_NAME[field.of], value)
        case "hash":
            assert re.fullmatch("[0-9a-f]{64}", value)
        case _:
            assert type(value) is str
            assert not field.choices or value in field.choices


def test_the_files_of_the_record_are_as_their_schemas_say(site: Path) -> None:
    for table in DESCRIBED:
        schema = json_schema(table)
        assert json.loads((site / schema_path(table)).read_bytes()) == schema
        for pattern in table.files:
            for path in matching(site, pattern):
                jsonschema_rs.validate(schema, json.loads(path.read_bytes()))


def test_a_field_means_one_thing() -> None:
    """Names that stand for figures are of one kind and one unit everywhere."""
    seen: dict[str, tuple[str, str]] = {}
    for table in ALL_TABLES:
        for field in table.fields:
            if field.unit and field.kind == "number":
                assert seen.setdefault(field.name, (field.kind, field.unit)) == (field.kind, field.unit), field.name


def test_every_reference_leads_somewhere() -> None:
    for table in ALL_TABLES:
        for field in table.fields:
            assert (field.kind in ("rows", "record")) == bool(field.of)
            assert not field.of or field.of in BY_NAME
    assert len(BY_NAME) == len(ALL_TABLES)


OTHER_FILES = (
    "manifest",
    "log/checkpoint",
    "log/tile/*",
    "definition/definition.cose",
    "definition/shapes.geojson",
    "data/results.nist.json",
    "data/map.json",
    "api/v1/schema/*.json",
    "images/*",
    "definition/ballots.json",
    "ballots/*",
)
"""Files that hold no rows of the dictionary: they have formats of their own."""
MADE_FOR_PAGES = ("assets/*", "*.html", "*.svg", "*.js", "search/*", "*/search/*", ".*")


def test_every_file_is_described(site: Path) -> None:
    known = [pattern for table in ALL_TABLES for pattern in table.files]
    for path in site.rglob("*"):
        own = path.relative_to(site).as_posix()
        if path.is_file():
            assert any(fnmatchcase(own, pattern) for pattern in (*known, *OTHER_FILES, *MADE_FOR_PAGES)), own


# --- the pages -----------------------------------------------------------------------------------------------------------------


def test_every_data_file_is_on_the_page_or_on_that_of_the_dictionary(site: Path) -> None:
    text = page("data.html")
    for path in site.rglob("*"):
        own = path.relative_to(site).as_posix()
        if path.is_file() and own.startswith(("data/", "definition/")):
            assert f'href="{own}"' in text, own
    for own in ("manifest", "site.json", "log/checkpoint", "log/head.json", "snapshots/index.json", "log/tile/"):
        assert own in text


def test_the_page_bears_the_head_that_everything_is_computed_from() -> None:
    head = view().record.head
    assert head.root.hex() in page("data.html")
    assert view().election.hash.hex() in page("data.html")
    assert head.root.hex() not in page("dictionary.html")


def test_every_field_stands_in_the_dictionary() -> None:
    text = page("dictionary.html") + page("dictionary-api.html")
    for table in ALL_TABLES:
        assert f'<h3 id="{table.name}">' in text
        part = text.split(f'<h3 id="{table.name}">')[1].split("</table>")[0]
        for field in table.fields:
            assert f"<code>{field.name}</code>" in part
            assert field.meaning in unescape(part)
            assert field.empty in unescape(part)


@pytest.mark.parametrize("number", range(LANGUAGES))
@pytest.mark.parametrize("name", ["data.html", "dictionary.html", "dictionary-api.html"])
def test_pages_are_sound_and_light_in_every_language(name: str, number: int) -> None:
    assert len(page(name, number).encode()) < 60_000


def test_sizes_that_are_said_are_about_those_of_the_files(site: Path) -> None:
    text = page("data.html")
    for path in (site / "data").rglob("stations.csv"):
        said = re.search(rf'href="{path.relative_to(site).as_posix()}".*?about ([0-9.]+) (kB|bytes)', text, re.DOTALL)
        assert said is not None
        size = float(said[1]) * (1000 if said[2] == "kB" else 1)
        assert 0.8 < size / path.stat().st_size < 1.2
        said = re.search(rf'href="{path.relative_to(site).as_posix()[:-3]}parquet".*?about ([0-9.]+) (kB|bytes)', text, re.DOTALL)
        assert said is not None
        size = float(said[1]) * (1000 if said[2] == "kB" else 1)
        assert 0.6 < size / path.with_suffix(".parquet").stat().st_size < 1.6


def test_replayed_data_name_their_source() -> None:
    rows = [UnitRow("land", "", "Land", "country", None), UnitRow("n0", "land", "N", "station", 500)]
    contest = Contest("president", "P", "plurality", (Option("heron", "Heron"),))
    given = made_up(rows, (contest,), provenance="replayed", source="<b>Gazette</b> of the birds")
    found = b"".join(next(data_pages(Pages(View(given.record)))).chunks).decode()
    assert "&lt;b&gt;Gazette&lt;/b&gt; of the birds" in found
    assert "belong to everybody" not in found
    assert "belong to everybody" in page("data.html")


# --- questions -----------------------------------------------------------------------------------------------------------------


def test_every_query_works(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statements as the page shows them, in the site's folder, as the page says."""
    monkeypatch.chdir(site)
    shown = [unescape(sql) for sql in re.findall(r'<code class="sql">(.*?)</code>', page("data.html"))]
    assert shown == [query.sql for query in queries(view(), view().election.contests[0])]
    for sql in shown:
        assert duckdb.sql(sql).fetchall(), sql


def test_the_first_query_gives_the_totals_of_every_contest(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)
    for now in view().standings:
        first = next(queries(view(), now.contest))
        assert duckdb.sql(first.sql).fetchall() == [(now.result.counted, *now.result.votes)]


def test_the_command_for_the_shell_is_one_argument() -> None:
    (command,) = re.findall(r"<code>duckdb -c (.*?)</code>", page("data.html"))
    assert unescape(command).startswith('"')
    assert unescape(command).count('"') == 2
    assert not set(unescape(command)) & set("$`\\!")


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_query_works_with_an_address(address: str) -> None:
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    try:
        connection.load_extension("httpfs")
    except duckdb.Error as error:
        pytest.skip(f"DuckDB has no extension httpfs here, which it fetches when first used: {str(error).splitlines()[0]}")
    first = next(queries(view(), view().election.contests[0])).sql.replace("'data/", f"'{address}/data/")
    assert connection.sql(first).fetchall()[0][0] == view().standings[0].result.counted


def test_without_units_nothing_is_said_of_their_files() -> None:
    record = view().record
    shown = View(replace(record, options=replace(record.options, pages="none")))
    found: SiteFile = next(data_pages(Pages(shown)))
    text = b"".join(found.chunks).decode()
    assert "api/v1/units/avia.json" not in text
    assert not [query for query in queries(shown, shown.election.contests[0]) if "api/" in query.sql]


def test_a_country_of_one_station_has_data_and_no_units() -> None:
    contest = Contest("president", "P", "plurality", (Option("heron", "Heron"),))
    shown = View(made_up([UnitRow("hut", "", "Hut", "station", 20)], (contest,)).record)
    text = b"".join(next(data_pages(Pages(shown))).chunks).decode()
    assert 'href="api/v1/units' not in text
    assert 'href="data/president/stations.csv"' in text
    files = {file.path: b"".join(file.chunks) for some in (api_files(shown), data_files(shown)) for file in some}
    index = json.loads(files["api/v1/index.json"])
    assert (index["units"], index["unit_files"]) == (None, 0)
    control = json.loads(files["data/president/control.json"])["files"]
    assert [(one["rows"], one["sums"]["roll"]) for one in control] == [(0, 0), (1, 20), (1, 20)]
    for table in DESCRIBED:
        for path, data in files.items():
            if any(fnmatchcase(path, pattern) for pattern in table.files):
                jsonschema_rs.validate(json_schema(table), json.loads(data))
