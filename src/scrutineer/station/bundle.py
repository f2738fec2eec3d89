"""The bundle file (`*.bundle`, `*.receipts`): statements to carry on a stick, and receipts to carry back.

    magic      8 bytes   89 53 43 42 0D 0A 1A 0A: a copy that changed line ends or lost the high bit is seen at once
    version    1 byte    1
    contents   1 byte    53 ("S") statements, 52 ("R") receipts
    election  32 bytes   hash of the definition's statement
    count      4 bytes   big-endian, 1 to 65,536
    names     32 bytes each: the hash of every statement, in order
    entries   in the form of C2SP tlog-tiles entry bundles: uint16 big-endian, then so many bytes
    digest    32 bytes   SHA-256 of everything before it

The names stand before the entries so that a file that was torn or altered can be refused with the place where it was, and
so that receipts, which do not name their statement, belong to one. The digest finds accidents. It is no signature: what a
bundle holds is believed only for the signature of each statement and the log's signature of each receipt.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from scrutineer.durable import write_whole
from scrutineer.election import Definition
from scrutineer.errors import StatementError, UsageError
from scrutineer.log.receipt import MAX_RECEIPT_SIZE
from scrutineer.statements import Statement, parse_statement, statement_hash
from scrutineer.statements.codec import MAX_STATEMENT_SIZE

MAGIC: Final = b"\x89SCB\r\n\x1a\n"
VERSION: Final = 1
MAX_ENTRIES: Final = 65_536
MAX_BUNDLE_SIZE: Final = 64 * 1024 * 1024  # bytes; more statements than fit travel in several bundles

Contents = Literal["statements", "receipts"]

_MARKS: Final[dict[Contents, bytes]] = {"statements": b"S", "receipts": b"R"}
_ITEMS: Final[dict[Contents, str]] = {"statements": "statement", "receipts": "receipt"}
_HASH_SIZE: Final = 32
_HEAD_SIZE: Final = len(MAGIC) + 2 + _HASH_SIZE + 4
_COPY_AGAIN: Final = "copy the file again from where it was written"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What travels: statements of one election, or receipts for them, each with the statement's hash."""

    contents: Contents
    election: bytes
    names: tuple[bytes, ...]
    entries: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Raises StatementError for entries that this bundle could not carry, with the first of them."""
        item = _ITEMS[self.contents]
        if len(self.election) != _HASH_SIZE or any(len(name) != _HASH_SIZE for name in self.names):
            raise StatementError("a bundle names its election and its statements by hashes of 32 bytes")
        if not 1 <= len(self.entries) <= MAX_ENTRIES or len(self.names) != len(self.entries):
            raise StatementError(f"a bundle holds 1 to {MAX_ENTRIES:,} {self.contents}, each with a name: use several bundles")
        seen: set[bytes] = set()
        most = MAX_STATEMENT_SIZE if self.contents == "statements" else MAX_RECEIPT_SIZE
        for number, (name, entry) in enumerate(zip(self.names, self.entries, strict=True), 1):
            where = f"{item} {number} of {len(self.entries)}"
            if name in seen:
                raise StatementError(f"{where} stands in the bundle twice: each stands once")
            seen.add(name)
            if not 0 < len(entry) <= most:
                raise StatementError(f"{where} has {len(entry):,} bytes: 1 to {most:,} can be carried")
            if self.contents == "statements":
                _check_statement(entry, name, self.election, where)
        if self.size > MAX_BUNDLE_SIZE:
            raise StatementError(f"the bundle has {self.size:,} bytes: {MAX_BUNDLE_SIZE:,} are the most; use several bundles")

    @classmethod
    def of_statements(cls, election: bytes, statements: Iterable[bytes]) -> "Bundle":
        """A bundle of signed statements, in this order; one that is given twice is taken once. Raises StatementError."""
        named = {statement_hash(statement): statement for statement in statements}
        return cls("statements", election, tuple(named), tuple(named.values()))

    @classmethod
    def of_receipts(cls, election: bytes, receipts: Iterable[tuple[bytes, bytes]]) -> "Bundle":
        """A bundle of receipts, given as pairs of the statement's hash and the receipt. Raises StatementError."""
        named = dict(receipts)
        return cls("receipts", election, tuple(named), tuple(named.values()))

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return _HEAD_SIZE + sum(_HASH_SIZE + 2 + len(entry) for entry in self.entries) + _HASH_SIZE

    def pairs(self) -> Iterable[tuple[bytes, bytes]]:
        """Each statement's hash with the statement, or with its receipt."""
        return zip(self.names, self.entries, strict=True)


