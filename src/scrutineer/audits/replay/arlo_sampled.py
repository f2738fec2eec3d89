"""Reads the sampled batches and ballots of a report that Arlo exports, with their ticket numbers and results."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from scrutineer.audits.replay.arlo_model import ReportedBallot, ReportedBatch, ReportedContest, ReportedTicket
from scrutineer.audits.replay.reading import Table, by_choice, votes_in, whole_number
from scrutineer.errors import AuditError

_COMBINES: Final = "Combines "
_TICKET: Final = r"(?:0\.[0-9]{1,200}|EXTRA)"
_ROUND: Final = re.compile(rf"Round ([1-9][0-9]{{0,3}}): ({_TICKET}(?:, {_TICKET})*)(?:, |$)")


def tickets_in(where: str, text: str, batch: str) -> tuple[ReportedTicket, ...]:
    """The ticket numbers in a cell; those of a row that combines batches name the batch in brackets.

    Raises AuditError for anything that is not written so.
    """
    made: list[ReportedTicket] = []
    for part in re.split(r"; (?=Round [0-9]+: )", text) if text else []:
        named = re.fullmatch(r"(.*?[0-9A-Z]) \((.*)\)", part, re.DOTALL)
        rest, own = (named[1], named[2]) if named is not None else (part, batch)
        while rest:
            found = _ROUND.match(rest)
            if found is None:
                raise AuditError(f"{where}: {text[:90]!r} are no ticket numbers, written as `Round 1: 0.123, 0.456`")
            made += [ReportedTicket(int(found[1]), number, own) for number in found[2].split(", ")]
            rest = rest[found.end() :]
    return tuple(made)


def _columns(table: Table, contests: Sequence[ReportedContest], *names: str) -> dict[str, int]:
    """By contest: the column that is called `name: contest`, or `name` alone where there is one contest."""
    places: dict[str, int] = {}
    for contest in contests:
        wanted = [f"{name}: {contest.name}" for name in names] + (list(names) if len(contests) == 1 else [])
        if (place := table.place(*wanted)) is not None:
            places[contest.name] = place
    return places


def read_batches(table: Table, contests: Sequence[ReportedContest]) -> tuple[ReportedBatch, ...]:
    """The section SAMPLED BATCHES. Raises AuditError, naming the line."""
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
                cells[combined] if combined is not None else "",
                required is not None and cells[required].startswith("Yes"),
            )
        )
    return tuple(_joined(made))


def _joined(rows: Sequence[ReportedBatch]) -> Iterator[ReportedBatch]:
    """The rows, where those counted together are one.

    Reports of 2024 and 2025 have rows for the batches that were drawn, which name the batch they were counted in, and a row for
    that one without ticket numbers, which says what it combines. Later ones have the last alone, with the ticket numbers.
    """
    drawn: dict[tuple[str, str], list[ReportedBatch]] = {}
    for row in rows:
        if row.combines and not row.combines.startswith(_COMBINES):
            drawn.setdefault((row.jurisdiction, row.combines), []).append(row)
    for row in rows:
        if not row.combines:
            yield row
        elif row.combines.startswith(_COMBINES):
            parts = drawn.pop((row.jurisdiction, row.name), [])
            tickets = {
                contest: own + tuple(ticket for part in parts for ticket in part.tickets.get(contest, ()))
                for contest, own in row.tickets.items()
            }
            required = row.required or any(part.required for part in parts)
            yield replace(row, combines=row.combines.removeprefix(_COMBINES), tickets=tickets, required=required)
    for (jurisdiction, name), (row, *_) in drawn.items():
        raise AuditError(
            f"{row.where}: {jurisdiction} has no row {name!r}, in which the batch was counted; give the whole report"
        )


def read_ballots(table: Table, contests: Sequence[ReportedContest]) -> tuple[ReportedBallot, ...]:
    """The section SAMPLED BALLOTS. Raises AuditError, naming the line."""
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
