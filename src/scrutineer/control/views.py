"""The pages that show the night: overview, arrivals, late stations, quarantine, incidents, transmission."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.responses import Response

from scrutineer.calls import call_of
from scrutineer.calls.sentences import sentences
from scrutineer.control.arrivals import BINS, Arrivals, arrivals, late_stations, regions_of
from scrutineer.control.drafts import OTHER_FIGURES
from scrutineer.control.evidence import copies_of, quarantine
from scrutineer.control.machine import ServiceState
from scrutineer.control.pages import Face, Pages
from scrutineer.control.room import Room
from scrutineer.control.web import Visit
from scrutineer.count import OUTSTANDING, QUARANTINED, Count, rule, standing
from scrutineer.errors import CallError, ControlError, UsageError
from scrutineer.language import msg

T = TypeVar("T")

ROWS: Final = 50
"""Rows of a long table on one page."""
FEW: Final = 5
"""Rows of a table on the overview."""
CALL_SHARE: Final = 20
"""A call is made anew at most so often that making it takes one part in this many of the time."""
CERTAIN: Final = {
    "arithmetic": msg("Decided by arithmetic"),
    "statistics": msg("Decided by statistics"),
    "not-decided": msg("Not decided"),
    "not-coherent": msg("Not coherent"),
}
FIGURE_NAMES: Final = {
    "blank": msg("Blank votes"),
    "null": msg("Null votes"),
    "cast": msg("Ballots cast"),
    "voters": msg("Voters checked in"),
    "roll": msg("Voters on the roll"),
}
REFUSALS: Final = {
    "forged-signature": msg("Signature that does not fit"),
    "unknown-key": msg("Unknown key"),
    "revoked-key": msg("Revoked key"),
    "replay": msg("Sent again"),
    "wrong-election": msg("Another election"),
    "not-allowed": msg("Not allowed to its signer"),
    "not-in-definition": msg("Not in the definition"),
    "malformed": msg("Not well-formed"),
    "oversize": msg("Too large"),
    "scan": msg("Search for weak points"),
    "flood": msg("Flood"),
    "too-slow": msg("Too slow"),
    "overload": msg("Too much at once"),
    "unavailable": msg("Service not available"),
    "other": msg("Other"),
}
INCIDENTS: Final = {
    "outage": msg("Outage"),
    "attack": msg("Attack"),
    "intimidation": msg("Intimidation"),
    "obstruction": msg("Obstruction"),
    "equipment": msg("Equipment"),
    "other": msg("Other"),
    "requests": msg("Refused requests"),
}
_WITNESS_LAG: Final = 60  # seconds that the newest head may wait for its witnesses


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs somebody, with the page that says more."""

    words: str
    page: str


@dataclass(frozen=True, slots=True)
class CallWords:
    """A call in words, and of which log size."""

    verdict: str
    first: str
    rest: str
    size: int
    until: float
    """Until when it is shown though the count goes on, by the monotonic clock."""


