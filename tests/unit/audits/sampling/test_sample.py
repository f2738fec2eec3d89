import pytest

from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.errors import AuditError

SAMPLE = Sample(
    (Ticket("0c", "b", 2), Ticket("0d", "é", 1), Ticket("0e", "b", 2, 2), Ticket("0f", "b", 10), Ticket("10", "a", 1))
)


def test_what_to_fetch_is_listed_once_with_how_often_it_was_drawn():
    assert list(SAMPLE.units().items()) == [(("a", 1), 1), (("b", 2), 2), (("b", 10), 1), (("é", 1), 1)]
    assert SAMPLE.boxes() == ("a", "b", "é")


def test_the_next_round_is_what_comes_after_the_first():
    assert [ticket.number for ticket in SAMPLE.drop(3).tickets] == ["0f", "10"]
    assert len(SAMPLE.drop(5)) == 0
    for count in (-1, 6):
        with pytest.raises(AuditError, match="cannot be left out"):
            SAMPLE.drop(count)
