import json
import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from html import unescape
from typing import get_args

from portal_helpers import OFFICER, Published, key_of, made_up, published, republic, tables_of
from scrutineer.calls.call import Reason
from scrutineer.count import make_bulletin, make_certificate, results_table
from scrutineer.election import Contest, Election, Option, UnitRow, station_issuer
from scrutineer.portal import SiteOptions, check_path
from scrutineer.portal.call_pages import REASONS
from scrutineer.portal.formats import MISSING_PAGE
from scrutineer.statements import Decision, Figures, Payload, TallySheet, sign_statement, statement_hash
from site_pages import read_page, read_pages, target

BIRDS = (Option("heron", "Heron"), Option("wren", "Wren"))
LANGUAGES = ("en", "ar")
ENGLISH = SiteOptions(languages=("en",))
PRESIDENT = Contest("president", "President", "plurality", BIRDS)


def rows(stations: int = 3, roll: int | None = 500) -> list[UnitRow]:
    return [
        UnitRow("land", "", "Land of birds", "country", None),
        UnitRow("north", "land", "North", "state", None),
        *(UnitRow(f"n{i}", "north", f"Station {i}", "station", roll) for i in range(stations)),
        UnitRow("south", "land", "South", "station", roll),
    ]


def sheet(election: Election, station: str, counts: tuple[int | None, ...], **figures: object) -> tuple[str, Payload]:
    given = {"blank": 1, "null": 2, "cast": sum(n or 0 for n in counts) + 3, "time": 1_747_600_000} | figures
    return station_issuer(station), TallySheet(election.hash, station, "president", counts, **given)  # type: ignore[arg-type]


@cache
def general() -> Published:
    """A general election with a contest of every rule, everything arrived, and a bulletin and a certificate at its end."""
    first = republic(120, contests="all", alliances=True, seed=3)
    record = first.record
    bulletin = make_bulletin(record.count, record.head.root, number=1, time=1_750_000_000)
    certificate = make_certificate(record.count, record.head.root, time=1_750_000_001)
    log = [*first.log, *(sign_statement(act, OFFICER, key_of(OFFICER)) for act in (bulletin, certificate))]
    return published(record.election, tables_of(record), log, SiteOptions(languages=LANGUAGES))


@cache
def general_files() -> dict[str, bytes]:
    return general().files()


def test_the_same_record_gives_the_same_bytes() -> None:
    given = general()
    record = given.record
    again = published(record.election, tables_of(record), list(given.log), record.options, signer=given.signer)
    files = again.files()
    for path in ("log/checkpoint", f"snapshots/{record.head.size}.json"):  # its ML-DSA-44 signature is hedged
        files[path] = general_files()[path]
    assert files == general_files()
    assert list(files) == list(general_files())


def test_every_page_is_well_formed_and_every_link_leads_to_a_file() -> None:
    files = general_files()
    pages = read_pages(files)
    assert len(pages) > 120
    for path, page in pages.items():
        check_path(path)
        assert {"iframe", "style", "object", "base"}.isdisjoint(page.tags)
        assert path.startswith("ar/") or "Simulated: this election" in page.text
        for link in page.links:
            if link.endswith("manifest"):
                continue
            file, fragment = target(path, link)
            assert file in files, f"{path} links to {file}, which is not there"
            assert not fragment or fragment in pages[file].ids, f"{path} links to {file}#{fragment}"


def test_every_page_can_be_reached_from_the_front_page() -> None:
    pages = read_pages(general_files())
    reached, waiting = {"index.html"}, ["index.html"]
    while waiting:
        path = waiting.pop()
        for link in pages[path].links:
            file, _ = target(path, link)
            if file in pages and file not in reached:
                reached.add(file)
                waiting.append(file)
    # Servers show this one by themselves.
    assert set(pages) - reached == {MISSING_PAGE}


def test_every_page_forbids_foreign_content_and_scripts_but_the_site_s_own_files() -> None:
    for path, data in general_files().items():
        if path.endswith(".html"):
            policy = re.search(rb'Content-Security-Policy" content="([^"]*)"', data)
            assert policy is not None, path
            allowed = [part.split() for part in unescape(policy[1].decode()).split("; ")]
            assert allowed[0] == ["default-src", "'none'"], path
            # A script may draw what it computed itself (data:, blob:); nothing comes from anywhere else.
            assert {source for part in allowed for source in part[1:]} <= {"'none'", "'self'", "data:", "blob:"}, path
            assert not re.search(rb"<script(?![^>]* src=)", data), path
            assert not re.search(rb"(?:src|href|action|srcset)=.https?:", data), path


