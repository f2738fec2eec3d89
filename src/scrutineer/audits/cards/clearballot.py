"""Reads cast vote records as Clear Ballot exports them in CSV.

The first row names the columns. Those of options read `Choice_7_1:Mayor:Vote For 1:Wren:Party` (a number, contest, how many may
be marked, option, party). A batch is `ScanComputerName-BoxID`, the place in it is the `BoxPosition`, the id is the `BallotID`.
"""

import re
from typing import Final

import pyarrow as pa

from scrutineer.audits.cards.assembly import Assembly, Shape, distinct_names
from scrutineer.audits.cards.marks_table import Choices, Head, bare, batch_numbers, blocks, noted, numbers_of, place_of
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.sources import Counted, Progress, Source, silent
from scrutineer.errors import AuditError

_CHOICE: Final = re.compile(r"Choice_[^:]*:(.*):Vote For ([1-9]\d{0,3}):(.*):[^:]*", re.DOTALL)


def recognises(first: bytes) -> bool:
    """Whether a file starts as these do."""
    header = first.split(b"\n", 1)[0]
    return b"BoxID" in header and b"BallotID" in header and b"Choice_" in header


def read_clearballot(source: Source, progress: Progress = silent) -> Cards:
    """The cards of one export. Raises AuditError, naming the line."""
    name = source.name
    assembly = Assembly(name)
    with source.open() as raw:
        stream = Counted(source, raw, progress, 0, source.size)
        head = Head(name, stream)
        header = head.row()
        shapes, choices = _contests(name, header)
        wanted = ("ScanComputerName", "BoxID", "BoxPosition", "BallotID")
        scanner, box, position, ballot = places = tuple(place_of(name, header, each) for each in wanted)
        marks = [place for each in choices for place in each.columns]
        kinds = {**dict.fromkeys(places, pa.string()), **dict.fromkeys(marks, pa.int8())}
        for rows, line in blocks(head, stream, len(header), kinds):
            batches = batch_numbers(assembly, [bare(rows.column(str(scanner))), bare(rows.column(str(box)))])
            positions = numbers_of(name, line, bare(rows.column(str(position))), "BoxPosition")
            marked = noted(assembly, name, rows, line, choices)
            assembly.block(bare(rows.column(str(ballot))), batches, positions, marked)
    return assembly.finish(shapes)


def _contests(name: str, header: list[str]) -> tuple[list[Shape], list[Choices]]:
    columns: dict[str, list[tuple[int, str]]] = {}
    most: dict[str, int] = {}
    for place, cell in enumerate(header):
        if not cell.startswith("Choice_"):
            continue
        found = _CHOICE.fullmatch(cell)
        if found is None or not found[1].strip() or not found[3].strip():
            raise AuditError(
                f"{name}, line 1: column {cell!r} is not of the form Choice_<n>:<contest>:Vote For <n>:<option>:<party>"
            )
        contest = found[1].strip()
        if most.setdefault(contest, int(found[2])) != int(found[2]):
            raise AuditError(f"{name}, line 1: the columns of contest {contest!r} say differently how many options may be marked")
        columns.setdefault(contest, []).append((place, found[3].strip()))
    if not columns:
        raise AuditError(f"{name}, line 1: no column starts with Choice_; export the file anew")
    shapes: list[Shape] = []
    choices: list[Choices] = []
    for contest, found_columns in columns.items():
        names = distinct_names([option for _, option in found_columns])
        choices.append(Choices(contest, tuple(place for place, _ in found_columns), tuple(names)))
        shapes.append(Shape(contest, contest, tuple((option, option) for option in names), most=most[contest]))
    return shapes, choices
