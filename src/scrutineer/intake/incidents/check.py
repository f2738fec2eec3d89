"""Reads a journal as whoever does not trust it: names every record that was altered, is missing or was moved.

What a chain alone cannot show is that its end was cut off, or written anew. The signed summaries in the log do: each binds the
journal up to its last record.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.errors import StoreError
from scrutineer.intake.incidents.chain import START, Begin, Chain, Record, Removed, Window, read_record
from scrutineer.intake.incidents.journal import journal_files, read_lines
from scrutineer.intake.incidents.summary import Sums
from scrutineer.statements.incident import Incident, RequestSummary

HOUR: Final = 3_600  # seconds
MAX_FINDINGS: Final = 1_000
"""Findings that are kept; a journal with more of them is no journal."""


class Logged(NamedTuple):
    """An incident as it stands in the log."""

    entry: int
    issuer: str
    incident: Incident


@dataclass(slots=True)
class Checked:
    """A journal that was read."""

    folder: Path
    journal: str = ""
    """Its name; empty where it has no record."""
    election: str = ""
    """Hash of the definition; empty where the first record is not there any more."""
    records: int = 0
    last: int = 0
    """Number of the last good record."""
    covered: int = 0
    """The last record that a summary covers, as the journal says."""
    removed: int = 0
    """The records up to this one were removed to keep the journal small."""
    findings: list[str] = field(default_factory=list)
    """What is wrong, each with file and line."""
    torn: str = ""
    """The file whose last record was not written whole when the machine stopped."""
    hours: dict[int, Sums] = field(default_factory=dict)
    """What was refused, by the beginning of the hour in seconds since 1970, as the clock told it."""

    def find(self, finding: str) -> None:
        """Keep a finding."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)


