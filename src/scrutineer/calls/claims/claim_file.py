"""A claim as a small TOML file: what somebody announced, as a journalist writes it down. Text in, announcements out, and back.

A file has one section `[claim]`, or several `[[announcement]]`, the earliest first. The keys are those of the `claim` statement,
without the election. Percentages are texts, because `"51.20 %"` says more than `"51.2 %"` and a number in TOML cannot.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from scrutineer.calls.claims.announcement import BASES, MAX_TEXT, MAX_TOTAL, Announcement, Figure
from scrutineer.calls.claims.percent import RULES, Percent
from scrutineer.election.finding import Finding, summary
from scrutineer.election.toml_table import Table, parse_toml
from scrutineer.errors import CallError

MAX_ANNOUNCEMENTS: Final = 50
MAX_CLAIM_FILE: Final = 1024 * 1024  # bytes

TEXTS: Final = (("who", "announced_by"), ("when", "announced_at"), ("source", "source"))
"""Texts that every announcement has: the field of `Announcement`, and the key in the file and the statement."""
COUNTS: Final = ("stations", "stations_counted", "roll", "cast", "valid", "blank", "null")
PERCENTS: Final = (
    ("counted_percent", "counted"),
    ("turnout_percent", "turnout"),
    ("percent_of_valid", "valid_percent"),
    ("percent_of_blank", "blank_percent"),
    ("percent_of_null", "null_percent"),
)
_EXAMPLES: Final = {
    "announced_by": '"Electoral Commission"',
    "announced_at": '"2026-06-07 22:30"',
    "source": '"https://…"',
}
_CONTROL: Final = re.compile("[\x7f-\x9f\u2028\u2029]")


def parse_claims(data: bytes, file: str) -> tuple[Announcement, ...]:
    """Read the announcements of a claim file, in the order given, which is that of time.

    `file` is the name that errors show. Raises CallError that names file, line and field of everything that cannot be used.
    """
    findings: list[Finding] = []
    if len(data) > MAX_CLAIM_FILE:
        raise CallError(f"{file}: larger than {MAX_CLAIM_FILE // 1024 // 1024} MB, which is the most; shorten it")
    table = parse_toml(data, file, findings)
    announcements = [] if table is None else _read(table)
    if findings:
        raise CallError(summary(sorted(findings)))
    return tuple(announcements)


def write_claims(announcements: Sequence[Announcement]) -> str:
    """The file of one or several announcements; reading it gives them back."""
    several = len(announcements) != 1
    return "\n".join(_written(announcement, several) for announcement in announcements)


def _read(table: Table) -> list[Announcement]:
    single, several = "claim" in table.values, "announcement" in table.values
    sections = [table.table("claim")] if single else table.tables("announcement")
    if single and several:
        table.find("a file has one section [claim] or several [[announcement]], not both; rename one of them", "announcement")
    elif not sections:
        table.find("missing; add a section [claim] with announced_by, announced_at, source and figures", "claim")
    elif len(sections) > MAX_ANNOUNCEMENTS:
        table.find(f"{len(sections)} announcements are more than {MAX_ANNOUNCEMENTS}; split the file", "announcement")
        return []
    found = [_announcement(section) for section in sections]
    table.refuse_others()
    return [announcement for announcement in found if announcement is not None]


def _announcement(table: Table) -> Announcement | None:
    before = table.finding_count
    fields: dict[str, Any] = {field: _text(table, key, required=True) for field, key in TEXTS}
    fields |= {key: _text(table, key) for key in ("contest", "unit")}
    fields |= {key: _count(table, key) for key in COUNTS}
    fields |= {field: _percent(table, key) for field, key in PERCENTS}
    fields |= {key: table.choice(key, words) or None for key, words in (("base", BASES), ("rounding", RULES))}
    sections = table.tables("figures")
    if not sections and table.finding_count == before:
        table.find(f"missing; add a section [[{table.field('figures')}]] for each option, with name and votes or percent")
    figures = [_figure(section) for section in sections]
    table.refuse_others()
    if table.finding_count > before:
        return None
    try:
        return Announcement(figures=tuple(figure for figure in figures if figure is not None), **fields)
    except CallError as error:
        table.find(_bare(error))
        return None


def _figure(table: Table) -> Figure | None:
    before = table.finding_count
    name = _text(table, "name")
    option = _text(table, "option")
    if not (name or option).strip():
        table.find('missing; write name = "…" as the announcement calls the option', "name")
    votes = _count(table, "votes")
    percent = _percent(table, "percent")
    others = table.boolean("others")
    table.refuse_others()
    if table.finding_count > before:
        return None
    try:
        return Figure(name or option, votes, percent, others, option)
    except CallError as error:
        table.find(_bare(error))
        return None


def _text(table: Table, key: str, *, required: bool = False) -> str:
    text = table.text(key, required=required, example=_EXAMPLES.get(key, '"…"'))
    if len(text) > MAX_TEXT:
        table.find(f"{len(text)} characters are more than {MAX_TEXT}; shorten it", key)
    return text


def _count(table: Table, key: str) -> int | None:
    """A number that may be left out, which is not zero."""
    count = table.integer(key, 0, 0, MAX_TOTAL)
    return count if key in table.values else None


def _percent(table: Table, key: str) -> Percent | None:
    """A percentage with the digits given: '51.20 %', '51.20%', '51,20 %' or '51.20'."""
    written = table.text(key, example='"51.2 %"')
    if not written:
        return None
    try:
        return Percent(written.strip().removesuffix("%").strip().replace(",", "."))
    except CallError as error:
        table.find(str(error), key)
        return None


def _bare(error: CallError) -> str:
    """What an error says without the words that the finding's place says already."""
    return str(error).removeprefix("announcement: ")


def _written(announcement: Announcement, several: bool) -> str:
    name = "announcement" if several else "claim"
    lines = [f"[[{name}]]" if several else f"[{name}]"]
    lines += [f"{key} = {_quoted(getattr(announcement, field))}" for field, key in TEXTS]
    lines += [f"{key} = {_quoted(text)}" for key in ("contest", "unit") if (text := getattr(announcement, key))]
    lines += [f"{key} = {_quoted(word)}" for key in ("base", "rounding") if (word := getattr(announcement, key)) is not None]
    lines += [f"{key} = {count}" for key in COUNTS if (count := getattr(announcement, key)) is not None]
    lines += [f'{key} = "{percent}"' for field, key in PERCENTS if (percent := getattr(announcement, field)) is not None]
    for figure in announcement.figures:
        lines += ["", f"[[{name}.figures]]", f"name = {_quoted(figure.name)}"]
        if figure.option:
            lines.append(f"option = {_quoted(figure.option)}")
        if figure.votes is not None:
            lines.append(f"votes = {figure.votes}")
        if figure.percent is not None:
            lines.append(f'percent = "{figure.percent}"')
        if figure.others:
            lines.append("others = true")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes, and those control characters that JSON leaves as they are."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
