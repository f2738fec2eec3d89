"""Two-person release, in any order of what officers do: never with one person, never other bytes than were proposed."""

import contextlib
import hashlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import hypothesis.strategies as st
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from webauthn import verify_authentication_response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from cli_helpers import STATIONS, call, rows, signed
from control_helpers import two_officers
from scrutineer.cli.control_commands import machine_of
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements
from scrutineer.control.challenges import purpose_hash
from scrutineer.control.machine import ServiceState
from scrutineer.control.night import Night
from scrutineer.control.passkeys import Origin
from scrutineer.control.proposals import LABEL, LIFETIME
from scrutineer.control.room import Room, open_folder
from scrutineer.errors import ControlError, TransportError
from scrutineer.intake.lanes import Trust
from scrutineer.log import SqliteStore
from scrutineer.statements import parse_statement
from scrutineer.statements.policy import Policy
from soft_authenticator import Authenticator

OFFICERS = ("authority/officer-1", "authority/officer-2")
URL = "http://localhost:8475"
RUNNING = ServiceState("http://localhost:1", True, True, 0, 0, 0, 0, "", "", "", {}, None, None, ())
_BASE: dict[str, Path] = {}


def base() -> Path:
    """An opened folder with sheets for its stations, made once."""
    if not _BASE:
        folder = two_officers(Path(tempfile.mkdtemp(prefix="release-")) / "aviary")
        signed(folder, rows(STATIONS[:5]), "good")
        signed(folder, rows(STATIONS[5:], cast=9), "wrong")
        _BASE["folder"] = folder
    return _BASE["folder"]


