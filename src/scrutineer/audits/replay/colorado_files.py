"""Reads what Colorado publishes of its statewide audits: seed, contests, counties, ballot manifests, selections and comparisons.

The files are those that the Secretary of State's audit centre offers, exported by ColoradoRLA; their columns are those of its
queries (DemocracyDevelopers/colorado-rla 58d33a7, server/eclipse-project/src/main/resources/sql). Its columns say what a file is.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from scrutineer.audits.replay.reading import Line, Table, read_lines, whole_number
from scrutineer.errors import AuditError

MOST_DRAWS: Final = 10_000_000
_LAST_COUNTIES: Final = ("broomfield",)
"""Colorado numbers its counties by name, but for the youngest, which has the last number."""


@dataclass(frozen=True, slots=True)
class CountyBatch:
    """A row of a county's manifest."""

    scanner: str
    batch: str
    ballots: int


@dataclass(frozen=True, slots=True)
class AuditedContest:
    """A contest as a round's list of contests has it."""

    name: str
    reason: str
    status: str
    cards: int
    """Ballot cards of all counties in which it is held: what is drawn from, and what dilutes its margin."""
    margin: int
    risk_limit: Decimal
    audited: int
    """Draws that have been audited."""
    two_over: int
    one_over: int
    one_under: int
    two_under: int
    gamma: Decimal
    optimistic: int
    """Draws that were needed by the discrepancies so far, as published."""
    estimated: int
    """Draws that were expected to be needed, as published."""

    @property
    def targeted(self) -> bool:
        """Whether draws are made for it."""
        return "opportunistic" not in self.reason and bool(self.reason)


@dataclass(frozen=True, slots=True)
class Examined:
    """A card that an audit board has looked at."""

    county: str
    imprinted: str
    """Scanner, batch and position, joined by hyphens."""
    record: str
    """The number of its record in the audit's own database."""


