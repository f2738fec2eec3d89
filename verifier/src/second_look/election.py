"""The definition, which is statement 0, and its tables (docs/formats.md, "The tables of the definition")."""

import csv
import hashlib
import io
import re
from dataclasses import dataclass
from typing import Any

from second_look import signatures
from second_look.report import FormatError
from second_look.statements import Statement, ident, issuer_id, name

THRESHOLD_DEFAULT = 1


@dataclass(frozen=True)
class Unit:
    """One row of units.csv."""

    id: str
    parent: str
    name: str
    kind: str
    roll: int | None


@dataclass(frozen=True)
class Key:
    """A public key of an issuer, with the unit that it speaks for (empty: the whole country)."""

    issuer: str
    unit: str
    algorithm: str
    public: bytes
    name: str

    def thumbprint(self) -> bytes:
        """What a header names it by."""
        return signatures.thumbprint(self.algorithm, self.public)


class Election:
    """Definition, units and keys. Raises FormatError where they do not belong together."""

    def __init__(self, statement: Statement, tables: dict[str, bytes]) -> None:
        if statement.kind != "definition":
            raise FormatError("entry 0 of the log is not a definition")
        self.hash = statement.hash
        self.definition: dict[str, Any] = statement.payload
        for table, named in self.definition["tables"].items():
            data = tables.get(table)
            if data is None or len(data) != named["size"] or hashlib.sha256(data).digest() != named["sha256"]:
                raise FormatError(f"definition/{table} is missing, or not the table that the definition names")
        if {"units.csv", "register.csv"} - self.definition["tables"].keys():
            raise FormatError("the definition does not name its units and its register")
        self.units = _read_units(tables["units.csv"])
        self.parents = {unit.id: unit.parent for unit in self.units.values()}
        self.children = set(self.parents.values())
        self.stations = {unit: row for unit, row in self.units.items() if unit not in self.children}
        self.inner = [unit for unit in self.units if unit in self.children]
        self.contests: dict[str, dict[str, Any]] = {contest["id"]: contest for contest in self.definition["contests"]}
        if len(self.contests) != len(self.definition["contests"]):
            raise FormatError("the definition lists a contest twice")
        self.register = _read_register(tables["register.csv"], self)
        self._voting = {contest: self._stations_below(row["unit"]) for contest, row in self.contests.items()}
        for key in self.register.get(statement.issuer, []):
            if statement.issuer.startswith("authority/") and key.thumbprint() == statement.kid:
                if not signatures.holds(key.algorithm, key.public, statement.signed, statement.signature):
                    raise FormatError("the signature of the definition does not hold")
                return
        raise FormatError("the definition is not signed by an authority of its own register")

    def path(self, unit: str) -> list[str]:
        """A unit and all that it lies in, up to the country."""
        found = []
        while unit:
            found.append(unit)
            unit = self.parents[unit]
        return found

    def _stations_below(self, unit: str) -> set[str]:
        if unit and unit not in self.units:
            raise FormatError(f"a contest is held in unit {unit!r}, which does not exist")
        return {station for station in self.stations if not unit or unit in self.path(station)}

    def votes_in(self, station: str, contest: str) -> bool:
        """Whether a station votes in a contest."""
        return contest in self._voting and station in self._voting[contest]

    def voting(self, contest: str) -> set[str]:
        """The stations that vote in a contest."""
        return self._voting[contest]

    def needed(self, act: str) -> int:
        """How many authority signatures an act needs."""
        needed: int = self.definition["thresholds"].get(act, THRESHOLD_DEFAULT)
        return needed

    def severities(self, own: dict[str, str]) -> dict[str, str]:
        """The severity of each rule in this election."""
        changed: dict[str, str] = self.definition["rules"]
        return own | changed


def read_csv(data: bytes) -> list[list[str]]:
    """The rows of a CSV file that is written in its only form."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"not CSV in UTF-8: {error}") from None
    if write_csv(rows) != data:
        raise FormatError("CSV that is not in its only form: LF, and quotation marks only where they are needed")
    return rows


def write_csv(rows: Any) -> bytes:
    """Rows as CSV in its only form."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(row)
    return text.getvalue().encode()


def _read_units(data: bytes) -> dict[str, Unit]:
    rows = read_csv(data)
    if rows[:1] != [["id", "parent", "name", "kind", "roll"]]:
        raise FormatError("units.csv has another header")
    units: dict[str, Unit] = {}
    open_units: list[str] = []  # the path to the last row: a unit's parent must be on it (pre-order)
    for row in rows[1:]:
        if len(row) != 5 or (row[4] and not re.fullmatch(r"[1-9][0-9]{0,8}", row[4])):
            raise FormatError(f"row {row} of units.csv")
        unit = Unit(ident(row[0]), row[1], name(row[2]), ident(row[3]), int(row[4]) if row[4] else None)
        while open_units and open_units[-1] != unit.parent:
            open_units.pop()
        if unit.id in units or bool(open_units) != bool(units) or (unit.parent == "") != (not units) or len(open_units) >= 32:
            raise FormatError(f"unit {unit.id!r} stands twice, or not behind the one it lies in")
        if open_units and units[unit.parent].roll is not None:
            raise FormatError(f"unit {unit.parent!r} has a roll and units below it")
        open_units.append(unit.id)
        units[unit.id] = unit
    if len(units) < 2:
        raise FormatError("units.csv has no station")
    return units


def _read_register(data: bytes, election: Election) -> dict[str, list[Key]]:
    rows = read_csv(data)
    if rows[:1] != [["issuer", "unit", "algorithm", "key", "name"]]:
        raise FormatError("register.csv has another header")
    found: dict[str, list[Key]] = {}
    for row in rows[1:]:
        if len(row) != 5 or not re.fullmatch(r"[0-9a-f]*", row[3]) or len(row[3]) != 2 * signatures.KEY_SIZE.get(row[2], -1):
            raise FormatError(f"row {row[:3]} of register.csv")
        role, _, station = issuer_id(row[0]).partition("/")
        if role == "station" and (station not in election.stations or row[1] != station):
            raise FormatError(f"{row[0]} of register.csv is no station, or does not speak for itself")
        if row[1] and row[1] not in election.units:
            raise FormatError(f"{row[0]} of register.csv speaks for a unit that does not exist")
        found.setdefault(row[0], []).append(Key(row[0], row[1], row[2], bytes.fromhex(row[3]), row[4]))
    return found