def read_journal(
    folder: Path,
    logged: Iterable[Logged] = (),
    *,
    wanted: Callable[[Window], bool] = lambda _: True,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checked:
    """Read and check a journal, and hold the summaries of it that are in the log against it; may run beside the service.

    `wanted` chooses the windows that are added up; `progress` hears how many files are done, of how many. Raises StoreError
    where the folder cannot be listed.
    """
    checked, chain = Checked(folder), Chain()
    removals: dict[int, str] = {}
    hour = 0
    summaries: _Summaries | None = None
    paths = journal_files(folder)
    for done, path in enumerate(paths):
        progress(done, len(paths))
        try:
            lines, torn = read_lines(path)
        except StoreError as error:
            checked.find(str(error))
            continue
        for number, line in enumerate(lines, 1):
            where = f"{path.name}, line {number}"
            try:
                record = read_record(line)
            except StoreError as error:
                checked.find(f"{where}{_due(chain)}: {error}")
                chain.damaged()
                continue
            wrong = chain.follow(record)
            if wrong is not None:
                checked.find(f"{where}: {wrong}")
            if summaries is None:
                checked.journal = record.journal
                summaries = _Summaries(checked, [one for one in logged if _name(one) == record.journal])
            summaries.take(record)
            checked.records += 1
            checked.last, checked.covered = max(checked.last, record.n), max(checked.covered, record.covered)
            match record:
                case Begin():
                    checked.election = record.election
                case Removed():
                    removals[record.last] = record.head
                case Window() if wanted(record):
                    hour = _add(checked.hours, record, hour)
        if torn and path == paths[-1]:
            # A service that is running may be writing just this.
            checked.torn = path.name
        elif torn:
            checked.find(f"{path.name}: its end was cut off, or something was added to it")
    if chain.begins > 1 and chain.before != START:
        checked.removed = chain.begins - 1
        if removals.get(checked.removed) != chain.before:
            checked.find(f"{paths[0].name}: the journal begins with record {chain.begins}, and nothing says why")
    if summaries is not None:
        summaries.end()
    progress(len(paths), len(paths))
    return checked


def check_summaries(logged: Iterable[Logged]) -> list[str]:
    """What is wrong with the summaries among each other: each goes on where the one before, of the same journal, ended."""
    findings: list[str] = []
    before: dict[str, Logged] = {}
    for one in sorted(
        (one for one in logged if one.incident.requests), key=lambda one: (_name(one), _summary(one).first, one.entry)
    ):
        last, now = before.get(_name(one)), _summary(one)
        due = 1 if last is None else _summary(last).last + 1
        where = f"log entry {one.entry}"
        if now.first < due and last is not None:
            findings.append(
                f"{where}: records {now.first} to {min(due - 1, now.last)} are summed up twice, there and in entry {last.entry}: "
                "the journal was put back to an earlier state"
            )
        elif now.first > due:
            findings.append(f"{where}: no summary covers records {due} to {now.first - 1}")
        elif last is not None and now.previous != _summary(last).head:
            findings.append(f"{where}: goes on from another record {due - 1} than entry {last.entry} ends with")
        before[_name(one)] = one
    return findings


class _Summaries:
    """Holds the logged summaries of one journal against its records, while these are read in order."""

    def __init__(self, checked: Checked, logged: list[Logged]) -> None:
        self._checked = checked
        self._waiting = sorted(logged, key=lambda one: (_summary(one).last, one.entry), reverse=True)
        self._stretches = {one.entry: _Stretch() for one in logged}

    def take(self, record: Record) -> None:
        """The next record."""
        while self._waiting and _summary(self._waiting[-1]).last < record.n:
            self._missing(self._waiting.pop())
        for one in self._covering(record.n):
            self._stretches[one.entry].add(record)
            if record.n == _summary(one).last:
                self._waiting.remove(one)
                self._compare(one, record)

    def end(self) -> None:
        """There are no more records."""
        while self._waiting:
            self._missing(self._waiting.pop())

    def _covering(self, n: int) -> Iterator[Logged]:
        # Summaries follow each other, so that hardly ever more than one covers a record.
        for one in reversed(self._waiting.copy()):
            if _summary(one).first <= n:
                yield one
            else:
                return

    def _missing(self, one: Logged) -> None:
        summary = _summary(one)
        if summary.last > self._checked.last:
            what = f"covers records to {summary.last}, and the journal ends with record {self._checked.last}: its end is missing"
        else:
            what = f"ends with record {summary.last}, which is not in the journal"
        self._checked.find(f"the summary in log entry {one.entry} {what}")

    def _compare(self, one: Logged, last: Record) -> None:
        summary, stretch = _summary(one), self._stretches.pop(one.entry)
        where = f"the summary in log entry {one.entry}"
        if summary.head.hex() != last.hash:
            self._checked.find(f"{where} binds another record {last.n} than the journal has: the journal was written anew")
        elif stretch.records == summary.last - summary.first + 1 and stretch.sums.counts() != summary.counts:
            self._checked.find(f"{where} has other numbers than records {summary.first} to {summary.last} add up to")


class _Stretch:
    """The records of one summary so far."""

    def __init__(self) -> None:
        self.sums = Sums()
        self.records = 0

    def add(self, record: Record) -> None:
        self.records += 1
        if isinstance(record, Window):
            self.sums.add(record)


def _add(hours: dict[int, Sums], window: Window, before: int) -> int:
    """Add a window to its hour, which is returned; an hour that is over keeps what is shown of it."""
    hour = window.since // HOUR * HOUR
    if hour != before and before in hours:
        hours[before].trim()
    hours.setdefault(hour, Sums()).add(window)
    return hour


def _due(chain: Chain) -> str:
    """The number of the record that is due, for the place of a damaged one."""
    return f" (record {1 if chain.at is None else chain.at.n + 1 + chain.lost})"


def _summary(one: Logged) -> RequestSummary:
    if one.incident.requests is None:
        raise StoreError("an incident without a summary of requests was taken for one")
    return one.incident.requests


def _name(one: Logged) -> str:
    return "" if one.incident.requests is None else one.incident.requests.journal.hex()
