"""Reading layout files: the shipped ones by name, anybody's own by path; every fault with its line."""

import codecs
import importlib.resources
import re
import string
from pathlib import Path
from typing import Final

from scrutineer.election.election_file import MAX_SOURCE_LENGTH, read_contest, read_id, read_name, read_timezone
from scrutineer.election.finding import Finding, did_you_mean, summary
from scrutineer.election.layout_model import (
    FIGURES,
    Columns,
    ContestColumns,
    Derived,
    FileFormat,
    Level,
    RowPerOption,
    StationColumns,
)
from scrutineer.election.layout_model import Layout as Layout
from scrutineer.election.toml_table import Table, parse_toml, read_toml
from scrutineer.errors import LayoutError

MAX_SKIPPED: Final = 10_000  # lines
_SUFFIX: Final = ".toml"


def layouts() -> dict[str, str]:
    """Names of the layouts that are shipped, with their titles, sorted."""
    return {name: load_layout(name).title for name in _shipped()}


def load_layout(name_or_path: str | Path) -> Layout:
    """A shipped layout by name, or one of your own by the path of its TOML file. Raises LayoutError."""
    findings: list[Finding] = []
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(_SUFFIX) or "/" in text:
        path = Path(name_or_path)
        table = read_toml(path, findings)
        name = path.stem
    else:
        name = text
        if name not in _shipped():
            raise LayoutError(f"there is no layout {name!r}: {did_you_mean(name, _shipped())}, or give the path of a layout file")
        data = (importlib.resources.files("scrutineer.election") / "layouts" / f"{name}{_SUFFIX}").read_bytes()
        table = parse_toml(data, f"{name}{_SUFFIX}", findings)
    layout = None if table is None else _read_layout(table, name)
    if layout is None or findings:
        raise LayoutError(summary(findings))
    return layout


def _shipped() -> list[str]:
    folder = importlib.resources.files("scrutineer.election") / "layouts"
    return sorted(entry.name.removesuffix(_SUFFIX) for entry in folder.iterdir() if entry.name.endswith(_SUFFIX))


def _read_layout(table: Table, name: str) -> Layout:
    title = read_name(table, "title")
    publisher = table.text("publisher", required=True, example='"Who published the file"')
    if len(publisher) > MAX_SOURCE_LENGTH or not publisher.isprintable():
        table.find(f"too long or not printable; write one line of at most {MAX_SOURCE_LENGTH} characters", "publisher")
    date = table.date("date")
    timezone = read_timezone(table)
    file = _file_format(table.table("file"))
    alias_table = table.table("aliases")
    aliases = {column: alias_table.texts(column) for column in alias_table.free_keys()}
    derived = tuple(found for section in table.tables("derive") if (found := _derived(section)) is not None)
    where_table = table.table("where")
    where = {column: where_table.text(column) for column in where_table.free_keys()}
    root_table = table.table("root", required=True)
    root = (read_id(root_table, "id"), read_name(root_table, "name"), read_id(root_table, "kind", required=False) or "country")
    root_table.refuse_others()
    levels = tuple(_level(section) for section in table.tables("level"))
    station = _station(table.table("station", required=True))
    leave_out = tuple(_leave_out(section) for section in table.tables("leave_out"))
    sections = table.tables("contest")
    if not sections:
        table.find("missing; add a section [[contest]]", "contest")
    contests = tuple(columns for section in sections if (columns := _contest(section)) is not None)
    if len({each.contest.id for each in contests}) != len(contests):
        table.find("two contests have the same id; give each its own", "contest")
    strata = table.integer("strata", 1, 0, len(levels) + 1)
    table.refuse_others()
    return Layout(
        name, title, publisher, date, timezone, file, aliases, derived, where, leave_out, root, levels, station, contests, strata
    )


