"""`ballots open` and `ballots cvr`: the ballots that an audit draws, opened by trustees and written as cast vote records."""

import datetime
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from scrutineer.ballots.ballot_check import check_ballot
from scrutineer.ballots.bundle import read_bundle, split_lines
from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.key_check import check_key_file
from scrutineer.ballots.keys import MAX_RECORD_SIZE, ElectionKeys, GuardianKeys
from scrutineer.ballots.record import Ballot, BundleHeader
from scrutineer.ballots.sampled import (
    MAX_PARTS_SIZE,
    SampledBallot,
    drawn_ballots,
    make_parts,
    open_sampled,
    read_parts,
)
from scrutineer.ballots.trustee import key_share
from scrutineer.ballots.vote_records import vote_records
from scrutineer.cli import trustee_folder
from scrutineer.cli.show import Progress, json_option, plain_console, print_json, progress_display
from scrutineer.cli.trustee_folder import ask_passphrase, chunks_of, opened, read_bounded
from scrutineer.cli.trustee_options import FILE, passphrase_option
from scrutineer.durable import write_whole
from scrutineer.errors import BallotError, UsageError
from scrutineer.pieces import hashed, sha256_of
from scrutineer.station.printed_sheet import grouped_hash

_LEAST_DIGITS = 16  # hexadecimal digits of a SHA-256 that a trustee has to give
_numbers = click.option(
    "--ballots",
    "drawn",
    required=True,
    metavar="N,N,...",
    help="Places in the bundle, from 1, of the ballots that the audit drew.",
)


@click.command("open")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@click.option(
    "--records",
    required=True,
    metavar="HASH",
    help="SHA-256 of the ballot record as the station's signed sheet names it: at least 16 digits; spaces are allowed.",
)
@_numbers
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="FILE", help="File to write.")
@passphrase_option
@click.option("--yes", is_flag=True, help="Do not ask before the ballots are opened.")
def open_command(
    folder: Path, bundle: Path, records: str, drawn: str, target: Path, passphrase_file: Path | None, yes: bool
) -> None:
    """Give this trustee's part of opening the ballots that an audit drew from BUNDLE; DIR is the trustee's folder.

    BUNDLE has to be the one that a station's signed sheet names: somebody who wants to know one voter's vote could copy that
    ballot into a bundle of their own and have it drawn. Take --records from the sheet itself, not from whoever brings BUNDLE.

    Opened ballots can be read, and whoever knows a voter's tracking code then knows that vote: open what the audit drew in
    public, and nothing else. With the files of a quorum, `ballots cvr` writes the cast vote records.
    """
    numbers, named = parse_numbers(drawn), parse_records(records)
    # One reading gives hash and ballots: a stick that answers a second reading with other bytes gains nothing.
    digest = hashlib.sha256()
    ballots = drawn_ballots(split_lines(hashed(chunks_of(bundle), digest)), bundle.name, numbers)
    if not digest.hexdigest().startswith(named):
        raise BallotError(
            f"{bundle.name} is not the bundle that --records names: its SHA-256 is {' '.join(grouped_hash(digest.digest()))}; "
            "open no ballot of it, and ask who made it"
        )
    if not yes and not click.confirm(
        f"Open {len(ballots):,} cast ballot(s) of {bundle.name}, so that they can be read?", err=True
    ):
        raise click.Abort
    with progress_display() as progress, opened(folder, lambda: ask_passphrase(passphrase_file)) as own:
        record = own.keys()
        share = key_share(own.state, record, trustee_folder.group)
        keys = usable_keys(own.keys_data())
        _check(keys, ballots, bundle.name, progress)
        quorum = Quorum(keys, record.guardians, _any_quorum(keys, share.index))
        parts = make_parts(quorum, share, secrets.token_bytes(32), digest.digest(), tuple(ballots.values()))
    write_whole(target, parts.encode())
    click.echo(f"wrote {target}: trustee {parts.trustee}'s parts of {len(ballots):,} ballot(s)")