@dataclass(frozen=True, slots=True)
class ColoradoFiles:
    """All files of one audit."""

    seed: str = ""
    rounds: tuple[tuple[str, tuple[AuditedContest, ...]], ...] = ()
    """By file, in the order of their names: the contests of a round."""
    counties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By contest: its counties."""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """By county: its number, which orders counties in the draw."""
    manifests: Mapping[str, tuple[CountyBatch, ...]] = field(default_factory=dict)
    """By county: its batches, in the order of its file."""
    selections: tuple[tuple[str, Mapping[str, tuple[str, ...]]], ...] = ()
    """By file: by contest, the records of the cards drawn, one for each draw."""
    examined: tuple[Examined, ...] = ()
    measured: Mapping[str, str] = field(default_factory=dict)
    """By contest: the risk in per cent that the last report of results prints."""
    unread: tuple[str, ...] = ()
    """Files that say nothing a replay asks for."""


def read_files(files: Sequence[tuple[str, bytes]], seed: str = "") -> ColoradoFiles:
    """The files of an audit, each given by its path and its bytes; a seed that is given stands for the one in a file.

    Raises AuditError, naming the file and the line.
    """
    found: dict[str, list[tuple[str, Table]]] = {kind: [] for kind in (*_KINDS, "manifest")}
    unread: list[str] = []
    seeds: set[str] = set()
    for path, data in sorted(files):
        try:
            lines = read_lines(path, data, legacy=True)
        except AuditError as error:
            unread.append(str(error))
            continue
        kind, start = _kind(path, lines)
        if kind is None:
            told = [re.match(r"Seed: ([0-9]+)$", line.cells[0]) for line in lines]
            seeds |= {match[1] for match in told if match is not None}
            unread.append(path)
        elif kind == "manifest":
            found[kind].append((path, Table(path, (), lines[1:])))
        else:
            found[kind].append((path, Table.of(path, lines[start:])))
    counties, numbers = _counties([table for _, table in found["counties"]], [table for _, table in found["comparison"]])
    seeds |= {line.cells[0] for _, table in found["seed"] for line in table.lines}
    if len(seeds) > 1 and not seed:
        raise AuditError(f"the files name {len(seeds)} seeds; give those of one audit")
    seed = seed or next(iter(seeds), "")
    if seed and not (seed.isascii() and seed.isdigit() and len(seed) <= 1000):
        raise AuditError(f"{seed[:40]!r} is no seed of Colorado's, which is written in digits alone")
    known = sorted({county for each in counties.values() for county in each})
    return ColoradoFiles(
        seed,
        tuple((path, _contests(table)) for path, table in found["contests"]),
        counties,
        numbers,
        _manifests(found["manifest"], known),
        tuple((path, _selection(table)) for path, table in found["selection"]),
        tuple({each: None for _, table in found["comparison"] for each in _examined(table)}),
        {line.cells[0]: line.cells[table.needed("Risk measurement %")] for _, table in found["results"] for line in table.lines},
        tuple(unread),
    )


_OF_COUNTIES: Final = {"county_id", "county_name", "contest_name", "contest_id"}
_KINDS: Final[Mapping[str, Callable[[set[str]], bool]]] = {
    "contests": lambda columns: {"contest_name", "ballot_card_count", "optimistic_samples_to_audit"} <= columns,
    "comparison": lambda columns: {"county_name", "contest_name", "imprinted_id", "cvr_id"} <= columns,
    "selection": lambda columns: {"contest_name", "contest_cvr_ids"} <= columns,
    "counties": lambda columns: {"county_name", "contest_name"} <= columns <= _OF_COUNTIES,
    "results": lambda columns: {"contest", "risk measurement %"} <= columns,
    "seed": lambda columns: columns == {"seed"},
}


def _kind(path: str, lines: Sequence[Line]) -> tuple[str | None, int]:
    """What a table is, and at which row its columns are named: a report of results has a title above."""
    for start, line in enumerate(lines[:2]):
        columns = {cell.lower() for cell in line.cells if cell}
        for kind, fits in _KINDS.items():
            if fits(columns):
                return kind, start
    first = [cell.lower() for cell in lines[0].cells[:4]] if lines else []
    name = path.lower().rsplit("/", 1)[-1]
    named = "manifest" in name and any(len(each.cells) > 3 and each.cells[3].isdigit() for each in lines[1:2])
    headed = len(first) == 4 and "batch" in first[2] and any(word in first[3] for word in ("ballot", "card", "#"))
    if named or (headed and "_" not in "".join(first)):
        return "manifest", 0
    return None, 0


def _counties(tables: Iterable[Table], comparisons: Iterable[Table]) -> tuple[dict[str, frozenset[str]], dict[str, int]]:
    """By contest its counties, of a contest that no list has those in which cards were compared for it; and counties' numbers."""
    counties: dict[str, set[str]] = {}
    compared: dict[str, set[str]] = {}
    for table in comparisons:
        county, contest = table.needed("county_name"), table.needed("contest_name")
        for line in table.lines:
            compared.setdefault(line.cells[contest], set()).add(line.cells[county])
    numbers: dict[str, int] = {}
    for table in tables:
        county, contest, number = table.needed("county_name"), table.needed("contest_name"), table.place("county_id")
        for line in table.lines:
            counties.setdefault(line.cells[contest], set()).add(line.cells[county])
            if number is not None:
                numbers[line.cells[county]] = whole_number(table.where(line), "a county", line.cells[number])
    counties = compared | counties
    names = sorted({name for each in counties.values() for name in each}, key=lambda name: (name.lower() in _LAST_COUNTIES, name))
    for place, name in enumerate(names, 1):
        numbers.setdefault(name, place)
    return {contest: frozenset(each) for contest, each in counties.items()}, numbers


