"""All checks of one bundle: its form, its chain, its ballots, its closing, and what the trustees decrypted of it.

ElectionGuard Design Specification 2.1.0, verifications 5.B to 19, and checks R.2 to R.11. A bundle is read once, in a stream.
What a ballot shows by itself takes nearly all of the time; that part is handed, line by line, to a `BallotEngine`, which may be
one process or many.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from scrutineer.ballots.ballot_check import SHOWN_CODE, check_ballot
from scrutineer.ballots.bundle import Aggregates, BundleItem, Header, read_bundle, read_line
from scrutineer.ballots.chain_check import ChainCheck
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.failures import MAX_FAILURES, CheckFailure
from scrutineer.ballots.identifiers import Identifiers
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.opened_check import check_opened, check_opened_data
from scrutineer.ballots.pre_encrypted_check import check_pre_encrypted
from scrutineer.ballots.pre_encrypted_record import PreEncryptedBallot, PreEncryptedHeader
from scrutineer.ballots.record import Ballot, BundleClosing, OpenedBallot, OpenedData, TallyRecord
from scrutineer.ballots.tally_check import Totals, check_closing, check_exactness, check_tally, totals_of

BallotEngine = Callable[[Iterator[bytes]], Iterable[CheckFailure]]
"""Checks ballots by themselves: takes their lines, without line feeds, as it needs them, and answers with what it finds.

