"""Reads the audit report that Arlo exports as one CSV file of several sections.

Columns and words are those of votingworks/arlo (8d86156), server/api/reports.py; earlier versions named some of them otherwise
(`Audit Result` for `Audit Results`, one column `Ticket Numbers` for an audit of one contest), which is read as well.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from scrutineer.audits.replay.reading import Line, Table, by_choice, read_lines, votes_in, whole_number
from scrutineer.errors import AuditError

EXTRA: Final = "EXTRA"
"""Stands for the ticket number of a batch that is audited on top of the sample and does not count for the risk."""
AUDIT_TYPES: Final = ("BALLOT_POLLING", "BATCH_COMPARISON", "BALLOT_COMPARISON", "HYBRID")
MOST_CONTESTS: Final = 1000
MOST_SIZE: Final = 10_000_000
"""Draws of one round."""
_NOT_FOUND: Final = "Ballots not found (counted for loser)"
_TICKET: Final = r"(?:0\.[0-9]{1,200}|EXTRA)"
_ROUND: Final = re.compile(rf"Round ([1-9][0-9]{{0,3}}): ({_TICKET}(?:, {_TICKET})*)(?:, |$)")


@dataclass(frozen=True, slots=True)
class ReportedTicket:
    """One ticket number of the report."""

    round: int
    number: str
    """Or EXTRA."""
    batch: str
    """The batch that was drawn, where the row combines several; otherwise that of the row."""


@dataclass(frozen=True, slots=True)
class ReportedContest:
    """A contest, as the section CONTESTS has it."""

    name: str
    targeted: bool
    winners: int
    votes_allowed: int
    ballots: int
    choices: tuple[str, ...]
    votes: tuple[int, ...]
    pending: int = 0
    majority: bool = False
    """Whether a majority decides at once, and the two first go to a run-off otherwise."""
    cvr: tuple[int, tuple[int, ...]] | None = None
    """Ballots and votes of the stratum that has cast vote records, in a hybrid audit."""
    non_cvr: tuple[int, tuple[int, ...]] | None = None


@dataclass(frozen=True, slots=True)
class ReportedRound:
    """A contest in a round, as the section ROUNDS has it."""

    number: int
    contest: str
    size: int | None
    """Draws that were asked for; None for a contest that no draw was made for."""
    p_value: str
    """As printed; empty where the round has not ended."""
    found: tuple[int, ...]
    """Votes by choice that the audit counted in this round, a unit drawn twice being counted twice in an audit of ballots."""
    not_found: int = 0
    """Draws whose ballots could not be found."""
    found_non_cvr: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReportedBatch:
    """A row of SAMPLED BATCHES."""

    where: str
    """The line of the file, as messages name it."""
    jurisdiction: str
    name: str
    ballots: int | None
    audited: bool
    tickets: dict[str, tuple[ReportedTicket, ...]]
    """By contest."""
    reported: dict[str, tuple[int, ...]]
    """By contest that the batch holds: reported votes by choice."""
    found: dict[str, tuple[int, ...]]
    """By contest that was counted."""
    combines: str = ""
    """The names of the batches that were counted together, as the report writes them; empty for a single batch."""
    required: bool = False
    """Whether the law asks for it on top of the sample."""


@dataclass(frozen=True, slots=True)
class ReportedBallot:
    """A row of SAMPLED BALLOTS."""

    where: str
    jurisdiction: str
    tabulator: str | None
    """None where the report has no such column."""
    batch: str
    position: int
    imprinted: str
    """Empty for a ballot without a cast vote record."""
    status: str
    """AUDITED, NOT_FOUND or NOT_AUDITED; empty where results were entered as totals."""
    tickets: dict[str, tuple[ReportedTicket, ...]]
    recorded: dict[str, str]
    """By contest: what the cast vote record has, as printed."""
    found: dict[str, str]
    """By contest: what the audit board saw, as printed."""


@dataclass(frozen=True, slots=True)
class ArloReport:
    """All sections of a report that a replay asks for."""

    audit: str
    election: str
    kind: str
    """One of AUDIT_TYPES."""
    math: str
    """MACRO, BRAVO, MINERVA, PROVIDENCE, SUPERSIMPLE, CARD_STYLE_DATA, SUITE."""
    risk_limit: Decimal
    """As a share of 1."""
    seed: str
    online: bool
    """Whether the boards entered ballot by ballot."""
    contests: tuple[ReportedContest, ...]
    rounds: tuple[ReportedRound, ...]
    batches: tuple[ReportedBatch, ...] = ()
    ballots: tuple[ReportedBallot, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def contest(self, name: str) -> ReportedContest:
        """The contest of that name, which the reader has made sure exists."""
        return next(contest for contest in self.contests if contest.name == name)

    def rounds_of(self, contest: str) -> tuple[ReportedRound, ...]:
        """The rounds of a contest, the first first."""
        return tuple(each for each in self.rounds if each.contest == contest)


def read_report(name: str, data: bytes) -> ArloReport:
    """The report in a CSV file. Raises AuditError, naming the line and what to do."""
    sections = _sections(name, read_lines(name, data))
    settings = _only(_table(name, sections, "AUDIT SETTINGS"))
    info = _only(_table(name, sections, "ELECTION INFO")) if "ELECTION INFO" in sections else {}
    kind, math, seed = settings.get("audit type", ""), settings.get("audit math type", ""), settings.get("random seed", "")
    if kind not in AUDIT_TYPES:
        raise AuditError(f"{name}: the audit type is {kind[:40]!r}, and none of {', '.join(AUDIT_TYPES)}")
    if not seed:
        raise AuditError(
            f"{name}: AUDIT SETTINGS has no random seed; give the report as it was exported after the seed was drawn"
        )
    contests = _contests(_table(name, sections, "CONTESTS"))
    rounds = _rounds(_table(name, sections, "ROUNDS"), contests)
    report = ArloReport(
        settings.get("audit name", ""),
        info.get("election name", ""),
        kind,
        math,
        _risk_limit(name, settings.get("risk limit", "")),
        seed,
        settings.get("online data entry?", "") == "Yes",
        contests,
        rounds,
        _batches(_table(name, sections, "SAMPLED BATCHES"), contests) if kind == "BATCH_COMPARISON" else (),
        _ballots(_table(name, sections, "SAMPLED BALLOTS"), contests) if "SAMPLED BALLOTS" in sections else (),
        _warnings(seed),
    )
    if kind != "BATCH_COMPARISON" and not report.ballots and "FULL HAND TALLY BATCH RESULTS" not in sections:
        raise AuditError(f"{name}: has no section SAMPLED BALLOTS; give the report as it was exported")
    return report


def tickets_in(where: str, text: str, batch: str) -> tuple[ReportedTicket, ...]:
    """The ticket numbers in a cell; those of a row that combines batches name the batch in brackets.

    Raises AuditError for anything that is not written so.
    """
    made: list[ReportedTicket] = []
    for part in re.split(r"; (?=Round [0-9]+: )", text) if text else []:
        named = re.fullmatch(r"(.*[0-9A-Z]) \((.*)\)", part, re.DOTALL)
        rest, own = (named[1], named[2]) if named is not None else (part, batch)
        while rest:
            found = _ROUND.match(rest)
            if found is None:
                raise AuditError(f"{where}: {text[:90]!r} are no ticket numbers, written as `Round 1: 0.123, 0.456`")
            made += [ReportedTicket(int(found[1]), number, own) for number in found[2].split(", ")]
            rest = rest[found.end() :]
    return tuple(made)


def _sections(name: str, lines: Sequence[Line]) -> dict[str, list[Line]]:
    sections: dict[str, list[Line]] = {}
    current: list[Line] | None = None
    for line in lines:
        heading = re.fullmatch(r"#{4,12} (.{1,80}?) #{4,12}", line.cells[0])
        if heading is not None:
            if heading[1] in sections:
                raise AuditError(f"{name}, line {line.number}: section {heading[1]} stands there again; give one report")
            current = sections[heading[1]] = []
        elif current is None:
            raise AuditError(f"{name}, line {line.number}: no section begins here; give the audit report that Arlo exports")
        else:
            current.append(line)
    return sections


def _table(name: str, sections: dict[str, list[Line]], section: str) -> Table:
    if section not in sections:
        raise AuditError(f"{name}: has no section {section}; give the audit report of the whole audit, not of one jurisdiction")
    return Table.of(f"{name}, {section}", sections[section])


def _only(table: Table) -> dict[str, str]:
    if len(table.lines) != 1:
        raise AuditError(f"{table.name}: {len(table.lines)} rows under the names of columns; there is one in a report")
    return {column.lower(): cell for column, cell in zip(table.columns, table.lines[0].cells, strict=True)}


def _risk_limit(name: str, cell: str) -> Decimal:
    found = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,6})?)%", cell)
    if found is None or not Decimal(found[1]):
        raise AuditError(f"{name}: {cell[:40]!r} is no risk limit; it is written as 5%")
    return Decimal(found[1]) / 100


def _warnings(seed: str) -> tuple[str, ...]:
    spoiled = re.fullmatch(r"[0-9.]+E\+?[0-9]+", seed) is not None or (
        len(seed) > 15 and seed.isdigit() and seed[15:].strip("0") == ""
    )
    if spoiled:
        return (f"The seed {seed} looks as if a spreadsheet had cut it to 15 digits: ask for the report as Arlo wrote it.",)
    return ()


def _contests(table: Table) -> tuple[ReportedContest, ...]:
    name, totals = table.needed("Contest Name"), table.needed("Vote Totals")
    targeted, winners = table.needed("Targeted?"), table.needed("Number of Winners")
    allowed, ballots = table.needed("Votes Allowed"), table.needed("Total Ballots Cast")
    pending, runoff = table.place("Pending Ballots"), table.place("Runoff Law")
    strata = [(table.place(f"Total Ballots Cast: {kind}"), table.place(f"Vote Totals: {kind}")) for kind in ("CVR", "Non-CVR")]
    made: list[ReportedContest] = []
    for line in table.lines:
        where, cells = table.where(line), line.cells
        votes = votes_in(where, cells[totals])
        if not votes or any(each.name == cells[name] for each in made) or not cells[name]:
            raise AuditError(f"{where}: a contest without a name or choices, or one that stands there twice")
        parts: list[tuple[int, tuple[int, ...]] | None] = [
            None
            if number is None or total is None or not cells[number]
            else (whole_number(where, "ballots", cells[number]), by_choice(where, votes_in(where, cells[total]), tuple(votes)))
            for number, total in strata
        ]
        contest = ReportedContest(
            cells[name],
            cells[targeted] == "Targeted",
            whole_number(where, "winners", cells[winners]),
            whole_number(where, "votes allowed", cells[allowed]),
            whole_number(where, "ballots", cells[ballots]),
            tuple(votes),
            tuple(votes.values()),
            whole_number(where, "ballots", cells[pending]) if pending is not None and cells[pending] else 0,
            runoff is not None and cells[runoff] == "Subject to runoff law",
            *parts,
        )
        if contest.winners < 1 or contest.votes_allowed < 1:
            raise AuditError(f"{where}: a contest has at least one winner, and at least one vote is allowed")
        made.append(contest)
    if not made or len(made) > MOST_CONTESTS:
        raise AuditError(f"{table.name}: {len(made)} contests; a report has 1 to {MOST_CONTESTS}")
    return tuple(made)


def _rounds(table: Table, contests: Sequence[ReportedContest]) -> tuple[ReportedRound, ...]:
    number, name, size = table.needed("Round Number"), table.needed("Contest Name"), table.needed("Sample Size")
    p_value, found = table.needed("P-Value"), table.needed("Audited Votes")
    non_cvr = table.place("Audited Votes: Non CVR")
    known = {contest.name: contest for contest in contests}
    made: list[ReportedRound] = []
    for line in table.lines:
        where, cells = table.where(line), line.cells
        contest = known.get(cells[name])
        if contest is None:
            raise AuditError(f"{where}: CONTESTS has no contest {cells[name][:90]!r}")
        votes = votes_in(where, cells[found])
        not_found = votes.pop(_NOT_FOUND, 0)
        draws = whole_number(where, "draws", cells[size]) if cells[size] else None
        if draws is not None and draws > MOST_SIZE:
            raise AuditError(f"{where}: {draws} draws; a round has at most {MOST_SIZE}")
        if cells[p_value] and not re.fullmatch(r"<?[0-9]{1,30}(\.[0-9]{1,30})?", cells[p_value]):
            raise AuditError(f"{where}: {cells[p_value][:40]!r} is no P-value")
        made.append(
            ReportedRound(
                whole_number(where, "a round", cells[number]),
                contest.name,
                draws,
                cells[p_value],
                by_choice(where, votes, contest.choices),
                not_found,
                None if non_cvr is None else by_choice(where, votes_in(where, cells[non_cvr]), contest.choices),
            )
        )
        earlier = sum(each.contest == contest.name for each in made)
        if made[-1].number != earlier:
            raise AuditError(f"{where}: round {made[-1].number} of contest {contest.name!r} follows round {earlier - 1}")
    return tuple(made)


def _columns(table: Table, contests: Sequence[ReportedContest], *names: str) -> dict[str, int]:
    """By contest: the column that is called `name: contest`, or `name` alone where there is one contest."""
    places: dict[str, int] = {}
    for contest in contests:
        wanted = [f"{name}: {contest.name}" for name in names] + (list(names) if len(contests) == 1 else [])
        if (place := table.place(*wanted)) is not None:
            places[contest.name] = place
    return places


def _batches(table: Table, contests: Sequence[ReportedContest]) -> tuple[ReportedBatch, ...]:
    jurisdiction, name = table.needed("Jurisdiction Name"), table.needed("Batch Name")
    ballots, audited, combined = table.place("Ballots in Batch"), table.place("Audited?"), table.place("Combined Batch")
    required = table.place("Precinct Audit Batch")
    tickets = _columns(table, contests, "Ticket Numbers")
    reported = _columns(table, contests, "Reported Results")
    found = _columns(table, contests, "Audit Results", "Audit Result")
    choices = {contest.name: contest.choices for contest in contests}
    made = []
    for line in table.lines:
        where, cells = table.where(line), line.cells
        if cells[jurisdiction] == "Totals" and not cells[name]:
            continue
        if not cells[jurisdiction] or not cells[name]:
            raise AuditError(f"{where}: a sampled batch without a jurisdiction or a name")

        def votes(places: dict[str, int], where: str = where, cells: tuple[str, ...] = cells) -> dict[str, tuple[int, ...]]:
            return {
                contest: by_choice(where, votes_in(where, cells[place]), choices[contest])
                for contest, place in places.items()
                if cells[place]
            }

        made.append(
            ReportedBatch(
                where,
                cells[jurisdiction],
                cells[name],
                whole_number(where, "ballots", cells[ballots]) if ballots is not None and cells[ballots] else None,
                audited is None or cells[audited] == "Yes",
                {contest: tickets_in(where, cells[place], cells[name]) for contest, place in tickets.items()},
                votes(reported),
                votes(found),
                cells[combined].removeprefix("Combines ") if combined is not None else "",
                required is not None and cells[required].startswith("Yes"),
            )
        )
    return tuple(made)


def _ballots(table: Table, contests: Sequence[ReportedContest]) -> tuple[ReportedBallot, ...]:
    jurisdiction, batch = table.needed("Jurisdiction Name"), table.needed("Batch Name")
    position, tabulator, imprinted = table.needed("Ballot Position"), table.place("Tabulator"), table.place("Imprinted ID")
    status = table.place("Audited?")
    tickets = _columns(table, [each for each in contests if each.targeted], "Ticket Numbers")
    recorded, found = _columns(table, contests, "CVR Result"), _columns(table, contests, "Audit Result", "Audit Results")
    made = []
    for line in table.lines:
        where, cells = table.where(line), line.cells
        if not cells[jurisdiction] or not cells[batch]:
            raise AuditError(f"{where}: a sampled ballot without a jurisdiction or a batch")
        made.append(
            ReportedBallot(
                where,
                cells[jurisdiction],
                None if tabulator is None else cells[tabulator],
                cells[batch],
                whole_number(where, "a ballot", cells[position]),
                "" if imprinted is None else cells[imprinted],
                "" if status is None else cells[status],
                {contest: tickets_in(where, cells[place], cells[batch]) for contest, place in tickets.items()},
                {contest: cells[place] for contest, place in recorded.items()},
                {contest: cells[place] for contest, place in found.items()},
            )
        )
    return tuple(made)
