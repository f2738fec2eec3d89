"""What a site shows: one log at one size, with the count that its entries give. Everything on a page is computed from this."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from scrutineer.count import Count
from scrutineer.election import Election
from scrutineer.errors import PublicationError
from scrutineer.log import Head, LogVerifier, MerkleTree

Level = Literal["stations", "units"]
Pages = Literal["stations", "units", "none"]

MOST_STATION_PAGES: Final = 100_000
"""Up to so many stations each has a page of its own unless someone asks otherwise; beyond, a folder becomes unwieldy."""


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """What the publisher may choose. `pages` and `nist` say how far down the pages and the NIST report go.

    With "units" no station has a page or report of its own: stations are rows on the page of the unit they lie in. With pages
    "none" places have no pages at all, and their figures stand in the data files alone.
    """

    pages: Pages = "stations"
    nist: Level = "stations"

    def __post_init__(self) -> None:
        for name, value, known in (("pages", self.pages, get_args(Pages)), ("nist", self.nist, get_args(Level))):
            if value not in known:
                raise PublicationError(f"site option {name} = {value!r} is not known: write one of {', '.join(known)}")


def default_options(station_count: int) -> SiteOptions:
    """The options for an election of so many stations."""
    level: Level = "stations" if station_count <= MOST_STATION_PAGES else "units"
    return SiteOptions(level, level)


@dataclass(frozen=True)
class Record:
    """The public record at one log size. The site is a pure function of it."""

    election: Election
    count: Count
    """Stands at `head.size`."""
    definition: bytes
    """Log entry 0, the signed definition."""
    units_table: bytes
    register_table: bytes
    checkpoint: bytes
    """Signed note of the head."""
    head: Head
    tree: MerkleTree
    """Holds at least the leaves of `head.size` entries."""
    verifier: LogVerifier
    entry: Callable[[int], bytes]
    """Returns the log entry at an index."""
    options: SiteOptions
    baseline_table: bytes | None = None
    """None where the definition names none."""
    pending: bytes | None = None
    """Signed note of a newer head that waits for its witnesses; None where there is none, or no witnesses are named."""

    def __post_init__(self) -> None:
        if self.count.size != self.head.size or self.tree.size < self.head.size:
            raise PublicationError(
                f"the count stands at {self.count.size} and the tree at {self.tree.size} entries, but the head covers "
                f"{self.head.size}: count the log up to the head before publishing it"
            )
