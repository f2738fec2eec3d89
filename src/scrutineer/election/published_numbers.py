"""Counts as publishers write them: read exactly, or not at all."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from scrutineer.election.layout_model import FileFormat

MAX_COUNT: Final = 2**31 - 1
"""Largest number that a tally sheet may carry; larger ones cannot be counts."""
_DIGITS: Final = len(str(MAX_COUNT))


class NumberError(ValueError):
    """A cell that is neither a count nor marked as missing; the text says why. Never leaves the reader."""


class Numbers:
    """Reads the figures of a row, each of which is one column or the sum of several."""

    def __init__(self, form: FileFormat, groups: Sequence[tuple[int, ...]]) -> None:
        self._form = form
        self._missing = frozenset(marker.strip() for marker in form.missing)
        self._groups = tuple(groups)
        columns = [column for group in groups for column in group]
        # The figures are picked, in their order, from the numbers read, a None for groups without columns, and the sums.
        picked: list[int] = []
        self._added: list[slice] = []
        begin = 0
        for group in groups:
            if len(group) > 1:
                self._added.append(slice(begin, begin + len(group)))
            picked.append(begin if len(group) == 1 else len(columns) + (len(self._added) if group else 0))
            begin += len(group)
        self._pick = itemgetter(*picked) if len(picked) > 1 else None
        self._cells = itemgetter(*columns) if len(columns) > 1 else None
        # Where a plain number may mean that a number is missing, every cell has to be looked at.
        self._plain = self._cells is not None and not any(marker.isdigit() for marker in self._missing)

    def read(self, row: list[str]) -> tuple[int | None, ...]:
        """The figures of a row; None where one is not known. Raises NumberError for a cell that cannot be read."""
        if self._plain and self._cells is not None and self._pick is not None:
            cells = self._cells(row)
            digits = "".join(cells)
            if digits.isascii() and digits.isdigit() and all(cells) and max(map(len, cells)) < _DIGITS:
                values = tuple(map(int, cells))
                sums = [_checked(sum(values[group])) for group in self._added]
                picked: tuple[int | None, ...] = self._pick((*values, None, *sums))
                return picked
        return tuple(map(self._figure, (tuple(row[column] for column in group) for group in self._groups)))

    def faults(self, row: list[str]) -> list[tuple[int, str]]:
        """Every cell of the row that cannot be read: its column, and why."""
        found: list[tuple[int, str]] = []
        for column in sorted({column for group in self._groups for column in group}):
            try:
                self.cell(row[column])
            except NumberError as error:
                found.append((column, str(error)))
        return found

    def _figure(self, cells: tuple[str, ...]) -> int | None:
        total: int | None = None
        for cell in cells:
            value = self.cell(cell)
            if value is None:
                return None
            total = value if total is None else total + value
        return None if total is None else _checked(total)

    def cell(self, text: str) -> int | None:
        """One number; None where the cell says that it is not known. Raises NumberError."""
        bare = text.strip()
        if bare in self._missing:
            return None
        if not (bare.isascii() and bare.isdigit()):
            bare = self._plain_digits(bare)
        bare = bare.lstrip("0") or "0"
        if len(bare) > _DIGITS or int(bare) > MAX_COUNT:
            raise NumberError(f"{text[:40]!r} is more than any count")
        return int(bare)

    def _plain_digits(self, bare: str) -> str:
        """The digits of a number written with signs for thousands and decimals."""
        whole, point, fraction = bare.partition(self._form.decimal) if self._form.decimal else (bare, "", "")
        if point and fraction.strip("0"):
            raise NumberError(f"{bare[:40]!r} is not a whole number")
        if self._form.thousands and self._form.thousands in whole:
            first, *groups = whole.split(self._form.thousands)
            if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups):
                raise NumberError(f"{bare[:40]!r} is not grouped in thousands as the layout says")
            whole = first + "".join(groups)
        if whole.isascii() and whole.isdigit():
            return whole
        if whole.startswith(("-", "−")):
            raise NumberError(f"{bare[:40]!r} is negative, which no count is")
        raise NumberError(f"{bare[:40]!r} is not a whole number")


def _checked(total: int) -> int:
    if total > MAX_COUNT:
        raise NumberError(f"the columns add up to {total}, more than any count")
    return total
