"""CBOR (RFC 8949) in the one encoding that docs/formats.md allows under "Encoding"; whatever else there is, is refused."""

from typing import Any

from second_look.report import FormatError

DEEPEST = 16
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_LEAST = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}


def decode(data: bytes) -> Any:
    """The value of these bytes; raises FormatError for bytes that are not a value in its only encoding."""
    value, end = _item(data, 0, 0)
    if end != len(data):
        raise FormatError("bytes follow the CBOR value")
    return value


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, and where the content begins (RFC 8949, section 3). The argument must be in its shortest form."""
    if at >= len(data):
        raise FormatError("CBOR ends within a value")
    kind, short = data[at] >> 5, data[at] & 31
    if short < 24:
        return kind, short, at + 1
    size = _SIZES.get(short)
    if size is None or at + 1 + size > len(data):
        raise FormatError("CBOR of indefinite or reserved length, or cut off")
    argument = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    if argument < _LEAST[short]:
        raise FormatError("a CBOR number or length is not in its shortest form")
    return kind, argument, at + 1 + size


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > DEEPEST:
        raise FormatError("CBOR is nested too deeply")
    start = at
    kind, argument, at = _head(data, at)
    if kind == 0 or kind == 1:
        if argument >= 1 << 63:
            raise FormatError("an integer is too large")
        return (argument if kind == 0 else -1 - argument), at
    if kind == 2 or kind == 3:
        content = data[at : at + argument]
        if len(content) != argument:
            raise FormatError("CBOR ends within a string")
        try:
            return (content if kind == 2 else content.decode()), at + argument
        except UnicodeDecodeError:
            raise FormatError("text is not UTF-8") from None
    if kind == 4:
        values = []
        if argument > len(data):
            raise FormatError("a list is longer than its bytes")
        for _ in range(argument):
            value, at = _item(data, at, depth + 1)
            values.append(value)
        return values, at
    if kind == 5:
        found: dict[Any, Any] = {}
        before = b""
        if argument > len(data):
            raise FormatError("a map is longer than its bytes")
        for _ in range(argument):
            key_at = at
            key, at = _item(data, at, depth + 1)
            if type(key) not in (int, str) or data[key_at:at] <= before:
                raise FormatError("the keys of a map are not integers or text in ascending order")
            before = data[key_at:at]
            found[key], at = _item(data, at, depth + 1)
        return found, at
    if kind == 7 and data[start] in (0xF4, 0xF5, 0xF6):
        return {0xF4: False, 0xF5: True, 0xF6: None}[data[start]], at
    raise FormatError("CBOR with a tag, a floating-point number or another simple value")


def head(kind: int, argument: int) -> bytes:
    """The shortest head of a major type with its argument."""
    if argument < 24:
        return bytes((kind << 5 | argument,))
    for short, size in _SIZES.items():
        if argument < 1 << 8 * size:
            return bytes((kind << 5 | short,)) + argument.to_bytes(size, "big")
    raise FormatError("a length is too large")


def encode(value: Any) -> bytes:
    """The one encoding of integers, byte strings, text, lists and maps."""
    if type(value) is int:
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if type(value) is bytes:
        return head(2, len(value)) + value
    if type(value) is str:
        return head(3, len(value.encode())) + value.encode()
    if type(value) is list:
        return head(4, len(value)) + b"".join(map(encode, value))
    if type(value) is dict:
        pairs = sorted((encode(key), encode(part)) for key, part in value.items())
        return head(5, len(pairs)) + b"".join(key + part for key, part in pairs)
    raise FormatError(f"no encoding of {type(value)} is needed here")
