"""`status`: how an election's service, log, witnesses and publications stand, on one screen."""

from collections.abc import Sequence
from pathlib import Path

import click

from scrutineer.cli.mirror_commands import is_address
from scrutineer.cli.service_check import Checked, Line, check_folder, check_site
from scrutineer.cli.show import json_option, print_json


@click.command("status")
@click.argument("places", metavar="DIR|URL...", nargs=-1, required=True)
@json_option
def status_command(places: tuple[str, ...], as_json: bool) -> None:
    """Say how it stands with the election in DIR, or with the site published at URL.

    Of DIR: whether its service runs, the log and its newest head, the store and the disk, the newest head that the witnesses have
    cosigned, each witness, what was published last, and what was refused in the last hour. Of URL: whether it answers, and
    which head it shows; with a DIR beside it also how far it is behind.

    Nothing is changed and nothing is verified: `verify` and `store check` do that. A line that needs somebody begins with '!'.

    Exit status 0 where all is well, 1 where a line needs somebody.
    """
    checked = [check_site(place) if is_address(place) else check_folder(Path(place)) for place in places]
    checked = _with_lag(places, checked)
    good = all(line.good for one in checked for line in one.lines)
    if as_json:
        print_json({"good": good, "places": [_json(one) for one in checked]})
    else:
        for one in checked:
            _print(one)
        click.echo("All is well." if good else "What begins with '!' needs somebody.")
    if not good:
        raise click.exceptions.Exit(1)


def _with_lag(places: Sequence[str], checked: Sequence[Checked]) -> list[Checked]:
    """Say of each site how far it is behind the newest log that was looked at."""
    newest = max((one.size for one in checked), default=0)
    found = []
    for place, one in zip(places, checked, strict=True):
        if is_address(place) and 0 < one.size < newest:
            one = one._replace(
                lines=[*one.lines, Line("Behind", f"{newest - one.size:,} entries behind the newest head seen here")]
            )
        found.append(one)
    return found


def _print(checked: Checked) -> None:
    click.echo(_printable(checked.name))
    width = max((len(line.what) for line in checked.lines), default=0)
    for line in checked.lines:
        click.echo(f"{' ' if line.good else '!'} {_printable(line.what):<{width}}  {_printable(line.words)}")


def _json(checked: Checked) -> dict[str, object]:
    return {
        "name": checked.name,
        **checked.facts,
        "lines": [{"what": line.what, "words": line.words, "good": line.good} for line in checked.lines],
    }


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
