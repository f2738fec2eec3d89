"""The control room itself: officers enter, freeze drafts, propose and approve them, and what is agreed is signed and sent.

Rules are elsewhere (`proposals`, `passkeys`, `drafts`); here they meet the journal, the keys and the intake service. The order
of writes is the design: an officer's consent is in the journal before anything is done about it, the signed bytes are in the
journal before they are sent, and sending the same bytes twice is harmless. So a restart at any point goes on where it was.
"""

import base64
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from scrutineer.control.challenges import Challenges
from scrutineer.control.consents import unproved
from scrutineer.control.contacts import CONTACTS_FILE, Contacts, read_contacts
from scrutineer.control.drafts import bulletin_draft, decision_draft, decision_of, next_bulletin, obsolete
from scrutineer.control.journal import JOURNAL_FILE, Journal
from scrutineer.control.machine import Machine, Publication, ServiceState
from scrutineer.control.night import Night
from scrutineer.control.officers import Officers
from scrutineer.control.passkeys import Ceremonies, Origin, passkey_id
from scrutineer.control.proposals import (
    PERSONS,
    Draft,
    Proposal,
    Proposals,
    check_consent,
    freeze,
    proposed_facts,
    signed_release,
)
from scrutineer.control.sessions import Failures, Sessions
from scrutineer.errors import ControlError, PolicyError, ScrutineerError, StatementError
from scrutineer.language import msg
from scrutineer.statements.kinds import Layer

CONTROL: Final = "control"
"""The folder of the control room in an election folder."""
LAPSED: Final = CONTROL
"""Who did it, in the journal, where the room itself did."""
LOGIN: Final = b"enter"
MAX_DRAFTS: Final = 64
_EVERY: Final = 1.0  # seconds between two rounds of what is done beside the requests
_SERVICES_EVERY: Final = 2  # rounds
_REFUSED_EVERY: Final = 30  # rounds
_SEND_EVERY: Final = 5.0  # seconds between two attempts to send what is signed
_LAST: Final = 2.0  # seconds that an attempt to send is given at the end
MAX_NAME: Final = 60  # characters of what an officer calls a passkey


def enrolment(code: str) -> bytes:
    """What the challenge of a registration is for."""
    return b"enrol " + code.strip().lower().encode()


