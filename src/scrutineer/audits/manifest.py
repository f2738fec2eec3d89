"""The manifest: which boxes there are and how many cards lie in each, established without the voting system.

Canonical form: a CSV file in UTF-8 with the columns `box,cards`, one line for each box, ended by LF, boxes in ascending order of
their bytes, no quotes but where a cell needs them (RFC 4180). Its SHA-256 is what a plan commits to.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Manifest:
    """Boxes in ascending order of their names' bytes, and how many cards lie in each."""

    boxes: tuple[str, ...]
    cards: NDArray[np.int64]

    @property
    def total(self) -> int:
        """All cards together."""
        return int(self.cards.sum())