def test_pages_are_light() -> None:
    for path, data in general_files().items():
        if path.endswith(".html"):
            # There are nine contests here; a place has a map for each.
            most = 145_000 if "units/" in path else 60_000
            assert len(data) < most, f"{path} has {len(data)} bytes"


def test_tables_say_what_their_cells_are() -> None:
    for path, data in general_files().items():
        for table in re.findall(r"<table.*?</table>", data.decode(), re.DOTALL) if path.endswith(".html") else ():
            assert "<caption" in table or "aria-labelledby=" in table, f"{path}: {table[:200]}"
            assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>", table)), path


def test_with_units_stations_are_rows_on_the_page_of_their_unit() -> None:
    given = general().with_options(SiteOptions("units", "units", ("en",)))
    files = given.files()
    assert not [path for path in files if path.startswith("stations/")]
    assert json.loads(files["site.json"])["pages"] == "units"
    pages = read_pages(files)
    for path, page in pages.items():
        for link in page.links:
            assert link.endswith("manifest") or target(path, link)[0] in files, f"{path} links to {link}"
    units = given.record.election.units
    station = int(units.station_units[0])
    parent = units.ids[int(units.parent[station])]
    assert units.names[station] in pages[f"units/{parent}.html"].text
    assert "Log entry" in pages[f"units/{parent}.html"].text


def test_long_lists_go_on_on_further_pages() -> None:
    files = made_up(rows(250), (PRESIDENT,)).files()
    assert [path for path in files if path.startswith("units/north")] == [
        "units/north.html",
        "units/north~p2.html",
        "units/north~p3.html",
    ]
    pages = read_pages(files)
    assert "Station 99" in pages["units/north.html"].text
    assert "Station 100" not in pages["units/north.html"].text
    assert "Station 249" in pages["units/north~p3.html"].text
    links = {target("units/north~p2.html", link)[0] for link in pages["units/north~p2.html"].links}
    assert {"units/north.html", "units/north~p2.html", "units/north~p3.html"} <= links


def test_a_station_without_a_sheet_says_so_and_shows_no_zero() -> None:
    files = made_up(rows(), (PRESIDENT,)).files()
    text = read_page(files["stations/north/n0.html"]).text
    assert "No sheet has arrived" in text
    assert "Figures of the sheet" not in text
    assert "No station has been counted yet." in read_page(files["index.html"]).text


def test_a_figure_that_a_sheet_does_not_state_is_not_zero() -> None:
    files = made_up(rows(), (PRESIDENT,), lambda e: [sheet(e, "n0", (10, 5), blank=None, null=None, cast=None)]).files()
    page = files["stations/north/n0.html"].decode()
    assert re.search(r"Blank votes</th><td [^>]*><span class=\"no\">not stated</span>", page)
    assert re.search(r"Ballots in the box</th><td [^>]*><span class=\"no\">not stated</span>", page)
    assert re.search(r"Blank</th><td><span class=\"no\">unknown</span>", files["index.html"].decode())


def test_unknown_rolls_leave_the_outcome_unbounded() -> None:
    given = made_up(rows(roll=None), (PRESIDENT,), lambda e: [sheet(e, "n0", (100, 5))])
    text = read_page(given.files()["index.html"]).text
    assert "This cannot be bounded, because the rolls of 3 stations are unknown." in text
    assert "Winner" not in text


def test_a_quarantined_sheet_is_shown_with_its_rules_beside_the_totals() -> None:
    def say(election: Election) -> Iterable[tuple[str, Payload]]:
        yield sheet(election, "n0", (10, 5))
        yield sheet(election, "n1", (400, 200), cast=603)

    files = made_up(rows(), (PRESIDENT,), say).files()
    station = read_page(files["stations/north/n1.html"]).text
    assert "In quarantine" in station
    assert "There are more ballots than registered voters." in station
    assert "400" in station
    front = read_page(files["index.html"]).text
    assert "Beside these totals, never in them: 1 station in quarantine" in front
    assert "Heron leads Wren by 5 votes." in front
    assert "There are more ballots than registered voters." in read_page(files["quarantine.html"]).text


