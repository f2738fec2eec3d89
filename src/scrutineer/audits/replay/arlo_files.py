"""Reads what an election office gives Arlo for each jurisdiction: ballot manifests, and candidate totals by batch.

A jurisdiction has a file of each kind, or one file has a column that names it. Which jurisdiction a file belongs to is said by a
list of names, where there is one, and otherwise by the file's path: Arlo's own bundles have a folder for each.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scrutineer.audits.replay.arlo_model import ReportedContest
from scrutineer.audits.replay.reading import Line, Table, read_lines, whole_number
from scrutineer.errors import AuditError

_JURISDICTION: Final = ("Jurisdiction", "Jurisdiction Name", "County", "County Name")
_BATCH: Final = ("Batch Name", "Batch")
_BALLOTS: Final = ("Number of Ballots", "Ballots", "# of Ballots", "Num Ballots")
_CONTEST: Final = ("Contest Name", "Contest")
_JURISDICTIONS: Final = ("Jurisdictions", "Jurisdiction", "Counties")
_KINDS: Final = {"county", "parish", "city", "town", "borough", "township"}
_NOT_NAMES: Final = {
    *(
        "ballot",
        "ballots",
        "manifest",
        "manifests",
        "candidate",
        "candidates",
        "total",
        "totals",
        "by",
        "batch",
        "batches",
        "csv",
    ),
    *(
        "tally",
        "tallies",
        "file",
        "final",
        "the",
        "of",
        "for",
        "audit",
        "arlo",
        "rla",
        "contest",
        "results",
        "bundle",
        "election",
    ),
}


@dataclass(frozen=True, slots=True)
class ManifestBatch:
    """A row of a ballot manifest."""

    jurisdiction: str
    name: str
    ballots: int
    tabulator: str | None = None
    container: str | None = None
    has_cvrs: bool | None = None
    """Whether its ballots have cast vote records; None where the manifest does not say."""

    @property
    def key(self) -> tuple[str, str]:
        """Jurisdiction and batch, by which Arlo draws batches."""
        return self.jurisdiction, self.name


@dataclass(frozen=True, slots=True)
class TotalsFile:
    """The candidate totals of a jurisdiction: by batch, in the order of the file, votes by column."""

    where: str
    jurisdiction: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]

    def votes(self, contest: ReportedContest, *, alone: bool) -> tuple[tuple[str, tuple[int, ...]], ...] | None:
        """By batch: votes by choice of a contest; None where the file does not have the contest.

        Columns are called by the choice, or by `contest - choice` in an audit of several contests. Raises AuditError where only
        some of the choices have a column.
        """
        places = [self._place(contest.name, choice, alone=alone) for choice in contest.choices]
        found = [place for place in places if place is not None]
        if not found and not (alone and self.columns):
            return None
        if len(found) != len(places):
            missing = contest.choices[places.index(None)]
            raise AuditError(
                f"{self.where}: contest {contest.name!r} has no column for {missing!r}; names are those of the report"
            )
        return tuple((name, tuple(votes[place] for place in found)) for name, votes in self.rows)

    def _place(self, contest: str, choice: str, *, alone: bool) -> int | None:
        wanted = [f"{contest} - {choice}".lower()] + ([choice.lower()] if alone else [])
        return next((place for place, column in enumerate(self.columns) if column.lower() in wanted), None)


@dataclass(frozen=True, slots=True)
class ArloFiles:
    """What was published beside the report."""

    manifest: tuple[ManifestBatch, ...] = ()
    totals: tuple[TotalsFile, ...] = ()
    universe: Mapping[str, tuple[str, ...]] | None = None
    """By contest: its jurisdictions, from a file of standardized contests; None where there is none."""

    @property
    def jurisdictions(self) -> tuple[str, ...]:
        """All that have a manifest or totals, in the order of their names."""
        named = {each.jurisdiction for each in self.manifest} | {each.jurisdiction for each in self.totals}
        return tuple(sorted(named))


@dataclass(frozen=True, slots=True)
class Names:
    """Names of jurisdictions, and which part of a path stands for which."""

    known: tuple[str, ...] = ()
    """From the report; others may exist of which no unit was drawn."""
    listed: Mapping[str, str] | None = None
    """By file name, or part of a path: the jurisdiction, as a published list has it."""

    @classmethod
    def of_list(cls, name: str, data: bytes, known: Iterable[str], paths: Iterable[str] = ()) -> "Names":
        """With a list of files and their jurisdictions.

        A column `Jurisdiction` or `County` has the name. Without one it is the cell that is no part of the paths, or else the
        last; the others are file names or parts of paths. Raises AuditError for a line without a name.
        """
        lines = [Line(line.number, _cells(line)) for line in read_lines(name, data, legacy=True)]
        if not lines:
            raise AuditError(f"{name}: names no jurisdiction; give a table with the columns `File` and `Jurisdiction`")
        lowered = [cell.lower() for cell in lines[0].cells]
        column = next((lowered.index(each.lower()) for each in _JURISDICTION if each.lower() in lowered), None)
        parts = {part.lower() for path in paths for part in _parts(path)}
        listed: dict[str, str] = {}
        every: list[str] = []
        for line in lines if column is None else lines[1:]:
            place = column if column is not None else _named(line.cells, parts)
            if place >= len(line.cells) or not line.cells[place]:
                raise AuditError(f"{name}, line {line.number}: names no jurisdiction")
            own = line.cells[place]
            every.append(own)
            for at, cell in enumerate(line.cells):
                if at != place and cell:
                    for part in {cell.lower(), _parts(cell)[-1].lower()}:
                        if listed.setdefault(part, own) != own:
                            listed[part] = ""  # stands for two: it says nothing
        return cls((*known, *every), {part: own for part, own in listed.items() if own})

    def of_path(self, path: str) -> str:
        """The jurisdiction whose file this is. Raises AuditError where the path does not say it."""
        parts = _parts(path)
        if self.listed:
            for part in reversed(parts):
                own = self.listed.get(part.lower()) or self.listed.get(part.lower().rsplit(".", 1)[0])
                if own:
                    return own
        for part in reversed(parts):
            if (own := self._named_in(part)) is not None:
                return own
        if len(parts) > 1 and any(word.lower() not in _NOT_NAMES for word in _words(parts[-2])):
            return parts[-2]
        words = [word for word in _words(parts[-1]) if word.lower() not in _NOT_NAMES and not word.isdigit()] if parts else []
        if words:
            return " ".join(words)
        raise AuditError(f"{path}: does not say whose file it is; give a list of files and jurisdictions with --names")

    def _named_in(self, part: str) -> str | None:
        """The longest known name whose words stand one after the other in a part of a path."""
        tokens = [word.lower() for word in _words(part)]
        squeezed = "".join(tokens)
        best: tuple[int, str] | None = None
        for name in sorted(set(self.known)):
            words = [word.lower() for word in _words(name)]
            short = words[:-1] if len(words) > 1 and words[-1] in _KINDS else words
            for rank, wanted in ((2, words), (1, short)):
                there = any(tokens[at : at + len(wanted)] == wanted for at in range(len(tokens)))
                if (there or (squeezed.startswith("".join(wanted)) and len(tokens) == 1)) and wanted:
                    size = rank + 2 * len("".join(wanted))
                    if best is None or size > best[0]:
                        best = (size, name)
        return best[1] if best is not None else None


def read_manifests(files: Sequence[tuple[str, bytes]], names: Names) -> tuple[ManifestBatch, ...]:
    """The batches of all manifests, each file given by its path and its bytes.

    Raises AuditError, naming the line; also for a batch that stands there twice.
    """
    made: list[ManifestBatch] = []
    seen: dict[tuple[str, str | None, str], str] = {}
    for path, data in files:
        table = Table.of(path, read_lines(path, data, legacy=True))
        batch, ballots = table.needed(*_BATCH), table.needed(*_BALLOTS)
        jurisdiction, tabulator = table.place(*_JURISDICTION), table.place("Tabulator")
        container, cvr = table.place("Container"), table.place("CVR")
        own = names.of_path(path) if jurisdiction is None else ""
        for line in table.lines:
            where, cells = table.where(line), line.cells
            count = whole_number(where, "ballots", cells[ballots])
            row = ManifestBatch(
                own if jurisdiction is None else cells[jurisdiction],
                cells[batch],
                count,
                None if tabulator is None else cells[tabulator],
                None if container is None else cells[container],
                None if cvr is None else _yes(where, cells[cvr]),
            )
            if not row.name or not row.jurisdiction:
                raise AuditError(f"{where}: a batch without a name or a jurisdiction; leave rows of totals out")
            place = (row.jurisdiction, row.tabulator, row.name)
            if place in seen:
                raise AuditError(f"{where}: batch {row.name!r} of {row.jurisdiction} stands there again, as in {seen[place]}")
            seen[place] = where
            if count:
                made.append(row)
    return tuple(made)


def read_totals(files: Sequence[tuple[str, bytes]], names: Names) -> tuple[TotalsFile, ...]:
    """The candidate totals of all jurisdictions. Raises AuditError, naming the line, and for a jurisdiction with two files."""
    made: list[TotalsFile] = []
    for path, data in files:
        table = Table.of(path, read_lines(path, data, legacy=True))
        batch, jurisdiction = table.needed(*_BATCH), table.place(*_JURISDICTION)
        places = [at for at, column in enumerate(table.columns) if at not in (batch, jurisdiction) and column]
        rows: dict[str, dict[str, tuple[int, ...]]] = {}
        own = names.of_path(path) if jurisdiction is None else ""
        for line in table.lines:
            where, cells = table.where(line), line.cells
            whose = rows.setdefault(own if jurisdiction is None else cells[jurisdiction], {})
            if cells[batch] in whose or not cells[batch]:
                raise AuditError(f"{where}: batch {cells[batch]!r} stands there again, or a row has no batch")
            whose[cells[batch]] = tuple(whole_number(where, "votes", cells[at]) for at in places)
        columns = tuple(table.columns[at] for at in places)
        made += [TotalsFile(path, each, columns, tuple(batches.items())) for each, batches in rows.items()]
    whose_files: dict[str, str] = {}
    for file in made:
        if file.jurisdiction in whose_files:
            raise AuditError(
                f"{file.where}: {file.jurisdiction} has totals in {whose_files[file.jurisdiction]} as well; "
                "give one file for each, or a list of files and jurisdictions with --names"
            )
        whose_files[file.jurisdiction] = file.where
    return tuple(made)


def read_universe(name: str, data: bytes, jurisdictions: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By contest: its jurisdictions, from Arlo's file of standardized contests. `all` stands for all of them.

    Raises AuditError, naming the line.
    """
    table = Table.of(name, read_lines(name, data, legacy=True))
    contest, where_held = table.needed(*_CONTEST), table.needed(*_JURISDICTIONS)
    made: dict[str, tuple[str, ...]] = {}
    for line in table.lines:
        cell, own = line.cells[where_held], line.cells[contest]
        held = tuple(part.strip() for part in cell.split(",") if part.strip())
        if not own or not held or own in made:
            raise AuditError(f"{table.where(line)}: a contest without a name or jurisdictions, or one that stands there twice")
        made[own] = tuple(jurisdictions) if cell.strip().lower() == "all" else held
    return made


