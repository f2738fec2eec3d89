"""The election folder: what the organiser writes, read and validated as a whole.

`election.toml` says what is voted on and under which rules, and `units.csv` where. Four files may be left out: `register.csv`
says who may sign besides the keys that are made when the election is opened, `baseline.csv` holds the votes of an earlier
election, which the calls of this one are made against, `shapes.geojson` the outlines of units, for maps, and `ballots.json` the
trustees' keys, where ballots are encrypted. What is in the last one is for the ballots room to judge.
"""

import importlib.resources
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrutineer.election.baseline import BASELINE_TABLE, Baseline, baseline_findings, read_baseline
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import Contest
from scrutineer.election.definition import (
    BALLOTS_TABLE,
    BASELINE_ADVICE,
    FORMAT_VERSION,
    MAX_BALLOTS_SIZE,
    Definition,
    LogIdentity,
    Provenance,
    Severity,
    TableHash,
)
from scrutineer.election.election_file import ElectionFile, read_election_file
from scrutineer.election.election_toml import election_toml
from scrutineer.election.finding import Finding, summary
from scrutineer.election.parties import Party
from scrutineer.election.register import Issuer, Register
from scrutineer.election.shapes import MAX_SHAPES_SIZE, SHAPES_TABLE, shapes_findings
from scrutineer.election.table_findings import register_findings, unit_findings, unknown_unit
from scrutineer.election.tables import read_register, read_units, write_units
from scrutineer.election.toml_table import read_bounded, read_toml
from scrutineer.election.transmission import Transmission
from scrutineer.election.units import Units
from scrutineer.election.witness_policy import WitnessPolicy
from scrutineer.errors import DefinitionError, UsageError

ELECTION_FILE: Final = "election.toml"
UNITS_FILE: Final = "units.csv"
REGISTER_FILE: Final = "register.csv"
BASELINE_FILE: Final = BASELINE_TABLE
SHAPES_FILE: Final = SHAPES_TABLE
BALLOTS_FILE: Final = BALLOTS_TABLE
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
    calls: CallSettings | None = None
    baseline: Baseline = ()
    """For each contest the votes of an earlier election (see `Baseline`); empty where there is no `baseline.csv`."""
    shapes: bytes | None = None
    """The shapes of units for maps, as GeoJSON (see election/shapes.py); None where there is no `shapes.geojson`."""
    ballots: bytes | None = None
    """The trustees' keys, as they were given (see ballots/keys.py); None where there is no `ballots.json`."""
    witnesses: WitnessPolicy | None = None
    transmission: Transmission | None = None
    parties: tuple[Party, ...] = ()

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Every issuer of `register.csv` but the stations' first keys."""
        return tuple(self.register.others())


def check_folder(path: Path, known_rules: Collection[str] | None = None) -> list[Finding]:
    """Everything that is wrong in an election folder, in the order of its files; empty where it is valid.

    `known_rules` are the ids that may stand in [rules]; None leaves them unchecked.
    """
    return _load(path, known_rules)[1]


def read_folder(path: Path, known_rules: Collection[str] | None = None) -> Draft:
    """Read an election folder. Raises DefinitionError with the first findings where it is not valid.

    `known_rules` are the ids that may stand in [rules]; None leaves them unchecked.
    """
    draft, findings = _load(path, known_rules)
    if draft is None:
        raise DefinitionError(summary(findings))
    return draft


def _load(path: Path, known_rules: Collection[str] | None) -> tuple[Draft | None, list[Finding]]:
    findings: list[Finding] = []
    table = read_toml(path / ELECTION_FILE, findings)
    written = None if table is None else read_election_file(table, known_rules)
    units = _read_units(path / UNITS_FILE, findings)
    if written is not None and units is not None:
        for contest, place in zip(written.contests, written.contest_tables, strict=True):
            if not _is_known(contest.unit, units):
                place.find(f"there is no unit {contest.unit!r} in {UNITS_FILE}; write the id of one that is listed", "unit")
    register = None if units is None else _read_register(path / REGISTER_FILE, units, findings)
    baseline = None if written is None or units is None else _read_baseline(path / BASELINE_FILE, written, units, findings)
    shapes = None if units is None else _read_shapes(path / SHAPES_FILE, units, findings)
    keys = path / BALLOTS_FILE
    ballots = read_bounded(keys, MAX_BALLOTS_SIZE, findings) if keys.exists() else None
    if findings or written is None or units is None or register is None or baseline is None:
        order = (ELECTION_FILE, UNITS_FILE, REGISTER_FILE, BASELINE_FILE, SHAPES_FILE, BALLOTS_FILE)
        findings.sort(key=lambda finding: (order.index(finding.file), finding.line))
        return None, findings
    draft = Draft(
        id=written.id,
        name=written.name,
        date=written.date,
        timezone=written.timezone,
        authority=written.authority,
        contests=written.contests,
        units=units,
        register=register,
        thresholds=written.thresholds,
        rules=written.rules,
        opening_required=written.opening_required,
        provenance=written.provenance,
        source=written.source,
        calls=written.calls,
        baseline=baseline,
        shapes=shapes,
        ballots=ballots,
        witnesses=written.witnesses,
        transmission=written.transmission,
        parties=written.parties,
    )
    return draft, findings


