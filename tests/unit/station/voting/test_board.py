"""The poll workers' board: who gets in, what may be done when, and that nothing is done by accident or from elsewhere."""

import html
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from poll_day_helpers import AGENTS, STRANGER, WORKERS, Desk, day, end, pair, pem, station_folder, vote
from scrutineer.election import Issuer, Register
from scrutineer.errors import BallotError, UsageError
from scrutineer.language import LANGUAGES
from scrutineer.statements import SigningKey
from scrutineer.station.voting import running
from scrutineer.station.voting.board import DONE, STAGES
from scrutineer.station.voting.board_forms import MAX_BODY, read_form
from scrutineer.station.voting.board_web import board_code
from scrutineer.station.voting.day import MAX_COPIES
from voting_helpers import choices

TWO = (WORKERS["poll-worker/finch"], WORKERS["poll-worker/lark"])


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Desk]:
    """The board, before anybody has given its code."""
    found = Desk(day(station_folder(tmp_path)))
    yield found
    found.close()
    end(found.day)


@pytest.fixture
def desk(outside: Desk) -> Desk:
    """The board, with its code given."""
    assert outside.get(f"/enter?code={outside.code}").status == 200
    return outside


def page_of(desk: Desk, path: str = "/") -> str:
    return desk.get(path).text


def press(desk: Desk, act: str, keys: tuple[SigningKey, ...] = (), expected: int = 200, **fields: str) -> str:
    """Send the form of a page, with key files."""
    names = ("key",) if len(keys) == 1 else ("key-1", "key-2")
    files = {name: pem(key) for name, key in zip(names, keys, strict=False)}
    answer = desk.post(f"/{act}", {"confirm": "yes", **fields, **files})
    assert answer.status == expected, answer.text
    return answer.text


def test_only_with_the_code(outside: Desk) -> None:
    for path in ("/", "/open", "/state", "/paper/zero-tape.pdf", "/nothing", "/enter?code=wrong"):
        answer = outside.get(path)
        assert answer.status == 403, path
        assert "This page is for poll workers" in answer.text
    for act in ("open", "close", "language"):
        assert outside.post(f"/{act}", {"x": "y"}).status == 403
    assert outside.post("/enter", {"code": "wrong"}).status == 403
    assert not outside.cookies
    assert "Not open yet" in outside.post("/enter", {"code": f" {outside.code.upper()} "}).text
    assert re.fullmatch(r"([a-z]{5}-){3}[a-z]{5}", board_code())
    assert board_code() != board_code()


def test_not_from_elsewhere(outside: Desk) -> None:
    cookie = outside.get(f"/enter?code={outside.code}", follow=False).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    desk = outside
    assert desk.get("/", {"host": "evil.example"}).status == 421
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "same-site"}):
        assert desk.post("/suspend", {"act": "suspend"}, headers).status == 403
    answer = desk.get()
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_whole_day(desk: Desk) -> None:
    machine = desk.day.machine
    assert "Every count starts at zero" in page_of(desk, "/open")
    assert DONE["opened"] in press(desk, "open", TWO)
    assert "Activate one ballot" in page_of(desk, "/activate")
    assert machine.counters.activated == 0, "a look at a page has done something"
    assert DONE["activated"] in press(desk, "activate")
    assert "take the ballot back" in page_of(desk, "/cancel")
    assert DONE["cancelled"] in press(desk, "cancel")
    vote(desk.day, random.Random(1))
    assert DONE["provisional"] in press(desk, "provisional")
    assert machine.activation is not None
    assert machine.activation.provisional
    assert "This ballot is provisional" in page_of(desk)
    press(desk, "cancel")
    assert DONE["suspended"] in press(desk, "suspend")
    assert "Nothing is lost" in page_of(desk)
    assert DONE["resumed"] in press(desk, "resume", TWO)
    assert "type the number of the station" in press(desk, "close", TWO, 422, station="reed-2").lower()
    assert desk.day.stage == "ready"
    assert DONE["closed"] in press(desk, "close", TWO, station="reed-1")
    assert DONE["signed"] in press(desk, "sign", (AGENTS["agent/coot"],), verdict="sign")
    assert DONE["refused"] in press(desk, "sign", (AGENTS["agent/rail"],), verdict="refuse", reason="My count <differs>.")
    assert DONE["noted"] in press(desk, "note", name="Bea Bittern", verdict="by-hand")
    assert DONE["printed"] in press(desk, "print", copies="2")
    page = page_of(desk)
    for part in ("Cora Coot", "My count &lt;differs&gt;.", "signed by hand", "Fenna Finch"):
        assert part in page
    assert "<differs>" not in page
    for name in ("zero-tape.pdf", "tally-sheets.pdf"):
        answer = desk.get(f"/paper/{name}")
        assert (answer.headers["content-type"], answer.body[:5]) == ("application/pdf", b"%PDF-")
    assert desk.get("/paper/secret.pdf").status == 404


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ((TWO[0], TWO[0]), "both keys are those of Fenna Finch"),
        ((STRANGER, TWO[0]), "first poll worker: the key"),
        ((TWO[0], AGENTS["agent/coot"]), "second poll worker: the key"),
        ((), "choose a key file for each person"),
    ],
)
def test_wrong_keys_are_explained_on_the_same_page(desk: Desk, keys: tuple[SigningKey, ...], why: str) -> None:
    page = press(desk, "open", keys, 422)
    assert why.lower() in page.lower().replace("&#39;", "'")
    assert "First poll worker" in page
    assert desk.day.stage == "new"


