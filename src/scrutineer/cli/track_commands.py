"""`track`: what became of one ballot, for the voter who has its code."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click

from scrutineer.cli.mirror_commands import definition_hash, is_address
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.errors import PublicationError
from scrutineer.verify import FolderSource
from scrutineer.verify.track import Reader, track
from scrutineer.verify.tracked import OUTCOMES, Tracked
from scrutineer.verify.tracking_code import read_code
from scrutineer.verify.web import WebSite

_MARKS = {"good": "  right      ", "bad": "  NOT RIGHT  ", "open": "  open       "}


class WebReader:
    """A published site at an address, read as it is asked for."""

    def __init__(self, site: WebSite) -> None:
        self._site = site

    def read(self, path: str, limit: int) -> bytes:
        """A small file. Raises PublicationError where there is none, TransportError where it cannot be had."""
        return b"".join(self.chunks(path, limit))

    def chunks(self, path: str, limit: int) -> Iterator[bytes]:
        """A file in pieces; raises as `read` does."""
        pieces = self._site.pieces(path, limit)
        if pieces is None:
            raise PublicationError(f"{path} is missing")
        yield from pieces


@click.command("track")
@click.argument("code", metavar="CODE...", nargs=-1, required=True)
@click.option("--from", "site", metavar="SITE-or-URL", required=True, help="A published site: its folder, or its address.")
@click.option("--definition", metavar="HASH", help="Hash of the definition, from a source that you trust.")
@json_option
def track_command(code: tuple[str, ...], site: str, definition: str | None, as_json: bool) -> None:
    """Find the ballot with the tracking code CODE in a published site, and say what became of it.

    CODE is what your slip says: six words, or what its QR code holds, or the hexadecimal digits of the confirmation code.

    The site is not trusted: the ballot has to give your code, to stand in the unbroken chain of its machine, and to be in the
    file whose hash the station's signed sheet names; and the log has to hold that sheet. Whoever answers you learns the first
    digits of your code and its station, and nothing of your vote, which nobody can read from an encrypted ballot.

    Exit status 0 where the ballot was found and everything is right, 1 for anything else.
    """
    wanted = read_code(" ".join(code))
    expected = definition_hash(definition) if definition is not None else None
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(progress_display(as_json))
        reader: Reader = WebReader(stack.enter_context(WebSite(site))) if is_address(site) else FolderSource(Path(site))
        tracked = track(reader, wanted, expected, progress)
    if as_json:
        print_json(dataclasses.asdict(tracked) | {"found": tracked.found, "proved": tracked.proved})
    else:
        _print(tracked, named=expected is not None)
    if not tracked.proved:
        raise click.exceptions.Exit(1)


def _print(tracked: Tracked, *, named: bool) -> None:
    if tracked.election:
        click.echo(tracked.election)
    click.echo(f"Ballot {tracked.words}")
    if tracked.found:
        click.echo(f"Station {tracked.station} ({tracked.place}). {OUTCOMES.get(tracked.status, '')}")
    for title, marked in tracked.opened:
        click.echo(f"  {title}: {'; '.join(marked)}")
    for step in tracked.steps:
        click.echo(f"{_MARKS[step.state]}{step.sentence}")
    if any(step.state == "bad" for step in tracked.steps):
        click.echo("Not everything is right here: keep your slip, try another copy of the site, and show this to an observer.")
    elif tracked.found and not tracked.proved:
        click.echo("Nothing is wrong with this ballot; what is open could not be checked yet.")
    if tracked.found and not named:
        click.echo(
            f"This holds for the election whose definition has the hash\n  {tracked.definition}\n"
            "Compare that hash with a source that you trust, or pass it with --definition."
        )
