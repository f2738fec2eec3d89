"""`new`, `check` and `open`: from an idea to an opened election folder."""

import re
from pathlib import Path
from typing import Final

import click

from scrutineer.ballots.key_table import table_faults
from scrutineer.cli.office import open_folder
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.count import RULE_IDS
from scrutineer.election import Units
from scrutineer.election.contests import MAX_ID_LENGTH
from scrutineer.election.finding import Finding
from scrutineer.election.folder import BALLOTS_FILE, check_folder, read_folder, scaffold, write_folder
from scrutineer.election.nist_import import import_definition
from scrutineer.errors import UsageError

_MAX_REPORT: Final = 1 << 30  # bytes
_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.command("new")
@_folder
@click.option(
    "--nist",
    "report",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Take contests and units from a NIST SP 1500-100 (version 2) election report in JSON.",
)
def new_command(folder: Path, report: Path | None) -> None:
    """Scaffold an election folder DIR: election.toml and units.csv, with comments that teach.

    The two files describe a small election that is valid as it stands; with --nist, the election of that report. Edit them,
    then run `scrutineer check DIR`.
    """
    for path in scaffold(folder) if report is None else _from_report(folder, report):
        click.echo(f"wrote {path}")
    click.echo(f"Now edit the two files, and run: scrutineer check {folder}")


def _from_report(folder: Path, report: Path) -> tuple[Path, ...]:
    if report.stat().st_size > _MAX_REPORT:
        raise UsageError(f"{report} is larger than {_MAX_REPORT} bytes: this is not the definition of an election")
    contests, units, name, date = import_definition(report.read_bytes())
    election_id = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_ID_LENGTH] or "election"
    return write_folder(folder, election_id=election_id, name=name, date=date, contests=contests, units=Units(units))


@click.command("check")
@_folder
@json_option
def check_command(folder: Path, as_json: bool) -> None:
    """Validate the election folder DIR as a whole.

    Every finding names the file, the line, the field, what is wrong and what to write instead. Exit status 0 when there is
    none, 1 otherwise.
    """
    findings = check_folder(folder, RULE_IDS)
    draft = None if findings else read_folder(folder, RULE_IDS)
    if draft is not None and draft.ballots is not None:
        faults = table_faults(draft.ballots, draft, draft.units)
        findings = [Finding(BALLOTS_FILE, 0, "", fault) for fault in faults]
    if as_json:
        print_json([{"file": f.file, "line": f.line, "field": f.field, "message": f.message} for f in findings])
    for finding in () if as_json else findings:
        click.echo(str(finding))
    if findings or draft is None:
        raise click.exceptions.Exit(1)
    if not as_json:
        rolls = draft.units.rolls
        known = rolls[rolls >= 0]
        compared = sum(votes is not None for votes in draft.baseline)
        click.echo(
            f"{folder} is valid: {draft.units.station_count:,} stations, {int(known.sum()):,} voters on {len(known):,} rolls, "
            f"{len(draft.contests)} contest(s)"
            + (f", {compared} of them with a baseline." if compared else ".")
            + (" Its ballots are encrypted under the trustees' keys." if draft.ballots is not None else "")
        )


@click.command("open")
@_folder
@click.option("--officers", type=click.IntRange(1, 100), metavar="N", help="Keys to make for the authority's officers.")
@json_option
def open_command(folder: Path, officers: int | None, as_json: bool) -> None:
    """Make keys, sign the definition, and start the log with it.

    Writes private keys to DIR/keys (keep them safe and offline) and the record to DIR/record. Prints the hash of the
    definition: it names the election from now on, and whoever verifies needs it from a source that they trust. Publish it
    widely before election day.
    """
    draft = read_folder(folder, RULE_IDS)
    with progress_display(as_json) as progress:
        office = open_folder(folder, draft, officers=officers, progress=progress)
    units = office.election.units
    if as_json:
        print_json(
            {
                "definition": office.election.hash.hex(),
                "stations": units.station_count,
                "origin": office.election.definition.log.origin,
                "log_keys": list(office.election.definition.log.keys),
            }
        )
        return
    click.echo(f"Opened {draft.name}: {units.station_count:,} stations.")
    click.echo(f"Definition: {office.election.hash.hex()}")
    click.echo(f"Keys are in {folder / 'keys'}. Next: scrutineer serve {folder}")
