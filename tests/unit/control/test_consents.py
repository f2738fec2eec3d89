"""Consents are checked again before anything is signed: a line of the journal that somebody else wrote is none."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from release_helpers import OFFICERS, Officers
from scrutineer.control.consents import UNPROVED, unproved
from scrutineer.control.passkeys import Origin
from scrutineer.control.proposals import Proposal

HERON, OWL = OFFICERS


@pytest.fixture
def here() -> Iterator[Officers]:
    officers = Officers()
    officers.arrive(0)
    officers.wait()
    yield officers
    officers.close()


@pytest.fixture
def proposed(here: Officers) -> Proposal:
    return here.consent(here.freeze(HERON).id, HERON)


def evidence(here: Officers, purpose: bytes, who: str = OWL) -> dict[str, Any]:
    """What a passkey that an officer has gives for a purpose."""
    room = here.room
    own = room.officers.passkeys(who)
    answer = here.devices[who].get(room.ceremonies.assertion(own, purpose))
    return room.ceremonies.asserted(answer, own[0], purpose).evidence


def forge(here: Officers, proposed: Proposal, given: object, **more: object) -> Proposal:
    """Somebody who can write to the disk adds a line that says that the owl approved."""
    facts = {"proposal": proposed.id, "digest": proposed.draft.digest.hex(), "assertion": given, **more}
    here.room.journal.add("approved", OWL, **facts)
    here.start()
    assert here.room.find(proposed.id).state(here.now) == "agreed"
    here.wait()
    return here.room.find(proposed.id)


def test_a_consent_that_a_passkey_gave_is_signed(here: Officers, proposed: Proposal) -> None:
    assert forge(here, proposed, evidence(here, proposed.purpose(OWL))).state(here.now) == "recorded"
    assert len(here.sent) == 1


@pytest.mark.parametrize(
    "forgery",
    ["nothing", "none", "another officer's", "for entering", "for another draft", "the proposer's own", "changed", "challenge"],
)
def test_a_line_without_its_passkey_is_no_consent(here: Officers, proposed: Proposal, forgery: str) -> None:
    good = evidence(here, proposed.purpose(OWL))
    signature = bytearray(base64url_to_bytes(good["signature"]))
    signature[-1] ^= 1
    other = replace(proposed, id="0" * 16)
    given: object = {
        "nothing": {},
        "none": None,
        "another officer's": evidence(here, proposed.purpose(OWL), HERON),
        "for entering": evidence(here, b"enter"),
        "for another draft": evidence(here, other.purpose(OWL)),
        "the proposer's own": proposed.evidence[0],
        "changed": good | {"signature": bytes_to_base64url(bytes(signature))},
        "challenge": good | {"challenge": evidence(here, proposed.purpose(OWL))["challenge"]},
    }[forgery]
    found = forge(here, proposed, given)
    assert (found.state(here.now), found.reason) == ("withdrawn", UNPROVED)
    assert here.room.journal.events[-1].what == "lapsed"
    assert here.sent == []


def test_a_passkey_has_to_be_enrolled_still_and_for_this_place(here: Officers, proposed: Proposal) -> None:
    agreed = replace(proposed, officers=(HERON, OWL), evidence=(*proposed.evidence, evidence(here, proposed.purpose(OWL))))
    known = {who: here.room.officers.passkeys(who) for who in OFFICERS}
    origin = here.room.origin
    assert unproved(agreed, known, origin) == ""
    assert unproved(agreed, known | {OWL: ()}, origin) == UNPROVED
    assert unproved(agreed, known | {OWL: known[HERON]}, origin) == UNPROVED
    assert unproved(agreed, known, Origin.parse("https://control.example.org")) == UNPROVED
    assert unproved(replace(agreed, officers=(OWL, HERON)), known, origin) == UNPROVED
