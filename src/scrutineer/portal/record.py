"""What a site shows: one log at one size, with the count that its entries give. Everything on a page is computed from this."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal, get_args

from scrutineer.count import Count
from scrutineer.election import Election
from scrutineer.errors import PublicationError
from scrutineer.language import LANGUAGES
from scrutineer.log import Head, LogVerifier, MerkleTree
from scrutineer.portal.ballot_record import StationBallots
from scrutineer.portal.history import MAX_SNAPSHOTS, Snapshot, regions, totals_of

Level = Literal["stations", "units"]
Pages = Literal["stations", "units", "none"]
Translated = Literal["stations", "units", "upper"]

MOST_STATION_PAGES: Final = 1_000_000
"""Up to so many stations each has a page of its own unless someone asks otherwise."""
MOST_STATIONS_TRANSLATED: Final = 2_000
"""Up to so many stations each has a page in every language of the site unless someone asks otherwise."""
MOST_STATION_REPORTS: Final = 100_000
"""Up to so many stations each has a report of its own in the NIST file."""
MOST_TRANSLATED_SNAPSHOTS: Final = 500
"""The first so many snapshots have a page in every language of the site; those that follow have one in the first alone."""
MOST_TRANSLATED: Final = 1_000
"""Where places have pages in the other languages from the country down to some level, at most so many have one."""


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """What the publisher may choose. `pages` and `nist` say how far down the pages and the NIST report go.

    `languages` are codes; the first lies at the site's root and has every page. `translated` says how far down the pages of
    places go in the others: to every station, to every unit above the stations, or to the units of the upper levels.

    With "units" no station has a page or report of its own: stations are rows on the page of the unit they lie in. With pages
    "none" places have no pages at all, and their figures stand in the data files alone.
    """

    pages: Pages = "stations"
    nist: Level = "stations"
    languages: tuple[str, ...] = LANGUAGES
    translated: Translated = "stations"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("pages", self.pages, get_args(Pages)),
            ("nist", self.nist, get_args(Level)),
            ("translated", self.translated, get_args(Translated)),
        ):
            if value not in known:
                raise PublicationError(f"site option {name} = {value!r} is not known: write one of {', '.join(known)}")
        if not self.languages or len(set(self.languages)) < len(self.languages) or not set(self.languages) <= set(LANGUAGES):
            raise PublicationError(
                f"site option languages = {', '.join(self.languages)!r} cannot be used: name each language once, "
                f"of {', '.join(LANGUAGES)}"
            )


def default_options(station_count: int, languages: tuple[str, ...] = LANGUAGES) -> SiteOptions:
    """The options for an election of so many stations."""
    return SiteOptions(
        "stations" if station_count <= MOST_STATION_PAGES else "units",
        "stations" if station_count <= MOST_STATION_REPORTS else "units",
        languages,
        "stations" if station_count <= MOST_STATIONS_TRANSLATED else "upper",
    )


@dataclass(frozen=True)
class Image:
    """An image of a paper sheet: the ending of its file, which says its type, and how its bytes are read."""

    ending: str
    load: Callable[[], bytes]
    stations: tuple[str, ...] = ()
    """Ids of the stations whose sheets, or copies of them, name it; in the order of the log."""

    @property
    def shown(self) -> bool:
        """Whether a page can show it; a PDF is linked."""
        return self.ending != "pdf"


Images = Mapping[bytes, Image]
"""Images by the SHA-256 of their bytes."""


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
    shapes_table: bytes | None = None
    """The shapes of units for maps; None where the definition names none."""
    ballots_table: bytes | None = None
    """The trustees' keys, under which ballots are encrypted; None where the definition names none."""
    pending: bytes | None = None
    """Signed note of a newer head that waits for its witnesses; None where there is none, or no witnesses are named."""
    history: tuple[Snapshot, ...] = ()
    """The heads that were published before, oldest first; the last may be of the very size of this one, and then it stands."""

    images: Images = field(default_factory=dict)
    """Images that are published with the pages, of those that statements of the log name (images.py)."""
    ballots: "Mapping[int, StationBallots]" = field(default_factory=dict)
    """Encrypted ballots that are published, by number of the station whose sheet names them (ballot_record.py)."""
    audits: Mapping[str, bytes] = field(default_factory=dict)
    """Files of audits that are published, by path (audit_files.py)."""

    @cached_property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Everything that was published at some time, this head included; never of one size twice."""
        if (self.history and self.history[-1].head.size == self.head.size) or len(self.history) >= MAX_SNAPSHOTS:
            return self.history
        return (*self.history, Snapshot(self.head, self.checkpoint, totals_of(self.count, regions(self.election))))

    def covering(self, index: int) -> Head:
        """The first head that was published with an entry in it. A receipt relative to it stays the same for ever."""
        earlier = bisect_right(self.history, index, key=lambda snapshot: snapshot.head.size)
        return self.history[earlier].head if earlier < len(self.history) else self.head

    def __post_init__(self) -> None:
        if self.count.size != self.head.size or self.tree.size < self.head.size:
            raise PublicationError(
                f"the count stands at {self.count.size} and the tree at {self.tree.size} entries, but the head covers "
                f"{self.head.size}: count the log up to the head before publishing it"
            )
        sizes = [snapshot.head.size for snapshot in self.history]
        if any(later <= size for size, later in pairwise([0, *sizes])) or (sizes and sizes[-1] > self.head.size):
            raise PublicationError("the history holds a head that was published later, or one size twice: read it again")
