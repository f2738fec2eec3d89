"""Reads cast vote records as Dominion's Democracy Suite exports them in CSV, and as Colorado publishes them.

Row 1 names the election and the version, row 2 the contest of each column with how many options may be marked, as `(Vote For=2)`,
or its ranks, as `(Number of positions=1, Number of ranks=3)`, row 3 the option (with its rank, as `Wren(2)`), row 4 the names of
the columns before the first contest, and each further row is a card. A batch is `tabulator-batch`; the place in it is the
`RecordId`, and the id is the `ImprintedId`, where it is missing the `UniqueVotingIdentifier`, or else `tabulator-batch-record`.
"""

import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from scrutineer.audits.cards.assembly import Assembly, Shape, distinct_names
from scrutineer.audits.cards.marks_table import Choices, Head, bare, batch_numbers, blocks, noted, numbers_of, place_of
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.sources import Counted, Progress, Source, silent
from scrutineer.errors import AuditError

_VOTE_FOR: Final = re.compile(r"(.+?)\s*\(Vote For\s*=\s*([1-9]\d{0,3})\)", re.DOTALL)
_RANKS: Final = re.compile(r"(.+?)\s*\(Number of positions\s*=\s*(\d{1,4}),\s*Number of ranks\s*=\s*(\d{1,4})\)", re.DOTALL)
_RANKED: Final = re.compile(r"(.+)\((\d{1,4})\)", re.DOTALL)


def recognises(first: bytes) -> bool:
    """Whether a file starts as these do."""
    return b"TabulatorNum" in first and b"CvrNumber" in first and b"=" in first


def read_dominion_csv(source: Source, progress: Progress = silent) -> Cards:
    """The cards of one export. Raises AuditError, naming the line."""
    name = source.name
    assembly = Assembly(name)
    with source.open() as raw:
        stream = Counted(source, raw, progress, 0, source.size)
        head = Head(name, stream)
        head.row()
        contests, options, header = head.row(), head.row(), head.row()
        first = next((place for place, cell in enumerate(contests) if cell.strip()), 0)
        if not first or len(options) != len(contests):
            raise AuditError(f"{name}, line 2: names no contests over the columns of options; export the file anew")
        shapes, choices = _contests(name, first, contests, options)
        header = header[:first]
        tabulator, batch, record = (place_of(name, header, wanted) for wanted in ("TabulatorNum", "BatchId", "RecordId"))
        ids = [place for place, cell in enumerate(header) if cell.strip() in ("ImprintedId", "UniqueVotingIdentifier")]
        text = pa.string()
        kinds = {**dict.fromkeys((tabulator, batch, record, *ids), text), **dict.fromkeys(range(first, len(contests)), pa.int8())}
        for rows, line in blocks(head, stream, len(contests), kinds):
            where = [bare(rows.column(str(place))) for place in (tabulator, batch, record)]
            cards = pc.binary_join_element_wise(*where, "-")
            for place in reversed(ids):
                given = bare(rows.column(str(place)))
                cards = pc.if_else(pc.equal(given, ""), cards, given)
            positions = numbers_of(name, line, where[2], "RecordId")
            assembly.block(cards, batch_numbers(assembly, where[:2]), positions, noted(assembly, name, rows, line, choices))
    return assembly.finish(shapes)


def _contests(name: str, first: int, contests: list[str], options: list[str]) -> tuple[list[Shape], list[Choices]]:
    """Contests and their columns, which need not stand together."""
    columns: dict[str, list[int]] = {}
    for place in range(first, len(contests)):
        columns.setdefault(" ".join(contests[place].split()), []).append(place)
    shapes: list[Shape] = []
    choices: list[Choices] = []
    for title, places in columns.items():
        names = [" ".join(options[place].split()) for place in places]
        ranked, plain = _RANKS.fullmatch(title), _VOTE_FOR.fullmatch(title)
        if not (ranked or plain) or "" in names:
            raise AuditError(
                f"{name}, line {2 if '' not in names else 3}: contest {title!r} does not say how many options may be marked, as "
                "in 'Mayor (Vote For=1)', or has an option without a name; export the file anew"
            )
        if plain:
            distinct = distinct_names(names)
            choices.append(Choices(title, tuple(places), tuple(distinct)))
            shapes.append(Shape(title, plain[1], tuple((option, option) for option in distinct), most=int(plain[2])))
            continue
        ranks = [_RANKED.fullmatch(option) for option in names]
        if not all(ranks) or ranked is None:
            raise AuditError(f"{name}, line 3: contest {title!r} is ranked, and an option has no rank, as in 'Wren(2)'")
        keys = tuple((each[1].strip(), int(each[2])) for each in ranks if each)
        if len(set(keys)) != len(keys):
            raise AuditError(
                f"{name}, line 3: contest {title!r} has two columns for the same option and rank; export the file anew"
            )
        found = tuple(dict.fromkeys(option for option, _ in keys))
        choices.append(Choices(title, tuple(places), keys, ranked=True))
        shapes.append(Shape(title, ranked[1], tuple((option, option) for option in found), most=len(found), ranked=True))
    if len({shape.id for shape in shapes}) != len(shapes):
        raise AuditError(f"{name}, line 2: two contests have the same name; export the file anew")
    return shapes, choices