def _contests(table: Table) -> tuple[AuditedContest, ...]:
    columns = {
        name: table.needed(name)
        for name in (
            *("contest_name", "audit_reason", "random_audit_status", "ballot_card_count", "min_margin", "risk_limit"),
            *("audited_sample_count", "two_vote_over_count", "one_vote_over_count", "one_vote_under_count"),
            *("two_vote_under_count", "gamma", "optimistic_samples_to_audit", "estimated_samples_to_audit"),
        )
    }
    made = []
    for line in table.lines:
        where = table.where(line)
        cell = {name: line.cells[place] for name, place in columns.items()}
        number = {
            name: whole_number(where, name.replace("_", " "), value)
            for name, value in cell.items()
            if name.endswith(("_count", "_margin", "_audit"))
        }
        made.append(
            AuditedContest(
                cell["contest_name"],
                cell["audit_reason"].lower(),
                cell["random_audit_status"].lower(),
                number["ballot_card_count"],
                number["min_margin"],
                _decimal(where, cell["risk_limit"]),
                number["audited_sample_count"],
                number["two_vote_over_count"],
                number["one_vote_over_count"],
                number["one_vote_under_count"],
                number["two_vote_under_count"],
                _decimal(where, cell["gamma"]),
                number["optimistic_samples_to_audit"],
                number["estimated_samples_to_audit"],
            )
        )
        if not 0 < made[-1].risk_limit < 1 or made[-1].gamma <= 1 or made[-1].audited > MOST_DRAWS:
            raise AuditError(
                f"{where}: a risk limit between 0 and 1, a gamma above 1 and at most {MOST_DRAWS} draws are expected"
            )
    return tuple(made)


def _decimal(where: str, cell: str) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,20})?", cell):
        raise AuditError(f"{where}: {cell[:40]!r} is no number")
    return Decimal(cell)


def _selection(table: Table) -> dict[str, tuple[str, ...]]:
    contest, records = table.needed("contest_name"), table.needed("contest_cvr_ids")
    made = {}
    for line in table.lines:
        text = line.cells[records]
        if not re.fullmatch(r"\[([0-9]{1,18}(, ?[0-9]{1,18})*)?\]", text):
            raise AuditError(f"{table.where(line)}: {text[:60]!r} is no list of records, written as [1,2,3]")
        made[line.cells[contest]] = tuple(re.findall(r"[0-9]+", text))
    return made


def _examined(table: Table) -> Iterable[Examined]:
    county, imprinted, record = table.needed("county_name"), table.needed("imprinted_id"), table.needed("cvr_id")
    for line in table.lines:
        yield Examined(line.cells[county], line.cells[imprinted], line.cells[record])


def _manifests(files: Sequence[tuple[str, Table]], known: Sequence[str]) -> dict[str, tuple[CountyBatch, ...]]:
    """By county: its batches. The columns go by their order, as ColoradoRLA reads them: county, scanner, batch, ballots."""
    keys = {_key(name): name for name in known}
    made: dict[str, list[CountyBatch]] = {}
    whose: dict[str, str] = {}
    for path, table in files:
        for line in table.lines:
            where = f"{path}, line {line.number}"
            if len(line.cells) < 4:
                raise AuditError(f"{where}: {len(line.cells)} cells; a manifest has county, scanner, batch and number of ballots")
            if not line.cells[1] and not line.cells[2]:
                continue  # a row of totals, which ColoradoRLA passes over as well
            county = keys.get(_key(line.cells[0])) or _of_path(path, keys) or line.cells[0]
            if whose.setdefault(county, path) != path:
                raise AuditError(f"{where}: the manifest of {county} stands in {whose[county]} as well; give one of them")
            ballots = whole_number(where, "ballots", line.cells[3])
            made.setdefault(county, []).append(CountyBatch(line.cells[1], line.cells[2], ballots))
    return {county: tuple(batches) for county, batches in made.items()}


def _of_path(path: str, keys: Mapping[str, str]) -> str | None:
    squeezed = _key(path.replace("\\", "/").rsplit("/", 1)[-1])
    fitting = [key for key in keys if key in squeezed]
    return keys[max(fitting, key=len)] if fitting else None


def _key(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower().removesuffix(" county"))
