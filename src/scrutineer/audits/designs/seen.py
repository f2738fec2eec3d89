"""What auditors saw on drawn cards, as scores of an assertion; what could not be seen counts as badly as it can.

Source for the worst case: P. B. Stark, SHANGRLA, 2020 (arXiv 1911.10035), section 3.4 ("phantoms to evil zombies").
"""

from collections.abc import Sequence
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion, Marks
from scrutineer.errors import AuditError

Scores: TypeAlias = NDArray[np.int64]
"""By drawn card, in the order of the draws: its score for one assertion."""


class Absence(Enum):
    """Why there are no marks of a contest on a drawn card."""

    NO_CONTEST = "no-contest"
    """The paper was found and read, and the contest is not on it."""
    MISSING = "missing"
    """The paper was not found, cannot be read, or nobody has looked at it yet; or it is a phantom: a card that must exist by
    the bound on their number, and for which there is neither record nor paper."""


Seen: TypeAlias = Marks | Absence
"""What one drawn card shows in one contest. Empty marks: the contest is on it, and no mark counts."""


def paper_scores(assertion: Assertion, seen: Sequence[Seen], *, styled: bool) -> Scores:
    """Scores of papers: a missing one has the lowest. Raises AuditError for marks that are not options of the contest.

    `styled`: the population is the cards that are said to hold the contest (see `styles`). A paper without the contest then has
    the lowest score, because one outside of the population may hold it instead; else it has 0 and takes no part.
    """
    without = assertion.lowest if styled else 0
    known: dict[Seen, int] = {Absence.MISSING: assertion.lowest, Absence.NO_CONTEST: without}
    return _scores(assertion, seen, known)


def record_scores(assertion: Assertion, records: Sequence[Seen]) -> Scores:
    """Scores of cast vote records: a card without a record, and one whose record lacks the contest, has 0.

    Raises AuditError for marks that are not options of the contest.
    """
    return _scores(assertion, records, {Absence.MISSING: 0, Absence.NO_CONTEST: 0})


def _scores(assertion: Assertion, seen: Sequence[Seen], known: dict[Seen, int]) -> Scores:
    options = range(len(assertion.weights))
    scores = np.empty(len(seen), np.int64)
    for number, each in enumerate(seen):
        score = known.get(each)
        if score is None:
            if isinstance(each, Absence) or any(option not in options for option in each):
                raise AuditError(
                    f"contest {assertion.contest}: drawn card {number + 1} is marked {each}, and the contest has the options "
                    f"0 to {len(options) - 1}; enter it again"
                )
            score = known[each] = assertion.score(each)
        scores[number] = score
    return scores
