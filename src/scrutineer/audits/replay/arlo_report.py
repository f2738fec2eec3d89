"""Reads the audit report that Arlo exports as one CSV file of several sections.

Columns and words are those of votingworks/arlo (8d86156), server/api/reports.py; earlier versions named some of them otherwise
(`Tabulated Votes` for `Vote Totals`, one column `Ticket Numbers` for an audit of one contest), which is read as well.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from scrutineer.audits.replay.arlo_model import AUDIT_TYPES, ArloReport, ReportedContest, ReportedRound
from scrutineer.audits.replay.arlo_sampled import read_ballots, read_batches
from scrutineer.audits.replay.reading import Line, Table, by_choice, read_lines, votes_in, whole_number
from scrutineer.errors import AuditError

MOST_CONTESTS: Final = 1000
MOST_SIZE: Final = 10_000_000
"""Draws of one round."""
_NOT_FOUND: Final = "Ballots not found (counted for loser)"


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
    return ArloReport(
        settings.get("audit name", ""),
        info.get("election name", ""),
        kind,
        math,
        _risk_limit(name, settings.get("risk limit", "")),
        seed,
        settings.get("online data entry?", "") == "Yes",
        contests,
        rounds,
        read_batches(_table(name, sections, "SAMPLED BATCHES"), contests) if kind == "BATCH_COMPARISON" else (),
        read_ballots(_table(name, sections, "SAMPLED BALLOTS"), contests) if "SAMPLED BALLOTS" in sections else (),
        _warnings(seed),
        kind == "BATCH_COMPARISON" and _table(name, sections, "CONTESTS").place("Pending Ballots") is None,
    )


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
    name, totals = table.needed("Contest Name"), table.needed("Vote Totals", "Tabulated Votes")
    targeted, winners = table.needed("Targeted?"), table.needed("Number of Winners")
    allowed, ballots = table.needed("Votes Allowed"), table.needed("Total Ballots Cast")
    pending, runoff = table.place("Pending Ballots"), table.place("Runoff Law")
    all_batches = table.place("Vote Totals from Batches")
    strata = [
        (table.place(f"Total Ballots Cast: {kind}"), table.place(f"Vote Totals: {kind}", f"Tabulated Votes: {kind}"))
        for kind in ("CVR", "Non-CVR")
    ]
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
            by_choice(where, votes_in(where, cells[all_batches]), tuple(votes))
            if all_batches is not None and cells[all_batches]
            else None,
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
