"""Which kind of incident each reason of the intake service is."""

from typing import Final

from scrutineer.statements.incident import RequestKind

KIND_BY_REASON: Final[dict[str, RequestKind]] = {
    "bad-signature": "forged-signature",
    "unknown-issuer": "unknown-key",
    "unknown-key": "unknown-key",
    "revoked-key": "revoked-key",
    "duplicate": "replay",
    "wrong-election": "wrong-election",
    "second-definition": "wrong-election",
    "role-not-allowed": "not-allowed",
    "not-allowed": "not-allowed",
    "out-of-scope": "not-allowed",
    "plan-not-registered": "not-allowed",
    "seed-not-registered": "not-allowed",
    "second-plan": "not-allowed",
    "second-seed": "not-allowed",
    "known-seed": "not-allowed",
    "not-of-this-audit": "not-allowed",
    "unknown-station": "not-in-definition",
    "unknown-unit": "not-in-definition",
    "unknown-contest": "not-in-definition",
    "wrong-shape": "not-in-definition",
    "malformed": "malformed",
    "malformed-request": "malformed",
    "media-type": "malformed",
    "content-encoding": "malformed",
    "too-large": "oversize",
    "headers-too-large": "oversize",
    "not-found": "scan",
    "no-such-key": "scan",
    "method-not-allowed": "scan",
    "key-busy": "flood",
    "network-busy": "flood",
    "too-slow": "too-slow",
    "queue-full": "overload",
    "relay-full": "overload",
    "not-recorded-yet": "unavailable",
    "check-failed": "unavailable",
    "stopping": "unavailable",
    "store-failed": "unavailable",
}
"""By the codes of `http.problems.REASONS`, and 'duplicate'. A code that is missing here counts as 'other'."""

MEANINGS: Final[dict[RequestKind, str]] = {
    "forged-signature": "the signature does not fit the statement; also what damage on the way looks like",
    "unknown-key": "signed by nobody whom the register knows, or with a key that it does not name",
    "revoked-key": "signed with a key that had been revoked",
    "replay": "a statement that the log held already; also what an honest sender does who lost the answer",
    "wrong-election": "a statement of another election, or a second definition",
    "not-allowed": "said by somebody to whom the definition does not give it to say",
    "not-in-definition": "about a station, contest or number of options that the definition does not have",
    "malformed": "no statement, or no request in good order",
    "oversize": "larger than anything that is taken",
    "scan": "asked for what there is not",
    "flood": "more at a time than one key or network may send",
    "too-slow": "a request that did not arrive whole in time; also what a bad line looks like",
    "overload": "sent away because too much was under way",
    "unavailable": "refused because the service itself could not answer yet, or could not go on",
    "other": "refused for another reason",
}
"""What each kind says, and what else may look like it."""


def kind_of(reason: str) -> RequestKind:
    """The kind of incident that a reason is."""
    return KIND_BY_REASON.get(reason, "other")