def encode_bundle(bundle: Bundle) -> bytes:
    """The bytes of a bundle file; there is one form for each bundle."""
    parts = [MAGIC, bytes((VERSION,)), _MARKS[bundle.contents], bundle.election, len(bundle.entries).to_bytes(4), *bundle.names]
    for entry in bundle.entries:
        parts += (len(entry).to_bytes(2), entry)
    body = b"".join(parts)
    return body + hashlib.sha256(body).digest()


def is_bundle(data: bytes) -> bool:
    """Whether a file that begins with these bytes (at least eight) wants to be a bundle."""
    return data.startswith(MAGIC)


def decode_bundle(data: bytes) -> Bundle:
    """Read a bundle. Raises StatementError that says where the file was torn or altered."""
    if not is_bundle(data):
        raise StatementError("not a bundle (it does not begin as one): name a file that `scrutineer station` wrote")
    if len(data) > MAX_BUNDLE_SIZE:
        raise StatementError(f"the bundle has more than {MAX_BUNDLE_SIZE:,} bytes: carry the statements in several bundles")
    at = len(MAGIC)
    if len(data) < _HEAD_SIZE:
        raise StatementError(f"the bundle is torn: it ends before its first statement; {_COPY_AGAIN}")
    if data[at] != VERSION:
        raise StatementError(f"the bundle has format version {data[at]}, and this program reads {VERSION}: use a newer program")
    contents = next((name for name, mark in _MARKS.items() if data[at + 1 : at + 2] == mark), None)
    election, count = data[at + 2 : at + 34], int.from_bytes(data[at + 34 : at + 38])
    if contents is None or not 1 <= count <= MAX_ENTRIES:
        raise StatementError(f"the bundle was altered within its header; {_COPY_AGAIN}")
    item, end = _ITEMS[contents], len(data)
    at = _HEAD_SIZE + _HASH_SIZE * count
    if at > end:
        raise StatementError(f"the bundle is torn: it ends before the first of its {count:,} {contents}; {_COPY_AGAIN}")
    names = tuple(data[start : start + _HASH_SIZE] for start in range(_HEAD_SIZE, at, _HASH_SIZE))
    entries = []
    for number, name in enumerate(names, 1):
        start = at + 2
        at = start + int.from_bytes(data[at:start])
        if start > end or at > end:
            raise StatementError(f"the bundle is torn: it ends within {item} {number:,} of {count:,}; {_COPY_AGAIN}")
        entry = data[start:at]
        if contents == "statements" and statement_hash(entry) != name:
            raise StatementError(f"the bundle was altered: {item} {number:,} of {count:,} is not the one it names; {_COPY_AGAIN}")
        entries.append(entry)
    if end - at < _HASH_SIZE:
        raise StatementError(f"the bundle is torn: it ends after {item} {count:,} of {count:,}, within its digest; {_COPY_AGAIN}")
    if end - at > _HASH_SIZE:
        raise StatementError(f"the bundle was altered: {end - at - _HASH_SIZE:,} bytes follow after its end; {_COPY_AGAIN}")
    if hashlib.sha256(data[:at]).digest() != data[at:]:
        where = "its header" if contents == "statements" else "its header or one of its receipts"
        raise StatementError(f"the bundle was altered within {where}: its digest does not fit; {_COPY_AGAIN}")
    bundle = Bundle(contents, election, names, tuple(entries))
    if encode_bundle(bundle) != data:
        raise StatementError(f"the bundle is not in its canonical form; {_COPY_AGAIN}")
    return bundle


def read_bundle(path: Path) -> Bundle:
    """Read a bundle file. Raises UsageError where it cannot be read, StatementError as `decode_bundle` does, with the path."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BUNDLE_SIZE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or error}): check the path") from error
    try:
        return decode_bundle(data)
    except StatementError as error:
        raise StatementError(f"{path}: {error}", code=error.code) from None


def write_bundle(path: Path, bundle: Bundle) -> None:
    """Write a bundle file durably, whole or not at all; an older file of the name is replaced. Raises UsageError."""
    try:
        write_whole(path, encode_bundle(bundle))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror or error}): make room, or choose another path; "
            "a stick may be write-protected"
        ) from error


def election_of(statement: Statement) -> bytes:
    """The hash of the election that a statement belongs to; a definition belongs to the one that it defines."""
    payload = statement.payload
    return statement.hash if isinstance(payload, Definition) else payload.election


def _check_statement(entry: bytes, name: bytes, election: bytes, where: str) -> None:
    if statement_hash(entry) != name:
        raise StatementError(f"{where} is not the one that the bundle names")
    try:
        belongs = election_of(parse_statement(entry))
    except StatementError as error:
        raise StatementError(f"{where}: {error}", code=error.code) from None
    if belongs != election:
        raise StatementError(f"{where} belongs to another election: a bundle carries statements of one", code="wrong-election")