@click.command("cvr")
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@click.option("--keys", "key_file", type=FILE, required=True, metavar="FILE", help="The trustees' public keys, ballots.json.")
@_numbers
@click.option(
    "--parts", type=FILE, multiple=True, required=True, metavar="FILE", help="What `ballots open` wrote; one a trustee."
)
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="FILE", help="File to write.")
@click.option("--codes", is_flag=True, help="Name the confirmation codes too: for the audit board alone, never for publication.")
@json_option
def cvr_command(
    bundle: Path, key_file: Path, drawn: str, parts: tuple[Path, ...], target: Path, codes: bool, as_json: bool
) -> None:
    """Write the cast vote records (NIST SP 1500-103) of the ballots that an audit drew from BUNDLE.

    Each record carries the serial that is printed on its paper record, by which the paper is found in the box. Without --codes
    nothing in the file leads to the encrypted ballot, and so to the voter who has its tracking code.
    """
    data = read_bounded(key_file, MAX_RECORD_SIZE, "the trustees' keys")
    keys = usable_keys(data)
    guardians = _guardians(data)
    ballots = drawn_ballots(split_lines(chunks_of(bundle)), bundle.name, parse_numbers(drawn))
    files = [read_parts(read_bounded(path, MAX_PARTS_SIZE, "a trustee's parts"), path.name) for path in parts]
    quorum = Quorum(keys, guardians, [own.trustee for own in files])
    found = open_sampled(quorum, sha256_of(chunks_of(bundle)), ballots, files)
    header = _header(split_lines(chunks_of(bundle)))
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    report = vote_records(keys.manifest, header.station, header.device, found, now, codes=codes)
    write_whole(target, (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode())
    if as_json:
        print_json({"ballots": [{"ballot": own.number, "serial": own.serial} for own in found], "file": str(target)})
        return
    _print(found, target)


def _print(found: list[SampledBallot], target: Path) -> None:
    console = plain_console()
    console.print("Look in the box for the papers with these serials, and compare each with its record:")
    for own in sorted(found, key=lambda ballot: ballot.serial):
        console.print(f"  {own.serial}")
    console.print(f"wrote {target}", soft_wrap=True)


def parse_numbers(text: str) -> list[int]:
    """Places of ballots, such as 3,17,40. Raises UsageError."""
    try:
        numbers = sorted(int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"{text[:60]!r} are no places of ballots: write whole numbers with commas, such as 3,17,40") from error
    if numbers[0] < 1:
        raise UsageError("the places of ballots are counted from 1")
    return numbers


def parse_records(text: str) -> str:
    """The first digits of a SHA-256, at least 16, as copied from paper; in lower case, without spaces. Raises UsageError."""
    digits = "".join(text.split()).lower()
    if not re.fullmatch(rf"[0-9a-f]{{{_LEAST_DIGITS},64}}", digits):
        raise UsageError(
            f"--records {text[:80]!r} is no SHA-256: give what the signed sheet says under SHA-256 of the ballot record, "
            f"at least its first {_LEAST_DIGITS} hexadecimal digits"
        )
    return digits


def usable_keys(data: bytes) -> ElectionKeys:
    """The keys of a file that passes verifications 1 to 4. Raises BallotError."""
    checked = check_key_file(data, trustee_folder.group)
    if checked.keys is None or checked.failures:
        raise BallotError(f"the trustees' keys cannot be used: {checked.failures[0].message} (check {checked.failures[0].check})")
    return checked.keys


def _check(keys: ElectionKeys, ballots: Mapping[int, Ballot], name: str, progress: Progress) -> None:
    """Raises BallotError where a drawn ballot's own proofs do not hold, as those of a ballot that was changed do not."""
    tables = CheckTables(keys, window=4)
    for done, (number, ballot) in enumerate(ballots.items(), 1):
        failures = check_ballot(keys, ballot, tables)
        if failures:
            raise BallotError(
                f"ballot {number} of {name} does not hold: {failures[0].message} (check {failures[0].check}); "
                "no ballot was opened: let `scrutineer verify` check the record first"
            )
        progress("Checking the drawn ballots", done, len(ballots))


def _guardians(data: bytes) -> tuple[GuardianKeys, ...]:
    record = check_key_file(data, trustee_folder.group).record
    return record.guardians if record is not None else ()


def _any_quorum(keys: ElectionKeys, index: int) -> list[int]:
    """A quorum with this trustee; a part of a nonce is the same in every quorum."""
    others = [number for number in range(1, keys.guardians + 1) if number != index]
    return sorted([index, *others[: keys.quorum - 1]])


def _header(lines: Iterable[bytes]) -> BundleHeader:
    first = next(iter(read_bundle(lines)), None)
    if first is None or not isinstance(first.value, BundleHeader):
        raise BallotError("the bundle has no header: it is no file of encrypted ballots")
    return first.value
