"""`station`: the polling station's outbox, from the signed sheet to the receipt."""

import asyncio
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from scrutineer.cli.keyring import load_key, make_key
from scrutineer.cli.sheet_table import read_sheets
from scrutineer.cli.show import Progress, json_option, print_json, progress_display
from scrutineer.cli.statement_files import read_statements
from scrutineer.cli.station_sheets import check_first, check_station, print_sheet
from scrutineer.cli.station_status import print_status, status_json
from scrutineer.cli.trust_options import trust_options
from scrutineer.election import station_issuer
from scrutineer.election.definition import REGISTER_TABLE, read_register, table_hash
from scrutineer.errors import ScrutineerError, StatementError, UsageError
from scrutineer.intake.lanes import Trust
from scrutineer.statements import SigningKey, parse_statement, sign_statement
from scrutineer.station.bundle import MAX_BUNDLE_SIZE, MAX_ENTRIES, Bundle, election_of, is_bundle, read_bundle, write_bundle
from scrutineer.station.folder import EVIDENCE, KEY_FILE, PRINTED, Settings, StationFolder
from scrutineer.station.outbox import PAGE, Outbox
from scrutineer.station.sender import Sender
from scrutineer.station.visit import Visit
from scrutineer.station.ways import Way
from scrutineer.station.words import counted, duration

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_VOTING = ("fingerprint", "voting-init", "admit", "vote", "open", "suspend", "resume", "close", "countersign")
_ROOM = 64 * 1024  # bytes of a bundle that are kept free for what is not statements, beside 34 for each