def _parts(path: str) -> list[str]:
    """The folders and the file of a path; of a file also without its ending. An empty path has one empty part."""
    return [part for part in re.split(r"[/\\]", path) if part] or [path]


def _named(cells: Sequence[str], parts: set[str]) -> int:
    """The place of the cell that is the name, in a list that does not say so."""
    others = [place for place, cell in enumerate(cells) if cell and not {each.lower() for each in _parts(cell)} & parts]
    return others[-1] if others else len(cells) - 1


def _cells(line: Line) -> tuple[str, ...]:
    """The cells of a row; a line without commas is divided at a tab or a colon."""
    if len(line.cells) > 1:
        return line.cells
    parts = re.split(r"\t+|: +| = ", line.cells[0], maxsplit=1)
    return tuple(part.strip() for part in parts)


def _words(text: str) -> list[str]:
    """The words of a name or path; capital letters within a word begin another, as in ClearCreekManifest."""
    divided = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", re.sub(r"\.(csv|txt)$", "", text, flags=re.IGNORECASE))
    return [word for word in re.split(r"[^\w']+|_+", divided) if word]


def _yes(where: str, cell: str) -> bool:
    if cell.lower() in ("y", "yes"):
        return True
    if cell.lower() in ("n", "no"):
        return False
    raise AuditError(f"{where}: {cell[:40]!r} in the column CVR is neither Y nor N")


def kind_of(path: str, data: bytes) -> str:
    """What a file is, by its columns: `manifest`, `totals`, `contests`, or `names`, a list of files and jurisdictions.

    Raises AuditError where it is none of them.
    """
    lines = read_lines(path, data, legacy=True)
    columns = {cell.lower() for cell in lines[0].cells} if lines else set()

    def has(names: Iterable[str]) -> bool:
        return any(name.lower() in columns for name in names)

    if has(_BATCH):
        return "manifest" if has(_BALLOTS) else "totals"
    if has(_CONTEST) and has(_JURISDICTIONS):
        return "contests"
    if "jurisdiction" in path.lower().rsplit("/", 1)[-1] or (has(("File",)) and has(_JURISDICTION)):
        return "names"
    raise AuditError(
        f"{path}: neither a manifest (Batch Name, Number of Ballots), nor candidate totals (Batch Name, choices), nor a list of "
        "contests or of files and jurisdictions; leave it out, or name its columns so"
    )
