"""The night: arrivals, quiet stretches, events, every published version; incidents and announcements beside it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import portal_helpers as portal
import verify_helpers as helpers
from full_election import full_election
from scrutineer.election import station_issuer
from scrutineer.language import ENGLISH as SAY
from scrutineer.portal import SiteOptions
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.history import Snapshot
from scrutineer.portal.incident_pages import REPORTS_PER_PAGE
from scrutineer.portal.night import QUIET, Night, Span
from scrutineer.portal.pages import Pages
from scrutineer.portal.reported import INCIDENT_WORDS, REQUEST_WORDS
from scrutineer.portal.site import HISTORY, PAGES
from scrutineer.portal.snapshot_pages import snapshot_pages
from scrutineer.portal.timeline import HEIGHT, MOST_POINTS, MOST_TICKS, WIDTH, Axis
from scrutineer.portal.version_list import BLOCK
from scrutineer.portal.view import View
from scrutineer.statements import Accreditation, Claim, ClaimedFigure, Incident
from scrutineer.statements.incident import REQUEST_KINDS, IncidentKind
from scrutineer.statements.tally_sheet import MAX_TIME
from site_pages import read_page

ENGLISH = SiteOptions(languages=("en",))
HOUR = 3600
FIRST = portal.TIME_MS // 1000


def snapshots_of(story: helpers.Story, heads: list[tuple[int, int]]) -> tuple[Snapshot, ...]:
    """What is published when the log has so many entries, so many minutes after the first."""
    return tuple(
        portal.published(
            story.election, story.tables, story.log[:size], ENGLISH, time_ms=portal.TIME_MS + minutes * 60_000
        ).record.snapshots[0]
        for size, minutes in heads
    )


def shown(story: helpers.Story, heads: list[tuple[int, int]], options: SiteOptions = ENGLISH) -> portal.Published:
    *before, (size, minutes) = heads
    now = portal.published(story.election, story.tables, story.log[:size], options, time_ms=portal.TIME_MS + minutes * 60_000)
    return replace(now, record=replace(now.record, history=snapshots_of(story, before)))


def night_of(story: helpers.Story, heads: list[tuple[int, int]]) -> Night:
    return Night(View(shown(story, heads).record))


def pages_of(given: portal.Published, number: int = 0) -> dict[str, bytes]:
    """Every page that is there once in a language, and no page of a place."""
    pages = Pages(View(given.record), number)
    files: list[SiteFile] = [file for part in (*PAGES, *HISTORY) for file in part(pages)]
    return {file.path: b"".join(file.chunks) for file in files}


def arriving(times: list[int] | None = None) -> helpers.Story:
    """Sheets one after the other at the five stations, signed at these times."""
    story = helpers.begin()
    for number, station in enumerate(helpers.STATIONS):
        story.sheet(station, helpers.PRESIDENT, (10 + number, 5, 3), time=FIRST - HOUR if times is None else times[number])
    return story


class TestQuiet:
    """Stretches in which nothing new was shown while stations were outstanding."""

    def test_a_gap_in_publication(self) -> None:
        (quiet,) = night_of(arriving(), [(2, 0), (3, 10), (4, 45), (5, 50)]).quiet
        assert (quiet.kind, quiet.since, quiet.until) == ("unpublished", FIRST + 600, FIRST + 2700)
        assert (quiet.published, quiet.arrived, quiet.signed_before) == (0, 1, 1)
        assert quiet.outstanding == 10 - 2

    def test_published_without_new_sheets(self) -> None:
        story = arriving()
        at = len(story.log)
        for number in range(3):
            story.bulletin(number + 1)
        story.sheet("a1", helpers.COUNCIL, (3, 4), time=FIRST + 3500)
        heads = [(at, 0), (at + 2, 20), (at + 4, 40), (at + 6, 45), (at + 7, 60)]
        (quiet,) = night_of(story, heads).quiet
        assert (quiet.kind, quiet.published, quiet.arrived) == ("no-arrivals", 3, 1)
        assert quiet.signed_before == 0

    def test_a_short_gap_is_not_told(self) -> None:
        assert night_of(arriving(), [(2, 0), (3, QUIET // 60 - 1)]).quiet == []

    def test_when_everything_is_there_nothing_is_missed(self) -> None:
        story = arriving()
        for station in helpers.STATIONS:
            story.sheet(station, helpers.COUNCIL, (1, 2))
        full = len(story.log)
        story.bulletin(1)
        assert night_of(story, [(full - 1, 0), (full, 5), (full + 2, 300)]).quiet == []

    def test_a_clock_that_goes_back_tells_nothing(self) -> None:
        assert night_of(arriving(), [(2, 50), (3, 0), (4, 5)]).quiet == []


def test_the_page_tells_of_quiet_stretches_and_accuses_nobody() -> None:
    page = pages_of(shown(arriving(), [(2, 0), (3, 10), (4, 45), (5, 50)]))["night.html"].decode()
    text = read_page(page.encode()).text
    assert "In 1 stretch of 30 minutes or more it showed nothing new although stations were outstanding." in text
    assert "For 35 minutes, until Jun 15, 15:51, nothing was published." in text
    assert "1 of them had been signed at the station 30 minutes or more before." in text
    assert "the record does not say" in text
    assert 'class="quiet unpublished"' in page


def test_events_in_the_order_of_time() -> None:
    night = Night(View(full_election()[-1].record))
    times = [event.time for event in night.events]
    assert times == sorted(times)
    assert {event.kind for event in night.events} == {"bulletin", "incident", "decisions"}


def test_a_revoked_key_and_the_certificate_are_told() -> None:
    story = helpers.told()
    key = portal.key_of("station/a1").public_key
    story.act(
        Accreditation(
            election=story.election.hash, action="revoke", issuer="station/a1", role="station", key=key, reason="Lost on the way."
        )
    )
    text = read_page(pages_of(shown(story, [(14, 0), (len(story.log), 20)]))["night.html"]).text
    assert "The certificate was signed." in text
    assert "A key of station/a1 was revoked" in text
    assert "Lost on the way." in text
    assert "3 decisions took effect." in text


class TestSnapshotPages:
    """The page of a version never changes."""

    def test_it_is_the_same_whatever_is_published_later(self) -> None:
        story = helpers.told()
        heads = [(14, 0), (20, 20), (len(story.log), 50)]
        languages = SiteOptions(languages=("en", "ar"))
        for number in (0, 1):
            early = pages_of(shown(story, heads[:2], languages), number)
            late = pages_of(shown(story, heads, languages), number)
            own = {path for path in early if "/14." in path or "/20." in path}
            assert len(own) == 2
            assert {path: early[path] for path in own} == {path: late[path] for path in own}
            assert early != late

    def test_it_says_what_changed(self) -> None:
        story = arriving()
        text = read_page(pages_of(shown(story, [(2, 0), (4, 20)]))["night/4.html"]).text
        assert "2 statements were added to the log" in text
        for figure in ("Heron", "33", "+23", "(+2)"):
            assert figure in text

    def test_later_ones_are_in_the_first_language_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("view", "snapshot_pages"):
            monkeypatch.setattr(f"scrutineer.portal.{module}.MOST_TRANSLATED_SNAPSHOTS", 1)
        view = View(shown(arriving(), [(2, 0), (3, 5), (4, 9)], SiteOptions(languages=("en", "es"))).record)
        assert [file.path for file in snapshot_pages(Pages(view, 0))] == ["night/2.html", "night/3.html", "night/4.html"]
        assert [file.path for file in snapshot_pages(Pages(view, 1))] == ["es/night/2.html"]
        assert Pages(view, 1).links("night.html").href("night/3.html") == "../night/3.html"

    def test_nobody_makes_it_again(self, tmp_path: Path) -> None:
        story = arriving()
        for minutes, size in enumerate((2, 3, 4)):
            now = portal.published(
                story.election, story.tables, story.log[:size], ENGLISH, time_ms=portal.TIME_MS + minutes * 60_000
            )
            summary = now.publish(tmp_path)
        assert summary.kept >= 4  # two snapshots with their pages
        again = helpers.verified(tmp_path)
        assert again.passed, again.findings


def test_many_versions_come_in_blocks_that_stay() -> None:
    story = helpers.begin()
    numbers = 2 * BLOCK + 30
    for number in range(numbers):
        story.say(helpers.OBSERVER, incident(story, f"Number {number}", since=FIRST + number))
    small = shown(story, [(size, size) for size in range(2, 2 * BLOCK + 10)])
    large = shown(story, [(size, size) for size in range(2, numbers)])
    early, late = pages_of(small), pages_of(large)
    blocks = sorted(path for path in late if path.startswith("night/list-"))
    assert blocks == ["night/list-1.html", "night/list-2.html"]
    assert {path: early[path] for path in blocks} == {path: late[path] for path in blocks}
    listed = [link for path in (*blocks, "night.html") for link in read_page(late[path]).links]
    for size in range(2, numbers):
        assert f"{size}.html" in listed or f"night/{size}.html" in listed or f"../night/{size}.html" in listed


def incident(story: helpers.Story, text: str, since: int = FIRST, kind: IncidentKind = "other", unit: str = "") -> Incident:
    return Incident(
        election=story.election.hash, kind=kind, since=since, until=since + 60, text=text, unit=unit, evidence=(bytes(32),)
    )


class TestIncidents:
    """What was reported, as it was signed."""

    def test_hostile_texts_are_shown_and_do_nothing(self) -> None:
        story = arriving()
        hostile = '<script>alert(1)</script> "quoted" & {{ 7 * 7 }} \u202egnp.exe\u202c %(x)s {time}'
        story.say(helpers.OBSERVER, incident(story, hostile, kind="attack", unit="north"))
        claim = Claim(
            election=story.election.hash,
            contest="president",
            announced_by="<b>Radio</b>",
            announced_at="<i>now</i>",
            source='"><img src=x>',
            figures=(ClaimedFigure(name="Heron </td>", option="heron", votes=7, percent="51.2"),),
        )
        story.say(helpers.OFFICERS[0], claim)
        pages = pages_of(shown(story, [(3, 0), (len(story.log), 5)]))
        for path in ("incidents.html", "claims.html", "night.html"):
            page = read_page(pages[path])
            assert not {"img", "b", "i"} & set(page.tags)
            assert b"<script>" not in pages[path]
        text = read_page(pages["incidents.html"]).text
        assert "<script>alert(1)</script>" in text
        assert "{{ 7 * 7 }}" in text
        assert "\u202e" not in text
        assert "<b>Radio</b>" in read_page(pages["claims.html"]).text

    def test_kinds_places_reporters_and_evidence(self) -> None:
        page = pages_of(full_election()[-1])["incidents.html"]
        text = read_page(page).text
        for said in (
            "Outage",
            "Hills 1, table 2 (Hills, school 1)",
            "station/hills-1-2",
            "41,210",
            "1,204,550",
            "Too many at a time",
        ):
            assert said in text
        story = arriving()
        story.say(helpers.OBSERVER, incident(story, "A door was locked."))
        text = read_page(pages_of(shown(story, [(len(story.log), 0)]))["incidents.html"]).text
        assert "observer/ibis" in text
        assert bytes(32).hex() in text

    def test_many_reports_come_on_pages(self) -> None:
        story = helpers.begin()
        for number in range(REPORTS_PER_PAGE + 1):
            story.say(helpers.OBSERVER, incident(story, f"Number {number}.", since=FIRST - number))
        pages = pages_of(shown(story, [(len(story.log), 0)]))
        assert "incidents~p2.html" in pages
        assert "Number 0." in read_page(pages["incidents~p2.html"]).text

    def test_every_kind_has_words(self) -> None:
        assert set(REQUEST_WORDS) == set(REQUEST_KINDS)
        assert all(SAY.later(word) for word in INCIDENT_WORDS.values())

    def test_without_any_the_pages_say_so(self) -> None:
        pages = pages_of(shown(helpers.begin(), [(1, 0)]))
        assert "No incident was reported." in read_page(pages["incidents.html"]).text
        assert "No announcement has been quoted." in read_page(pages["claims.html"]).text
        assert "This site was published once so far" in read_page(pages["night.html"]).text


class TestAnnouncements:
    """Announced results beside the record."""

    def test_what_fits_and_what_does_not(self) -> None:
        page = read_page(pages_of(full_election()[-1])["claims.html"])
        for said in (
            "Heron’s headquarters",
            "Radio of the marshes",
            "5,150",
            "2,746",
            "+2,404",
            "Cannot all be right as announced",
        ):
            assert said in page.text
        assert {"entry-99", "entry-100"} <= page.ids

    def test_a_contest_or_unit_that_cannot_be_compared(self) -> None:
        story = arriving()
        fields = {"election": story.election.hash, "announced_by": "Radio", "announced_at": "now", "source": "air"}
        figure = ClaimedFigure(name="Nobody known", votes=7)
        story.say(helpers.OFFICERS[0], Claim(contest="president", figures=(figure,), **fields))  # type: ignore[arg-type]
        text = read_page(pages_of(shown(story, [(len(story.log), 0)]))["claims.html"]).text
        assert "It cannot be held against the record" in text


class TestChart:
    """The chart's own arithmetic."""

    @pytest.mark.parametrize("length", [1, 59, 3600, 5 * HOUR, 26 * HOUR, 400 * 24 * HOUR, MAX_TIME - 1 - FIRST])
    def test_ticks_are_few_and_lie_inside(self, length: int) -> None:
        ticks = Axis(Span(FIRST, FIRST + length)).ticks(SAY)
        assert len(ticks) <= MOST_TICKS + 1
        assert all(FIRST <= tick.time <= FIRST + length for tick in ticks)
        assert not ticks or ticks[0].day

    def test_a_curve_holds_until_the_next_point(self) -> None:
        axis = Axis(Span(0, 100))
        assert axis.path([(0, 0), (50, 5), (100, 10)], 10, steps=True) == f"M0 {HEIGHT}H5000V500H{WIDTH}V0H{WIDTH}"
        assert axis.path([], 10, steps=True) == ""

    def test_many_points_are_thinned_and_the_last_one_stays(self) -> None:
        path = Axis(Span(0, 100_000)).path([(number, number) for number in range(100_001)], 100_000, steps=True)
        assert path.count("H") <= MOST_POINTS + 2
        assert path.endswith(f"H{WIDTH}V0H{WIDTH}")


