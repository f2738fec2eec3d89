"""The night: arrivals over time, quiet stretches, bulletins, incidents and decisions, and everything that was published.

Every published version is listed (version_list.py), and any two can be compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from markupsafe import Markup

from scrutineer.portal.formats import SiteFile
from scrutineer.portal.history_files import INDEX_FILE
from scrutineer.portal.night import QUIET, Event, Night, Quiet, Span
from scrutineer.portal.pages import Pages
from scrutineer.portal.people import officer
from scrutineer.portal.reported import incident_line
from scrutineer.portal.snapshot_pages import NIGHT, moment, stations_in
from scrutineer.portal.timeline import HEIGHT, MOST_POINTS, Axis, Chart, Lane, Mark, lanes
from scrutineer.portal.version_list import list_links, list_pages, newest_versions
from scrutineer.statements import Accreditation, Bulletin, Incident

MOST_EVENTS: Final = 200
MOST_NAMES: Final = 2_000
"""Options whose names are given to the comparison; beyond, ids stand for them."""
_REGION_POINTS: Final = 60


@dataclass(frozen=True, slots=True)
class _Story:
    """An event as a row. Texts are HTML."""

    id: str
    time: str
    what: str
    mark: str
    link: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class _Region:
    """How one region came in. Texts are HTML."""

    name: str
    link: str
    curve: str
    arrived: str
    share: str
    half: str
    last: str


def night_pages(pages: Pages) -> Iterator[SiteFile]:
    """`night.html`, then the full blocks of the list of versions."""
    night = Night(pages.view)
    yield _night(pages, night)
    yield from list_pages(pages, night)


def _night(pages: Pages, night: Night) -> SiteFile:
    say, view = pages.say, pages.view
    events = night.events
    shown = events[-MOST_EVENTS:]
    return pages.render(
        "night.html",
        NIGHT,
        say("The night"),
        scripts=("update.js", "night.js"),
        opening=_opening(pages, night),
        charts=_charts(pages, night),
        times=_times(pages, night),
        contest=say.name(view.standings[night.main].contest.title) if len(view.standings) > 1 else "",
        regions=_regions(pages, night),
        stories=[_story(pages, event) for event in shown],
        left_out=len(events) - len(shown),
        threshold=QUIET // 60,
        quiet=len(night.quiet),
        versions=newest_versions(pages, night),
        published=len(night.snapshots),
        blocks=list_links(pages, night),
        index=INDEX_FILE,
        folder=INDEX_FILE.rpartition("/")[0],
        zone=view.election.definition.timezone,
        names=_names(pages),
        head=view.record.head,
        updated=say.time(view.record.head.time_ms // 1000),
    )


# --- the opening and the charts -----------------------------------------------------------------------------------------


def _opening(pages: Pages, night: Night) -> Sequence[str]:
    say, snapshots = pages.say, night.snapshots
    first, last = snapshots[0], snapshots[-1]
    if len(snapshots) == 1:
        return [say("This site was published once so far: on {time}.", time=moment(say, first.time))]
    said = [
        say.several(
            "This site was published {n} time: first on {first}, last on {last}.",
            "This site was published {n} times: first on {first}, last on {last}.",
            len(snapshots),
            first=moment(say, first.time),
            last=moment(say, last.time),
        )
    ]
    if night.quiet:
        said.append(
            say.several(
                "In {n} stretch of {minutes} minutes or more it showed nothing new although stations were outstanding.",
                "In {n} stretches of {minutes} minutes or more it showed nothing new although stations were outstanding.",
                len(night.quiet),
                minutes=QUIET // 60,
            )
        )
    else:
        said.append(
            say(
                "There was no stretch of {minutes} minutes in which it showed nothing new while stations were outstanding.",
                minutes=QUIET // 60,
            )
        )
    return said


def _charts(pages: Pages, night: Night) -> list[Chart]:
    """One chart where signing and publishing lie on one axis; otherwise one of each."""
    sheets, published = night.sheet_span, night.published_span
    if sheets is not None and night.together:
        span = Span(min(sheets.first, published.first), max(sheets.last, published.last))
        return [_chart(pages, night, span, shown=True, signed=True)] if span.last > span.first else []
    charts = []
    if sheets is not None and sheets.last > sheets.first:
        charts.append(_chart(pages, night, sheets, shown=False, signed=True))
    if published.last > published.first and len(night.snapshots) > 1:
        charts.append(_chart(pages, night, published, shown=True, signed=False))
    return charts


def _chart(pages: Pages, night: Night, span: Span, *, shown: bool, signed: bool) -> Chart:
    say, axis = pages.say, Axis(span)
    steps = [(span.first + (span.last - span.first) * at // MOST_POINTS) for at in range(MOST_POINTS + 1)] if signed else []
    heads = [(snapshot.time, night.shown_at(number)) for number, snapshot in enumerate(night.snapshots)] if shown else []
    label = (
        say("Stations’ sheets over time: as the stations signed them, and as this site showed them")
        if shown and signed
        else say("Stations’ sheets over time, as this site showed them")
        if shown
        else say("Stations’ sheets over time, as the stations signed them")
    )
    return Chart(
        label,
        axis.ticks(say),
        axis.path(heads, night.stations, steps=True),
        axis.path([(time, night.signed_by(time)) for time in steps], night.stations, steps=False),
        tuple(axis.mark(quiet.since, quiet.until, _quiet_time(pages, quiet), quiet.kind) for quiet in night.quiet if shown),
        _lanes(pages, night, axis, shown=shown),
    )


def _lanes(pages: Pages, night: Night, axis: Axis, *, shown: bool) -> tuple[Lane, ...]:
    say = pages.say
    kinds: dict[str, list[Mark]] = {"bulletin": [], "incident": [], "decisions": []}
    for event in night.events:
        kind = {"certificate": "bulletin", "revocation": "decisions"}.get(event.kind, event.kind)
        inside = event.until >= axis.span.first and event.time <= axis.span.last
        if kind in kinds and inside and (shown or kind == "incident"):
            kinds[kind].append(axis.mark(event.time, event.until, moment(say, event.time), event.kind))
    return lanes(
        [
            (say("Bulletins and certificate"), kinds["bulletin"]),
            (say("Reported incidents"), kinds["incident"]),
            (say("Decisions and revoked keys"), kinds["decisions"]),
        ]
    )


def _times(pages: Pages, night: Night) -> list[tuple[str, str, str, str]]:
    """The chart in figures: time, stations that had signed, stations shown, and their share."""
    say, sheets, published = pages.say, night.sheet_span, night.published_span
    if sheets is None:
        return []
    spans = [Span(min(sheets.first, published.first), max(sheets.last, published.last))]
    if not night.together:
        spans = [sheets, published]
    times = sorted({time for span in spans for time in (*(tick.time for tick in Axis(span).ticks(say)), span.last)})
    return [
        (
            moment(say, time),
            say.number(night.signed_by(time)),
            say.number(night.shown_by(time)),
            say.percent(night.shown_by(time), night.stations),
        )
        for time in times
    ]


# --- regions ------------------------------------------------------------------------------------------------------------


def _regions(pages: Pages, night: Night) -> list[_Region]:
    say, view, main, snapshots = pages.say, pages.view, night.main, night.snapshots
    found = []
    span = Span(snapshots[0].time, snapshots[-1].time)
    for number, unit in enumerate(view.regions[main]):
        stations = stations_in(view, main, unit)
        counts = [snapshot.totals[main].regions[number].arrived for snapshot in snapshots]
        half = next((at for at, arrived in enumerate(counts) if 2 * arrived >= stations), None)
        last = next((at for at in range(len(counts) - 1, 0, -1) if counts[at] > counts[at - 1]), 0)
        points = [(snapshot.time, arrived) for snapshot, arrived in zip(snapshots, counts, strict=True)]
        found.append(
            _Region(
                pages.unit_name(unit),
                view.places.unit(unit) if pages.has_place(unit) else "",
                _curve(span, points, stations),
                say("{arrived} of {stations}", arrived=counts[-1], stations=stations),
                say.percent(counts[-1], stations),
                "–" if half is None else moment(say, snapshots[half].time),
                moment(say, snapshots[last].time) if counts[last] else "–",
            )
        )
    return found


def _curve(span: Span, points: Sequence[tuple[int, int]], stations: int) -> str:
    """The filled curve of a region on the grid of the chart; empty where there is one version alone."""
    if span.last <= span.first:
        return ""
    step = max(1, len(points) // _REGION_POINTS)
    chosen = [*points[:-1:step], points[-1]]
    return f"{Axis(span).path(chosen, stations, steps=True)}V{HEIGHT}H0Z".replace("M0 ", f"M0 {HEIGHT}V", 1)


# --- what happened ------------------------------------------------------------------------------------------------------


def _story(pages: Pages, event: Event) -> _Story:
    say = pages.say
    name, time = _anchor(event), moment(say, event.time)
    payload = None if event.act is None else event.act.recorded.statement.payload
    if event.kind == "quiet" and event.quiet is not None:
        return _Story(name, time, _quiet(pages, event.quiet), event.quiet.kind, "", _quiet_more(pages, event.quiet))
    if event.kind == "decisions":
        said = say.several("{n} decision took effect.", "{n} decisions took effect.", event.number)
        return _Story(name, time, said, "decision", "decisions.html")
    if isinstance(payload, Bulletin):
        path = next((path for path, act in pages.view.bulletins if act is event.act), "bulletins/index.html")
        return _Story(name, time, say("Bulletin {number} was signed.", number=payload.number), "bulletin", path)
    if event.kind == "certificate":
        path = next((path for path, act in pages.view.bulletins if act is event.act), "bulletins/index.html")
        return _Story(name, time, say("The certificate was signed."), "certificate", path)
    if isinstance(payload, Accreditation):
        who = officer(say, pages.view.count, payload.issuer)
        said = say("A key of {who} was revoked; nothing that it signs from then on counts.", who=who)
        return _Story(name, time, said, "revocation", "", say.name(payload.reason))
    incident = event.incident
    if not isinstance(incident, Incident):
        raise TypeError(event.kind)
    return _Story(
        name, time, incident_line(pages, incident, partial(moment, say)), "incident", f"incidents.html#entry-{event.index}"
    )


def _anchor(event: Event) -> str:
    if event.index >= 0:
        return f"entry-{event.index}"
    return f"{event.kind}-{event.time}"


def _quiet(pages: Pages, quiet: Quiet) -> str:
    say = pages.say
    minutes = (quiet.until - quiet.since) // 60
    until = moment(say, quiet.until)
    if quiet.kind == "unpublished":
        return say.several(
            "For {n} minute, until {time}, nothing was published.",
            "For {n} minutes, until {time}, nothing was published.",
            minutes,
            time=until,
        )
    return say.several(
        "For {n} minute, until {time}, no further station’s sheet was shown, although the site was published.",
        "For {n} minutes, until {time}, no further station’s sheet was shown, although the site was published.",
        minutes,
        time=until,
    )


def _quiet_more(pages: Pages, quiet: Quiet) -> str:
    say = pages.say
    parts = [
        say.several("{n} sheet was outstanding when it began.", "{n} sheets were outstanding when it began.", quiet.outstanding),
        say.several(
            "{n} was new when it ended; {signed} of them had been signed at the station {minutes} minutes or more before.",
            "{n} were new when it ended; {signed} of them had been signed at their stations {minutes} minutes or more before.",
            quiet.arrived,
            signed=quiet.signed_before,
            minutes=QUIET // 60,
        ),
    ]
    if quiet.signed_before:
        parts.append(say("Whether these reached the log late or were shown late, the record does not say."))
    return Markup(" ").join(parts)


def _quiet_time(pages: Pages, quiet: Quiet) -> str:
    return pages.say("{since} to {until}", since=moment(pages.say, quiet.since), until=moment(pages.say, quiet.until))


def _names(pages: Pages) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Contests and options with their names, for the comparison: id, title, and id and name of each option."""
    contests = pages.view.election.contests
    if sum(len(contest.options) for contest in contests) > MOST_NAMES:
        return []
    return [(contest.id, contest.title, [(option.id, option.name) for option in contest.options]) for contest in contests]
