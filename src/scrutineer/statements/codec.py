"""Deterministic CBOR (RFC 8949 §4.2.1), the one encoding of everything that is signed.

A value has exactly one encoding here, so two programs that agree on a value agree on its bytes. Decoding is strict by
decoding, encoding again and comparing. Maps have text keys (or, inside COSE headers, integers); there are no tags, no
floating-point numbers and no indefinite lengths.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import cbor2
import msgspec

from scrutineer.errors import ScrutineerError, StatementError

MAX_STATEMENT_SIZE: Final = 64 * 1024 - 1  # bytes; one entry of a C2SP entry bundle
MAX_DEPTH: Final = 16

T = TypeVar("T")


def encode(value: object) -> bytes:
    """Encode a value of maps, lists, text, bytes, integers, booleans and None. Raises StatementError for anything else."""
    _check(value, 0)
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Any:
    """Decode one value in its only encoding. Raises StatementError for anything malformed, trailing or not deterministic."""
    if len(data) > MAX_STATEMENT_SIZE:
        raise StatementError(f"{len(data)} bytes of CBOR are too many: at most {MAX_STATEMENT_SIZE} are read")
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise StatementError(f"malformed CBOR ({_one_line(error)}): send the statement exactly as it was signed") from error
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
            raise StatementError(f"the integer {value} is outside the range of 64 bits: no count is that large")
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str | int) or isinstance(key, bool):
                raise StatementError(f"the map key {key!r} is neither text nor an integer")
            _check(item, depth + 1)
    else:
        raise StatementError(
            f"the CBOR holds a {type(value).__name__}, which no statement may hold (no floats, tags or undefined)"
        )


def to_struct(value: object, struct: type[T], what: str) -> T:
    """Turn decoded CBOR into a typed value; every field is checked. Raises StatementError that names the field."""
    try:
        return msgspec.convert(value, struct, strict=True, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        cause = error.__cause__
        if isinstance(cause, ScrutineerError):
            raise StatementError(f"{what}: {cause}") from error
        raise StatementError(f"{what}: {error}") from error


def from_struct(value: msgspec.Struct) -> Any:
    """Turn a typed value into what `encode` takes."""
    return msgspec.to_builtins(value, builtin_types=(bytes,))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
