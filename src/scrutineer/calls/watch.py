"""A call that is kept up to date while sheets arrive.

A count during the night looks at the same contest again after every sheet, and almost everything is as it was. A `Watch` keeps
the columns, the size classes, the strata and, for each condition that the last call examined by statistics, its stations sorted
by ratio and its sequential test (kept.py). One more sheet is inserted into them.

**What is promised.** `add` returns exactly the `Call` that `make_call` gives for the same partial count: the verdict, the
reasons and every figure in it, none of them older than the last sheet. Nothing is estimated or refreshed now and then. The
sums and the order of the ratios are integers, and the sequential test goes through the same steps of arithmetic draw by draw.

**What is not kept.** A condition that was not examined after the previous sheet is worked out from scratch when it is needed,
so the sheet after which another candidate leads takes as long as `make_call`. So does every sheet of a ranked contest, and
one after `withdraw`, which moves everything that arrived later one place forward.
"""

from bisect import bisect_right
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.call import Call, Sensitivity
from scrutineer.calls.conditions import Condition
from scrutineer.calls.examination import Examination
from scrutineer.calls.kept import KeptCondition, KeptStrata
from scrutineer.calls.martingale import Draws, Evidence
from scrutineer.calls.outcomes import tally_of
from scrutineer.calls.pace import SIZE_CLASSES, size_classes, uneven
from scrutineer.calls.partial import MAX_VOTES, PartialCount, Rankings
from scrutineer.calls.sensitivity import cut_after
from scrutineer.calls.verdict import call_of_tally
from scrutineer.election import Contest
from scrutineer.election.call_settings import CallSettings
from scrutineer.errors import CallError

MAX_KEPT: Final = 1 << 24
"""Stations times conditions that are kept; each of them takes 48 bytes. Further conditions are worked out from scratch."""

_NO_CLASS: Final = -1


class Watch:
    """The call on one contest in one unit, sheet by sheet. Raises CallError where `make_call` does.

    The partial count that is given is copied. Which stations take part never changes: one that is neither counted nor open
    stays so.
    """

    def __init__(
        self, contest: Contest, partial: PartialCount, settings: CallSettings, *, committed: bool, unit: str = ""
    ) -> None:
        self._contest, self._settings, self._committed, self._unit = contest, settings, committed, unit
        self._votes = np.asfortranarray(partial.votes.astype(np.int64))  # Conditions read few candidates of all stations.
        self._others, self._arrival = partial.others.astype(np.int64), partial.arrival.astype(np.int64)
        self._counted, self._open = partial.counted.copy(), partial.open.copy()
        self._rankings = dict(partial.rankings)
        self._given = partial
        self._ballots = int(partial.votes.sum()) + int(partial.others.sum())
        self._start()
        self._call = self._look()

    @property
    def call(self) -> Call:
        """The call on what is counted now."""
        return self._call

    def partial(self) -> PartialCount:
        """A copy of what is counted now."""
        now = self._now
        return PartialCount(
            candidates=now.candidates,
            votes=np.ascontiguousarray(now.votes),
            others=now.others.copy(),
            counted=now.counted.copy(),
            open=now.open.copy(),
            arrival=now.arrival.copy(),
            capacity=now.capacity,
            stratum=now.stratum,
            strata=now.strata,
            rankings=dict(now.rankings),
            ordered=now.ordered,
            previous=now.previous,
        )

    def add(self, row: int, votes: tuple[int, ...], others: int, rankings: Rankings = ()) -> Call:
        """The sheet of an open station has arrived: its votes by candidate, and its blank and null ballots.

        Raises CallError, and changes nothing, where the station is not open, or the figures cannot be.
        """
        if not 0 <= row < len(self._open) or not self._open[row]:
            raise CallError(
                f"station in row {row}: it is not open, so that no sheet of it can be counted: withdraw its sheet first"
            )
        if len(votes) != self._votes.shape[1] or min(*votes, others) < 0:
            raise CallError(f"station in row {row}: give {self._votes.shape[1]} numbers of votes, and others, none below zero")
        if self._ballots + sum(votes) + others > MAX_VOTES:
            raise CallError(f"partial count: there are more than {MAX_VOTES} votes, which no election has")
        if self._contest.rule == "ranked" and any(votes) and not rankings:
            raise CallError(f"station in row {row}: it has votes and no rankings: give its rankings")
        place = self._now.counted_stations
        self._votes[row], self._others[row] = votes, others
        self._counted[row], self._open[row], self._arrival[row] = True, False, place
        self._ballots += sum(votes) + others
        if rankings:
            self._rankings[row] = rankings
        self._examination.add(row, votes, others, place)
        self._call = self._look()
        return self._call

    def withdraw(self, row: int) -> Call:
        """The sheet of a counted station is set aside, as for quarantine: the station is open again.

        Raises CallError, and changes nothing, where the station is not counted.
        """
        if not 0 <= row < len(self._counted) or not self._counted[row]:
            raise CallError(f"station in row {row}: it is not counted, so that there is no sheet to withdraw")
        self._ballots -= int(self._votes[row].sum()) + int(self._others[row])
        self._arrival[self._arrival > self._arrival[row]] -= 1
        self._votes[row], self._others[row] = 0, 0
        self._counted[row], self._open[row], self._arrival[row] = False, True, -1
        self._rankings.pop(row, None)
        self._start()
        self._call = self._look()
        return self._call

    def _start(self) -> None:
        self._now = self._columns()
        self._examination = _Kept(self._now, keeps=self._contest.rule != "ranked")

    def _columns(self) -> PartialCount:
        # What is changed in place, as the partial count of now.
        given = self._given
        return PartialCount(
            candidates=given.candidates,
            votes=self._votes,
            others=self._others,
            counted=self._counted,
            open=self._open,
            arrival=self._arrival,
            capacity=given.capacity,
            stratum=given.stratum,
            strata=given.strata,
            rankings=self._rankings,
            ordered=given.ordered,
            previous=given.previous,
        )

    def _look(self) -> Call:
        self._now = self._columns()
        self._examination.look(self._now)
        return call_of_tally(
            self._contest,
            self._now,
            tally_of(self._contest, self._now),
            self._settings,
            lambda: self._examination,
            committed=self._committed,
            unit=self._unit,
        )


