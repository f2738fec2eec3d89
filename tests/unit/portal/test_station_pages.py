import hashlib
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import cbor2
import pytest

from full_election import full_election
from observed_samples import (
    AGENT,
    HOSTILE,
    PRESIDENT,
    WATCH,
    Said,
    admit,
    copy,
    everything,
    made_up,
    observed,
    revoke,
    rows,
    sheet,
    sign,
)
from portal_helpers import OFFICER, Published, key_of, republic
from scrutineer.election import Contest, Election, Option, UnitRow, station_issuer
from scrutineer.log import verify_entry_receipt
from scrutineer.portal import SiteOptions
from scrutineer.portal.history import Snapshot
from scrutineer.portal.pages import Pages
from scrutineer.portal.station_pages import station_pages
from scrutineer.portal.view import View
from scrutineer.statements import Decision, Payload, TallySheet, parse_statement, statement_hash
from site_pages import read_page

MOST_BYTES = 50_000


class _Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def of_class(self, name: str) -> list[dict[str, str]]:
        return [attrs for _, attrs in self.found if name in attrs.get("class", "").split()]


def rendered(given: Published, number: int = 0, stations: Iterable[int] | None = None) -> dict[str, bytes]:
    pages = Pages(View(given.record), number)
    return {file.path: b"".join(file.chunks) for file in station_pages(pages, stations)}


@cache
def site() -> dict[str, bytes]:
    return rendered(observed())


def text_of(station: str, files: dict[str, bytes] | None = None) -> str:
    page = next(data for path, data in (files or site()).items() if path.endswith(f"/{station}.html"))
    return re.sub(r"\s+", " ", read_page(page).text)


def page_of(what: Callable[[Election], Iterable[Said]], station: str = "n0") -> bytes:
    def all_of(election: Election) -> Iterable[Said]:
        yield admit(election, WATCH, "Bird Watch")
        yield admit(election, AGENT, "Rosa Egret", "north")
        yield from what(election)

    files = rendered(made_up(rows(), (PRESIDENT,), all_of))
    return next(data for path, data in files.items() if path.endswith(f"/{station}.html"))


# --- what scripts and other programs rely on ------------------------------------------------------------------------------


def test_every_sheet_can_be_checked_from_what_the_page_holds() -> None:
    record = observed().record
    seen = 0
    for path, page in site().items():
        elements = _Elements(page)
        (check,) = [attrs for _, attrs in elements.found if attrs.get("id") == "check"]
        assert "data-check" in check
        assert check["data-home"] == "../../"
        assert check["data-origin"] == record.verifier.origin
        assert check["data-log-key"] == record.verifier.ed25519_public_key.hex()
        assert check["data-election"] == record.election.hash.hex()
        for proof in elements.of_class("sheet-proof"):
            statement, index = b64decode(proof["data-statement"], validate=True), int(proof["data-index"])
            assert proof["id"] == f"sheet-{index}"
            assert statement == record.entry(index)
            assert statement_hash(statement).hex() == proof["data-hash"]
            receipt = verify_entry_receipt(b64decode(proof["data-receipt"], validate=True), statement, record.verifier)
            assert (receipt.index, receipt.size) == (index, int(proof["data-size"]))
            parsed = parse_statement(statement)
            assert parsed.payload.subject() == f"{proof['data-station']}/{proof['data-contest']}"  # type: ignore[union-attr]
            assert bytes.fromhex(proof["data-key"]) == key_of(station_issuer(proof["data-station"])).public_key
            assert path.endswith(f"/{proof['data-station']}.html")
            seen += 1
    assert seen == 7 + 6


def test_the_figures_on_the_page_are_those_that_were_signed() -> None:
    for page in site().values():
        elements = _Elements(page)
        tables = {attrs["id"]: attrs for tag, attrs in elements.found if tag == "table" and "id" in attrs}
        cells = [attrs for tag, attrs in elements.found if tag == "td" and "data-figure" in attrs]
        proofs = elements.of_class("sheet-proof")
        assert {cell["data-sheet"] for cell in cells} == {proof["data-index"] for proof in proofs}
        for proof in proofs:
            assert proof["data-figures"].removeprefix("#") in tables
            payload = cbor2.loads(cbor2.loads(b64decode(proof["data-statement"])).value[2])
            own = {cell["data-figure"]: cell["data-value"] for cell in cells if cell["data-sheet"] == proof["data-index"]}
            names = ("blank", "null", "cast", "voters", "roll")
            signed = [*payload[4], *(payload.get(key) for key in range(5, 10))]
            options = [name for name in own if name.startswith("votes:")]
            assert list(own) == [*options, *names]
            assert [*own.values()] == ["" if figure is None else str(figure) for figure in signed]


