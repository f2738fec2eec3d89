"""Refusals as Concise Problem Details (RFC 9290): a title, a sentence of detail, and a reason code for programs."""

from dataclasses import dataclass
from typing import Any, Final

import cbor2

from scrutineer.errors import ScrutineerError

MEDIA_TYPE: Final = "application/concise-problem-details+cbor"
REASON_KEY: Final = "urn:x-scrutineer:reason"
"""The custom entry (RFC 9290 section 3.2) with the reason: a map whose "code" is one of `REASONS`."""

MAX_DETAIL_LENGTH: Final = 500  # characters

REASONS: Final[dict[str, tuple[int, str]]] = {
    "malformed": (400, "Malformed statement"),
    "malformed-request": (400, "Malformed request"),
    "unknown-issuer": (400, "Unknown issuer"),
    "unknown-key": (400, "Unknown key"),
    "role-not-allowed": (400, "Rejected"),
    "not-allowed": (400, "Rejected"),
    "wrong-election": (400, "Wrong election"),
    "out-of-scope": (400, "Out of scope"),
    "unknown-station": (400, "Unknown station"),
    "unknown-unit": (400, "Unknown unit"),
    "unknown-contest": (400, "Unknown contest"),
    "wrong-shape": (400, "Does not follow the definition"),
    "second-definition": (400, "Second definition"),
    "plan-not-registered": (400, "Plan of the audit not registered"),
    "seed-not-registered": (400, "Seed of the audit not registered"),
    "second-plan": (400, "Second plan of an audit"),
    "second-seed": (400, "Second seed of an audit"),
    "known-seed": (400, "Seed known before the plan"),
    "not-of-this-audit": (400, "Not of this audit"),
    "bad-signature": (400, "Bad signature"),
    "not-found": (404, "Not found"),
    "not-recorded-yet": (404, "Not recorded yet"),
    "no-such-key": (404, "No such key"),
    "method-not-allowed": (405, "Method not allowed"),
    "too-slow": (408, "Request took too long"),
    "too-large": (413, "Statement too large"),
    "media-type": (415, "Unsupported media type"),
    "content-encoding": (415, "Unsupported content encoding"),
    "key-busy": (429, "Too much from this key"),
    "network-busy": (429, "Too much from this network"),
    "headers-too-large": (431, "Request header too large"),
    "check-failed": (503, "Not checked"),
    "queue-full": (503, "Busy"),
    "relay-full": (503, "Relay full"),
    "stopping": (503, "Stopping"),
    "store-failed": (503, "Store failed"),
}
"""Every reason for which a request is refused, with HTTP status and title. Stable: clients act on the codes."""

RETRY_AFTER: Final[dict[str, int]] = {
    "check-failed": 1,
    "key-busy": 2,
    "network-busy": 2,
    "not-recorded-yet": 5,
    "queue-full": 1,
    "relay-full": 60,
    "stopping": 2,
    "store-failed": 10,
}
"""Seconds that a client should wait before it tries again, for the reasons that pass."""


def _around(code: str, title: str) -> tuple[bytes, bytes]:
    """What stands before and behind the detail in a refusal's body: refusing a flood is worth not encoding that each time."""
    whole = cbor2.dumps({-1: title, -2: "", REASON_KEY: {"code": code}})
    before, _, behind = whole.partition(b"\x21\x60")
    return before + b"\x21", behind


_AROUND: Final = {code: _around(code, title) for code, (_, title) in REASONS.items()}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was refused."""

    code: str
    detail: str
    wait: int | None = None
    """Seconds to wait before trying again, where it is not what `RETRY_AFTER` says for the reason."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return REASONS[self.code][0]

    @property
    def title(self) -> str:
        """A short title, the same for every occurrence."""
        return REASONS[self.code][1]

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait before trying again; None where that would not help."""
        return RETRY_AFTER.get(self.code) if self.wait is None else self.wait

    def encode(self) -> bytes:
        """The body of the response."""
        before, behind = _AROUND[self.code]
        return before + cbor2.dumps(self.detail[:MAX_DETAIL_LENGTH]) + behind


def problem_of(error: ScrutineerError) -> Problem:
    """The problem that an error is; see `reason_of`."""
    return Problem(reason_of(error.code), str(error))


def reason_of(code: str) -> str:
    """The reason for an error's code; codes that are no reason of this table become 'not-allowed'."""
    return code if code in REASONS else "not-allowed"


def read_problem(body: bytes) -> Problem | None:
    """Read a refusal; None where the bytes are not one of this service."""
    try:
        value: Any = cbor2.loads(body)
        code, detail = value[REASON_KEY]["code"], value[-2]
    except Exception:  # Whatever foreign bytes raise, they are not a refusal of this service.
        return None
    return Problem(code, detail) if code in REASONS and isinstance(detail, str) else None
