"""What people need who fetch and count: drawn boxes and cards, and the questions and options on them. No reported figure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.sampling.sample import Sample
from scrutineer.election import Contest, Election
from scrutineer.errors import AuditError
from scrutineer.statements.audit import check_box

CODE: Final = "SCRUTINEER-AUDIT"
_CODE: Final = re.compile(rf"{CODE}:([0-9a-f]{{16}}):([^:]{{1,64}}):(0|[1-9][0-9]{{0,9}}):(.+)", re.ASCII)
_PREFIX: Final = 16  # hexadecimal digits of the plan's hash in a code


@dataclass(frozen=True, slots=True)
class PaperCode:
    """What the QR code of a sheet says, so that a photograph of it finds its box."""

    plan: str
    """The first sixteen hexadecimal digits of the signed plan's hash."""
    audit: str
    box: str
    position: int = 0
    """Of a card; 0 for a whole box."""

    def text(self) -> str:
        """The text of the code."""
        return f"{CODE}:{self.plan}:{self.audit}:{self.position}:{self.box}"


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw: its place in the order of the draw, from 1, and what it was drawn by."""

    place: int
    number: str


@dataclass(frozen=True)
class DrawnBox:
    """A box that has to be opened."""

    name: str
    way: tuple[str, ...]
    """Names of the units above it, from below the country down, and its own; empty where the box is no station."""
    draws: tuple[Draw, ...]
    """All that fell into this box."""
    positions: tuple[int, ...]
    """Cards to fetch, ascending; empty where the whole box is counted."""
    contests: tuple[Contest, ...]
    """What the cards of the box ask, as far as it is audited."""


@dataclass(frozen=True)
class FieldWork:
    """What has to be fetched and counted for an audit."""

    election: str
    provenance: str
    """One sentence; empty where the sheets are those of real stations."""
    audit: str
    title: str
    plan: bytes
    """Hash of the signed plan."""
    by_box: bool
    draws: int
    boxes: tuple[DrawnBox, ...]
    """In the order of the country's places, then of their names' bytes."""

    @property
    def plan_prefix(self) -> str:
        """How papers name the plan."""
        return self.plan.hex()[:_PREFIX]

    def code(self, box: str, position: int = 0) -> PaperCode:
        """The code on the sheet of a box or card."""
        return PaperCode(self.plan_prefix, self.audit, box, position)

    def contests(self) -> tuple[Contest, ...]:
        """Every contest of some box, by id."""
        found = {contest.id: contest for box in self.boxes for contest in box.contests}
        return tuple(found[name] for name in sorted(found))

    def cards(self) -> Iterator[tuple[DrawnBox, int]]:
        """Every card to be fetched, box by box."""
        for box in self.boxes:
            for position in box.positions:
                yield box, position


def field_work(
    files: PlanFiles, sample: Sample, election: Election, *, planned: bytes, title: str, first_draw: int = 1
) -> FieldWork:
    """The work that a draw makes. `planned` is the hash of the signed plan, `title` that of the audit.

    With `first_draw` only what is drawn from that place on, and was not drawn before: the papers of a next round. Raises
    AuditError for contests that the election does not have.
    """
    plan = files.plan
    asked = contests_asked(files, election, sample.boxes())
    before = {(ticket.box, position) for ticket in sample.tickets[: first_draw - 1] for position in ticket.positions}
    draws: dict[str, list[Draw]] = {}
    positions: dict[str, set[int]] = {}
    for place, ticket in enumerate(sample.tickets, 1):
        fresh = {position for position in ticket.positions if (ticket.box, position) not in before}
        if place >= first_draw and fresh:
            draws.setdefault(ticket.box, []).append(Draw(place, ticket.number))
            positions.setdefault(ticket.box, set()).update(fresh - {0})
    boxes = [
        DrawnBox(
            box,
            _way(election, box),
            tuple(draws[box]),
            tuple(sorted(positions[box])),
            asked[box],
        )
        for box in draws
    ]
    boxes.sort(key=lambda box: (_place(election, box.name), box.name.encode()))
    definition = election.definition
    provenance = "" if definition.provenance == "official" else definition.provenance_sentence()
    return FieldWork(definition.name, provenance, plan.name, title, planned, plan.by_box, len(sample), tuple(boxes))


def contests_asked(files: PlanFiles, election: Election, boxes: Iterable[str]) -> dict[str, tuple[Contest, ...]]:
    """By box the contests that papers and pages ask about, and that entry has to have a row for: in the order of their ids.

    They are the contests of which a risk is measured, targets of the audit or not, in which the box's station votes, and those
    that the reported totals have of the box; all for a box that is no station, because its cards may ask anything. Raises
    AuditError for contests that the election does not have.
    """
    contests: dict[str, Contest] = {}
    for planned in files.plan.contests:
        if not planned.tests:
            continue
        number = election.contest_index.get(planned.contest)
        if number is None:
            raise AuditError(f"the election has no contest {planned.contest!r}: give the log of the plan's election")
        contests[planned.contest] = election.contests[number]
    held: dict[str, set[str]] = {box: set() for box in boxes}
    for box, contest in files.totals.rows if files.totals is not None else ():
        if box in held and contest in contests:
            held[box].add(contest)
    asked = {}
    for box, reported in held.items():
        station = election.units.station_index.get(box)
        names = reported or (set(contests) if station is None else set())
        if station is not None:
            names |= {name for name in contests if election.votes_in(station, election.contest_index[name])}
        asked[box] = tuple(contests[name] for name in sorted(names))
    return asked


def read_code(text: str) -> PaperCode:
    """What the QR code on a sheet says. Raises AuditError for the text of another code."""
    found = _CODE.fullmatch(text[:1_000])
    if found is None:
        raise AuditError("this is not the code of a sheet of an audit: take the photograph again, with the whole code in it")
    check_box(found[4])
    return PaperCode(found[1], found[2], found[4], int(found[3]))


def _station(election: Election, box: str) -> int | None:
    number = election.units.station_index.get(box)
    return None if number is None else int(election.units.station_units[number])


def _way(election: Election, box: str) -> tuple[str, ...]:
    station, units = _station(election, box), election.units
    return () if station is None else tuple(units.names[unit] for unit in units.path(station)[1:])


def _place(election: Election, box: str) -> int:
    """Stations in the order of the country; other boxes after them."""
    station = _station(election, box)
    return election.units.unit_count if station is None else station
