"""Deterministic CBOR (RFC 8949 §4.2.1), the one encoding of everything that is signed.

A value has exactly one encoding here, so two programs that agree on a value agree on its bytes. Decoding is strict by
decoding, encoding again and comparing. Maps have text keys; there are no tags, no floating-point numbers and no indefinite
lengths. (COSE headers and tally sheets have integer keys; envelope.py and tally_sheet.py write those out.)
"""

from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeVar

import cbor2
import msgspec

from scrutineer.errors import ScrutineerError, StatementError

MAX_STATEMENT_SIZE: Final = 64 * 1024 - 1  # bytes; one entry of a C2SP entry bundle
MAX_DEPTH: Final = 16

T = TypeVar("T")


# Every tag that the decoder would otherwise give a meaning to. Shared references (28, 29) and string references (25, 256)
# matter most: with them a few kilobytes unfold to more than any machine holds.
_SEMANTIC_TAGS: Final = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


def _refuse_tag(*_: object) -> NoReturn:
    raise StatementError("a tag stands where none may: statements hold no tagged values")


_REFUSED_TAGS: Final = dict.fromkeys(_SEMANTIC_TAGS, _refuse_tag)


def encode(value: object) -> bytes:
    """Encode a value of maps, lists, text, bytes, integers, booleans and None. Raises StatementError for anything else."""
    _check(value, 0)
    try:
        return cbor2.dumps(value, canonical=True)
    except (cbor2.CBORError, ValueError) as error:
        raise StatementError(f"the value cannot be encoded ({one_line(error)}): text must be valid Unicode") from error


def load(data: bytes) -> Any:
    """Decode one value without tags, indefinite lengths or doubled map keys; whether it is canonical is for the caller to check.

    Never takes more time or memory than a small multiple of the bytes. Raises what the decoder raises: use `decode` unless
    the result is encoded again and compared.
    """
    return cbor2.loads(
        data,
        tag_hook=_refuse_tag,
        semantic_decoders=_REFUSED_TAGS,
        max_depth=MAX_DEPTH,
        allow_indefinite=False,
        allow_duplicate_keys=False,
    )


def decode(data: bytes) -> Any:
    """Decode one value in its only encoding. Raises StatementError for anything malformed, trailing or not deterministic."""
    if len(data) > MAX_STATEMENT_SIZE:
        raise StatementError(f"{len(data)} bytes of CBOR are too many: at most {MAX_STATEMENT_SIZE} are read")
    try:
        value = load(data)
    except Exception as error:
        # Hostile bytes can fail anywhere in the decoder; whatever they break, they are not a statement.
        raise StatementError(f"malformed CBOR ({one_line(error)}): send the statement exactly as it was signed") from error
    if encode(value) != data:
        raise StatementError(
            "the CBOR is not in deterministic form (RFC 8949 section 4.2.1): sort keys, use shortest forms, one map key each"
        )
    return value


def _check(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise StatementError(f"the CBOR is nested deeper than {MAX_DEPTH} levels: flatten it")
    if value is None or isinstance(value, str | bytes | bool):
        return
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise StatementError("an integer is outside the range of 64 bits: no count is that large")
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise StatementError(f"a map key is a {type(key).__name__}: every key of a payload is text")
            _check(item, depth + 1)
    else:
        raise StatementError(
            f"the CBOR holds a {type(value).__name__}, which no statement may hold (no floats, tags or undefined)"
        )


def to_struct(value: object, struct: type[T], what: str) -> T:
    """Turn decoded CBOR into a typed value; every field is checked. Raises StatementError that names the field."""
    try:
        return msgspec.convert(value, struct, strict=True, builtin_types=(bytes,))
    except (msgspec.ValidationError, ScrutineerError) as error:
        # The types' own checks raise errors of this project's tree, among them DefinitionError.
        raise StatementError(f"{what}: {one_line(error)}") from error


def from_struct(value: msgspec.Struct) -> Any:
    """Turn a typed value into what `encode` takes."""
    return msgspec.to_builtins(value, builtin_types=(bytes,))


def item_head(major: int, value: int) -> bytes:
    """The head of a CBOR item: its major type (0 to 7) and its value or length, in the shortest form (RFC 8949 section 4.2.1)."""
    if value < 24:
        return bytes((major << 5 | value,))
    if value < 0x100:
        return bytes((major << 5 | 24, value))
    if value < 0x10000:
        return bytes((major << 5 | 25, value >> 8, value & 0xFF))
    if value < 0x1_0000_0000:
        return bytes((major << 5 | 26,)) + value.to_bytes(4)
    return bytes((major << 5 | 27,)) + value.to_bytes(8)


TEXT_HEADS: Final = tuple(item_head(3, length) for length in range(256))
"""Heads of texts by their length in bytes, for those who write a million of them."""


def one_line(error: BaseException) -> str:
    """What an error says, in one printable line of bounded length, whatever bytes it quotes."""
    text = "".join(character if character.isprintable() else " " for character in str(error)[:1000])
    return " ".join(text.split())[:400] or type(error).__name__
