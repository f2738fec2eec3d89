"""Each kind refuses what it may not hold, whether made in code and signed or read from bytes."""

from typing import Any

import msgspec
import pytest

from scrutineer.errors import StatementError
from scrutineer.statements import SigningKey, StationOpened, codec, sign_statement
from scrutineer.statements.statement import decode_payload, encode_payload, subject_of
from statement_samples import sample_payloads

KEY = SigningKey(b"\x07" * 32)
SAMPLES = {kind: payload for kind, payload in sample_payloads().items() if kind != "tally-sheet"}

WRONG: dict[str, dict[str, list[Any]]] = {
    "definition": {
        "version": [0, 2, True, "1"],
        "id": ["", "a b", 5],
        "date": ["14 March 2027", "2027-13-01", ""],
        "timezone": ["Mars/Olympus", "../etc/passwd", "\x00"],
        "provenance": ["guessed"],
        "contests": [[], "x", [{}]],
        "tables": [{}, {"units.csv": {"sha256": b"", "size": 1}}],
        "thresholds": [{"decision": 0}, {"decision": -1}, {"tally-sheet": 1}],
        "rules": [{"a": "fatal"}],
        "source": ["somebody", "two\nlines"],
    },
    "accreditation": {
        "election": [b"", b"\x00" * 31, "0" * 32],
        "action": ["promote", 1],
        "issuer": ["", "ibis", "agent/ibis", "observer/", "observer/a\nb"],
        "role": ["king"],
        "key": [b"", b"\x00" * 31, "k" * 32],
        "name": ["\x07", "n" * 300],
    },
    "endorsement": {"statement": [b"", None], "verdict": ["maybe"], "reason": ["   ", "r" * 3000, 5]},
    "station-opened": {"time": [-1, 2**40, True, 1.0, "now"], "software": [b"", "s" * 32], "station": [5]},
    "attestation": {
        "counts": [[-1], [2**31], [2**63 - 1], [True], ["1"], [0] * 513, 5, None],
        "blank": [-1, 2**62, False],
        "roll": [-1],
        "time": [-1],
        "image": [b"x"],
    },
    "decision": {
        "action": ["annul", "accept", "exclude"],
        "sheet": [b"", None],
        "after": [None, {}, {"counts": [-1]}, {"counts": [], "cast": -5}, {"counts": [], "other": 1}],
        "reason": ["", " ", 5],
    },
    "bulletin": {
        "number": [0, -1, True],
        "layer": ["final"],
        "size": [0, -1],
        "root": [b""],
        "results": [b"x"],
        "time": [-1],
        "contests": [5, [{}]],
    },
    "claim": {
        "announced_by": ["", " ", "n" * 300, 5],
        "announced_at": ["", "n" * 300, 0],
        "source": ["", "s" * 3000, None],
        "figures": [
            [],
            [{"name": "Heron"}],
            [{"name": "", "votes": 1}],
            [{"name": "Heron", "votes": -1}],
            [{"name": "Heron", "votes": 10**10 + 1}],
            [{"name": "Heron", "percent": "51,2"}],
            [{"name": "Heron", "percent": "100.000001"}],
            [{"name": "Heron", "percent": "1e1"}],
            [{"name": "Heron", "percent": ".5"}],
            [{"name": "Heron", "percent": "5.1234567"}],
            [{"name": "Heron", "votes": 1}, {"name": "Heron", "votes": 2}],
            [{"name": "a", "votes": 1, "others": True}, {"name": "b", "votes": 2, "others": True}],
            [{"name": str(number), "votes": 1} for number in range(101)],
        ],
        "base": ["votes", 1],
        "rounding": ["up"],
        "counted": ["80 %", "101", "\u0665", 80],
        "stations": [0, -1],
        "roll": [0, True],
        "cast": [-1, 10**10 + 1],
        "turnout": ["-1"],
        "null_percent": ["0.4 1"],
    },
    "certificate": {"size": [0], "root": [b""], "time": [2**41], "results": [None]},
}
CASES = [(kind, field, value) for kind, fields in WRONG.items() for field, values in fields.items() for value in values]


