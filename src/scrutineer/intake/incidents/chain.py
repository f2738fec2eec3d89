"""Records of the journal and the chain that they form: each holds the hash of the one before. Pure.

A record is one line of canonical JSON (docs/formats.md, "Journal of refused requests"). A changed line shows in its own hash, a
missing, added or moved one in the numbers and in the hash that the next record names.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from scrutineer.errors import StatementError, StoreError
from scrutineer.http.networks import is_network
from scrutineer.statements.incident import RequestKind

START: Final = "0" * 64
"""What the first record names as the hash of the one before."""
MAX_LINE: Final = 16_384  # bytes; a window has at most a third of that
MAX_LISTED: Final = 8  # networks for each kind of one window

Hash = str  # 64 hexadecimal digits


class Place(msgspec.Struct, frozen=True):
    """Where a journal stands: its name, the number and hash of its last record, and what summaries cover."""

    journal: str
    n: int = 0
    hash: Hash = START
    covered: int = 0


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, tag_field="what"):
    """What every record has; `chained` fills these in."""

    journal: str = ""
    n: int = 0
    previous: Hash = ""
    covered: int = -1
    hash: Hash = ""


class Begin(_Record, frozen=True, kw_only=True, tag="begin"):
    """The first record: of which election this journal is."""

    election: Hash


class Unwritten(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    """Windows that could not be written: how many there were, and what they counted."""

    windows: int
    since: int
    until: int
    counts: dict[RequestKind, int]


class Window(_Record, frozen=True, kw_only=True, tag="window", rename={"since": "from", "until": "to"}):
    """What was refused in one stretch of time."""

    since: int
    until: int
    """Seconds since 1970 as the clock told them, which may have been set in between."""
    lasted: int
    """Milliseconds."""
    counts: dict[RequestKind, tuple[int, dict[str, int]]]
    """For each kind the exact total, and at least how many came from each of the networks with most."""
    unwritten: Unwritten | None = None

    @property
    def totals(self) -> dict[RequestKind, int]:
        """How many there were of each kind, with those of windows that could not be written."""
        totals = {kind: total for kind, (total, _) in self.counts.items()}
        for kind, count in (self.unwritten.counts if self.unwritten else {}).items():
            totals[kind] = totals.get(kind, 0) + count
        return totals

    def check(self) -> None:
        """Refuse numbers that cannot be. Raises StoreError."""
        for total, networks in self.counts.values():
            if total < 1 or sum(networks.values()) > total or any(count < 1 for count in networks.values()):
                raise StoreError("its numbers do not add up")
            if len(networks) > MAX_LISTED or not all(map(is_network, networks)):
                raise StoreError("it names networks that a record cannot name")
        if self.unwritten is not None and any(count < 1 for count in self.unwritten.counts.values()):
            raise StoreError("its numbers do not add up")


class Summarised(_Record, frozen=True, kw_only=True, tag="summary"):
    """A signed summary of these records is in the log."""

    statement: Hash
    first: int
    last: int


class Removed(_Record, frozen=True, kw_only=True, tag="removed"):
    """The records up to this one were removed, because the journal had grown too large."""

    last: int
    head: Hash


Record = Begin | Window | Summarised | Removed
_DECODER: Final = msgspec.json.Decoder(Record)


def chained(record: Record, after: Place, covered: int | None = None) -> tuple[bytes, Place]:
    """The record's line as the next of a journal, and where the journal then stands."""
    covered = after.covered if covered is None else covered
    place = {"journal": after.journal, "n": after.n + 1, "previous": after.hash, "covered": covered}
    value = msgspec.to_builtins(record) | place
    value.pop("hash", None)
    value["hash"] = digest = _digest(value)
    return _encode(value) + b"\n", Place(after.journal, after.n + 1, digest, covered)


def read_record(line: bytes) -> Record:
    """Read a line without its LF. Raises StoreError where it is no record, or not as it was written."""
    if len(line) > MAX_LINE:
        raise StoreError("it is longer than any record")
    try:
        value: Any = json.loads(line)
        record: Record = _DECODER.decode(line)
        if not isinstance(value, dict) or _encode(value) != line or value.pop("hash") != _digest(value):
            raise StoreError("it was changed: its hash is another one")
    except (ValueError, KeyError, RecursionError, msgspec.MsgspecError, StatementError) as error:
        raise StoreError("it is no record") from error
    if isinstance(record, Window):
        record.check()
    return record


def place_of(record: Record) -> Place:
    """Where a journal stands after a record."""
    return Place(record.journal, record.n, record.hash, record.covered)


@dataclass(slots=True)
class Chain:
    """Follows the records of a journal in order and says what does not follow."""

    at: Place | None = None
    """The last good record."""
    lost: int = 0
    """Lines since then that are no records."""
    begins: int = 0
    """The first record that is there; 0 before any was seen."""
    before: Hash = START
    """What the first record that is there names as the hash of the one before."""

    def damaged(self) -> None:
        """A line was no record."""
        self.lost += 1

    def follow(self, record: Record) -> str | None:
        """Take the next record; what is wrong with its place, in words, or None."""
        found = self._wrong(record)
        if self.at is None:
            self.begins, self.before = record.n, record.previous
        self.at, self.lost = place_of(record), 0
        return found

    def _wrong(self, record: Record) -> str | None:
        at = self.at
        if at is None:
            if self.lost:
                return None
            if not (record.n == 1) == (record.previous == START) == isinstance(record, Begin):
                return f"record {record.n} is no first record of a journal: it was changed"
            return None
        if record.journal != at.journal:
            return f"record {record.n} belongs to another journal: files of two were mixed"
        due = at.n + 1 + self.lost
        if record.n > due:
            gap = f"record {due} is" if record.n == due + 1 else f"records {due} to {record.n - 1} are"
            return f"{gap} missing before record {record.n}"
        if record.n < due:
            return f"record {record.n} stands behind record {due - 1}: records were moved, or stand twice"
        if not self.lost and record.previous != at.hash:
            return f"record {record.n} does not follow record {at.n} that stands before it: one of the two was replaced"
        return None


def _encode(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _digest(value: Any) -> Hash:
    return hashlib.sha256(_encode(value)).hexdigest()
