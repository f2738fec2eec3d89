"""The definition of an election: what is voted on, where, under which rules, and who may sign what.

`Definition` is what the authority signs (statement 0). Its large tables are files of their own that it names by hash: the units,
the register and, where it commits to them, the baseline of its calls, the shapes of its maps and the keys of encrypted ballots.
`Election` is the definition together with its tables, which is what every other room works with; shapes and keys are not in it,
because only maps and ballots need them.
"""

import datetime
import hashlib
import zoneinfo
from typing import Final, Literal

import msgspec

from scrutineer.election.baseline import BASELINE_TABLE as BASELINE_TABLE
from scrutineer.election.baseline import Baseline, check_baseline
from scrutineer.election.baseline import read_baseline as read_baseline
from scrutineer.election.baseline import write_baseline as write_baseline
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import Contest, check_id, check_name
from scrutineer.election.parties import Party, check_parties
from scrutineer.election.register import KINDS_BY_ROLE, Issuer, Register
from scrutineer.election.shapes import SHAPES_TABLE as SHAPES_TABLE
from scrutineer.election.tables import REGISTER_TABLE as REGISTER_TABLE
from scrutineer.election.tables import UNITS_TABLE as UNITS_TABLE
from scrutineer.election.tables import read_register as read_register
from scrutineer.election.tables import read_units as read_units
from scrutineer.election.tables import write_register as write_register
from scrutineer.election.tables import write_units as write_units
from scrutineer.election.transmission import Transmission
from scrutineer.election.units import Units
from scrutineer.election.witness_policy import WitnessPolicy
from scrutineer.errors import DefinitionError

FORMAT_VERSION: Final = 1
BALLOTS_TABLE: Final = "ballots.json"
"""The trustees' keys, under which ballots are encrypted; opaque bytes in this room (see ballots/keys.py)."""
MAX_BALLOTS_SIZE: Final = 16 * 1024 * 1024  # bytes

Provenance = Literal["official", "simulated", "replayed"]
Severity = Literal["error", "warning", "off"]
BASELINE_ADVICE: Final = "a baseline serves calls alone; add a section [calls] to election.toml, or leave the baseline out"
THRESHOLD_ACTS: Final = frozenset({"definition", "accreditation", "decision", "bulletin", "certificate"})


