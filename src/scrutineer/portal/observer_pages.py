"""Who watched: everyone accredited as observer or agent, what they signed of the stations' sheets, and where it reads otherwise.

`observers.html` has the figures and the beginning of three lists, which stand whole on pages of their own below `observers/`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from scrutineer.election.register import Issuer
from scrutineer.language import msg
from scrutineer.observation import Speaker, Witnessing
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.paging import paged
from scrutineer.portal.people import ROLE_WORDS, named
from scrutineer.portal.places import ROWS_PER_PAGE
from scrutineer.portal.station_parts import Parts
from scrutineer.statements import Accreditation

PATH: Final = "observers.html"
FIRST_ROWS: Final = 20
"""Rows of each list on the first page."""


@dataclass(frozen=True, slots=True)
class _List:
    """One of the three lists: its page, the template of its rows, and what it is called."""

    path: str
    template: str
    title: str
    nothing: str


_DIFFERENCES: Final = _List(
    "observers/differences.html",
    "observed_differences.html",
    msg("Where a copy differs"),
    msg("No copy differs from the sheet of its station."),
)
_REFUSALS: Final = _List(
    "observers/refusals.html",
    "observed_refusals.html",
    msg("Who refused to sign"),
    msg("Nobody has refused to sign a sheet."),
)
_PEOPLE: Final = _List(
    "observers/accredited.html",
    "observed_people.html",
    msg("Who is accredited"),
    msg("Nobody is accredited as an observer or agent."),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A station that a row is about. Texts are HTML."""

    page: str
    """Path of its page, or of the file that has its figures."""
    name: str
    lies: str
    """The unit it lies in, and the contest where there are several."""


@dataclass(frozen=True, slots=True)
class _Difference:
    """A copy that differs from the sheet."""

    place: _Place
    who: Markup
    figures: tuple[str, ...]
    index: int


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A sheet that somebody would not sign."""

    place: _Place
    who: Markup
    reason: str
    index: int


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody accredited, and what they have said in numbers."""

    name: str
    id: str
    role: str
    area: str
    revoked: bool
    copies: int
    agreeing: int
    differing: int
    signed: int
    refused: int


@dataclass(frozen=True, slots=True)
class _ContestFigures:
    """How the stations of a contest stand."""

    title: str
    rows: tuple[tuple[str, str], ...]


def observer_pages(pages: Pages) -> Iterator[SiteFile]:
    """`observers.html` and the three lists below `observers/`."""
    made = _ObserverPages(pages)
    lists: list[tuple[_List, Sequence[object]]] = [
        (_DIFFERENCES, made.differences()),
        (_REFUSALS, made.refusals()),
        (_PEOPLE, made.people()),
    ]
    say = pages.say
    yield pages.render(
        "observers.html",
        PATH,
        say("Observers"),
        contests=made.figures(),
        several_contests=len(pages.view.election.contests) > 1,
        lists=[
            (kind.path, kind.template, say.later(kind.title), say.later(kind.nothing), rows[:FIRST_ROWS], len(rows))
            for kind, rows in lists
        ],
    )
    for kind, rows in lists:
        heading = say.later(kind.title)
        for paging in paged(kind.path, len(rows)):
            start = (paging.number - 1) * ROWS_PER_PAGE
            yield pages.render(
                "observed_list.html",
                paging.own_path,
                heading if paging.number == 1 else say("{title}, page {page}", title=heading, page=paging.number),
                crumbs=[(PATH, say("Observers"))],
                heading=heading,
                template=kind.template,
                nothing=say.later(kind.nothing),
                rows=rows[start : start + ROWS_PER_PAGE],
                paging=paging,
            )


