"""What stands between the network and the room: names, origins, tokens, sizes, headers, streams."""

import asyncio
import errno
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from webauthn.helpers import base64url_to_bytes

from release_helpers import OFFICERS, URL, Officers
from scrutineer.control.app import control_app
from scrutineer.control.events import MAX_OF_ONE, Events
from scrutineer.control.sessions import FAILURES, IDLE
from scrutineer.control.web import MAX_BODY

HERON, OWL = OFFICERS
JSON = {"accept": "application/json", "origin": URL}


class Client:
    """A browser without a network: it keeps cookies, and follows no redirects."""

    def __init__(self, here: Officers) -> None:
        self._app = control_app(here.room)
        self._cookies = httpx.Cookies()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, options))

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url=URL, cookies=self._cookies) as client:
            answer = await client.request(method, path, **options)
            self._cookies = client.cookies
            return answer


@pytest.fixture
def here() -> Iterator[Officers]:
    officers = Officers()
    for number in (0, 5):
        officers.arrive(number)
    officers.wait()
    yield officers
    officers.close()


@pytest.fixture
def client(here: Officers) -> Client:
    return Client(here)


@pytest.fixture
def heron(here: Officers, client: Client) -> Client:
    """An officer who has entered."""
    options = client.post("/enter/options", headers=JSON, json={}).json()
    answer = client.post("/enter/answer", headers=JSON, json={"answer": here.devices[HERON].get(options)})
    assert answer.json() == {"to": "/"}
    (cookie,) = answer.headers.get_list("set-cookie")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    return client


def token(client: Client) -> str:
    found = re.search(r'data-token="([0-9a-f]+)"', client.get("/").text)
    assert found
    return found[1]


def test_strangers_are_led_to_the_door(client: Client) -> None:
    for path in ("/", "/bulletin", "/acts/0000", "/quarantine/president/north-1"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/enter")
    assert client.post("/acts/0000/consent", headers=JSON, json={}).status_code == 401
    assert client.get("/nothing").status_code == 404
    assert client.get("/enter", headers={"accept-language": "xx, ar;q=0.9, en"}).text.count('dir="rtl"') == 1


def test_every_answer_is_strict_about_what_a_page_may_do(heron: Client) -> None:
    for path in ("/", "/enter", "/nothing"):
        headers = heron.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
    page = heron.get("/").text
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"<script(?! src=)| on[a-z]+=", page)
    (css,) = re.findall(r'href="(/assets/control\.[0-9a-f]+\.css)"', page)
    assert "immutable" in heron.get(css).headers["cache-control"]
    assert heron.get("/assets/../app.py").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8475", "localhost", "localhost:8475.evil.example", ""])
def test_another_name_is_not_this_room(heron: Client, host: str) -> None:
    assert heron.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": f"{URL}.evil.example"},
        {"origin": URL, "sec-fetch-site": "same-site"},
        {"origin": URL, "sec-fetch-site": "cross-site"},
    ],
)
def test_what_other_sites_ask_for_is_refused(heron: Client, headers: dict[str, str]) -> None:
    answer = heron.post("/bulletin", headers=headers, data={"token": token(heron)})
    assert answer.status_code == 403


def test_a_form_needs_the_token_of_its_session(heron: Client) -> None:
    for given in ("", "0" * 48, "é"):
        assert heron.post("/bulletin", headers={"origin": URL}, data={"token": given}).status_code == 409
    answer = heron.post("/bulletin", headers={"origin": URL}, data={"token": token(heron)})
    assert answer.status_code == 303
    assert "is proposed" not in heron.get(answer.headers["location"]).text


def test_bodies_are_small(heron: Client) -> None:
    assert heron.post("/bulletin", headers={"origin": URL}, content=b"x" * (MAX_BODY + 1)).status_code == 413
    for body in (b"\xff", b"&" * 5_000, b"[" * 60_000):
        assert heron.post("/bulletin", headers={"origin": URL}, content=body).status_code == 409
        assert heron.post("/enter/answer", headers=JSON, content=body).status_code == 409


