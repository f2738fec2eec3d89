"""Step (8): the encrypted ballots prove themselves, and their decrypted totals are the figures of the signed sheets.

What is wrong with ballots is said by the number of its check (ballots/checks.py). A difference between ballots and sheet says
that the two differ and not which of them is right: the paper records decide that.

A sheet may name ballots that are not published yet. Before the result is certified that is a note, because ballots may follow
their sheets by days; once it is certified, it is a finding.
"""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from scrutineer.ballots.bundle_check import BallotEngine, CheckedLines, HandedLine, StationResult, one_by_one
from scrutineer.ballots.from_election import style_of, total_labels
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FIELD_MARK, ORDER_MARK, Manifest
from scrutineer.ballots.record_check import GivenBundle, GivenTally, RecordCheck, Source, read_tally_source
from scrutineer.count import Count
from scrutineer.election import Contest
from scrutineer.errors import BallotError
from scrutineer.portal.ballot_named import records_of
from scrutineer.portal.ballot_record import BallotFile, NamedBy, StationBallots, bundle_path, tally_path
from scrutineer.portal.formats import BALLOTS_FILE
from scrutineer.portal.record import Record
from scrutineer.statements import TallySheet, parse_statement
from scrutineer.verify.report import BallotFacts, Extent, Report
from scrutineer.verify.source import Progress

SAMPLE: Final = 1_000
"""Ballots in a sample, about: where one ballot of 300 is wrong, all but one sample in twenty find one."""
_FIELD_COST: Final = 0.005  # seconds of one processor to check one field of one ballot, about
_LONG: Final = 10  # seconds beyond which the time it takes is said beforehand
_CAST: Final = f"{FIELD_MARK}ballots cast"
_WHAT: Final = "Checking encrypted ballots"

Engine = Callable[[ElectionKeys], BallotEngine]


