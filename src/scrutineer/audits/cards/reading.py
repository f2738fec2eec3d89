"""Reads cast vote records of any maker: recognises the format by what the file holds, not by its name."""

from pathlib import Path

from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.sources import Progress, silent

FORMATS = ("raire", "dominion-json", "dominion-csv", "hart", "ess", "clearballot", "nist", "compact")


def recognise(path: Path) -> str:
    """The format of a file, folder or zip: one of FORMATS. Raises AuditError where it is none of them."""
    raise NotImplementedError


def read_cards(path: Path, format: str | None = None, *, progress: Progress = silent) -> Cards:  # noqa: A002
    """The cards that a file, folder or zip has records of.

    `format` is one of FORMATS; without it the content decides. Raises AuditError, naming the file, the line where there are
    lines, and what to do.
    """
    raise NotImplementedError
