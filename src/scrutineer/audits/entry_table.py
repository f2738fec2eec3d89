"""The table into which people write what they saw: rows as one person typed them, read from CSV, JSON or TOML.

It has one row for each contest that is asked about in a box, or on a drawn card. Columns: `box`, `position` (of a card; empty for
a whole box), `contest`, `status` (counted, not-on-card, missing or illegible), `cards`, `blank`, `null`, `votes`,
`discrepancies`, `note`, `images`. For a box `votes` are numbers in the order of the definition, and `-` is one that nobody
counted; for a card they are the ids of the options marked, with spaces between them, and an empty cell says that no mark counts.
Any other empty cell is unknown, which is not zero. That a contest is not on a card is said in its row, never by leaving it out.
"""

import csv
import io
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from scrutineer.errors import AuditError, ScrutineerError
from scrutineer.statements.audit import check_box
from scrutineer.statements.codec import one_line
from scrutineer.statements.tally_sheet import MAX_COUNT

COLUMNS: Final = ("box", "position", "contest", "status", "cards", "blank", "null", "votes", "discrepancies", "note", "images")
FIGURES: Final = COLUMNS[3:]
"""The columns that say what was seen, which two people are compared by."""
NOT_ON_CARD: Final = "not-on-card"
"""The status of a row whose contest is not on the card."""
STATES: Final = ("counted", NOT_ON_CARD, "missing", "illegible")
MAX_ROWS: Final = 1_000_000
MAX_ENTRY_FILE: Final = 1 << 28  # bytes

Key = tuple[str, int, str]
"""Box, position and contest."""


@dataclass(frozen=True)
class Entered:
    """One person's rows."""

    by: str
    rows: Mapping[Key, Mapping[str, str]]
    table: str = ""
    """The file that they were read from, for messages; empty where they come of several people."""

    @cached_property
    def by_box(self) -> Mapping[str, Mapping[Key, Mapping[str, str]]]:
        """The rows of each box."""
        found: dict[str, dict[Key, Mapping[str, str]]] = {}
        for key, row in self.rows.items():
            found.setdefault(key[0], {})[key] = row
        return found

    def boxes(self) -> tuple[str, ...]:
        """The boxes of which something was entered, in the order of their bytes."""
        return tuple(sorted(self.by_box, key=str.encode))

    def where(self, box: str) -> str:
        """How messages name a box of this table."""
        return f"{self.table} ({self.by}), box {box!r}" if self.table else f"box {box!r}"


def read_entries(data: bytes, by: str, where: str) -> Entered:
    """The rows of a CSV, JSON (a list of objects) or TOML file (tables called `row`).

    Raises AuditError, naming the line or row, for what is no such table, and for a box or card whose contest stands there twice.
    """
    found: dict[Key, Mapping[str, str]] = {}
    for at, row in _rows(_text_of(data, where), where):
        if unknown := sorted(set(row) - set(COLUMNS)):
            raise AuditError(f"{at}: there is no column {unknown[0][:40]!r}; use {', '.join(COLUMNS)}")
        key = _key(row, at)
        if key in found:
            card = f", card {key[1]}" if key[1] else ""
            raise AuditError(
                f"{at}: box {key[0]!r}{card}, contest {key[2][:64]!r} was entered before in this file; keep one of the rows"
            )
        status = row.get("status", "").strip() or "counted"
        if status not in STATES:
            raise AuditError(f"{at}: status is {status[:24]!r}: write {', '.join(STATES[:-1])} or {STATES[-1]}")
        if status == "counted" and "votes" not in row:
            raise AuditError(f"{at}: there is no column 'votes', and the status is counted: write what was seen into it")
        found[key] = {name: " ".join(row.get(name, "").split()) for name in FIGURES} | {"status": status}
        if len(found) > MAX_ROWS:
            raise AuditError(f"{where}: more than {MAX_ROWS} rows")
    if not found:
        raise AuditError(f"{where}: there is no row; write one for each contest of a box or card")
    return Entered(by, found, where)


