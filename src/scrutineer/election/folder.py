"""The election folder: what the organiser writes, read and validated as a whole.

`election.toml` says what is voted on and under which rules, `units.csv` where, and `register.csv`, which may be left out, who
may sign besides the keys that are made when the election is opened.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrutineer.election.contests import Contest
from scrutineer.election.definition import FORMAT_VERSION, Definition, LogIdentity, Provenance, Severity, TableHash
from scrutineer.election.finding import Finding
from scrutineer.election.register import Issuer, Register
from scrutineer.election.units import Units

ELECTION_FILE: Final = "election.toml"
UNITS_FILE: Final = "units.csv"
REGISTER_FILE: Final = "register.csv"
MAX_TABLE_SIZE: Final = 512 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Everything the organiser writes; with keys and a log it becomes the definition."""

    id: str
    name: str
    date: str
    """Election day, YYYY-MM-DD."""
    timezone: str
    authority: str
    contests: tuple[Contest, ...]
    units: Units
    register: Register
    """Issuers of `register.csv`; station keys and the authority's are made when the election is opened. May be empty."""
    thresholds: Mapping[str, int]
    rules: Mapping[str, Severity]
    opening_required: bool = False
    provenance: Provenance = "official"
    source: str = ""

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Every issuer of `register.csv` but the stations' first keys."""
        return tuple(self.register.others())


def check_folder(path: Path, known_rules: Collection[str] | None = None) -> list[Finding]:
    """Everything that is wrong in an election folder, in the order of its files; empty where it is valid."""
    raise NotImplementedError


def read_folder(path: Path, known_rules: Collection[str] | None = None) -> Draft:
    """Read an election folder. Raises DefinitionError with the first findings where it is not valid.

    `known_rules` are the ids that may stand in [rules]; None leaves them unchecked.
    """
    raise NotImplementedError


def scaffold(path: Path) -> tuple[Path, ...]:
    """Write an example election folder that teaches; the files written.

    Raises UsageError where the folder is not empty or cannot be written.
    """
    raise NotImplementedError


def draft_definition(draft: Draft, tables: Mapping[str, TableHash], log: LogIdentity) -> Definition:
    """The definition that the authority signs. `tables` are the hashes of the units and the register (`table_hash`)."""
    return Definition(
        version=FORMAT_VERSION,
        id=draft.id,
        name=draft.name,
        date=draft.date,
        timezone=draft.timezone,
        provenance=draft.provenance,
        authority=draft.authority,
        contests=draft.contests,
        tables=dict(tables),
        log=log,
        source=draft.source,
        thresholds=dict(draft.thresholds),
        rules=dict(draft.rules),
        opening_required=draft.opening_required,
    )
