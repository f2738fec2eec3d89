"""What people report and quote, in words: kinds of incidents, places, and who says so. The wording accuses nobody."""

from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from scrutineer.count import Recorded
from scrutineer.language import msg
from scrutineer.observation import Speaker
from scrutineer.portal.pages import Pages
from scrutineer.portal.people import named
from scrutineer.statements import Incident
from scrutineer.statements.incident import IncidentKind, RequestKind

INCIDENT_WORDS: Final[dict[IncidentKind, str]] = {
    "outage": msg("Outage"),
    "attack": msg("Reported as an attack"),
    "intimidation": msg("Reported as intimidation"),
    "obstruction": msg("Reported as obstruction"),
    "equipment": msg("Trouble with equipment"),
    "other": msg("Something else that was reported"),
    "requests": msg("Refused requests"),
}
REQUEST_WORDS: Final[dict[RequestKind, tuple[str, str]]] = {
    "forged-signature": (
        msg("Signature does not fit"),
        msg("The signature does not fit the statement. Damage on the way looks the same."),
    ),
    "unknown-key": (
        msg("Unknown key"),
        msg("Signed by nobody whom the register knows, or with a key that it does not name. An exchanged device does this."),
    ),
    "revoked-key": (msg("Revoked key"), msg("Signed with a key that had been revoked.")),
    "replay": (
        msg("Said again"),
        msg("A statement that the log held already. An honest sender who lost the answer sends it again, and is meant to."),
    ),
    "wrong-election": (msg("Another election"), msg("A statement of another election. Rehearsals do this.")),
    "not-allowed": (msg("Not theirs to say"), msg("Said by somebody to whom the rules do not give it to say.")),
    "not-in-definition": (
        msg("Unknown station or contest"),
        msg("About a station, contest or number of options that this election does not have."),
    ),
    "malformed": (msg("Not readable"), msg("No statement, or no request in good order.")),
    "oversize": (msg("Too large"), msg("Larger than anything that is taken.")),
    "scan": (
        msg("Asked for what there is not"),
        msg("Any machine on the Internet sees some of these every hour."),
    ),
    "flood": (msg("Too many at a time"), msg("More at a time than one key or network may send.")),
    "too-slow": (msg("Too slow"), msg("A request that did not arrive whole in time. A bad line looks the same.")),
    "overload": (msg("Too much under way"), msg("Sent away because the service was busy.")),
    "unavailable": (
        msg("Service not ready"),
        msg("The service itself could not answer yet, or could not go on."),
    ),
    "other": (msg("Another reason"), msg("Refused for another reason.")),
}
"""What each kind of refused request is called, and what it says and what else looks like it."""


def place(pages: Pages, unit: str) -> str:
    """Where, by the id of a unit or station: its name, after that of the unit it lies in; or everywhere."""
    if not unit:
        return pages.say("the whole country, or the service")
    position = find_place(pages, unit)
    if position is None:
        return pages.say.name(unit)
    parent = int(pages.view.units.parent[position])
    if parent < 0 or position in pages.view.inner:
        return pages.unit_name(position)
    return pages.say("{station} ({place})", station=pages.unit_name(position), place=pages.unit_name(parent))


def find_place(pages: Pages, unit: str) -> int | None:
    """The position of a unit or station; None where the definition has none of this id."""
    units = pages.view.units
    if unit in units.index:
        return units.index[unit]
    station = units.station_index.get(unit)
    return None if station is None else int(units.station_units[station])


def reporter(pages: Pages, recorded: Recorded) -> str:
    """Who signed a statement: name, role and id."""
    issuer = recorded.statement.envelope.issuer
    role, _, own = issuer.partition("/")
    if role == "station":
        return pages.say("Station {station}", station=place(pages, own)) + Markup(" <code>{}</code>").format(issuer)
    known = pages.view.count.accreditations.find(issuer)
    if not known:
        return Markup("<code>{}</code>").format(issuer)
    name = next((each.name for each in known if each.name), "")
    return named(pages.say, Speaker(issuer, known[-1].role, name, known[-1].unit))


def incident_line(pages: Pages, incident: Incident, time: Callable[[int], str]) -> str:
    """Kind and place of an incident, and until when it lasted; `time` says when."""
    say = pages.say
    kind, where = say.later(INCIDENT_WORDS[incident.kind]), place(pages, incident.unit)
    if incident.until == incident.since:
        return say("{kind}: {place}.", kind=kind, place=where)
    return say("{kind}: {place}, until {time}.", kind=kind, place=where, time=time(incident.until))
