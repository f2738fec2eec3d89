"""The count of one contest: which sheet is effective at each station, what is in quarantine, and totals for every unit."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.count.columns import BLANK, CAST, FIGURES, NULL, ROLL, VOTERS, ContestColumns, Rankings
from scrutineer.count.rules import BEFORE_OPENING, CONFLICT, DUPLICATE, KEY_REVOKED_LATER, REVOKED_KEY, RuleBook, Sheets
from scrutineer.count.sheet_record import SheetRecord
from scrutineer.election import UNKNOWN, Election
from scrutineer.statements.sheet_batch import RECORDS_SIZE

OUTSTANDING, COUNTED, QUARANTINED, EXCLUDED = range(4)
STATUS_NAMES: Final = ("outstanding", "counted", "quarantined", "excluded")

# Columns of the totals behind the options' votes. A "known" column says how many counted sheets state the figure.
(
    T_BLANK,
    T_NULL,
    T_BALLOTS,
    T_VOTERS,
    T_BLANK_KNOWN,
    T_NULL_KNOWN,
    T_VOTERS_KNOWN,
    T_COUNTED,
    T_QUARANTINED,
    T_EXCLUDED,
    T_ROLL,
    T_ROLL_KNOWN,
    T_ROLL_COUNTED,
    T_ROLL_COUNTED_KNOWN,
    T_OPEN_ROLL,
    T_OPEN_UNKNOWN,
) = range(16)
TOTALS: Final = 16


Which = NDArray[np.int64] | slice
"""Which stations: their numbers, or a slice of all of them."""


class ContestCount:
    """State of one contest. Only the fold changes it; readers take the arrays as they are."""

    def __init__(self, election: Election, number: int, book: RuleBook) -> None:
        self.contest = election.contests[number]
        self.number = number
        self.unit = election.contest_units[number]
        self._units = election.units
        self._book = book
        self._opening_required = election.definition.opening_required
        self.options = len(self.contest.options)
        stations = election.units.station_count
        self.status: NDArray[np.uint8] = np.zeros(stations, dtype=np.uint8)
        self.sheet: NDArray[np.int64] = np.full(stations, -1, dtype=np.int64)
        """Log index of the sheet whose figures are shown for a station; -1 where there is none."""
        self.hashes: NDArray[np.uint8] = np.zeros((stations, 32), dtype=np.uint8)
        """Hash of that sheet's statement."""
        self.figures: NDArray[np.int32] = np.full((stations, self.options + FIGURES), UNKNOWN, dtype=np.int32)
        self.time: NDArray[np.int64] = np.full(stations, UNKNOWN, dtype=np.int64)
        self.flags: NDArray[np.uint32] = np.zeros(stations, dtype=np.uint32)
        self._records: NDArray[np.uint8] | None = None
        """The bundle of ballots that this sheet names, as `ContestColumns.records`; None as long as no sheet named one."""
        self.rankings: dict[int, Rankings] = {}
        self.several: dict[int, list[SheetRecord]] = {}
        """All sheets, in log order, of stations that sent more than one."""
        self.decided: dict[int, int] = {}
        """Log index of the decision in effect, by station."""
        self._within: NDArray[np.bool_] = np.zeros(stations, dtype=np.bool_)
        below = election.units.stations_below(self.unit)
        self._within[below.start : below.stop] = True
        self._inner_units = np.fromiter(election.units.index.values(), np.int64, len(election.units.index))
        self._inner_row = {int(unit): row for row, unit in enumerate(self._inner_units)}
        self._totals: NDArray[np.int64] | None = None

    # --- sheets ---------------------------------------------------------------------------------------------------

    def add(self, columns: ContestColumns, opened: NDArray[np.int64], revoked: Iterable[int] = ()) -> None:
        """Take sheets in log order. `opened` is by station; `revoked` holds log indexes of sheets signed by revoked keys."""
        stations, rows, times = columns.station, columns.figures, columns.time
        if not len(stations):
            return
        flags = self._book.check(self._view(stations, rows, times, opened))
        revoked = set(revoked)
        if revoked and self._book.on & REVOKED_KEY:
            flags[np.isin(columns.index, list(revoked))] |= np.uint32(REVOKED_KEY)
        fresh = self.sheet[stations] < 0
        if fresh.any():
            first = np.zeros(len(stations), dtype=np.bool_)
            first[np.unique(stations, return_index=True)[1]] = True
            fresh &= first
        before = self._before(stations)
        at = stations[fresh]
        self.sheet[at] = columns.index[fresh]
        self.hashes[at] = columns.hashes[fresh]
        self.figures[at] = rows[fresh]
        self.time[at] = times[fresh]
        self.flags[at] = flags[fresh]
        self._note_records(at, columns.records[fresh])
        judged = np.where(flags[fresh] & self._book.errors, QUARANTINED, COUNTED)
        # A station that was excluded before it sent anything stays excluded: the decision is about the station.
        self.status[at] = np.where(self.status[at] == EXCLUDED, EXCLUDED, judged)
        if columns.rankings:
            for row in np.flatnonzero(fresh).tolist():
                self.rankings[int(stations[row])] = columns.rankings[row]
        for row in np.flatnonzero(~fresh).tolist():
            rankings = columns.rankings[row] if columns.rankings else None
            record = SheetRecord(
                int(columns.index[row]),
                columns.hashes[row].tobytes(),
                rows[row].copy(),
                int(times[row]),
                int(flags[row]),
                _digest(columns.records[row]),
                rankings,
            )
            self._add_another(int(stations[row]), record)
        self._after(stations, before)

    def _add_another(self, station: int, sheet: SheetRecord) -> None:
        all_known = self.sheets_of(station)
        self.several[station] = [*all_known, sheet]
        # What a revoked key signs is evidence, and neither confirms nor contradicts anything: whoever stole the key could
        # otherwise put an honest station into quarantine, or come before it. A decision lets such a sheet count nevertheless.
        if self._is_held(sheet):
            return
        decided = station in self.decided
        accepted = int(self.sheet[station]) if decided and self.status[station] == COUNTED else -1
        known = [other for other in all_known if not self._is_held(other) or other.index == accepted]
        if not known:
            self._show(station, sheet)
            if not decided:
                self.status[station] = QUARANTINED if sheet.flags & self._book.errors else COUNTED
            return
        # Nor does a sheet contradict anything that states the very figures which a decision put in place.
        if sheet.repeats([*known, *([self._standing(station)] if decided and sheet.rankings is None else ())]):
            self.flags[station] |= np.uint32(DUPLICATE & self._book.on)
            if DUPLICATE & self._book.errors and not decided:
                self.status[station] = QUARANTINED
            return
        # A different sheet is new evidence: it quarantines the station also after an earlier decision, until the next one.
        self.flags[station] |= np.uint32(CONFLICT)
        self.decided.pop(station, None)
        self.status[station] = QUARANTINED

    def _is_held(self, sheet: SheetRecord) -> bool:
        return bool(sheet.flags & REVOKED_KEY & self._book.errors)

    def _show(self, station: int, sheet: SheetRecord) -> None:
        """Let a sheet be the one whose figures stand for its station."""
        self.sheet[station] = sheet.index
        self.hashes[station] = np.frombuffer(sheet.hash, dtype=np.uint8)
        self.figures[station] = sheet.figures
        self.time[station] = sheet.time
        self.flags[station] = sheet.flags
        named = b"" if sheet.records is None else b"\x01" + sheet.records
        self._note_records(np.array([station]), np.frombuffer(named.ljust(RECORDS_SIZE, b"\0"), dtype=np.uint8))
        if sheet.rankings is not None:
            self.rankings[station] = sheet.rankings

    def _note_records(self, stations: NDArray[np.int64], records: NDArray[np.uint8]) -> None:
        if self._records is None:
            if not records.any():
                return
            self._records = np.zeros((len(self.sheet), RECORDS_SIZE), dtype=np.uint8)
        self._records[stations] = records

    def _standing(self, station: int) -> SheetRecord:
        """The sheet shown, with the figures that stand for the station."""
        return SheetRecord(
            int(self.sheet[station]),
            self.hashes[station].tobytes(),
            self.figures[station].copy(),
            int(self.time[station]),
            int(self.flags[station]),
            None if self._records is None else _digest(self._records[station]),
            self.rankings.get(station),
        )

    def flag_key(self, station: int, signed: Callable[[int], bool]) -> None:
        """Flag a station's sheets that a key signed which has been revoked since; `signed` is asked by log index.

        They stay in the count, unless the definition makes an error of the flag. What was decided stays decided.
        """
        flag = KEY_REVOKED_LATER & self._book.on
        if not flag or self.sheet[station] < 0:
            return
        at = np.array([station])
        before = self._before(at)
        for record in self.several.get(station, ()):
            if not record.flags & REVOKED_KEY and signed(record.index):
                record.flags |= flag
        if not int(self.flags[station]) & REVOKED_KEY and signed(int(self.sheet[station])):
            self.flags[station] |= np.uint32(flag)
            if flag & self._book.errors and station not in self.decided:
                self.status[station] = QUARANTINED
        self._after(at, before)

    def sheets_of(self, station: int) -> list[SheetRecord]:
        """Every sheet of a station in log order."""
        known = self.several.get(station)
        if known is not None:
            return known
        if self.sheet[station] < 0:
            return []
        return [self._standing(station)]

    def is_counted(self, station: int) -> bool:
        """Whether a station (by number) is in the totals."""
        return bool(self.status[station] == COUNTED)

    def reopen(self, station: int, opened: NDArray[np.int64]) -> None:
        """Judge a station's sheets again because its opening became known after them. What was decided stays decided."""
        if self.sheet[station] < 0:
            return
        at = np.array([station])
        before = self._before(at)
        for record in self.several.get(station, ()):
            times = np.array([record.time])
            early = int(self._book.check(self._view(at, record.figures[np.newaxis], times, opened))[0]) & BEFORE_OPENING
            record.flags = record.flags & ~BEFORE_OPENING | early
        early = int(self._book.check(self._view(at, self.figures[at], self.time[at], opened))[0]) & BEFORE_OPENING
        flags = int(self.flags[station]) & ~BEFORE_OPENING | early
        self.flags[station] = flags
        if station not in self.decided:
            self.status[station] = QUARANTINED if flags & self._book.errors else COUNTED
        self._after(at, before)

    # --- decisions ------------------------------------------------------------------------------------------------

    def accept(self, station: int, sheet: int, decision: int, figures: Sequence[int] | None = None) -> bool:
        """Let a sheet (by log index) count, with other figures where given. False where the station has no such sheet."""
        known = self.sheets_of(station)
        chosen = next((record for record in known if record.index == sheet), None)
        if chosen is None:
            return False
        at = np.array([station])
        before = self._before(at)
        self.several[station] = known
        self._show(station, chosen)
        if figures is not None:
            self.figures[station] = np.array(figures, dtype=np.int32)
        self.status[station] = COUNTED
        self.decided[station] = decision
        self._after(at, before)
        return True

    def exclude(self, station: int, decision: int) -> None:
        """Keep a station out of the count."""
        at = np.array([station])
        before = self._before(at)
        if known := self.sheets_of(station):
            self.several[station] = known
        self.status[station] = EXCLUDED
        self.decided[station] = decision
        self._after(at, before)

    # --- totals ---------------------------------------------------------------------------------------------------

    def totals(self, unit: int) -> NDArray[np.int64]:
        """Totals of a unit: votes per option of the counted sheets, then the T_ columns."""
        row = self._inner_row.get(unit)
        if row is None:
            own: NDArray[np.int64] = self._contributions(np.array([int(self._units.first_station[unit])]))[0]
            return own
        totals: NDArray[np.int64] = self._all_totals()[row]
        return totals

    def prepare(self) -> None:
        """Compute the totals now, so that single sheets update them from here on."""
        self._all_totals()

    def inner_totals(self) -> NDArray[np.int64]:
        """Totals as in `totals` of every unit above the stations, one row each, in the order of `Units.index`."""
        return self._all_totals()

    def _all_totals(self) -> NDArray[np.int64]:
        if self._totals is None:
            first = self._units.first_station[self._inner_units]
            last = self._units.last_station[self._inner_units]
            # Every unit is a run of whole stretches between the places where any unit begins or ends. Those are far fewer than
            # stations, so the running sums stay in the processor's cache while all units look into them.
            cuts = np.unique(np.concatenate((first, last)))
            begins, ends = np.searchsorted(cuts, first), np.searchsorted(cuts, last)
            totals = np.empty((len(self._inner_units), self.options + TOTALS), dtype=np.int64, order="F")
            running = np.zeros(len(cuts), dtype=np.int64)
            for column in range(totals.shape[1] if len(cuts) else 0):
                np.cumsum(np.add.reduceat(self._contribution_column(slice(None), column), cuts[:-1]), out=running[1:])
                totals[:, column] = running[ends] - running[begins]
            self._totals = totals
        return self._totals

    def _before(self, stations: NDArray[np.int64]) -> NDArray[np.int64] | None:
        # Beyond a few stations it is cheaper to compute all totals again when they are next asked for.
        if self._totals is None or len(stations) > 64:
            return None
        return self._contributions(np.unique(stations))

    def _after(self, stations: NDArray[np.int64], before: NDArray[np.int64] | None) -> None:
        if before is None or self._totals is None:
            self._totals = None
            return
        unique = np.unique(stations)
        change = self._contributions(unique) - before
        for row, station in enumerate(unique.tolist()):
            for unit in self._units.path(int(self._units.station_units[station])):
                inner = self._inner_row.get(unit)
                if inner is not None:
                    self._totals[inner] += change[row]

    def _contributions(self, stations: NDArray[np.int64]) -> NDArray[np.int64]:
        columns = [self._contribution_column(stations, column) for column in range(self.options + TOTALS)]
        return np.stack(columns, axis=1).astype(np.int64)

    def _contribution_column(self, stations: Which, column: int) -> NDArray[np.int64]:
        """What each station adds to one column of the totals of the units above it."""
        status = self.status[stations]
        within = self._within[stations]
        counted = status == COUNTED
        if column < self.options:
            return _known(self.figures[stations, column], counted)
        column -= self.options
        stated = {T_BLANK: BLANK, T_NULL: NULL, T_VOTERS: VOTERS}.get(column)
        if stated is not None:
            return _known(self.figures[stations, self.options + stated], counted)
        stated = {T_BLANK_KNOWN: BLANK, T_NULL_KNOWN: NULL, T_VOTERS_KNOWN: VOTERS}.get(column)
        if stated is not None:
            return _ones(counted & (self.figures[stations, self.options + stated] >= 0))
        if column == T_BALLOTS:
            return self._ballots(stations, counted)
        if column in (T_COUNTED, T_QUARANTINED, T_EXCLUDED):
            return _ones(status == (COUNTED, QUARANTINED, EXCLUDED)[column - T_COUNTED])
        roll = self._units.rolls[stations]
        roll = np.where((roll < 0) & (status != OUTSTANDING), self.figures[stations, self.options + ROLL], roll)
        still_open = within & ((status == OUTSTANDING) | (status == QUARANTINED))
        if column == T_OPEN_ROLL:
            # A quarantined sheet's own roll bounds nothing: only the definition's roll does.
            return np.where(still_open, np.maximum(self._units.rolls[stations], 0), 0)
        if column == T_OPEN_UNKNOWN:
            return _ones(still_open & (self._units.rolls[stations] < 0))
        if column == T_ROLL:
            return np.where(within, np.maximum(roll, 0), 0)
        if column == T_ROLL_KNOWN:
            return _ones(within & (roll >= 0))
        if column == T_ROLL_COUNTED_KNOWN:
            return _ones(counted & (roll >= 0))
        return np.where(counted, np.maximum(roll, 0), 0)  # T_ROLL_COUNTED

    def _ballots(self, stations: Which, counted: NDArray[np.bool_]) -> NDArray[np.int64]:
        cast = self.figures[stations, self.options + CAST]
        ballots = np.where(counted & (cast >= 0), cast, 0).astype(np.int64)
        unstated = counted & (cast < 0)
        if unstated.any() and (self.contest.single_choice() or self.contest.rule == "ranked"):
            rows = self.figures[stations][unstated, : self.options + 2]  # options, blank, null
            ballots[unstated] = np.maximum(rows, 0).sum(axis=1, dtype=np.int64)
        return ballots

    def _view(
        self, stations: NDArray[np.int64], rows: NDArray[np.int32], times: NDArray[np.int64], opened: NDArray[np.int64]
    ) -> Sheets:
        k = self.options
        return Sheets(
            self.contest,
            rows[:, :k],
            rows[:, k + BLANK],
            rows[:, k + NULL],
            rows[:, k + CAST],
            rows[:, k + VOTERS],
            rows[:, k + ROLL],
            self._units.rolls[stations],
            times,
            opened[stations],
            self._opening_required,
        )


def _digest(records: NDArray[np.uint8]) -> bytes | None:
    return records[1:].tobytes() if records[0] else None


def _known(values: NDArray[np.int32], where: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(where & (values > 0), values, 0).astype(np.int64)


def _ones(where: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.asarray(where, dtype=np.int64)
