"""Options of commands that speak to services over TLS: whom to believe, and who is asking."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from scrutineer.intake.lanes import Trust

_file = click.Path(path_type=Path, exists=True, dir_okay=False)


def trust_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --authority and --client to a command, which gets them as `trust`."""

    @functools.wraps(command)
    def with_trust(*arguments: Any, authority: Path | None, client: Path | None, **options: Any) -> Any:
        return command(*arguments, trust=Trust(authority, client), **options)

    for name, text in (
        ("--client", "This client's certificate and private key (PEM), for services that ask for one."),
        ("--authority", "Who issues the certificates of https services (PEM).  [default: whom the system trusts]"),
    ):
        with_trust = click.option(name, type=_file, metavar="FILE", help=text)(with_trust)
    return with_trust