def test_pages_of_other_moments_lead_back(desk: Desk) -> None:
    for act in ("resume", "suspend", "activate", "provisional", "cancel", "close", "sign", "note", "print"):
        assert desk.get(f"/{act}", follow=False).headers["location"] == "/"
        assert desk.post(f"/{act}", {"act": act}).status == 409, act
    assert desk.get("/nothing").status == 404
    assert desk.post("/nothing", {"a": "b"}).status == 404
    assert desk.get("/two/parts").status == 404


def test_a_refusal_needs_a_reason_and_copies_a_number(desk: Desk) -> None:
    press(desk, "open", TWO)
    press(desk, "close", TWO, station="reed-1")
    assert "write the reason" in press(desk, "sign", (AGENTS["agent/coot"],), 422, verdict="refuse", reason=" ").lower()
    for copies in ("", "0", "41", "two", "-1", "9999999999"):
        assert "whole number from 1 to 40" in press(desk, "print", expected=422, copies=copies)
    assert "Kim Knot" in press(desk, "note", expected=422, name="Kim Knot", verdict="refuse", reason="")


def test_counts_but_no_totals_before_closing(desk: Desk) -> None:
    press(desk, "open", TWO)
    chance = random.Random(3)
    for _ in range(5):
        vote(desk.day, chance)
    page = page_of(desk)
    counts = dict(re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", page))
    assert counts == {
        "Activated": "5",
        "In the box": "5",
        "Provisional": "0",
        "Tested": "0",
        "Spoiled": "0",
        "Taken back": "0",
    }
    for name in ("Wren", "Owl", "Heron", "Warden"):
        assert name not in page
    assert desk.get("/paper/tally-sheets.pdf").status == 409


def test_what_was_interrupted_is_said(outside: Desk) -> None:
    of = outside.day
    of.open(pair(of))
    of.machine.activate(1)
    words = of.machine.prepare(choices(of.place.record.manifest, 1, random.Random(1))).words
    of.machine.stop()
    again = Desk(day(of.place.station))
    again.get(f"/enter?code={again.code}")
    again.day.resume(pair(again.day))
    page = page_of(again)
    assert words in page
    assert "Its paper is void" in page
    again.day.machine.prepare(choices(of.place.record.manifest, 1, random.Random(1)))
    assert STAGES["prepared"] in page_of(again)
    again.day.machine.cast()
    assert words not in page_of(again)
    again.close()
    end(again.day)


def test_what_was_interrupted_is_no_longer_said_once_closed(outside: Desk) -> None:
    of = outside.day
    of.open(pair(of))
    vote(of, random.Random(1))
    of.machine.stop()
    again = Desk(day(of.place.station))
    again.get(f"/enter?code={again.code}")
    again.day.resume(pair(again.day))
    assert "Its paper belongs in the box" in page_of(again)
    press(again, "close", TWO, station="reed-1")
    assert "The last ballot before the interruption" not in page_of(again)
    again.close()
    end(again.day)


def test_while_a_voter_is_there_closing_says_where_the_ballot_is_taken_back(desk: Desk) -> None:
    press(desk, "open", TWO)
    press(desk, "activate")
    place, offered = desk.day.place, "The voter has left…"
    assert offered in page_of(desk)
    assert f"on the poll workers' board (“{offered}”)" in html.unescape(press(desk, "close", TWO, 409, station=place.name))
    desk.day.machine.prepare(choices(place.record.manifest, 1, random.Random(1)))
    assert offered in page_of(desk)
    assert f"on the poll workers' board (“{offered}”)" in html.unescape(press(desk, "close", TWO, 409, station=place.name))


@pytest.mark.parametrize(("here", "copies"), [(0, 1), (3, 4), (60, MAX_COPIES)])
def test_a_copy_for_the_station_and_for_each_agent_and_observer_of_it_is_offered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, here: int, copies: int
) -> None:
    place = desk.day.place
    register = place.election.register
    people = [Issuer(f"observer/{n}", "observer", bytes([n]) * 32, unit=place.name) for n in range(1, here + 1)]
    known = Register(place.election.units.station_index, register.station_keys, [*register.others(), *people])
    monkeypatch.setattr(place.election, "register", known)
    press(desk, "open", TWO)
    press(desk, "close", TWO, station=place.name)
    [field] = re.findall(r'<input id="copies"[^>]*>', page_of(desk, "/print"))
    assert f'value="{copies}"' in field


