"""Records and the chain that they form."""

import hashlib
import json

import pytest

from scrutineer.errors import StoreError
from scrutineer.http.networks import network_text
from scrutineer.intake.incidents.chain import (
    MAX_LINE,
    MAX_LISTED,
    START,
    Begin,
    Chain,
    Place,
    Record,
    Unwritten,
    Window,
    chained,
    read_record,
)
from scrutineer.statements.incident import REQUEST_KINDS

NAME = "0a" * 16


def lines(*records: Record) -> list[bytes]:
    place, made = Place(NAME), []
    for record in records:
        line, place = chained(record, place)
        made.append(line.removesuffix(b"\n"))
    return made


def window(count: int = 3, **networks: int) -> Window:
    return Window(since=1, until=61, lasted=60_000, counts={"replay": (count, networks or {"192.0.2.0/24": count})})


GOOD = lines(Begin(election="0b" * 32), window(1), window(2), window(3), window(4))


def followed(of: list[bytes]) -> list[str]:
    """What is wrong with lines, as a reader finds it."""
    chain, found = Chain(), []
    for line in of:
        try:
            record = read_record(line)
        except StoreError as error:
            found.append(str(error))
            chain.damaged()
            continue
        if (wrong := chain.follow(record)) is not None:
            found.append(wrong)
    return found


def test_what_was_written_is_read() -> None:
    assert [read_record(line).n for line in GOOD] == [1, 2, 3, 4, 5]
    assert read_record(GOOD[0]).previous == START
    assert read_record(GOOD[1]).previous == read_record(GOOD[0]).hash
    assert followed(GOOD) == []
    whole = Window(
        since=5,
        until=2,
        lasted=1,
        counts={"scan": (7, {"unknown": 2})},
        unwritten=Unwritten(windows=2, since=1, until=9, counts={"scan": 3, "flood": 5}),
    )
    (line,) = lines(whole)[-1:]
    read = read_record(line)
    assert isinstance(read, Window)
    assert read.totals == {"scan": 10, "flood": 5}


@pytest.mark.parametrize("at", range(1, 4))
def test_a_changed_record_is_named(at: int) -> None:
    changed = GOOD.copy()
    changed[at] = changed[at].replace(b'"to":61', b'"to":62')
    assert followed(changed) == ["it was changed: its hash is another one"]


def test_one_that_is_written_anew_with_its_hash_is_found_by_the_next() -> None:
    forged = lines(Begin(election="0b" * 32), window(1), window(1), window(3), window(4))
    assert followed([*GOOD[:2], forged[2], *GOOD[3:]]) == [
        "record 4 does not follow record 3 that stands before it: one of the two was replaced"
    ]


def test_missing_moved_and_doubled_records_are_named() -> None:
    assert followed([GOOD[0], *GOOD[2:]]) == ["record 2 is missing before record 3"]
    assert followed([GOOD[0], *GOOD[3:]]) == ["records 2 to 3 are missing before record 4"]
    assert followed([GOOD[0], GOOD[2], GOOD[1], *GOOD[3:]])[0] == "record 2 is missing before record 3"
    assert followed([*GOOD[:3], GOOD[2], *GOOD[3:]]) == ["record 3 stands behind record 3: records were moved, or stand twice"]
    other = lines(Begin(election="0b" * 32), window(1))
    assert followed([other[1]]) == []  # A journal whose beginning was removed; who reads asks for the record that says so.
    place = Place("0c" * 16, 1, read_record(GOOD[0]).hash)
    assert followed([GOOD[0], chained(window(1), place)[0].strip()]) == [
        "record 2 belongs to another journal: files of two were mixed"
    ]
    assert followed([chained(Begin(election="0b" * 32), Place(NAME, 4, "11" * 32))[0].strip()]) == [
        "record 5 is no first record of a journal: it was changed"
    ]
    assert followed([chained(window(), Place(NAME))[0].strip()]) == ["record 1 is no first record of a journal: it was changed"]


def value(**changes: object) -> bytes:
    """A line whose hash is right, whatever it holds."""
    record = {key: item for key, item in (json.loads(GOOD[1]) | changes).items() if item is not None and key != "hash"}

    def encode(of: object) -> bytes:
        return json.dumps(of, sort_keys=True, separators=(",", ":")).encode()

    return encode(record | {"hash": hashlib.sha256(encode(record)).hexdigest()})


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 5000,
        GOOD[1] + b" ",
        GOOD[1][:-1],
        GOOD[1].replace(b'"n":2', b'"n":2,"n":2'),
        value(what="window", more=1),
        value(what="else"),
        value(what=None),
        value(n="2"),
        value(lasted=None),
        value(counts={"tea": [1, {}]}),
        value(counts={"replay": [0, {}]}),
        value(counts={"replay": [1, {"192.0.2.0/24": 2}]}),
        value(counts={"replay": [1, {"192.0.2.77": 1}]}),
        value(counts={"replay": [9, {f"192.0.{n}.0/24": 1 for n in range(MAX_LISTED + 1)}]}),
        value(unwritten={"windows": 1, "from": 1, "to": 2, "counts": {"scan": 0}}),
        value(previous="x" * MAX_LINE),
    ],
    ids=range(21),
)
def test_what_is_no_record(line: bytes) -> None:
    with pytest.raises(StoreError):
        read_record(line)


def test_the_largest_window_has_less_than_six_kilobytes() -> None:
    listed = {network_text(bytes([0x2A, 0xFF, n, 0xFF, 0xFF, 0xFF])): 10**9 for n in range(MAX_LISTED)}
    counts = dict.fromkeys(REQUEST_KINDS, (10**10, listed))
    unwritten = Unwritten(windows=10**5, since=10**10, until=10**10, counts=dict.fromkeys(REQUEST_KINDS, 10**10))
    largest = Window(since=10**10, until=10**10, lasted=60_000, counts=counts, unwritten=unwritten)
    line, _ = chained(largest, Place(NAME, 10**9, "f" * 64, 10**9))
    assert len(line) < 6 * 1024
    read_record(line.strip())