@pytest.mark.parametrize("times", [[MAX_TIME - 1] * 5, [1, 2, 3, 4, MAX_TIME - 1], [FIRST] * 4 + [253_402_300_799]])
def test_clocks_that_are_thousands_of_years_off_stop_no_publication(times: list[int]) -> None:
    story = arriving(times)
    since, until = times[-1] - 9, times[-1]
    incident = Incident(election=story.election.hash, kind="outage", since=since, until=until, unit="a1", text="No current.")
    story.say(station_issuer("a1"), incident)
    files = pages_of(shown(story, [(len(story.log) - 2, 0), (len(story.log), 40)]))
    assert f"{SAY.number(since)} seconds after 1970" in read_page(files["night.html"]).text
    assert len(files["night.html"]) < 40_000


def test_the_night_is_the_same_in_verification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = helpers.told()
    for minutes, size in enumerate((14, 20, len(story.log))):
        options = SiteOptions(languages=("en", "ar"))
        portal.published(
            story.election, story.tables, story.log[:size], options, time_ms=portal.TIME_MS + minutes * 2_400_000
        ).publish(tmp_path)
    report = helpers.verified(tmp_path)
    assert report.passed, report.findings
    listed = json.loads((tmp_path / "snapshots/index.json").read_bytes())["snapshots"]
    assert [(tmp_path / f"ar/night/{row['size']}.html").is_file() for row in listed] == [True] * 3
