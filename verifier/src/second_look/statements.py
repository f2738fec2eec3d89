"""Statements: the envelope (COSE_Sign1, RFC 9052) and the payloads (docs/formats.md, "Kinds of statement")."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from second_look import audits, cbor, signatures
from second_look.merkle import statement_hash
from second_look.report import FormatError
from second_look.shapes import COUNT, TIME, Shape, listed, mapped, nullable, number, octets, one_of, record, text

MOST_BYTES = 65_535
ROLES = ("authority", "station", "poll-worker", "agent", "observer", "auditor", "tribunal", "candidate", "operator")
_ALGORITHMS = {-8: signatures.ED25519, -48: signatures.ML_DSA_44}

hash32, time, count, figure = octets(32), number(0, TIME), number(0, COUNT), nullable(number(0, COUNT))
ident = text(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}", 64)
reason = text(r"(?s).*\S.*", 2000)
unit = (ident, "")


def name(value: Any) -> str:
    """A name: 1 to 256 printable characters, not blank."""
    if type(value) is not str or not 1 <= len(value) <= 256 or not value.isprintable() or not value.strip():
        raise FormatError(f"{value!r:.60} is not a name")
    return value


def issuer_id(value: Any) -> str:
    """`<role>/<name>`; the name is an identifier, or for people any name without a slash."""
    if type(value) is not str or len(value) > 96 or value.partition("/")[0] not in ROLES or not value.partition("/")[2]:
        raise FormatError(f"{value!r:.60} is not an issuer")
    return value


def anything(value: Any) -> Any:
    """A value whose inside this verifier does not look into."""
    return value


_FIGURES: dict[Any, tuple[Shape, Any]] = dict.fromkeys(("blank", "null", "cast", "voters", "roll"), (count, None))
_CALL_SETTINGS = record({}, dict.fromkeys(("risk", "gamma", "strata", "extra_ballots"), (anything, None)))
_OPTION = record({"id": ident, "name": name, "candidate": anything})
_RULES = ("plurality", "approval", "yes-no", "majority", "ranked", "dhondt", "sainte-lague", "hamilton")
_CONTEST = record(
    {"id": ident, "title": name, "rule": one_of(*_RULES), "options": listed(_OPTION, 1, 512)},
    {
        "seats": (number(2, 2000), 1),
        "max_choices": (number(2, 512), 1),
        "unit": unit,
        "candidates": (listed(record({"id": ident, "name": name}), 1), []),
        "base": (one_of("cast"), "valid"),
        "write_in": (ident, ""),
    }
    | dict.fromkeys(("threshold", "alternative", "recount"), (anything, None)),
)
_RESULT = record(
    {"contest": ident, "votes": listed(number(), 0, 512)}
    | {key: nullable(number()) for key in ("blank", "null", "open_ballots", "margin")}
    | {key: number() for key in ("ballots", "stations", "counted", "quarantined", "excluded", "outstanding")}
    | {key: listed(ident) for key in ("elected", "runoff", "tied")}
    | {"changeable": one_of(True, False)}
)
_ACTS = ("definition", "accreditation", "decision", "bulletin", "certificate")
_TABLE = record({"sha256": hash32, "size": number()})
_TABLES = ("units.csv", "register.csv", "baseline.csv", "shapes.geojson", "ballots.json")
_STATION_CONTEST = {"election": hash32, "station": ident, "contest": ident}
_RANKING = listed(anything, 2, 2)

SHAPES: dict[str, Shape] = {
    "definition": record(
        {"version": one_of(1), "id": ident, "name": name, "date": text(r"\d{4}-\d\d-\d\d"), "timezone": text()}
        | {"provenance": one_of("official", "simulated", "replayed"), "authority": name, "contests": listed(_CONTEST, 1)}
        | {
            "tables": mapped(one_of(*_TABLES), _TABLE),
            "log": record({"origin": text(r"[^\s+]{1,128}"), "keys": listed(text(), 1)}),
        },
        {
            "source": (text(r".{1,512}"), ""),
            "thresholds": (mapped(one_of(*_ACTS), number(1, 100)), {}),
            "rules": (mapped(text(), one_of("error", "warning", "off")), {}),
            "opening_required": (one_of(True), False),
            "calls": (_CALL_SETTINGS, None),
            "witnesses": (
                record(
                    {
                        "quorum": number(1, 32),
                        "witnesses": listed(record({"keys": listed(text(), 1, 2)}, {"url": (text(), "")}), 1, 32),
                    }
                ),
                None,
            ),
            "transmission": (record({}, dict.fromkeys(("endpoints", "relays", "ways"), (anything, None))), None),
            "parties": (listed(record({"id": ident, "name": name, "options": listed(text(), 1)}), 1, 512), []),
        },
    ),
    "accreditation": record(
        {
            "election": hash32,
            "action": one_of("admit", "revoke"),
            "issuer": issuer_id,
            "role": one_of(*ROLES),
            "key": octets(32, 1312),
        },
        {"algorithm": (one_of("ml-dsa-44"), "ed25519"), "unit": unit, "name": (name, ""), "reason": (reason, "")},
    ),
    "endorsement": record(
        {"election": hash32, "statement": hash32, "verdict": one_of("sign", "refuse")}, {"reason": (reason, "")}
    ),
    "station-opened": record({"election": hash32, "station": ident, "time": time}, {"software": (hash32, None)}),
    "tally-sheet": record(
        {1: hash32, 2: text(r"(?s).{1,64}"), 3: text(r"(?s).{1,64}"), 4: listed(figure, 0, 512)},
        dict.fromkeys((5, 6, 7, 8, 9), (count, None))
        | {10: (time, None), 11: (hash32, None), 12: (hash32, None), 13: (listed(_RANKING, 0, 4096), None)}
        | {14: (name, "")},
    ),
    "attestation": record(
        _STATION_CONTEST | {"counts": listed(figure, 0, 512)}, _FIGURES | {"time": (time, None), "image": (hash32, None)}
    ),
    "decision": record(
        _STATION_CONTEST | {"action": one_of("accept", "correct", "exclude"), "reason": reason},
        {"sheet": (hash32, None), "after": (record({"counts": listed(figure, 0, 512)}, _FIGURES), None)},
    ),
    "bulletin": record(
        {"election": hash32, "number": number(1), "layer": one_of("preliminary", "official"), "size": number(1), "root": hash32}
        | {"time": time, "contests": listed(_RESULT, 1), "results": hash32},
        {"calls": (listed(anything, 1), [])},
    ),
    "certificate": record(
        {"election": hash32, "size": number(1), "root": hash32, "time": time, "contests": listed(_RESULT, 1), "results": hash32}
    ),
    **audits.SHAPES,
}
NOT_LOOKED_INTO = ("claim", "incident")
"""Kinds whose payloads change nothing in the count: of them only envelope, signer and election are checked."""


@dataclass(frozen=True)
class Statement:
    """A statement that is well-formed; who may say it, and whether the signature holds, is for `policy`."""

    hash: bytes
    kind: str
    issuer: str
    subject: str
    algorithm: str
    kid: bytes
    payload: dict[Any, Any]
    signed: bytes
    signature: bytes


_HEADER = record(
    {1: one_of(-8, -48), 3: text(r"application/vnd\.scrutineer\.[a-z-]+\+cbor"), 4: hash32}
    | {15: record({1: issuer_id, 2: text(r"(?s).{1,192}", 192)})}
)


def read(data: bytes) -> Statement:
    """Read a statement; raises FormatError for bytes that are not one in its only form."""
    if len(data) > MOST_BYTES or data[:1] != b"\xd2":  # tag 18, COSE_Sign1
        raise FormatError("not a COSE_Sign1 of at most 65,535 bytes")
    parts = cbor.decode(data[1:])
    if type(parts) is not list or len(parts) != 4 or [type(part) for part in parts] != [bytes, dict, bytes, bytes] or parts[1]:
        raise FormatError("not the four parts of a COSE_Sign1 with an empty unprotected header")
    protected, _, payload, signature = parts
    header = _HEADER(cbor.decode(protected))
    algorithm = _ALGORITHMS[header[1]]
    if len(signature) != signatures.SIGNATURE_SIZE[algorithm]:
        raise FormatError("the signature has another length than its algorithm's")
    kind = header[3].removeprefix("application/vnd.scrutineer.").removesuffix("+cbor")
    value = cbor.decode(payload)
    if kind in SHAPES:
        value = SHAPES[kind](value)
    elif kind not in NOT_LOOKED_INTO or type(value) is not dict or type(value.get("election")) is not bytes:
        raise FormatError(f"{kind!r} is no kind of statement, or names no election")
    issuer, subject = header[15][1], header[15][2]
    _check_payload(kind, value, subject)
    # RFC 9052, section 4.4.
    signed = b"\x84" + cbor.encode("Signature1") + cbor.encode(protected) + b"\x40" + cbor.encode(payload)
    return Statement(statement_hash(data), kind, issuer, subject, algorithm, header[4], value, signed, signature)


def _check_payload(kind: str, value: dict[Any, Any], subject: str) -> None:
    """What CDDL does not say: the subject claim of each kind, and fields that depend on each other."""
    expected = subject
    if kind == "definition":
        expected = value["id"]
    elif kind == "accreditation":
        expected = value["issuer"]
        key_size = signatures.KEY_SIZE[value["algorithm"]]
        if value["role"] != value["issuer"].partition("/")[0] or len(value["key"]) != key_size:
            raise FormatError("an accreditation names another role or key size than its issuer's")
        if value["action"] == "revoke" and not value["reason"]:
            raise FormatError("a key is revoked without a reason")
    elif kind == "endorsement":
        expected = value["statement"].hex()
        if value["verdict"] == "refuse" and not value["reason"]:
            raise FormatError("an endorsement refuses without a reason")
    elif kind == "station-opened":
        expected = value["station"]
    elif kind == "tally-sheet":
        expected = f"{value[2]}/{value[3]}"
        orders = [_ranking(ranking) for ranking in value[13] or ()]
        if orders != sorted(orders) or any(left == right for left, right in pairwise(orders)):
            raise FormatError("rankings are not sorted, or one stands twice")
    elif kind in ("attestation", "decision"):
        expected = f"{value['station']}/{value['contest']}"
    elif kind == "bulletin":
        expected = f"bulletin/{value['number']}"
    elif kind == "certificate":
        expected = "certificate"
    elif kind in audits.SHAPES:
        expected = audits.check(kind, value)
    if kind == "decision":
        given = (value["sheet"] is not None, value["after"] is not None)
        if given != {"accept": (True, False), "correct": (True, True), "exclude": (False, False)}[value["action"]]:
            raise FormatError("a decision has other fields than its action needs")
    if subject != expected:
        raise FormatError(f"the subject claim is {subject[:60]!r} instead of {expected[:60]!r}")


def _ranking(ranking: list[Any]) -> list[int]:
    order: list[int] = listed(number(0, 511), 1, 512)(ranking[0])
    count(ranking[1])
    if len(set(order)) != len(order):
        raise FormatError("a ranking names an option twice")
    return order
