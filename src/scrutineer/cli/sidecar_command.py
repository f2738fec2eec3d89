"""`ballots sidecar`: make what lets everybody else check a bundle many ballots at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from scrutineer.ballots.bundle import read_bundle, split_lines
from scrutineer.ballots.engines import BallotLine, ProcessPool
from scrutineer.ballots.key_check import check_key_file
from scrutineer.ballots.keys import MAX_RECORD_SIZE, ElectionKeys
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.sidecar import MAGIC
from scrutineer.ballots.sidecar_make import sidecar_entries
from scrutineer.cli.show import progress_display
from scrutineer.durable import whole_file
from scrutineer.errors import BallotError
from scrutineer.pieces import pieces_of

SIDECAR: Final = ".commitments"
"""What the name of a side-car has behind that of its bundle."""
_file = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("sidecar")
@click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, type=_file)
@click.option("--keys", "key_file", type=_file, required=True, metavar="FILE", help="The trustees' public keys, ballots.json.")
@click.option("--workers", type=click.IntRange(1, 1024), metavar="N", help="Processes to work with.  [default: all cores]")
@click.option("--again", is_flag=True, help="Make side-cars anew that are there already.")
def sidecar_command(bundles: tuple[Path, ...], key_file: Path, workers: int | None, again: bool) -> None:
    """Write BUNDLE.commitments beside each BUNDLE, with which `verify` checks four times as many ballots a second.

    This takes as long as to check the ballots one by one, and is worth it where many others will check them. Nobody has to trust
    or to have the file: what it says is checked, and where it is wrong or missing ballots are checked one by one. When this was
    interrupted, start it again: it goes on with the first bundle that has no side-car.
    """
    keys = _keys(key_file)
    wanted = [path for path in bundles if again or not _beside(path).exists()]
    done = 0
    with progress_display() as progress:
        total = sum(_lines(path) for path in wanted)
        for path in wanted:
            before = done

            def show(of_bundle: int, before: int = before) -> None:
                progress("Computing commitments (ballots)", before + of_bundle, total)

            done += _make(keys, path, ProcessPool(workers), show)
    skipped = len(bundles) - len(wanted)
    click.echo(f"{done:,} ballots in {len(wanted):,} side-car(s)" + (f"; {skipped:,} were there already" if skipped else ""))


def _keys(path: Path) -> ElectionKeys:
    with path.open("rb") as file:
        keys = check_key_file(file.read(MAX_RECORD_SIZE + 1)).keys
    if keys is None:
        raise BallotError(f"{path} holds no keys that can be used: `scrutineer ballots verify` says what is wrong with them")
    return keys


def _beside(bundle: Path) -> Path:
    return bundle.with_name(bundle.name + SIDECAR)


def _lines(path: Path) -> int:
    """About how many ballots a bundle has."""
    return sum(piece.count(b"\n") for piece in pieces_of(path))


def _make(keys: ElectionKeys, bundle: Path, engine: ProcessPool, progress: Callable[[int], None]) -> int:
    """Write the side-car of one bundle, whole or not at all; answer with how many ballots it has."""
    path = _beside(bundle)
    ballots = (
        BallotLine(0, item.line, item.data)
        for item in read_bundle(split_lines(pieces_of(bundle)), bundle.name)
        if isinstance(item.value, Ballot)
    )
    count = 0
    with whole_file(path) as file:
        file.write(MAGIC)
        for made in sidecar_entries(keys, ballots, engine, progress):
            file.write(made.entry)
            count += 1
    return count
