"""Take it away: every file of the site with what it holds, how to query and check it, the API, and the data dictionary."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scrutineer.count import stations_table
from scrutineer.language import Say
from scrutineer.portal import api_tables, dictionary, record_tables
from scrutineer.portal.api_files import MOST_CHILDREN, MOST_UNIT_FILES, root_path
from scrutineer.portal.api_schema import schema_path
from scrutineer.portal.ballot_record import FOLDER as BALLOTS
from scrutineer.portal.check_page import code, head_facts
from scrutineer.portal.dictionary import KIND_WORDS, Table
from scrutineer.portal.formats import (
    BALLOTS_FILE,
    BASELINE_FILE,
    CHECKPOINT_FILE,
    DEFINITION_FILE,
    HEAD_FILE,
    MANIFEST_FILE,
    REGISTER_FILE,
    SHAPES_FILE,
    SITE_FILE,
    UNITS_FILE,
    SiteFile,
)
from scrutineer.portal.history_files import INDEX_FILE as SNAPSHOTS_FILE
from scrutineer.portal.images import FOLDER as IMAGES
from scrutineer.portal.map_pages import MAP_FILE
from scrutineer.portal.pages import Pages
from scrutineer.portal.queries import queries

TABLES: Final = (
    dictionary.RESULTS,
    dictionary.STATIONS_TABLE,
    dictionary.UNITS,
    dictionary.REGISTER,
    dictionary.BASELINE,
)
FILES: Final = (
    api_tables.CONTROL_FILE,
    api_tables.SUMMARY,
    record_tables.SITE,
    record_tables.HEAD,
    record_tables.SNAPSHOTS,
    record_tables.SNAPSHOT,
)
API: Final = api_tables.API_TABLES
FILE_OBJECTS: Final = (*api_tables.FILE_OBJECTS, *record_tables.INNER)
API_OBJECTS: Final = api_tables.API_OBJECTS
ALL_TABLES: Final = (*TABLES, *FILES, *FILE_OBJECTS, *API, *API_OBJECTS)
"""Every kind of rows and objects in the published files, in the order of the dictionary."""

DATA, DICTIONARY, API_DICTIONARY = "data.html", "dictionary.html", "dictionary-api.html"
_UNIT: Final = 1000  # bytes in a kB, as disks and browsers count
_PARQUET_COLUMN: Final = 300  # bytes that a column takes beside its figures
_SAMPLE: Final = 16  # log entries whose sizes stand for those of all


@dataclass(frozen=True, slots=True)
class _File:
    """A file as the page lists it. Texts are HTML; `path` is empty where it stands for many files."""

    path: str
    name: str
    holds: str
    rows: str = ""
    size: str = ""


def data_pages(pages: Pages) -> Iterator[SiteFile]:
    """`data.html`, and the data dictionary on two pages: of the tables and files, and of the API."""
    view, say = pages.view, pages.say
    first = view.election.contests[0]
    yield pages.render(
        "data.html",
        DATA,
        say("Data"),
        facts=head_facts(pages),
        contests=[(say.name(c.title), _contest_files(pages, number)) for number, c in enumerate(view.election.contests)],
        election_files=list(_election_files(pages)),
        record_files=list(_record_files(pages)),
        source=say.name(view.election.definition.source) if view.election.definition.source else "",
        queries=[(say.later(query.question), query.sql) for query in queries(view, first)],
        stations_path=view.places.contest(first.id, "stations.parquet"),
        control_path=view.places.contest(first.id, "control.json"),
        api=[(table.files[0], say.later(table.title), say.later(table.about), schema_path(table), table.name) for table in API],
        root=root_path(view),
        most_children=MOST_CHILDREN,
        all_units=len(view.units.index) <= MOST_UNIT_FILES,
        code=code,
    )
    groups = [(say("Tables"), TABLES), (say("Other files"), FILES), (say("Objects in these files"), FILE_OBJECTS)]
    yield _dictionary(pages, DICTIONARY, say("Data dictionary"), API_DICTIONARY, groups)
    groups = [(say("Files of the API"), API), (say("Objects in these files"), API_OBJECTS)]
    yield _dictionary(pages, API_DICTIONARY, say("Data dictionary of the API"), DICTIONARY, groups)


# --- what there is -------------------------------------------------------------------------------------------------------------


def _contest_files(pages: Pages, contest: int) -> list[_File]:
    view, say = pages.view, pages.say
    terms = view.election.contests[contest]
    stations = len(view.units.stations_below(view.election.contest_units[contest]))
    results, rows = view.results_tables[contest], say.number(stations)
    table = iter(stations_table(view.count, contest))
    header = next(table)
    sample = next(table, b"")
    about = len(header) + len(sample) * stations // max(1, sample.count(b"\n"))
    # Parquet says of every column, however short, what and where it is.
    packed = about * 9 // 20 + _PARQUET_COLUMN * (1 + header.count(b","))

    def file(name: str, holds: str, rows: str = "", size: str = "") -> _File:
        path = view.places.contest(terms.id, name)
        return _File(path, path, holds, rows, size)

    return [
        file("results.csv", say("totals of every unit"), say.number(len(view.units.index)), _size(say, len(results))),
        file("stations.csv", say("figures of every station"), rows, _about(say, about)),
        file("stations.parquet", say("the same, for programs"), rows, _about(say, packed)),
        file("control.json", say("control totals of these tables")),
    ]


def _election_files(pages: Pages) -> Iterator[_File]:
    view, say = pages.view, pages.say
    record, stations = view.record, view.units.station_count
    figures = sum(
        (len(contest.options) + 2) * len(view.units.stations_below(unit))
        for contest, unit in zip(view.election.contests, view.election.contest_units, strict=True)
    )
    yield _File("data/summary.json", "data/summary.json", say("all contests in short, with outcome and what could change it"))
    yield _File(
        "data/results.nist.json",
        "data/results.nist.json",
        say("everything in the standard format of NIST for election results (SP 1500-100, version 2)"),
        "",
        _about(say, figures * 97 + stations * 300) if record.options.nist == "stations" else "",
    )
    if len(view.shapes):
        yield _File(MAP_FILE, MAP_FILE, say("what the map draws; made for that page"))
    described = (
        (UNITS_FILE, say("places and registered voters"), say.number(view.units.unit_count)),
        (REGISTER_FILE, say("who may sign, and with which key"), ""),
        (BASELINE_FILE, say("an earlier election at the same stations"), ""),
        (SHAPES_FILE, say("outlines of places (GeoJSON)"), ""),
        (BALLOTS_FILE, say("the trustees’ keys, under which ballots are encrypted"), ""),
    )
    tables = view.election.definition.tables
    for path, holds, rows in described:
        table = tables.get(path.removeprefix("definition/"))
        if table is not None:
            yield _File(path, path, holds, rows, _size(say, table.size))


def _record_files(pages: Pages) -> Iterator[_File]:
    view, say = pages.view, pages.say
    record = view.record
    size = record.head.size
    # The first entry, the definition, is unlike all others.
    sample = [len(record.entry(index)) for index in range(1, size, max(1, size // _SAMPLE))] or [0]
    average = sum(sample) // len(sample)
    yield _File(
        "",
        "log/tile/",
        say("every signed statement, in the form of C2SP tlog-tiles"),
        say.number(size),
        _about(say, len(record.definition) + average * (size - 1)),
    )
    yield _File(CHECKPOINT_FILE, CHECKPOINT_FILE, say("the head of the log, signed by the log and its witnesses"))
    yield _File(HEAD_FILE, HEAD_FILE, say("the head that receipts are made from"))
    yield _File(
        DEFINITION_FILE, DEFINITION_FILE, say("the signed definition of the election"), "", _size(say, len(record.definition))
    )
    if record.ballots:
        ballots = sum(own.ballots for own in record.ballots.values())
        held = sum(own.bundle.size for own in record.ballots.values())
        holds = say("encrypted ballots of stations, their decrypted totals, and an index by confirmation code")
        yield _File("", f"{BALLOTS}/", holds, say.number(ballots), _size(say, held))
    if record.images:
        yield _File(
            "", f"{IMAGES}/", say("images of paper sheets, each named by its SHA-256 hash"), say.number(len(record.images))
        )
    yield _File(
        SNAPSHOTS_FILE,
        SNAPSHOTS_FILE,
        say("every state that this site has shown; kept for ever"),
        say.number(len(record.snapshots)),
    )
    yield _File(SITE_FILE, SITE_FILE, say("which election and log this site shows"))
    yield _File(MANIFEST_FILE, MANIFEST_FILE, say("the signed list of all files with their hashes"))


def _size(say: Say, size: int) -> str:
    if size >= _UNIT**3:
        return say("{n} GB", n=say.decimal(Fraction(size, _UNIT**3), 1))
    if size >= _UNIT**2:
        return say("{n} MB", n=say.decimal(Fraction(size, _UNIT**2), 1))
    if size >= _UNIT:
        return say("{n} kB", n=say.decimal(Fraction(size, _UNIT), 1))
    return say.several("{n} byte", "{n} bytes", size)


def _about(say: Say, size: int) -> str:
    """A size that was worked out from a part: with one or two digits."""
    scale = 10 ** max(0, len(str(size)) - 2)
    return say("about {size}", size=_size(say, round(size / scale) * scale))


# --- the dictionary ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Described:
    """A table of the dictionary in one language."""

    id: str
    title: str
    about: str
    files: tuple[str, ...]
    fields: tuple[tuple[str, str, str, str, str, tuple[str, ...], str], ...]
    """Name, what it holds, unit, meaning, when it is empty, all values, and the page of the table that it refers to."""


def _dictionary(pages: Pages, page: str, title: str, other: str, groups: Sequence[tuple[str, tuple[Table, ...]]]) -> SiteFile:
    described = [(heading, [_described(pages.say, table) for table in tables]) for heading, tables in groups]
    return pages.render(
        "dictionary.html",
        page,
        title,
        crumbs=[(DATA, pages.say("Data"))],
        groups=described,
        other=other,
        other_is_api=other == API_DICTIONARY,
    )


def _described(say: Say, table: Table) -> _Described:
    titles = {other.name: other.title for other in ALL_TABLES}
    own = {other.name for other in API_OBJECTS}
    return _Described(
        table.name,
        say.later(table.title),
        say.later(table.about),
        table.files,
        tuple(
            (
                field.name,
                say.later(KIND_WORDS[field.kind], of=say.later(titles[field.of]))
                if field.of
                else say.later(KIND_WORDS[field.kind]),
                say.later(field.unit) if field.unit else "",
                say.later(field.meaning),
                say.later(field.empty) if field.empty else "",
                field.choices,
                f"{API_DICTIONARY if field.of in own else DICTIONARY}#{field.of}" if field.of else "",
            )
            for field in table.fields
        ),
    )
