"""What was reported to have happened, and what the intake service refused. It repeats what was signed, and accuses nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from scrutineer.count import Recorded
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.paging import paged
from scrutineer.portal.reported import INCIDENT_WORDS, REQUEST_WORDS, find_place, place, reporter
from scrutineer.statements import Incident
from scrutineer.statements.incident import REQUEST_KINDS

PATH: Final = "incidents.html"
REPORTS_PER_PAGE: Final = 50
MOST_SUMMARIES: Final = 200
"""Summaries of refused requests that are listed; the sums are of all of them."""


@dataclass(frozen=True, slots=True)
class _Report:
    """A reported incident. Texts are HTML."""

    index: int
    kind: str
    label: str
    place: str
    link: str
    """The page of the place; empty where it has none."""
    when: str
    text: str
    reporter: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Refused:
    """How many requests of a kind were refused. Texts are HTML."""

    label: str
    meaning: str
    count: int


@dataclass(frozen=True, slots=True)
class _Summary:
    """One summary of refused requests. Texts are HTML."""

    index: int
    when: str
    count: int
    reporter: str


def incident_pages(pages: Pages) -> Iterator[SiteFile]:
    """`incidents.html` and its further pages."""
    say = pages.say
    reports: list[Recorded] = []
    summaries: list[Recorded] = []
    for recorded in pages.view.count.incidents:
        incident = _incident(recorded)
        (reports if incident.requests is None else summaries).append(recorded)
    rows = (_report(pages, recorded) for recorded in sorted(reports, key=lambda each: (_incident(each).since, each.index)))
    for paging in paged(PATH, len(reports), REPORTS_PER_PAGE):
        first = paging.number == 1
        yield pages.render(
            "incidents.html",
            paging.own_path,
            say("Incidents") if first else say("Incidents, page {page}", page=paging.number),
            reports=list(islice(rows, REPORTS_PER_PAGE)),
            reported=len(reports),
            paging=paging,
            refused=_refused(pages, summaries) if first else [],
            summaries=[_summary(pages, recorded) for recorded in summaries[-MOST_SUMMARIES:]] if first else [],
            summed=len(summaries),
        )


def _incident(recorded: Recorded) -> Incident:
    incident = recorded.statement.payload
    if not isinstance(incident, Incident):
        raise TypeError(type(incident))
    return incident


def _report(pages: Pages, recorded: Recorded) -> _Report:
    say, incident = pages.say, _incident(recorded)
    position = find_place(pages, incident.unit) if incident.unit else None
    return _Report(
        recorded.index,
        incident.kind,
        say.later(INCIDENT_WORDS[incident.kind]),
        place(pages, incident.unit),
        pages.view.page_of(position) if position is not None and pages.view.record.options.pages != "none" else "",
        _when(pages, incident),
        say.name(incident.text),
        reporter(pages, recorded),
        tuple(own.hex() for own in incident.evidence),
    )


def _when(pages: Pages, incident: Incident) -> str:
    say = pages.say
    if incident.since == incident.until:
        return say.time(incident.since)
    return say("{since} to {until}", since=say.time(incident.since), until=say.time(incident.until))


def _refused(pages: Pages, summaries: list[Recorded]) -> list[_Refused]:
    say = pages.say
    totals = dict.fromkeys(REQUEST_KINDS, 0)
    for recorded in summaries:
        requests = _incident(recorded).requests
        for count in requests.counts if requests is not None else ():
            totals[count.kind] += count.count
    return [
        _Refused(say.later(REQUEST_WORDS[kind][0]), say.later(REQUEST_WORDS[kind][1]), total)
        for kind, total in totals.items()
        if total
    ]


def _summary(pages: Pages, recorded: Recorded) -> _Summary:
    incident = _incident(recorded)
    counts = incident.requests.counts if incident.requests is not None else ()
    return _Summary(recorded.index, _when(pages, incident), sum(count.count for count in counts), reporter(pages, recorded))