class Release(RuleBasedStateMachine):
    """Officers, one of whom is always somebody else, who try things."""

    @initialize()
    def open(self) -> None:
        source = base()
        self.place = Path(tempfile.mkdtemp(prefix="release-"))
        self.folder = self.place / "aviary"
        shutil.copytree(source, self.folder)
        self.office = Office.load(self.folder)
        self.sheets = [*read_statements(source.parent / "good.bundle"), *read_statements(source.parent / "wrong.bundle")]
        self.now = 1_780_000_000
        self.sent: list[tuple[bytes, ...]] = []
        self.looked_at = 0
        self.line = True
        self.known: list[str] = []
        self.devices = {name: Authenticator(URL, "localhost", name.encode()) for name in OFFICERS}
        self.start()
        for name, device in self.devices.items():
            code = self.room.officers.invite(name)
            self.room.enrol(code, device.create(self.room.enrolment_options(code)), "key")

    def start(self) -> None:
        night = Night(
            self.office.election, lambda: SqliteStore.open_reader(self.office.log_path), self.office.log_signer().verifier
        )
        machine = machine_of(self.office, None, None, Trust())
        object.__setattr__(machine, "submit", self.submit)
        object.__setattr__(machine, "services", lambda: [RUNNING])
        self.room = Room(self.folder, night, machine, Origin.parse(URL), clock=lambda: self.now, randomness=secrets.token_bytes)
        night.look()

    def submit(self, statements: Sequence[bytes], url: str) -> int:
        """The intake service: it checks what it is sent, and records it."""
        if not self.line:
            raise TransportError("no line")
        self.sent.append(tuple(statements))
        policy = Policy(self.office.election)
        for statement in statements:
            policy.check(statement)
        log = self.office.open_log()
        try:
            return log.append(list(statements))[0].index
        finally:
            log.close()

    def a_sheet_arrives(self, number: int) -> None:
        log = self.office.open_log()
        log.append([self.sheets[number]])
        log.close()

    def time_passes(self) -> None:
        self.room.night.look()
        for _ in range(5):  # Something is sent in one of five rounds.
            self.room.tend()

    @rule(
        event=st.sampled_from(("sheet", "time", "time", "cut", "mended", "restart", "late", "withdrawn")),
        number=st.integers(0, 5),
        who=st.sampled_from(OFFICERS),
    )
    def something_happens(self, event: str, number: int, who: str) -> None:
        match event:
            case "sheet":
                self.a_sheet_arrives(number)
            case "time":
                self.time_passes()
            case "cut" | "mended":
                self.line = event == "mended"
            case "restart":
                self.start()
            case "late":
                self.now += LIFETIME
            case _ if self.known:
                with contextlib.suppress(ControlError):
                    self.room.withdraw(self.known[-1], who, "Too early.")

    @rule(who=st.sampled_from(OFFICERS), decide=st.booleans(), propose=st.sampled_from((True, True, False)))
    def freeze(self, who: str, decide: bool, propose: bool) -> None:
        try:
            if decide:
                proposal = self.room.freeze_decision(who, 0, 5, {"action": "exclude", "reason": "No box."})
            else:
                proposal = self.room.freeze_bulletin(who)
        except ControlError:
            return
        self.known.append(proposal.id)
        if propose:
            self.consent(0, who, True, True)

    @rule(
        which=st.sampled_from((0, 0, 0, 1, 2)),
        who=st.sampled_from(OFFICERS),
        own=st.sampled_from((True, True, True, False)),
        right=st.sampled_from((True, True, True, False)),
    )
    def consent(self, which: int, who: str, own: bool, right: bool) -> None:
        """An officer's session, with the officer's own passkey or another's, who typed the word or something else."""
        if not self.known:
            return
        name = self.known[-1 - which % len(self.known)]
        other = next(one for one in OFFICERS if one != who)
        before = self.room.journal.events[-1].number
        try:
            word = self.room.find(name).draft.word
            options = self.room.consent_options(name, who, word)
            self.room.consent(name, who, word if right else "17", self.devices[who if own else other].get(options))
        except ControlError:
            assert self.room.journal.events[-1].number == before, "a refusal leaves nothing"
            return
        assert own
        assert right

    @rule(which=st.integers(0, 3), who=st.sampled_from(OFFICERS))
    def an_answer_is_tried_for_another_draft(self, which: int, who: str) -> None:
        if len(self.known) < 2:
            return
        first, other = self.known[-1], self.known[-2 - which % (len(self.known) - 1)]
        for one, another in ((first, other), (other, first)):
            with contextlib.suppress(ControlError):
                options = self.room.consent_options(one, who, self.room.find(one).draft.word)
                before = self.room.journal.events[-1].number
                with pytest.raises(ControlError):
                    self.room.consent(another, who, self.room.find(another).draft.word, self.devices[who].get(options))
                assert self.room.journal.events[-1].number == before

    @invariant()
    def what_was_sent_was_agreed_by_two_and_is_what_they_saw(self) -> None:
        if not hasattr(self, "folder") or len(self.sent) == self.looked_at:
            return
        self.looked_at = len(self.sent)
        lines = [json.loads(line) for line in (open_folder(self.folder) / "journal").read_bytes().splitlines()]
        proposed = {line["proposal"]: line for line in lines if line["what"] == "proposed"}
        for statements in self.sent:
            first, *endorsements = map(parse_statement, statements)
            payload = bytes_to_base64url(first.envelope.payload)
            mine = [
                p
                for p in proposed.values()
                if bytes_to_base64url(base64url_to_bytes(p["payload"].replace("+", "-").replace("/", "_"))) == payload
            ]
            assert mine, "nothing but what was proposed is sent"
            consents = [
                line
                for line in lines
                if line["what"] in ("proposed", "approved") and line["proposal"] in {p["proposal"] for p in mine}
            ]
            signers = {first.issuer, *(one.issuer for one in endorsements)}
            assert len(signers) == 2
            agreed = [{line["who"] for line in consents if line["proposal"] == p["proposal"]} for p in mine]
            assert signers in agreed
            for line in consents:
                self.check_evidence(line, first.envelope.kind, first.envelope.payload)

    def check_evidence(self, line: dict[str, object], kind: str, payload: bytes) -> None:
        """What the journal says is enough for anybody to see that this officer's device consented to these bytes."""
        evidence: dict[str, str] = line["assertion"]  # type: ignore[assignment]
        digest = hashlib.sha256(LABEL + kind.encode() + b"\n" + payload).hexdigest()
        assert line["digest"] == digest
        challenge = base64url_to_bytes(evidence["challenge"])
        purpose = b"\n".join((b"act", str(line["proposal"]).encode(), digest.encode(), str(line["who"]).encode()))
        assert challenge[-32:] == purpose_hash(purpose, challenge)
        device = self.devices[str(line["who"])]
        assert isinstance(device.key, ec.EllipticCurvePrivateKey)
        verify_authentication_response(
            credential={
                "id": bytes_to_base64url(bytes.fromhex(evidence["passkey"])),
                "rawId": bytes_to_base64url(bytes.fromhex(evidence["passkey"])),
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

    def teardown(self) -> None:
        if hasattr(self, "place"):
            shutil.rmtree(self.place, ignore_errors=True)


Release.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRelease = Release.TestCase


def test_two_officers_release_a_bulletin_and_a_decision() -> None:
    """The way that the machine above must find too: so that its invariants are not true of nothing."""
    run = Release()
    run.open()
    for number in (0, 5):
        run.a_sheet_arrives(number)
    run.time_passes()
    for decide in (False, True):
        run.freeze(OFFICERS[0], decide, propose=True)
        run.consent(0, OFFICERS[1], own=True, right=True)
        run.time_passes()
        run.what_was_sent_was_agreed_by_two_and_is_what_they_saw()
    assert len(run.sent) == 2
    kinds = [parse_statement(statements[0]).kind for statements in run.sent]
    assert kinds == ["bulletin", "decision"]
    assert call("count", run.folder, "--json").json["contests"][0]["quarantine"] == []
    run.teardown()
