"""Countersignatures and copies of every station, matched with its sheets; and how many agree.

A pure view of a count, made in one pass over the endorsements and attestations of the log, however many stations there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from scrutineer.count import Count, Recorded
from scrutineer.count.contest import ContestCount
from scrutineer.election import UNKNOWN
from scrutineer.observation.said import Copy, Countersignature, Difference, KeyState, Speaker
from scrutineer.statements import Accreditation, Attestation, Endorsement

Place = tuple[int, int]
"""Contest (by position) and station (by number)."""


@dataclass(frozen=True, slots=True)
class StationObservations:
    """What was said of the sheets of one station in one contest, each in log order."""

    countersignatures: tuple[Countersignature, ...] = ()
    copies: tuple[Copy, ...] = ()


NOTHING: Final = StationObservations()


@dataclass(frozen=True, slots=True)
class Tally:
    """How the stations of one contest stand: in `copied` ones somebody's copy has arrived."""

    copied: int
    agreeing: int
    """Stations where at least one copy agrees with the sheet and none differs."""
    differing: int
    """Stations where at least one copy differs."""
    signed: int
    """Stations with a sheet that somebody else than the station has countersigned."""
    refused: int
    """Stations with a sheet that somebody has refused to sign."""

    @property
    def uncompared(self) -> int:
        """Stations with a copy where no sheet has arrived, or where sheet and copy state no figure in common."""
        return self.copied - self.agreeing - self.differing


@dataclass(frozen=True, slots=True)
class Witnessing:
    """What one speaker has said, in numbers. Copies that a newer one replaced are not counted."""

    speaker: Speaker
    copies: int
    agreeing: int
    differing: int
    signed: int
    refused: int


class Observations:
    """What agents, observers, poll workers and others have said of the sheets, by station."""

    def __init__(self, said: dict[Place, StationObservations], contests: int) -> None:
        self._said = said
        self._contests = contests

    @classmethod
    def of(cls, count: Count) -> "Observations":
        """Match the statements of a count with its sheets."""
        return cls(_Matcher(count).match(), len(count.contests))

    def of_station(self, station: int, contest: int) -> StationObservations:
        """What was said of a station (by number) in a contest (by position). Equal values print alike (`repr`)."""
        return self._said.get((contest, station), NOTHING)

    def stations(self, contest: int) -> list[int]:
        """The stations, by number and in order, of which anything was said in a contest."""
        return sorted(station for own, station in self._said if own == contest)

    def differing(self, contest: int) -> list[int]:
        """The stations, by number and in order, where a copy that stands differs from the sheet."""
        return [
            station
            for station in self.stations(contest)
            if any(copy.stands and copy.state == "differs" for copy in self._said[contest, station].copies)
        ]

    def tally(self, contest: int) -> Tally:
        """How many stations of a contest have copies and countersignatures, and how many copies agree."""
        copied = agreeing = differing = signed = refused = 0
        for (own, _), said in self._said.items():
            if own != contest:
                continue
            states = {copy.state for copy in said.copies if copy.stands}
            copied += bool(states)
            differing += "differs" in states
            agreeing += "agrees" in states and "differs" not in states
            verdicts = {one.verdict for one in said.countersignatures if one.key != "revoked-before"}
            signed += "sign" in verdicts
            refused += "refuse" in verdicts
        return Tally(copied, agreeing, differing, signed, refused)

    def witnesses(self) -> tuple[Witnessing, ...]:
        """Everyone who has said anything of a sheet, by role and id."""
        counts: dict[Speaker, list[int]] = {}
        for said in self._said.values():
            for copy in said.copies:
                if copy.stands:
                    _add(counts, copy.speaker, 1, copy.state == "agrees", copy.state == "differs")
            for one in said.countersignatures:
                if one.key != "revoked-before":
                    _add(counts, one.speaker, 0, 0, 0, one.verdict == "sign", one.verdict == "refuse")
        order = sorted(counts, key=lambda speaker: (speaker.role, speaker.issuer, speaker.unit, speaker.name))
        return tuple(Witnessing(speaker, *counts[speaker]) for speaker in order)


