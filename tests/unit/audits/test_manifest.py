"""The manifest: canonical bytes, which card lies where, and what is refused."""

import hashlib

import numpy as np
import pytest

from scrutineer.audits.manifest import Manifest, read_manifest
from scrutineer.errors import AuditError

BOXES = Manifest.of([("robin", 3), ("heron, north", 0), ("élan", 2), ("owl", 1)])
FILE = 'box,cards\n"heron, north",0\nowl,1\nrobin,3\nélan,2\n'.encode()


def test_the_canonical_form():
    assert BOXES.encode() == FILE
    assert BOXES.hash == hashlib.sha256(FILE).digest()
    again = read_manifest(FILE)
    assert (again.boxes, again.cards.tolist(), again.total) == (BOXES.boxes, [0, 1, 3, 2], 6)


def test_every_card_has_a_place():
    found = [BOXES.box_of(card) for card in range(1, 7)]
    assert found == [("owl", 1), ("robin", 1), ("robin", 2), ("robin", 3), ("élan", 1), ("élan", 2)]
    places, positions = BOXES.boxes_of(np.array([6, 1]))
    assert (places.tolist(), positions.tolist()) == ([3, 1], [2, 1])


@pytest.mark.parametrize("card", [0, -1, 7])
def test_a_card_that_there_is_not(card):
    with pytest.raises(AuditError, match=f"there is no card {card}; cards are numbered from 1 to 6"):
        BOXES.box_of(card)


def test_numbers_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="read-only"):
        BOXES.cards[0] = 5


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("owl", 1), ("owl", 1)], "box 'owl' stands there twice"),
        ([("owl", -1)], "box 'owl' is said to hold -1 cards"),
        ([("owl", 1 << 31)], "box 'owl' is said to hold 2147483648 cards"),
        ([("", 1)], "a name has 1 to 200 bytes"),
        ([("é" * 101, 1)], "a name has 1 to 200 bytes"),
        ([(" owl", 1)], "leave out control characters"),
        ([("o\twl", 1)], "leave out control characters"),
        ([("o\u200bwl", 1)], "cannot be seen"),
        ([("o\ud800wl", 1)], "not Unicode text"),
    ],
)
def test_boxes_that_are_refused(rows, message):
    with pytest.raises(AuditError, match=message):
        Manifest.of(rows)


def test_boxes_out_of_order_and_numbers_that_do_not_fit():
    with pytest.raises(AuditError, match="out of order"):
        Manifest(("owl", "kite"), np.array([1, 1]))
    with pytest.raises(AuditError, match="2 boxes, but 1 numbers"):
        Manifest(("kite", "owl"), np.array([1]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: the canonical form starts with"),
        (b"box,number\nowl,1\n", "line 1"),
        (b"box,cards\nowl\n", "line 2: give the name"),
        (b"box,cards\nowl,\n", "line 2: give the name"),
        (b"box,cards\nowl,-1\n", "line 2: give the name"),
        (b"box,cards\nowl,1.0\n", "line 2: give the name"),
        (b"box,cards\nowl,99999999999\n", "line 2: give the name"),
        (b"box,cards\nowl,\xd9\xa1\n", "line 2: give the name"),
        (b"box,cards\nowl,1\nowl,2\n", "'owl' stands there twice"),
        (b"box,cards\nowl,1\nkite,2\n", "'kite' is out of order"),
        (b"box,cards\nowl,01\n", "not in canonical form"),
        (b"box,cards\nowl,1", "not in canonical form"),
        (b"box,cards\r\nowl,1\r\n", "not in canonical form"),
        (b'box,cards\n"owl",1\n', "not in canonical form"),
        (b"\xef\xbb\xbfbox,cards\nowl,1\n", "line 1"),
        (b'box,cards\n"owl,1\n', "line 2"),
        (b"box,cards\n\xff,1\n", "byte 10 is not UTF-8"),
    ],
)
def test_only_the_canonical_form_is_read(data, message):
    with pytest.raises(AuditError, match=message):
        read_manifest(data)