class BallotsCheck:
    """Checks the encrypted ballots of a record."""

    def __init__(
        self,
        record: Record,
        keys_file: bytes,
        report: Report,
        progress: Progress,
        extent: Extent = "all",
        engine: Engine | None = None,
        workers: int = 1,
    ) -> None:
        """`engine` checks ballots by themselves, with `workers` processes; without one this process does."""
        self._record = record
        self._keys_file = keys_file
        self._report = report
        self._progress = progress
        self._extent: Extent = extent
        self._engine = engine
        self._workers = workers

    def run(self) -> BallotFacts:
        """Check everything; what is wrong becomes findings."""
        facts = BallotFacts(self._extent)
        if self._extent == "none":
            return facts
        record = self._record
        named = dict(self._named())
        facts.stations, facts.ballots = len(record.ballots), sum(own.ballots for own in record.ballots.values())
        self._note_missing(facts, named)
        if not record.ballots:
            return facts
        by_path = {bundle_path(own.station): (number, own) for number, own in record.ballots.items()}
        what = self._what(facts.ballots)
        with ExitStack() as stack:
            check = RecordCheck(self._keys_file, spill=stack.enter_context(FileSpill()), engine=self._counted(facts, what))
            for result in check.bundles(map(self._given, record.ballots.values())):
                number, own = by_path[result.name]
                self._note(result)
                facts.cast += result.counts["cast"]
                facts.challenged += result.counts["challenged"]
                if result.totals is None:
                    self._note_undecrypted(facts, own)
                if check.keys is not None:
                    self._compare_styles(check.keys.manifest, number, own, result)
                    facts.compared += self._compare(check.keys.manifest, own, result, named.get(number, {}))
                    self._note_unnamed(facts, check.keys.manifest, number, own, result, named.get(number, {}))
            check.finish()
        for failure in check.findings.failures:
            where = BALLOTS_FILE if failure.where.startswith(("ballots.json", BALLOTS_FILE)) else failure.where
            self._report.add("ballots", where, f"{failure.message} (check {failure.check})")
        return facts

    # --- what there is --------------------------------------------------------------------------------------------------

    def _named(self) -> Iterator[tuple[int, dict[NamedBy, bytes]]]:
        """The bundles that sheets in effect name, by number of the station."""
        record, stations = self._record, self._record.election.units.station_count
        for number in range(stations):
            if number % 4096 == 0:
                self._progress("Looking for encrypted ballots", number, stations)
            named = records_of(record.count, record.entry, number)
            if named:
                yield number, named
        self._progress("Looking for encrypted ballots", stations, stations)

    def _note_missing(self, facts: BallotFacts, named: dict[int, dict[NamedBy, bytes]]) -> None:
        record = self._record
        ids = list(record.election.units.station_index)
        certified = is_certified(record.count)
        for number, sheets in named.items():
            own = record.ballots.get(number)
            for sheet, digest in sheets.items():
                if own is not None and digest != own.bundle.digest:
                    self._report.add(
                        "ballots",
                        bundle_path(own.station),
                        f"has the SHA-256 {own.bundle.digest.hex()}, and the sheet in contest {sheet.contest} (log entry "
                        f"{sheet.entry}) names {digest.hex()}",
                    )
            if own is None:
                facts.unpublished.append(ids[number])
                if certified:
                    entries = ", ".join(str(sheet.entry) for sheet in sheets)
                    self._report.add(
                        "ballots",
                        bundle_path(ids[number]),
                        f"is not published, although the sheet in log entry {entries} names it and the result is certified",
                    )

    def _note_undecrypted(self, facts: BallotFacts, own: StationBallots) -> None:
        facts.undecrypted.append(own.station)
        if is_certified(self._record.count):
            said = "is not published, although the ballots that it is of are, and the result is certified"
            self._report.add("ballots", tally_path(own.station), said)

    def _note_unnamed(
        self,
        facts: BallotFacts,
        manifest: Manifest,
        number: int,
        own: StationBallots,
        result: StationResult,
        sheets: dict[NamedBy, bytes],
    ) -> None:
        """Sheets in effect that say nothing of ballots which hold their contest, and decisions that stand in place of sheets."""
        naming = {sheet.contest for sheet in sheets}
        held = {manifest.contest(contest).label for style in result.cast_by_style for contest in manifest.style(style).contests}
        for state in self._record.count.contests:
            contest, entry = state.contest.id, int(state.sheet[number])
            if number in state.decided:
                if own.station not in facts.decided:
                    facts.decided.append(own.station)
            elif contest in held - naming and entry >= 0:
                self._report.add(
                    "ballots",
                    bundle_path(own.station),
                    f"holds ballots in contest {contest}, and the station's sheet in that contest (log entry {entry}) does not "
                    "name them: its figures are held against nothing",
                )

    def _given(self, own: StationBallots) -> GivenBundle:
        source = _source(bundle_path(own.station), own.bundle)
        tally: GivenTally | None = None
        if own.tally is not None:
            path = tally_path(own.station)
            try:
                tally = GivenTally(path, read_tally_source(_source(path, own.tally)))
            except BallotError as error:
                self._report.add("ballots", path, f"{error} (check R.8)")
        return GivenBundle(source, tally, own.bundle.digest)

    # --- proofs ---------------------------------------------------------------------------------------------------------

    def _what(self, ballots: int) -> str:
        """What is being done, with about how long it takes where that is long."""
        checked = ballots if self._extent == "all" else min(ballots, SAMPLE)
        fields = max(len(contest.options) + 2 for contest in self._record.election.contests) * len(self._record.election.contests)
        seconds = checked * fields * _FIELD_COST / max(1, self._workers)
        if seconds < _LONG:
            return _WHAT
        minutes = round(seconds / 60)
        return f"{_WHAT} (about {f'{minutes:,} minutes' if minutes > 1 else f'{round(seconds, -1):.0f} seconds'})"

    def _counted(self, facts: BallotFacts, what: str) -> Engine:
        """The engine, told what to look at, and with progress."""
        total = facts.ballots
        share = 1.0 if self._extent == "all" or total <= SAMPLE else SAMPLE / total
        limit = int(share * 2**32)

        def make(keys: ElectionKeys) -> BallotEngine:
            inner = (self._engine or one_by_one)(keys)

            def run(lines: Iterator[HandedLine]) -> Iterable[CheckedLines]:
                passed: list[CheckedLines] = []
                done = 0

                def drawn() -> Iterator[HandedLine]:
                    for line in lines:
                        if share == 1.0 or secrets.randbits(32) < limit:
                            facts.checked += 1
                            yield line
                        else:
                            passed.append(CheckedLines(line.bundle, 1, 0))

                for part in inner(drawn()):
                    yield part
                    done += part.lines
                    while passed:
                        done += passed[-1].lines
                        yield passed.pop()
                    self._progress(what, min(done, total), total)
                yield from passed

            return run

        return make

    def _note(self, result: StationResult) -> None:
        for failure in result.failures:
            self._report.add("ballots", failure.where, f"{failure.message} (check {failure.check})")
        self._report.dropped += result.failed - len(result.failures)

    # --- sheets ---------------------------------------------------------------------------------------------------------

    def _compare_styles(self, manifest: Manifest, number: int, own: StationBallots, result: StationResult) -> None:
        """Every ballot that was cast has all contests that the station votes in, and no others."""
        election = self._record.election
        style = style_of(manifest, election.units, election.contests, number)
        others = sum(count for given, count in result.cast_by_style.items() if given != style)
        if others:
            said = f"has {others:,} cast ballot(s) of another ballot style than the station's, {manifest.style(style).label}"
            self._report.add("ballots", bundle_path(own.station), said)

    def _compare(self, manifest: Manifest, own: StationBallots, result: StationResult, sheets: dict[NamedBy, bytes]) -> int:
        """Hold a station's sheets against its ballots; returns how many figures were compared."""
        path = bundle_path(own.station)
        if result.station != own.station:
            said = f"says that it is of station {result.station[:64]!r}, and the sheet that names it is of {own.station}"
            self._report.add("ballots", path, said)
        contests = {contest.id: contest for contest in self._record.election.contests}
        compared = 0
        for sheet, digest in sheets.items():
            payload = parse_statement(self._record.entry(sheet.entry)).payload
            if digest != own.bundle.digest or not isinstance(payload, TallySheet):
                continue
            styles = {
                style: {manifest.contest(each).label for each in manifest.style(style).contests} for style in result.cast_by_style
            }
            found = {_CAST: sum(count for style, count in result.cast_by_style.items() if sheet.contest in styles[style])}
            if result.totals is not None and sheet.contest not in result.totals:
                said = f"has no totals of contest {sheet.contest}, whose sheet names these ballots"
                self._report.add("ballots", tally_path(own.station), said)
            elif result.totals is not None:
                found |= result.totals[sheet.contest]
            stated: dict[str, int | None] = dict(figures_of(contests[sheet.contest], payload))
            if payload.rankings is not None:
                # A sheet leaves out the orders that nobody chose.
                stated = {**dict.fromkeys((label for label in found if not label.startswith(FIELD_MARK)), 0), **stated}
            for label, figure in stated.items():
                # What a sheet does not state, and what is not decrypted, compares with nothing.
                if figure is not None and label in found:
                    compared += 1
                    if figure != found[label]:
                        self._differ(own, sheet, label, found[label], figure)
        return compared

    def _differ(self, own: StationBallots, sheet: NamedBy, label: str, found: int, stated: int) -> None:
        name = label.removeprefix(FIELD_MARK)
        self._report.add(
            "ballots",
            tally_path(own.station) if own.tally is not None else bundle_path(own.station),
            f"contest {sheet.contest}: the encrypted ballots give {found:,} for {name}, and the signed sheet (log entry "
            f"{sheet.entry}) states {stated:,}; the paper records show which is right",
        )


