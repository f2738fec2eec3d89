"""Pads for the next ballots, made in a thread of their own between voters, so that encrypting answers at once."""

import threading
from collections.abc import Sequence
from typing import Final

from scrutineer.ballots.encrypt import Encryptor
from scrutineer.ballots.pads import Pad

_DEPTH: Final = 2
"""Pads of each style that are kept: one for the ballot, and one where the voter challenges it."""
_REST: Final = 0.25
"""Seconds for which no pad is made after one was taken, so that encrypting the ballot has the processor to itself."""


class PadStore:
    """Keeps pads of some ballot styles ready. They are in memory alone; each is handed out once."""

    def __init__(self, encryptor: Encryptor, styles: Sequence[int]) -> None:
        self._encryptor = encryptor
        self._ready: dict[int, list[Pad]] = {style: [] for style in styles}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wanted = False
        self._taken = False

    def start(self) -> None:
        """Make pads from now on."""
        with self._changed:
            self._wanted = True
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._make, name="pads", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """Make no more pads, and forget those that there are."""
        with self._changed:
            self._wanted = False
            for pads in self._ready.values():
                pads.clear()
            self._changed.notify_all()

    def take(self, style: int) -> Pad | None:
        """A pad of a style; None where none is ready, and the ballot is encrypted without."""
        with self._changed:
            pads = self._ready.get(style)
            pad = pads.pop() if pads else None
            self._taken = True
            self._changed.notify_all()
            return pad

    def ready(self, style: int) -> int:
        """How many pads of a style are ready."""
        with self._changed:
            return len(self._ready.get(style, ()))

    def _make(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._wanted or self._missing() is not None)
                style = self._missing()
                if not self._wanted or style is None:
                    return
            pad = self._encryptor.pad(style, self._rest)
            with self._changed:
                if self._wanted:
                    self._ready[style].append(pad)

    def _rest(self) -> None:
        """Between the parts of a pad: stand aside while a ballot is encrypted."""
        with self._changed:
            while self._taken and self._wanted:
                self._taken = False
                self._changed.wait_for(lambda: not self._wanted, timeout=_REST)

    def _missing(self) -> int | None:
        fewest = min(self._ready, key=lambda style: len(self._ready[style]), default=None)
        return fewest if fewest is not None and len(self._ready[fewest]) < _DEPTH else None
