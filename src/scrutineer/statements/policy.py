"""What may enter the log: whether this issuer, with this key, may say this about that (SCITT: the registration policy).

Pure: an election, the accreditations applied so far, and bytes. Intake asks before it logs, the count and the verifier ask
again. Checks run from cheap to dear and end with the signature. The policy judges who speaks about what, not whether the
figures are plausible: a validly signed sheet is recorded even where it contradicts another or does not add up.

A revoked key is still known here. What it signs is evidence, is recorded, and is for the count to hold back.
"""

from typing import Final, NamedTuple

from scrutineer.election.contests import Contest
from scrutineer.election.definition import Definition, Election
from scrutineer.election.register import Algorithm, Issuer, station_issuer
from scrutineer.errors import PolicyError, StatementError
from scrutineer.statements import kinds, tally_sheet
from scrutineer.statements.accreditations import Accreditations, may_accredit
from scrutineer.statements.audit import AuditCount, AuditPlan, AuditReport, AuditSeed
from scrutineer.statements.audit_order import AuditOrder, orders_audits
from scrutineer.statements.codec import MAX_STATEMENT_SIZE, TEXT_HEADS
from scrutineer.statements.envelope import protected_header, signed_bytes
from scrutineer.statements.incident import Incident
from scrutineer.statements.keys import thumbprint, verify
from scrutineer.statements.statement import SHEET_MARK, Statement, parse_statement
from scrutineer.statements.tally_sheet import TallySheet

# The bytes around the parts that differ from sheet to sheet: before the key's thumbprint, and between it and the issuer.
_SHEET_HEADER: Final = protected_header(tally_sheet.KIND, "", "", b"").partition(b"\x04\x58\x20")[0] + b"\x04\x58\x20"
_HEADER_AT: Final = 4  # offset of the protected header in a sheet: tag, array, byte string with one byte of length
_SIGNED_PREFIX: Final = signed_bytes(b"", b"")[:-3]  # without the three empty byte strings
_NO_KEY: Final = bytes(32)


def changes_policy(data: bytes) -> bool:
    """Whether the bytes of a well-formed statement may change what is admitted after it; may err to yes."""
    return may_accredit(data) or orders_audits(data)


class Reading(NamedTuple):
    """A statement that may be made, and what is left to check: that this key signed these bytes."""

    statement: Statement
    issuer: Issuer

    def check_signature(self) -> None:
        """Raise SignatureError unless the issuer's key made the signature."""
        self.statement.envelope.check_signature(self.issuer.key)


class SheetReading(NamedTuple):
    """A tally sheet that may be made: station and contest by number, and what is left to check, the signature."""

    sheet: TallySheet
    station: int
    contest: int
    public_key: bytes
    signed: bytes
    signature: bytes
    algorithm: Algorithm = "ed25519"

    def check_signature(self) -> None:
        """Raise SignatureError unless the station's key made the signature."""
        verify(self.public_key, self.signed, self.signature, self.algorithm)


