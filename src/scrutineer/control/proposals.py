r"""The two-person rule: an act is frozen, proposed by one officer, approved by others, signed, and recorded. Pure.

    frozen --propose--> open --approve (another person)--> agreed --sign--> signed --submit--> recorded
                          \--withdraw--> withdrawn, or expired                         \--> refused
    What is agreed or signed lapses, and counts as withdrawn, where the count has changed under it before it was recorded.

What is frozen are the payload's bytes. They are what pages show, what the passkeys' challenges are derived from, and what is
signed. A proposal that is agreed has the consent of as many officers as the act needs, and never of fewer than two; only the
keys of those who consented sign it.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from scrutineer.control.journal import Event
from scrutineer.errors import ControlError, ScrutineerError
from scrutineer.language import msg
from scrutineer.statements import Bulletin, Decision, Endorsement, SigningKey, parse_statement, sign_statement, statement_hash
from scrutineer.statements.statement import KIND_BY_TYPE, decode_payload, encode_payload

PERSONS: Final = 2
"""Nothing leaves the control room with the consent of fewer."""
DRAFT_LIFETIME: Final = 15 * 60  # seconds from freezing to proposing
LIFETIME: Final = 30 * 60  # seconds from proposing to the last approval
LABEL: Final = b"scrutineer control act v1\n"
FORGOTTEN: Final = msg("a passkey of an officer who had confirmed this was removed: make a new draft")

Act = Bulletin | Decision
State = Literal["frozen", "open", "agreed", "signed", "recorded", "refused", "withdrawn", "expired"]
FINAL: Final = ("recorded", "refused", "withdrawn", "expired")


@dataclass(frozen=True, slots=True)
class Draft:
    """An act as frozen. `word` is what has to be typed to propose or approve it; `basis` names the state that it rests on."""

    kind: str
    subject: str
    payload: bytes
    word: str
    basis: str

    @classmethod
    def freeze(cls, act: Act, word: str, basis: str) -> "Draft":
        """Freeze an act. Raises StatementError for one that could not be read back."""
        return cls(KIND_BY_TYPE[type(act)], act.subject(), encode_payload(act), word, basis)

    @property
    def digest(self) -> bytes:
        """What stands for these bytes in the challenges of the passkeys."""
        return hashlib.sha256(LABEL + self.kind.encode() + b"\n" + self.payload).digest()

    def act(self) -> Act:
        """The act that the bytes are. Raises StatementError."""
        decoded = decode_payload(self.kind, self.payload, self.subject)
        if not isinstance(decoded, Bulletin | Decision):
            raise ControlError(f"a {self.kind} is not released in the control room")
        return decoded


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft and what became of it."""

    id: str
    draft: Draft
    needed: int
    """Officers who have to consent, the proposer among them."""
    author: str
    """Who froze it."""
    made: int
    expires: int
    officers: tuple[str, ...] = ()
    """Who consented, the proposer first."""
    evidence: tuple[dict[str, Any], ...] = ()
    """What each passkey gave for it (`passkeys.Assertion`), in the same order."""
    ended: State | None = None
    """How it ended, or `signed`; None before."""
    reason: str = ""
    statements: tuple[bytes, ...] = ()
    index: int | None = None
    """Its entry in the log, once it is recorded."""

    def state(self, now: int) -> State:
        """Where it stands at a time."""
        if self.ended is not None:
            return self.ended
        if len(set(self.officers)) >= self.needed:
            return "agreed"
        if now >= self.expires:
            return "expired"
        return "open" if self.officers else "frozen"

    def purpose(self, officer: str) -> bytes:
        """What the challenge of an officer's passkey is for: to consent to exactly these bytes, in this proposal."""
        return b"\n".join((b"act", self.id.encode(), self.draft.digest.hex().encode(), officer.encode()))


def freeze(identifier: str, draft: Draft, author: str, needed: int, now: int) -> Proposal:
    """A draft before anybody has consented to it."""
    return Proposal(identifier, draft, max(PERSONS, needed), author, now, now + DRAFT_LIFETIME)


def check_consent(proposal: Proposal, officer: str, word: str, now: int) -> None:
    """Raise ControlError unless this officer may consent now, and has typed the word."""
    state = proposal.state(now)
    if state not in ("frozen", "open"):
        raise ControlError(msg("this draft is not open any more: make a new one"))
    if officer in proposal.officers:
        raise ControlError(msg("you have consented already: another officer has to confirm"))
    if state == "frozen" and officer != proposal.author:
        raise ControlError(msg("this draft has not been proposed yet: who made it has to propose it"))
    if normal(word) != normal(proposal.draft.word):
        raise ControlError(msg("what you typed is not what the draft says: read the draft again"))


def normal(word: str) -> str:
    """What is typed, without regard to spaces, marks between thousands, case, and the digits' script."""
    return "".join(str(int(mark)) if mark.isdecimal() else mark for mark in word.casefold() if mark.isalnum() or mark in "-_")