class _Station(click.Group):
    """Loads the commands of the voting machine, and all that they need, only when one of them is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_VOTING])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _VOTING:
            return super().get_command(ctx, name)
        module = importlib.import_module(f"scrutineer.cli.voting_{'admit' if name == 'admit' else 'commands'}")
        command: click.Command = getattr(module, f"{name.replace('-', '_')}_command")
        return command


@click.group("station", cls=_Station)
def station_command() -> None:
    """Sign, keep and send a station's sheets until the log has given a receipt for each.

    DIR is the station's folder. Nothing in it is lost when the power fails, and every command may be given again.
    """


@station_command.command("init")
@_folder
@click.option("--definition", required=True, type=_file, metavar="FILE", help="The election's definition (definition.cose).")
@click.option("--key", type=_file, metavar="FILE", help="The station's private key (PEM).  [default: a new one is made]")
@click.option("--station", "station", default="", metavar="ID", help="Which station this is; leave out at an office for many.")
@click.option("--endpoint", "endpoints", multiple=True, metavar="URL", help="An intake service that is nearer; may be repeated.")
@click.option("--relay", "relays", multiple=True, metavar="URL", help="A relay that is nearer; may be repeated.")
@trust_options
def init_command(
    folder: Path,
    definition: Path,
    key: Path | None,
    station: str,
    endpoints: tuple[str, ...],
    relays: tuple[str, ...],
    trust: Trust,
) -> None:
    """Make a station's folder, and its key where none is given.

    The public key that is printed belongs into the election's register. Ways of sending are those of the definition; nearer ones
    given here are tried before them.
    """
    given = load_key(key) if key is not None else None
    if given is not None and given.algorithm != "ed25519":
        raise UsageError(f"{key} is an {given.algorithm} key: a station signs with Ed25519")
    # The key comes first: a folder that is whole has one, wherever this is interrupted.
    mine = _key_before(folder / KEY_FILE, given) or _new_key(folder / KEY_FILE, given)
    made = StationFolder.make(folder, definition, Settings(station, endpoints, relays), trust)
    click.echo(f"{folder} is ready for {made.definition.name}.")
    click.echo(f"Election:    {made.election_hash.hex()}")
    click.echo(f"Public key:  {mine.public_key.hex()}")
    for way in made.ways:
        click.echo(f"Sends to:    {way}")
    if not made.ways:
        click.echo("Sends to:    nobody yet; add addresses to station.toml, or carry bundle files and paper")
    _check_register(definition.with_name(REGISTER_TABLE), made, mine)


@station_command.command("sheet")
@_folder
@click.argument("table", metavar="TABLE", type=_file)
@click.option("--second", is_flag=True, help="Sign although another sheet of the same station and contest is there already.")
@json_option
def sheet_command(folder: Path, table: Path, second: bool, as_json: bool) -> None:
    """Sign the sheets in TABLE with the station's key, queue them, and print them into DIR/printed.

    TABLE is a CSV file as for `scrutineer sign`: columns station, contest, one votes:<option> for each option, and where known
    blank, null, cast, voters, roll and time. An empty cell is unknown, which is not zero. `scrutineer station send` sends them.
    """
    station = StationFolder.load(folder)
    election = station.election()
    key = load_key(station.key_path)
    sheets = list(read_sheets(table, election))
    check_station(sheets, station, table)
    statements = [sign_statement(sheet, station_issuer(sheet.station), key) for sheet in sheets]
    outbox = station.outbox()
    try:
        if not second:
            check_first(outbox, sheets, statements)
        new = outbox.add(statements)
    finally:
        outbox.close()
    printed = [print_sheet(folder / PRINTED, statement, election) for statement in statements]
    if as_json:
        print_json({"signed": len(statements), "new": new, "printed": [str(path) for path in printed]})
        return
    again = "" if new == len(statements) else f" ({len(statements) - new:,} had been queued before)"
    click.echo(f"Signed and queued {counted(len(statements), 'tally sheet')}{again}. Print these, and sign them by hand:")
    for path in printed:
        click.echo(f"  {path}")
    click.echo(f"To send: scrutineer station send {folder}")


@station_command.command("queue")
@_folder
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_file)
def queue_command(folder: Path, files: tuple[Path, ...]) -> None:
    """Queue statements that were signed elsewhere, from files of statements or bundle files."""
    station = StationFolder.load(folder)
    outbox = station.outbox()
    new = known = 0
    try:
        with progress_display() as progress:
            for path in files:
                batch: list[bytes] = []
                for statement in _checked(path, station):
                    batch.append(statement)
                    if len(batch) == PAGE:
                        new, known = _queue(outbox, batch, new, known)
                        progress("Queued", new + known, 0)
                        batch = []
                new, known = _queue(outbox, batch, new, known)
    finally:
        outbox.close()
    click.echo(f"Queued {counted(new, 'statement')}" + (f"; {known:,} were there already." if known else "."))


@station_command.command("send")
@_folder
@click.option("--once", is_flag=True, help="Try each way once, then stop, whatever came of it.")
@click.option("--now", is_flag=True, help="Do not wait out the pauses of earlier attempts that could not reach anything.")
@click.option("--again", is_flag=True, help="Send once more what was refused, after the reason was put right.")
@json_option
def send_command(folder: Path, once: bool, now: bool, again: bool, as_json: bool) -> None:
    """Send everything that waits, by whichever way is open, until the log has given a checked receipt for each.

    May be interrupted and given again at any time. Ends with status 0 when everything has its receipt.
    """
    import uvloop

    station = StationFolder.load(folder)
    with station.sending():
        outbox = station.outbox()
        try:
            if again:
                outbox.send_again()
            tally = outbox.tally()
            if tally.waiting and not station.ways:
                raise UsageError(
                    f"no way over a network is known: add one to {folder / 'station.toml'}, or carry what waits in a file "
                    f"(`scrutineer station bundle {folder} --to FILE`) or on paper"
                )
            # What one intake service refused is offered to the others, also where nothing else waits.
            if station.ways and (tally.waiting or tally.refused):
                with progress_display(as_json) as progress:
                    uvloop.run(_send(station, outbox, progress, once=once, now=now, quiet=as_json))
            _show(station, outbox, as_json, brief=True)
        finally:
            outbox.close()


@station_command.command("status")
@_folder
@json_option
def status_command(folder: Path, as_json: bool) -> None:
    """Show what is in the log, what waits and why, and what to do. Ends with status 0 when everything has its receipt."""
    station = StationFolder.load(folder)
    outbox = station.outbox()
    try:
        _show(station, outbox, as_json)
    finally:
        outbox.close()


@station_command.command("bundle")
@_folder
@click.option(
    "--to", "target", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="File to write."
)
def bundle_command(folder: Path, target: Path) -> None:
    """Write what waits to a bundle file, to be carried to the centre or to a relay.

    It goes on waiting until its receipt is there. More than fits into one file goes into further ones: FILE-2 and so on.
    """
    station = StationFolder.load(folder)
    outbox = station.outbox()
    written = []
    try:
        for number, statements in enumerate(_bundles(outbox), 1):
            path = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
            if path.exists():
                raise UsageError(f"{path} exists already: choose another name, or move it away")
            write_bundle(path, Bundle.of_statements(station.election_hash, statements))
            written.append((path, len(statements)))
    finally:
        outbox.close()
    for path, count in written:
        click.echo(f"{path}: {counted(count, 'statement')}.")
    if written:
        click.echo(f"Carry this to the centre; it gives a file of receipts, for `scrutineer station receipts {folder} FILE`.")
    else:
        click.echo("Nothing waits.")


@station_command.command("receipts")
@_folder
@click.argument("file", metavar="FILE", type=_file)
@json_option
def receipts_command(folder: Path, file: Path, as_json: bool) -> None:
    """Take receipts from a file that the centre or a relay gave; each is checked before it counts."""
    station = StationFolder.load(folder)
    bundle = read_bundle(file)
    if bundle.contents != "receipts":
        raise UsageError(f"{file} holds statements, not receipts: ask the centre for the receipts' file")
    if bundle.election != station.election_hash:
        raise UsageError(f"{file} belongs to another election than {folder}: check which file belongs here")
    outbox = station.outbox()
    try:
        taken = outbox.take_receipts(bundle.pairs(), station.verifier)
        tally = outbox.tally()
    finally:
        outbox.close()
    if as_json:
        false = [{"statement": leaf.hex(), "reason": reason} for leaf, reason in taken.false]
        print_json({"accepted": taken.accepted, "known": taken.known, "strange": taken.strange, "false": false})
    else:
        click.echo(f"Checked and took {counted(taken.accepted, 'receipt')}; {taken.known:,} had been here already.")
        if taken.strange:
            click.echo(f"Left out {counted(taken.strange, 'receipt')} for statements that are not in this folder.")
        for leaf, reason in taken.false[:20]:
            click.echo(f"FALSE: the receipt for {leaf.hex()[:16]}… proves nothing ({reason}). Keep {file} and tell the centre.")
        click.echo(f"Still waiting: {tally.waiting:,}.")
    if taken.false:
        raise click.exceptions.Exit(1)


async def _send(station: StationFolder, outbox: Outbox, progress: Progress, *, once: bool, now: bool, quiet: bool) -> None:
    def heard(way: Way, ended: Visit, pause: float) -> None:
        if ended.outcome != "done" and not quiet:
            when = "" if once else f"; next attempt in {duration(pause)}"
            click.echo(f"The {way} {ended.said}{when}.", err=True)

    sender = Sender(outbox, station.ways, station.verifier, station.folder / EVIDENCE, trust=station.trust, heard=heard)
    if now:
        sender.hurry()

    async def show() -> None:
        while True:
            tally = outbox.tally()
            progress("Receipts", tally.receipted + tally.refused, tally.all)
            await asyncio.sleep(0.5)

    shown = asyncio.create_task(show())
    try:
        pause = sender.pause()
        if pause > 0 and outbox.tally().waiting and not quiet:
            hint = "" if now else f" (at once: scrutineer station send {station.folder} --now)"
            click.echo(f"Waiting for {duration(pause)} after the last attempt{hint}.", err=True)
        await sender.run(once=once)
    finally:
        shown.cancel()


def _show(station: StationFolder, outbox: Outbox, as_json: bool, *, brief: bool = False) -> None:
    """Print the status; ends the command with status 1 where anything has no receipt."""
    if as_json:
        print_json(status_json(station, outbox))
    else:
        print_status(station, outbox, brief=brief)
    tally = outbox.tally()
    if tally.receipted != tally.all:
        raise click.exceptions.Exit(1)


def _key_before(path: Path, given: SigningKey | None) -> SigningKey | None:
    """The key that is in the folder already, left there by an interrupted attempt; None where there is none."""
    if not path.exists():
        return None
    key = load_key(path)
    if given is not None and given.seed != key.seed:
        raise UsageError(f"{path} is another key than the one given: move it away, or leave out --key")
    return key


def _new_key(path: Path, given: SigningKey | None) -> SigningKey:
    return make_key(path) if given is None else make_key(path, randomness=lambda _: given.seed)


def _check_register(path: Path, station: StationFolder, key: SigningKey) -> None:
    """Say whether the register beside the definition knows the key; where there is none, nothing is said."""
    name = station.settings.station
    if not name or not path.is_file() or table_hash(data := path.read_bytes()) != station.definition.tables[REGISTER_TABLE]:
        return
    try:
        units = station.election().units
        register = read_register(data, units)
    except ScrutineerError:
        return
    if name not in units.station_index:
        click.echo(f"CAUTION: the election has no station {name!r}; check the id.")
    elif any(issuer.key == key.public_key for issuer in register.find(station_issuer(name))):
        click.echo(f"The register knows this key as that of {name}.")
    else:
        click.echo(f"CAUTION: the register gives {name} another key; sheets will be refused until the centre enrols this one.")


def _checked(path: Path, station: StationFolder) -> Iterator[bytes]:
    """The statements of a file, each well-formed and of this election."""
    with path.open("rb") as file:
        bundled = is_bundle(file.read(16))
    if bundled:
        bundle = read_bundle(path)
        if bundle.contents != "statements":
            raise UsageError(f"{path} holds receipts: take them with `scrutineer station receipts {station.folder} {path}`")
        statements: Iterable[bytes] = bundle.entries
    else:
        statements = read_statements(path)
    for number, data in enumerate(statements, 1):
        try:
            belongs = election_of(parse_statement(data))
        except StatementError as error:
            raise StatementError(f"{path}, statement {number}: {error}", code=error.code) from None
        if belongs != station.election_hash:
            raise UsageError(f"{path}, statement {number}: it belongs to another election than {station.folder}")
        yield data


def _queue(outbox: Outbox, batch: list[bytes], new: int, known: int) -> tuple[int, int]:
    added = outbox.add(batch)
    return new + added, known + len(batch) - added


def _bundles(outbox: Outbox) -> Iterator[list[bytes]]:
    """What waits, in lists that fit a bundle each."""
    part: list[bytes] = []
    size = after = 0
    while page := outbox.waiting(after):
        for waiting in page:
            needed = len(waiting.statement) + 34
            if len(part) == MAX_ENTRIES or size + needed > MAX_BUNDLE_SIZE - _ROOM:
                yield part
                part, size = [], 0
            part.append(waiting.statement)
            size += needed
        after = page[-1].number
    if part:
        yield part