Every line is one ballot in its only form that is not pre-encrypted."""

COUNTS: Final = ("cast", "challenged", "spoiled", "provisional")
Kind = Literal["ballots", "pre-encrypted ballots"]


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
            self.checks.add(failure.check)
            if len(self.failures) < MAX_FAILURES:
                self.failures.append(failure)

    def fail(self, check: str, where: str, message: str) -> None:
        """Take up one failure."""
        self.add([CheckFailure(check, where, message)])


@dataclass(frozen=True)
class StationResult:
    """What one bundle holds, and whether it holds together."""

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
    """The check of one bundle; `run` it once."""

    keys: ElectionKeys
    name: str
    digest: bytes
    """SHA-256 of the bundle."""
    tables: CheckTables
    identifiers: Identifiers
    number: int = 0
    """Which bundle of the record this is, as `identifiers` are told."""
    tally: TallyRecord | None = None
    engine: BallotEngine | None = None
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self._aggregates = Aggregates(self.keys)
        self._counts = dict.fromkeys(COUNTS, 0)
        self._voted: set[int] = set()
        self._cast: dict[int, int] = {}
        self._chain: ChainCheck | None = None
        self._header: Header | None = None
        self._closing: BundleClosing | None = None
        self._opened: dict[bytes, OpenedBallot] = {}
        self._data: dict[bytes, list[OpenedData]] = {}
        self._decrypted = 0
        self._shown = 0
        self._unopened = 0

    def run(self, lines: Iterable[bytes]) -> StationResult:
        """Check a bundle that is given as its lines, each with its line feed."""
        if self.tally is not None:
            self._take_openings(self.tally)
        engine = self.engine or self._one_by_one
        ballots = self._walk(lines)
        self._add_named(engine(ballots))
        for _ in ballots:
            self.findings.fail("R.2", self.name, "the ballots were not all checked: the checking program stopped early")
        if self.tally is not None and self._header is not None:
            self._finish_tally(self.tally)
        header, closing = self._header, self._closing
        return StationResult(
            name=self.name,
            kind="pre-encrypted ballots" if isinstance(header, PreEncryptedHeader) else "ballots",
            station=header.station if header else "",
            device=header.device if header else "",
            bundle=self.digest,
            closing=closing.closing if closing else b"",
            counts=self._counts,
            totals=totals_of(self.tally) if self.tally is not None else None,
            failures=tuple(self.findings.failures),
            failed=self.findings.count,
            opened=self._shown,
            decrypted=self._decrypted,
            unchained=self._chain is not None and not self._chain.chained,
        )

    def _add_named(self, failures: Iterable[CheckFailure]) -> None:
        """Take up what was found in a ballot by itself, with the name of the bundle."""
        self.findings.add(CheckFailure(check, f"{self.name}, {where}", message) for check, where, message in failures)

    def _one_by_one(self, ballots: Iterator[bytes]) -> Iterator[CheckFailure]:
        """The simple engine: this process, one ballot after the other, exactly."""
        for data in ballots:
            ballot = read_line(data + b"\n")
            if isinstance(ballot, Ballot):
                yield from check_ballot(self.keys, ballot, self.tables)

    def _walk(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Check what needs the order of the lines, and hand on every ballot that can be checked by itself."""
        for item in read_bundle(lines, self.name):
            if item.failure is not None:
                self.findings.add([item.failure])
            elif isinstance(item.value, Header):
                if not self._take_header(item.value):
                    return
            elif isinstance(item.value, BundleClosing):
                self._take_closing(item.value)
            elif isinstance(item.value, Ballot):
                self._take_ballot(item, item.value)
                yield item.data
            elif isinstance(item.value, PreEncryptedBallot):
                self._take_pre_encrypted(item, item.value)

    def _take_header(self, header: Header) -> bool:
        self._header = header
        if header.format != FORMAT:
            self.findings.fail("R.4", self.name, f"the bundle has the format {header.format[:40]!r}: this program reads {FORMAT}")
            return False
        if header.keys != self.keys.extended_hash:
            self.findings.fail("R.4", self.name, "the bundle was made under other keys than those of this election")
            return False
        self._chain = ChainCheck(self.keys, header)
        self.findings.add(CheckFailure(check, f"{self.name}, header", message) for check, message in self._chain.start())
        return True

    def _take_any(self, item: BundleItem, ballot: Ballot | PreEncryptedBallot) -> str:
        """What every ballot goes through; answers with its place for findings."""
        where = f"{self.name}, ballot {ballot.code.hex()[:SHOWN_CODE]}…"
        self.identifiers.add(ballot.identifier, self.number, item.line)
        if self._chain is not None:
            wrong = self._chain.ballot(ballot.chain, ballot.code)
            if wrong:
                self.findings.fail(wrong[0], where, wrong[1])
        for contest in ballot.contests:
            if contest.contest <= len(self.keys.manifest.contests):
                self._voted.add(contest.contest)
                if ballot.status == "cast":
                    self._cast[contest.contest] = self._cast.get(contest.contest, 0) + 1
                    if len(contest.selections) == len(self.keys.manifest.contest(contest.contest).labels()):
                        self._aggregates.add(contest.contest, [(one.alpha, one.beta) for one in contest.selections])
        return where

    def _take_ballot(self, item: BundleItem, ballot: Ballot) -> None:
        self._counts[ballot.status] += 1
        where = self._take_any(item, ballot)
        for data in self._data.pop(ballot.code, ()):
            self._decrypted += 1
            self.findings.add(check_opened_data(data, ballot, self.keys, where))
        opened = self._opened.pop(ballot.code, None)
        if ballot.status == "challenged":
            if opened is None:
                self._unopened += 1
                if self.tally is not None:
                    self.findings.fail("R.10", where, "the ballot was challenged, and was not opened")
            else:
                self._shown += 1
                self.findings.add(check_opened(opened, ballot, self.keys, where))
        elif opened is not None:
            self.findings.fail("R.10", where, f"the ballot is {ballot.status} and was opened: only challenged ballots may be")

    def _take_pre_encrypted(self, item: BundleItem, ballot: PreEncryptedBallot) -> None:
        self._counts["cast" if ballot.status == "cast" else "challenged"] += 1
        self._take_any(item, ballot)
        found = check_pre_encrypted(self.keys, ballot, self.tables)
        self._add_named(found)

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
