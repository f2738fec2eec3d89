"""Bundles: lines in bounded memory, strict reading, and a writer that can go on where it was cut off."""

import itertools

import msgspec
import pytest

from ballot_helpers import every_contest, one_hand, seeded
from record_helpers import STATUSES, make_bundle, pieces, sample_choices
from scrutineer.ballots.bundle import MAX_LINE_SIZE, BundleWriter, read_bundle, read_line, split_lines
from scrutineer.ballots.encrypt import Encryptor
from scrutineer.ballots.record import Ballot, BundleClosing, BundleHeader
from scrutineer.errors import BallotError

HAND = one_hand(every_contest())


@pytest.fixture(scope="module")
def bundle() -> bytes:
    return make_bundle(HAND.keys)[0]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 10_000])
def test_lines_are_the_same_in_any_pieces(size: int) -> None:
    data = b"a\n\nbcd\nlong line of words\nunfinished"
    assert list(split_lines(pieces(data, size))) == [b"a\n", b"\n", b"bcd\n", b"long line of words\n", b"unfinished"]


@pytest.mark.parametrize("size", [1, 4, 7, 100])
def test_a_line_without_end_takes_no_memory(size: int) -> None:
    endless = itertools.chain(pieces(b"ab\n" + b"x" * 1000, size), pieces(b"y\nok\n", size))
    assert list(split_lines(endless, limit=10)) == [b"ab\n", b"x" * 11, b"ok\n"]


def test_a_line_of_exactly_the_limit_is_whole() -> None:
    assert list(split_lines([b"123456789\n", b"1234567890\n"], limit=10)) == [b"123456789\n", b"1234567890\n"]


def test_a_line_above_the_limit_is_refused() -> None:
    with pytest.raises(BallotError, match="more than"):
        read_line(b"x" * (MAX_LINE_SIZE + 1))


def test_a_bundle_is_a_header_ballots_and_a_closing(bundle: bytes) -> None:
    items = list(read_bundle(bundle.splitlines(keepends=True)))
    assert [item.failure for item in items] == [None] * len(items)
    assert [type(item.value) for item in items] == [BundleHeader, *[Ballot] * len(STATUSES), BundleClosing]
    closing = items[-1].value
    assert isinstance(closing, BundleClosing)
    assert (closing.cast, closing.challenged, closing.spoiled, closing.provisional) == (3, 2, 1, 1)


def test_reading_goes_on_behind_a_bad_line(bundle: bytes) -> None:
    lines = bundle.splitlines(keepends=True)
    lines[2] = b"{}\n"
    items = list(read_bundle(lines, "a.jsonl"))
    assert [(item.line, item.failure.check) for item in items if item.failure] == [(3, "R.2")]
    assert items[2].failure is not None
    assert items[2].failure.where == "a.jsonl, line 3"
    assert isinstance(items[-1].value, BundleClosing)


@pytest.mark.parametrize("cut", range(2 + len(STATUSES)))
def test_a_writer_goes_on_where_the_lines_end(bundle: bytes, cut: int) -> None:
    lines = bundle.splitlines(keepends=True)
    writer = BundleWriter(HAND.keys, "0001", "0001 a")
    found = writer.resume(lines[:cut])
    assert found == max(0, cut - 1)
    written = lines[:cut] or [writer.header()]
    for line in lines[max(1, cut) : -1]:
        written.append(writer.add(msgspec.json.decode(line, type=Ballot)))
    assert b"".join([*written, writer.close()]) == bundle


def test_a_closed_bundle_takes_nothing_more(bundle: bytes) -> None:
    lines = bundle.splitlines(keepends=True)
    writer = BundleWriter(HAND.keys, "0001", "0001 a")
    assert writer.resume(lines) == len(STATUSES)
    with pytest.raises(BallotError, match="closed"):
        writer.add(msgspec.json.decode(lines[1], type=Ballot))
    with pytest.raises(BallotError, match="closed already"):
        writer.close()


def test_a_writer_refuses_what_it_did_not_write(bundle: bytes) -> None:
    lines = bundle.splitlines(keepends=True)
    for wrong, message in (
        ([lines[0], lines[2]], "another place"),
        ([lines[0].replace(b'"device":"0001 a"', b'"device":"0001 b"')], "another device"),
        ([lines[0], b"{}\n"], "line 2"),
        ([lines[0], lines[-1]], "not that of its ballots"),
        ([lines[0], lines[1][:-1]], "line feed"),
    ):
        with pytest.raises(BallotError, match=message):
            BundleWriter(HAND.keys, "0001", "0001 a").resume(wrong)


def test_a_writer_refuses_a_ballot_from_another_place_of_the_chain() -> None:
    writer = BundleWriter(HAND.keys, "0001", "0001 a")
    made = Encryptor(HAND.keys, 4, seeded("place")).encrypt(1, sample_choices(HAND.keys.manifest, 1, 0), writer.chain)
    writer.add(made.ballot)
    with pytest.raises(BallotError, match="another place"):
        writer.add(made.ballot)


@pytest.mark.parametrize(("station", "device"), [("", "a"), ("a/b", "a"), ("0001", ""), ("0001", "a\nb"), ("0001", "x" * 1025)])
def test_names_that_no_bundle_can_have(station: str, device: str) -> None:
    with pytest.raises(BallotError):
        BundleWriter(HAND.keys, station, device)


def test_a_device_has_totals_for_its_own_styles_alone() -> None:
    closing = BundleWriter(HAND.keys, "0001", "0001 a", (2,)).closing()
    assert [total.contest for total in closing.totals] == [1, 4]
    assert all(
        field.alpha == field.beta == HAND.keys.group.element_bytes(HAND.keys.group.g * 0 + 1)
        for field in closing.totals[0].fields
    )
