"""The gate of the intake service: strangers are refused here in microseconds, everyone else gets a fair share of the queue.

What is refused here gets the reason that the checkers would give. Only where several things are wrong with a statement may the
gate name another one first, for it does not look into payloads.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from scrutineer.election.definition import Election
from scrutineer.http.problems import Problem
from scrutineer.intake.first_look import SHEET, first_look
from scrutineer.intake.keys_table import KeysTable, Progress, key_number
from scrutineer.intake.service import QUEUE_LIMIT, Visit
from scrutineer.intake.shares import Clock, Shares
from scrutineer.statements.accreditations import may_accredit
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.keys import thumbprint
from scrutineer.statements.kinds import Accreditation
from scrutineer.statements.statement import parse_statement

_ELECTION_HEAD: Final = b"\x01\x58\x20"  # the first entry of a sheet's payload, behind the map's head
# The same words for everyone: a flood is refused with an answer that was made once.
_UNKNOWN_KEY: Final = Problem(
    "unknown-key", "the key is not one of this statement's issuer: sign with a registered key, or have this one accredited"
)
_UNKNOWN_ISSUER: Final = Problem(
    "unknown-issuer", "the issuer of this statement is not in the register of this election: have it accredited first"
)


class StationGate:
    """A `Gate` that knows an election's register, and learns of accreditations from what is recorded."""

    def __init__(
        self,
        keys: KeysTable,
        election_hash: bytes,
        *,
        capacity: int = QUEUE_LIMIT,
        clock: Clock = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`capacity` is how many statements may be on their way at a time; see `Shares` for clock and jitter."""
        self.shares = Shares(capacity, clock=clock, jitter=jitter)
        self._keys = keys
        self._election_hash = election_hash
        self._reported = bytearray(keys.places)  # by place in the table: whether the key has a statement in the log
        self._accredited: dict[int, bool] = {}  # the same for keys that an accreditation has named, in effect or not yet
        self._named: set[bytes] = set()  # issuers that one has named
        self._heard: set[bytes] = set()  # those of them who have a statement in the log, and so are known for certain

    @classmethod
    def of(cls, election: Election, *, capacity: int = QUEUE_LIMIT, progress: Progress | None = None) -> "StationGate":
        """The gate of an election: a second for a million stations; `progress` hears stations done and in all."""
        return cls(KeysTable.of(election.register, progress), election.hash, capacity=capacity)

    def enter(self, data: bytes, peer: str) -> Problem | Visit:
        """See `Gate`."""
        look = first_look(data)
        if isinstance(look, str):
            return _malformed(data, look)
        kind, issuer, kid, payload_at = look
        number = key_number(issuer, kid)
        place = self._keys.find(number)
        if place < 0:
            known = self._accredited.get(number)
            if known is None:
                problem = self._stranger(kind, issuer)
                if problem is not None:
                    return problem
            fresh = known is False
        else:
            fresh = not self._reported[place]
        if kind == SHEET:
            election = data[payload_at + 4 : payload_at + 36]
            if (
                election != self._election_hash
                and data[payload_at + 1 : payload_at + 4] == _ELECTION_HEAD
                and place >= 0
                and issuer.startswith(b"station/")
            ):
                return _wrong_election(election, self._election_hash)
        elif kind == "definition":
            return Problem("second-definition", "an election has one definition, and this one has it")
        return self.shares.enter(number, fresh, peer)

    def recorded(self, data: bytes) -> None:
        """See `Gate`."""
        look = first_look(data)
        if isinstance(look, str):
            return
        _, issuer, kid, _ = look
        number = key_number(issuer, kid)
        place = self._keys.find(number)
        if place >= 0:
            self._reported[place] = 1
        elif number in self._accredited:
            self._accredited[number] = True
            self._heard.add(issuer)
        if may_accredit(data):
            payload = parse_statement(data).payload
            if isinstance(payload, Accreditation):
                admitted = payload.as_issuer()
                name = admitted.id.encode()
                self._accredited.setdefault(key_number(name, thumbprint(admitted.key, admitted.algorithm)), False)
                self._named.add(name)

    def _stranger(self, kind: str, issuer: bytes) -> Problem | None:
        """Why a key is refused that is neither registered nor accredited; None where only the checkers can tell."""
        if kind == "definition":
            return None
        if self._keys.knows(issuer) or issuer in self._heard:
            return _UNKNOWN_KEY
        if issuer in self._named:
            return None
        return _UNKNOWN_ISSUER


def _malformed(data: bytes, why: str) -> Problem:
    if len(data) > MAX_STATEMENT_SIZE:
        return Problem("too-large", f"the statement has {len(data)} bytes: at most {MAX_STATEMENT_SIZE} are taken")
    return Problem("malformed", f"not a statement ({why}): send the bytes exactly as they were signed")


def _wrong_election(given: bytes, ours: bytes) -> Problem:
    return Problem(
        "wrong-election",
        f"the statement belongs to election {given.hex()[:16]}…, and this is {ours.hex()[:16]}…: "
        "send it to the intake of its own election",
    )
