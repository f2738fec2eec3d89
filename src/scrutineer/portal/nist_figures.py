"""The count as the columns that a NIST SP 1500-100 results report is written from."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.count import COUNTED
from scrutineer.count.columns import BLANK, CAST, NULL
from scrutineer.count.contest import ContestCount
from scrutineer.count.nist_results import results_report
from scrutineer.election import UNKNOWN, Units
from scrutineer.election.nist import DetailLevel, ReportStatus
from scrutineer.portal.view import View

_DETAIL: Final[dict[str, DetailLevel]] = {"stations": "precinct-level", "units": "summary-contest"}


def nist_report(view: View) -> Iterator[bytes]:
    """All contests as one results report, in pieces; dated with the head, so that it is the same whenever it is made."""
    record = view.record
    status: ReportStatus = "unofficial-complete"
    if view.layer == "certified":
        status = "certified"
    elif any(now.result.outstanding or now.result.quarantined for now in view.standings):
        status = "unofficial-partial"
    figures = [CountFigures(state, view.units) for state in view.count.contests]
    yield from results_report(
        view.election,
        figures,
        status=status,
        generated_at=record.head.time_ms // 1000,
        detail=_DETAIL[record.options.nist],
    )


class CountFigures:
    """Figures of one contest over all units, by position: sums over the counted stations that state them, else UNKNOWN."""

    def __init__(self, state: ContestCount, units: Units) -> None:
        self._state = state
        self._units = units
        counted = state.status == COUNTED
        voting = np.zeros(units.station_count, dtype=np.int64)
        below = units.stations_below(state.unit)
        voting[below.start : below.stop] = 1
        k = state.options
        self.counted = self._sum(counted.astype(np.int64))
        self.stations = self._sum(voting)
        self.cast = self._known(self._ballots(), counted)  # first, because nothing else takes as much memory for a moment
        self.votes = np.empty((units.unit_count, k), dtype=np.int64)
        for option in range(k):
            self.votes[:, option] = self._known(state.figures[:, option], counted)
        self.blank = self._known(state.figures[:, k + BLANK], counted)
        self.null = self._known(state.figures[:, k + NULL], counted)

    def sheet(self, station: int) -> bytes | None:
        """Hash of the statement behind the figures of a counted station."""
        return self._state.hashes[station].tobytes() if self._state.is_counted(station) else None

    def _ballots(self) -> NDArray[np.int64]:
        """Ballots of each station: as its sheet states them, else what the sheet's votes add up to; else UNKNOWN."""
        k, contest = self._state.options, self._state.contest
        cast = self._state.figures[:, k + CAST].astype(np.int64)
        if not (contest.single_choice() or contest.rule == "ranked"):
            return cast
        added = np.maximum(self._state.figures[:, : k + 2], 0).sum(axis=1, dtype=np.int64)
        return np.where(cast >= 0, cast, added)

    def _known(self, values: NDArray[np.signedinteger], counted: NDArray[np.bool_]) -> NDArray[np.int64]:
        states = counted & (values >= 0)
        total = self._sum(np.where(states, values, 0).astype(np.int64))
        return np.where(self._sum(states.astype(np.int64)) > 0, total, UNKNOWN)

    def _sum(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Each unit's sum over its stations: the difference of two running sums."""
        running = np.concatenate(([0], np.cumsum(values)))
        total: NDArray[np.int64] = running[self._units.last_station] - running[self._units.first_station]
        return total
