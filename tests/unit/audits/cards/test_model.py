"""Cards in columns: what they refuse, and what is asked of them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.cards.model import ABSENT, UNKNOWN, Cards, ContestColumn
from scrutineer.errors import AuditError

MAYOR = ContestColumn("mayor", ("wren", "robin"), ((), (0,), (1,), (0, 1)), np.array([1, 2, 1, 3, 0, ABSENT, UNKNOWN], np.int8))
CARDS = Cards(
    (MAYOR,),
    ("b1", "b2"),
    np.array([0, 0, 0, 1, 1, 1, 1], np.int32),
    np.array([1, 2, 3, 1, 2, 3, 0], np.int32),
    pa.array(list("abcdefg")),
)


def test_counts_leave_overvotes_absent_and_unknown_cards_apart():
    assert MAYOR.tally().tolist() == [1, 2, 1, 1]
    assert (MAYOR.cards(), MAYOR.unknown()) == (5, 1)
    assert MAYOR.votes().tolist() == [2, 1]
    assert MAYOR.scores(Assertion("mayor", "ahead", (1, -1))).tolist() == [0, 1, -1, 0]


def test_columns_are_found_by_name():
    assert CARDS.column("mayor") is MAYOR
    with pytest.raises(AuditError, match="no contest 'council'; they have 'mayor'"):
        CARDS.column("council")
    assert CARDS.only(["mayor"]).contests == (MAYOR,)


def test_some_cards_in_the_order_asked_for():
    chosen = CARDS.select(np.array([6, 0]))
    assert chosen.ids.to_pylist() == ["g", "a"]
    assert chosen.column("mayor").pattern.tolist() == [UNKNOWN, 1]
    assert CARDS.select(CARDS.batch == 1).ids.to_pylist() == list("defg")
    with pytest.raises(AuditError, match="there are 7 cards"):
        CARDS.select(np.array([7]))


def test_cards_are_found_by_their_ids():
    assert CARDS.rows_of(["g", "b"]).tolist() == [6, 1]
    with pytest.raises(AuditError, match="no record has the id 'x'"):
        CARDS.rows_of(["a", "x"])


def test_a_contest_takes_the_names_and_the_order_of_an_election():
    column = MAYOR.renamed("m", ("owl", "robin", "jenny-wren"), {"wren": "jenny-wren"}, most=2)
    assert (column.id, column.options, column.patterns) == ("m", ("owl", "robin", "jenny-wren"), ((), (2,), (1,), (1, 2)))
    assert column.votes().tolist() == [0, 2, 3]
    with pytest.raises(AuditError, match="option 'wren' is marked on cards"):
        MAYOR.renamed("m", ("owl", "robin"), {})
    with pytest.raises(AuditError, match="were given the same option"):
        MAYOR.renamed("m", ("owl", "robin"), {"wren": "robin"})


def test_an_option_that_nobody_marked_may_be_missing_in_the_election():
    column = ContestColumn("m", ("wren", "kite"), ((0,),), np.zeros(2, np.int8))
    assert column.renamed("m", ("wren",), {}).options == ("wren",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": ("wren", "wren")}, "no two alike"),
        ({"options": ("wren", "")}, "no two alike"),
        ({"id": ""}, "have names"),
        ({"most": 0}, "at least 1 option"),
        ({"titles": ("Wren",)}, "as many names for people"),
        ({"patterns": ((), (0,), (1,), (1, 0))}, "not in ascending order"),
        ({"patterns": ((), (0,), (1,), (0, 2))}, "not among the 2"),
        ({"patterns": ((), (0,), (1,), (-1,))}, "not among the 2"),
        ({"patterns": ((), (0,), (1,), (0, 0))}, "twice"),
        ({"patterns": ((), (0,), (1,), (0,))}, "listed twice"),
        ({"pattern": np.array([4], np.int8)}, "not listed"),
        ({"pattern": np.array([-3], np.int8)}, "not listed"),
        ({"pattern": np.array([0], np.int64)}, "int8, int16 or int32"),
    ],
)
def test_a_contest_that_does_not_fit_itself_is_refused(change, message):
    with pytest.raises(AuditError, match=message):
        replace(MAYOR, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contests": (MAYOR, MAYOR)}, "two contests"),
        ({"batches": ("b1", "b1")}, "no two alike"),
        ({"batches": ("b1",)}, "batch that is not listed"),
        ({"position": np.array([1, 2, 3, -1, 2, 3, 0], np.int32)}, "negative place"),
        ({"position": np.zeros(6, np.int32)}, "different lengths"),
        ({"ids": pa.array(["a", None, *"cdefg"])}, "a card has no id"),
    ],
)
def test_cards_that_do_not_fit_each_other_are_refused(change, message):
    with pytest.raises(AuditError, match=message):
        replace(CARDS, **change)
