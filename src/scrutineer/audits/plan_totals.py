"""Reported totals by box, as a plan commits to them.

Canonical form: a CSV file in UTF-8 with the columns `box,contest,cards,rest,votes`, one line for each contest of each box that
holds it, boxes in ascending order of their bytes and then contests of their ids, ended by LF. `cards` is how many cards of the
contest have to be found in the box (how many can lie in it at most says the manifest), `rest` how many of them bear no mark that
counts, and `votes` the votes by option in the order of the definition, with spaces between them. A box that was not counted has
zeros there: whatever lies in it was not reported.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.manifest import MOST_BYTES, Manifest
from scrutineer.errors import AuditError

HEADER: Final = ("box", "contest", "cards", "rest", "votes")
MOST: Final = 2**31 - 1
_DIGITS: Final = len(str(MOST))

Row = tuple[int, int, tuple[int, ...]]
"""Cards, rest and votes of one contest in one box."""


@dataclass(frozen=True, eq=False)
class ContestTotals:
    """One contest by box of the manifest; zeros where a box does not hold it."""

    holds: NDArray[np.bool_]
    most: NDArray[np.int64]
    """How many cards of the contest can lie in the box at most: what the manifest says of a box that holds it."""
    cards: NDArray[np.int64]
    """How many cards of the contest have to be found in the box: each that is missing counts as the worst that it can be."""
    rest: NDArray[np.int64]
    votes: NDArray[np.int64]
    """Shape (boxes, options)."""


@dataclass(frozen=True)
class Totals:
    """What was reported by box and contest. Raises AuditError for numbers that are none, and votes of several lengths."""

    rows: Mapping[tuple[str, str], Row]
    """By box and contest."""

    def __post_init__(self) -> None:
        options: dict[str, int] = {}
        for (box, contest), (cards, rest, votes) in self.rows.items():
            if any(not 0 <= number <= MOST for number in (cards, rest, *votes)):
                raise AuditError(f"totals of box {box!r}, contest {contest!r}: a number is not from 0 to {MOST}")
            if options.setdefault(contest, len(votes)) != len(votes) or not votes:
                raise AuditError(f"totals of box {box!r}, contest {contest!r}: give one number of votes for each option")
            if rest > cards or max(votes) > cards - rest:
                raise AuditError(
                    f"totals of box {box!r}, contest {contest!r}: {cards} cards cannot bear these votes; "
                    "correct the number of cards in the manifest"
                )

    def encode(self) -> bytes:
        """The canonical form."""
        out = io.StringIO(newline="")
        table = csv.writer(out, lineterminator="\n")
        table.writerow(HEADER)
        for box, contest in sorted(self.rows, key=lambda key: (key[0].encode(), key[1])):
            cards, rest, votes = self.rows[box, contest]
            table.writerow((box, contest, cards, rest, " ".join(map(str, votes))))
        return out.getvalue().encode()

    def of(self, contest: str, manifest: Manifest) -> ContestTotals:
        """One contest by box. Raises AuditError for a box that is not in the manifest, or has fewer cards there."""
        found = [(box, row) for (box, held), row in self.rows.items() if held == contest]
        if not found:
            raise AuditError(f"no box holds contest {contest!r}; it cannot be audited with these totals")
        boxes = len(manifest.boxes)
        holds = np.zeros(boxes, np.bool_)
        cards, rest = np.zeros(boxes, np.int64), np.zeros(boxes, np.int64)
        votes = np.zeros((boxes, len(found[0][1][2])), np.int64)
        for box, row in found:
            place = manifest.index.get(box)
            if place is None:
                raise AuditError(f"box {box!r} has totals and is not in the manifest: find out what lies where before you go on")
            if row[0] > int(manifest.cards[place]):
                raise AuditError(
                    f"box {box!r} has {manifest.cards[place]} cards in the manifest and {row[0]} in the totals of contest "
                    f"{contest!r}: find out which is right before you go on"
                )
            holds[place] = True
            cards[place], rest[place], votes[place] = row
        return ContestTotals(holds, np.where(holds, manifest.cards, 0), cards, rest, votes)


def read_totals(data: bytes) -> Totals:
    """The totals of a file in canonical form. Raises AuditError, naming the line, for anything else."""
    if len(data) > MOST_BYTES:
        raise AuditError(f"totals: {len(data)} bytes are more than the file may have ({MOST_BYTES})")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise AuditError(f"totals: byte {error.start} is not UTF-8; save the file as CSV in UTF-8") from error
    rows: dict[tuple[str, str], Row] = {}
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(next(table, ())) != HEADER:
            raise AuditError(f"totals, line 1: the canonical form starts with the line {','.join(HEADER)}")
        for cells in table:
            if len(cells) != len(HEADER):
                raise AuditError(f"totals, line {table.line_num}: give {len(HEADER)} cells")
            key = (cells[0], cells[1])
            if key in rows:
                raise AuditError(f"totals, line {table.line_num}: box {key[0]!r} has contest {key[1]!r} twice")
            cards, rest, *votes = (_number(cell, table.line_num) for cell in (cells[2], cells[3], *cells[4].split(" ")))
            rows[key] = (cards, rest, tuple(votes))
    except csv.Error as error:
        raise AuditError(f"totals, line {table.line_num}: not a line of a CSV file ({error})") from error
    totals = Totals(rows)
    if totals.encode() != data:
        raise AuditError("totals: not in canonical form (order of boxes and contests, quotes, line ends, leading zeros)")
    return totals


def _number(cell: str, line: int) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) <= _DIGITS):
        raise AuditError(f"totals, line {line}: {cell[:24]!r} is not a number from 0 to {MOST}")
    return int(cell)
