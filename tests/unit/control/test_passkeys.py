"""The rules of both ceremonies: what an authenticator or a browser may not say."""

import copy
import secrets
from dataclasses import replace
from typing import Any

import pytest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from scrutineer.control.challenges import LIFETIME, Challenges, purpose_hash
from scrutineer.control.officers import Passkey
from scrutineer.control.passkeys import Ceremonies, Origin, passkey_id
from scrutineer.errors import ControlError
from soft_authenticator import ELIGIBLE, PRESENT, VERIFIED, Authenticator

URL = "https://control.example.org"


class Room:
    """Ceremonies at an origin, with a clock that can be moved."""

    def __init__(self) -> None:
        self.now = 1_780_000_000
        self.ceremonies = Ceremonies(Origin.parse(URL), "Election", bytes(32), Challenges(lambda: self.now, secrets.token_bytes))
        self.device = Authenticator(URL, "control.example.org")

    def enrolled(self) -> Passkey:
        options = self.ceremonies.registration("authority/officer-1", (), b"enrol")
        return self.ceremonies.registered(self.device.create(options), b"enrol", "key", self.now)

    def refused(self, answer: dict[str, Any], passkey: Passkey, purpose: bytes = b"act") -> None:
        with pytest.raises(ControlError):
            self.ceremonies.asserted(answer, passkey, purpose)


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_passkey_is_made_and_used(room: Room) -> None:
    passkey = room.enrolled()
    options = room.ceremonies.assertion((passkey,), b"act")
    assert options["userVerification"] == "required"
    answer = room.device.get(options)
    assert passkey_id(answer) == passkey.id
    found = room.ceremonies.asserted(answer, passkey, b"act")
    assert (found.passkey, found.sign_count) == (passkey.id, 1)
    # The evidence is enough to see for what it was given.
    challenge = base64url_to_bytes(found.evidence["challenge"])
    assert challenge[-32:] == purpose_hash(b"act", challenge)


def test_a_rehearsal_does_not_replace_the_passkey_of_the_election(room: Room) -> None:
    challenges = Challenges(lambda: room.now, secrets.token_bytes)
    rehearsal = Ceremonies(Origin.parse(URL), "Rehearsal", b"\x01" * 32, challenges)

    def user(ceremonies: Ceremonies, officer: str) -> str:
        return str(ceremonies.registration(officer, (), b"enrol")["user"]["id"])

    assert user(room.ceremonies, "authority/officer-1") == user(room.ceremonies, "authority/officer-1")
    assert user(room.ceremonies, "authority/officer-1") != user(rehearsal, "authority/officer-1")
    assert user(room.ceremonies, "authority/officer-1") != user(room.ceremonies, "authority/officer-2")


@pytest.mark.parametrize("synced", [False, True])
def test_whether_an_account_holds_a_passkey_too_is_known(room: Room, synced: bool) -> None:
    room.device.flags |= ELIGIBLE if synced else 0
    assert room.enrolled().synced is synced


def test_an_answer_is_taken_once_and_for_one_thing(room: Room) -> None:
    passkey = room.enrolled()
    answer = room.device.get(room.ceremonies.assertion((passkey,), b"act"))
    room.refused(answer, passkey, b"another act")
    room.ceremonies.asserted(answer, passkey, b"act")
    room.refused(answer, passkey)


def test_an_answer_that_comes_late_is_refused(room: Room) -> None:
    passkey = room.enrolled()
    answer = room.device.get(room.ceremonies.assertion((passkey,), b"act"))
    room.now += LIFETIME
    room.refused(answer, passkey)


@pytest.mark.parametrize("flags", [0, PRESENT, VERIFIED])
def test_a_person_has_to_be_there_and_recognised(room: Room, flags: int) -> None:
    passkey = room.enrolled()
    room.device.flags = flags
    room.refused(room.device.get(room.ceremonies.assertion((passkey,), b"act")), passkey)
    with pytest.raises(ControlError):
        room.enrolled()


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://control.example.org"},
        {"origin": "https://control.example.org.evil.example"},
        {"origin": "https://control.example.org:8443"},
        {"host": "example.org"},
        {"host": "evil.example"},
    ],
)
def test_another_origin_is_refused(room: Room, changes: dict[str, str]) -> None:
    passkey = room.enrolled()
    device = replace(room.device, **changes)  # type: ignore[arg-type]
    room.refused(device.get(room.ceremonies.assertion((passkey,), b"act")), passkey)
    options = room.ceremonies.registration("authority/officer-1", (), b"enrol")
    with pytest.raises(ControlError):
        room.ceremonies.registered(device.create(options), b"enrol", "key", room.now)


def test_another_key_under_the_same_name_is_refused(room: Room) -> None:
    passkey = room.enrolled()
    other = Authenticator(URL, "control.example.org")
    room.refused(other.get(room.ceremonies.assertion((passkey,), b"act")), passkey)


def test_a_copied_authenticator_is_noticed(room: Room) -> None:
    passkey = room.enrolled()
    used = replace_count(passkey, 5)
    room.device.count = 4
    room.refused(room.device.get(room.ceremonies.assertion((used,), b"act")), used)


def test_answers_that_were_changed_are_refused(room: Room) -> None:
    passkey = room.enrolled()
    answer = room.device.get(room.ceremonies.assertion((passkey,), b"act"))
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        data = bytearray(base64url_to_bytes(answer["response"][part]))
        for at in (0, len(data) // 2, len(data) - 1):
            changed = copy.deepcopy(answer)
            broken = bytearray(data)
            broken[at] ^= 1
            changed["response"][part] = bytes_to_base64url(bytes(broken))
            room.refused(changed, passkey)
    room.ceremonies.asserted(answer, passkey, b"act")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"response": None},
        {"response": {}},
        {"response": {"clientDataJSON": 3}},
        {"response": {"clientDataJSON": "%%%"}},
        {"response": {"clientDataJSON": "e30"}},
        {"rawId": 3, "id": [], "type": "public-key", "response": {"clientDataJSON": "e30"}},
    ],
)
def test_what_is_no_answer_is_refused(room: Room, answer: dict[str, Any]) -> None:
    passkey = room.enrolled()
    room.refused(answer, passkey)
    with pytest.raises(ControlError):
        room.ceremonies.registered(answer, b"enrol", "key", room.now)
    with pytest.raises(ControlError):
        passkey_id(answer)


def replace_count(passkey: Passkey, count: int) -> Passkey:
    return Passkey(id=passkey.id, public_key=passkey.public_key, name="key", added=1, sign_count=count)
