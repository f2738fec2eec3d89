"""The tally sheet's own codec: its limits, and what it refuses."""

from typing import Any

import cbor2
import pytest

from scrutineer.election.contests import MAX_OPTIONS
from scrutineer.errors import StatementError
from scrutineer.statements.tally_sheet import MAX_COUNT, MAX_RANKINGS, MAX_TIME, TallySheet, decode_payload, encode_payload
from statement_samples import sheet

SHEET = sheet()
MAP: dict[int, Any] = {1: SHEET.election, 2: "0417", 3: "president", 4: [10, None, 0], 5: 1, 7: 11, 10: 1_722_211_200}


def changed(**values: Any) -> bytes:
    return cbor2.dumps({**MAP, **{int(key[1:]): value for key, value in values.items()}}, canonical=True)


def referring(references: int, options: int) -> bytes:
    """A sheet whose rankings all refer to one long order by shared references."""
    order = b"\xd8\x1c\x99" + options.to_bytes(2) + b"\x00" * options
    rankings = b"\x99" + references.to_bytes(2) + b"\x82" + order + b"\x01" + b"\x82\xd8\x1d\x00\x01" * (references - 1)
    fixed = cbor2.dumps({1: SHEET.election, 2: "0417", 3: "president", 4: []}, canonical=True)
    return b"\xa5" + fixed[1:] + b"\x0d" + rankings


REFUSED = {
    "empty": b"",
    "no map": b"\x80",
    "trailing byte": changed() + b"\x00",
    "truncated": changed()[:-1],
    "no election": cbor2.dumps({key: value for key, value in MAP.items() if key != 1}, canonical=True),
    "no station": cbor2.dumps({key: value for key, value in MAP.items() if key != 2}, canonical=True),
    "no contest": cbor2.dumps({key: value for key, value in MAP.items() if key != 3}, canonical=True),
    "no counts": cbor2.dumps({key: value for key, value in MAP.items() if key != 4}, canonical=True),
    "keys out of order": cbor2.dumps(dict(reversed(MAP.items()))),
    "duplicate key": b"\xa8\x01\x58\x20" + SHEET.election + changed()[1:],
    "unknown key": changed(_15=1),
    "key zero": changed(_0=1),
    "text key": cbor2.dumps({**MAP, "roll": 1}, canonical=True),
    "key is a float": changed().replace(b"\x05\x01", b"\xf9\x45\x00\x01", 1),
    "unknown figure given as null": changed(_6=None),
    "indefinite map": b"\xbf" + changed()[1:] + b"\xff",
    "indefinite counts": changed().replace(b"\x83\x0a\xf6\x00", b"\x9f\x0a\xf6\x00\xff"),
    "long integer": changed().replace(b"\x83\x0a", b"\x83\x18\x0a"),
    "negative count": changed(_4=[-1]),
    "count of 2^31": changed(_4=[2**31]),
    "count of 2^63": changed(_4=[2**63]),
    "count beyond 64 bits": changed(_4=[10**30]),
    "vast count": changed(_4=[1 << 80_000]),
    "count is true": changed(_4=[True]),
    "count is a float": changed(_4=[1.0]),
    "count is NaN": changed(_4=[float("nan")]),
    "count is text": changed(_4=["1"]),
    "count is a tagged integer": changed(_4=[cbor2.CBORTag(2, b"\x01")]),
    "counts are text": changed(_4="123"),
    "counts are bytes": changed(_4=b"\x01\x02"),
    "counts are a map": changed(_4={1: 2}),
    "counts are null": changed(_4=None),
    "nested counts": changed(_4=[[1]]),
    "too many counts": changed(_4=[0] * (MAX_OPTIONS + 1)),
    "negative blank": changed(_5=-1),
    "blank is false": changed(_5=False),
    "cast of 2^63": changed(_7=2**63),
    "roll is text": changed(_9="600"),
    "time is negative": changed(_10=-1),
    "time too late": changed(_10=MAX_TIME),
    "time is true": changed(_10=True),
    "time is a float": changed(_10=1.5),
    "time is a date": changed(_10=cbor2.CBORTag(1, 1_722_211_200)),
    "election is short": changed(_1=b"\x00" * 31),
    "election is text": changed(_1="0" * 32),
    "election is a list": changed(_1=[0] * 32),
    "station is empty": changed(_2=""),
    "station is bytes": changed(_2=b"0417"),
    "station is a number": changed(_2=417),
    "station is long": changed(_2="s" * 65),
    "station is not UTF-8": changed().replace(b"0417", b"04\xff7"),
    "contest is null": changed(_3=None),
    "image is short": changed(_11=b"\x00" * 31),
    "image is text": changed(_11="0" * 32),
    "records are long": changed(_12=b"\x00" * 33),
    "rankings are text": changed(_13="ab"),
    "ranking without ballots": changed(_13=[[[0]]]),
    "ranking of nobody": changed(_13=[[[], 1]]),
    "ranking names one twice": changed(_13=[[[0, 0], 1]]),
    "ranking names null": changed(_13=[[[None], 1]]),
    "ranking with unknown ballots": changed(_13=[[[0], None]]),
    "ranking with negative ballots": changed(_13=[[[0], -1]]),
    "rankings out of order": changed(_13=[[[1], 1], [[0], 1]]),
    "rankings twice": changed(_13=[[[0], 1], [[0], 1]]),
    "too many rankings": changed(_13=[[[order], 1] for order in range(MAX_RANKINGS + 1)]),
    "rankings by reference": referring(9_000, 20_000),
    "source is empty": changed(_14=""),
    "source is long": changed(_14="s" * 257),
    "source is a list": changed(_14=["s"]),
    "nesting": b"\xa1\x01" * 30_000 + b"\x01",
}


