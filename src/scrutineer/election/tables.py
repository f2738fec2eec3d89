"""The tables of a definition, units and register, as CSV (RFC 4180): a million rows in a few seconds, faults by line."""

import codecs
import contextlib
import csv
import gc
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from scrutineer.election.finding import did_you_mean
from scrutineer.election.register import KEY_SIZES, KINDS_BY_ROLE, Algorithm, Issuer, Register, Role, station_issuer
from scrutineer.election.units import MAX_ROLL, ROLL_ADVICE, UNKNOWN, Units
from scrutineer.errors import DefinitionError

UNITS_TABLE: Final = "units.csv"
REGISTER_TABLE: Final = "register.csv"
UNITS_HEADER: Final = ("id", "parent", "name", "kind", "roll")
REGISTER_HEADER: Final = ("issuer", "unit", "algorithm", "key", "name")

_REPEATED: Final = frozenset({"parent", "kind", "roll"})  # columns whose cells stand in many rows
_CHUNK: Final = 20_000  # rows held as rows at a time; the columns they become are much smaller
_STRETCH: Final = 1 << 20  # bytes; the same where rows are cut at their commas
_MAX_ROLL_DIGITS: Final = len(str(MAX_ROLL))
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]*")


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector: it would walk over columns of a million cells again and again and find nothing to free."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def write_units(units: Units) -> bytes:
    """The units table: CSV (RFC 4180) with LF line ends, pre-order."""
    return _write_csv(
        UNITS_HEADER, ((r.id, r.parent, r.name, r.kind, "" if r.roll is None else str(r.roll)) for r in units.rows())
    )


@collector_paused()
def read_units(data: bytes) -> Units:
    """Read a units table. Raises DefinitionError that names the line or the unit."""
    ids, parents, names, kinds, rolls = _columns(data, UNITS_TABLE, UNITS_HEADER)
    return Units.from_columns(ids, parents, names, kinds, _rolls(data, rolls))


def _rolls(data: bytes, given: list[str]) -> NDArray[np.int64]:
    digits = "".join(given)
    plain = not digits or (digits.isascii() and digits.isdigit() and max(map(len, given)) <= _MAX_ROLL_DIGITS)
    if not plain or "0" in {roll[:1] for roll in given}:
        for number, roll in enumerate(given):
            try:
                check_roll(roll)
            except DefinitionError as error:
                line = _line_of_row(number, data, UNITS_TABLE, UNITS_HEADER)
                raise DefinitionError(f"{UNITS_TABLE}, line {line}, roll: {error}") from error
    return np.fromiter((int(roll) if roll else UNKNOWN for roll in given), np.int64, len(given))


def check_roll(roll: str) -> None:
    """Refuse a cell that is neither empty nor a roll in its only spelling. Raises DefinitionError."""
    if not roll:
        return
    if not (roll.isascii() and roll.isdigit()):
        raise DefinitionError(f"{roll!r} is not a whole number; write digits only, or leave it empty where it is unknown")
    if len(roll) > _MAX_ROLL_DIGITS or not 0 < int(roll) <= MAX_ROLL:
        raise DefinitionError(f"{roll[:20]} cannot be a roll; {ROLL_ADVICE}")
    if roll.startswith("0"):
        raise DefinitionError(f"{roll!r} begins with a zero; write {int(roll)}")


def write_register(register: Register) -> bytes:
    """The register table: stations in station order, then everyone else; keys in hexadecimal."""
    return _write_csv(REGISTER_HEADER, _register_rows(register))


def _register_rows(register: Register) -> Iterator[tuple[str, ...]]:
    for station, number in register.stations.items():
        key = register.station_key(number)
        if key is not None:
            yield station_issuer(station), station, "ed25519", key.hex(), ""
    for issuer in register.others():
        yield issuer.id, issuer.unit, issuer.algorithm, issuer.key.hex(), issuer.name


