"""The check of a whole record of encrypted ballots: the trustees' keys, every bundle, and every decryption.

ElectionGuard Design Specification 2.1.0, verifications 1 to 19, and checks of ours (checks.py). Nothing that stands in a record
raises: what is wrong is reported with the number of its check, and everything else is still checked. Memory stays bounded for
records of any size as long as results are taken one by one (`RecordCheck`) and identifiers have a spill.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from scrutineer.ballots.bundle import split_lines
from scrutineer.ballots.bundle_check import BallotEngine, BundleCheck, Findings, HandedLine, StationResult, one_by_one
from scrutineer.ballots.checks import CHECKS
from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.group import STANDARD, Group
from scrutineer.ballots.identifiers import Identifiers, Spill
from scrutineer.ballots.key_check import check_key_file
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import TallyRecord
from scrutineer.ballots.tally_check import MAX_TALLY_SIZE, read_tally
from scrutineer.errors import BallotError
from scrutineer.pieces import hashed, sha256_of


class Source(NamedTuple):
    """A file of the record: how findings name it, and its bytes in pieces, from the beginning every time it is opened."""

    name: str
    open: Callable[[], Iterable[bytes]]


class GivenTally(NamedTuple):
    """A tally record that was read, and where it came from."""

    name: str
    tally: TallyRecord


class GivenBundle(NamedTuple):
    """A bundle to check, the tally record that belongs to it if there is one, and its SHA-256 if that is known already."""

    source: Source
    tally: GivenTally | None = None
    digest: bytes | None = None


@dataclass(frozen=True)
class Report:
    """What the check of a record came to."""

    stations: tuple[StationResult, ...]
    failures: tuple[CheckFailure, ...]
    """All failures that were kept: of the keys, of the record as a whole, then of each bundle."""
    failed: int
    """All failures."""
    idle: tuple[str, ...]
    """Checks that had nothing to look at, such as those of pre-encrypted ballots in a record without any."""

    @property
    def passed(self) -> bool:
        """Whether nothing was found wrong."""
        return self.failed == 0

    @property
    def checks(self) -> tuple[str, ...]:
        """The numbers of the checks that failed, in the order of the specification."""
        found = {failure.check for failure in self.failures}
        return (*(number for number in CHECKS if number in found), *sorted(found - set(CHECKS)))


class RecordCheck:
    """Checks a record bundle by bundle: `bundles`, then `finish`."""

    def __init__(
        self,
        key_file: bytes,
        *,
        spill: Spill | None = None,
        engine: Callable[[ElectionKeys], BallotEngine] | None = None,
        group: Group = STANDARD,
    ) -> None:
        """Check the keys (verifications 1 to 4) and be ready for bundles.

        `engine` makes what checks ballots by themselves for keys that were found usable; without one they are checked one by one.
        Another group than the standard one is for tests alone.
        """
        checked = check_key_file(key_file, group)
        self.keys: Final = checked.keys
        self.findings: Final = Findings()
        """What was found wrong with the keys and with the record as a whole."""
        self.findings.add(checked.failures)
        self._identifiers: Final = Identifiers(spill)
        self._engine: Final = engine
        self._devices: Final[dict[bytes, list[int]]] = {}
        self._names: Final[list[str]] = []
        self._seen: Final[dict[str, int]] = {}

    def bundles(self, bundles: Iterable[GivenBundle]) -> Iterator[StationResult]:
        """Check bundles with the tally records that belong to them; results come as they are ready, in no fixed order.

        Nothing comes where the keys cannot be used. Raises BallotError where the engine stops early.
        """
        if self.keys is None:
            return
        waiting: dict[int, BundleCheck] = {}
        lines = self._hand(self.keys, bundles, waiting)
        for part in (self._engine or one_by_one)(self.keys)(lines):
            waiting[part.bundle].take(part)
            yield from self._ready(waiting)
        # Bundles without any ballot, and an engine that did not take all lines.
        for _ in lines:
            break
        yield from self._ready(waiting)
        if waiting:
            raise BallotError("the check of the ballots stopped early: start it again")

    def _hand(self, keys: ElectionKeys, bundles: Iterable[GivenBundle], waiting: dict[int, BundleCheck]) -> Iterator[HandedLine]:
        """The ballots of all bundles, each of which is checked in its own order on the way."""
        for source, given, digest in bundles:
            number = len(self._names)
            self._names.append(source.name)
            known = digest if digest is not None else sha256_of(source.open())
            check = BundleCheck(keys, source.name, known, self._identifiers, number, given.tally if given else None)
            waiting[number] = check
            again = hashlib.sha256()
            yield from check.walk(split_lines(hashed(source.open(), again)))
            if check.complete and again.digest() != known:
                check.findings.fail("R.2", source.name, "the file changed while it was being checked: start again")

    def _ready(self, waiting: dict[int, BundleCheck]) -> Iterator[StationResult]:
        for number in [number for number, check in waiting.items() if check.done]:
            result = waiting.pop(number).result()
            self._note(number, result, given=result.totals is not None)
            yield result

    def _note(self, number: int, result: StationResult, *, given: bool) -> None:
        if result.device:
            key = hashlib.sha256(f"{result.kind}\n{result.device}".encode()).digest()
            self._devices.setdefault(key, []).append(number)
        pre_encrypted = result.kind == "pre-encrypted ballots"
        for what, count in (
            ("bundles", 1),
            ("ballots", 0 if pre_encrypted else result.ballots),
            ("pre-encrypted", result.ballots if pre_encrypted else 0),
            ("pre-encrypted cast", result.counts["cast"] if pre_encrypted else 0),
            ("pre-encrypted unused", result.counts["challenged"] if pre_encrypted else 0),
            ("tallies", int(given)),
            ("opened", result.opened),
            ("decrypted", result.decrypted),
            ("unchained", int(result.unchained)),
        ):
            self._seen[what] = self._seen.get(what, 0) + count

    def finish(self) -> None:
        """Check what concerns all bundles together (5.A, R.12); what is found is added to `findings`."""
        # R.12: a device that has two bundles has two chains, of which one could be left out.
        for numbers in self._devices.values():
            first, *others = sorted(numbers)
            for number in others:
                message = f"its device has another bundle in this record: {self._names[first]}"
                self.findings.fail("R.12", self._names[number], message)
        for one in self._identifiers.repeated():
            where = f"{self._names[one.bundle]}, line {one.line}"
            other = f"{self._names[one.first_bundle]}, line {one.first_line}"
            self.findings.fail("5.A", where, f"the ballot has the identifier of another one: {other}")

    def idle(self) -> tuple[str, ...]:
        """Checks that had nothing to look at in the bundles so far."""
        seen = self._seen
        needs = {
            "ballots": ("5.B", "6", "7", "8", "R.5", "R.6"),
            "bundles": ("5.A", "9", "R.2", "R.3", "R.4", "R.7", "R.11", "R.12"),
            "tallies": ("10", "11", "R.8", "R.9", "R.10"),
            "opened": ("13", "14"),
            "decrypted": ("12",),
            "pre-encrypted": ("16", "17"),
            "pre-encrypted cast": ("15",),
            "pre-encrypted unused": ("18", "19"),
        }
        also = {"5.B", "6", "7", "R.5", "R.6"} if seen.get("pre-encrypted") else set()
        idle = {number for what, numbers in needs.items() if not seen.get(what) for number in numbers} - also
        if not seen.get("unchained"):
            idle |= {"8.D", "16.E"}
        return tuple(number for number in CHECKS if number in idle or number.split(".")[0] in idle)


def read_tally_source(source: Source) -> TallyRecord:
    """Read a tally record in bounded memory. Raises BallotError unless it is one in its only form (R.8)."""
    data = bytearray()
    for chunk in source.open():
        data += chunk
        if len(data) > MAX_TALLY_SIZE:
            break
    return read_tally(bytes(data))


def pair_tallies(bundles: Sequence[bytes], tallies: Sequence[GivenTally], findings: Findings) -> dict[int, GivenTally]:
    """Which tally record belongs to which bundle, by the hash that it names (R.8).

    If one bundle and one tally record are left over, they are taken together so that everything else is still checked; the
    wrong hash is found there.
    """
    places = {digest: place for place, digest in enumerate(bundles)}
    paired: dict[int, GivenTally] = {}
    left = []
    for given in tallies:
        place = places.get(given.tally.bundle)
        if place is None:
            left.append(given)
        elif place in paired:
            findings.fail("R.8", given.name, f"the bundle has other decrypted totals already: {paired[place].name}")
        else:
            paired[place] = given
    free = [place for place in range(len(bundles)) if place not in paired]
    if len(left) == len(free) == 1:
        paired[free[0]] = left.pop()
    for given in left:
        findings.fail("R.8", given.name, "the decrypted totals are of a bundle that was not given")
    return paired


def check_record(
    key_file: bytes,
    bundles: Iterable[Source],
    tallies: Iterable[Source] = (),
    *,
    spill: Spill | None = None,
    engine: Callable[[ElectionKeys], BallotEngine] | None = None,
    group: Group = STANDARD,
) -> Report:
    """Check a whole record; see `RecordCheck`, of which this is the short form for records whose results fit in memory."""
    check = RecordCheck(key_file, spill=spill, engine=engine, group=group)
    sources = tuple(bundles)
    given = []
    for source in tallies:
        try:
            given.append(GivenTally(source.name, read_tally_source(source)))
        except BallotError as error:
            check.findings.fail("R.8", source.name, str(error))
    digests = [sha256_of(source.open()) for source in sources] if check.keys is not None else []
    paired = pair_tallies(digests, given, check.findings) if check.keys is not None else {}
    results = check.bundles(
        GivenBundle(source, paired.get(place), digests[place] if digests else None) for place, source in enumerate(sources)
    )
    kept = list(results)
    check.finish()
    return report_of(check, kept)


def report_of(check: RecordCheck, results: Iterable[StationResult]) -> Report:
    """The report of a check that is finished, with the results of its bundles in the order in which they were given."""
    stations = tuple(sorted(results, key=lambda result: result.number))
    failures = (*check.findings.failures, *(failure for result in stations for failure in result.failures))
    failed = check.findings.count + sum(result.failed for result in stations)
    return Report(stations, failures, failed, check.idle())
