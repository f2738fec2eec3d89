"""DIR/contacts.csv: whom to call about a unit or station. Read by the control room alone; nothing of it is ever published.

Three columns: `unit` (an id of units.csv), `name`, `telephone`. A station without a row of its own has that of the nearest unit
above it.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.election import Units
from scrutineer.errors import UsageError

CONTACTS_FILE: Final = "contacts.csv"
COLUMNS: Final = ("unit", "name", "telephone")
MAX_FILE: Final = 256 << 20  # bytes
MAX_TEXT: Final = 200  # characters
_MARKS: Final = frozenset("0123456789 +-()./#*,;pPxX")


class Contact(NamedTuple):
    """Somebody who can be called."""

    name: str
    telephone: str

    @property
    def dial(self) -> str:
        """The number as a telephone takes it."""
        return "".join(mark for mark in self.telephone if mark in "0123456789+*#")


class Contacts:
    """The contacts of an election."""

    def __init__(self, units: Units, known: Mapping[str, Contact]) -> None:
        self._units = units
        self._known = known

    def __len__(self) -> int:
        return len(self._known)

    def of(self, unit: int) -> Contact | None:
        """Whom to call about a unit (by position): its own contact, or that of the nearest unit above it."""
        path = reversed(self._units.path(unit))
        return next((self._known[self._units.ids[above]] for above in path if self._units.ids[above] in self._known), None)


def read_contacts(folder: Path, units: Units) -> Contacts:
    """The contacts of an election folder; none where it has no such file. Raises UsageError, naming the line."""
    path = folder / CONTACTS_FILE
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"{path} has more than {MAX_FILE:,} bytes: give one line for each unit or station")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Contacts(units, {})
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: save it as such") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    known: dict[str, Contact] = {}
    try:
        if tuple(next(rows, ())) != COLUMNS:
            raise UsageError(f"{path}, line 1: the columns are {', '.join(COLUMNS)}, in this order")
        for row in rows:
            _add(known, units, row, f"{path}, line {rows.line_num}")
    except csv.Error as error:
        raise UsageError(f"{path}, line {rows.line_num}: {error}") from error
    return Contacts(units, known)


def _add(known: dict[str, Contact], units: Units, row: list[str], where: str) -> None:
    if not row:
        return
    if len(row) != len(COLUMNS):
        raise UsageError(f"{where}: {len(row)} columns instead of {len(COLUMNS)}")
    unit, name, telephone = (cell.strip() for cell in row)
    if unit not in units.index and unit not in units.station_index:
        raise UsageError(f"{where}: there is no unit {unit!r} in this election; check its spelling in units.csv")
    if unit in known:
        raise UsageError(f"{where}: unit {unit!r} stands there twice; keep one of the rows")
    if len(name) > MAX_TEXT or not name.isprintable():
        raise UsageError(f"{where}: the name is longer than {MAX_TEXT} characters, or holds characters that cannot be shown")
    if not telephone or len(telephone) > MAX_TEXT or not set(telephone) <= _MARKS:
        raise UsageError(f"{where}: {telephone[:40]!r} is not a telephone number; write it as +591 2 242 4221")
    known[unit] = Contact(name, telephone)
