"""`ballots`: check bundles of encrypted ballots and what was decrypted of them, and look into a bundle."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table

from scrutineer.ballots.bundle import MAX_DEVICE, AnyBallot, Header, read_bundle, split_lines
from scrutineer.ballots.bundle_check import StationResult
from scrutineer.ballots.checks import CHECKS, check_of
from scrutineer.ballots.confirmation import tracking_words
from scrutineer.ballots.engines import Engine, InProcess, ProcessPool
from scrutineer.ballots.failures import CheckFailure, shown
from scrutineer.ballots.keys import MAX_RECORD_SIZE
from scrutineer.ballots.record import BundleClosing
from scrutineer.ballots.record_check import (
    GivenBundle,
    GivenTally,
    RecordCheck,
    Report,
    Source,
    pair_tallies,
    read_tally_source,
    report_of,
)
from scrutineer.ballots.spread_check import spread
from scrutineer.cli.ballots_cvr import cvr_command, open_command
from scrutineer.cli.ballots_export import export_command
from scrutineer.cli.show import Progress, json_option, plain_console, print_json, progress_display
from scrutineer.cli.sidecar_command import SIDECAR, sidecar_command
from scrutineer.errors import BallotError, UsageError
from scrutineer.pieces import hashed, pieces_of
from scrutineer.verify.ballots import FileSpill

_SHOWN: Final = 40
"""Failures that are shown to people; --json has all that were kept."""

_file = click.Path(path_type=Path, dir_okay=False, exists=True)
_bundles = click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, type=_file)


@click.group("ballots")
def ballots_command() -> None:
    """Check encrypted ballots, and look into what a station published.

    A station's machine writes its encrypted ballots into one file, its bundle; the trustees write what they decrypted of it into
    another one. `verify` checks both against the trustees' public keys, without any secret.
    """


ballots_command.add_command(open_command)
ballots_command.add_command(cvr_command)
ballots_command.add_command(export_command)


@ballots_command.command("verify")
@_bundles
@click.option("--keys", "key_file", type=_file, required=True, metavar="FILE", help="The trustees' public keys, ballots.json.")
@click.option(
    "--tally", "tallies", type=_file, multiple=True, metavar="FILE", help="What was decrypted of a bundle; may be repeated."
)
@click.option(
    "--engine",
    type=click.Choice(["pool", "one", "daft"]),
    default="pool",
    show_default=True,
    help="Check on all cores, on one, or on a cluster.",
)
@click.option(
    "--workers", type=click.IntRange(1, 1024), metavar="N", help="Processes of the engine `pool`.  [default: all cores]"
)
@click.option("--exact", is_flag=True, help=f"Leave aside the side-cars, BUNDLE{SIDECAR}, that make the check faster.")
@json_option
def verify_command(
    bundles: tuple[Path, ...],
    key_file: Path,
    tallies: tuple[Path, ...],
    engine: str,
    workers: int | None,
    exact: bool,
    as_json: bool,
) -> None:
    """Check every proof in BUNDLE..., under the trustees' keys, and every decrypted total.

    These are the 64 checks of the ElectionGuard Design Specification 2.1.0 and some of ours; what fails is said by its number.
    Give all bundles of an election at once, so that a ballot that stands in two of them is found.

    Take the keys from the signed definition of the election: whoever chooses the keys can also make ballots that fit them.

    Exit status 0 if every check passed, 1 if one failed.
    """
    chosen = _engine(engine, workers)
    sidecars = [None if exact else _sidecar(path) for path in bundles]
    with progress_display(as_json) as progress, FileSpill() as spill:
        digests, total = _read_all(bundles, progress)

        def checked(done: int) -> None:
            progress("Checking ballots", done, total)

        def sidecar(number: int) -> Iterator[bytes] | None:
            path = sidecars[number]
            return pieces_of(path) if path is not None else None

        check = RecordCheck(_bounded(key_file), spill=spill, engine=spread(chosen, sidecar, checked))
        given = [tally for tally in (_tally(path, check) for path in tallies) if tally is not None]
        paired = pair_tallies(digests, given, check.findings) if check.keys is not None else {}
        sources = (
            GivenBundle(_source(path), paired.get(place), digest)
            for place, (path, digest) in enumerate(zip(bundles, digests, strict=True))
        )
        results = list(check.bundles(sources))
        check.finish()
    report = report_of(check, results)
    if as_json:
        print_json(report_json(report))
    else:
        _print_report(report)
    if not report.passed:
        raise click.exceptions.Exit(1)


@ballots_command.command("show")
@click.argument("bundle", metavar="BUNDLE", type=_file)
@click.option(
    "--codes", is_flag=True, help="List the ballots instead, one on a line: status, tracking words and confirmation code."
)
@json_option
def show_command(bundle: Path, codes: bool, as_json: bool) -> None:
    """Show what stands in BUNDLE: station, device, ballots by status, and the hash that the tally sheet names.

    This reads the file and checks its form alone; `verify` checks what it says. No vote can be seen.
    """
    sha256, counts = hashlib.sha256(), Counter[str]()
    header: Header | None = None
    closing: BundleClosing | None = None
    failures: list[CheckFailure] = []

    def read(progress: Progress) -> Iterator[bytes]:
        size, done = bundle.stat().st_size, 0
        for piece in hashed(pieces_of(bundle), sha256):
            done += len(piece)
            progress("Reading the bundle (bytes)", done, size)
            yield piece

    with progress_display(as_json) as progress:
        for item in read_bundle(split_lines(read(progress)), bundle.name):
            if item.failure is not None:
                failures += [item.failure] if len(failures) < _SHOWN else []
            elif isinstance(item.value, Header):
                header = item.value
            elif isinstance(item.value, BundleClosing):
                closing = item.value
            elif isinstance(item.value, AnyBallot):
                counts[item.value.status] += 1
                if codes:
                    own = {"status": item.value.status, "words": tracking_words(item.value.code), "code": item.value.code.hex()}
                    click.echo(json.dumps(own) if as_json else "  ".join(own.values()))
    facts = {
        "station": shown(header.station) if header else None,
        "device": shown(header.device, MAX_DEVICE) if header else None,
        "keys": header.keys.hex() if header else None,
        "sha256": sha256.hexdigest(),
        "closing": closing.closing.hex() if closing else None,
        "ballots": dict(sorted(counts.items())),
    }
    if codes:
        for failure in failures:
            click.echo(f"{failure.check}  {failure.where}: {failure.message}", err=True)
    elif as_json:
        print_json({**facts, "failures": [failure._asdict() for failure in failures]})
    else:
        _print_bundle(facts, failures)
    if failures:
        raise click.exceptions.Exit(1)


ballots_command.add_command(sidecar_command)


def report_json(report: Report) -> dict[str, Any]:
    """What a check came to, for programs."""
    return {
        "passed": report.passed,
        "failed": report.failed,
        "failed_checks": list(report.checks),
        "idle_checks": list(report.idle),
        "failures": [failure._asdict() for failure in report.failures],
        "bundles": [
            {
                "file": result.name,
                "passed": result.passed,
                "kind": result.kind,
                "station": result.station,
                "device": result.device,
                "sha256": result.bundle.hex(),
                "closing": result.closing.hex(),
                "ballots": result.counts,
                "opened": result.opened,
                "totals": result.totals,
            }
            for result in report.stations
        ],
    }


def _print_report(report: Report) -> None:
    console = plain_console()
    if report.stations:
        table = Table()
        for name, side in (
            ("Bundle", "left"),
            ("Station", "left"),
            ("Cast", "right"),
            ("Challenged", "right"),
            ("Other", "right"),
        ):
            table.add_column(name, justify="right" if side == "right" else "left")
        table.add_column("Totals")
        table.add_column("Checks")
        for result in report.stations:
            table.add_row(*_row(result))
        console.print(table)
    for failure in report.failures[:_SHOWN]:
        click.echo(f"  {failure.check}  {failure.where}: {failure.message}")
    if report.failed > _SHOWN:
        click.echo(f"  and {report.failed - _SHOWN:,} more")
    if not report.passed:
        click.echo("What these checks demand, and what to do:")
        for number in report.checks:
            check = check_of(number)
            click.echo(f"  {number}  {check.holds} {check.advice}")
        click.echo(f"FAIL: {len(report.checks):,} of {len(CHECKS):,} checks failed, in {report.failed:,} places.")
        return
    for sentence in idle_sentences(report.idle):
        click.echo(sentence)
    ballots = sum(result.ballots for result in report.stations)
    looked = len(CHECKS) - len(report.idle)
    click.echo(f"PASS: {ballots:,} ballots in {len(report.stations):,} bundle(s) hold under {looked} of {len(CHECKS)} checks.")


def _row(result: StationResult) -> Sequence[str]:
    counts = result.counts
    other = counts["spoiled"] + counts["provisional"]
    totals = "decrypted" if result.totals is not None else "not decrypted"
    verdict = "pass" if result.passed else f"{result.failed:,} failed"
    return (
        Path(result.name).name,
        result.station,
        f"{counts['cast']:,}",
        f"{counts['challenged']:,}",
        f"{other:,}",
        totals,
        verdict,
    )


def idle_sentences(idle: Iterable[str]) -> Iterator[str]:
    """What a record does not have, so that its checks had nothing to look at."""
    numbers = set(idle)
    for needed, sentence in (
        ({"10.A"}, "No decrypted totals were given (--tally): verifications 10 to 14 had nothing to look at."),
        ({"13.B"}, "No challenged ballot was opened: verifications 13 and 14 had nothing to look at."),
        ({"12.C"}, "No contest data were decrypted: verification 12 had nothing to look at."),
        ({"16.A"}, "No pre-encrypted ballots: verifications 15 to 19 had nothing to look at."),
    ):
        if needed <= numbers and not (needed & {"13.B", "12.C"} and "10.A" in numbers):
            yield sentence


def _print_bundle(facts: dict[str, Any], failures: Sequence[CheckFailure]) -> None:
    click.echo(f"Station      {facts['station'] or 'not said'}")
    click.echo(f"Device       {facts['device'] or 'not said'}")
    click.echo(f"Keys         {facts['keys'] or 'not said'}")
    click.echo(f"SHA-256      {facts['sha256']}")
    click.echo(f"Closing hash {facts['closing'] or 'none: the bundle is not complete'}")
    ballots = ", ".join(f"{count:,} {status}" for status, count in facts["ballots"].items())
    click.echo(f"Ballots      {ballots or 'none'}")
    for failure in failures:
        click.echo(f"  {failure.check}  {failure.where}: {failure.message}")


def _engine(name: str, workers: int | None) -> Engine:
    if workers is not None and name != "pool":
        raise UsageError("--workers is for the engine `pool`: leave one of both out")
    if name == "one":
        return InProcess()
    if name == "daft":
        # Only whoever asks for a cluster needs what the extra `cluster` installs.
        from scrutineer.ballots.daft_engine import DaftEngine

        return DaftEngine()
    return ProcessPool(workers)


def _read_all(paths: Sequence[Path], progress: Progress) -> tuple[list[bytes], int]:
    """SHA-256 of every bundle, and about how many ballots there are."""
    size, done, lines = sum(path.stat().st_size for path in paths), 0, 0
    digests = []
    for path in paths:
        sha256 = hashlib.sha256()
        for piece in hashed(pieces_of(path), sha256):
            lines += piece.count(b"\n")
            done += len(piece)
            progress("Reading bundles (bytes)", done, size)
        digests.append(sha256.digest())
    return digests, max(0, lines - 2 * len(paths))


def _tally(path: Path, check: RecordCheck) -> GivenTally | None:
    try:
        return GivenTally(str(path), read_tally_source(_source(path)))
    except BallotError as error:
        check.findings.fail("R.8", str(path), str(error))
        return None


def _sidecar(bundle: Path) -> Path | None:
    path = bundle.with_name(bundle.name + SIDECAR)
    return path if path.is_file() else None


def _source(path: Path) -> Source:
    return Source(str(path), lambda: pieces_of(path))


def _bounded(path: Path) -> bytes:
    """The file of keys; one byte more than it may have shows that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_RECORD_SIZE + 1)
