import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.seen import Absence, paper_scores, record_scores
from scrutineer.errors import AuditError

HERON_WREN = Assertion("warden", "heron>wren", (1, -1, 0))
TWO_THIRDS = Assertion("bridge", "yes>=2/3", (1, -2))


def test_marks_are_scored_and_what_is_missing_is_as_bad_as_can_be():
    seen = [(0,), (1,), (2,), (), (0, 1), Absence.MISSING, Absence.NO_CONTEST]
    assert paper_scores(HERON_WREN, seen, styled=False).tolist() == [1, -1, 0, 0, 0, -1, 0]
    assert paper_scores(TWO_THIRDS, [Absence.MISSING], styled=False).tolist() == [-2]


def test_a_paper_without_the_contest_counts_as_the_worst_where_its_record_had_it():
    assert paper_scores(TWO_THIRDS, [Absence.NO_CONTEST, (0,)], styled=True).tolist() == [-2, 1]


def test_a_card_without_a_record_is_reported_to_favour_nobody():
    assert record_scores(HERON_WREN, [(0,), Absence.MISSING, Absence.NO_CONTEST]).tolist() == [1, 0, 0]


@pytest.mark.parametrize("marks", [(3,), (-1,), (0, 7)])
def test_marks_that_are_no_options_are_refused(marks):
    with pytest.raises(AuditError, match="drawn card 2"):
        paper_scores(HERON_WREN, [(0,), marks], styled=False)
