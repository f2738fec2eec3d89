"""How long work on a site says how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told what is done and about how much there is in all."""


def silent(_done: int, _total: int) -> None:
    """The progress that nobody hears of."""
