"""The fields of the JSON files that show the record itself: the site, the head of its log, and its snapshots."""

from typing import Final, get_args

from scrutineer.language import msg
from scrutineer.portal.api_tables import BOUND, DEFINITION, OUTCOME, ROOT, SIZE, TIME
from scrutineer.portal.dictionary import STATIONS, TOTALS, Field, Table
from scrutineer.portal.record import Level, Pages, Translated

_FORMAT: Final = Field("format", "text", msg("Name of this format."))
_ELECTION: Final = Field("election", "hash", DEFINITION.meaning)
_SIGNATURE: Final = Field("signature", "text", msg("Signature of the log in hexadecimal digits."))

SITE: Final = Table(
    "site",
    msg("The site"),
    msg("Which election and log the site shows, and what its publisher chose."),
    (
        _FORMAT,
        DEFINITION,
        Field("origin", "text", msg("Name of the log.")),
        SIZE,
        Field("pages", "text", msg("How far down places have pages."), choices=get_args(Pages)),
        Field("nist", "text", msg("How far down the NIST report goes."), choices=get_args(Level)),
        Field("languages", "texts", msg("Languages of the pages; the first has all of them.")),
        Field("translated", "text", msg("How far down places have pages in the other languages."), choices=get_args(Translated)),
    ),
    ("site.json",),
)
HEAD: Final = Table(
    "head",
    msg("Head of the log"),
    msg("The head that receipts are made from, with the log’s signature."),
    (SIZE, ROOT, _SIGNATURE, TIME),
    ("log/head.json",),
)

REGION: Final = Table(
    "region",
    msg("Region in a snapshot"),
    msg("How far one region was."),
    tuple(TOTALS.field(name) for name in ("counted", "quarantined", "excluded")),
)
SNAPSHOT_CONTEST: Final = Table(
    "snapshot-contest",
    msg("Contest in a snapshot"),
    msg("One contest as it stood."),
    (
        Field("contest", "id", msg("The contest.")),
        *(TOTALS.field(name) for name in ("votes", "blank", "null", "ballots", "stations")),
        *(TOTALS.field(name) for name in ("counted", "quarantined", "excluded", "outstanding")),
        BOUND.field("open_ballots"),
        *(OUTCOME.field(name) for name in ("elected", "runoff", "tied", "margin")),
        BOUND.field("changeable"),
        Field("regions", "record", msg("How far each region was, by the region’s identifier."), of="region"),
    ),
)
SNAPSHOT: Final = Table(
    "snapshot",
    msg("Snapshot"),
    msg("What the site showed at one size of the log. A snapshot never changes and is never taken away."),
    (
        _FORMAT,
        _ELECTION,
        Field("previous", "number", msg("Log size of the snapshot before it."), empty=msg("It is the first.")),
        SIZE,
        ROOT,
        _SIGNATURE,
        TIME,
        Field("checkpoint", "text", msg("The head as the log and its witnesses signed it.")),
        Field("contests", "rows", msg("The contests, in the order of the definition."), of="snapshot-contest"),
    ),
    ("snapshots/*.json",),
)
SNAPSHOT_ROW: Final = Table(
    "snapshot-row",
    msg("Snapshot in the list"),
    msg("One snapshot, in short."),
    (
        SIZE,
        TIME,
        ROOT,
        Field("counted", "counts", msg("Stations counted in each contest, in the order of the contests."), STATIONS),
    ),
)
SNAPSHOTS: Final = Table(
    "snapshots",
    msg("List of snapshots"),
    msg("All snapshots, oldest first."),
    (
        _FORMAT,
        _ELECTION,
        Field("contests", "texts", msg("The contests, in the order of the definition.")),
        Field("snapshots", "rows", msg("The snapshots."), of="snapshot-row"),
    ),
    ("snapshots/index.json",),
)

INNER: Final = (SNAPSHOT_ROW, SNAPSHOT_CONTEST, REGION)
"""The kinds of objects that stand in these files."""