@collector_paused()
def read_register(data: bytes, units: Units) -> Register:
    """Read a register table for these units. Raises DefinitionError that names the line."""
    stations = units.station_index
    try:
        # As a written table begins: a row for each station in order, and so without the keys of anyone else among them.
        keys, columns = _stations_first(data, list(stations))
        begin, filled = len(stations), bytearray(b"\1" * len(stations))
    except _NotPlainError:
        keys, columns = bytearray(32 * len(stations)), _columns(data, REGISTER_TABLE, REGISTER_HEADER)
        begin, filled = 0, bytearray(len(stations))
    others: list[Issuer] = []
    for position, cells in enumerate(zip(*columns, strict=True), begin):
        try:
            issuer = parse_issuer(*cells)
        except DefinitionError as error:
            line = _line_of_row(position, data, REGISTER_TABLE, REGISTER_HEADER)
            raise DefinitionError(f"{REGISTER_TABLE}, line {line}: {error}") from error
        number = stations.get(issuer.unit)
        if (
            number is None
            or filled[number]
            or issuer.id != station_issuer(issuer.unit)
            or issuer.algorithm != "ed25519"
            or issuer.name
        ):
            others.append(issuer)
        else:
            keys[32 * number : 32 * number + 32] = issuer.key
            filled[number] = 1
    return Register(stations, bytes(keys), others)


def _stations_first(data: bytes, stations: list[str]) -> tuple[bytearray, list[list[str]]]:
    """The keys of all stations where the table begins with exactly one row for each in order, and the rows behind those.

    Raises _NotPlainError where it does not.
    """
    keys = bytearray()
    rest: list[list[str]] = [[] for _ in REGISTER_HEADER]
    done = 0
    for columns in _plain_columns(data, REGISTER_HEADER):
        count = min(len(columns[0]), len(stations) - done)
        issuers, units, algorithms, own, names = (column[:count] for column in columns)
        digits = "".join(own)
        plain = (
            units == stations[done : done + count]
            and issuers == list(map(station_issuer, units))
            and set(algorithms) <= {"ed25519"}
            and not any(names)
            and set(map(len, own)) <= {64}
            # The same as `_HEXADECIMAL`, but for many millions of digits.
            and digits.isascii()
            and not digits.encode().translate(None, b"0123456789abcdef")
        )
        if not plain:
            raise _NotPlainError
        keys += bytes.fromhex(digits)
        done += count
        for column, cells in zip(rest, columns, strict=True):
            column += cells[count:]
    if done < len(stations):
        raise _NotPlainError
    return keys, rest


def parse_issuer(issuer_id: str, unit: str, algorithm: str, key: str, name: str) -> Issuer:
    """One row of a register table. Raises DefinitionError."""
    if not _HEXADECIMAL.fullmatch(key) or len(key) % 2:
        raise DefinitionError("key: not hexadecimal; write the public key as pairs of the digits 0-9 and a-f")
    role = issuer_id.partition("/")[0]
    if role not in KINDS_BY_ROLE:
        raise DefinitionError(
            f"issuer: {issuer_id[:96]!r} begins with no role; {did_you_mean(role, KINDS_BY_ROLE)} before the '/'"
        )
    if algorithm not in KEY_SIZES:
        raise DefinitionError(f"algorithm: {algorithm[:32]!r} is not used here; {did_you_mean(algorithm, KEY_SIZES)}")
    return Issuer(issuer_id, cast("Role", role), bytes.fromhex(key), cast("Algorithm", algorithm), unit, name)