def count_in(cell: str, where: str, unknown: str = "leave the cell empty where nobody counted") -> int:
    """The count that a cell holds. Raises AuditError for anything but digits; `unknown` says how to write that nobody counted."""
    if not (cell.isascii() and cell.isdigit() and len(cell) <= len(str(MAX_COUNT)) and int(cell) <= MAX_COUNT):
        raise AuditError(f"{where}: {cell[:24]!r} is not a number from 0 to {MAX_COUNT} in digits alone; {unknown}")
    return int(cell)


def _key(row: Mapping[str, str], at: str) -> Key:
    box, position = row.get("box", "").strip(), row.get("position", "").strip()
    try:
        check_box(box)
    except ScrutineerError as error:
        raise AuditError(f"{at}: {one_line(error)}") from error
    place = count_in(position, f"{at}, position", "leave the cell empty for a whole box") if position else 0
    if position and not place:
        raise AuditError(f"{at}: position is 0: the first card of a box is 1; leave the cell empty for a whole box")
    return box, place, row.get("contest", "").strip()


def _text_of(data: bytes, where: str) -> str:
    if len(data) > MAX_ENTRY_FILE:
        raise AuditError(f"{where}: {len(data)} bytes are more than a table of counts may have")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise AuditError(f"{where} is a file of a spreadsheet program: save it there as CSV, with commas, in UTF-8")
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise AuditError(f"{where}: byte {error.start} is not UTF-8; save the file in UTF-8") from error
    if not text.strip():
        raise AuditError(f"{where} is empty: write a row for each contest of a box or card")
    return text


def _rows(text: str, where: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every row, and how messages name it."""
    begin = text.lstrip()
    try:
        if begin[:1] in ("[", "{") and begin[:2] != "[[":
            rows: Any = json.loads(text, object_pairs_hook=_each_once)
        elif begin[:2] == "[[":
            rows = tomllib.loads(text).get("row")
        else:
            yield from _csv_rows(text, where)
            return
    except (ValueError, RecursionError, csv.Error) as error:
        raise AuditError(f"{where} cannot be read ({one_line(error)}): write CSV, a JSON list, or TOML tables [[row]]") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise AuditError(f"{where}: write a list of rows, each with {', '.join(COLUMNS)}")
    for number, row in enumerate(rows, 1):
        at = f"{where}, row {number}"
        yield at, {str(name): _text(value, at) for name, value in row.items()}


def _csv_rows(text: str, where: str) -> Iterator[tuple[str, dict[str, str]]]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    head = next(lines, [])
    if missing := [name for name in ("box", "contest") if name not in head]:
        first = text.lstrip().splitlines()[0]
        other = next((name for sign, name in ((";", "semicolons"), ("\t", "tabs")) if "," not in first and sign in first), "")
        if other:
            raise AuditError(f"{where}, line 1: {other} stand between the cells: save the table as CSV with commas")
        raise AuditError(f"{where}, line 1: there is no column {missing[0]!r}; use {', '.join(COLUMNS)}")
    if twice := [name for name in head if head.count(name) > 1]:
        raise AuditError(f"{where}, line 1: the column {twice[0][:40]!r} stands there twice; keep one of them")
    for cells in lines:
        at = f"{where}, line {lines.line_num}"
        if not cells:
            continue
        if len(cells) != len(head):
            raise AuditError(
                f"{at}: {len(cells)} cells, and the first line has {len(head)}: numbers of votes have spaces between them, and a "
                "text with commas stands in quotation marks"
            )
        yield at, dict(zip(head, cells, strict=True))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)[:40]!r} stands twice in one row")
    return found


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(_text(part, where) if part is not None else "-" for part in value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise AuditError(f"{where}: {str(value)[:24]!r} is neither a whole number nor text")
    return str(value)