class _Kept(Examination):
    """An examination that goes on from the figures of the one before."""

    def __init__(self, partial: PartialCount, *, keeps: bool) -> None:
        super().__init__(partial)
        self._keeps = keeps
        self._kept_strata = KeptStrata(partial)
        self._conditions: dict[Condition, KeptCondition] = {}
        self._used: set[Condition] = set()
        self._order: list[int] = partial.in_order().tolist()
        rows, group = size_classes(partial)
        self._class: NDArray[np.int64] = np.full(len(partial.counted), _NO_CLASS, dtype=np.int64)
        self._class[rows] = group
        self._of_class = [
            np.bincount(self._class[rows[state[rows]]], minlength=SIZE_CLASSES).tolist()
            for state in (partial.counted, partial.open)
        ]

    def look(self, partial: PartialCount) -> None:
        """From here on the figures are about this partial count: that of the last look and all stations added since."""
        self.partial = partial
        self._strata = self._kept_strata.strata(partial)
        self.sizes_seen = uneven(*self._of_class)
        self.__dict__.pop("_draws", None)

    def add(self, row: int, votes: tuple[int, ...], others: int, place: int) -> None:
        """A station is counted; what the last look did not ask for is no longer kept."""
        stratum, size = int(self.partial.stratum[row]), self._kept_strata.size(row)
        self._kept_strata.add(row)
        if self._class[row] != _NO_CLASS:
            self._of_class[0][self._class[row]] += 1
            self._of_class[1][self._class[row]] -= 1
        self._conditions = {condition: kept for condition, kept in self._conditions.items() if condition in self._used}
        self._used.clear()
        self._order.append(row)
        moved = [
            (each, int(self.partial.stratum[each]), self._kept_strata.size(each), parts) for each, parts in self._moved(place)
        ]
        for condition, kept in self._conditions.items():
            for each, of, its_size, parts in moved:
                kept.move(each, of, its_size, parts)
            value = (
                sum(weight * number for weight, number in zip(condition.weights, votes, strict=True)) + condition.rest * others
            )
            kept.add(row, value, stratum, size, place)

    def _moved(self, counted: int) -> list[tuple[int, tuple[int, int]]]:
        # The rows that go over from one part of the order of arrival to another when one more station is counted, and the parts.
        before, after = cut_after(counted), cut_after(counted + 1)
        places = sorted({old for old, new in zip(before, after, strict=True) if old < new and old < counted})
        return [(self._order[at], (bisect_right(before, at), bisect_right(after, at))) for at in places]

    @cached_property
    def _draws(self) -> Draws:
        return Draws.of(self.partial)

    def of(self, condition: Condition) -> tuple[Sensitivity, Evidence]:
        """The figures of one condition, from what is kept of it where that is so."""
        kept = self._conditions.get(condition)
        if kept is None:
            room = (len(self._conditions) + 1) * len(self.partial.counted) <= MAX_KEPT
            if not self._keeps or not room:
                return super().of(condition)
            kept = self._conditions[condition] = KeptCondition(condition, self.partial, self._strata, self._draws)
        self._used.add(condition)
        return self._seen(kept.reweighting(self._strata)), kept.test.evidence
