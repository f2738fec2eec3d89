"""Cards in columns: how every card of an election is marked, in few bytes, whoever made the records.

A card is one sheet of paper, or its cast vote record. Within a contest the ways in which cards are marked are few (65 rankings on
146,662 cards of one contest), so each is kept once, and a card holds its number.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion, Marks

ABSENT: Final = -1
"""The pattern of a card that does not hold the contest."""


@dataclass(frozen=True, eq=False)
class ContestColumn:
    """One contest over all cards."""

    id: str
    options: tuple[str, ...]
    patterns: tuple[Marks, ...]
    """Each way in which a card is marked, once."""
    pattern: NDArray[np.int32] | NDArray[np.int16] | NDArray[np.int8]
    """By card: the number of its pattern, or ABSENT."""
    most: int = 1
    """How many options a card may mark."""
    ranked: bool = False

    def tally(self) -> NDArray[np.int64]:
        """How many cards bear each pattern."""
        return np.bincount(self.pattern[self.pattern >= 0], minlength=len(self.patterns)).astype(np.int64)

    def cards(self) -> int:
        """How many cards hold the contest."""
        return int(np.count_nonzero(self.pattern >= 0))

    def scores(self, assertion: Assertion) -> NDArray[np.int64]:
        """The score of each pattern."""
        return np.fromiter((assertion.score(marks) for marks in self.patterns), np.int64, len(self.patterns))


@dataclass(frozen=True, eq=False)
class Cards:
    """All cards, in the order of their records; and where each of them lies."""

    contests: tuple[ContestColumn, ...]
    batches: tuple[str, ...]
    """Names of boxes, as the manifest has them."""
    batch: NDArray[np.int32]
    """By card: the number of its batch."""
    position: NDArray[np.int32]
    """By card: its place in the batch, from 1; 0 where the records do not say."""
    ids: pa.StringArray | pa.LargeStringArray
    """By card: its name in the records (imprinted id, or what the system calls it)."""

    def __len__(self) -> int:
        return len(self.batch)
