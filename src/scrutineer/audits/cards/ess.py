"""Reads cast vote records of ES&S: a folder or zip with one CSV file of votes and one or more of ballots.

The file of votes has a row for each card: its number (`Cast Vote Record`), more about it, and by contest the chosen option,
`undervote` or `overvote` (both count as no mark), or an empty cell where the card does not hold the contest. Columns of the same
contest are several votes of one card. The files of ballots say for each number in which `Batch` the card lies and its `Tabulator
CVR`. They come in two layouts: with a `Machine`, and without; then the first four of the ten digits of `Tabulator CVR` are the
tabulator. They may start with a page of titles, whose first cell is `Ballots`, and end with a row of totals.

A batch is `tabulator-batch`; the place in it is given by the last six of ten digits, and not known where `Tabulator CVR` has
sixteen hexadecimal digits, which are printed on the card. Which options a contest has is known only from the votes; they are
sorted by name.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scrutineer.audits.cards.assembly import Assembly, Shape
from scrutineer.audits.cards.marks_table import Head, blocks, place_of
from scrutineer.audits.cards.model import ABSENT, Cards
from scrutineer.audits.cards.sources import Counted, Progress, Source, silent
from scrutineer.errors import AuditError

NUMBER: Final = "Cast Vote Record"
KNOWN: Final = frozenset(
    {NUMBER, "Election ID", "Audit Number", "Tabulator CVR", "Batch", "Ballot Status", "Precinct", "Ballot Style", "Machine"}
)
"""Columns that are no contest; contests follow the last of them."""
_PAGE_ROWS: Final = 4  # between the first row of the page of titles and the header
_TEN: Final = re.compile(r"(\d{4})(\d{6})")
_HEX: Final = re.compile(r"[0-9a-fA-F]{16}")
_CUT: Final = "\x1f"


def recognises(first: bytes) -> bool:
    """Whether a file starts as one of the two kinds does."""
    return NUMBER.encode() in first and (b"Ballot Style" in first or is_ballots(first))


def is_ballots(first: bytes) -> bool:
    """Whether a file that starts so is one of ballots."""
    text = first.removeprefix(b"\xef\xbb\xbf")
    if text.startswith(b"Ballots,"):
        return True
    header = text.split(b"\n", 1)[0]
    return b"Tabulator CVR" in header and b"Ballot Status" in header


def read_ess(sources: Sequence[Source], name: str, progress: Progress = silent) -> Cards:
    """The cards of one export. Raises AuditError, naming the file and the line."""
    tables = [source for source in sources if source.name.lower().endswith(".csv")]
    # A file of votes may hold the tabulator as well; by this name it is known all the same.
    ballots = [source for source in tables if not source.name.lower().endswith("cvr.csv") and is_ballots(source.first())]
    votes = [source for source in tables if source not in ballots]
    if len(votes) != 1 or not ballots:
        raise AuditError(
            f"{name}: {len(votes)} files of votes and {len(ballots)} of ballots; put one file of votes (if need be named "
            "cvr.csv) and at least one of ballots together"
        )
    total = sum(source.size for source in tables)
    where = _Where()
    for source in ballots:
        where.read(source)
    numbers, batches, positions, ids = where.columns(name)
    done = total - votes[0].size
    source = votes[0]
    assembly = Assembly(source.name)
    batch_names = np.array([assembly.batch(batch) for batch in where.batches], np.int32)
    seen = np.zeros(len(numbers), np.bool_)
    with source.open() as raw:
        stream = Counted(source, raw, progress, done, total)
        head = Head(source.name, stream)
        header = [" ".join(cell.split()) for cell in head.row()]
        number = place_of(source.name, header, NUMBER)
        first = max(place for place, cell in enumerate(header) if cell in KNOWN) + 1
        contests: dict[str, list[int]] = {}
        for place in range(first, len(header)):
            contests.setdefault(header[place], []).append(place)
        contests.pop("", None)
        if not contests:
            raise AuditError(f"{source.name}, line {head.lines}: no contest follows the columns {', '.join(sorted(KNOWN))}")
        kinds = dict.fromkeys((number, *(place for places in contests.values() for place in places)), pa.string())
        for rows, line in blocks(head, stream, len(header), kinds):
            found = pc.index_in(rows.column(str(number)), value_set=numbers)
            if found.null_count:
                row = pc.index(pc.is_null(found), True).as_py()
                raise AuditError(
                    f"{source.name}, line {line + row}: no file of ballots has the card "
                    f"{rows.column(str(number))[row].as_py()!r}; ask for all files of the same count"
                )
            places = found.to_numpy()
            if seen[places].any() or len(np.unique(places)) != len(places):
                raise AuditError(f"{source.name}, after line {line - 1}: a card stands there twice; export the file anew")
            seen[places] = True
            marked = {contest: _marks(assembly, contest, rows, columns) for contest, columns in contests.items()}
            assembly.block(ids.take(found), batch_names[batches[places]], positions[places], marked)  # type: ignore[arg-type]
    if not seen.all():
        card = numbers[int(np.argmin(seen))].as_py()
        raise AuditError(
            f"{source.name}: has no votes of card {card!r}, which a file of ballots lists; ask for both of the same count"
        )
    return assembly.finish(_shape(assembly, contest, len(columns)) for contest, columns in contests.items())


def _marks(assembly: Assembly, contest: str, rows: pa.RecordBatch, columns: list[int]) -> NDArray[np.int32]:
    """By row the number of the way in which the contest is marked."""
    cells = [rows.column(str(place)) for place in columns]
    joined = (cells[0] if len(cells) == 1 else pc.binary_join_element_wise(*cells, _CUT)).dictionary_encode()
    column = assembly.column(contest)
    numbers: list[int] = []
    for text in joined.dictionary.to_pylist():
        chosen = [part.strip() for part in text.split(_CUT) if part.strip()]
        if not chosen:
            numbers.append(ABSENT)
        elif any(part.lower() == "overvote" for part in chosen):
            numbers.append(column.number(()))
        else:
            numbers.append(column.number(tuple(sorted({part for part in chosen if part.lower() != "undervote"}))))
    found: NDArray[np.int32] = np.array(numbers, np.int32)[joined.indices.to_numpy()]
    return found


def _shape(assembly: Assembly, contest: str, most: int) -> Shape:
    options = sorted({option for marks in assembly.column(contest).known for option in marks})  # type: ignore[attr-defined]
    return Shape(contest, contest, tuple((option, option) for option in options), most=most)


class _Where:
    """Where each card lies, from the files of ballots."""

    def __init__(self) -> None:
        self.batches: dict[str, int] = {}
        self._numbers: list[str] = []
        self._batch: list[int] = []
        self._position: list[int] = []
        self._ids: list[str] = []

    def read(self, source: Source) -> None:
        """Adds the cards of one file."""
        with source.open() as raw:
            head = Head(source.name, Counted(source, raw, silent, 0, source.size))
            header = head.row()
            if header[:1] == ["Ballots"]:
                for _ in range(_PAGE_ROWS):
                    head.row()
                header = head.row()
            number, batch, cvr = (place_of(source.name, header, wanted) for wanted in (NUMBER, "Batch", "Tabulator CVR"))
            machine = place_of(source.name, header, "Machine") if "Machine" in header else None
            for row in head.rest():
                if not any(row) or row[0].startswith("Total"):
                    continue
                if len(row) < len(header):
                    raise AuditError(f"{source.name}, line {head.lines}: fewer cells than the header has; export the file anew")
                ten = _TEN.fullmatch(row[cvr])
                if ten is None and (machine is None or not _HEX.fullmatch(row[cvr])):
                    raise AuditError(
                        f"{source.name}, line {head.lines}: {row[cvr]!r} is not a Tabulator CVR of ten digits"
                        f"{'' if machine is None else ' or sixteen hexadecimal ones'}; a spreadsheet program may have changed "
                        "it, export the file anew"
                    )
                tabulator = row[machine] if machine is not None else ten[1] if ten else ""
                name = f"{tabulator}-{row[batch]}"
                self._batch.append(self.batches.setdefault(name, len(self.batches)))
                self._position.append(int(ten[2]) if ten else 0)
                self._numbers.append(row[number])
                self._ids.append(row[cvr])

    def columns(self, name: str) -> tuple[pa.Array, NDArray[np.int32], NDArray[np.int32], pa.Array]:
        """Numbers of cards, numbers of their batches, places and ids. Raises AuditError for a card that is listed twice."""
        numbers = pa.array(self._numbers, pa.string())
        if len(numbers) == 0:
            raise AuditError(f"{name}: the files of ballots list no card; ask for whole files")
        if pc.count_distinct(numbers).as_py() != len(numbers):
            counts = pc.value_counts(numbers)
            twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))[0].as_py()
            raise AuditError(f"{name}: the files of ballots list card {twice!r} twice; put each file there once")
        return numbers, np.array(self._batch, np.int32), np.array(self._position, np.int32), pa.array(self._ids, pa.string())
