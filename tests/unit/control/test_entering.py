"""Who gets in: enrolment codes, challenges, sessions, failures, and where the room may be opened."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scrutineer.control.challenges import LIFETIME, SIZE, Challenges, purpose_hash
from scrutineer.control.officers import CODE_LIFETIME, MAX_PASSKEYS, OFFICERS_FILE, Officers, Passkey
from scrutineer.control.passkeys import Origin
from scrutineer.control.sessions import FAILURES, IDLE, LONGEST, MAX_SESSIONS, WINDOW, Failures, Sessions, is_token
from scrutineer.errors import ControlError, UsageError

HERON, OWL = "authority/officer-1", "authority/officer-2"


class Clock:
    def __init__(self) -> None:
        self.now = 1_780_000_000

    def __call__(self) -> int:
        return self.now


def counted() -> Callable[[int], bytes]:
    """Bytes that are never the same twice, and the same in every run."""
    made = iter(range(1 << 20))
    return lambda size: hashlib.shake_256(str(next(made)).encode()).digest(size)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def officers(tmp_path: Path, clock: Clock) -> Officers:
    return Officers(tmp_path, clock, counted())


def passkey(number: int) -> Passkey:
    return Passkey(id=f"{number:04x}", public_key="aa", name="telephone", added=1)


# --- enrolment codes ----------------------------------------------------------------------------------------------------


def test_a_code_enrols_one_passkey_of_its_officer(officers: Officers) -> None:
    code = officers.invite(HERON)
    assert officers.invited(code) == HERON
    assert officers.invited(f" {code.upper()} ") == HERON, "as somebody might type it"
    assert officers.enrol(code, passkey(1)) == HERON
    assert officers.find("0001") == (HERON, passkey(1))
    with pytest.raises(ControlError, match="was used"):
        officers.enrol(code, passkey(2))


def test_a_code_is_not_kept(officers: Officers, tmp_path: Path) -> None:
    code = officers.invite(HERON)
    kept = (tmp_path / OFFICERS_FILE).read_text()
    assert code not in kept
    assert code.replace("-", "") not in kept
    assert (tmp_path / OFFICERS_FILE).stat().st_mode & 0o777 == 0o600


def test_a_code_expires_and_is_replaced(officers: Officers, clock: Clock) -> None:
    first = officers.invite(HERON)
    second = officers.invite(HERON)
    with pytest.raises(ControlError):
        officers.invited(first)
    clock.now += CODE_LIFETIME - 1
    assert officers.invited(second) == HERON
    clock.now += 1
    with pytest.raises(ControlError, match="expired"):
        officers.invited(second)


def test_nobody_was_invited_with_nothing(officers: Officers) -> None:
    officers.invite(HERON)
    officers.enrol(officers.invite(OWL), passkey(1))  # The code of the owl is now empty.
    for code in ("", " ", "0"):
        with pytest.raises(ControlError):
            officers.invited(code)


def test_one_passkey_is_not_two_persons(officers: Officers) -> None:
    officers.enrol(officers.invite(HERON), passkey(1))
    code = officers.invite(OWL)
    with pytest.raises(ControlError, match="enrolled already"):
        officers.enrol(code, passkey(1))
    assert officers.passkeys(OWL) == ()
    assert officers.invited(code) == OWL, "a refusal uses nothing up"


def test_passkeys_of_an_officer_are_few(officers: Officers) -> None:
    for number in range(MAX_PASSKEYS):
        officers.enrol(officers.invite(HERON), passkey(number))
    with pytest.raises(ControlError, match="forgotten first"):
        officers.enrol(officers.invite(HERON), passkey(99))


def test_what_is_forgotten_is_out(officers: Officers) -> None:
    for number in (0x0A01, 0x0A02, 0x0B01):
        officers.enrol(officers.invite(HERON), passkey(number))
    code = officers.invite(HERON)
    assert officers.forget(HERON, "0b") == 1
    assert [one.id for one in officers.passkeys(HERON)] == ["0a01", "0a02"]
    assert officers.forget(HERON) == 2
    with pytest.raises(ControlError):
        officers.find("0a01")
    with pytest.raises(ControlError):
        officers.invited(code)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 3}', '{"officers": {"a": {"passkeys": 1}}}', '{"other": 1}'])
def test_a_file_that_was_changed_lets_nobody_in(officers: Officers, tmp_path: Path, text: str) -> None:
    (tmp_path / OFFICERS_FILE).write_text(text)
    with pytest.raises(ControlError, match=r"officers\.json"):
        officers.find("0001")
    with pytest.raises(ControlError, match=r"officers\.json"):
        officers.invite(HERON)
    assert (tmp_path / OFFICERS_FILE).read_text() == text, "what may be evidence is not written over"


def test_what_is_not_there_is_not_forgotten(officers: Officers) -> None:
    officers.enrol(officers.invite(HERON), passkey(0x0A01))
    with pytest.raises(ControlError, match="no passkey whose id begins with '0b'"):
        officers.forget(HERON, "0b")
    assert officers.forget(HERON, "0A") == 1, "as somebody might type it"


def test_a_passkey_that_was_forgotten_meanwhile_was_not_used(officers: Officers) -> None:
    officers.enrol(officers.invite(HERON), passkey(1))
    officers.forget(HERON)
    with pytest.raises(ControlError, match="not enrolled"):
        officers.used(HERON, "0001", 3)
    assert officers.passkeys(HERON) == ()


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path, clock: Clock) -> None:
    one, other = Officers(tmp_path, clock, counted()), Officers(tmp_path, clock, lambda size: b"\x07" * size)
    first, second = one.invite(HERON), other.invite(OWL)
    assert one.enrol(first, passkey(1)) == HERON
    assert other.enrol(second, passkey(2)) == OWL
    assert set(one.all()) == {HERON, OWL}


# --- challenges ---------------------------------------------------------------------------------------------------------


def test_a_challenge_is_taken_once(clock: Clock) -> None:
    challenges = Challenges(clock, counted())
    challenge = challenges.issue(b"enter")
    assert len(challenge) == SIZE
    challenges.take(challenge, b"enter")
    with pytest.raises(ControlError, match="already"):
        challenges.take(challenge, b"enter")


def test_many_at_once_take_a_challenge_once(clock: Clock) -> None:
    challenges = Challenges(clock, counted())
    many = [challenges.issue(b"enter") for _ in range(400)]

    def take(challenge: bytes) -> bool:
        with contextlib.suppress(ControlError):
            challenges.take(challenge, b"enter")
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, many * 4)) == len(many)


def test_a_challenge_is_for_one_thing(clock: Clock) -> None:
    challenges = Challenges(clock, counted())
    challenge = challenges.issue(b"act 1")
    with pytest.raises(ControlError, match="another question"):
        challenges.take(challenge, b"act 2")
    with pytest.raises(ControlError, match="another question"):
        Challenges(clock, lambda size: bytes(size)).take(challenge, b"act 1")
    for broken in (b"", challenge[:-1], challenge + b"\0", bytes(SIZE), challenge[:20] + b"\xff" * 4 + challenge[24:]):
        with pytest.raises(ControlError):
            challenges.take(broken, b"act 1")
    challenges.take(challenge, b"act 1")


def test_a_challenge_expires(clock: Clock) -> None:
    challenges = Challenges(clock, counted())
    early, late = challenges.issue(b"enter"), challenges.issue(b"enter")
    clock.now += LIFETIME - 1
    challenges.take(early, b"enter")
    clock.now += 1
    with pytest.raises(ControlError, match="too long"):
        challenges.take(late, b"enter")


def test_anybody_can_see_what_a_challenge_was_for(clock: Clock) -> None:
    challenge = Challenges(clock, counted()).issue(b"act 1")
    assert challenge[-32:] == purpose_hash(b"act 1", challenge)
    assert challenge[-32:] != purpose_hash(b"act 2", challenge)


# --- sessions -----------------------------------------------------------------------------------------------------------


def test_a_session_ends_when_nobody_does_anything(clock: Clock) -> None:
    sessions = Sessions(clock, counted())
    cookie = sessions.begin(HERON)
    for _ in range(3):
        clock.now += IDLE - 1
        assert sessions.find(cookie, touch=True) is not None
    clock.now += IDLE - 1
    assert sessions.find(cookie, touch=False) is not None
    clock.now += 1
    assert sessions.find(cookie, touch=True) is None, "what a page asks for by itself keeps nobody in"
    assert sessions.find(cookie, touch=True) is None


def test_a_session_ends_after_a_night(clock: Clock) -> None:
    sessions = Sessions(clock, counted())
    cookie, began = sessions.begin(HERON), clock.now
    while clock.now - began < LONGEST - IDLE:
        clock.now += IDLE - 1
        assert sessions.find(cookie, touch=True) is not None
    clock.now = began + LONGEST
    assert sessions.find(cookie, touch=True) is None


def test_sessions_end_where_they_should(clock: Clock) -> None:
    sessions = Sessions(clock, counted())
    here, there, owl = sessions.begin(HERON), sessions.begin(HERON), sessions.begin(OWL)
    sessions.end(here)
    assert sessions.find(here, touch=True) is None
    assert sessions.find(there, touch=True) is not None
    sessions.end_all(HERON)
    assert sessions.find(there, touch=True) is None
    assert sessions.find(owl, touch=True) is not None
    assert sessions.find("", touch=True) is None


def test_sessions_are_bounded_and_their_cookies_are_not_kept(clock: Clock) -> None:
    sessions = Sessions(clock, counted())
    cookies = []
    for _ in range(MAX_SESSIONS + 5):
        clock.now += 1
        cookies.append(sessions.begin(HERON))
    assert sum(sessions.find(cookie, touch=False) is not None for cookie in cookies) == MAX_SESSIONS
    assert cookies[-1] not in repr(vars(sessions))
    session = sessions.find(cookies[-1], touch=False)
    assert session is not None
    assert is_token(session, session.token)
    assert not is_token(session, "")
    assert not is_token(session, "é")


def test_who_fails_too_often_waits_and_nobody_else_does(clock: Clock) -> None:
    failures = Failures(clock)
    for _ in range(FAILURES):
        assert failures.wait("192.0.2.1") == 0
        failures.note("192.0.2.1")
    assert 0 < failures.wait("192.0.2.1") <= WINDOW
    assert failures.wait("192.0.2.2") == 0
    clock.now += WINDOW
    assert failures.wait("192.0.2.1") == 0
    failures.note("192.0.2.1")
    assert failures.wait("192.0.2.1") == 0


def test_addresses_that_failed_are_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutineer.control.sessions.MAX_ADDRESSES", 10)
    failures = Failures(clock)
    for number in range(1_000):
        failures.note(str(number))
    assert len(failures._counts) <= 10


# --- origins ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin", "host", "secure"),
    [
        ("http://localhost:8475", "http://localhost:8475", "localhost", False),
        ("http://localhost:8475/", "http://localhost:8475", "localhost", False),
        ("https://control.example.org", "https://control.example.org", "control.example.org", True),
        ("https://control.example.org:443", "https://control.example.org", "control.example.org", True),
        ("https://Control.Example.org:8443", "https://control.example.org:8443", "control.example.org", True),
    ],
)
def test_an_origin_is_what_browsers_write(url: str, origin: str, host: str, secure: bool) -> None:
    found = Origin.parse(url)
    assert (found.url, found.host, found.secure) == (origin, host, secure)


@pytest.mark.parametrize(
    "url",
    [
        "http://control.example.org",
        "control.example.org",
        "ftp://localhost",
        "https://",
        "https://a.example/room",
        "https://a.example/?x",
        "https://me@a.example",
        "https://a.example:99999",
        "https://192.0.2.1",
        "https://contrôle.example.org",
        "https://[2001:db8::1]",
        "http://127.0.0.1:8475",
    ],
)
def test_where_passkeys_would_not_work_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--origin"):
        Origin.parse(url)


def test_officers_file_is_readable_by_programs(officers: Officers, tmp_path: Path) -> None:
    officers.enrol(officers.invite(HERON), passkey(1))
    kept = json.loads((tmp_path / OFFICERS_FILE).read_text())
    assert kept["format"] == "scrutineer-control/v1"
    assert kept["officers"][HERON]["passkeys"][0]["id"] == "0001"
