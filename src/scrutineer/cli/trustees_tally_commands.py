"""`trustees tally`: decrypt the totals of bundles in three carried steps, and write the tally records."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from scrutineer.ballots.confirmation import spoken
from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.key_check import check_keys
from scrutineer.ballots.keys import MAX_RECORD_SIZE, KeyRecord, election_keys, read_key_record
from scrutineer.ballots.logarithms import SmallLogarithms
from scrutineer.ballots.record import TallyRecord
from scrutineer.ballots.rounds import RoundIdentity, complete, digests_of, seen_hash
from scrutineer.ballots.tallying import combine_bundle
from scrutineer.cli import trustee_folder
from scrutineer.cli.show import Progress, json_option, plain_console, print_json, progress_display
from scrutineer.cli.trustee_folder import ask_passphrase, opened, read_bounded, write_lines
from scrutineer.cli.trustee_inputs import (
    bundle_paths,
    by_hash,
    chosen_data,
    collect,
    commitments_of,
    naming_station,
    read_openings,
    read_together,
    responses_of,
    reveals_of,
    scan_files,
)
from scrutineer.cli.trustee_options import ANY, FILE, files_argument, folder_argument, passphrase_option, to_option
from scrutineer.cli.trustee_rounds import Listed, TallyWork
from scrutineer.errors import BallotError, UsageError
from scrutineer.station.printed_sheet import grouped_hash

_SHOWN = 50  # bundles of a table
_FEW = 10  # ballots
_bundles = click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, type=ANY)
_openings = click.option(
    "--openings", multiple=True, type=FILE, metavar="FILE", help="Challenged ballots that devices opened themselves; repeatable."
)
_data = click.option(
    "--data", "data", multiple=True, metavar="CODE:CONTEST", help="Decrypt the write-ins of this one ballot too; repeatable."
)


@click.group("tally")
def tally_command() -> None:
    """Decrypt the totals of stations, in three steps that every trustee who is there takes in turn.

    All run `commit`; when everybody's commit file is there, all run `reveal`; when everybody's reveal file is there, all run
    `respond`. Then `combine` makes the tally records, on any machine. Each step may be given again.
    """


@tally_command.command("commit")
@folder_argument
@_bundles
@click.option("--present", required=True, metavar="N,N,...", help="The trustees who are there, such as 1,3,5. All give the same.")
@click.option("--attempt", default=1, show_default=True, type=click.IntRange(1, 1000), help="Raise it to begin again.")
@_openings
@_data
@passphrase_option
@to_option
@json_option
def commit_command(
    folder: Path,
    bundles: tuple[Path, ...],
    present: str,
    attempt: int,
    openings: tuple[Path, ...],
    data: tuple[str, ...],
    passphrase_file: Path | None,
    target: Path | None,
    as_json: bool,
) -> None:
    """First step: verify the bundles, and commit to this trustee's part of their decryption.

    BUNDLE names stations' bundles, or folders that hold nothing else.
    """
    numbers = _numbers(present)
    with progress_display(as_json) as progress, opened(folder, lambda: ask_passphrase(passphrase_file)) as own:
        work = TallyWork(own)
        found = by_hash(bundle_paths(bundles), progress)
        done = work.commit(found, numbers, attempt, chosen_data(data, work.keys), read_openings(openings), progress)
        path = work.hand_over(done.round, "commit", target)
    few = [each for each in done.bundles if 0 < each.cast < _FEW]
    for each in few:
        click.echo(
            f"NOTE: only {each.cast} ballot(s) were cast at {each.station}: its totals nearly show each of them.", err=True
        )
    if as_json:
        listed = [each._asdict() | {"bundle": each.bundle.hex()} for each in done.bundles]
        summary = {
            "round": done.round.hex(),
            "words": spoken(done.round[:12]),
            "present": list(done.present),
            "again": done.again,
        }
        print_json({**summary, "file": str(path), "bundles": listed})
        return
    _show_bundles(done.bundles)
    click.echo(f"All trustees must see the same words:  {spoken(done.round[:12])}")
    click.echo("This was committed to before; the same file was written again." if done.again else "The bundles hold; committed.")
    click.echo(f"Carry to all others who decrypt:  {path}")


@tally_command.command("reveal")
@folder_argument
@files_argument
@passphrase_option
@to_option
def reveal_command(folder: Path, files: tuple[Path, ...], passphrase_file: Path | None, target: Path | None) -> None:
    """Second step: reveal what was committed to, once everybody's commit file is here.

    FILE names commit files, or the folder that holds them.
    """
    with progress_display() as progress, opened(folder, lambda: ask_passphrase(passphrase_file)) as own:
        work = TallyWork(own)
        path = work.hand_over(work.reveal(files, progress), "reveal", target)
    click.echo(f"Everybody has committed. Carry to all others who decrypt:  {path}")


@tally_command.command("respond")
@folder_argument
@files_argument
@passphrase_option
@to_option
def respond_command(folder: Path, files: tuple[Path, ...], passphrase_file: Path | None, target: Path | None) -> None:
    """Third step: answer, once everybody's reveal file is here.

    FILE names commit and reveal files, or the folder that holds them.
    """
    with progress_display() as progress, opened(folder, lambda: ask_passphrase(passphrase_file)) as own:
        work = TallyWork(own)
        path = work.hand_over(work.respond(files, progress), "respond", target)
    click.echo(f"What the others revealed is what they had committed to. Carry to whoever combines:  {path}")


@tally_command.command("combine")
@_bundles
@click.option("--keys", "keys_path", required=True, type=FILE, metavar="FILE", help="The joined keys (ballots.json).")
@click.option(
    "--from", "files", required=True, multiple=True, type=ANY, metavar="FILE", help="The trustees' files, or their folder."
)
@_openings
@_data
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the tally records."
)
@json_option
def combine_command(
    bundles: tuple[Path, ...],
    keys_path: Path,
    files: tuple[Path, ...],
    openings: tuple[Path, ...],
    data: tuple[str, ...],
    output: Path,
    as_json: bool,
) -> None:
    """Make the tally records from what all trustees gave, check their proofs, and show the totals. Needs no secret.

    One file is written for each bundle. Give the same bundles, --openings and --data as in the first step.
    """
    record = read_key_record(read_bounded(keys_path, MAX_RECORD_SIZE, "the joined keys"), trustee_folder.group)
    failures = check_keys(record, trustee_folder.group)
    if failures:
        raise BallotError(f"{keys_path}: {failures[0].message} (check {failures[0].check}): take the keys of the definition")
    with progress_display(as_json) as progress:
        written = _combine(record, bundles, files, openings, data, output, progress)
    if as_json:
        print_json(written)
        return
    sums: dict[tuple[str, str], int] = {}
    for each in written:
        for contest, totals in each["totals"].items():
            for label, total in totals.items():
                sums[contest, label] = sums.get((contest, label), 0) + total
    table = Table(title=f"Totals of {len(written):,} bundle(s)", title_justify="left", box=None)
    table.add_column("Contest")
    table.add_column("Option")
    table.add_column("Votes", justify="right")
    for (contest, label), total in sums.items():
        table.add_row(contest, label, f"{total:,}")
    plain_console().print(table)
    count = sum(len(each["opened"]) for each in written)
    click.echo(f"All proofs hold. {count:,} challenged ballot(s) opened. Tally records:")
    for each in written[:_SHOWN]:
        click.echo(f"  {each['file']}")
    if len(written) > _SHOWN:
        click.echo(f"  and {len(written) - _SHOWN:,} more in {output}")


def _combine(
    record: KeyRecord,
    bundles: Iterable[Path],
    files: Iterable[Path],
    openings: Iterable[Path],
    data: Iterable[str],
    output: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    keys = election_keys(record, trustee_folder.group)
    scanned = scan_files(files, progress)
    last = max((each.header for each in scanned.values()), key=lambda header: header.attempt)
    scanned = {name: each for name, each in scanned.items() if each.header.attempt == last.attempt}
    if last.keys != keys.extended_hash:
        raise BallotError("the trustees' files are of another election than these keys: take the right ballots.json")
    quorum = Quorum(keys, record.guardians, last.present)
    commits, reveals, responds = (complete(scanned, step, last) for step in ("commit", "reveal", "respond"))
    seen = digests_of(scanned, commits), digests_of(scanned, reveals)
    for index, name in responds.items():
        if scanned[name].header.seen != seen_hash(*seen):
            raise BallotError(
                f"trustee {index} answered to other files than those that are here: bring the files that it was given"
            )
    found, chosen, opened_ballots = by_hash(bundle_paths(bundles), progress), chosen_data(data, keys), read_openings(openings)
    identity = RoundIdentity(keys.extended_hash, last.attempt, quorum.numbers)
    for request, _ in collect(keys, found, chosen, opened_ballots):
        identity.add(request)
    if identity.digest() != last.round:
        raise BallotError("these are not the bundles, --openings and --data that the trustees decrypted: give the same ones")
    logarithms = SmallLogarithms(keys.group, keys.vote_key)
    written = []
    parts = zip(read_together(commits), read_together(reveals), read_together(responds), strict=True)
    for number, ((request, own), lines) in enumerate(zip(collect(keys, found, chosen, opened_ballots), parts, strict=True), 1):
        with naming_station(request):
            tally = combine_bundle(
                quorum,
                request,
                commitments_of(request, lines[0]),
                reveals_of(request, lines[1]),
                responses_of(request, lines[2]),
                logarithms,
                own,
            )
        path = output / f"tally-{request.station}-{request.bundle.hex()[:8]}.json"
        write_lines(path, [tally.encode()])
        written.append(_tally_json(request.station, path, tally))
        progress("Combining", number, len(found))
    return written


def _tally_json(station: str, path: Path, tally: TallyRecord) -> dict[str, Any]:
    totals: Mapping[str, Any] = {
        contest.label: {field.label: field.total for field in contest.fields} for contest in tally.contests
    }
    opened_codes = [ballot.code.hex() for ballot in tally.challenged]
    return {"station": station, "bundle": tally.bundle.hex(), "file": str(path), "totals": totals, "opened": opened_codes}


def _show_bundles(bundles: Sequence[Listed]) -> None:
    table = Table(title="Compare these with the printed tally sheets", title_justify="left", box=None)
    for name in ("Station", "Device", "Cast", "To open", "Bundle (SHA-256)"):
        table.add_column(name, overflow="fold")
    for each in bundles[:_SHOWN]:
        # In groups of four, as on the paper; a narrow terminal breaks the line between two groups.
        shown = " ".join(grouped_hash(each.bundle))
        table.add_row(each.station, each.device, f"{each.cast:,}", f"{each.challenged:,}", shown)
    plain_console().print(table)
    if len(bundles) > _SHOWN:
        click.echo(f"and {len(bundles) - _SHOWN:,} more (--json lists all)")


def _numbers(text: str) -> list[int]:
    try:
        return sorted(int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--present {text!r} is not a list of trustees' numbers, such as 1,3,5") from error
