"""The fields of the JSON files, as a part of the data dictionary."""

from typing import Final, get_args

from scrutineer.calls.call import Verdict
from scrutineer.election.contests import RuleName
from scrutineer.election.definition import Provenance
from scrutineer.language import msg
from scrutineer.portal.dictionary import (
    BALLOTS,
    BYTES,
    ROWS,
    STATION_ROW,
    STATIONS,
    TOTALS,
    VOTERS,
    VOTES,
    Field,
    Table,
)

LAYERS: Final = ("preliminary", "official", "certified")
_SCHEMA: Final = Field("$schema", "path", msg("The JSON Schema that describes this file, relative to it."))
_LAYER: Final = Field("layer", "text", msg("Which layer these totals belong to."), choices=LAYERS)
_TITLE: Final = Field("title", "text", msg("What is voted on."))
_RULE: Final = Field("rule", "text", msg("The rule that decides the contest."), choices=get_args(RuleName))
_CONTEST: Final = Field("contest", "id", msg("The contest."))
DEFINITION: Final = Field("definition", "hash", msg("Hash of the signed definition, which names the election everywhere."))
_ELECTION_NAME: Final = Field("name", "text", msg("Its name."))
_DATE: Final = Field("date", "text", msg("Election day, as year, month and day (ISO 8601)."))
SIZE: Final = Field("size", "number", msg("Entries of the log that everything here is computed from."))
ROOT: Final = Field("root", "hash", msg("Root of the log at that size."))
TIME: Final = Field(
    "time_ms", "number", msg("When that head of the log was signed, counted from the beginning of 1970."), msg("milliseconds")
)
_UNIT_ID: Final = Field("id", "id", msg("The unit or station."))
_UNIT_NAME: Final = Field("name", "text", msg("Its name."))
_UNIT_KIND: Final = Field("kind", "text", msg("What kind of unit it is, such as region or station."))
_TOO_MANY: Final = msg("So many places lie directly in it that they stand in the tables alone.")
_PAGE: Final = Field("page", "path", msg("Its page on this site."), empty=msg("It has none."))

CONTROL: Final = Table(
    "control",
    msg("Control totals"),
    msg("What a copy of a file must still add up to. Every figure is summed as it stands there, whatever its status."),
    (
        Field(
            "rows",
            "number",
            msg("How many rows the file holds, without the header; in JSON, how many objects its rows are."),
            ROWS,
        ),
        Field("sums", "numbers", msg("The sum of each column of numbers. Cells that are empty or null add nothing.")),
    ),
)
_CONTROL: Final = Field("control", "record", msg("Control totals of this file."), of="control")

OUTCOME: Final = Table(
    "outcome",
    msg("Outcome"),
    msg("What the rule of the contest makes of the counted sheets. A tie is reported and never broken."),
    (
        Field("elected", "texts", msg("Candidates who hold the places; a list stands here once for each of its seats.")),
        Field("runoff", "texts", msg("Candidates who would go into a second round.")),
        Field("tied", "texts", msg("Candidates who are level on the last places.")),
        Field("open_seats", "number", msg("Places on which they are level.")),
        Field("margin", "number", msg("Votes between the last in and the first out."), VOTES, msg("Nobody is out.")),
    ),
)
BOUND: Final = Table(
    "bound",
    msg("Bound"),
    msg("Whether ballots that are still open could change the outcome. This is arithmetic, and holds whatever they say."),
    (
        Field("changeable", "yes-no", msg("Whether what is outstanding and in quarantine could change the outcome.")),
        Field("exact", "yes-no", msg("Whether the ballots needed are exactly known; if not, fewer cannot change the outcome.")),
        Field(
            "ballots_needed", "number", msg("The fewest further ballots that could change it."), BALLOTS, msg("No number could.")
        ),
        Field("open_ballots", "number", msg("At most so many ballots can still come."), BALLOTS, msg("A roll is unknown.")),
        Field(
            "slack",
            "number",
            msg("Ballots needed less ballots open; above zero, the outcome is beyond change by so many."),
            BALLOTS,
            msg("One of the two is not known."),
        ),
        Field("open_stations_without_roll", "number", msg("Open stations whose roll is unknown."), STATIONS),
    ),
)