def _write_csv(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def table_rows(data: bytes, table: str, header: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table with the lines they end on; rows without any cell are left out, ragged ones are not.

    Raises DefinitionError where the bytes are not UTF-8, not CSV, or begin with another header.
    """
    _text(data, table)
    # Decoded once more, line by line: a text of a table of ten million rows would be held four bytes to the letter.
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline=""), strict=True)
    try:
        _check_header(next(reader, None), table, header)
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise _unreadable(table, reader.line_num, error) from error


def _text(data: bytes, table: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DefinitionError(f"{table}, line {line}: not UTF-8; save the file as UTF-8") from error


def _check_header(first: list[str] | None, table: str, header: tuple[str, ...]) -> None:
    if first is None or tuple(first) != header:
        columns = ",".join(first or ())[:200]
        shown = columns if columns.isprintable() else repr(columns)  # a quoted name may hold line ends
        found = f"the columns are {shown}" if first else "there is no header"
        raise DefinitionError(f"{table}, line 1: {found}; write the header {','.join(header)}")


def _unreadable(table: str, line: int, error: csv.Error) -> DefinitionError:
    return DefinitionError(f"{table}, line {line}: not readable as CSV ({error}); check the quotation marks")


def _columns(data: bytes, table: str, header: tuple[str, ...]) -> list[list[str]]:
    """A whole table as columns. Raises DefinitionError, also for a row with too many or too few cells."""
    columns: list[list[str]] = [[] for _ in header]
    known: list[dict[str, str] | None] = [{} if name in _REPEATED else None for name in header]
    try:
        for cells in _plain_columns(data, header):
            for column, more, same in zip(columns, cells, known, strict=True):
                # Of equal cells one is kept, so that the memory of the others serves the next stretch.
                column += more if same is None else map(same.setdefault, more, more)
    except _NotPlainError:
        return _parsed_columns(data, table, header)
    return columns


def _parsed_columns(data: bytes, table: str, header: tuple[str, ...]) -> list[list[str]]:
    reader = csv.reader(io.StringIO(_text(data, table), newline=""), strict=True)
    columns: list[list[str]] = [[] for _ in header]
    try:
        _check_header(next(reader, None), table, header)
        while chunk := list(itertools.islice(reader, _CHUNK)):
            if set(map(len, chunk)) != {len(header)}:
                chunk = [row for row in chunk if row]
                if any(len(row) != len(header) for row in chunk):
                    raise _ragged(data, table, header)
            for column, cells in zip(columns, zip(*chunk, strict=True), strict=False):
                column.extend(cells)
    except csv.Error as error:
        raise _unreadable(table, reader.line_num, error) from error
    return columns


class _NotPlainError(Exception):
    """A table that cannot be cut at its commas alone, or that has a fault which the way for all tables will name."""


def _plain_columns(data: bytes, header: tuple[str, ...]) -> Iterator[list[list[str]]]:
    """The columns of a table without quotation marks and ragged rows, a stretch of rows at a time: twice as fast.

    Raises _NotPlainError, possibly only after the first stretches.
    """
    if b'"' in data or b"\r" in data:
        raise _NotPlainError
    width = len(header)
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    end = len(data) - data.endswith(b"\n")
    first = True
    while start < end:
        stop = data.find(b"\n", start + _STRETCH, end)
        stop = end if stop < 0 else stop
        try:
            lines = data[start:stop].decode().split("\n")
        except UnicodeDecodeError as error:
            raise _NotPlainError from error
        if set(map(str.count, lines, itertools.repeat(","))) != {width - 1}:
            raise _NotPlainError
        if first and tuple(lines.pop(0).split(",")) != header:
            raise _NotPlainError
        cells = ",".join(lines).split(",") if lines else []
        yield [cells[position::width] for position in range(width)]
        start, first = stop + 1, False
    if first:
        raise _NotPlainError


def _ragged(data: bytes, table: str, header: tuple[str, ...]) -> DefinitionError:
    width = len(header)
    line, row = next((line, row) for line, row in table_rows(data, table, header) if len(row) != width)
    return DefinitionError(f"{table}, line {line}: {len(row)} cells where the header has {width}; fill in or remove cells")


def _line_of_row(number: int, data: bytes, table: str, header: tuple[str, ...]) -> int:
    return next(itertools.islice(table_rows(data, table, header), number, None))[0]
