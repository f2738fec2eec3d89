"""What values may look like: small checkers, put together the way CDDL (RFC 8610) and docs/formats.md write it.

A checker takes a value and returns it, bytes for base64, or a dict with every field present; it raises FormatError.
"""

import base64 as b64
import json
import re
from collections.abc import Callable
from typing import Any

from second_look.report import FormatError, UnknownFieldError

Shape = Callable[[Any], Any]
COUNT = 2**31 - 1
TIME = 2**40 - 1


def number(low: int = 0, high: int = 2**63 - 1) -> Shape:
    """An integer within limits; booleans are not integers."""

    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise FormatError(f"{value!r:.60} is not a number from {low} to {high}")
        return value

    return check


def text(pattern: str = r"(?s).{1,2000}", longest: int = 2000) -> Shape:
    """Text that a pattern matches whole."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if type(value) is not str or len(value) > longest or compiled.fullmatch(value) is None:
            raise FormatError(f"{value!r:.60} is not a text of this kind")
        return value

    return check


def octets(*sizes: int) -> Shape:
    """A byte string of one of these sizes; of any size where none is given."""

    def check(value: Any) -> bytes:
        if type(value) is not bytes or (sizes and len(value) not in sizes):
            raise FormatError(f"not a byte string of {sizes} bytes")
        return value

    return check


def base64(*sizes: int) -> Shape:
    """Bytes as text in base64 (RFC 4648, section 4), in its only form."""
    own = octets(*sizes)

    def check(value: Any) -> bytes:
        if type(value) is not str:
            raise FormatError("bytes in base64 were expected")
        data: bytes = own(decode_base64(value))
        return data

    return check


def decode_base64(value: str) -> bytes:
    """Strict base64: no other characters, and no bits left over."""
    try:
        data = b64.b64decode(value, validate=True)
    except ValueError:
        raise FormatError(f"{value[:40]!r} is not base64") from None
    if b64.b64encode(data).decode() != value:
        raise FormatError(f"{value[:40]!r} is not base64 in its only form")
    return data


def one_of(*values: Any) -> Shape:
    """One of these values."""

    def check(value: Any) -> Any:
        if type(value) not in {type(known) for known in values} or value not in values:
            raise FormatError(f"{value!r:.60} is none of {values}")
        return value

    return check


def nullable(shape: Shape) -> Shape:
    """A value of a shape, or null."""
    return lambda value: None if value is None else shape(value)


def listed(shape: Shape, least: int = 0, most: int = 1 << 20) -> Shape:
    """A list of values of one shape."""

    def check(value: Any) -> list[Any]:
        if type(value) is not list or not least <= len(value) <= most:
            raise FormatError(f"not a list of {least} to {most} values")
        return [shape(part) for part in value]

    return check


def mapped(key: Shape, shape: Shape) -> Shape:
    """A map with any keys of one shape."""

    def check(value: Any) -> dict[Any, Any]:
        if type(value) is not dict:
            raise FormatError("not a map")
        return {key(name): shape(part) for name, part in value.items()}

    return check


def record(required: dict[Any, Shape], optional: dict[Any, tuple[Shape, Any]] | None = None) -> Shape:
    """A map of named fields. Optional ones come with their default, which may not be given ("Kinds of statement")."""
    optional = optional or {}
    defaults = {name: default for name, (_, default) in optional.items()}

    def check(value: Any) -> dict[Any, Any]:
        if type(value) is not dict:
            raise FormatError("not a map of fields")
        found = dict(defaults)
        for name, part in value.items():
            if name in required:
                found[name] = required[name](part)
            elif name in optional:
                found[name] = optional[name][0](part)
                if type(found[name]) is type(defaults[name]) and found[name] == defaults[name]:
                    raise FormatError(f"field {name!r} holds its default, which is left out")
            else:
                raise UnknownFieldError(f"unknown field {name!r:.60}")
        if missing := required.keys() - value.keys():
            raise FormatError(f"fields are missing: {sorted(map(str, missing))}")
        return found

    return check


def load_json(data: bytes, canonical: bool = False) -> Any:
    """JSON without floating-point numbers and without a key twice; `canonical`: sorted keys, no spaces, and nothing else."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            raise FormatError("a key stands twice in JSON")
        return found

    def refuse(value: str) -> Any:
        raise FormatError(f"{value[:40]} is not an integer")

    try:
        value = json.loads(data.decode(), object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse)
        again = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() if canonical else data
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}") from None
    if again != data:
        raise FormatError("JSON that is not in its only form: sorted keys, without spaces")
    return value
