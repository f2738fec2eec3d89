"""What is known of a station in quarantine: all its sheets and the attestations of others, side by side, with what differs."""

from dataclasses import dataclass

import numpy as np

from scrutineer.control.drafts import OTHER_FIGURES
from scrutineer.control.night import Night
from scrutineer.count import QUARANTINED
from scrutineer.election import UNKNOWN
from scrutineer.statements import Attestation


@dataclass(frozen=True, slots=True)
class Held:
    """A station in quarantine."""

    contest: int
    station: int
    unit: int
    entry: int
    rules: tuple[str, ...]
    """Ids of the rules that the sheet does not meet, those that hold it back first."""
    since: int
    """When its newest sheet was recorded, in seconds since 1970."""
    sheets: int


@dataclass(frozen=True, slots=True)
class Copy:
    """One telling of a station's figures: a sheet, or an attestation. A figure that is not stated is None."""

    entry: int
    recorded: int
    issuer: str
    """Who attested it; empty for a sheet."""
    shown: bool
    """Whether it is the sheet whose figures stand for the station now."""
    figures: tuple[int | None, ...]
    """The options, then the others in the order of OTHER_FIGURES."""
    differs: tuple[bool, ...]
    """Where it states another figure than the sheet that is shown."""
    rules: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether it states nothing else than the sheet that is shown."""
        return not any(self.differs)


def quarantine(night: Night) -> list[Held]:
    """Every station in quarantine, those that wait longest first. The night has to be held meanwhile."""
    count, found = night.count, []
    for contest, state in enumerate(count.contests):
        for station in np.flatnonzero(state.status == QUARANTINED).tolist():
            sheets = [sheet.index for sheet in state.several.get(station, ())] or [int(state.sheet[station])]
            found.append(
                Held(
                    contest,
                    station,
                    int(night.election.units.station_units[station]),
                    int(state.sheet[station]),
                    count.book.names(int(state.flags[station])),
                    night.when(sheets[-1]),
                    len(sheets),
                )
            )
    return sorted(found, key=lambda held: (held.since, held.contest, held.station))


def copies_of(night: Night, contest: int, station: int) -> tuple[list[Copy], list[Copy]]:
    """The sheets of a station and the attestations of others, in log order. The night has to be held meanwhile."""
    count = night.count
    state, units = count.contests[contest], night.election.units
    shown = int(state.sheet[station])
    sheets = state.sheets_of(station)
    base = next((_known(sheet.figures.tolist()) for sheet in sheets if sheet.index == shown), ())
    own = [
        Copy(
            sheet.index,
            night.when(sheet.index),
            "",
            sheet.index == shown,
            (figures := _known(sheet.figures.tolist())),
            _differs(base, figures),
            count.book.names(int(sheet.flags)),
        )
        for sheet in sheets
    ]
    name, title = units.ids[int(units.station_units[station])], night.election.contests[contest].id
    others = []
    for recorded in count.attestations:
        said = recorded.statement.payload
        if isinstance(said, Attestation) and (said.station, said.contest) == (name, title) and len(said.counts) == state.options:
            figures = (*said.counts, *(getattr(said, figure) for figure, _ in OTHER_FIGURES))
            at = night.when(recorded.index)
            others.append(Copy(recorded.index, at, recorded.statement.issuer, False, figures, _differs(base, figures)))
    return own, others


def _known(figures: list[int]) -> tuple[int | None, ...]:
    return tuple(None if figure == UNKNOWN else figure for figure in figures)


def _differs(base: tuple[int | None, ...], figures: tuple[int | None, ...]) -> tuple[bool, ...]:
    """Where both state a figure and it is not the same."""
    if not base:
        return (False,) * len(figures)
    return tuple(one is not None and other is not None and one != other for one, other in zip(base, figures, strict=True))
