"""Files of signed statements: one alone, many in the form of entry bundles without their limit, or a station's bundle."""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from scrutineer.errors import StatementError, UsageError
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.envelope import open_envelope
from scrutineer.station.bundle import MAGIC, Bundle, is_bundle, read_bundle


def write_statements(path: Path, statements: Iterable[bytes]) -> int:
    """Write statements to a new file, each behind its length (uint16, big-endian); how many there were.

    Raises UsageError where the file exists.
    """
    count = 0
    try:
        file = path.open("xb")
    except FileExistsError as error:
        raise UsageError(f"{path} exists already: choose another name, or move it away") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): choose another path") from error
    try:
        with file:
            for statement in statements:
                file.write(struct.pack(">H", len(statement)) + statement)
                count += 1
    except BaseException as error:
        # Half a file would be in the way of the next attempt, and could be taken for a whole one.
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UsageError(f"{path} cannot be written ({error.strerror}): make room, or choose another path") from error
        raise
    return count


def read_statements(path: Path) -> Iterator[bytes]:
    """The statements of a file, one or many. Raises UsageError or StatementError that names the place."""
    if is_bundle_file(path):
        yield from read_statement_bundle(path).entries
        return
    try:
        with path.open("rb") as file:
            head = file.read(MAX_STATEMENT_SIZE + 1)
            if _is_statement(head):
                yield head
                return
            file.seek(0)
            number = 0
            while prefix := file.read(2):
                length = int.from_bytes(prefix, "big")
                statement = file.read(length)
                if len(prefix) != 2 or not length or len(statement) != length:
                    raise StatementError(f"{path}, statement {number}: the file ends too early or is not a file of statements")
                yield statement
                number += 1
            if not number:
                raise StatementError(f"{path} is empty: name a file of signed statements")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the path") from error


def is_bundle_file(path: Path) -> bool:
    """Whether a file begins as a station's bundle does. Raises UsageError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return is_bundle(file.read(len(MAGIC)))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the path") from error


def read_statement_bundle(path: Path) -> Bundle:
    """A bundle of statements. Raises UsageError for one of receipts, and as `read_bundle` does."""
    bundle = read_bundle(path)
    if bundle.contents != "statements":
        raise UsageError(f"{path} holds receipts, and statements are needed: give it to `scrutineer station receipts`")
    return bundle


def _is_statement(data: bytes) -> bool:
    try:
        open_envelope(data)
    except StatementError:
        return False
    return True
