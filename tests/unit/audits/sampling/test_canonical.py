"""The canonical draw against numbers that a program in another language made from its description alone."""

from hashlib import sha256

import numpy as np
import pytest

from scrutineer.audits.manifest import Manifest
from scrutineer.audits.sampling import canonical
from scrutineer.audits.sampling.canonical import card_numbers, draw_boxes, draw_boxes_uniformly, draw_cards
from scrutineer.audits.sampling.sample import Ticket
from scrutineer.errors import AuditError

SEED = "31415926535897932384"
MANIFEST = Manifest.of([("finch/1", 3), ("finch/10", 0), ("finch/2", 5), ("wren/é", 4)])

# Made by a JavaScript program (Node, crypto and BigInt) that was written from the description of the module.
WITHOUT_REPLACEMENT = [
    ("03b55185a56a62675cad720cfe346b3a0e12f98066a0643065c02516ea08280c", "finch/1", 1),
    ("09e6a14e2ee94cad1242b55250c1d8ed4f19e3c5a605c906649ae4a914a172ba", "finch/2", 2),
    ("30bc7ebcf18328cf73cefd202c684456fd0016b37cfa94cab096a89067474b46", "finch/1", 3),
    ("369863d9b8f729e5ad2fe258ba8dcaaa949d563300b1ee13406439c9b800b37b", "finch/2", 1),
]
WITH_REPLACEMENT = [
    ("dfb3d2b85fa8831dd9c6e04cccb8a12a02fd77a40a3aac93fc2e1929d160b4fe", "finch/1", 3, 1),
    ("d0950b081b18ac7cd4e7437b1dae68228e76509d8910541cbbf7e9bd0e525578", "finch/2", 2, 1),
    ("3b7479e2ad826131ac1b67e4f632163786d228af17368c4d70fd00d6d70da39c", "finch/2", 2, 2),
    ("f224e4a38ffd71228417029f7b237670b260f7049b1f06e98df86eb4f3b2d27c", "finch/2", 2, 3),
]
BOXES = [
    ("ad4b5d4bb7ac1cc3ae3226c29881cea1c7e64c43be17ba012dc79755b90b7df8", "é", 1),
    ("40726025fb6b2ca2158b9ce0f97f4640a227e410ecb940a2ff6bf557d856f8a4", "a", 1),
    ("e51e58b01ff9fd6000af394653c3dc49e5691a7178620bb425024fc28c985834", "a", 2),
    ("166e254e737852cd8d6a39488e0dd1e932fcb427feba611ec0279396ff92925b", "a", 3),
    ("a5804bea67bb5cf923bc888b192592441ebebb3073161eec2e7dd7dffab4bd04", "a", 4),
    ("742e87190067976f964580d164bd281bcf253bd76cd62b445ff0960eb6d60917", "é", 2),
]
ALIKE = [
    ("1cb9d28e212b757b32f59682f12c7efd805e723713210a470c43ebde942f2643", "b"),
    ("286928a0adfedb94e47a486d3312455ccca93bdb9ffc738f285d8555fb229c01", "é"),
    ("2e7f3aa282ac67cc19b8900d3455c404e69bacb3cdae51efa6b1b7d7f5c609fc", "c"),
    ("4bd422003172cb50a5cb82c896980db60f9ec086215bf34a9f57b00805ff4f9d", "a"),
]


def test_cards_without_replacement_are_those_of_another_program():
    sample = draw_cards(SEED, MANIFEST, 4, replacement=False)
    assert sample.tickets == tuple(Ticket(number, box, position) for number, box, position in WITHOUT_REPLACEMENT)


def test_cards_with_replacement_are_those_of_another_program():
    sample = draw_cards(SEED, MANIFEST, 4, replacement=True)
    assert sample.tickets == tuple(Ticket(*drawn) for drawn in WITH_REPLACEMENT)


def test_boxes_by_bound_are_those_of_another_program():
    sample = draw_boxes(SEED, np.array([700, 0, 1, 299]), ["a", "b", "c", "é"], 6)
    assert sample.tickets == tuple(Ticket(number, box, 0, time) for number, box, time in BOXES)


def test_boxes_alike_are_those_of_another_program():
    sample = draw_boxes_uniformly(SEED, ["é", "c", "a", "b"], 4)
    assert sample.tickets == tuple(Ticket(number, box, 0) for number, box in ALIKE)


def test_bounds_up_to_the_largest_sum_are_drawn_exactly():
    # From the same program: whole numbers below 2^63 - 1 or so, where floating point would be wrong.
    bounds = np.array([6917529027641081855, 2305843009213693951])
    assert [ticket.box for ticket in draw_boxes(SEED, bounds, ["a", "b"], 3).tickets] == ["a", "b", "a"]


def test_a_hash_beyond_the_last_whole_multiple_is_passed_over(monkeypatch):
    attempts = []

    class Hash:
        def __init__(self, data: bytes) -> None:
            self.attempt = int.from_bytes(data[-8:], "big")
            attempts.append(self.attempt)

        def digest(self) -> bytes:
            return b"\xff" * 32 if self.attempt < 2 else (2**256 - 2).to_bytes(32, "big")

    monkeypatch.setattr(canonical, "sha256", Hash)
    # 2^256 is 1 mod 3: of all hashes, the last one alone is beyond the last multiple of 3.
    assert [ticket.box for ticket in draw_boxes(SEED, np.array([1, 1, 1]), ["a", "b", "c"], 1).tickets] == ["c"]
    assert attempts == [0, 1, 2]


