"""The data dictionary: what every column and every field of the published files means, in what unit, and when it is empty.

There is one table for all. The page of the dictionary shows it, the JSON Schemas are made from it, and tests hold it against the
headers of the tables and the fields of the JSON files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from scrutineer.count import RULE_IDS, STATUS_NAMES
from scrutineer.language import msg

Kind = Literal[
    "number", "text", "id", "hash", "path", "yes-no", "votes", "stated", "numbers", "texts", "counts", "rows", "record"
]
"""What a cell holds. `votes`, `stated` and `numbers` are numbers by name, `stated` also null where one is not known; `texts` is a
list; `rows` and `record` refer to another table."""

KIND_WORDS: Final[Mapping[Kind, str]] = {
    "number": msg("whole number"),
    "text": msg("text"),
    "id": msg("identifier"),
    "hash": msg("SHA-256, 64 hexadecimal digits"),
    "path": msg("path of a file"),
    "yes-no": msg("true or false"),
    "votes": msg("whole numbers by identifier of the option"),
    "stated": msg("whole numbers by identifier of the option"),
    "numbers": msg("whole numbers by name of the column"),
    "texts": msg("list of texts"),
    "counts": msg("list of whole numbers"),
    "rows": msg("list of “{of}”"),
    "record": msg("“{of}”"),
}

VOTES: Final = msg("votes")
BALLOTS: Final = msg("ballots")
VOTERS: Final = msg("voters")
STATIONS: Final = msg("stations")
BYTES: Final = msg("bytes")
ROWS: Final = msg("rows")
NOT_STATED: Final = msg("The sheet does not state it, or no sheet has arrived.")
NOBODY_STATES: Final = msg("No counted sheet states it.")
NO_SHEET: Final = msg("No sheet has arrived.")


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a table or a field of a JSON object. All words are messages (room language)."""

    name: str
    """`votes:*` stands for one column for each option."""
    kind: Kind
    meaning: str
    unit: str = ""
    """What is counted; empty where nothing is."""
    empty: str = ""
    """When the cell is empty or the field null; empty where that never is."""
    of: str = ""
    """The table that `rows` and `record` refer to."""
    choices: tuple[str, ...] = ()
    """All values that there are, where these are few."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file with one kind of rows, or a kind of JSON object. `files` are its paths, `*` for what differs from file to file."""

    name: str
    title: str
    about: str
    fields: tuple[Field, ...]
    files: tuple[str, ...] = ()
    """Empty for an object that stands inside others."""

    def field(self, name: str) -> Field:
        """The field of a name; that of `votes:*` for each option's column. Raises KeyError where there is none."""
        for field in self.fields:
            if field.name == name or (field.name.endswith(":*") and name.startswith(field.name[:-1])):
                return field
        raise KeyError(name)


_UNIT_FIGURES: Final = (
    Field("stations", "number", msg("Stations that vote in the contest."), STATIONS),
    Field("counted", "number", msg("Stations whose sheet is in the totals."), STATIONS),
    Field(
        "quarantined", "number", msg("Stations whose sheet failed a rule and waits for a decision; not in the totals."), STATIONS
    ),
    Field("excluded", "number", msg("Stations that a decision keeps out of the count."), STATIONS),
    Field("outstanding", "number", msg("Stations from which no sheet has arrived."), STATIONS),
)
_ROLL_OF_ALL: Final = Field(
    "roll",
    "number",
    msg("Registered voters of all stations, counted or not."),
    VOTERS,
    msg("The roll of at least one station is unknown."),
)
_ALL_BALLOTS: Final = Field(
    "ballots", "number", msg("Ballots of the counted stations, as their sheets state them or as their votes add up."), BALLOTS
)
_BLANK_OF_ALL: Final = Field("blank", "number", msg("Blank votes of the counted sheets that state them."), VOTES, NOBODY_STATES)
_NULL_OF_ALL: Final = Field("null", "number", msg("Null votes of the counted sheets that state them."), VOTES, NOBODY_STATES)
_VOTERS_OF_ALL: Final = Field(
    "voters", "number", msg("Voters checked in, of the counted sheets that state them."), VOTERS, NOBODY_STATES
)

STATUS: Final = Field(
    "status",
    "text",
    msg("Whether its figures are in the totals; those of status “counted” are, no others."),
    choices=STATUS_NAMES,
)
ENTRY: Final = Field("entry", "number", msg("Number of the sheet’s entry in the log, from 0."), empty=NO_SHEET)
STATED_ROLL: Final = Field("stated_roll", "number", msg("Registered voters as the sheet states them."), VOTERS, NOT_STATED)
ROLL: Final = Field(
    "roll", "number", msg("Registered voters in the definition."), VOTERS, msg("The definition does not know it.")
)
SHEET_VOTERS: Final = Field("voters", "number", msg("Voters checked in, as the sheet states them."), VOTERS, NOT_STATED)
CAST: Final = Field("cast", "number", msg("Ballots in the box, as the sheet states them."), BALLOTS, NOT_STATED)
BLANK: Final = Field("blank", "number", msg("Blank votes, as the sheet states them."), VOTES, NOT_STATED)
NULL: Final = Field("null", "number", msg("Null votes, as the sheet states them."), VOTES, NOT_STATED)

