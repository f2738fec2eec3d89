"""The control room in a real browser, beside a real service: passkeys, the live state, and release by two officers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from chromium import is_forgiven
from cli_helpers import Service, call, rows, run, serving, signed
from control_helpers import ControlRoom, OfficerBrowser, control_room, two_officers

PAGES = ("/", "/arrivals", "/late", "/quarantine", "/incidents", "/transmission", "/bulletin", "/acts", "/keys")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_officers(tmp_path_factory.mktemp("control") / "aviary")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    with serving(folder) as running:
        yield running


@pytest.fixture(scope="module")
def room(folder: Path, service: Service) -> Iterator[ControlRoom]:
    (folder / "contacts.csv").write_text("unit,name,telephone\nsouth,Old Granary office,+591 2 242 4221\n")
    with control_room(folder) as running:
        yield running


@pytest.fixture(scope="module")
def heron(browser: Browser, room: ControlRoom) -> Iterator[OfficerBrowser]:
    officer = OfficerBrowser(browser, room)
    officer.enrol("officer-1")
    officer.enter()
    yield officer
    officer.context.close()


@pytest.fixture(scope="module")
def owl(browser: Browser, room: ControlRoom) -> Iterator[OfficerBrowser]:
    officer = OfficerBrowser(browser, room)
    officer.enrol("officer-2")
    officer.enter()
    yield officer
    officer.context.close()


def submit(folder: Path, service: Service, stations: tuple[str, ...], name: str, **changes: int) -> None:
    sheets = signed(folder, rows(stations, **changes), name)
    # As a process: the browser's own loop runs in this one.
    run("submit", sheets, "--to", service.address, "--definition", folder / "record/definition.cose")


def test_nothing_is_shown_to_strangers(browser: Browser, room: ControlRoom) -> None:
    context = browser.new_context()
    page = context.new_page()
    for path in PAGES:
        page.goto(f"{room.url}{path}")
        assert page.url == f"{room.url}/enter", path
    assert context.request.get(f"{room.url}/events").status == 401
    # A name that is not the room's own, as after a change of the names that a browser was told.
    other = context.request.get(f"{room.url}/enter", headers={"host": "evil.example"})
    assert other.status == 421
    for origin in ("https://evil.example", "null"):
        answer = context.request.post(f"{room.url}/enter/options", data="{}", headers={"origin": origin})
        assert answer.status == 403
    context.close()


def test_a_link_works_once(browser: Browser, room: ControlRoom) -> None:
    link = room.link("officer-1")
    first, second = OfficerBrowser(browser, room), OfficerBrowser(browser, room)
    for officer in (first, second):
        officer.page.goto(link)
        officer.page.get_by_label("A name for this passkey").fill("key")
    first.page.get_by_role("button", name="Make the passkey").click()
    first.page.wait_for_url(f"{room.url}/enter?enrolled")
    second.page.get_by_role("button", name="Make the passkey").click()
    expect(second.page.get_by_role("alert")).to_contain_text("was used, has expired or was replaced")
    for officer in (first, second):
        officer.context.close()


def test_a_person_who_is_not_recognised_does_not_enter(browser: Browser, room: ControlRoom) -> None:
    officer = OfficerBrowser(browser, room)
    officer.enrol("officer-1")
    officer.verified(yes=False)
    officer.page.get_by_role("button", name="Enter with your passkey").click()
    expect(officer.page.get_by_role("alert")).to_be_visible()
    assert officer.page.url == f"{room.url}/enter?enrolled"
    officer.context.close()


def test_arrivals_change_while_sheets_come_in(heron: OfficerBrowser, folder: Path, service: Service) -> None:
    page = heron.page
    heron.go("/")
    expect(page.locator("#figures")).to_contain_text("0 of 6")
    submit(folder, service, ("north-1", "north-2"), "first")
    expect(page.locator("#figures")).to_contain_text("2 of 6")
    expect(page.locator("#regions")).to_contain_text("2 / 3")
    heron.go("/late")
    expect(page.locator("#late")).to_contain_text("4 stations without a sheet")
    # The number of the region is that of its stations without one of their own.
    expect(page.locator("#late")).to_contain_text("+591 2 242 4221")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.locator("#find").fill("granary")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#late")).to_contain_text("1 station without a sheet")
    assert heron.trouble == []


def test_one_officer_alone_releases_nothing_and_two_do(
    heron: OfficerBrowser, owl: OfficerBrowser, folder: Path, service: Service, tmp_path: Path
) -> None:
    heron.go("/bulletin")
    expect(heron.page.locator("#draft")).to_contain_text("2 of 6 stations counted")
    heron.page.get_by_role("button", name="Prepare the draft").click()
    address = heron.page.url
    # Frozen: what arrives from now on is in the next one.
    submit(folder, service, ("north-3",), "later")
    word = heron.page.get_by_label("Type the number of stations counted")
    propose = heron.page.get_by_role("button", name="Propose with your passkey")
    word.fill("3")
    propose.click()
    expect(heron.page.get_by_role("alert")).to_contain_text("not what the draft says")
    word.fill("2")
    propose.click()
    expect(heron.page.locator("#state")).to_contain_text("Waits for another officer")
    # The same officer is offered no way to confirm it, and cannot do so past the page either.
    expect(heron.page.get_by_role("button", name="Confirm with your passkey")).to_have_count(0)
    refused = heron.page.evaluate(
        """async ([address, token]) => (await fetch(address + "/options", {method: "POST", body: '{"word": "2"}',
           headers: {"content-type": "application/json", accept: "application/json", "x-token": token}})).json()""",
        [address, heron.page.locator("body").get_attribute("data-token")],
    )
    assert refused == {"error": "you have consented already: another officer has to confirm"}
    assert call("count", folder, "--json").json["size"] >= 4
    assert "bulletin" not in [json.loads(line)["what"] for line in (folder / "control/journal").read_text().splitlines()]

    owl.go("/")
    owl.page.get_by_role("link", name="A draft by officer-1 waits for you.").click()
    expect(owl.page.get_by_role("rowheader", name="Stations counted")).to_be_visible()
    owl.page.get_by_label("Type the number of stations counted").fill("2")
    owl.page.get_by_role("button", name="Confirm with your passkey").click()
    expect(owl.page.locator("#state")).to_contain_text("Recorded as entry")
    expect(heron.page.locator("#state")).to_contain_text("Recorded as entry")

    site = tmp_path / "site"
    call("publish", folder, "--to", site)
    out = call("verify", site).out
    assert "PASS" in out
    events = [json.loads(line) for line in (folder / "control/journal").read_text().splitlines()]
    told = [(event["what"], event["who"]) for event in events if event.get("proposal") == address.rpartition("/")[2]]
    assert told == [
        ("proposed", "authority/officer-1"),
        ("approved", "authority/officer-2"),
        ("signed", "authority/officer-2"),
        ("recorded", "authority/officer-2"),
    ]
    # What was refused was answered so.
    assert [message for message in heron.trouble if not is_forgiven(message, (409,))] == []


def test_a_sheet_in_quarantine_is_decided_by_two(
    heron: OfficerBrowser, owl: OfficerBrowser, folder: Path, service: Service
) -> None:
    submit(folder, service, ("south-1",), "wrong", cast=9)
    heron.go("/")
    expect(heron.page.locator("#queue")).to_contain_text("Reed Street School")
    heron.page.locator("#queue").get_by_role("link", name="Reed Street School").click()
    expect(heron.page.locator("main")).to_contain_text("do not add up")
    heron.page.get_by_label("It counts with the figures below").check()
    heron.page.get_by_text("Figures that hold instead").click()
    heron.page.get_by_label("Ballots cast", exact=True).fill("205")
    heron.page.get_by_label("Reason, published with the decision").first.fill("The minutes of the station say 205.")
    heron.page.get_by_role("button", name="Prepare the draft").click()
    heron.page.get_by_label("Type the id of the station").fill("south-1")
    heron.page.get_by_role("button", name="Propose with your passkey").click()
    expect(heron.page.locator("#state")).to_contain_text("Waits for another officer")
    owl.page.goto(heron.page.url)
    owl.page.get_by_label("Type the id of the station").fill("south-1")
    owl.page.get_by_role("button", name="Confirm with your passkey").click()
    expect(owl.page.locator("#state")).to_contain_text("Recorded as entry")
    heron.go("/quarantine")
    expect(heron.page.locator("#queue")).to_contain_text("Nothing waits for a decision.")


def test_what_should_not_be_released_is_withdrawn(heron: OfficerBrowser, owl: OfficerBrowser) -> None:
    heron.go("/bulletin")
    heron.page.get_by_role("button", name="Prepare the draft").click()
    counted = heron.page.get_by_role("row", name="Stations counted").get_by_role("cell").first.inner_text()
    heron.page.get_by_label("Type the number of stations counted").fill(counted)
    heron.page.get_by_role("button", name="Propose with your passkey").click()
    expect(heron.page.locator("#state")).to_contain_text("Waits for another officer")
    owl.page.goto(heron.page.url)
    owl.page.get_by_text("This should not be released").click()
    owl.page.get_by_label("Reason, for the other officers").fill("Too early.")
    owl.page.get_by_role("button", name="Withdraw the draft").click()
    expect(owl.page.locator("#state")).to_contain_text("Withdrawn")
    expect(heron.page.locator("#state")).to_contain_text("Too early.")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_is_accessible(
    heron: OfficerBrowser, room: ControlRoom, folder: Path, service: Service, language: str
) -> None:
    submit(folder, service, ("south-2",), f"wrong-{language}", cast=9)
    page = heron.page
    heron.go("/")
    page.locator("#language").select_option(language)
    page.locator("footer button").first.click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    acts = [line for line in map(json.loads, (folder / "control/journal").read_text().splitlines()) if "proposal" in line]
    more = [f"/acts/{acts[0]['proposal']}", "/quarantine/president/south-2", "/enrol"]
    for path in (*PAGES, *more):
        heron.go(path)
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            check_accessible(page, f"{path} at {width}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} at {width}"


def check_accessible(page: Page, where: str) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, f"{where}: {found.generate_report()}"


def test_keys_only_move(heron: OfficerBrowser, folder: Path) -> None:
    before = (folder / "control/journal").read_text()
    heron.go("/")
    for key in "abcdefghijklmnopqrstuvwxyz0123456789":
        heron.page.locator("body").press(key)
    assert heron.page.url == f"{heron.room.url}/"
    for key, where in (("/", "/late"), ("?", "/keys")):
        heron.page.locator("body").press(key)
        heron.page.wait_for_url(f"{heron.room.url}{where}")
        heron.go("/")
    heron.page.keyboard.press("j")
    assert heron.page.evaluate("document.activeElement.matches('[data-row]')")
    assert (folder / "control/journal").read_text() == before


def test_a_forgotten_officer_is_out(owl: OfficerBrowser, room: ControlRoom, folder: Path) -> None:
    owl.go("/")
    call("control", folder, "--forget", "officer-2")
    expect(owl.page.locator("#notice")).to_contain_text("session has ended")
    owl.page.goto(f"{room.url}/")
    assert owl.page.url == f"{room.url}/enter"
    owl.page.get_by_role("button", name="Enter with your passkey").click()
    expect(owl.page.get_by_role("alert")).to_contain_text("not enrolled here")


def test_leaving_ends_the_session(heron: OfficerBrowser, room: ControlRoom) -> None:
    heron.go("/")
    cookies = heron.context.cookies()
    heron.page.locator("footer button").last.click()
    heron.page.wait_for_url(f"{room.url}/enter")
    heron.context.add_cookies(cookies)
    heron.page.goto(f"{room.url}/")
    assert heron.page.url == f"{room.url}/enter"


def test_folder_is_for_its_owner_alone(folder: Path, heron: OfficerBrowser) -> None:
    own = folder / "control"
    assert own.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in own.iterdir()} == {0o600}
