"""A manifest held against published counts and against records of cards."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from scrutineer.audits.cards.model import UNKNOWN, Cards, ContestColumn
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.manifest_check import Disagreement, against_cards, against_counts, with_phantoms
from scrutineer.errors import AuditError

BOXES = Manifest.of([("a", 3), ("b", 2), ("c", 0), ("d", 2)])


def cards_of(*places: tuple[str, int]) -> Cards:
    batches = tuple(dict.fromkeys(box for box, _ in places))
    column = ContestColumn("mayor", ("wren",), ((0,),), np.zeros(len(places), np.int8))
    return Cards(
        (column,),
        batches,
        np.array([batches.index(box) for box, _ in places], np.int32),
        np.array([position for _, position in places], np.int32),
        pa.array([f"card {number}" for number in range(len(places))]),
    )


ALL = [("d", 1), ("d", 2), ("b", 1), ("b", 2), ("a", 3), ("a", 2), ("a", 1)]


def told(findings):
    return [(each.kind, each.box, each.manifest, each.found, each.refused) for each in findings]


def test_where_all_agree_there_is_no_finding():
    assert against_cards(BOXES, cards_of(*ALL)) == ()
    assert against_counts(BOXES, {"a": 3, "b": 2, "d": 2}) == ()
    assert against_counts(BOXES, {"a": 3, "b": 2, "c": 0, "d": 2, "nowhere": 0}) == ()


def test_cards_without_a_record_are_named_and_not_refused():
    found = against_cards(BOXES, cards_of(*ALL[2:6]))
    assert told(found) == [(Disagreement.TOO_FEW, "a", 3, 2, False), (Disagreement.NO_COUNT, "d", 2, None, False)]
    assert "worst case" in found[0].text()
    assert "no card is counted, and the manifest has 2" in found[1].text()


def test_more_records_than_cards_are_refused():
    found = against_cards(BOXES, cards_of(*ALL, ("c", 0), ("e", 0)))
    assert told(found) == [(Disagreement.TOO_MANY, "c", 0, 1, True), (Disagreement.NO_BOX, "e", None, 1, True)]
    assert "find out where they lie" in found[1].text()


def test_places_that_a_box_does_not_have_or_that_two_records_name():
    found = against_cards(BOXES, cards_of(("a", 1), ("a", 1), ("a", 4), ("b", 0), ("b", 0), *ALL[:2]))
    assert told(found) == [(Disagreement.POSITION, "a", 3, 1, False), (Disagreement.POSITION, "a", 3, 4, False)]
    assert "place 4" in found[1].text()


def test_published_counts_may_not_differ_at_all():
    found = against_counts(BOXES, {"a": 2, "b": 3, "e": 1})
    assert told(found) == [
        (Disagreement.TOO_FEW, "a", 3, 2, True),
        (Disagreement.TOO_MANY, "b", 2, 3, True),
        (Disagreement.NO_COUNT, "d", 2, None, True),
        (Disagreement.NO_BOX, "e", None, 1, True),
    ]
    assert all(each.text().startswith(f"box {each.box!r}: ") for each in found)


def test_phantoms_take_the_places_of_cards_without_a_record():
    cards = with_phantoms(cards_of(("d", 2), ("a", 2), ("b", 1), ("b", 0)), BOXES)
    assert cards.batches == BOXES.boxes
    assert [cards.batches[batch] for batch in cards.batch] == ["d", "a", "b", "b", "a", "a", "d"]
    assert cards.position.tolist() == [2, 2, 1, 0, 1, 3, 1]
    assert cards.ids.to_pylist()[4:] == ["phantom a 1", "phantom a 2", "phantom d 1"]
    assert cards.column("mayor").pattern.tolist() == [0, 0, 0, 0, UNKNOWN, UNKNOWN, UNKNOWN]
    assert against_cards(BOXES, cards) == ()


def test_with_all_records_there_is_no_phantom():
    cards = with_phantoms(cards_of(*ALL), BOXES)
    assert (len(cards), cards.column("mayor").unknown(), cards.batches) == (7, 0, BOXES.boxes)


@pytest.mark.parametrize("more", [("c", 1), ("e", 1), ("b", 3)])
def test_an_audit_with_too_many_records_is_refused(more):
    with pytest.raises(AuditError, match=f"box '{more[0]}'"):
        with_phantoms(cards_of(*ALL, more), BOXES)


def test_a_record_that_calls_itself_a_phantom_is_refused():
    cards = cards_of(("a", 1))
    with pytest.raises(AuditError, match="starts with 'phantom '"):
        with_phantoms(replace(cards, ids=pa.array(["phantom a 1"])), BOXES)


def test_every_box_without_any_record_is_filled():
    cards = with_phantoms(cards_of(("b", 1)), BOXES)
    assert len(cards) == BOXES.total
    assert cards.column("mayor").unknown() == 6
    assert sorted(zip(cards.batch.tolist(), cards.position.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 1),
        (1, 2),
        (3, 1),
        (3, 2),
    ]