def test_the_script_learns_of_changes(desk: Desk) -> None:
    first = json.loads(desk.get("/state").text)["version"]
    assert json.loads(desk.get("/state").text)["version"] == first
    assert f'data-version="{first}"' in page_of(desk)
    press(desk, "open", TWO)
    assert json.loads(desk.get("/state").text)["version"] != first


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language(desk: Desk, code: str) -> None:
    desk.post("/language", {"language": code})
    press(desk, "open", TWO)
    for path in ("/", "/activate", "/provisional", "/suspend", "/close"):
        assert f'<html lang="{code}"' in page_of(desk, path)


def test_a_command_is_answered_with_json(outside: Desk) -> None:
    headers = {"accept": "application/json", "x-board-code": outside.code}
    files: dict[str, str | bytes] = {f"key-{number}": pem(key) for number, key in enumerate(TWO, 1)}
    assert json.loads(outside.post("/open", files, headers).text) == {"done": "opened"}
    answer = outside.post("/open", files, headers)
    assert answer.status == 409
    assert "cannot be done twice" in json.loads(answer.text)["error"]
    assert outside.post("/suspend", {"a": "b"}, {**headers, "x-board-code": "wrong"}).status == 403
    running.announce(outside.day.place.folder, running.Running(outside.origin, outside.code))
    assert running.ask(running.find(outside.day.place.folder), "suspend", {"act": b"suspend"}) == "suspended"
    with pytest.raises(BallotError, match="is suspended"):
        running.ask(running.find(outside.day.place.folder), "suspend", {"act": b"suspend"})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"a=b"),
        ("application/x-www-form-urlencoded", b"a=\xff"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(100))),
        ("multipart/form-data", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n"),
        ("multipart/form-data; boundary=\u00e9", b""),
    ],
)
def test_what_is_no_form(kind: str, body: bytes) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_form(kind, body)


def test_a_form_that_is_too_large(desk: Desk) -> None:
    assert desk.post("/open", {"body": bytes(MAX_BODY + 1)}, kind="multipart/form-data; boundary=x").status == 413


def test_where_the_program_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not run"):
        running.find(tmp_path)
    running.announce(tmp_path, running.Running("http://127.0.0.1:1", "babab"))
    assert (tmp_path / "board.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises((UsageError, BallotError), match="does not answer"):
        running.ask(running.find(tmp_path), "suspend", {})
    running.withdraw(tmp_path)
    running.withdraw(tmp_path)