class TableHash(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the definition, named by the SHA-256 of its bytes."""

    sha256: bytes
    size: int  # bytes

    def __post_init__(self) -> None:
        if len(self.sha256) != 32 or self.size < 0:
            raise DefinitionError("a table of the definition is not named by a SHA-256 hash of 32 bytes and its size")


class LogIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The one log of this election: its origin line and its keys as C2SP verifier keys."""

    origin: str
    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.origin or len(self.origin) > 128 or not self.origin.isprintable() or set(" +") & set(self.origin):
            raise DefinitionError(f"log origin {self.origin!r} cannot be used: write a name without spaces or '+'")
        if not self.keys:
            raise DefinitionError("the log has no key: name at least one verifier key")


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the authority signs as statement 0. Its statement's hash names the election."""

    version: int
    id: str
    name: str
    date: str
    """Election day, ISO 8601 (YYYY-MM-DD)."""
    timezone: str
    provenance: Provenance
    authority: str
    """Name of the body that runs the election, as people know it."""
    contests: tuple[Contest, ...]
    tables: dict[str, TableHash]
    log: LogIdentity
    source: str = ""
    """Who published the data, where they are replayed; empty otherwise."""
    thresholds: dict[str, int] = {}
    """How many authority signatures an act needs before it takes effect; one where it is not named."""
    rules: dict[str, Severity] = {}
    """Severities that differ from the rules' own, by rule id."""
    opening_required: bool = False
    """Whether a sheet is held back unless its station was declared open before."""
    calls: CallSettings | None = None
    """What is committed to before the first result about calls; None where nothing is, and bulletins then carry no call."""
    witnesses: WitnessPolicy | None = None
    """Who must have cosigned what is shown as the log's head; None where the log's own signature is all there is."""
    transmission: Transmission | None = None
    """How sheets reach the log; None where stations are told in another way."""
    parties: tuple[Party, ...] = ()
    """What voting machines offer for the whole ballot; the count knows nothing of it."""

    def __post_init__(self) -> None:
        if self.version != FORMAT_VERSION:
            raise DefinitionError(f"the definition has format version {self.version}: this program reads {FORMAT_VERSION}")
        check_id(self.id, "election")
        check_name(self.name, "name of the election")
        check_name(self.authority, "name of the authority")
        if not _is_date(self.date):
            raise DefinitionError(f"election date {self.date!r} is not a date: write it as YYYY-MM-DD")
        try:
            zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise DefinitionError(
                f"time zone {self.timezone!r} is not known: write one such as 'UTC' or 'America/La_Paz'"
            ) from error
        if not self.contests:
            raise DefinitionError("the election has no contest: add at least one")
        seen: set[str] = set()
        for contest in self.contests:
            if contest.id in seen:
                raise DefinitionError(f"contest {contest.id!r} is listed twice: give each contest its own id")
            seen.add(contest.id)
        check_parties(self.parties, self.contests)
        for act, needed in self.thresholds.items():
            if act not in THRESHOLD_ACTS or not 1 <= needed <= 100:
                raise DefinitionError(
                    f"threshold {act!r} = {needed} cannot be used: name one of "
                    f"{', '.join(sorted(THRESHOLD_ACTS))} and 1 to 100 signatures"
                )
        if (self.provenance == "replayed") != bool(self.source):
            raise DefinitionError("a source names who published replayed data: give it with provenance 'replayed', and only then")
        if len(self.source) > 512 or (self.source and not self.source.isprintable()):
            raise DefinitionError("the source is not a line of at most 512 printable characters: shorten it")
        if set(self.tables) - {BASELINE_TABLE, SHAPES_TABLE, BALLOTS_TABLE} != {UNITS_TABLE, REGISTER_TABLE}:
            raise DefinitionError(
                f"the definition names the tables {sorted(self.tables)}: it needs {UNITS_TABLE} and {REGISTER_TABLE}, "
                f"and may have {BASELINE_TABLE}, {SHAPES_TABLE} and {BALLOTS_TABLE}"
            )
        if BASELINE_TABLE in self.tables and self.calls is None:
            raise DefinitionError(f"the definition names {BASELINE_TABLE}: {BASELINE_ADVICE}")

    def needed(self, act: str) -> int:
        """How many authority signatures an act of this kind needs."""
        return self.thresholds.get(act, 1)

    def provenance_sentence(self) -> str:
        """One sentence for every output that says where the sheets come from."""
        if self.provenance == "replayed":
            return f"Replayed from published data ({self.source}); the keys were made for the replay."
        if self.provenance == "simulated":
            return "Simulated: this election, its places and its candidates are invented."
        return f"Signed by the stations of this election; defined by {self.authority}."


class Election:
    """A definition with its tables, checked against each other. `hash` names the election in every other statement."""

    __slots__ = ("baseline", "contest_index", "contest_units", "definition", "hash", "register", "units")

    baseline: Baseline
    """For each contest, votes at an earlier election by station that votes in it and option; None where there are none."""

    def __init__(
        self, definition: Definition, units: Units, register: Register, election_hash: bytes, baseline: Baseline = ()
    ) -> None:
        """Join the parts. `election_hash` is the hash (leaf hash) of statement 0; `baseline` is empty where there is none.

        Raises DefinitionError where a contest or an issuer names a unit that does not exist, and where there is a baseline that
        the definition does not name, none although it names one, or one of other stations and options.
        """
        self.definition = definition
        self.units = units
        self.register = register
        self.hash = election_hash
        self.contest_index = {contest.id: number for number, contest in enumerate(definition.contests)}
        self.contest_units = tuple(units.position(contest.unit) if contest.unit else 0 for contest in definition.contests)
        self.baseline = baseline or (None,) * len(definition.contests)
        check_baseline(self.baseline, definition.contests, units)
        if any(votes is not None for votes in self.baseline) != (BASELINE_TABLE in definition.tables):
            raise DefinitionError(f"a baseline belongs to an election exactly where its definition names {BASELINE_TABLE}")
        for issuer in register.others():
            if issuer.unit:
                units.position(issuer.unit)
            elif issuer.role == "station":
                units.position(issuer.id.partition("/")[2])

    @property
    def contests(self) -> tuple[Contest, ...]:
        """The contests in the order of the definition."""
        return self.definition.contests

    def may(self, issuer: Issuer, kind: str) -> bool:
        """Whether the role of an issuer allows it to sign statements of a kind."""
        return kind in KINDS_BY_ROLE[issuer.role]

    def votes_in(self, station: int, contest: int) -> bool:
        """Whether a station (by number) votes in a contest (by position)."""
        return self.units.contains(self.contest_units[contest], station)


def _is_date(text: str) -> bool:
    # ISO 8601 has other forms of the same date; one is enough, so that equal definitions have equal bytes.
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def table_hash(data: bytes) -> TableHash:
    """The name of a table: the SHA-256 of its bytes, and its size."""
    return TableHash(hashlib.sha256(data).digest(), len(data))