def _file_format(table: Table) -> FileFormat:
    plain = FileFormat()
    encodings = table.texts("encoding", plain.encodings)
    for encoding in encodings:
        try:
            # "utf-8" among them: a name that Python knows and that decodes bytes to text, unlike "rot13" or "hex".
            "".encode(codecs.lookup(encoding).name)
        except (LookupError, ValueError):
            table.find(f'{encoding!r} is not a known encoding; write one such as "utf-8" or "latin-1"', "encoding")
    delimiter = table.text("delimiter", plain.delimiter)
    quote = table.text("quote", plain.quote)
    for key, sign in (("delimiter", delimiter), ("quote", quote)):
        if len(sign) != 1 or sign in "\r\n":
            table.find(f'{sign!r} is not one sign; write one such as "," or "\\t"', key)
    thousands, decimal = table.text("thousands"), table.text("decimal")
    for key, sign in (("thousands", thousands), ("decimal", decimal)):
        if len(sign) > 1 or sign.isdigit() or sign in ("-", "+"):
            table.find(f'{sign!r} cannot stand within a number; write one sign such as "," or "."', key)
    if thousands and thousands == decimal:
        table.find("the same sign as for thousands; a number could then mean two things", "decimal")
    found = FileFormat(
        encodings,
        delimiter,
        quote,
        table.integer("skip_lines", 0, 0, MAX_SKIPPED),
        table.boolean("row_count_line"),
        table.text("member"),
        table.texts("missing", plain.missing),
        thousands,
        decimal,
        table.texts("optional"),
    )
    table.refuse_others()
    return found


def _derived(table: Table) -> Derived | None:
    column = table.text("column", required=True)
    origin = table.text("from", required=True)
    written = table.text("pattern", required=True, example="'^0*(\\d+)$'")
    table.refuse_others()
    try:
        pattern = re.compile(written)
    except (re.error, RecursionError, OverflowError) as error:
        table.find(f"not a regular expression ({error}); correct it", "pattern")
        return None
    if pattern.groups != 1:
        table.find("needs exactly one group in parentheses, which becomes the column", "pattern")
        return None
    return Derived(column, origin, pattern)


def _template(table: Table, key: str, default: str) -> str:
    text = table.text(key, default)
    try:
        if any(name is not None and (not name or spec or turned) for _, name, spec, turned in string.Formatter().parse(text)):
            table.find("braces hold the name of a column and nothing else, such as '{NAME}'", key)
    except ValueError:
        table.find("braces do not close; write them around the name of a column, such as '{NAME}'", key)
        return default
    return text


def _level(table: Table) -> Level:
    columns = table.texts("id", required=True, example='["CODE"]')
    level = Level(
        read_id(table, "kind"),
        columns,
        _template(table, "name", " ".join(f"{{{column}}}" for column in columns)),
        table.boolean("within", default=True),
        table.text("empty"),
    )
    table.refuse_others()
    return level


def _station(table: Table) -> StationColumns:
    columns = table.texts("id", required=True, example='["CENTRE", "TABLE"]')
    station = StationColumns(
        read_id(table, "kind", required=False) or "station",
        columns,
        _template(table, "name", " ".join(f"{{{column}}}" for column in columns)),
        table.boolean("within"),
        table.texts("roll"),
        table.texts("no_roll"),
        _template(table, "source", ""),
        table.texts("time"),
        table.text("time_format", "epoch"),
    )
    table.refuse_others()
    return station


def _leave_out(table: Table) -> tuple[str, tuple[str, ...]]:
    marker = (table.text("column", required=True), table.texts("values", required=True, example='["TOTAL"]'))
    table.refuse_others()
    return marker


def _contest(table: Table) -> ContestColumns | None:
    figures: dict[str, Columns] = {figure: table.texts(figure) for figure in FIGURES}
    rows = _rows(table.table("rows")) if "rows" in table.values else None
    options: list[Columns] = []
    values: list[str] = []
    for section in table.tables("option"):
        if rows is None:
            options.append(section.texts("column"))
        else:
            values.append(section.text("value", section.text("name")))
    if rows is None and any(options) and not all(options):
        table.find("some options have a column and some have none; name the column of each", "option")
    if len(set(values)) != len(values):
        table.find("two options have the same value; give each its own", "option")
    contest = read_contest(table)
    if contest is None:
        return None
    return ContestColumns(
        contest, tuple(options), tuple(values), {key: columns for key, columns in figures.items() if columns}, rows
    )


def _rows(table: Table) -> RowPerOption:
    figure_table = table.table("figures")
    rows = RowPerOption(
        table.text("option", required=True, example='"candidate"'),
        table.texts("votes", required=True, example='["votes"]'),
        table.boolean("absent_is_zero"),
        {value: figure_table.choice(value, FIGURES, required=True) for value in figure_table.free_keys()},
    )
    table.refuse_others()
    return rows
