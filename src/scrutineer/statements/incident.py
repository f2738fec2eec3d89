"""`incident`: what happened, where and when; and, once an hour, which requests an intake service refused.

Its issuer vouches for what it saw. An address shows where packets came from and not who sent them, and is given as a network.
"""

from typing import Final, Literal, get_args

import msgspec

from scrutineer.errors import StatementError
from scrutineer.http.networks import is_network
from scrutineer.statements.fields import MAX_TEXT_LENGTH, check_hash
from scrutineer.statements.tally_sheet import MAX_TIME

IncidentKind = Literal["outage", "attack", "intimidation", "obstruction", "equipment", "other", "requests"]
RequestKind = Literal[
    "forged-signature",
    "unknown-key",
    "revoked-key",
    "replay",
    "wrong-election",
    "not-allowed",
    "not-in-definition",
    "malformed",
    "oversize",
    "scan",
    "flood",
    "too-slow",
    "overload",
    "unavailable",
    "other",
]
REQUEST_KINDS: Final[tuple[RequestKind, ...]] = get_args(RequestKind)
"""Every kind of refused or suspicious request, in the order in which they are listed."""

JOURNAL_NAME_SIZE: Final = 16  # bytes
MAX_EVIDENCE: Final = 64  # hashes
MAX_NETWORKS: Final = 32
"""Networks that are listed for one kind of request; with them a statement stays below 32 KiB."""
MAX_REQUESTS: Final = 2**53
"""More requests than any service gets; programs in every language can hold the number."""


class NetworkCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """At least so many of the requests came from this network."""

    network: str
    count: int

    def __post_init__(self) -> None:
        if not is_network(self.network):
            raise StatementError(f"{self.network[:64]!r} is no shortened network: write 24 bits of IPv4 or 48 of IPv6")
        _check_number(self.count, "the number of a network")


class RequestCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How many requests of a kind there were, exactly; and the networks from which most came. The rest came from others."""

    kind: RequestKind
    count: int
    networks: tuple[NetworkCount, ...] = ()
    """Most first; equal ones in the order of their text."""

    def __post_init__(self) -> None:
        _check_number(self.count, f"the number of {self.kind} requests")
        names = [network.network for network in self.networks]
        if len(names) > MAX_NETWORKS or len(set(names)) < len(names):
            raise StatementError(f"the networks of {self.kind} requests are more than {MAX_NETWORKS}, or one stands twice")
        if list(self.networks) != sorted(self.networks, key=lambda each: (-each.count, each.network)):
            raise StatementError(f"the networks of {self.kind} requests are out of order: most first, equal ones by their text")
        if sum(network.count for network in self.networks) > self.count:
            raise StatementError(f"more {self.kind} requests came from the networks listed than there were in all")


class RequestSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What records `first` to `last` of a journal of refused requests say. `head` binds the whole journal up to there."""

    journal: bytes
    """The journal's name: 16 random bytes, made when it was begun."""
    first: int
    last: int
    previous: bytes | None = None
    """Hash of the record before `first`; absent where `first` is 1, and only there."""
    head: bytes
    """Hash of record `last`."""
    counts: tuple[RequestCount, ...]
    """In the order of `REQUEST_KINDS`, each once."""

    def __post_init__(self) -> None:
        if len(self.journal) != JOURNAL_NAME_SIZE:
            raise StatementError(f"the journal's name has not {JOURNAL_NAME_SIZE} bytes")
        check_hash(self.head, "head")
        if not 1 <= self.first <= self.last < 2**53:
            raise StatementError(f"records {self.first} to {self.last} are no stretch of a journal")
        if (self.first == 1) != (self.previous is None):
            raise StatementError("a summary names the record before its first one, unless that is the first of the journal")
        if self.previous is not None:
            check_hash(self.previous, "previous")
        places = [REQUEST_KINDS.index(count.kind) for count in self.counts]
        if not places or places != sorted(set(places)):
            raise StatementError("a summary lists each kind of request once, in the order of the kinds, and at least one")


class Incident(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """`incident`: what a station, an operator, an observer or the authority reports to have happened."""

    election: bytes
    kind: IncidentKind
    since: int
    until: int
    unit: str = ""
    """Where; the whole country, or the service as a whole, where it is left out."""
    text: str = ""
    """What happened, in a few sentences; left out in a summary of requests, and only there."""
    evidence: tuple[bytes, ...] = ()
    """SHA-256 of photographs, recordings or files that whoever signs has kept."""
    requests: RequestSummary | None = None

    def __post_init__(self) -> None:
        check_hash(self.election, "election")
        for hash_ in self.evidence:
            check_hash(hash_, "evidence")
        if len(self.evidence) > MAX_EVIDENCE or len(set(self.evidence)) < len(self.evidence):
            raise StatementError(f"the evidence is more than {MAX_EVIDENCE} files, or one of them stands twice")
        if not 0 <= self.since <= self.until < MAX_TIME:
            raise StatementError(f"{self.since} to {self.until} is no stretch of time: give its beginning, then its end")
        if (self.kind == "requests") != (self.requests is not None):
            raise StatementError("an incident of kind 'requests' holds a summary of requests, and no other does")
        if self.requests is None and (not self.text.strip() or len(self.text) > MAX_TEXT_LENGTH):
            raise StatementError(f"the incident's text is empty or longer than {MAX_TEXT_LENGTH} characters: say what happened")
        if self.requests is not None and self.text:
            raise StatementError("a summary of requests has no text of its own: report what else happened as another incident")

    def subject(self) -> str:
        """The kind of incident."""
        return f"incident/{self.kind}"


def _check_number(value: int, what: str) -> None:
    if not 1 <= value < MAX_REQUESTS:
        raise StatementError(f"{what} is {value}: write 1 or more, and leave out what there was none of")
