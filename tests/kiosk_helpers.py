"""Parts that tests of the voter's screens share: names of the aviary's contests, and a kiosk served over HTTP."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from ballot_helpers import OneHand, every_contest, one_hand
from scrutineer.errors import BallotError
from scrutineer.station.voting.kiosk import Kiosk, KioskSettings
from scrutineer.station.voting.kiosk_web import kiosk_app
from scrutineer.station.voting.machine import VotingMachine
from scrutineer.station.voting.printer import Printer
from scrutineer.station.voting.readable import ContestNames
from voting_helpers import opened

STATION = "Old Granary, table 3"
NAMES = {
    "warden": ContestNames("Warden of the garden", {"wren": "Winifred Wren", "owl": "Oswin Owl", "heron": "Hermine Heron"}),
    "council": ContestNames(
        "Council of the birds",
        {"wren": "Winifred Wren", "owl": "Oswin Owl", "heron": "Hermine Heron", "robin": "Rowan Robin", "siskin": "Sidra Siskin"},
    ),
    "scores": ContestNames("How good is each tree for nests?", {"elm": "The elm", "oak": "The oak"}),
    "pond": ContestNames("Shall the pond be made larger?", {"yes": "Yes", "no": "No"}),
    "song": ContestNames("Who sings at sunrise?", {"wren": "Winifred Wren", "owl": "Oswin Owl"}),
}
HAND = one_hand(every_contest())


class KeptPrinter:
    """A printer that hands its papers to the test, and can be out of paper."""

    def __init__(self) -> None:
        self.papers: list[bytes] = []
        self.empty = False
        self.cleared = 0

    def print(self, paper: bytes) -> None:
        """Keep the paper."""
        if self.empty:
            raise BallotError("the printer is out of paper: put some in")
        self.papers.append(paper)

    def clear(self) -> None:
        """Count how often everything was cleared."""
        self.cleared += 1


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return time.monotonic() + self.ahead


class Station:
    """A voting machine with a kiosk over it."""

    def __init__(
        self,
        folder: Path,
        printer: Printer | None = None,
        hand: OneHand = HAND,
        styles: tuple[int, ...] = (1, 2),
        **settings: object,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.machine: VotingMachine = opened(folder, hand, styles)
        self.kept = KeptPrinter()
        self.clock = Clock()
        values: dict[str, object] = {"names": NAMES, "station": STATION} | settings
        self.kiosk = Kiosk(self.machine, KioskSettings(**values), printer or self.kept, self.clock)  # type: ignore[arg-type]


@contextlib.contextmanager
def served(kiosk: Kiosk) -> Iterator[str]:
    """The kiosk at an address of this machine, in a thread of its own."""
    config = uvicorn.Config(kiosk_app(kiosk), host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the kiosk did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
