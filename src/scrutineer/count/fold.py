"""The fold: from the log's statements, in order, to effective sheets, quarantine and totals.

A pure function of the log prefix: the same entries give the same state, in whatever stretches they are handed over. The
statements are taken as admitted (policy and signatures are checked at intake, and again by `verify`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scrutineer.count.columns import SheetReader, Stray
from scrutineer.count.contest import ContestCount
from scrutineer.count.rules import UNKNOWN_STATION, WRONG_CONTEST, RuleBook
from scrutineer.election import UNKNOWN, Election, Issuer
from scrutineer.statements import (
    Accreditation,
    Attestation,
    AuditCount,
    AuditPlan,
    AuditReport,
    AuditSeed,
    Bulletin,
    Certificate,
    Claim,
    Decision,
    Endorsement,
    Incident,
    Statement,
    StationOpened,
    is_tally_sheet,
    parse_statement,
)
from scrutineer.statements.accreditations import Accreditations
from scrutineer.statements.envelope import open_envelope
from scrutineer.statements.keys import thumbprint
from scrutineer.statements.policy import SheetReading
from scrutineer.statements.sheet_batch import SheetBatch


@dataclass(frozen=True, slots=True)
class Recorded:
    """A statement with its place in the log."""

    index: int
    statement: Statement


@dataclass(slots=True)
class Act:
    """An act that needs the signatures of several officers, and who has signed or refused so far."""

    recorded: Recorded
    needed: int
    signed: dict[str, int]
    """Log index of the signature of each officer whose signature counts here, by issuer."""
    refused: dict[str, int]
    """The same of those who refused and have not signed since."""
    effective: int | None = None
    """Log index at which the act took effect."""


class Count:
    """The count of an election at a log size."""

    def __init__(self, election: Election) -> None:
        self.election = election
        self.book = RuleBook.of(election.definition.rules)
        self.size = 0
        """How many log entries are in this state."""
        self.contests = [ContestCount(election, number, self.book) for number in range(len(election.contests))]
        self.opened: NDArray[np.int64] = np.full(election.units.station_count, UNKNOWN, dtype=np.int64)
        self.strays: list[Stray] = []
        self.acts: dict[bytes, Act] = {}
        """Acts that need signatures, by statement hash."""
        self.bulletins: list[Recorded] = []
        self.certificates: list[Recorded] = []
        self.attestations: list[Recorded] = []
        self.claims: list[Recorded] = []
        """Announced results that somebody quoted; they change nothing in the count."""
        self.incidents: list[Recorded] = []
        """What was reported to have happened; it changes nothing in the count."""
        self.audits: list[Recorded] = []
        """Plans, seeds, counts and reports of audits, but for those by revoked keys; they change nothing in the count."""
        self.endorsements: list[Recorded] = []
        self.openings: dict[int, int] = {}
        """Log index of the first opening of each station that declared one."""
        self.notes: list[tuple[int, str]] = []
        """Statements that could not take effect: log index and reason."""
        self.accreditations = Accreditations(election)
        self._ahead: dict[bytes, list[tuple[int, Issuer, str]]] = {}
        """Officers' endorsements of statements that the log does not hold yet."""
        self._reader = SheetReader(election)
        # Where a station has, or had, more than one key, which of them signed what has to be remembered for each sheet.
        self._rekeyed = {self._station_of(issuer.id) for issuer in election.register.others()} - {-1}
        self._keys: dict[int, bytes] = {}
        """Thumbprint of the key that signed a sheet, by log index, for the sheets of these stations."""

    def apply(self, entries: Iterable[bytes]) -> None:
        """Fold the next entries of the log, in order. Raises CountError for bytes that no intake would have admitted."""
        pending: list[tuple[int, bytes]] = []
        for data in entries:
            if is_tally_sheet(data):
                pending.append((self.size, data))
            else:
                self._apply_sheets(pending)
                pending = []
                self._apply_other(Recorded(self.size, parse_statement(data)))
            self.size += 1
        self._apply_sheets(pending)

    def apply_sheets(
        self,
        hashes: NDArray[np.uint8],
        plain: SheetBatch,
        others: Sequence[tuple[int, SheetReading]] = (),
        revoked: Sequence[int] = (),
    ) -> None:
        """Fold the next entries, all of them tally sheets that have been read already.

        The same as `apply` for those who hold the readings: the statement hashes of all of the entries, shape (entries, 32),
        the plain sheets, whose rows are positions among the entries, and the others by their log indexes. `revoked` are the
        log indexes of sheets by revoked keys.
        """
        columns = self._reader.sort_batch(plain, self.size + plain.rows, hashes[plain.rows])
        if self._rekeyed:
            for row in np.flatnonzero(np.isin(plain.station, list(self._rekeyed))).tolist():
                self._keys[self.size + int(plain.rows[row])] = plain.kid[row].tobytes()
            for index, reading in others:
                if reading.station in self._rekeyed:
                    self._keys[index] = thumbprint(reading.public_key, reading.algorithm)
        if others:
            singly = self._reader.sort((index, hashes[index - self.size].tobytes(), reading) for index, reading in others)
            columns = [some.joined(rest) for some, rest in zip(columns, singly, strict=True)]
        for contest, column in zip(self.contests, columns, strict=True):
            contest.add(column, self.opened, revoked)
        self.size += len(hashes)

    def pass_over(self) -> None:
        """Let an entry count for nothing: one that intake should not have admitted. A verifier reports it."""
        self.size += 1

    def prepare(self) -> None:
        """Compute all totals now; from here on single statements update them in place."""
        for contest in self.contests:
            contest.prepare()

    def act_of(self, index: int) -> Act | None:
        """The act that was recorded at a log index."""
        return next((act for act in self.acts.values() if act.recorded.index == index), None)

    def _apply_sheets(self, sheets: list[tuple[int, bytes]]) -> None:
        if not sheets:
            return
        columns, stray = self._reader.read(sheets, UNKNOWN_STATION, WRONG_CONTEST)
        self.strays += stray
        revoked: list[int] = []
        watched = list(self._rekeyed | {self._station_of(issuer) for issuer in self.accreditations.revoked_issuers})
        for contest, column in zip(self.contests, columns, strict=True):
            # Few stations change or lose a key, so only the envelopes of theirs are opened.
            for index in column.index[np.isin(column.station, watched)].tolist() if watched else ():
                envelope = open_envelope(sheets[index - sheets[0][0]][1])
                if self._station_of(envelope.issuer) in self._rekeyed:
                    self._keys[index] = envelope.kid
                if self.accreditations.is_revoked(envelope.issuer, envelope.kid):
                    revoked.append(index)
            contest.add(column, self.opened, revoked)

    def _station_of(self, issuer: str) -> int:
        """The number of the station that an issuer is; -1 where it is none of the definition's."""
        role, _, station = issuer.partition("/")
        return self.election.units.station_index.get(station, -1) if role == "station" else -1

    def _accredit(self, statement: Statement) -> None:
        """Apply a statement to who is known. Sheets by a key that is revoked from now on are flagged and stay."""
        effective = self.accreditations.apply(statement)
        station = self._station_of(effective.issuer) if effective is not None else -1
        if effective is None or station < 0:
            return
        if effective.action == "admit":
            self._rekeyed.add(station)
            return
        oldest = self.accreditations.find(effective.issuer)
        # Whatever was not remembered was signed while the station had one key: the first that it was ever given.
        first, revoked = thumbprint(oldest[-1].key, oldest[-1].algorithm) if oldest else b"", effective.kid()
        for contest in self.contests:
            contest.flag_key(station, lambda index: self._keys.get(index, first) == revoked)

    def _apply_other(self, recorded: Recorded) -> None:
        payload = recorded.statement.payload
        match payload:
            case StationOpened():
                self._open_station(recorded, payload)
            case Accreditation():
                self._accredit(recorded.statement)
                self._begin(recorded, "accreditation")
            case Decision():
                self._begin(recorded, "decision")
            case Endorsement():
                self.endorsements.append(recorded)
                self._accredit(recorded.statement)
                self._endorse(recorded, payload)
            case Bulletin():
                self.bulletins.append(recorded)
                self._begin(recorded, "bulletin")
            case Certificate():
                self.certificates.append(recorded)
                self._begin(recorded, "certificate")
            case Attestation():
                self.attestations.append(recorded)
            case Claim():
                self.claims.append(recorded)
            case Incident():
                self.incidents.append(recorded)
            case AuditPlan() | AuditSeed() | AuditCount() | AuditReport():
                self._note_audit(recorded, payload.subject())
            case _:
                self._begin(recorded, "definition")

    def _note_audit(self, recorded: Recorded, subject: str) -> None:
        envelope = recorded.statement.envelope
        if self.accreditations.is_revoked(envelope.issuer, envelope.kid):
            self.notes.append((recorded.index, f"statement on {subject!r}, signed with a key that had been revoked"))
        else:
            self.audits.append(recorded)

    def _open_station(self, recorded: Recorded, opening: StationOpened) -> None:
        index, envelope = recorded.index, recorded.statement.envelope
        station = self.election.units.station_index.get(opening.station)
        if self.accreditations.is_revoked(envelope.issuer, envelope.kid):
            self.notes.append((index, f"opening of station {opening.station!r}, signed with a key that had been revoked"))
        elif station is None:
            self.notes.append((index, f"opening of station {opening.station!r}, which the definition does not have"))
        elif station in self.openings:
            self.notes.append((index, f"station {opening.station!r} was declared open a second time; the first holds"))
        else:
            self.openings[station] = index
            self.opened[station] = opening.time
            for contest in self.contests:
                contest.reopen(station, self.opened)

    def _begin(self, recorded: Recorded, kind: str) -> None:
        act = Act(recorded, self.election.definition.needed(kind), {}, {})
        name = recorded.statement.hash
        self.acts[name] = act
        for index, officer, verdict in self._ahead.pop(name, ()):
            self._put_name(act, index, officer, verdict)
        if (signer := self._signer(recorded)) is not None:
            self._put_name(act, recorded.index, signer, "sign")
        self._settle(act, recorded.index)

    def _endorse(self, recorded: Recorded, endorsement: Endorsement) -> None:
        signer = self._signer(recorded)
        if signer is None:
            return
        act = self.acts.get(endorsement.statement)
        if act is None:
            self._ahead.setdefault(endorsement.statement, []).append((recorded.index, signer, endorsement.verdict))
            return
        self._put_name(act, recorded.index, signer, endorsement.verdict)
        self._settle(act, recorded.index)

    def _signer(self, recorded: Recorded) -> Issuer | None:
        """The officer whose signature a statement bears; None where it is not the authority's, or not any more."""
        envelope = recorded.statement.envelope
        if not envelope.issuer.startswith("authority/") or self.accreditations.is_revoked(envelope.issuer, envelope.kid):
            return None
        return self.accreditations.match(envelope.issuer, envelope.kid, envelope.algorithm)

    def _put_name(self, act: Act, index: int, signer: Issuer, verdict: str) -> None:
        """An officer counts once and within scope. Who refused may sign later; who signed is bound, as in accreditations."""
        if signer.id in act.signed or not self.accreditations.speaks_for(signer, self._unit_of(act)):
            return
        if verdict == "refuse":
            act.refused.setdefault(signer.id, index)
            return
        act.refused.pop(signer.id, None)
        act.signed[signer.id] = index

    def _unit_of(self, act: Act) -> str:
        """The unit that an act is about; empty for the whole country."""
        payload = act.recorded.statement.payload
        if isinstance(payload, Decision):
            # What is decided about a station that does not exist is noted once it takes effect.
            return payload.station if payload.station in self.election.units.station_index else ""
        return self.accreditations.unit_of(payload.as_issuer()) if isinstance(payload, Accreditation) else ""

    def _settle(self, act: Act, index: int) -> None:
        if act.effective is not None or len(act.signed) < act.needed:
            return
        act.effective = index
        payload = act.recorded.statement.payload
        if isinstance(payload, Decision):
            self._decide(act.recorded.index, payload)

    def _decide(self, index: int, decision: Decision) -> None:
        station = self.election.units.station_index.get(decision.station)
        number = self.election.contest_index.get(decision.contest)
        if station is None or number is None:
            self.notes.append((index, f"decision on {decision.subject()!r}, which the definition does not have"))
            return
        contest = self.contests[number]
        if not self.election.votes_in(station, number):
            self.notes.append((index, f"decision on {decision.subject()!r}, where that station does not vote"))
            return
        if decision.sheet is None:
            contest.exclude(station, index)
            return
        sheet = next((r.index for r in contest.sheets_of(station) if r.hash == decision.sheet), None)
        figures = None
        if decision.after is not None:
            after = decision.after
            if contest.contest.rule == "ranked":
                reason = "corrects rankings, which it cannot state: accept a sheet that states them, or exclude the station"
                self.notes.append((index, f"decision on {decision.subject()!r} {reason}"))
                return
            if len(after.counts) != contest.options:
                self.notes.append(
                    (index, f"decision on {decision.subject()!r} gives {len(after.counts)} counts for {contest.options} options")
                )
                return
            given = (*after.counts, after.blank, after.null, after.cast, after.voters, after.roll)
            figures = [UNKNOWN if number is None else number for number in given]
        if sheet is None or not contest.accept(station, sheet, index, figures):
            self.notes.append((index, f"decision on {decision.subject()!r} names a sheet that this station did not send"))
