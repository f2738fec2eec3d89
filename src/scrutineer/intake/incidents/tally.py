"""Counts requests by network in bounded memory, whatever is sent: totals are exact, and large senders are never lost.

The method is that of Misra and Gries (1982) with the median as step (Anderson et al., 2017): when the table is full, the median
is taken from every number, and who falls to zero makes room. What is taken counts as from networks that are not listed. So a
network's number is at most `2 / LIMIT` of the total too small, and every network that sent more than that share is listed.
"""

import heapq
from collections.abc import Mapping
from typing import Final, TypeVar

LIMIT: Final = 2_048  # networks

Name = TypeVar("Name", bytes, str)


class Tally:
    """One kind of request, counted by network (`networks.network_key`)."""

    __slots__ = ("counts", "elsewhere")

    def __init__(self) -> None:
        self.counts: dict[bytes, int] = {}
        """At least so many came from each network."""
        self.elsewhere = 0
        """Those that are in no network's number."""

    @property
    def total(self) -> int:
        """All of them, exactly."""
        return self.elsewhere + sum(self.counts.values())

    def add(self, network: bytes, count: int = 1) -> None:
        """Count requests from a network."""
        known = self.counts.get(network)
        if known is not None:
            self.counts[network] = known + count
            return
        if len(self.counts) >= LIMIT:
            self._make_room()
        self.counts[network] = count

    def top(self, most: int) -> list[tuple[bytes, int]]:
        """The networks with the largest numbers, largest first."""
        return top(self.counts, most)

    def _make_room(self) -> None:
        before = sum(self.counts.values())
        step = sorted(self.counts.values())[len(self.counts) // 2]
        self.counts = {network: count - step for network, count in self.counts.items() if count > step}
        self.elsewhere += before - sum(self.counts.values())


def top(counts: Mapping[Name, int], most: int) -> list[tuple[Name, int]]:
    """The largest numbers, largest first and equal ones by their names."""
    return heapq.nsmallest(most, counts.items(), key=lambda item: (-item[1], item[0]))