class Policy:
    """Who may say what in one election. Holds the accreditations and audits that `apply` was given, in log order."""

    def __init__(self, election: Election) -> None:
        self.election = election
        self.accreditations = Accreditations(election)
        self.audits = AuditOrder()
        self._stations = election.units.station_index
        self._contests = election.contest_index
        self._keys = election.register.station_keys
        # How many counts a plain sheet has; the sheets of ranked contests are read the long way.
        self._shapes = tuple(-1 if contest.rule == "ranked" else len(contest.options) for contest in election.contests)
        units = election.units
        self._spans = tuple((r.start, r.stop) for r in (units.stations_below(unit) for unit in election.contest_units))
        self._subjects = tuple(f"/{contest.id}".encode() for contest in election.contests)

    def admit(self, data: bytes) -> Statement:
        """Check everything, the signature last.

        Raises StatementError (not a statement), PolicyError (not this signer's to say) or SignatureError; the `code` of
        each names the reason for programs.
        """
        reading = self.read(data)
        reading.check_signature()
        return reading.statement

    def check(self, data: bytes) -> None:
        """Check everything like `admit`, on the shortest way for tally sheets."""
        if SHEET_MARK in data[:64]:
            self.read_sheet(data).check_signature()
        else:
            self.read(data).check_signature()

    def read(self, data: bytes) -> Reading:
        """Check everything but the signature. Raises StatementError or PolicyError."""
        statement = _parse(data)
        if isinstance(statement.payload, Definition):
            raise PolicyError(
                "an election has one definition, and this one has it: start another election for another definition",
                code="second-definition",
            )
        issuer = self._issuer(statement)
        if not self.election.may(issuer, statement.kind):
            raise PolicyError(
                f"{issuer.id} has the role {issuer.role!r}, which may not sign statements of kind {statement.kind!r}",
                code="role-not-allowed",
            )
        self._check_election(statement.payload.election)
        self._check_scope(statement.payload, issuer)
        if isinstance(statement.payload, AuditPlan | AuditSeed | AuditCount | AuditReport):
            self.audits.check(statement.payload, issuer.id, statement.hash)
        self._check_shape(statement.payload)
        return Reading(statement, issuer)

    def read_sheet(self, data: bytes) -> SheetReading:
        """Check everything but the signature of a tally sheet, and number its station and contest.

        Raises StatementError or PolicyError, also for a statement of another kind.
        """
        reading = self._read_plain_sheet(data)
        return self._read_any_sheet(data) if reading is None else reading

    def apply(self, statement: Statement) -> None:
        """Take note of a logged statement; accreditations take effect with the last authority signature that they need."""
        self.accreditations.apply(statement)
        # What a revoked key signs is recorded, but no seed of somebody's who found the key may become the seed.
        if not self.accreditations.is_revoked(statement.envelope.issuer, statement.envelope.kid):
            self.audits.apply(statement)

    def _read_plain_sheet(self, data: bytes) -> SheetReading | None:
        """Read the sheet that nearly every sheet is: by the station's first key, and in order. None: look more closely.

        The header is not decoded. What it must be follows from station and contest, so it is built and compared.
        """
        end = len(data)
        if not 200 < end <= MAX_STATEMENT_SIZE or data[:3] != b"\xd2\x84\x58":
            return None
        at = _HEADER_AT + data[3]
        # Unprotected header, payload, and the fixed-size signature at the end, each with its length in the shortest form.
        signature_at = end - 66
        if signature_at < at + 4:
            return None
        mark = data[at : at + 2]
        if mark == b"\xa0\x58":
            start = at + 3
            if data[at + 2] < 24 or start + data[at + 2] != signature_at:
                return None
        elif mark == b"\xa0\x59":
            start = at + 4
            if data[at + 2] == 0 or start + (data[at + 2] << 8 | data[at + 3]) != signature_at:
                return None
        else:
            return None
        if data[signature_at : signature_at + 2] != b"\x58\x40":
            return None
        sheet = tally_sheet.decode_payload(data[start:signature_at])
        station = self._stations.get(sheet.station)
        contest = self._contests.get(sheet.contest)
        if station is None or contest is None:
            return None
        public_key = self._keys[32 * station : 32 * station + 32]
        name = sheet.station.encode()
        subject = name + self._subjects[contest]
        header = b"".join(
            (
                _SHEET_HEADER,
                thumbprint(public_key),
                b"\x0f\xa2\x01",
                TEXT_HEADS[len(name) + 8],
                b"station/",
                name,
                b"\x02",
                TEXT_HEADS[len(subject)],
                subject,
            )
        )
        first, last = self._spans[contest]
        if (
            data[_HEADER_AT:at] != header
            or public_key == _NO_KEY
            or sheet.election != self.election.hash
            or not first <= station < last
            or len(sheet.counts) != self._shapes[contest]
            or sheet.rankings is not None
        ):
            return None
        # The two byte strings stand in the Sig_structure exactly as they stand in the statement (RFC 9052 section 4.4).
        signed = b"".join((_SIGNED_PREFIX, data[2:at], b"\x40", data[at + 1 : signature_at]))
        return SheetReading(sheet, station, contest, public_key, signed, data[signature_at + 2 :])

    def _read_any_sheet(self, data: bytes) -> SheetReading:
        """Read a sheet the long way: it is by another key of the station, unusual, or to be refused with the exact reason."""
        statement, issuer = self.read(data)
        envelope = statement.envelope
        sheet = statement.payload
        if not isinstance(sheet, TallySheet):
            raise StatementError(f"a tally sheet was expected, and this is a statement of kind {statement.kind!r}")
        return SheetReading(
            sheet,
            self._stations[sheet.station],
            self._contests[sheet.contest],
            issuer.key,
            signed_bytes(envelope.protected, envelope.payload),
            envelope.signature,
            envelope.algorithm,
        )

    def _issuer(self, statement: Statement) -> Issuer:
        envelope = statement.envelope
        issuer = self.accreditations.match(envelope.issuer, envelope.kid, envelope.algorithm)
        if issuer is not None:
            return issuer
        if not self.accreditations.find(envelope.issuer):
            raise PolicyError(
                f"issuer {envelope.issuer!r} is not in the register of this election: have it accredited first",
                code="unknown-issuer",
            )
        raise PolicyError(
            f"the key {envelope.kid.hex()[:16]}… is not one of {envelope.issuer!r}: sign with a registered key, "
            "or have this one accredited",
            code="unknown-key",
        )

    def _check_election(self, election: bytes) -> None:
        if election != self.election.hash:
            raise PolicyError(
                f"the statement belongs to election {election.hex()[:16]}…, and this is {self.election.hash.hex()[:16]}…: "
                "send it to the intake of its own election",
                code="wrong-election",
            )

    def _check_scope(self, payload: object, issuer: Issuer) -> None:
        if isinstance(payload, TallySheet | kinds.StationOpened | kinds.Attestation | kinds.Decision):
            self._check_station(payload.station, issuer)
            if not isinstance(payload, kinds.StationOpened):
                self._check_votes_in(payload.station, payload.contest)
        elif isinstance(payload, kinds.Claim):
            self._check_quoted(payload)
        elif isinstance(payload, Incident):
            self._check_reported(payload, issuer)
        elif isinstance(payload, AuditPlan):
            self._check_unit(payload.unit, issuer)
        elif isinstance(payload, AuditCount):
            self._check_counted(payload, issuer)
        elif isinstance(payload, kinds.Accreditation):
            self._check_unit(self.accreditations.unit_of(payload.as_issuer()), issuer)
        elif isinstance(payload, kinds.Bulletin | kinds.Certificate):
            self._check_unit("", issuer)

    def _check_quoted(self, claim: kinds.Claim) -> None:
        """Whoever is accredited may quote what was said of any place: the unit of the issuer limits what it has seen itself."""
        units = self.election.units
        contest = self._contests.get(claim.contest)
        if contest is None:
            raise PolicyError(f"there is no contest {claim.contest[:64]!r} in this election", code="unknown-contest")
        if not claim.unit:
            return
        if claim.unit not in units.index and claim.unit not in units.station_index:
            raise PolicyError(f"there is no unit {claim.unit[:64]!r} in this election", code="unknown-unit")
        below, (first, last) = units.stations_below(units.position(claim.unit)), self._spans[contest]
        if min(below.stop, last) <= max(below.start, first):
            raise PolicyError(f"unit {claim.unit!r} does not vote in contest {claim.contest!r}", code="out-of-scope")

    def _check_reported(self, incident: Incident, issuer: Issuer) -> None:
        """Who reports speaks of units inside its own; what a service refused only its operator can know."""
        if incident.requests is not None and issuer.role != "operator":
            raise PolicyError(
                f"{issuer.id} has the role {issuer.role!r}: what a service refused is summed up by its operator",
                code="role-not-allowed",
            )
        self._check_unit(incident.unit, issuer)

    def _check_counted(self, count: AuditCount, issuer: Issuer) -> None:
        """A box that is called like a unit is that unit's; any other lies somewhere in the unit of the plan."""
        units = self.election.units
        planned = self.audits.plans.get(count.plan)
        if count.box in units.index or count.box in units.station_index:
            self._check_unit(count.box, issuer)
        elif planned is not None:
            self._check_unit(planned.plan.unit, issuer)

    def _check_station(self, station: str, issuer: Issuer) -> None:
        if station not in self._stations:
            raise PolicyError(f"there is no station {station[:64]!r} in this election", code="unknown-station")
        if issuer.role == "station":
            if issuer.id != station_issuer(station):
                raise PolicyError(f"{issuer.id} speaks for itself alone, not for station {station!r}", code="out-of-scope")
        else:
            self._check_unit(station, issuer)

    def _check_unit(self, unit: str, issuer: Issuer) -> None:
        units = self.election.units
        if unit and unit not in units.index and unit not in units.station_index:
            raise PolicyError(f"there is no unit {unit[:64]!r} in this election", code="unknown-unit")
        if not self.accreditations.speaks_for(issuer, unit):
            raise PolicyError(
                f"{issuer.id} speaks for unit {issuer.unit!r}, which does not hold {unit or 'the whole country'!r}",
                code="out-of-scope",
            )

    def _check_votes_in(self, station: str, contest: str) -> None:
        number = self._contests.get(contest)
        if number is None:
            raise PolicyError(f"there is no contest {contest[:64]!r} in this election", code="unknown-contest")
        first, last = self._spans[number]
        if not first <= self._stations[station] < last:
            raise PolicyError(f"station {station!r} does not vote in contest {contest!r}", code="out-of-scope")

    def _check_shape(self, payload: object) -> None:
        """Hold the statement against the definition: as many figures as the contest has options."""
        if isinstance(payload, TallySheet):
            contest = self._contest(payload.contest)
            _check_counts(contest, payload.counts)
            _check_rankings(contest, payload)
        elif isinstance(payload, kinds.Attestation):
            _check_counts(self._contest(payload.contest), payload.counts)
        elif isinstance(payload, kinds.Decision) and payload.after is not None:
            _check_counts(self._contest(payload.contest), payload.after.counts)
        elif isinstance(payload, kinds.Claim):
            _check_options(self._contest(payload.contest), payload)
        elif isinstance(payload, AuditCount):
            self._check_box(payload)
        elif isinstance(payload, AuditPlan):
            for planned in payload.contests:
                self._contest(planned)
        elif isinstance(payload, AuditReport):
            for risk in payload.risks:
                self._contest(risk.contest)
        elif isinstance(payload, kinds.Bulletin | kinds.Certificate):
            for result in payload.contests:
                contest = self._contest(result.contest)
                if len(result.votes) != len(contest.options):
                    raise _shape(contest, f"{len(result.votes)} numbers of votes for {len(contest.options)} options")

    def _check_box(self, count: AuditCount) -> None:
        for totals in count.totals:
            _check_counts(self._contest(totals.contest), totals.counts)
        for card in count.cards:
            for contest, options in card.marks.items():
                known = len(self._contest(contest).options)
                if any(option >= known for option in options):
                    raise _shape(
                        self._contest(contest), f"card {card.position} bears a mark for an option beyond the last of {known}"
                    )

    def _contest(self, contest: str) -> Contest:
        number = self._contests.get(contest)
        if number is None:
            raise PolicyError(f"there is no contest {contest[:64]!r} in this election", code="unknown-contest")
        return self.election.contests[number]