def test_ids_and_paths_stay_as_they_are() -> None:
    assert list(site()) == [
        *(f"stations/north/n{number}.html" for number in range(6)),
        "stations/south/s0.html",
        "stations/south/s1.html",
    ]
    assert read_page(site()["stations/north/n3.html"]).ids == {
        "main",
        "check",
        "figures-president",
        "figures-nests",
        "sheet-18",
        "sheet-19",
        "sheet-29",
    }


def test_every_sheet_has_room_for_its_code() -> None:
    elements = _Elements(site()["stations/north/n3.html"])
    assert len(elements.of_class("qr")) == len(elements.of_class("sheet-proof")) == 3
    assert all("data-qr" in attrs for attrs in elements.of_class("qr"))


# --- what pages depend on -------------------------------------------------------------------------------------------------


def test_chosen_stations_are_the_same_pages_in_station_order() -> None:
    chosen = rendered(observed(), stations=[6, 2, 3, 2])
    assert list(chosen) == ["stations/north/n2.html", "stations/north/n3.html", "stations/south/s0.html"]
    assert all(site()[path] == page for path, page in chosen.items())
    assert rendered(observed(), stations=[]) == {}


def test_a_page_stays_the_same_while_others_arrive() -> None:
    def early(election: Election) -> list[Said]:
        said = list(everything(election))
        return said[:9]  # up to the first station's sheet and two signatures under it

    def later(election: Election) -> list[Said]:
        return [*early(election), sheet(election, "n1", (1, 2, 3)), sheet(election, "s0", (1, 2, 3))]

    first, second = made_up(rows(), (PRESIDENT,), early), made_up(rows(), (PRESIDENT,), later)
    history = (Snapshot(first.record.head, first.record.checkpoint, ()),)
    before, after = rendered(first), rendered(replace(second, record=replace(second.record, history=history)))
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"stations/north/n1.html", "stations/south/s0.html"}


def test_every_fact_of_a_station_reaches_its_page() -> None:
    def base(election: Election) -> list[Said]:
        return [sheet(election, "n0", (10, 5, 1))]

    plain = page_of(base)
    more: list[Callable[[Election], Said]] = [
        lambda e: copy(e, WATCH, "n0", (10, 5, 1)),
        lambda e: sign(e, AGENT, sheet(e, "n0", (10, 5, 1))),
        lambda e: sheet(e, "n0", (10, 5, 2)),
        lambda e: (OFFICER, Decision(election=e.hash, station="n0", contest="president", action="exclude", reason="Burnt.")),
    ]
    pages = [page_of(lambda e, own=one: [*base(e), own(e)]) for one in more]  # type: ignore[misc]
    assert len({plain, *pages}) == 1 + len(more)


# --- what it says ---------------------------------------------------------------------------------------------------------


def test_signatures_refusals_and_copies_stand_on_the_page() -> None:
    text = text_of("n0")
    assert "Counted The figures below are in the totals." in text
    assert "declared open on May 18, 2025 09:20:00 UTC, log entry 5" in text
    assert "Rosa Egret, for Heron, party or candidate agent agent/heron-north Log entry 8" in text
    assert "poll-worker/n0-1 Log entry 7" in text
    assert "I was not let in." in text
    assert "2 copies agree with the sheet." in text
    assert "All 16 rules are met." in text
    assert "53.20% of the registered voters took part." in text


def test_a_copy_that_differs_stands_beside_the_sheet() -> None:
    text = text_of("n1")
    assert "1 copy agrees with the sheet. 1 copy differs from the sheet." in text
    assert "This copy The sheet Heron210201 Null votes12 Log entry 13" in text
    assert not re.search(r"fraud|false|forge|manipul|suspicious|wrong", text.casefold())


