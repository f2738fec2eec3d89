"""Reads candidate totals by batch, as Arlo takes them: a CSV file with the name of each batch and a column for each option.

With one contest the columns are named by the options, with several `<contest> - <option>`; contests and options go by title and
name, or by their ids. Every box of the manifest has a row, and every row a box. The file does not say on how many cards no mark
counts: what the votes leave over is taken for it, the least that it can be.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scrutineer.audits.cards.sources import opened
from scrutineer.audits.manifest import MOST_BYTES, MOST_CARDS, Manifest
from scrutineer.audits.plan_totals import Row, Totals
from scrutineer.election import Contest
from scrutineer.errors import AuditError

_NAMES: Final = ("Batch Name", "Batch", "Box")


def read_batch_totals(path: Path, contests: Sequence[Contest], manifest: Manifest) -> Totals:
    """The totals of some contests by box of the manifest. Raises AuditError, naming the line."""
    with opened(path) as sources:
        if len(sources) != 1:
            raise AuditError(f"{path.name}: {len(sources)} files; give the one that holds the totals, as CSV")
        data = sources[0].small(MOST_BYTES)
    name = path.name
    try:
        table = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = [" ".join(cell.split()) for cell in next(table, [])]
        batch = next((place for place, cell in enumerate(header) if cell in _NAMES), None)
        if batch is None:
            raise AuditError(f"{name}, line 1: no column is called {_NAMES[0]}; add a row of column names at the top")
        columns = {contest.id: _columns(name, header, contest, alone=len(contests) == 1) for contest in contests}
        rows: dict[tuple[str, str], Row] = {}
        seen: dict[str, int] = {}
        for cells in table:
            if not any(cell.strip() for cell in cells):
                continue
            line = table.line_num
            if len(cells) != len(header):
                raise AuditError(f"{name}, line {line}: {len(cells)} cells, and the header has {len(header)}; correct the line")
            box = " ".join(cells[batch].split())
            if box not in manifest.index:
                raise AuditError(f"{name}, line {line}: the manifest has no box {box!r}; use the same names in both")
            if box in seen:
                raise AuditError(f"{name}, line {line}: box {box!r} stands there again, as in line {seen[box]}; count it once")
            seen[box] = line
            cards = int(manifest.cards[manifest.index[box]])
            for contest in contests:
                votes = tuple(_number(name, line, header[place], cells[place]) for place in columns[contest.id])
                if sum(votes) > cards * contest.max_choices or max(votes) > cards:
                    raise AuditError(
                        f"{name}, line {line}: {sum(votes)} votes in contest {contest.title!r} cannot stand on {cards} cards; "
                        "correct the totals or the manifest"
                    )
                rows[box, contest.id] = (cards, max(0, cards - sum(votes)), votes)
    except UnicodeDecodeError as error:
        raise AuditError(f"{name}: byte {error.start} is not UTF-8; save the file as CSV in UTF-8") from error
    except csv.Error as error:
        raise AuditError(f"{name}, line {table.line_num}: not a row of a CSV file ({error}); save it as CSV anew") from error
    missing = [box for box in manifest.boxes if box not in seen]
    if missing:
        raise AuditError(f"{name}: has no totals of box {missing[0]!r} and {len(missing) - 1} others; give a row for each box")
    return Totals(rows)


def _columns(name: str, header: Sequence[str], contest: Contest, *, alone: bool) -> tuple[int, ...]:
    """The column of each option."""
    found: list[int] = []
    for option in contest.options:
        wanted = {f"{title} - {each}" for title in (contest.title, contest.id) for each in (option.name, option.id)}
        if alone:
            wanted |= {option.name, option.id}
        places = [place for place, cell in enumerate(header) if cell in wanted]
        if len(places) != 1:
            raise AuditError(
                f"{name}, line 1: {len(places)} columns for option {option.name!r} of contest {contest.title!r}; name one "
                f"{contest.title + ' - ' + option.name!r}"
            )
        found += places
    return tuple(found)


def _number(name: str, line: int, column: str, cell: str) -> int:
    digits = cell.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(MOST_CARDS)) and int(digits) <= MOST_CARDS):
        raise AuditError(f"{name}, line {line}: {cell[:24]!r} in column {column!r} is not a number of votes; write digits alone")
    return int(digits)
