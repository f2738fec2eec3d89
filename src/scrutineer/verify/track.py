"""What became of one ballot: found by its confirmation code in a published site, and proved without trusting that site.

The steps: the definition has the hash that is expected and names the log and the trustees' keys; the log's head is signed; the
index leads to a station's bundle; the ballot's code is that of its ciphertexts, and every ballot of the bundle is chained to the
one before, up to the closing; the bundle has the hash that a sheet of that station names; that sheet is signed by the station and
stands in the log. What was made of the totals is for `verify_site`, which checks everything for all.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from scrutineer.ballots.bundle import read_bundle, split_lines
from scrutineer.ballots.chain_check import ChainCheck
from scrutineer.ballots.confirmation import confirmation_code, contest_hash, spoken
from scrutineer.ballots.key_table import read_table
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FIELD_MARK, ORDER_MARK
from scrutineer.ballots.nonces import identifier_hash
from scrutineer.ballots.opened_check import check_opened
from scrutineer.ballots.record import Ballot, BundleClosing, BundleHeader, OpenedBallot
from scrutineer.ballots.tally_check import MAX_TALLY_SIZE, read_tally
from scrutineer.election import Election
from scrutineer.election.definition import BALLOTS_TABLE, BASELINE_TABLE, Definition
from scrutineer.errors import BallotError, LogError, PublicationError, ScrutineerError, TransportError
from scrutineer.log import LogVerifier, open_checkpoint
from scrutineer.log.note import MAX_NOTE_SIZE
from scrutineer.log.quorum import Quorum, find_cosigners
from scrutineer.pieces import hashed
from scrutineer.portal.ballot_files import FORMAT, INDEX_FILE, MOST_DIGITS, codes_path, summary_path
from scrutineer.portal.ballot_record import STATUSES, bundle_path, tally_path
from scrutineer.portal.formats import (
    BALLOTS_FILE,
    BASELINE_FILE,
    CHECKPOINT_FILE,
    DEFINITION_FILE,
    REGISTER_FILE,
    UNITS_FILE,
)
from scrutineer.statements import TallySheet, parse_statement, statement_hash, thumbprint
from scrutineer.statements.bootstrap import check_table, open_election
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.verify.log_entry import read_entry
from scrutineer.verify.source import MAX_FILE_SIZE, MAX_SMALL_FILE, Progress, silent
from scrutineer.verify.tracked import State, Step, Tracked

_MAX_SHARD: Final = 16 << 20  # bytes
_MAX_SUMMARY: Final = 1 << 20  # bytes


class Reader(Protocol):
    """A published site."""

    def read(self, path: str, limit: int) -> bytes:
        """A small file. Raises PublicationError or TransportError."""

    def chunks(self, path: str, limit: int) -> Iterator[bytes]:
        """A file in pieces. Raises PublicationError or TransportError."""


def track(site: Reader, code: bytes, expected: bytes | None = None, progress: Progress | None = None) -> Tracked:
    """Look for a ballot by the first bytes of its code. `expected` is the hash that the definition must have.

    What a site shows never raises; it becomes a step that is bad. Raises TransportError where it cannot be reached.
    """
    tracked = Tracked(spoken(code))
    tracking = _Tracking(site, tracked, progress or silent)
    with contextlib.suppress(_Stopped):
        tracking.run(code, expected)
    return tracked


class _Stopped(Exception):  # noqa: N818 - the step that says why has been noted
    """Nothing that follows could mean anything."""


class _Tracking:
    def __init__(self, site: Reader, tracked: Tracked, progress: Progress) -> None:
        self._site = site
        self._tracked = tracked
        self._progress = progress

    def run(self, code: bytes, expected: bytes | None) -> None:
        election, keys = self._election(expected)
        station = self._look_up(code)
        if station is None:
            return
        tracked = self._tracked
        number = election.units.station_index.get(station)
        if number is None:
            raise self._bad(f"the index leads to a station {station[:64]!r} that this election does not have")
        tracked.station, tracked.place = station, election.units.names[int(election.units.station_units[number])]
        digest = self._bundle(code, keys, station)
        self._sheets(election, station, digest)
        if tracked.status == "challenged":
            self._open(election, keys, station, digest)

    def _note(self, state: State, sentence: str) -> None:
        self._tracked.steps.append(Step(state, sentence))

    def _bad(self, sentence: str) -> _Stopped:
        self._note("bad", sentence)
        return _Stopped()

    # --- the election ---------------------------------------------------------------------------------------------------

    def _election(self, expected: bytes | None) -> tuple[Election, ElectionKeys]:
        try:
            definition = self._site.read(DEFINITION_FILE, MAX_STATEMENT_SIZE)
            name = statement_hash(definition)
            self._tracked.definition = name.hex()
            if expected is not None and name != expected:
                raise self._bad(
                    f"the definition has the hash {name.hex()}, and {expected.hex()} was expected: this is another election"
                )
            payload = parse_statement(definition).payload
            if not isinstance(payload, Definition) or BALLOTS_TABLE not in payload.tables:
                raise self._bad("the definition names no keys of trustees: in this election no ballots were encrypted")
            baseline = self._site.read(BASELINE_FILE, MAX_SMALL_FILE) if BASELINE_TABLE in payload.tables else None
            units, register = (self._site.read(path, MAX_SMALL_FILE) for path in (UNITS_FILE, REGISTER_FILE))
            election = open_election(definition, units, register, baseline)
            table = self._site.read(BALLOTS_FILE, MAX_SMALL_FILE)
            check_table(payload, BALLOTS_TABLE, table)
            keys = read_table(table, payload, election.units)
        except TransportError:
            raise
        except ScrutineerError as error:
            raise self._bad(f"the election could not be read: {error}") from error
        self._tracked.election = payload.name
        self._note(
            "good",
            "The definition of the election and the trustees' keys belong together"
            + (", and are the ones that you named." if expected is not None else "."),
        )
        return election, keys

    # --- the index ------------------------------------------------------------------------------------------------------

    def _look_up(self, code: bytes) -> str | None:
        """The station whose bundle holds the ballot, by the index; None where the index has no such code."""
        try:
            index = msgspec.json.decode(self._site.read(INDEX_FILE, _MAX_SUMMARY), type=_Index)
        except PublicationError:
            self._note("open", "No encrypted ballots are published here yet. Look again later.")
            return None
        except (msgspec.MsgspecError, ValueError) as error:
            raise self._bad(f"{INDEX_FILE} cannot be read ({error})") from error
        if index.format != FORMAT or not 1 <= index.digits <= MOST_DIGITS:
            raise self._bad(f"{INDEX_FILE} is not an index of ballots that this program reads")
        path = codes_path(code.hex()[: index.digits])
        try:
            rows = msgspec.json.decode(self._site.read(path, _MAX_SHARD), type=_Shard)
        except PublicationError:
            rows = _Shard([], [])
        except (msgspec.MsgspecError, ValueError) as error:
            raise self._bad(f"{path} cannot be read ({error})") from error
        for row in rows.ballots:
            if row[0] == code.hex() and 0 <= row[1] < len(rows.stations):
                return rows.stations[row[1]]
        self._note(
            "open",
            f"No ballot with this code is among the {index.ballots:,} that are published here. Look at the words again; the "
            "ballots of its station may also not be published yet.",
        )
        return None

    # --- the bundle -----------------------------------------------------------------------------------------------------

    def _bundle(self, code: bytes, keys: ElectionKeys, station: str) -> bytes:
        """Read the bundle to its end; returns its SHA-256."""
        tracked, digest, done = self._tracked, hashlib.sha256(), 0

        def read() -> Iterator[bytes]:
            nonlocal done
            for piece in hashed(self._site.chunks(bundle_path(station), MAX_FILE_SIZE), digest):
                done += len(piece)
                self._progress("Reading the ballots", done, done)
                yield piece

        chain: ChainCheck | None = None
        wrong, closed, mine = "", False, False
        try:
            for item in read_bundle(split_lines(read()), bundle_path(station)):
                value = item.value
                if item.failure is not None:
                    wrong = wrong or f"{item.failure.where}: {item.failure.message}"
                elif isinstance(value, BundleHeader):
                    chain = ChainCheck(keys, value)
                    wrong = wrong or next((message for _, message in chain.start()), "")
                    if (value.keys, value.station) != (keys.extended_hash, station):
                        wrong = wrong or "it is of another station, or was made under other keys"
                elif isinstance(value, Ballot) and chain is not None:
                    tracked.ballots += 1
                    broken = chain.ballot(value.chain, value.code)
                    wrong = wrong or (f"ballot {tracked.ballots}: {broken[1]}" if broken else "")
                    if value.code.startswith(code):
                        mine = True
                        self._own(value, keys)
                elif isinstance(value, BundleClosing) and chain is not None:
                    closed = True
                    wrong = wrong or next((message for _, message in chain.end(value)), "")
        except PublicationError as error:
            raise self._bad(str(error)) from error
        if not mine:
            raise self._bad(f"{bundle_path(station)} does not hold the ballot that the index says it holds")
        if wrong or not closed:
            self._note("bad", f"The chain of this machine's ballots does not hold: {wrong or 'it has no closing'}.")
        else:
            self._note(
                "good",
                f"It is ballot {tracked.number} of {tracked.ballots} of its machine; each is chained to the one before, from the "
                "first to the closing.",
            )
        return digest.digest()

    def _own(self, ballot: Ballot, keys: ElectionKeys) -> None:
        tracked = self._tracked
        tracked.number, tracked.status, tracked.code = tracked.ballots, ballot.status, ballot.code.hex()
        hashes = [
            contest_hash(ballot.identifier_hash, contest.contest, contest.selections, contest.data) for contest in ballot.contests
        ]
        whole = confirmation_code(ballot.identifier_hash, hashes, ballot.chain) == ballot.code
        if whole and identifier_hash(keys, ballot.identifier) == ballot.identifier_hash:
            self._note("good", "Your code is the hash of exactly this encrypted ballot: not one digit of it was changed since.")
        else:
            self._note("bad", "The code of the ballot that is published is not the hash of what is published with it.")
        if ballot.status not in STATUSES:
            self._note("bad", f"Its status {ballot.status!r} is none that this program knows.")

    # --- sheet and log --------------------------------------------------------------------------------------------------

    def _sheets(self, election: Election, station: str, digest: bytes) -> None:
        try:
            said = msgspec.json.decode(self._site.read(summary_path(station), _MAX_SUMMARY), type=_Summary)
            root, size = self._head(election)
            for sheet in said.sheets[: len(election.contests)]:
                self._sheet(election, station, digest, sheet.entry, root, size)
        except TransportError:
            raise
        except (msgspec.MsgspecError, ValueError, ScrutineerError) as error:
            raise self._bad(f"the sheet that names these ballots could not be checked: {error}") from error
        if not self._tracked.sheets:
            raise self._bad("No signed sheet is shown that names these ballots.")
        listed = ", ".join(str(index) for index in self._tracked.sheets)
        self._note(
            "good",
            f"The file of these ballots has the SHA-256 that the station's signed sheet names (log entry {listed}), and the log "
            "holds that sheet.",
        )

    def _head(self, election: Election) -> tuple[bytes, int]:
        log = election.definition.log
        verifier = LogVerifier.from_vkeys(*log.keys)
        note = self._site.read(CHECKPOINT_FILE, MAX_NOTE_SIZE)
        checkpoint = open_checkpoint(note, verifier.note_verifiers).checkpoint
        policy = election.definition.witnesses
        if policy is None:
            self._note("good", f"The log's head of {checkpoint.size:,} entries is signed by its keys.")
        else:
            found = find_cosigners(note, Quorum.from_policy(policy, verifier))
            self._note(
                "good" if found.complete else "bad",
                f"The log's head of {checkpoint.size:,} entries is signed by its keys. Witnesses: {found.sentence}.",
            )
        return checkpoint.root, checkpoint.size

    def _sheet(self, election: Election, station: str, digest: bytes, index: int, root: bytes, size: int) -> None:
        statement = parse_statement(read_entry(self._site.read, index, root, size))
        sheet, envelope = statement.payload, statement.envelope
        if not isinstance(sheet, TallySheet) or (sheet.election, sheet.station) != (election.hash, station):
            raise LogError(f"log entry {index} is not a sheet of station {station}")
        if sheet.records != digest:
            named = "no ballots" if sheet.records is None else sheet.records.hex()
            raise LogError(f"the file of ballots has the SHA-256 {digest.hex()}, and log entry {index} names {named}")
        known = [key for key in election.register.find(envelope.issuer) if thumbprint(key.key, key.algorithm) == envelope.kid]
        if known:
            envelope.check_signature(known[0].key)
        else:
            self._note(
                "open",
                f"The sheet in log entry {index} is signed with a key that came later than the definition; `scrutineer verify` "
                "checks who admitted it.",
            )
        self._tracked.sheets.append(index)

    # --- challenged ballots ---------------------------------------------------------------------------------------------

    def _open(self, election: Election, keys: ElectionKeys, station: str, digest: bytes) -> None:
        path = tally_path(station)
        try:
            tally = read_tally(self._site.read(path, MAX_TALLY_SIZE))
        except (PublicationError, BallotError):
            self._note("open", "What it holds is not published yet; it is opened with the totals of its station.")
            return
        mine = next((one for one in tally.challenged if one.code.hex() == self._tracked.code), None)
        ballot = None if mine is None else self._ballot_of(station, mine.code)
        if mine is None or ballot is None or tally.bundle != digest:
            self._note("bad", f"{path} does not open this ballot.")
            return
        failures = check_opened(mine, ballot, keys, path)
        if failures:
            self._note("bad", f"It was not opened rightly: {failures[0].message} (check {failures[0].check}).")
            return
        self._tracked.opened = _readable(election, mine)
        self._note("good", "What it holds was opened, and encrypting that again gives exactly this ballot.")

    def _ballot_of(self, station: str, code: bytes) -> Ballot | None:
        """The ballot once more: it was not kept, because a file may hold millions."""
        for item in read_bundle(split_lines(self._site.chunks(bundle_path(station), MAX_FILE_SIZE))):
            if isinstance(item.value, Ballot) and item.value.code == code:
                return item.value
        return None


class _Index(msgspec.Struct):
    format: str
    digits: int
    ballots: int


class _Shard(msgspec.Struct):
    stations: list[str]
    ballots: list[tuple[str, int, int, int]]


class _Sheet(msgspec.Struct):
    entry: int


class _Summary(msgspec.Struct):
    sheets: list[_Sheet]


_FIELD_WORDS: Final = {
    f"{FIELD_MARK}blank": "blank",
    f"{FIELD_MARK}null": "null",
    f"{FIELD_MARK}undervotes": "choices left unused",
    f"{FIELD_MARK}write-ins": "names written in",
}


def _readable(election: Election, ballot: OpenedBallot) -> list[tuple[str, list[str]]]:
    """What was marked, by the names of the definition."""
    found = []
    for contest in ballot.contests:
        known = next((one for one in election.contests if one.id == contest.label), None)
        names = _FIELD_WORDS | ({option.id: option.name for option in known.options} if known is not None else {})
        marked = [
            ", then ".join(names.get(part, part) for part in opened.label.split(ORDER_MARK))
            + (f" ({opened.value})" if opened.value > 1 else "")
            for opened in contest.fields
            if opened.value
        ]
        found.append((known.title if known is not None else contest.label, marked or ["nothing"]))
    return found