class Room:
    """One control room. `start` begins what goes on beside the requests, `stop` ends it."""

    def __init__(
        self,
        folder: Path,
        night: Night,
        machine: Machine,
        origin: Origin,
        *,
        clock: Callable[[], int],
        randomness: Callable[[int], bytes],
    ) -> None:
        """`folder` is that of the election. Raises ControlError and UsageError for files there that cannot be used."""
        self.night = night
        self.election = night.election
        self.machine = machine
        self.origin = origin
        self.clock = clock
        self._folder = folder
        self._randomness = randomness
        own = open_folder(folder)
        self.officers = Officers(own, clock, randomness)
        self.journal = Journal(own / JOURNAL_FILE, clock)
        self.proposals = Proposals()
        self.proposals.apply(self.journal.events)
        self.sessions = Sessions(clock, randomness)
        self.failures = Failures(clock)
        self.ceremonies = Ceremonies(origin, self.election.definition.name, self.election.hash, Challenges(clock, randomness))
        self.services: tuple[ServiceState, ...] = ()
        self.published: Publication | None = None
        self.refused: Mapping[str, int] = {}
        self.trouble = ""
        """What of the machine cannot be read at the moment."""
        self.sending = ""
        """Why what is signed has not been recorded yet."""
        self._contacts: tuple[int, Contacts] | None = None
        self._drafts: dict[str, Proposal] = {}
        self._lock = threading.RLock()
        self._boot = randomness(4).hex()
        self._changes = 0
        self._ended = threading.Event()
        self._signed = threading.Event()
        self._round = 0
        self._troubles: dict[str, str] = {}
        self._heard = len(self.journal.events)
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        # A thread of its own: while the intake service is too busy, sending waits for as long as that takes.
        self._sender = threading.Thread(target=self._run_sender, name="sender", daemon=True)

    def start(self) -> None:
        """Follow the log and the machine, and send what is signed, from now on."""
        self.night.start()
        self._thread.start()
        self._sender.start()

    def stop(self) -> None:
        """End all that."""
        self._ended.set()
        self._signed.set()
        self._thread.join()
        self._sender.join(_LAST)  # What is under way is in the journal, and sent again after the next start.
        self.night.stop()

    @property
    def version(self) -> str:
        """Changes with everything that pages show, apart from the time of day."""
        return f"{self._boot}.{self.night.version}.{len(self.journal.events)}.{self._changes}"

    def contacts(self) -> Contacts:
        """Whom to call; the file is read again when it was changed. Raises UsageError."""
        path = self._folder / CONTACTS_FILE
        changed = path.stat().st_mtime_ns if path.exists() else 0
        if self._contacts is None or self._contacts[0] != changed:
            self._contacts = (changed, read_contacts(self._folder, self.election.units))
        return self._contacts[1]

    # --- entering ---------------------------------------------------------------------------------------------------

    def enrolment_options(self, code: str) -> dict[str, Any]:
        """What a browser needs to make a passkey for whom the code was made."""
        officer = self.officers.invited(code)
        known = tuple(passkey for one in self.officers.all().values() for passkey in one.passkeys)
        return self.ceremonies.registration(officer, known, enrolment(code))

    def enrol(self, code: str, answer: Mapping[str, Any], name: str) -> str:
        """Enrol a passkey; returns the officer."""
        self.officers.invited(code)
        shown = "".join(mark for mark in name if mark.isprintable()).strip()[:MAX_NAME] or "passkey"
        passkey = self.ceremonies.registered(answer, enrolment(code), shown, self.clock())
        officer = self.officers.enrol(code, passkey)
        with self._lock:
            facts = {"public_key": passkey.public_key, "name": passkey.name, "synced": passkey.synced}
            self.journal.add("enrolled", officer, passkey=passkey.id, **facts)
        return officer

    def login_options(self) -> dict[str, Any]:
        """What a browser needs to ask for any passkey of this room."""
        return self.ceremonies.assertion((), LOGIN)

    def login(self, answer: Mapping[str, Any]) -> str:
        """Let an officer in; returns the cookie of the session."""
        officer, passkey = self.officers.find(passkey_id(answer))
        found = self.ceremonies.asserted(answer, passkey, LOGIN)
        self.officers.used(officer, passkey.id, found.sign_count)
        with self._lock:
            self.journal.add("entered", officer, passkey=passkey.id)
        return self.sessions.begin(officer)

    def logout(self, cookie: str, officer: str) -> None:
        """End a session."""
        self.sessions.end(cookie)
        with self._lock:
            self.journal.add("left", officer)

    # --- acts -------------------------------------------------------------------------------------------------------

    def freeze_bulletin(self, officer: str, layer: Layer = "preliminary") -> Proposal:
        """Freeze the next bulletin as the count gives it now."""
        with self.night.hold() as count:
            draft = bulletin_draft(next_bulletin(self.night, self.clock(), layer), count)
        return self._freeze(draft, officer)

    def freeze_decision(self, officer: str, contest: int, station: int, form: Mapping[str, str]) -> Proposal:
        """Freeze a decision on a station."""
        with self.night.hold() as count:
            draft = decision_draft(decision_of(count, contest, station, form), count)
        return self._freeze(draft, officer)

    def find(self, identifier: str) -> Proposal:
        """A proposal, or a draft that was not proposed yet. Raises ControlError where there is none."""
        with self._lock:
            found = self.proposals.find(identifier) or self._drafts.get(identifier)
        if found is None:
            raise ControlError(msg("there is no such draft any more: make a new one"))
        return found

    def open_proposals(self) -> list[Proposal]:
        """Proposals that wait for somebody, or to be recorded; the newest first."""
        now = self.clock()
        with self._lock:
            return [one for one in self.proposals.newest_first() if one.state(now) in ("open", "agreed", "signed")]

    def check(self, proposal: Proposal, officer: str, word: str) -> None:
        """Raise ControlError unless this officer may consent to this, now, having typed that."""
        now = self.clock()
        check_consent(proposal, officer, word, now)
        in_the_way = self.proposals.in_the_way(proposal.draft, now)
        if in_the_way is not None and in_the_way.id != proposal.id:
            raise ControlError(msg("another draft of the same kind is under way: finish or withdraw it first"))
        if len(self.machine.held()) < proposal.needed:
            raise ControlError(msg("this machine holds the keys of too few officers for this act: sign it where the others are"))
        if officer not in self.machine.held():
            raise ControlError(msg("your signing key is not on this machine: another officer has to act"))
        if not self._is_current():
            raise ControlError(msg("the log is still being read: wait a moment"))
        why = self._obsolete(proposal, (officer,))
        if why:
            raise ControlError(why)

    def _is_current(self) -> bool:
        """Whether all has been counted that the log is known to hold, what was recorded from here included."""
        return self.night.ready and not self.night.trouble and self.night.count.size >= self.proposals.size

    def _obsolete(self, proposal: Proposal, officers: Sequence[str]) -> str:
        with self.night.hold() as count:
            return obsolete(proposal, count, {officer: self.machine.key_of(officer) for officer in officers})

    def consent_options(self, identifier: str, officer: str, word: str) -> dict[str, Any]:
        """What a browser needs to ask for a passkey of this officer, for this act."""
        proposal = self.find(identifier)
        self.check(proposal, officer, word)
        return self.ceremonies.assertion(self.officers.passkeys(officer), proposal.purpose(officer))

    def consent(self, identifier: str, officer: str, word: str, answer: Mapping[str, Any]) -> Proposal:
        """Propose or approve; signs where enough officers have now consented. Raises ControlError."""
        owner, passkey = self.officers.find(passkey_id(answer))
        if owner != officer:
            raise ControlError(msg("this is another officer's passkey: use your own"))
        with self._lock:
            self._catch_up()
            proposal = self.find(identifier)
            self.check(proposal, officer, word)
            found = self.ceremonies.asserted(answer, passkey, proposal.purpose(officer))
            self.officers.used(officer, passkey.id, found.sign_count)
            evidence = {"assertion": found.evidence, "origin": self.origin.url}
            if proposal.officers:
                self.journal.add("approved", officer, proposal=proposal.id, digest=proposal.draft.digest.hex(), **evidence)
            else:
                self.journal.add("proposed", officer, **proposed_facts(proposal), **evidence)
                self._drafts.pop(proposal.id, None)
            self.proposals.apply(self.journal.events)
            # The consent is given and written down. What keeps it from being signed now is tried again, and shown.
            with contextlib.suppress(ScrutineerError, OSError):
                self._sign(self.find(identifier))
            return self.find(identifier)

    def withdraw(self, identifier: str, officer: str, reason: str) -> Proposal:
        """Take a proposal back, or refuse to confirm it: it is over. Raises ControlError where it is not open."""
        reason = reason.strip()[:1_000]
        with self._lock:
            self._catch_up()
            proposal = self.find(identifier)
            if proposal.state(self.clock()) not in ("open", "agreed"):
                raise ControlError(msg("this draft is not open any more"))
            if not reason:
                raise ControlError(msg("write the reason: the other officers read it"))
            self.journal.add("withdrawn", officer, proposal=proposal.id, reason=reason)
            self.proposals.apply(self.journal.events)
            return self.find(identifier)

    def _freeze(self, draft: Draft, officer: str) -> Proposal:
        now = self.clock()
        with self._lock:
            self._drafts = {name: one for name, one in self._drafts.items() if one.state(now) == "frozen"}
            while len(self._drafts) >= MAX_DRAFTS:
                del self._drafts[next(iter(self._drafts))]
            needed = self.election.definition.needed(draft.kind)
            proposal = freeze(self._randomness(8).hex(), draft, officer, max(PERSONS, needed), now)
            self._drafts[proposal.id] = proposal
        return proposal

    def _catch_up(self) -> None:
        """Take in what other processes wrote into the journal."""
        self.journal.catch_up()
        self.proposals.apply(self.journal.events)

    def _sign(self, proposal: Proposal) -> None:
        """Sign what is agreed, with the keys of those who consented, unless it lapses; a restart may have taken hours."""
        if proposal.state(self.clock()) != "agreed" or not self._is_current():
            return
        passkeys = {officer: self.officers.passkeys(officer) for officer in proposal.officers}
        if self._lapses(proposal, unproved(proposal, passkeys, self.origin)):
            return
        statements = signed_release(proposal, self.election.hash, self.clock(), self.machine.key_of)
        self.journal.add(
            "signed",
            proposal.officers[-1],
            proposal=proposal.id,
            statements=[base64.b64encode(statement).decode() for statement in statements],
        )
        self.proposals.apply(self.journal.events)
        self._signed.set()

    def _lapses(self, proposal: Proposal, why: str = "") -> bool:
        """Whether a proposal may not be signed or sent any more, for this or another reason; it is over then."""
        why = why or self._obsolete(proposal, proposal.officers)
        if why:
            self.journal.add("lapsed", LAPSED, proposal=proposal.id, reason=why)
            self.proposals.apply(self.journal.events)
        return bool(why)

    # --- beside the requests ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            self.tend()

    def _run_sender(self) -> None:
        while not self._ended.is_set():
            self._signed.wait(_SEND_EVERY)
            self._signed.clear()
            if not self._ended.is_set():
                self.deliver()

    def tend(self) -> None:
        """One round: hear what other processes did, sign what is agreed, and look at the machine."""
        for name, step, every in (
            ("journal", self._hear, 1),
            ("signing", self._sign_all, 1),
            ("services", self._look, _SERVICES_EVERY),
            ("refused", self._look_at_refused, _REFUSED_EVERY),
        ):
            if self._round % every == 0:
                self._troubles[name] = ""
                try:
                    step()
                except (ScrutineerError, OSError) as error:
                    self._troubles[name] = str(error)
        trouble = next((one for one in self._troubles.values() if one), "")
        if trouble != self.trouble:
            self.trouble = trouble
            self._changes += 1
        self._round += 1

    def _hear(self) -> None:
        with self._lock:
            self.journal.catch_up()
            events, self._heard = self.journal.events[self._heard :], len(self.journal.events)
            # First of all: nothing that fails later may keep somebody in.
            for event in events:
                if event.what == "forgotten":
                    self.sessions.end_all(str(event.facts.get("officer", "")))
            self.proposals.apply(events)

    def _sign_all(self) -> None:
        with self._lock:
            for proposal in self.open_proposals():
                self._sign(proposal)

    def _look_at_refused(self) -> None:
        self.refused = self.machine.refused()

    def _look(self) -> None:
        services, published = tuple(self.machine.services()), self.machine.published()
        before = [service.told() for service in self.services], self.published
        self.services, self.published = services, published
        if before != ([service.told() for service in services], published):
            self._changes += 1

    def deliver(self) -> None:
        """Send what is signed to the service that runs. Whatever goes wrong for now is tried again."""
        sending = ""
        for proposal in reversed(self.open_proposals()):
            if proposal.state(self.clock()) == "signed":
                try:
                    self._send(proposal)
                except (ScrutineerError, OSError) as error:
                    sending = str(error)
        if sending != self.sending:
            self.sending = sending
            self._changes += 1

    def _send(self, proposal: Proposal) -> None:
        with self._lock:
            if not self._is_current():
                raise ControlError(msg("the log is still being read: wait a moment"))
            if self._lapses(proposal):
                return
        service = next((one for one in self.services if one.alive and one.url), None)
        if service is None:
            raise ControlError(msg("no intake service runs: what is signed is sent when one does"))
        what: dict[str, Any]
        try:
            what = {"what": "recorded", "index": self.machine.submit(proposal.statements, service.url)}
        except (PolicyError, StatementError) as error:
            what = {"what": "refused", "reason": str(error)}
        with self._lock:
            self.journal.add(who=proposal.officers[-1], proposal=proposal.id, **what)
            self.proposals.apply(self.journal.events)


def open_folder(folder: Path) -> Path:
    """The control room's own folder in that of an election, made where there is none; for its owner alone."""
    own = folder / CONTROL
    own.mkdir(mode=0o700, exist_ok=True)
    return own