def _is_known(unit: str, units: Units) -> bool:
    """Whether a unit that a contest names exists; the empty name is that of the whole country."""
    return not unit or unit in units.index or unit in units.station_index


def _read_units(path: Path, findings: list[Finding]) -> Units | None:
    data = read_bounded(path, MAX_TABLE_SIZE, findings)
    if data is None:
        return None
    try:
        return read_units(data)
    except DefinitionError as error:
        # Reading stops at the first fault, and fast; only now is it worth looking at every row.
        findings += unit_findings(data) or [Finding(UNITS_FILE, 0, "", str(error))]
        return None


def _read_register(path: Path, units: Units, findings: list[Finding]) -> Register | None:
    if not path.exists():
        return Register(units.station_index, bytes(32 * units.station_count), ())
    data = read_bounded(path, MAX_TABLE_SIZE, findings)
    if data is None:
        return None
    try:
        register = read_register(data, units)
    except DefinitionError as error:
        findings += register_findings(data, units) or [Finding(REGISTER_FILE, 0, "", str(error))]
        return None
    if any(unknown_unit(issuer, units) for issuer in register.others()):
        findings += register_findings(data, units)
        return None
    return register


def _read_baseline(path: Path, written: ElectionFile, units: Units, findings: list[Finding]) -> Baseline | None:
    """The baseline, empty where there is no file; None where something is found."""
    if not path.exists():
        return ()
    if written.calls is None:
        findings.append(Finding(BASELINE_FILE, 0, "", BASELINE_ADVICE))
        return None
    if not all(_is_known(contest.unit, units) for contest in written.contests):
        return None
    data = read_bounded(path, MAX_TABLE_SIZE, findings)
    if data is None:
        return None
    try:
        return read_baseline(data, written.contests, units)
    except DefinitionError as error:
        findings += baseline_findings(data, written.contests, units) or [Finding(BASELINE_FILE, 0, "", str(error))]
        return None


def _read_shapes(path: Path, units: Units, findings: list[Finding]) -> bytes | None:
    """The shapes as they were given; None where there is no file, and where something is found."""
    if not path.exists():
        return None
    data = read_bounded(path, MAX_SHAPES_SIZE, findings)
    if data is None:
        return None
    findings += shapes_findings(data, units)
    return data


def scaffold(path: Path) -> tuple[Path, ...]:
    """Write an example election folder that teaches; the files written.

    Raises UsageError where the folder is not empty or cannot be written.
    """
    templates = importlib.resources.files("scrutineer.election") / "templates"
    return _write_new(path, {name: (templates / name).read_bytes() for name in (ELECTION_FILE, UNITS_FILE)})


def write_folder(
    path: Path, *, election_id: str, name: str, date: str, contests: Iterable[Contest], units: Units
) -> tuple[Path, ...]:
    """Write an election folder for contests and units that came from elsewhere; the files written.

    What they cannot say (time zone, authority, thresholds, rules) is left for the organiser to fill in.
    Raises UsageError where the folder is not empty or cannot be written.
    """
    text = election_toml(election_id, name, date, contests)
    return _write_new(path, {ELECTION_FILE: text.encode(), UNITS_FILE: write_units(units)})


def _write_new(path: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    written: list[Path] = []
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise UsageError(f"the folder {str(path)!r} is not empty: name a new or an empty folder")
        for name, data in files.items():
            with (path / name).open("xb") as file:
                file.write(data)
            written.append(path / name)
    except OSError as error:
        raise UsageError(
            f"the folder {str(path)!r} cannot be written ({error.strerror or type(error).__name__}): "
            "choose another one or change its permissions"
        ) from error
    return tuple(written)


def draft_definition(draft: Draft, tables: Mapping[str, TableHash], log: LogIdentity) -> Definition:
    """The definition that the authority signs. `tables` are the hashes of its tables (`table_hash`)."""
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
        calls=draft.calls,
        witnesses=draft.witnesses,
        transmission=draft.transmission,
        parties=draft.parties,
    )
