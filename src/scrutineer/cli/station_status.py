"""How the commands of `station` show an outbox: a table for people, JSON for programs."""

from typing import Any, Final

import click
from rich.table import Table

from scrutineer.cli.show import plain_console
from scrutineer.station.folder import StationFolder
from scrutineer.station.outbox import Entry, Outbox
from scrutineer.station.sender import ATTEMPTS_NOTE
from scrutineer.station.ways import Attempts, steady_now
from scrutineer.station.words import advice, clock_time, entry_state, headline, label, ways_lines

_SHOWN: Final = 20  # statements of each state in the table


def print_status(station: StationFolder, outbox: Outbox, *, brief: bool = False) -> None:
    """The outbox in plain words and a table; `brief` leaves out what is well."""
    tally = outbox.tally()
    folder = str(station.folder)
    click.echo(headline(tally))
    ways = station.ways
    attempts = Attempts.decode(outbox.note(ATTEMPTS_NOTE)).only(ways)
    for line in ways_lines(ways, attempts, tally, steady_now(), folder) if not brief or tally.waiting else ():
        click.echo(line)
    if tally.waiting:
        click.echo(f"What waits can also be carried: scrutineer station bundle {folder} --to FILE, or the printed sheets.")
    shown: list[Entry] = outbox.entries("refused", limit=_SHOWN)
    if not brief:
        shown += outbox.entries("waiting", limit=_SHOWN)
        shown += outbox.entries("receipted", limit=_SHOWN)
    if not shown:
        return
    table = Table()
    for column in ("No.", "Statement", "Queued", "State"):
        table.add_column(column, justify="right" if column == "No." else "left", overflow="fold")
    for entry in shown:
        table.add_row(str(entry.number), label(entry.statement), clock_time(entry.queued), entry_state(entry, folder))
    plain_console().print(table)
    left = (tally.refused if brief else tally.all) - len(shown)
    if left > 0:
        click.echo(f"{left:,} more are not shown here; --json shows all.")


def status_json(station: StationFolder, outbox: Outbox) -> dict[str, Any]:
    """The outbox for programs. Times are seconds since 1970 by this machine's clock; null is unknown."""
    tally = outbox.tally()
    now = steady_now()
    attempts = Attempts.decode(outbox.note(ATTEMPTS_NOTE)).only(station.ways)
    statements = []
    after = 0
    while page := outbox.entries(after=after):
        statements += [_entry_json(entry, str(station.folder)) for entry in page]
        after = page[-1].number
    ways = []
    for way in attempts.order(station.ways):
        last = attempts.last.get(way.url)
        ways.append(
            {
                "kind": way.kind,
                "url": way.url,
                "outcome": last.outcome if last is not None else None,
                "said": last.said if last is not None else None,
                "tried": last.tried if last is not None else None,
                "next_in": round(last.remaining(now), 1) if last is not None else None,
            }
        )
    return {
        "election": station.election_hash.hex(),
        "station": station.settings.station or None,
        "summary": headline(tally),
        "receipted": tally.receipted,
        "waiting": tally.waiting,
        "held": tally.held,
        "refused": tally.refused,
        "ways": ways,
        "statements": statements,
    }


def _entry_json(entry: Entry, folder: str) -> dict[str, Any]:
    problem = entry.problem if entry.state == "refused" else None
    return {
        "number": entry.number,
        "statement": entry.leaf.hex(),
        "what": label(entry.statement),
        "state": entry.state,
        "queued": entry.queued,
        "index": entry.position,
        "received": entry.received,
        "held_by": entry.held_by,
        "refusal": None
        if problem is None
        else {
            "code": problem.code,
            "detail": problem.detail,
            "by": entry.refused_by,
            "at": entry.refused,
            "advice": advice(problem, folder),
        },
    }
