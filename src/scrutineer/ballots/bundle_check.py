"""All checks of one bundle: its form, its chain, its ballots, its closing, and what the trustees decrypted of it.

ElectionGuard Design Specification 2.1.0, verifications 5.B to 19, and checks R.2 to R.11. A bundle is read once, in a stream.
What a ballot shows by itself takes nearly all of the time; that part is handed, line by line, to a `BallotEngine`, which may be
one process or many, and what it finds is taken up as it comes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from scrutineer.ballots.ballot_check import SHOWN_CODE, check_ballot
from scrutineer.ballots.bundle import MAX_DEVICE, Aggregates, BundleItem, Header, check_names, read_bundle, read_line
from scrutineer.ballots.chain_check import ChainCheck
from scrutineer.ballots.exact import TABLE_WINDOW, CheckTables
from scrutineer.ballots.failures import MAX_FAILURES, CheckFailure, shown
from scrutineer.ballots.identifiers import Identifiers
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.opened_check import check_opened, check_opened_data
from scrutineer.ballots.pre_encrypted_check import check_pre_encrypted
from scrutineer.ballots.pre_encrypted_record import PreEncryptedBallot, PreEncryptedHeader
from scrutineer.ballots.record import Ballot, BundleClosing, OpenedBallot, OpenedData, TallyRecord
from scrutineer.ballots.tally_check import Totals, check_closing, check_exactness, check_tally, totals_of
from scrutineer.errors import BallotError


class HandedLine(NamedTuple):
    """One ballot as it is handed to an engine."""

    bundle: int
    """The number of its bundle in the record, from 0."""
    number: int
    """The number of its line in the bundle, from 1."""
    line: bytes
    """Its JSON in its only form, without the line feed: a ballot or a pre-encrypted ballot."""
    code: bytes
    """Its confirmation code, under which a side-car has its commitments."""


class CheckedLines(NamedTuple):
    """What an engine found in some lines of one bundle."""

    bundle: int
    lines: int
    """How many lines were checked."""
    failed: int
    """Findings in all."""
    failures: tuple[tuple[int, CheckFailure], ...] = ()
    """Findings with the numbers of their lines, the first MAX_FAILURES of them."""


BallotEngine = Callable[[Iterator[HandedLine]], Iterable[CheckedLines]]
"""Checks ballots by themselves: takes lines of many bundles as it needs them, and answers in parts, in any order."""

COUNTS: Final = ("cast", "challenged", "spoiled", "provisional")
Kind = Literal["ballots", "pre-encrypted ballots"]


def one_by_one(keys: ElectionKeys, window: int = TABLE_WINDOW) -> BallotEngine:
    """The simplest engine: this process, exactly, one ballot after the other."""
    tables = CheckTables(keys, window)

    def check(lines: Iterator[HandedLine]) -> Iterator[CheckedLines]:
        for handed in lines:
            ballot = read_line(handed.line + b"\n")
            found: tuple[CheckFailure, ...] = ()
            if isinstance(ballot, Ballot):
                found = check_ballot(keys, ballot, tables)
            elif isinstance(ballot, PreEncryptedBallot):
                found = check_pre_encrypted(keys, ballot, tables)
            yield CheckedLines(handed.bundle, 1, len(found), tuple((handed.number, failure) for failure in found))

    return check


class Findings:
    """Failures of one file: so many are kept, and the rest is counted."""

    def __init__(self) -> None:
        self.failures: Final[list[CheckFailure]] = []
        self.checks: Final[set[str]] = set()
        """The numbers of all checks that failed, of those that were only counted as well."""
        self.count = 0

    def add(self, failures: Iterable[CheckFailure]) -> None:
        """Take up failures."""
        for failure in failures:
            self.count += 1
            # The first failure of a check is always kept, so that no flood of others hides its number.
            if len(self.failures) < MAX_FAILURES or failure.check not in self.checks:
                self.failures.append(failure)
            self.checks.add(failure.check)

    def fail(self, check: str, where: str, message: str) -> None:
        """Take up one failure."""
        self.add([CheckFailure(check, where, message)])


@dataclass(frozen=True)
class StationResult:
    """What one bundle holds, and whether it holds together."""

    number: int
    """The place of the bundle in the record, from 0."""
    name: str
    """The file, or whatever its caller calls it."""
    kind: Kind
    station: str
    device: str
    bundle: bytes
    """SHA-256 of the bundle: `records` of the station's tally sheets."""
    closing: bytes
    """The closing hash of the chain; empty where there is none."""
    counts: dict[str, int]
    """Ballots by status: cast, challenged, spoiled and provisional. Of pre-encrypted ones, those unused count as challenged."""
    totals: Totals | None
    """Decrypted totals by contest and label; None where no tally record was given. They hold only where nothing failed."""
    failures: tuple[CheckFailure, ...]
    failed: int
    """All failures, of which `failures` are the first."""
    opened: int = 0
    """Challenged ballots that were opened."""
    decrypted: int = 0
    """Contest data that were decrypted."""
    unchained: bool = False
    cast_by_style: dict[int, int] = field(default_factory=dict)
    """Ballots that were cast, by ballot style of the manifest."""

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return self.failed == 0

    @property
    def ballots(self) -> int:
        """All ballots."""
        return sum(self.counts.values())