def test_the_reference_is_good() -> None:
    assert decode_payload(changed()) == TallySheet(
        SHEET.election, "0417", "president", (10, None, 0), 1, None, 11, time=1_722_211_200
    )


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_refuses(data: bytes) -> None:
    with pytest.raises(StatementError) as caught:
        decode_payload(data)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "change",
    [
        {"election": b""},
        {"election": None},
        {"station": ""},
        {"station": "\ud800"},
        {"station": 5},
        {"contest": "c" * 65},
        {"counts": (-1,)},
        {"counts": (True,)},
        {"counts": (1.0,)},
        {"counts": (MAX_COUNT + 1,)},
        {"counts": (10**4000,)},
        {"counts": None},
        {"counts": (0,) * (MAX_OPTIONS + 1)},
        {"cast": -1},
        {"roll": "600"},
        {"time": -1},
        {"time": True},
        {"image": b"short"},
        {"records": "r" * 32},
        {"rankings": (((0,), None),)},
        {"rankings": (((None,), 1),)},
        {"rankings": (((1,), 1), ((0,), 1))},
        {"rankings": ((0, 1),)},
        {"source": ""},
        {"source": "\udfff"},
    ],
    ids=lambda change: f"{change!r:.40}",
)
def test_refuses_to_encode(change: dict[str, Any]) -> None:
    with pytest.raises(StatementError) as caught:
        encode_payload(SHEET._replace(**change))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("count", [0, 23, 24, 255, 256, 4095, 4096, 65_535, 65_536, MAX_COUNT])
def test_counts_at_the_limits_of_their_encodings(count: int) -> None:
    given = SHEET._replace(counts=(count, None), roll=count)
    assert decode_payload(encode_payload(given)) == given


def test_unknown_is_not_zero() -> None:
    unknown, zero = SHEET._replace(blank=None, counts=(None,)), SHEET._replace(blank=0, counts=(0,))
    assert encode_payload(unknown) != encode_payload(zero)
    assert decode_payload(encode_payload(unknown)).blank is None
    assert decode_payload(encode_payload(zero)).blank == 0


def test_figures_are_what_a_contradiction_is_about() -> None:
    assert SHEET._replace(time=1, image=None, source="elsewhere").figures() == SHEET.figures()
    for name in ("blank", "null", "cast", "voters", "roll"):
        assert SHEET._replace(**{name: 1_000}).figures() != SHEET.figures()
    assert SHEET._replace(counts=(1,)).figures() != SHEET.figures()
    assert SHEET._replace(rankings=()).figures() != SHEET.figures()
