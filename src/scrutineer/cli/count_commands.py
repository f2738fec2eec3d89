"""`count`, `decide`, `bulletin` and `certify`: what the log says, and what the authority says about it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from scrutineer.calls import bulletin_calls
from scrutineer.cli.acts import Recorded, apply_accreditations, record_act, to_option
from scrutineer.cli.office import Office, now
from scrutineer.cli.options import contest_numbers
from scrutineer.cli.show import Progress, json_option, plain_console, print_json, progress_display
from scrutineer.cli.standings import print_standings, standing_json, unit_json
from scrutineer.cli.trust_options import trust_options
from scrutineer.count import QUARANTINED, Count, make_bulletin, make_certificate, unit_result
from scrutineer.errors import StatementError, UsageError
from scrutineer.intake.lanes import Trust
from scrutineer.log import Log
from scrutineer.statements import Bulletin, Certificate, Decision, Figures, TallySheet, parse_statement
from scrutineer.statements.accreditations import Accreditations
from scrutineer.statements.kinds import Layer

_FEWEST_OPTIONS: Final = 2
"""Options that a table of units has columns for, at least; the rest are summed."""

_OTHER_COLUMNS: Final = 56  # characters that the other columns take
_OPTION_COLUMN: Final = 14  # characters

_HELD_SHOWN: Final = 10
"""Stations in quarantine that are printed for people."""

_WHERE_ENTRIES: Final = "`scrutineer count` names the entries of sheets in quarantine"

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
_FIGURES: Final = ("blank", "null", "cast", "voters", "roll")
_MOST_DIGITS: Final = 10


def _figure_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options for the figures that a decision corrects, apart from the votes."""
    for name in reversed(_FIGURES):
        command = click.option(f"--{name}", type=click.IntRange(min=0), metavar="N", help="With --correct.")(command)
    return command


@click.command("count")
@_folder
@click.option("--at", "size", type=click.IntRange(min=1), metavar="SIZE", help="Count the first SIZE entries of the log only.")
@click.option("--unit", "unit_id", metavar="ID", help="Show the totals of this unit and of the units directly below it.")
@click.option("--contest", "contest_id", metavar="ID", help="Show this contest only.")
@json_option
def count_command(folder: Path, size: int | None, unit_id: str | None, contest_id: str | None, as_json: bool) -> None:
    """Show the totals of the election in DIR, computed from its log.

    Counted, outstanding, quarantined and excluded stations always stand beside the totals, and so does whether what is
    open could still change the result. With --unit, the totals of that unit and of the units below it.
    """
    office = Office.load(folder)
    with progress_display(as_json) as progress:
        log = _read(office, progress)
        count = office.count(log, size, progress)
    contests = contest_numbers(count, contest_id)
    if unit_id is not None:
        unit = office.election.units.position(unit_id)
        below = [unit, *office.election.units.children(unit)]
        if as_json:
            print_json(
                {
                    "size": count.size,
                    "contests": {count.election.contests[c].id: [unit_json(count, c, u) for u in below] for c in contests},
                }
            )
        else:
            for contest in contests:
                _print_units(count, contest, below)
    elif as_json:
        print_json(
            {
                "election": office.election.hash.hex(),
                "provenance": office.election.definition.provenance,
                "size": count.size,
                "root": log.root(count.size).hex(),
                "contests": [standing_json(count, contest) | {"quarantine": _quarantine(count, contest)} for contest in contests],
            }
        )
    else:
        print_standings(count, f"log size {count.size:,}", contests)
        for contest in contests:
            _print_quarantine(count, contest)


