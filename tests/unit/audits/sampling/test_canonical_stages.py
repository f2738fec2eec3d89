"""The canonical draw in two stages, against a program in another language made from its description alone."""

from collections import Counter
from itertools import combinations, pairwise
from math import sqrt

import pytest

from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan_draw import encode_draw
from scrutineer.audits.sampling.canonical import draw_in_stages
from scrutineer.audits.sampling.sample import Ticket
from scrutineer.errors import AuditError

SEED = "31415926535897932384"
MANIFEST = Manifest.of([("finch/1", 3), ("finch/10", 0), ("finch/2", 5), ("wren/é", 4)])

# Made by a JavaScript program (Node, crypto and BigInt) that was written from the description of the module.
DRAWN = [
    ("7bcf660cb084aeac3dac8c3ba3922dc671808d28564309ca25af39a093f9f51e", "finch/1", (1, 2, 3), 1),
    ("d332cd577dd180d6df1d1d8bb68965b5ec50781d2e4d97b23e59830d940e4bf1", "finch/1", (1, 2, 3), 2),
    ("91b61c8ceb5d202f144ef702cf927567ecf72a0a1d0ad25644df5d8d09a3576a", "finch/2", (2, 4, 5), 1),
    ("5184ad3b3c88e174d417cb0bdc8e8073087d57cc392ae11178d9c63a50cf7bf6", "finch/2", (2, 3, 4), 2),
    ("74d233dbb36a6369c8f7f4ac054e07223a90a07af2a3445eae27cbb09e211f9a", "finch/1", (1, 2, 3), 3),
    ("8962ad130a87dcd45310d87db0b4e36c37ea2f5ac31765faeff183ef64b5ca88", "finch/1", (1, 2, 3), 4),
    ("e2544f6dc2d75af3000a2f01376d4d1ab61b982402a270dd6bbf1c3747c9989b", "wren/é", (1, 2, 3), 1),
]


def test_two_stages_are_those_of_another_program() -> None:
    sample = draw_in_stages(SEED, MANIFEST, 3, 7)
    assert [(each.number, each.box, each.positions, each.time) for each in sample.tickets] == DRAWN
    assert draw_in_stages(SEED, MANIFEST, 3, 4).tickets == sample.tickets[:4]
    assert sample.units()["finch/2", 4] == 2
    assert len(sample.units()) == 3 + 4 + 3
    assert b"\n4,5184ad3b3c88e174d417cb0bdc8e8073087d57cc392ae11178d9c63a50cf7bf6,finch/2,2 3 4,2\n" in encode_draw(sample)


def test_a_ticket_of_one_card_or_box_has_one_position() -> None:
    assert Ticket("0", "finch/1", 0).positions == (0,)
    assert Ticket("0", "finch/1", 7).positions == (7,)


def test_boxes_are_drawn_by_their_cards_and_every_set_of_cards_alike() -> None:
    manifest = Manifest.of([("finch", 6), ("wren", 2)])
    draws = 24_000
    tickets = draw_in_stages(SEED, manifest, 3, draws).tickets
    by_box = Counter(each.box for each in tickets)
    assert abs(by_box["finch"] - draws * 6 / 8) < 4 * sqrt(draws * 6 / 8 * 2 / 8)
    assert {each.positions for each in tickets if each.box == "wren"} == {(1, 2)}
    own = [each.positions for each in tickets if each.box == "finch"]
    sets, expected = Counter(own), len(own) / 20
    assert sets.keys() == set(combinations(range(1, 7), 3))
    # A sum of squares over 19 degrees of freedom has a mean of 19 and a deviation of about 6.2.
    assert sum((sets[each] - expected) ** 2 / expected for each in sets) < 19 + 4 * 6.2
    again = sum(len({*one} & {*other}) for one, other in pairwise(own)) / (len(own) - 1)
    assert abs(again - 3 * 3 / 6) < 0.03, "what was drawn of a box says nothing of what is drawn the next time"


@pytest.mark.parametrize(("per_box", "count"), [(0, 1), (-1, 1), (1, -1)])
def test_draws_that_cannot_be(per_box: int, count: int) -> None:
    with pytest.raises(AuditError, match="draw 0 times or more"):
        draw_in_stages(SEED, MANIFEST, per_box, count)


def test_no_box_has_a_card() -> None:
    with pytest.raises(AuditError, match="sizes of boxes"):
        draw_in_stages(SEED, Manifest.of([("finch", 0)]), 3, 1)
