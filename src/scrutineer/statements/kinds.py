"""The kinds of statement besides `definition` and `tally-sheet`: one frozen type each, a CBOR map with text keys on the wire."""

from typing import Final, Literal

import msgspec

from scrutineer.election.contests import MAX_OPTIONS
from scrutineer.election.register import Algorithm, Issuer, Role
from scrutineer.errors import DefinitionError, StatementError
from scrutineer.statements.keys import thumbprint
from scrutineer.statements.tally_sheet import MAX_COUNT, MAX_TIME

HASH_SIZE: Final = 32  # bytes
MAX_REASON_LENGTH: Final = 2_000  # characters

Layer = Literal["preliminary", "official"]


def _check_hash(value: bytes, what: str) -> None:
    if len(value) != HASH_SIZE:
        raise StatementError(f"{what} is not a hash of {HASH_SIZE} bytes")


def _check_time(value: int) -> None:
    if not 0 <= value < MAX_TIME:
        raise StatementError(f"time {value} is not a number of seconds since 1970")


def _check_text(value: str, what: str, longest: int = MAX_REASON_LENGTH) -> None:
    if not value.strip() or len(value) > longest:
        raise StatementError(f"{what} is empty or longer than {longest} characters: write one or a few sentences")


def _check_counts(counts: tuple[int | None, ...], what: str) -> None:
    if len(counts) > MAX_OPTIONS or any(count is not None and not 0 <= count <= MAX_COUNT for count in counts):
        raise StatementError(f"{what} holds a number that is not a count (0 to {MAX_COUNT}), or more than {MAX_OPTIONS} of them")


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What all these payloads have in common: the election they belong to."""

    election: bytes

    def __post_init__(self) -> None:
        _check_hash(self.election, "election")
        self._check()

    def _check(self) -> None:
        """Refuse values that this kind may not hold. Raises StatementError."""

    def subject(self) -> str:
        """What the statement is about, for its subject claim."""
        raise StatementError(f"a {type(self).__name__} names no subject")


class Accreditation(_Payload, frozen=True, kw_only=True):
    """`accreditation`: the authority admits an issuer with a key, role and scope, or revokes a key."""

    action: Literal["admit", "revoke"]
    issuer: str
    role: Role
    algorithm: Algorithm = "ed25519"
    key: bytes
    unit: str = ""
    name: str = ""
    reason: str = ""

    def _check(self) -> None:
        try:
            self.as_issuer()
        except DefinitionError as error:
            raise StatementError(str(error)) from error
        if self.action == "revoke":
            _check_text(self.reason, "the reason for revoking a key")

    def as_issuer(self) -> Issuer:
        """The issuer that is admitted or whose key is revoked."""
        return Issuer(self.issuer, self.role, self.key, self.algorithm, self.unit, self.name)

    def kid(self) -> bytes:
        """The thumbprint of the key concerned."""
        return thumbprint(self.key, self.algorithm)

    def subject(self) -> str:
        """The issuer concerned."""
        return self.issuer


class Endorsement(_Payload, frozen=True, kw_only=True):
    """`endorsement`: signs another statement, named by its hash, or refuses to, with a reason."""

    statement: bytes
    verdict: Literal["sign", "refuse"]
    reason: str = ""

    def _check(self) -> None:
        _check_hash(self.statement, "the endorsed statement")
        if self.verdict == "refuse":
            _check_text(self.reason, "the reason for refusing")

    def subject(self) -> str:
        """The hash of the endorsed statement, in hexadecimal."""
        return self.statement.hex()


class StationOpened(_Payload, frozen=True, kw_only=True):
    """`station-opened`: the station declares that it opened, that every counter stood at zero, and what it runs."""

    station: str
    time: int
    software: bytes | None = None
    """SHA-256 of the software that the device runs, where there is a device."""

    def _check(self) -> None:
        _check_time(self.time)
        if self.software is not None:
            _check_hash(self.software, "software")

    def subject(self) -> str:
        """The station."""
        return self.station


class Attestation(_Payload, frozen=True, kw_only=True):
    """`attestation`: an agent's or observer's own copy of a station's sheet."""

    station: str
    contest: str
    counts: tuple[int | None, ...]
    blank: int | None = None
    null: int | None = None
    cast: int | None = None
    voters: int | None = None
    roll: int | None = None
    time: int | None = None
    image: bytes | None = None

    def _check(self) -> None:
        _check_counts(self.counts, "the attestation")
        _check_counts((self.blank, self.null, self.cast, self.voters, self.roll), "the attestation")
        if self.time is not None:
            _check_time(self.time)
        if self.image is not None:
            _check_hash(self.image, "image")

    def subject(self) -> str:
        """Station and contest."""
        return f"{self.station}/{self.contest}"


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The figures that a decision puts in place of a sheet's."""

    counts: tuple[int | None, ...]
    blank: int | None = None
    null: int | None = None
    cast: int | None = None
    voters: int | None = None
    roll: int | None = None

    def __post_init__(self) -> None:
        _check_counts(self.counts, "the decision")
        _check_counts((self.blank, self.null, self.cast, self.voters, self.roll), "the decision")