@click.command("decide")
@_folder
@click.argument("station")
@click.argument("contest")
@click.option("--accept", "accepted", type=int, metavar="ENTRY", help="Let the sheet at this log index count as it stands.")
@click.option("--correct", "corrected", type=int, metavar="ENTRY", help="Let it count with other figures.")
@click.option("--exclude", is_flag=True, help="Keep the station out of the count.")
@click.option("--votes", multiple=True, metavar="OPTION=N", help="With --correct: the votes for an option; repeat.")
@_figure_options
@click.option("--reason", required=True, help="Why; published with the decision.")
@to_option
@trust_options
def decide_command(
    folder: Path,
    station: str,
    contest: str,
    accepted: int | None,
    corrected: int | None,
    exclude: bool,
    votes: tuple[str, ...],
    reason: str,
    target: str | None,
    trust: Trust,
    **figures: int | None,
) -> None:
    """Sign and register a decision on the sheets of STATION in CONTEST.

    A sheet in quarantine stays outside the totals until a decision names it. With --correct, figures that are not given stay
    as the sheet states them. The decision takes effect when as many officers as the definition asks for have signed; those
    whose keys are on this machine sign now.
    """
    if (accepted is not None) + (corrected is not None) + exclude != 1:
        raise UsageError("decide needs one of --accept ENTRY, --correct ENTRY and --exclude")
    given = {name: figure for name, figure in figures.items() if figure is not None}
    if (corrected is not None) != bool(votes or given):
        raise UsageError("--correct ENTRY goes with the figures that change: --votes OPTION=N, --cast N and others")
    entry = corrected if accepted is None else accepted
    office = Office.load(folder)
    with progress_display() as progress:
        log = _read(office, progress)
        sheet = after = None
        if entry is not None:
            if not 0 < entry < log.size:
                raise UsageError(f"the log has no entry {entry}: {_WHERE_ENTRIES}")
            found = parse_statement(log.entry(entry))
            if not isinstance(found.payload, TallySheet) or (found.payload.station, found.payload.contest) != (station, contest):
                raise UsageError(f"entry {entry} is no sheet of station {station!r} in contest {contest!r}: {_WHERE_ENTRIES}")
            sheet = found.hash
            if corrected is not None:
                after = _corrected(office, found.payload, votes, given)
        decision = Decision(
            election=office.election.hash,
            station=station,
            contest=contest,
            action="exclude" if exclude else "correct" if after is not None else "accept",
            sheet=sheet,
            after=after,
            reason=reason,
        )
        known = Accreditations(office.election)
        apply_accreditations(known, log.entries(0, log.size))
        recorded = record_act(office, [decision], "decision", target, progress, known=known, trust=trust)
    click.echo(f"Decision {recorded.words()}")


@click.command("bulletin")
@_folder
@click.option("--layer", type=click.Choice(["preliminary", "official"]), default="preliminary", show_default=True)
@to_option
@trust_options
@json_option
def bulletin_command(folder: Path, layer: Layer, target: str | None, trust: Trust, as_json: bool) -> None:
    """Count, sign the totals as the next bulletin, and register it.

    The bulletin is bound to the log size and root at which it was computed: anyone can replay the log to that size and must
    get these figures.
    """
    office = Office.load(folder)
    with progress_display(as_json) as progress:
        log = _read(office, progress)
        count = office.count(log, None, progress)
        bulletin = make_bulletin(
            count,
            log.root(count.size),
            number=len(count.bulletins) + 1,
            time=now(),
            layer=layer,
            calls=bulletin_calls(count),
        )
        recorded = record_act(office, [bulletin], "bulletin", target, progress, known=count.accreditations, trust=trust)
    _announce(count, bulletin, f"bulletin {bulletin.number}", recorded, as_json)


@click.command("certify")
@_folder
@to_option
@trust_options
@json_option
def certify_command(folder: Path, target: str | None, trust: Trust, as_json: bool) -> None:
    """Count, sign the certificate of the final result, and register it.

    Refused while stations are outstanding or in quarantine: accept or exclude each of them by a decision first.
    """
    office = Office.load(folder)
    with progress_display(as_json) as progress:
        log = _read(office, progress)
        count = office.count(log, None, progress)
        for contest in range(len(count.contests)):
            result = unit_result(count, contest, count.contests[contest].unit)
            if result.outstanding or result.quarantined:
                raise UsageError(
                    f"contest {count.election.contests[contest].id!r} has {result.outstanding:,} outstanding and "
                    f"{result.quarantined:,} quarantined stations: decide on each of them before certifying"
                )
        certificate = make_certificate(count, log.root(count.size), time=now())
        recorded = record_act(office, [certificate], "certificate", target, progress, known=count.accreditations, trust=trust)
    _announce(count, certificate, "certificate", recorded, as_json)


