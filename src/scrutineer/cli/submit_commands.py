"""`sign` and `submit`: how signed statements reach the log."""

from collections.abc import Iterator
from pathlib import Path

import click

from scrutineer.cli.office import DEFINITION_FILE, RECORD, Office
from scrutineer.cli.sheet_table import read_sheets
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.cli.statement_files import read_statements, write_statements
from scrutineer.election import Definition, station_issuer
from scrutineer.errors import UsageError
from scrutineer.intake import Refused, Registered, submit
from scrutineer.log import LogVerifier
from scrutineer.statements import parse_statement, sign_statement

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))


@click.command("sign")
@_folder
@click.argument("table", metavar="TABLE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "target", required=True, metavar="FILE", type=click.Path(path_type=Path), help="File to write.")
def sign_command(folder: Path, table: Path, target: Path) -> None:
    """Sign the tally sheets in TABLE with the keys of their stations.

    TABLE is a CSV file with the columns station, contest, one votes:<option> for each option, and where known blank, null,
    cast, voters, roll and time. An empty cell is unknown, which is not zero. For stations whose keys were made by
    `scrutineer open`; a station with a device of its own signs there.
    """
    office = Office.load(folder)
    seed = office.stations_seed()

    def signed() -> Iterator[bytes]:
        for sheet in read_sheets(table, office.election):
            issuer = station_issuer(sheet.station)
            yield sign_statement(sheet, issuer, seed.derive(issuer))

    statements = list(signed())
    click.echo(f"Signed {write_statements(target, statements):,} tally sheets: {target}")


@click.command("submit")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "address", required=True, metavar="URL", help="Address of the intake service.")
@click.option(
    "--definition",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The election's definition (definition.cose), whose log keys every receipt is checked with.",
)
@click.option(
    "--journal", type=click.Path(path_type=Path), metavar="FILE", help="Where receipts are remembered.  [default: FILE.receipts]"
)
@click.option("--connections", type=click.IntRange(1, 1024), default=64, show_default=True)
@json_option
def submit_command(
    files: tuple[Path, ...], address: str, definition: Path | None, journal: Path | None, connections: int, as_json: bool
) -> None:
    """Register the signed statements in FILE... with the intake service at URL.

    Every receipt is checked before its statement counts as registered. Receipts are remembered beside the first FILE, so
    the same command after an interruption sends only what is left. Sending anything twice is harmless: the log recognises
    it and gives the same receipt.
    """
    verifier = _log_keys(definition or _find_definition(files[0]))
    statements = [statement for path in files for statement in read_statements(path)]
    refusals: list[Refused] = []
    done: list[Registered] = []
    with progress_display(as_json) as progress:
        submit(
            statements,
            address,
            verifier,
            registered=done.append,
            refused=refusals.append,
            connections=connections,
            journal=journal or files[0].with_name(files[0].name + ".receipts"),
            progress=lambda sent, total: progress("Submitting", sent, total),
        )
    refusals.sort()
    if as_json:
        refused = [{"statement": position, "code": problem.code, "detail": problem.detail} for position, problem in refusals]
        print_json({"registered": len(done), "refused": refused})
    else:
        click.echo(f"{len(done):,} statements are in the log; every receipt was checked.")
        for position, problem in refusals[:20]:
            click.echo(f"  statement {position}: refused ({problem.code}): {problem.detail}")
        if refusals:
            click.echo(f"{len(refusals):,} statements were refused.")
    if refusals:
        raise click.exceptions.Exit(1)


def _find_definition(beside: Path) -> Path:
    folder = beside.resolve().parent
    for candidate in (
        folder / DEFINITION_FILE,
        folder / RECORD / DEFINITION_FILE,
        folder / "election" / RECORD / DEFINITION_FILE,
    ):
        if candidate.is_file():
            return candidate
    raise UsageError(
        "receipts are checked with the log's keys, which the definition names: pass --definition definition.cose "
        "(it is in the election folder's record/, and in definition/ of a published site)"
    )


def _log_keys(path: Path) -> LogVerifier:
    statement = parse_statement(path.read_bytes())
    if not isinstance(statement.payload, Definition):
        raise UsageError(f"{path} is a {statement.kind}: pass the definition of the election")
    keys = statement.payload.log.keys
    if len(keys) != 2:
        raise UsageError(f"{path} names {len(keys)} keys of the log, and two are needed")
    return LogVerifier.from_vkeys(*keys)