RESULTS: Final = Table(
    "results",
    msg("Results"),
    msg("Totals of one contest for every unit above the stations. A unit’s row holds all that lies in it."),
    (
        Field("unit", "id", msg("The unit.")),
        Field("parent", "id", msg("The unit it lies in."), empty=msg("It is the country.")),
        Field("kind", "text", msg("What kind of unit it is, such as region or municipality.")),
        Field("name", "text", msg("Its name.")),
        *_UNIT_FIGURES,
        _ROLL_OF_ALL,
        _ALL_BALLOTS,
        _BLANK_OF_ALL,
        _NULL_OF_ALL,
        _VOTERS_OF_ALL,
        Field("votes:*", "number", msg("Votes for one option, of the counted stations. One column for each option."), VOTES),
    ),
    ("data/*/results.csv",),
)
STATIONS_TABLE: Final = Table(
    "stations",
    msg("Stations"),
    msg("Every station of one contest with the figures of its sheet as it stands, whether or not it is counted."),
    (
        Field("station", "id", msg("The station.")),
        Field("parent", "id", msg("The unit it lies in."), empty=msg("It is the country.")),
        Field("name", "text", msg("Its name.")),
        STATUS,
        ENTRY,
        Field("rules", "text", msg("Rules that the sheet fails, with spaces between them."), empty=msg("It fails none.")),
        ROLL,
        STATED_ROLL,
        SHEET_VOTERS,
        CAST,
        BLANK,
        NULL,
        Field(
            "votes:*",
            "number",
            msg("Votes for one option, as the sheet states them. One column for each option."),
            VOTES,
            NOT_STATED,
        ),
    ),
    ("data/*/stations.csv", "data/*/stations.parquet"),
)
UNITS: Final = Table(
    "units",
    msg("Units"),
    msg("The places of the election, from the country down to the stations; a table of the signed definition."),
    (
        Field("id", "id", msg("The unit or station.")),
        Field("parent", "id", msg("The unit it lies in."), empty=msg("It is the country.")),
        Field("name", "text", msg("Its name.")),
        Field("kind", "text", msg("What kind of unit it is, such as region or station.")),
        Field(
            "roll", "number", msg("Registered voters of a station."), VOTERS, msg("It is unknown, or the unit is not a station.")
        ),
    ),
    ("definition/units.csv",),
)
REGISTER: Final = Table(
    "register",
    msg("Register of keys"),
    msg("Who may sign what, and with which key; a table of the signed definition."),
    (
        Field("issuer", "text", msg("Who signs: role and name, such as station/0417.")),
        Field("unit", "id", msg("The unit for which it may speak."), empty=msg("It may speak for the whole country.")),
        Field("algorithm", "text", msg("The kind of signature."), choices=("ed25519", "ml-dsa-44")),
        Field("key", "text", msg("The public key in hexadecimal digits.")),
        Field("name", "text", msg("Name of the person or body."), empty=msg("None was given.")),
    ),
    ("definition/register.csv",),
)
BASELINE: Final = Table(
    "baseline",
    msg("Earlier election"),
    msg("Votes of an earlier election at the same stations, where the definition names one."),
    (
        Field("station", "id", msg("The station.")),
        Field("contest", "id", msg("The contest.")),
        Field("option", "id", msg("The option.")),
        Field("votes", "number", msg("Its votes in the earlier election."), VOTES),
    ),
    ("definition/baseline.csv",),
)

TOTALS: Final = Table(
    "totals",
    msg("Totals"),
    msg("Totals of one contest in one unit, over its counted stations."),
    (
        *_UNIT_FIGURES,
        _ROLL_OF_ALL,
        Field(
            "roll_counted",
            "number",
            msg("Registered voters of the counted stations."),
            VOTERS,
            msg("The roll of at least one of them is unknown."),
        ),
        _ALL_BALLOTS,
        _BLANK_OF_ALL,
        _NULL_OF_ALL,
        _VOTERS_OF_ALL,
        Field("votes", "votes", msg("Votes for each option, of the counted stations."), VOTES),
    ),
)
STATION_ROW: Final = Table(
    "station",
    msg("Station"),
    msg("One station in one contest, with the figures of its sheet as it stands."),
    (
        Field("id", "id", msg("The station.")),
        Field("name", "text", msg("Its name.")),
        STATUS,
        ENTRY,
        Field("sheet", "hash", msg("Hash of the sheet’s statement, which names it everywhere."), empty=NO_SHEET),
        Field("rules", "texts", msg("Rules that the sheet fails."), choices=RULE_IDS),
        ROLL,
        STATED_ROLL,
        SHEET_VOTERS,
        CAST,
        Field(
            "ballots",
            "number",
            msg("Ballots, as the sheet states them or as its votes add up."),
            BALLOTS,
            msg("The sheet states too little to know, or no sheet has arrived."),
        ),
        BLANK,
        NULL,
        Field(
            "votes",
            "stated",
            msg("Votes for each option, as the sheet states them; null for one that it leaves out."),
            VOTES,
            NO_SHEET,
        ),
    ),
)
