"""What the tests of the second verifier share: its view of records of encrypted ballots, and records with one thing changed."""

import base64
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from second_look import ballots
from second_look.report import Report

from ballot_helpers import SMALL
from record_helpers import Record, canonical

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "verifier" / "src"
SMALL_GROUP = ballots.Group(int(SMALL.p), int(SMALL.q), int(SMALL.g))


def look(record: Record, group: ballots.Group = SMALL_GROUP) -> Report:
    """The second verifier's findings about a record."""
    pairs = zip(record.bundles, record.tallies, strict=True)
    given = {f"bundle-{number}": (bundle, tally or None) for number, (bundle, tally) in enumerate(pairs, 1)}
    return ballots.check(record.keys, given, group=group)


def tampered(record: Record, seed: int) -> tuple[str, Record]:
    """The record with one value changed somewhere, in its only form again and with its hash bound again; and what it was."""
    draw = random.Random(seed)
    kind = draw.choice(("keys", "tally", "bundle", "bundle", "bundle", "lines"))
    place = draw.randrange(len(record.bundles))
    if kind == "keys":
        value = msgspec.json.decode(record.keys)
        what = change(value, draw)
        return f"keys, {what}", replace(record, keys=canonical(value))
    if kind == "tally":
        value = msgspec.json.decode(record.tallies[place])
        what = change(value, draw)
        tallies = [canonical(value) if at == place else tally for at, tally in enumerate(record.tallies)]
        return f"tally {place}, {what}", replace(record, tallies=tuple(tallies))
    lines = record.bundles[place].splitlines(keepends=True)
    at = draw.randrange(len(lines))
    if kind == "lines":
        other = draw.randrange(len(lines))
        what = draw.choice(("removed", "twice", "swapped", "cut", "moved"))
        if what == "removed":
            del lines[at]
        elif what == "twice":
            lines.insert(other, lines[at])
        elif what == "swapped":
            lines[at], lines[other] = lines[other], lines[at]
        elif what == "cut":
            lines = lines[:at]
        else:
            lines.insert(other, lines.pop(at))
        return f"bundle {place}, line {at} {what} ({other})", record.with_bundle(place, b"".join(lines))
    value = msgspec.json.decode(lines[at])
    what = change(value, draw)
    lines[at] = canonical(value) + b"\n"
    return f"bundle {place}, line {at}, {what}", record.with_bundle(place, b"".join(lines), bind=draw.random() < 0.9)


def change(value: Any, draw: random.Random) -> str:
    """Change one leaf, or one part of one list or object; the path to it."""
    path = []
    while True:
        inner = [key for key in _keys(value) if isinstance(value[key], dict | list) and value[key]]
        key = draw.choice(_keys(value))
        if inner and draw.random() < 0.75:
            key = draw.choice(inner)
        path.append(str(key))
        if isinstance(value[key], dict | list) and value[key] and draw.random() < 0.93:
            value = value[key]
            continue
        if isinstance(value, list) and draw.random() < 0.4:
            path.append(_shuffle(value, key, draw))
        elif isinstance(value, dict) and draw.random() < 0.1:
            path.append(draw.choice(("gone", "renamed")))
            value[f"{key}s" if path[-1] == "renamed" else "more"] = value.pop(key)
        else:
            value[key] = _other(value[key], draw)
        return "/".join(path)


def _keys(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value)))


def _shuffle(value: list[Any], key: int, draw: random.Random) -> str:
    what = draw.choice(("removed", "twice", "swapped"))
    if what == "removed":
        del value[key]
    elif what == "twice":
        value.insert(draw.randrange(len(value) + 1), value[key])
    else:
        other = draw.randrange(len(value))
        value[key], value[other] = value[other], value[key]
    return what


def _other(value: Any, draw: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw.choice((value + 1, max(0, value - 1), 0, -1, 2**31, 7))
    if not isinstance(value, str):
        return draw.choice((None, "", 0, []))
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError:
        data = b""
    if len(data) < 32:
        return draw.choice((value + "s", value[1:], "", "cast", "spoiled", "challenged", "uncast", 3))
    return base64.b64encode(_other_bytes(data, draw)).decode()


def _other_bytes(data: bytes, draw: random.Random) -> bytes:
    size, q = len(data), int(SMALL.q)
    whole = int.from_bytes(data, "big")
    at = 32 * draw.randrange(size // 32)
    scalar = int.from_bytes(data[at : at + 32], "big")
    if size == SMALL.element_size and draw.random() < 0.6:
        p = int(SMALL.p)
        outside = whole * pow(draw.getrandbits(400) | 3, 2 * q, p) % p
        hostile = (0, 1, p, p - 1, (p - whole) % p, outside, whole + p if whole + p < 1 << 8 * size else 5)
        return draw.choice(hostile).to_bytes(size, "big")
    what = draw.choice(("flip", "flip", "scalar", "beyond", "cut", "long", "swap"))
    if what == "flip":
        bit = draw.randrange(8 * size)
        return (whole ^ 1 << bit).to_bytes(size, "big")
    if what == "cut":
        return data[:-1]
    if what == "long":
        return data + b"\0"
    if what == "swap" and size >= 64:
        return data[32:64] + data[:32] + data[64:]
    changed = q + draw.randrange(189) if what == "beyond" else (scalar + 1) % q
    return data[:at] + changed.to_bytes(32, "big") + data[at + 32 :]


def edited(record: Record, where: str, path: str, value: Any) -> Record:
    """The record with the value at a path of a file replaced: `keys`, `tally 0` or `bundle 0 line 3`; a function is applied."""
    kind, *numbers = [int(word) if word.lstrip("-").isdigit() else word for word in where.replace("line ", "").split()]
    lines = record.bundles[numbers[0]].splitlines(keepends=True) if kind == "bundle" else []
    data = {"keys": lambda: record.keys, "tally": lambda: record.tallies[numbers[0]], "bundle": lambda: lines[numbers[1]]}[kind]()
    whole = msgspec.json.decode(data)
    *steps, last = [int(step) if step.lstrip("-").isdigit() else step for step in path.split("/")]
    inner = whole
    for step in steps:
        inner = inner[step]
    inner[last] = value(inner[last]) if callable(value) else value
    changed = canonical(whole)
    if kind == "keys":
        return replace(record, keys=changed)
    if kind == "tally":
        return replace(record, tallies=tuple(changed if at == numbers[0] else old for at, old in enumerate(record.tallies)))
    lines[numbers[1]] = changed + b"\n"
    return record.with_bundle(numbers[0], b"".join(lines))


def with_bytes(change: Any) -> Any:
    """A change of bytes, for values in base64."""
    return lambda text: base64.b64encode(change(base64.b64decode(text))).decode()
