"""What decisions change in the totals: votes with a decision, less what the rules alone would have counted at that station."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scrutineer.count import COUNTED, Act
from scrutineer.count.contest import ContestCount
from scrutineer.count.rules import DUPLICATE, REVOKED_KEY, RuleBook
from scrutineer.portal.view import View
from scrutineer.statements import Decision


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision and where it stands. Contest and station are None where the definition has no such."""

    act: Act
    decision: Decision
    contest: int | None
    station: int | None
    """Station number."""
    in_effect: bool

    @property
    def index(self) -> int:
        """Its entry in the log."""
        return self.act.recorded.index


def all_decisions(view: View) -> Iterator[Decided]:
    """Every decision in the order of the log."""
    for index, act in sorted(view.act_at.items()):
        decision = act.recorded.statement.payload
        if not isinstance(decision, Decision):
            continue
        contest = view.election.contest_index.get(decision.contest)
        station = view.election.units.station_index.get(decision.station)
        if contest is None or station is None:
            yield Decided(act, decision, None, station, in_effect=False)
            continue
        yield Decided(act, decision, contest, station, in_effect=view.count.contests[contest].decided.get(station) == index)


def effect(view: View, decided: Decided) -> list[int] | None:
    """Votes per option that a decision adds to the totals (negative: takes away); None where it is not in effect."""
    if not decided.in_effect or decided.contest is None or decided.station is None:
        return None
    state = view.count.contests[decided.contest]
    now = _votes(state, decided.station) if state.status[decided.station] == COUNTED else [0] * state.options
    without = without_decision(state, decided.station, view.count.book)
    return [own - other for own, other in zip(now, without, strict=True)]


def _votes(state: ContestCount, station: int) -> list[int]:
    figures: list[int] = np.maximum(state.figures[station, : state.options], 0).tolist()
    return figures


def without_decision(state: ContestCount, station: int, book: RuleBook) -> list[int]:
    """The votes per option that a station would add to the totals if nothing had been decided about it.

    As the fold has it: sheets by a key that had been revoked say nothing; sheets that differ keep each other out; a sheet that
    fails a rule of severity `error` stays out.
    """
    nothing = [0] * state.options
    sheets = [sheet for sheet in state.sheets_of(station) if not sheet.flags & REVOKED_KEY & book.errors]
    if not sheets:
        return nothing
    first, *others = sheets
    if any(not other.repeats(sheets[:number]) for number, other in enumerate(others, start=1)):
        return nothing
    flags = first.flags | (DUPLICATE & book.on if others else 0)
    if flags & book.errors:
        return nothing
    votes: list[int] = np.maximum(first.figures[: state.options], 0).tolist()
    return votes