def test_all_cards_can_be_drawn_each_once():
    sample = draw_cards(SEED, MANIFEST, 12, replacement=False)
    assert sorted(sample.units()) == [
        (box, 1 + card) for box, cards in (("finch/1", 3), ("finch/2", 5), ("wren/é", 4)) for card in range(cards)
    ]


def test_stretches_of_any_length_give_the_same_draw(monkeypatch):
    whole = draw_cards(SEED, MANIFEST, 12, replacement=False)
    numbers = card_numbers(SEED, MANIFEST)
    assert sorted(numbers.tolist()) == [int(ticket.number[:16], 16) for ticket in whole.tickets]
    for stretch, usual in ((1, 1), (2, 3), (4, 2), (5, 100), (11, 4), (12, 5)):
        monkeypatch.setattr(canonical, "_STRETCH", stretch)
        monkeypatch.setattr(canonical, "_USUAL", usual)
        for count in range(13):
            assert draw_cards(SEED, MANIFEST, count, replacement=False).tickets == whole.tickets[:count]
        assert (card_numbers(SEED, MANIFEST) == numbers).all()


def test_numbers_that_begin_alike_are_told_apart_by_all_digits(monkeypatch):
    class Hash:
        """Of cards: the first 64 bits are all zero, and behind these positions count down."""

        def __init__(self, data: bytes) -> None:
            number = sha256(data).digest()
            position = int.from_bytes(data[32:], "big")
            self.number = bytes(8) + (1000 - position).to_bytes(8, "big") + number[16:] if len(data) == 40 else number

        def digest(self) -> bytes:
            return self.number

    monkeypatch.setattr(canonical, "sha256", Hash)
    monkeypatch.setattr(canonical, "_STRETCH", 2)
    every = draw_cards(SEED, MANIFEST, 12, replacement=False).tickets
    assert [ticket.position for ticket in every] == [5, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1]
    for count in range(12):
        assert draw_cards(SEED, MANIFEST, count, replacement=False).tickets == every[:count]


def test_samples_of_two_contests_share_the_cards_that_hold_both():
    both = np.array([True] * 3 + [False] * 5 + [True] * 4)
    one = draw_cards(SEED, MANIFEST, 4, replacement=False, among=both)
    every = draw_cards(SEED, MANIFEST, 12, replacement=False)
    assert one.tickets == tuple(ticket for ticket in every.tickets if ticket.box != "finch/2")[:4]
    again = draw_cards(SEED, MANIFEST, 50, replacement=True, among=both)
    assert {ticket.box for ticket in again.tickets} == {"finch/1", "wren/é"}
    assert {ticket.position for ticket in again.tickets if ticket.box == "wren/é"} == {1, 2, 3, 4}


def test_progress_is_told():
    told = []
    draw_cards(SEED, MANIFEST, 1, replacement=False, progress=lambda done, of: told.append((done, of)))
    card_numbers(SEED, MANIFEST, lambda done, of: told.append((done, of)))
    assert told == [(12, 12), (12, 12)]


@pytest.mark.parametrize("count", [-1, 13])
def test_more_cards_than_there_are_cannot_be_drawn(count):
    with pytest.raises(AuditError, match="cannot be drawn from 12; draw fewer"):
        draw_cards(SEED, MANIFEST, count, replacement=False)


def test_cards_that_can_be_drawn_have_to_be_said_of_each():
    with pytest.raises(AuditError, match="of each of them"):
        draw_cards(SEED, MANIFEST, 1, replacement=False, among=np.ones(11, bool))
    with pytest.raises(AuditError, match="cannot be drawn from 0"):
        draw_cards(SEED, MANIFEST, 1, replacement=True, among=np.zeros(12, bool))


@pytest.mark.parametrize("seed", ["3141592653589793238", SEED + " ", SEED + "a"])
def test_a_seed_that_is_not_canonical_is_refused(seed):
    for draw in (
        lambda: draw_cards(seed, MANIFEST, 1, replacement=False),
        lambda: draw_cards(seed, MANIFEST, 1, replacement=True),
        lambda: draw_boxes(seed, np.ones(2, np.int64), ["a", "b"], 1),
        lambda: draw_boxes_uniformly(seed, ["a", "b"], 1),
    ):
        with pytest.raises(AuditError, match="digits"):
            draw()


@pytest.mark.parametrize(
    ("bounds", "names", "problem"),
    [
        ([1, 2], ["a", "a"], "stands twice"),
        ([1, -2, 3], ["a", "b", "c"], "0 or more"),
        ([0, 0], ["a", "b"], "add up to 0"),
        ([2**62, 2**62], ["a", "b"], "below 2\\^63"),
        ([2**62, 2**62, 2**62, 2**62], ["a", "b", "c", "d"], "below 2\\^63"),
        ([1], ["a", "b"], "one bound for each name"),
        ([1], ["\ud800"], "not Unicode"),
    ],
)
def test_boxes_that_cannot_be_drawn_from_are_refused(bounds, names, problem):
    with pytest.raises(AuditError, match=problem):
        draw_boxes(SEED, np.array(bounds, np.int64), names, 1)


def test_more_boxes_than_there_are_cannot_be_drawn_alike():
    with pytest.raises(AuditError, match="cannot be drawn from 2"):
        draw_boxes_uniformly(SEED, ["a", "b"], 3)
    with pytest.raises(AuditError, match="stands twice"):
        draw_boxes_uniformly(SEED, ["a", "a"], 1)