def test_bodies_do_not_take_for_ever(heron: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutineer.control.web.BODY_TIME", 0.05)

    async def trickle() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(10)
        yield b"y"

    assert heron.post("/bulletin", headers={"origin": URL}, content=trickle()).status_code == 413


@pytest.mark.parametrize("path", ["/enrol/options", "/enrol/answer"])
def test_halves_of_characters_are_refused(client: Client, path: str) -> None:
    answer = client.post(path, headers=JSON, content=b'{"code": "\\ud800", "answer": {}}')
    assert (answer.status_code, answer.json()["error"]) == (409, "the request cannot be read")


def test_a_full_disk_is_said_in_words(here: Officers, heron: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(here.room.officers, "set_language", full)
    form = {"token": token(heron), "language": "es"}
    assert "No space left on device" in heron.post("/language", headers={"origin": URL}, data=form).text
    answer = heron.post("/language", headers={"origin": URL, "accept": "application/json"}, data=form)
    assert "tell whoever runs it" in answer.json()["error"]


def test_a_device_holds_the_passkey_of_one_officer(here: Officers, client: Client) -> None:
    code = here.room.officers.invite(OWL)
    options = client.post("/enrol/options", headers=JSON, json={"code": code}).json()
    known = {one.id for officer in here.room.officers.all().values() for one in officer.passkeys}
    assert {base64url_to_bytes(one["id"]).hex() for one in options["excludeCredentials"]} == known
    assert len(known) == 2


def test_languages_lead_nowhere_else(heron: Client) -> None:
    for back, to in (("/late?find=x", "/late?find=x"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/")):
        form = {"token": token(heron), "language": "ar", "back": back}
        assert heron.post("/language", headers={"origin": URL}, data=form).headers["location"] == to
    assert 'lang="ar" dir="rtl"' in heron.get("/").text


def test_what_a_page_asks_for_itself_keeps_nobody_in(here: Officers, heron: Client) -> None:
    for _ in range(4):
        here.now += IDLE // 2 - 1
        heron.get("/", headers={"x-live": "1"})
    assert heron.get("/").status_code == 303


def test_who_fails_too_often_waits(here: Officers, client: Client) -> None:
    device = here.devices[HERON]
    device.flags = 0
    for _ in range(FAILURES):
        options = client.post("/enter/options", headers=JSON, json={}).json()
        assert client.post("/enter/answer", headers=JSON, json={"answer": device.get(options)}).status_code == 409
    assert "wait five minutes" in client.post("/enter/options", headers=JSON, json={}).json()["error"]


def test_the_draft_shown_is_the_one_that_is_signed(here: Officers, heron: Client) -> None:
    where = heron.post("/bulletin", headers={"origin": URL}, data={"token": token(heron)}).headers["location"]
    draft = here.room.find(where.rpartition("/")[2]).draft
    here.arrive(1)
    here.wait()
    page = heron.get(where).text
    assert draft.digest.hex()[:32] in page
    assert "<td>1</td>" in page
    assert "2 of 6" not in page, "frozen"


def test_a_decision_is_read_beside_what_it_is_about(here: Officers, heron: Client) -> None:
    form = {"token": token(heron), "action": "exclude", "reason": "No box."}
    where = heron.post("/quarantine/president/south-3", headers={"origin": URL}, data=form).headers["location"]
    assert 'href="/quarantine/president/south-3"' in heron.get(where).text
    assert heron.get("/quarantine/president/south-3").status_code == 200


def test_a_broken_list_of_contacts_keeps_nobody_from_deciding(here: Officers, heron: Client) -> None:
    (here.folder / "contacts.csv").write_text("unit,name\n")
    assert "line 1: the columns are" in heron.get("/late").text
    assert heron.get("/quarantine/president/south-3").status_code == 200


def test_names_are_escaped_wherever_they_stand(here: Officers, heron: Client) -> None:
    form = {"token": token(heron), "action": "exclude", "reason": "<b>bold</b> \u202egnp.exe"}
    where = heron.post("/quarantine/president/south-3", headers={"origin": URL}, data=form).headers["location"]
    page = heron.get(where).text
    assert "<b>" not in page
    assert "&lt;b&gt;bold" in page
    assert "\u202e" not in page


def test_streams_are_few_and_end_with_the_session(here: Officers) -> None:
    cookie = here.room.sessions.begin(HERON)
    session = here.room.sessions.find(cookie, touch=True)
    assert session is not None
    events = Events(here.room, lambda _: here.room.sessions.find(cookie, touch=False))

    def asked(query: bytes = b"", last: bytes = b"") -> Request:
        headers = [(b"host", here.room.origin.netloc.encode()), *([(b"last-event-id", last)] if last else [])]
        return Request({"type": "http", "method": "GET", "path": "/events", "query_string": query, "headers": headers})

    async def told(request: Request, *, many: int) -> list[str]:
        stream = events._stream(request, session)
        found = [await anext(stream) for _ in range(many)]
        await stream.aclose()
        return found

    now = here.room.version
    assert asyncio.run(told(asked(b"seen=old"), many=2))[1] == f"event: changed\nid: {now}\ndata: {now}\n\n"
    assert "changed" in asyncio.run(told(asked(f"seen={now}".encode(), b"old"), many=2))[1]
    assert session.streams == 0
    session.streams = MAX_OF_ONE
    assert asyncio.run(events.open(asked())).status_code == 503
    session.streams = 0
    here.room.sessions.end(cookie)
    assert "event: over" in asyncio.run(told(asked(f"seen={now}".encode()), many=2))[1]
    assert asyncio.run(events.open(asked())).status_code == 401