INDEX_RECORD: Final = Table("record", msg("Record"), msg("The head of the log that is shown."), (SIZE, ROOT, TIME))
INDEX_CONTEST: Final = Table(
    "index-contest",
    msg("Contest and its files"),
    msg("A contest, and where its files lie."),
    (
        Field("id", "id", msg("The contest.")),
        _TITLE,
        Field("file", "path", msg("Its file of the API.")),
        Field("results", "path", msg("Totals of every unit as CSV.")),
        Field("stations", "path", msg("Figures of every station as CSV.")),
        Field("parquet", "path", msg("The same as Parquet.")),
        Field("control", "path", msg("Control totals of these tables.")),
    ),
)
INDEX: Final = Table(
    "index",
    msg("Index of the API"),
    msg("What there is and where. Ask for this file again to learn whether anything is new: its log size then differs."),
    (
        _SCHEMA,
        Field("election", "path", msg("The file of the election.")),
        DEFINITION,
        _LAYER,
        Field("record", "record", msg("What everything here is computed from."), of="record"),
        Field("contests", "rows", msg("The contests, in the order of the definition."), of="index-contest"),
        Field(
            "units",
            "path",
            msg("The file of the country; from it, the files of all other units are found."),
            empty=msg("Units have none."),
        ),
        Field("unit_files", "number", msg("How many units have a file."), msg("files")),
        Field("files", "texts", msg("Paths of the files that are there once for the whole election.")),
        Field("schemas", "texts", msg("Paths of the JSON Schemas.")),
        _CONTROL,
    ),
    ("api/v1/index.json",),
)

OPTION: Final = Table(
    "option",
    msg("Option"),
    msg("What can be marked on the ballot."),
    (
        Field("id", "id", msg("The option.")),
        Field("name", "text", msg("Its name.")),
        Field("candidate", "id", msg("The candidate or list that a mark here supports.")),
    ),
)
CANDIDATE: Final = Table(
    "candidate",
    msg("Candidate"),
    msg("Who or what receives the votes of one or more options: a person, a list, or an answer."),
    (Field("id", "id", msg("The candidate.")), Field("name", "text", msg("The candidate’s name."))),
)
ELECTION_CONTEST: Final = Table(
    "election-contest",
    msg("Contest as defined"),
    msg("A contest as the signed definition has it."),
    (
        Field("id", "id", msg("The contest.")),
        _TITLE,
        _RULE,
        Field("seats", "number", msg("Places to fill."), msg("places")),
        Field("max_choices", "number", msg("How many options one ballot may mark."), msg("options")),
        Field("threshold", "text", msg("Share that the rule asks for."), empty=msg("The rule’s own holds.")),
        Field("base", "text", msg("What a share is taken of: valid votes or all ballots cast."), choices=("valid", "cast")),
        Field("unit", "id", msg("The unit whose stations vote in it.")),
        Field("options", "rows", msg("The options, in the order of the ballot."), of="option"),
        Field("candidates", "rows", msg("The candidates, lists or answers."), of="candidate"),
    ),
)
ELECTION: Final = Table(
    "election",
    msg("Election"),
    msg("What the election is, from its signed definition. This file never changes."),
    (
        _SCHEMA,
        Field("id", "id", msg("The election.")),
        _ELECTION_NAME,
        _DATE,
        Field("timezone", "text", msg("Its time zone, by its name in the IANA database.")),
        Field("authority", "text", msg("Who runs it.")),
        Field("provenance", "text", msg("Where its sheets come from."), choices=get_args(Provenance)),
        Field("source", "text", msg("Who published the data that are replayed."), empty=msg("Nothing is replayed.")),
        DEFINITION,
        Field("country", "id", msg("The unit that all others lie in.")),
        Field("units", "number", msg("Units above the stations."), msg("units")),
        Field("stations", "number", msg("Stations."), STATIONS),
        Field("roll", "number", msg("Registered voters."), VOTERS, msg("The roll of at least one station is unknown.")),
        Field("contests", "rows", msg("The contests, in the order of the definition."), of="election-contest"),
        _CONTROL,
    ),
    ("api/v1/election.json",),
)

CONTEST: Final = Table(
    "contest",
    msg("Contest"),
    msg("One contest as it stands."),
    (
        _SCHEMA,
        Field("id", "id", msg("The contest.")),
        _TITLE,
        _RULE,
        _LAYER,
        Field("unit", "id", msg("The unit whose stations vote in it.")),
        Field("totals", "record", msg("Totals over its whole unit."), of="totals"),
        Field("candidates", "votes", msg("Votes for each candidate, list or answer."), VOTES),
        Field(
            "seats",
            "votes",
            msg("Seats that each list holds for certain."),
            msg("seats"),
            msg("The rule gives no seats to lists."),
        ),
        Field("outcome", "record", msg("What the rule makes of the totals."), of="outcome"),
        Field("bound", "record", msg("Whether that can still change."), of="bound"),
        Field(
            "verdict",
            "text",
            msg("The call on the contest: how it is decided, if it is."),
            empty=msg("The definition commits to no settings for calls."),
            choices=get_args(Verdict),
        ),
        _CONTROL,
    ),
    ("api/v1/contests/*.json",),
)

