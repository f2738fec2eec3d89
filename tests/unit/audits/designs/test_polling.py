import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.polling import polling_null, polling_values
from scrutineer.errors import AuditError

TWO_THIRDS = Assertion("bridge", "yes>=2/3", (1, -2))


def test_values_are_the_assorter():
    """A two-thirds majority: yes 3/4, blank 1/2, no 0; the mean is above 1/2 exactly if yes has more than 2/3 of the votes."""
    values = polling_values(TWO_THIRDS, np.array([1, 0, -2]))
    assert values.tolist() == [0.75, 0.5, 0.0]
    assert polling_values(TWO_THIRDS, np.array([1] * 200 + [-2] * 100 + [0] * 50)).mean() == 0.5


def test_the_hypothesis_is_that_of_the_assorter():
    null = polling_null(TWO_THIRDS, 100)
    assert (null.mean, null.upper, null.population) == (0.5, 0.75, 100)
    assert polling_null(TWO_THIRDS, None).population is None


@pytest.mark.parametrize("score", [2, -3])
def test_scores_of_another_assertion_are_refused(score):
    with pytest.raises(AuditError, match="another assertion"):
        polling_values(TWO_THIRDS, np.array([0, score]))


def test_nothing_drawn_gives_no_values():
    assert polling_values(TWO_THIRDS, np.array([], np.int64)).shape == (0,)