def test_a_decision_shows_what_was_and_what_holds() -> None:
    text = text_of("n2")
    assert "The figures in effect are in the totals." in text
    assert "The sheet is counted with corrected figures. In effect" in text
    assert "BeforeAfter Wren4594 Ballots in the box260261 Voters who came to vote212261" in text
    assert "1 copy agrees with the figures in effect." in text
    assert "All agents agreed." in text


def test_several_sheets_stand_side_by_side() -> None:
    page = site()["stations/north/n3.html"].decode()
    assert re.search(r'Wren</bdi></th><td data-sheet="18" [^>]*>60</td><td data-sheet="19" [^>]*>66</td></tr>', page)
    text = text_of("n3")
    assert "The station sent sheets for the same contest with different figures or different ballot records." in text
    assert "It reads as another sheet of this station, log entry 19." in text
    assert "for the sheet in log entry 19" in text


def test_sheets_that_differ_in_their_ballot_records_alone_show_these() -> None:
    def say(election: Election) -> Iterator[tuple[str, Payload]]:
        for named in (b"1" * 32, b"2" * 32):
            sheet = TallySheet(election.hash, "n1", "council", (90, 80), blank=0, null=0, cast=170, voters=170, records=named)
            yield station_issuer("n1"), sheet

    places = [UnitRow("land", "", "Land", "country", None), UnitRow("n1", "land", "N 1", "station", 500)]
    council = Contest("council", "Council", "plurality", (Option("1", "Heron"), Option("2", "Wren")))
    page = made_up(places, (council,), say).files()["stations/land/n1.html"].decode()
    assert "with different figures or different ballot records." in page
    for named in (b"1" * 32, b"2" * 32):
        assert f"<dt>SHA-256 of the ballot records</dt><dd><code>{named.hex()}</code></dd>" in page


def test_a_station_without_a_sheet_shows_the_copies_and_nothing_to_check() -> None:
    text = text_of("n5", rendered(made_up(rows(), (PRESIDENT,), everything_of_president)))
    assert "No sheet has arrived Its votes are unknown, which is not zero." in text
    assert "This copy reads as follows; the station’s own sheet has not arrived." in text
    assert "there is nothing to check" in text
    assert "sheet-proof" not in site()["stations/south/s1.html"].decode()


def everything_of_president(election: Election) -> list[Said]:
    return [said for said in everything(election) if getattr(said[1], "contest", "president") == "president"]


def test_what_is_not_stated_is_not_zero() -> None:
    page = site()["stations/north/n4.html"].decode()
    assert 'data-figure="blank" data-value=""><span class="no">not stated</span></td>' in page
    assert "Rules about a figure that the sheet does not state have nothing to compare." in text_of("n4")


def test_revoked_keys_are_marked() -> None:
    def what(e: Election) -> Iterable[Said]:
        return [sheet(e, "n0", (10, 5, 1)), copy(e, WATCH, "n0", (9, 5, 1)), revoke(e, WATCH), copy(e, WATCH, "n0", (8, 5, 1))]

    text = re.sub(r"\s+", " ", read_page(page_of(what)).text)
    assert "The key that signed this was revoked afterwards." in text
    assert "Signed with a key that had been revoked before; it confirms and contradicts nothing." in text
    assert "1 copy differs from the sheet." in text


def test_the_way_to_the_stations_nearby() -> None:
    links = read_page(site()["stations/north/n0.html"]).links
    assert "n1.html" in links
    assert "../../units/north.html" in links
    assert "s0.html" not in read_page(site()["stations/north/n5.html"]).links


def test_names_and_reasons_stay_text() -> None:
    page = site()["stations/north/n0.html"]
    assert b"<script>alert" not in page
    assert "\u202e".encode() not in page
    assert HOSTILE.replace("\u202e", "\ufffd") in read_page(page).text