class Decision(_Payload, frozen=True, kw_only=True):
    """`decision`: what becomes of a station's sheet; takes effect when as many officers as the definition asks for have signed.

    `accept` lets the named sheet count as it stands, `correct` lets it count with the figures in `after`, `exclude` keeps the
    station out of the count.
    """

    station: str
    contest: str
    action: Literal["accept", "correct", "exclude"]
    sheet: bytes | None = None
    """Hash of the sheet that is accepted or corrected."""
    after: Figures | None = None
    reason: str

    def _check(self) -> None:
        _check_text(self.reason, "the reason of the decision")
        if (self.action != "exclude") != (self.sheet is not None):
            raise StatementError("a decision to accept or correct names the sheet by its hash; a decision to exclude names none")
        if self.sheet is not None:
            _check_hash(self.sheet, "sheet")
        if (self.action == "correct") != (self.after is not None):
            raise StatementError("a decision to correct gives the figures that hold from now on, and no other decision does")

    def subject(self) -> str:
        """Station and contest."""
        return f"{self.station}/{self.contest}"


class ContestResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One contest's totals over its whole unit, as a bulletin or certificate states them."""

    contest: str
    votes: tuple[int, ...]
    """Votes per ballot option, in the order of the definition."""
    blank: int | None
    """Blank votes of the counted sheets that state them; None where none does."""
    null: int | None
    ballots: int
    """Ballots of the counted stations, as stated or added up."""
    stations: int
    counted: int
    quarantined: int
    excluded: int
    outstanding: int
    open_ballots: int | None
    """At most so many ballots can still come from outstanding and quarantined stations; None where a roll is unknown."""
    elected: tuple[str, ...]
    """Candidates who hold the places on the counted sheets alone, in the order of the definition; lists once per seat."""
    runoff: tuple[str, ...]
    """Candidates who would go into a second round, where the rule has one and nobody is elected."""
    tied: tuple[str, ...]
    """Candidates who are level on the last places; a tie is reported and never broken here."""
    margin: int | None
    """Votes between the last in and the first out; None where nobody is out."""
    changeable: bool
    """Whether what is outstanding and quarantined could still change who is elected (exact bound, never an estimate)."""

    def __post_init__(self) -> None:
        stations = (self.counted, self.quarantined, self.excluded, self.outstanding)
        figures = (*self.votes, self.blank, self.null, self.ballots, *stations, self.open_ballots, self.margin)
        if len(self.votes) > MAX_OPTIONS or any(figure is not None and figure < 0 for figure in figures):
            raise StatementError("the totals of a contest hold a negative number, or more options than a contest has")
        if sum(stations) != self.stations:
            raise StatementError(
                "the stations of a contest are not the sum of counted, quarantined, excluded and outstanding ones"
            )


class Bulletin(_Payload, frozen=True, kw_only=True):
    """`bulletin`: the authority's totals, bound to the log size and root at which they are the count."""

    number: int
    layer: Layer
    size: int
    root: bytes
    time: int
    contests: tuple[ContestResult, ...]
    results: bytes
    """SHA-256 of the results table (results.csv) at this log size, which holds every unit."""

    def _check(self) -> None:
        _check_hash(self.root, "root")
        _check_hash(self.results, "results")
        _check_time(self.time)
        if self.number < 1 or self.size < 1:
            raise StatementError("a bulletin has a number and a log size of at least 1")

    def subject(self) -> str:
        """The bulletin's number."""
        return f"bulletin/{self.number}"


class Certificate(_Payload, frozen=True, kw_only=True):
    """`certificate`: the final result, bound to a log size and root; takes effect when enough officers have signed."""

    size: int
    root: bytes
    time: int
    contests: tuple[ContestResult, ...]
    results: bytes

    def _check(self) -> None:
        _check_hash(self.root, "root")
        _check_hash(self.results, "results")
        _check_time(self.time)
        if self.size < 1:
            raise StatementError("a certificate has a log size of at least 1")

    def subject(self) -> str:
        """The certificate of the election."""
        return "certificate"
