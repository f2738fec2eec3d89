"""The codec refuses whatever is not the one encoding of a value, quickly and in one line."""

import cbor2
import pytest

from scrutineer.election import Option
from scrutineer.errors import StatementError
from scrutineer.statements import codec


def laughing(levels: int, width: int) -> bytes:
    """Arrays of references to the array before: a few kilobytes that unfold to `width ** levels` items."""
    head = b"\xd8\x1c\x99" + width.to_bytes(2)
    arrays = [head + b"\x00" * width]
    arrays += [head + (b"\xd8\x1d\x18" + bytes([level])) * width for level in range(levels - 1)]
    return bytes([0x80 + levels]) + b"".join(arrays)


REFUSED = {
    "empty": b"",
    "truncated head": b"\x19\x01",
    "truncated text": b"\x63ab",
    "truncated map": b"\xa2\x61a\x01",
    "trailing byte": b"\x00\x00",
    "duplicate key": b"\xa2\x61a\x01\x61a\x01",
    "keys out of order": b"\xa2\x61b\x01\x61a\x01",
    "longer key first": b"\xa2\x62aa\x01\x61b\x01",
    "integer key": b"\xa1\x01\x01",
    "bytes key": b"\xa1\x41a\x01",
    "array key": b"\xa1\x81\x01\x01",
    "null key": b"\xa1\xf6\x01",
    "long integer": b"\x18\x17",
    "long zero": b"\x1b" + b"\x00" * 8,
    "long length of text": b"\x78\x01a",
    "long length of bytes": b"\x58\x01a",
    "long length of array": b"\x98\x01\x01",
    "long length of map": b"\xb8\x01\x61a\x01",
    "indefinite bytes": b"\x5f\x41a\xff",
    "indefinite text": b"\x7f\x61a\xff",
    "indefinite array": b"\x9f\x01\xff",
    "indefinite map": b"\xbf\x61a\x01\xff",
    "lone break": b"\xff",
    "float 16": b"\xf9\x3c\x00",
    "float 32": b"\xfa\x3f\x80\x00\x00",
    "float 64": b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00",
    "NaN": b"\xf9\x7e\x00",
    "infinity": b"\xf9\x7c\x00",
    "undefined": b"\xf7",
    "simple value": b"\xf8\xff",
    "reserved length": b"\x1c",
    "integer of 64 bits and more": b"\x1b\x80" + b"\x00" * 7,
    "negative integer below 64 bits": b"\x3b\x80" + b"\x00" * 7,
    "bignum": b"\xc2\x49" + b"\x01" * 9,
    "vast bignum": cbor2.dumps(cbor2.CBORTag(2, b"\xff" * 10_000)),
    "self-described": b"\xd9\xd9\xf7\x01",
    "date": b"\xc1\x00",
    "set": b"\xd9\x01\x02\x81\x01",
    "unknown tag": b"\xda\x12\x34\x56\x78\x01",
    "cycle": bytes.fromhex("d81c81d81d00"),
    "references that unfold": laughing(14, 1000),
    "string references": bytes.fromhex("d901008363616161d81900d81900"),
    "invalid UTF-8": b"\x62\xc3\x28",
    "overlong UTF-8": b"\x62\xc0\xaf",
    "surrogate": b"\x63\xed\xa0\x80",
    "nested arrays": b"\x81" * 60_000 + b"\x00",
    "nested maps": b"\xa1\x61a" * 20_000 + b"\x00",
    "nested tags": b"\xc6" * 60_000 + b"\x00",
    "array longer than the input": b"\x9b\x7f" + b"\xff" * 7,
    "map longer than the input": b"\xbb\x7f" + b"\xff" * 7,
    "bytes longer than the input": b"\x5b\x7f" + b"\xff" * 7,
    "oversize": b"\x5a" + (codec.MAX_STATEMENT_SIZE).to_bytes(4) + b"\x00" * codec.MAX_STATEMENT_SIZE,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_refuses_what_is_not_the_one_encoding(data: bytes) -> None:
    with pytest.raises(StatementError) as caught:
        codec.decode(data)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_every_tag_is_refused() -> None:
    for tag in (*range(300), 1004, 40_000, 43_000, 43_001, 55_799, 65_535, 2**32, 2**64 - 1):
        for content in (0, "a", b"a", [1], [1, 2], {}):
            with pytest.raises(StatementError):
                codec.decode(cbor2.dumps(cbor2.CBORTag(tag, content)))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [  # RFC 8949 appendix A
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (1_000_000_000_000, "1b000000e8d4a51000"),
        (-1, "20"),
        (-1000, "3903e7"),
        (False, "f4"),
        (None, "f6"),
        (b"\x01\x02\x03\x04", "4401020304"),
        ("\u6c34", "63e6b0b4"),
        ([1, [2, 3], [4, 5]], "8301820203820405"),
        ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    ],
)
def test_vectors_of_the_rfc(value: object, encoded: str) -> None:
    assert codec.encode(value).hex() == encoded
    assert codec.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), {1: 2}, {True: 1}, {b"a": 1}, 2**63, -(2**63) - 1, 10**4000, {1, 2}, object(), "\ud800"]
)
def test_refuses_to_encode(value: object) -> None:
    with pytest.raises(StatementError) as caught:
        codec.encode(value)
    assert str(caught.value).isprintable()


def test_depth_is_bounded_both_ways() -> None:
    value: object = 0
    for _ in range(codec.MAX_DEPTH):
        value = [value]
    assert codec.decode(codec.encode(value)) == value
    with pytest.raises(StatementError):
        codec.encode([value])
    with pytest.raises(StatementError):
        codec.decode(b"\x81" * (codec.MAX_DEPTH + 1) + b"\x00")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"id": "a"}, "name"),
        ({"id": "a", "name": "A", "extra\nline": 1}, "extra line"),
        ({"id": "a", "name": 5}, r"\$.name"),
        ({"id": "not an id", "name": "A"}, "identifier"),
        ([], "object"),
    ],
)
def test_a_value_of_another_shape_is_named(value: object, says: str) -> None:
    with pytest.raises(StatementError, match=says) as caught:
        codec.to_struct(value, Option, "option")
    assert str(caught.value).startswith("option: ")
    assert str(caught.value).isprintable()
