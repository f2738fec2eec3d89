"""Statements of audits: their shapes, and the order in which they may be made (docs/formats.md, "audit-plan" and after)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from second_look.report import FormatError
from second_look.shapes import COUNT, Shape, listed, mapped, nullable, number, octets, one_of, record, text

_ABOUT = ("outcome", "software", "rolls", "devices", "transmission", "sheets", "other")
_REASONS = ("marking", "adjudication", "damaged", "wrong-box", "transcription", "machine", "two-cards", "unknown")
_OUTCOMES = ("confirmed", "full-count", "continuing", "stopped", "held")

_hash, _long, _reason = octets(32), text(r"(?s).*\S.*", 20_000), text(r"(?s).*\S.*", 2_000)
_ident = text(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}", 64)
_share = text(r"0\.[0-9]{0,11}[1-9]")
_evidence: tuple[Shape, Any] = (listed(_hash, 1, 64), [])
_status = (one_of("missing", "illegible"), "counted")
_size = number(1, 2**53 - 1)
_figure, _count = nullable(number(0, COUNT)), number(0, COUNT)


def _line(longest: int, bare: bool = False) -> Shape:
    """One line of printable characters; `bare`: without blanks around it."""

    def check(value: Any) -> str:
        if type(value) is not str or not 1 <= len(value) <= longest or not value.isprintable() or not value.strip():
            raise FormatError(f"{value!r:.60} is not a line of text")
        if bare and value != value.strip():
            raise FormatError(f"{value!r:.60} has blanks around it")
        return value

    return check


def _issuer(value: Any) -> str:
    if "/" not in _line(96)(value):
        raise FormatError(f"{value!r:.60} is no issuer")
    return str(value)


_FILE = record({"name": text(r"[a-z0-9][a-z0-9-]{0,40}\.(json|csv|txt|pdf|html|bin)"), "sha256": _hash, "size": number(0, 2**40)})
_TOTALS = record(
    {"contest": _ident, "counts": listed(_figure, 0, 512)}, dict.fromkeys(("blank", "null", "cards"), (_count, None))
)
_CARD = record({"position": number(1, COUNT)}, {"status": _status, "marks": (mapped(_ident, listed(number(0, 511), 0, 512)), {})})
_RISK = record({"contest": _ident, "risk": text(r"0|1|0\.[0-9]{0,11}[1-9]")})

SHAPES: dict[str, Shape] = {
    "audit-plan": record(
        {"election": _hash, "name": _ident, "about": one_of(*_ABOUT), "title": _line(256), "by": _line(256), "protocol": _long},
        {
            "unit": (_ident, ""),
            "board": (listed(_issuer, 1, 64), []),
            "size": (_size, 0),
            "root": (_hash, None),
            "risk_limit": (_share, ""),
            "plan": (_hash, None),
            "contests": (listed(_ident, 1, 512), []),
            "files": (listed(_FILE, 1, 64), []),
        },
    ),
    "audit-seed": record(
        {"election": _hash, "plan": _hash, "seed": text(r"[0-9]{20,200}"), "how": _reason, "who": _reason, "when": _reason},
        {"evidence": _evidence, "head": (_hash, None)},
    ),
    "audit-count": record(
        {"election": _hash, "plan": _hash, "box": _line(120, bare=True), "counted_by": listed(_line(256), 1, 16)},
        {
            "status": _status,
            "totals": (listed(_TOTALS, 1, 512), []),
            "cards": (listed(_CARD, 1, 2000), []),
            "images": _evidence,
            "discrepancies": (listed(one_of(*_REASONS), 1), []),
            "note": (_reason, ""),
            "replaces": (_hash, None),
        },
    ),
    "audit-report": record(
        {"election": _hash, "plan": _hash, "size": _size, "outcome": one_of(*_OUTCOMES)},
        {
            "seed": (_hash, None),
            "risks": (listed(_RISK, 1, 512), []),
            "report": (_hash, None),
            "found": (_long, ""),
            "shows": (_long, ""),
            "evidence": _evidence,
        },
    ),
}


def check(kind: str, value: dict[str, Any]) -> str:
    """What the shapes do not say; returns the subject claim. Raises FormatError."""
    for name in ("evidence", "images", "counted_by"):
        if len({*value.get(name, ())}) < len(value.get(name, ())):
            raise FormatError(f"something stands twice among {name}")
    return {"audit-plan": _plan, "audit-seed": _seed, "audit-count": _box, "audit-report": _report}[kind](value)


def _plan(value: dict[str, Any]) -> str:
    _in_order(value["board"])
    _in_order([file["name"] for file in value["files"]])
    _in_order(value["contests"])
    given = {bool(value[name]) for name in ("size", "root", "risk_limit", "plan", "contests")}
    if given != {value["about"] == "outcome"}:
        raise FormatError("a plan has other fields than what it is about needs")
    return f"audit/{value['name']}"


def _seed(value: dict[str, Any]) -> str:
    return f"audit-seed/{value['plan'].hex()}"


def _box(value: dict[str, Any]) -> str:
    if (value["status"] == "counted", True) != (
        bool(value["totals"] or value["cards"]),
        not (value["totals"] and value["cards"]),
    ):
        raise FormatError("a box has totals or cards where it was counted, and neither where not")
    _in_order([each["contest"] for each in value["totals"]])
    _in_order([card["position"] for card in value["cards"]])
    _in_order([_REASONS.index(code) for code in value["discrepancies"]])
    for card in value["cards"]:
        if card["status"] != "counted" and card["marks"]:
            raise FormatError("a card that was not counted has marks")
        if len(card["marks"]) > 512 or any(len({*marks}) < len(marks) for marks in card["marks"].values()):
            raise FormatError("a card has a mark twice, or too many contests")
    if value["replaces"] is not None and not value["note"]:
        raise FormatError("a count replaces another without a note")
    return f"{value['plan'].hex()}/{value['box']}"


def _report(value: dict[str, Any]) -> str:
    _in_order([each["contest"] for each in value["risks"]])
    measured = bool(value["risks"]) or value["outcome"] in ("confirmed", "continuing", "full-count")
    if measured and (value["report"] is None or not value["risks"] or value["outcome"] == "held"):
        raise FormatError("a report that measures has risks and a file, and its audit is not just held")
    if (value["outcome"] == "confirmed" and value["seed"] is None) or (not measured and not (value["found"] and value["shows"])):
        raise FormatError("a report confirms without a seed, or does not say what was found and what it shows")
    return f"audit-report/{value['plan'].hex()}"


def _in_order(values: list[Any]) -> None:
    if values != sorted({*values}):
        raise FormatError("a list is not in its order, or holds something twice")


@dataclass
class Audit:
    """A registered plan, and the hash of its seed."""

    plan: dict[str, Any]
    issuer: str
    number: int
    """How many plans were registered before."""
    index: int
    """Its place in the log."""
    seed: bytes | None = None
    seeded: dict[str, Any] | None = None
    seeded_at: int = 0
    counts: list[tuple[int, bytes, dict[str, Any]]] = field(default_factory=list)
    """Counts that follow, with their places in the log and the hashes of their statements."""
    reports: list[tuple[int, bytes, dict[str, Any]]] = field(default_factory=list)

    def values(self) -> Iterator[dict[str, Any]]:
        """Everything that was said after the plan."""
        yield from ([self.seeded] if self.seeded is not None else [])
        yield from (value for _, _, value in self.counts + self.reports)


class Order:
    """The audits of a log so far."""

    def __init__(self) -> None:
        self.audits: dict[bytes, Audit] = {}
        self.shown: dict[str, int] = {}
        """How many plans were registered when the digits of a seed were first."""

    def find(self, value: dict[str, Any]) -> Audit:
        """The audit that a seed, count or report belongs to."""
        if value["plan"] not in self.audits:
            raise FormatError("its plan is not registered")
        return self.audits[value["plan"]]

    def check(self, kind: str, value: dict[str, Any], issuer: str, name: bytes) -> None:
        """Refuse what may not follow what is registered. Raises FormatError."""
        if kind == "audit-plan":
            if any(audit.plan["name"] == value["name"] and known != name for known, audit in self.audits.items()):
                raise FormatError("a plan of this name is registered")
            return
        audit = self.find(value)
        if issuer != audit.issuer and issuer not in audit.plan["board"]:
            raise FormatError(f"{issuer} does not belong to this audit")
        if kind == "audit-seed" and audit.seed not in (None, name):
            raise FormatError("a second seed of one plan")
        if kind == "audit-seed" and audit.number >= self.shown.get(value["seed"], len(self.audits)):
            raise FormatError("digits that were known before the plan")
        if kind == "audit-count" and audit.seed is None:
            raise FormatError("a count before the seed")
        if kind == "audit-report" and (value["seed"] != audit.seed or bool(value["risks"]) != (audit.plan["about"] == "outcome")):
            raise FormatError("a report of another seed, or with risks where none are measured")

    def follow(self, kind: str, value: dict[str, Any], issuer: str, name: bytes, index: int) -> None:
        """Take note of the next statement by a key that was not revoked."""
        if kind == "audit-plan" and all(audit.plan["name"] != value["name"] for audit in self.audits.values()):
            self.audits[name] = Audit(value, issuer, len(self.audits), index)
        audit = self.audits.get(value.get("plan", b""))
        if kind == "audit-plan" or audit is None or not (issuer == audit.issuer or issuer in audit.plan["board"]):
            return
        if kind == "audit-seed" and audit.seed is None:
            audit.seed, audit.seeded, audit.seeded_at = name, value, index
            self.shown.setdefault(value["seed"], len(self.audits))
        elif kind != "audit-seed":
            (audit.counts if kind == "audit-count" else audit.reports).append((index, name, value))