PLACE: Final = Table(
    "place",
    msg("Unit above"),
    msg("A unit on the way down from the country."),
    (_UNIT_ID, _UNIT_NAME, Field("file", "path", msg("Its file of the API."))),
)
CHILD: Final = Table(
    "child",
    msg("Place"),
    msg("A unit or station that lies directly in a unit."),
    (
        _UNIT_ID,
        _UNIT_NAME,
        _UNIT_KIND,
        Field("stations", "number", msg("Stations in it; one, where it is a station itself."), STATIONS),
        Field(
            "file",
            "path",
            msg("Its file of the API."),
            empty=msg("It is a station, or lies below the last level that has files."),
        ),
        _PAGE,
    ),
)
UNIT_ROW: Final = Table(
    "unit-row",
    msg("Unit in a contest"),
    msg("A unit that lies directly in another, with its totals in one contest."),
    (_UNIT_ID, _UNIT_NAME, Field("totals", "record", msg("Its totals."), of="totals")),
)
UNIT_CONTEST: Final = Table(
    "unit-contest",
    msg("Contest in a unit"),
    msg("One contest in one unit. The totals of its units and of its counted stations add up to its own."),
    (
        _CONTEST,
        Field("totals", "record", msg("Totals of the whole unit."), of="totals"),
        Field("units", "rows", msg("The units directly in it that vote in the contest."), of="unit-row", empty=_TOO_MANY),
        Field("stations", "rows", msg("The stations directly in it that vote in the contest."), of="station", empty=_TOO_MANY),
        Field("control", "record", msg("Control totals of the units and stations listed here."), of="control"),
    ),
)
UNIT: Final = Table(
    "unit",
    msg("Unit"),
    msg("One unit above the stations, with what lies directly in it."),
    (
        _SCHEMA,
        _UNIT_ID,
        _UNIT_NAME,
        _UNIT_KIND,
        _PAGE,
        Field("above", "rows", msg("The units it lies in, from the country down."), of="place"),
        Field("children", "rows", msg("The units and stations directly in it."), of="child", empty=_TOO_MANY),
        Field("contests", "rows", msg("The contests that its stations vote in."), of="unit-contest"),
    ),
    ("api/v1/units/*.json",),
)

FILE_CONTROL: Final = Table(
    "file-control",
    msg("Control totals of one file"),
    msg("Control totals of one file."),
    (
        Field("file", "path", msg("The file, in the same folder.")),
        Field("bytes", "number", msg("Its size."), BYTES, msg("Its bytes depend on the library that wrote it.")),
        Field(
            "sha256",
            "hash",
            msg("Its hash."),
            empty=msg("Its bytes depend on the library that wrote it; the manifest has its hash."),
        ),
        *CONTROL.fields,
    ),
)
CONTROL_FILE: Final = Table(
    "controls",
    msg("Control totals of a contest"),
    msg("What the tables of one contest must still add up to after they were copied, opened or converted."),
    (
        _SCHEMA,
        _CONTEST,
        Field("files", "rows", msg("The tables of the contest."), of="file-control"),
    ),
    ("data/*/control.json",),
)

SUMMARY_CONTEST: Final = Table(
    "summary-contest",
    msg("Contest in the summary"),
    msg("One contest as it stands."),
    (
        _CONTEST,
        _TITLE,
        _RULE,
        TOTALS.field("votes"),
        CONTEST.field("candidates"),
        *(TOTALS.field(name) for name in ("blank", "null", "ballots", "voters", "roll", "roll_counted", "stations")),
        *(TOTALS.field(name) for name in ("counted", "quarantined", "excluded", "outstanding")),
        CONTEST.field("outcome"),
        CONTEST.field("bound"),
    ),
)
SUMMARY: Final = Table(
    "summary",
    msg("Summary"),
    msg("All contests as they stand, in one file."),
    (
        Field("election", "id", msg("The election.")),
        _ELECTION_NAME,
        _DATE,
        Field("provenance", "text", msg("Where the sheets come from, in one English sentence.")),
        DEFINITION,
        _LAYER,
        SIZE,
        ROOT,
        TIME,
        Field("contests", "rows", msg("The contests, in the order of the definition."), of="summary-contest"),
        _CONTROL,
    ),
    ("data/summary.json",),
)
API_TABLES: Final = (INDEX, ELECTION, CONTEST, UNIT)
"""The kinds of files below `api/v1/`."""
API_OBJECTS: Final = (
    INDEX_RECORD,
    INDEX_CONTEST,
    ELECTION_CONTEST,
    OPTION,
    CANDIDATE,
    TOTALS,
    OUTCOME,
    BOUND,
    PLACE,
    CHILD,
    UNIT_CONTEST,
    UNIT_ROW,
    STATION_ROW,
    CONTROL,
)
"""The kinds of objects that stand in files of the API."""
FILE_OBJECTS: Final = (FILE_CONTROL, SUMMARY_CONTEST)
"""The kinds of objects that stand in the other files alone."""
INNER: Final = (*API_OBJECTS, *FILE_OBJECTS)
DESCRIBED: Final = (*API_TABLES, CONTROL_FILE, SUMMARY)
"""The kinds of files that have a JSON Schema."""
