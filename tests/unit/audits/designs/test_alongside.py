"""Opportunistic risk in tally-sheet comparison: a test over boxes that were drawn by the bounds of another."""

from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.alongside import Alongside
from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.errors import AuditError

LEAD = Assertion("mayor", "lead:0:1", (1, -1), 0, 1, None, frozenset(), 1)
CARDS = np.full(12, 100, np.int64)


def reported(first: list[int], second: list[int], cards: np.ndarray = CARDS) -> Reported:
    return Reported.of_votes(LEAD, np.array([first, second], np.int64).T, cards)


DRAWN_FOR = BatchDesign(tuple("abcdefghijkl"), (reported([60] * 6 + [50] * 6, [30] * 6 + [45] * 6),))
OTHER = reported([55, 40, 60, 70, 52, 48] * 2, [40, 45, 30, 25, 44, 40] * 2)


def test_of_a_false_outcome_the_mean_of_the_values_is_not_above_that_of_the_hypothesis() -> None:
    alongside = Alongside(OTHER, DRAWN_FOR.bounds)
    chances = [Fraction(int(bound), int(DRAWN_FOR.bounds.sum())) for bound in DRAWN_FOR.bounds]
    # Overstated where it moves the values least: just enough for the assertion to be false.
    for order in (range(12), reversed(range(12)), (3, 7, 1, 0, 2, 4, 5, 6, 8, 9, 10, 11)):
        left, amounts = OTHER.margin, [0] * 12
        for box in order:
            amounts[box] = min(left, int(OTHER.bounds[box]))
            left -= amounts[box]
        mean = sum(chance * (1 - alongside.share(box, amounts[box])) for box, chance in enumerate(chances))
        assert mean <= 1 - 1 / alongside.limit <= Fraction(alongside.null().mean)
        assert all(0 <= alongside.share(box, amount) <= 1 for box, amount in enumerate(amounts))


def test_drawn_for_itself_the_limit_is_that_of_the_design() -> None:
    own = BatchDesign(DRAWN_FOR.names, (OTHER,))
    assert Alongside(OTHER, own.bounds).limit == own.limit
    assert Alongside(OTHER, own.bounds).null() == own.null()


def test_the_risk_limit_holds_over_draws_for_others() -> None:
    """20,000 audits of an outcome that is false by one vote, each stopped at the draw where its P-value is least."""
    amounts, left = [0] * 12, OTHER.margin
    for box in (2, 3, 8, 9, 0, 6, 1, 4, 5, 7, 10, 11):
        amounts[box] = min(left, int(OTHER.bounds[box]))
        left -= amounts[box]
    alongside = Alongside(OTHER, DRAWN_FOR.bounds)
    values = np.array([float(1 - alongside.share(box, amount)) for box, amount in enumerate(amounts)])
    chances = DRAWN_FOR.bounds / DRAWN_FOR.bounds.sum()
    drawn = np.random.default_rng(1952).choice(12, (20_000, 150), p=chances)
    p_values = Betting(Fixed(0.9)).p_values(values[drawn], alongside.null())[:, -1]
    allowed = 0.05 + 3 * (0.05 * 0.95 / 20_000) ** 0.5
    assert (p_values <= 0.05).mean() <= allowed
    right = Betting(Fixed(0.9)).p_values(np.ones((1, 150)), alongside.null())[:, -1]
    assert right[0] <= 0.05, "a clean sample confirms"


def test_boxes_that_are_never_drawn_count_as_overstated() -> None:
    some = DRAWN_FOR.bounds.copy()
    some[0] = 0
    more, less = Alongside(OTHER, DRAWN_FOR.bounds), Alongside(OTHER, some)
    assert less.shows
    assert less.limit > more.limit
    with pytest.raises(AuditError, match="cannot be drawn"):
        less.share(0, 1)
    some[:5] = 0
    none = Alongside(OTHER, some)
    assert not none.shows
    with pytest.raises(AuditError, match="plan an audit that targets it"):
        none.null()


def test_what_nothing_in_the_boxes_can_change_is_certain() -> None:
    assert not Alongside(OTHER, DRAWN_FOR.bounds).certain
    not_behind = Assertion("mayor", "level:0:1", (1, -1), 0, 0, None, frozenset(), 1)
    nobody = np.zeros(12, np.int64)
    sure = Alongside(Reported(not_behind, nobody, nobody), DRAWN_FOR.bounds)
    assert sure.certain
    assert not sure.shows


def test_bounds_of_other_boxes() -> None:
    with pytest.raises(AuditError, match="they are of one list"):
        Alongside(OTHER, DRAWN_FOR.bounds[:5])
