"""Reading somebody's published results by a layout: units, contests and one sheet for each row, figures exactly as published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from scrutineer.election.contests import Contest
from scrutineer.election.finding import Finding
from scrutineer.election.folder import Draft
from scrutineer.election.layout import Layout
from scrutineer.election.units import Units

Progress = Callable[[int, int], None]  # bytes read, bytes in all


class PublishedSheet(NamedTuple):
    """One station's figures in one contest as somebody published them. None means not known, which is not zero.

    The fields up to `source` mean what they mean in a tally sheet.
    """

    station: str
    contest: str
    counts: tuple[int | None, ...]
    blank: int | None
    null: int | None
    cast: int | None
    voters: int | None
    roll: int | None
    time: int | None
    source: str
    valid: int | None
    """Valid votes where the file states them; a tally sheet does not carry them, they are its sum."""
    line: int


class Sums(NamedTuple):
    """Control sums of the sheets of one contest, to be held against what the publisher announced."""

    contest: str
    sheets: int
    options: tuple[int, ...]
    """Votes per option, over the sheets that state them."""
    figures: Mapping[str, int]
    """Sums of blank, null, cast, voters, roll and valid over the sheets that state them; left out where none does."""
    stated: Mapping[str, int]
    """How many sheets state each of these figures."""


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """A file as read by its layout."""

    layout: Layout
    file: str
    sha256: bytes
    contests: tuple[Contest, ...]
    units: Units
    sheets: tuple[PublishedSheet, ...]
    """In the order of the file. A station that the file lists twice has two sheets: that is evidence, not an error."""
    outstanding: tuple[str, ...]
    """Stations without a sheet in at least one contest."""
    problems: tuple[Finding, ...]
    """Rows and cells that could not be read; their stations are outstanding."""
    notes: tuple[Finding, ...]
    """What was read and does not fit together, such as options that do not add up to the valid votes stated."""
    rows: int
    left_out: int
    """Totals rows, repeated headers and rows of other contests."""
    sums: tuple[Sums, ...]

    def draft(self) -> Draft:
        """The draft of the election that replays this file."""
        raise NotImplementedError


def read_published(
    path: Path, layout: Layout, *, where: Mapping[str, str] | None = None, progress: Progress | None = None
) -> Published:
    """Read a results file. `where` chooses another contest of a file that has one row for each candidate.

    Raises LayoutError where the file cannot be read by this layout at all.
    """
    raise NotImplementedError