@pytest.mark.parametrize(("kind", "field", "value"), CASES, ids=[f"{k}.{f}={v!r:.24}" for k, f, v in CASES])
def test_refuses_a_wrong_field(kind: str, field: str, value: Any) -> None:
    given = {**codec.from_struct(SAMPLES[kind]), field: value}  # type: ignore[arg-type]
    with pytest.raises(StatementError) as caught:
        decode_payload(kind, _encode(given), subject_of(SAMPLES[kind]))
    assert str(caught.value).isprintable()


def _encode(value: dict[str, Any]) -> bytes:
    if value.get("time") == 1.0 and not isinstance(value.get("time"), bool):
        return b"\xa1\x64time\xf9\x3c\x00"  # a float, which the codec does not write
    return codec.encode(value)


@pytest.mark.parametrize("kind", SAMPLES)
def test_refuses_a_missing_and_an_unknown_field(kind: str) -> None:
    payload = SAMPLES[kind]
    given = codec.from_struct(payload)  # type: ignore[arg-type]
    required = [field.encode_name for field in msgspec.structs.fields(type(payload)) if field.required]  # type: ignore[arg-type]
    for name in required:
        with pytest.raises(StatementError, match=name):
            decode_payload(kind, codec.encode({key: value for key, value in given.items() if key != name}), subject_of(payload))
    with pytest.raises(StatementError, match="unknown field"):
        decode_payload(kind, codec.encode({**given, "extra": 1}), subject_of(payload))


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_default_value_is_left_out(kind: str) -> None:
    payload = SAMPLES[kind]
    given = codec.from_struct(payload)  # type: ignore[arg-type]
    optional = [field for field in msgspec.structs.fields(type(payload)) if not field.required]  # type: ignore[arg-type]
    for field in optional:
        default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        if field.encode_name in given:
            continue
        with pytest.raises(StatementError):
            decode_payload(kind, codec.encode({**given, field.encode_name: default}), subject_of(payload))


def test_revoking_and_refusing_need_a_reason() -> None:
    revoking = {**codec.from_struct(SAMPLES["accreditation"]), "action": "revoke"}  # type: ignore[arg-type]
    refusing = {key: value for key, value in codec.from_struct(SAMPLES["endorsement"]).items() if key != "reason"}  # type: ignore[arg-type]
    for kind, given in (("accreditation", revoking), ("endorsement", refusing)):
        with pytest.raises(StatementError, match="reason"):
            decode_payload(kind, codec.encode(given), subject_of(SAMPLES[kind]))


@pytest.mark.parametrize("field", ["blank", "null", "ballots", "counted", "open_ballots", "margin"])
def test_totals_are_not_negative(field: str) -> None:
    given = codec.from_struct(SAMPLES["bulletin"])  # type: ignore[arg-type]
    given["contests"][0][field] = -1
    with pytest.raises(StatementError, match="negative"):
        decode_payload("bulletin", codec.encode(given), "bulletin/3")


def test_stations_of_a_bulletin_add_up() -> None:
    given = codec.from_struct(SAMPLES["bulletin"])  # type: ignore[arg-type]
    given["contests"][0]["outstanding"] += 1
    with pytest.raises(StatementError, match="sum"):
        decode_payload("bulletin", codec.encode(given), "bulletin/3")


@pytest.mark.parametrize("station", [5, "s" * 300, "\ud800"], ids=["number", "long", "surrogate"])
def test_what_could_not_be_read_back_is_not_signed(station: Any) -> None:
    payload = StationOpened(election=b"\x00" * 32, station=station, time=1)
    with pytest.raises(StatementError):
        sign_statement(payload, "station/1", KEY)


def test_defaults_made_at_run_time_are_left_out_too() -> None:
    made = msgspec.structs.replace(SAMPLES["accreditation"], algorithm="".join(["ed", "25519"]))  # type: ignore[type-var]
    assert encode_payload(made) == encode_payload(SAMPLES["accreditation"])


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("definition", "republic-2027"),
        ("accreditation", "observer/ibis"),
        ("endorsement", bytes(range(100, 132)).hex()),
        ("station-opened", "010203001"),
        ("attestation", "010203001/president"),
        ("decision", "010203001/president"),
        ("bulletin", "bulletin/3"),
        ("claim", "claim/president"),
        ("certificate", "certificate"),
    ],
)
def test_subjects(kind: str, subject: str) -> None:
    assert subject_of(SAMPLES[kind]) == subject
