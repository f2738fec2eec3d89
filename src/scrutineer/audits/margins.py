"""Scores of assertions over many cards: totals from columns, totals of sheets, and the margins that follow from them."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion, margin_share
from scrutineer.audits.cards.model import ContestColumn
from scrutineer.errors import AuditError

MAX_TOTAL: Final = 1 << 62
"""Totals of scores stay below this, so that they are added up exactly in 64 bits."""

_BLOCK: Final = 1 << 22  # marks looked at together
_UNSIGNED: Final = {1: np.uint8, 2: np.uint16}


def totals(assertions: Sequence[Assertion], column: ContestColumn) -> NDArray[np.int64]:
    """By assertion: the score of all cards that hold the contest; cards of which no record says anything add nothing.

    Raises AuditError for assertions of another contest, and for scores that cannot be added up in 64 bits.
    """
    scores = pattern_scores(assertions, column)
    cards = pattern_cards(column)
    greatest = int(np.abs(scores).max(initial=0))
    if greatest * int(cards.sum()) >= MAX_TOTAL:
        raise AuditError(
            f"contest {column.id}: scores up to {greatest} of {int(cards.sum())} cards cannot be added up in 64 bits"
        )
    return np.asarray(scores @ cards)


def pattern_cards(column: ContestColumn) -> NDArray[np.int64]:
    """How many cards bear each pattern."""
    size = column.pattern.dtype.itemsize
    if size not in _UNSIGNED:
        return column.tally()
    # Read without their signs ABSENT and UNKNOWN are the greatest numbers, which saves looking for them.
    bare = column.pattern.view(_UNSIGNED[size])
    return np.bincount(bare, minlength=len(column.patterns))[: len(column.patterns)].astype(np.int64)


def pattern_scores(assertions: Sequence[Assertion], column: ContestColumn) -> NDArray[np.int64]:
    """By assertion and pattern: the score of a card with these marks, as `Assertion.score` gives it.

    Raises AuditError for assertions of another contest, or of another number of options.
    """
    for assertion in assertions:
        check_options(assertion, len(column.options))
        if assertion.contest != column.id:
            raise AuditError(f"assertion {assertion.code} is about contest {assertion.contest}, the records are of {column.id}")
    lengths = np.fromiter(map(len, column.patterns), np.int64, len(column.patterns))
    longest = int(lengths.max(initial=0))
    scores = np.empty((len(assertions), len(lengths)), dtype=np.int64)
    block = max(1, _BLOCK // (longest + 1))
    for start in range(0, len(lengths), block):
        rows = slice(start, start + block)
        scores[:, rows] = _scores(assertions, _matrix(column, rows, longest), lengths[rows])
    return scores


def sheet_totals(
    assertions: Sequence[Assertion], votes: NDArray[np.integer[Any]], rest: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """By sheet and assertion (a row for each sheet): the score of its cards.

    `votes` are those by sheet and option, `rest` the cards of each sheet on which no mark counts. Raises AuditError for ranked
    assertions, whose totals are not in votes, for other shapes, and for totals that 64 bits cannot hold.
    """
    if votes.ndim != 2 or rest.shape != votes.shape[:1]:
        raise AuditError(
            f"votes are a row for each sheet, with as many cards without marks that count: {votes.shape}, {rest.shape}"
        )
    for assertion in assertions:
        check_options(assertion, votes.shape[1])
        if assertion.continuing is not None:
            raise AuditError(f"assertion {assertion.code} is about rankings, which no sheet of votes by option states")
    weights = np.array([(*assertion.weights, assertion.rest) for assertion in assertions], dtype=np.int64)
    cast = np.column_stack((votes, rest)).astype(np.int64)
    if int(np.abs(weights).max(initial=0)) * int(np.abs(cast).max(initial=0)) * cast.shape[1] * max(1, len(cast)) >= MAX_TOTAL:
        raise AuditError(f"the votes of {len(cast)} sheets are more than can be added up in 64 bits: correct them")
    return np.asarray(cast @ weights.reshape(len(assertions), cast.shape[1]).T)


def check_options(assertion: Assertion, options: int) -> None:
    """Raises AuditError unless the assertion weighs so many options."""
    if len(assertion.weights) != options:
        raise AuditError(
            f"assertion {assertion.code} of contest {assertion.contest} is about {len(assertion.weights)} options, not {options}"
        )


def margin_shares(assertions: Sequence[Assertion], totals_of: NDArray[np.int64], cards: int) -> tuple[Fraction, ...]:
    """The assorter margin of each assertion over so many cards, exactly; raises AuditError without cards."""
    return tuple(margin_share(int(total), cards, each) for each, total in zip(assertions, totals_of, strict=True))


def assorter_means(assertions: Sequence[Assertion], totals_of: NDArray[np.int64], cards: int) -> tuple[Fraction, ...]:
    """The mean of each assorter over so many cards: 1/2 and half the margin. Raises AuditError without cards."""
    return tuple((1 + margin) / 2 for margin in margin_shares(assertions, totals_of, cards))


def smallest_margin(assertions: Sequence[Assertion], totals_of: NDArray[np.int64], cards: int) -> Fraction:
    """The smallest assorter margin, on which the size of a comparison audit depends.

    Raises AuditError without cards or assertions.
    """
    if not assertions:
        raise AuditError("without assertions there is no margin: nobody stands against the outcome")
    return min(margin_shares(assertions, totals_of, cards))


def _matrix(column: ContestColumn, rows: slice, longest: int) -> NDArray[np.int64]:
    """Marks of patterns in rows, each filled up behind its end, by one at least, with an option that is none."""
    patterns = column.patterns[rows]
    marks = np.full((len(patterns), longest + 1), len(column.options), dtype=np.int64)
    for row, pattern in enumerate(patterns):
        marks[row, : len(pattern)] = pattern
    return marks


def _scores(assertions: Sequence[Assertion], marks: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    scores = np.empty((len(assertions), len(marks)), dtype=np.int64)
    highest: dict[frozenset[int], NDArray[np.int64]] = {}
    for at, assertion in enumerate(assertions):
        weights = np.array((*assertion.weights, 0), dtype=np.int64)
        if assertion.continuing is None:
            valid = (lengths >= 1) & (lengths <= assertion.most)
            scores[at] = np.where(valid, weights[marks].sum(axis=1), assertion.rest)
            continue
        if assertion.continuing not in highest:
            member = _flags(assertion.continuing, len(weights))
            # The filling is a member, so that every row has one.
            member[-1] = True
            highest[assertion.continuing] = marks[np.arange(len(marks)), member[marks].argmax(axis=1)]
        top = highest[assertion.continuing]
        first = _flags(assertion.first, len(weights))
        scores[at] = np.where(first[top] & ~first[marks[:, 0]], 0, weights[top])
    return scores


def _flags(options: frozenset[int], length: int) -> NDArray[np.bool_]:
    flags = np.zeros(length, dtype=np.bool_)
    flags[list(options)] = True
    return flags
