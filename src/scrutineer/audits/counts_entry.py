"""Entering what was counted: rows as two people typed them, each by himself, and what differs between them, field by field.

A table has one row for each contest of a box, or of a drawn card. Columns: `box`, `position` (of a card; empty for a whole box),
`contest`, `status` (counted, missing or illegible), `cards`, `blank`, `null`, `votes`, `discrepancies`, `note`, `images`. For a
box `votes` are numbers in the order of the definition, for a card the ids of the options marked, with spaces between them; `-` is
one that nobody counted. An empty cell is unknown, which is not zero. Only where both people entered the same does a count come of
it.
"""

import csv
import io
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scrutineer.election import Election
from scrutineer.errors import AuditError, ScrutineerError
from scrutineer.statements.audit import DISCREPANCIES, AuditCount, BoxTotals, CardMarks, check_box
from scrutineer.statements.codec import from_struct, one_line, to_struct
from scrutineer.statements.tally_sheet import MAX_COUNT

COLUMNS: Final = ("box", "position", "contest", "status", "cards", "blank", "null", "votes", "discrepancies", "note", "images")
MAX_ROWS: Final = 1_000_000
MAX_ENTRY_FILE: Final = 1 << 28  # bytes
_FIGURES: Final = ("status", "cards", "blank", "null", "votes", "discrepancies", "note", "images")

Key = tuple[str, int, str]
"""Box, position and contest."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two people differ."""

    box: str
    position: int
    contest: str
    field: str
    first: str
    second: str

    def __str__(self) -> str:
        card = f", card {self.position}" if self.position else ""
        return f"box {self.box}{card}, {self.contest or 'all contests'}: {self.field} is {self.first!r} and {self.second!r}"


@dataclass(frozen=True)
class Entered:
    """One person's rows. Raises AuditError for a unit that was entered twice."""

    by: str
    rows: Mapping[Key, Mapping[str, str]]

    def boxes(self) -> tuple[str, ...]:
        """The boxes of which something was entered, in the order of their bytes."""
        return tuple(sorted({box for box, _, _ in self.rows}, key=str.encode))


def read_entries(data: bytes, by: str, where: str) -> Entered:
    """The rows of a CSV, JSON (a list of objects) or TOML file (tables called `row`). Raises AuditError, naming the row."""
    if len(data) > MAX_ENTRY_FILE:
        raise AuditError(f"{where}: {len(data)} bytes are more than a table of counts may have")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise AuditError(f"{where}: byte {error.start} is not UTF-8; save the file in UTF-8") from error
    found: dict[Key, Mapping[str, str]] = {}
    for number, row in enumerate(_rows(text, where), 1):
        at = f"{where}, row {number}"
        if unknown := sorted(set(row) - set(COLUMNS)):
            raise AuditError(f"{at}: there is no column {unknown[0][:40]!r}; use {', '.join(COLUMNS)}")
        key = _key(row, at)
        if key in found:
            raise AuditError(f"{at}: box {key[0]!r} was entered before in this file; keep one of the rows")
        if row.get("status", "") not in ("", "counted", "missing", "illegible"):
            raise AuditError(f"{at}: status is {row['status'][:24]!r}: write counted, missing or illegible")
        found[key] = {name: " ".join(row.get(name, "").split()) for name in _FIGURES} | {"status": row.get("status") or "counted"}
        if len(found) > MAX_ROWS:
            raise AuditError(f"{where}: more than {MAX_ROWS} rows")
    if not found:
        raise AuditError(f"{where}: there is no row; write one for each contest of a box or card")
    return Entered(by, found)


def differences(first: Entered, second: Entered) -> tuple[Difference, ...]:
    """Every field in which two people differ; a row that only one has is a difference too. Notes may be worded differently."""
    found = []
    boxes = set(first.boxes()) & set(second.boxes())
    for key in sorted(first.rows.keys() | second.rows.keys(), key=lambda key: (key[0].encode(), key[1], key[2])):
        if key[0] not in boxes:
            continue
        one, other = first.rows.get(key), second.rows.get(key)
        if one is None or other is None:
            found.append(Difference(*key, "row", "there" if one else "missing", "there" if other else "missing"))
            continue
        found += [
            Difference(*key, name, one[name], other[name]) for name in _FIGURES if name != "note" and one[name] != other[name]
        ]
    return tuple(found)


