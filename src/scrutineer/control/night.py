"""The state of the night: the log, followed entry by entry beside the service that writes it, and counted as it grows.

The store is asked for its newest head at most once a second, and for new entries alone. Every head is held against the tree and
the log's keys, as everywhere.
"""

import threading
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.count import Count
from scrutineer.election import UNKNOWN, Election
from scrutineer.errors import LogError, ReceiptError, ScrutineerError
from scrutineer.log import Head, LogVerifier, MerkleTree, SharedStore, leaf_hash
from scrutineer.log.receipt import verify_head

CHUNK: Final = 4_096  # entries counted at a time; readers of the state wait no longer than that takes
HEADS: Final = 1_024  # heads read at a time
EVERY: Final = 1.0  # seconds between two looks at the store


class Night:
    """The count of the log so far, and when each station's sheet arrived. `hold` gives it for reading."""

    def __init__(self, election: Election, open_store: Callable[[], SharedStore], verifier: LogVerifier) -> None:
        self.election = election
        self.count = Count(election)
        self.verifier = verifier
        self.trouble = ""
        """Why the log cannot be read at the moment; empty where it can."""
        self.version = 0
        """Grows with whatever changes here."""
        self.known = 0
        """Entries that the store holds; more than are counted while a long log is being read."""
        self.head: Head | None = None
        stations = election.units.station_count
        self.arrived: list[NDArray[np.int64]] = [np.full(stations, UNKNOWN, dtype=np.int64) for _ in election.contests]
        """For each contest: when the first sheet of each station was recorded, in seconds since 1970."""
        self._open_store = open_store
        self._store: SharedStore | None = None
        self._tree = MerkleTree()
        self._sizes = array("Q")
        self._times = array("Q")
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="night", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether everything that the store was seen to hold has been counted."""
        return self.head is not None and self.count.size == self.head.size >= self.known

    def start(self) -> None:
        """Follow the log in a thread of its own from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._store is not None:
            self._store.close()

    @contextmanager
    def hold(self) -> Iterator[Count]:
        """The count, which does not change within the block."""
        with self._lock:
            yield self.count

    def root(self) -> bytes:
        """The log's root at the size of the count."""
        with self._lock:
            return self._tree.root(self.count.size)

    def when(self, index: int) -> int:
        """When an entry was recorded, in seconds since 1970: the time of the first head that covers it."""
        with self._lock:
            place = bisect_right(self._sizes, index)
            return self._times[place] if place < len(self._times) else 0

    def _run(self) -> None:
        self.look()
        while not self._ended.wait(EVERY):
            self.look()

    def look(self) -> None:
        """Look at the store once, and take in what is new. What goes wrong is said in `trouble`, and tried again."""
        try:
            self._take_in()
            trouble = ""
        except ScrutineerError as error:  # A StoreError, for example: the store may be back in a second.
            trouble = str(error)
        if trouble != self.trouble:
            self.trouble = trouble
            self.version += 1

    def _take_in(self) -> None:
        if self._store is None:
            self._store = self._open_store()
        last = self._store.last_head()
        known = self.head
        if last is None or last == known:
            return
        if known is not None and (last.size <= known.size):
            raise LogError(f"the store holds head {last.size} where head {known.size} was read before: it was replaced or reset")
        self.known = last.size
        after = known.size if known is not None else 0
        while after < last.size and not self._ended.is_set():
            heads = list(islice(self._store.heads(after, last.size), HEADS))
            if not heads:
                raise LogError(f"the store names no head after {after} entries, though it has {last.size}: restore it")
            self._take_heads(self._store, heads)
            after = heads[-1].size

    def _take_heads(self, store: SharedStore, heads: list[Head]) -> None:
        """Count the entries up to the last of some heads. Its root and signature vouch for all before it."""
        newest = heads[-1]
        entries = store.entries(self.count.size, newest.size)
        while stretch := list(islice(entries, CHUNK)):
            with self._lock:
                self._tree.extend([leaf_hash(entry) for entry in stretch])
                self.count.apply(stretch)
        if self._tree.root(newest.size) != newest.root:
            raise LogError(f"the stored entries do not lead to the root of head {newest.size}: restore the store from a mirror")
        try:
            verify_head(newest.size, newest.root, newest.signature, self.verifier)
        except ReceiptError as error:
            raise LogError(f"{error}; check that these are the keys of this log") from None
        with self._lock:
            for head in heads:
                self._sizes.append(head.size)
                self._times.append(head.time_ms // 1_000)
            self.head = newest
            self._note_arrivals()
            self.version += 1

    def _note_arrivals(self) -> None:
        """Give a time to every sheet that is new."""
        sizes = np.frombuffer(self._sizes, dtype=np.uint64)
        times = np.frombuffer(self._times, dtype=np.uint64)
        for state, arrived in zip(self.count.contests, self.arrived, strict=True):
            new = np.flatnonzero((state.sheet >= 0) & (arrived < 0))
            arrived[new] = times[np.searchsorted(sizes, state.sheet[new].astype(np.uint64), side="right")]