class _ObserverPages:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.say = pages.say
        self._view = pages.view
        self._observations = pages.view.observations
        self._parts = Parts(pages)

    def figures(self) -> list[_ContestFigures]:
        """Stations with copies and signatures, by contest."""
        say, found = self.say, []
        for number, contest in enumerate(self._view.election.contests):
            tally = self._observations.tally(number)
            rows = (
                (say("Stations of which somebody has a copy"), tally.copied),
                (say("Every copy agrees with the sheet"), tally.agreeing),
                (say("A copy differs"), tally.differing),
                (say("Nothing to compare yet"), tally.uncompared),
                (say("Sheets that others have countersigned"), tally.signed),
                (say("Sheets that somebody refused to sign"), tally.refused),
            )
            found.append(_ContestFigures(say.name(contest.title), tuple((label, say.number(n)) for label, n in rows)))
        return found

    def differences(self) -> list[_Difference]:
        """Every copy that stands and differs, in the order of the stations."""
        say, rows = self.say, []
        for contest in range(len(self._view.election.contests)):
            labels = self._parts.labels(contest)
            for station in self._observations.differing(contest):
                place = self._place(station, contest)
                for copy in self._observations.of_station(station, contest).copies:
                    if copy.stands and copy.state == "differs":
                        figures = tuple(
                            say(
                                "{figure}: the copy reads {copy}, the sheet {sheet}.",
                                figure=labels[one.figure],
                                copy=one.copy,
                                sheet=one.sheet,
                            )
                            for one in copy.differing
                        )
                        rows.append(_Difference(place, named(say, copy.speaker), figures, copy.index))
        return rows

    def refusals(self) -> list[_Refusal]:
        """Every refusal to sign a sheet, in the order of the stations."""
        rows = []
        for contest in range(len(self._view.election.contests)):
            for station in self._observations.stations(contest):
                for one in self._observations.of_station(station, contest).countersignatures:
                    if one.verdict == "refuse" and one.key != "revoked-before":
                        who, reason = named(self.say, one.speaker), self.say.name(one.reason)
                        rows.append(_Refusal(self._place(station, contest), who, reason, one.index))
        return rows

    def people(self) -> list[_Person]:
        """Who is accredited as observer or agent, and whoever else has signed or copied a sheet; by role and id."""
        numbers: dict[str, Witnessing] = {}
        for own in self._observations.witnesses():
            before = numbers.get(own.speaker.issuer)
            numbers[own.speaker.issuer] = own if before is None else _together(before, own)
        known = self._accredited()
        speakers = known | {issuer: own.speaker for issuer, own in numbers.items() if issuer not in known}
        ordered = sorted(speakers.values(), key=lambda speaker: (speaker.role, speaker.issuer))
        return [self._person(speaker, numbers.get(speaker.issuer)) for speaker in ordered]

    def _accredited(self) -> dict[str, Speaker]:
        """Observers and agents of the register and of every accreditation in effect, as they were last admitted."""
        count = self._view.count
        found: dict[str, Speaker] = {}

        def add(issuer: Issuer) -> None:
            if issuer.role in ("observer", "agent"):
                found[issuer.id] = Speaker(issuer.id, issuer.role, issuer.name, issuer.unit)

        for issuer in self._view.election.register.others():
            add(issuer)
        for act in sorted((act for act in count.acts.values() if act.effective is not None), key=lambda act: act.effective or 0):
            payload = act.recorded.statement.payload
            if isinstance(payload, Accreditation) and payload.action == "admit":
                add(payload.as_issuer())
        return found

    def _person(self, speaker: Speaker, own: Witnessing | None) -> _Person:
        say = self.say
        units = self._view.units
        place = units.position(speaker.unit) if speaker.unit in units.index or speaker.unit in units.station_index else None
        return _Person(
            say.name(speaker.name) if speaker.name else "",
            speaker.issuer,
            say.capital(say.later(ROLE_WORDS[speaker.role])),
            say("whole country") if place is None else self._pages.unit_name(place),
            not self._view.count.accreditations.current(speaker.issuer),
            *((0,) * 5 if own is None else (own.copies, own.agreeing, own.differing, own.signed, own.refused)),
        )

    def _place(self, station: int, contest: int) -> _Place:
        view = self._view
        unit = int(view.units.station_units[station])
        parent = int(view.units.parent[unit])
        lies = [self._pages.unit_name(parent)] if parent >= 0 else []
        if len(view.election.contests) > 1:
            lies.append(self.say.name(view.election.contests[contest].title))
        return _Place(view.page_of(unit), self._pages.unit_name(unit), Markup(" · ").join(lies))


def _together(first: Witnessing, second: Witnessing) -> Witnessing:
    """The same issuer under two names or keys."""
    return Witnessing(
        second.speaker,
        first.copies + second.copies,
        first.agreeing + second.agreeing,
        first.differing + second.differing,
        first.signed + second.signed,
        first.refused + second.refused,
    )