def _quarantine(count: Count, contest: int) -> list[dict[str, Any]]:
    """The stations in quarantine with the log index of their sheet and the rules that it fails, in the order of the units."""
    state, units = count.contests[contest], count.election.units
    return [
        {
            "station": units.ids[units.station_units[n]],
            "entry": int(state.sheet[n]),
            "rules": list(count.book.names(int(state.flags[n]))),
        }
        for n in (state.status == QUARANTINED).nonzero()[0].tolist()
    ]


def _print_quarantine(count: Count, contest: int) -> None:
    """What `decide` needs to know, a line for each of the first stations in quarantine."""
    held = _quarantine(count, contest)
    for station in held[:_HELD_SHOWN]:
        click.echo(f"  in quarantine: {station['station']}, entry {station['entry']}: {', '.join(station['rules'])}")
    if len(held) > _HELD_SHOWN:
        click.echo(f"  and {len(held) - _HELD_SHOWN:,} more stations in quarantine (--json lists them)")


def _read(office: Office, progress: Progress) -> Log:
    return office.read_log(progress=lambda done, total: progress("Reading the log", done, total))


def _corrected(office: Office, sheet: TallySheet, votes: Sequence[str], given: dict[str, int]) -> Figures:
    """A sheet's figures with some of them replaced. Raises UsageError."""
    contest = office.election.contests[office.election.contest_index[sheet.contest]]
    if contest.rule == "ranked":
        raise UsageError(f"contest {sheet.contest!r} counts rankings, which cannot be corrected: accept a sheet, or exclude it")
    places = {option.id: place for place, option in enumerate(contest.options)}
    counts = list(sheet.counts)
    for text in votes:
        option, _, number = text.partition("=")
        if option not in places or not number.isascii() or not number.isdigit() or len(number) > _MOST_DIGITS:
            raise UsageError(f"--votes {text!r} is not of the form OPTION=N with one of the options {', '.join(places)}")
        counts[places[option]] = int(number)
    others = {name: given.get(name, getattr(sheet, name)) for name in _FIGURES}
    try:
        return Figures(counts=tuple(counts), **others)
    except StatementError as error:
        raise UsageError(str(error)) from error


def _announce(count: Count, act: Bulletin | Certificate, name: str, recorded: Recorded, as_json: bool) -> None:
    if as_json:
        contests = [standing_json(count, contest) for contest in range(len(count.contests))]
        print_json({"entry": recorded.index, "size": act.size, "root": act.root.hex(), "contests": contests})
    else:
        print_standings(count, f"{name}, at log size {act.size:,}, {recorded.words()}")


def _print_units(count: Count, contest: int, below: Sequence[int]) -> None:
    """One row per unit: progress, and as many of the options that lead in the first of them as the terminal has room for."""
    console = plain_console()
    options = count.election.contests[contest].options
    rows = [unit_json(count, contest, unit) for unit in below]
    room = max(_FEWEST_OPTIONS, (console.width - _OTHER_COLUMNS) // _OPTION_COLUMN)
    leading = sorted(options, key=lambda option: -rows[0]["votes"][option.id])[:room]
    headings = ["Counted", "Held back", "Ballots", *(option.name for option in leading)]
    cells = []
    for row in rows:
        votes = [row["votes"][option.id] for option in leading]
        held = row["quarantined"] + row["excluded"]
        figures = [held, row["ballots"], *votes, *([sum(row["votes"].values()) - sum(votes)] if len(options) > room else [])]
        cells.append([f"{row['counted']:,}/{row['stations']:,}", *(f"{number:,}" for number in figures)])
    table = Table(title=count.election.contests[contest].title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Unit", overflow="fold")
    for number, heading in enumerate([*headings, "Others"] if len(options) > room else headings):
        # A figure is never cut off, however narrow the terminal is.
        table.add_column(heading, justify="right", overflow="fold", min_width=max(len(line[number]) for line in cells))
    for row, line in zip(rows, cells, strict=True):
        table.add_row(f"{row['name']} ({row['unit']})", *line)
    console.print(table)
