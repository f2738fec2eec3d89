"""Reads cast vote records of Hart's Verity: an XML file for each card, in a folder, a zip, or zips by tabulator in one.

A card lists its contests, and by contest the options that are marked; a contest that is not listed is absent from the card, one
without options is not marked. Names written in are the option `Write-in` (a second of one contest `Write-in #2`), whatever became
of them. On a card with `Undervotes`, these and the marks say how many options may be marked; where no card has any, the most
marks do.

The id is the `CvrGuid`, or the `UniqueIdentifier` that a table of scanned ballots (`#FormatVersion`, `CvrId`, `UniqueIdentifier`,
`Workstation`) gives instead; the place in the batch is the `BatchSequence`. A batch is `tabulator-batch` where the tabulator is
known (by the `Workstation` or, of several zips, by the name of the zip), otherwise its `BatchNumber` alone.
"""

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from xml.etree import ElementTree as Tree

from scrutineer.audits.cards.assembly import Assembly, Shape
from scrutineer.audits.cards.marks_table import Head, place_of
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.sources import Counted, Progress, Source, of_zip, silent
from scrutineer.errors import AuditError

MOST_CARD: Final = 4 << 20
"""Bytes of the file of one card."""
MOST_ZIP: Final = 16 << 30
WRITE_IN: Final = "Write-in"
_SPACE: Final = "{http://tempuri.org/CVRDesign.xsd}"
_PIECE: Final = 1 << 20


def recognises(first: bytes) -> bool:
    """Whether a file starts as that of a card does."""
    return b"<Cvr" in first and b"tempuri.org/CVRDesign.xsd" in first


@dataclass(frozen=True, slots=True)
class _Scanned:
    unique: str
    workstation: str


@dataclass(slots=True)
class _Most:
    """How many options of a contest may be marked, as cards show it: an overvote has too many marks, and no undervotes."""

    marked: int = 1
    """The most marks on a card."""
    said: int = 0
    """Marks and undervotes of a card with undervotes."""


def read_hart(sources: Sequence[Source], name: str, progress: Progress = silent) -> Cards:
    """The cards of one export. Raises AuditError, naming the file of the card."""
    assembly = Assembly(name)
    most: dict[str, _Most] = {}
    scanned: dict[str, _Scanned] = {}
    for source in sources:
        if source.name.lower().endswith(".csv"):
            _read_scanned(source, scanned)
    zips = [source for source in sources if source.name.lower().endswith(".zip")]
    total, done = sum(source.size for source in sources), 0
    for source in sources:
        if source.name.lower().endswith(".xml"):
            _card(assembly, source, "", scanned, most)
        elif source in zips:
            tabulator = PurePosixPath(source.name).stem if len(zips) > 1 else ""
            with _unpacked(source) as members:
                for member in members:
                    if member.name.lower().endswith(".xml"):
                        _card(assembly, member, tabulator, scanned, most)
        done += source.size
        progress("reading records", done, total)
    assembly.pack()
    shapes: list[Shape] = []
    for contest in most:
        options = sorted({option for marks in assembly.column(contest).known for option in marks})  # type: ignore[attr-defined]
        shapes.append(
            Shape(
                contest, contest, tuple((option, option) for option in options), most=most[contest].said or most[contest].marked
            )
        )
    return assembly.finish(shapes)


@contextmanager
def _unpacked(source: Source) -> Iterator[tuple[Source, ...]]:
    """The files of a zip that may itself lie in a zip: unpacked to a temporary file, which can be read in any order."""
    with tempfile.TemporaryFile() as copy:
        with source.open() as stream:
            size = 0
            while piece := Counted(source, stream, silent, 0, source.size).read(_PIECE):
                size += len(piece)
                if size > MOST_ZIP:
                    raise AuditError(f"{source.name}: more than {MOST_ZIP} bytes; check what the file is")
                copy.write(piece)
        try:
            with zipfile.ZipFile(copy) as archive:
                yield of_zip(archive, source.name)
        except (NotImplementedError, zipfile.BadZipFile) as error:
            raise AuditError(f"{source.name}: not a zip ({error}); ask for it anew") from error


