"""The kinds of statement besides `definition` and `tally-sheet`: one frozen type each, a CBOR map with text keys on the wire."""

import re
from typing import Final, Literal

import msgspec

from scrutineer.election.contests import MAX_NAME_LENGTH, MAX_OPTIONS
from scrutineer.election.register import Algorithm, Issuer, Role
from scrutineer.errors import DefinitionError, StatementError
from scrutineer.statements.contest_call import ContestCall
from scrutineer.statements.fields import check_hash, check_text
from scrutineer.statements.keys import thumbprint
from scrutineer.statements.tally_sheet import MAX_COUNT, MAX_TIME

MAX_WHEN_LENGTH: Final = 256  # characters
MAX_CLAIMED: Final = 10**10
"""More votes, voters or stations than any election has; no figure that is quoted may exceed it."""
MAX_CLAIMED_FIGURES: Final = 100

_PERCENT: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?", re.ASCII)

Layer = Literal["preliminary", "official"]


def _check_time(value: int) -> None:
    if not 0 <= value < MAX_TIME:
        raise StatementError(f"time {value} is not a number of seconds since 1970")


def _check_counts(counts: tuple[int | None, ...], what: str) -> None:
    if len(counts) > MAX_OPTIONS or any(count is not None and not 0 <= count <= MAX_COUNT for count in counts):
        raise StatementError(f"{what} holds a number that is not a count (0 to {MAX_COUNT}), or more than {MAX_OPTIONS} of them")


def _check_claimed(figures: dict[str, int | None], percents: dict[str, str]) -> None:
    for name, figure in figures.items():
        if figure is not None and not 0 <= figure <= MAX_CLAIMED:
            raise StatementError(f"{name} = {figure} of the claim is not a number from 0 to {MAX_CLAIMED}: check its digits")
    for name, percent in percents.items():
        if percent and (not _PERCENT.fullmatch(percent) or float(percent) > 100):
            raise StatementError(
                f"{name} of the claim is {percent[:16]!r}: write 0 to 100 with the digits given, such as '51.20'"
            )


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What all these payloads have in common: the election they belong to."""

    election: bytes

    def __post_init__(self) -> None:
        check_hash(self.election, "election")
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
            check_text(self.reason, "the reason for revoking a key")

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
        check_hash(self.statement, "the endorsed statement")
        if self.verdict == "refuse":
            check_text(self.reason, "the reason for refusing")

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
            check_hash(self.software, "software")

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
            check_hash(self.image, "image")

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
        check_text(self.reason, "the reason of the decision")
        if (self.action != "exclude") != (self.sheet is not None):
            raise StatementError("a decision to accept or correct names the sheet by its hash; a decision to exclude names none")
        if self.sheet is not None:
            check_hash(self.sheet, "sheet")
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
    calls: tuple[ContestCall, ...] = ()
    """Whether each outcome can still change; given where the definition commits to settings for it, and only then."""

    def _check(self) -> None:
        check_hash(self.root, "root")
        check_hash(self.results, "results")
        _check_time(self.time)
        if self.number < 1 or self.size < 1:
            raise StatementError("a bulletin has a number and a log size of at least 1")

    def subject(self) -> str:
        """The bulletin's number."""
        return f"bulletin/{self.number}"


class ClaimedFigure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What was announced for one option, as the announcement calls it."""

    name: str
    option: str = ""
    """Id of the option or candidate in the definition; empty where the name alone is quoted."""
    votes: int | None = None
    percent: str = ""
    """With the digits given, because they say how exactly it was announced: '51.20' is another figure than '51.2'."""
    others: bool = False
    """Whether this is the sum of all options that are not listed by name."""

    def __post_init__(self) -> None:
        check_text(self.name, "the name of a claimed figure", MAX_NAME_LENGTH)
        _check_claimed({f"votes of {self.name!r}": self.votes}, {f"percent of {self.name!r}": self.percent})
        if self.votes is None and not self.percent:
            raise StatementError(f"the claim says nothing of {self.name!r}: give votes, percent or both")


class Claim(_Payload, frozen=True, kw_only=True):
    """`claim`: a result that somebody announced, quoted with its source. Who signs vouches for the quotation, not its figures.

    Percentages are texts with the digits given. A figure that was not announced is absent, which is not zero. The figures
    may contradict each other: that is what a claim is examined for.
    """

    contest: str
    announced_by: str
    announced_at: str
    """When, in the words of the source."""
    source: str
    """Where it can be read or heard."""
    figures: tuple[ClaimedFigure, ...]
    unit: str = ""
    """The unit whose figures they are; the contest's own where it is left empty."""
    base: Literal["valid", "cast", "roll"] | None = None
    """Of what the options' percentages are shares; absent where that was not said."""
    rounding: Literal["half-up", "half-even", "truncation"] | None = None
    """How percentages were shortened; absent where that was not said."""
    counted: str = ""
    """The share of tally sheets counted, in per cent."""
    stations: int | None = None
    stations_counted: int | None = None
    roll: int | None = None
    """Registered voters of the whole contest or unit."""
    cast: int | None = None
    """All who voted: valid, blank and null."""
    valid: int | None = None
    blank: int | None = None
    null: int | None = None
    turnout: str = ""
    """Those who voted, in per cent of the roll."""
    valid_percent: str = ""
    """The valid votes, in per cent of those who voted; the next two likewise."""
    blank_percent: str = ""
    null_percent: str = ""

    def _check(self) -> None:
        check_text(self.announced_by, "who announced the claim", MAX_NAME_LENGTH)
        check_text(self.announced_at, "when the claim was announced", MAX_WHEN_LENGTH)
        check_text(self.source, "the source of the claim")
        if not 1 <= len(self.figures) <= MAX_CLAIMED_FIGURES:
            raise StatementError(f"the claim has {len(self.figures)} figures: quote 1 to {MAX_CLAIMED_FIGURES}")
        names = {figure.name for figure in self.figures}
        if len(names) < len(self.figures) or sum(figure.others for figure in self.figures) > 1:
            raise StatementError("the claim names an option twice, or two figures for all others: quote each once")
        if self.stations == 0 or self.roll == 0:
            raise StatementError("the claim has no stations or no voters: leave a figure out that was not announced")
        counts = ("stations", "stations_counted", "roll", "cast", "valid", "blank", "null")
        percents = ("counted", "turnout", "valid_percent", "blank_percent", "null_percent")
        _check_claimed({name: getattr(self, name) for name in counts}, {name: getattr(self, name) for name in percents})

    def subject(self) -> str:
        """The contest."""
        return f"claim/{self.contest}"


class Certificate(_Payload, frozen=True, kw_only=True):
    """`certificate`: the final result, bound to a log size and root; takes effect when enough officers have signed."""

    size: int
    root: bytes
    time: int
    contests: tuple[ContestResult, ...]
    results: bytes

    def _check(self) -> None:
        check_hash(self.root, "root")
        check_hash(self.results, "results")
        _check_time(self.time)
        if self.size < 1:
            raise StatementError("a certificate has a log size of at least 1")

    def subject(self) -> str:
        """The certificate of the election."""
        return "certificate"