def signed_release(proposal: Proposal, election: bytes, now: int, key_of: Callable[[str], SigningKey]) -> tuple[bytes, ...]:
    """The statement, by the proposer, and the endorsements, by all others who consented.

    Raises ControlError unless enough different officers have consented, and where what would be signed is not what was frozen.
    """
    officers = proposal.officers
    different = len(set(officers))
    if proposal.state(now) != "agreed" or different < max(PERSONS, proposal.needed) or different != len(officers):
        raise ControlError(msg("too few officers have consented: nothing is signed"))
    first = sign_statement(proposal.draft.act(), officers[0], key_of(officers[0]))
    if parse_statement(first).envelope.payload != proposal.draft.payload:
        raise ControlError(msg("what would be signed is not what was proposed: nothing is signed"))
    name = statement_hash(first)
    endorsement = Endorsement(election=election, statement=name, verdict="sign")
    return (first, *(sign_statement(endorsement, officer, key_of(officer)) for officer in officers[1:]))


@dataclass(slots=True)
class Proposals:
    """All proposals, as the journal tells them."""

    _known: dict[str, Proposal] = field(default_factory=dict)
    _read: int = 0

    def apply(self, events: Iterable[Event]) -> None:
        """Take in the journal's events, all of them from its beginning; those that were taken in before are passed over."""
        for event in events:
            if event.number <= self._read:
                continue
            self._read = event.number
            try:
                self._apply(event)
            except (KeyError, TypeError, ValueError, ScrutineerError) as error:
                raise ControlError(
                    f"line {event.number} of the journal does not say what it should: put the whole file back"
                ) from error

    @property
    def size(self) -> int:
        """Entries that a log has at least which holds all that was recorded from here."""
        return max((one.index + 1 for one in self._known.values() if one.index is not None), default=0)

    def find(self, identifier: str) -> Proposal | None:
        """A proposal by its id."""
        return self._known.get(identifier)

    def newest_first(self) -> list[Proposal]:
        """All proposals, the newest first."""
        return list(reversed(self._known.values()))

    def in_the_way(self, draft: Draft, now: int) -> Proposal | None:
        """Another proposal on the same subject that is not finished: two of a kind could both be released."""
        for proposal in self._known.values():
            if proposal.draft.subject == draft.subject and proposal.draft.kind == draft.kind and proposal.state(now) not in FINAL:
                return proposal
        return None

    def _apply(self, event: Event) -> None:
        facts = event.facts
        if event.what == "proposed":
            draft = Draft(facts["kind"], facts["subject"], base64.b64decode(facts["payload"]), facts["word"], facts["basis"])
            self._known[facts["proposal"]] = Proposal(
                facts["proposal"],
                draft,
                facts["needed"],
                event.who,
                event.time,
                event.time + LIFETIME,
                (event.who,),
                _evidence(facts),
            )
            return
        if event.what == "forgotten":
            self._forget(event)
            return
        known = self._known.get(facts.get("proposal", ""))
        if known is None:
            return
        changed = _changed(known, event, facts)
        if changed is not None:
            self._known[known.id] = changed

    def _forget(self, event: Event) -> None:
        """Passkeys were removed, perhaps because a stranger had them: what their officer agreed to and is not signed is over."""
        for known in self._known.values():
            if event.facts.get("officer") in known.officers and known.state(event.time) in ("open", "agreed"):
                self._known[known.id] = replace(known, ended="withdrawn", reason=FORGOTTEN)


def _changed(known: Proposal, event: Event, facts: Any) -> Proposal | None:
    """What an event makes of a proposal. Of two rooms that wrote at the same time, the line that stands first holds."""
    match event.what, known.state(event.time):
        case "approved", "open" if event.who not in known.officers and facts["digest"] == known.draft.digest.hex():
            return replace(known, officers=(*known.officers, event.who), evidence=(*known.evidence, *_evidence(facts)))
        case "withdrawn", "open" | "agreed":
            return replace(known, ended="withdrawn", reason=facts["reason"])
        case "lapsed", "agreed" | "signed":
            return replace(known, ended="withdrawn", reason=facts["reason"])
        case "signed", "agreed":
            return replace(known, ended="signed", statements=tuple(map(base64.b64decode, facts["statements"])))
        case "recorded", "signed":
            return replace(known, ended="recorded", index=facts["index"])
        case "refused", "signed":
            return replace(known, ended="refused", reason=facts["reason"])
        case _:
            return None


def _evidence(facts: Any) -> tuple[dict[str, Any]]:
    """What the passkey gave; nothing where a line has none, which holds for no consent."""
    given = facts.get("assertion")
    return (given if isinstance(given, dict) else {},)


def proposed_facts(proposal: Proposal) -> dict[str, Any]:
    """What the journal keeps of a proposal."""
    draft = proposal.draft
    return {
        "proposal": proposal.id,
        "kind": draft.kind,
        "subject": draft.subject,
        "payload": base64.b64encode(draft.payload).decode(),
        "digest": draft.digest.hex(),
        "word": draft.word,
        "basis": draft.basis,
        "needed": proposal.needed,
    }
