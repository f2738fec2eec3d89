"""`ballots export-2.0`: a test election as an ElectionGuard 2.0.0 record, for verifiers that others have written."""

from pathlib import Path

import click

from scrutineer.ballots.keys import MAX_GUARDIANS, MAX_RECORD_SIZE, read_key_record
from scrutineer.ballots.manifest import Manifest
from scrutineer.ballots.version_2_0.election import MAX_BALLOTS, TestElection, count_lot, export_election
from scrutineer.ballots.version_2_0.hashes import Dialect
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.errors import UsageError

_file = click.Path(path_type=Path, dir_okay=False, exists=True)
_DIALECTS = [dialect.value for dialect in Dialect]


@click.command("export-2.0")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--keys", "key_file", type=_file, required=True, metavar="FILE", help="Take the contests from this ballots.json.")
@click.option(
    "--ballots", type=click.IntRange(1, MAX_BALLOTS), default=25, show_default=True, metavar="N", help="Ballots to draw by lot."
)
@click.option("--seed", default="1", show_default=True, metavar="TEXT", help="Decides the lot: the same text, the same votes.")
@click.option("--guardians", type=click.IntRange(1, MAX_GUARDIANS), default=3, show_default=True, metavar="N")
@click.option("--quorum", type=click.IntRange(1, MAX_GUARDIANS), default=2, show_default=True, metavar="N")
@click.option(
    "--hashes",
    type=click.Choice(_DIALECTS),
    default=Dialect.EGK.value,
    show_default=True,
    help="Hash as egk-ec does, or to the letter of the specification.",
)
@json_option
def export_command(
    out: Path, key_file: Path, ballots: int, seed: str, guardians: int, quorum: int, hashes: str, as_json: bool
) -> None:
    """Write a test election with the contests of FILE into the new folder OUT, as a record of ElectionGuard 2.0.0.

    Ballots of a real election follow version 2.1.0 and cannot be turned into this one: their proofs are bound to its hashes, and
    what proofs are made with is forgotten. So the votes here are a lot, and the guardians are played by this program.
    What the record shows is that an independent verifier, such as egk-ec's, accepts this program's arithmetic.

    Supplemental fields (blank, null, undervotes, write-ins) are left out, which 2.0.0 does not have.
    """
    if out.exists():
        raise UsageError(f"{out} is there already: name a folder that does not exist")
    election = TestElection(_manifest(key_file), ballots, seed, guardians, quorum, Dialect(hashes))
    unfinished = out.with_name(f"{out.name}.partial")
    if unfinished.exists():
        raise UsageError(f"{unfinished} is left of an export that was interrupted: remove it and start again")
    try:
        with progress_display(as_json) as progress:
            for path, data in export_election(election, progress=progress):
                target = unfinished / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        unfinished.rename(out)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename or unfinished}: {error.strerror}") from error
    totals = {
        contest.label: dict(zip(contest.options, values, strict=True))
        for number, values in count_lot(election).items()
        for contest in [election.manifest.contest(number)]
    }
    if as_json:
        print_json({"folder": str(out), "ballots": ballots, "totals": totals})
        return
    click.echo(f"wrote {out}: {ballots:,} ballots of a lot. Totals of those that were cast, as the record's own tally says:")
    for contest, options in totals.items():
        click.echo(f"  {contest}: " + ", ".join(f"{option} {votes:,}" for option, votes in options.items()))


def _manifest(path: Path) -> Manifest:
    with path.open("rb") as file:
        return read_key_record(file.read(MAX_RECORD_SIZE + 1)).manifest