def test_several_sheets_stand_side_by_side_with_the_decision() -> None:
    def say(election: Election) -> Iterable[tuple[str, Payload]]:
        first = sheet(election, "n0", (10, 5))
        yield first
        yield sheet(election, "n0", (12, 3))
        name = statement_hash(sign_statement(first[1], first[0], key_of(first[0])))
        figures = Figures(counts=(11, 4), blank=1, null=2, cast=18)
        yield (
            OFFICER,
            Decision(
                election=election.hash,
                station="n0",
                contest="president",
                action="correct",
                sheet=name,
                after=figures,
                reason="Read again <b>twice</b>.",
            ),
        )

    page = made_up(rows(), (PRESIDENT,), say).files()["stations/north/n0.html"].decode()
    assert re.search(r"Heron</bdi></th><td [^>]*>10</td><td [^>]*>12</td><td>11</td>", page)
    assert "Read again &lt;b&gt;twice&lt;/b&gt;." in page
    assert "In effect" in page
    assert page.count("<details>") == 2


def test_hostile_names_stay_text() -> None:
    attack = "\"><script>alert(1)</script>&amp;'"
    right_to_left = "مركز الاقتراع"
    units = [
        UnitRow("land", "", attack, "country", None),
        UnitRow("n0", "land", right_to_left, "station", 500),
    ]
    contest = Contest("president", attack, "plurality", (Option("heron", attack), Option("wren", right_to_left)))
    given = made_up(
        units,
        (contest,),
        lambda e: [sheet(e, "n0", (10, 5), source="javascript:alert(1)\u202e<img src=x>")],
        name=attack,
        authority=attack,
        provenance="replayed",
        source=attack,
    )
    files = given.with_options(ENGLISH).files()
    for path, page in read_pages(files).items():
        assert "img" not in page.tags, path
        assert not re.search(rb"<script(?![^>]* src=)", files[path]), path
        assert "Replayed from published data" in page.text
        assert "igned by the authority" not in page.text.replace("signed by the authority’s", "")
    station = read_page(files["stations/land/n0.html"])
    assert attack in station.text
    assert "\u202e" not in station.text
    assert "javascript:alert(1)" in station.text
    assert not [link for link in station.links if "javascript" in link]


def test_ids_that_differ_only_in_case_do_not_share_a_file() -> None:
    units = [
        UnitRow("land", "", "Land", "country", None),
        *(UnitRow(unit, "land", unit, "state", None) for unit in ("North", "north", "con", "aux.x", "end.")),
        *(
            UnitRow(f"{station}{n}", above, "S", "station", 10)
            for n, above in enumerate(["North", "north", "con", "aux.x", "end."])
            for station in ("a", "A")
        ),
    ]
    files = made_up(units, (PRESIDENT,)).files()
    folded = [path.lower() for path in files]
    assert len(set(folded)) == len(files)
    for path in files:
        check_path(path)
        for part in path.split("/"):
            assert part.split(".")[0].lower() not in {"con", "aux"}, path
            assert not part.endswith("."), path


def test_a_country_of_one_station() -> None:
    given = made_up([UnitRow("hut", "", "Hut", "station", 20)], (PRESIDENT,), lambda e: [sheet(e, "hut", (10, 5))])
    files = given.files()
    assert "stations/~/hut.html" in files
    for path, page in read_pages(files).items():
        for link in page.links:
            assert link.endswith("manifest") or target(path, link)[0] in files, f"{path} links to {link}"


def test_the_tables_are_those_of_the_count() -> None:
    given = general()
    for number, contest in enumerate(given.record.election.contests):
        assert general_files()[f"data/{contest.id}/results.csv"] == results_table(given.record.count, number)


def test_a_certificate_of_these_totals_makes_them_certified() -> None:
    assert "Certified result" in read_page(general_files()["index.html"]).text
    assert json.loads(general_files()["data/summary.json"])["layer"] == "certified"
    assert [path for path in general_files() if path.startswith("bulletins/certificate-")]


def test_style_sheets_and_pictures_ask_for_nothing_else() -> None:
    found = {path: data for path, data in general_files().items() if path.endswith((".css", ".svg")) and "maplibre" not in path}
    assert any("style." in path for path in found)
    for path, data in found.items():
        assert b"url(" not in data, path
        assert b"@import" not in data, path


def test_names_of_assets_change_with_their_bytes() -> None:
    for path, data in general_files().items():
        if path.startswith("assets/"):
            assert path.rsplit(".", 2)[1] == sha256(data).hexdigest()[:10], path


def test_every_reason_of_a_call_has_words() -> None:
    assert set(REASONS) == set(get_args(Reason))
