"""Steps (4) and (5): every statement may be made and is signed, and every bulletin says what the log gives at its size."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from operator import itemgetter
from typing import Final

import numpy as np

from scrutineer.calls import bulletin_calls
from scrutineer.count import Count, differences
from scrutineer.election import Election, station_issuer
from scrutineer.errors import CallError, CountError, ScrutineerError, SignatureError
from scrutineer.log.merkle import HASH_SIZE
from scrutineer.statements import Bulletin, Certificate, is_tally_sheet, parse_statement, thumbprint
from scrutineer.statements.keys import verify_signed
from scrutineer.statements.policy import Policy, SheetReading
from scrutineer.statements.sheet_batch import BatchReader, SheetBatch, SignedBatch
from scrutineer.verify.log_check import LogCheck
from scrutineer.verify.report import Report
from scrutineer.verify.source import Progress

STRETCH: Final = 4096
"""Entries read, checked and counted at a time."""

SignatureCheck = tuple[int, Callable[..., None], tuple[bytes, ...]]


class StatementCheck:
    """Replays the statements of a log through the policy and the fold."""

    def __init__(self, election: Election, log: LogCheck, report: Report, progress: Progress) -> None:
        self._policy = Policy(election)
        self._reader = BatchReader(election)
        self._stations = election.units.station_index
        self._log = log
        self._report = report
        self._progress = progress
        self._announced: dict[int, list[tuple[int, Bulletin | Certificate]]] = {}
        """Bulletins and certificates with their log index, by the log size that they speak of."""

    def run(self, count: Count, threads: int, sizes: Collection[int] = (), take: Callable[[Count], None] | None = None) -> None:
        """Fold the whole log into `count`; signatures are checked by `threads` threads.

        `take` is given the count each time that it stands at one of `sizes`.
        """
        size = self._log.head.size
        self._find_announcements()
        wanted = frozenset(sizes)
        with ThreadPoolExecutor(threads) as pool:
            for stop in self._stops(size, wanted):
                self._progress("Checking statements and counting", count.size, size)
                to_check = self._stretch(count, self._log.entries(count.size, stop))
                share = -(-len(to_check) // threads) or 1
                shares = [to_check[at : at + share] for at in range(0, len(to_check), share)]
                # Waited for at once: libsodium runs without the interpreter's lock, and a thread that computes beside it would
                # make every call pay for two changes of hands.
                for failed in pool.map(_check_signatures, shares):
                    for index, message in failed:
                        self._report.add("signature", self._log.where(index), message)
                self._check_announcements(count)
                if take is not None and count.size in wanted:
                    take(count)

    def _find_announcements(self) -> None:
        for index, entry in self._log.acts:
            try:
                payload = parse_statement(entry).payload
            except ScrutineerError:
                continue  # The stretch that holds it reports it.
            if isinstance(payload, Bulletin | Certificate):
                self._announced.setdefault(payload.size, []).append((index, payload))
                if payload.size > index:
                    self._report.add(
                        "bulletin",
                        self._log.where(index),
                        f"{payload.subject()} speaks of log size {payload.size}, which the log had not reached",
                    )

    def _stops(self, size: int, wanted: Collection[int]) -> list[int]:
        """Where to pause: at the end of each stretch, and at every size that something was announced for or is wanted at."""
        stops = {*range(STRETCH, size, STRETCH), size, *(stop for stop in (*self._announced, *wanted) if stop <= size)}
        return sorted(stops)

    def _stretch(self, count: Count, entries: Sequence[bytes]) -> list[SignatureCheck]:
        stretch = _Stretch(count.size, self._reader.read_signed(entries))
        plain = stretch.plain
        indexes = (stretch.first + plain.sheets.rows).tolist()
        to_check: list[SignatureCheck] = list(
            zip(indexes, repeat(verify_signed), zip(plain.keys, plain.signed, strict=True), strict=False)
        )
        left = np.ones(len(entries), dtype=np.bool_)
        left[plain.sheets.rows] = False
        for row in np.flatnonzero(left).tolist():
            index, entry = stretch.first + row, entries[row]
            try:
                if is_tally_sheet(entry):
                    reading = self._policy.read_sheet(entry)
                    to_check.append((index, reading.check_signature, ()))
                    stretch.others.append((index, reading))
                    continue
                self._count_sheets(count, stretch, index)
                self._other(count, index, entry, to_check)
            except ScrutineerError as error:
                self._count_sheets(count, stretch, index)
                self._report.add("statement", self._log.where(index), str(error))
                if count.size == index:
                    count.pass_over()
        self._count_sheets(count, stretch, stretch.first + len(entries))
        to_check.sort(key=itemgetter(0))
        return to_check

    def _count_sheets(self, count: Count, stretch: "_Stretch", stop: int) -> None:
        """Count the tally sheets from where the count stands up to an index; all of them have been read."""
        start = count.size
        if start >= stop:
            return
        hashes = np.frombuffer(self._log.tree.nodes(0, start, stop), dtype=np.uint8).reshape(-1, HASH_SIZE)
        plain = stretch.between(start, stop)
        revoked = self._by_revoked_keys(plain, start, stretch.others) if self._policy.accreditations.any_revoked else []
        count.apply_sheets(hashes, plain, stretch.others, revoked)
        self._report.sheets += stop - start
        self._report.statements += stop - start
        stretch.others.clear()

    def _by_revoked_keys(self, plain: SheetBatch, start: int, others: Sequence[tuple[int, SheetReading]]) -> list[int]:
        """Log indexes of the sheets signed with keys that have been revoked by now."""
        accreditations, numbers = self._policy.accreditations, self._stations
        issuers = {numbers.get(issuer.removeprefix("station/"), -1): issuer for issuer in accreditations.revoked_issuers}
        # Few stations lose a key, so the plain sheets of all others are passed over at once.
        suspects = np.flatnonzero(np.isin(plain.station, list(issuers))).tolist()
        return [
            start + int(plain.rows[row])
            for row in suspects
            if accreditations.is_revoked(issuers[int(plain.station[row])], plain.kid[row].tobytes())
        ] + [
            index
            for index, reading in others
            if accreditations.is_revoked(station_issuer(reading.sheet.station), thumbprint(reading.public_key, reading.algorithm))
        ]

    def _other(self, count: Count, index: int, entry: bytes, to_check: list[SignatureCheck]) -> None:
        if index > 0:  # The definition was checked in step (1), and nothing else may define this election.
            reading = self._policy.read(entry)
            to_check.append((index, reading.check_signature, ()))
            self._policy.apply(reading.statement)
        count.apply([entry])
        self._report.statements += 1

    def _check_announcements(self, count: Count) -> None:
        for index, payload in self._announced.get(count.size, ()):
            certificate = isinstance(payload, Certificate)
            self._report.certificates += certificate
            self._report.bulletins += not certificate
            try:
                calls = bulletin_calls(count) if isinstance(payload, Bulletin) else ()
                found = differences(payload, count, self._log.tree.root(count.size), calls=calls)
            except (CountError, CallError) as error:
                self._report.add("bulletin", self._log.where(index), f"{payload.subject()} cannot be computed again: {error}")
                continue
            for difference in found:
                where = f"{self._log.where(index)}, {payload.subject()}"
                self._report.add("certificate" if certificate else "bulletin", where, str(difference))


class _Stretch:
    """The tally sheets of a stretch of the log: the plain ones, and those of the others that still wait to be counted."""

    def __init__(self, first: int, plain: SignedBatch) -> None:
        self.first = first
        self.plain = plain
        self.others: list[tuple[int, SheetReading]] = []

    def between(self, start: int, stop: int) -> SheetBatch:
        """The plain sheets of the entries start … stop-1, their rows counted from there."""
        sheets = self.plain.sheets
        begin, end = np.searchsorted(sheets.rows, (start - self.first, stop - self.first)).tolist()
        chosen = sheets.take(slice(begin, end))
        return chosen._replace(rows=chosen.rows - (start - self.first))


def _check_signatures(items: Sequence[SignatureCheck]) -> list[tuple[int, str]]:
    failed = []
    for index, check, given in items:
        try:
            check(*given)
        except SignatureError as error:
            failed.append((index, str(error)))
    return failed
