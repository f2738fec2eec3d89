"""Scores of assertions over many cards: totals from columns, totals of sheets, and the margins that follow from them."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.cards.model import ContestColumn


def totals(assertions: Sequence[Assertion], column: ContestColumn) -> NDArray[np.int64]:
    """By assertion: the score of all cards that hold the contest. Raises AuditError for assertions of another contest."""
    raise NotImplementedError


def sheet_totals(assertions: Sequence[Assertion], votes: NDArray[np.integer], rest: NDArray[np.integer]) -> NDArray[np.int64]:
    """By sheet and assertion (a row for each sheet): the score of its cards, from votes by sheet and option, and the cards of each
    sheet on which no mark counts. Raises AuditError for ranked assertions, other shapes, and totals beyond 62 bits.
    """
    raise NotImplementedError


def margin_shares(assertions: Sequence[Assertion], totals_of: NDArray[np.int64], cards: int) -> tuple[Fraction, ...]:
    """The assorter margin of each assertion over so many cards, exactly; raises AuditError without cards."""
    raise NotImplementedError


def assorter_means(assertions: Sequence[Assertion], totals_of: NDArray[np.int64], cards: int) -> tuple[Fraction, ...]:
    """The mean of each assorter over so many cards: 1/2 and half the margin."""
    return tuple((1 + margin) / 2 for margin in margin_shares(assertions, totals_of, cards))


def smallest_margin(assertions: Sequence[Assertion], totals_of: NDArray[np.int64], cards: int) -> Fraction:
    """The smallest assorter margin, on which the size of a comparison audit depends; raises AuditError without assertions."""
    raise NotImplementedError
