"""Every fault of a units or register table with its line, for people who correct them; reading itself stops at the first."""

import re
from collections.abc import Callable
from typing import Final

from scrutineer.election.contests import check_id, check_name
from scrutineer.election.finding import MAX_FINDINGS, Finding
from scrutineer.election.register import Issuer
from scrutineer.election.tables import (
    REGISTER_HEADER,
    REGISTER_TABLE,
    UNITS_HEADER,
    UNITS_TABLE,
    check_roll,
    parse_issuer,
    table_rows,
)
from scrutineer.election.units import MAX_DEPTH, Units
from scrutineer.errors import DefinitionError

_TABLE_FAULT: Final = re.compile(r"[^,]+(?:, line (\d+))?: (.*)", re.DOTALL)

Row = tuple[int, list[str]]  # line, cells


def unit_findings(data: bytes) -> list[Finding]:
    """What is wrong in a units table, in the order of its lines; at most MAX_FINDINGS."""
    rows, findings = _rows(data, UNITS_TABLE, UNITS_HEADER)
    if not rows and not findings:
        findings.append(Finding(UNITS_TABLE, 1, "", "there are no units; list at least the country and one station"))
    first_line: dict[str, int] = {}
    for line, (unit_id, _, name, kind, roll) in rows:
        if unit_id in first_line:
            message = f"unit {unit_id!r} is listed already on line {first_line[unit_id]}; give it its own id, or remove the row"
            findings.append(Finding(UNITS_TABLE, line, "id", message))
        first_line.setdefault(unit_id, line)
        findings += _cell_findings(line, "id", lambda cell: check_id(cell, "unit"), unit_id)
        findings += _cell_findings(line, "name", lambda cell: check_name(cell, "name"), name)
        findings += _cell_findings(line, "kind", lambda cell: check_id(cell, "kind"), kind)
        findings += _cell_findings(line, "roll", check_roll, roll)
        if len(findings) >= MAX_FINDINGS:
            break
    else:
        findings += _tree_findings(rows, first_line)
    return sorted(findings)[:MAX_FINDINGS]


def _cell_findings(line: int, field: str, check: Callable[[str], None], cell: str) -> list[Finding]:
    try:
        check(cell)
    except DefinitionError as error:
        return [Finding(UNITS_TABLE, line, field, str(error))]
    return []


def _tree_findings(rows: list[Row], lines: dict[str, int]) -> list[Finding]:
    findings: list[Finding] = []
    parents: dict[str, str] = {}
    root = ""
    for line, (unit_id, parent, *_) in rows:
        parents.setdefault(unit_id, parent)
        if not parent and root and unit_id != root:
            message = f"{unit_id!r} has no parent, and neither has {root!r} on line {lines[root]}; only the country may"
            findings.append(Finding(UNITS_TABLE, line, "parent", f"{message}: write where it lies"))
        elif not parent:
            root = root or unit_id
        elif parent not in lines:
            message = f"{unit_id!r} lies in {parent!r}, which is not listed; add a row for it or correct the spelling"
            findings.append(Finding(UNITS_TABLE, line, "parent", message))
    if rows and not root:
        message = "no unit has an empty parent; leave the country's parent empty"
        findings.append(Finding(UNITS_TABLE, rows[0][0], "parent", message))
    with_children = set(parents.values())
    ends = {"": 0}
    """Depth of every unit whose way up is known to end at one without a parent."""
    for line, (unit_id, _, _, _, roll) in rows:
        if roll and unit_id in with_children:
            message = f"{unit_id!r} has units below it, whose rolls are summed; leave its own roll empty"
            findings.append(Finding(UNITS_TABLE, line, "roll", message))
        findings += _way_up(unit_id, line, parents, ends)
        if len(findings) >= MAX_FINDINGS:
            break
    return findings


def _way_up(unit_id: str, line: int, parents: dict[str, str], ends: dict[str, int]) -> list[Finding]:
    way: list[str] = []
    here = unit_id
    while here not in ends and here in parents and here not in way:
        way.append(here)
        here = parents[here]
    if here in way:
        # Everyone on the way is settled at once, so that one cycle is one finding.
        ends.update(dict.fromkeys(way, 0))
        circle = " in ".join(repr(unit) for unit in (*way[way.index(here) :][:6], here))
        return [Finding(UNITS_TABLE, line, "parent", f"{circle}: a cycle; correct the parents until they end at the country")]
    depth = ends.get(here, 0)
    for unit in reversed(way):
        depth += 1
        ends[unit] = depth
    if way and depth > MAX_DEPTH:
        return [Finding(UNITS_TABLE, line, "parent", f"more than {MAX_DEPTH} levels deep; leave out levels")]
    return []


def register_findings(data: bytes, units: Units) -> list[Finding]:
    """What is wrong in a register table, in the order of its lines; at most MAX_FINDINGS."""
    rows, findings = _rows(data, REGISTER_TABLE, REGISTER_HEADER)
    seen: dict[tuple[str, bytes], int] = {}
    for line, cells in rows:
        try:
            issuer = parse_issuer(*cells)
        except DefinitionError as error:
            findings.append(Finding(REGISTER_TABLE, line, "", str(error)))
        else:
            if unit := unknown_unit(issuer, units):
                message = f"there is no unit {unit!r} in {UNITS_TABLE}; write the id of one that is listed"
                findings.append(Finding(REGISTER_TABLE, line, "unit" if issuer.unit else "issuer", message))
            earlier = seen.setdefault((issuer.id, issuer.key), line)
            if earlier != line:
                message = f"{issuer.id!r} is listed with the same key already on line {earlier}; remove one of the rows"
                findings.append(Finding(REGISTER_TABLE, line, "issuer", message))
        if len(findings) >= MAX_FINDINGS:
            break
    return sorted(findings)[:MAX_FINDINGS]


def unknown_unit(issuer: Issuer, units: Units) -> str:
    """The unit that an issuer speaks for and that does not exist; empty where all is well."""
    unit = issuer.unit or (issuer.id.partition("/")[2] if issuer.role == "station" else "")
    return unit if unit and unit not in units.index and unit not in units.station_index else ""


def _rows(data: bytes, table: str, header: tuple[str, ...]) -> tuple[list[Row], list[Finding]]:
    """The rows of the right width with their lines, and findings about the others."""
    rows: list[Row] = []
    findings: list[Finding] = []
    width = len(header)
    try:
        for line, cells in table_rows(data, table, header):
            if len(cells) == width:
                rows.append((line, cells))
            elif len(findings) < MAX_FINDINGS:
                message = f"{len(cells)} cells where the header has {width}; fill in or remove cells"
                findings.append(Finding(table, line, "", message))
    except DefinitionError as error:
        findings.append(table_fault(table, error))
        rows.clear()
    return rows, findings


def table_fault(table: str, error: DefinitionError) -> Finding:
    """What `table_rows` says of a table that it cannot read, as a finding."""
    found = _TABLE_FAULT.fullmatch(str(error))
    line, message = (int(found[1] or 0), found[2]) if found else (0, str(error))
    return Finding(table, line, "", message)
