"""One sheet of a station that sent several, and when such sheets contradict each other."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from scrutineer.count.columns import Rankings


class SheetRecord:
    """One sheet of a station that sent several, or whose figures a decision replaced."""

    __slots__ = ("figures", "flags", "hash", "index", "rankings", "records", "time")

    def __init__(
        self,
        index: int,
        statement_hash: bytes,
        figures: NDArray[np.int32],
        time: int,
        flags: int,
        records: bytes | None,
        rankings: Rankings | None,
    ) -> None:
        self.index = index
        self.hash = statement_hash
        self.figures = figures
        self.time = time
        self.flags = flags
        self.records = records
        """SHA-256 of the bundle of ballots that it names, if any."""
        self.rankings = rankings

    def repeats(self, others: Iterable["SheetRecord"]) -> bool:
        """Whether it says what one of the others says: the same figures, and the same ballot records.

        Two sheets that name different records say that different ballots were cast, however equal their figures are. A sheet
        that names none leaves that open: it repeats whatever states its figures, and is repeated by the first that names some.
        """
        named = [
            other.records for other in others if np.array_equal(other.figures, self.figures) and other.rankings == self.rankings
        ]
        if not named or self.records is None or self.records in named:
            return bool(named)
        return all(records is None for records in named)
