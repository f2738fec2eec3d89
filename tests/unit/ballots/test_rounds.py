"""Files that trustees carry: read strictly, and never with anything else than a clear refusal."""

import contextlib
from collections.abc import Callable
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballot_helpers import SMALL, one_contest, seeded
from scrutineer.ballots.decryption import Commitment
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.rounds import (
    CommitLine,
    RoundHeader,
    RoundReader,
    RoundWriter,
    Scanned,
    complete,
    decode_request,
    decode_reveal,
    digests_of,
    scan_round,
    seen_hash,
    side_by_side,
)
from scrutineer.ballots.trustee import (
    encode_carried,
    make_shares,
    new_trustee,
    public_file,
    read_carried,
    read_state,
    shares_file,
)
from scrutineer.errors import BallotError

KEYS, ROUND = bytes(32), bytes(range(32))


def header(guardian: int = 1, **changes: object) -> RoundHeader:
    made = RoundHeader(FORMAT, KEYS, ROUND, 1, "commit", guardian, (1, 2), 3)
    return msgspec.structs.replace(made, **changes)


def written(first: RoundHeader, bundles: tuple[int, ...] = (1, 2, 3)) -> bytes:
    writer = RoundWriter()
    lines = [writer.line(CommitLine(bytes((number,)) * 32, (Commitment(b"partial", b"hash"),), ())) for number in bundles]
    fresh = RoundWriter()
    return b"".join([fresh.line(first), *[fresh.line(msgspec.json.decode(line, type=CommitLine)) for line in lines], fresh.end()])


def scanned(data: bytes) -> Scanned:
    return scan_round(data.splitlines(keepends=True), "file")


def test_what_is_written_is_read() -> None:
    reader = RoundReader(written(header()).splitlines(keepends=True), "file")
    assert reader.header == header()
    assert [line.bundle[0] for line in reader] == [1, 2, 3]
    assert scanned(written(header())).digest == reader.digest


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(written(header()))
    data[place % len(data)] ^= change
    with pytest.raises(BallotError, match="file"):
        scanned(bytes(data))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_any_cut_is_noticed(place: int) -> None:
    data = written(header())
    with pytest.raises(BallotError, match="file"):
        scanned(data[: place % len(data)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (written(header(bundles=4)), "was changed after it was written"),
        (written(header(), (1, 3, 2)), "is malformed behind line 3"),
        (written(header(), (1, 1, 2)), "is malformed behind line 2"),
        (written(header(step="reveal")), "is malformed behind line 1"),
        (written(header(format="other/v1")), "this program reads"),
        (written(header(guardian=3)), "does not say properly which trustees decrypt"),
        (written(header(present=(2, 1))), "does not say properly which trustees decrypt"),
        (written(header()) + b"{}\n", "something follows the end"),
        (written(header()).split(b"\n", 1)[1], "begins with something else than its header"),
    ],
)
def test_files_that_no_machine_writes(data: bytes, words: str) -> None:
    with pytest.raises(BallotError, match=words):
        scanned(data)


def test_one_file_of_each_trustee_is_needed() -> None:
    files = {"a": scanned(written(header(1))), "b": scanned(written(header(2)))}
    assert complete(files, "commit", header()) == {1: "a", 2: "b"}
    assert complete(files | {"copy": files["a"]}, "commit", header())[2] == "b"
    with pytest.raises(BallotError, match="the reveal file of trustee 1 and 2 is missing"):
        complete(files, "reveal", header())
    other = scanned(written(header(1, seen=bytes(32))))
    with pytest.raises(BallotError, match="a and c are both of trustee 1, and they differ"):
        complete(files | {"c": other}, "commit", header())
    with pytest.raises(BallotError, match=r"c \(trustee 2\) is of another election"):
        complete(files | {"c": scanned(written(header(2, keys=ROUND)))}, "commit", header())
    with pytest.raises(BallotError, match=r"c \(trustee 2\) is of another decryption: trustee 2 was given other bundles"):
        complete(files | {"c": scanned(written(header(2, round=KEYS)))}, "commit", header())


def test_what_was_seen_depends_on_every_file_and_its_trustee() -> None:
    files = {"a": scanned(written(header(1))), "b": scanned(written(header(2)))}
    digests = digests_of(files, {1: "a", 2: "b"})
    swapped = {1: digests[2], 2: digests[1]}
    assert len({seen_hash(digests), seen_hash(swapped), seen_hash(digests, digests), seen_hash(digests, swapped)}) == 4


def test_files_of_different_bundles_do_not_go_together() -> None:
    def together(second: bytes) -> list[object]:
        return list(
            side_by_side(
                {own: RoundReader(data.splitlines(keepends=True), "file") for own, data in ((1, written(header())), (2, second))}
            )
        )

    assert len(together(written(header(2)))) == 3
    for bundles in ((1, 2, 4), (1, 2)):
        with pytest.raises(BallotError, match="name different bundles"):
            together(written(header(2, bundles=len(bundles)), bundles))


@cache
def carried() -> tuple[bytes, bytes, bytes]:
    states = [new_trustee(one_contest(2), index, 2, 2, f"Trustee {index}", seeded(index), SMALL) for index in (1, 2)]
    state = make_shares(states[0], [each.public for each in states], seeded("shares"), SMALL)
    return encode_carried(public_file(state)), encode_carried(shares_file(state)), state.encode()


READERS: tuple[Callable[[bytes], object], ...] = (
    lambda data: read_carried(data, "file"),
    read_state,
    decode_request,
    decode_reveal,
    scanned,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(READERS), st.sampled_from([0, 1, 2]), st.integers(0, 10**6), st.binary(max_size=4))
def test_hostile_bytes_are_refused_in_words(read: Callable[[bytes], object], which: int, place: int, put: bytes) -> None:
    data = carried()[which]
    place %= len(data)
    # Some changes, of a name for example, leave a file that can be read; no other error may come of any.
    with contextlib.suppress(BallotError):
        read(data[:place] + put + data[place + len(put) + 1 :])


@given(st.sampled_from(READERS), st.binary(max_size=64))
def test_any_bytes_are_refused_in_words(read: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(BallotError):
        read(data)