@pytest.mark.parametrize("mark", ["~page~", "~title~", "~content~", "{0}{name}%s", "</title>", "]]>"])
def test_no_name_takes_the_place_of_a_part_of_the_page(mark: str) -> None:
    places = (UnitRow("avia", "", f"Avia {mark}", "country", None), UnitRow("t1", "avia", f"Table {mark}", "station", 10))
    contest = Contest("president", f"President {mark}", "majority", (Option("owl", f"Owl {mark}"), Option("wren", "Wren")))
    files = rendered(made_up(places, (contest,), lambda e: [sheet(e, "t1", (7, 3))], name=f"Election {mark}"))
    (page,) = [data for path, data in files.items() if path == "stations/avia/t1.html"]
    text = read_page(page).text
    assert page.count(b"<h1>") == page.count(b"</title>") == page.count(b"</main>") == 1
    for name in ("Election", "Avia", "Table", "President", "Owl"):
        assert f"{name} {mark}" in text
    assert f"Table {mark} – Election {mark}" in text


def test_options_and_places_with_hostile_names_stay_text() -> None:
    attack = "</td><script>alert(1)</script>&amp;'\""
    units = [UnitRow("land", "", attack, "country", None), UnitRow("n0", "land", attack, "table", 500)]
    contest = Contest("president", attack, "plurality", (Option("heron", attack), Option("wren", "Wren"), Option("finch", "F")))
    files = rendered(made_up(units, (contest,), lambda e: [sheet(e, "n0", (10, 5, 1), source="<b>there</b>")], name=attack))
    page = files["stations/land/n0.html"]
    assert b"<script>alert" not in page
    assert b"<b>there" not in page
    assert attack in read_page(page).text


@pytest.mark.parametrize("number", range(5))
def test_pages_of_every_language_are_sound_and_lead_to_each_other(number: int) -> None:
    files = rendered(observed(), number)
    prefix = "" if number == 0 else f"{SiteOptions().languages[number]}/"
    for path, page in files.items():
        read_page(page)
        elements = _Elements(page)
        (check,) = [attrs for _, attrs in elements.found if attrs.get("id") == "check"]
        assert check["data-home"] == "../" * path.count("/")
        others = [attrs["href"] for tag, attrs in elements.found if tag == "a" and "hreflang" in attrs]
        bare = path.removeprefix(prefix)
        up = check["data-home"]
        assert others == [f"{up}{'' if code == 'en' else f'{code}/'}{bare}" for code in SiteOptions().languages]


def test_pages_are_small() -> None:
    assert max(map(len, site().values())) < MOST_BYTES
    assert max(map(len, rendered(republic(60, contests="all", alliances=True)).values())) < MOST_BYTES


def test_the_earlier_election_stands_beside_the_votes() -> None:
    given = full_election()[-1]
    before = given.record.election.baseline[0]
    assert before is not None
    for station, page in enumerate(rendered(given).values()):
        table = re.findall(r'<table [^>]*id="figures-president">.*?</table>', page.decode(), re.DOTALL)
        if not table:
            continue
        assert "Earlier election" in table[0]
        cells = [
            re.findall(r"<td[^>]*>([0-9,]+)", row)[-1]
            for row in table[0].partition("<tbody>")[2].split("<tr>")[1 : 1 + before.shape[1]]
        ]
        assert cells == [f"{votes:,}" for votes in before[station].tolist()]
        assert table[0].count('<td class="past"></td>') == 5


def test_a_turnout_is_said_only_where_it_can_be_one() -> None:
    assert "took part" not in text_of("n4").partition("Shall nests")[0]
    assert "49.20% of the registered voters took part." in text_of("n0")


def test_a_receipt_is_relative_to_the_first_head_published_with_the_sheet() -> None:
    later = republic(30)
    earlier = republic(30, part=0.5)
    history = (Snapshot(earlier.record.head, earlier.record.checkpoint, ()),)
    pages = rendered(replace(later, record=replace(later.record, history=history)))
    sizes = {int(p["data-size"]) for page in pages.values() for p in _Elements(page).of_class("sheet-proof")}
    assert sizes == {earlier.record.head.size, later.record.head.size}
    for page in pages.values():
        for proof in _Elements(page).of_class("sheet-proof"):
            data = b64decode(proof["data-statement"])
            receipt = verify_entry_receipt(b64decode(proof["data-receipt"]), data, later.record.verifier)
            assert receipt.size == int(proof["data-size"])
            assert hashlib.sha256(b"\x00" + data).hexdigest() == proof["data-hash"]