def figures_of(contest: Contest, sheet: TallySheet) -> Iterator[tuple[str, int | None]]:
    """The figures of a sheet by the labels of encrypted totals; None where the sheet does not state one."""
    yield _CAST, sheet.cast
    yield f"{FIELD_MARK}blank", sheet.blank
    yield f"{FIELD_MARK}null", sheet.null
    if sheet.rankings is None:
        yield from zip(total_labels(contest), sheet.counts, strict=True)
        return
    ids = [option.id for option in contest.options]
    given = {ORDER_MARK.join(ids[option] for option in order): ballots for order, ballots in sheet.rankings}
    yield from given.items()


def is_certified(count: Count) -> bool:
    """Whether a certificate is in force."""
    return any(
        count.acts[recorded.statement.hash].effective is not None
        for recorded in count.certificates
        if recorded.statement.hash in count.acts
    )


def _source(path: str, file: BallotFile) -> Source:
    return Source(path, file.pieces)


class FileSpill:
    """Keeps parts of a large set in files of a folder of its own, which is removed at the end."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def append(self, part: int, data: bytes) -> None:
        """Add bytes to a part."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="scrutineer-ballots-")
        with self._path(part).open("ab") as file:
            file.write(data)

    def read(self, part: int) -> bytes:
        """All bytes of a part in their order; none where nothing was added."""
        path = self._path(part)
        return path.read_bytes() if path.exists() else b""

    def _path(self, part: int) -> Path:
        return Path(self._folder.name if self._folder is not None else os.devnull, str(part))