def _parse(data: bytes) -> Statement:
    if len(data) > MAX_STATEMENT_SIZE:
        raise StatementError(f"the statement has {len(data)} bytes: at most {MAX_STATEMENT_SIZE} are taken", code="too-large")
    return parse_statement(data)


def _check_counts(contest: Contest, counts: tuple[int | None, ...]) -> None:
    expected = 0 if contest.rule == "ranked" else len(contest.options)
    if len(counts) != expected:
        raise _shape(contest, f"{len(counts)} counts where {expected} belong")


def _check_rankings(contest: Contest, sheet: TallySheet) -> None:
    if (contest.rule == "ranked") != (sheet.rankings is not None):
        raise _shape(contest, "rankings belong on the sheets of ranked contests, and on no others")
    if any(option >= len(contest.options) for order, _ in sheet.rankings or () for option in order):
        raise _shape(contest, f"a ranking names an option beyond the last of {len(contest.options)}")


def _check_options(contest: Contest, claim: kinds.Claim) -> None:
    known = {option.id for option in contest.options} | {candidate.id for candidate in contest.standing()}
    for figure in claim.figures:
        if figure.option and figure.option not in known:
            raise _shape(contest, f"the claim names option {figure.option[:64]!r}, which the contest does not have")


def _shape(contest: Contest, what: str) -> PolicyError:
    return PolicyError(f"contest {contest.id!r}: {what}; follow the definition of the contest", code="wrong-shape")
