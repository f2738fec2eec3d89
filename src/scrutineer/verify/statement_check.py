"""Steps (4) and (5): every statement may be made and is signed, and every bulletin says what the log gives at its size."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from scrutineer.count import Count, differences
from scrutineer.election import Election, station_issuer
from scrutineer.errors import CountError, ScrutineerError, SignatureError
from scrutineer.statements import Bulletin, Certificate, is_tally_sheet, parse_statement, thumbprint
from scrutineer.statements.policy import Policy, SheetReading
from scrutineer.verify.log_check import LogCheck
from scrutineer.verify.report import Report
from scrutineer.verify.source import Progress

STRETCH: Final = 8192
"""Entries read, checked and counted at a time."""

SignatureCheck = tuple[int, Callable[[], None]]


class StatementCheck:
    """Replays the statements of a log through the policy and the fold."""

    def __init__(self, election: Election, log: LogCheck, report: Report, progress: Progress) -> None:
        self._policy = Policy(election)
        self._log = log
        self._report = report
        self._progress = progress
        self._announced: dict[int, list[tuple[int, Bulletin | Certificate]]] = {}
        """Bulletins and certificates with their log index, by the log size that they speak of."""

    def run(self, count: Count, threads: int) -> None:
        """Fold the whole log into `count`; signatures are checked by `threads` threads."""
        size = self._log.head.size
        self._find_announcements()
        with ThreadPoolExecutor(threads) as pool:
            for stop in self._stops(size):
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

    def _stops(self, size: int) -> list[int]:
        """Where to pause: at the end of each stretch, and at every size that something was announced for."""
        stops = {*range(STRETCH, size, STRETCH), size, *(announced for announced in self._announced if announced <= size)}
        return sorted(stops)

    def _stretch(self, count: Count, entries: Sequence[bytes]) -> list[SignatureCheck]:
        to_check: list[SignatureCheck] = []
        sheets: list[tuple[bytes, SheetReading]] = []
        revoked: list[int] = []
        first = count.size
        for index, entry in enumerate(entries, first):
            try:
                if is_tally_sheet(entry):
                    reading = self._policy.read_sheet(entry)
                    to_check.append((index, reading.check_signature))
                    sheets.append((self._log.tree.node(0, index), reading))
                    if self._policy.accreditations.any_revoked and self._by_revoked_key(reading):
                        revoked.append(index)
                    continue
                self._count_sheets(count, sheets, revoked)
                self._other(count, index, entry, to_check)
            except ScrutineerError as error:
                self._count_sheets(count, sheets, revoked)
                self._report.add("statement", self._log.where(index), str(error))
                if count.size == index:
                    count.pass_over()
        self._count_sheets(count, sheets, revoked)
        return to_check

    def _by_revoked_key(self, reading: SheetReading) -> bool:
        kid = thumbprint(reading.public_key, reading.algorithm)
        return self._policy.accreditations.is_revoked(station_issuer(reading.sheet.station), kid)

    def _count_sheets(self, count: Count, sheets: list[tuple[bytes, SheetReading]], revoked: list[int]) -> None:
        if sheets:
            count.apply_sheets(sheets, revoked)
            self._report.sheets += len(sheets)
            self._report.statements += len(sheets)
            sheets.clear()
            revoked.clear()

    def _other(self, count: Count, index: int, entry: bytes, to_check: list[SignatureCheck]) -> None:
        if index > 0:  # The definition was checked in step (1), and nothing else may define this election.
            reading = self._policy.read(entry)
            to_check.append((index, reading.check_signature))
            self._policy.apply(reading.statement)
        count.apply([entry])
        self._report.statements += 1

    def _check_announcements(self, count: Count) -> None:
        for index, payload in self._announced.get(count.size, ()):
            certificate = isinstance(payload, Certificate)
            self._report.certificates += certificate
            self._report.bulletins += not certificate
            try:
                found = differences(payload, count, self._log.tree.root(count.size))
            except CountError as error:
                self._report.add("bulletin", self._log.where(index), f"{payload.subject()} cannot be computed again: {error}")
                continue
            for difference in found:
                where = f"{self._log.where(index)}, {payload.subject()}"
                self._report.add("certificate" if certificate else "bulletin", where, str(difference))


def _check_signatures(items: Sequence[SignatureCheck]) -> list[tuple[int, str]]:
    failed = []
    for index, check in items:
        try:
            check()
        except SignatureError as error:
            failed.append((index, str(error)))
    return failed
