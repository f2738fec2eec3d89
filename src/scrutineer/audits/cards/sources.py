"""Files, folders and zips of records: opened in a fixed order, bounded in size, read in blocks."""

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and how much there is (bytes)."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Shows nothing."""
