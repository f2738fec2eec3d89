"""Files that whoever signs keeps, and names in a statement by their SHA-256."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from scrutineer.errors import UsageError
from scrutineer.pieces import pieces_of, sha256_of


def evidence_option(words: str) -> Callable[..., Any]:
    """The option that names such files, any number of them."""
    return click.option(
        "--evidence",
        multiple=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help=words,
    )


def evidence_hash(path: Path, most: int) -> bytes:
    """SHA-256 of a file. Raises UsageError for one that cannot be read, or has more than `most` bytes."""
    try:
        if path.stat().st_size > most:
            raise UsageError(f"{path} has more than {most:,} bytes: give a part of it")
        return sha256_of(pieces_of(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
