import numpy as np
import pytest

from scrutineer.audits.designs.two_stage import box_values
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.audits.risk.model import Null
from scrutineer.errors import AuditError


def test_the_value_of_a_box_is_the_mean_of_its_cards():
    assert box_values(np.array([1.0, 0.5, 0.0, 0.25]), [2, 1, 1]).tolist() == [0.75, 0.0, 0.25]


def test_no_mean_passes_the_greatest_value():
    third = np.full(300, 1 / 3)
    assert box_values(third, [300]).tolist() == [1 / 3]


@pytest.mark.parametrize("groups", [[2, 0, 2], [3], [2, 3]])
def test_groups_have_to_add_up(groups):
    with pytest.raises(AuditError):
        box_values(np.zeros(4), groups)


def test_the_risk_limit_holds_where_boxes_are_one_sided():
    """20,000 audits of boxes that are all for one or all for the other, in a tie overall: at most 5 % confirm.

    Boxes are drawn by size, 20 of 10 to 100 cards; three cards of a box are worth no more than one here, the worst case.
    """
    draws = np.random.Generator(np.random.PCG64(7))
    sizes = np.tile([10, 30, 60, 100, 50], 4)
    for_heron = np.tile([0.0, 1.0], 10)
    chances = sizes / sizes.sum()
    share = float(chances @ for_heron)
    values = for_heron[draws.choice(len(sizes), (20_000, 60), p=chances)]
    confirmed = np.mean(Betting(Fixed(0.6)).stopping_times(values, Null(share, 1.0), 0.05) <= 60)
    assert 0.005 < confirmed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 20_000)