class Views:
    """The handlers of these pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._calls: dict[tuple[str, int], CallWords] = {}

    def overview(self, visit: Visit) -> Response:
        """The state of the night on one page."""
        room, face = visit.room, self._pages.face(visit)
        contest, now = self.contest(visit), room.clock()
        with room.night.hold() as count:
            seen = arrivals(room.night, contest, now)
            held = quarantine(room.night)
            told = count.incidents[::-1][:FEW]
            state = standing(count, contest) if count.size else None
            last = count.bulletins[-1] if count.bulletins else None
            call = self.call(room, count, contest, face)
        return self._pages.page(
            visit,
            "overview.html",
            face.say("Overview"),
            live=True,
            arrivals=seen,
            regions=seen.most_wanting()[: 2 * FEW],
            few=FEW,
            held=held,
            rules=rules_in_words(face),
            incidents=told,
            kinds=INCIDENTS,
            standing=state,
            last=last,
            call=call,
            alerts=alerts(room, face, seen, contest),
            proposals=room.open_proposals(),
            contest=contest,
        )

    def arrivals(self, visit: Visit) -> Response:
        """Arrivals by region against expectation."""
        room, face, contest = visit.room, self._pages.face(visit), self.contest(visit)
        with room.night.hold():
            seen = arrivals(room.night, contest, room.clock())
        return self._pages.page(
            visit, "arrivals.html", face.say("Arrivals"), live=True, arrivals=seen, bars=BINS, contest=contest
        )

    def late(self, visit: Visit) -> Response:
        """Stations without a sheet, and whom to call."""
        room, face, contest = visit.room, self._pages.face(visit), self.contest(visit)
        units, query = room.election.units, visit.request.query_params
        region = query.get("region", "")
        unit = units.position(region) if region else None
        with room.night.hold() as count:
            found = late_stations(room.night, contest, unit)
            state = count.contests[contest]
            regions = [
                (one, int((state.status[units.first_station[one] : units.last_station[one]] == OUTSTANDING).sum()))
                for one in regions_of(units, state.unit)
            ]
        text = query.get("find", "").strip()[:100].casefold()
        if text:
            found = [one for one in found if text in units.ids[one.unit].casefold() or text in units.names[one.unit].casefold()]
        shown, place = _one_page(visit, found)
        return self._pages.page(
            visit,
            "late.html",
            face.say("Late stations"),
            live=True,
            rows=shown,
            **place,
            region=region,
            regions=regions,
            find=query.get("find", "")[:100],
            contacts=room.contacts(),
            units=units,
            contest=contest,
        )

    def quarantine(self, visit: Visit) -> Response:
        """What waits for a decision."""
        room, face = visit.room, self._pages.face(visit)
        with room.night.hold():
            held = quarantine(room.night)
        shown, place = _one_page(visit, held)
        return self._pages.page(
            visit,
            "quarantine.html",
            face.say("Quarantine"),
            live=True,
            held=shown,
            **place,
            rules=rules_in_words(face),
        )

    def station(self, visit: Visit, why: str = "", form: dict[str, str] | None = None) -> Response:
        """One station in quarantine: every sheet and attestation side by side, and the way to a decision."""
        room, face = visit.room, self._pages.face(visit)
        contest, station = self.place(visit)
        units = room.election.units
        unit = int(units.station_units[station])
        with room.night.hold() as count:
            sheets, others = copies_of(room.night, contest, station)
            state = count.contests[contest]
            status, decided = int(state.status[station]), state.decided.get(station)
            flags = count.book.names(int(state.flags[station]))
        terms, contact = room.election.contests[contest], None
        # Late stations tell what is wrong with the file; here it must not keep anybody from deciding.
        with contextlib.suppress(UsageError):
            contact = room.contacts().of(unit)
        return self._pages.page(
            visit,
            "station.html",
            units.names[unit],
            live=False,
            why=why,
            form=form or {},
            at=unit,
            station_id=units.ids[unit],
            terms=terms,
            sheets=sheets,
            others=others,
            held=status == QUARANTINED,
            decided=decided,
            flags=flags,
            rules=rules_in_words(face),
            labels=[option.name for option in terms.options],
            other_labels=[(figure, FIGURE_NAMES[figure]) for figure, _ in OTHER_FIGURES],
            contact=contact,
        )

    def incidents(self, visit: Visit) -> Response:
        """What was reported, the newest first, and what the intake refused."""
        room, face = visit.room, self._pages.face(visit)
        with room.night.hold() as count:
            told = count.incidents[::-1]
        shown, place = _one_page(visit, told)
        return self._pages.page(
            visit,
            "incidents.html",
            face.say("Incidents"),
            live=True,
            incidents=shown,
            **place,
            kinds=INCIDENTS,
            refusals=REFUSALS,
            refused=room.refused,
            units=room.election.units,
        )

    def transmission(self, visit: Visit) -> Response:
        """The services, the log, the witnesses and what is published."""
        room, face = visit.room, self._pages.face(visit)
        transmission = room.election.definition.transmission
        return self._pages.page(
            visit,
            "transmission.html",
            face.say("Transmission"),
            live=True,
            services=room.services,
            writer=writer_of(room),
            published=room.published,
            trouble=room.trouble,
            sending=room.sending,
            relays=() if transmission is None else transmission.relays,
            lag=_WITNESS_LAG,
        )

    def keys(self, visit: Visit) -> Response:
        """The shortcuts."""
        return self._pages.page(visit, "keys.html", self._pages.face(visit).say("Keyboard"), live=False)

    # --- what they share --------------------------------------------------------------------------------------------

    def contest(self, visit: Visit) -> int:
        """The contest that the query names, by position; the first where it names none. Raises ControlError."""
        return self.contest_named(visit, visit.request.query_params.get("contest", ""))

    def contest_named(self, visit: Visit, name: str) -> int:
        """A contest by its id; the first for an empty one. Raises ControlError."""
        number = visit.room.election.contest_index.get(name, -1) if name else 0
        if number < 0:
            raise ControlError(msg("there is no such contest in this election"))
        return number

    def place(self, visit: Visit) -> tuple[int, int]:
        """The contest and station (by number) that the path names. Raises ControlError."""
        parameters = visit.request.path_params
        contest = self.contest_named(visit, parameters["contest"])
        station = visit.room.election.units.station_index.get(parameters["station"], -1)
        if station < 0 or not visit.room.election.votes_in(station, contest):
            raise ControlError(msg("there is no such station in this contest"))
        return contest, station

    def call(self, room: Room, count: Count, contest: int, face: Face) -> CallWords | None:
        """The call on a contest in words; kept for a while where it takes long, as in a large country."""
        key, began = (face.language.code, contest), time.monotonic()
        known = self._calls.get(key)
        if known is not None and (known.size == count.size or began < known.until):
            return known
        if count.election.definition.calls is None or not room.night.ready:
            return None
        try:
            call = call_of(count, contest)
        except CallError:
            return None
        first, rest = sentences(call, count.election.contests[contest], say=face.say)
        ended = time.monotonic()
        verdict = face.say.later(CERTAIN[call.verdict])
        self._calls[key] = found = CallWords(verdict, first, rest, count.size, ended + CALL_SHARE * (ended - began))
        return found


def _one_page(visit: Visit, rows: Sequence[T]) -> tuple[Sequence[T], dict[str, int]]:
    """The rows of the page that was asked for, as far as there is one; and what its template says of where that is."""
    text = visit.request.query_params.get("page", "1")
    pages = max(1, -(-len(rows) // ROWS))
    asked = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 1
    page = min(max(1, asked), pages)
    return rows[(page - 1) * ROWS : page * ROWS], {"total": len(rows), "page": page, "pages": pages}


def rules_in_words(face: Face) -> dict[str, str]:
    """What each rule says of a sheet that does not meet it."""

    class Words(dict[str, str]):
        def __missing__(self, rule_id: str) -> str:
            return face.say.later(rule(rule_id).wording)

    return Words()


def writer_of(room: Room) -> ServiceState | None:
    """The service that writes the log, as far as it is known here; else one that runs."""
    alive = [service for service in room.services if service.alive]
    return next((service for service in alive if service.writes), alive[0] if alive else None)


def alerts(room: Room, face: Face, seen: Arrivals, contest: int) -> list[Alert]:
    """What needs somebody now, the most urgent first."""
    say, night, now = face.say, room.night, room.clock()
    found = []
    if night.trouble:
        found.append(Alert(say("The log cannot be read: {trouble}", trouble=night.trouble), "/transmission"))
    elif not night.ready:
        done = say("The log is being read: {done} of {total} entries.", done=night.count.size, total=night.known)
        found.append(Alert(done, "/transmission"))
    service = writer_of(room)
    if service is None:
        found.append(Alert(say("No intake service runs here: stations cannot send."), "/transmission"))
    elif service.trouble:
        found.append(Alert(say("The intake service is in trouble: {trouble}", trouble=service.trouble), "/transmission"))
    late = service is not None and service.quorum is not None and (service.cosigned or 0) < service.size
    if late and service is not None and now - service.head_time > _WITNESS_LAG:
        found.append(Alert(say("The witnesses have not cosigned the newest head."), "/transmission"))
    if room.trouble:
        found.append(Alert(say("Something on this machine cannot be read: {trouble}", trouble=room.trouble), "/transmission"))
    if room.sending:
        found.append(Alert(say("What is signed waits to be sent: {why}", why=face.words(room.sending)), "/acts"))
    wanting = [region for region in seen.regions if region.state in ("silent", "behind")]
    for region in wanting[:FEW]:
        where = f"/late?region={room.election.units.ids[region.unit]}&contest={room.election.contests[contest].id}"
        if region.state == "silent" and region.last:
            words = say("{place} has sent nothing for {time}.", place=face.unit(region.unit), time=face.span(now - region.last))
        elif region.state == "silent":
            words = say("{place} has sent nothing yet.", place=face.unit(region.unit))
        else:
            words = say(
                "{place} is behind: {arrived} sheets, where {expected} could be expected.",
                place=face.unit(region.unit),
                arrived=region.arrived,
                expected=region.expected,
            )
        found.append(Alert(words, where))
    return found