@dataclass
class BundleCheck:
    """The check of one bundle: `walk` it once, `take` what the engine found, and ask for the `result`."""

    keys: ElectionKeys
    name: str
    digest: bytes
    """SHA-256 of the bundle."""
    identifiers: Identifiers
    number: int = 0
    """Which bundle of the record this is, as `identifiers` are told."""
    tally: TallyRecord | None = None
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self._aggregates = Aggregates(self.keys)
        self._counts = dict.fromkeys(COUNTS, 0)
        self._voted: set[int] = set()
        self._cast: dict[int, int] = {}
        self._styles: dict[int, int] = {}
        self._chain: ChainCheck | None = None
        self._header: Header | None = None
        self._closing: BundleClosing | None = None
        self._opened: dict[bytes, OpenedBallot] = {}
        self._data: dict[bytes, list[OpenedData]] = {}
        self._decrypted = 0
        self._shown = 0

        self._checked = 0
        self._by_line: list[tuple[int, CheckFailure]] = []
        self.handed = 0
        """Ballots that were handed to the engine."""
        self.walked = False
        """Whether this check of the bundle is through with it."""
        self.complete = False
        """Whether all of the bundle was read, which is not done where it is of another election."""

    @property
    def done(self) -> bool:
        """Whether every ballot was checked."""
        return self.walked and self._checked >= self.handed

    def take(self, part: CheckedLines) -> None:
        """Take up what an engine found."""
        self._checked += part.lines
        named = ((line, CheckFailure(check, f"{self.name}, {where}", text)) for line, (check, where, text) in part.failures)
        self._by_line = sorted([*self._by_line, *named])[:MAX_FAILURES]
        self.findings.count += part.failed

    def result(self) -> StationResult:
        """What the bundle came to, once it is done. Failures of the bundle come first, then those of single ballots by line."""
        header, closing = self._header, self._closing
        failures = [*self.findings.failures, *(failure for _, failure in self._by_line)]
        return StationResult(
            number=self.number,
            name=self.name,
            kind="pre-encrypted ballots" if isinstance(header, PreEncryptedHeader) else "ballots",
            station=shown(header.station) if header else "",
            device=shown(header.device, MAX_DEVICE) if header else "",
            bundle=self.digest,
            closing=closing.closing if closing else b"",
            counts=self._counts,
            totals=totals_of(self.tally) if self.tally is not None else None,
            failures=tuple(failures),
            failed=self.findings.count,
            opened=self._shown,
            decrypted=self._decrypted,
            unchained=self._chain is not None and not self._chain.chained,
            cast_by_style=self._styles,
        )

    def walk(self, lines: Iterable[bytes]) -> Iterator[HandedLine]:
        """Check what needs the order of the lines, and hand on every ballot that can be checked by itself.

        `lines` are those of the bundle, each with its line feed.
        """
        if self.tally is not None:
            self._take_openings(self.tally)
        yield from self._walk(lines)
        if self.tally is not None and self._chain is not None:
            self._finish_tally(self.tally)
        self.walked = True

    def _walk(self, lines: Iterable[bytes]) -> Iterator[HandedLine]:
        for item in read_bundle(lines, self.name):
            if item.failure is not None:
                self.findings.add([item.failure])
            elif isinstance(item.value, Header):
                if not self._take_header(item.value):
                    return
            elif isinstance(item.value, BundleClosing):
                self._take_closing(item.value)
            elif isinstance(item.value, Ballot | PreEncryptedBallot):
                self._take_ballot(item, item.value)
                self.handed += 1
                yield HandedLine(self.number, item.line, item.data, item.value.code)
        self.complete = True

    def _take_header(self, header: Header) -> bool:
        self._header = header
        if header.format != FORMAT:
            self.findings.fail("R.4", self.name, f"the bundle has the format {header.format[:40]!r}: this program reads {FORMAT}")
            return False
        if header.keys != self.keys.extended_hash:
            self.findings.fail("R.4", self.name, "the bundle was made under other keys than those of this election")
            return False
        try:
            check_names(header.station, header.device)
        except BallotError as error:
            self.findings.fail("R.4", self.name, shown(error))
        self._chain = ChainCheck(self.keys, header)
        self.findings.add(CheckFailure(check, f"{self.name}, header", message) for check, message in self._chain.start())
        return True

    def _take_ballot(self, item: BundleItem, ballot: Ballot | PreEncryptedBallot) -> None:
        where = f"{self.name}, ballot {ballot.code.hex()[:SHOWN_CODE]}…"
        self._counts["challenged" if ballot.status == "uncast" else ballot.status] += 1
        self.identifiers.add(ballot.identifier, self.number, item.line)
        if self._chain is not None:
            wrong = self._chain.ballot(ballot.chain, ballot.code)
            if wrong:
                self.findings.fail(wrong[0], where, wrong[1])
        if ballot.status == "cast" and ballot.style <= len(self.keys.manifest.styles):
            self._styles[ballot.style] = self._styles.get(ballot.style, 0) + 1
        for contest in ballot.contests:
            if contest.contest <= len(self.keys.manifest.contests):
                self._voted.add(contest.contest)
                if ballot.status == "cast":
                    self._cast[contest.contest] = self._cast.get(contest.contest, 0) + 1
                    if len(contest.selections) == len(self.keys.manifest.contest(contest.contest).labels()):
                        self._aggregates.add(contest.contest, [(one.alpha, one.beta) for one in contest.selections])
        if isinstance(ballot, Ballot):
            self._open(ballot, where)

    def _open(self, ballot: Ballot, where: str) -> None:
        """Verifications 12 to 14 of what was opened of one ballot."""
        for data in self._data.pop(ballot.code, ()):
            self._decrypted += 1
            self.findings.add(check_opened_data(data, ballot, self.keys, where))
        opened = self._opened.pop(ballot.code, None)
        if ballot.status == "challenged" and opened is not None:
            self._shown += 1
            self.findings.add(check_opened(opened, ballot, self.keys, where))
        elif ballot.status == "challenged" and self.tally is not None:
            self.findings.fail("R.10", where, "the ballot was challenged, and was not opened")
        elif opened is not None:
            self.findings.fail("R.10", where, f"the ballot is {ballot.status} and was opened: only challenged ballots may be")

    def _take_closing(self, closing: BundleClosing) -> None:
        self._closing = closing
        where = f"{self.name}, closing"
        if self._chain is not None:
            self.findings.add(CheckFailure(check, where, message) for check, message in self._chain.end(closing))
        for status in COUNTS:
            given, own = getattr(closing, status), self._counts[status]
            if given != own:
                self.findings.fail("R.7", where, f"{given:,} ballots are said to be {status}, and the bundle has {own:,}")
        self.findings.add(check_closing(closing, self._aggregates, self._voted, self.keys, where))

    def _take_openings(self, tally: TallyRecord) -> None:
        where = f"{self.name}, decrypted totals"
        if tally.keys != self.keys.extended_hash:
            self.findings.fail("R.8", where, "they were made under other keys than those of this election")
        if tally.bundle != self.digest:
            self.findings.fail("R.8", where, "they are of another bundle: the hash that they name is not this one's")
        for opened in tally.challenged:
            if opened.code in self._opened:
                self.findings.fail("R.10", f"{where}, ballot {opened.code.hex()[:SHOWN_CODE]}…", "the ballot was opened twice")
            self._opened[opened.code] = opened
        for data in tally.data:
            self._data.setdefault(data.code, []).append(data)

    def _finish_tally(self, tally: TallyRecord) -> None:
        where = f"{self.name}, decrypted totals"
        for code in self._opened:
            self.findings.fail(
                "R.10", f"{where}, ballot {code.hex()[:SHOWN_CODE]}…", "a ballot was opened that is not in the bundle"
            )
        for code in self._data:
            self.findings.fail(
                "R.8", f"{where}, ballot {code.hex()[:SHOWN_CODE]}…", "contest data of a ballot that is not in the bundle"
            )
        contests = [total.contest for total in self._closing.totals] if self._closing else []
        self.findings.add(check_tally(tally, self._aggregates, contests, self._voted, self.keys, where))
        self.findings.add(check_exactness(totals_of(tally), self._cast, self.keys, where))