def _add(counts: dict[Speaker, list[int]], speaker: Speaker, *more: int) -> None:
    row = counts.setdefault(speaker, [0] * 5)
    for at, value in enumerate(more):
        row[at] += value


class _Matcher:
    """Finds the sheet that each statement is about."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._known = count.accreditations
        self._speakers: dict[tuple[str, bytes], Speaker] = {}
        self._revoked: dict[tuple[str, bytes], int] = {}
        """Log entry at which each revoked key ceased to be valid, by issuer and thumbprint."""
        for act in count.acts.values():
            payload, effective = act.recorded.statement.payload, act.effective
            if effective is not None and isinstance(payload, Accreditation) and payload.action == "revoke":
                key = (payload.issuer, payload.kid())
                # A key that is revoked a second time was not valid in between.
                self._revoked[key] = min(effective, self._revoked.get(key, effective))

    def match(self) -> dict[Place, StationObservations]:
        signed = self._countersignatures()
        copies = self._copies()
        empty: list[Countersignature] = []
        return {
            place: StationObservations(tuple(signed.get(place, empty)), tuple(copies.get(place, ())))
            for place in (*signed, *(place for place in copies if place not in signed))
        }

    # --- countersignatures --------------------------------------------------------------------------------------------

    def _countersignatures(self) -> dict[Place, list[Countersignature]]:
        count = self._count
        endorsed: dict[bytes, list[tuple[Recorded, Endorsement]]] = {}
        for recorded in count.endorsements:
            payload = recorded.statement.payload
            if isinstance(payload, Endorsement) and payload.statement not in count.acts:
                endorsed.setdefault(payload.statement, []).append((recorded, payload))
        found: dict[Place, list[Countersignature]] = {}
        for number, contest in enumerate(count.contests):
            for station, index, name in _named(contest, endorsed):
                unit = count.election.units.ids[int(count.election.units.station_units[station])]
                for recorded, endorsement in endorsed[name]:
                    speaker = self._speaker(recorded)
                    found.setdefault((number, station), []).append(
                        Countersignature(
                            recorded.index,
                            speaker,
                            index,
                            endorsement.verdict,
                            endorsement.reason,
                            self._key(recorded),
                            self._is_in_scope(speaker, unit),
                        )
                    )
        for several in found.values():
            several.sort(key=lambda one: one.index)
        return found

    def _is_in_scope(self, speaker: Speaker, unit: str) -> bool:
        units = self._count.election.units
        scope = speaker.issuer.partition("/")[2] if speaker.role == "station" else speaker.unit
        if not scope:
            return True
        return (scope in units.index or scope in units.station_index) and units.position(scope) in units.path(
            units.position(unit)
        )

    # --- copies -------------------------------------------------------------------------------------------------------

    def _copies(self) -> dict[Place, list[Copy]]:
        count = self._count
        given: dict[Place, list[tuple[Recorded, Attestation]]] = {}
        contests = {contest.contest.id: number for number, contest in enumerate(count.contests)}
        for recorded in count.attestations:
            payload = recorded.statement.payload
            if not isinstance(payload, Attestation):
                continue
            station = count.election.units.station_index.get(payload.station)
            contest = contests.get(payload.contest)
            if station is not None and contest is not None:
                given.setdefault((contest, station), []).append((recorded, payload))
        return {place: self._held(*place, said) for place, said in given.items()}

    def _held(self, contest: int, station: int, given: list[tuple[Recorded, Attestation]]) -> list[Copy]:
        """Hold copies against the figures that stand for their station."""
        state = self._count.contests[contest]
        sheet = int(state.sheet[station])
        effective: list[int] = state.figures[station].tolist()
        sheets = [(record.index, record.figures.tolist()) for record in state.sheets_of(station)]
        newest: dict[str, int] = {}
        keys = [self._key(recorded) for recorded, _ in given]
        for (recorded, _), key in zip(given, keys, strict=True):
            if key != "revoked-before":
                newest[recorded.statement.issuer] = recorded.index
        copies = []
        for (recorded, attestation), key in zip(given, keys, strict=True):
            figures = _figures(attestation, state.options)
            differing = _differing(figures, effective) if sheet >= 0 else ()
            copies.append(
                Copy(
                    recorded.index,
                    self._speaker(recorded),
                    key,
                    key != "revoked-before" and newest[recorded.statement.issuer] != recorded.index,
                    figures,
                    attestation.time,
                    attestation.image,
                    sheet if sheet >= 0 else None,
                    0 if sheet < 0 else _common(figures, effective) - len(differing),
                    differing,
                    sum(own < 0 <= theirs for own, theirs in zip(figures, effective, strict=True)) if sheet >= 0 else 0,
                    tuple(index for index, own in sheets if _common(figures, own) and not _differing(figures, own)),
                )
            )
        return copies

    # --- who ----------------------------------------------------------------------------------------------------------

    def _speaker(self, recorded: Recorded) -> Speaker:
        envelope = recorded.statement.envelope
        key = (envelope.issuer, envelope.kid)
        speaker = self._speakers.get(key)
        if speaker is None:
            known = self._known.match(envelope.issuer, envelope.kid, envelope.algorithm)
            known = known or next(iter(self._known.find(envelope.issuer)), None)
            # Intake admits no statement of somebody who is not known; verify reports a log that holds one.
            speaker = (
                Speaker(envelope.issuer, "observer", "", "")
                if known is None
                else Speaker(known.id, known.role, known.name, known.unit)
            )
            self._speakers[key] = speaker
        return speaker

    def _key(self, recorded: Recorded) -> KeyState:
        envelope = recorded.statement.envelope
        revoked = self._revoked.get((envelope.issuer, envelope.kid))
        if revoked is None:
            return "valid"
        return "revoked-before" if revoked < recorded.index else "revoked-later"


def _named(contest: ContestCount, names: Iterable[bytes]) -> list[tuple[int, int, bytes]]:
    """The sheets of a contest whose hash is among the names: station number, log index, hash."""
    wanted = set(names)
    if not wanted:
        return []
    found = []
    # The first eight bytes of all sheets' hashes are looked for at once; the few that are met are then compared whole.
    starts = np.frombuffer(b"".join(name[:8] for name in sorted(wanted)), dtype=np.uint64)
    own = np.ascontiguousarray(contest.hashes[:, :8]).view(np.uint64).ravel()
    met = np.flatnonzero(np.isin(own, starts)).tolist()
    for station in {*met, *contest.several}:
        several = contest.several.get(station)
        if several is None:
            name = contest.hashes[station].tobytes()
            if name in wanted and contest.sheet[station] >= 0:
                found.append((station, int(contest.sheet[station]), name))
        else:
            found += [(station, sheet.index, sheet.hash) for sheet in several if sheet.hash in wanted]
    return sorted(found)


def _figures(attestation: Attestation, options: int) -> tuple[int, ...]:
    """A copy's figures as a row of figures; of a ranked contest a copy states no votes."""
    counts = attestation.counts if len(attestation.counts) == options else (None,) * options
    given = (*counts, attestation.blank, attestation.null, attestation.cast, attestation.voters, attestation.roll)
    return tuple(UNKNOWN if value is None else value for value in given)


def _common(first: Iterable[int], second: Iterable[int]) -> int:
    """How many figures both state."""
    return sum(own >= 0 and theirs >= 0 for own, theirs in zip(first, second, strict=True))


def _differing(copy: Iterable[int], sheet: Iterable[int]) -> tuple[Difference, ...]:
    return tuple(
        Difference(figure, own, theirs)
        for figure, (own, theirs) in enumerate(zip(copy, sheet, strict=True))
        if own != theirs and own >= 0 and theirs >= 0
    )