def count_of(
    entered: Entered,
    box: str,
    election: Election,
    plan: bytes,
    people: Sequence[str],
    *,
    replaces: bytes | None = None,
    why: str = "",
) -> AuditCount:
    """The count of one box, as the rows say. Raises AuditError for rows that say what no count may hold."""
    rows = {key: row for key, row in entered.rows.items() if key[0] == box}
    notes = [row["note"] for row in rows.values() if row["note"]]
    reasons = {code for row in rows.values() for code in row["discrepancies"].split()}
    if strange := sorted(reasons - set(DISCREPANCIES)):
        raise AuditError(f"box {box!r}: {strange[0][:40]!r} is no reason for a difference: use {', '.join(DISCREPANCIES)}")
    whole = {key: row for key, row in rows.items() if key[1] == 0}
    if whole and len(whole) < len(rows):
        raise AuditError(f"box {box!r}: rows of the whole box and of single cards stand side by side: enter one or the other")
    status = "counted"
    states = {row["status"] for row in whole.values()}
    if states - {"counted"}:
        if len(whole) > 1:
            raise AuditError(f"box {box!r} is {min(states - {'counted'})}: give it one row, without a contest")
        status = states.pop()
    try:
        count = AuditCount(
            election=election.hash,
            plan=plan,
            box=box,
            status=status,  # type: ignore[arg-type]
            totals=_totals(whole, election) if whole and status == "counted" else (),
            cards=() if whole else _cards(rows, election),
            counted_by=tuple(people),
            images=tuple(sorted({bytes.fromhex(one) for row in rows.values() for one in row["images"].split()})),
            discrepancies=tuple(code for code in DISCREPANCIES if code in reasons),
            note=" ".join([*([why] if why else []), *dict.fromkeys(notes)])[:2_000],
            replaces=replaces,
        )
        return to_struct(from_struct(count), AuditCount, "count")
    except (ScrutineerError, ValueError) as error:
        raise AuditError(f"box {box!r}: {one_line(error)}") from error


def _totals(rows: Mapping[Key, Mapping[str, str]], election: Election) -> tuple[BoxTotals, ...]:
    found = []
    for (box, _, contest), row in sorted(rows.items(), key=lambda item: item[0][2]):
        options = _options(election, contest, box)
        counts = tuple(None if cell == "-" else _number(cell, box) for cell in row["votes"].split())
        if len(counts) != len(options):
            raise AuditError(f"{len(counts)} numbers of votes in contest {contest!r}, which has {len(options)} options")
        figures = {name: None if row[name] in ("", "-") else _number(row[name], box) for name in ("cards", "blank", "null")}
        found.append(BoxTotals(contest=contest, counts=counts, **figures))
    return tuple(found)


def _cards(rows: Mapping[Key, Mapping[str, str]], election: Election) -> tuple[CardMarks, ...]:
    cards: dict[int, dict[str, tuple[int, ...]]] = {}
    absent: dict[int, str] = {}
    for (box, position, contest), row in rows.items():
        if row["status"] != "counted":
            absent[position] = row["status"]
            continue
        own = cards.setdefault(position, {})
        if not contest:
            continue
        options = _options(election, contest, box)
        ranked = election.contests[election.contest_index[contest]].rule == "ranked"
        unknown = [name for name in row["votes"].split() if name not in options]
        if unknown:
            raise AuditError(f"card {position}: contest {contest!r} has no option {unknown[0][:40]!r}")
        marks = [options.index(name) for name in row["votes"].split()]
        own[contest] = tuple(marks if ranked else sorted(marks))
    if both := sorted(cards.keys() & absent.keys()):
        raise AuditError(f"card {both[0]} is {absent[both[0]]}, and has marks all the same")
    found = [CardMarks(position=position, marks=marks) for position, marks in cards.items()]
    found += [CardMarks(position=position, status=status) for position, status in absent.items()]  # type: ignore[arg-type]
    return tuple(sorted(found, key=lambda card: card.position))


def _options(election: Election, contest: str, box: str) -> list[str]:
    number = election.contest_index.get(contest)
    if number is None:
        raise AuditError(f"there is no contest {contest[:64]!r}: name one in each row of box {box!r}")
    return [option.id for option in election.contests[number].options]


def _key(row: Mapping[str, str], at: str) -> Key:
    box, position = row.get("box", "").strip(), row.get("position", "").strip()
    try:
        check_box(box)
    except ScrutineerError as error:
        raise AuditError(f"{at}: {one_line(error)}") from error
    return box, _number(position, at) if position else 0, row.get("contest", "").strip()


def _number(cell: str, where: str) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) <= len(str(MAX_COUNT)) and int(cell) <= MAX_COUNT):
        raise AuditError(f"{where}: {cell[:24]!r} is not a number from 0 to {MAX_COUNT}; leave a cell empty where nobody counted")
    return int(cell)


def _rows(text: str, where: str) -> Iterable[dict[str, str]]:
    try:
        if text.lstrip()[:1] == "[" and text.lstrip()[:2] != "[[":
            rows = json.loads(text)
        elif text.lstrip()[:2] == "[[":
            rows = tomllib.loads(text).get("row")
        else:
            table = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
            if missing := {"box", "contest"} - set(table.fieldnames or ()):
                raise AuditError(f"{where}, line 1: there is no column {min(missing)!r}; use {', '.join(COLUMNS)}")
            rows = list(table)
            if any(None in row or None in row.values() for row in rows):
                raise AuditError(f"{where}: a row has more or fewer cells than the first line")
    except (ValueError, RecursionError, csv.Error) as error:
        raise AuditError(f"{where} cannot be read ({one_line(error)}): write CSV, a JSON list, or TOML tables [[row]]") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise AuditError(f"{where}: write a list of rows, each with {', '.join(COLUMNS)}")
    return [{str(name): _text(value, where) for name, value in row.items()} for row in rows]


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(_text(part, where) if part is not None else "-" for part in value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise AuditError(f"{where}: {str(value)[:24]!r} is neither a whole number nor text")
    return str(value)
