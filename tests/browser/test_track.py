"""A voter finds her ballot in a real browser, over a real server, and the browser proves what the page says of it."""

import base64
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Browser, Page, expect

from chromium import untroubled
from scrutineer.ballots.bundle import read_bundle, split_lines
from scrutineer.ballots.confirmation import tracking_words
from scrutineer.ballots.record import Ballot
from sealed_election import Sealed, sealed_election
from site_servers import answering, send

TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css", "json": "application/json"}
STEPS = ["code", "keys", "chain", "sheet", "log"]


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return sealed_election(("en", "ar"))


@pytest.fixture(scope="module")
def original(sealed: Sealed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return sealed.with_ballots(sealed.write_folder(tmp_path_factory.mktemp("ballots"))).files()


@pytest.fixture
def files(original: dict[str, bytes]) -> dict[str, bytes]:
    return dict(original)


@pytest.fixture
def address(files: dict[str, bytes]) -> Iterator[str]:
    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        data = files.get(path.partition("?")[0])
        content = TYPES.get(path.partition("?")[0].rpartition(".")[2], "application/octet-stream")
        send(handler, b"", 404) if data is None else send(handler, data, content_type=content)

    with answering(answer) as root:
        yield root


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    # Named as an argument, the server outlives the page.
    with untroubled(browser, statuses=(404,), viewport={"width": 360, "height": 740}) as page:
        yield page


def ballots(sealed: Sealed) -> list[Ballot]:
    items = read_bundle(split_lines([sealed.voted["pond"].bundle]))
    return [item.value for item in items if isinstance(item.value, Ballot)]


def words(sealed: Sealed, status: str) -> str:
    return next(tracking_words(ballot.code) for ballot in ballots(sealed) if ballot.status == status)


def look(page: Page, address: str, text: str, folder: str = "") -> str:
    """Look for a ballot; how it ended."""
    page.goto(f"{address}/{folder}track.html")
    page.locator("#code").fill(text)
    page.locator("#track-form button").click()
    page.locator("#track[data-state]").wait_for()
    return page.locator("#track").get_attribute("data-state") or ""


def steps(page: Page) -> dict[str, str]:
    return {
        item.get_attribute("data-step") or "": item.get_attribute("class") or ""
        for item in page.locator("#track .steps li").all()
    }


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("cast", "It was cast, and it is counted in the totals"),
        ("challenged", "the machine opened it instead of casting it"),
        ("spoiled", "neither counted nor opened"),
        ("provisional", "set aside until the board decides"),
    ],
)
def test_every_step_is_right(page: Page, address: str, sealed: Sealed, status: str, sentence: str) -> None:
    assert look(page, address, words(sealed, status).upper().replace("-", " ")) == "good"
    assert steps(page) == dict.fromkeys(STEPS, "good")
    expect(page.locator("#track .answer")).to_contain_text(sentence)
    opened = page.locator("#track dl.facts")
    if status == "challenged":
        expect(opened).to_contain_text("Warden of the marsh")
        expect(opened).to_contain_text("Wren")
    else:
        expect(opened).to_have_count(0)
    page.locator("#track a").click()
    page.wait_for_url(f"{address}/stations/north/pond.html#ballots")
    expect(page.locator("#ballots h2")).to_have_text("Encrypted ballots")


def test_words_behind_the_address_are_looked_for_at_once(page: Page, address: str, sealed: Sealed) -> None:
    page.goto(f"{address}/ar/track.html#{words(sealed, 'cast')}")
    page.locator("#track[data-state=good]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(
    ("text", "said"),
    [("bad words", "cannot be one of the words"), ("lusab babad", "six words"), ("00" * 12, "No ballot with these words")],
)
def test_what_is_not_a_ballot_is_said(page: Page, address: str, text: str, said: str) -> None:
    assert look(page, address, text) == "open"
    expect(page.locator("#track")).to_contain_text(said)


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


def test_a_changed_ballot_is_found(page: Page, address: str, files: dict[str, bytes], sealed: Sealed) -> None:
    ballot = next(ballot for ballot in ballots(sealed) if ballot.status == "cast")
    lines = files["ballots/pond.jsonl"].split(b"\n")
    # The ciphertext of another option stands where that of the first did.
    first, second = (contest.selections[0].alpha for contest in ballot.contests)
    lines[1] = changed(lines[1], base64.b64encode(first), base64.b64encode(second))
    files["ballots/pond.jsonl"] = b"\n".join(lines)
    assert look(page, address, words(sealed, "cast")) == "bad"
    assert {name for name, state in steps(page).items() if state == "bad"} == {"code", "sheet", "log"}


def test_a_missing_ballot_breaks_the_chain(page: Page, address: str, files: dict[str, bytes], sealed: Sealed) -> None:
    lines = files["ballots/pond.jsonl"].split(b"\n")
    files["ballots/pond.jsonl"] = b"\n".join(lines[:3] + lines[4:])
    assert look(page, address, words(sealed, "cast")) == "bad"
    assert steps(page)["chain"] == steps(page)["sheet"] == "bad"


def test_other_keys_and_another_head_are_found(page: Page, address: str, files: dict[str, bytes], sealed: Sealed) -> None:
    files["definition/ballots.json"] = changed(files["definition/ballots.json"], b'"Robin"', b'"Rabin"')
    text = files["log/checkpoint"]
    files["log/checkpoint"] = text.replace(text.split(b"\n")[2], b"A" * 43 + b"=", 1)
    assert look(page, address, words(sealed, "cast")) == "bad"
    assert {name for name, state in steps(page).items() if state == "bad"} == {"keys", "log"}


def test_without_javascript_the_command_is_shown(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/track.html")
    assert "the command below does the same" in page.locator("main").inner_text()
    expect(page.locator("pre").first).to_contain_text("scrutineer track")
    context.close()
