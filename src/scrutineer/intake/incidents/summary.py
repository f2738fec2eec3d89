"""What a stretch of a journal adds up to. Pure: who signs a summary and who checks it compute it in the same way."""

from collections.abc import Iterable
from typing import Final

from scrutineer.intake.incidents.chain import Record, Window
from scrutineer.intake.incidents.tally import top
from scrutineer.statements.incident import (
    MAX_NETWORKS,
    REQUEST_KINDS,
    Incident,
    NetworkCount,
    RequestCount,
    RequestKind,
    RequestSummary,
)

MAX_RECORDS: Final = 2_880
"""Records that one summary covers: two days of windows of a minute; what is left is for the next one."""


class Sums:
    """Adds windows up: totals exactly, and for each network what the windows list of it."""

    def __init__(self) -> None:
        self.totals: dict[RequestKind, int] = {}
        self.networks: dict[RequestKind, dict[str, int]] = {}
        self.since = 0
        self.until = 0
        self._begun = False

    def add(self, window: Window) -> None:
        """Add a window."""
        for kind, count in window.totals.items():
            self.totals[kind] = self.totals.get(kind, 0) + count
        for kind, (_, networks) in window.counts.items():
            sums = self.networks.setdefault(kind, {})
            for network, count in networks.items():
                sums[network] = sums.get(network, 0) + count
        # The clock may have been set: what it told first need not be the earliest.
        times = [window.since, window.until]
        if window.unwritten is not None:
            times += [window.unwritten.since, window.unwritten.until]
        self.since = min(times) if not self._begun else min(self.since, *times)
        self.until = max(times) if not self._begun else max(self.until, *times)
        self._begun = True

    def trim(self) -> None:
        """Keep of the networks only those that `counts` lists."""
        self.networks = {kind: dict(top(networks, MAX_NETWORKS)) for kind, networks in self.networks.items()}

    def counts(self) -> tuple[RequestCount, ...]:
        """The sums as a statement gives them."""
        return tuple(
            RequestCount(
                kind=kind,
                count=self.totals[kind],
                networks=tuple(
                    NetworkCount(network=network, count=count)
                    for network, count in top(self.networks.get(kind, {}), MAX_NETWORKS)
                ),
            )
            for kind in REQUEST_KINDS
            if kind in self.totals
        )


def summarise(records: Iterable[Record], election: bytes) -> Incident | None:
    """The incident that sums up the first `MAX_RECORDS` of consecutive records; None where nothing was refused in them."""
    sums = Sums()
    first = last = None
    for number, record in enumerate(records):
        if number == MAX_RECORDS:
            break
        first, last = first or record, record
        if isinstance(record, Window):
            sums.add(record)
    if first is None or last is None or not sums.totals:
        return None
    return Incident(
        election=election,
        kind="requests",
        since=sums.since,
        until=sums.until,
        requests=RequestSummary(
            journal=bytes.fromhex(last.journal),
            first=first.n,
            last=last.n,
            previous=None if first.n == 1 else bytes.fromhex(first.previous),
            head=bytes.fromhex(last.hash),
            counts=sums.counts(),
        ),
    )
