"""Two-person release, in any order of what officers do: never with one person, never other bytes than were proposed."""

import base64
import contextlib
import hashlib
import json

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from webauthn import verify_authentication_response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from release_helpers import OFFICERS, URL, Officers
from scrutineer.control.challenges import purpose_hash
from scrutineer.control.proposals import LABEL, LIFETIME
from scrutineer.errors import ControlError
from scrutineer.statements import parse_statement


class Release(RuleBasedStateMachine):
    """Officers, one of whom is always somebody else, who try things."""

    @initialize()
    def open(self) -> None:
        self.here = Officers()
        self.known: list[str] = []
        self.looked_at = 0

    @rule(
        event=st.sampled_from(("sheet", "time", "time", "cut", "mended", "restart", "late", "withdrawn")),
        number=st.integers(0, 5),
        who=st.sampled_from(OFFICERS),
    )
    def something_happens(self, event: str, number: int, who: str) -> None:
        match event:
            case "sheet":
                self.here.arrive(number)
            case "time":
                self.here.wait()
            case "cut" | "mended":
                self.here.line = event == "mended"
            case "restart":
                self.here.start()
            case "late":
                self.here.now += LIFETIME
            case _ if self.known:
                with contextlib.suppress(ControlError):
                    self.here.room.withdraw(self.known[-1], who, "Too early.")

    @rule(who=st.sampled_from(OFFICERS), decide=st.booleans(), propose=st.sampled_from((True, True, False)))
    def freeze(self, who: str, decide: bool, propose: bool) -> None:
        try:
            self.known.append(self.here.freeze(who, decide=decide).id)
        except ControlError:
            return
        if propose:
            self.consent(0, who, own=True, right=True)

    @rule(
        which=st.sampled_from((0, 0, 0, 1, 2)),
        who=st.sampled_from(OFFICERS),
        own=st.sampled_from((True, True, True, False)),
        right=st.sampled_from((True, True, True, False)),
    )
    def consent(self, which: int, who: str, own: bool, right: bool) -> None:
        if not self.known:
            return
        name = self.known[-1 - which % len(self.known)]
        other = next(one for one in OFFICERS if one != who)
        before = self.events()
        try:
            self.here.consent(name, who, hand=who if own else other, word="" if right else "17")
        except ControlError:
            assert self.events() == before, "a refusal leaves nothing"
            return
        assert own
        assert right

    @rule(which=st.integers(0, 3), who=st.sampled_from(OFFICERS))
    def an_answer_is_tried_for_another_draft(self, which: int, who: str) -> None:
        if len(self.known) < 2:
            return
        room = self.here.room
        first, other = self.known[-1], self.known[-2 - which % (len(self.known) - 1)]
        for one, another in ((first, other), (other, first)):
            with contextlib.suppress(ControlError):
                options = room.consent_options(one, who, room.find(one).draft.word)
                before = self.events()
                with pytest.raises(ControlError):
                    room.consent(another, who, room.find(another).draft.word, self.here.devices[who].get(options))
                assert self.events() == before

    @invariant()
    def what_was_sent_was_agreed_by_two_and_is_what_they_saw(self) -> None:
        if not hasattr(self, "here") or len(self.here.sent) == self.looked_at:
            return
        self.looked_at = len(self.here.sent)
        lines = [json.loads(line) for line in (self.here.folder / "control/journal").read_bytes().splitlines()]
        consents = [line for line in lines if line["what"] in ("proposed", "approved")]
        proposed = {line["proposal"]: base64.b64decode(line["payload"]) for line in lines if line["what"] == "proposed"}
        for statements in self.here.sent:
            first, *endorsements = map(parse_statement, statements)
            signers = {first.issuer, *(one.issuer for one in endorsements)}
            assert len(signers) == len(statements) == 2
            agreed = {
                name: {line["who"] for line in consents if line["proposal"] == name}
                for name, payload in proposed.items()
                if payload == first.envelope.payload
            }
            assert signers in agreed.values(), "nothing is sent but what was proposed, and what they agreed to who sign it"
            for line in consents:
                if line["proposal"] in agreed:
                    self.check_evidence(line, first.envelope.kind, first.envelope.payload)

    def check_evidence(self, line: dict[str, object], kind: str, payload: bytes) -> None:
        """What the journal says is enough for anybody to see that this officer's device consented to these bytes."""
        evidence: dict[str, str] = line["assertion"]  # type: ignore[assignment]
        digest = hashlib.sha256(LABEL + kind.encode() + b"\n" + payload).hexdigest()
        assert line["digest"] == digest
        challenge = base64url_to_bytes(evidence["challenge"])
        purpose = b"\n".join((b"act", str(line["proposal"]).encode(), digest.encode(), str(line["who"]).encode()))
        assert challenge[-32:] == purpose_hash(purpose, challenge)
        assert bytes.fromhex(evidence["passkey"]) == self.here.devices[str(line["who"])].name
        name = bytes_to_base64url(bytes.fromhex(evidence["passkey"]))
        verify_authentication_response(
            credential={
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": {
                    "clientDataJSON": evidence["client_data"],
                    "authenticatorData": evidence["authenticator_data"],
                    "signature": evidence["signature"],
                },
                "clientExtensionResults": {},
            },
            expected_challenge=challenge,
            expected_rp_id="localhost",
            expected_origin=URL,
            credential_public_key=bytes.fromhex(evidence["public_key"]),
            credential_current_sign_count=0,
            require_user_verification=True,
        )

    def events(self) -> int:
        return len(self.here.room.journal.events)

    def teardown(self) -> None:
        if hasattr(self, "here"):
            self.here.close()


Release.TestCase.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRelease = Release.TestCase


def test_two_officers_release_a_bulletin_and_a_decision() -> None:
    """The way that the machine above must find too, so that its invariants are not true of nothing."""
    run = Release()
    run.open()
    for number in (0, 5):
        run.here.arrive(number)
    run.here.wait()
    for decide in (False, True):
        # Nothing is proposed while the room has not read what it has just recorded.
        run.here.wait()
        run.freeze(OFFICERS[0], decide, propose=True)
        run.consent(0, OFFICERS[1], own=True, right=True)
        run.here.wait()
        run.what_was_sent_was_agreed_by_two_and_is_what_they_saw()
    assert [parse_statement(statements[0]).kind for statements in run.here.sent] == ["bulletin", "decision"]
    assert [run.here.room.find(name).index is not None for name in run.known] == [True, True]
    run.teardown()
