"""`sign` and `submit`: how signed statements reach the log."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from scrutineer.cli.office import DEFINITION_FILE, RECORD, Office
from scrutineer.cli.pictures import Pictures
from scrutineer.cli.sheet_table import read_sheets
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.cli.statement_files import is_bundle_file, read_statement_bundle, read_statements, write_statements
from scrutineer.cli.trust_options import trust_options
from scrutineer.election import Definition, station_issuer
from scrutineer.errors import UsageError
from scrutineer.intake import Refused, Registered, submit
from scrutineer.intake.lanes import Trust
from scrutineer.log import LogVerifier
from scrutineer.statements import parse_statement, sign_statement, statement_hash
from scrutineer.station.bundle import Bundle, write_bundle

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
    register, numbers = office.election.register, office.election.units.station_index

    def signed() -> Iterator[bytes]:
        for sheet in read_sheets(table, office.election):
            issuer = station_issuer(sheet.station)
            key = seed.derive(issuer)
            if register.station_key(numbers[sheet.station]) != key.public_key:
                raise UsageError(
                    f"station {sheet.station!r} has a key of its own, which is not here: sign its sheets where that key is "
                    "(`scrutineer station`)"
                )
            yield sign_statement(sheet, issuer, key)

    statements = list(signed())
    click.echo(f"Signed {write_statements(target, statements):,} tally sheets: {target}")


@click.command("submit")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--to",
    "addresses",
    required=True,
    multiple=True,
    metavar="URL",
    help="Address of the intake service; give several to try all.",
)
@click.option("--image", "as_images", is_flag=True, help="Each FILE is a scan or photo of printed sheets: read their QR codes.")
@click.option(
    "--definition",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The election's definition (definition.cose), whose log keys every receipt is checked with.",
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where receipts are remembered.  [default: FILE.receipts, for bundles FILE.journal]",
)
@click.option("--connections", type=click.IntRange(1, 1024), default=64, show_default=True)
@trust_options
@json_option
def submit_command(
    files: tuple[Path, ...],
    addresses: tuple[str, ...],
    as_images: bool,
    definition: Path | None,
    journal: Path | None,
    connections: int,
    trust: Trust,
    as_json: bool,
) -> None:
    """Register the signed statements in FILE... with the intake service at URL.

    Every receipt is checked before its statement counts as registered. Receipts are remembered beside the first FILE, so
    the same command after an interruption sends only what is left. Sending anything twice is harmless: the log recognises
    it and gives the same receipt. A service that is too busy is asked again for as long as this command runs; it says why.

    Without --definition, one that lies near the first FILE is used, and which one that is, is said. A bundle is only submitted
    with the definition of its own election: another one would name the keys of another log.

    For each bundle that a station wrote (FILE.bundle), the receipts are written to FILE.bundle.receipts, for the stick to carry
    back: the station takes them in with `scrutineer station receipts`.

    With --image, each FILE is a picture. One picture may show several sheets, and the parts of one sheet may lie on several
    pictures, in any order. What was found in each is said in words.
    """
    used = definition or find_definition(files[0])
    election, defined, verifier = log_of(used)
    bundles = {} if as_images else {path: read_statement_bundle(path) for path in files if is_bundle_file(path)}
    for path, bundle in bundles.items():
        _check_election(path, bundle, election, used)
    if definition is None and not as_json:
        click.echo(
            f"Receipts are checked with the log keys of {defined.name!r}, from {used} (--definition names another).", err=True
        )
    shown = None
    if as_images:
        shown = _look(files, as_json)
        statements = shown.statements
    else:
        statements = [
            statement for path in files for statement in (bundles[path].entries if path in bundles else read_statements(path))
        ]
    refusals: list[Refused] = []
    done: list[Registered] = []
    if statements:
        suffix = ".journal" if bundles else ".receipts"
        with progress_display(as_json) as progress:
            try:
                submit(
                    statements,
                    addresses,
                    verifier,
                    registered=done.append,
                    refused=refusals.append,
                    connections=connections,
                    journal=journal or files[0].with_name(files[0].name + suffix),
                    progress=lambda sent, total: progress("Submitting", sent, total),
                    waiting=_say_why,
                    trust=trust,
                )
            finally:
                # Whatever ends it, the stick takes back the receipts that are there.
                written = _write_receipts(bundles, statements, done)
    refusals.sort()
    if as_json:
        refused = [{"statement": position, "code": problem.code, "detail": problem.detail} for position, problem in refusals]
        found: dict[str, Any] = {} if shown is None else shown.as_json()
        if definition is None:
            found["definition"] = {"file": str(used), "election": election.hex()}
        print_json({"registered": len(done), "refused": refused, **found})
    else:
        if statements:
            click.echo(f"{len(done):,} statements are in the log; every receipt was checked.")
            for path, count in written:
                click.echo(f"Receipts to carry back: {path} ({count:,})")
        for position, problem in refusals[:20]:
            click.echo(f"  statement {position}: refused ({problem.code}): {problem.detail}")
        if refusals:
            click.echo(f"{len(refusals):,} statements were refused.")
        if shown is not None:
            click.echo("".join(f"{line}\n" for line in shown.left_over()), nl=False)
    if refusals or (shown is not None and shown.trouble):
        raise click.exceptions.Exit(1)


def _say_why(why: str, seconds: float) -> None:
    """Say for what the command waits; the pause is that of one statement, others may go on."""
    click.echo(f"Asked to come again later by {why}; again in {seconds:.0f} s", err=True)


def _check_election(path: Path, bundle: Bundle, election: bytes, definition: Path) -> None:
    """A definition that came with a bundle, or lies beside it by chance, must not choose the log that its receipts prove."""
    if bundle.election != election:
        raise UsageError(
            f"{path} belongs to election {bundle.election.hex()[:16]}…, and {definition} defines {election.hex()[:16]}…: "
            "pass --definition with the definition of the bundle's election, from a place that you trust"
        )


def _look(files: tuple[Path, ...], as_json: bool) -> Pictures:
    """Look at pictures, one after the other, and say of each what was found as soon as it is."""
    pictures = Pictures()
    with progress_display(as_json) as progress:
        for number, path in enumerate(files):
            progress("Looking at pictures", number, len(files))
            pictures.look(path)
        progress("Looking at pictures", len(files), len(files))
    if not as_json:
        for picture in pictures.seen:
            click.echo(picture.words())
    return pictures


def _write_receipts(bundles: dict[Path, Bundle], statements: list[bytes], done: list[Registered]) -> list[tuple[Path, int]]:
    """Write beside each bundle the receipts for what it holds; which files, and how many receipts are in each."""
    receipts = {statement_hash(statements[position]): receipt for position, receipt, _ in done}
    written = []
    for path, bundle in bundles.items():
        carried = [(name, receipts[name]) for name in bundle.names if name in receipts]
        if carried:
            target = path.with_name(path.name + ".receipts")
            write_bundle(target, Bundle.of_receipts(bundle.election, carried))
            written.append((target, len(carried)))
    return written


def find_definition(beside: Path) -> Path:
    """The definition that lies near a file: say which one was found. Raises UsageError where there is none."""
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


def log_of(definition: Path) -> tuple[bytes, Definition, LogVerifier]:
    """The hash that names the election, its definition, its log's keys. Raises UsageError where the file is something else."""
    try:
        statement = parse_statement(definition.read_bytes())
    except OSError as error:
        raise UsageError(f"{definition} cannot be read ({error.strerror}): check the path") from error
    if not isinstance(statement.payload, Definition):
        raise UsageError(f"{definition} is a {statement.kind}: pass the definition of the election")
    keys = statement.payload.log.keys
    if len(keys) != 2:
        raise UsageError(f"{definition} names {len(keys)} keys of the log, and two are needed")
    return statement.hash, statement.payload, LogVerifier.from_vkeys(*keys)
