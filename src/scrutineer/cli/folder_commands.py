"""`new`, `check` and `open`: from an idea to an opened election folder."""

from pathlib import Path

import click

from scrutineer.cli.office import open_folder
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.count import RULE_IDS
from scrutineer.election.folder import check_folder, read_folder, scaffold

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.command("new")
@_folder
def new_command(folder: Path) -> None:
    """Scaffold an election folder DIR: election.toml and units.csv, with comments that teach.

    The two files describe a small election that is valid as it stands. Edit them, then run `scrutineer check DIR`.
    """
    for path in scaffold(folder):
        click.echo(f"wrote {path}")
    click.echo(f"Now edit the two files, and run: scrutineer check {folder}")


@click.command("check")
@_folder
@json_option
def check_command(folder: Path, as_json: bool) -> None:
    """Validate the election folder DIR as a whole.

    Every finding names the file, the line, the field, what is wrong and what to write instead. Exit status 0 when there is
    none, 1 otherwise.
    """
    findings = check_folder(folder, RULE_IDS)
    if as_json:
        print_json([{"file": f.file, "line": f.line, "field": f.field, "message": f.message} for f in findings])
    for finding in () if as_json else findings:
        click.echo(str(finding))
    if findings:
        raise click.exceptions.Exit(1)
    if not as_json:
        draft = read_folder(folder, RULE_IDS)
        rolls = draft.units.rolls
        known = rolls[rolls >= 0]
        click.echo(
            f"{folder} is valid: {draft.units.station_count:,} stations, {int(known.sum()):,} voters on {len(known):,} rolls, "
            f"{len(draft.contests)} contest(s)."
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
