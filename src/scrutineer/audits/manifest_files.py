"""Reads manifests as others write them: tables of Arlo, Dominion, Hart and Colorado, and published counts of stations.

| column | names that are known (case, spaces and `#` do not matter) |
|---|---|
| number of cards | `Number of Ballots`, `Total Ballots`, `NumBallots`, `Cards` |
| batch | `Batch Name`, `Batch Number`, `BatchID`, `Batch`, `Box` |
| tabulator (may be missing) | `Tabulator`, `Tabulator Number`, `TabulatorID`, `ScannerID` |
| where it is kept (may be missing, several are joined) | `Container`, `Cart`, `VBMCart.Cart number`, `Tray`, `StorageLocation` |
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.sources import opened
from scrutineer.audits.manifest import HEADER, MOST_BYTES, MOST_CARDS, Manifest, read_manifest
from scrutineer.errors import AuditError

_COUNTS: Final = ("numberofballots", "totalballots", "numballots", "cards")
_BATCHES: Final = ("batchname", "batchnumber", "batchid", "batch", "box")
_TABULATORS: Final = ("tabulator", "tabulatornumber", "tabulatorid", "scannerid")
_PLACES: Final = ("container", "cart", "vbmcartcartnumber", "tray", "storagelocation")


@dataclass(frozen=True, slots=True)
class FoundManifest:
    """A manifest, and what the file says of its boxes besides."""

    manifest: Manifest
    places: Mapping[str, str]
    """By box: container, cart, tray or store, where the file has it."""
    batches: Mapping[str, str]
    """By box: the name of the batch alone, without tabulator and container."""

    def named(self, cards: Cards) -> Cards:
        """The cards with the names of boxes, where their records name the batch alone and only one box has it."""
        often = Counter(self.batches.values())
        boxes = {batch: box for box, batch in self.batches.items() if often[batch] == 1}
        names = tuple(name if name in self.manifest.index else boxes.get(name, name) for name in cards.batches)
        return replace(cards, batches=names) if len(set(names)) == len(names) else cards


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    place: str
    tabulator: str
    batch: str
    cards: int


def read_manifest_file(path: Path) -> FoundManifest:
    """The manifest in a CSV file of any of the layouts named above, or in canonical form.

    A box is named `tabulator-batch` where the file names tabulators, as records of cards name it, and otherwise by its batch;
    where that would name two boxes alike and the file says where they are kept, all are named `place-tabulator-batch`. Raises
    AuditError, naming the line.
    """
    with opened(path) as sources:
        if len(sources) != 1:
            raise AuditError(f"{path.name}: {len(sources)} files; give the one that holds the manifest, as CSV")
        data = sources[0].small(MOST_BYTES)
    if data.startswith(",".join(HEADER).encode() + b"\n"):
        manifest = read_manifest(data)
        return FoundManifest(manifest, {}, {box: box for box in manifest.boxes})
    rows = _rows(path.name, data)
    names = ["-".join(filter(None, (row.tabulator, row.batch))) for row in rows]
    if len(set(names)) != len(names) and all(row.place for row in rows):
        names = ["-".join(filter(None, (row.place, row.tabulator, row.batch))) for row in rows]
    lines: dict[str, int] = {}
    for row, name in zip(rows, names, strict=True):
        if name in lines:
            raise AuditError(
                f"{path.name}, line {row.line}: box {name!r} stands there again, as in line {lines[name]}; count it once, or "
                "give the two boxes different names"
            )
        lines[name] = row.line
    try:
        manifest = Manifest.of((name, row.cards) for name, row in zip(names, rows, strict=True))
    except AuditError as error:
        raise AuditError(f"{path.name}: {error}") from error
    return FoundManifest(
        manifest,
        {name: row.place for name, row in zip(names, rows, strict=True) if row.place},
        {name: row.batch for name, row in zip(names, rows, strict=True)},
    )


def manifest_of_stations(cards: Mapping[str, int]) -> Manifest:
    """The manifest of stations whose published sheets say how many ballots were found. Raises AuditError as Manifest does."""
    return Manifest.of(cards.items())


def _rows(name: str, data: bytes) -> list[_Row]:
    if data.startswith(b"PK"):
        raise AuditError(f"{name}: a spreadsheet; save it as CSV in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AuditError(f"{name}: byte {error.start} is not UTF-8; save the file as CSV in UTF-8") from error
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[_Row] = []
    try:
        header = [re.sub(r"[^a-z]", "", cell.lower()) for cell in next(table, [])]
        count, batch = _column(name, header, _COUNTS), _column(name, header, _BATCHES)
        if count is None or batch is None:
            missing = "number of cards (call it 'cards')" if count is None else "box (call it 'box')"
            raise AuditError(
                f"{name}, line 1: no column says the {missing}; put a row of column names at the top, with commas between them"
            )
        tabulator = _column(name, header, _TABULATORS)
        places = [place for place, cell in enumerate(header) if cell in _PLACES]
        for cells in table:
            if not any(cell.strip() for cell in cells):
                continue
            line = table.line_num
            if len(cells) != len(header):
                raise AuditError(f"{name}, line {line}: {len(cells)} cells, and the header has {len(header)}; correct the line")
            own = [" ".join(cell.split()) for cell in cells]
            if not own[batch] or (tabulator is not None and not own[tabulator]):
                raise AuditError(
                    f"{name}, line {line}: the batch or the tabulator has no name; fill it in, or leave a row of totals out"
                )
            found.append(
                _Row(
                    line,
                    " ".join(own[place] for place in places if own[place]),
                    own[tabulator] if tabulator is not None else "",
                    own[batch],
                    _number(name, line, own[count]),
                )
            )
    except csv.Error as error:
        raise AuditError(f"{name}, line {table.line_num}: not a row of a CSV file ({error}); save it as CSV anew") from error
    if not found:
        raise AuditError(f"{name}: lists no box; give the whole manifest")
    return found


def _column(name: str, header: list[str], known: tuple[str, ...]) -> int | None:
    places = [place for place, cell in enumerate(header) if cell in known]
    if len(places) > 1:
        raise AuditError(f"{name}, line 1: columns {places[0] + 1} and {places[1] + 1} both say it; leave one of them out")
    return places[0] if places else None


def _number(name: str, line: int, cell: str) -> int:
    if not cell:
        raise AuditError(f"{name}, line {line}: the number of cards is missing; count the cards in the box")
    if cell.startswith("-") and cell[1:].isdecimal():
        raise AuditError(f"{name}, line {line}: {cell} cards in a box cannot be; count the cards in the box")
    if not (cell.isascii() and cell.isdigit() and len(cell) <= len(str(MOST_CARDS)) and int(cell) <= MOST_CARDS):
        raise AuditError(
            f"{name}, line {line}: {cell[:24]!r} is not a number of cards from 0 to {MOST_CARDS}; write digits alone, "
            "without marks of thousands"
        )
    return int(cell)
