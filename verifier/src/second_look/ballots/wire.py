"""The lines of a bundle and the files beside it (docs/formats.md, "Ballot records")."""

from typing import Any

from second_look.report import FormatError
from second_look.shapes import COUNT, Shape, base64, listed, load_json, number, one_of, record, text
from second_look.statements import ident
from second_look.statements import name as name_shape

FORMAT = "scrutineer-ballots/v1"
LONGEST_LINE = LARGEST_KEYS = 16 * 1024 * 1024
LARGEST_TALLY = 32 * 1024 * 1024
FIELDS = ("blank", "null", "undervotes", "write-ins")
_HASH, _CHAIN, _INDEX, _COUNT, _BYTES = base64(32), base64(36), number(1, COUNT), number(0, COUNT), base64()
_TEXT = text(r"(?s).*", 1 << 16)

SEALED = record({"point": _BYTES, "data": _BYTES, "proof": _BYTES})
SELECTION = record({"alpha": _BYTES, "beta": _BYTES, "proof": _BYTES})
_AGGREGATE = record({"alpha": _BYTES, "beta": _BYTES})
_BALLOT = {"identifier": _HASH, "identifier_hash": _HASH, "style": _INDEX, "nonce": SEALED, "chain": _CHAIN, "code": _HASH}
_HEADER = {
    "format": _TEXT,
    "keys": _HASH,
    "station": _TEXT,
    "device": _TEXT,
    "device_hash": _HASH,
    "chain": _CHAIN,
    "opening": _HASH,
}
_CONTEST = record({"contest": _INDEX, "selections": listed(SELECTION), "proof": _BYTES, "hash": _HASH}, {"data": (SEALED, None)})
_CHOSEN = record({"code": text(r"(?s).{1,4}"), "hash": _HASH, "selections": listed(SELECTION)})
_OPENED = record({"label": _TEXT, "code": text(r"(?s).{1,4}"), "hash": _HASH, "nonces": listed(_BYTES)})
_PRE_CONTEST = record(
    {"contest": _INDEX, "hashes": listed(_HASH), "hash": _HASH},
    {"chosen": (listed(_CHOSEN), []), "selections": (listed(SELECTION), []), "proof": (_BYTES, b"")}
    | {"label": (_TEXT, ""), "opened": (listed(_OPENED), [])},
)
LINES: dict[str, Shape] = {
    "header": record(_HEADER | {"kind": one_of("header")}),
    "pre-encrypted-header": record(_HEADER | {"kind": one_of("pre-encrypted-header")}),
    "ballot": record(
        _BALLOT
        | {"kind": one_of("ballot"), "contests": listed(_CONTEST)}
        | {"status": one_of("cast", "challenged", "spoiled", "provisional")}
    ),
    "pre-encrypted-ballot": record(
        _BALLOT | {"kind": one_of("pre-encrypted-ballot"), "contests": listed(_PRE_CONTEST), "status": one_of("cast", "uncast")}
    ),
    "closing": record(
        {"kind": one_of("closing"), "cast": _COUNT, "challenged": _COUNT, "spoiled": _COUNT, "provisional": _COUNT}
        | {"totals": listed(record({"contest": _INDEX, "fields": listed(_AGGREGATE)})), "chain": _CHAIN, "closing": _HASH}
    ),
}
TALLY = record(
    {
        "format": one_of(FORMAT),
        "keys": _HASH,
        "bundle": _HASH,
        "contests": listed(
            record(
                {
                    "label": _TEXT,
                    "fields": listed(record({"label": _TEXT, "total": _COUNT, "value": _BYTES, "proof": _BYTES})),
                }
            )
        ),
        "challenged": listed(
            record(
                {
                    "code": _HASH,
                    "contests": listed(
                        record(
                            {"label": _TEXT, "fields": listed(record({"label": _TEXT, "value": _COUNT, "nonce": _BYTES}))},
                            {"data": (_BYTES, b""), "data_nonce": (_BYTES, b"")},
                        )
                    ),
                }
            )
        ),
        "data": listed(record({"code": _HASH, "contest": _INDEX, "data": _BYTES, "beta": _BYTES, "proof": _BYTES})),
    }
)
_LIMIT = number(1, 64)
_MANIFEST = record(
    {
        "election": ident,
        "name": name_shape,
        "date": _TEXT,
        "contests": listed(
            record(
                {"label": ident, "options": listed(_TEXT, 1, 512)},
                {"selection_limit": (_LIMIT, 1), "option_limit": (_LIMIT, 1), "fields": (listed(one_of(*FIELDS)), [])}
                | {"data_blocks": (number(0, 64), 0), "orders": (one_of(True), False)},
            ),
            1,
        ),
        "styles": listed(record({"label": _TEXT, "contests": listed(_INDEX, 1)}), 1),
        "format": one_of(FORMAT),
    },
    {
        "parties": (listed(record({"label": _TEXT, "name": _TEXT, "options": listed(listed(_INDEX, 2, 2))})), []),
        "trimming": (number(0, 8), 0),
    },
)
_GUARDIAN = record(
    {"index": number(1, 64), "name": text(r"(?s).{1,256}"), "vote": listed(_BYTES), "data": listed(_BYTES)}
    | {"communication": _BYTES, "vote_proof": _BYTES, "data_proof": _BYTES}
)
KEYS = record(
    {"format": one_of(FORMAT), "specification": _TEXT, "guardians": listed(_GUARDIAN, 1, 64), "quorum": number(1, 64)}
    | {"manifest": _MANIFEST, "p": _BYTES, "q": _BYTES, "g": _BYTES, "vote_key": _BYTES, "data_key": _BYTES}
    | {"parameter_hash": _HASH, "base_hash": _HASH, "extended_hash": _HASH}
)


def read(data: bytes, shape: Shape, largest: int) -> Any:
    """A value in its only form: JSON with sorted keys, without spaces; raises FormatError."""
    if len(data) > largest:
        raise FormatError(f"more than {largest} bytes")
    return shape(load_json(data, canonical=True))


def read_line(line: bytes) -> dict[str, Any]:
    """One line of a bundle with its line feed; raises FormatError."""
    if line[-1:] != b"\n" or len(line) > LONGEST_LINE:
        raise FormatError("a line is too long, or not ended by a line feed")
    value = load_json(line[:-1], canonical=True)
    kind = value.get("kind") if type(value) is dict else None
    if type(kind) is not str or kind not in LINES:
        raise FormatError(f"{kind!r:.40} is no kind of line")
    checked: dict[str, Any] = LINES[kind](value)
    return checked