def _read_scanned(source: Source, scanned: dict[str, _Scanned]) -> None:
    with source.open() as raw:
        head = Head(source.name, Counted(source, raw, silent, 0, source.size))
        head.row()
        header = [cell.lstrip("#") for cell in head.row()]
        places = [place_of(source.name, header, wanted) for wanted in ("CvrId", "UniqueIdentifier", "Workstation")]
        for row in head.rest():
            if not row:
                continue
            if len(row) <= max(places):
                raise AuditError(f"{source.name}, line {head.lines}: fewer cells than the header has; export the file anew")
            card, unique, workstation = (row[place] for place in places)
            if scanned.setdefault(card, _Scanned(unique, workstation)) != _Scanned(unique, workstation):
                raise AuditError(f"{source.name}, line {head.lines}: card {card!r} was scanned twice; ask which scan counts")


def _card(assembly: Assembly, source: Source, tabulator: str, scanned: dict[str, _Scanned], most: dict[str, _Most]) -> None:
    """Notes one card."""
    root = _root(source)
    contests = root.find(f"{_SPACE}Contests")
    if contests is None:
        raise AuditError(f"{source.name}: holds no contests; ask for the file anew")
    for contest in contests.iterfind(f"{_SPACE}Contest"):
        title = _text(source, contest, "Name")
        marks: list[str] = []
        written = 0
        for option in contest.iterfind(f"{_SPACE}Options/{_SPACE}Option"):
            value = (option.findtext(f"{_SPACE}Value") or "1").strip()
            if value not in ("0", "1"):
                raise AuditError(f"{source.name}: an option of contest {title!r} has the value {value!r}; only 0 and 1 are known")
            if option.find(f"{_SPACE}WriteInData") is not None:
                written += value == "1"
                marks += [WRITE_IN if written == 1 else f"{WRITE_IN} #{written}"] if value == "1" else []
            elif value == "1":
                marks.append(_text(source, option, "Name"))
        if len(set(marks)) != len(marks):
            raise AuditError(f"{source.name}: an option of contest {title!r} stands there twice; ask for the file anew")
        left = (contest.findtext(f"{_SPACE}Undervotes") or "0").strip()
        if not (left.isascii() and left.isdigit() and len(left) < 5):
            raise AuditError(f"{source.name}: contest {title!r} has {left!r} undervotes; ask for the file anew")
        assembly.column(title).add(assembly.row, tuple(sorted(marks)))
        seen = most.setdefault(title, _Most())
        seen.marked = max(seen.marked, len(marks))
        seen.said = max(seen.said, len(marks) + int(left) if int(left) else 0)
    card, batch, sequence = (_text(source, root, tag) for tag in ("CvrGuid", "BatchNumber", "BatchSequence"))
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 10):
        raise AuditError(f"{source.name}: BatchSequence {sequence!r} is not a number; ask for the file anew")
    found = scanned.get(card)
    place = tabulator or (found.workstation if found else "")
    assembly.card(f"{place}-{batch}" if place else batch, int(sequence), found.unique if found and found.unique else card)


def _root(source: Source) -> Tree.Element:
    data = source.small(MOST_CARD)
    # A card needs no document type, and one could name files or swell without end.
    if b"<!" in data.replace(b"<!--", b""):
        raise AuditError(f"{source.name}: declares a document type, which no card needs; ask for the file anew")
    try:
        root = Tree.fromstring(data)  # noqa: S314
    except (Tree.ParseError, ValueError, LookupError) as error:
        raise AuditError(f"{source.name}: not XML ({error}); ask for the file anew") from error
    if root.tag != f"{_SPACE}Cvr":
        raise AuditError(f"{source.name}: not the record of a card as Hart exports it; take it out of the folder")
    return root


def _text(source: Source, element: Tree.Element, tag: str) -> str:
    text = " ".join((element.findtext(f"{_SPACE}{tag}") or "").split())
    if not text:
        raise AuditError(f"{source.name}: a {tag} is missing or empty; ask for the file anew")
    return text
